"""Exercises of chapter 11: the tasks are in the notebook of the same name."""

from decimal import Decimal
from itertools import product

from django.db import connection
from django.db.models import Case, Count, DecimalField, F, Q, Sum, TextField, Value, When
from django.db.models.functions import Coalesce, Greatest, Least, Lower, NullIf, Round

from shopdb.models import Category, Invoice, Payment, Product, User
from workbook.exercises import also_right, exercise, near_miss


@exercise(
    "11.1",
    stars=1,
    queries=1,
    columns=["name", "size"],
    hints=[
        "Which conditions are left when the first is not true? The order does half of the work.",
        "`When(price__lt=100, then=Value(…))`, then one for up to 500, then a `default`.",
        '`.values("name", size=Case(When(price__lt=100, then=Value("small")), …, default=…))`.',
    ],
)
def sizes():
    """The first `When` that is true wins, so the second needs no lower limit. `values()` takes the
    `Case` as it would any expression; `annotate()` before it does the same.
    """
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lt=100, then=Value("small")),
            When(price__lte=500, then=Value("middle")),
            default=Value("large"),
        ),
    )


@near_miss("11.1", "The first `When` that is true wins: yours for the small ones is never reached.")
def _():
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lte=500, then=Value("middle")),
            When(price__lt=100, then=Value("small")),
            default=Value("large"),
        ),
    )


@near_miss("11.1", "A product for exactly 100 is not below 100: `price__lt=100`.")
def _():
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lte=100, then=Value("small")),
            When(price__lte=500, then=Value("middle")),
            default=Value("large"),
        ),
    )


@near_miss("11.1", "500 is included in the middle: `price__lte=500`.")
def _():
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lt=100, then=Value("small")),
            When(price__lt=500, then=Value("middle")),
            default=Value("large"),
        ),
    )


@near_miss("11.1", "Both limits are off: 100 and 500 belong to the middle.")
def _():
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lte=100, then=Value("small")),
            When(price__lt=500, then=Value("middle")),
            default=Value("large"),
        ),
    )


@near_miss("11.1", "100 and 500 belong to the middle: as you write it, both are large.")
def _():
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lt=100, then=Value("small")),
            When(price__gt=100, price__lt=500, then=Value("middle")),
            default=Value("large"),
        ),
    )


@near_miss("11.1", "Without a `default`, the expensive products have no size: NULL.")
def _():
    return Product.objects.values(
        "name",
        size=Case(
            When(price__lt=100, then=Value("small")),
            When(price__lte=500, then=Value("middle")),
        ),
    )


@near_miss("11.1", 'A text in `then=` names a field. A text that you mean is `Value("small")`.')
def _():
    return list(
        Product.objects.values("name", size=Case(When(price__lt=100, then="small"))),
    )


@exercise(
    "11.2",
    stars=2,
    prediction=True,
    hints=[
        "Go through the `When`s from the top, once for each product.",
        "After the first one that is true, the rest of them is not used.",
        "Which product is not below 100, so that the third `When` is its first true one?",
    ],
)
def three_prices():
    """`{19: 24, 50: 51, 100: 102}`. 19 and 50 stop at the first `When` that is true. 100 is not below 100, so the
    third is its first. No price reaches the `default`, and no price is changed twice.
    """
    before = [19, 50, 100]
    products = [product.pk for product in Product.objects.order_by("pk")[:3]]
    for pk, price in zip(products, before, strict=True):
        Product.objects.filter(pk=pk).update(price=price)
    Product.objects.filter(pk__in=products).update(
        price=Case(
            When(price__lt=20, then=F("price") + 5),
            When(price__lt=100, then=F("price") + 1),
            When(price__gte=20, then=F("price") + 2),
            default=F("price") - 3,
        )
    )
    return {
        price: int(Product.objects.get(pk=pk).price)
        for pk, price in zip(products, before, strict=True)
    }


_FIRST = {
    24: "",
    20: "For 19, two conditions are true, and the first of them wins, not the second.",
    25: "19 is changed once: only the first `When` that is true is used.",
    27: "19 is changed once, and no `When` sees what an earlier one would have made of it.",
}
_SECOND = {
    51: "",
    52: "For 50, two conditions are true, and the first of them wins, not the last.",
    53: "50 is changed once: only the first `When` that is true is used.",
}
_THIRD = {
    102: "",
    97: "100 is at least 20, so a `When` is true for it, and the `default` is not used.",
    100: "100 is at least 20: the third `When` is true for it.",
    101: "100 is not below 100, so the second `When` is not true for it.",
}
for first, second, third in product(_FIRST, _SECOND, _THIRD):
    why = _FIRST[first] or _SECOND[second] or _THIRD[third]
    if why:
        near_miss("11.2", why)(
            lambda prices=(first, second, third): dict(zip((19, 50, 100), prices, strict=True))
        )


@near_miss("11.2", "Those are the changes. The task asks what the products cost afterwards.")
def _():
    return {19: 5, 50: 1, 100: 2}


@exercise(
    "11.3",
    stars=2,
    queries=1,
    columns=["username", "cash", "card", "transfer"],
    equivalent={
        "when `payments__method` contains `method` in any letter case": "no method is in another"
    },
    hints=[
        "A row for each owner, so start from `User`. What is a column?",
        'A sum over `payments__amount`, with a condition: `filter=Q(payments__method="cash")`.',
        '`annotate(cash=Sum("payments__amount", filter=…, default=Decimal(0)), …).values(…)`.',
    ],
)
def money_by_method():
    """Starting from `User` keeps the owners who received nothing, and `default=` gives them a zero.
    There is one relation to many, so nothing is multiplied. `Round` removes what SQLite adds to a sum
    of decimals; it isn't required.
    `Sum(Case(When(payments__method="cash", then="payments__amount"), default=Decimal(0)))` is the
    older form.
    """
    sums = {
        method: Round(
            Sum("payments__amount", filter=Q(payments__method=method), default=Decimal(0)), 2
        )
        for method in ("cash", "card", "transfer")
    }
    return User.objects.annotate(**sums).values("username", *sums)


@near_miss("11.3", "The sum of no rows is NULL: give each `Sum` a `default`.")
def _():
    sums = {
        method: Sum("payments__amount", filter=Q(payments__method=method))
        for method in ("cash", "card", "transfer")
    }
    return User.objects.annotate(**sums).values("username", *sums)


@near_miss("11.3", "Owners without any payment are missing: start from `User`, not from `Payment`.")
def _():
    sums = {
        method: Sum("amount", filter=Q(method=method), default=Decimal(0))
        for method in ("cash", "card", "transfer")
    }
    rows = Payment.objects.values("username__username").annotate(**sums)
    return [
        {"username": row["username__username"], **{method: row[method] for method in sums}}
        for row in rows
    ]


@near_miss("11.3", "Those are numbers of payments. The task asks for money: `Sum`, not `Count`.")
def _():
    counts = {
        method: Count("payments", filter=Q(payments__method=method))
        for method in ("cash", "card", "transfer")
    }
    return User.objects.annotate(**counts).values("username", *counts)


@near_miss("11.3", "A sum without a condition: each column has all of the owner's payments.")
def _():
    sums = {
        method: Sum("payments__amount", default=Decimal(0))
        for method in ("cash", "card", "transfer")
    }
    return User.objects.annotate(**sums).values("username", *sums)


@near_miss("11.3", "Decimal and integer are mixed types: the `default` has to be `Decimal(0)`.")
def _():
    return list(
        User.objects.annotate(
            cash=Sum(Case(When(payments__method="cash", then="payments__amount"), default=0))
        ).values("username", "cash")
    )


@near_miss(
    "11.3", "The amount and the condition take two different joins, which multiply each other."
)
def _():
    sums = {
        method: Sum(
            "invoices__payments__amount", filter=Q(payments__method=method), default=Decimal(0)
        )
        for method in ("cash", "card", "transfer")
    }
    return User.objects.annotate(**sums).values("username", *sums)


@exercise(
    "11.4",
    stars=2,
    queries=1,
    columns=["name", "about"],
    hints=[
        "The first value that is not NULL. But is an empty description NULL?",
        '`NullIf("description", Value(""))` makes a NULL of it. What are the next two choices?',
        "`Coalesce(NullIf(…), …, …, output_field=TextField())`: a name is another type of text.",
    ],
)
def catalogue_lines():
    """`NullIf` turns an empty text into NULL, and `Coalesce` takes the first value that is there.
    `description` is a `TextField` and `name` a `CharField`, so the result needs an `output_field`.
    """
    about = Coalesce(
        NullIf("description", Value("")), "parent__description", "name", output_field=TextField()
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", "An empty text is not NULL, so `Coalesce` keeps it: see `NullIf`.")
def _():
    about = Coalesce("description", "parent__description", "name", output_field=TextField())
    return Category.objects.values("name", about=about)


@near_miss("11.4", "Before the name comes the description of the parent.")
def _():
    about = Coalesce(NullIf("description", Value("")), "name", output_field=TextField())
    return Category.objects.values("name", about=about)


@near_miss(
    "11.4", "A category without a description and without a parent has nothing: add its name."
)
def _():
    about = Coalesce(
        NullIf("description", Value("")), "parent__description", output_field=TextField()
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", "The parent's description comes second, after the category's own.")
def _():
    about = Coalesce(
        "parent__description", NullIf("description", Value("")), "name", output_field=TextField()
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", "In place of the parent's description there is the parent's name.")
def _():
    about = Coalesce(
        NullIf("description", Value("")), "parent__name", "name", output_field=TextField()
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", "The types are mixed, a `TextField` and texts of another type: `output_field=`.")
def _():
    return list(
        Category.objects.values(
            "name", about=Coalesce(NullIf("description", Value("")), "parent__description", "name")
        )
    )


@near_miss("11.4", "The name is never NULL, so what comes after it is never used.")
def _():
    about = Coalesce(
        NullIf("description", Value("")), "name", "parent__description", output_field=TextField()
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", 'A text names a field, also the empty one: `NullIf("description", Value(""))`.')
def _():
    about = Coalesce(
        NullIf("description", ""), "parent__description", "name", output_field=TextField()
    )
    return list(Category.objects.values("name", about=about))


@near_miss(
    "11.4", "A category without a description and without a parent has nothing: add its name."
)
def _():
    about = Case(When(description="", then="parent__description"), default="description")
    return Category.objects.values("name", about=about)


@near_miss("11.4", "A category without a parent keeps its own description, if it has one.")
def _():
    about = Case(
        When(parent=None, then="name"),
        When(description="", then="parent__description"),
        default="description",
        output_field=TextField(),
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", "A description that is not empty comes first; the name comes last.")
def _():
    about = Case(
        When(description="", then="parent__description"), default="name", output_field=TextField()
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", '`Value("name")` is the word "name". The field is `"name"`, without `Value`.')
def _():
    about = Coalesce(
        NullIf("description", Value("")),
        "parent__description",
        Value("name"),
        output_field=TextField(),
    )
    return Category.objects.values("name", about=about)


@near_miss("11.4", "Each category gets a line, also one with a description of its own.")
def _():
    about = Coalesce("parent__description", "name", output_field=TextField())
    return Category.objects.filter(description="").values("name", about=about)


@exercise(
    "11.5",
    stars=2,
    queries=1,
    columns=["pk", "fee"],
    hints=[
        "At least 1: is that the larger or the smaller of the fee and 1?",
        "`Greatest(…, Decimal(1))` for at least 1, and around it `Least(…, Decimal(20))`.",
        '`Least(Greatest(F("payment_due") * Decimal("0.05"), Decimal(1)), Decimal(20))`.',
    ],
)
def reminder_fees():
    """At least 1 is the greatest of the two, at most 20 the least. A `Case` with two `When`s does it
    as well, and repeats the arithmetic.
    """
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Least(Greatest(fee, Decimal(1)), Decimal(20))
    )


@near_miss("11.5", "Every fee is 1 or less: at least 1 is `Greatest`, at most 20 is `Least`.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Least(fee, Decimal(1), Decimal(20))
    )


@near_miss("11.5", "Every fee is 20 or more: at least 1 is `Greatest`, at most 20 is `Least`.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Greatest(Least(fee, Decimal(1)), Decimal(20))
    )


@near_miss("11.5", "Every fee is 20 or more: at least 1 is `Greatest`, at most 20 is `Least`.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Greatest(fee, Decimal(1), Decimal(20))
    )


@near_miss(
    "11.5", "Every fee is 1: at least 1 is `Greatest(fee, 1)`, at most 20 is `Least(fee, 20)`."
)
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Least(Greatest(fee, Decimal(20)), Decimal(1))
    )


@near_miss("11.5", "The upper limit is missing: some fees are above 20.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values("pk", fee=Greatest(fee, Decimal(1)))


@near_miss("11.5", "The lower limit is missing: some fees are below 1.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values("pk", fee=Least(fee, Decimal(20)))


@near_miss("11.5", "Both limits are missing: at least 1, and at most 20.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values("pk", fee=fee)


@near_miss("11.5", "The fee is 5 % of what is still due, `payment_due`, not of the total.")
def _():
    fee = F("total") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Least(Greatest(fee, Decimal(1)), Decimal(20))
    )


@near_miss("11.5", "A decimal with a float or an integer is a mixed type: `Decimal(20)`.")
def _():
    return list(Invoice.objects.values("pk", fee=Least("payment_due", 20)))


@near_miss("11.5", "`0.05` is a float and the amount a decimal: write `Decimal(\"0.05\")`.")
def _():
    return list(Invoice.objects.values("pk", fee=Greatest(F("payment_due") * 0.05, 1)))


@near_miss("11.5", "The fees are rounded. The task wants them as they are.")
def _():
    fee = F("payment_due") * Decimal("0.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Round(Least(Greatest(fee, Decimal(1)), Decimal(20)), 2)
    )


@near_miss("11.5", "5 % is `0.05`; `0.5` is 50 %.")
def _():
    fee = F("payment_due") * Decimal("0.5")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Least(Greatest(fee, Decimal(1)), Decimal(20))
    )


@near_miss("11.5", "A factor of 1.05 gives the amount and the fee together: 5 % is `0.05`.")
def _():
    fee = F("payment_due") * Decimal("1.05")
    return Invoice.objects.filter(payment_due__gt=0).values(
        "pk", fee=Least(Greatest(fee, Decimal(1)), Decimal(20))
    )


@near_miss("11.5", "1 and 20 limit the fee. They don't choose the invoices: none is left out.")
def _():
    fees = Invoice.objects.annotate(fee=F("payment_due") * Decimal("0.05"))
    return fees.filter(fee__gte=1, fee__lte=20).values("pk", "fee")


NULL_LAST = (
    {"without `default=3` in `Case()`": "PostgreSQL sorts NULL last"}
    if connection.vendor == "postgresql"
    else {}
)


@exercise(
    "11.6",
    stars=2,
    queries=1,
    ordered=True,
    equivalent={"with `distinct()`": "an owner has each product name once"} | NULL_LAST,
    hints=[
        "Give each product a number for its place in the list. Which expression does that?",
        "`Case(When(stock=0, then=1), …, default=3)`, and `order_by()` takes it as it is.",
        '`.order_by(Case(…), "name").values_list("name", flat=True)`, of Rahim\'s products.',
    ],
)
def stock_check():
    """`order_by()` takes the `Case`, and the name decides within each number. The first true `When`
    wins, so the second one need not say that the stock is above 0.
    """
    place = Case(When(stock=0, then=1), When(stock__lte=10, then=2), default=3)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "name").values_list("name", flat=True)


@also_right("11.6")
def _():
    place = Case(When(stock=0, then=1), When(stock__lte=10, then=2), default=3)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, Lower("name")).values_list("name", flat=True)


@near_miss("11.6", "Sorted by the stock itself. Within each of the three parts, the name decides.")
def _():
    products = Product.objects.filter(username__username="rahim")
    return products.order_by("stock", "name").values_list("name", flat=True)


@near_miss("11.6", "A stock of exactly 10 belongs to the second part: `stock__lte=10`.")
def _():
    place = Case(When(stock=0, then=1), When(stock__lt=10, then=2), default=3)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "name").values_list("name", flat=True)


@near_miss("11.6", "The first true `When` wins: the one for the stock of 0 is never reached.")
def _():
    place = Case(When(stock__lte=10, then=2), When(stock=0, then=1), default=3)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "name").values_list("name", flat=True)


@near_miss("11.6", "The name comes first, so the stock never decides: put the `Case` before it.")
def _():
    place = Case(When(stock=0, then=1), When(stock__lte=10, then=2), default=3)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by("name", place).values_list("name", flat=True)


@near_miss("11.6", "The parts are in the opposite order: the sold-out products come first.")
def _():
    place = Case(When(stock=0, then=3), When(stock__lte=10, then=2), default=1)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "name").values_list("name", flat=True)


@near_miss("11.6", "Without a `default`, the others have NULL, and your database sorts NULL first.")
def _():
    place = Case(When(stock=0, then=1), When(stock__lte=10, then=2))
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place.asc(nulls_first=True), "name").values_list("name", flat=True)


@near_miss("11.6", "Texts are sorted from A to Z: give each part a number.")
def _():
    place = Case(
        When(stock=0, then=Value("sold out")),
        When(stock__lte=10, then=Value("few")),
        default=Value("others"),
    )
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "name").values_list("name", flat=True)


@near_miss("11.6", "Within each of the three parts, the name decides, not the stock.")
def _():
    place = Case(When(stock=0, then=1), When(stock__lte=10, then=2), default=3)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "stock", "name").values_list("name", flat=True)


@near_miss("11.6", "There are three parts: a stock of 1 to 10 comes before the others.")
def _():
    place = Case(When(stock=0, then=1), default=2)
    products = Product.objects.filter(username__username="rahim")
    return products.order_by(place, "name").values_list("name", flat=True)


@near_miss("11.6", "The others are missing: those with a stock above 10 come last.")
def _():
    place = Case(When(stock=0, then=1), default=2)
    products = Product.objects.filter(username__username="rahim", stock__lte=10)
    return products.order_by(place, "name").values_list("name", flat=True)


@exercise(
    "11.7",
    stars=3,
    queries=1,
    leaves=lambda: Product.objects.annotate(price_in_thousandths=Round(F("price") * 1000)).values(
        "name", "username__username", "price_in_thousandths", "stock"
    ),
    hints=[
        "One statement, and each product decides which rule is its own.",
        "Let a `Case` be the factor: 1.10, 1.05, or for the rest 1.",
        '`update(price=Round(F("price") * Case(When(price__lt=100, then=Decimal("1.10")), …), 2))`.',
    ],
)
def new_prices():
    """The `Case` is the factor, so the arithmetic and the rounding are written once. With a
    `filter(price__lte=500)` before `update()`, the rows that stay are not written at all.
    """
    rate = Case(
        When(price__lt=100, then=Decimal("1.10")),
        When(price__lte=500, then=Decimal("1.05")),
        default=Decimal(1),
    )
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss(
    "11.7", "Some prices rose twice: the second update found what the first had raised above 100."
)
def _():
    Product.objects.filter(price__lt=100).update(price=Round(F("price") * Decimal("1.10"), 2))
    Product.objects.filter(price__range=(100, 500)).update(
        price=Round(F("price") * Decimal("1.05"), 2)
    )


@near_miss("11.7", "Products above 500 have no price any more: a `Case` without `default` is NULL.")
def _():
    rate = Case(
        When(price__lt=100, then=Decimal("1.10")), When(price__lte=500, then=Decimal("1.05"))
    )
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss("11.7", "A price of exactly 500 rises, too: `price__lte=500`.")
def _():
    rate = Case(
        When(price__lt=100, then=Decimal("1.10")),
        When(price__lt=500, then=Decimal("1.05")),
        default=Decimal(1),
    )
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss("11.7", "A price of exactly 100 rises by 5 %, not by 10 %: `price__lt=100`.")
def _():
    rate = Case(
        When(price__lte=100, then=Decimal("1.10")),
        When(price__lte=500, then=Decimal("1.05")),
        default=Decimal(1),
    )
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss("11.7", "Above 500 the prices stay: your `default` raises them as well.")
def _():
    rate = Case(When(price__lt=100, then=Decimal("1.10")), default=Decimal("1.05"))
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss("11.7", "The first true `When` wins: below 100, your products rise by 5 % only.")
def _():
    rate = Case(
        When(price__lte=500, then=Decimal("1.05")),
        When(price__lt=100, then=Decimal("1.10")),
        default=Decimal(1),
    )
    Product.objects.update(price=Round(F("price") * rate, 2))


if connection.vendor == "sqlite":  # the others round to the decimals of the column

    @near_miss("11.7", "The prices are not rounded to two decimals: SQLite stores every digit.")
    def _():
        rate = Case(
            When(price__lt=100, then=Decimal("1.10")),
            When(price__lte=500, then=Decimal("1.05")),
            default=Decimal(1),
        )
        Product.objects.update(price=F("price") * rate)


@near_miss("11.7", "All owners' products have new prices, not only those of one owner.")
def _():
    rate = Case(
        When(price__lt=100, then=Decimal("1.10")),
        When(price__lte=500, then=Decimal("1.05")),
        default=Decimal(1),
    )
    Product.objects.filter(username__username="sara").update(price=Round(F("price") * rate, 2))


@near_miss("11.7", "A factor of 0.10 leaves a tenth of the price: 10 % more is `1.10`.")
def _():
    rate = Case(
        When(price__lt=100, then=Decimal("0.10")),
        When(price__lte=500, then=Decimal("0.05")),
        default=Decimal(1),
    )
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss(
    "11.7", "Floats and an integer are mixed types, and money is decimal: `Decimal(\"1.10\")`."
)
def _():
    rate = Case(When(price__lt=100, then=1.10), When(price__lte=500, then=1.05), default=1)
    Product.objects.update(price=Round(F("price") * rate, 2))


@near_miss(
    "11.7",
    "Python's `round()` gives the even cent where the price is exactly between two; `Round` in the "
    "database goes up. And a loop runs an `UPDATE` for each product.",
)
def _():
    for row in Product.objects.filter(price__lte=500):
        row.price = round(row.price * Decimal("1.10" if row.price < 100 else "1.05"), 2)
        row.save()


@near_miss("11.7", "10 and 5 are added as amounts. 10 % more is a factor: `1.10`.")
def _():
    price = Case(
        When(price__lt=100, then=F("price") + 10),
        When(price__lte=500, then=F("price") + 5),
        default=F("price"),
    )
    Product.objects.update(price=Round(price, 2))


@near_miss("11.7", "`Round` without a number rounds to whole amounts: `Round(…, 2)`.")
def _():
    rate = Case(
        When(price__lt=100, then=Decimal("1.10")),
        When(price__lte=500, then=Decimal("1.05")),
        default=Decimal(1),
    )
    Product.objects.update(price=Round(F("price") * rate))


@near_miss(
    "11.7",
    "Python's `round()` gives the even cent where the price is exactly between two; `Round` in the "
    "database goes up. And `bulk_update()` has to read the products first.",
)
def _():
    rows = list(Product.objects.filter(price__lte=500))
    for row in rows:
        row.price = round(row.price * Decimal("1.10" if row.price < 100 else "1.05"), 2)
    Product.objects.bulk_update(rows, ["price"])


if connection.vendor == "sqlite":  # the others divide decimals as decimals

    @near_miss("11.7", 'SQLite divides whole prices as integers: use `Decimal("1.10")`.')
    def _():
        percent = Case(When(price__lt=100, then=110), When(price__lte=500, then=105), default=100)
        Product.objects.update(
            price=Round(F("price") * percent / 100, 2, output_field=DecimalField())
        )
