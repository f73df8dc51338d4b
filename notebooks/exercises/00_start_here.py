"""Exercises of chapter 00: the tasks are in the notebook of the same name."""

from shopdb.models import Customer, Invoice, Product
from workbook.exercises import exercise, near_miss


@exercise(
    "0.1",
    stars=1,
    queries=1,
    hints=[
        "The owner wants a number, not the products. Which method of a QuerySet counts?",
        "`filter(price__gt=…)` keeps what costs more than an amount; `gt` is “greater than”.",
        "Put the two together: `Product.objects.filter(price__gt=…).count()`.",
    ],
)
def products_above_500():
    """The database counts and sends back one number: `SELECT COUNT(*)`.

    `len(Product.objects.filter(price__gt=500))` gives the same number, also in one query, but
    fetches every one of these products to count them here. With 16 nobody notices; with a million
    everybody does.
    """
    return Product.objects.filter(price__gt=500).count()


@near_miss("0.1", "You counted those at exactly 500 too: `gte` is “at least”, `gt` is “more than”.")
def _():
    return Product.objects.filter(price__gte=500).count()


@near_miss(
    "0.1", "That is every product of the shop: a `filter(price__gt=…)` belongs before `count()`."
)
def _():
    return Product.objects.count()


@near_miss("0.1", "You counted the cheaper ones: `lt` is “less than”, `gt` is “greater than”.")
def _():
    return Product.objects.filter(price__lt=500).count()


@exercise(
    "0.2",
    stars=1,
    queries=1,
    hints=[
        "Every product carries how many are left in its field `stock`.",
        '`filter()` with a plain field name asks for equality: `filter(unit="kg")`.',
        "`Product.objects.filter(stock=…)`, and the number of a sold-out product is zero.",
    ],
)
def sold_out_products():
    """`filter(field=value)` becomes `WHERE field = value`, and the answer stays a QuerySet: it can
    be sorted, counted or shown, and asks the database only when somebody reads it.
    """
    return Product.objects.filter(stock=0)


@near_miss(
    "0.2", "`exclude()` throws the sold-out ones away and keeps the rest. You want the reverse."
)
def _():
    return Product.objects.exclude(stock=0)


@near_miss(
    "0.2", "Stock never falls below zero: a product that is sold out has a stock of exactly 0."
)
def _():
    return Product.objects.filter(stock__lt=0)


@near_miss("0.2", "Those are all products, sold out or not: `filter(stock=…)` narrows them down.")
def _():
    return Product.objects.all()


@exercise(
    "0.3",
    stars=2,
    queries=1,
    leaves=lambda: Product.objects.values_list("pk", "name", "stock", "price"),
    hints=[
        "You found the sold-out products in 0.2. A QuerySet can also change what it finds.",
        "`update(field=value)` on a QuerySet changes all its rows with one statement.",
        "`Product.objects.filter(stock=0).update(stock=…)`.",
    ],
)
def restock_what_is_sold_out():
    """One `UPDATE … WHERE stock = 0`, however many rows fit, and its value is how many did.

    Setting `product.stock` and calling `product.save()` in a loop leaves the same rows behind, with
    one query for the list and one more per product. You need the loop when `save()` has work to do
    besides: `update()` does not call it, and sends no signals (chapter 16).
    """
    return Product.objects.filter(stock=0).update(stock=20)


@near_miss(
    "0.3", "You restocked every product, also those that had some left: filter before `update()`."
)
def _():
    return Product.objects.update(stock=20)


@near_miss(
    "0.3",
    "The rows are right, but the loop saves them one by one: `update()` does it in one.",
)
def _():
    for product in Product.objects.filter(stock=0):
        product.stock = 20
        product.save()


@near_miss(
    "0.3",
    "Nothing changed in the database: setting an attribute changes the object in Python only.",
)
def _():
    for product in Product.objects.filter(stock=0):
        product.stock = 20


@exercise(
    "0.4",
    stars=1,
    raises=Customer.DoesNotExist,
    hints=[
        "One method insists on exactly one row, and complains about any other number.",
        "`get()` takes the same conditions as `filter()`. What does it do when nothing fits?",
        '`Customer.objects.get(name=…)` with a name no customer has, such as "Nobody".',
    ],
)
def nobody_by_that_name():
    """`get()` promises one object. With no row it raises the model's own `DoesNotExist`, with
    several `MultipleObjectsReturned`. Each model has its own pair, so
    `except Customer.DoesNotExist` does not swallow a missing invoice.
    """
    return Customer.objects.get(name="Nobody")


@near_miss(
    "0.4", "`filter()` is content with no rows: an empty QuerySet is no error. `get()` is stricter."
)
def _():
    return Customer.objects.filter(name="Nobody")


@near_miss(
    "0.4", "`first()` gives None when there is no row, quietly. `get()` is the one that complains."
)
def _():
    return Customer.objects.filter(name="Nobody").first()


@near_miss("0.4", "Several customers have that name, so `get()` complains that they are too many.")
def _():
    return Customer.objects.get(name="Maria Silva")


@exercise(
    "0.5",
    stars=2,
    queries=1,
    ordered=True,
    read=lambda invoices: [f"{invoice.pk}: {invoice.username.first_name}" for invoice in invoices],
    hints=[
        "Run the code as it is and read its report: which line asks again and again?",
        "The remedy stands in the report. The relation is called `username` here.",
        '`Invoice.objects.select_related("username").order_by(…)[:10]`.',
    ],
)
def latest_invoices_with_their_owner():
    """`select_related()` brings the owner along in the same statement, by a JOIN. The loop that
    reads the names does not change.

    `prefetch_related("username")` gives the same names for two queries: one for the invoices, one
    for their owners. Chapter 07 tells when that is the better deal.
    """
    return Invoice.objects.select_related("username").order_by("-issued_at", "-pk")[:10]


@near_miss(
    "0.5", "The right invoices, but each name is still a query: bring `username` along, the owner."
)
def _():
    return Invoice.objects.order_by("-issued_at", "-pk")[:10]


@near_miss(
    "0.5", "That joins the customer. The loop reads the owner, and `username` is its relation."
)
def _():
    return Invoice.objects.select_related("customer").order_by("-issued_at", "-pk")[:10]


@near_miss("0.5", "Two queries: a foreign key can come along in the first one, by a JOIN.")
def _():
    return Invoice.objects.prefetch_related("username").order_by("-issued_at", "-pk")[:10]


@near_miss("0.5", "The ten oldest: a minus in front of `issued_at` begins with the latest.")
def _():
    return Invoice.objects.select_related("username").order_by("issued_at", "pk")[:10]
