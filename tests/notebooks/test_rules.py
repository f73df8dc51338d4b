"""The rules themselves: a chapter that keeps them has no fault, one that breaks one has that."""

import nbformat
import pytest

from . import rules

ANSWER = """**Why?**
<details><summary>Answer</summary>

Because.

**The follow-up:** *And?*
</details>"""


def chapter(tmp_path, change=lambda cells: None):
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        markdown(
            "# Title\n\n*You will be able to* read. *You need* nothing. *Takes* about 20 minutes."
        ),
        code("%load_ext workbook\nfrom shopdb.models import Product"),
        markdown("## One\n\nEleven queries, says 11.\n\n```text\na ─► b\n```"),
        *(code("%guess ...\n11") for _ in range(3)),
        *(code("11") for _ in range(8)),
        markdown(f"## In an interview\n\n{ANSWER}\n\n{ANSWER}\n\n{ANSWER}"),
        markdown("## Exercises"),
        markdown("**1.1 ★★** *Predict.* How many?"),
        *(markdown(f"**1.{n} ★** Do it 99 times.") for n in range(2, 6)),
        *(code(f"%exercise 1.{n}\n...") for n in range(1, 6)),
        markdown("## In short\n\nNext: chapter 99 (to come)."),
    ]
    change(cells)
    path = tmp_path / "98_title.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def edit(cell, old, new):
    def change(cells):
        assert old in cells[cell].source
        cells[cell].source = cells[cell].source.replace(old, new)

    return change


def repeat(cell, times):
    def change(cells):
        one = cells[cell]
        make = getattr(nbformat.v4, f"new_{one.cell_type}_cell")
        cells[cell + 1 : cell + 1] = [make(one.source) for _ in range(times)]

    return change


def test_a_chapter_that_keeps_the_rules(tmp_path):
    assert rules.faults(chapter(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (edit(0, "*Takes* about 20 minutes", "*Takes* long"), "*Takes* about … minutes"),
        (edit(1, "%load_ext workbook\n", ""), "does not load the workbook"),
        (edit(2, "```text\na ─► b\n```", ""), "it has no picture"),
        (edit(2, "a ─► b", "─" * 90), "a drawing is 90 columns wide"),
        (edit(2, "says 11", "a cure"), "“cure” (write: fix)"),
        (edit(2, "says 11", "says 12"), "no cell shows the number 12"),
        (edit(2, "Eleven", "Twelve"), "no cell shows the number 12"),
        (edit(2, "says 11", "[next](99_none.ipynb)"), "it links to 99_none.ipynb"),
        (edit(2, "says 11", "see chapter 99"), "chapter 99 is not written"),
        (edit(-1, "chapter 99", "Chapter 00"), "Chapter 00 is said to come, and is there"),
        (edit(3, "%guess ...\n", ""), "it asks for 2 predictions"),
        (edit(3, "%guess ...", "%guess 3"), "a prediction is filled in: %guess 3"),
        (edit(14, "**The follow-up:** *And?*", ""), "no follow-up to: Why?"),
        (edit(14, f"{ANSWER}\n\n{ANSWER}\n\n", ""), "its interview has 1 questions"),
        (edit(16, "*Predict.* How", "How"), "none of its exercises asks to *Predict.*"),
        (edit(15, "## Exercises", "## Tasks"), "its last three sections are"),
        (repeat(2, 40), "cells, of at most 55"),
        (repeat(5, 20), "code cells, not 15 to 30"),
        (repeat(17, 5), "it has 10 exercises"),
        (edit(2, "Eleven", "word " * 1_700), "words of prose outside the exercises"),
    ],
)
def test_each_fault_is_named(tmp_path, change, fault):
    assert fault in "\n".join(rules.faults(chapter(tmp_path, change)))


def test_what_is_for_a_second_reading_is_not_counted(tmp_path):
    def change(cells):
        further = nbformat.v4.new_markdown_cell("## Going further\n\n" + "word " * 1_700)
        extra = [nbformat.v4.new_code_cell("11") for _ in range(40)]
        cells[14:14] = [further, *extra]

    assert rules.faults(chapter(tmp_path, change)) == []
