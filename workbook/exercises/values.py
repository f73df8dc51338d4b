"""One value against one: an object, a dict, a number, a text."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Model

from workbook.exercises.answers import Object, Value, plain, same
from workbook.exercises.words import (
    EXAMPLES,
    Difference,
    pair,
    plural,
    quiet,
    show,
    type_name,
    wrong_type,
)


def difference(
    expected: Value, given: Value, columns: Sequence[str] | None = None
) -> Difference | None:
    """What is wrong with the given value, or None. columns: the keys a dict must have."""
    if expected.instance is not None:
        return _object_difference(expected, given)
    if isinstance(expected.value, dict):
        return _dict_difference(expected.value, given.value, columns)
    return _value_difference(expected, given)


def _object_difference(expected: Value, given: Value) -> Difference | None:
    if not same(expected.value, given.value):
        return _value_difference(expected, given)
    if given.instance is None:
        return None
    return loaded_difference([expected.instance], [given.instance])


def _value_difference(expected: Value, given: Value) -> Difference | None:
    right, found = expected.value, given.value
    if same(right, found):
        return None
    if found is None:
        return Difference(
            f"The answer is None; the task asks for {wanted(expected)}. `print()` gives None, and "
            "so does an aggregate over no rows.",
            form=True,
        )
    if isinstance(found, dict) and any(same(right, item) for item in found.values()):
        name = next(name for name, item in found.items() if same(right, item))
        return Difference(
            f'The right value, still inside a dict: take it out with `["{name}"]`.', form=True
        )
    if same(right, found, strict=False):
        return Difference(wrong_type("the answer", right, found), form=True)
    types = ["", ""]
    if type(found) is not type(right):
        types = [f" ({type_name(item)})" for item in (found, right)]
    return Difference(
        f"Your answer is {show(found)}{types[0]}; {show(right)}{types[1]} is right.",
        form=isinstance(found, (dict, list, str)) and type(found) is not type(right),
    )


def wanted(expected: Value) -> str:
    if expected.instance is not None:
        return f"one {expected.value.label}"
    names = {
        int: "one whole number",
        float: "one number",
        Decimal: "one amount, a Decimal",
        bool: "True or False",
        str: "one text",
        dict: "a dict",
    }
    return names.get(type(expected.value), f"one value of type {type_name(expected.value)}")


# A dict ---------------------------------------------------------------------------------------


def _dict_difference(right: dict, found: Any, columns: Sequence[str] | None) -> Difference | None:
    if not isinstance(found, dict):
        if any(same(item, found) for item in right.values()):
            sentence = f"The right value, but the task asks for it in a dict: {_keys(right)}."
        else:
            sentence = (
                f"The answer is {show(found)} ({type_name(found)}); the task asks for a dict: "
                f"{_keys(right)}."
            )
        return Difference(sentence, form=True)
    if columns is None and set(right) != set(found) and _are_names(right) and _are_names(found):
        right = _renamed(right, found) or right
    return _missing_keys(right, found) or _differing_values(right, found)


def _missing_keys(right: dict, found: dict) -> Difference | None:
    missing = [show(name) for name in right if name not in found]
    extra = [show(name) for name in found if name not in right]
    if not missing and not extra:
        return None
    parts = [f"missing: {', '.join(missing[:EXAMPLES])}"] if missing else []
    parts += [f"too many: {', '.join(extra[:EXAMPLES])}"] if extra else []
    return Difference(
        f"The dict should hold {plural(len(right), 'key')}, yours holds {len(found):,} "
        f"({'; '.join(parts)}).",
        form=True,
    )


def _differing_values(right: dict, found: dict) -> Difference | None:
    wrong = [name for name in right if not same(right[name], found[name], strict=False)]
    if wrong:
        name = wrong[0]
        if all(isinstance(right[n], Object) and not isinstance(found[n], Object) for n in wrong):
            return Difference(
                f"The values should be {right[name].label} objects; yours are like "
                f"{show(found[name])} ({type_name(found[name])}).",
                form=True,
            )
        count = f"{len(wrong):,} of {plural(len(right), 'value')} differ. " if right else ""
        if len(right) == 1:
            count = ""
        elif len(wrong) == 1:
            count = f"1 of {plural(len(right), 'value')} differs. "
        return Difference(f"{count}`{show(name)}`: {pair(found[name], right[name])}.")
    mistyped = next((name for name in right if not same(right[name], found[name])), None)
    if mistyped is None:
        return None
    what = f"`{show(mistyped)}`"
    return Difference(wrong_type(what, right[mistyped], found[mistyped]), form=True)


def _keys(right: dict) -> str:
    names = [show(name) for name in right]
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _are_names(mapping: dict) -> bool:
    return all(isinstance(name, str) and name.isidentifier() for name in mapping)


def _renamed(right: dict, found: dict) -> dict | None:
    """`right` under the names of `found`, paired by value; None if they do not pair up."""
    left, renamed = dict(found), {}
    for item in right.values():
        twin = next((k for k, v in left.items() if same(item, v, strict=False)), None)
        if twin is None:
            return None
        del left[twin]
        renamed[twin] = item
    return None if left else renamed


# What objects carry ---------------------------------------------------------------------------


def loaded_difference(expected: list[Model], given: list[Model]) -> Difference | None:
    """Same objects: do they also carry the same values?"""
    right_of = {instance.pk: instance for instance in expected}
    for instance in given:
        right = _loaded(right_of[instance.pk])
        for name, value in _loaded(instance).items():
            if name in right and not same(quiet(right[name]), quiet(value)):
                return Difference(
                    f"The right {instance._meta.verbose_name_plural}, but {name} of "
                    f"{show(plain(instance))}: {pair(quiet(value), quiet(right[name]))}."
                )
    return None


def _loaded(instance: Model) -> dict[str, Any]:
    """The field values an instance carries, without asking the database; clocks left out."""
    return {
        column.attname: instance.__dict__[column.attname]
        for column in instance._meta.concrete_fields
        if column.attname in instance.__dict__
        and not getattr(column, "auto_now", False)
        and not getattr(column, "auto_now_add", False)
    }
