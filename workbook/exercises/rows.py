"""Rows against rows: from the coarse (kind, columns) to the fine (cells, order, types)."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Model

from workbook.exercises.answers import Rows, key, plain, same
from workbook.exercises.values import loaded_difference
from workbook.exercises.words import (
    ANY,
    EXAMPLES,
    KINDS,
    Difference,
    Terms,
    listed,
    pair,
    plural,
    quiet,
    show,
    wrong_type,
)


def difference(expected: Rows, given: Rows, terms: Terms) -> Difference | None:
    """What is wrong with the given rows, or None if they are as good as the expected ones."""
    if not len(given):
        return _empty(expected, terms) if len(expected) else None
    if len(expected):
        lined_up = _other_kind(expected, given, terms) or _lined_up(expected, given, terms)
        if isinstance(lined_up, Difference):
            return lined_up
        given = lined_up
    return (
        _other_dtypes(expected, given)
        or _other_rows(expected, given, terms)
        or _other_annotations(expected, given, terms)
        or (loaded_difference(expected.instances, given.instances) if given.instances else None)
    )


# Kind and columns -----------------------------------------------------------------------------


def _noun(rows: Rows) -> str:
    return str(rows.instances[0]._meta.verbose_name_plural) if rows.instances else "rows"


def _counted(rows: Rows, count: int) -> str:
    """ "12 products", "1 product", "3 rows"."""
    if rows.instances and count == 1:
        return f"1 {rows.instances[0]._meta.verbose_name}"
    return f"{count:,} {_noun(rows)}" if rows.instances else plural(count, "row")


def _empty(expected: Rows, terms: Terms) -> Difference:
    verb = "is" if len(expected) == 1 else "are"
    examples = [("missing", expected, at) for at in range(min(len(expected), EXAMPLES))]
    return Difference(
        f"The answer is empty; {_counted(expected, len(expected))} {verb} right.",
        _table(expected, examples, terms),
    )


def _other_kind(expected: Rows, given: Rows, terms: Terms) -> Difference | None:
    wanted, found = expected.kind, given.kind
    if given.is_set and (terms.ordered or expected.is_tuple):
        return _form("A set has no order, and here the order matters: use a list.")
    if wanted == "frame" != found:
        return _form("The task asks for a DataFrame: `frame(queryset)` makes one.")
    if found == "frame" != wanted:
        return _form(f"The task asks for {KINDS[wanted]}, and this is a DataFrame.")
    if wanted == "objects" != found:
        model = expected.instances[0]._meta.object_name
        return _form(f"The task asks for {model} objects, and these are {KINDS[found]}.")
    if found == "objects" != wanted:
        model = given.instances[0]._meta.object_name
        return _form(f"The task asks for {KINDS[wanted]}, and these are whole {model} objects.")
    if wanted == "objects":
        model = expected.instances[0]._meta.object_name
        strangers = sorted({row[0].label for row in given.rows} - {model, ""})
        if strangers:
            return _form(
                f"The task asks for {model} objects, and these are {' and '.join(strangers)} "
                f"objects: start from `{model}.objects`."
            )
    return None


def _form(sentence: str) -> Difference:
    return Difference(sentence, form=True)


def _lined_up(expected: Rows, given: Rows, terms: Terms) -> Difference | Rows:
    """The given rows with their columns in the order of the expected ones, paired by name or by
    what they hold; or what is wrong with the columns."""
    if expected.kind == given.kind and expected.kind in ("objects", "flat"):
        return given
    fixed = terms.columns if expected.kind in ("dicts", "frame") else None
    wanted = fixed or expected.columns
    given = _without_keys(wanted, given)
    named = given.kind in ("dicts", "frame")
    if fixed is not None and named and set(fixed) != set(given.columns):
        return _wrong_names(expected, given, fixed)
    if len(wanted) != len(given.columns):
        return _wrong_names(expected, given, fixed) if named else _wrong_width(expected, given)
    if expected.kind == given.kind == "tuples" and not _columns_agree(expected, given):
        return _swapped(expected, given)
    if expected.kind == given.kind == "tuples":
        order = list(range(len(wanted)))
    else:
        order = _partners(expected, given)
    return _picked(given, order, expected.columns)


def _without_keys(wanted: Sequence[str], given: Rows) -> Rows:
    """Leave out a primary key that comes along with the columns asked for: it does no harm."""
    kept = [
        place
        for place, name in enumerate(given.columns)
        if name in wanted or name not in ("pk", "id")
    ]
    if len(kept) < len(given.columns) and len(kept) == len(wanted):
        return _picked(given, kept, [given.columns[place] for place in kept])
    return given


def _picked(given: Rows, order: Sequence[int], names: Sequence[str]) -> Rows:
    return replace(
        given,
        rows=[tuple(row[place] for place in order) for row in given.rows],
        columns=tuple(names),
        dtypes=tuple(given.dtypes[place] for place in order) if given.dtypes else (),
    )


def _wrong_names(expected: Rows, given: Rows, fixed: Sequence[str] | None) -> Difference:
    wanted, found = fixed or expected.columns, given.columns
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if not fixed and len(found) > len(wanted) and missing:
        return _wrong_width(expected, given)
    if missing and extra:
        sentence = f"The columns should be {listed(wanted)}; yours are {listed(found)}."
    elif missing:
        sentence = f"Missing: {listed(missing)}. The columns are {listed(wanted)}."
    else:
        sentence = f"Too many columns: the task does not ask for {listed(extra)}."
    return Difference(sentence, form=True)


def _wrong_width(expected: Rows, given: Rows) -> Difference:
    wanted, found = len(expected.columns), len(given.columns)
    names = listed(name for name in expected.columns if name)
    return Difference(
        f"Each row should hold {plural(wanted, 'value')}{f' ({names})' if names else ''}; "
        f"yours {'holds' if found == 1 else 'hold'} {found}, for example "
        f"{show(given.rows[0])}.",
        form=True,
    )


def _column(rows: Rows, position: int) -> Counter:
    return Counter(key(row[position], strict=False) for row in rows.rows)


def _columns_agree(expected: Rows, given: Rows) -> bool:
    """Whether each column holds plausible values for its place; false only if a swap helps."""
    places = range(len(expected.columns))
    if all(_column(expected, place) == _column(given, place) for place in places):
        return True
    swapped = _partners(expected, given)
    return swapped == list(places) or not all(
        _column(expected, e) == _column(given, g) for e, g in enumerate(swapped)
    )


def _swapped(expected: Rows, given: Rows) -> Difference:
    order = _partners(expected, given)
    row = next(
        (row for row in given.rows if key(row) != key(tuple(row[place] for place in order))),
        given.rows[0],
    )
    right = tuple(row[place] for place in order)
    return Difference(
        "The right values, but the columns are in another order: a row should read "
        f"{show(right)}, yours reads {show(row)}.",
        form=True,
    )


def _partners(expected: Rows, given: Rows) -> list[int]:
    """For each expected column the position of its partner in the given rows: the one of the same
    name, else the one of the same content, else what is left."""
    free = list(range(len(given.columns)))
    order: list[int | None] = [None] * len(expected.columns)
    for position, name in enumerate(expected.columns):
        if name and name in given.columns:
            order[position] = given.columns.index(name)
            free.remove(order[position])
    contents = {position: _column(given, position) for position in free}
    for position in range(len(order)):
        if order[position] is None:
            wanted = _column(expected, position)
            candidates = sorted(free, key=lambda other: other != position)
            partner = next((other for other in candidates if contents[other] == wanted), None)
            if partner is not None:
                order[position] = partner
                free.remove(partner)
    return [free.pop(0) if partner is None else partner for partner in order]


def _other_dtypes(expected: Rows, given: Rows) -> Difference | None:
    if expected.kind != "frame" or not len(expected):
        return None
    for name, wanted, found in zip(expected.columns, expected.dtypes, given.dtypes, strict=True):
        if wanted != found:
            verb = "is" if wanted == "text" else "are"
            fix = (
                " pandas cannot compute with those quickly: `frame(queryset)` gives numbers."
                if wanted == "numbers"
                else ""
            )
            return Difference(
                f"Column `{name}` holds {found} where {wanted} {verb} right.{fix}", form=True
            )
    return None


# Rows -----------------------------------------------------------------------------------------


def _other_rows(expected: Rows, given: Rows, terms: Terms) -> Difference | None:
    strict = expected.kind != "frame" and not given.numbers_only
    right = [key(row, strict) for row in expected.rows]
    found = [key(row, strict) for row in given.rows]
    if Counter(right) != Counter(found):
        if strict and (mistyped := _mistyped(expected, given)):
            return mistyped
        if set(right) == set(found):
            return _repeated(expected, given, right, found)
        missing, extra = _positions(right, found), _positions(found, right)
        return _cells(expected, given, missing, extra) or _missing_and_extra(
            expected, given, missing, extra, terms
        )
    if (terms.ordered or expected.is_tuple) and right != found:
        pairs = enumerate(zip(right, found, strict=True))
        first = next(place for place, (one, other) in pairs if one != other)
        examples = [("yours", given, first), ("right", expected, first)]
        return Difference(
            f"The right {_noun(expected)}, in the wrong order. The first difference is in row "
            f"{first + 1}:",
            _table(expected, examples, terms),
            telling=True,
        )
    return None


def _mistyped(expected: Rows, given: Rows) -> Difference | None:
    """Right numbers of the wrong type."""
    right = {key(row, strict=False): row for row in expected.rows}
    if Counter(key(row, strict=False) for row in expected.rows) != Counter(
        key(row, strict=False) for row in given.rows
    ):
        return None
    for row in given.rows:
        wanted = right[key(row, strict=False)]
        for position, (r, g) in enumerate(zip(wanted, row, strict=True)):
            if not same(r, g):
                name = expected.columns[position]
                what = f"`{name}`" if name else "a value"
                return Difference(wrong_type(what, r, g), form=True)
    return None


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


def _repeated(expected: Rows, given: Rows, right: list, found: list) -> Difference:
    wanted, counts = Counter(right), Counter(found)
    again = [k for k in counts if counts[k] > wanted[k]]
    if not again:
        short = next(k for k in wanted if counts[k] < wanted[k])
        return Difference(
            f"The right {_noun(expected)}, but some belong in the answer more than once: "
            f"{len(right):,} rows are right, yours has {len(found):,}. For example, "
            f"{wanted[short]} times:",
            _table(expected, [("", expected, right.index(short))], ANY),
            telling=True,
        )
    factors = {counts[k] / wanted[k] for k in counts}
    if len(factors) == 1:
        factor = factors.pop()
        often = "but each comes twice" if factor == 2 else f"but each comes {factor:g} times"
    else:
        often = f"but {len(again):,} of {plural(len(wanted), 'row')} come more than once"
        if len(again) == 1:
            often = f"but 1 of {plural(len(wanted), 'row')} comes more than once"
    most = max(again, key=lambda k: counts[k])
    return Difference(
        f"The right {_noun(expected)}, {often}: {len(right):,} rows are right, yours has "
        f"{len(found):,}. For example, {counts[most]} times instead of {wanted[most]}:",
        _table(expected, [("", given, found.index(most))], ANY),
        telling=True,
    )


def _missing_and_extra(
    expected: Rows, given: Rows, missing: list[int], extra: list[int], terms: Terms
) -> Difference:
    parts, examples = [], []
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        parts.append(f"{_counted(expected, len(missing))} {verb} missing")
        examples += [("missing", expected, position) for position in missing]
    if extra:
        count = f"{len(extra):,}" if missing else _counted(expected, len(extra))
        verb = "does" if len(extra) == 1 else "do"
        parts.append(f"{count} {verb} not belong")
        examples += [("too many", given, position) for position in extra]
    if missing and extra:
        half = min(len(missing), max(EXAMPLES - len(extra), 2))
        examples = examples[:half] + examples[len(missing) :]
    facts = "".join(
        _in_common(rows, positions, others, word, terms)
        for rows, positions, others, word in (
            (expected, missing, given, "missing"),
            (given, extra, expected, "too many"),
        )
    )
    return Difference(
        f"{' and '.join(parts)}, of {len(expected):,} right and {len(given):,} given.{facts} "
        "For example:",
        _table(expected, examples[:EXAMPLES], terms),
        telling=bool(facts),
    )


def _in_common(rows: Rows, positions: list[int], others: Rows, word: str, terms: Terms) -> str:
    """What all missing rows, or all that are too many, have and no right one that was given."""
    if len(positions) < 2 and not rows.instances:
        return ""
    inside = set(positions)
    rest = [place for place in range(len(rows)) if place not in inside]
    if not positions or not rest:
        return ""
    for name, values in _columns_to_look_at(rows, terms):
        found = {key(values[place], strict=False) for place in positions}
        if len(found) == 1 and not any(key(values[p], strict=False) in found for p in rest):
            value = values[positions[0]]
            shown = (
                "no value" if value is None else "the empty text" if value == "" else show(value)
            )
            who = "The one that is" if len(positions) == 1 else "All that are"
            return f" {who} {word} {'has' if len(positions) == 1 else 'have'} `{name}` {shown}."
    return ""


def _columns_to_look_at(rows: Rows, terms: Terms) -> Iterable[tuple[str, list]]:
    if rows.instances:
        for name in terms.mentioned:
            yield name, [quiet(one.__dict__.get(name)) for one in rows.instances]
    elif len(rows.columns) > 1:
        for position, name in enumerate(rows.columns):
            if name:
                yield name, [row[position] for row in rows.rows]


def _cells(expected: Rows, given: Rows, missing: list[int], extra: list[int]) -> Difference | None:
    """Rows that agree in a column which identifies them, and differ in another."""
    width = len(expected.columns)
    if width < 2 or not missing or not extra:
        return None
    for identity in _identities(expected):
        names = [_part(row, identity) for row in expected.rows]
        if len(set(names)) != len(names):
            continue
        right_of = {names[i]: expected.rows[i] for i in missing}
        pairs = [
            (right_of[name], given.rows[i])
            for i in extra
            if (name := _part(given.rows[i], identity)) in right_of
        ]
        if len(pairs) >= max(len(missing), len(extra), 2) / 2:
            return _differing_cells(expected, pairs, identity, len(missing) - len(pairs))
    return None


def _identities(expected: Rows) -> list[tuple[int, ...]]:
    """Columns that may tell rows apart: each alone, texts first, then all but one."""
    width = range(len(expected.columns))
    first = expected.rows[0]
    alone = sorted(width, key=lambda c: not isinstance(first[c], str))
    return [(c,) for c in alone] + [tuple(c for c in width if c != one) for one in width]


def _part(row: tuple, columns: tuple[int, ...]) -> tuple:
    return tuple(key(row[c], strict=False) for c in columns)


def _differing_cells(
    expected: Rows, pairs: list, identity: tuple[int, ...], missing: int
) -> Difference:
    column = next(
        c for c in range(len(expected.columns)) if any(not same(r[c], g[c]) for r, g in pairs)
    )
    wrong = [(r, g) for r, g in pairs if not same(r[column], g[column])]
    name = expected.columns[column]
    right, given = wrong[0]
    more = f" Besides, {plural(missing, 'row')} {'is' if missing == 1 else 'are'} missing."
    return Difference(
        f"{plural(len(wrong), 'row')} {'has' if len(wrong) == 1 else 'have'} "
        f"{_direction(wrong, column)} {f'`{name}`' if name else 'value'}, for example "
        f"{_called(expected, identity[0], right[identity[0]])}: "
        f"{pair(given[column], right[column])}.{more if missing > 0 else ''}"
    )


def _called(expected: Rows, column: int, value: Any) -> str:
    name = expected.columns[column]
    return show(value) if isinstance(value, str) or not name else f"{name} {show(value)}"


def _direction(pairs: list, column: int) -> str:
    numbers = (int, float, Decimal)
    cells = [(r[column], g[column]) for r, g in pairs]
    if all(isinstance(r, numbers) and isinstance(g, numbers) for r, g in cells):
        if all(g > r for r, g in cells):
            return "too large a"
        if all(g < r for r, g in cells):
            return "too small a"
    return "a wrong"


def _other_annotations(expected: Rows, given: Rows, terms: Terms) -> Difference | None:
    if not terms.columns or not given.instances:
        return None
    right_of = {instance.pk: instance for instance in expected.instances}
    for instance in given.instances:
        for name in terms.columns:
            if not hasattr(instance, name):
                return Difference(
                    f"The right {_noun(expected)}, but without `{name}`: annotate them with it.",
                    form=True,
                )
            right = plain(getattr(right_of[instance.pk], name))
            found = plain(getattr(instance, name))
            if same(right, found):
                continue
            if same(right, found, strict=False):
                return Difference(wrong_type(f"`{name}`", right, found), form=True)
            return Difference(
                f"The right {_noun(expected)}, but `{name}` of {instance}: {pair(found, right)}."
            )
    return None


# Tables ---------------------------------------------------------------------------------------


def _table(expected: Rows, examples: list[tuple[str, Rows, int]], terms: Terms) -> list[list[str]]:
    """Header and rows: what is the matter with the row, then the row."""
    shown, header = [], None
    for label, rows, position in examples:
        if rows.instances:
            header, cells = _object_cells(rows.instances[position], terms.mentioned)
        else:
            names = expected.columns if any(expected.columns) else rows.columns
            header = [name or "value" for name in names][: len(rows.rows[position])]
            cells = [_cell(cell) for cell in rows.rows[position]]
        shown.append([label, *cells])
    width = max((len(row) for row in shown), default=0)
    header = ["", *(header or [])]
    return [row + [""] * (width - len(row)) for row in (header[:width], *shown)] if shown else []


def _cell(value: Any) -> str:
    return show(getattr(value, "pk", value)) if not getattr(value, "label", True) else show(value)


def _object_cells(instance: Model, mentioned: Sequence[str]) -> tuple[list[str], list[str]]:
    meta = instance._meta
    loaded = {c.attname: instance.__dict__.get(c.attname) for c in meta.concrete_fields}
    names = [name for name in mentioned if name in loaded and name != meta.pk.attname]
    first = next((c.attname for c in meta.concrete_fields if c.attname == "name"), None)
    names = list(dict.fromkeys(([first] if first else []) + names))[:4]
    if not names:
        return [meta.pk.attname, meta.object_name], [show(instance.pk), show(str(instance))]
    return [meta.pk.attname, *names], [
        show(instance.pk),
        *(show(quiet(loaded[name])) for name in names),
    ]


def mentioned_fields(statements: Iterable[str], model: type[Model] | None) -> tuple[str, ...]:
    """The model's fields that the statements filter or sort by, as they first appear."""
    if model is None:
        return ()
    text = " ".join(
        sql.partition(" WHERE ")[2] or sql.partition(" ORDER BY ")[2] for sql in statements
    )
    columns = {c.column: c.attname for c in model._meta.concrete_fields}
    words = re.findall(r'"(\w+)"|`(\w+)`', text)
    return tuple(dict.fromkeys(columns[w] for pair in words for w in pair if w in columns))
