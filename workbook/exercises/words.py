"""What is said about an answer: a difference in words, and how values look in them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from workbook.exercises.answers import Object, Unusable, plain

EXAMPLES = 3  # rows in a table, names in a list
LONGEST = 60  # characters of one value


@dataclass
class Difference:
    """A sentence that is true of the answer, and rows that show it (header first).

    form: whether the answer is of another kind (a count for rows, other columns), so that its rows
    were not compared at all. telling: whether the sentence says what is wrong with the rows, and
    not only which of them are.
    """

    sentence: str
    table: list[list[str]] = field(default_factory=list)
    form: bool = False
    telling: bool = False


@dataclass(frozen=True)
class Terms:
    """What the task fixes: the order of rows, their names, that they are model objects.

    mentioned: field names worth showing when model objects are put in a table.
    """

    ordered: bool = False
    columns: tuple[str, ...] | None = None
    objects: bool = False
    mentioned: tuple[str, ...] = ()


ANY = Terms()  # a task that fixes nothing


KINDS = {
    "objects": "model objects",
    "dicts": "dicts, as `values()` gives",
    "tuples": "tuples, as `values_list()` gives",
    "flat": "single values, as `values_list(…, flat=True)` gives",
    "frame": "a DataFrame",
}


def show(value: Any) -> str:
    """A value as a reader expects it: money with two places and thousands set apart."""
    if isinstance(value, Decimal) and value.is_finite():
        cents = round(value, 2)
        return f"{cents:,}" if value == cents else f"{round(value, 6).normalize():,f}"
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, Object):
        return f"{value.label} {value.pk}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" + (" UTC" if value.tzinfo else "")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show, value)) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def pair(given: Any, expected: Any) -> str:
    """ "yours 5.00, right 6.00", with the types where it is they that differ."""
    if isinstance(expected, Object):
        return f"yours is {show(given)}, right is the object {show(expected)}"
    if type(given) is not type(expected):
        return (
            f"yours is {show(given)} ({type_name(given)}), right is {show(expected)} "
            f"({type_name(expected)})"
        )
    return f"yours {show(given)}, right {show(expected)}"


def type_name(value: Any) -> str:
    return value.label if isinstance(value, Object) else type(value).__name__


def wrong_type(what: str, right: Any, found: Any) -> str:
    """Why the right number in the wrong type is not the same answer. `what`: "`total`"."""
    yours = type_name(found)
    if isinstance(right, Decimal):
        cents = f'Decimal("{round(right, 2)}")' if right == round(right, 2) else "a Decimal"
        why = ": floats lose cents when added up" if isinstance(found, float) else ""
        return (
            f"The right number, in the wrong type: {what} is {found!r}, {article(yours)} {yours}. "
            f"Money is {cents}{why}."
        )
    return (
        f"The right number, in the wrong type: {what} is {found!r} "
        f"({yours}) where {right!r} ({type_name(right)}) is right."
    )


def article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


def plural(count: int, noun: str) -> str:
    """ "1 query", "2 queries", "1,000 rows"."""
    if count == 1 or (noun.endswith("s") and not noun.endswith("ss")):
        return f"{count:,} {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}s"


def listed(names: Iterable[str]) -> str:
    """ "`a`, `b`"."""
    return ", ".join(f"`{name}`" for name in names)


def quiet(value: Any) -> Any:
    """The value as plain builtins, or words for what has none."""
    try:
        return plain(value)
    except Unusable:
        return f"a {type(value).__name__}"
