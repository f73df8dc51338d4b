"""Every chapter, executed anew, shows what is committed: readers see it without running it."""

import re

import nbformat
import pytest
from django.db import connection

from . import index
from .chapters import CHAPTERS, FOLDER, code_cells, differences, execute, output_lines, query_counts

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
    assert shop_digest() == before, "a chapter leaves the shop as it found it"


@chapters
def test_every_cell_was_executed_in_order(path):
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@chapters
def test_it_has_the_parts_of_a_chapter(path):
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert notebook.cells[0].source.startswith("# ")
    for promise in ("*You will be able to", "*You need", "*Takes"):
        assert promise in notebook.cells[0].source
    assert code_cells(notebook)[0].source.startswith("%load_ext workbook\n")
    assert 20 <= len(code_cells(notebook)) <= 35
    for heading in ("## In an interview", "## Exercises", "## In short"):
        assert heading in text.splitlines()


NUMBER = re.compile(r"(?<![\w.,/#-])\d[\d,]*(?:\.\d+)?(?![\w-]|[.,/]\d)")


# Code, links, chapters by their numbers, and versions: no claims about the shop.
NOT_PROSE = re.compile(
    r"`[^`]*`|\[[^]]*\]\([^)]*\)|[Cc]hapters? \d\d(?:(?:,| and| to) \d\d)*(?:'s)?"
    r"|(?:[Nn]ew in|[Ss]ince|Django|Python|SQLite|PostgreSQL|MariaDB) \d+(?:\.\d+)*"
)


def numbers(text: str) -> set[str]:
    return {found.replace(",", "").rstrip(".") for found in NUMBER.findall(text)}


def seen(cell) -> str:
    """A code cell's source and outputs as text."""
    return "\n".join([cell.source, *(line for each in cell.outputs for line in output_lines(each))])


@chapters
def test_numbers_in_the_prose_are_the_ones_in_the_outputs(path):
    """A number of two digits or more that the prose states stands in a cell or its output."""
    notebook = nbformat.read(path, as_version=4)
    shown = numbers("\n".join(map(seen, code_cells(notebook))))
    prose = [
        cell.source
        for cell in notebook.cells[1:]  # the first says how many minutes the chapter takes
        if cell.cell_type == "markdown"
        and not re.match(r"\*\*\d+\.\d+ ★|## Exercises", cell.source)
    ]
    stated = set().union(*(numbers(NOT_PROSE.sub("", text)) for text in prose))
    assert {number for number in stated if len(number) > 1} - shown == set()


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


def test_the_index_is_the_one_the_chapters_give():
    assert index.FILE.read_text(encoding="utf-8") == index.render(), "run `make notebooks`"


@pytest.mark.parametrize(
    ("source", "kind", "names"),
    [
        ("Product.objects.filter(price__gt=5)", "lookups", {"gt", "exact"}),
        ("# Product.objects.exclude()\n'exclude'", "queryset_sync", set()),
        ("%queries explain\nProduct.objects.count()", "queryset_sync", {"count"}),
        ("invoice.products.add(tea)\nseen.add(1)", "related_manager", {"add"}),
        ("with transaction.atomic():\n    pass", "transactions", {"atomic"}),
        ("models.CharField(max_length=5)", "field_options", {"max_length"}),
        ("await Product.objects.acount()", "queryset_async", {"acount"}),
    ],
)
def test_the_index_counts_what_runs(source, kind, names):
    assert index.names_in(source)[kind] == names
