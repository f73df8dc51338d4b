"""What is wrong with an answer: the difference between two, in words and in a small table.

Single values are compared in values.py, many rows in rows.py. Where the form of an answer makes no
difference, what was given is first read in the form of the right one (`as_rows`, `projected`).
"""

import re
from dataclasses import replace
from typing import Any

from workbook.exercises import rows, values
from workbook.exercises.answers import Object, Rows, Value, key, plain, same
from workbook.exercises.words import ANY, KINDS, Difference, Terms, plural, show, type_name


def difference(
    expected: Value | Rows, given: Value | Rows, terms: Terms = ANY
) -> Difference | None:
    """What is wrong with `given`, or None if it is as good as `expected`."""
    if isinstance(expected, Rows):
        given = as_rows(expected, given)
        if isinstance(given, Value):
            return _not_rows(expected, given)
        return rows.difference(expected, projected(expected, given, terms), terms)
    if isinstance(given, Rows):
        return _not_one_value(expected, given)
    return values.difference(expected, given, terms.columns)


# Forms that are as good as the one asked for --------------------------------------------------


def as_rows(expected: Rows, given: Value | Rows) -> Value | Rows:
    """`{"kg": 3}` as rows of two columns, `unit` and `n`; "b, d" as the letters `["b", "d"]`."""
    if _are_letters(expected):
        if isinstance(given, Rows) and _are_letters(given):
            return replace(given, rows=[(row[0].lower(),) for row in given.rows])
        if isinstance(given, Value) and isinstance(given.value, str):
            letters = re.findall(r"\w", given.value.lower())
            return Rows("flat", ("",), [(letter,) for letter in letters])
    if isinstance(given, Rows):
        return given
    if isinstance(given.value, dict):
        wide = len(expected.columns) == 2 and expected.kind in ("dicts", "tuples")
        if wide and not set(given.value) & set(expected.columns):
            return Rows("tuples", ("", ""), list(given.value.items()))
    return given


def _are_letters(rows: Rows) -> bool:
    return rows.kind == "flat" and all(
        isinstance(row[0], str) and len(row[0]) == 1 for row in rows.rows
    )


def projected(expected: Rows, given: Rows, terms: Terms) -> Rows:
    """What was given, in the kind of the right answer, where it says the same."""
    if not len(expected) or not len(given):
        return given
    if expected.kind == "objects" and not terms.objects and not terms.columns:
        return _naming_objects(expected, given)
    if expected.kind == "dicts" and given.kind == "objects":
        return _with_annotations(expected, given)
    if expected.kind == "dicts" and given.kind == "frame":
        return Rows("dicts", given.columns, given.rows, numbers_only=True)
    return given


def _naming_objects(expected: Rows, given: Rows) -> Rows:
    """Objects told by name or key, for "Which …?": a column that is different in each of them."""
    if given.kind not in ("dicts", "tuples", "flat"):
        return given
    meta = expected.instances[0]._meta
    columns = {c.attname: c for c in meta.concrete_fields}
    columns |= {c.name: c for c in meta.concrete_fields} | {"pk": meta.pk}
    for position, name in enumerate(given.columns):
        values = [row[position] for row in given.rows]
        for column in [columns[name]] if name in columns else meta.concrete_fields:
            tells_apart: dict[Any, Any] = {}
            for instance, row in zip(expected.instances, expected.rows, strict=True):
                value = plain(instance.__dict__.get(column.attname))
                tells_apart[key(value)] = row[0]
            if len(tells_apart) < len(set(expected.rows)) or not _names(column, expected):
                continue
            found = [tells_apart.get(key(value), Object("", value)) for value in values]
            if name in columns or any(item.label for item in found):
                return Rows("objects", ("",), [(item,) for item in found], given.is_set)
    return given


def _names(column: Any, expected: Rows) -> bool:
    """Whether a column's value is a name for its row: a key, or what `str()` gives."""
    instance = expected.instances[0]
    return column.unique or str(instance) == str(instance.__dict__.get(column.attname))


def _with_annotations(expected: Rows, given: Rows) -> Rows:
    """Annotated objects for `values()`, if they carry all of its columns."""
    first = given.instances[0]
    if not all(name in first.__dict__ or f"{name}_id" in first.__dict__
               for name in expected.columns):  # fmt: skip
        return given
    rows = [
        tuple(
            plain(one.__dict__.get(name, one.__dict__.get(f"{name}_id")))
            for name in expected.columns
        )
        for one in given.instances
    ]
    return Rows("dicts", expected.columns, rows, given.is_set)


# Another kind of answer ----------------------------------------------------------------------


def _not_rows(expected: Rows, given: Value) -> Difference:
    if given.value is None:
        return Difference(
            "The last line of the cell gives None. It has to be the answer itself: `print()` and "
            "methods that change something in place give nothing back.",
            form=True,
        )
    found = given.value
    if given.instance is not None:
        return Difference(
            f"The answer is one {found.label}; the task asks for all that fit. "
            "`.get()` and `.first()` stop at one, `.filter()` does not.",
            form=True,
        )
    wanted = KINDS[expected.kind]
    if isinstance(found, int) and found == len(expected):
        return Difference(
            f"{found:,} is how many there are; the task asks for {wanted}.", form=True
        )
    return Difference(
        f"The answer is {show(found)} ({type_name(found)}); the task asks for {wanted}.", form=True
    )


def _not_one_value(expected: Value, given: Rows) -> Difference:
    right = expected.value
    if len(given) == 1 and same(right, given.rows[0][0]):
        if expected.instance is not None:
            return Difference(
                "The right object, but wrapped: the task asks for the object itself, and this is a "
                "QuerySet or list holding it. `.get()` or `.first()` takes it out.",
                form=True,
            )
        return Difference("The right value, but in a list: take it out with `[0]`.", form=True)
    if isinstance(right, int) and not isinstance(right, bool) and len(given) == right:
        return Difference(
            f"These are the right {right:,} rows, but the task asks how many they are.", form=True
        )
    wanted = values.wanted(expected)
    return Difference(
        f"The answer holds {plural(len(given), 'row')}; the task asks for {wanted}.", form=True
    )
