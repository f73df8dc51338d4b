"""A refresh keeps every cell that the reader wrote, and brings every cell that the chapter has."""

import json
import re

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from workbook.learning import copies

FIRST = [
    ("title", "# Joins"),
    ("load", "!%load_ext workbook"),
    ("guess", "!%guess ...\nInvoice.objects.count()"),
    ("prose", "A join matches rows."),
    ("loop", "!for invoice in invoices:\n    print(invoice)"),
    ("task", "**7.1 ★** Count them."),
    ("answer", "!%exercise 7.1\n..."),
    ("short", "## In short"),
]


def written(cells, minor=5):
    """A notebook with these cells; text that begins with ! is code, which has run."""
    made = []
    for id, text in cells:
        cell = nbformat.v4.new_markdown_cell(text)
        if text.startswith("!"):
            output = nbformat.v4.new_output("stream", text="the chapter's own output")
            cell = nbformat.v4.new_code_cell(text[1:], outputs=[output], execution_count=1)
        cell.id = id
        made.append(cell)
    notebook = nbformat.v4.new_notebook(cells=made)
    return nbformat.writes(notebook) + "\n"


class Workbook:
    """Chapters and copies in a folder; chapters are given as [(id, text)]."""

    def __init__(self, folder):
        self.chapters, self.copies = folder / "notebooks", folder / "my_notebooks"
        self.chapters.mkdir()

    def publish(self, cells, name="07_joins"):
        (self.chapters / f"{name}.ipynb").write_text(written(cells))
        return self.refresh()

    def refresh(self):
        return copies.refresh(self.chapters, self.copies)

    def path(self, name="07_joins"):
        return self.copies / f"{name}.ipynb"

    def cells(self, name="07_joins"):
        """The copy's cells as [(id, text)], with ! before code."""
        found = json.loads(self.path(name).read_text())["cells"]
        return [
            (cell["id"], "!" * (cell["cell_type"] == "code") + "".join(cell["source"]))
            for cell in found
        ]

    def texts(self, name="07_joins"):
        return [text for _, text in self.cells(name)]

    def edit(self, change, name="07_joins"):
        """Let `change` work on the cells (a list of nbformat cells) as an editor would."""
        notebook = nbformat.read(self.path(name), as_version=4)
        change(notebook.cells)
        nbformat.write(notebook, self.path(name))

    def write(self, id, text, name="07_joins"):
        def change(cells):
            (cell,) = [cell for cell in cells if cell.id == id]
            cell.source = text

        self.edit(change, name)


@pytest.fixture
def workbook(tmp_path):
    made = Workbook(tmp_path)
    assert made.publish(FIRST) == ["Copied to my_notebooks/, for you to work in: 07_joins."]
    return made


def updated(**texts):
    """The chapter with some cells changed; None takes a cell away."""
    cells = [(id, texts.get(id, text)) for id, text in FIRST]
    return [(id, text) for id, text in cells if text is not None]


def with_new_section():
    return [*FIRST[:-1], ("new", "## Left joins"), ("code", "!left()"), FIRST[-1]]


def add_after(id, *texts):
    def change(cells):
        at = 1 + [cell.id for cell in cells].index(id)
        cells[at:at] = [
            nbformat.v4.new_code_cell(text[1:])
            if text.startswith("!")
            else nbformat.v4.new_markdown_cell(text)
            for text in texts
        ]

    return change


def test_a_copy_has_no_outputs(workbook):
    assert workbook.cells() == FIRST
    notebook = nbformat.read(workbook.path(), as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")


def test_nothing_is_written_when_the_chapter_is_as_before(workbook):
    workbook.write("prose", "My own words.")
    before = workbook.path().stat().st_mtime_ns
    assert workbook.refresh() == []
    assert workbook.path().stat().st_mtime_ns == before


def test_an_untouched_copy_is_refreshed_without_a_second_file(workbook):
    assert workbook.publish(updated(prose="Better words.", loop=None)) == [
        "Updated in my_notebooks/: 07_joins."
    ]
    assert workbook.cells() == updated(prose="Better words.", loop=None)
    assert [path.name for path in workbook.copies.glob("*.ipynb")] == ["07_joins.ipynb"]


# What the reader did (id → text), what the chapter became, and what stands in the copy then.
TABLE = {
    "an answer": (
        {"answer": "%exercise 7.1\nInvoice.objects.count()"},
        updated(task="**7.1 ★** Count all of them."),
        updated(
            task="**7.1 ★** Count all of them.", answer="!%exercise 7.1\nInvoice.objects.count()"
        ),
    ),
    "an answer, and the exercise has another number now": (
        {"answer": "%exercise 7.1\nInvoice.objects.count()"},
        updated(answer="!%exercise 7.4\n..."),
        updated(answer="!%exercise 7.4\nInvoice.objects.count()"),
    ),
    "a guess": (
        {"guess": "%guess 3\nInvoice.objects.count()"},
        updated(prose="Better words."),
        updated(prose="Better words.", guess="!%guess 3\nInvoice.objects.count()"),
    ),
    "a guess, and the cell below it is changed": (
        {"guess": "%guess 3\nInvoice.objects.count()"},
        updated(guess="!%guess ...\nlen(Invoice.objects.all())"),
        updated(guess="!%guess 3\nlen(Invoice.objects.all())"),
    ),
    "a code cell": (
        {"loop": "print(len(invoices))"},
        updated(prose="Better words."),
        updated(prose="Better words.", loop="!print(len(invoices))"),
    ),
    "a prose cell": (
        {"prose": "A join matches rows. (Yes!)"},
        updated(title="# Joins, drawn"),
        updated(title="# Joins, drawn", prose="A join matches rows. (Yes!)"),
    ),
    "the same as the chapter itself": (
        {"prose": "A join pairs rows."},
        updated(prose="A join pairs rows."),
        updated(prose="A join pairs rows."),
    ),
}


@pytest.mark.parametrize(("did", "chapter", "expected"), TABLE.values(), ids=TABLE)
def test_what_the_reader_changed_is_carried_over(workbook, did, chapter, expected):
    for id, text in did.items():
        workbook.write(id, text)
    before = workbook.path().read_bytes()
    (sentence,) = workbook.publish(chapter)
    assert "with the cells you wrote: 07_joins" in sentence
    assert workbook.cells() == expected
    assert workbook.path("07_joins.before_update").read_bytes() == before
    assert workbook.refresh() == []


@pytest.mark.parametrize(("id", "kind"), [("loop", "cell"), ("prose", "text")])
def test_a_cell_that_both_sides_changed_is_there_twice(workbook, id, kind):
    workbook.write(id, "mine")
    workbook.publish(updated(**{id: dict(FIRST)[id] + " # better"}))
    texts = workbook.texts()
    at = [found for found, _ in workbook.cells()].index(id)
    assert texts[at] == dict(FIRST)[id] + " # better"
    assert texts[at + 1] == f"*An update changed the {kind} above. This is yours, from before:*"
    assert texts[at + 2].lstrip("!") == "mine"
    assert texts[at + 3 :] == [text for _, text in FIRST[at + 1 :]]
    workbook.publish(with_new_section())  # and the next update leaves it so
    assert workbook.texts().count(texts[at + 1]) == 1


def test_added_cells_stay_where_they_were(workbook):
    workbook.edit(add_after("prose", "!first()", "second"))
    workbook.edit(add_after("short", "last words"))
    workbook.publish(with_new_section())
    texts = workbook.texts()
    at = texts.index("A join matches rows.")
    assert texts[at : at + 3] == ["A join matches rows.", "!first()", "second"]
    assert texts[-4:] == ["## Left joins", "!left()", "## In short", "last words"]


def test_added_cells_above_the_first_one_stay_there(workbook):
    workbook.edit(lambda cells: cells.insert(0, nbformat.v4.new_markdown_cell("Monday")))
    workbook.publish(with_new_section())
    assert workbook.texts()[:2] == ["Monday", "# Joins"]


def test_an_added_cell_behind_one_that_went_away_moves_up(workbook):
    workbook.edit(add_after("loop", "!mine()"))
    workbook.publish(updated(loop=None))
    at = workbook.texts().index("!mine()")
    assert workbook.texts()[at - 1] == "A join matches rows."


def test_what_has_no_place_goes_to_the_end_under_a_heading(workbook):
    workbook.write("loop", "my loop")
    workbook.write("answer", "%exercise 7.1\nmy answer")
    workbook.edit(add_after("answer", "!and a check of it"))
    workbook.publish(updated(loop=None, task=None, answer=None))
    texts = workbook.texts()
    at = texts.index("## In short")
    assert texts[at + 1].startswith(copies.LEFT_OVER)
    assert texts[at + 2 :] == ["!my loop", "!%exercise 7.1\nmy answer", "!and a check of it"]
    workbook.publish(updated(loop=None, task=None, answer=None, prose="Better words."))
    assert workbook.texts()[at + 1 :] == texts[at + 1 :]


def test_deleted_cells_stay_deleted_until_the_chapter_changes_them(workbook):
    def delete(cells):
        cells[:] = [cell for cell in cells if cell.id not in ("prose", "loop")]

    workbook.edit(delete)
    workbook.publish(updated(loop="!for invoice in invoices[:3]:\n    print(invoice)"))
    ids = [id for id, _ in workbook.cells()]
    assert "prose" not in ids
    assert "loop" in ids
    assert workbook.path("07_joins.before_update").exists()


def test_two_updates_behind(workbook):
    workbook.write("answer", "%exercise 7.1\nInvoice.objects.count()")
    workbook.edit(add_after("prose", "a note"))
    kept = workbook.path().read_bytes()
    workbook.publish(updated(prose="Better words.", loop=None))
    workbook.path().write_bytes(kept)  # an open tab was saved over the first update
    workbook.publish([*updated(prose="The best words.", loop=None), ("end", "Bye.")])
    texts = workbook.texts()
    assert texts[texts.index("The best words.") + 1] == "a note"
    assert "!%exercise 7.1\nInvoice.objects.count()" in texts
    assert "Better words." not in texts
    assert not any("from before" in text for text in texts)


def test_a_renamed_chapter_takes_its_cells_along(workbook):
    workbook.write("answer", "%exercise 7.1\nInvoice.objects.count()")
    (workbook.chapters / "07_joins.ipynb").unlink()
    sentences = workbook.publish(with_new_section(), "08_all_joins")
    assert "07_joins.ipynb is called 08_all_joins.ipynb now." in sentences
    assert "!%exercise 7.1\nInvoice.objects.count()" in workbook.texts("08_all_joins")
    assert sorted(path.name for path in workbook.copies.glob("*.ipynb")) == [
        "07_joins.before_update.ipynb",
        "08_all_joins.ipynb",
    ]


def test_another_chapter_under_another_name_is_left_alone(workbook):
    (workbook.chapters / "07_joins.ipynb").unlink()
    workbook.publish([("x", "# Something else"), ("y", "!%load_ext workbook")], "08_other")
    assert workbook.cells() == FIRST


def test_the_readers_own_files_are_left_alone(workbook):
    own = workbook.copies / "99_mine.ipynb"
    own.write_text(written([("title", "# Mine")]))
    copied = workbook.copies / "07_joins-Copy1.ipynb"
    copied.write_bytes(workbook.path().read_bytes())
    before = own.read_bytes(), copied.read_bytes()
    workbook.publish(with_new_section())
    assert (own.read_bytes(), copied.read_bytes()) == before


@pytest.mark.parametrize(
    "rubbish",
    [b"", b'{"cells": [', b"[1, 2]", b'{"nbformat": 4, "cells": null}', b"\xff\xfe", b"[" * 9999],
)
def test_a_broken_file_is_kept_beside_a_fresh_copy(workbook, rubbish):
    workbook.path().write_bytes(rubbish)
    (copied, sentence) = workbook.refresh()
    assert "07_joins" in copied
    assert sentence == (
        "07_joins.ipynb could not be read as a notebook: it is called 07_joins.unreadable.ipynb "
        "now, and a fresh copy is in its place."
    )
    assert workbook.path("07_joins.unreadable").read_bytes() == rubbish
    assert workbook.cells() == FIRST
    workbook.path().write_bytes(b"again")
    workbook.refresh()
    assert workbook.path("07_joins.unreadable").read_bytes() == rubbish
    assert workbook.path("07_joins.unreadable-2").read_bytes() == b"again"


def test_a_folder_in_a_copys_place_costs_a_sentence_and_not_the_other_copies(workbook):
    workbook.path().unlink()
    workbook.path().mkdir()
    sentences = workbook.publish(FIRST, "08_more")
    assert any(text.startswith("07_joins.ipynb could not be refreshed: ") for text in sentences)
    assert workbook.cells("08_more") == FIRST


def test_a_full_disk_loses_nothing(workbook, monkeypatch):
    workbook.write("answer", "%exercise 7.1\nmine")
    before = workbook.path().read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    (sentence,) = workbook.publish(with_new_section())
    assert "07_joins.ipynb could not be refreshed" in sentence
    assert workbook.path().read_bytes() == before
    assert not list(workbook.copies.glob("*.new"))


# Editors that keep less than JupyterLab does


def without_ids(notebook):
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]


def without_note(notebook):
    del notebook["metadata"]["workbook"]


def rewritten(notebook):
    """As VS Code writes: other indentation, sources as one text, metadata of its own."""
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.13.0"}
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        cell["metadata"]["vscode"] = {"languageId": "python"}


@pytest.mark.parametrize(
    "dropping", [(), (without_ids,), (without_note,), (without_ids, without_note), (rewritten,)]
)
def test_what_an_editor_drops_costs_no_cell(workbook, dropping):
    workbook.write("answer", "%exercise 7.1\nmy answer")
    workbook.write("guess", "%guess 3\nInvoice.objects.count()")
    workbook.edit(add_after("prose", "!my own()"))
    notebook = json.loads(workbook.path().read_text())
    for drop in dropping:
        drop(notebook)
    workbook.path().write_text(json.dumps(notebook))
    workbook.publish([*updated(loop="!list(invoices)"), ("new", "New.")])
    texts = workbook.texts()
    expected = updated(
        loop="!list(invoices)",
        answer="!%exercise 7.1\nmy answer",
        guess="!%guess 3\nInvoice.objects.count()",
    )
    at = texts.index("!my own()")
    assert texts[at - 1] == "A join matches rows."
    left = [text for text in texts if text != "!my own()"]
    if without_note in dropping:  # the loop may be the reader's: both are there
        left = [text for text in left if "for invoice" not in text and "from before" not in text]
    assert left == [*(text for _, text in expected), "New."]
    nbformat.validate(nbformat.read(workbook.path(), as_version=4))


def test_a_copy_in_an_older_format_is_read(workbook):
    workbook.write("answer", "%exercise 7.1\nmy answer")
    notebook = nbformat.read(workbook.path(), as_version=4)
    workbook.path().write_text(nbformat.writes(notebook, version=3))
    workbook.publish(with_new_section())
    assert "!%exercise 7.1\nmy answer" in workbook.texts()
    assert "## Left joins" in workbook.texts()


# Outputs, links, trust


def test_the_readers_outputs_stay_while_their_cell_does(workbook):
    def run(cells):
        for cell in cells:
            if cell.cell_type == "code":
                cell.outputs = [nbformat.v4.new_output("stream", text="mine")]

    workbook.edit(run)
    workbook.publish(updated(loop="!list(invoices)"))
    outputs = {
        cell["id"]: cell["outputs"]
        for cell in json.loads(workbook.path().read_text())["cells"]
        if cell["cell_type"] == "code"
    }
    assert outputs["load"][0]["text"] == ["mine"]
    assert outputs["loop"] == []


@pytest.mark.parametrize("trusted", [True, False])
def test_outputs_are_trusted_after_an_update_if_they_were_before(workbook, trusted, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(workbook.copies / "data"))
    page = nbformat.v4.new_output("display_data", data={"text/html": "<b>me</b>"})
    workbook.edit(lambda cells: cells[1].outputs.append(page))
    if trusted:
        NotebookNotary().sign(nbformat.read(workbook.path(), as_version=4))
    workbook.publish(with_new_section())
    notebook = nbformat.read(workbook.path(), as_version=4)
    assert NotebookNotary().check_signature(notebook) == trusted


def test_links_lead_to_the_same_place(workbook):
    (workbook.chapters / "images").mkdir()
    (workbook.chapters / "images" / "join.png").touch()
    (workbook.chapters / "exercises").mkdir()
    (workbook.chapters / "README.md").write_text("[7](07_joins.ipynb), [all](exercises/)\n")
    (workbook.chapters.parent / "models.py").touch()
    prose = (
        "Look: ![a](images/join.png) [b](07_joins.ipynb#A) [c](README.md) [d](../models.py) "
        '[e](https://example.org/images/join.png) [f](10_later.ipynb) <img src="images/join.png">'
    )
    workbook.publish(updated(prose=prose))
    assert dict(workbook.cells())["prose"] == (
        "Look: ![a](../notebooks/images/join.png) [b](07_joins.ipynb#A) [c](README.md) "
        "[d](../models.py) [e](https://example.org/images/join.png) [f](10_later.ipynb) "
        '<img src="../notebooks/images/join.png">'
    )
    readme = (workbook.copies / "README.md").read_text()
    assert readme.startswith("[7](07_joins.ipynb), [all](../notebooks/exercises/)\n\n<!--")


def test_pages_are_copied_and_what_the_reader_wrote_into_one_is_kept(workbook):
    page, copied = workbook.chapters / "README.md", workbook.copies / "README.md"
    for text in ("The chapters", "All chapters"):
        page.write_text(text)
        workbook.refresh()
        assert copied.read_text().startswith(f"{text}\n")
    assert list(workbook.copies.glob("*.before_update.md")) == []
    copied.write_text(copied.read_text().replace("All", "My"))
    workbook.refresh()
    assert copied.read_text().startswith("All chapters\n")
    kept = workbook.copies / "README.before_update.md"
    assert kept.read_text().startswith("My chapters\n")


def test_a_chapter_is_put_back(workbook):
    workbook.write("answer", "%exercise 7.1\nmy answer")
    kept = copies.renew(workbook.chapters, workbook.copies, "07_joins")
    assert kept.name == "07_joins.before_reset.ipynb"
    assert "my answer" in kept.read_text()
    assert workbook.cells() == FIRST
    assert workbook.refresh() == []


def test_every_chapter_of_ours_can_be_merged(workbook, settings):
    """The real chapters: each with an answer, a guess and a note, through an update."""
    workbook.chapters = settings.WORKBOOK["CHAPTERS"]
    workbook.refresh()
    for path in sorted(workbook.chapters.glob("[0-9][0-9]_*.ipynb")):
        tasks = re.findall(r"%exercise [\d.]+", path.read_text())
        assert tasks
        copy = nbformat.read(workbook.copies / path.name, as_version=4)
        for cell in copy.cells:
            if cell.source.startswith("%exercise"):
                cell.source = cell.source.replace("...", "mine")
        copy.metadata.workbook["version"] = "an older one"
        nbformat.write(copy, workbook.copies / path.name)
        workbook.refresh()
        merged = (workbook.copies / path.name).read_text()
        assert merged.count('\\n",\n    "mine"') == len(tasks)
        assert "from before" not in merged
