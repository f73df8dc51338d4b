"""Exercises of chapter 02: the tasks are in the notebook of the same name."""

from datetime import UTC, datetime

from django.db.models import JSONNull

from shopdb.models import Customer, Invoice, InvoiceProduct, Product
from workbook.exercises import exercise, near_miss, wrong_choices


@exercise(
    "2.1",
    stars=1,
    hints=[
        "There are two limits: one belongs to the range, the other doesn't.",
        "The lookups are `gt`, `gte`, `lt`, `lte`. Two conditions in one `filter()` both hold.",
        "`Product.objects.filter(price__gte=100, price__...=500)`",
    ],
)
def the_middle_range():
    """`gte` includes its limit, `lt` excludes it: `100 <= price < 500`.

    Ranges that include the lower end and exclude the upper one fit together without a gap or an
    overlap: the next label starts with `price__gte=500`. `range` can't say that, because BETWEEN
    includes both ends.
    """
    return Product.objects.filter(price__gte=100, price__lt=500)


@near_miss(
    "2.1", "`range` is BETWEEN and includes both ends: products at exactly 500 don't belong here."
)
def _():
    return Product.objects.filter(price__range=(100, 500))


@near_miss("2.1", "`gt` excludes its limit: products at exactly 100 are missing.")
def _():
    return Product.objects.filter(price__gt=100, price__lt=500)


@near_miss("2.1", "The limits are swapped: 100 belongs to the range, 500 doesn't.")
def _():
    return Product.objects.filter(price__gt=100, price__lte=500)


@near_miss("2.1", "`in` takes a list of values, not a range: these cost 100 or 500.")
def _():
    return Product.objects.filter(price__in=[100, 500])


@near_miss("2.1", "The upper limit is missing: `price__lt=500` leaves out what costs 500 or more.")
def _():
    return Product.objects.filter(price__gte=100)


@near_miss(
    "2.1",
    "No price can be that: look at both limits. It takes 100 or more, and less than 500.",
    sign="price",
)
def _():
    return Product.objects.filter(price__range=(500, 100))


@exercise(
    "2.2",
    stars=1,
    queries=1,
    hints=[
        "The name is the customer's, and you want invoices: a lookup can follow a relation.",
        "Which of the text lookups compares the whole text and ignores case?",
        '`Invoice.objects.filter(customer__name__...="maria silva")`',
    ],
)
def invoices_for_the_note():
    """One JOIN, one query: the path `customer__name` leads to the text, `iexact` compares it.

    `exact` respects case, on SQLite too. `icontains` would also find Maria Silvano. And on MariaDB
    a plain `=` ignores case already, by its default collation: the `i` says what you mean.
    """
    return Invoice.objects.filter(customer__name__iexact="maria silva")


@near_miss(
    "2.2",
    "Right rows, but the customers are fetched first and their keys sent back: a second query. "
    "Follow the relation in the lookup, or pass the QuerySet without `list()`.",
)
def _():
    customers = Customer.objects.filter(name__iexact="maria silva")
    return Invoice.objects.filter(customer__in=list(customers))


@near_miss(
    "2.2", "Customers whose name only begins with Maria Silva came along: `iexact` compares it all."
)
def _():
    return Invoice.objects.filter(customer__name__istartswith="maria silva")


@near_miss(
    "2.2", "Only one spelling is found, because the letter case counts: `iexact` ignores it."
)
def _():
    return Invoice.objects.filter(customer__name="Maria Silva")


@near_miss("2.2", "These are the customers. Start from `Invoice` and follow `customer` instead.")
def _():
    return Customer.objects.filter(name__iexact="maria silva")


@near_miss("2.2", "Everybody called Maria came along: compare with the whole name.")
def _():
    return Invoice.objects.filter(customer__name__icontains="maria")


@near_miss(
    "2.2", "No customer has exactly this name: compare with all of “maria silva”.", sign="name"
)
def _():
    return Invoice.objects.filter(customer__name__iexact="maria")


@exercise(
    "2.3",
    stars=2,
    prediction=True,
    hints=[
        "As a moment, what is 30 June at `datetime(2025, 6, 30)`? And is 1 July at midnight June?",
        "`range` includes both ends. `month` alone doesn't know the year.",
        "Count the rows of each line, and compare. Three lines agree.",
    ],
)
def lines_that_find_june():
    """`c`, `e` and `f`. `a` loses the last day, because it ends with the first second of 30 June.
    `b` includes what was issued on 1 July at midnight. `d` finds every June.

    Of the three, `c` is the one for a large table: an index on `issued_at` serves both limits. For
    `e` it serves the year only, for `f` not at all.
    """
    june, last, july = (datetime(2025, *day, tzinfo=UTC) for day in ((6, 1), (6, 30), (7, 1)))
    lines = {
        "a": Invoice.objects.filter(issued_at__range=(june, last)),
        "b": Invoice.objects.filter(issued_at__range=(june, july)),
        "c": Invoice.objects.filter(issued_at__gte=june, issued_at__lt=july),
        "d": Invoice.objects.filter(issued_at__month=6),
        "e": Invoice.objects.filter(issued_at__year=2025, issued_at__month=6),
        "f": Invoice.objects.filter(issued_at__date__range=(june, last)),
    }
    right = {i.pk for i in Invoice.objects.all() if f"{i.issued_at:%Y-%m}" == "2025-06"}
    return [letter for letter, found in lines.items() if {i.pk for i in found} == right]


wrong_choices(
    "2.3",
    right="cef",
    why={
        "a": "`a` loses a day: as a moment, 30 June is its first second.",
        "b": "`b` includes both ends, and an invoice of 1 July at midnight isn't of June.",
        "c": "`c` is right: from the first of June, included, to the first of July, excluded.",
        "d": "`d` is every June there was: the year is missing.",
        "e": "`e` is right: year and month together say June 2025, though not fast on a large table.",
        "f": "`f` is right: `date` makes days of the moments first, and both days are included.",
    },
)


@exercise(
    "2.4",
    equivalent={"with `invoices` for `invoice_products`": "no line, no invoice: the same products"},
    stars=2,
    queries=1,
    hints=[
        "You are looking for products with *nothing* on the other side of a relation.",
        "The relation from a product to its lines is `invoice_products`; `isnull` can end the path.",
        "`Product.objects.filter(invoice_products__isnull=...)`",
    ],
)
def never_sold():
    """A LEFT OUTER JOIN, which keeps the products without a line, and then only those.

    `invoices__isnull=True` finds the same through the many-to-many relation. `~Exists(...)` is the
    other way to say it, and often the faster one on large tables (chapter 14).
    """
    return Product.objects.filter(invoice_products__isnull=True)


@near_miss(
    "2.4",
    "These are the products that were sold, each once for every line: `isnull=True` is the "
    "opposite.",
)
def _():
    return Product.objects.filter(invoice_products__isnull=False)


@near_miss("2.4", "No line has the quantity 0: the database forbids it. Ask for no line at all.")
def _():
    return Product.objects.filter(invoice_products__qty=0)


@near_miss("2.4", "A product with nothing in stock may have sold very well: look for its lines.")
def _():
    return Product.objects.filter(stock=0)


@near_miss("2.4", "These are all products: the condition that they have no line is missing.")
def _():
    return Product.objects.all()


@near_miss(
    "2.4",
    "No product can match an empty list. That there is no line is `isnull=True`.",
    sign="__in",
)
def _():
    return Product.objects.filter(invoice_products__in=[])


@near_miss(
    "2.4",
    "A line without a product can't exist. Start from `Product`, and ask for no line.",
    sign=r"InvoiceProduct\.objects",
)
def _():
    return InvoiceProduct.objects.filter(product__isnull=True)


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
    """First the transform, then the lookup: `iso_week_day__in`, `hour__gte`. With `week_day` it is
    `[1, 7]`, because that one starts on Sunday.
    """
    return Invoice.objects.filter(
        issued_at__iso_week_day__in=[6, 7], issued_at__hour__gte=12
    ).count()


@near_miss(
    "2.5",
    "These are the Fridays and Saturdays. Saturday and Sunday are 6 and 7 in `iso_week_day`, and 7 "
    "and 1 in `week_day`, which starts on Sunday.",
)
def _():
    return Invoice.objects.filter(issued_at__week_day__in=[6, 7], issued_at__hour__gte=12).count()


@near_miss(
    "2.5", "The hour is 12 until 12:59, so `hour__gt=12` starts at 13:00. `gte` includes noon."
)
def _():
    return Invoice.objects.filter(
        issued_at__iso_week_day__in=[6, 7], issued_at__hour__gt=12
    ).count()


@near_miss("2.5", "These are all invoices of the weekends. The condition on the hour is missing.")
def _():
    return Invoice.objects.filter(issued_at__iso_week_day__in=[6, 7]).count()


@near_miss("2.5", "These are the Saturdays only. Sunday is 7: `iso_week_day__in=[6, 7]`.")
def _():
    return Invoice.objects.filter(issued_at__iso_week_day=6, issued_at__hour__gte=12).count()


@near_miss("2.5", "These are the afternoons of all days. The condition on the weekend is missing.")
def _():
    return Invoice.objects.filter(issued_at__hour__gte=12).count()


@near_miss("2.5", "These are the Sundays only. Saturday is 6: `iso_week_day__in=[6, 7]`.")
def _():
    return Invoice.objects.filter(issued_at__iso_week_day=7, issued_at__hour__gte=12).count()


@near_miss(
    "2.5", "You looked at `created_at`, when the row was written. The task asks for `issued_at`."
)
def _():
    return Invoice.objects.filter(
        created_at__iso_week_day__in=[6, 7], created_at__hour__gte=12
    ).count()


@near_miss("2.5", "That is the hour from 12:00 to 12:59 only: `hour__gte=12` goes on from there.")
def _():
    return Invoice.objects.filter(issued_at__iso_week_day__in=[6, 7], issued_at__hour=12).count()


@near_miss("2.5", "No day has the number 0: `week_day` counts from Sunday, 1, to Saturday, 7.")
def _():
    return Invoice.objects.filter(issued_at__week_day__in=[0, 6], issued_at__hour__gte=12).count()


@exercise(
    "2.6",
    equivalent={
        "without the condition on `attributes`": "the comparison alone leaves out missing keys"
    },
    stars=3,
    hints=[
        "A colour can be unknown in two ways: there is no key, or the key has the value null.",
        "`has_key` leaves out the first. Compare with `JSONNull()` to leave out the second.",
        '`.filter(attributes__has_key="colour").exclude(attributes__colour=...)`',
    ],
)
def colour_is_known():
    """The key is there, and its value isn't null: two conditions, because these are two things.

    `attributes__colour__isnull=False` is another way to write `has_key`, and no more: JSON's null
    is a value. `exclude(attributes__colour=JSONNull())` alone finds the same rows, because for a
    missing key the comparison is NULL, and NOT NULL isn't true (chapter 03). Say both, so that
    nobody has to know that.
    """
    return Product.objects.filter(attributes__has_key="colour").exclude(
        attributes__colour=JSONNull()
    )


@near_miss(
    "2.6",
    "All of these have the key, but some with the value null: `has_key` and `isnull=False` look at "
    "the key only. Exclude `JSONNull()` as well.",
)
def _():
    return Product.objects.filter(attributes__has_key="colour")


@near_miss(
    "2.6",
    "These are the products without the key `colour`. The task asks for those that have it.",
)
def _():
    return Product.objects.filter(attributes__colour__isnull=True)


@near_miss("2.6", "These are the products whose colour is null. The task asks for the opposite.")
def _():
    return Product.objects.filter(attributes__colour=JSONNull())


@near_miss("2.6", "`attributes` isn't empty in these, but the key `colour` may still be missing.")
def _():
    return Product.objects.exclude(attributes={})


@near_miss("2.6", "These are all products: `attributes` itself is never NULL. Look at its key.")
def _():
    return Product.objects.filter(attributes__isnull=False)


@near_miss("2.6", "No product has a key of that name: it is spelt `colour`.", sign="color")
def _():
    return Product.objects.filter(attributes__has_key="color")
