"""Predictions: an answer about code that the task shows. A wrong one is not told the right one."""

from workbook.exercises.answers import Rows, Value, key, same
from workbook.exercises.comparison import as_rows
from workbook.exercises.words import listed, plural, show

HOW = "Go through the code line by line, or run it in a cell of its own and read the report."


def wrong(expected: Value | Rows | None, given: Value | Rows | None) -> str:
    """What is wrong with a prediction; "" if it is of another kind than the right one."""
    if picked := choices(expected, given):
        extra, missing = picked
        parts = [f"{_number(extra)} not belong in it" if extra else ""]
        parts += [f"{_number(missing, 'is', 'are')} missing" if missing else ""]
        return f"In your answer {' and '.join(filter(None, parts))}. {HOW}"
    if not isinstance(expected, Value) or not isinstance(given, Value):
        return ""
    right, found = expected.value, given.value
    if isinstance(right, dict) and isinstance(found, dict) and right.keys() == found.keys():
        names = [name for name in right if not same(right[name], found[name])]
        return f"{plural(len(names), 'value')} of {len(right)} {_is(names)} wrong: {listed(names)}."
    numbers = isinstance(right, int | float) and isinstance(found, int | float)
    if numbers and not isinstance(right, bool) and not isinstance(found, bool):
        return f"{show(found)} is too {'many' if found > right else 'few'}. {HOW}"
    return f"{show(found)} is not right. {HOW}" if type(right) is type(found) else ""


def choices(expected: Value | Rows | None, given: Value | Rows | None) -> tuple[set, set] | None:
    """The choices that are too many and those that are missing; None if nothing was to choose."""
    if not isinstance(expected, Rows) or given is None:
        return None
    given = as_rows(expected, given)
    if not isinstance(given, Rows) or len(given.columns) != 1:
        return None
    right, found = ({key(row[0]) for row in rows.rows} for rows in (expected, given))
    return found - right, right - found


def _number(names: set, one: str = "does", many: str = "do") -> str:
    return f"{len(names)} {one if len(names) == 1 else many}"


def _is(names: list) -> str:
    return "is" if len(names) == 1 else "are"
