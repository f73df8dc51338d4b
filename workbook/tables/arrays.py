"""Values to arrays: a column's raw values come in chunk by chunk, a pandas Series goes out.

Django converts a result value by value, which for money costs ten times the query. Here a column
is converted a chunk at a time; where it is not one of the few kinds that are safe to take in bulk,
Django's own converters do the work. Only `frame()` imports this module, so that loading the
workbook, and previews, stay quick without pandas and NumPy.
"""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from workbook.tables.columns import Column

Array = np.ndarray | pd.api.extensions.ExtensionArray


class SeriesBuilder:
    """One column of a frame, filled chunk by chunk."""

    def __init__(self, column: Column, *, exact: bool) -> None:
        self.column = column
        self.kind = column.kind(exact=exact)
        self._parts: list[Array] = []
        self._categories = {value: code for code, value in enumerate(column.choices)}

    def add(self, raw: Sequence[Sequence[Any]]) -> None:
        """Take one chunk: as many sequences of raw values as make one value of the column."""
        self._parts.append(self._array(raw))

    def series(self) -> pd.Series:
        """The whole column. The chunks are let go, so that only one column is held twice."""
        parts, self._parts = self._parts, []
        if not parts:
            parts = [self._array([[]] * self.column.width)]
        chunks = [pd.Series(part, dtype=part.dtype, copy=False) for part in parts]
        whole = pd.concat(chunks, ignore_index=True)
        match self.kind:
            case "category":
                return pd.Series(pd.Categorical.from_codes(whole, list(self._categories)))
            case "unknown":
                return whole.infer_objects()
            case _:
                return whole

    def _array(self, raw: Sequence[Sequence[Any]]) -> Array:
        """One chunk as an array; of objects where a value does not fit the field."""
        quick = self._from_raw(raw[0])
        if quick is not None:
            return quick
        values = self.column.orm_values(raw)
        fitting = self._from_values(values)
        return _objects(values) if fitting is None else fitting

    def _from_raw(self, raw: Sequence[Any]) -> Array | None:
        """The array without the ORM's converters, where what they do is known."""
        column = self.column
        if self.kind == "decimal" and column.stored_as_float:
            return _money_of_floats(raw, column)
        if self.kind == "datetime" and column.quick:
            return _moments(raw, column.time_zone)
        if self.kind == "datetime" and column.stored_in_utc:
            return _datetimes(raw, datetime.UTC)
        if self.kind == "date" and column.comes_as_it_is:
            return _dates(raw)
        return None

    def _from_values(self, values: Sequence[Any]) -> Array | None:
        column = self.column
        match self.kind:
            case "int":
                return _integers(values, nullable=column.nullable)
            case "bool":
                return _booleans(values, nullable=column.nullable)
            case "float" | "decimal":
                return _floats(values)
            case "text":
                return _texts(values)
            case "category":
                return self._codes(values)
            case "datetime":
                return _datetimes(values, column.time_zone)
            case "date":
                return _dates(values)
            case "duration":
                return _durations(values)
            case _:
                return None

    def _codes(self, values: Sequence[Any]) -> np.ndarray:
        """Each value's place among the categories; one that is no choice is added to them."""
        known = self._categories
        codes = (-1 if value is None else known.setdefault(value, len(known)) for value in values)
        return np.fromiter(codes, dtype="int32", count=len(values))


# Each of these takes the values of a chunk and returns an array, or None if one does not fit.


def _objects(values: Sequence[Any]) -> np.ndarray:
    return np.fromiter(values, dtype=object, count=len(values))


def _integers(values: Sequence[Any], *, nullable: bool) -> Array | None:
    return _masked(values, nullable, "int64", pd.arrays.IntegerArray)


def _booleans(values: Sequence[Any], *, nullable: bool) -> Array | None:
    return _masked(values, nullable, "bool", pd.arrays.BooleanArray)


def _masked(values: Sequence[Any], nullable: bool, dtype: str, masked: type) -> Array | None:
    """Nullable as the field says, or because a NULL came where none should."""
    numbers = np.array(values) if values else np.array([], dtype)
    if numbers.dtype == dtype:
        return masked(numbers, np.zeros(len(numbers), "bool")) if nullable else numbers
    present = np.array([value for value in values if value is not None])
    if present.size and present.dtype != dtype:
        return None
    missing = np.fromiter((value is None for value in values), dtype="bool", count=len(values))
    filled = np.zeros(len(values), dtype)
    filled[~missing] = present
    return masked(filled, missing)


def _floats(values: Sequence[Any]) -> np.ndarray | None:
    numbers = np.array(values or [])
    if numbers.dtype.kind not in "fi":
        if not _types(values) <= {int, float, Decimal}:
            return None
        numbers = np.array([np.nan if value is None else float(value) for value in values])
    return numbers.astype("float64", copy=False)


def _money_of_floats(values: Sequence[Any], column: Column) -> np.ndarray | None:
    """What `float()` of the ORM's Decimals is, by rounding the whole column at once.

    Values whose rounding is in doubt (stored with more digits than the field has, or too large
    for whole cents to be exact) go through the ORM one by one.
    """
    numbers = _floats(values)
    if numbers is None:
        return None
    scale = 10.0**column.field.decimal_places
    scaled = numbers * scale
    whole = np.rint(scaled)
    limit = 10.0 ** min(column.field.max_digits or 13, 13)
    with np.errstate(invalid="ignore"):
        sure = (np.abs(scaled - whole) < 0.49) & (np.abs(whole) < limit)
    money = whole / scale
    for place in np.flatnonzero(~sure & ~np.isnan(scaled)):
        money[place] = float(column.orm_values([[values[place]]])[0])
    return money


def _texts(values: Sequence[Any]) -> Array | None:
    if not all(issubclass(kind, str) for kind in _types(values)):
        return None
    return pd.Series(_objects(values), dtype=object).astype("str").array


def _datetimes(values: Sequence[Any], time_zone: datetime.tzinfo | None) -> Array | None:
    """Aware in `time_zone`, where values without one are taken as UTC; naive without."""
    if not all(issubclass(kind, datetime.datetime) for kind in _types(values)):
        return None
    if time_zone is None:
        return pd.to_datetime(_objects(values)).as_unit("us").array
    aware = pd.to_datetime(_objects(values), utc=True)
    return aware.tz_convert(time_zone).as_unit("us").array


def _moments(texts: Sequence[str | None], time_zone: datetime.tzinfo) -> Array:
    """Moments as PostgreSQL writes them."""
    moments = pd.to_datetime(_objects(texts), utc=True, format="ISO8601")
    return moments.tz_convert(time_zone).as_unit("us").array


def _dates(values: Sequence[Any]) -> Array | None:
    if not _types(values) <= {datetime.date}:
        return None
    return pd.to_datetime(_objects(values)).as_unit("us").array


def _durations(values: Sequence[Any]) -> Array | None:
    if not _types(values) <= {datetime.timedelta}:
        return None
    return pd.to_timedelta(_objects(values)).as_unit("us").array


def _types(values: Sequence[Any]) -> set[type]:
    return set(map(type, values)) - {NoneType}
