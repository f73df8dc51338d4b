"""A small course: two chapters, their exercises, and a shell that has loaded the workbook."""

from datetime import date, timedelta

import nbformat
import pytest

from seed import edge_cases
from workbook.exercises import progress
from workbook.exercises.progress import Progress
from workbook.learning import course

from ..watching import *  # noqa: F403  (fixtures)

LOAD = "%load_ext workbook\nfrom shopdb.models import Category, Invoice, Product"

FIRST = {
    "title": "# Counting\n\n- *You will be able to* count rows, and know what that costs.\n",
    "load": f"!{LOAD}",
    "section": "## One row or many",
    "setup": "!products = Product.objects.order_by('pk')\ntwo = products[:2]",
    "guess": "!%guess ...\nfor product in two:\n    product.category.name",
    "count": "!%guess ...\nProduct.objects.count()",
    "interview": (
        "## In an interview\n\n"
        "**What does `count()` run?**\n<details><summary>Answer</summary>\n\n"
        "One query. *One row or many* shows it.\n\n"
        "**The follow-up:** and `len()`? It fetches every row.\n</details>\n\n"
        "**Is `exists()` cheaper?**\n<details><summary>Answer</summary>\n\nOften.\n</details>"
    ),
    "exercises": "## Exercises",
    "task 1": "**4.1 ★** How many products are there?",
    "answer 1": "!%exercise 4.1\n...",
    "task 2": "**4.2 ★★** The names of *all* categories, A to Z, as a list of text. Leave nothing "
    "out, and mind the order, which is by name:\n\n```python\nnames = [...]\n```",
    "answer 2": "!%exercise 4.2\n...",
}
SECOND = {
    "title": "# Summing up",
    "load": (
        "!%load_ext workbook\nfrom django.db.models import Sum\n\nfrom shopdb.models import Invoice"
    ),
    "task 1": "**5.1 ★** The `total` of all invoices.",
    "answer 1": "!%exercise 5.1\n...",
}
EXERCISES = '''
from django.db.models import Sum
from shopdb.models import Category, Invoice, Product
from workbook.exercises import exercise

HINTS = ["a nudge", "the way", "nearly there"]

@exercise("{0}.1", stars=1, hints=HINTS)
def one():
    """A number."""
    return {1}
'''
SECOND_OF_FIRST = '''
@exercise("4.2", stars=2, hints=HINTS, ordered=True)
def two():
    """A list."""
    return Category.objects.order_by("name").values_list("name", flat=True)
'''
ANSWERS = {
    "4.1": "Product.objects.count()",
    "4.2": 'Category.objects.order_by("name").values_list("name", flat=True)',
    "5.1": 'Invoice.objects.aggregate(total=Sum("total"))["total"]',
}


@pytest.fixture
def folder(tmp_path, settings, monkeypatch):
    """The course's files, and the settings that name them."""
    chapters = tmp_path / "notebooks"
    (chapters / "exercises").mkdir(parents=True)
    for name, cells in (("04_counting", FIRST), ("05_sums", SECOND)):
        made = []
        for number, text in enumerate(cells.values()):
            new = nbformat.v4.new_code_cell if text[0] == "!" else nbformat.v4.new_markdown_cell
            made.append(new(text.removeprefix("!"), id=f"{name[:2]}cell{number}"))
        notebook = nbformat.v4.new_notebook(cells=made)
        nbformat.write(notebook, chapters / f"{name}.ipynb")
    one = EXERCISES.format("4", ANSWERS["4.1"]) + SECOND_OF_FIRST
    (chapters / "exercises" / "04_counting.py").write_text(one)
    (chapters / "exercises" / "05_sums.py").write_text(EXERCISES.format("5", ANSWERS["5.1"]))
    settings.WORKBOOK = {
        "EXERCISES": chapters / "exercises",
        "CHAPTERS": chapters,
        "COPIES": tmp_path / "mine",
        "PROGRESS": tmp_path / "mine" / ".progress.json",
        "SECOND_DATASET": "seed.edge_cases.build",
    }
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setattr(course, "here", None)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


@pytest.fixture
def store(folder):
    return Progress()


@pytest.fixture
def day(monkeypatch):
    """A clock: `day.go(3)` makes it three days later."""

    class Day:
        now = date(2026, 3, 1)

        def go(self, days):
            self.now += timedelta(days)

    clock = Day()
    monkeypatch.setattr(progress, "today", lambda: clock.now)
    return clock


class Notebook:
    """Runs cells; `said` is what they showed as text, `next_cell` what was written below."""

    def __init__(self, shell, run):
        self.shell, self._run = shell, run
        self.next_cell = ""

    def __call__(self, source):
        self.shell.rl_next_input = None
        shown = self._run(source)
        self.next_cell = self.shell.rl_next_input or ""
        texts = [bundle["text/plain"] for bundle in shown.bundles]
        return "\n".join([shown.printed, *texts])

    def markdown(self, source):
        return "\n".join(b.get("text/markdown", "") for b in self._run(source).bundles)

    def solve(self, number):
        return self(f"%exercise {number}\n{ANSWERS[number]}")


@pytest.fixture
def notebook(folder, day, shell, bare_cell, db):
    """A notebook that has loaded nothing yet."""
    edge_cases.build()
    return Notebook(shell, bare_cell)


@pytest.fixture
def chapter(notebook, monkeypatch):
    """The first chapter, its first cell run."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/mine/04_counting.ipynb")
    notebook(LOAD)
    return notebook
