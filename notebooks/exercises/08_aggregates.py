"""Exercises of chapter 08: the tasks are in the notebook of the same name."""

from datetime import UTC, date, datetime

from django.db.models import Avg, Count, F, Max, Q, Sum

from shopdb.models import Invoice, InvoiceProduct, Product
from workbook.exercises import exercise, near_miss


@exercise(
    "8.1",
    stars=1,
    queries=1,
    columns=["products", "pieces"],
    hints=[
        "Both numbers are about all products, so one `aggregate()` can give both.",
        "Keywords name the results: `aggregate(products=…, pieces=…)`.",
        '`Count("pk")` counts the products, `Sum("stock")` adds up the pieces in stock.',
    ],
)
def products_and_pieces():
    """Two keywords, one query, one row back.

    `Product.objects.count()` and a second query for the sum give the same numbers. A page with ten
    such figures would run ten queries, and they may not describe the same moment: a sale can happen
    between two of them.
    """
    return Product.objects.aggregate(products=Count("pk"), pieces=Sum("stock"))


@near_miss(
    "8.1",
    "`pieces` counts products: `Count` counts the rows where `stock` is not NULL. `Sum` adds the "
    "pieces up.",
)
def _():
    return Product.objects.aggregate(products=Count("pk"), pieces=Count("stock"))


@near_miss(
    "8.1", "The numbers are right, but they take two queries: one `aggregate()` can give both."
)
def _():
    pieces = Product.objects.aggregate(pieces=Sum("stock"))["pieces"]
    return {"products": Product.objects.count(), "pieces": pieces}


@near_miss(
    "8.1", "`products` counts names. Two owners can sell products of the same name: count keys."
)
def _():
    return Product.objects.aggregate(products=Count("name", distinct=True), pieces=Sum("stock"))


@near_miss(
    "8.1", "Products that are out of stock are missing from `products`. They are on offer, too."
)
def _():
    return Product.objects.filter(stock__gt=0).aggregate(products=Count("pk"), pieces=Sum("stock"))


@near_miss("8.1", "These numbers are about what was sold. The stock is on `Product`.")
def _():
    return InvoiceProduct.objects.aggregate(
        products=Count("product", distinct=True), pieces=Sum("qty")
    )


@exercise(
    "8.2",
    stars=1,
    hints=[
        "A number of *different* values: which option of `Count` is about that?",
        '`Count("unit", distinct=True)` counts each unit once.',
        '`aggregate(units=…)` returns a dictionary; take the number out with `["units"]`.',
    ],
)
def different_units():
    """`COUNT(DISTINCT unit)` counts in the database; one number comes back.

    `Product.objects.values("unit").distinct().count()` is right, too: the units become a subquery,
    and its rows are counted. `len(set(…))` over all products is also right, but it loads them all.
    """
    return Product.objects.aggregate(units=Count("unit", distinct=True))["units"]


@near_miss("8.2", "This counts every product that has a unit. Each unit should count once.")
def _():
    return Product.objects.aggregate(units=Count("unit"))["units"]


@near_miss(
    "8.2",
    "The number is in it: `aggregate()` returns a dictionary. Take the value out by its name.",
)
def _():
    return Product.objects.aggregate(units=Count("unit", distinct=True))


@exercise(
    "8.3",
    stars=2,
    hints=[
        "Each product has its own price and its own stock: multiply before you add.",
        'Inside an aggregate, `F("price")` is the column of the same row.',
        '`aggregate(worth=Sum(F("price") * F("stock")))`, and the value out of the dictionary.',
    ],
)
def worth_of_the_stock():
    """The database multiplies row by row, inside the sum.

    `Sum("price") * Sum("stock")` also runs and gives a number, and nobody notices until somebody
    checks it by hand. When in doubt, try an aggregate on two rows whose result you can work out in
    your head.
    """
    return Product.objects.aggregate(worth=Sum(F("price") * F("stock")))["worth"]


@near_miss(
    "8.3",
    "You multiplied two sums: all the prices, times all the pieces. Multiply inside the sum: "
    '`Sum(F("price") * F("stock"))`.',
)
def _():
    return Product.objects.aggregate(worth=Sum("price") * Sum("stock"))["worth"]


@near_miss(
    "8.3",
    "This adds up the price of one piece of each product. Multiply each price by its `stock`.",
)
def _():
    return Product.objects.aggregate(worth=Sum("price"))["worth"]


@near_miss(
    "8.3",
    "You multiplied two numbers about all products. Each price belongs to its own stock: multiply "
    'inside the sum, `Sum(F("price") * F("stock"))`.',
)
def _():
    return Product.objects.aggregate(worth=Avg("price") * Sum("stock"))["worth"]


@near_miss("8.3", "This is what was sold. The question is about the stock, which is on `Product`.")
def _():
    return InvoiceProduct.objects.aggregate(worth=Sum(F("qty") * F("sale_price")))["worth"]


@near_miss("8.3", "Each product is added once for each line it was sold on. Start from `Product`.")
def _():
    lines = InvoiceProduct.objects.all()
    return lines.aggregate(worth=Sum(F("product__price") * F("product__stock")))["worth"]


@exercise(
    "8.4",
    stars=2,
    queries=1,
    columns=["invoices", "discounted", "given"],
    equivalent={"without `default=0` in `given`": "Sara has invoices in both shops"},
    hints=[
        "One condition is for all three numbers, another one only for `discounted`.",
        'The first one goes into `filter()`, before `aggregate()`: `username__username="sara"`.',
        '`discounted=Count("pk", filter=Q(discount__gt=0))`, and a plain `Sum("discount")`.',
    ],
)
def discounts_of_sara():
    """A condition for every number goes into `filter()`, a condition for one of them into `filter=`.

    `given` needs no condition: an invoice without a discount adds 0. The default is for an owner
    without any invoices.
    """
    return Invoice.objects.filter(username__username="sara").aggregate(
        invoices=Count("pk"),
        discounted=Count("pk", filter=Q(discount__gt=0)),
        given=Sum("discount", default=0),
    )


@near_miss(
    "8.4",
    "`discounted` counts every invoice, also those with a discount of 0. Say which ones to count: "
    "`filter=Q(discount__gt=0)`.",
)
def _():
    return Invoice.objects.filter(username__username="sara").aggregate(
        invoices=Count("pk"), discounted=Count("discount"), given=Sum("discount", default=0)
    )


@near_miss(
    "8.4",
    "`invoices` counts only the discounted ones: `filter()` removed the others for all three "
    "numbers. Put the condition into the one `Count`, as its `filter=`.",
)
def _():
    return Invoice.objects.filter(username__username="sara", discount__gt=0).aggregate(
        invoices=Count("pk"), discounted=Count("pk"), given=Sum("discount", default=0)
    )


@near_miss("8.4", "These are the invoices of all owners, not only Sara's.")
def _():
    return Invoice.objects.aggregate(
        invoices=Count("pk"),
        discounted=Count("pk", filter=Q(discount__gt=0)),
        given=Sum("discount", default=0),
    )


@near_miss("8.4", "`discounted` adds the discounts up. It asks how many invoices had one.")
def _():
    return Invoice.objects.filter(username__username="sara").aggregate(
        invoices=Count("pk"), discounted=Sum("discount"), given=Sum("discount", default=0)
    )


@near_miss(
    "8.4",
    "`discounted` counts different amounts: two invoices with the same discount count once, and 0 is "
    "an amount, too.",
)
def _():
    return Invoice.objects.filter(username__username="sara").aggregate(
        invoices=Count("pk"),
        discounted=Count("discount", distinct=True),
        given=Sum("discount", default=0),
    )


@exercise(
    "8.5",
    stars=2,
    queries=1,
    columns=["christmas", "new_year"],
    hints=[
        "Two days, two sums, one `aggregate()`: each sum has a condition of its own.",
        "`filter=Q(issued_at__date=date(2026, 1, 1))` goes inside the `Sum`.",
        "A sum over no rows is NULL. `Sum` takes one more argument that says what it is instead.",
    ],
)
def two_quiet_days():
    """`filter=` and `default=` work together: the condition may leave no rows, and then the default
    arrives as a `Decimal`, like the other sum.

    `… or 0` in Python looks the same on a page, but it is an int. Code that calls `.quantize()` on
    it fails on the quiet day, and an API that sends decimals as strings sends a number that day.
    """
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date=date(2025, 12, 25)), default=0),
        new_year=Sum("total", filter=Q(issued_at__date=date(2026, 1, 1)), default=0),
    )


@near_miss("8.5", "The sum of no rows is `None`. Say what it is instead: `default=0`.")
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date=date(2025, 12, 25))),
        new_year=Sum("total", filter=Q(issued_at__date=date(2026, 1, 1))),
    )


@near_miss(
    "8.5",
    "The zero is an int, and the other day is a `Decimal`. With `default=0` inside `Sum`, the zero "
    "comes from the database, in the right type.",
)
def _():
    sums = Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date=date(2025, 12, 25))),
        new_year=Sum("total", filter=Q(issued_at__date=date(2026, 1, 1))),
    )
    return {day: billed or 0 for day, billed in sums.items()}


@near_miss(
    "8.5", "The sums are right, but each day is a query of its own. Give each `Sum` a `filter=`."
)
def _():
    invoices = Invoice.objects.all()
    christmas = invoices.filter(issued_at__date=date(2025, 12, 25))
    new_year = invoices.filter(issued_at__date=date(2026, 1, 1))
    return {
        "christmas": christmas.aggregate(billed=Sum("total", default=0))["billed"],
        "new_year": new_year.aggregate(billed=Sum("total", default=0))["billed"],
    }


@near_miss("8.5", "`created_at` is when the row was written. The task asks for the day of issue.")
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(created_at__date=date(2025, 12, 25)), default=0),
        new_year=Sum("total", filter=Q(created_at__date=date(2026, 1, 1)), default=0),
    )


@near_miss(
    "8.5",
    "These are the invoices issued at midnight exactly. Compare the day: `issued_at__date`.",
)
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at=datetime(2025, 12, 25, tzinfo=UTC)), default=0),
        new_year=Sum("total", filter=Q(issued_at=datetime(2026, 1, 1, tzinfo=UTC)), default=0),
    )


@near_miss("8.5", "These are the days of all years. The task names one year for each.")
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__month=12, issued_at__day=25), default=0),
        new_year=Sum("total", filter=Q(issued_at__month=1, issued_at__day=1), default=0),
    )


@near_miss("8.5", "These sums are of everything from that day on. The task asks for the one day.")
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date__gte=date(2025, 12, 25)), default=0),
        new_year=Sum("total", filter=Q(issued_at__date__gte=date(2026, 1, 1)), default=0),
    )


@near_miss("8.5", "This is what was paid. What was billed is the sum of `total`.")
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("payment", filter=Q(issued_at__date=date(2025, 12, 25)), default=0),
        new_year=Sum("payment", filter=Q(issued_at__date=date(2026, 1, 1)), default=0),
    )


@near_miss("8.5", "This counts the invoices. What was billed is the sum of `total`.")
def _():
    return Invoice.objects.aggregate(
        christmas=Count("pk", filter=Q(issued_at__date=date(2025, 12, 25))),
        new_year=Count("pk", filter=Q(issued_at__date=date(2026, 1, 1))),
    )


@exercise(
    "8.6",
    stars=2,
    queries=1,
    hints=[
        "First find the five invoices, then add up.",
        "`order_by()` with a minus, and a slice, give the five. A slice is still a QuerySet.",
        '`Invoice.objects.order_by("-payment_due")[:5].aggregate(debt=Sum("payment_due"))`, '
        "and the number out of it.",
    ],
)
def five_highest_debts():
    """The slice becomes a subquery with `LIMIT 5`, and the sum is taken over its rows.

    Several invoices may owe the same amount. It is then up to the database which of them is the
    fifth, but the sum is the same, so the order needs no tie-breaker. A list of the five would.
    """
    return Invoice.objects.order_by("-payment_due")[:5].aggregate(debt=Sum("payment_due"))["debt"]


@near_miss("8.6", "This is everything that is due. The slice `[:5]` has to come before the sum.")
def _():
    return Invoice.objects.order_by("-payment_due").aggregate(debt=Sum("payment_due"))["debt"]


@near_miss(
    "8.6", "These are the five smallest amounts: without a minus, `order_by()` is ascending."
)
def _():
    return Invoice.objects.order_by("payment_due")[:5].aggregate(debt=Sum("payment_due"))["debt"]


@near_miss(
    "8.6",
    "These are the five invoices with the largest `total`. The largest debts come first when you "
    "order by `payment_due`.",
)
def _():
    largest = Invoice.objects.order_by("-total", "pk")[:5]
    return largest.aggregate(debt=Sum("payment_due"))["debt"]


@near_miss(
    "8.6",
    "These are the five highest different amounts. Two invoices that owe the same are two debts.",
)
def _():
    amounts = Invoice.objects.values_list("payment_due", flat=True).distinct()
    return sum(amounts.order_by("-payment_due")[:5])


@exercise(
    "8.7",
    stars=3,
    queries=1,
    columns=["customers", "due"],
    equivalent={"without `default=0` in `due`": "beans were sold in both shops"},
    hints=[
        "After a join, an invoice with two kinds of beans appears twice. Do you need the join?",
        "Start with the lines that have beans, and ask for the invoices whose key is among theirs: "
        '`filter(pk__in=bean_lines.values("invoice"))`.',
        "A customer may have many of these invoices, so `customers` counts different ones: "
        '`Count("customer", distinct=True)`. `due` is a plain `Sum("payment_due")`.',
    ],
)
def customers_of_beans():
    """Most people first write `filter(products__category__name="Beans")` and two aggregates.
    `distinct=True` makes the count right, but not the sum: the join adds an invoice once for each
    of its beans, and with `distinct=True` two invoices that owe the same amount are added once.

    The subquery repeats nothing: an invoice is in the list or it is not. `Count` still needs
    `distinct=True`, because one customer may have many of these invoices.

    `.distinct()` on the joined invoices, before `aggregate()`, is right as well.
    """
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines.values("invoice")).aggregate(
        customers=Count("customer", distinct=True),
        due=Sum("payment_due", default=0),
    )


@near_miss(
    "8.7",
    "`customers` is right, but `due` is too large: the join repeats an invoice for each of its "
    "lines with beans (see *A join repeats rows*).",
)
def _():
    return Invoice.objects.filter(products__category__name="Beans").aggregate(
        customers=Count("customer", distinct=True), due=Sum("payment_due", default=0)
    )


@near_miss(
    "8.7",
    "`due` is too small: `Sum(distinct=True)` adds each different amount once, also when two "
    "invoices owe the same. Avoid the repeated rows instead, with `pk__in` and a subquery.",
)
def _():
    return Invoice.objects.filter(products__category__name="Beans").aggregate(
        customers=Count("customer", distinct=True),
        due=Sum("payment_due", distinct=True, default=0),
    )


@near_miss(
    "8.7",
    "`due` is right. `customers` counts invoices: a customer with three of them counts three times. "
    "Count different customers, with `distinct=True`.",
)
def _():
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines.values("invoice")).aggregate(
        customers=Count("customer"), due=Sum("payment_due", default=0)
    )


@near_miss(
    "8.7",
    "The join repeats an invoice for each of its lines with beans, so both numbers are too large "
    "(see *A join repeats rows*).",
)
def _():
    return Invoice.objects.filter(products__category__name="Beans").aggregate(
        customers=Count("customer"), due=Sum("payment_due", default=0)
    )


@near_miss(
    "8.7", "`customers` counts different names, and two customers can share one. Count keys."
)
def _():
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines.values("invoice")).aggregate(
        customers=Count("customer__name", distinct=True), due=Sum("payment_due", default=0)
    )


@near_miss(
    "8.7",
    "The subquery gives keys of products, and they are compared with keys of invoices. Give the "
    "invoices of the lines: `.values(\"invoice\")`.",
)
def _():
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines.values("product")).aggregate(
        customers=Count("customer", distinct=True), due=Sum("payment_due", default=0)
    )


@near_miss(
    "8.7",
    "The subquery gives keys of lines, and they are compared with keys of invoices. Give the "
    "invoices of the lines: `.values(\"invoice\")`.",
)
def _():
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines).aggregate(
        customers=Count("customer", distinct=True), due=Sum("payment_due", default=0)
    )


@exercise(
    "8.8",
    stars=2,
    prediction=True,
    hints=[
        "The condition fits no invoice. What does each aggregate give for no rows?",
        "`Count` gives a number. `Sum` and `Max` give the same thing as each other.",
        "`default=0` replaces the `None` of the aggregate that has it, and of no other.",
    ],
)
def aggregates_over_no_rows():
    """`Count` counts 0 rows. `Sum` and `Max` are NULL, so `None`. The default of `Avg` comes back
    from the database as a `Decimal`, because `total` is one.
    """
    return Invoice.objects.filter(total__lt=0).aggregate(
        n=Count("pk"),
        billed=Sum("total"),
        average=Avg("total", default=0),
        last=Max("issued_at"),
    )


_NAMES = ("n", "billed", "average", "last")
_NO_SUM = "`billed`: the sum of no rows is NULL, and Python has `None` for that."
for values, sentence in {
    (0, 0, 0, None): _NO_SUM,
    (0, 0, 0, 0): "`billed` and `last` are `None`: the sum and the maximum of no rows are NULL.",
    (0, 0, None, None): "Only `average` has a `default=`. `billed` is `None`.",
    (None, None, None, None): "`Count` gives 0 for no rows, and `average` has a `default=`.",
    (None, None, 0, None): "`n`: `Count` counts rows, so it is a number for no rows, too.",
    (0, None, None, None): "`average` has a `default=`, and no rows give that.",
    (0, None, 0, 0): "`last`: the maximum of no rows is NULL, and Python has `None` for that.",
}.items():
    near_miss("8.8", sentence)(lambda values=values: dict(zip(_NAMES, values, strict=True)))
