"""Exercises of chapter 15: the tasks are in the notebook of the same name."""

from django.db.models import Count, DateField, F, Max, RowRange, Sum, Window
from django.db.models.functions import (
    DenseRank,
    FirstValue,
    Lag,
    LastValue,
    Lead,
    Rank,
    Round,
    RowNumber,
    TruncMonth,
)

from shopdb.models import Invoice, Product
from workbook.exercises import also_right, exercise, near_miss, wrong_choices


@exercise(
    "15.1",
    stars=1,
    queries=1,
    columns=["name", "price", "place"],
    hints=[
        "Three functions number rows: which one gives 1, 2, 2, 3?",
        '`DenseRank()` in a `Window`, with `order_by="-price"`.',
        '`….annotate(place=Window(DenseRank(), order_by="-price")).values("name", "price", "place")`.',
    ],
)
def places_without_gaps():
    """`DenseRank` counts the different prices before a row. `Rank` would count the rows before it:
    1, 2, 2, 4. The order belongs in the window, and has no tie-breaker: equal prices have to be
    equal.
    """
    saras = Product.objects.filter(username__username="sara")
    return saras.annotate(place=Window(DenseRank(), order_by="-price")).values(
        "name", "price", "place"
    )


@near_miss("15.1", "`Rank` leaves numbers out after equal prices: 1, 2, 2, 4.")
def _():
    saras = Product.objects.filter(username__username="sara")
    return saras.annotate(place=Window(Rank(), order_by="-price")).values("name", "price", "place")


@near_miss(
    "15.1",
    "Equal prices have different places: `RowNumber` numbers every row.",
    sign="RowNumber",
)
def _():
    saras = Product.objects.filter(username__username="sara")
    return saras.annotate(place=Window(RowNumber(), order_by=["-price", "pk"])).values(
        "name", "price", "place"
    )


@near_miss(
    "15.1",
    "Equal prices have different places: with a tie-breaker in the order, no two rows are equal.",
    sign=r"Rank\(\)[^\n]*\[",
)
def _():
    saras = Product.objects.filter(username__username="sara")
    return saras.annotate(place=Window(DenseRank(), order_by=["-price", "pk"])).values(
        "name", "price", "place"
    )


@near_miss(
    "15.1",
    "Equal prices have different places: with a tie-breaker in the order, no two rows are equal.",
    sign=r"Rank\(\)[^\n]*\[",
)
def _():
    saras = Product.objects.filter(username__username="sara")
    return saras.annotate(place=Window(DenseRank(), order_by=["-price", "name"])).values(
        "name", "price", "place"
    )


@near_miss("15.1", "The cheapest product is number 1. Most expensive first is `-price`.")
def _():
    saras = Product.objects.filter(username__username="sara")
    return saras.annotate(place=Window(DenseRank(), order_by="price")).values(
        "name", "price", "place"
    )


@near_miss(
    "15.1", "Each category has a number 1: the task numbers all of Sara's products together."
)
def _():
    saras = Product.objects.filter(username__username="sara")
    place = Window(DenseRank(), partition_by="category", order_by="-price")
    return saras.annotate(place=place).values("name", "price", "place")


@near_miss(
    "15.1",
    "The window has no order, so every product is number 1 (MariaDB raises an error). `order_by()` "
    "of the QuerySet sorts the rows, and numbers nothing.",
)
def _():
    saras = Product.objects.filter(username__username="sara").order_by("-price")
    return saras.annotate(place=Window(DenseRank())).values("name", "price", "place")


@near_miss(
    "15.1",
    "Equal prices have different places: `enumerate()` numbers every row. `DenseRank` doesn't.",
    sign="enumerate",
)
def _():
    saras = Product.objects.filter(username__username="sara").order_by("-price", "pk")
    return [
        {"name": product.name, "price": product.price, "place": place}
        for place, product in enumerate(saras, 1)
    ]


@exercise(
    "15.2",
    stars=2,
    queries=1,
    columns=["number", "total", "running"],
    hints=[
        "A sum that grows from row to row is a `Window` with an order.",
        "Which invoices are peers in the order `due_on`, and what does the default frame do to "
        "them?",
        '`Window(Sum("total"), order_by=["due_on", "number"])`.',
    ],
)
def billed_so_far():
    """Two fields make an order without ties, so the default frame ends at the row itself. All of
    Rahim's invoices are one partition.
    """
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by=["due_on", "number"])
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2",
    "Invoices that are due on the same day have the same running total: they are peers, and the "
    "default frame includes them all. Add `number` to the window's order.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by="due_on")
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2",
    "The sums grow row by row, but for invoices that are due on the same day, the database chose "
    "which one comes first. Add `number` to the window's order.",
    sign="RowRange",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by=["due_on", "pk"], frame=RowRange(end=0))
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2",
    "For invoices that are due on the same day, the task names `number` as the next field of the "
    "order, and you sort by the key.",
    sign=r"""["'](pk|id)["']""",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by=["due_on", "pk"])
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2",
    "Every row has the total of all invoices: a window without `order_by` covers its whole "
    "partition. The order of the QuerySet doesn't matter to it.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim").order_by("due_on", "number")
    return rahims.annotate(running=Window(Sum("total"))).values("number", "total", "running")


@near_miss(
    "15.2",
    "The frame has no end, so every row has the total of all invoices: `RowRange()` covers the "
    "whole partition. `RowRange(end=0)` ends at the current row.",
    sign="RowRange",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by=["due_on", "number"], frame=RowRange())
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2", "The sum begins again with each customer. The task adds up all of Rahim's invoices."
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), partition_by="customer", order_by=["due_on", "number"])
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2",
    "`running` is the invoice's own total: `annotate(Sum(…))` without a `Window` adds up within "
    "one invoice.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim").order_by("due_on", "number")
    return rahims.annotate(running=Sum("total")).values("number", "total", "running")


@near_miss(
    "15.2",
    "The sums grow in the order of `issued_at`. The task counts by `due_on` first: not every invoice "
    "is due in the order of issue.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by=["issued_at", "number"])
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss("15.2", "The sums grow in the order of `number`. The task counts by `due_on` first.")
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by="number")
    return rahims.annotate(running=running).values("number", "total", "running")


@near_miss(
    "15.2",
    "The sums end at the row before: `end=-1`. The task includes the invoice itself.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    running = Window(Sum("total"), order_by=["due_on", "number"], frame=RowRange(end=-1))
    return rahims.annotate(running=running).values("number", "total", "running")


@exercise(
    "15.3",
    stars=2,
    queries=1,
    columns=["number", "percent"],
    hints=[
        "Two amounts of one row: the invoice's, and the sum for its customer.",
        '`Window(Sum("total"), partition_by="customer")` is that sum, and you can divide by it.',
        '`Round(F("total") * 100 / Window(…), 1)`.',
    ],
)
def percent_of_its_customer():
    """The window is an expression like any other: divide by it, and round the result. Without
    `order_by`, it covers the whole partition.

    On SQLite, two whole amounts divide as integers: `Cast` both to `FloatField()` where that can happen.
    """
    rahims = Invoice.objects.filter(username__username="rahim")
    of_customer = Window(Sum("total"), partition_by="customer")
    percent = Round(F("total") * 100 / of_customer, 1)
    return rahims.annotate(percent=percent).values("number", "percent")


@near_miss(
    "15.3",
    "That is the share of everything that Rahim has billed. The task asks for the share of the "
    "customer: `partition_by`.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    percent = Round(F("total") * 100 / Window(Sum("total")), 1)
    return rahims.annotate(percent=percent).values("number", "percent")


for order in (["issued_at", "pk"], "issued_at", "pk", "number", "due_on", ["due_on", "pk"]):

    @near_miss(
        "15.3",
        "Each share is one of what was billed so far: with `order_by`, the window grows from row to "
        "row. Leave the window's order out.",
        sign="order_by",
    )
    def _(order=order):
        rahims = Invoice.objects.filter(username__username="rahim")
        of_customer = Window(Sum("total"), partition_by="customer", order_by=order)
        percent = Round(F("total") * 100 / of_customer, 1)
        return rahims.annotate(percent=percent).values("number", "percent")


@near_miss(
    "15.3",
    "Every invoice is 100 % of itself: `Sum` without a `Window` adds up within one invoice.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim", total__gt=0)
    percent = Round(F("total") * 100 / Sum("total"), 1)
    return rahims.annotate(percent=percent).values("number", "percent")


@near_miss("15.3", "That is a part of 1. In percent, it is 100 times as much.")
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    percent = Round(F("total") / Window(Sum("total"), partition_by="customer"), 1)
    return rahims.annotate(percent=percent).values("number", "percent")


@near_miss("15.3", "The percentages have all their digits. The task rounds to one decimal.")
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    percent = F("total") * 100 / Window(Sum("total"), partition_by="customer")
    return rahims.annotate(percent=percent).values("number", "percent")


@near_miss("15.3", "The percentages are whole numbers. The task rounds to one decimal.")
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    percent = Round(F("total") * 100 / Window(Sum("total"), partition_by="customer"))
    return rahims.annotate(percent=percent).values("number", "percent")


@near_miss(
    "15.3",
    "That compares with the customer's largest invoice. The task compares with all of them together.",
)
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    percent = Round(F("total") * 100 / Window(Max("total"), partition_by="customer"), 1)
    return rahims.annotate(percent=percent).values("number", "percent")


@near_miss("15.3", "The percentages have two decimals. The task rounds to one.")
def _():
    rahims = Invoice.objects.filter(username__username="rahim")
    percent = Round(F("total") * 100 / Window(Sum("total"), partition_by="customer"), 2)
    return rahims.annotate(percent=percent).values("number", "percent")


@exercise(
    "15.4",
    stars=2,
    prediction=True,
    hints=[
        "For each line: where does the frame end, and what is the last (or first) row in it?",
        "The default frame of a window with an order ends at the current row. `RowRange(end=0)` "
        "does, too.",
        "`RowRange(start=0)` begins at the current row. Where does it end?",
    ],
)
def last_of_the_customer():
    """`b` and `e` have frames that reach to the end of the partition; where they begin doesn't
    matter to the last value. `c` takes the first value in the opposite order, and the first row is
    in every default frame. The frames of `a` and `d` end at the current row, and `f` is the next
    invoice, not the last one.
    """
    window = {"partition_by": "customer", "order_by": ["issued_at", "pk"]}
    lines = {
        "a": Window(LastValue("number"), **window),
        "b": Window(LastValue("number"), **window, frame=RowRange()),
        "c": Window(FirstValue("number"), partition_by="customer", order_by=["-issued_at", "-pk"]),
        "d": Window(LastValue("number"), **window, frame=RowRange(end=0)),
        "e": Window(LastValue("number"), **window, frame=RowRange(start=0)),
        "f": Window(Lead("number"), **window),
    }
    invoices = Invoice.objects.order_by("issued_at", "pk")
    last = dict(invoices.values_list("customer", "number"))
    rows = list(invoices.annotate(**lines).values("customer", *lines))
    return [line for line in lines if all(row[line] == last[row["customer"]] for row in rows)]


wrong_choices(
    "15.4",
    right="bce",
    why={
        "a": "`a` has no frame of its own: the default one ends at the current row.",
        "b": "`b` covers the whole partition: `RowRange()` has no limits.",
        "c": "`c` has the opposite order, and there the last invoice is the first.",
        "d": "`d` ends at the current row: `end=0`.",
        "e": "`e` begins at the current row and has no end, so its last row is the last one.",
        "f": "`f` is the next invoice, and nothing for the last one.",
    },
)


@exercise(
    "15.5",
    stars=2,
    queries=1,
    columns=["month", "billed"],
    equivalent={
        "when `billed` is `F('before')` or less": "no two months in a row have equal sums",
    },
    hints=[
        "Group by month first. Which function looks at the group before?",
        '`Lag("billed")` in a window that is ordered by month. You can filter on it.',
        '`….alias(before=Window(Lag("billed"), order_by="month")).filter(billed__lt=F("before"))`.',
    ],
)
def less_than_the_month_before():
    """The groups come first, then the window over them, and the condition on the window makes it a
    subquery. The first month has nothing before it, and a comparison with NULL is never true.

    Without the window's order, SQLite happens to have the months in the right one. PostgreSQL
    may not, and MariaDB raises an error.
    """
    by_time = {"order_by": "month"}
    month = TruncMonth("issued_at", output_field=DateField())
    by_month = Invoice.objects.filter(username__username="sara").values(month=month)
    return (
        by_month.annotate(billed=Sum("total"))
        .annotate(before=Window(Lag("billed"), **by_time))
        .filter(billed__lt=F("before"))
        .values("month", "billed")
    )


def _months(window, operator="lt", month=None):
    month = month or TruncMonth("issued_at", output_field=DateField())
    by_month = Invoice.objects.filter(username__username="sara").values(month=month)
    return (
        by_month.annotate(billed=Sum("total"))
        .annotate(other=window)
        .filter(**{f"billed__{operator}": F("other")})
        .values("month", "billed")
    )


@also_right("15.5")
def _():
    return _months(Window(Lag("billed"), order_by="month"), month=TruncMonth("issued_at"))


@near_miss("15.5", "In those months she billed more than in the month before. The task wants less.")
def _():
    return _months(Window(Lag("billed"), order_by="month"), "gt")


@near_miss(
    "15.5",
    "Those months are below the month *after* them: `Lead` looks at the next row, `Lag` at the one "
    "before.",
    sign=r"Lead\(",
)
def _():
    return _months(Window(Lead("billed"), order_by="month"))


@near_miss(
    "15.5",
    "Those months are below the month *after* them: in the order `-month`, the row before is the "
    "next month.",
    sign="-month",
)
def _():
    return _months(Window(Lag("billed"), order_by="-month"))


@near_miss("15.5", "That compares with two months before: `offset` is 1 unless you say otherwise.")
def _():
    return _months(Window(Lag("billed", offset=2), order_by="month"))


@near_miss(
    "15.5",
    "`TruncMonth` keeps the year, `issued_at__month` doesn't: the same month of all years is one "
    "group.",
    sign="__month",
)
def _():
    return _months(Window(Lag("billed"), order_by="month"), month=F("issued_at__month"))


@near_miss("15.5", "Those are all months: nothing compares them with the month before.")
def _():
    month = TruncMonth("issued_at", output_field=DateField())
    by_month = Invoice.objects.filter(username__username="sara").values(month=month)
    return by_month.annotate(billed=Sum("total"))


@near_miss("15.5", "Those are months of `due_on`. What was billed in a month was issued in it.")
def _():
    return _months(Window(Lag("billed"), order_by="month"), month=TruncMonth("due_on"))


@near_miss(
    "15.5",
    "That compares with the sum that is next in size: the window is ordered by `billed`. The month "
    "before is the row before in the order of `month`.",
    sign=r"""order_by=\[?["']-?billed""",
)
def _():
    return _months(Window(Lag("billed"), order_by="billed"))


@near_miss("15.5", "That compares with the month twelve rows before. The task wants one before.")
def _():
    return _months(Window(Lag("billed", offset=12), order_by="month"))


@exercise(
    "15.6",
    stars=3,
    queries=1,
    columns=["category__name", "name", "sold", "place"],
    equivalent={
        "with `Rank` for `RowNumber`": "no two names of a category are equal, so there are no ties",
        "with `DenseRank` for `RowNumber`": "no two names of a category are equal",
    },
    hints=[
        "First the pieces sold of each product, as in chapter 09; 0 for a product without lines.",
        "Then number the products within each category. Which function never gives a number twice?",
        '`Window(RowNumber(), partition_by="category", order_by=["-sold", "name"])`, and a '
        "`filter()` on it.",
    ],
)
def best_two_of_each_category():
    """The sum is a group, the window numbers the groups, and the condition on the window wraps both
    in a subquery. `RowNumber` gives each number once; `Rank` would give three products two places
    if their sales are equal.
    """
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), partition_by="category", order_by=["-sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Some categories have more than two products: `Rank` gives equal sales the same place. Number "
    "them with `RowNumber`.",
    sign=r"Rank\(",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(Rank(), partition_by="category", order_by="-sold")
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Some categories have more than two products: `DenseRank` gives equal sales the same place. "
    "Number them with `RowNumber`.",
    sign=r"DenseRank\(",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(DenseRank(), partition_by="category", order_by="-sold")
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Categories of different owners with the same name are one partition. Partition by `category`, "
    "which is the key.",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), partition_by="category__name", order_by=["-sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Those are two products of all: without `partition_by`, there is only one list of places.",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), order_by=["-sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Those are two products of each *owner*: the task wants two of each category.",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), partition_by="username", order_by=["-sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6", "`sold` counts lines. The task asks for pieces: add up the quantities.", sign="Count"
)
def _():
    sold = Product.objects.annotate(sold=Count("invoice_products"))
    place = Window(RowNumber(), partition_by="category", order_by=["-sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Products that were never sold have `None`, and the task wants 0: `Sum(…, default=0)`.",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty"))
    place = Window(
        RowNumber(),
        partition_by="category",
        order_by=[F("sold").desc(nulls_last=True), "name"],
    )
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6", "Those are the products that sold the *fewest* pieces: `-sold` puts the most first."
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), partition_by="category", order_by=["sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss(
    "15.6",
    "Among products with equal sales, the task takes the names in their order; the window has "
    "another order or none.",
)
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), partition_by="category", order_by=["-sold", "pk"])
    best = sold.annotate(place=place).filter(place__lte=2)
    return best.values("category__name", "name", "sold", "place")


@near_miss("15.6", "Those are three products of each category: `place` is 2 at most.")
def _():
    sold = Product.objects.annotate(sold=Sum("invoice_products__qty", default=0))
    place = Window(RowNumber(), partition_by="category", order_by=["-sold", "name"])
    best = sold.annotate(place=place).filter(place__lte=3)
    return best.values("category__name", "name", "sold", "place")


@exercise(
    "15.7",
    stars=3,
    queries=1,
    equivalent={
        "when `category__name` contains `'Beans'` in any letter case": "no other such category has "
        "a product of rank 3",
    },
    hints=[
        "The rank has to see all products of an owner. Where does the condition on the category "
        "go, if it is in the same query?",
        "Finish the ranking first: `ranked = Product.objects.annotate(…).filter(rank__lte=3)`.",
        '`Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")`.',
    ],
)
def beans_among_the_best():
    """A condition on a field goes into the inner `WHERE`, before the window. So the ranking
    is a subquery of its own, and the condition on the category is outside of it.
    """
    ranked = Product.objects.annotate(
        rank=Window(Rank(), partition_by="username", order_by="-price")
    ).filter(rank__lte=3)
    return Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")


@near_miss(
    "15.7",
    "Those are the best within Beans: the condition on the category is in the inner `WHERE`, before "
    "the window, wherever you write it. Rank in a subquery, and put the condition outside.",
)
def _():
    ranked = Product.objects.annotate(
        rank=Window(Rank(), partition_by="username", order_by="-price")
    )
    return ranked.filter(rank__lte=3, category__name="Beans")


@near_miss(
    "15.7",
    "Those are the best of each category. The rank is among all products of an owner: partition by "
    "`username`.",
)
def _():
    ranked = Product.objects.annotate(
        rank=Window(Rank(), partition_by="category", order_by="-price")
    ).filter(rank__lte=3)
    return Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")


@near_miss(
    "15.7",
    "That ranks the products of all owners together. Each owner has ranks of their own: partition "
    "by `username`.",
)
def _():
    ranked = Product.objects.annotate(rank=Window(Rank(), order_by="-price")).filter(rank__lte=3)
    return Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")


@near_miss(
    "15.7",
    "`RowNumber` takes three products of each owner, even if more share the third rank. The task "
    "lets equal prices share a rank: `Rank`.",
    sign="RowNumber",
)
def _():
    ranked = Product.objects.annotate(
        rank=Window(RowNumber(), partition_by="username", order_by=["-price", "pk"])
    ).filter(rank__lte=3)
    return Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")


@near_miss("15.7", "Products of every category are in: the task asks for Beans.")
def _():
    return Product.objects.annotate(
        rank=Window(Rank(), partition_by="username", order_by="-price")
    ).filter(rank__lte=3)


@near_miss("15.7", "The cheapest come first in your ranks. Most expensive first is `-price`.")
def _():
    ranked = Product.objects.annotate(
        rank=Window(Rank(), partition_by="username", order_by="price")
    ).filter(rank__lte=3)
    return Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")


@near_miss(
    "15.7",
    "No two products share a rank: with a tie-breaker in the order, equal prices are not equal. "
    "Order the window by price alone.",
    sign=r"Rank\([^\n]*\[",
)
def _():
    ranked = Product.objects.annotate(
        rank=Window(Rank(), partition_by="username", order_by=["-price", "pk"])
    ).filter(rank__lte=3)
    return Product.objects.filter(pk__in=ranked.values("pk"), category__name="Beans")
