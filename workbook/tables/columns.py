"""One column of a result: what the ORM knows of it, and how its raw values become an array.

Django converts a result value by value, which for money costs ten times the query. Here a column
is converted a chunk at a time; where it is not one of the few kinds that are safe to take in bulk,
Django's own converters do the work. pandas and NumPy are imported inside the functions that need
them, so that loading the workbook, and previews, stay quick without.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Col, Expression
from django.db.models.functions.datetime import TruncBase
from django.utils import timezone

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {  # in this order: a DateTimeField is a DateField
    "bool": (models.BooleanField,),
    "decimal": (models.DecimalField,),
    "float": (models.FloatField,),
    "int": (models.IntegerField,),
    "datetime": (models.DateTimeField,),
    "date": (models.DateField,),
    "duration": (models.DurationField,),
    "text": (
        models.CharField,
        models.TextField,
        models.FileField,
        models.FilePathField,
        models.GenericIPAddressField,
    ),
}


# What get_converters() of a compiler says of one raw value: functions, and the expression that
# each takes as its second argument.
Converters = tuple[Sequence[Callable[[Any, Any, Any], Any]], Expression | None]


@dataclasses.dataclass
class Column:
    """One column of a result: its name, what the ORM knows of it, and where its values are."""

    name: str
    expression: Expression | None  # None: a column of raw() that is no field of the model
    nullable: bool
    from_item: Callable[[Any], Any]  # its value in what the QuerySet yields: instance, dict, …
    connection: Any
    start: int = 0  # position of its first value in a raw row
    converters: Sequence[Converters] = (((), None),)  # for each raw value that makes a value
    categories: dict[Any, int] = dataclasses.field(default_factory=dict)  # value → code

    @property
    def width(self) -> int:
        """How many raw values make one value: more than one for a composite primary key."""
        return len(self.converters)

    @property
    def field(self) -> models.Field | None:
        """The field that describes the values, if any does."""
        try:
            field = self.expression.output_field
        except (AttributeError, FieldError):
            return None
        while isinstance(field, models.ForeignKey):
            field = field.target_field
        return None if type(field) is models.Field else field

    def kind(self, *, exact: bool = False) -> str:
        """Which line of the table in `frame` the column belongs to."""
        field = self.field
        if field is None:
            return "unknown"
        if hasattr(field, "from_db_value"):
            return "object"
        kind = next((kind for kind, classes in _KINDS.items() if isinstance(field, classes)), None)
        if kind in {"text", "int"} and self.choices:
            return "category"
        return "object" if kind is None or (kind == "decimal" and exact) else kind

    @property
    def choices(self) -> list[Any]:
        """The stored values a plain column may hold; an expression may turn them into others."""
        if not isinstance(self.expression, Col):
            return []
        return [value for value, _ in self.expression.target.flatchoices if value is not None]

    @property
    def time_zone(self) -> datetime.tzinfo | None:
        """The zone of the ORM's datetimes: the connection's, or for Trunc() the one it cuts in."""
        if isinstance(self.expression, TruncBase) and self.connection.timezone:
            return self.expression.tzinfo or timezone.get_current_timezone()
        return self.connection.timezone

    def orm_values(self, raw: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """The values as iterating over the QuerySet gives them."""
        converted = list(raw)
        for place, (converters, expression) in enumerate(self.converters):
            for convert in converters:
                converted[place] = [
                    convert(value, expression, self.connection) for value in converted[place]
                ]
        return converted[0] if self.width == 1 else list(zip(*converted, strict=True))

    def series(self, raw: Sequence[Sequence[Any]], *, exact: bool) -> pd.Series:
        """One chunk of the column; objects where a value does not fit the field."""
        kind = self.kind(exact=exact)
        quick = None
        if kind == "decimal" and self._stored_as_float:
            quick = self._money_of_floats(raw)
        elif kind == "datetime" and self._stored_in_utc:
            quick = _datetimes(raw[0], datetime.UTC)
        if quick is not None:
            return quick
        values = self.orm_values(raw)
        match kind:
            case "int":
                fitting = _integers(values, nullable=self.nullable)
            case "bool":
                fitting = _booleans(values, nullable=self.nullable)
            case "float" | "decimal":
                fitting = _floats(values)
            case "text":
                fitting = _texts(values)
            case "category":
                fitting = self._codes(values)
            case "datetime":
                fitting = _datetimes(values, self.time_zone)
            case "date":
                fitting = _dates(values)
            case "duration":
                fitting = _durations(values)
            case _:
                fitting = None
        return _objects(values) if fitting is None else fitting

    def joined(self, parts: list[pd.Series], *, exact: bool) -> pd.Series:
        """The whole column from its chunks."""
        import pandas as pd

        column = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
        match self.kind(exact=exact):
            case "category":
                return pd.Series(pd.Categorical.from_codes(column, list(self.categories)))
            case "unknown":
                return column.infer_objects()
            case _:
                return column

    def _codes(self, values: Sequence[Any]) -> pd.Series:
        """Each value's place among the categories; one that is no choice is added to them."""
        import pandas as pd

        categories = self.categories
        for value in self.choices:
            categories.setdefault(value, len(categories))
        codes = [
            -1 if value is None else categories.setdefault(value, len(categories))
            for value in values
        ]
        return pd.Series(codes, dtype="int32")

    @property
    def _stored_as_float(self) -> bool:
        """A DecimalField's own column on SQLite, which Django only has to round."""
        return (
            self.connection.vendor == "sqlite"
            and isinstance(self.expression, Col)
            and len(self.converters[0][0]) == 1
            and self.field.decimal_places is not None
        )

    def _money_of_floats(self, raw: Sequence[Sequence[Any]]) -> pd.Series | None:
        """What `float()` of the ORM's Decimals is, by rounding the whole column at once.

        Values whose rounding is in doubt (stored with more digits than the field has, or too
        large for whole cents to be exact) go through the ORM one by one.
        """
        import numpy as np
        import pandas as pd

        numbers = _floats(raw[0])
        if numbers is None:
            return None
        scale = 10.0**self.field.decimal_places
        scaled = numbers.to_numpy() * scale
        whole = np.rint(scaled)
        limit = 10.0 ** min(self.field.max_digits or 13, 13)
        with np.errstate(invalid="ignore"):
            sure = (np.abs(scaled - whole) < 0.49) & (np.abs(whole) < limit)
        money = whole / scale
        for place in np.flatnonzero(~sure & ~np.isnan(scaled)):
            money[place] = float(self.orm_values([[raw[0][place]]])[0])
        return pd.Series(money)

    @property
    def _stored_in_utc(self) -> bool:
        """A datetime to which the backend only adds that it is in UTC."""
        add_zone = getattr(self.connection.ops, "convert_datetimefield_value", None)
        return self.connection.timezone == datetime.UTC and self.converters[0][0] == [add_zone]


# ---------------------------------------------------------------- values to arrays
# Each of these takes the values of a chunk and returns a Series, or None if one does not fit.


def _objects(values: Sequence[Any]) -> pd.Series:
    import numpy as np
    import pandas as pd

    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)


def _integers(values: Sequence[Any], *, nullable: bool) -> pd.Series | None:
    return _masked(values, nullable=nullable, dtype="int64", nullable_dtype="Int64", kind="i")


def _booleans(values: Sequence[Any], *, nullable: bool) -> pd.Series | None:
    return _masked(values, nullable=nullable, dtype="bool", nullable_dtype="boolean", kind="b")


def _masked(
    values: Sequence[Any], *, nullable: bool, dtype: str, nullable_dtype: str, kind: str
) -> pd.Series | None:
    """Nullable as the field says, or because a NULL came where none should."""
    import numpy as np
    import pandas as pd

    numbers = np.array(values or [], dtype=None if values else dtype)
    if numbers.dtype.kind == kind:
        return pd.Series(numbers, dtype=nullable_dtype if nullable else dtype)
    present = np.array([value for value in values if value is not None], dtype=None)
    if present.size and present.dtype.kind != kind:
        return None
    missing = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    filled = np.zeros(len(values), dtype=dtype)
    filled[~missing] = present
    array = {"Int64": pd.arrays.IntegerArray, "boolean": pd.arrays.BooleanArray}[nullable_dtype]
    return pd.Series(array(filled, missing))


def _floats(values: Sequence[Any]) -> pd.Series | None:
    import numpy as np
    import pandas as pd

    numbers = np.array(values or [])
    if numbers.dtype.kind not in "fi":
        if not all(value is None or type(value) in {int, float, Decimal} for value in values):
            return None
        numbers = np.array([np.nan if value is None else float(value) for value in values])
    return pd.Series(numbers, dtype="float64")


def _texts(values: Sequence[Any]) -> pd.Series | None:
    column = _objects(values)
    return column.astype("str") if _all_are("string", column) else None


def _datetimes(values: Sequence[Any], time_zone: datetime.tzinfo | None) -> pd.Series | None:
    """Aware in `time_zone`, where values without one are taken as UTC; naive without."""
    import pandas as pd

    column = _objects(values)
    if not _all_are("datetime", column):
        return None
    if time_zone is None:
        return pd.to_datetime(column).dt.as_unit("us")
    return pd.to_datetime(column, utc=True).dt.tz_convert(time_zone).dt.as_unit("us")


def _dates(values: Sequence[Any]) -> pd.Series | None:
    import pandas as pd

    column = _objects(values)
    return pd.to_datetime(column).dt.as_unit("us") if _all_are("date", column) else None


def _durations(values: Sequence[Any]) -> pd.Series | None:
    import pandas as pd

    column = _objects(values)
    return pd.to_timedelta(column).dt.as_unit("us") if _all_are("timedelta", column) else None


def _all_are(kind: str, column: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.infer_dtype(column, skipna=True) in {kind, "empty"}
