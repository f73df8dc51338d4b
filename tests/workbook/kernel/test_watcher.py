"""What stands under a cell: always the cell's own queries, whatever the cell does."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections

from workbook.queries import diagnosis, relations, report

from ..library import Tag
from ..watching import *  # noqa: F403  (fixtures)
from ..watching import put_back


def test_a_cell_that_asks_has_a_report_and_one_that_does_not_has_none(library_cell):
    shown = library_cell("len(Tag.objects.all())")
    assert shown.headline == "1 query · 3 rows"
    assert f"FROM {connection.ops.quote_name('workbook_tag')}    line 1" in shown.report
    assert library_cell("1 + 1").bundles == []
    assert library_cell("").bundles == []
    assert library_cell("# nothing").bundles == []


def test_the_result_comes_first_and_stays_the_result(library_cell):
    shown = library_cell("Tag.objects.count()")
    assert shown.result.result == 3
    assert library_cell("_ + 1").result.result == 4


def test_a_cell_that_raises_keeps_its_error_and_its_report(library_cell):
    shown = library_cell("Tag.objects.count()\n1/0")
    assert isinstance(shown.result.error_in_exec, ZeroDivisionError)
    assert shown.headline == "1 query · 1 row"


def test_a_stopped_cell_keeps_its_report_and_the_next_one_starts_afresh(library_cell):
    shown = library_cell("Tag.objects.count()\nraise KeyboardInterrupt")
    assert shown.headline == "1 query · 1 row"
    assert library_cell("Tag.objects.count()").headline == "1 query · 1 row"


def test_await_gather_and_async_for_share_the_connection_and_are_counted(library_cell):
    shown = library_cell(
        "%rollback\n"
        "import asyncio\n"
        "Tag.objects.create(word='unsaved')\n"
        "seen = await Tag.objects.acount()\n"
        "await asyncio.gather(Author.objects.acount(), Book.objects.acount())\n"
        "async for tag in Tag.objects.order_by('pk'):\n"
        "    last = tag.word\n"
        "seen, last"
    )
    assert shown.result.result == (4, "unsaved")
    assert shown.headline == "5 queries · 7 rows read, 1 added"
    assert re.findall("    (line .*)", shown.report) == ["line 3", "line 4", "line 5"]
    assert Tag.objects.count() == 3


def test_async_counts_agree_with_django(library_cell):
    shown = library_cell(
        "import asyncio\n"
        "from django.db import connection\n"
        "from django.test.utils import CaptureQueriesContext\n"
        "with CaptureQueriesContext(connection) as django, queries() as q:\n"
        "    await Tag.objects.acreate(word='a')\n"
        "    await Tag.objects.aget(word='a')\n"
        "    await Tag.objects.abulk_create([Tag(word='b'), Tag(word='c')])\n"
        "    await asyncio.gather(*(Tag.objects.filter(pk=n).aexists() for n in range(7)))\n"
        "    [book async for book in Book.objects.prefetch_related('tags')]\n"
        "    [book async for book in Book.objects.aiterator(chunk_size=2)]\n"
        "    await Tag.objects.filter(word='a').adelete()\n"
        "words = ('BEGIN', 'COMMIT', 'SAVEPOINT', 'RELEASE')\n"
        "q.count, len([x for x in django.captured_queries if not x['sql'].startswith(words)])"
    )
    ours, django = shown.result.result
    assert ours == django > 12


def test_a_query_set_shows_as_a_table_for_one_query(library_cell):
    shown = library_cell("Tag.objects.order_by('word').values('word')")
    assert "love" in shown.printed
    assert "QuerySet" not in shown.printed
    assert shown.headline == "1 query · to show the table"
    shown = library_cell("display(Tag.objects.order_by('word').values('word'))")
    assert "<table" in shown.bundles[0]["text/html"]
    assert shown.headline == "1 query · to show the table"


def test_an_evaluated_query_set_costs_nothing_more(library_cell):
    shown = library_cell("tags = Tag.objects.order_by('word')\nlen(tags)\ntags")
    assert shown.headline == "1 query · 3 rows"


def test_a_query_set_that_cannot_be_asked_says_why(library_cell):
    shown = library_cell("Tag.objects.extra(where=['nonsense'])")
    assert "This QuerySet cannot be shown." in shown.printed
    assert "nonsense" in shown.printed
    assert "Traceback" not in shown.printed


def test_frame_and_queries_are_just_there(library_cell):
    assert library_cell("list(frame(Tag.objects.all())['word'])").result.result
    shown = library_cell(
        "with queries() as q:\n    Tag.objects.count()\nTag.objects.count()\nq.count"
    )
    assert shown.result.result == 1
    assert shown.headline.startswith("2 queries")


def test_cell_magics_keep_their_lines(library_cell):
    shown = library_cell("%%time\nTag.objects.count()\nTag.objects.exists()")
    assert "    line 2" in shown.report
    assert "    line 3" in shown.report
    assert "    line 2" in library_cell("%%capture\nTag.objects.count()").report


def test_blank_first_lines_count_as_the_reader_counts(library_cell):
    assert "    line 3" in library_cell("\n\nTag.objects.count()").report


def test_off_on_and_nothing_leaks(library_cell):
    assert library_cell("%queries off\nTag.objects.count()").bundles == []
    assert library_cell("Tag.objects.count()").bundles == []
    assert library_cell("%queries on\nTag.objects.count()").headline == "1 query · 1 row"


def test_time_is_shown_only_when_asked(library_cell):
    assert re.search(r"\d ms$", library_cell("%queries time\nTag.objects.count()").headline)
    assert " ms" not in library_cell("Tag.objects.count()").report


@pytest.mark.parametrize("line", ["%queries", "%queries explian"])
def test_a_wrong_word_is_answered_with_those_that_exist(library_cell, line):
    shown = library_cell(line)
    assert "there are explain, time, trip, off and on." in shown.printed
    assert "Traceback" not in shown.printed


def test_explain_adds_the_plan_without_running_anything_again(library_cell):
    shown = library_cell("%queries explain\nlist(Book.objects.filter(author__name='author 1'))")
    assert shown.headline == "1 query · 2 rows"
    if connection.vendor == "sqlite":
        assert "by primary key: SEARCH" in shown.report or "in index" in shown.report
    if connection.vendor == "mysql":  # its plan, without sentences
        assert "SIMPLE · workbook_book · ALL" in shown.report
    else:
        assert "Reads every row of workbook_" in shown.report
    refused = library_cell("%queries explain\nTag.objects.create(word='x')")
    assert "Only SELECT statements have a plan to show" in refused.report


def test_our_own_mistake_is_a_note_and_costs_nothing(library_cell, monkeypatch):
    monkeypatch.setattr(diagnosis, "diagnose", lambda capture: 1 / 0)
    shown = library_cell("Tag.objects.count()")
    assert shown.result.result == 3
    assert shown.report.startswith("The workbook could not report on this cell (ZeroDivisionError")


def test_loading_twice_and_unloading(library_cell):
    again = library_cell("%load_ext workbook")
    assert (again.printed, again.bundles) == ("", [])
    library_cell("%reload_ext workbook")
    assert library_cell("Tag.objects.count()").headline == "1 query · 1 row"
    library_cell("%unload_ext workbook")
    assert library_cell("Tag.objects.count()").bundles == []


def test_loading_in_a_cell_that_awaits(bare_cell, library_tables, db):
    ours = connections["default"]
    shown = bare_cell(
        "%load_ext workbook\n"
        "from tests.workbook.library import Tag\n"
        "await Tag.objects.acount()\nTag.objects.count()"
    )
    put_back(ours)
    assert shown.headline.startswith("2 queries")


def test_what_a_report_shows_does_not_depend_on_the_run(library_cell):
    code = (
        "%rollback\nfrom django.contrib.auth import get_user_model\n"
        "from django.db import transaction\n"
        "with transaction.atomic():\n"
        "    get_user_model().objects.create_user('ann', 'a@b.c', 'secret word')\n"
        "len(get_user_model().objects.filter(created_at__lte=timezone.now()))"
    )
    library_cell("from django.utils import timezone")
    first, second = library_cell(code), library_cell(code)
    assert first.html == second.html
    assert first.report == second.report
    assert "‹now›" in first.report
    assert "‹hash›" in first.report
    assert get_user_model().objects.count() == 0


def test_everything_is_escaped(library_cell):
    shown = library_cell("Tag.objects.filter(word='<script>alert(1)</script> & \\'').exists()")
    assert "<script>" not in shown.html
    assert "&lt;script&gt;" in shown.html


def test_long_things_are_shortened(library_cell):
    shown = library_cell("list(Tag.objects.filter(pk__in=range(500)))")
    assert "… 497 more)" in shown.report
    shown = library_cell("Tag.objects.bulk_create(Tag(word=str(n)) for n in range(300))")
    assert len(shown.report) < 1000
    shown = library_cell("Tag.objects.filter(word='x' * 10_000).exists()")
    assert len(shown.report) < 500
    code = "\n".join(f"Tag.objects.filter({'pk=1, ' * n}).exists()" for n in range(1))
    assert library_cell(code).result.success


def test_more_than_four_statements_are_folded(library_cell):
    shown = library_cell("\n".join(f"Tag.objects.all()[:{n}].explain()" for n in range(1, 3)))
    assert "<details>" not in shown.html
    models = ("Author", "Book", "Tag", "Passport", "Note")
    shown = library_cell("\n".join(f"{model}.objects.count()" for model in models))
    assert "<details><summary>2 more statements</summary>" in shown.html
    assert "… 2 more statements" in shown.report


def test_the_report_is_small(library_cell):
    shown = library_cell("Tag.objects.count()")
    assert len(shown.html) < 2_500
    assert len(report._STYLE) < 1_800


def test_a_traceback_shows_the_readers_own_lines_and_the_error(library_cell):
    shown = plain(library_cell("x = 1\nTag.objects.filter(wrod='sea')").printed)
    assert "----> 2 Tag.objects.filter(wrod='sea')" in shown
    assert shown.count("inside installed packages; %tb shows every step") == 1
    assert "django/db/models" not in shown
    assert "FieldError: Cannot resolve keyword 'wrod'" in shown
    assert "names_to_path" in plain(library_cell("%tb").printed)


def test_a_chain_of_errors_keeps_its_links(library_cell):
    source = "try:\n    Tag.objects.get(pk=0)\nexcept Tag.DoesNotExist as error:\n"
    shown = plain(library_cell(f"{source}    raise ValueError('no') from error").printed)
    assert "The above exception was the direct cause" in shown
    assert "DoesNotExist: Tag matching query" in shown
    assert "\nValueError: no" in shown


def test_what_the_driver_says_is_not_shown_twice(library_cell):
    library_cell("tag = Tag.objects.first()")
    shown = plain(library_cell("Tag.objects.create(id=tag.pk, word='x')").printed)
    assert "direct cause" not in shown
    assert shown.count("----> 1 Tag.objects.create") == 1
    assert len(re.findall(r"^IntegrityError: ", shown, re.MULTILINE)) == 1
    assert "direct cause" in plain(library_cell("%tb").printed)


@pytest.mark.parametrize(
    ("source", "last_lines"),
    [
        ("x = (1,\ny = 2", "SyntaxError: '(' was never closed"),
        ("%queries explian", "UsageError: %queries does not know 'explian'"),
        ("eval('1 +')", "SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt:"),
    ],
)
def test_other_errors_look_as_they_always_do(library_cell, source, last_lines):
    shown = plain(library_cell(source).printed)
    assert last_lines in shown
    assert "installed packages" not in shown


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_advice_that_fails_costs_the_advice_and_no_query(library_cell, monkeypatch):
    monkeypatch.setattr(relations, "read", lambda frames: 1 / 0)
    shown = library_cell("len(Book.objects.prefetch_related('tags'))")
    assert shown.result.result > 0, shown.printed
    assert shown.headline.startswith("2 queries")


@pytest.fixture
def undoable(shell, committed_library):
    shell.workbook_watcher.how_to_undo = "`%reset shop` undoes it."
    return committed_library


@pytest.mark.parametrize(
    ("source", "saved"),
    [
        ("Tag.objects.create(word='x')", "1 row of Tag added"),
        (
            "Tag.objects.update(word='x'), Tag.objects.create(word='y')",
            "3 rows of Tag changed, 1 row of Tag added",
        ),
        ("await Tag.objects.acreate(word='x')", "1 row of Tag added"),
        ("with transaction.atomic():\n    Tag.objects.create(word='x')\n    1/0", ""),
        ("%rollback\nTag.objects.create(word='x')", ""),
        ("Tag.objects.filter(word='none').update(word='x')", ""),
        ("Tag.objects.count()", ""),
    ],
)
def test_a_report_ends_with_what_was_saved_and_how_to_undo_it(undoable, source, saved):
    shown = undoable(source)
    if saved:
        assert shown.report.endswith(
            f"\n\nSaved to the database: {saved}. `%reset shop` undoes it."
        )
        assert shown.html.endswith(f"{saved}. <code>%reset shop</code> undoes it.</p></div>")
    else:
        assert "Saved" not in shown.report


def test_a_project_that_cannot_undo_says_nothing(shell, undoable):
    shell.workbook_watcher.how_to_undo = ""
    assert "Saved" not in undoable("Tag.objects.create(word='x')").report
