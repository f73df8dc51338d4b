"""QuerySets as tables: `frame()` is the whole pandas DataFrame, `preview()` what a notebook shows.

Django converts a result value by value, which for money costs ten times the query. Here the rows
come raw from the cursor, in chunks, and each chunk is converted a column at a time. Where a column
is not one of the few that are safe to take in bulk, Django's own converters do the work.

pandas and NumPy are imported inside the functions that need them: loading the workbook, and
previews, stay quick without.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from html import escape
from itertools import accumulate, batched
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import connections, models
from django.db.models import functions
from django.db.models.expressions import Col, ColPairs, Exists, Expression, Ref, Value, Window
from django.db.models.fields.files import FieldFile
from django.db.models.functions.datetime import TimezoneMixin, TruncBase
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
from django.utils import timezone

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 10_000
PREVIEW_ROWS = 10
PREVIEW_COLUMNS = 20
PREVIEW_TEXT = 40
FITS_A_PAGE = 12  # columns
PREVIEW_COUNTS_UP_TO = 100_000


def frame(queryset: QuerySet | RawQuerySet | BaseManager, *, exact: bool = False) -> pd.DataFrame:
    """The whole result of a query as a DataFrame, one column per selected column.

    Columns are named as in the query: fields of a model by their attribute (`customer_id`),
    annotations and `values()` by their name, `select_related("customer")` as `customer__name`.
    A QuerySet that was already evaluated is not asked again; prefetched rows are not part of it.

    Dtypes follow from the fields and annotations, never from the values:

    ==========================  ==============================================================
    integers                    int64; Int64 where NULL is possible (field, outer join, aggregate)
    DecimalField                float64, NULL is NaN; with `exact=True` objects: Decimal or None
    FloatField                  float64, NULL is NaN
    BooleanField                bool; boolean where NULL is possible
    text                        str, NULL is NaN
    text, integer with choices  category: the stored values, in the order of `choices`
    DateTimeField               datetime64[us] in the time zone the ORM gives it, NULL is NaT
    DateField                   datetime64[us] at midnight, NULL is NaT
    DurationField               timedelta64[us], NULL is NaT
    everything else             objects as the ORM gives them, NULL is None: JSON, UUID, time,
                                binary, any field with its own `from_db_value`
    ==========================  ==============================================================

    What no field describes (extra columns of `raw()`) gets the dtype pandas infers. A value that
    does not fit its field, which SQLite allows, makes its column one of objects rather than change.

    Raises TypeError for anything but a QuerySet, RawQuerySet or Manager; ImportError where there
    is no pandas.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(
            "frame() gives a pandas DataFrame, and this environment has no pandas: "
            "`pip install pandas`, then run the cell again."
        ) from None

    rows = _read(queryset)
    parts: list[list[pd.Series]] = [[] for _ in rows.columns]
    for chunk in rows.chunks:
        for part, column, raw in zip(parts, rows.columns, rows.by_column(chunk), strict=True):
            part.append(column.series(raw, exact=exact))
    whole = {}
    for position, (part, column) in enumerate(zip(parts, rows.columns, strict=True)):
        empty = column.series([[]] * column.width, exact=exact)
        whole[position] = column.joined(part or [empty], exact=exact)
        part.clear()  # so that only one column at a time is held twice
    table = pd.DataFrame(whole, copy=False)
    table.columns = pd.Index([column.name for column in rows.columns], dtype="str")
    return table


@dataclasses.dataclass(frozen=True)
class Preview:
    """A QuerySet as a notebook shows it: its first rows and how many there are."""

    html: str
    text: str
    rows: int | None  # None: more than PREVIEW_COUNTS_UP_TO


def preview(queryset: QuerySet | RawQuerySet | BaseManager) -> Preview:
    """The first 10 rows as a table, in HTML and plain text, and the number of rows.

    Runs the query once, exactly as written, and only if the QuerySet was not evaluated yet. Like
    `repr()` it leaves the QuerySet unevaluated. Counting stops after 100,000 rows.

    Raises TypeError for anything but a QuerySet, RawQuerySet or Manager, and whatever the query
    itself raises.
    """
    rows = _read(queryset)
    head: list[Any] = []
    count = 0
    for chunk in rows.chunks:
        head.extend(chunk[: PREVIEW_ROWS - len(head)])
        count += len(chunk)
        if count > PREVIEW_COUNTS_UP_TO:
            rows.chunks.close()
            break
    total = count if count <= PREVIEW_COUNTS_UP_TO else None
    cells = [
        [column.name, *(_shown(value, column.field) for value in column.orm_values(raw))]
        for column, raw in zip(rows.columns, rows.by_column(head), strict=True)
    ]
    numeric = [column.kind() in {"int", "float", "decimal"} for column in rows.columns]
    if len(cells) > PREVIEW_COLUMNS:
        half = PREVIEW_COLUMNS // 2
        cells[half:-half] = [["…"] * (len(head) + 1)]
        numeric[half:-half] = [False]
    caption = _caption(len(head), total)
    return Preview(_html(cells, caption), _text(cells, numeric, caption), total)


# ---------------------------------------------------------------- the columns of a result

_KINDS = {  # in this order: a DateTimeField is a DateField
    "bool": (models.BooleanField,),
    "decimal": (models.DecimalField,),
    "float": (models.FloatField,),
    "int": (models.IntegerField,),
    "datetime": (models.DateTimeField,),
    "date": (models.DateField,),
    "duration": (models.DurationField,),
    "text": (
        models.CharField,
        models.TextField,
        models.FileField,
        models.FilePathField,
        models.GenericIPAddressField,
    ),
}


# What get_converters() of a compiler says of one raw value: functions, and the expression that
# each takes as its second argument.
Converters = tuple[Sequence[Callable[[Any, Any, Any], Any]], Expression | None]


@dataclasses.dataclass
class Column:
    """One column of a result: its name, what the ORM knows of it, and where its values are."""

    name: str
    expression: Expression | None  # None: a column of raw() that is no field of the model
    nullable: bool
    from_item: Callable[[Any], Any]  # its value in what the QuerySet yields: instance, dict, …
    connection: Any
    start: int = 0  # position of its first value in a raw row
    converters: Sequence[Converters] = (((), None),)  # for each raw value that makes a value
    categories: dict[Any, int] = dataclasses.field(default_factory=dict)  # value → code

    @property
    def width(self) -> int:
        """How many raw values make one value: more than one for a composite primary key."""
        return len(self.converters)

    @property
    def field(self) -> models.Field | None:
        """The field that describes the values, if any does."""
        try:
            field = self.expression.output_field
        except (AttributeError, FieldError):
            return None
        while isinstance(field, models.ForeignKey):
            field = field.target_field
        return None if type(field) is models.Field else field

    def kind(self, *, exact: bool = False) -> str:
        """Which line of the table in `frame` the column belongs to."""
        field = self.field
        if field is None:
            return "unknown"
        if hasattr(field, "from_db_value"):
            return "object"
        kind = next((kind for kind, classes in _KINDS.items() if isinstance(field, classes)), None)
        if kind in {"text", "int"} and self.choices:
            return "category"
        return "object" if kind is None or (kind == "decimal" and exact) else kind

    @property
    def choices(self) -> list[Any]:
        """The stored values a plain column may hold; an expression may turn them into others."""
        if not isinstance(self.expression, Col):
            return []
        return [value for value, _ in self.expression.target.flatchoices if value is not None]

    @property
    def time_zone(self) -> datetime.tzinfo | None:
        """The zone of the ORM's datetimes: the connection's, or for Trunc() the one it cuts in."""
        if isinstance(self.expression, TruncBase) and self.connection.timezone:
            return self.expression.tzinfo or timezone.get_current_timezone()
        return self.connection.timezone

    def orm_values(self, raw: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """The values as iterating over the QuerySet gives them."""
        converted = list(raw)
        for place, (converters, expression) in enumerate(self.converters):
            for convert in converters:
                converted[place] = [
                    convert(value, expression, self.connection) for value in converted[place]
                ]
        return converted[0] if self.width == 1 else list(zip(*converted, strict=True))

    def series(self, raw: Sequence[Sequence[Any]], *, exact: bool) -> pd.Series:
        """One chunk of the column; objects where a value does not fit the field."""
        kind = self.kind(exact=exact)
        quick = None
        if kind == "decimal" and self._stored_as_float:
            quick = self._money_of_floats(raw)
        elif kind == "datetime" and self._stored_in_utc:
            quick = _datetimes(raw[0], datetime.UTC)
        if quick is not None:
            return quick
        values = self.orm_values(raw)
        match kind:
            case "int":
                fitting = _integers(values, nullable=self.nullable)
            case "bool":
                fitting = _booleans(values, nullable=self.nullable)
            case "float" | "decimal":
                fitting = _floats(values)
            case "text":
                fitting = _texts(values)
            case "category":
                fitting = self._codes(values)
            case "datetime":
                fitting = _datetimes(values, self.time_zone)
            case "date":
                fitting = _dates(values)
            case "duration":
                fitting = _durations(values)
            case _:
                fitting = None
        return _objects(values) if fitting is None else fitting

    def joined(self, parts: list[pd.Series], *, exact: bool) -> pd.Series:
        """The whole column from its chunks."""
        import pandas as pd

        column = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
        match self.kind(exact=exact):
            case "category":
                return pd.Series(pd.Categorical.from_codes(column, list(self.categories)))
            case "unknown":
                return column.infer_objects()
            case _:
                return column

    def _codes(self, values: Sequence[Any]) -> pd.Series:
        """Each value's place among the categories; one that is no choice is added to them."""
        import pandas as pd

        categories = self.categories
        for value in self.choices:
            categories.setdefault(value, len(categories))
        codes = [
            -1 if value is None else categories.setdefault(value, len(categories))
            for value in values
        ]
        return pd.Series(codes, dtype="int32")

    @property
    def _stored_as_float(self) -> bool:
        """A DecimalField's own column on SQLite, which Django only has to round."""
        return (
            self.connection.vendor == "sqlite"
            and isinstance(self.expression, Col)
            and len(self.converters[0][0]) == 1
            and self.field.decimal_places is not None
        )

    def _money_of_floats(self, raw: Sequence[Sequence[Any]]) -> pd.Series | None:
        """What `float()` of the ORM's Decimals is, by rounding the whole column at once.

        Values whose rounding is in doubt (stored with more digits than the field has, or too
        large for whole cents to be exact) go through the ORM one by one.
        """
        import numpy as np
        import pandas as pd

        numbers = _floats(raw[0])
        if numbers is None:
            return None
        scale = 10.0**self.field.decimal_places
        scaled = numbers.to_numpy() * scale
        whole = np.rint(scaled)
        limit = 10.0 ** min(self.field.max_digits or 13, 13)
        with np.errstate(invalid="ignore"):
            sure = (np.abs(scaled - whole) < 0.49) & (np.abs(whole) < limit)
        money = whole / scale
        for place in np.flatnonzero(~sure & ~np.isnan(scaled)):
            money[place] = float(self.orm_values([[raw[0][place]]])[0])
        return pd.Series(money)

    @property
    def _stored_in_utc(self) -> bool:
        """A datetime to which the backend only adds that it is in UTC."""
        add_zone = getattr(self.connection.ops, "convert_datetimefield_value", None)
        return self.connection.timezone == datetime.UTC and self.converters[0][0] == [add_zone]


# ---------------------------------------------------------------- values to arrays
# Each of these takes the values of a chunk and returns a Series, or None if one does not fit.


def _objects(values: Sequence[Any]) -> pd.Series:
    import numpy as np
    import pandas as pd

    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)


def _integers(values: Sequence[Any], *, nullable: bool) -> pd.Series | None:
    return _masked(values, nullable=nullable, dtype="int64", nullable_dtype="Int64", kind="i")


def _booleans(values: Sequence[Any], *, nullable: bool) -> pd.Series | None:
    return _masked(values, nullable=nullable, dtype="bool", nullable_dtype="boolean", kind="b")


def _masked(
    values: Sequence[Any], *, nullable: bool, dtype: str, nullable_dtype: str, kind: str
) -> pd.Series | None:
    """Nullable as the field says, or because a NULL came where none should."""
    import numpy as np
    import pandas as pd

    numbers = np.array(values or [], dtype=None if values else dtype)
    if numbers.dtype.kind == kind:
        return pd.Series(numbers, dtype=nullable_dtype if nullable else dtype)
    present = np.array([value for value in values if value is not None], dtype=None)
    if present.size and present.dtype.kind != kind:
        return None
    missing = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    filled = np.zeros(len(values), dtype=dtype)
    filled[~missing] = present
    array = {"Int64": pd.arrays.IntegerArray, "boolean": pd.arrays.BooleanArray}[nullable_dtype]
    return pd.Series(array(filled, missing))


def _floats(values: Sequence[Any]) -> pd.Series | None:
    import numpy as np
    import pandas as pd

    numbers = np.array(values or [])
    if numbers.dtype.kind not in "fi":
        if not all(value is None or type(value) in {int, float, Decimal} for value in values):
            return None
        numbers = np.array([np.nan if value is None else float(value) for value in values])
    return pd.Series(numbers, dtype="float64")


def _texts(values: Sequence[Any]) -> pd.Series | None:
    column = _objects(values)
    return column.astype("str") if _all_are("string", column) else None


def _datetimes(values: Sequence[Any], time_zone: datetime.tzinfo | None) -> pd.Series | None:
    """Aware in `time_zone`, where values without one are taken as UTC; naive without."""
    import pandas as pd

    column = _objects(values)
    if not _all_are("datetime", column):
        return None
    if time_zone is None:
        return pd.to_datetime(column).dt.as_unit("us")
    return pd.to_datetime(column, utc=True).dt.tz_convert(time_zone).dt.as_unit("us")


def _dates(values: Sequence[Any]) -> pd.Series | None:
    import pandas as pd

    column = _objects(values)
    return pd.to_datetime(column).dt.as_unit("us") if _all_are("date", column) else None


def _durations(values: Sequence[Any]) -> pd.Series | None:
    import pandas as pd

    column = _objects(values)
    return pd.to_timedelta(column).dt.as_unit("us") if _all_are("timedelta", column) else None


def _all_are(kind: str, column: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.infer_dtype(column, skipna=True) in {kind, "empty"}


# ---------------------------------------------------------------- reading a QuerySet


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


def _read(source: Any) -> Rows:
    """Start reading: run the query, unless the QuerySet holds its rows already."""
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
    results = compiler.execute_sql(MULTI, chunked_fetch=True, chunk_size=CHUNK_ROWS)
    return Rows(_columns(queryset, compiler), _closing(results), from_items=False)


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


# ---------------------------------------------------------------- how a preview looks


def _shown(value: Any, field: models.Field | None) -> str:
    """One value, short and readable, the same on every database."""
    if isinstance(field, models.JSONField) and value is not None:
        value = json.dumps(value, ensure_ascii=False, default=str)
    match value:
        case Decimal() if getattr(field, "decimal_places", None) is not None:
            shown = f"{value:.{field.decimal_places}f}"
        case Decimal() | float():
            shown = _number(value)
        case datetime.datetime():
            shown = value.isoformat(" ", "seconds").removesuffix("+00:00")
        case bytes() | bytearray() | memoryview():
            shown = repr(bytes(value[:PREVIEW_TEXT]))
        case dict() | list():
            shown = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            shown = str(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= PREVIEW_TEXT else shown[: PREVIEW_TEXT - 1] + "…"


def _number(value: Decimal | float) -> str:
    """At least two and at most six decimals: databases carry a quotient to different lengths."""
    shown = f"{value:.6f}"
    whole, point, decimals = shown.partition(".")
    return whole + point + decimals.rstrip("0").ljust(2, "0") if point else shown


def _caption(shown: int, total: int | None) -> str:
    if total is None:
        return f"{shown} of more than {PREVIEW_COUNTS_UP_TO:,} rows"
    if total > shown:
        return f"{shown} of {total:,} rows"
    return {0: "no rows", 1: "1 row"}.get(total, f"{total} rows")


def _html(columns: list[list[str]], caption: str) -> str:
    """In the markup of a DataFrame, so that JupyterLab gives it the look of one."""
    header, *body = [
        [escape(cell, quote=False) for cell in row] for row in zip(*columns, strict=True)
    ]

    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

    table = '<table class="dataframe">'
    if len(columns) > FITS_A_PAGE:  # it scrolls sideways, and need not break its dates as well
        table = (
            '<style>table.wb-wide td{white-space:nowrap}</style>\n<table class="dataframe wb-wide">'
        )
    return "\n".join(
        [
            table,
            f"<thead>{line(header, 'th')}</thead>",
            "<tbody>",
            *(line(row, "td") for row in body),
            "</tbody>",
            "</table>",
            f"<p>{caption}</p>",
        ]
    )


def _text(columns: list[list[str]], numeric: list[bool], caption: str) -> str:
    padded = []
    for column, is_numeric in zip(columns, numeric, strict=True):
        width = max(map(_width, column))
        spaces = [" " * (width - _width(cell)) for cell in column]
        padded.append(
            [
                space + cell if is_numeric else cell + space
                for cell, space in zip(column, spaces, strict=True)
            ]
        )
    lines = ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]
    return "\n".join([*lines, caption])


def _width(text: str) -> int:
    """Columns a terminal gives the text: none for combining marks, two for wide characters."""
    return sum(
        0
        if unicodedata.category(c) in {"Mn", "Me", "Cf"}
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )
