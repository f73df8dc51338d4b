"""From querysets to what JSON shows: money as text with two decimals, times as ISO 8601 in UTC."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    JSONField,
    Model,
    QuerySet,
)

from shopdb.api.filters import find_field
from shopdb.billing import to_cents


class Statement(NamedTuple):
    """SQL that is ready to run, and what it selects."""

    sql: str
    params: Sequence
    model: type[Model]
    paths: tuple[str, ...]


def prepare(queryset: QuerySet, paths: tuple[str, ...]) -> Statement | None:
    """The statement of a `values_list(*paths)`; None if Django sees that nothing can match."""
    try:
        return Statement(*queryset.query.sql_with_params(), queryset.model, paths)
    except EmptyResultSet:
        return None


def rows(statement: Statement | None) -> list[dict[str, Any]]:
    """One dict a row, by path, in JSON's own types, in one query.

    Reads the cursor directly and converts column by column. `values()` would turn every amount
    into a Decimal and every time into a datetime only for JSON to turn them into text again, and
    that costs more than the query.
    """
    return _dicts(_columns(statement), statement.paths) if statement else []


def of_invoices(
    model: type[Model], invoice_ids: list[int], paths: tuple[str, ...]
) -> dict[int, list[dict[str, Any]]]:
    """The lines or payments of these invoices as rows(), by invoice, in one query; none for no
    invoices."""
    if not invoice_ids:
        return {}
    statement = _prepare_of_invoices(model, len(invoice_ids), ("invoice", *paths))
    invoices, *columns = _columns(statement._replace(params=invoice_ids))
    found: dict[int, list[dict[str, Any]]] = {}
    for invoice, row in zip(invoices, _dicts(columns, paths), strict=True):
        found.setdefault(invoice, []).append(row)
    return found


@cache
def _prepare_of_invoices(model: type[Model], count: int, paths: tuple[str, ...]) -> Statement:
    # A page is nearly always as long as the last one, and compiling its hundred keys into SQL
    # takes as long as running it.
    found = model.objects.filter(invoice__id__in=range(count)).order_by("pk")
    return prepare(found.values_list(*paths), paths)


def _columns(statement: Statement) -> list[Sequence]:
    sql, params, model, paths = statement
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(paths)
    for index, path in enumerate(paths):
        if columns[index] and (convert := _converter(find_field(model, path))):
            columns[index] = _around_nulls(convert, columns[index])
    return columns


def _around_nulls(convert: Callable[[Sequence], list], column: Sequence) -> Sequence:
    if None not in column:
        return convert(column)
    filled = [value for value in column if value is not None]
    converted = iter(convert(filled) if filled else ())
    return [None if value is None else next(converted) for value in column]


def _dicts(columns: Sequence[Sequence], paths: Sequence[str]) -> list[dict[str, Any]]:
    return list(map(dict, map(zip, repeat(paths), zip(*columns, strict=True))))


def json_default(value: Any) -> str:
    """For `json.dumps(default=…)`: what computed rows hold beyond JSON's own types."""
    match value:
        case Decimal():
            return str(to_cents(value))
        case datetime():
            return _time_column([value])[0]
        case date():
            return value.isoformat()
    raise TypeError(f"{value!r} has no JSON form here; teach it to json_default().")


def _converter(field: Field) -> Callable[[Sequence], list] | None:
    """What turns a column as the database driver returns it into JSON's types."""
    match field:
        case DecimalField():
            return _money_column
        case DateTimeField():
            return _time_column
        case DateField():
            return _day_column
        case JSONField():
            return _json_column
    return None


def _money_column(column: Sequence[Decimal | float | int]) -> list[str]:
    # A float holds ten digits exactly enough: .2f shows the cents that were stored.
    return [f"{value:.2f}" for value in column]


def _time_column(column: Sequence[datetime]) -> list[str]:
    # Databases without time zones return naive times; Django stores those in UTC.
    if column[0].tzinfo:
        column = [moment.astimezone(UTC).replace(tzinfo=None) for moment in column]
    return [f"{moment.isoformat()}Z" for moment in column]


def _day_column(column: Sequence[date]) -> list[str]:
    return list(map(date.isoformat, column))


def _json_column(column: Sequence[str]) -> list[Any]:
    return [json.loads(value) for value in column]
