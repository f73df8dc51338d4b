"""`%guess` and `%queries trip`: a prediction is answered, a network is felt."""

import re

import pytest

from workbook.kernel.source import magics_and_code

from ..library import Tag
from ..watching import *  # noqa: F403  (fixtures)

LOOP = "for book in Book.objects.all():\n    book.author.name"


@pytest.fixture
def guesses(shell, library_cell):
    """What the watcher tells of each guess."""
    told = []
    shell.workbook_watcher.guessed.append(lambda *guess: told.append(guess))
    return told


@pytest.mark.parametrize(
    ("source", "headline"),
    [
        ("%guess 1\nTag.objects.count()", "1 query · you guessed 1 ✓ · 1 row"),
        ("%guess 2\nTag.objects.count()", "1 query · you guessed 2 · 1 row"),
        ("%guess 0\nTag.objects.all().filter(word='sea')\nNone", "no queries · you guessed 0 ✓"),
        ("%guess 0\nTag.objects.all()", "1 query · you guessed 0 · to show the table"),
        ("%guess 1\nawait Tag.objects.acount()", "1 query · you guessed 1 ✓ · 1 row"),
        ("%guess 1\nTag.objects.count()\n1/0", "1 query · you guessed 1 ✓ · 1 row"),
        ("%guess 1,000  # all\nTag.objects.count()", "1 query · you guessed 1,000 · 1 row"),
        ("\n%guess 1\n\nTag.objects.count()", "1 query · you guessed 1 ✓ · 1 row"),
        ("%%capture\n%guess 1\nTag.objects.count()", "1 query · you guessed 1 ✓ · 1 row"),
        ("%guess ...\nTag.objects.count()", "1 query · 1 row"),
    ],
)
def test_the_headline_answers_a_guess(library_cell, source, headline):
    assert library_cell(source).headline == headline


def test_a_guess_about_a_loop_comes_before_its_shapes(library_cell):
    shown = library_cell(f"%guess 1\n{LOOP}")
    number = len(library_cell("list(Book.objects.all())").result.result) + 1
    assert shown.headline == f"{number} queries · you guessed 1 · 2 shapes"
    assert f"<b>{number} queries</b> · you guessed 1" in shown.html


@pytest.mark.parametrize(
    "magics",
    ["%guess 1\n%rollback\n%queries explain", "%queries explain\n# undone\n%rollback\n%guess 1"],
)
def test_magics_come_in_any_order(library_cell, magics):
    shown = library_cell(f"{magics}\nTag.objects.create(word='new')")
    assert "you guessed 1 ✓" in shown.headline
    assert "Rolled back" in shown.report
    assert "Only SELECT statements have a plan" in shown.report
    assert Tag.objects.count() == 3


def test_a_guess_counts_for_its_own_cell_only(library_cell):
    library_cell("%guess 3\nTag.objects.count()")
    assert library_cell("Tag.objects.count()").headline == "1 query · 1 row"


@pytest.mark.parametrize("said", ["", "two", "-1", "1.5", "2 or 3", "٣", "9" * 5000])
def test_what_is_no_number_of_queries_gets_a_sentence(library_cell, guesses, said):
    shown = library_cell(f"%guess {said}\nTag.objects.count()")
    assert "UsageError: Write the number of queries you expect, such as %guess 3" in shown.printed
    assert guesses == []


def test_a_guess_below_code_gets_a_sentence(library_cell):
    shown = library_cell("Tag.objects.count()\n%guess 1")
    assert "UsageError: Put %guess on the first line of the cell" in shown.printed


def test_guesses_are_told_with_the_code_they_are_about(library_cell, guesses):
    library_cell("%rollback\n%guess 2\n\n# one more\nTag.objects.create(word='x')\n")
    library_cell("%guess 0\nTag.objects.cuont()")  # a slip of the pen is no prediction
    library_cell("%guess ...\nTag.objects.count()")
    assert guesses == [("# one more\nTag.objects.create(word='x')", 2, 1)]


def test_a_guess_without_reports_says_why_nothing_answers(library_cell):
    library_cell("%queries off")
    assert "Reports are off" in library_cell("%guess 1\nTag.objects.count()").report
    shown = library_cell("%guess 1\n%queries on\nTag.objects.count()")
    assert shown.headline == "1 query · you guessed 1 ✓ · 1 row"


def test_the_code_below_the_magics():
    assert magics_and_code("%rollback\n\n# a\n%guess 3\n# b\ncode()\n%time x\n") == (
        ["%rollback", "%guess 3"],
        "# b\ncode()\n%time x",
    )
    assert magics_and_code("code()\n%guess 3") == ([], "code()\n%guess 3")
    assert magics_and_code("") == ([], "")


@pytest.fixture
def waits(monkeypatch):
    """How long each query was made to wait."""
    from workbook.queries import recorder

    waited = []
    monkeypatch.setattr(recorder, "sleep", waited.append)
    return waited


@pytest.mark.parametrize(("said", "seconds"), [("2ms", 0.002), ("0.5 ms", 0.0005), ("1s", 1)])
def test_each_query_of_the_cell_takes_a_round_trip(library_cell, waits, said, seconds):
    library_cell(f"%queries trip {said}\nTag.objects.count()\nlist(Tag.objects.all())")
    assert waits == [seconds, seconds]
    library_cell("Tag.objects.count()")
    assert len(waits) == 2


def test_the_headline_says_what_the_round_trips_took(library_cell, waits):
    shown = library_cell("%queries trip 2ms\nTag.objects.count()\nTag.objects.exists()")
    assert shown.headline == "2 queries · 2 rows · 4 ms of round trips"
    shown = library_cell("%queries trip 1s\n%queries time\n[Tag.objects.count() for n in range(4)]")
    assert re.search(r" · [\d.]+ ms with 4.00 s of round trips$", shown.headline)


def test_the_time_of_a_query_includes_its_round_trip(library_cell):
    shown = library_cell("%queries time\n%queries trip 30ms\nawait Tag.objects.acount()")
    total = re.search(r" · ([\d.]+) ms with 30 ms of round trips", shown.headline)
    assert float(total[1]) >= 30


def test_the_workbooks_own_queries_take_no_round_trip(library_cell, waits):
    library_cell("%rollback\n%queries explain\n%queries trip 2ms\nTag.objects.count()")
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("%queries trip", "Write how long a round trip takes, such as %queries trip 2ms"),
        ("%queries trip 2", "Write how long a round trip takes"),
        ("%queries trip -2ms", "Write how long a round trip takes"),
        ("%queries trip 2 minutes", "Write how long a round trip takes"),
        ("%queries trip 1001ms", "A round trip of %queries trip is at most 1 s for each query."),
        ("%queries time explain", "Write %queries time on a line of its own, without 'explain'."),
        ("Tag.objects.count()\n%queries trip 2ms", "Put %queries trip above the cell's first"),
    ],
)
def test_a_trip_that_cannot_be_made_gets_a_sentence(library_cell, source, sentence):
    assert f"UsageError: {sentence}" in library_cell(source).printed
