"""Exercises of chapter 02: the tasks are in the notebook of the same name."""

from datetime import UTC, datetime

from django.db.models import JSONNull

from shopdb.models import Customer, Invoice, Product
from workbook.exercises import exercise, near_miss


@exercise(
    "2.1",
    stars=1,
    hints=[
        "Two limits: one belongs to the range, the other does not.",
        "The lookups are `gt`, `gte`, `lt`, `lte`. Two conditions in one `filter()` both hold.",
        "`Product.objects.filter(price__gte=100, price__...=500)`",
    ],
)
def the_middle_range():
    """`gte` takes its limit in, `lt` leaves it out: `100 <= price < 500`.

    Ranges that take the lower end in and leave the upper one out fit together without gap or
    overlap: the next label starts with `price__gte=500`. `range` cannot say that, BETWEEN takes
    both ends.
    """
    return Product.objects.filter(price__gte=100, price__lt=500)


@near_miss(
    "2.1", "`range` is BETWEEN and takes both ends in: products at exactly 500 are too many."
)
def _():
    return Product.objects.filter(price__range=(100, 500))


@near_miss("2.1", "`gt` leaves its limit out: products at exactly 100 are missing.")
def _():
    return Product.objects.filter(price__gt=100, price__lt=500)


@near_miss(
    "2.1",
    "Both limits are the wrong way round: 100 belongs to the range, 500 does not.",
)
def _():
    return Product.objects.filter(price__gt=100, price__lte=500)


@near_miss("2.1", "`in` takes a list of values, not a range: you asked for 100 or 500.")
def _():
    return Product.objects.filter(price__in=[100, 500])


@exercise(
    "2.2",
    stars=1,
    queries=1,
    hints=[
        "The name is the customer's, and you want invoices: a lookup can follow a relation.",
        "Which of the text lookups looks at the start and ignores case?",
        '`Invoice.objects.filter(customer__name__...="mar")`',
    ],
)
def invoices_for_the_caller():
    """One JOIN, one query: the path `customer__name` leads to the text, `istartswith` compares it.

    On SQLite `startswith` finds the same, because its LIKE ignores the case of A to Z. On
    PostgreSQL it would miss a customer written MARIA. Write the `i` when you mean it.
    """
    return Invoice.objects.filter(customer__name__istartswith="mar")


@near_miss(
    "2.2",
    "Right rows, but the customers are fetched first and their keys sent back: a second query. "
    "Follow the relation in the lookup, or pass the QuerySet without `list()`.",
)
def _():
    customers = Customer.objects.filter(name__istartswith="mar")
    return Invoice.objects.filter(customer__in=list(customers))


@near_miss("2.2", "`icontains` looks anywhere in the name: Zoë Martin and others came along.")
def _():
    return Invoice.objects.filter(customer__name__icontains="mar")


@near_miss("2.2", "`iexact` compares the whole name, and nobody is called Mar and nothing else.")
def _():
    return Invoice.objects.filter(customer__name__iexact="mar")


@near_miss("2.2", "These are the customers. Start from `Invoice` and follow `customer` instead.")
def _():
    return Customer.objects.filter(name__istartswith="mar")


@exercise(
    "2.3",
    stars=2,
    hints=[
        "Write the month as two moments. Which is the first one that is no longer June?",
        "The first moment is included (`gte`), 1 July at midnight is not (`lt`).",
        "`.filter(issued_at__gte=datetime(2025, 6, 1, tzinfo=UTC), issued_at__lt=...)`",
    ],
)
def june_2025():
    """From the first of the month, included, to the first of the next, excluded.

    It needs no thought about 30 or 31 days or the last second, and the database can go through an
    index on `issued_at`. `issued_at__year=2025, issued_at__month=6` finds the same rows, and is
    easier to read; but its month is a function on the column, called for every row of the year.
    """
    return Invoice.objects.filter(
        issued_at__gte=datetime(2025, 6, 1, tzinfo=UTC),
        issued_at__lt=datetime(2025, 7, 1, tzinfo=UTC),
    )


@near_miss(
    "2.3",
    "30 June as a moment is its first second, so the last day is missing. End at 1 July, excluded.",
)
def _():
    return Invoice.objects.filter(
        issued_at__range=(
            datetime(2025, 6, 1, tzinfo=UTC),
            datetime(2025, 6, 30, tzinfo=UTC),
        )
    )


@near_miss(
    "2.3",
    "BETWEEN takes both ends in: what was sold on 1 July at midnight is not June. Use `lt`.",
)
def _():
    return Invoice.objects.filter(
        issued_at__range=(
            datetime(2025, 6, 1, tzinfo=UTC),
            datetime(2025, 7, 1, tzinfo=UTC),
        )
    )


@near_miss("2.3", "`month=6` alone is every June there was. The year is missing.")
def _():
    return Invoice.objects.filter(issued_at__month=6)


@near_miss(
    "2.3",
    "`gt` leaves the first moment out: a sale on 1 June at midnight belongs to June. Use `gte`.",
)
def _():
    return Invoice.objects.filter(
        issued_at__gt=datetime(2025, 6, 1, tzinfo=UTC),
        issued_at__lt=datetime(2025, 7, 1, tzinfo=UTC),
    )


@exercise(
    "2.4",
    stars=2,
    queries=1,
    hints=[
        "You look for products for which something is *not* there on the other side of a relation.",
        "The way from a product to its lines is called `invoice_products`; `isnull` can end it.",
        "`Product.objects.filter(invoice_products__isnull=...)`",
    ],
)
def never_sold():
    """LEFT OUTER JOIN, and keep the products for which the join found no line.

    `invoices__isnull=True` finds the same through the many-to-many relation. Chapter 14 shows
    `~Exists(...)`, which large tables often like better.
    """
    return Product.objects.filter(invoice_products__isnull=True)


@near_miss(
    "2.4",
    "That is the other half, and it repeats: `isnull=False` gives each product once for every line "
    "that sold it.",
)
def _():
    return Product.objects.filter(invoice_products__isnull=False)


@near_miss(
    "2.4",
    "A line with quantity 0 would still be a line, and the database forbids it. Ask for no line.",
)
def _():
    return Product.objects.filter(invoice_products__qty=0)


@near_miss("2.4", "Nothing in stock is another matter: such a product may have sold very well.")
def _():
    return Product.objects.filter(stock=0)


@exercise(
    "2.5",
    stars=2,
    hints=[
        "Two parts of `issued_at` matter: the day of the week and the hour. Both are transforms.",
        "`iso_week_day` counts from Monday, 1, to Sunday, 7. A lookup can follow: `__in`, `__gte`.",
        "`.filter(issued_at__iso_week_day__in=[6, 7], issued_at__hour__...=12).count()`",
    ],
)
def weekend_afternoons():
    """Transform, then lookup: `iso_week_day__in`, `hour__gte`. `count()` lets the database count.

    With `week_day` it is `[1, 7]`, because that one starts on Sunday.
    """
    return Invoice.objects.filter(
        issued_at__iso_week_day__in=[6, 7], issued_at__hour__gte=12
    ).count()


@near_miss(
    "2.5",
    "`week_day` starts on Sunday with 1, so 6 and 7 are Friday and Saturday. `iso_week_day` ends "
    "with Saturday 6 and Sunday 7.",
)
def _():
    return Invoice.objects.filter(issued_at__week_day__in=[6, 7], issued_at__hour__gte=12).count()


@near_miss(
    "2.5", "`hour__gt=12` starts at 13:00, because at 12:59 the hour is still 12. Use `gte`."
)
def _():
    return Invoice.objects.filter(
        issued_at__iso_week_day__in=[6, 7], issued_at__hour__gt=12
    ).count()


@near_miss("2.5", "These are all of the weekend's invoices. The afternoon is missing.")
def _():
    return Invoice.objects.filter(issued_at__iso_week_day__in=[6, 7]).count()


@near_miss("2.5", "These are the Sundays only. Saturday is 6: `iso_week_day__in=[6, 7]`.")
def _():
    return Invoice.objects.filter(issued_at__iso_week_day=7, issued_at__hour__gte=12).count()


@exercise(
    "2.6",
    stars=3,
    hints=[
        "There are two ways of not knowing a colour: no key, or a key that says null.",
        "`has_key` rules out the first. Compare with `JSONNull()` to rule out the second.",
        '`.filter(attributes__has_key="colour").exclude(attributes__colour=...)`',
    ],
)
def colour_is_known():
    """The key is there, and it does not say null: two conditions, because these are two things.

    `attributes__colour__isnull=False` is another way to write `has_key`, no more: JSON's null is a
    value. `exclude(attributes__colour=JSONNull())` alone happens to find the same, because a
    missing key makes the comparison NULL and NOT NULL is not true (chapter 03); say both, so that
    nobody has to know that. If you ask often, make the colour a column.
    """
    return Product.objects.filter(attributes__has_key="colour").exclude(
        attributes__colour=JSONNull()
    )


@near_miss(
    "2.6",
    "The key is there in all of these, but in some its value is null: `isnull=False` and `has_key` "
    "ask for the key only. Exclude `JSONNull()` as well.",
)
def _():
    return Product.objects.filter(attributes__has_key="colour")


@near_miss(
    "2.6",
    "These are the products without the key: on a JSON key `isnull=True` means missing.",
)
def _():
    return Product.objects.filter(attributes__colour__isnull=True)


@near_miss("2.6", "These are the ones whose colour is null: the opposite is wanted.")
def _():
    return Product.objects.filter(attributes__colour=JSONNull())


@near_miss(
    "2.6",
    "`attributes` is not empty in these, but the key `colour` need not be among what it holds.",
)
def _():
    return Product.objects.exclude(attributes={})
