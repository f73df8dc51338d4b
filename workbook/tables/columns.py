"""One column of a result: what the ORM knows of it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Col, Expression
from django.db.models.functions.datetime import TruncBase
from django.utils import timezone

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
    quick: bool = False  # numbers come as floats, moments in UTC as text

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

    @property
    def stored_as_float(self) -> bool:
        """Whether this is a DecimalField on SQLite, which Django only has to round."""
        return (
            self.connection.vendor == "sqlite"
            and isinstance(self.expression, Col)
            and len(self.converters[0][0]) == 1
            and self.field.decimal_places is not None
        )

    @property
    def stored_in_utc(self) -> bool:
        """Whether the backend only adds to these datetimes that they are in UTC."""
        add_zone = getattr(self.connection.ops, "convert_datetimefield_value", None)
        return self.connection.timezone == datetime.UTC and self.converters[0][0] == [add_zone]

    @property
    def comes_as_it_is(self) -> bool:
        """Whether the backend only makes sure that the driver's values are what the field wants."""
        ensure = getattr(self.connection.ops, "convert_datefield_value", None)
        return isinstance(self.expression, Col) and self.converters[0][0] == [ensure]
