"""Exercises of chapter 14: the tasks are in the notebook of the same name."""

from decimal import Decimal

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product
from workbook.exercises import also_right, exercise, near_miss, wrong_choices

ANNOTATED_FIRST = {
    "when `annotate()` comes before `filter()`": "the condition is about the customer alone"
}
# SQLite takes the first of several rows, so there these neighbours find the same as the answer does.
# PostgreSQL and MariaDB refuse several rows in a column.
SEVERAL_ROWS = (
    {
        "without the slice": "SQLite takes the first row of several",
        "with the rows 1 to 2": "SQLite takes the first row of several",
    }
    if connection.vendor == "sqlite"
    else {}
)


@exercise(
    "14.1",
    stars=1,
    queries=1,
    hints=[
        "First the lines of 2026, as a QuerySet of its own. Which products have none of them?",
        '`~Exists(…)`, with `product=OuterRef("pk")` in the lines.',
        "`Product.objects.filter(~Exists(lines_of_2026.filter(…)), …)`, of Sara's products.",
    ],
)
def not_sold_in_2026():
    """`NOT EXISTS` asks for each product whether there is such a line. `exclude(pk__in=…)` with the
    lines' `product` finds the same, because a line always has its product: no NULL.
    """
    lines = InvoiceProduct.objects.filter(invoice__issued_at__year=2026)
    return Product.objects.filter(
        ~Exists(lines.filter(product=OuterRef("pk"))), username__username="sara"
    )


@also_right("14.1")
def _():
    lines = InvoiceProduct.objects.filter(invoice__issued_at__year=2026)
    return Product.objects.filter(username__username="sara").exclude(pk__in=lines.values("product"))


@near_miss("14.1", "Those are the products that were sold in 2026: `~Exists(…)` says not.")
def _():
    lines = InvoiceProduct.objects.filter(invoice__issued_at__year=2026)
    return Product.objects.filter(
        Exists(lines.filter(product=OuterRef("pk"))), username__username="sara"
    )


@near_miss(
    "14.1",
    'You excluded products whose key is the key of a line. Name the column: `lines.values("product")`.',
)
def _():
    lines = InvoiceProduct.objects.filter(invoice__issued_at__year=2026)
    return Product.objects.filter(username__username="sara").exclude(pk__in=lines)


@near_miss(
    "14.1",
    "Those are the products that were never sold. A product that was sold only earlier belongs to "
    "the answer, too.",
)
def _():
    return Product.objects.filter(username__username="sara", invoice_products=None)


@near_miss(
    "14.1",
    "Those have a line of another year, and may have one of 2026 as well. Ask whether there is *no* "
    "line of 2026.",
)
def _():
    lines = InvoiceProduct.objects.exclude(invoice__issued_at__year=2026)
    return Product.objects.filter(
        Exists(lines.filter(product=OuterRef("pk"))), username__username="sara"
    )


@near_miss(
    "14.1",
    "Those have a line of another year, and may have one of 2026 as well. Ask whether there is *no* "
    "line of 2026.",
)
def _():
    lines = InvoiceProduct.objects.exclude(invoice__issued_at__year=2026)
    return Product.objects.filter(pk__in=lines.values("product"), username__username="sara")


@near_miss(
    "14.1",
    "Those were sold in no year but 2026, or never. Ask whether there is no line *of* 2026.",
)
def _():
    lines = InvoiceProduct.objects.exclude(invoice__issued_at__year=2026)
    return Product.objects.filter(
        ~Exists(lines.filter(product=OuterRef("pk"))), username__username="sara"
    )


@near_miss("14.1", "`created_at` is when the row was written; the sale is at `issued_at`.")
def _():
    lines = InvoiceProduct.objects.filter(created_at__year=2026)
    return Product.objects.filter(
        ~Exists(lines.filter(product=OuterRef("pk"))), username__username="sara"
    )


@near_miss(
    "14.1",
    "Those have a line of an earlier year, once for each such line, and may have one of 2026 as well. "
    "Ask whether there is *no* line of 2026.",
)
def _():
    return Product.objects.filter(
        username__username="sara", invoice_products__invoice__issued_at__year__lt=2026
    )


@near_miss(
    "14.1",
    "Without `OuterRef`, the subquery is the same for every product: there are lines of 2026, so no "
    "product is left.",
)
def _():
    lines = InvoiceProduct.objects.filter(invoice__issued_at__year=2026)
    return Product.objects.filter(~Exists(lines), username__username="sara")


@exercise(
    "14.2",
    stars=1,
    queries=1,
    columns=["name", "last_number"],
    equivalent=ANNOTATED_FIRST | SEVERAL_ROWS,
    hints=[
        "Write the query for one customer: their invoices, the latest first, one column, one row.",
        '`Invoice.objects.filter(customer=OuterRef("pk")).order_by("-issued_at").values("number")[:1]`.',
        "That goes into `annotate(last_number=Subquery(…))`, and `values()` chooses the two columns.",
    ],
)
def letters():
    """A subquery keeps the customers without an invoice: it has no row for them, and gives NULL. Two
    invoices of the same moment need a tie-breaker, such as `-pk`.
    """
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-issued_at", "-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss("14.2", "Those are the first invoices: the latest come first with `-issued_at`.")
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("issued_at", "pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss("14.2", "Without an order, `[:1]` takes some invoice. Sort by `-issued_at` first.")
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk"))
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss("14.2", "The highest key is not the latest invoice: sort by `-issued_at`.")
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss(
    "14.2",
    "Without `OuterRef`, the subquery is the same for every customer: the latest invoice of all.",
)
def _():
    newest = Invoice.objects.filter(username__username="rahim").order_by("-issued_at", "-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss(
    "14.2",
    "Without `OuterRef`, the subquery is the same for every customer: the latest invoice of all.",
)
def _():
    newest = Invoice.objects.order_by("-issued_at", "-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss(
    "14.2",
    "Customers without an invoice are missing; they have None. Start from `Customer`, without a "
    "condition on their invoices.",
)
def _():
    newest = Invoice.objects.filter(customer=OuterRef("customer")).order_by("-issued_at", "-pk")
    return Invoice.objects.filter(
        username__username="rahim", pk=Subquery(newest.values("pk")[:1])
    ).values(name=F("customer__name"), last_number=F("number"))


@near_miss("14.2", "`OuterRef(\"pk\")` is the key of the customer: compare it with `customer`.")
def _():
    newest = Invoice.objects.filter(pk=OuterRef("pk")).order_by("-issued_at", "-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss(
    "14.2",
    "The highest number isn't the latest invoice, because invoices can be back-dated. Sort by "
    "`-issued_at`.",
)
def _():
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Max("invoices__number"))
        .values("name", "last_number")
    )


@near_miss(
    "14.2", "`created_at` is when the row was written; the latest invoice is by `issued_at`."
)
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-created_at")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@near_miss("14.2", "That is when the latest invoice was issued; the task asks for its `number`.")
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-issued_at", "-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("issued_at")[:1]))
        .values("name", "last_number")
    )


@near_miss("14.2", "That is the key of the latest invoice; the task asks for its `number`.")
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-issued_at", "-pk")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("pk")[:1]))
        .values("name", "last_number")
    )


@near_miss("14.2", "That is the largest invoice; the latest comes first with `-issued_at`.")
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-total")
    return (
        Customer.objects.filter(username__username="rahim")
        .annotate(last_number=Subquery(newest.values("number")[:1]))
        .values("name", "last_number")
    )


@exercise(
    "14.3",
    stars=2,
    prediction=True,
    hints=[
        "Which of the subqueries contain a NULL? A top-level category has no parent.",
        "Which subquery selects the keys of the subcategories, instead of their parents?",
        "`e` has no `OuterRef`: is its answer different from one category to the next?",
    ],
)
def without_subcategories():
    """`b` removes the NULL, `d` is a Python set, from which Django removes `None`, and `f` asks for
    each category. `a` contains a NULL, `c` selects the wrong keys, and `e` is the same for all.
    """
    categories = Category.objects.all()
    subcategories = categories.filter(parent__isnull=False)
    lines = {
        "a": categories.exclude(pk__in=categories.values("parent")),
        "b": categories.exclude(pk__in=subcategories.values("parent")),
        "c": categories.exclude(pk__in=subcategories),
        "d": categories.exclude(pk__in=set(categories.values_list("parent", flat=True))),
        "e": categories.filter(~Exists(subcategories)),
        "f": categories.filter(~Exists(categories.filter(parent=OuterRef("pk")))),
    }
    parents = {category.parent_id for category in categories}
    right = {category for category in categories if category.pk not in parents}
    return [letter for letter, queryset in lines.items() if set(queryset) == right]


wrong_choices(
    "14.3",
    right="bdf",
    why={
        "a": "The subquery of `a` contains a NULL, so its `NOT IN` is never true.",
        "b": "`b` has only the parents of subcategories in its subquery, and no NULL.",
        "c": "`c` excludes the subcategories themselves: without `values()`, Django selects their keys.",
        "d": "`d` is a Python set, and Django removes `None` from it.",
        "e": "`e` has no `OuterRef`: there are subcategories, so it is false for every category.",
        "f": "`f` asks for each category whether another one has it as its parent.",
    },
)


def _bought():
    invoices = Invoice.objects.filter(customer=OuterRef("pk")).values("customer")
    return Subquery(invoices.annotate(sum=Sum("total")).values("sum"))


def _pieces():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("customer")
    return Subquery(lines.annotate(sum=Sum("qty")).values("sum"))


@exercise(
    "14.4",
    stars=2,
    queries=1,
    columns=["name", "bought", "pieces"],
    equivalent=ANNOTATED_FIRST,
    hints=[
        "Two relations in one `annotate()` multiply each other. Give each total its own subquery.",
        'A total: `filter(customer=OuterRef("pk")).values("customer").annotate(sum=…).values("sum")`.',
        "A customer without invoices has no group: `Coalesce(Subquery(…), Decimal(0))`.",
    ],
)
def bought_and_pieces():
    """Each subquery has its own groups, so nothing is multiplied. One of the two could be a JOIN: a
    single one is harmless.
    """
    invoices = Invoice.objects.filter(customer=OuterRef("pk")).values("customer")
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("customer")
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Coalesce(
                Subquery(invoices.annotate(sum=Sum("total")).values("sum")), Decimal(0)
            ),
            pieces=Coalesce(Subquery(lines.annotate(sum=Sum("qty")).values("sum")), 0),
        )
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "Two joins in one query multiply each other: an invoice is added once for each line of its "
    "customer. Give each total its own subquery.",
)
def _():
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Sum("invoices__total", default=0),
            pieces=Sum("invoice_products__qty", default=0),
        )
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "An invoice is added once for each of its lines. Give each total its own subquery.",
)
def _():
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Sum("invoices__total", default=0),
            pieces=Sum("invoices__invoice_products__qty", default=0),
        )
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "Where there is nothing, you have None. The subquery has no row there, so the 0 has to come from "
    "outside: `Coalesce(Subquery(…), …)`.",
)
def _():
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(bought=_bought(), pieces=_pieces())
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "Without `values()` before `annotate()`, each row is its own group, and you get a single row "
    "instead of the total.",
)
def _():
    invoices = Invoice.objects.filter(customer=OuterRef("pk")).annotate(sum=Sum("total"))
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).annotate(sum=Sum("qty"))
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Coalesce(Subquery(invoices.values("sum")[:1]), Decimal(0)),
            pieces=Coalesce(Subquery(lines.values("sum")[:1]), 0),
        )
        .values("name", "bought", "pieces")
    )


@near_miss("14.4", "`pieces` counts lines; the task asks for the sum of their `qty`.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("customer")
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Coalesce(_bought(), Decimal(0)),
            pieces=Coalesce(Subquery(lines.annotate(n=Count("pk")).values("n")), 0),
        )
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "Where there is nothing, you have None. `default=0` is inside, where there is no row: the 0 has to "
    "come from outside, `Coalesce(Subquery(…), …)`.",
    sign="default",
)
def _():
    invoices = Invoice.objects.filter(customer=OuterRef("pk")).values("customer")
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("customer")
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Subquery(invoices.annotate(sum=Sum("total", default=0)).values("sum")),
            pieces=Subquery(lines.annotate(sum=Sum("qty", default=0)).values("sum")),
        )
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "`bought` is one invoice, not the total: the order is part of the groups. Clear it with "
    "`order_by()`, and leave out the `[:1]`.",
    sign="order_by",
)
def _():
    newest = Invoice.objects.filter(customer=OuterRef("pk")).order_by("-issued_at", "-pk")
    total = newest.values("customer").annotate(sum=Sum("total")).values("sum")[:1]
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(bought=Coalesce(Subquery(total), Decimal(0)), pieces=Coalesce(_pieces(), 0))
        .values("name", "bought", "pieces")
    )


@near_miss(
    "14.4",
    "`distinct=True` adds each amount once, and two invoices may have the same total. Give each "
    "total its own subquery.",
    sign="distinct",
)
def _():
    return (
        Customer.objects.filter(username__username="tim")
        .annotate(
            bought=Sum("invoices__total", distinct=True, default=0),
            pieces=Coalesce(_pieces(), 0),
        )
        .values("name", "bought", "pieces")
    )


@exercise(
    "14.5",
    stars=3,
    queries=1,
    columns=["name", "favourite"],
    equivalent=ANNOTATED_FIRST
    | SEVERAL_ROWS
    | {
        "with `product__unit` for `product__name`": "a product has one unit, and the order puts its "
        "name into the groups"
    },
    hints=[
        "For one customer: their lines, grouped by product, the largest sum of `qty` first.",
        '`….values("product__name").annotate(pieces=Sum("qty"))`, then sort, then one column, one row.',
        '`….order_by("-pieces", "product__name").values("product__name")[:1]`.',
    ],
)
def favourites():
    """The inner query groups, sorts the groups and takes the first: a total and *the latest* in one.
    An owner has each product name once, so the name may stand for the product.
    """
    pieces = (
        InvoiceProduct.objects.filter(customer=OuterRef("pk"))
        .values("product__name")
        .annotate(pieces=Sum("qty"))
        .order_by("-pieces", "product__name")
    )
    return (
        Customer.objects.filter(username__username="sara")
        .annotate(favourite=Subquery(pieces.values("product__name")[:1]))
        .values("name", "favourite")
    )


def _favourite(lines):
    return (
        Customer.objects.filter(username__username="sara")
        .annotate(favourite=Subquery(lines.values("product__name")[:1]))
        .values("name", "favourite")
    )


@near_miss(
    "14.5",
    "That is the product of the largest single line. Group by product first, then sort by the sum.",
)
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk"))
    return _favourite(lines.order_by("-qty", "product__name"))


@near_miss(
    "14.5",
    "Without `values()` before `annotate()`, each line is its own group: that is the product of the "
    "largest single line.",
)
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).annotate(pieces=Sum("qty"))
    return _favourite(lines.order_by("-pieces", "product__name"))


@near_miss("14.5", "You counted lines; the task asks for pieces, the sum of `qty`.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    return _favourite(lines.annotate(n=Count("pk")).order_by("-n", "product__name"))


@near_miss("14.5", "You added up money; the task asks for pieces, the sum of `qty`.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    return _favourite(lines.annotate(n=Sum("line_total")).order_by("-n", "product__name"))


@near_miss("14.5", "That is the product they bought least of: the most comes first with `-`.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    return _favourite(lines.annotate(n=Sum("qty")).order_by("n", "product__name"))


@near_miss(
    "14.5",
    "Where products tie, you don't take the name that comes first in the alphabet: after the pieces, "
    "sort by `product__name`.",
)
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    return _favourite(lines.annotate(n=Sum("qty")).order_by("-n", "-product__name"))


@near_miss(
    "14.5",
    "Where products tie, you take the one with the lowest key: after the pieces, sort by "
    "`product__name`.",
)
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product")
    return _favourite(lines.annotate(n=Sum("qty")).order_by("-n", "product"))


@near_miss("14.5", "Without `OuterRef`, everybody has the favourite of all customers together.")
def _():
    lines = InvoiceProduct.objects.filter(username__username="sara").values("product__name")
    return _favourite(lines.annotate(n=Sum("qty")).order_by("-n", "product__name"))


@near_miss("14.5", "That is the largest number of pieces, not the product it belongs to.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    pieces = lines.annotate(n=Sum("qty")).order_by("-n", "product__name")
    return (
        Customer.objects.filter(username__username="sara")
        .annotate(favourite=Subquery(pieces.values("n")[:1]))
        .values("name", "favourite")
    )


@near_miss("14.5", "That is the key of the product; the task asks for its name.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product")
    pieces = lines.annotate(n=Sum("qty")).order_by("-n", "product__name")
    return (
        Customer.objects.filter(username__username="sara")
        .annotate(favourite=Subquery(pieces.values("product")[:1]))
        .values("name", "favourite")
    )


@near_miss("14.5", "Customers who bought nothing are missing; they have None as their favourite.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    pieces = lines.annotate(n=Sum("qty")).order_by("-n", "product__name")
    return _favourite(pieces).filter(favourite__isnull=False)


@near_miss("14.5", "That is the product of the largest single line: add up the lines with `Sum`.")
def _():
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk")).values("product__name")
    return _favourite(lines.annotate(n=Max("qty")).order_by("-n", "product__name"))


@exercise(
    "14.6",
    stars=3,
    queries=1,
    leaves=lambda: Product.objects.values_list("name", "username__username", "stock"),
    hints=[
        "`update(stock=…)` takes a subquery. What is the total for one product?",
        '`filter(product=OuterRef("pk")).values("product").annotate(sum=Sum("qty")).values("sum")`.',
        "A product that was never sold has no group: `Coalesce(Subquery(…), 0)`.",
    ],
)
def restock():
    """One `UPDATE`. `update()` can't use an aggregate or a JOIN, but a subquery has its own
    `GROUP BY`. Without `Coalesce`, a product that was never sold would get NULL, and the database
    refuses the whole statement. A subquery that starts from `Product` has a row for it: there,
    `Sum(…, default=0)` is enough.
    """
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(sum=Sum("qty")).values("sum"))
    Product.objects.filter(username__username="tim").update(stock=Coalesce(sold, 0))


@near_miss("14.6", "Products of other owners were changed as well.")
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(sum=Sum("qty")).values("sum"))
    Product.objects.update(stock=Coalesce(sold, 0))


@near_miss("14.6", "Products that were never sold keep their stock; the task asks for 0.")
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(sum=Sum("qty")).values("sum"))
    Product.objects.filter(username__username="tim").update(stock=Coalesce(sold, F("stock")))


@near_miss("14.6", "That is the number of lines; the task asks for pieces, the sum of `qty`.")
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(n=Count("pk")).values("n"))
    Product.objects.filter(username__username="tim").update(stock=Coalesce(sold, 0))


@near_miss(
    "14.6",
    "The new stock is the `qty` of one line. Group with `values(\"product\")` before `annotate()`.",
)
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).annotate(sum=Sum("qty"))
    sold = Subquery(lines.values("sum")[:1])
    Product.objects.filter(username__username="tim").update(stock=Coalesce(sold, 0))


@near_miss("14.6", "The pieces sold were added to the old stock; the task replaces it.")
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(sum=Sum("qty")).values("sum"))
    Product.objects.filter(username__username="tim").update(stock=F("stock") + Coalesce(sold, 0))


@near_miss("14.6", "That is the largest `qty` of a line; the task asks for the sum.")
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(n=Max("qty")).values("n"))
    Product.objects.filter(username__username="tim").update(stock=Coalesce(sold, 0))


@near_miss(
    "14.6",
    "The database refuses NULL, and that is the subquery's value for a product that was never sold: "
    "`Coalesce(Subquery(…), 0)`.",
)
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(sum=Sum("qty")).values("sum"))
    Product.objects.filter(username__username="tim").update(stock=sold)


@near_miss(
    "14.6",
    "The database refuses NULL. `default=0` is inside, where a product that was never sold has no "
    "row: the 0 has to come from outside, `Coalesce(Subquery(…), 0)`.",
)
def _():
    lines = InvoiceProduct.objects.filter(product=OuterRef("pk")).values("product")
    sold = Subquery(lines.annotate(sum=Sum("qty", default=0)).values("sum"))
    Product.objects.filter(username__username="tim").update(stock=sold)
