"""What a notebook shows of a QuerySet: its first rows and how many there are, without pandas."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from html import escape
from typing import Any

from django.db import models
from django.db.models import functions
from django.db.models.expressions import Col
from django.db.models.manager import BaseManager
from django.db.models.query import QuerySet, RawQuerySet
from django.db.models.sql import Query

from workbook.tables.columns import Column
from workbook.tables.reading import read

PREVIEW_ROWS = 10
PREVIEW_COLUMNS = 20
PREVIEW_TEXT = 40
PREVIEW_COUNTS_UP_TO = 100_000

_HIDDEN = "••••"
_SECRET = re.compile(
    r"(^|_)(pass(word|wd|phrase)s?|pwd|secrets?|tokens?|t?otps?|cv[vc]|credentials?|"
    r"(api|access|auth|private|secret|session|signing|encryption)_?keys?)\d*(_|$)"
)
_SAYS_LITTLE = (models.Count, functions.Length)


@dataclasses.dataclass(frozen=True)
class Preview:
    """A QuerySet as a notebook shows it: its first rows and how many there are."""

    html: str
    text: str
    rows: int | None  # None: more than PREVIEW_COUNTS_UP_TO


def preview(
    queryset: QuerySet | RawQuerySet | BaseManager, rows_shown: int = PREVIEW_ROWS
) -> Preview:
    """The first rows (10) as a table, in HTML and plain text, and the number of rows.

    Runs the query once, exactly as written, and only if the QuerySet was not evaluated yet. Like
    `repr()` it leaves the QuerySet unevaluated. Counting stops after 100,000 rows.

    Raises TypeError for anything but a QuerySet, RawQuerySet or Manager, and whatever the query
    itself raises.
    """
    rows = read(queryset)
    head: list[Any] = []
    count = 0
    for chunk in rows.chunks:
        head.extend(chunk[: rows_shown - len(head)])
        count += len(chunk)
        if count > PREVIEW_COUNTS_UP_TO:
            rows.chunks.close()
            break
    total = count if count <= PREVIEW_COUNTS_UP_TO else None
    columns = [
        _column(column, column.orm_values(raw))
        for column, raw in zip(rows.columns, rows.by_column(head), strict=True)
    ]
    if len(columns) > PREVIEW_COLUMNS:
        half = PREVIEW_COLUMNS // 2
        columns[half:-half] = [_Shown(["…"] * (len(head) + 1), numeric=False)]
    caption = _caption(len(head), total)
    return Preview(_html(columns, caption), _text(columns, caption), total)


@dataclasses.dataclass(frozen=True)
class _Shown:
    """One column as it is shown: its name, then its values."""

    cells: list[str]
    numeric: bool


def _column(column: Column, values: Sequence[Any]) -> _Shown:
    if _is_secret(column):
        shown = ["None" if value is None else _HIDDEN for value in values]
        return _Shown([column.name, *shown], numeric=False)
    present = [value for value in values if value is not None]
    if present:
        numeric = all(type(value) in {int, float, Decimal} for value in present)
    else:
        numeric = column.kind() in {"int", "float", "decimal"}
    return _Shown([column.name, *(_readable(value, column.field) for value in values)], numeric)


def _is_secret(column: Column) -> bool:
    """Whether a column is named like a password or a token, or is made of one that is."""
    expression = column.expression
    if isinstance(column.field, (models.BooleanField, models.DateField, models.DurationField)):
        return False  # has_password, token_expires_at
    if isinstance(expression, _SAYS_LITTLE):
        return False
    names = [column.name, *_columns_in(expression)]
    return any(_SECRET.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()) for name in names)


def _columns_in(expression: Any) -> Iterator[str]:
    """The names of the fields that an expression is made of, subqueries included."""
    for part in expression.flatten() if hasattr(expression, "flatten") else ():
        if isinstance(part, Col):
            yield part.target.name
        elif isinstance(part, Query):
            for selected in (*part.select, *part.annotation_select.values()):
                yield from _columns_in(selected)


def _readable(value: Any, field: models.Field | None) -> str:
    """One value, short and readable, the same on every database."""
    if isinstance(field, models.JSONField) and value is not None:
        value = json.dumps(value, ensure_ascii=False, default=str)
    match value:
        case Decimal() if getattr(field, "decimal_places", None) is not None:
            shown = f"{value:.{field.decimal_places}f}"
        case Decimal() | float():
            shown = _number(value)
        case datetime.datetime():
            shown = value.isoformat(" ", "seconds").removesuffix("+00:00")
        case bytes() | bytearray() | memoryview():
            shown = repr(bytes(value[:PREVIEW_TEXT]))
        case dict() | list():
            shown = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            shown = str(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= PREVIEW_TEXT else shown[: PREVIEW_TEXT - 1] + "…"


def _number(value: Decimal | float) -> str:
    """At least two and at most six decimals: databases carry a quotient to different lengths."""
    shown = f"{value:.6f}"
    whole, point, decimals = shown.partition(".")
    return whole + point + decimals.rstrip("0").ljust(2, "0") if point else shown


def _caption(shown: int, total: int | None) -> str:
    if total is None:
        return f"{shown} of more than {PREVIEW_COUNTS_UP_TO:,} rows"
    if total > shown:
        return f"{shown} of {total:,} rows"
    return {0: "no rows", 1: "1 row"}.get(total, f"{total} rows")


# Both classes, as one alone weighs less than JupyterLab's own rules, which align all text right.
_STYLE = (
    "<style>table.dataframe.wb-rows :is(td,th)"
    "{text-align:left;white-space:nowrap;padding:.5em .6em}"
    "table.dataframe.wb-rows [align=right]{text-align:right}</style>"
)


def _html(columns: list[_Shown], caption: str) -> str:
    """In the markup of a DataFrame, so that JupyterLab gives it the look of one."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(map(partial(cell, tag), cells, columns)) + "</tr>"

    def cell(tag: str, shown: str, column: _Shown) -> str:
        align = ' align="right"' if column.numeric else ""
        # Two $ in one element would be a formula to MathJax.
        safe = escape(shown, quote=False).replace("$", "<span>$</span>")
        return f"<{tag}{align}>{safe}</{tag}>"

    header, *body = zip(*(column.cells for column in columns), strict=True)
    return "\n".join(
        [
            f'{_STYLE}<table class="dataframe wb-rows mathjax_ignore">',
            f"<thead>{line(header, 'th')}</thead>",
            "<tbody>",
            *(line(row, "td") for row in body),
            "</tbody>",
            "</table>",
            f"<p>{caption}</p>",
        ]
    )


def _text(columns: list[_Shown], caption: str) -> str:
    padded = []
    for column in columns:
        width = max(map(_width, column.cells))
        spaces = [" " * (width - _width(cell)) for cell in column.cells]
        padded.append(
            [
                space + cell if column.numeric else cell + space
                for cell, space in zip(column.cells, spaces, strict=True)
            ]
        )
    lines = ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]
    return "\n".join([*lines, caption])


def _width(text: str) -> int:
    """Columns a terminal gives the text: none for combining marks, two for wide characters."""
    return sum(
        0
        if unicodedata.category(c) in {"Mn", "Me", "Cf"}
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )
