"""Exercises of chapter 09: the tasks are in the notebook of the same name."""

from django.db.models import Avg, Count, F, Max, Q, Sum
from django.db.models.functions import TruncYear

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User
from workbook import frame
from workbook.exercises import exercise, near_miss


@exercise(
    "9.1",
    stars=1,
    columns=["unit", "n"],
    hints=[
        "One row for each unit: the unit is what makes a group.",
        "`values()` makes the groups, then `annotate()` says what to compute for each.",
        '`Product.objects.values("unit").annotate(n=Count("pk"))`',
    ],
)
def products_by_unit():
    """`values()` and then `annotate()` is Django's `GROUP BY`.

    The `order_by("unit")` is for the reader: without it, the groups come in any order.
    """
    return Product.objects.values("unit").annotate(n=Count("pk")).order_by("unit")


@near_miss(
    "9.1",
    "There is a row for each product, and `n` is always 1: each product is its own group. Put "
    "`values()` before `annotate()`.",
)
def _():
    return Product.objects.annotate(n=Count("pk")).values("unit", "n")


@near_miss("9.1", "`n` is the number of pieces in stock. The task asks for the number of products.")
def _():
    return Product.objects.values("unit").annotate(n=Sum("stock"))


@near_miss("9.1", "`n` is always 1: within a group there is only one unit. Count the products.")
def _():
    return Product.objects.values("unit").annotate(n=Count("unit", distinct=True))


@near_miss(
    "9.1",
    "The same unit appears many times: the products are sorted by something else, and that became "
    "part of the groups.",
    sign="order_by",
)
def _():
    return Product.objects.order_by("name").values("unit").annotate(n=Count("pk"))


@near_miss("9.1", "`n` counts lines of invoices. The task asks for products, sold or not.")
def _():
    return Product.objects.values("unit").annotate(n=Count("invoices"))


@near_miss("9.1", "`n` is the number of pieces sold. The task asks for the number of products.")
def _():
    return Product.objects.values("unit").annotate(n=Sum("invoice_products__qty", default=0))


@exercise(
    "9.2",
    stars=1,
    columns=["name", "n"],
    hints=[
        "Every row of the answer is about a customer. So start from which model?",
        '`annotate(n=Count("invoices"))` keeps customers without invoices, with 0.',
        'Choose the columns at the end: `.values("name", "n")`.',
    ],
)
def customers_with_their_invoices():
    """Starting from `Customer` gives a `LEFT OUTER JOIN`, so nobody is lost, and `Count("invoices")`
    counts 0 where there is no invoice.

    `values()` comes last. Before `annotate()`, it would group by name, and two people with the same
    name would become one row.
    """
    return Customer.objects.annotate(n=Count("invoices")).values("name", "n").order_by("name", "pk")


@near_miss(
    "9.2",
    "Customers who share a name are one row: `values()` before `annotate()` groups by the name. Put "
    "`values()` last.",
)
def _():
    return Customer.objects.values("name").annotate(n=Count("invoices"))


@near_miss(
    "9.2",
    "Customers without invoices are missing, because the query starts from the invoices. Start from "
    "`Customer`.",
)
def _():
    return (
        Invoice.objects.values("customer", name=F("customer__name"))
        .annotate(n=Count("pk"))
        .values("name", "n")
    )


@near_miss(
    "9.2",
    'Customers without invoices have 1: the outer join gives them one row, and `Count("*")` counts '
    'rows. Count the invoices: `Count("invoices")`.',
)
def _():
    return Customer.objects.alias(i=F("invoices")).annotate(n=Count("*")).values("name", "n")


@near_miss(
    "9.2",
    "Customers without invoices are missing, because the query starts from the invoices, and "
    "customers who share a name are one row. Start from `Customer`.",
)
def _():
    return Invoice.objects.values(name=F("customer__name")).annotate(n=Count("pk"))


@near_miss("9.2", '`n` is always 1: `Count("*")` counts the customer. Count the invoices.')
def _():
    return Customer.objects.annotate(n=Count("*")).values("name", "n")


@near_miss("9.2", "`n` adds up amounts. The task asks how many invoices there are.")
def _():
    return Customer.objects.annotate(n=Sum("invoices__total")).values("name", "n")


@near_miss("9.2", "`n` counts lines: it follows the invoices one relation too far.")
def _():
    return Customer.objects.annotate(n=Count("invoices__products")).values("name", "n")


@near_miss(
    "9.2",
    "Two relations in one `annotate()`: each invoice is counted once for each line of the customer "
    "(see *Two joins multiply*).",
)
def _():
    return Customer.objects.annotate(n=Count("invoices"), lines=Count("invoice_products")).values(
        "name", "n"
    )


@exercise(
    "9.3",
    stars=2,
    queries=1,
    columns=["username", "n_products", "n_customers"],
    hints=[
        "Two relations in one `annotate()`: what do the joins do to the rows?",
        "You count, and add nothing up. Which option makes a `Count` over two joins right?",
        '`annotate(n_products=Count("products", distinct=True), n_customers=…)`, then `values()`.',
    ],
)
def owners_with_products_and_customers():
    """Without `distinct=True`, both columns show products × customers, the same large number twice.
    With it, each key counts once, and both are right.

    The database still builds all those rows to count them. For large tables, a subquery for each
    count is faster, and for sums it is the only way in one query.
    """
    return User.objects.annotate(
        n_products=Count("products", distinct=True),
        n_customers=Count("customers", distinct=True),
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3",
    "Both numbers are too large, and equal where both are above 0: each product was joined with each "
    "customer of its owner (see *Two joins multiply*).",
)
def _():
    return User.objects.annotate(
        n_products=Count("products"), n_customers=Count("customers")
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3", "`n_products` is right. `n_customers` needs `distinct=True`, too: both joins multiply."
)
def _():
    return User.objects.annotate(
        n_products=Count("products", distinct=True), n_customers=Count("customers")
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3",
    "An owner without products is missing, because the query starts from the products. Start from "
    "`User`.",
)
def _():
    return (
        Product.objects.values(owner=F("username__username"))
        .annotate(
            n_products=Count("pk", distinct=True),
            n_customers=Count("username__customers", distinct=True),
        )
        .values("n_products", "n_customers", username=F("owner"))
    )


@near_miss(
    "9.3",
    "`n_customers` counts the customers with an invoice. The relation from an owner to all their "
    "customers is `customers`.",
)
def _():
    return User.objects.annotate(
        n_products=Count("products", distinct=True),
        n_customers=Count("invoices__customer", distinct=True),
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3", "The numbers are right, but each owner runs two queries. `annotate()` counts all."
)
def _():
    return [
        {
            "username": user.username,
            "n_products": user.products.count(),
            "n_customers": user.customers.count(),
        }
        for user in User.objects.all()
    ]


@exercise(
    "9.4",
    stars=2,
    queries=1,
    columns=["year", "n"],
    hints=[
        "If a year appears many times, read the `GROUP BY` in the report to its end.",
        "What `newest` is sorted by has become part of the groups.",
        "A later `order_by()` replaces an earlier one. The group is "
        '`values(year=F("issued_at__year"))`.',
    ],
)
def invoices_by_year():
    """The order of `newest` would put the moment and the key into the `GROUP BY`: each invoice would
    be a group, and `n` would be 1 everywhere. `order_by("year")` replaces it.

    A function that gets a QuerySet from elsewhere can't know whether it is sorted. Make it a habit
    to end every `values().annotate()` with an `order_by()` of your own.
    """
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_year = newest.values(year=F("issued_at__year")).annotate(n=Count("pk"))
    return by_year.order_by("year")


@near_miss(
    "9.4",
    "The same year appears many times: `newest` is sorted, and its order became part of the groups. "
    "End with an `order_by()` of your own.",
)
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    return newest.values(year=F("issued_at__year")).annotate(n=Count("pk"))


@near_miss(
    "9.4",
    "There is a row for each invoice, and `n` is always 1: each invoice is its own group. Put "
    "`values()` before `annotate()`.",
)
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    return newest.annotate(n=Count("pk")).values("n", year=F("issued_at__year"))


@near_miss("9.4", "`n` counts customers. The task asks for the number of invoices.")
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_year = newest.values(year=F("issued_at__year"))
    return by_year.annotate(n=Count("customer", distinct=True)).order_by("year")


@near_miss(
    "9.4",
    "`year` is a moment: `TruncYear` gives the first one of the year. The number is "
    '`F("issued_at__year")`.',
)
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_year = newest.values(year=TruncYear("issued_at")).annotate(n=Count("pk"))
    return by_year.order_by("year")


@near_miss("9.4", "`created_at` is when the row was written. The task asks for the year of issue.")
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_year = newest.values(year=F("created_at__year")).annotate(n=Count("pk"))
    return by_year.order_by("year")


@near_miss("9.4", "These are months, from 1 to 12. The task asks for years.")
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_month = newest.values(year=F("issued_at__month")).annotate(n=Count("pk"))
    return by_month.order_by("year")


@near_miss("9.4", "`n` adds up amounts. The task asks how many invoices there are.")
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_year = newest.values(year=F("issued_at__year")).annotate(n=Sum("total"))
    return by_year.order_by("year")


@near_miss("9.4", "`n` counts lines. The task asks how many invoices there are.")
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    by_year = newest.values(year=F("issued_at__year")).annotate(n=Count("invoice_products"))
    return by_year.order_by("year")


@exercise(
    "9.5",
    stars=2,
    columns=["username__username", "name", "n"],
    hints=[
        "Group by what should be unique together: the owner and the name.",
        "A condition on the count of a group is a `filter()` after `annotate()`.",
        '`values("username__username", "name").annotate(n=Count("pk")).filter(n__gt=1)`',
    ],
)
def names_twice_for_one_owner():
    """Group by what should be unique, and keep the groups of more than one. This is the usual search
    for duplicates, and the check to run before you add a unique constraint.

    Two columns in `values()` make finer groups: the same name with two owners is no mistake.
    """
    return (
        Customer.objects.values("username__username", "name")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .order_by("username__username", "name")
    )


@near_miss(
    "9.5",
    "Names that only different owners share are in your rows as well. Group by owner and name "
    "together.",
)
def _():
    twice = Customer.objects.values("name").alias(n=Count("pk")).filter(n__gt=1)
    return (
        Customer.objects.filter(name__in=twice)
        .values("username__username", "name")
        .annotate(n=Count("pk"))
    )


@near_miss(
    "9.5", "Every name is in your rows: each group has at least one customer. Twice is more than 1."
)
def _():
    return (
        Customer.objects.values("username__username", "name")
        .annotate(n=Count("pk"))
        .filter(n__gte=1)
    )


@near_miss(
    "9.5",
    "The answer is empty: each group has only one different name. Count the customers, by key.",
    sign="distinct",
)
def _():
    return (
        Customer.objects.values("username__username", "name")
        .annotate(n=Count("name", distinct=True))
        .filter(n__gt=1)
    )


@near_miss(
    "9.5",
    "The answer is empty: without `values()` before it, `annotate()` counts within one customer, "
    "and that is always 1.",
    sign=r"annotate\([\s\S]*\.values\(",
)
def _():
    alone = Customer.objects.annotate(n=Count("pk")).filter(n__gt=1)
    return alone.values("username__username", "name", "n")


@near_miss(
    "9.5",
    "The answer is empty: the customers are sorted by something else, and that became part of the "
    "groups.",
    sign=r"order_by\([\s\S]*\.values\(",
)
def _():
    groups = Customer.objects.order_by("pk").values("username__username", "name")
    return groups.annotate(n=Count("pk")).filter(n__gt=1)


@near_miss(
    "9.5",
    "The answer is empty: the groups have one column more than owner and name, and that makes them "
    "smaller.",
    sign=r"values\([^)]*(email|mobile|\bpk\b|\bid\b)",
)
def _():
    groups = Customer.objects.values("username__username", "name", "email")
    return groups.annotate(n=Count("pk")).filter(n__gt=1)


@near_miss("9.5", "`n` counts invoices. The task asks how often the name occurs: count customers.")
def _():
    groups = Customer.objects.values("username__username", "name")
    return groups.annotate(n=Count("invoices")).filter(n__gt=1)


@exercise(
    "9.6",
    stars=2,
    columns=["username", "paid", "open"],
    hints=[
        "One row for each owner, and two counts with different conditions.",
        "`Count` takes a `filter=`. Its condition starts at the owner: "
        "`Q(invoices__payment_due=0)`.",
        "Annotate both counts, take the three columns with `values()`, put `frame(…)` around it.",
    ],
)
def paid_and_open_by_owner():
    """Each count has its own condition, so one join is enough for both, and owners without invoices
    are in the result, with zeros.

    `filter(invoices__payment_due=0)` before the counts would lose the open invoices, and a second
    `filter()` after them joins again and multiplies. `frame()` makes the DataFrame from the same
    query.
    """
    return frame(
        User.objects.annotate(
            paid=Count("invoices", filter=Q(invoices__payment_due=0)),
            open=Count("invoices", filter=Q(invoices__payment_due__gt=0)),
        ).values("username", "paid", "open")
    )


@near_miss(
    "9.6",
    "An owner without invoices is missing, because the query starts from the invoices. Start from "
    "`User`.",
)
def _():
    return frame(
        Invoice.objects.values(owner=F("username__username"))
        .annotate(
            paid=Count("pk", filter=Q(payment_due=0)),
            open=Count("pk", filter=Q(payment_due__gt=0)),
        )
        .values("paid", "open", username=F("owner"))
    )


@near_miss(
    "9.6",
    "Both numbers are wrong: each `filter()` across the invoices joined them once more, and the "
    "joins multiply. Give each `Count` its own `filter=`.",
)
def _():
    return frame(
        User.objects.filter(invoices__payment_due=0)
        .annotate(paid=Count("invoices"))
        .filter(invoices__payment_due__gt=0)
        .annotate(open=Count("invoices"))
        .values("username", "paid", "open")
    )


@near_miss(
    "9.6",
    "`open` is 0 for everybody: the `filter()` before the counts has removed the invoices with "
    "something due. Put both conditions into the counts.",
)
def _():
    return frame(
        User.objects.filter(invoices__payment_due=0)
        .annotate(
            paid=Count("invoices"),
            open=Count("invoices", filter=Q(invoices__payment_due__gt=0)),
        )
        .values("username", "paid", "open")
    )


@near_miss(
    "9.6",
    "An invoice can be paid in part: then it has a payment, and something due. Both counts are about "
    "`payment_due`.",
)
def _():
    return frame(
        User.objects.annotate(
            paid=Count("invoices", filter=Q(invoices__payment__gt=0)),
            open=Count("invoices", filter=Q(invoices__payment=0)),
        ).values("username", "paid", "open")
    )


@near_miss("9.6", "The two conditions are the wrong way round: nothing due means paid.")
def _():
    return frame(
        User.objects.annotate(
            paid=Count("invoices", filter=Q(invoices__payment_due__gt=0)),
            open=Count("invoices", filter=Q(invoices__payment_due=0)),
        ).values("username", "paid", "open")
    )


@near_miss("9.6", "These are amounts. The task asks how many invoices.")
def _():
    return frame(
        User.objects.annotate(
            paid=Sum("invoices__payment"), open=Sum("invoices__payment_due")
        ).values("username", "paid", "open")
    )


@exercise(
    "9.7",
    stars=3,
    queries=2,
    hints=[
        "The products are one step away from a category, the lines two. Can one `annotate()` have "
        "both sums without repeating a product for each of its lines?",
        "Two queries: the categories with their stock, and the pieces sold as pairs. By which key do "
        "they meet? Two owners may use the same name.",
        '`sold = dict(InvoiceProduct.objects.values_list("product__category")'
        '.annotate(Sum("qty")))`'
        ", then a list over the annotated categories, with `sold.get(category.pk, 0)`.",
    ],
)
def stock_and_sales_by_category():
    """Most people first write both sums in one `annotate()`. The pieces sold are right, since the
    lines are at the end of the path. The stock is not: each product is repeated for each line.
    With `distinct=True`, two products with the same stock are added once.

    Two queries, each along one path, are right and easy to read. They meet in Python by primary
    key: by name, the categories "Gifts" of two owners would be mixed up. In one query, each sum
    becomes a `Subquery` (*Two sums in one query*).
    """
    sold = dict(InvoiceProduct.objects.values_list("product__category").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.pk, 0)) for category in categories]


@near_miss(
    "9.7",
    "The pieces sold are right, the stock is too large: the join repeats each product for each of "
    "its lines (see *Two joins multiply*).",
)
def _():
    return Category.objects.annotate(
        pieces=Sum("products__stock", default=0),
        sold=Sum("products__invoice_products__qty", default=0),
    ).values_list("name", "pieces", "sold")


@near_miss(
    "9.7",
    "The stock is too small: `Sum(distinct=True)` adds two products with the same stock once. Run a "
    "query for each sum.",
)
def _():
    return Category.objects.annotate(
        pieces=Sum("products__stock", distinct=True, default=0),
        sold=Sum("products__invoice_products__qty", default=0),
    ).values_list("name", "pieces", "sold")


@near_miss(
    "9.7",
    "Two owners have a category of the same name, and their sales are mixed up. Bring the two "
    "results together by primary key.",
)
def _():
    sold = dict(InvoiceProduct.objects.values_list("product__category__name").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.name, 0)) for category in categories]


@near_miss(
    "9.7",
    "Where nothing was sold or nothing is in stock, your rows have `None`. The task asks for 0.",
)
def _():
    sold = dict(InvoiceProduct.objects.values_list("product__category").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock"))
    return [(category.name, category.pieces, sold.get(category.pk)) for category in categories]


@near_miss("9.7", "The numbers count products and lines. The task asks for pieces: add them up.")
def _():
    return Category.objects.annotate(
        pieces=Count("products"), sold=Count("products__invoice_products")
    ).values_list("name", "pieces", "sold")


@near_miss(
    "9.7",
    "Categories without products are missing, because the query starts from the products, and "
    "categories that share a name are one row.",
)
def _():
    pieces = dict(Product.objects.values_list("category__name").annotate(Sum("stock")))
    sold = dict(InvoiceProduct.objects.values_list("product__category__name").annotate(Sum("qty")))
    return [(name, count, sold.get(name, 0)) for name, count in pieces.items()]


@near_miss("9.7", "The sales are by product, and you look them up with the key of a category.")
def _():
    sold = dict(InvoiceProduct.objects.values_list("product").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.pk, 0)) for category in categories]


@near_miss("9.7", "The last value is an amount of money. The task asks for pieces: `qty`.")
def _():
    sold = dict(InvoiceProduct.objects.values_list("product__category").annotate(Sum("line_total")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.pk, 0)) for category in categories]


@near_miss("9.7", "Stock and pieces sold are the wrong way round: (name, stock, sold).")
def _():
    sold = dict(InvoiceProduct.objects.values_list("product__category").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, sold.get(category.pk, 0), category.pieces) for category in categories]


@near_miss(
    "9.7",
    "Of each category you have the pieces of one line only: the lines are sorted, and their order "
    "became part of the groups.",
    sign="order_by",
)
def _():
    lines = InvoiceProduct.objects.order_by("pk")
    sold = dict(lines.values_list("product__category").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.pk, 0)) for category in categories]


@exercise(
    "9.8",
    stars=2,
    prediction=True,
    hints=[
        "One `annotate()` joins the lines and the payments of each invoice. What does that do to "
        "the rows?",
        "Three lines and two payments make six rows: each line is there twice, each payment three "
        "times. Which aggregates notice?",
        "Two payments of the same amount are the case to think of for `d`.",
    ],
)
def right_in_spite_of_two_joins():
    """`b` counts different keys. `e` averages rows that are all repeated equally often, since each
    group is one invoice, and repetition does not change a maximum. `a` and `c` count and add the
    repeated rows, and `d` adds two equal payments once.
    """
    alone = {
        "a": Count("invoice_products"),
        "b": Count("invoice_products", distinct=True),
        "c": Sum("payments__amount"),
        "d": Sum("payments__amount", distinct=True),
        "e": Avg("payments__amount"),
        "f": Max("invoice_products__line_total"),
    }
    truth = alone | {"d": Sum("payments__amount")}
    together = Invoice.objects.annotate(**alone).order_by("pk").values(*alone)
    right = []
    for letter, aggregate in truth.items():
        values = Invoice.objects.annotate(it=aggregate).order_by("pk").values_list("it", flat=True)
        pairs = zip(values, (row[letter] for row in together), strict=True)
        if all(abs((one or 0) - (other or 0)) < 0.001 for one, other in pairs):
            right.append(letter)
    return right


_A_C = "`a` counts each line once for each payment, and `c` adds each payment once for each line."
_D = "`d` adds two payments of the same amount once. Such invoices exist."
_E = (
    "`e` is missing: within one invoice, every payment is repeated equally often, and that does not "
    "change an average."
)
_F = "`f` is missing: repeated rows do not change a maximum."
_B = "`b` is missing: it counts different keys, however often they are repeated."
for letters, sentence in {
    "abcdef": f"{_A_C} {_D}",
    "abef": "`a` counts each line once for each payment.",
    "bcef": "`c` adds each payment once for each line.",
    "abcef": _A_C,
    "bdef": _D,
    "bf": _E,
    "be": _F,
    "ef": _B,
    "b": f"{_E} {_F}",
    "bd": f"{_D} {_E} {_F}",
    "bdf": f"{_D} {_E}",
    "a": f"{_A_C} {_B}",
    "ac": f"{_A_C} {_B}",
}.items():
    near_miss("9.8", sentence)(lambda letters=letters: list(letters))
