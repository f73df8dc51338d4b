"""Exercises of chapter 03: the tasks are in the notebook of the same name."""

from django.db.models import Q

from shopdb.models import Category, Customer, Invoice, Product
from workbook.exercises import exercise, near_miss


@exercise(
    "3.1",
    stars=1,
    queries=1,
    hints=[
        "Two conditions, and one of them is enough.",
        "Each condition becomes a `Q(…)`; the sign `|` between them is OR.",
        "`Product.objects.filter(Q(stock=…) | Q(price__gt=…))`.",
    ],
)
def sold_out_or_dear():
    """One statement with an `OR`. A product that is both is one row and comes once: OR between
    columns of the same table never makes copies.

    `Product.objects.filter(stock=0) | Product.objects.filter(price__gt=500)` builds the same
    statement from two QuerySets.
    """
    return Product.objects.filter(Q(stock=0) | Q(price__gt=500))


@near_miss("3.1", "Those must be sold out *and* dear: `&` and the comma want both, `|` wants one.")
def _():
    return Product.objects.filter(Q(stock=0), Q(price__gt=500))


@near_miss(
    "3.1", "Only the sold-out ones: the word `or` hands back its left side. The sign is `|`."
)
def _():
    return Product.objects.filter(Q(stock=0) or Q(price__gt=500))


@near_miss("3.1", "Products at exactly 500 are in it too: `gte` is “at least”, `gt` “more than”.")
def _():
    return Product.objects.filter(Q(stock=0) | Q(price__gte=500))


@exercise(
    "3.2",
    stars=2,
    queries=1,
    hints=[
        "Sara's customers first; among them, one of two things must hold.",
        "`&` binds tighter than `|`, so the OR needs parentheses, or a comma behind it.",
        '`filter(Q(name__istartswith=…) | Q(email__endswith=…), username__username="sara")`.',
    ],
)
def saras_friends():
    """The comma stands outside the OR, so it needs no parentheses:
    `WHERE (name … OR email …) AND owner …`. With signs alone you write
    `sara & (anna | org)`, and without the parentheses everybody's `.org` customers come along.
    """
    return Customer.objects.filter(
        Q(name__istartswith="anna") | Q(email__endswith=".org"), username__username="sara"
    )


@near_miss(
    "3.2",
    "Other owners' customers are among them: `&` binds tighter than `|`. Set parentheses.",
)
def _():
    return Customer.objects.filter(
        Q(username__username="sara") & Q(name__istartswith="anna") | Q(email__endswith=".org")
    )


@near_miss("3.2", "Those have the name *and* the address: the owner asked for one of the two.")
def _():
    return Customer.objects.filter(
        username__username="sara", name__istartswith="anna", email__endswith=".org"
    )


@near_miss("3.2", "These are all of Sara's customers: the condition on name or address is missing.")
def _():
    return Customer.objects.filter(username__username="sara")


@exercise(
    "3.3",
    stars=2,
    queries=1,
    hints=[
        "A number is asked for. Which invoices does it count?",
        "Big, and one of two: the OR belongs in parentheses, or before a comma.",
        "`Invoice.objects.filter(Q(payment=…) | Q(discount__gt=…), total__gt=…).count()`.",
    ],
)
def big_and_unpaid_or_discounted():
    """The parentheses decide which question you ask. Write the conditions to variables
    (`unpaid`, `discounted`, `big`) and the line reads like the owner's sentence:
    `filter(unpaid | discounted, big).count()`.
    """
    return Invoice.objects.filter(Q(payment=0) | Q(discount__gt=0), total__gt=500).count()


@near_miss(
    "3.3",
    "You counted small unpaid invoices too: `unpaid | discounted & big` reads as "
    "`unpaid | (discounted & big)`.",
)
def _():
    return Invoice.objects.filter(Q(payment=0) | Q(discount__gt=0) & Q(total__gt=500)).count()


@near_miss("3.3", "Those are unpaid *and* discounted. One of the two is enough.")
def _():
    return Invoice.objects.filter(payment=0, discount__gt=0, total__gt=500).count()


@near_miss("3.3", "That counts them all, whatever their size: `total__gt=500` is missing.")
def _():
    return Invoice.objects.filter(Q(payment=0) | Q(discount__gt=0)).count()


@exercise(
    "3.4",
    stars=3,
    queries=1,
    hints=[
        "How many products say they are organic, how many say they are not, and how many say "
        "nothing?",
        "NOT unknown is unknown: `~Q(attributes__organic=True)` loses the products without that "
        "key. Ask for those as well.",
        "`Q(attributes__organic__isnull=True)` is “has no such key”. Join the two with `|`.",
    ],
)
def not_known_to_be_organic():
    """A missing key compares as NULL, and `NOT NULL` is still not true, so the negation alone keeps
    only products that have the key. The second half brings the others back.

    The stored value `null` is a third thing: there the key exists, it is not `true`, and the first
    half has it already.
    """
    return Product.objects.filter(
        ~Q(attributes__organic=True) | Q(attributes__organic__isnull=True)
    )


@near_miss(
    "3.4",
    "Products that say nothing about it are missing: comparing a missing key gives NULL, and NOT "
    "NULL is not true.",
)
def _():
    return Product.objects.exclude(attributes__organic=True)


@near_miss("3.4", "Only those that say `false`: `null` and a missing key are not organic either.")
def _():
    return Product.objects.filter(attributes__organic=False)


@near_miss("3.4", "Those without the key only: products that say `false` or `null` belong to it.")
def _():
    return Product.objects.filter(attributes__organic__isnull=True)


@exercise(
    "3.5",
    stars=2,
    queries=1,
    hints=[
        "“Either, or, but not both” has a sign of its own.",
        "`Q(…) ^ Q(…)` keeps rows where exactly one of the two holds.",
        '`Q(parent__isnull=True) ^ Q(description="")`.',
    ],
)
def top_shelf_or_undescribed():
    """XOR, spelled `^`. Where the database has no such operator, Django adds up the true ones with
    `CASE` and compares with 1. `(a | b) & ~(a & b)` says the same by hand, and
    reads the columns twice.
    """
    return Category.objects.filter(Q(parent__isnull=True) ^ Q(description=""))


@near_miss("3.5", "A shelf that is both is among them: `|` does not mind, `^` does.")
def _():
    return Category.objects.filter(Q(parent__isnull=True) | Q(description=""))


@near_miss("3.5", "Those are the shelves that are both. You want the ones that are only one.")
def _():
    return Category.objects.filter(parent__isnull=True, description="")


@near_miss("3.5", "Half of it: top shelves with a description. The others are missing.")
def _():
    return Category.objects.filter(Q(parent__isnull=True)).exclude(description="")


@exercise(
    "3.6",
    stars=3,
    queries=1,
    hints=[
        "Three bands now, perhaps ten tomorrow: build the condition in a loop.",
        "Start with an empty `Q()` and add one band at a time with `|=`.",
        "`for band in bands: wanted |= Q(price__range=band)`, then one `filter(wanted)`.",
    ],
)
def products_in_the_price_bands():
    """One statement, as many `BETWEEN … OR BETWEEN …` as there are bands. `range` includes both
    ends, so a product at exactly 100 is in. With no bands at all, `Q()` would keep every product:
    decide what an empty list should mean before you write such a loop.
    """
    bands = [(1, 3), (100, 120), (450, 500)]
    wanted = Q()
    for band in bands:
        wanted |= Q(price__range=band)
    return Product.objects.filter(wanted)


@near_miss("3.6", "Joined with AND: no price lies in two bands at once, so nothing is left.")
def _():
    wanted = Q()
    for band in [(1, 3), (100, 120), (450, 500)]:
        wanted &= Q(price__range=band)
    return Product.objects.filter(wanted)


@near_miss("3.6", "The ends of the bands are missing: “from 100 to 120” includes 100 and 120.")
def _():
    wanted = Q()
    for low, high in [(1, 3), (100, 120), (450, 500)]:
        wanted |= Q(price__gt=low, price__lt=high)
    return Product.objects.filter(wanted)


@near_miss("3.6", "Only the last band: the loop replaces the condition. Add to it with `|=`.")
def _():
    return Product.objects.filter(price__range=(450, 500))


@exercise(
    "3.7",
    stars=3,
    queries=1,
    hints=[
        "Count the rows you get and the customers there are. Who is in it several times?",
        "The conditions look at invoices: the join has a row for each matching invoice.",
        "`Customer.objects.filter(Q(invoices__…) | Q(invoices__…)).distinct()`.",
    ],
)
def customers_worth_a_call():
    """`distinct()` folds the copies that the join made. `Exists` (chapter 14) would not make them
    in the first place.
    """
    return Customer.objects.filter(
        Q(invoices__total__gt=2000) | Q(invoices__discount__gt=100)
    ).distinct()


@near_miss("3.7", "Some customers come once per matching invoice: fold them with `distinct()`.")
def _():
    return Customer.objects.filter(Q(invoices__total__gt=2000) | Q(invoices__discount__gt=100))


@near_miss("3.7", "One invoice must be big *and* well discounted here: the comma is AND.")
def _():
    return Customer.objects.filter(invoices__total__gt=2000, invoices__discount__gt=100).distinct()


@near_miss("3.7", "Only those with a big invoice: the discounts are missing.")
def _():
    return Customer.objects.filter(invoices__total__gt=2000).distinct()
