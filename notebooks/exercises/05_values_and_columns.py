"""Exercises of chapter 05: the tasks are in the notebook of the same name."""

from django.db import connection
from django.db.models import F
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from shopdb.models import Invoice, InvoiceProduct, Product
from workbook import frame
from workbook.exercises import also_right, exercise, near_miss


@exercise(
    "5.1",
    stars=1,
    queries=1,
    ordered=True,
    equivalent={"with `distinct()`": "an owner has each product name once"},
    hints=[
        "Plain texts are one column: which method gives rows of one column without a tuple?",
        '`values_list("name", flat=True)`. And what sorts them?',
        '`Product.objects.filter(…, price__gte=200).order_by("name").values_list("name", flat=True)`.',
    ],
)
def labels():
    """One column, so `flat=True`. Filter, order and columns can be written in any sequence: they
    describe one query.
    """
    products = Product.objects.filter(username__username="sara", price__gte=200)
    return products.order_by("name").values_list("name", flat=True)


@also_right("5.1")
def _():
    products = Product.objects.filter(username__username="sara", price__gte=200)
    return products.order_by(Lower("name")).values_list("name", flat=True)


@near_miss("5.1", "A product that costs exactly 200 is missing: 200 or more is `price__gte=200`.")
def _():
    products = Product.objects.filter(username__username="sara", price__gt=200)
    return products.order_by("name").values_list("name", flat=True)


@near_miss("5.1", "The names are sorted from Z to A.")
def _():
    products = Product.objects.filter(username__username="sara", price__gte=200)
    return products.order_by("-name").values_list("name", flat=True)


@exercise(
    "5.2",
    stars=1,
    queries=1,
    columns=["number", "customer__name", "total"],
    hints=[
        "Dicts come from `values()`.",
        "A column of a related row is named by its path, with two underscores.",
        '`Invoice.objects.filter(total__gt=2000).values("number", "customer__name", "total")`.',
    ],
)
def large_invoices():
    """The customer's name comes by a JOIN, in the same query. Each dict has the keys that you named."""
    return Invoice.objects.filter(total__gt=2000).values("number", "customer__name", "total")


@near_miss("5.2", "An invoice of exactly 2000 is in: above 2000 is `total__gt=2000`.")
def _():
    return Invoice.objects.filter(total__gte=2000).values("number", "customer__name", "total")


@near_miss(
    "5.2", '`values("customer")` gives the key of the customer; the name is `customer__name`.'
)
def _():
    return Invoice.objects.filter(total__gt=2000).values("number", "customer", "total")


@exercise(
    "5.3",
    stars=2,
    queries=1,
    ordered=True,
    hints=[
        "Which method removes rows that are equal?",
        "`distinct()`. Sort by the column that you select, or the duplicates come back.",
        '`….values_list("unit", flat=True).distinct().order_by("unit")`, of Sara\'s products.',
    ],
)
def units_of_sara():
    """`distinct()` compares the selected columns, and the ones it sorts by: here both are `unit`."""
    products = Product.objects.filter(username__username="sara")
    return products.order_by("unit").values_list("unit", flat=True).distinct()


@near_miss("5.3", "The same unit comes several times: each once is a matter for `distinct()`.")
def _():
    products = Product.objects.filter(username__username="sara")
    return products.order_by("unit").values_list("unit", flat=True)


@near_miss(
    "5.3", "A distinct query compares the columns it sorts by, too: sort by `unit`, not by `name`."
)
def _():
    products = Product.objects.filter(username__username="sara")
    return products.order_by("name").values_list("unit", flat=True).distinct()


@near_miss("5.3", "Units of other owners' products are in, too.")
def _():
    return Product.objects.order_by("unit").values_list("unit", flat=True).distinct()


@exercise(
    "5.4",
    stars=2,
    prediction=True,
    hints=[
        "Which columns does the first query fetch?",
        "All but `stock`. What happens when the loop reads it?",
        "The first reading fetches the value into the object, so the second reading is free.",
    ],
)
def deferred_stock():
    """7: one for the six rows, and one for each of them that reads `stock`. The second reading finds
    the value in the object, and `category_id` is a column of the row itself.
    """
    with CaptureQueriesContext(connection) as ran:
        for product in Product.objects.defer("stock").order_by("pk")[:6]:
            product.stock == 0 or product.stock > 10
    return len(ran)


@near_miss("5.4", "`stock` is deferred: the first query does not fetch it.")
def _():
    return 1


@near_miss(
    "5.4", "The value stays in the object once it has been fetched; the second reading is free."
)
def _():
    return 13


@near_miss("5.4", "And the query that fetches the six rows?")
def _():
    return 6


@near_miss(
    "5.4",
    "By default, an object fetches a deferred column for itself only: one query for each object.",
)
def _():
    return 2


@near_miss("5.4", "The second reading is free, and the query that fetches the rows counts, too.")
def _():
    return 12


@near_miss("5.4", "Only `stock` is deferred. `name`, `price` and `category_id` come with the rows.")
def _():
    return 25


@exercise(
    "5.5",
    stars=2,
    queries=1,
    ordered=True,
    hints=[
        "There is a method for the days, months or years that occur.",
        "`dates()` takes the field, what to cut to, and an order.",
        '`….dates("issued_at", "month", order="DESC")`, of Tim\'s invoices.',
    ],
)
def months_of_tim():
    """The database cuts the dates and removes the duplicates. A month without a sale is not there."""
    invoices = Invoice.objects.filter(username__username="tim")
    return invoices.dates("issued_at", "month", order="DESC")


@near_miss("5.5", "The earliest month comes first; the latest should.")
def _():
    return Invoice.objects.filter(username__username="tim").dates("issued_at", "month")


@near_miss("5.5", "Those are the days with an invoice; the task asks for months.")
def _():
    invoices = Invoice.objects.filter(username__username="tim")
    return invoices.dates("issued_at", "day", order="DESC")


@near_miss("5.5", "Those are the years with an invoice; the task asks for months.")
def _():
    invoices = Invoice.objects.filter(username__username="tim")
    return invoices.dates("issued_at", "year", order="DESC")


@near_miss("5.5", "Months of other owners are in, too.")
def _():
    return Invoice.objects.dates("issued_at", "month", order="DESC")


@exercise(
    "5.6",
    stars=2,
    queries=1,
    hints=[
        "Each attribute that the loop follows is a path.",
        "`line.product.category.name` is `product__category__name`.",
        '`….values_list("invoice__number", "product__name", "product__category__name", "qty")`.',
    ],
)
def export():
    """Each dot becomes two underscores, and every path a JOIN. No objects, no N+1.
    `select_related("invoice", "product__category")` would be one query as well, with all columns.
    """
    lines = InvoiceProduct.objects.filter(username__username="rahim", qty__gte=3)
    return lines.values_list("invoice__number", "product__name", "product__category__name", "qty")


@near_miss("5.6", "Those are keys. A path leads to the columns behind them: `invoice__number`.")
def _():
    lines = InvoiceProduct.objects.filter(username__username="rahim", qty__gte=3)
    return lines.values_list("invoice", "product", "product__category", "qty")


@near_miss("5.6", "Lines with exactly 3 are missing: `qty__gte=3`, as in the loop.")
def _():
    lines = InvoiceProduct.objects.filter(username__username="rahim", qty__gt=3)
    return lines.values_list("invoice__number", "product__name", "product__category__name", "qty")


@exercise(
    "5.7",
    stars=3,
    queries=1,
    columns=["name", "category", "worth"],
    hints=[
        "`frame()` takes the rows of `values()`. What are the three columns?",
        'For the worth, `F("price") * F("stock")`. `values(category=…)` is refused, because the '
        "model has a field of that name: rename the column in pandas.",
        '`frame(….values("name", "category__name", worth=…)).rename(columns={…})`.',
    ],
)
def money_in_stock():
    """The database multiplies, `frame()` gives the columns their dtypes. `category` is the name of a
    field, so `values(category=…)` is refused, and pandas renames the column.
    """
    products = Product.objects.filter(username__username="sara", stock__gte=10)
    rows = products.values("name", "category__name", worth=F("price") * F("stock"))
    return frame(rows).rename(columns={"category__name": "category"})


@near_miss("5.7", "Products with less than 10 in stock are in: `stock__gte=10`.")
def _():
    products = Product.objects.filter(username__username="sara")
    rows = products.values("name", "category__name", worth=F("price") * F("stock"))
    return frame(rows).rename(columns={"category__name": "category"})


@near_miss("5.7", "`category` holds the keys; the task asks for the category's name.")
def _():
    products = Product.objects.filter(username__username="sara", stock__gte=10)
    return frame(products.values("name", "category", worth=F("price") * F("stock")))


@near_miss("5.7", "The column is called `category__name`; the task asks for `category`.")
def _():
    products = Product.objects.filter(username__username="sara", stock__gte=10)
    return frame(products.values("name", "category__name", worth=F("price") * F("stock")))
