"""Exercises of chapter 08: the tasks are in the notebook of the same name."""

from datetime import date

from django.db.models import Count, F, Q, Sum

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
        '`Count("pk")` counts the products, `Sum("stock")` adds up what lies on the shelves.',
    ],
)
def products_and_pieces():
    """Two keywords, one query, one row back.

    `Product.objects.count()` and a second query for the sum give the same numbers. On a page with
    ten such figures that makes ten queries, and they may not even describe the same moment: a sale
    can happen between two of them.
    """
    return Product.objects.aggregate(products=Count("pk"), pieces=Sum("stock"))


@near_miss(
    "8.1",
    "`Count` says how many products have a stock figure, and all of them do. `Sum` adds it up.",
)
def _():
    return Product.objects.aggregate(products=Count("pk"), pieces=Count("stock"))


@near_miss("8.1", "The numbers are right, but you asked twice: one `aggregate()` can hold both.")
def _():
    pieces = Product.objects.aggregate(pieces=Sum("stock"))["pieces"]
    return {"products": Product.objects.count(), "pieces": pieces}


@exercise(
    "8.2",
    stars=1,
    queries=1,
    hints=[
        "A number of *different* values: which option of `Count` is about that?",
        '`Count("unit", distinct=True)` counts each unit once.',
        '`aggregate(units=…)` returns a dictionary; take the number out with `["units"]`.',
    ],
)
def different_units():
    """`COUNT(DISTINCT unit)` counts in the database; one number comes back.

    `Product.objects.values("unit").distinct().count()` is right too: the units become a subquery
    and its rows are counted. `len(set(…))` over all products is right and fetches all of them.
    """
    return Product.objects.aggregate(units=Count("unit", distinct=True))["units"]


@near_miss("8.2", "That counts every product that has a unit. Each unit should count once.")
def _():
    return Product.objects.aggregate(units=Count("unit"))["units"]


@near_miss(
    "8.2", "The number is in there: `aggregate()` returns a dictionary, take the value out by name."
)
def _():
    return Product.objects.aggregate(units=Count("unit", distinct=True))


@exercise(
    "8.3",
    stars=2,
    queries=1,
    hints=[
        "Each product has its own price and its own stock: multiply before you add.",
        'Inside an aggregate, `F("price")` is the column of the same row.',
        '`Sum(F("price") * F("stock"))`, under a name of your choice, then take it out.',
    ],
)
def worth_of_the_stock():
    """The product is computed for each row, inside the sum.

    The mistake to fear is `Sum("price") * Sum("stock")`: it runs, it gives a number, and nobody
    notices until somebody checks it by hand. When in doubt, try an aggregate on two rows whose
    result you can work out in your head.
    """
    return Product.objects.aggregate(worth=Sum(F("price") * F("stock")))["worth"]


@near_miss(
    "8.3",
    "You multiplied two sums: all prices together times all pieces. Multiply inside: "
    '`Sum(F("price") * F("stock"))`.',
)
def _():
    return Product.objects.aggregate(worth=Sum("price") * Sum("stock"))["worth"]


@near_miss("8.3", "That adds up one piece of everything: the price has to be taken `stock` times.")
def _():
    return Product.objects.aggregate(worth=Sum("price"))["worth"]


@exercise(
    "8.4",
    stars=2,
    queries=1,
    columns=["invoices", "discounted", "given"],
    hints=[
        "One condition holds for all three numbers, another one only for `discounted`.",
        '`filter(username__username="sara")` before `aggregate()` is for all of them.',
        '`discounted=Count("pk", filter=Q(discount__gt=0))`, and a plain `Sum("discount")`.',
    ],
)
def discounts_of_sara():
    """What holds for every number goes into `filter()`; what holds for one goes into `filter=`.

    `given` needs no condition: invoices without a discount add 0. The default is for an owner who
    has no invoices at all.
    """
    return Invoice.objects.filter(username__username="sara").aggregate(
        invoices=Count("pk"),
        discounted=Count("pk", filter=Q(discount__gt=0)),
        given=Sum("discount", default=0),
    )


@near_miss(
    "8.4",
    '`Count("discount")` counts invoices whose discount is not NULL, and a discount of 0 is not '
    "NULL. Say which ones to count: `filter=Q(discount__gt=0)`.",
)
def _():
    return Invoice.objects.filter(username__username="sara").aggregate(
        invoices=Count("pk"), discounted=Count("discount"), given=Sum("discount", default=0)
    )


@near_miss(
    "8.4",
    "`filter(discount__gt=0)` removed the other invoices for all three numbers: `invoices` is too "
    "small now. Put that condition into the one `Count`.",
)
def _():
    return Invoice.objects.filter(username__username="sara", discount__gt=0).aggregate(
        invoices=Count("pk"), discounted=Count("pk"), given=Sum("discount", default=0)
    )


@near_miss("8.4", "Those are the invoices of all owners, not only Sara's.")
def _():
    return Invoice.objects.aggregate(
        invoices=Count("pk"),
        discounted=Count("pk", filter=Q(discount__gt=0)),
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
        "A sum over no rows is NULL. `Sum` takes a third argument that says what to give then.",
    ],
)
def two_quiet_days():
    """`filter=` and `default=` work together: the condition may leave nothing, the default is for
    that case, and it arrives as a `Decimal` like the other sum.

    `… or 0` in Python looks the same on the page, but it is an int. A template that calls
    `quantize()` on it, or a JSON answer that sends decimals as text, fails on the quiet day.
    """
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date=date(2025, 12, 25)), default=0),
        new_year=Sum("total", filter=Q(issued_at__date=date(2026, 1, 1)), default=0),
    )


@near_miss("8.5", "An empty sum is `None`. Tell `Sum` what to give instead: `default=0`.")
def _():
    return Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date=date(2025, 12, 25))),
        new_year=Sum("total", filter=Q(issued_at__date=date(2026, 1, 1))),
    )


@near_miss(
    "8.5",
    "`or 0` puts an int where the other day has a `Decimal`. With `default=0` inside `Sum` the "
    "database gives the zero, in the right type.",
)
def _():
    sums = Invoice.objects.aggregate(
        christmas=Sum("total", filter=Q(issued_at__date=date(2025, 12, 25))),
        new_year=Sum("total", filter=Q(issued_at__date=date(2026, 1, 1))),
    )
    return {day: billed or 0 for day, billed in sums.items()}


@near_miss("8.5", "Right sums, but a query for each day: give each `Sum` its own `filter=`.")
def _():
    invoices = Invoice.objects.all()
    christmas = invoices.filter(issued_at__date=date(2025, 12, 25))
    new_year = invoices.filter(issued_at__date=date(2026, 1, 1))
    return {
        "christmas": christmas.aggregate(billed=Sum("total", default=0))["billed"],
        "new_year": new_year.aggregate(billed=Sum("total", default=0))["billed"],
    }


@exercise(
    "8.6",
    stars=2,
    queries=1,
    hints=[
        "First find the five invoices, then add up.",
        "`order_by()` with a minus and a slice give the five; a slice is still a QuerySet.",
        '`Invoice.objects.order_by("-payment_due")[:5].aggregate(debt=Sum("payment_due"))`, '
        "and the number out of it.",
    ],
)
def five_highest_debts():
    """The slice becomes a subquery with `LIMIT 5`, and the sum is taken over that.

    Several invoices may owe the same amount. Then it is chance which of them is the fifth, but the
    sum is the same: no tiebreak is needed here. For a list of the five it would be.
    """
    return Invoice.objects.order_by("-payment_due")[:5].aggregate(debt=Sum("payment_due"))["debt"]


@near_miss("8.6", "That is everything that is due: the slice `[:5]` has to come before the sum.")
def _():
    return Invoice.objects.order_by("-payment_due").aggregate(debt=Sum("payment_due"))["debt"]


@near_miss(
    "8.6", "Those are the five smallest: without a minus, `order_by()` starts at the low end."
)
def _():
    return Invoice.objects.order_by("payment_due")[:5].aggregate(debt=Sum("payment_due"))["debt"]


@near_miss(
    "8.6",
    "You took the five largest invoices, and most of those are paid. The order has to be by "
    "`payment_due`.",
)
def _():
    largest = Invoice.objects.order_by("-total", "pk")[:5]
    return largest.aggregate(debt=Sum("payment_due"))["debt"]


@exercise(
    "8.7",
    stars=3,
    queries=1,
    columns=["customers", "due"],
    hints=[
        "An invoice with two kinds of beans is there twice after a join. Do you need the join?",
        "Collect the lines with beans first, and ask for invoices whose key is among theirs: "
        '`filter(pk__in=bean_lines.values("invoice"))`.',
        "A customer has many invoices, so `customers` counts different ones: "
        '`Count("customer", distinct=True)`. `due` is a plain `Sum("payment_due")`.',
    ],
)
def customers_of_beans():
    """First naive: `filter(products__category__name="Beans")` and two aggregates. The customers can
    be saved with `distinct=True`, the sum cannot: it adds an invoice once for each of its beans.
    With `distinct=True` in the sum, two invoices that owe the same amount become one.

    The subquery repeats nothing: each invoice is in the list or it is not. For `Count`, `distinct`
    is still needed, and here it is honest: one customer, many invoices.

    `.distinct()` on the joined invoices, before `aggregate()`, is right as well.
    """
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines.values("invoice")).aggregate(
        customers=Count("customer", distinct=True),
        due=Sum("payment_due", default=0),
    )


@near_miss(
    "8.7",
    "The customers are right, but `due` is too large: the join repeats an invoice for each kind of "
    "beans on it (see *A join repeats rows*).",
)
def _():
    return Invoice.objects.filter(products__category__name="Beans").aggregate(
        customers=Count("customer", distinct=True), due=Sum("payment_due", default=0)
    )


@near_miss(
    "8.7",
    "`Sum(distinct=True)` adds different amounts: two invoices that owe the same count once. Avoid "
    "the repeated rows instead, with `pk__in` and a subquery.",
)
def _():
    return Invoice.objects.filter(products__category__name="Beans").aggregate(
        customers=Count("customer", distinct=True),
        due=Sum("payment_due", distinct=True, default=0),
    )


@near_miss(
    "8.7",
    "`due` is right. `customers` counts invoices: a customer with three of them is counted three "
    "times. Count different customers.",
)
def _():
    bean_lines = InvoiceProduct.objects.filter(product__category__name="Beans")
    return Invoice.objects.filter(pk__in=bean_lines.values("invoice")).aggregate(
        customers=Count("customer"), due=Sum("payment_due", default=0)
    )
