"""Exercises of chapter 06: the tasks are in the notebook of the same name."""

from django.db.models import Count, Exists, OuterRef, Q

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product
from workbook import queries
from workbook.exercises import exercise, near_miss


@exercise(
    "6.1",
    stars=1,
    prediction=True,
    hints=[
        "Which of the two loops needs something that the lines don't have?",
        "`product_id` is a column of the line. `line.invoice` is another row.",
        "One query for the lines, none in the first loop, one for each line in the second.",
    ],
)
def queries_of_two_loops():
    """Six. `product_id` and `qty` are columns of the line. `line.invoice` fetches the invoice of
    each line, even though only its `customer_id` is read. `line.customer_id` would have been free.
    """
    with queries() as ran:
        lines = list(InvoiceProduct.objects.order_by("pk")[:5])
        for line in lines:
            print(line.product_id, line.qty)
        for line in lines:
            print(line.invoice.customer_id)
    return ran.count


@near_miss("6.1", "`line.invoice` fetches the invoice of each of the five lines.")
def _():
    return 1


@near_miss("6.1", "`product_id` is a column of the line: the first loop runs no query.")
def _():
    return 11


@near_miss("6.1", "Don't forget the query that fetches the lines.")
def _():
    return 5


@exercise(
    "6.2",
    stars=1,
    queries=1,
    equivalent={"with `invoices` for `invoice_products`": "no line, no invoice: the same rows"},
    hints=[
        "From a product, which name leads to the lines of invoices?",
        "A product without lines joins as NULL: `invoice_products=None`, or `__isnull=True`.",
        '`Product.objects.filter(username__username="sara", invoice_products=None)`.',
    ],
)
def products_never_sold():
    """`invoice_products=None` is a `LEFT OUTER JOIN` that keeps the products with no matching line.
    `~Exists(InvoiceProduct.objects.filter(product=OuterRef("pk")))` says the same without a join.
    """
    return Product.objects.filter(username__username="sara", invoice_products=None)


@near_miss("6.2", "`stock=0` means that none is left, not that none was sold.")
def _():
    return Product.objects.filter(username__username="sara", stock=0)


@near_miss("6.2", "Those are the products that were sold; the task wants the others.")
def _():
    return Product.objects.filter(
        username__username="sara", invoice_products__isnull=False
    ).distinct()


@exercise(
    "6.3",
    stars=2,
    queries=1,
    hints=[
        "Both conditions must hold for the same invoice.",
        "Put both into one `filter()`, and think of customers with several such invoices.",
        "`….filter(invoices__issued_at__year=…, invoices__issued_at__month=…, "
        "invoices__payment_due__gt=0).distinct()`.",
    ],
)
def customers_who_owe_for_june():
    """One `filter()`, one invoice. `distinct()` removes the copies of customers with two of them;
    `filter(Exists(…))` makes none in the first place.
    """
    return Customer.objects.filter(
        invoices__issued_at__year=2026,
        invoices__issued_at__month=6,
        invoices__payment_due__gt=0,
    ).distinct()


@near_miss(
    "6.3",
    "Chained `filter()` calls let one invoice be of June and another one unpaid: use one `filter()`.",
)
def _():
    return (
        Customer.objects.filter(invoices__issued_at__year=2026, invoices__issued_at__month=6)
        .filter(invoices__payment_due__gt=0)
        .distinct()
    )


@near_miss("6.3", "`payment_due` above 0 is missing: customers who have paid for June are in, too.")
def _():
    return Customer.objects.filter(
        invoices__issued_at__year=2026, invoices__issued_at__month=6
    ).distinct()


@exercise(
    "6.4",
    stars=2,
    queries=1,
    hints=[
        "What does `exclude()` do with two conditions on a to-many relation?",
        "Write the invoices that must not exist as a QuerySet of their own.",
        "`such = Invoice.objects.filter(…)`, then `….exclude(invoices__in=such)`.",
    ],
)
def rahims_customers_without_a_large_invoice():
    """The two conditions belong to one invoice, so write them in one QuerySet of invoices.
    `exclude(invoices__issued_at__year=2025, invoices__total__gt=409)` would also remove customers
    with a small invoice in 2025 and a large one in another year.
    """
    such = Invoice.objects.filter(issued_at__year=2025, total__gt=409)
    return Customer.objects.filter(username__username="rahim").exclude(invoices__in=such)


@near_miss(
    "6.4",
    "`exclude()` with two conditions also removes customers with one invoice of 2025 and another "
    "one above 409.",
)
def _():
    return Customer.objects.filter(username__username="rahim").exclude(
        invoices__issued_at__year=2025, invoices__total__gt=409
    )


@near_miss(
    "6.4",
    "`filter()` with the opposite condition finds customers with a small invoice of 2025; they may "
    "have a large one as well, and customers without invoices are missing.",
)
def _():
    return Customer.objects.filter(
        username__username="rahim", invoices__issued_at__year=2025, invoices__total__lte=409
    ).distinct()


@exercise(
    "6.5",
    stars=3,
    queries=1,
    equivalent={
        "when `product__category__name` contains `'Beans'` in any letter case": "nobody bought "
        "green beans and something for brewing",
        "when `product__category__name` contains `'Brewing'` in any letter case": "there is no other "
        "category with that word",
    },
    hints=[
        "One product cannot be of both categories: the conditions need two different lines.",
        "Chained `filter()` calls, one for each category, each with a line of its own.",
        '`Customer.objects.filter(invoice_products__product__category__name="Beans")'
        ".filter(…).distinct()`.",
    ],
)
def customers_of_beans_and_brewing():
    """Here chained calls are what you want: each category may be met by another line. Two `Exists()`
    subqueries need no `distinct()` and are usually faster, because nothing is multiplied.
    """
    lines = InvoiceProduct.objects.filter(customer=OuterRef("pk"))
    return Customer.objects.filter(
        Exists(lines.filter(product__category__name="Beans")),
        Exists(lines.filter(product__category__name="Brewing")),
    )


@near_miss("6.5", "`__in` finds customers who bought from one of the categories.")
def _():
    return Customer.objects.filter(
        invoice_products__product__category__name__in=["Beans", "Brewing"]
    ).distinct()


@near_miss("6.5", "In one `filter()`, one product would have to be in both categories: none is.")
def _():
    return Customer.objects.filter(
        Q(invoice_products__product__category__name="Beans"),
        Q(invoice_products__product__category__name="Brewing"),
    ).distinct()


@exercise(
    "6.6",
    stars=2,
    equivalent={
        "when `name` contains `'Beans'` in any letter case": "Sara has no other",
        "when `name` contains `'Brewing'` in any letter case": "Sara has no other",
    },
    leaves=lambda: Category.objects.values_list(
        *("name", "username__username", "products__name", "products__price", "products__stock")
    ),
    hints=[
        "A category has a manager with its products.",
        "`add()` on a foreign key's manager moves rows; it takes several objects.",
        "`beans.products.add(*brewing.products.all())`.",
    ],
)
def move_the_products():
    """`add()` becomes one `UPDATE … SET category_id`. So does
    `brewing.products.update(category=beans)`, which does not fetch the products first. `set()` does
    the same here: a product cannot be without a category, so `set()` takes none away.
    """
    beans = Category.objects.get(username__username="sara", name="Beans")
    brewing = Category.objects.get(username__username="sara", name="Brewing")
    beans.products.add(*brewing.products.all())


@near_miss("6.6", "Now the products of Beans are in Brewing: it should be the opposite.")
def _():
    beans = Category.objects.get(username__username="sara", name="Beans")
    brewing = Category.objects.get(username__username="sara", name="Brewing")
    brewing.products.add(*beans.products.all())


@near_miss("6.6", "Deleting the category deletes its products with it (`on_delete=CASCADE`).")
def _():
    Category.objects.get(username__username="sara", name="Brewing").delete()


@exercise(
    "6.7",
    stars=3,
    queries=1,
    columns=["name", "unpaid"],
    hints=[
        "A condition in `filter()` removes the customers with 0.",
        "The condition belongs into the join (`FilteredRelation`) or into the count (`filter=`).",
        '`….annotate(unpaid=Count("invoices", filter=Q(invoices__payment_due__gt=0)))`.',
    ],
)
def unpaid_invoices_of_each_customer():
    """`Count(filter=…)` counts the invoices that fit and keeps customers without any. With
    `FilteredRelation` the condition goes into the join instead; the numbers are the same.
    """
    hers = Customer.objects.filter(username__username="sara")
    unpaid = Count("invoices", filter=Q(invoices__payment_due__gt=0))
    return hers.annotate(unpaid=unpaid).values("name", "unpaid")


@near_miss("6.7", "A condition in `filter()` removes the customers who owe nothing.")
def _():
    hers = Customer.objects.filter(username__username="sara", invoices__payment_due__gt=0)
    return hers.annotate(unpaid=Count("invoices")).values("name", "unpaid")


@near_miss("6.7", "`values()` before `annotate()` makes one row of customers who share a name.")
def _():
    hers = Customer.objects.filter(username__username="sara")
    unpaid = Count("invoices", filter=Q(invoices__payment_due__gt=0))
    return hers.values("name").annotate(unpaid=unpaid)


@near_miss("6.7", "That counts all invoices, the paid ones as well.")
def _():
    hers = Customer.objects.filter(username__username="sara")
    return hers.annotate(unpaid=Count("invoices")).values("name", "unpaid")
