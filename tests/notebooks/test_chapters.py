"""Every chapter, executed anew, shows what is committed: readers see it without running it."""

import re

import nbformat
import pytest
from django.db import connection

from . import rules
from .chapters import (
    CHAPTERS,
    FOLDER,
    code_cells,
    differences,
    execute,
    on_postgresql,
    query_counts,
)

chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@chapters
def test_executing_it_shows_what_is_committed(path, shop_url, shop_digest):
    stored = nbformat.read(path, as_version=4)
    before = shop_digest()
    fresh = execute(path, shop_url)
    if connection.vendor == "sqlite":
        changed = differences(stored, fresh)
        assert not changed, f"{path.name} shows something else now (make notebooks):\n{changed}"
    else:
        assert query_counts(fresh) == query_counts(stored)
    if connection.vendor == "postgresql":
        for said, printed in on_postgresql(fresh):
            assert printed == said
    assert shop_digest() == before, "a chapter leaves the shop as it found it"


@chapters
def test_whatever_postgresql_is_said_to_answer_is_compared(path):
    notebook = nbformat.read(path, as_version=4)
    said = [re.findall(r"^On PostgreSQL \d+:$", cell.source, re.M) for cell in notebook.cells]
    assert len(on_postgresql(notebook)) == sum(map(len, said))


@chapters
def test_every_cell_was_executed_in_order(path):
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@chapters
def test_it_is_built_as_a_chapter(path):
    if found := rules.faults(path):
        pytest.fail("\n- ".join([f"{path.name}:", *found]), pytrace=False)


@chapters
def test_the_table_of_chapters_says_what_is_in_it(path):
    notebook = nbformat.read(path, as_version=4)
    minutes = re.search(r"\*Takes\* about (\d+) minutes", notebook.cells[0].source)[1]
    tasks = sum(cell.source.startswith("%exercise") for cell in code_cells(notebook))
    table = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in table if f"]({path.name})" in line]
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    assert f"[{title}]" in row
    assert row.endswith(f"| {minutes} | {tasks} |")
