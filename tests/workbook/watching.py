"""A real IPython shell with the workbook loaded, and what its cells show."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, connections
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from . import library


@dataclass
class Shown:
    """What a cell left on the screen: its report, its table, what it printed, its value."""

    bundles: list[dict[str, str]]
    printed: str
    result: Any

    @property
    def report(self) -> str:
        return self.bundles[-1]["text/plain"] if self.bundles else ""

    @property
    def html(self) -> str:
        return self.bundles[-1].get("text/html", "") if self.bundles else ""

    @property
    def headline(self) -> str:
        return self.report.partition("\n")[0]

    @property
    def findings(self) -> list[tuple[str, str]]:
        """(title, sentence) of every diagnosis."""
        return re.findall(
            r"^(N\+1|Repeated|One by one|After prefetch|Unread)  (.+)$", self.report, re.MULTILINE
        )


Cell = Callable[[str], Shown]


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A fresh shell in which nothing is loaded."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    ours = connections["default"]
    yield shell
    shell.run_cell("%unload_ext workbook")
    put_back(ours)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def put_back(ours: Any) -> None:
    """Make `ours` the connection again, after a cell that loaded the workbook while awaiting."""
    if connections["default"] is not ours:
        connections["default"].close()
        connections["default"] = ours


@pytest.fixture
def bare_cell(shell: InteractiveShell) -> Cell:
    """Runs a cell of the shell and gives what it showed."""

    def run(source: str) -> Shown:
        with capture_output() as captured:
            result = shell.run_cell(source, store_history=True)
        bundles = [output.data for output in captured.outputs]
        return Shown(bundles, captured.stdout + captured.stderr, result)

    return run


@pytest.fixture
def cell(bare_cell: Cell, db: None) -> Cell:
    """The same, with the workbook loaded in cell [1]."""
    bare_cell("%load_ext workbook")
    return bare_cell


@pytest.fixture(scope="session")
def library_tables(django_db_setup: None, django_db_blocker: Any) -> None:
    """The library's tables, once a test database."""
    with django_db_blocker.unblock():
        there = connection.introspection.table_names()
        with connection.schema_editor() as editor:
            for model in library.MODELS:
                if model._meta.db_table not in there:
                    editor.create_model(model)


@pytest.fixture
def library_cell(library_tables: None, cell: Cell) -> Cell:
    """A shell in which the library is filled and imported (in cell [2])."""
    library.fill()
    names = [*(model.__name__ for model in library.MODELS), "fill"]
    cell(f"from {library.__name__} import {', '.join(names)}")
    return cell


@pytest.fixture
def committed_library(library_tables: None, transactional_db: None, bare_cell: Cell) -> Cell:
    """The same, with transactions that are really committed."""
    library.fill(3)
    bare_cell("%load_ext workbook")
    bare_cell(
        f"from {library.__name__} import *\n"
        "from asgiref.sync import sync_to_async\nfrom django.db import connection, transaction"
    )
    return bare_cell
