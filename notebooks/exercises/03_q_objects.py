"""Exercises of chapter 03: the tasks are in the notebook of the same name."""

from django.db.models import Q

from shopdb.models import Category, Customer, Invoice, Product
from workbook.exercises import exercise, near_miss, wrong_choices


@exercise(
    "3.1",
    stars=1,
    hints=[
        "Two conditions, and one of them is enough.",
        "Each condition becomes a `Q(…)`; the operator `|` between them is OR.",
        "`Product.objects.filter(Q(stock=…) | Q(price__gt=…))`.",
    ],
)
def sold_out_or_expensive():
    """One statement with an `OR`. A product that is both is one row and appears once: OR between
    columns of the same table never makes copies.

    `Product.objects.filter(stock=0) | Product.objects.filter(price__gt=500)` builds the same
    statement from two QuerySets.
    """
    return Product.objects.filter(Q(stock=0) | Q(price__gt=500))


@near_miss(
    "3.1",
    "This asks for both at once. `&`, a comma and a second `filter()` mean AND; `|` means OR.",
)
def _():
    return Product.objects.filter(Q(stock=0), Q(price__gt=500))


@near_miss(
    "3.1",
    "Only the sold-out products are here, and the expensive ones are missing. The operator for OR "
    "is `|`; the word `or` returns its left side.",
)
def _():
    return Product.objects.filter(Q(stock=0) or Q(price__gt=500))


@near_miss(
    "3.1",
    "Products at exactly 500 are included: `gte` is “500 or more”, `gt` is “more than 500”.",
)
def _():
    return Product.objects.filter(Q(stock=0) | Q(price__gte=500))


@near_miss("3.1", "Only the expensive products are here. What is sold out is missing.")
def _():
    return Product.objects.filter(price__gt=500)


@exercise(
    "3.2",
    equivalent={
        "when `email` ends in `'.org'` in any letter case": "addresses are in small letters"
    },
    stars=2,
    hints=[
        "Sara's customers first; of these, one of two things must be true.",
        "`&` binds tighter than `|`, so the OR needs parentheses, or a comma after it.",
        '`filter(Q(name__istartswith=…) | Q(email__endswith=…), username__username="sara")`.',
    ],
)
def saras_tasting():
    """The comma is outside the OR, so it needs no parentheses:
    `WHERE (name … OR email …) AND owner …`. With operators alone you write
    `sara & (anna | org)`; without the parentheses, everybody's `.org` customers are included.
    """
    return Customer.objects.filter(
        Q(name__istartswith="anna") | Q(email__endswith=".org"), username__username="sara"
    )


@near_miss(
    "3.2",
    "Other owners' customers are included: `&` binds tighter than `|`. Add parentheses around the "
    "OR.",
)
def _():
    return Customer.objects.filter(
        Q(username__username="sara") & Q(name__istartswith="anna") | Q(email__endswith=".org")
    )


@near_miss("3.2", "Other owners' customers are included: the condition on the owner is missing.")
def _():
    return Customer.objects.filter(Q(name__istartswith="anna") | Q(email__endswith=".org"))


@near_miss("3.2", "These have the name *and* the address. One of the two is enough.")
def _():
    return Customer.objects.filter(
        username__username="sara", name__istartswith="anna", email__endswith=".org"
    )


@near_miss("3.2", "All of Sara's customers: the condition on name or address is missing.")
def _():
    return Customer.objects.filter(username__username="sara")


@near_miss(
    "3.2", "The customers with an address in “.org” are missing: the operator for OR is `|`."
)
def _():
    return Customer.objects.filter(
        Q(name__istartswith="anna") or Q(email__endswith=".org"), username__username="sara"
    )


@exercise(
    "3.3",
    stars=2,
    prediction=True,
    hints=[
        "Write parentheses into each line as Python reads it: `&` first, then `|`.",
        "`or` returns its left side. Chained `filter()` calls mean AND.",
        "Count the rows of each: three of the lines give the same number.",
    ],
)
def lines_that_ask_for_big_ones():
    """`b`, `d` and `e`. A comma and a second `filter()` both mean AND, and `d` writes the AND out for
    each half.

    `a` reads as `unpaid | (discounted & big)`, so small unpaid invoices are included. In `c`, `or`
    returns `unpaid`. In `f`, the discounted ones may be small.
    """
    unpaid, discounted, big = Q(payment=0), Q(discount__gt=0), Q(total__gt=1000)
    lines = {
        "a": Invoice.objects.filter(unpaid | discounted & big),
        "b": Invoice.objects.filter(big, unpaid | discounted),
        "c": Invoice.objects.filter(big, unpaid or discounted),
        "d": Invoice.objects.filter(unpaid & big | discounted & big),
        "e": Invoice.objects.filter(unpaid | discounted).filter(big),
        "f": Invoice.objects.filter(unpaid, big) | Invoice.objects.filter(discounted),
    }
    right = {
        invoice.pk
        for invoice in Invoice.objects.all()
        if invoice.total > 1000 and (invoice.payment == 0 or invoice.discount > 0)
    }
    return [letter for letter, found in lines.items() if {i.pk for i in found} == right]


wrong_choices(
    "3.3",
    right="bde",
    why={
        "a": "`a` reads as `unpaid | (discounted & big)`: small unpaid invoices are included.",
        "b": "`b` is right: a comma means AND.",
        "c": "In `c`, Python's `or` returns `unpaid`: the discounted invoices are missing.",
        "d": "`d` is right: it says “big” in each half of the OR.",
        "e": "`e` is right: a second `filter()` means AND, as a comma does.",
        "f": "In `f`, only the unpaid invoices have to be big: small discounted ones are included.",
    },
)


@exercise(
    "3.4",
    equivalent={
        "when exactly one of the conditions on `attributes` has to hold": "no product is in both halves"
    },
    stars=3,
    hints=[
        "How many products say that they are organic, how many that they aren't, and how many say "
        "nothing?",
        "NOT unknown is unknown: `~Q(attributes__organic=True)` loses the products without the "
        "key. Ask for those as well.",
        "`Q(attributes__organic__isnull=True)` is “has no such key”. Join the two with `|`.",
    ],
)
def not_known_to_be_organic():
    """For a missing key the comparison is NULL, and NOT NULL isn't true, so the negation alone keeps
    only products that have the key. The second half adds the others.

    The value `null` is a third thing: there the key exists, its value isn't `true`, and the first
    half finds it.
    """
    return Product.objects.filter(
        ~Q(attributes__organic=True) | Q(attributes__organic__isnull=True)
    )


@near_miss(
    "3.4",
    "Products without the key are missing: for a missing key the comparison is NULL, and NOT NULL "
    "isn't true.",
)
def _():
    return Product.objects.exclude(attributes__organic=True)


@near_miss("3.4", "Only those that say `false`: `null` and a missing key aren't organic either.")
def _():
    return Product.objects.filter(attributes__organic=False)


@near_miss("3.4", "Only those without the key: what says `false` or `null` is missing.")
def _():
    return Product.objects.filter(attributes__organic__isnull=True)


@near_miss("3.4", "Those whose value is `null` are missing: a key with the value `null` is there.")
def _():
    return Product.objects.filter(
        Q(attributes__organic=False) | Q(attributes__organic__isnull=True)
    )


@near_miss("3.4", "Only those whose value is `null`: what says `false` or nothing is missing.")
def _():
    return Product.objects.filter(attributes__organic=None)


@near_miss("3.4", "These are all products, the organic ones among them.")
def _():
    return Product.objects.all()


@exercise(
    "3.5",
    stars=2,
    hints=[
        "“Either, but not both” has an operator of its own.",
        "`Q(…) ^ Q(…)` keeps the rows for which exactly one of the two is true.",
        '`Q(parent__isnull=True) ^ Q(description="")`.',
    ],
)
def either_without_parent_or_description():
    """XOR, written `^`. Where the database has no such operator, Django adds up the true conditions
    with `CASE` and compares the sum with 1. `(a | b) & ~(a & b)` says the same by hand.
    """
    return Category.objects.filter(Q(parent__isnull=True) ^ Q(description=""))


@near_miss("3.5", "A category for which both are true is included: `|` keeps it, `^` doesn't.")
def _():
    return Category.objects.filter(Q(parent__isnull=True) | Q(description=""))


@near_miss("3.5", "For these, both are true. The task asks for exactly one of the two.")
def _():
    return Category.objects.filter(parent__isnull=True, description="")


@near_miss(
    "3.5",
    "All categories without a parent, with a description or without. An empty description is the "
    "text `\"\"`, not NULL.",
)
def _():
    return Category.objects.filter(parent__isnull=True)


@near_miss("3.5", "All categories without a description, with a parent or without.")
def _():
    return Category.objects.filter(description="")


@near_miss("3.5", "The opposite: for these, both are true or neither is.")
def _():
    return Category.objects.filter(~(Q(parent__isnull=True) ^ Q(description="")))


@near_miss(
    "3.5",
    "Half of it: categories without a parent but with a description. The opposite is missing.",
)
def _():
    return Category.objects.filter(Q(parent__isnull=True)).exclude(description="")


@near_miss("3.5", "Categories for which neither is true are included: exactly one has to be.")
def _():
    return Category.objects.exclude(parent__isnull=True, description="")


@exercise(
    "3.6",
    equivalent={
        "when exactly one of the conditions on `price` has to hold": "no price is in two bands"
    },
    stars=3,
    queries=1,
    hints=[
        "Three bands now, perhaps ten next month: build the condition in a loop.",
        "Start with an empty `Q()` and add one band at a time with `|=`.",
        "`for band in bands: wanted |= Q(price__range=band)`, then one `filter(wanted)`.",
    ],
)
def products_in_the_price_bands():
    """One statement, with as many `BETWEEN … OR BETWEEN …` as there are bands. `range` includes both
    ends. With no bands at all, `Q()` would keep every product: decide what an empty list means
    before you write such a loop.
    """
    bands = [(1, 3), (100, 120), (450, 500)]
    wanted = Q()
    for band in bands:
        wanted |= Q(price__range=band)
    return Product.objects.filter(wanted)


@near_miss("3.6", "Joined with AND: no price is in two bands at once, so nothing is left.")
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


@near_miss(
    "3.6", "Only the last band is here: the loop replaces the condition. Add to it with `|=`."
)
def _():
    return Product.objects.filter(price__range=(450, 500))


@near_miss(
    "3.6",
    "These are all products, because the condition is still an empty `Q()`: `|` returns a new one, "
    "and `|=` keeps it.",
)
def _():
    return Product.objects.filter(Q())


@near_miss(
    "3.6",
    "These are all products: each price is above one limit or below another. A band needs both of "
    "its ends, joined with AND.",
)
def _():
    wanted = Q()
    for low, high in [(1, 3), (100, 120), (450, 500)]:
        wanted |= Q(price__gte=low) | Q(price__lte=high)
    return Product.objects.filter(wanted)


@near_miss("3.6", "One range from the lowest limit to the highest includes the gaps between bands.")
def _():
    return Product.objects.filter(price__range=(1, 500))


@near_miss(
    "3.6", "The upper end of each band is missing: “from 100 to 120” includes 120, so `lte`."
)
def _():
    wanted = Q()
    for low, high in [(1, 3), (100, 120), (450, 500)]:
        wanted |= Q(price__gte=low, price__lt=high)
    return Product.objects.filter(wanted)


@near_miss(
    "3.6", "The lower end of each band is missing: “from 100 to 120” includes 100, so `gte`."
)
def _():
    wanted = Q()
    for low, high in [(1, 3), (100, 120), (450, 500)]:
        wanted |= Q(price__gt=low, price__lte=high)
    return Product.objects.filter(wanted)


@near_miss(
    "3.6", "Only the ends of the bands: `in` asks for these values, `range` for all between."
)
def _():
    wanted = Q()
    for band in [(1, 3), (100, 120), (450, 500)]:
        wanted |= Q(price__in=band)
    return Product.objects.filter(wanted)


@near_miss("3.6", "Only the first band is here: the word `or` keeps its left side. Join with `|=`.")
def _():
    return Product.objects.filter(price__range=(1, 3))


@exercise(
    "3.7",
    stars=3,
    hints=[
        "Count the rows you get, and the customers there are. Who is in it several times?",
        "The conditions look at invoices: the join has a row for each matching invoice.",
        "`Customer.objects.filter(Q(invoices__…) | Q(invoices__…)).distinct()`.",
    ],
)
def customers_worth_a_call():
    """`distinct()` removes the copies that the join made. `Exists` wouldn't make them in the first
    place (chapter 14).
    """
    return Customer.objects.filter(
        Q(invoices__total__gt=2000) | Q(invoices__discount__gt=100)
    ).distinct()


@near_miss(
    "3.7", "Some customers appear once per matching invoice: `distinct()` removes the copies."
)
def _():
    return Customer.objects.filter(Q(invoices__total__gt=2000) | Q(invoices__discount__gt=100))


@near_miss("3.7", "One invoice has to be large *and* discounted here: a comma means AND.")
def _():
    return Customer.objects.filter(invoices__total__gt=2000, invoices__discount__gt=100).distinct()


@near_miss("3.7", "Only those with a large invoice: the customers with a discount are missing.")
def _():
    return Customer.objects.filter(invoices__total__gt=2000).distinct()


@near_miss("3.7", "Only those with a discount: the customers with a large invoice are missing.")
def _():
    return Customer.objects.filter(invoices__discount__gt=100).distinct()


@near_miss(
    "3.7",
    "These have a large invoice *and* a discounted one: a second `filter()` means AND. Join with `|`.",
)
def _():
    return (
        Customer.objects.filter(invoices__total__gt=2000)
        .filter(invoices__discount__gt=100)
        .distinct()
    )


@near_miss("3.7", "`gte` includes the limits: above 2,000 and above 100 is `gt`.")
def _():
    return Customer.objects.filter(
        Q(invoices__total__gte=2000) | Q(invoices__discount__gte=100)
    ).distinct()
