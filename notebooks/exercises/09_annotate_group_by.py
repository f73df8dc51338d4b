"""Exercises of chapter 09: the tasks are in the notebook of the same name."""

from django.db.models import Count, F, Q, Sum

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User
from workbook import frame
from workbook.exercises import exercise, near_miss


@exercise(
    "9.1",
    stars=1,
    queries=1,
    columns=["unit", "n"],
    hints=[
        "One row for each unit: the unit is what makes a group.",
        "`values()` names the group, `annotate()` says what to compute in it, in this order.",
        '`Product.objects.values("unit").annotate(n=Count("pk"))`',
    ],
)
def products_by_unit():
    """`values()` and then `annotate()` is Django's `GROUP BY`.

    The `order_by("unit")` is for the reader: without it the groups come in any order.
    """
    return Product.objects.values("unit").annotate(n=Count("pk")).order_by("unit")


@near_miss(
    "9.1",
    "One row for each product, and `n` is always 1: `annotate()` came first, so each product is "
    "its own group. Put `values()` before it.",
)
def _():
    return Product.objects.annotate(n=Count("pk")).values("unit", "n")


@near_miss("9.1", "`n` should say how many products, not how many pieces of them are in stock.")
def _():
    return Product.objects.values("unit").annotate(n=Sum("stock"))


@exercise(
    "9.2",
    stars=1,
    queries=1,
    columns=["name", "n"],
    hints=[
        "Every row of the answer is about a customer. So start from which model?",
        '`annotate(n=Count("invoices"))` keeps customers without invoices, with 0.',
        'Choose the columns at the end: `.values("name", "n")`.',
    ],
)
def customers_with_their_invoices():
    """Starting from `Customer` gives a `LEFT OUTER JOIN`, so nobody is lost, and `Count` over the
    invoices' key counts nothing where there is none.

    `values()` stands last: before `annotate()` it would group by name, and two people with one
    name would become one row.
    """
    return Customer.objects.annotate(n=Count("invoices")).values("name", "n").order_by("name", "pk")


@near_miss(
    "9.2",
    "Customers who share a name have become one row: `values()` before `annotate()` groups by it. "
    "Put `values()` last.",
)
def _():
    return Customer.objects.values("name").annotate(n=Count("invoices"))


@near_miss(
    "9.2",
    "Customers without invoices are missing: you started from the invoices, and they have none. "
    "Start from `Customer`.",
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
    'rows. `Count("invoices")` counts invoices.',
)
def _():
    return Customer.objects.alias(i=F("invoices")).annotate(n=Count("*")).values("name", "n")


@exercise(
    "9.3",
    stars=2,
    queries=1,
    columns=["username", "n_products", "n_customers"],
    hints=[
        "Two relations in one `annotate()`: what do the joins do to the rows?",
        "You count keys here, nothing is added up. Which option repairs a `Count`?",
        '`annotate(n_products=Count("products", distinct=True), n_customers=…)`, then `values()`.',
    ],
)
def owners_with_products_and_customers():
    """Without `distinct=True`, both columns show products × customers, the same large number twice.
    With it, each key counts once, and both are right.

    The database still builds all those rows to count them: thousands for this shop, far more for a
    real one. From there on, a query for each relation or a subquery is faster; for sums they are
    the only way.
    """
    return User.objects.annotate(
        n_products=Count("products", distinct=True),
        n_customers=Count("customers", distinct=True),
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3",
    "Both numbers are far too large, and where both are above 0 they are equal: each product was "
    "joined with each customer of its owner (see *Two joins multiply*).",
)
def _():
    return User.objects.annotate(
        n_products=Count("products"), n_customers=Count("customers")
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3", "The products are right. The customers need `distinct=True` too: both joins multiply."
)
def _():
    return User.objects.annotate(
        n_products=Count("products", distinct=True), n_customers=Count("customers")
    ).values("username", "n_products", "n_customers")


@near_miss(
    "9.3",
    "An owner who offers nothing is missing: you started from the products. Start from `User`.",
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


@exercise(
    "9.4",
    stars=2,
    queries=1,
    columns=["qty", "n"],
    hints=[
        "If a quantity appears many times, read the `GROUP BY` in the report to its end.",
        "What `lines` is sorted by has become part of the groups.",
        "A later `order_by()` replaces an earlier one: order by the group, or by nothing.",
    ],
)
def lines_by_quantity():
    """The order that `lines` came with would put invoice and product into the `GROUP BY`: then each
    line is a group, and `n` is 1 everywhere. `order_by()` replaces it.

    In a function that gets a QuerySet from elsewhere you cannot know whether it is sorted. Make it
    a habit to end every `values().annotate()` with an `order_by()` of your own.
    """
    lines = InvoiceProduct.objects.order_by("invoice", "product")
    return lines.values("qty").annotate(n=Count("pk")).order_by("qty")


@near_miss(
    "9.4",
    "The same quantity is there many times: `lines` is sorted by invoice and product, and that "
    "order became part of the groups. End with an `order_by()` of your own.",
)
def _():
    lines = InvoiceProduct.objects.order_by("invoice", "product")
    return lines.values("qty").annotate(n=Count("pk"))


@near_miss("9.4", "`n` adds up pieces. The question is how many lines, so count them.")
def _():
    lines = InvoiceProduct.objects.order_by("invoice", "product")
    return lines.values("qty").annotate(n=Sum("qty")).order_by("qty")


@exercise(
    "9.5",
    stars=2,
    queries=1,
    columns=["username__username", "name", "n"],
    hints=[
        "Group by what should be unique together: the owner and the name.",
        "A condition on the count of a group is a `filter()` after `annotate()`.",
        '`values("username__username", "name").annotate(n=Count("pk")).filter(n__gt=1)`',
    ],
)
def names_twice_for_one_owner():
    """Group by what should be unique, keep the groups of more than one: the standard search for
    duplicates, and the check to run before you add a unique constraint.

    Two columns in `values()` make finer groups: one name with two owners is nobody's mistake.
    """
    return (
        Customer.objects.values("username__username", "name")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .order_by("username__username", "name")
    )


@near_miss(
    "9.5",
    "Names that two different owners have are in your list as well. The groups have to be owner "
    "and name together.",
)
def _():
    twice = Customer.objects.values("name").alias(n=Count("pk")).filter(n__gt=1)
    return (
        Customer.objects.filter(name__in=twice)
        .values("username__username", "name")
        .annotate(n=Count("pk"))
    )


@near_miss("9.5", "`gte=1` keeps every group, for none is empty. Twice is more than 1: `gt=1`.")
def _():
    return (
        Customer.objects.values("username__username", "name")
        .annotate(n=Count("pk"))
        .filter(n__gte=1)
    )


@near_miss(
    "9.5",
    "Nothing: within a group there is only one different name. Count the customers, by key.",
)
def _():
    return (
        Customer.objects.values("username__username", "name")
        .annotate(n=Count("name", distinct=True))
        .filter(n__gt=1)
    )


@exercise(
    "9.6",
    stars=2,
    queries=1,
    columns=["username", "paid", "open"],
    hints=[
        "One row for each owner, and two counts with different conditions.",
        "`Count` takes a `filter=`. Its condition starts at the owner: "
        "`Q(invoices__payment_due=0)`.",
        "Annotate both counts, take the three columns with `values()`, put `frame(…)` around it.",
    ],
)
def paid_and_open_by_owner():
    """Each count brings its own condition, so one join serves both, and owners without invoices
    stay, with zeros.

    `filter(invoices__payment_due=0)` in front would lose the open invoices, and a second
    `filter()` behind it joins again and multiplies. `frame()` makes the DataFrame; the query is
    the same without it.
    """
    return frame(
        User.objects.annotate(
            paid=Count("invoices", filter=Q(invoices__payment_due=0)),
            open=Count("invoices", filter=Q(invoices__payment_due__gt=0)),
        ).values("username", "paid", "open")
    )


@near_miss(
    "9.6",
    "An owner without invoices is missing: you started from `Invoice`. Start from `User`.",
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
    "Both numbers are too large: each `filter()` over the invoices joined them once more, and the "
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
    "`open` is 0 for everybody: the `filter()` in front had already removed the invoices with "
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


@exercise(
    "9.7",
    stars=3,
    queries=2,
    hints=[
        "The stock is one step away from a category, the lines are two. Can one `annotate()` hold "
        "both sums without repeating a product for each of its lines?",
        "Two queries: categories with their stock, and the pieces sold as pairs. Which key joins "
        "them? Two owners may use one name.",
        '`sold = dict(InvoiceProduct.objects.values_list("product__category")'
        '.annotate(Sum("qty")))`'
        ", then a list over the annotated categories, with `sold.get(category.pk, 0)`.",
    ],
)
def stock_and_sales_by_category():
    """First naive: both sums in one `annotate()`. The pieces sold are right, since the lines are
    the longest path. The stock is not: each product is there once for each line it was sold on.

    Then `distinct=True`: it drops equal stocks of different products, and is wrong more quietly.

    Two queries, each along one path, are right and easy to read. They meet in Python by primary
    key: by name, two owners' shelves called "Gifts" would be mixed up. As one query, each sum
    becomes a `Subquery` (chapter 14).
    """
    sold = dict(InvoiceProduct.objects.values_list("product__category").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.pk, 0)) for category in categories]


@near_miss(
    "9.7",
    "`sold` is right, `stock` is too large: the join to the lines repeats each product once for "
    "each line (see *Two joins multiply*).",
)
def _():
    return Category.objects.annotate(
        pieces=Sum("products__stock", default=0),
        sold=Sum("products__invoice_products__qty", default=0),
    ).values_list("name", "pieces", "sold")


@near_miss(
    "9.7",
    "`Sum(distinct=True)` adds different figures: two products with the same stock count once. "
    "Take a query for each sum.",
)
def _():
    return Category.objects.annotate(
        pieces=Sum("products__stock", distinct=True, default=0),
        sold=Sum("products__invoice_products__qty", default=0),
    ).values_list("name", "pieces", "sold")


@near_miss(
    "9.7",
    "Two owners have a category of the same name, and its sales are mixed up in your list. Join "
    "the two results by primary key.",
)
def _():
    sold = dict(InvoiceProduct.objects.values_list("product__category__name").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock", default=0))
    return [(category.name, category.pieces, sold.get(category.name, 0)) for category in categories]


@near_miss("9.7", "Where nothing was sold, or nothing is in stock, the answer should be 0: `None`.")
def _():
    sold = dict(InvoiceProduct.objects.values_list("product__category").annotate(Sum("qty")))
    categories = Category.objects.annotate(pieces=Sum("products__stock"))
    return [(category.name, category.pieces, sold.get(category.pk)) for category in categories]
