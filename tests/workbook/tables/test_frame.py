"""Whatever the ORM can select, `frame()` holds the same values, in dtypes the fields decide."""

import datetime
import sys
from decimal import Decimal

import pandas as pd
import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, connection, connections, models, transaction
from django.db.models import Avg, Count, Exists, F, FilteredRelation, Max, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce, Lower, RowNumber, TruncDay, TruncMonth, Upper
from django.db.models.query import ModelIterable
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product
from workbook.tables import frame, preview, reading

from .models import BigBox, Box, Detail, Maybe, Slot, Thing

pytestmark = pytest.mark.django_db


def agree(queryset, *, exact=False):
    """Assert that `frame` gives what iterating gives; return the frame of the fresh QuerySet."""
    expected = _iterated(queryset.all() if isinstance(queryset, models.QuerySet) else queryset)
    with CaptureQueriesContext(
        connections[queryset.db],
    ) as ran:
        table = frame(_fresh(queryset), exact=exact)
    assert len(ran) <= 1
    assert len(table) == len(expected)
    for column in table.columns:
        ours = [_plain(value) for value in table[column].astype(object)]
        theirs = [_expected(row[column], table[column].dtype) for row in expected]
        assert ours == theirs, column
        if table[column].dtype == object:
            assert [type(a) for a in ours] == [type(b) for b in theirs]
    evaluated = _fresh(queryset)
    list(evaluated)
    with CaptureQueriesContext(connections[queryset.db]) as ran:
        again = frame(evaluated, exact=exact)
    assert len(ran) == 0
    pd.testing.assert_frame_equal(again, table)
    return table


def _fresh(queryset):
    return (
        queryset._clone() if isinstance(queryset, models.query.RawQuerySet) else queryset._chain()
    )


def _iterated(queryset):
    """Each row as a dict, read through attributes, keys or positions as a learner would."""
    names = list(frame(_fresh(queryset)).columns)
    rows = []
    for item in _fresh(queryset):
        if isinstance(item, dict):
            row = item
            assert list(row) == names
        elif isinstance(item, tuple):
            row = dict(zip(names, item, strict=True))
            assert getattr(item, "_fields", tuple(names)) == tuple(names)
        elif isinstance(item, models.Model):
            row = {name: _reach(item, name) for name in names}
        else:
            [name] = names
            row = {name: item}
        rows.append(row)
    return rows


def _reach(instance, name):
    if hasattr(instance, name):
        return getattr(instance, name)
    first, _, rest = name.partition("__")
    related = getattr(instance, first, None)
    return None if related is None else _reach(related, rest)


def _plain(value):
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, pd.Timedelta):
        return value.to_pytimedelta()
    return value


def _expected(value, dtype):
    if isinstance(value, models.fields.files.FieldFile):
        value = value.name
    if isinstance(value, Decimal) and not pd.api.types.is_object_dtype(dtype):
        return float(value)
    if type(value) is datetime.date:
        return datetime.datetime(value.year, value.month, value.day)
    return value


# ---------------------------------------------------------------- dtypes and values by field


DTYPES = {
    "id": "int64",
    "integer": "int64",
    "big": "int64",
    "real": "float64",
    "money": "float64",
    "wide": "float64",
    "truth": "bool",
    "text": "str",
    "status": "category",
    "level": "category",
    "moment": "datetime64[us, UTC]",
    "day": "datetime64[us]",
    "hour": "object",
    "length": "timedelta64[us]",
    "key": "object",
    "raw": "object",
    "json": "object",
    "address": "str",
    "file": "str",
    "loud": "object",
    "doubled": "Int64",
    "box_id": "int64",
}
NULLABLE = {
    **{name: {"int64": "Int64", "bool": "boolean"}.get(d, d) for name, d in DTYPES.items()},
    "id": "int64",
}
del NULLABLE["doubled"]


def dtypes(table):
    return {name: str(dtype) for name, dtype in table.dtypes.items()}


@pytest.mark.parametrize(("model", "expected"), [(Thing, DTYPES), (Maybe, NULLABLE)])
@pytest.mark.parametrize("values", [False, True])
def test_every_field_has_its_values_and_its_dtype(things, model, expected, values):
    queryset = model.objects.order_by("id")
    assert dtypes(agree(queryset.values(*expected) if values else queryset)) == expected


@pytest.mark.parametrize(("model", "expected"), [(Thing, DTYPES), (Maybe, NULLABLE)])
@pytest.mark.parametrize(
    "narrow",
    [
        lambda queryset: queryset.all(),
        lambda queryset: queryset.none(),
        lambda queryset: queryset.filter(pk__in=[]),
        lambda queryset: queryset.filter(pk=0),
        lambda queryset: queryset.filter(pk=0).values(),
    ],
)
def test_dtypes_of_an_empty_result_are_the_same(model, expected, narrow):
    table = agree(narrow(model.objects.order_by("id")))
    assert len(table) == 0
    assert dtypes(table) == expected


def test_dtypes_do_not_follow_the_values(things):
    only_null = Maybe.objects.filter(integer=None)
    assert dtypes(agree(only_null)) == NULLABLE
    Thing.objects.update(money=5, real=2)
    assert dtypes(agree(Thing.objects.all())) == DTYPES


def test_exact_keeps_decimals_as_the_orm_gives_them(things):
    table = agree(Thing.objects.all(), exact=True)
    assert table["money"].tolist() == [Decimal("12.30")] * 2
    assert str(table["money"][0]) == "12.30"
    assert agree(Maybe.objects.order_by("id"), exact=True)["money"].tolist()[-1] is None


def test_categories_are_the_choices_in_their_order_and_lose_no_other_value(things):
    table = agree(Thing.objects.all())
    assert table["status"].cat.categories.tolist() == ["draft", "paid"]
    assert table["level"].cat.categories.tolist() == [1, 2]
    Thing.objects.filter(integer=1).update(status="odd")
    table = agree(Thing.objects.order_by("integer"))
    assert table["status"].tolist() == ["odd", "paid"]
    assert table["status"].cat.categories.tolist() == ["draft", "paid", "odd"]


def test_an_expression_over_choices_is_plain_text(things):
    assert agree(Thing.objects.values(s=Upper("status")))["s"].tolist() == ["PAID", "PAID"]
    assert dtypes(agree(Thing.objects.values(s=F("status"))))["s"] == "category"


def test_a_column_over_several_chunks_is_the_same(things, monkeypatch):
    whole = frame(Maybe.objects.order_by("id"))
    monkeypatch.setattr(reading, "CHUNK_ROWS", 1)
    pd.testing.assert_frame_equal(agree(Maybe.objects.order_by("id")), whole)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite stores what does not fit")
def test_a_value_that_does_not_fit_its_field_is_kept(things):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workbook_thing SET integer = 1.5 WHERE integer = 2")
        cursor.execute("UPDATE workbook_maybe SET big = 'many' WHERE integer = 2")
    assert agree(Thing.objects.order_by("id"))["integer"].tolist() == [1, 1.5]
    assert agree(Maybe.objects.order_by("id"))["big"].tolist()[1] == "many"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite keeps decimals as floats")
@pytest.mark.parametrize(
    "stored",
    [1.015, 1.005, 2.675, 10.945, 0.1 + 0.2, -1.015, 99999999.99, 12345678.905, 0, 7, -0.001],
)
def test_money_stored_with_too_many_digits_is_rounded_as_the_orm_does(things, stored):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workbook_thing SET money = %s, wide = %s", [stored, stored])
    agree(Thing.objects.all())


# ---------------------------------------------------------------- shapes of queries


SHAPES = {
    "model": lambda: Invoice.objects.all(),
    "ordered slice": lambda: Product.objects.order_by("-price")[2:5],
    "values": lambda: Product.objects.values(),
    "values of names": lambda: Product.objects.values("name", "price", "category_id", "category"),
    "across relations": lambda: Product.objects.values("category__parent__name", "username__otp"),
    "values_list": lambda: Product.objects.values_list("name", "price"),
    "values_list of all": lambda: Category.objects.values_list(),
    "named": lambda: Product.objects.values_list("name", "category__name", named=True),
    "flat": lambda: Product.objects.values_list("price", flat=True),
    "flat expression": lambda: Product.objects.values_list(Lower("name"), flat=True),
    "expressions": lambda: Product.objects.values_list("id", Lower("name"), F("price") * 2, "id"),
    "named expressions": lambda: Product.objects.values_list("id", Lower("name"), named=True),
    "annotated": lambda: Category.objects.order_by("id").annotate(
        n=Count("products"), total=Sum("products__price")
    ),
    "annotations in between": lambda: (
        Category.objects.order_by("id").annotate(n=Count("id")).values_list("n", "name")
    ),
    "default names": lambda: Invoice.objects.values("customer").annotate(
        Sum("total"), Avg("total")
    ),
    "grouped": lambda: (
        Invoice.objects.values("customer__name").annotate(n=Count("*")).order_by("n")
    ),
    "ordered by what is not selected": lambda: Product.objects.order_by("-stock").values("name"),
    "distinct": lambda: Product.objects.order_by("category__name").values("unit").distinct(),
    "arithmetic": lambda: InvoiceProduct.objects.annotate(x=F("qty") * F("sale_price") / 7),
    "generated": lambda: InvoiceProduct.objects.values("line_total"),
    "sum of floats": lambda: Invoice.objects.values("customer").annotate(s=Sum("total")),
    "exists": lambda: Customer.objects.order_by("id").annotate(
        buys=Exists(Invoice.objects.filter(customer=OuterRef("pk")))
    ),
    "condition": lambda: Product.objects.annotate(dear=Q(price__gt=1)),
    "window": lambda: Product.objects.annotate(n=models.Window(RowNumber(), order_by="price")),
    "filtered by window": lambda: Product.objects.annotate(
        n=models.Window(RowNumber(), order_by="price")
    ).filter(n__lte=2),
    "only": lambda: Invoice.objects.only("total"),
    "defer": lambda: Product.objects.defer("attributes", "unit"),
    "forward": lambda: Invoice.objects.order_by("id").select_related("customer__username"),
    "nullable forward": lambda: Category.objects.order_by("id").select_related(
        "parent", "username"
    ),
    "only across": lambda: (
        Product.objects.order_by("id").select_related("category").only("name", "category__name")
    ),
    "reverse one-to-one": lambda: Thing.objects.order_by("id").select_related("detail"),
    "one-to-one": lambda: Detail.objects.select_related("thing__box"),
    "child": lambda: BigBox.objects.all(),
    "parent with child": lambda: Box.objects.order_by("id").select_related("bigbox"),
    "filtered relation": lambda: (
        Box.objects.order_by("id")
        .annotate(one=FilteredRelation("things", condition=Q(things__integer=1)))
        .select_related("one")
    ),
    "composite key": lambda: Slot.objects.order_by("row"),
    "composite key as value": lambda: Slot.objects.order_by("row").values("weight", "pk", "row"),
    "composite key in a list": lambda: Slot.objects.order_by("row").values_list("pk", "column"),
    "union": lambda: Category.objects.filter(parent=None).union(Category.objects.all()),
    "union of values": lambda: Category.objects.values("name").union(
        Product.objects.values("name"), all=True
    ),
    "intersection": lambda: Product.objects.intersection(Product.objects.filter(price__gt=1)),
    "union with nothing": lambda: Product.objects.none().union(Product.objects.all()),
    "extra": lambda: Product.objects.extra(select={"one": "1"}),
    "dates": lambda: Invoice.objects.dates("issued_at", "day"),
    "datetimes": lambda: Invoice.objects.datetimes("issued_at", "hour"),
    "truncated": lambda: Invoice.objects.values(m=TruncMonth("issued_at")).annotate(n=Count("id")),
    "extracted": lambda: Invoice.objects.values("issued_at__month", "issued_at__date"),
    "latest": lambda: Customer.objects.order_by("id").annotate(last=Max("invoices__issued_at")),
    "json key": lambda: Thing.objects.values("json__n", "json__n__0"),
    "subquery": lambda: Customer.objects.order_by("id").annotate(
        t=models.Subquery(Invoice.objects.filter(customer=OuterRef("pk")).values("total")[:1])
    ),
    "constant": lambda: Product.objects.annotate(one=Value(1), no=Value(None, models.CharField())),
    "raw": lambda: Product.objects.raw("SELECT * FROM shopdb_product ORDER BY id"),
    "raw with parameters": lambda: Product.objects.raw(
        "SELECT id, name, price FROM shopdb_product WHERE price > %s", [1]
    ),
    "raw with extra": lambda: Category.objects.raw(
        "SELECT c.id, c.name, COUNT(p.id) AS n FROM shopdb_category c"
        " LEFT JOIN shopdb_product p ON p.category_id = c.id GROUP BY c.id, c.name ORDER BY c.id"
    ),
    "raw with translations": lambda: Category.objects.raw(
        "SELECT id, description AS word FROM shopdb_category", translations={"word": "name"}
    ),
    "prefetched": lambda: Category.objects.prefetch_related("products"),
    "related manager": lambda: Category.objects.get(name="Saws").products.all(),
    "many to many": lambda: Invoice.objects.first().products.all(),
}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_query_agrees_with_iterating(things, shop, shape, exact):
    agree(SHAPES[shape](), exact=exact)


# ---------------------------------------------------------------- around the query


def test_nullability_follows_joins_and_annotations(shop):
    table = agree(
        Category.objects.order_by("id")
        .annotate(n=Count("products"), most=Max("products__stock"))
        .values("id", "parent__id", "username_id", "n", "most", m=Coalesce("parent__id", 0))
    )
    assert dtypes(table) == {
        "id": "int64",
        "parent__id": "Int64",
        "username_id": "int64",
        "n": "int64",
        "most": "Int64",
        "m": "int64",
    }
    parts = Category.objects.values("id").union(Category.objects.values("parent_id"))
    assert dtypes(agree(parts)) == {"id": "Int64"}


def test_columns_are_named_as_in_the_query(shop):
    joined = frame(Category.objects.select_related("parent").annotate(n=Count("products")))
    own = [field.attname for field in Category._meta.concrete_fields]
    assert list(joined.columns) == [*own, "n", *(f"parent__{name}" for name in own)]
    table = frame(Invoice.objects.values("customer__name").annotate(Sum("total")))
    assert list(table.columns) == ["customer__name", "total__sum"]


def test_a_truncated_datetime_keeps_the_zone_it_was_cut_in(shop):
    if not connection.features.has_zoneinfo_database:
        pytest.skip("this MariaDB knows no time zone but UTC (mysql_tzinfo_to_sql loads them)")
    with timezone.override("Asia/Dhaka"):
        table = agree(Invoice.objects.values(d=TruncDay("issued_at")).order_by("d"))
    assert str(table["d"].dtype) == "datetime64[us, Asia/Dhaka]"
    assert table["d"][0].isoformat() == "2026-06-02T00:00:00+06:00"


def test_naive_datetimes_stay_naive(settings, things):
    settings.USE_TZ = False
    assert str(agree(Thing.objects.all())["moment"].dtype) == "datetime64[us]"


@pytest.mark.parametrize("read", [frame, preview])
def test_one_query_exactly_as_written_and_nothing_cached(shop, read):
    queryset = Product.objects.filter(price__gt=1).order_by("name")
    sql, params = queryset.query.sql_with_params()
    ran = []

    def remember(execute, *call):
        ran.append(call[:2])
        return execute(*call)

    with connection.execute_wrapper(remember):
        read(queryset)
    assert ran == [(sql, params)]
    assert queryset._result_cache is None


def test_a_manager_and_a_prefetched_relation_are_taken(shop):
    assert len(frame(Product.objects)) == 12
    [saws] = Category.objects.filter(name="Saws").prefetch_related("products")
    with CaptureQueriesContext(connection) as ran:
        assert len(frame(saws.products)) == 12
        assert preview(saws.products).rows == 12
    assert len(ran) == 0


def test_what_an_iterable_class_of_a_project_yields_is_respected(shop):
    class Loud(ModelIterable):
        def __iter__(self):
            for product in super().__iter__():
                product.name = product.name.upper()
                yield product

    queryset = Product.objects.order_by("id")
    queryset._iterable_class = Loud
    assert frame(queryset)["name"][0] == "SAW 1"


def test_a_field_that_converts_its_values_itself_gets_the_drivers_own(shop, monkeypatch):
    """Whatever else the row holds: psycopg is told once a query how to load numbers."""
    price = Product._meta.get_field("price")
    kind = staticmethod(lambda value, expression, connection: type(value).__name__)
    monkeypatch.setattr(price, "from_db_value", kind, raising=False)
    table = frame(Product.objects.order_by("id"))
    assert set(table["price"]) == {"Decimal"}
    assert table["created_at"].dtype == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    "moment",
    [
        datetime.datetime(1000, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, datetime.UTC),
    ],
)
def test_moments_of_any_year_are_exact(moment):
    Maybe.objects.create(moment=moment)
    Maybe.objects.create()
    first, second = frame(Maybe.objects.order_by("id"))["moment"]
    assert first.to_pydatetime() == moment
    assert pd.isna(second)


@pytest.mark.parametrize("read", [frame, preview])
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda: [{"a": 1}], "of type list"),
        (lambda: Product, r"pass Product\.objects\.all\(\)"),
        (lambda: Product.objects.first(), r"pass Product\.objects\.filter\(pk="),
    ],
)
def test_anything_else_gets_a_sentence(shop, read, wrong, hint):
    with pytest.raises(TypeError, match=f"needs a QuerySet.*{hint}"):
        read(wrong())


@pytest.mark.parametrize("read", [frame, preview])
def test_a_query_that_fails_raises_its_own_error(shop, read):
    with pytest.raises(DatabaseError, match="nowhere"), transaction.atomic():
        read(Product.objects.raw("SELECT id FROM nowhere"))
    with pytest.raises(FieldDoesNotExist, match="primary key"):
        read(Product.objects.raw("SELECT name FROM shopdb_product"))


def test_without_pandas_a_sentence_says_what_to_do(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="this environment has no pandas: `pip install pandas`"):
        frame(Product.objects.all())
    assert preview(Product.objects.all()).text
