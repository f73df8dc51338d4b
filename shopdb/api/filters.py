"""The ORM's own words as query parameters, from an allowlist of fields.

    price__gt=500                        filter(price__gt=500)
    exclude.name__icontains=ra           exclude(name__icontains="ra")
    any.name__icontains=a&any.price=500  filter(Q(name__icontains="a") | Q(price=500))
    price__in=100,500                    commas part the values of __in and __range
    order_by=-price,name                 the primary key breaks ties
    limit=50&page=2                      rows 51 to 100
    first=1, last=1                      so many rows from either end
    aggregate=count,price__max           count, and min, max, avg, sum of a number

`any2.`, `any3.` … start further OR groups. Everything said in one URL holds together (AND).

Whatever is wrong with a parameter is raised as a `ValidationError` that names the parameter.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import (
    Avg,
    CharField,
    Count,
    Field,
    ForeignKey,
    GeneratedField,
    Max,
    Min,
    Model,
    Q,
    QuerySet,
    Sum,
)
from django.db.models import fields as model_fields
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime

from shopdb.models import Invoice

COMPARISONS = ("exact", "gt", "gte", "lt", "lte", "range", "in")
TEXT_LOOKUPS = (
    *("exact", "iexact", "contains", "icontains", "in"),
    *("startswith", "istartswith", "endswith", "iendswith"),
)
DAY_LOOKUPS = (*COMPARISONS, "year", "month")
DATE_LOOKUPS = (*DAY_LOOKUPS, "date")
CHOICE_LOOKUPS = ("exact", "in")
KEY_LOOKUPS = ("exact", "in", "isnull")
AGGREGATES = {"min": Min, "max": Max, "avg": Avg, "sum": Sum}

NOT_FILTERS = {"order_by", "page", "limit", "first", "last", "aggregate"}
ROWS_PER_PAGE = 100
MOST_ROWS = 1000
MOST_CONDITIONS = 50
MOST_VALUES = 100
LONGEST_TEXT = 1000
LARGEST_INTEGER = 2**63 - 1  # what a database's largest integer column holds


def lookups_of(field: Field) -> tuple[str, ...]:
    """The lookups a field can be filtered by; none for fields that lists cannot search."""
    match field:
        case ForeignKey():
            return KEY_LOOKUPS
        case Field(choices=[_, *_]):
            return CHOICE_LOOKUPS
        case model_fields.CharField() | model_fields.TextField():
            return TEXT_LOOKUPS
        case model_fields.DecimalField() | model_fields.IntegerField():
            return COMPARISONS
        case model_fields.DateTimeField():
            return DATE_LOOKUPS
        case model_fields.DateField():
            return DAY_LOOKUPS
    return ()


@cache
def find_field(model: type[Model], path: str) -> Field:
    """The field at the end of a path of relations such as `category__name`."""
    *relations, name = path.split("__")
    for relation in relations:
        model = model._meta.get_field(relation).related_model
    if model is Invoice and name == "status":  # a column that is computed in each query
        return CharField(choices=Invoice.Status.choices)
    field = model._meta.get_field(name)
    return field.output_field if isinstance(field, GeneratedField) else field


@cache
def searchable(model: type[Model], paths: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The lookups of each path that has any: a resource's allowlist."""
    return {path: found for path in paths if (found := lookups_of(find_field(model, path)))}


def apply_filters(queryset: QuerySet, paths: tuple[str, ...], params: QueryDict) -> QuerySet:
    """Narrow the queryset by every parameter that is a filter, an exclude or part of an OR."""
    allowed = searchable(queryset.model, paths)
    any_of: dict[str, Q] = {}
    conditions = [
        (name, text) for name, texts in params.lists() if name not in NOT_FILTERS for text in texts
    ]
    if len(conditions) > MOST_CONDITIONS:
        raise ValidationError(f"Ask with at most {MOST_CONDITIONS} conditions.")
    for name, text in conditions:
        prefix, _, lookup = name.rpartition(".")
        condition = _condition(queryset.model, allowed, name, lookup, text)
        if not prefix:
            queryset = queryset.filter(condition)
        elif prefix == "exclude":
            queryset = queryset.exclude(condition)
        elif re.fullmatch(r"any\d?", prefix):
            any_of[prefix] = any_of.get(prefix, Q()) | condition
        else:
            raise ValidationError({name: f"There is no {prefix!r}; use exclude. or any. here."})
    return queryset.filter(*any_of.values())


def apply_order(queryset: QuerySet, paths: tuple[str, ...], params: QueryDict) -> QuerySet:
    """Sort by `order_by`, then by primary key, so that pages never overlap; `last` turns it."""
    allowed = searchable(queryset.model, paths)
    names = [name for name in params.get("order_by", "").split(",") if name]
    for name in names:
        if name.removeprefix("-") not in allowed:
            raise ValidationError({"order_by": _no_such(name.removeprefix("-"), allowed)})
    queryset = queryset.order_by(*names[:MOST_CONDITIONS], "pk")
    return queryset.reverse() if "last" in params else queryset


def page_of(params: QueryDict) -> slice:
    """The rows asked for by `limit` and `page`, or by `first` or `last`."""
    limit, page = ROWS_PER_PAGE, 1
    for name in ("limit", "first", "last"):
        if name in params:
            limit = _whole(name, params[name], 1, MOST_ROWS)
    if "page" in params and not ("first" in params or "last" in params):
        page = _whole("page", params["page"], 1, 1_000_000_000)
    return slice((page - 1) * limit, page * limit)


def aggregates(model: type[Model], paths: tuple[str, ...], text: str) -> dict[str, Any]:
    """The arguments for `QuerySet.aggregate()`, named as Django names them: `price__max`."""
    numbers = [path for path in paths if _is_number(find_field(model, path))]
    offered = {"count": Count("pk")} | {
        f"{path}__{name}": aggregate(path)
        for path in numbers
        for name, aggregate in AGGREGATES.items()
    }
    names = text.split(",")
    for name in names:
        if name not in offered:
            raise ValidationError({"aggregate": _no_such(name, offered)})
    return {name: offered[name] for name in names}


def parse_day(name: str, text: str) -> datetime:
    """The start of a day written as 2026-06-30, in UTC: some days may be counted from it."""
    try:
        day = datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        raise ValidationError({name: "Write a day like 2026-06-30."}) from None
    if not 1000 <= day.year < 9999:
        raise ValidationError({name: "Write a day in a year from 1000 to 9998."})
    return day


def _condition(model: type[Model], allowed: dict, name: str, path: str, text: str) -> Q:
    lookup = "exact"
    if path not in allowed:
        path, _, lookup = path.rpartition("__")
    if path not in allowed:
        raise ValidationError({name: _no_such(name, allowed)})
    if lookup not in allowed[path]:
        raise ValidationError({name: _no_such(lookup, allowed[path], f" for {path}")})
    try:
        value = _value(find_field(model, path), lookup, text)
    except (ValueError, OverflowError) as error:
        raise ValidationError({name: str(error)}) from None
    return Q(**{f"{path}__{lookup}": value})


def _value(field: Field, lookup: str, text: str) -> Any:
    """The Python value of a parameter. Raises ValueError with a sentence."""
    match lookup:
        case "in" | "range":
            texts = text.split(",")
            if lookup == "range" and len(texts) != 2:
                raise ValueError("Write both ends with a comma between: 200,500.")
            if len(texts) > MOST_VALUES:
                raise ValueError(f"Name at most {MOST_VALUES} values.")
            return [_value(field, "exact", text) for text in texts]
        case "isnull":
            if text.lower() not in {"true", "false"}:
                raise ValueError("Write true or false.")
            return text.lower() == "true"
        case "year":
            return _integer(text, 1, 9999)
        case "month":
            return _integer(text, 1, 12)
        case "date":
            return _moment(text).date()
    match field:
        case ForeignKey() | model_fields.IntegerField():
            return _integer(text, -LARGEST_INTEGER, LARGEST_INTEGER)
        case model_fields.DecimalField():
            return _decimal(field, text)
        case model_fields.DateTimeField():
            return _moment(text)
        case model_fields.DateField():
            return _moment(text).date()
        case Field(choices=[_, *_]):
            offered = dict(field.flatchoices)
            if text not in offered:
                raise ValueError(_no_such(text, offered))
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"Search for at most {LONGEST_TEXT} characters.")
    return text


def _integer(text: str, smallest: int, largest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError("Write a whole number.") from None
    if not smallest <= number <= largest:
        raise ValueError(f"Write a whole number from {smallest} to {largest}.")
    return number


def _decimal(field: Field, text: str) -> Any:
    try:
        number = field.to_python(text)
        field.run_validators(number)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return number


def _moment(text: str) -> datetime:
    """A date or a date with time, in UTC unless it says otherwise."""
    try:
        moment = parse_datetime(text) or datetime.combine(parse_date(text), time.min)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise ValueError("Write a date like 2026-06-30 or 2026-06-30T18:00:00Z.") from None


def _whole(name: str, text: str, smallest: int, largest: int) -> int:
    try:
        return _integer(text, smallest, largest)
    except ValueError as error:
        raise ValidationError({name: str(error)}) from None


def _is_number(field: Field) -> bool:
    return lookups_of(field) == COMPARISONS and not field.primary_key


def _no_such(name: str, allowed: Iterable[str], where: str = "") -> str:
    return f"There is no {name[:100]!r}{where}; there are {', '.join(allowed)}."
