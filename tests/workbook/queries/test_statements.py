"""SQL is read in one pass: whatever it holds, the work grows no faster than its length."""

import re
import re._parser
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.queries import diagnosis, parameters, recorder, report, statements
from workbook.queries.statements import clauses, on_one_line, shape_of, shorten, tokens, verb

PIECES = (
    *("NULL", "TRUE", "0", "17", "-3.25", "%s", "%%", "%(name)s", "'it''s'", "'", "''", '"', '"a"'),
    *('"t"."c"', '"t"."c", ', "`", "(", ")", "((", "))", "()", ",", ", ", "), (", ";", ".", " "),
    *("\n", "--", "-- x\n", "/*", "*/", "\\", "\\'", "$$", "[", "]", "‹now›", "…", "é", "\0"),
    *("SELECT ", " IN (", " in ((", "VALUES (", " FROM ", "INSERT INTO t ", "WITH x AS (", "AS"),
)
SQL = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def read(sql: str) -> None:
    """Everything that a report does with a statement before it is short."""
    shape_of(sql)
    shorten(sql, (1,) * 5)
    verb(f" {sql}")


def steps(sql: str) -> int:
    """How many lines of Python it takes to read a statement."""
    statements._shape_of.cache_clear()
    statements._verb.cache_clear()
    counted = 0

    def count(frame, event, argument):
        nonlocal counted
        counted += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        read(sql)
    finally:
        sys.settrace(before)
    return counted


@given(SQL.filter(bool))
@settings(max_examples=30, deadline=None)
def test_the_work_grows_with_the_length_and_with_nothing_else(piece):
    once = steps(piece * 20)
    assert steps(piece * 80) <= 4.2 * once + 400


@pytest.mark.parametrize(
    "piece", ["NULL, ", "''", "'", "%s, ", "(", "x IN (1, ", "(%s, NULL), ", '"a"."b", ', "%(a"]
)
def test_a_megabyte_of_anything(piece):
    text = "INSERT INTO t VALUES (" + piece * (1_000_000 // len(piece))
    read(text)
    assert len(shorten(text)[0]) <= statements.LONGEST + 40


@pytest.mark.parametrize("module", [statements, parameters, report, recorder, diagnosis])
def test_no_pattern_walks_back(module):
    """What steps cannot show: each repeat without an end keeps what it has taken."""
    for name, pattern in vars(module).items():
        if isinstance(pattern, re.Pattern):
            tree = re._parser.parse(pattern.pattern, pattern.flags)
            assert not list(repeats_that_give_back(tree)), name


def repeats_that_give_back(tree):
    for operation, argument in tree:
        if str(operation) in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > 100:
            yield argument
        for part in argument if isinstance(argument, tuple | list) else [argument]:
            for inner in part if isinstance(part, list) else [part]:
                if isinstance(inner, re._parser.SubPattern):
                    yield from repeats_that_give_back(inner)


@given(SQL)
@settings(deadline=None)
def test_nothing_is_lost_by_reading(sql):
    assert "".join(text for _, text in tokens(sql)) == sql
    assert "".join(clauses(sql)).replace(" ", "").replace("\n", "") == "".join(sql.split())
    assert "".join(on_one_line(sql).split()) == "".join(sql.split())


@given(st.lists(st.integers(), min_size=1, max_size=40), st.booleans())
def test_parameters_stay_with_their_places(numbers, rows):
    places = ", ".join(["(%s)" if rows else "%s"] * len(numbers))
    sql = f"x = %s AND 'a%%s' AND y IN ({places}) AND z = %s"
    short, params = shorten(sql, (-1, *numbers, -2))
    assert params[0], params[-1] == (-1, -2)
    assert short.replace("%%", "").count("%s") == len(params)
    kept = numbers if len(numbers) < 6 else numbers[:3]
    assert list(params) == [-1, *kept, -2]


@pytest.mark.parametrize(
    ("sql", "short"),
    [
        ("(a IN (1, 2, 3, 4, 5, 6) AND b = 1)", "(a IN (1, 2, 3, … 3 more) AND b = 1)"),
        ("(a IN ((1), (2), (3), (4), (5), (6)))", "(a IN ((1), (2), (3), … 3 more))"),
        ("a IN ('x', 'it''s', 'y, (z', '4', '5', '6')", "a IN ('x', 'it''s', 'y, (z', … 3 more)"),
        ("a IN (SELECT 1, 2, 3, 4, 5, 6, 7)", "a IN (SELECT 1, 2, 3, 4, 5, 6, 7)"),
        ("VALUES ('a)', 1), ('b', 2), ('c', 3)", "VALUES ('a)', 1), … 2 more rows"),
        ("VALUES (1, NOW()), (2, f(x, (y)))", "VALUES (1, NOW()), … 1 more row"),
        ("VALUES (1), (2) ON CONFLICT (a, b)", "VALUES (1), … 1 more row ON CONFLICT (a, b)"),
        (", ".join(['"t"."c"'] * 7), "… 7 columns"),
        (", ".join(['"t"."c"'] * 7 + ['"u"."c"']), '… 7 columns of "t", … 1 column of "u"'),
        (", ".join(['"t"."c"'] * 6) + ' AS "x"', '… 5 columns, "t"."c" AS "x"'),
    ],
)
def test_long_parts_are_told_by_number(sql, short):
    assert shorten(sql)[0] == short


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT"),
        ("  ( select 1) UNION (SELECT 2)", "SELECT"),
        ("-- note\n/* and */ SELECT 1", "SELECT"),
        ("WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a", "SELECT"),
        ("WITH RECURSIVE a(n) AS (SELECT 1) UPDATE t SET n = 1", "UPDATE"),
        ("with gone as (delete from t returning *) select * from gone", "DELETE"),
        ("WITH a AS (SELECT replace(b, 'x', 'y') FROM t) SELECT replace(b, 'x', 'y')", "SELECT"),
        ("PRAGMA foreign_keys = ON", "PRAGMA"),
        ("VALUES (1)", "SELECT"),
        ("insert into t values (1)", "INSERT"),
        ("", ""),
        ("'", ""),
    ],
)
def test_what_a_statement_does(sql, expected):
    assert verb(sql) == expected


def test_lists_of_any_length_have_one_shape():
    shape = "SELECT 1 WHERE a IN (%s) AND b = %s"
    assert shape_of(shape) == shape_of("SELECT 1 WHERE a IN (%s, %s, %s) AND b = %s")
    rows = "INSERT INTO t (a, b) VALUES (%s, %s)"
    assert shape_of(rows) == shape_of(f"{rows}, (%s, %s), (%s, %s)")
    assert shape_of("SELECT 1 WHERE a IN (%s)") != shape_of("SELECT 1 WHERE b IN (%s)")
