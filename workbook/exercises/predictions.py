"""Predictions: an answer about code that the task shows. A wrong one is not told the right one."""

from collections import Counter

from workbook.exercises.answers import Rows, Value, key, same
from workbook.exercises.comparison import as_rows
from workbook.exercises.running import Outcome
from workbook.exercises.values import wanted
from workbook.exercises.words import listed, plural, show, type_name

HOW = "Go through the code line by line, or run it in a cell of its own and read the report."


def right(expected: Value | Rows | None, given: Value | Rows | None) -> bool:
    """Whether a prediction is right: as a number, whatever its type."""
    both = isinstance(expected, Value) and isinstance(given, Value)
    return both and same(expected.value, given.value, strict=False)


def wrong(expected: Value | Rows | None, given: Value | Rows | None) -> str:
    """What is wrong with a prediction; "" if it is of another kind than the right one."""
    if picked := choices(expected, given):
        extra, missing = picked
        if not (extra or missing):
            return "These are the right values, in another order or number than asked for."
        parts = [f"{_number(extra)} not belong in it" if extra else ""]
        parts += [f"{_number(missing, 'is', 'are')} missing" if missing else ""]
        return f"In your answer {' and '.join(filter(None, parts))}. {HOW}"
    if not isinstance(expected, Value) or not isinstance(given, Value):
        return ""
    if type(expected.value) is not type(given.value):
        return (
            f"Your answer is {show(given.value)} ({type_name(given.value)}); the task asks for "
            f"{wanted(expected)}."
        )
    right, found = expected.value, given.value
    if isinstance(right, dict):
        if right.keys() != found.keys():
            return ""
        names = [name for name in right if not same(right[name], found[name], strict=False)]
        return f"{plural(len(names), 'value')} of {len(right)} {_is(names)} wrong: {listed(names)}."
    numbers = isinstance(right, int | float) and isinstance(found, int | float)
    if numbers and not isinstance(right, bool) and not isinstance(found, bool):
        return f"{show(found)} is too {'many' if found > right else 'few'}. {HOW}"
    return f"{show(found)} is not right. {HOW}"


def measured(given: Value | Rows | None, expected: Outcome) -> str:
    """Which lines run queries, for who predicts their number wrongly; "" where it is not that
    which the model answer measures."""
    queries, right = expected.capture.queries, expected.value
    if not isinstance(given, Value) or not isinstance(right, Value):
        return ""
    numbers = type(given.value) is int and type(right.value) is int
    if not numbers or given.value == right.value or right.value != len(queries):
        return ""
    lines = Counter(query.place.text.strip() for query in queries if query.place)
    if not lines:
        return ""
    busiest, often = lines.most_common(1)[0]
    if given.value < right.value and often > 1:
        return f"`{busiest}` alone runs {plural(often, 'query')}, one each time it is reached."
    which = "Only one line runs" if len(lines) == 1 else f"Only {len(lines)} lines run"
    return f"{which} queries: {listed(lines)}."


def choices(expected: Value | Rows | None, given: Value | Rows | None) -> tuple[set, set] | None:
    """The choices that are too many and those that are missing; None if nothing was to choose."""
    if not isinstance(expected, Rows) or given is None:
        return None
    given = as_rows(expected, given)
    if not isinstance(given, Rows) or len(given.columns) != 1:
        return None
    right, found = ({key(row[0]) for row in rows.rows} for rows in (expected, given))
    return found - right, right - found


def mistakes(expected: Value | Rows | None, given: Value | Rows | None) -> set:
    """What is wrong with choices, or with the values of a dict, one by one."""
    if picked := choices(expected, given):
        extra, missing = picked
        return {("extra", one) for one in extra} | {("missing", one) for one in missing}
    if not isinstance(expected, Value) or not isinstance(given, Value):
        return set()
    right, found = expected.value, given.value
    if not isinstance(right, dict) or not isinstance(found, dict):
        return set()
    return {
        name for name in right if name in found and not same(right[name], found[name], strict=False)
    }


def _number(names: set, one: str = "does", many: str = "do") -> str:
    return f"{len(names)} {one if len(names) == 1 else many}"


def _is(names: list) -> str:
    return "is" if len(names) == 1 else "are"
