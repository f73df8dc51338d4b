"""Answers as plain values, so that they can be compared and shown.

Values are copied to exact builtin types before anything is compared: no method of the learner's
objects is asked for its opinion, and an `__eq__` that always agrees changes nothing.
"""

import inspect
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Manager, Model, QuerySet


class Unusable(Exception):
    """The value cannot be an answer; the message says why and what to write instead."""


@dataclass(frozen=True)
class Object:
    """What identifies a model instance: its model and primary key."""

    label: str
    pk: Any


@dataclass
class Value:
    """One value: a number, a text, a dict, a single object."""

    value: Any
    instance: Model | None = None


@dataclass
class Rows:
    """Many values. `kind` is "objects", "dicts", "tuples", "flat" or "frame"."""

    kind: str
    columns: tuple[str, ...]
    rows: list[tuple]
    is_set: bool = False
    is_tuple: bool = False
    instances: list[Model] = field(default_factory=list)
    dtypes: tuple[str, ...] = ()
    numbers_only: bool = False  # from a DataFrame: its numbers are compared as numbers

    def __len__(self) -> int:
        return len(self.rows)


def plain(value: Any) -> Any:
    """The value as exact builtins; model instances become Object. Raises Unusable."""
    kind = type(value)
    bases = kind.__mro__
    if value is None or kind is bool:
        return value
    if kind.__module__ == "numpy" and hasattr(kind, "item"):
        return plain(value.item())
    if kind.__module__.startswith("pandas") and kind.__name__ in {"NAType", "NaTType"}:
        return None
    if int in bases:
        return int.__add__(value, 0)
    if float in bases:
        number = float.__add__(value, 0.0)
        return None if math.isnan(number) else number
    if str in bases:
        return str.__str__(value)
    if bytes in bases:
        return bytes.__add__(value, b"")
    if Decimal in bases:
        return Decimal(value)
    if datetime in bases:
        moment = datetime.fromisoformat(datetime.isoformat(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment
    if date in bases:
        return date.fromisoformat(date.isoformat(value))
    if time in bases:
        return time.fromisoformat(time.isoformat(value))
    if timedelta in bases:
        return timedelta.__add__(value, timedelta(0))
    if UUID in bases:
        return UUID(bytes=value.bytes)
    if Model in bases:
        return Object(kind._meta.concrete_model._meta.object_name, plain(value.pk))
    if issubclass(kind, Mapping):
        return {_hashable(plain(key)): plain(item) for key, item in dict(value).items()}
    if set in bases or frozenset in bases:
        return frozenset(_hashable(plain(item)) for item in value)
    if tuple in bases:
        return tuple(plain(item) for item in value)
    _refuse(value)
    if issubclass(kind, Iterable):
        return [plain(item) for item in value]
    raise Unusable(f"The answer holds a {kind.__name__} object, which cannot be compared.")


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value


def _refuse(value: Any) -> None:
    """Raise Unusable for things that come close to an answer, with what is missing."""
    if isinstance(value, Manager):
        raise Unusable("The answer is a manager, not rows: end it with `.all()` or a filter.")
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise Unusable("The answer is a coroutine that has not run: put `await` in front of it.")
    if hasattr(type(value), "__aiter__") and not hasattr(type(value), "__iter__"):
        raise Unusable(
            "The answer is an asynchronous iterator: collect it with "
            "`[row async for row in …]` first."
        )
    if inspect.isroutine(value) or inspect.isclass(value):
        name = getattr(value, "__name__", "it")
        raise Unusable(f"The answer is `{name}` itself, not what it gives: call it, `{name}(…)`.")


def materialise(value: Any) -> Value | Rows:
    """The answer, read to its end (this may run queries) and copied to plain builtins."""
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if isinstance(value, pandas.Series):
            value = value.to_frame()
        if isinstance(value, pandas.DataFrame):
            return _frame(value, pandas)
    if isinstance(value, Model):
        return Value(plain(value), instance=value)
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return Value(plain(value))
    _refuse(value)
    items = list(value)
    kinds = {"set": isinstance(value, (set, frozenset)), "tuple": type(value) is tuple}
    rows = _rows(items, is_set=kinds["set"], is_tuple=kinds["tuple"])
    fields = getattr(value, "_fields", None) if isinstance(value, QuerySet) else None
    if rows.kind == "tuples" and fields and len(fields) == len(rows.columns):
        rows.columns = tuple(name if isinstance(name, str) else "" for name in fields)
    return rows


def _rows(items: list, is_set: bool, is_tuple: bool) -> Rows:
    if items and all(isinstance(item, Model) for item in items):
        rows = [(plain(item),) for item in items]
        return Rows("objects", ("",), rows, is_set, is_tuple, instances=items)
    if items and all(isinstance(item, Mapping) for item in items):
        columns = tuple(dict.fromkeys(str(key) for item in items for key in item))
        rows = [tuple(plain(dict(item).get(name)) for name in columns) for item in items]
        return Rows("dicts", columns, rows, is_set, is_tuple)
    if items and all(isinstance(item, (tuple, list)) for item in items):
        widths = {len(item) for item in items}
        if len(widths) == 1:
            names = getattr(items[0], "_fields", None) or ("",) * widths.pop()
            return Rows("tuples", tuple(names), [tuple(map(plain, item)) for item in items], is_set)
    return Rows("flat", ("",), [(plain(item),) for item in items], is_set, is_tuple)


def _frame(frame: Any, pandas: Any) -> Rows:
    index = frame.index
    numbered = index.nlevels == 1 and index.name is None and index.dtype.kind in "iu"
    if not numbered:
        frame = frame.reset_index()
    columns = tuple(
        " ".join(map(str, name)).strip() if isinstance(name, tuple) else str(name)
        for name in frame.columns
    )
    series = [frame.iloc[:, position] for position in range(len(columns))]
    rows = [
        tuple(plain(item) for item in row)
        for row in zip(*(column.astype(object) for column in series), strict=True)
    ]
    return Rows("frame", columns, rows, dtypes=tuple(_dtype(column, pandas) for column in series))


def _dtype(column: Any, pandas: Any) -> str:
    kinds = pandas.api.types
    if isinstance(column.dtype, pandas.CategoricalDtype):
        return _dtype(column.cat.categories.to_series(), pandas)
    if kinds.is_bool_dtype(column):
        return "truth values"
    if kinds.is_numeric_dtype(column):
        return "numbers"
    if kinds.is_datetime64_any_dtype(column):
        return "moments"
    found = {type(item).__name__ for item in column.dropna()} - {"str"}
    return f"{' and '.join(sorted(found))} objects" if found else "text"


# Keys: what counts as equal -----------------------------------------------------------------


def key(value: Any, strict: bool = True) -> Any:
    """A hashable stand-in for a plain value; equal stand-ins, equal answers.

    Strict tells int, float and Decimal apart; otherwise numbers are compared as numbers, to nine
    significant digits.
    """
    if value is None or isinstance(value, bool):
        return (type(value).__name__, value)
    if isinstance(value, (int, float, Decimal)):
        if not math.isfinite(value):
            return ("number", str(value))
        if not strict:
            return ("number", Decimal(f"{value:.9g}").normalize())
        if isinstance(value, Decimal):
            return ("Decimal", round(value, 4).normalize())
        return (type(value).__name__, float(f"{value:.9g}") if isinstance(value, float) else value)
    if isinstance(value, (list, tuple)):
        return ("list", tuple(key(item, strict) for item in value))
    if isinstance(value, frozenset):
        return ("set", frozenset(key(item, strict) for item in value))
    if isinstance(value, dict):
        return ("dict", frozenset((key(k, strict), key(v, strict)) for k, v in value.items()))
    return (type(value).__name__, value)


def same(expected: Any, given: Any, strict: bool = True) -> bool:
    return key(expected, strict) == key(given, strict)
