"""Exercises of chapter 04: the tasks are in the notebook of the same name."""

from shopdb.models import Customer, Invoice, Product
from workbook import queries
from workbook.exercises import exercise, near_miss


@exercise(
    "4.1",
    stars=1,
    prediction=True,
    hints=[
        "Go through the code line by line: does this line need rows, or does it describe them?",
        "`if cheap:` fills the cache of `cheap`. Which later lines read that cache?",
        "Filling `cheap`, filling `coffee`, and one QuerySet that is new.",
    ],
)
def queries_of_the_coffee_page():
    """Three. `if` fills the cache of `cheap`, so its index, `len()` and `count()` are free. The loop
    fills the cache of `coffee`, which is another QuerySet. `coffee.filter()` is a third one, with an
    empty cache, so its `count()` runs a query.
    """
    with queries() as ran:
        coffee = Product.objects.filter(category__name="Beans").order_by("pk")
        cheap = coffee.filter(price__lt=20)
        if cheap:
            print(cheap[0])
            print(len(cheap), cheap.count())
        for product in coffee:
            print(product.name)
        print(coffee.filter(stock=0).count())
    return ran.count


@near_miss(
    "4.1", "`cheap` and `coffee` are two QuerySets with a cache each, and `filter()` makes a third."
)
def _():
    return 2


@near_miss("4.1", "`if cheap` has filled the cache: `cheap[0]`, `len()` and `count()` read it.")
def _():
    return 6


@exercise(
    "4.2",
    stars=1,
    queries=2,
    rows=2,
    hints=[
        "`len()` needs the rows. Which method needs a number only?",
        "`count()` on a QuerySet with an empty cache becomes `SELECT COUNT(*)`.",
        "`unpaid.count(), unpaid.filter(…).count()`.",
    ],
)
def unpaid_invoices_of_sara():
    """Each `count()` is one query that fetches one row, however many invoices there are. Filling
    the cache with `len()` would not help the second line: `filter()` makes a new QuerySet.
    """
    unpaid = Invoice.objects.filter(username__username="sara", payment_due__gt=0)
    return unpaid.count(), unpaid.filter(payment_due__gt=720).count()


@near_miss("4.2", "`len()` fetches every row to count them; `count()` lets the database count.")
def _():
    unpaid = Invoice.objects.filter(username__username="sara", payment_due__gt=0)
    return len(unpaid), len(unpaid.filter(payment_due__gt=720))


@near_miss("4.2", "The second number is the invoices above 720; yours counts all that are unpaid.")
def _():
    unpaid = Invoice.objects.filter(username__username="sara", payment_due__gt=0)
    return unpaid.count(), unpaid.count()


@exercise(
    "4.3",
    stars=2,
    queries=1,
    ordered=True,
    objects=True,
    read=lambda products: [
        products[0].name,
        bool(products),
        len(products),
        [product.name for product in products],
    ],
    hints=[
        "Which line of the page runs a query, when `products` is a QuerySet with an empty cache?",
        "`products[0]` comes first, before anything has filled the cache.",
        "Give the page a list, or a QuerySet whose cache you have filled.",
    ],
)
def products_for_the_page():
    """A list has no more queries to run. A QuerySet whose cache is filled works as
    well: `products = …; len(products); products`.

    With an empty cache, `products[0]` costs one query and the rest of the page a second one.
    """
    return list(Product.objects.filter(username__username="sara", stock=0).order_by("name"))


@near_miss(
    "4.3",
    "`products[0]` on an empty cache is a query of its own, and `if products` then runs a second.",
)
def _():
    return Product.objects.filter(username__username="sara", stock=0).order_by("name")


@near_miss(
    "4.3", "The page needs product objects in a list: `iterator()` has no `[0]` and no length."
)
def _():
    return Product.objects.filter(username__username="sara", stock=0).order_by("name").iterator()


@exercise(
    "4.4",
    stars=2,
    queries=1,
    ordered=True,
    equivalent={"with `distinct()`": "`UNION` drops equal rows already"},
    hints=[
        "Rows of two tables in one list: which of `|` and `union()` can do that?",
        'Both parts need the same column: `values_list("name", flat=True)`.',
        "`….union(…).order_by(\"-name\")[:20]`: order and slice after combining.",
    ],
)
def names_for_the_search_box():
    """`UNION` drops the names that occur twice, and ordering and slicing apply to the whole. `|`
    cannot combine QuerySets of two models.
    """
    customers = Customer.objects.filter(username__username="sara")
    products = Product.objects.filter(username__username="sara")
    names = customers.values_list("name", flat=True).union(products.values_list("name", flat=True))
    return names.order_by("-name")[:20]


@near_miss("4.4", "`all=True` keeps the names that occur twice.")
def _():
    customers = Customer.objects.filter(username__username="sara")
    products = Product.objects.filter(username__username="sara")
    names = customers.values_list("name", flat=True).union(
        products.values_list("name", flat=True), all=True
    )
    return names.order_by("-name")[:20]


@near_miss("4.4", "Two lists put together in Python need two queries; `union()` needs one.")
def _():
    customers = Customer.objects.filter(username__username="sara")
    products = Product.objects.filter(username__username="sara")
    names = {*customers.values_list("name", flat=True), *products.values_list("name", flat=True)}
    return sorted(names, reverse=True)[:20]


@exercise(
    "4.5",
    stars=2,
    queries=1,
    ordered=True,
    objects=True,
    equivalent={
        "when `email` ends in `'.com'` in any letter case": "addresses are in small letters",
        "when `email` contains `'.com'` in this letter case": "in these addresses it ends them",
        "when `email` contains `'.com'` in any letter case": "in these addresses it ends them",
        "with `invoices__updated_at` for `invoices__issued_at`": "in June and in "
        "May, the customers with an invoice issued are those with an invoice changed",
        "when `pk` does not decide between equal rows": "`EXCEPT` sorts by key on SQLite",
    },
    hints=[
        "What may follow `difference()`, and what has to come before it?",
        "Filter the first part before you combine: `june.filter(…).difference(may)`.",
        '`june.filter(email__endswith=".com").difference(may).order_by("name", "pk")`.',
    ],
)
def customers_of_june_but_not_may():
    """The parts are ordinary QuerySets: filter them before they are combined. `EXCEPT` also drops
    the copies of customers with several invoices in June.
    """
    sara = Customer.objects.filter(username__username="sara")
    june = sara.filter(invoices__issued_at__year=2026, invoices__issued_at__month=6)
    may = sara.filter(invoices__issued_at__year=2026, invoices__issued_at__month=5)
    return june.filter(email__endswith=".com").difference(may).order_by("name", "pk")


@near_miss("4.5", "The condition on `email` is missing: customers with other addresses are in.")
def _():
    sara = Customer.objects.filter(username__username="sara")
    june = sara.filter(invoices__issued_at__year=2026, invoices__issued_at__month=6)
    may = sara.filter(invoices__issued_at__year=2026, invoices__issued_at__month=5)
    return june.difference(may).order_by("name", "pk")


@near_miss("4.5", "Those are the customers of both months: `difference()`, not `intersection()`.")
def _():
    sara = Customer.objects.filter(username__username="sara")
    june = sara.filter(invoices__issued_at__year=2026, invoices__issued_at__month=6)
    may = sara.filter(invoices__issued_at__year=2026, invoices__issued_at__month=5)
    return june.filter(email__endswith=".com").intersection(may).order_by("name", "pk")


@exercise(
    "4.6",
    stars=3,
    prediction=True,
    hints=[
        "Four of the eight lines run a query.",
        "An index runs one on an empty cache. What does line 5 change for line 6?",
        "`all()` returns a new QuerySet; `in` needs its rows.",
    ],
)
def lines_that_run_a_query():
    """Lines 2 and 3 meet an empty cache: each runs a query and keeps nothing. Line 5 fills the
    cache, so `count()` in line 6 is free. Lines 4 and 7 describe. `all()` in line 8 makes a new
    QuerySet with an empty cache, and `in` fetches its rows.
    """
    running = []
    with queries() as ran:
        products = Product.objects.filter(stock=0).order_by("pk")
        running.append(ran.count)
        first = products[0]
        running.append(ran.count)
        products.count()
        running.append(ran.count)
        products[:3]
        running.append(ran.count)
        [product.name for product in products]
        running.append(ran.count)
        products.count()
        running.append(ran.count)
        products.filter(price__lt=10)
        running.append(ran.count)
        first in products.all()  # noqa: B015
        running.append(ran.count)
    return [
        line for line in range(1, 9) if running[line - 1] > (running[line - 2] if line > 1 else 0)
    ]


@near_miss(
    "4.6", "`all()` starts with an empty cache, and `in` needs the rows: line 8 runs one, too."
)
def _():
    return [2, 3, 5]


@near_miss("4.6", "Line 5 has filled the cache; `count()` in line 6 counts what is there.")
def _():
    return [2, 3, 5, 6, 8]


@near_miss("4.6", "A slice describes rows; line 4 runs nothing.")
def _():
    return [2, 3, 4, 5, 8]
