"""Exercises of chapter 07: the tasks are in the notebook of the same name."""

from django.core.exceptions import FieldFetchBlocked
from django.db.models import FETCH_PEERS, FETCH_RAISE, Prefetch
from django.template import Context, Template

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product
from workbook.exercises import exercise, near_miss


@exercise(
    "7.1",
    stars=1,
    queries=1,
    read=lambda invoices: [(invoice.payment_due, invoice.customer.name) for invoice in invoices],
    hints=[
        "Which relation does the page follow? How many rows wait at its other end?",
        "One row at the other end: it can come along by JOIN, with `select_related`.",
        "Filter on `username__username`, `issued_at__year` and `issued_at__month`, then "
        '`.select_related("customer")`.',
    ],
)
def june_invoices_of_tim():
    """One JOIN brings the customers along. `prefetch_related("customer")` gives the same page for
    two queries, and so does `fetch_mode(FETCH_PEERS)`: good where you cannot know what the page
    will read. Here you know.
    """
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim").select_related("customer")


@near_miss("7.1", "The page asks for each invoice's customer: the N+1 of the first section.")
def _():
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim")


@near_miss(
    "7.1", "One query too many: a foreign key points at one row, and that row can come by JOIN."
)
def _():
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim").prefetch_related("customer")


@near_miss("7.1", "These are the Junes of all years: `issued_at__year` is missing.")
def _():
    june = Invoice.objects.filter(issued_at__month=6)
    return june.filter(username__username="tim").select_related("customer")


@near_miss("7.1", "These are the invoices of all owners: Tim's have his name in `username`.")
def _():
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.select_related("customer")


@exercise(
    "7.2",
    stars=1,
    queries=2,
    read=lambda categories: [
        (category.name, sorted(product.name for product in category.products.all()))
        for category in categories
    ],
    hints=[
        "From one category to how many products?",
        "Many rows at the other end: `prefetch_related`, with the name the relation has on the "
        "category.",
        '`Category.objects.filter(username__username="rahim")` and one more call.',
    ],
)
def catalogue_of_rahim():
    """One query for the categories, one for the products of them all. A category without products
    stays in the list with an empty `products.all()`: a prefetch never drops a row, unlike a filter
    on the relation.
    """
    return Category.objects.filter(username__username="rahim").prefetch_related("products")


@near_miss("7.2", "`category.products.all()` asks again for each category: nothing was prefetched.")
def _():
    return Category.objects.filter(username__username="rahim")


@near_miss(
    "7.2",
    "`select_related` follows foreign keys and one-to-ones. `products` leads to many rows: "
    "`prefetch_related`.",
)
def _():
    return Category.objects.filter(username__username="rahim").select_related("products")


@near_miss(
    "7.2",
    "Categories without products are missing: they have an empty place in the catalogue, too.",
)
def _():
    categories = Category.objects.filter(username__username="rahim", products__isnull=False)
    return categories.distinct().prefetch_related("products")


@exercise(
    "7.3",
    stars=2,
    queries=1,
    raises=FieldFetchBlocked,
    hints=[
        "Three fetch modes: one for itself, one for all, and one that refuses.",
        "`FETCH_RAISE` refuses. It acts on what is missing, so the categories must not be fetched "
        "beforehand.",
        'Loop over `Product.objects.fetch_mode(FETCH_RAISE).order_by("-price", "pk")[:5]` and '
        "read `product.category.name`.",
    ],
)
def no_hidden_queries():
    """The first `product.category` raises, at its own line, before any query is sent. With
    `select_related("category")` the same loop passes: that is how such a guard stays in a page for
    good. It does not watch reverse relations: `category.products.all()` asks under every mode.
    """
    for product in Product.objects.fetch_mode(FETCH_RAISE).order_by("-price", "pk")[:5]:
        print(product.category.name)


@near_miss(
    "7.3",
    "No error left the loop. Under `FETCH_ONE` and `FETCH_PEERS` the categories are asked for, "
    "with `select_related` they are there already: leave them out, and take `FETCH_RAISE`.",
)
def _():
    for product in Product.objects.fetch_mode(FETCH_PEERS).order_by("-price", "pk")[:5]:
        print(product.category.name)


@near_miss(
    "7.3",
    "A fetch mode is not a text. The three modes are constants to import: "
    "`from django.db.models import FETCH_RAISE`.",
)
def _():
    for product in Product.objects.fetch_mode("raise").order_by("-price", "pk")[:5]:
        print(product.category.name)


@exercise(
    "7.4",
    stars=2,
    queries=2,
    read=lambda customers: [
        (
            customer.name,
            [(invoice.issued_at, invoice.payment_due) for invoice in customer.open_invoices],
        )
        for customer in customers
    ],
    hints=[
        "The page wants some of the invoices, in an order, under a name of its own.",
        "`Prefetch` takes all three: the relation, a `queryset=`, and `to_attr=`.",
        '`Prefetch("invoices", queryset=Invoice.objects.filter(payment_due__gt=0)'
        '.order_by("issued_at"), to_attr=…)`.',
    ],
)
def reminders():
    """Everyone keeps their place: those who owe nothing have an empty list. Because of `to_attr`
    the relation itself stays whole, and `customer.invoices.all()` still means all invoices.
    Filtering and sorting in Python after `prefetch_related("invoices")` takes two queries as well,
    and fetches every paid invoice for nothing.
    """
    open_invoices = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment_due__gt=0).order_by("issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(open_invoices)


@near_miss(
    "7.4",
    "The page reads `customer.open_invoices`, which does not exist. Without `to_attr` the filtered "
    "rows even take the place of `customer.invoices`.",
)
def _():
    only_open = Prefetch("invoices", queryset=Invoice.objects.filter(payment_due__gt=0))
    return Customer.objects.filter(username__username="sara").prefetch_related(only_open)


@near_miss("7.4", "These are all their invoices, the paid ones too: filter in the `queryset=`.")
def _():
    every_invoice = Prefetch(
        "invoices",
        queryset=Invoice.objects.order_by("issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(every_invoice)


@near_miss("7.4", "The newest stand first; a reminder begins with the oldest.")
def _():
    open_invoices = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment_due__gt=0).order_by("-issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(open_invoices)


@near_miss("7.4", "Right lists, and a query for each customer to make them: let `Prefetch` do it.")
def _():
    customers = list(Customer.objects.filter(username__username="sara"))
    for customer in customers:
        still_open = customer.invoices.filter(payment_due__gt=0).order_by("issued_at")
        customer.open_invoices = list(still_open)
    return customers


PAGE = Template("""
{% for invoice in invoices %}
  {{ invoice.issued_at }} to {{ invoice.customer.name }}
  {% for line in invoice.invoice_products.all|dictsort:"product.name" %}
    {{ line.qty }} × {{ line.product.name }} ({{ line.product.category.name }})
  {% endfor %}
{% endfor %}
""")


@exercise(
    "7.5",
    stars=3,
    queries=2,
    ordered=True,
    read=lambda invoices: PAGE.render(Context({"invoices": invoices})),
    hints=[
        "Write down each dot of the template that leads to another table, and how many rows wait "
        "there.",
        "Only `invoice_products` leads to many rows. The customer can come by JOIN, and so can "
        "product and category: by a JOIN in the query for the lines.",
        '`Prefetch("invoice_products", queryset=InvoiceProduct.objects.select_related(…))`, and '
        '`.select_related("customer")` on the invoices.',
    ],
)
def packing_slips():
    """Two questions: the invoices with their customers, the lines with product and category.
    `prefetch_related("invoice_products__product__category")` needs four queries and is quickly
    written; it is also right, and the number does not grow with the invoices either. Four or two
    is a matter of taste. Hundreds or two is not.
    """
    lines = InvoiceProduct.objects.select_related("product__category")
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related(
        Prefetch("invoice_products", queryset=lines)
    )


@near_miss("7.5", "Every dot of the template still asks: the customer, the lines, their products.")
def _():
    return Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")


@near_miss(
    "7.5",
    "The rows of each table come at once now. For fewer queries, let the foreign keys (invoice to "
    "customer, line to product, product to category) come by JOIN, the last two in the query for "
    "the lines: `Prefetch(…, queryset=…)`.",
)
def _():
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related(
        "invoice_products__product__category"
    )


@near_miss(
    "7.5",
    "The rows of each table come at once now. For fewer queries, let the foreign keys come by "
    "JOIN: the customer with the invoices, product and category with the lines.",
)
def _():
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.prefetch_related("customer", "invoice_products__product__category")


@near_miss(
    "7.5",
    "The page goes over `invoice_products`, the lines. `products` is another relation, and its "
    "rows are not the ones the page reads.",
)
def _():
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related("products__category")


@exercise(
    "7.6",
    stars=3,
    queries=2,
    hints=[
        "Three things are asked for each category: its owner, a number, a filtered list. Which of "
        "them is one row, which is many?",
        "The owner comes by JOIN. The number and the list are about the same products: fetch them "
        "once, then count and filter them in Python.",
        "`products = category.products.all()` after a prefetch; then `len(products)` and "
        "`sorted((p for p in products if p.stock == 0), key=lambda p: (-p.price, p.name))`.",
    ],
)
def stock_report():
    """The products are fetched once, and Python counts and filters what is in memory. Had the
    report only numbers, `annotate()` with two `Count` would do it in one query (chapter 09).

    Two `Prefetch`, one for all products and one with `to_attr="sold_out"`, would be three queries.
    With thousands of products in a category, of which few are sold out, take that filtered
    `Prefetch` for the list and `annotate()` for the number: two queries, and few rows.
    """
    rows = []
    categories = Category.objects.select_related("username").prefetch_related("products")
    for category in categories:
        products = category.products.all()
        sold_out = [product for product in products if product.stock == 0]
        sold_out.sort(key=lambda product: (-product.price, product.name))
        rows.append(
            (
                category.name,
                category.username.first_name,
                len(products),
                [product.name for product in sold_out],
            )
        )
    return rows


@near_miss("7.6", "This is the slow page: three queries for each category.")
def _():
    rows = []
    for category in Category.objects.all():
        sold_out = category.products.filter(stock=0).order_by("-price", "name")
        rows.append(
            (
                category.name,
                category.username.first_name,
                category.products.count(),
                [product.name for product in sold_out],
            )
        )
    return rows


@near_miss(
    "7.6",
    "One query for each category is left. Two places can ask it: `category.username`, which can "
    "come by JOIN, and `.filter()` after the prefetch, which asks again: filter in Python.",
)
def _():
    rows = []
    categories = Category.objects.select_related("username").prefetch_related("products")
    for category in categories:
        sold_out = category.products.filter(stock=0).order_by("-price", "name")
        rows.append(
            (
                category.name,
                category.username.first_name,
                category.products.count(),
                [product.name for product in sold_out],
            )
        )
    return rows


@near_miss(
    "7.6",
    "The third column counts the sold-out products only: a filtered `Prefetch` without `to_attr` "
    "took the place of the whole relation.",
)
def _():
    rows = []
    sold_out = Prefetch(
        "products", queryset=Product.objects.filter(stock=0).order_by("-price", "name")
    )
    categories = Category.objects.select_related("username").prefetch_related(sold_out)
    for category in categories:
        rows.append(
            (
                category.name,
                category.username.first_name,
                category.products.count(),
                [product.name for product in category.products.all()],
            )
        )
    return rows
