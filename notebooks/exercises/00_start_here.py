"""Exercises of chapter 00: the tasks are in the notebook of the same name."""

from shopdb.models import Customer, Invoice, Product
from workbook import queries
from workbook.exercises import exercise, near_miss


@exercise(
    "0.1",
    stars=1,
    hints=[
        "The answer is a number, not the products. Which method of a QuerySet counts?",
        "`filter(price__gt=…)` keeps what costs more than an amount; `gt` is “greater than”.",
        "Put the two together: `Product.objects.filter(price__gt=…).count()`.",
    ],
)
def products_above_500():
    """The database counts and sends back one number: `SELECT COUNT(*)`.

    `len(Product.objects.filter(price__gt=500))` gives the same number, also for one query, but it
    fetches each of these products to count them in Python. With 16 products you won't notice; with
    a million you will.
    """
    return Product.objects.filter(price__gt=500).count()


@near_miss(
    "0.1", "You counted those at exactly 500 too: `gte` is “500 or more”, `gt` is “more than 500”."
)
def _():
    return Product.objects.filter(price__gte=500).count()


@near_miss(
    "0.1", "That is every product of the shop: put a `filter(price__gt=…)` before `count()`."
)
def _():
    return Product.objects.count()


@near_miss("0.1", "You counted the cheaper ones: `lt` is “less than”, `gt` is “greater than”.")
def _():
    return Product.objects.filter(price__lt=500).count()


@near_miss("0.1", "You counted those at exactly 500: a lookup is missing. `gt` is “greater than”.")
def _():
    return Product.objects.filter(price=500).count()


@exercise(
    "0.2",
    stars=1,
    hints=[
        "The field `stock` of a product says how many are left.",
        '`filter()` with a field name asks for equality: `filter(unit="kg")`.',
        "`Product.objects.filter(stock=…)`, and the stock of a sold-out product is zero.",
    ],
)
def sold_out_products():
    """`filter(field=value)` becomes `WHERE field = value`. The result is still a QuerySet: you can
    sort, count or show it, and it runs only when you do.
    """
    return Product.objects.filter(stock=0)


@near_miss(
    "0.2",
    "`exclude()` leaves the sold-out ones out and keeps the rest. `filter()` does the opposite.",
)
def _():
    return Product.objects.exclude(stock=0)


@near_miss(
    "0.2",
    "No product matches: a product that is sold out has a stock of exactly 0.",
    sign="stock",
)
def _():
    return Product.objects.filter(stock__lt=0)


@near_miss("0.2", "Those are all products, sold out or not: `filter(stock=…)` narrows them down.")
def _():
    return Product.objects.all()


@near_miss("0.2", "Those were never sold. Whether any are left is another matter: look at `stock`.")
def _():
    return Product.objects.filter(invoice_products__isnull=True)


@near_miss("0.2", "The slice cuts the list off at ten products. The task asks for all of them.")
def _():
    return Product.objects.filter(stock=0)[:10]


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
    """One `UPDATE … WHERE stock = 0`, no matter how many rows match; it returns their number.

    Setting `product.stock` and calling `product.save()` in a loop leaves the same rows, for one
    query to fetch the list and one more per product. You need the loop when `save()` has other work
    to do: `update()` doesn't call it, and sends no signals (chapter 16, to come).
    """
    return Product.objects.filter(stock=0).update(stock=20)


@near_miss("0.3", "You restocked every product, including those that had some left: filter first.")
def _():
    return Product.objects.update(stock=20)


@near_miss(
    "0.3",
    "The rows are right, but they are saved one by one: `update()` changes them all at once.",
)
def _():
    for product in Product.objects.filter(stock=0):
        product.stock = 20
        product.save()


@near_miss(
    "0.3",
    "Nothing changed in the database. `update()` on a QuerySet changes its rows; setting an "
    "attribute changes an object in Python only.",
)
def _():
    for product in Product.objects.filter(stock=0):
        product.stock = 20


@near_miss(
    "0.3",
    "Nothing changed: an async method does nothing until you await it. Write `update()` here.",
    sign="aupdate",
)
def _():
    Product.objects.filter(stock=0).aupdate(stock=20).close()


@near_miss(
    "0.3",
    "Nothing changed: this only finds the products. `update(stock=20)` at the end changes them.",
)
def _():
    return Product.objects.filter(stock=0)


@near_miss(
    "0.3", "The sold-out products are gone: `delete()` deletes rows, `update()` changes them."
)
def _():
    return Product.objects.filter(stock=0).delete()


@near_miss("0.3", "The right products, but they got 10. The task says 20.")
def _():
    return Product.objects.filter(stock=0).update(stock=10)


@near_miss("0.3", "Reversed: you looked for a stock of 20 and set it to 0.")
def _():
    return Product.objects.filter(stock=20).update(stock=0)


@near_miss(
    "0.3", "The stock is as it was, and the price is 20 now: `update()` takes the field's name."
)
def _():
    return Product.objects.filter(stock=0).update(price=20)


@exercise(
    "0.4",
    stars=1,
    raises=Customer.DoesNotExist,
    hints=[
        "One method wants exactly one row, and raises an exception for any other number.",
        "`get()` takes the same conditions as `filter()`. What does it do when nothing matches?",
        '`Customer.objects.get(name=…)` with a name that no customer has, such as "Nobody".',
    ],
)
def nobody_by_that_name():
    """`get()` promises one object. Without a row it raises the model's own `DoesNotExist`, with
    several rows `MultipleObjectsReturned`. Each model has its own pair, so
    `except Customer.DoesNotExist` doesn't catch a missing invoice.
    """
    return Customer.objects.get(name="Nobody")


@near_miss(
    "0.4", "An empty QuerySet is no error: `filter()` accepts any number of rows, `get()` only one."
)
def _():
    return Customer.objects.filter(name="Nobody")


@near_miss(
    "0.4", "None is no exception: `first()` returns it when there is no row, `get()` raises."
)
def _():
    return Customer.objects.filter(name="Nobody").first()


@near_miss(
    "0.4", "Several customers have that name, so `get()` complains about too many, not about none."
)
def _():
    return Customer.objects.get(name="Maria Silva")


@exercise(
    "0.5",
    stars=2,
    queries=1,
    ordered=True,
    read=lambda invoices: [f"{invoice.pk}: {invoice.username.first_name}" for invoice in invoices],
    hints=[
        "Run the code as it is and read its report: which line runs a query for each invoice?",
        "The report suggests the fix. The relation is called `username` here.",
        '`Invoice.objects.select_related("username").order_by(…)[:10]`.',
    ],
)
def latest_invoices_with_their_owner():
    """`select_related()` fetches the owner in the same statement, with a JOIN. The loop that reads
    the names doesn't change.

    `prefetch_related("username")` gives the same names for two queries: one for the invoices, one
    for their owners. Chapter 07 says when that is the better choice.
    """
    return Invoice.objects.select_related("username").order_by("-issued_at", "-pk")[:10]


@near_miss(
    "0.5",
    "The right invoices, but each name still costs a query: fetch `username`, the owner, too.",
)
def _():
    return Invoice.objects.order_by("-issued_at", "-pk")[:10]


@near_miss(
    "0.5", "You joined the customer. The loop reads the owner, and that relation is `username`."
)
def _():
    return Invoice.objects.select_related("customer").order_by("-issued_at", "-pk")[:10]


@near_miss("0.5", "A second query: a foreign key can come with the first one, by a JOIN.")
def _():
    return Invoice.objects.prefetch_related("username").order_by("-issued_at", "-pk")[:10]


@near_miss("0.5", "These are the ten oldest: `-issued_at`, with a minus, puts the latest first.")
def _():
    return Invoice.objects.select_related("username").order_by("issued_at", "pk")[:10]


@exercise(
    "0.6",
    stars=2,
    prediction=True,
    hints=[
        "Go line by line: which lines only describe rows, and which ones need them?",
        "`exists()` and `count()` run a query each time, unless the QuerySet has its rows already. "
        "A loop keeps the rows it fetched.",
        "The loop fills the cache of `by_name`. `cheap` is another QuerySet.",
    ],
)
def queries_of_the_short_list():
    """Three. `filter()` and `order_by()` run nothing. `exists()` is one query and keeps no rows.
    The loop is the second, and caches the rows of `by_name`, so `len(by_name)` is free. `cheap` is
    another QuerySet without rows: its `count()` is the third.

    `if by_name:` in place of `exists()` would fetch the rows that the loop needs anyway: two.
    """
    with queries() as ran:
        cheap = Product.objects.filter(price__lt=4)
        by_name = cheap.order_by("name", "pk")
        if by_name.exists():
            for product in by_name:
                print(product.name, product.price)
        print(len(by_name), "of", cheap.count())
    return ran.count


@near_miss(
    "0.6", "One too many. Does `len(by_name)` run a query after a loop over the same QuerySet?"
)
def _():
    return 4


@near_miss(
    "0.6",
    "One short. `exists()`, the loop, `len()` and `count()`: only one of the four finds its rows "
    "cached.",
)
def _():
    return 2


@near_miss("0.6", "`filter()` and `order_by()` only build a QuerySet. They don't run a query.")
def _():
    return 6


@near_miss(
    "0.6",
    "Too few. The loop fetches rows, and `exists()` and `count()` each ask the database, too.",
)
def _():
    return 1


@near_miss("0.6", "Two too many: which of the lines find their rows in the cache of `by_name`?")
def _():
    return 5


@near_miss(
    "0.6", "Building a QuerySet runs no query, but the loop has to fetch rows, at the latest."
)
def _():
    return 0
