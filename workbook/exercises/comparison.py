"""What is wrong with an answer: the difference between two, in words and in a small table."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model

from workbook.exercises.answers import Object, Rows, Unusable, Value, key, plain, same

EXAMPLES = 3


@dataclass
class Difference:
    """A sentence that is true of the answer, and rows that show it (header first)."""

    sentence: str
    table: list[list[str]] = field(default_factory=list)


# Words --------------------------------------------------------------------------------------


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
        return f"{value:%Y-%m-%d %H:%M}" + (" UTC" if value.tzinfo else "")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show, value)) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _pair(given: Any, expected: Any) -> str:
    """ "yours 5.0, right 6.0", with the types where it is they that differ."""
    if isinstance(expected, Object):
        return f"yours is {show(given)}, right is the object {show(expected)}"
    if type(given) is not type(expected):
        return (
            f"yours is {show(given)} ({_type(given)}), right is {show(expected)} "
            f"({_type(expected)})"
        )
    return f"yours {show(given)}, right {show(expected)}"


def _type(value: Any) -> str:
    return value.label if isinstance(value, Object) else type(value).__name__


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 or noun.endswith("s") else "s")


def _them(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_KINDS = {
    "objects": "model objects",
    "dicts": "dicts, as `values()` gives",
    "tuples": "tuples, as `values_list()` gives",
    "flat": "single values, as `values_list(…, flat=True)` gives",
    "frame": "a DataFrame",
}


# Differences --------------------------------------------------------------------------------


def difference(
    expected: Value | Rows,
    given: Value | Rows,
    *,
    ordered: bool = False,
    columns: Sequence[str] | None = None,
    mentioned: Sequence[str] = (),
) -> Difference | None:
    """What is wrong with `given`, or None if it is as good as `expected`.

    mentioned: field names worth showing when model objects are put in a table.
    """
    if isinstance(expected, Value):
        return _value_difference(expected, given, columns)
    if isinstance(given, Value):
        return _not_rows(expected, given)
    return _Comparison(expected, given, ordered, columns, mentioned).difference()


def _not_rows(expected: Rows, given: Value) -> Difference:
    if given.value is None:
        return Difference(
            "The last line of the cell gives None. It has to be the answer itself: `print()` and "
            "methods that change something in place give nothing back."
        )
    found = given.value
    if given.instance is not None:
        return Difference(
            f"The answer is one {found.label}; the task asks for all that fit. "
            "`.get()` and `.first()` stop at one, `.filter()` does not."
        )
    wanted = _KINDS[expected.kind]
    if isinstance(found, int) and found == len(expected):
        return Difference(f"{found:,} is how many there are; the task asks for {wanted}.")
    return Difference(f"The answer is {show(found)} ({_type(found)}); the task asks for {wanted}.")


def _value_difference(
    expected: Value, given: Value | Rows, columns: Sequence[str] | None
) -> Difference | None:
    right = expected.value
    if isinstance(given, Rows):
        if expected.instance is not None and len(given) == 1 and same(right, given.rows[0][0]):
            return Difference(
                "The right object, but wrapped: the task asks for the object itself, and this is a "
                "QuerySet or list holding it. `.get()` or `.first()` takes it out."
            )
        if len(given) == 1 and given.kind != "objects" and same(right, given.rows[0][0]):
            return Difference(
                f"The right value, but wrapped in {_KINDS[given.kind]}: take it out, e.g. `[0]`."
            )
        if isinstance(right, int) and not isinstance(right, bool) and len(given) == right:
            return Difference(
                f"These are the right {right:,} rows, but the task asks how many they are."
            )
        return Difference(
            f"The answer holds {plural(len(given), 'row')}; the task asks for {_wanted(expected)}."
        )
    found = given.value
    if isinstance(right, dict):
        return _dict_difference(right, found, columns)
    if same(right, found):
        return _field_difference(expected, given)
    if found is None:
        return Difference(
            f"The answer is None; the task asks for {_wanted(expected)}. `print()` gives None, and "
            "so does an aggregate over no rows."
        )
    if isinstance(found, dict) and any(same(right, item) for item in found.values()):
        name = next(name for name, item in found.items() if same(right, item))
        return Difference(f'The right value, still inside a dict: take it out with `["{name}"]`.')
    if same(right, found, strict=False):
        return Difference(_type_sentence("The answer", right, found))
    types = [
        f" ({_type(item)})"
        if type(item) is not type(right) or type(item) is not type(found)
        else ""
        for item in (found, right)
    ]
    return Difference(f"Your answer is {show(found)}{types[0]}; {show(right)}{types[1]} is right.")


def _wanted(expected: Value) -> str:
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
    return names.get(type(expected.value), f"one value of type {_type(expected.value)}")


def _type_sentence(what: str, right: Any, found: Any) -> str:
    """Why the right number in the wrong type is not the same answer."""
    yours, wanted = _type(found), _type(right)
    if isinstance(right, Decimal):
        cents = f'Decimal("{round(right, 2)}")' if right == round(right, 2) else "a Decimal"
        return (
            f"The right number, in the wrong type: {what[:1].lower() + what[1:]} is {found!r}, "
            f"a {yours}. Money is {cents}: floats lose cents when added up."
        )
    return (
        f"The right number, in the wrong type: {what[:1].lower() + what[1:]} is {found!r} "
        f"({yours}) where {right!r} ({wanted}) is right."
    )


def _dict_difference(right: dict, found: Any, columns: Sequence[str] | None) -> Difference | None:
    if not isinstance(found, dict):
        if any(same(item, found) for item in right.values()):
            return Difference(
                f"The right value, but the task asks for it in a dict: {_keys(right)}."
            )
        return Difference(
            f"The answer is {show(found)} ({_type(found)}); the task asks for a dict: "
            f"{_keys(right)}."
        )
    if columns is None and set(right) != set(found) and _are_names(right) and _are_names(found):
        # Free names, as aggregate() gives them: pair them by value where that is possible.
        left = dict(found)
        for item in right.values():
            twin = next((k for k, v in left.items() if same(item, v, strict=False)), None)
            if twin is None:
                break
            del left[twin]
        else:
            if not left:
                right, found = _renamed(right, found), found
    missing = [show(name) for name in right if name not in found]
    extra = [show(name) for name in found if name not in right]
    if missing or extra:
        parts = [f"missing: {', '.join(missing[:EXAMPLES])}"] if missing else []
        parts += [f"too many: {', '.join(extra[:EXAMPLES])}"] if extra else []
        return Difference(
            f"The dict should hold {plural(len(right), 'key')}, yours holds {len(found):,} "
            f"({'; '.join(parts)})."
        )
    for strict in (False, True):
        wrong = [name for name in right if not same(right[name], found[name], strict)]
        if wrong and strict:
            name = wrong[0]
            return Difference(_type_sentence(f"`{show(name)}`", right[name], found[name]))
        if wrong:
            name = wrong[0]
            count = (
                f"{len(wrong):,} of {plural(len(right), 'value')} differ. "
                if len(right) > 1
                else ""
            )
            return Difference(f"{count}`{show(name)}`: {_pair(found[name], right[name])}.")
    return None


def _keys(right: dict) -> str:
    names = [show(name) for name in right]
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _are_names(mapping: dict) -> bool:
    return all(isinstance(name, str) and name.isidentifier() for name in mapping)


def _renamed(right: dict, found: dict) -> dict:
    """`right` under the names of `found`, paired by value."""
    left, renamed = dict(found), {}
    for item in right.values():
        twin = next(k for k, v in left.items() if same(item, v, strict=False))
        del left[twin]
        renamed[twin] = item
    return renamed


def _loaded(instance: Model) -> dict[str, Any]:
    """The field values an instance carries, without asking the database; clocks left out."""
    return {
        column.attname: instance.__dict__[column.attname]
        for column in instance._meta.concrete_fields
        if column.attname in instance.__dict__
        and not getattr(column, "auto_now", False)
        and not getattr(column, "auto_now_add", False)
    }


def _field_difference(expected: Value, given: Value) -> Difference | None:
    if expected.instance is None or given.instance is None:
        return None
    return _loaded_difference([expected.instance], [given.instance])


def _loaded_difference(expected: list[Model], given: list[Model]) -> Difference | None:
    """Same objects: do they also carry the same values?"""
    right_of = {instance.pk: instance for instance in expected}
    for instance in given:
        right = _loaded(right_of[instance.pk])
        for name, value in _loaded(instance).items():
            if name in right and not same(_quiet(right[name]), _quiet(value)):
                return Difference(
                    f"The right {instance._meta.verbose_name_plural}, but {name} of "
                    f"{show(plain(instance))}: {_pair(_quiet(value), _quiet(right[name]))}."
                )
    return None


def _quiet(value: Any) -> Any:
    try:
        return plain(value)
    except Unusable:
        return f"a {type(value).__name__}"


class _Comparison:
    """Rows against rows, from the coarse (kind, columns) to the fine (cells, order, types)."""

    def __init__(self, expected, given, ordered, columns, mentioned):
        self.expected: Rows = expected
        self.given: Rows = given
        self.ordered = ordered or expected.is_tuple
        self.columns = columns
        self.mentioned = mentioned

    def difference(self) -> Difference | None:
        expected, given = self.expected, self.given
        if not len(given):
            return self._empty() if len(expected) else None
        return (
            (self._kind() if len(expected) else None)
            or (self._line_up_columns() if len(expected) else None)
            or self._dtypes()
            or self._rows()
            or self._annotations()
            or (
                _loaded_difference(expected.instances, given.instances) if given.instances else None
            )
        )

    def _noun(self) -> str:
        for rows in (self.expected, self.given):
            if rows.instances:
                return str(rows.instances[0]._meta.verbose_name_plural)
        return "rows"

    def _counted(self, count: int) -> str:
        noun = self._noun()
        if count == 1:
            rows = self.expected if self.expected.instances else self.given
            noun = str(rows.instances[0]._meta.verbose_name) if rows.instances else "row"
        return f"{count:,} {noun}"

    def _empty(self) -> Difference:
        count = len(self.expected)
        return Difference(
            f"The answer is empty; {self._counted(count)} {'is' if count == 1 else 'are'} right.",
            self._table([("missing", position, "expected") for position in range(min(count, 3))]),
        )

    def _kind(self) -> Difference | None:
        wanted, found = self.expected.kind, self.given.kind
        if self.given.is_set and self.ordered:
            return Difference("A set has no order, and here the order matters: use a list.")
        if "frame" in (wanted, found) and wanted != found:
            return Difference(
                "The task asks for a DataFrame: `frame(queryset)` makes one."
                if wanted == "frame"
                else f"The task asks for {_KINDS[wanted]}, and this is a DataFrame."
            )
        if "objects" in (wanted, found) and wanted != found:
            if self.expected.instances:
                model = self.expected.instances[0]._meta.object_name
                return Difference(
                    f"The task asks for {model} objects, and these are {_KINDS[found]}."
                )
            model = self.given.instances[0]._meta.object_name
            return Difference(
                f"The task asks for {_KINDS[wanted]}, and these are whole {model} objects."
            )
        if wanted == "objects":
            models = {row[0].label for row in self.expected.rows}
            strangers = sorted({row[0].label for row in self.given.rows} - models)
            if strangers:
                return Difference(
                    f"The task asks for {' and '.join(sorted(models))} objects, and these are "
                    f"{' and '.join(strangers)} objects: start from `{sorted(models)[0]}.objects`."
                )
        return None

    def _line_up_columns(self) -> Difference | None:
        """Bring the given columns into the expected order, by name or by what they hold."""
        expected, given = self.expected, self.given
        if expected.kind in ("objects", "flat") and given.kind == expected.kind:
            return None
        fixed = self.columns if expected.kind in ("dicts", "frame") else None
        named = given.kind in ("dicts", "frame")
        if fixed is not None and named and set(fixed) != set(given.columns):
            return self._wrong_names(fixed)
        if len(expected.columns) != len(given.columns):
            return self._wrong_names(fixed) if named else self._wrong_width()
        if expected.kind == given.kind == "tuples":
            return None if self._columns_agree(range(len(given.columns))) else self._swapped()
        order = self._order_of_columns()
        given.rows = [tuple(row[position] for position in order) for row in given.rows]
        given.columns = expected.columns
        given.dtypes = tuple(given.dtypes[position] for position in order) if given.dtypes else ()
        return None

    def _wrong_names(self, fixed: Sequence[str] | None) -> Difference:
        wanted, found = fixed or self.expected.columns, self.given.columns
        missing = [name for name in wanted if name not in found]
        extra = [name for name in found if name not in wanted]
        if not fixed and len(found) > len(wanted) and missing:
            return self._wrong_width()
        if missing and extra:
            return Difference(f"The columns should be {_them(wanted)}; yours are {_them(found)}.")
        if missing:
            return Difference(f"Missing: {_them(missing)}. The columns are {_them(wanted)}.")
        return Difference(f"Too many columns: the task does not ask for {_them(extra)}.")

    def _wrong_width(self) -> Difference:
        wanted, found = len(self.expected.columns), len(self.given.columns)
        names = _them(name for name in self.expected.columns if name)
        return Difference(
            f"Each row should hold {plural(wanted, 'value')}{f' ({names})' if names else ''}; "
            f"yours {'holds' if found == 1 else 'hold'} {found}, for example "
            f"{show(self.given.rows[0])}."
        )

    def _column(self, rows: Rows, position: int) -> Counter:
        return Counter(key(row[position], strict=False) for row in rows.rows)

    def _columns_agree(self, order: Iterable[int]) -> bool:
        """Whether each column holds plausible values for its place; false only if a swap helps."""
        pairs = list(enumerate(order))
        if all(self._column(self.expected, e) == self._column(self.given, g) for e, g in pairs):
            return True
        swapped = self._order_of_columns(positions_first=False)
        return not (
            list(swapped) != list(range(len(pairs)))
            and all(
                self._column(self.expected, e) == self._column(self.given, g)
                for e, g in enumerate(swapped)
            )
        )

    def _swapped(self) -> Difference:
        return Difference(
            "The right values, but the columns stand in another order: a row should read "
            f"{show(self.expected.rows[0])}, yours read like {show(self.given.rows[0])}."
        )

    def _order_of_columns(self, positions_first: bool = True) -> list[int]:
        """For each expected column the position of its partner in the given rows."""
        expected, given = self.expected, self.given
        free = list(range(len(given.columns)))
        order: list[int | None] = [None] * len(expected.columns)
        if any(given.columns):
            for position, name in enumerate(expected.columns):
                if name and name in given.columns:
                    order[position] = given.columns.index(name)
                    free.remove(order[position])
        contents = {position: self._column(given, position) for position in free}
        for position in range(len(order)):
            if order[position] is None:
                wanted = self._column(expected, position)
                candidates = sorted(free, key=lambda other: other != position)
                partner = next((other for other in candidates if contents[other] == wanted), None)
                if partner is not None:
                    order[position] = partner
                    free.remove(partner)
        return [free.pop(0) if partner is None else partner for partner in order]

    def _dtypes(self) -> Difference | None:
        if self.expected.kind != "frame" or not len(self.expected):
            return None
        for name, wanted, found in zip(
            self.expected.columns, self.expected.dtypes, self.given.dtypes, strict=True
        ):
            if wanted != found:
                cure = (
                    " pandas cannot compute with those quickly: `frame(queryset)` gives numbers."
                    if wanted == "numbers"
                    else ""
                )
                return Difference(f"Column `{name}` holds {found} where {wanted} are right.{cure}")
        return None

    def _rows(self) -> Difference | None:
        strict = self.expected.kind != "frame"
        right = [key(row, strict) for row in self.expected.rows]
        found = [key(row, strict) for row in self.given.rows]
        if Counter(right) != Counter(found):
            return self._types(strict) or self._unequal(right, found)
        if self.ordered and right != found:
            first = next(
                i for i, pair in enumerate(zip(right, found, strict=True)) if pair[0] != pair[1]
            )
            return Difference(
                f"The right {self._noun()}, in the wrong order, first at row {first + 1}:",
                self._table([("yours", first, "given"), ("right", first, "expected")]),
            )
        return None

    def _types(self, strict: bool) -> Difference | None:
        """Right numbers of the wrong type."""
        if not strict:
            return None
        right = Counter(key(row, strict=False) for row in self.expected.rows)
        if right != Counter(key(row, strict=False) for row in self.given.rows):
            return None
        wanted = {key(row, strict=False): row for row in self.expected.rows}
        for row in self.given.rows:
            for position, (r, g) in enumerate(
                zip(wanted[key(row, strict=False)], row, strict=True)
            ):
                if not same(r, g):
                    name = self.expected.columns[position]
                    what = f"`{name}`" if name else "a value"
                    return Difference(_type_sentence(what, r, g))
        return None

    def _unequal(self, right: list, found: list) -> Difference:
        if set(right) == set(found):
            return self._repeated(right, found)
        missing = _positions(right, found)
        extra = _positions(found, right)
        if cells := self._cells(missing, extra):
            return cells
        parts, examples = [], []
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            parts.append(f"{self._counted(len(missing))} {verb} missing")
            examples += [("missing", position, "expected") for position in missing]
        if extra:
            noun = self._counted(len(extra)) if not missing else f"{len(extra):,}"
            verb = "does" if len(extra) == 1 else "do"
            parts.append(f"{noun} {verb} not belong")
            examples += [("too many", position, "given") for position in extra]
        if missing and extra:
            half = min(len(missing), max(EXAMPLES - len(extra), 2))
            examples = examples[:half] + examples[len(missing) :]
        sentence = " and ".join(parts)
        return Difference(
            f"{sentence}, of {len(right):,} right and {len(found):,} given. For example:",
            self._table(examples[:EXAMPLES]),
        )

    def _repeated(self, right: list, found: list) -> Difference:
        wanted, counts = Counter(right), Counter(found)
        again = [k for k in counts if counts[k] > wanted[k]]
        if not again:
            short = next(k for k in wanted if counts[k] < wanted[k])
            return Difference(
                f"The right {self._noun()}, but some belong in the answer more than once: "
                f"{len(right):,} rows are right, yours holds {len(found):,}. For example, "
                f"{wanted[short]} times:",
                self._table([("", right.index(short), "expected")]),
            )
        factors = {counts[k] / wanted[k] for k in counts}
        if len(factors) == 1:
            factor = factors.pop()
            often = "but each comes twice" if factor == 2 else f"but each comes {factor:g} times"
        else:
            often = f"but {plural(len(again), 'row')} of {len(wanted):,} come more than once"
        most = max(again, key=lambda k: counts[k])
        position = found.index(most)
        return Difference(
            f"The right {self._noun()}, {often}: {len(right):,} rows are right, yours holds "
            f"{len(found):,}. For example, {counts[most]} times instead of {wanted[most]}:",
            self._table([("", position, "given")]),
        )

    def _cells(self, missing: list[int], extra: list[int]) -> Difference | None:
        """Rows that agree in a column which identifies them, and differ in another."""
        width = len(self.expected.columns)
        if width < 2 or not missing or not extra:
            return None
        for identity in self._identities():
            names = [self._part(row, identity) for row in self.expected.rows]
            if len(set(names)) != len(names):
                continue
            right_of = {names[i]: self.expected.rows[i] for i in missing}
            pairs = [
                (right_of[name], self.given.rows[i])
                for i in extra
                if (name := self._part(self.given.rows[i], identity)) in right_of
            ]
            if len(pairs) >= max(len(missing), len(extra), 2) / 2:
                return self._differing_cells(pairs, identity, len(missing) - len(pairs))
        return None

    def _identities(self) -> list[tuple[int, ...]]:
        """Columns that may tell rows apart: each alone, texts first, then all but one."""
        width = range(len(self.expected.columns))
        first = self.expected.rows[0]
        alone = sorted(width, key=lambda c: not isinstance(first[c], str))
        return [(c,) for c in alone] + [tuple(c for c in width if c != one) for one in width]

    @staticmethod
    def _part(row: tuple, columns: tuple[int, ...]) -> tuple:
        return tuple(key(row[c], strict=False) for c in columns)

    def _differing_cells(self, pairs: list, identity: tuple[int, ...], missing: int) -> Difference:
        column = next(
            c
            for c in range(len(self.expected.columns))
            if any(not same(r[c], g[c]) for r, g in pairs)
        )
        wrong = [(r, g) for r, g in pairs if not same(r[column], g[column])]
        name = self.expected.columns[column]
        right, given = wrong[0]
        more = f" Besides, {plural(missing, 'row')} missing." if missing > 0 else ""
        return Difference(
            f"{plural(len(wrong), 'row')} {'has' if len(wrong) == 1 else 'have'} "
            f"{self._direction(wrong, column)} {f'`{name}`' if name else 'value'}, for example "
            f"{self._called(identity[0], right[identity[0]])}: "
            f"{_pair(given[column], right[column])}.{more}"
        )

    def _called(self, column: int, value: Any) -> str:
        name = self.expected.columns[column]
        return show(value) if isinstance(value, str) or not name else f"{name} {show(value)}"

    @staticmethod
    def _direction(pairs: list, column: int) -> str:
        numbers = (int, float, Decimal)
        cells = [(r[column], g[column]) for r, g in pairs]
        if all(isinstance(r, numbers) and isinstance(g, numbers) for r, g in cells):
            if all(g > r for r, g in cells):
                return "too large a"
            if all(g < r for r, g in cells):
                return "too small a"
        return "a wrong"

    def _annotations(self) -> Difference | None:
        if not self.columns or not self.given.instances:
            return None
        right_of = {instance.pk: instance for instance in self.expected.instances}
        for instance in self.given.instances:
            for name in self.columns:
                if not hasattr(instance, name):
                    return Difference(
                        f"The right {self._noun()}, but without `{name}`: annotate them with it."
                    )
                right, found = (
                    plain(getattr(right_of[instance.pk], name)),
                    plain(getattr(instance, name)),
                )
                if same(right, found):
                    continue
                if same(right, found, strict=False):
                    return Difference(_type_sentence(f"`{name}`", right, found))
                return Difference(
                    f"The right {self._noun()}, but `{name}` of {instance}: {_pair(found, right)}."
                )
        return None

    def _table(self, examples: list[tuple[str, int, str]]) -> list[list[str]]:
        """Header and rows: what is the matter with the row, then the row."""
        sides = {"expected": self.expected, "given": self.given}
        shown, header = [], None
        for label, position, side in examples:
            rows = sides[side]
            if rows.instances:
                header, cells = self._object_cells(rows.instances[position])
            else:
                names = self.expected.columns if any(self.expected.columns) else rows.columns
                header = [name or "value" for name in names][: len(rows.rows[position])]
                cells = [show(cell) for cell in rows.rows[position]]
            shown.append([label, *cells])
        return [["", *header], *shown] if shown else []

    def _object_cells(self, instance: Model) -> tuple[list[str], list[str]]:
        meta = instance._meta
        loaded = {c.attname: instance.__dict__.get(c.attname) for c in meta.concrete_fields}
        names = [name for name in self.mentioned if name in loaded and name != meta.pk.attname]
        first = next((c.attname for c in meta.concrete_fields if c.attname == "name"), None)
        names = list(dict.fromkeys(([first] if first else []) + names))[:4]
        if not names:
            return [meta.pk.attname, meta.object_name], [show(instance.pk), show(str(instance))]
        return [meta.pk.attname, *names], [
            show(instance.pk),
            *(show(_quiet(loaded[name])) for name in names),
        ]


def _positions(these: list, others: list) -> list[int]:
    """Positions in `these` of what `others` lacks, counting duplicates."""
    left = Counter(others)
    positions = []
    for position, item in enumerate(these):
        if left[item]:
            left[item] -= 1
        else:
            positions.append(position)
    return positions


def mentioned_fields(statements: Iterable[str], model: type[Model] | None) -> list[str]:
    """The model's fields that the statements filter or sort by, as they first appear."""
    if model is None:
        return []
    text = " ".join(
        sql.partition(" WHERE ")[2] or sql.partition(" ORDER BY ")[2] for sql in statements
    )
    columns = {c.column: c.attname for c in model._meta.concrete_fields}
    words = re.findall(r'"(\w+)"|`(\w+)`', text)
    return list(dict.fromkeys(columns[w] for pair in words for w in pair if w in columns))
