"""Rows and columns out of a QuerySet: raw from the cursor, or from what it already holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import accumulate, batched
from operator import itemgetter
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models
from django.db.models import functions
from django.db.models.expressions import Col, ColPairs, Exists, Ref, Value, Window
from django.db.models.fields.files import FieldFile
from django.db.models.functions.datetime import TimezoneMixin
from django.db.models.manager import BaseManager
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    QuerySet,
    RawQuerySet,
    ValuesIterable,
    ValuesListIterable,
)
from django.db.models.sql.constants import LOUTER, MULTI

from workbook.tables.columns import Column
from workbook.tables.postgresql import QuickLoaders

CHUNK_ROWS = 20_000


@dataclasses.dataclass
class Rows:
    """The rows of a query, in chunks, and the columns they have."""

    columns: list[Column]
    chunks: Iterator[Sequence[Any]]
    from_items: bool  # the chunks hold what the QuerySet yields, not raw rows

    def by_column(self, chunk: Sequence[Any]) -> list[Sequence[Sequence[Any]]]:
        """For each column, its raw values: one sequence for each of its places in a row."""
        if self.from_items:
            return [[[column.from_item(item) for item in chunk]] for column in self.columns]
        if not chunk:
            return [[[]] * column.width for column in self.columns]
        raw = list(zip(*chunk, strict=True))
        return [raw[column.start : column.start + column.width] for column in self.columns]


def read(source: Any, *, quick: bool = False) -> Rows:
    """Start reading: run the query, unless the QuerySet holds its rows already.

    With `quick`, its columns may come as `Column.quick` says.
    """
    queryset = _queryset(source)
    if isinstance(queryset, RawQuerySet):
        return _read_raw(queryset)
    compiler = queryset.query.get_compiler(using=queryset.db)
    if queryset._result_cache is not None:
        compiler.setup_query()
        return _rows_of_items(_columns(queryset, compiler), queryset._result_cache)
    if queryset._iterable_class not in _NAMERS:  # a subclass may yield anything: let it
        items = list(queryset._iterable_class(queryset))
        compiler.setup_query()
        return _rows_of_items(_columns(queryset, compiler), items)
    loaders = QuickLoaders(lambda: _columns(queryset, compiler))
    quick = quick and compiler.connection.vendor == "postgresql"
    with compiler.connection.execute_wrapper(loaders) if quick else nullcontext():
        results = compiler.execute_sql(MULTI, chunked_fetch=True, chunk_size=CHUNK_ROWS)
    columns = _columns(queryset, compiler)
    for column in columns:
        column.quick = loaders.used
    return Rows(columns, _closing(results), from_items=False)


def _queryset(source: Any) -> QuerySet | RawQuerySet:
    if isinstance(source, BaseManager):
        source = source.all()
    known = tuple(_NAMERS)
    if isinstance(source, RawQuerySet) or (
        isinstance(source, QuerySet) and issubclass(source._iterable_class, known)
    ):
        return source
    if isinstance(source, type) and issubclass(source, models.Model):
        hint = f"This is the model itself: pass {source.__name__}.objects.all()."
    elif isinstance(source, models.Model):
        name = type(source).__name__
        hint = f"This is one {name}: pass {name}.objects.filter(pk={source.pk!r})."
    else:
        hint = f"This is of type {type(source).__name__}."
    raise TypeError(f"A table needs a QuerySet, such as Invoice.objects.all(). {hint}")


def _read_raw(queryset: RawQuerySet) -> Rows:
    if queryset._result_cache is not None:
        return _rows_of_items(_raw_columns(queryset), queryset._result_cache)
    cursor = iter(queryset.query)
    return Rows(_raw_columns(queryset), _batches(cursor), from_items=False)


def _rows_of_items(columns: list[Column], items: Sequence[Any]) -> Rows:
    plain = [dataclasses.replace(column, start=0, converters=(((), None),)) for column in columns]
    return Rows(plain, _batches(iter(items)), from_items=True)


def _closing(results: Iterator[Any]) -> Iterator[Any]:
    """As they are; closing this closes the cursor behind `results`."""
    yield from results


def _batches(rows: Iterator[Any]) -> Iterator[Any]:
    yield from batched(rows, CHUNK_ROWS)


# ---------------------------------------------------------------- the columns of a QuerySet


def _columns(queryset: QuerySet, compiler: Any) -> list[Column]:
    """A column for each selected expression, named as the QuerySet's rows name it."""
    selected = [expression for expression, _, _ in compiler.select]
    widths = [len(e) if isinstance(e, ColPairs) else 1 for e in selected]
    starts = [0, *accumulate(widths)]
    nullable = _nullable_columns(compiler)
    converters = compiler.get_converters(selected)
    namer = next(
        namer for known, namer in _NAMERS.items() if issubclass(queryset._iterable_class, known)
    )
    return [
        Column(
            name=name,
            expression=selected[place],
            nullable=nullable[place],
            from_item=from_item,
            connection=compiler.connection,
            start=starts[place],
            converters=tuple(
                converters.get(position, ((), None))
                for position in range(starts[place], starts[place + 1])
            ),
        )
        for place, name, from_item in namer(queryset, compiler)
    ]


# What a namer yields for each column: its place in the SELECT, its name, and how to get its value
# out of what the QuerySet yields.
Named = Iterator[tuple[int, str, Callable[[Any], Any]]]


def _columns_of_instances(queryset: QuerySet, compiler: Any) -> Named:
    yield from _columns_of_model(compiler, compiler.klass_info, "", lambda instance: instance)
    for name, place in compiler.annotation_col_map.items():
        yield place, name, partial(_attribute, name)
    yield from _columns_of_related(compiler, compiler.klass_info, "", lambda instance: instance)


def _columns_of_model(
    compiler: Any, klass_info: dict[str, Any], prefix: str, reach: Callable[[Any], Any]
) -> Named:
    for place in klass_info["select_fields"]:
        attname = compiler.select[place][0].target.attname
        yield place, prefix + attname, lambda root, name=attname: _attribute(name, reach(root))


def _columns_of_related(
    compiler: Any, klass_info: dict[str, Any], prefix: str, reach: Callable[[Any], Any]
) -> Named:
    """The models that select_related() joined to this one, and those joined to them."""
    for related in klass_info.get("related_klass_infos", ()):
        name, reach_related = _relation(related, reach)
        if related["from_parent"]:  # the parent's columns are there already, once is enough
            own = set(related["select_fields"]) - set(klass_info["select_fields"])
            related = {**related, "select_fields": sorted(own)}
        inner = f"{prefix}{name}__"
        yield from _columns_of_model(compiler, related, inner, reach_related)
        yield from _columns_of_related(compiler, related, inner, reach_related)


def _relation(
    klass_info: dict[str, Any], reach: Callable[[Any], Any]
) -> tuple[str, Callable[[Any], Any]]:
    """The name a lookup has for a joined model, and the way from the root instance to it."""
    field = klass_info["field"]
    if isinstance(klass_info["remote_setter"], partial):  # a FilteredRelation: keeps its own name
        name = klass_info["remote_setter"].args[0]
        return name, lambda root: getattr(reach(root), name, None)
    name = field.related_query_name() if klass_info["reverse"] else field.name
    relation = field.remote_field if klass_info["reverse"] else field

    def related(root: Any) -> Any:
        instance = reach(root)
        return instance and relation.get_cached_value(instance, default=None)

    return name, related


def _attribute(name: str, instance: models.Model | None) -> Any:
    """What the instance holds, without asking the database and without a file's wrapper."""
    if instance is None:
        return None
    value = instance.__dict__[name] if name in instance.__dict__ else getattr(instance, name)
    return value.name if isinstance(value, FieldFile) else value


def _columns_of_dicts(queryset: QuerySet, compiler: Any) -> Named:
    for place, name in enumerate(_value_names(queryset)):
        yield place, name, itemgetter(name)


def _columns_of_tuples(queryset: QuerySet, compiler: Any) -> Named:
    for place, name in enumerate(_value_names(queryset)):
        yield place, name, itemgetter(place)


def _column_of_values(queryset: QuerySet, compiler: Any) -> Named:
    yield 0, _value_names(queryset)[0], lambda value: value


def _value_names(queryset: QuerySet) -> list[str]:
    query = queryset.query
    return list(
        query.selected or [*query.extra_select, *query.values_select, *query.annotation_select]
    )


_NAMERS = {
    ModelIterable: _columns_of_instances,
    ValuesIterable: _columns_of_dicts,
    NamedValuesListIterable: _columns_of_tuples,
    ValuesListIterable: _columns_of_tuples,
    FlatValuesListIterable: _column_of_values,
}


def _raw_columns(queryset: RawQuerySet) -> list[Column]:
    """As the statement orders them; a field that it selects twice is taken once."""
    connection = connections[queryset.db]
    compiler = connection.ops.compiler("SQLCompiler")(queryset.query, connection, queryset.db)
    fields = [queryset.model_fields.get(name) for name in queryset.columns]
    for key in queryset.model._meta.pk_fields:
        if key not in fields:
            raise FieldDoesNotExist("Raw query must include the primary key")
    selected = [field and field.get_col(field.model._meta.db_table) for field in fields]
    converters = compiler.get_converters(selected)
    columns = {}
    for place, (name, field) in enumerate(zip(queryset.columns, fields, strict=True)):
        attname = field.attname if field else name
        columns.setdefault(
            attname,
            Column(
                name=attname,
                expression=selected[place],
                nullable=field is None or not field.primary_key,
                from_item=partial(_attribute, attname),
                connection=connection,
                start=place,
                converters=(converters.get(place, ((), None)),),
            ),
        )
    return list(columns.values())


# ---------------------------------------------------------------- where NULL is possible

_NEVER_NULL = (
    models.Count,
    Exists,
    functions.CumeDist,
    functions.DenseRank,
    functions.Ntile,
    functions.PercentRank,
    functions.Rank,
    functions.RowNumber,
)


def _nullable_columns(compiler: Any) -> list[bool]:
    """For each selected expression whether it can be NULL; in a union, in any of its parts."""
    query = compiler.query
    nullable = [_nullable(expression, query) for expression, _, _ in compiler.select]
    for part in query.combined_queries:
        part = part.clone()
        if query.selected is not None and part.selected is None:
            part.set_values(query.selected)
        part_compiler = part.get_compiler(compiler.using)
        part_compiler.setup_query()
        nullable = [a or b for a, b in zip(nullable, _nullable_columns(part_compiler), strict=True)]
    return nullable


def _nullable(expression: Any, query: Any) -> bool:
    match expression:
        case Col(target=target, alias=alias):
            join = query.alias_map.get(alias)
            outer = getattr(join, "join_type", None) == LOUTER
            return outer or target.null or isinstance(target, models.GeneratedField)
        case Value(value=value):
            return value is None
        case functions.Coalesce():
            return all(_nullable(source, query) for source in expression.get_source_expressions())
        case Ref() | TimezoneMixin() | Window():
            return _nullable(expression.get_source_expressions()[0], query)
        case _:
            return not isinstance(expression, _NEVER_NULL)
