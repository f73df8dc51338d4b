"""JSON bodies: read them, and refuse in a sentence what no column could keep.

Whatever is wrong is raised as a `ValidationError`, filed under the field's name where there is one.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from shopdb.api.filters import LARGEST_INTEGER

LONGEST_LIST = 1000
LONGEST_TEXT = 65_536  # bytes, of a text or of a JSON value
MOST_FAULTS = 20  # so many are named; a client that sends more will not read them
DEEPEST_BODY = 20
LARGEST_COUNT = 2**31 - 1  # what an IntegerField holds on every database
AMOUNT = models.DecimalField(max_digits=10, decimal_places=2)
RATE = models.DecimalField(max_digits=5, decimal_places=4)


def read_json(request: HttpRequest) -> Any:
    """The body as Python's own types, holding nothing that check_json() refuses.

    Raises ValidationError, or Django's RequestDataTooBig.
    """
    try:
        # JSON knows no NaN or Infinity, Python's reader does: let check_json() see and refuse them.
        body = json.loads(request.body, parse_constant=lambda name: math.nan)
        check_json(body)
    except RecursionError:
        raise ValidationError(f"Nest the body at most {DEEPEST_BODY} deep.") from None
    except ValueError as error:
        raise ValidationError(f"The body is not JSON: {str(error)[:200]}.") from None
    return body


def read_fields(
    body: Any, readers: Mapping[str, Callable[[Any], Any]], required: Collection[str]
) -> dict[str, Any]:
    """What the readers make of the body's fields. Raises one ValidationError naming the faults."""
    if not isinstance(body, dict):
        raise ValidationError("Send an object.")
    values = {}
    unknown = (name[:100] for name in body if name not in readers)
    message = f"This cannot be written; there are {', '.join(readers) or 'none'}."
    faults = dict.fromkeys(islice(unknown, MOST_FAULTS + 1), message)
    for name, reader in readers.items():
        if name in body:
            try:
                values[name] = reader(body[name])
            except ValidationError as error:
                faults[name] = error.messages
        elif name in required:
            faults[name] = "This is required."
    if faults:
        raise ValidationError(faults)
    return values


def check_json(value: Any, depth: int = 0) -> None:
    """Refuse what JSON can say and no database keeps: NUL, half characters, NaN, endless depth."""
    if depth > DEEPEST_BODY:
        raise ValidationError(f"Nest the body at most {DEEPEST_BODY} deep.")
    match value:
        case str():
            if "\x00" in value:
                raise ValidationError("Leave NUL characters out.")
            value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
        case float():
            if not math.isfinite(value):
                raise ValidationError("Send finite numbers: neither NaN nor Infinity.")
        case list():
            for item in value:
                check_json(item, depth + 1)
        case dict():
            for key, item in value.items():
                check_json(key, depth + 1)
                check_json(item, depth + 1)


def read_field(field: models.Field, value: Any) -> Any:
    """A value for a model's field, checked by the field; for a foreign key the primary key."""
    match field:
        case models.ForeignKey():
            return None if value is None and field.null else read_key(value)
        case models.DecimalField():
            return read_amount(value)
        case models.IntegerField():
            return read_integer(value, 0, LARGEST_COUNT)
        case models.JSONField():
            if not isinstance(value, dict):
                raise ValidationError("Send an object.")
            check_length(json.dumps(value))
            return value
    return field.clean(read_text(value).strip(), None)


def read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError("Send text.")
    check_length(value)
    return value


def check_length(text: str) -> None:
    if len(text.encode()) > LONGEST_TEXT:
        raise ValidationError(f"Send at most {LONGEST_TEXT:,} bytes here.")


def read_integer(value: Any, smallest: int, largest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        raise ValidationError(f"Send a whole number from {smallest} to {largest}.")
    return value


def read_key(value: Any) -> int:
    return read_integer(value, 1, LARGEST_INTEGER)


def read_amount(value: Any) -> Decimal:
    """Money, as text or as a number, with at most two decimals."""
    return _decimal(AMOUNT, value, 'Send an amount of zero or more, like "12.50".')


def read_signed_amount(value: Any) -> Decimal:
    """Money that may be negative: then it is given back."""
    return _decimal(AMOUNT, value, 'Send an amount like "12.50", or "-12.50" for a refund.', None)


def read_rate(value: Any) -> Decimal:
    """A fraction with at most four decimals."""
    return _decimal(RATE, value, 'Send a fraction of zero or more: "0.15" is 15 %.')


def read_moment(value: Any) -> datetime:
    """A time in ISO 8601, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValidationError("Send a time like 2026-06-30T18:00:00Z.") from None
    check_year(moment)
    return moment


def read_day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValidationError("Send a day like 2026-06-30.") from None
    check_year(day)
    return day


def check_year(day: date) -> None:
    if not 1900 <= day.year < 3000:
        raise ValidationError("Send a year from 1900 to 2999.")


def read_lines(value: Any) -> list[tuple[int, int]]:
    """The lines of an invoice as pairs of a product's primary key and a quantity."""
    if not isinstance(value, list) or len(value) > LONGEST_LIST:
        raise ValidationError(f"Send a list of at most {LONGEST_LIST} lines.")
    if not all(isinstance(line, dict) and line.keys() == {"product", "qty"} for line in value):
        raise ValidationError('Send every line as {"product": 1, "qty": 2}.')
    return [
        (read_key(line["product"]), read_integer(line["qty"], 1, LARGEST_COUNT)) for line in value
    ]


def _decimal(
    field: models.DecimalField, value: Any, advice: str, smallest: int | None = 0
) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValidationError(advice)
    # The shortest text of a float is the number that was sent: 19.99, not 19.98999….
    number = field.clean(repr(value) if isinstance(value, float) else value, None)
    if smallest is not None and number < smallest:
        raise ValidationError(advice)
    return number
