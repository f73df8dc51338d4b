"""What queries are made of, and how two answers differ in that: conditions, groups, order, slice.

Both the learner's queries and the model answer's are taken apart as Django holds them, however
they were written: a condition is the same one in `filter()`, in a subquery and in `filter=`. "Your
query has no condition on `Invoice.issued_at`" is true by construction.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    F,
    Lookup,
    Max,
    Min,
    Model,
    OrderBy,
    Subquery,
    Transform,
    Value,
)
from django.db.models.expressions import Col, NegatedExpression, Ref, Star
from django.db.models.fields.json import KeyTransform
from django.db.models.query import MAX_GET_RESULTS
from django.db.models.sql import AggregateQuery, DeleteQuery, Query, UpdateQuery
from django.db.models.sql.where import XOR, WhereNode

from workbook.exercises.running import Outcome
from workbook.exercises.words import LONGEST, listed, plural, quiet, show


@dataclass
class Anatomy:
    """What the queries of one answer are made of; fields are named `Invoice.issued_at`.

    conditions: for each field how it is compared, and whether that is negated. changed: the fields
    that are written. multiplied: aggregates over rows that another join repeats. mixed_keys: where
    keys of one model are compared with those of another.
    """

    models: set[str] = field(default_factory=set)
    conditions: dict[str, set[str]] = field(default_factory=dict)
    aggregates: Counter = field(default_factory=Counter)
    columns: set[str] = field(default_factory=set)
    multiplied: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    orders: list[tuple[str, ...]] = field(default_factory=list)
    slices: list[tuple[int, int | None]] = field(default_factory=list)
    xor: bool = False
    combined: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    rows_changed: int = 0
    mixed_keys: list[str] = field(default_factory=list)


def anatomy(outcome: Outcome) -> Anatomy:
    found = Anatomy()
    for query in outcome.queries:
        _add_query(found, query)
    found.rows_changed = sum(q.rows or 0 for q in outcome.capture.queries if not q.is_select)
    return found


def compared(given: Outcome, expected: Outcome, code: ast.AST | None, ordered: bool = False) -> str:
    """Where an answer's queries differ from the model answer's, in a sentence; "" if in nothing.

    ordered: whether the order of rows matters.
    """
    if expected.writes and not given.writes:
        return (
            "Your cell changes nothing in the database: setting an attribute changes an object in "
            "Python, until `save()`; `update()` on a QuerySet changes its rows."
        )
    if expected.queries and not given.statements:
        return "Your cell runs no query: the answer has to come from the database."
    if not given.queries or not expected.queries:
        return ""
    if given.statements == expected.statements and _same_parameters(given, expected):
        return "Your query is right: the mistake is in what your code does with its rows."
    found = _differences(anatomy(given), anatomy(expected), code, ordered)
    besides = f" Besides, it {found[1]}." if len(found) > 1 else ""
    return f"Your query differs from the model answer's: it {found[0]}.{besides}" if found else ""


def _differences(mine: Anatomy, theirs: Anatomy, code: ast.AST | None, ordered: bool) -> list[str]:
    """To be read after "Your query": the likelier causes first."""
    nodes = list(ast.walk(code)) if code is not None else []
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for name in [name for name in theirs.conditions if name not in mine.conditions]:
        if name.rpartition(".")[2] in read:  # `if p.price > 500` is a condition, too
            del theirs.conditions[name]
    in_python = any(isinstance(node, ast.For | ast.comprehension) for node in nodes)
    return mine.mixed_keys or [
        *_write_differences(mine, theirs),
        *_field_differences(mine, theirs),
        *_aggregate_differences(mine, theirs, in_python),
        *_shape_differences(mine, theirs, ordered),
        *_condition_differences(mine, theirs),
    ]


def _same_parameters(given: Outcome, expected: Outcome) -> bool:
    mine, theirs = (
        [query.params for query in outcome.capture.queries] for outcome in (given, expected)
    )
    return mine == theirs


def _field_differences(mine: Anatomy, theirs: Anatomy) -> Iterator[str]:
    """Conditions on other fields."""
    extra, missing = _only_in(mine.conditions, theirs.conditions)
    if missing and extra:
        yield f"has a condition on {listed(extra)}, and the model answer on {listed(missing)}"
    elif missing:
        yield f"has no condition on {listed(missing)}"
    elif extra:
        yield f"has a condition on {listed(extra)}, and the model answer has none"


def _condition_differences(mine: Anatomy, theirs: Anatomy) -> Iterator[str]:
    """Other conditions on the same fields."""
    other = [
        name
        for name in theirs.conditions
        if name in mine.conditions and mine.conditions[name] != theirs.conditions[name]
    ]
    opposite = [
        name for name in other if _opposite(mine.conditions[name]) == theirs.conditions[name]
    ]
    if opposite:
        name = opposite[0]
        negated = any(one.startswith(_NOT) for one in mine.conditions[name])
        verbs = ("excludes", "keeps") if negated else ("keeps", "excludes")
        yield f"{verbs[0]} by {listed(opposite)} what the model answer {verbs[1]}"
    for name in [name for name in other if name not in opposite]:
        here, there = mine.conditions[name], theirs.conditions[name]
        # `exclude(…)` of what a subquery finds is the same condition in another place.
        unlike = sorted(here - there - _opposite(there))
        if unlike:
            yield f"compares {listed(unlike)}, and the model answer compares it otherwise"
        elif there - here - _opposite(here):
            yield f"has only some of the conditions on `{name}`"


_NOT = "not "


def _opposite(conditions: set[str]) -> set[str]:
    return {
        one.removeprefix(_NOT) if one.startswith(_NOT) else f"{_NOT}{one}" for one in conditions
    }


def _only_in(mine: Iterable[str], theirs: Iterable[str]) -> tuple[list[str], list[str]]:
    return [one for one in mine if one not in theirs], [one for one in theirs if one not in mine]


def _aggregate_differences(mine: Anatomy, theirs: Anatomy, in_python: bool) -> Iterator[str]:
    for name in sorted(mine.multiplied - theirs.multiplied):
        yield f"computes `{name}` over rows that a second join repeats"
    extra, missing = mine.aggregates - theirs.aggregates, theirs.aggregates - mine.aggregates
    if extra and missing:
        yield f"computes {listed(extra)} where the model answer computes {listed(missing)}"
    elif extra:
        yield f"computes {listed(extra)}, and the model answer does not"
    elif missing and not in_python:
        yield f"does not compute {listed(missing)}"
    if mine.models == theirs.models and mine.groups != theirs.groups and theirs.aggregates:
        extra, missing = _only_in(sorted(mine.groups), sorted(theirs.groups))
        if extra and missing:
            yield f"makes groups by {listed(extra)}, and the model answer by {listed(missing)}"
        elif extra:
            yield f"makes groups by {listed(extra)}, too"
        else:
            yield f"makes no groups by {listed(missing)}"


def _write_differences(mine: Anatomy, theirs: Anatomy) -> Iterator[str]:
    if deleted := _only_in(sorted(mine.deleted), sorted(theirs.deleted))[0]:
        yield f"deletes rows of {listed(deleted)}"
    extra, missing = _only_in(sorted(mine.changed), sorted(theirs.changed))
    if missing:
        change = f"changes {listed(extra[:3])}" if extra else "changes nothing there"
        yield f"{change}, and the model answer {listed(missing)}"
    elif extra and len(extra) <= 3:  # `save()` writes all fields
        yield f"changes {listed(extra)}, too"
    if mine.rows_changed != theirs.rows_changed:
        yield (
            f"changes {plural(mine.rows_changed, 'row')}, and the model answer "
            f"{plural(theirs.rows_changed, 'row')}"
        )


def _shape_differences(mine: Anatomy, theirs: Anatomy, ordered: bool) -> Iterator[str]:
    extra, missing = _only_in(sorted(mine.columns), sorted(theirs.columns))
    if mine.columns and missing:
        reads = f"reads {listed(extra)}" if extra else "does not read all the columns"
        yield f"{reads}, and the model answer reads {listed(missing)}"
    extra, missing = _only_in(sorted(mine.models), sorted(theirs.models))
    if extra and missing:
        yield f"asks for {listed(extra)}, and the model answer for {listed(missing)}"
    extra, missing = _only_in(sorted(mine.combined), sorted(theirs.combined))
    if extra and missing:
        yield f"is made by {listed(extra)}, and the model answer's by {listed(missing)}"
    if mine.xor != theirs.xor:
        yield f"{'joins' if mine.xor else 'does not join'} its conditions by XOR"
    if mine.slices != theirs.slices:
        if not mine.slices:
            yield "is not cut to a slice"
        elif not theirs.slices:
            yield "is cut to a slice, and the model answer is not"
        else:
            yield "is cut at another place"
    if mine.orders != theirs.orders and theirs.orders and (ordered or theirs.slices):
        if not mine.orders:
            yield f"has no order, and the model answer is in that of {_first(theirs.orders)}"
        else:
            yield (
                f"is in the order of {_first(mine.orders)}, and the model answer in that of "
                f"{_first(theirs.orders)}"
            )


def _first(orders: list[tuple[str, ...]]) -> str:
    return listed(orders[0])


# Taking a query apart --------------------------------------------------------------------------


def _add_query(found: Anatomy, query: Query, inner: bool = False, negated: bool = False) -> None:
    if query.combinator:
        found.combined.add(f"{query.combinator}({'all=True' if query.combinator_all else ''})")
    for part in query.combined_queries:
        _add_query(found, part, inner, negated)
    if isinstance(query, AggregateQuery):
        _add_query(found, query.inner_query, inner, negated)
    if query.model is not None and not inner:
        found.models.add(query.model._meta.object_name)
    _add_conditions(found, query.where, negated)
    for annotation in query.annotation_select.values():
        _add_expression(found, annotation, negated)
        if isinstance(annotation, Aggregate) and _is_multiplied(query, annotation):
            found.multiplied.add(_aggregate_name(annotation))
    if isinstance(query, DeleteQuery):
        found.deleted.add(query.model._meta.object_name)
    if isinstance(query, UpdateQuery):
        for column, _, value in query.values:
            found.changed.add(f"{column.model._meta.object_name}.{column.name}")
            if hasattr(value, "get_source_expressions"):
                _add_expression(found, value, negated)
    if inner:
        return
    found.columns |= {name_of(one) for one in query.select if not query.default_cols} - {""}
    if isinstance(query.group_by, tuple):
        found.groups |= _groups(query)
    if query.is_sliced and query.high_mark not in (1, MAX_GET_RESULTS):  # exists(), get()
        found.slices.append((query.low_mark, query.high_mark))
    if names := tuple(_order_name(query, one) for one in query.order_by):
        found.orders.append(names if query.standard_ordering else tuple(map(_turned, names)))


def _is_multiplied(query: Query, aggregate: Aggregate) -> bool:
    """Whether a relation to many rows is joined beside the way to what the aggregate counts."""
    column = aggregate.get_source_expressions()[0]
    if not isinstance(column, Col) or aggregate.distinct or isinstance(aggregate, Max | Min):
        return False
    way, alias = set(), column.alias
    while alias is not None:
        way.add(alias)
        alias = getattr(query.alias_map[alias], "parent_alias", None)
    return any(
        count and alias not in way and _leads_to_many(query.alias_map[alias])
        for alias, count in query.alias_refcount.items()
    )


def _leads_to_many(table: Any) -> bool:
    relation = getattr(table, "join_field", None)
    return relation is not None and (relation.one_to_many or relation.many_to_many)


def _groups(query: Query) -> set[str]:
    """What the groups are made by: a model's key alone, where all of its columns are named."""
    parts = [query.annotations.get(one.refs) if isinstance(one, Ref) else one
             for one in query.group_by]  # fmt: skip
    keys = {one.target.model for one in parts if isinstance(one, Col) and one.target.primary_key}
    return {
        " of ".join([*_transforms(one)[::-1], name])
        for one in parts
        if (name := name_of(one))
        and not (isinstance(one, Col) and one.target.model in keys and not one.target.primary_key)
    }


def _order_name(query: Query, item: Any) -> str:
    if isinstance(item, OrderBy):
        return f"{'-' if item.descending else ''}{name_of(item.expression) or item.expression}"
    if not isinstance(item, str):
        return str(item)
    meta = query.model._meta
    name = item.removeprefix("-")
    sign = "-" if item.startswith("-") else ""
    return f"{sign}{meta.pk.name if name == 'pk' else name}"


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _add_conditions(found: Anatomy, node: Any, negated: bool) -> None:
    if isinstance(node, WhereNode):
        found.xor = found.xor or (node.connector == XOR and len(node.children) > 1)
        for child in node.children:
            _add_conditions(found, child, negated != node.negated)
    elif isinstance(node, Lookup):
        _add_lookup(found, node, negated)
    else:
        _add_expression(found, node, negated)


def _add_lookup(found: Anatomy, lookup: Lookup, negated: bool) -> None:
    left, right = lookup.lhs, lookup.rhs
    query = right.query if isinstance(right, Subquery) else right
    if isinstance(query, Query):
        _add_query(found, query, True, negated)
        if mixed := _mixed_keys(left, query):
            found.mixed_keys.append(mixed)
        return
    _add_expression(found, left, negated)
    name = name_of(left)
    if not name or (_is_key(left) and lookup.lookup_name != "isnull"):
        return  # how rows of two tables are brought together, not a condition of the task
    path = [name if _is_key(left) else name.rpartition(".")[2], *_transforms(left)]
    if lookup.lookup_name != "exact":
        path.append(lookup.lookup_name)
    text = f"{'__'.join(path)}={_shown(right)}"
    found.conditions.setdefault(name, set()).add(f"{_NOT}{text}" if negated else text)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        text = f"({', '.join(map(_shown, value))})"
    elif isinstance(value, Value):
        text = show(quiet(value.value))
    else:
        text = f'F("{name_of(value)}")' if name_of(value) else show(quiet(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _mixed_keys(left: Any, query: Query) -> str:
    """Keys of one model that are looked for among those of another: "" if there are none."""
    selected = [*query.select, *query.annotation_select.values()]
    if len(selected) != 1:
        return ""
    models = [_keys_of(one) for one in (left, selected[0])]
    if None in models or models[0] is models[1]:
        return ""
    one, other = (f"`{model._meta.object_name}`" for model in models)
    return f"looks for keys of {one} among keys of {other}"


def _keys_of(expression: Any) -> type[Model] | None:
    """The model whose primary keys a column holds."""
    if not _is_key(expression):
        return None
    target = expression.target
    return target.related_model if target.is_relation else target.model


def _is_key(expression: Any) -> bool:
    target = getattr(expression, "target", None)
    return target is not None and (target.primary_key or target.is_relation)


def _add_expression(found: Anatomy, expression: Any, negated: bool) -> None:
    """Aggregates, and the queries and conditions within an expression."""
    if isinstance(expression, Subquery | Query):
        query = expression if isinstance(expression, Query) else expression.query
        _add_query(found, query, True, negated)
        return
    negated = negated != isinstance(expression, NegatedExpression)
    if isinstance(expression, WhereNode | Lookup):
        _add_conditions(found, expression, negated)
        return
    if isinstance(expression, Aggregate):
        found.aggregates[_aggregate_name(expression)] += 1
    for part in getattr(expression, "get_source_expressions", list)():
        if part is not None:
            _add_expression(found, part, negated)


def _aggregate_name(aggregate: Aggregate) -> str:
    names = [name_of(one) or str(one) for one in aggregate.get_source_expressions()[:1]]
    if isinstance(aggregate, Count) and isinstance(aggregate.get_source_expressions()[0], Star):
        names = ["*"]
    distinct = ", distinct" if getattr(aggregate, "distinct", False) else ""
    condition = ", filter" if aggregate.filter is not None else ""
    return f"{type(aggregate).__name__}({', '.join(names)}{distinct}{condition})"


def name_of(expression: Any) -> str:
    """`Invoice.issued_at` for a column, and for what a function makes of it; "" for others."""
    if isinstance(expression, Transform):
        key = f".{expression.key_name}" if isinstance(expression, KeyTransform) else ""
        inner = name_of(expression.get_source_expressions()[0])
        return f"{inner}{key}" if inner else ""
    if isinstance(expression, Col):
        return f"{expression.target.model._meta.object_name}.{expression.target.name}"
    if isinstance(expression, F):
        return expression.name
    if isinstance(expression, Ref):
        return name_of(expression.source)
    if isinstance(expression, Aggregate):
        return _aggregate_name(expression)
    return ""


def _transforms(expression: Any) -> list[str]:
    names = []
    while isinstance(expression, Transform):
        if not isinstance(expression, KeyTransform):
            names.append(getattr(expression, "lookup_name", None) or type(expression).__name__)
        expression = expression.get_source_expressions()[0]
    return names[::-1]
