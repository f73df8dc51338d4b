"""What a notebook shows of a QuerySet: its first rows and how many there are, without pandas."""

from __future__ import annotations

import dataclasses
import datetime
import json
import unicodedata
from decimal import Decimal
from html import escape
from typing import Any

from django.db import models
from django.db.models.manager import BaseManager
from django.db.models.query import (
    QuerySet,
    RawQuerySet,
)

from workbook.tables.reading import read

PREVIEW_ROWS = 10
PREVIEW_COLUMNS = 20
PREVIEW_TEXT = 40
FITS_A_PAGE = 12  # columns
PREVIEW_COUNTS_UP_TO = 100_000


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
    cells = [
        [column.name, *(_shown(value, column.field) for value in column.orm_values(raw))]
        for column, raw in zip(rows.columns, rows.by_column(head), strict=True)
    ]
    numeric = [column.kind() in {"int", "float", "decimal"} for column in rows.columns]
    if len(cells) > PREVIEW_COLUMNS:
        half = PREVIEW_COLUMNS // 2
        cells[half:-half] = [["…"] * (len(head) + 1)]
        numeric[half:-half] = [False]
    caption = _caption(len(head), total)
    return Preview(_html(cells, caption), _text(cells, numeric, caption), total)


def _shown(value: Any, field: models.Field | None) -> str:
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


def _html(columns: list[list[str]], caption: str) -> str:
    """In the markup of a DataFrame, so that JupyterLab gives it the look of one."""
    header, *body = [
        [escape(cell, quote=False) for cell in row] for row in zip(*columns, strict=True)
    ]

    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

    table = '<table class="dataframe">'
    if len(columns) > FITS_A_PAGE:  # it scrolls sideways, and need not break its dates as well
        table = (
            '<style>table.wb-wide td{white-space:nowrap}</style>\n<table class="dataframe wb-wide">'
        )
    return "\n".join(
        [
            table,
            f"<thead>{line(header, 'th')}</thead>",
            "<tbody>",
            *(line(row, "td") for row in body),
            "</tbody>",
            "</table>",
            f"<p>{caption}</p>",
        ]
    )


def _text(columns: list[list[str]], numeric: list[bool], caption: str) -> str:
    padded = []
    for column, is_numeric in zip(columns, numeric, strict=True):
        width = max(map(_width, column))
        spaces = [" " * (width - _width(cell)) for cell in column]
        padded.append(
            [
                space + cell if is_numeric else cell + space
                for cell, space in zip(column, spaces, strict=True)
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
