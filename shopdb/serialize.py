"""From querysets to what JSON shows: money as text with two decimals, times as ISO 8601 in UTC."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import DateTimeField, DecimalField, Field, JSONField, QuerySet

from shopdb.billing import to_cents
from shopdb.filters import find_field


def rows(queryset: QuerySet, paths: Sequence[str]) -> list[dict[str, Any]]:
    """One dict a row, `values(*paths)` in JSON's own types, in one query.

    Reads the cursor directly and converts column by column. `values()` would turn every amount
    into a Decimal and every time into a datetime only for JSON to turn them into text again, and
    that costs more than the query.
    """
    try:
        sql, params = queryset.values_list(*paths).query.sql_with_params()
    except EmptyResultSet:  # Django sees without asking that nothing can match
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        columns = list(zip(*cursor.fetchall(), strict=True))
    if not columns:
        return []
    for index, path in enumerate(paths):
        if convert := _converter(find_field(queryset.model, path)):
            columns[index] = convert(columns[index])
    return [dict(zip(paths, row, strict=True)) for row in zip(*columns, strict=True)]


def json_default(value: Any) -> str:
    """For `json.dumps(default=…)`: what computed rows hold beyond JSON's own types."""
    match value:
        case Decimal():
            return str(to_cents(value))
        case datetime():
            return _iso(value)
        case date():
            return value.isoformat()
    raise TypeError(f"{value!r} has no JSON form here; teach it to json_default().")


def _converter(field: Field) -> Callable[[Iterable], list] | None:
    """What turns a column as the database driver returns it into JSON's types."""
    match field:
        case DecimalField():
            return _money_column
        case DateTimeField():
            return _time_column
        case JSONField():
            return _json_column
    return None


def _money_column(column: Iterable[Decimal | float | int]) -> list[str]:
    # A float holds ten digits exactly enough: .2f shows the cents that were stored.
    return [f"{value:.2f}" for value in column]


def _time_column(column: Iterable[datetime]) -> list[str]:
    return [_iso(value) for value in column]


def _json_column(column: Iterable[str]) -> list[Any]:
    return [json.loads(value) for value in column]


def _iso(moment: datetime) -> str:
    # Databases without time zones return naive times; Django stores those in UTC.
    if moment.tzinfo not in (None, UTC):
        moment = moment.astimezone(UTC)
    return moment.isoformat().removesuffix("+00:00") + "Z"
