"""A report is there whatever ran, below 50 kB, in colours that can be read."""

import datetime
import re

import pytest
from django.db import connection

from workbook.queries import queries, report
from workbook.queries.recorder import Query

from ..library import Tag
from ..watching import *  # noqa: F403  (fixtures)

MOST = 50_000  # bytes, of both forms together


def size(capture):
    return sum(len(form.encode()) for form in report.mimebundle(capture, []).values())


def captured(*statements):
    """A report over statements that nobody needs to run."""
    capture = report.Report()
    capture.queries = [Query(sql, params, connection) for sql, params in statements]
    return capture


@pytest.mark.django_db
@pytest.mark.parametrize("count", [100, 30_000])
def test_many_different_statements_stay_small_and_are_counted(count):
    capture = captured(*((f'SELECT {n} FROM "t" WHERE x = 1', None) for n in range(count)))
    assert size(capture) <= MOST
    assert f"<summary>{count - 3:,} more statements" in report.html(capture)
    assert f"… {count - 3:,} more statements" in report.text(capture)
    if count > 1_000:
        assert re.search(r"the first \d+ of them here", report.html(capture))


@pytest.mark.django_db
@pytest.mark.usefixtures("library_tables")
def test_long_statements_and_many_findings_stay_small():
    long = " AND ".join(f"\"column{n}\" = '<&{n}>'" for n in range(900))
    assert size(captured(*((f"SELECT {n} WHERE {long}", None) for n in range(50)))) <= MOST
    with queries() as q:
        for n in range(40):
            source = f"for m in range(3):\n    len(Tag.objects.filter(word=m)[{n}:{n + 1}])"
            exec(compile(source, f"{'long' * 50}{n}.py", "exec"))
    assert size(q) <= MOST


VALUES = {
    "the last moment, as text": "9999-12-31 23:59:59",
    "the first day, as text": "0001-01-01",
    "the last moment": datetime.datetime.max,
    "the first moment": datetime.datetime.min,
    "the last day": datetime.date.max,
    "no moment": "2026-13-99 77:00:00",
    "nearly a hash": "a$" + "$" * 10_000 + "!",
    "our marks": "\ue0000",
    "our marks, quoted": '"\ue0007"',
    "our words": "… 3 more",
    "our names": "‹now›",
    "half a character": "\ud800",
    "a terminal's commands": "\x1b[2J\0",
    "signs of a format": "%s%(x)s%%",
    "an object": object(),
    "bytes": b"\xff" * 1_000,
    "a number too long to write": 10**5_000,
    "no number": float("nan"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_any_value_can_be_shown(value):
    capture = captured(("SELECT %s", (value,)), ("SELECT 'seen' WHERE a = %s", (value, value)))
    assert "seen" in report.text(capture)
    assert "seen" in report.html(capture)
    assert "\x1b" not in report.text(capture)


@pytest.mark.parametrize("depth", [90, 150, 3_000])
def test_parentheses_nested_deep(depth):
    nested = "SELECT " + "(" * depth + "1" + ")" * depth
    capture = captured((nested, None), ("SELECT 'seen'", None))
    assert "seen" in report.html(capture)
    assert "SELECT" in report.text(capture)


def luminance(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_is_legible_where_no_theme_gives_colours():
    """No one colour reaches 4.5:1 on white and on #1f1f1f: text keeps the page's own."""
    for colour in re.findall(r"(?<![-\w])color:([^;}]+)", report._STYLE):
        assert "--jp-" in colour or "--wb-" in colour or colour == "inherit"
        if "--jp-" in colour:
            assert "--vscode-" in colour
            assert not re.search(r"#[0-9a-f]{3,8}", colour)
    for text, ground in (("#000000", "#ffffff"), ("#cccccc", "#1f1f1f")):
        mixed = (
            "#"
            + "".join(  # 75 % of the text's colour, as for what is said quietly
                f"{round(int(text[n : n + 2], 16) * 0.75 + int(ground[n : n + 2], 16) * 0.25):02x}"
                for n in (1, 3, 5)
            )
        )
        light, dark = sorted((luminance(mixed), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_to_show_the_table_is_said_once(library_cell):
    shown = library_cell("Tag.objects.count()\nTag.objects.order_by('word')")
    assert shown.headline.endswith(" · 1 to show the table")
    assert shown.report.count("to show the table") == shown.html.count("to show the table") == 1


def test_what_a_shape_is_can_be_read_where_the_word_stands(library_cell):
    shown = library_cell("for tag in Tag.objects.all():\n    tag.books.count()")
    assert '<span title="A shape is one statement' in shown.html
    assert "in 2 shapes" in shown.headline
    assert Tag.objects.count() == 3
