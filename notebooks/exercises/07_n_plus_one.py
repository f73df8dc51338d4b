"""Exercises of chapter 07: the tasks are in the notebook of the same name."""

from django.core.exceptions import FieldFetchBlocked
from django.db.models import FETCH_PEERS, FETCH_RAISE, Prefetch
from django.template import Context, Template

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User
from workbook import queries
from workbook.exercises import exercise, near_miss


@exercise(
    "7.1",
    stars=1,
    queries=1,
    read=lambda invoices: [(invoice.payment_due, invoice.customer.name) for invoice in invoices],
    hints=[
        "Which relation does the page follow? How many rows are at its other end?",
        "One row: it can come along in the same query, with `select_related`.",
        "Filter on `username__username`, `issued_at__year` and `issued_at__month`, then "
        '`.select_related("customer")`.',
    ],
)
def june_invoices_of_tim():
    """One JOIN brings the customers along. `prefetch_related("customer")` needs two queries for the
    same page, and so does `fetch_mode(FETCH_PEERS)`, which is good where you can't know what a page
    will read. Here you know.
    """
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim").select_related("customer")


@near_miss(
    "7.1", "The page runs a query for each invoice's customer: the N+1 of the first section."
)
def _():
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim")


@near_miss(
    "7.1",
    "One query too many: `prefetch_related` runs a query of its own. A foreign key points at one "
    "row, and `select_related` brings that row in the same query.",
    sign="prefetch_related",
)
def _():
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim").prefetch_related("customer")


@near_miss("7.1", "These are the Junes of all years: the condition on the year is missing.")
def _():
    june = Invoice.objects.filter(issued_at__month=6)
    return june.filter(username__username="tim").select_related("customer")


@near_miss(
    "7.1",
    "One query too many: `FETCH_PEERS` fetches all customers in a query of its own, when the page "
    "reads the first of them. `select_related` brings them in the same query.",
    sign="FETCH_PEERS",
)
def _():
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username__username="tim").fetch_mode(FETCH_PEERS)


@near_miss(
    "7.1",
    "One query too many: the owner is fetched first. The filter can follow the foreign key itself: "
    '`username__username="tim"`.',
    sign=r"User\.objects|shopdb_user.*LIMIT",
)
def _():
    tim = User.objects.get(username="tim")
    june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
    return june.filter(username=tim).select_related("customer")


@near_miss("7.1", "`created_at` is when the row was written. June is about `issued_at`.")
def _():
    june = Invoice.objects.filter(created_at__year=2026, created_at__month=6)
    return june.filter(username__username="tim").select_related("customer")


@near_miss("7.1", "These are the invoices of all owners, not only Tim's.")
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
        "How many products does one category have?",
        "Many: `prefetch_related`, with the name that the relation has on the category.",
        '`Category.objects.filter(username__username="rahim")` and one more call.',
    ],
)
def catalogue_of_rahim():
    """One query for the categories, one for all their products. A category without products stays
    in the list, with an empty `products.all()`: a prefetch never drops a row, unlike a filter on
    the relation.
    """
    return Category.objects.filter(username__username="rahim").prefetch_related("products")


@near_miss(
    "7.2", "`category.products.all()` runs a query for each category: nothing was prefetched."
)
def _():
    return Category.objects.filter(username__username="rahim")


@near_miss(
    "7.2",
    "`select_related` follows relations to one row. `products` leads to many rows, so it needs "
    "`prefetch_related`.",
)
def _():
    return Category.objects.filter(username__username="rahim").select_related("products")


@near_miss(
    "7.2",
    "Each category appears once for each of its products, and those without any are missing: the "
    "condition on `products` joins them.",
)
def _():
    categories = Category.objects.filter(username__username="rahim", products__isnull=False)
    return categories.prefetch_related("products")


@near_miss(
    "7.2",
    "One query too many: the owner is fetched first. The filter can follow the foreign key itself: "
    '`username__username="rahim"`.',
    sign=r"User\.objects|shopdb_user.*LIMIT",
)
def _():
    rahim = User.objects.get(username="rahim")
    return Category.objects.filter(username=rahim).prefetch_related("products")


@near_miss(
    "7.2",
    "The page reads `category.products.all()`. With `to_attr`, the products are under another name, "
    "and `products.all()` runs a query for each category.",
    sign="to_attr",
)
def _():
    named = Prefetch("products", to_attr="listed")
    return Category.objects.filter(username__username="rahim").prefetch_related(named)


@near_miss(
    "7.2",
    "Categories without products are missing. The catalogue lists them, too, with nothing in them.",
)
def _():
    categories = Category.objects.filter(username__username="rahim", products__isnull=False)
    return categories.distinct().prefetch_related("products")


def category_or_error(product):
    """What the page of 7.3 gets from `product.category`."""
    try:
        return product.category.name
    except FieldFetchBlocked:
        return "FieldFetchBlocked"


@exercise(
    "7.3",
    stars=2,
    queries=1,
    read=lambda products: [category_or_error(product) for product in products],
    hints=[
        "There are three fetch modes: one row fetches for itself, one for all, and one refuses.",
        "`FETCH_RAISE` refuses. It acts on what was not loaded, so leave the categories out.",
        'Filter with `username__username="tim"`, then `.fetch_mode(FETCH_RAISE)`.',
    ],
)
def guarded_products():
    """Reading `product.category` raises before any query is sent. With `select_related("category")`
    the category is loaded, so nothing raises: that is how such a guard stays in a page for good.
    It does not guard reverse relations: `category.products.all()` runs a query in every mode.
    """
    return Product.objects.filter(username__username="tim").fetch_mode(FETCH_RAISE)


@near_miss(
    "7.3",
    "`product.category` raised nothing: with `FETCH_PEERS` it runs one query for all the "
    "products. `FETCH_RAISE` is the mode that refuses.",
    sign="FETCH_PEERS",
)
def _():
    return Product.objects.filter(username__username="tim").fetch_mode(FETCH_PEERS)


@near_miss(
    "7.3",
    "`product.category` raised nothing: in the default mode, `FETCH_ONE`, each product runs a query "
    "for its category.",
)
def _():
    return Product.objects.filter(username__username="tim")


@near_miss(
    "7.3",
    "`product.category` raised nothing, because the categories are loaded. The guard acts only on "
    "what was not loaded.",
    sign="select_related|prefetch_related",
)
def _():
    products = Product.objects.filter(username__username="tim")
    return products.select_related("category").fetch_mode(FETCH_RAISE)


@near_miss(
    "7.3",
    "A fetch mode is not a string. The three modes are constants: "
    "`from django.db.models import FETCH_RAISE`.",
)
def _():
    return list(Product.objects.filter(username__username="tim").fetch_mode("raise"))


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
        "The page needs some of the invoices, in an order, under a name of their own.",
        "`Prefetch` takes the relation, a `queryset=` and `to_attr=`.",
        '`Prefetch("invoices", queryset=Invoice.objects.filter(payment_due__gt=0)'
        '.order_by("issued_at"), to_attr=…)`.',
    ],
)
def reminders():
    """A prefetch drops no customer: those who owe nothing have an empty list. `to_attr` leaves the
    relation alone, so `customer.invoices.all()` still means all invoices. Filtering and sorting in
    Python after `prefetch_related("invoices")` takes two queries as well, but it loads every paid
    invoice and does not use it.
    """
    open_invoices = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment_due__gt=0).order_by("issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(open_invoices)


@near_miss(
    "7.4",
    "The customers have no `open_invoices`. Name the result with `to_attr`. Without it, the "
    "filtered rows take the place of `customer.invoices`.",
)
def _():
    only_open = Prefetch("invoices", queryset=Invoice.objects.filter(payment_due__gt=0))
    return Customer.objects.filter(username__username="sara").prefetch_related(only_open)


@near_miss("7.4", "The lists hold the paid invoices, too: filter in the `queryset=`.")
def _():
    every_invoice = Prefetch(
        "invoices",
        queryset=Invoice.objects.order_by("issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(every_invoice)


@near_miss(
    "7.4",
    "The lists are sorted by key. An invoice can be written later and issued earlier: sort by "
    "`issued_at`.",
    sign=r"order_by\(.-?(pk|id)",
)
def _():
    open_invoices = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment_due__gt=0).order_by("pk"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(open_invoices)


@near_miss(
    "7.4",
    "Customers who owe nothing are missing. Filter the invoices in the `queryset=` only, not the "
    "customers.",
)
def _():
    open_invoices = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment_due__gt=0).order_by("issued_at"),
        to_attr="open_invoices",
    )
    owing = Customer.objects.filter(username__username="sara", invoices__payment_due__gt=0)
    return owing.distinct().prefetch_related(open_invoices)


@near_miss(
    "7.4",
    "The lists hold the invoices without any payment. A part-paid invoice has something left to "
    "pay, too: `payment_due__gt=0`.",
)
def _():
    without_payment = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment=0).order_by("issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(without_payment)


@near_miss("7.4", "The lists begin with the latest invoice. The task asks for the earliest first.")
def _():
    open_invoices = Prefetch(
        "invoices",
        queryset=Invoice.objects.filter(payment_due__gt=0).order_by("-issued_at"),
        to_attr="open_invoices",
    )
    return Customer.objects.filter(username__username="sara").prefetch_related(open_invoices)


@near_miss(
    "7.4",
    "The lists are right, but each customer runs a query of their own. `Prefetch` needs one for all.",
)
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
        "Write down each dot of the template that leads to another table, and how many rows are "
        "there.",
        "Only `invoice_products` leads to many rows. The customer can come by JOIN, and so can "
        "product and category, in the query for the lines.",
        '`Prefetch("invoice_products", queryset=InvoiceProduct.objects.select_related(…))`, and '
        '`.select_related("customer")` on the invoices.',
    ],
)
def packing_slips():
    """One query for the invoices with their customers, one for the lines with product and category.
    `prefetch_related("invoice_products__product__category")` is quickly written and needs four
    queries. It is right as well, and four does not grow with the invoices. Four or two is a matter
    of taste. Hundreds or two is not.
    """
    lines = InvoiceProduct.objects.select_related("product__category")
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related(
        Prefetch("invoice_products", queryset=lines)
    )


@near_miss("7.5", "These are the invoices of both hotels. The task names one of them.")
def _():
    lines = InvoiceProduct.objects.select_related("product__category")
    invoices = Invoice.objects.filter(customer__name__startswith="Hotel").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related(
        Prefetch("invoice_products", queryset=lines)
    )


@near_miss(
    "7.5",
    "The page reads `invoice_products.all`. With `to_attr`, the lines are under another name, and "
    "the page runs queries for them.",
    sign="to_attr",
)
def _():
    lines = InvoiceProduct.objects.select_related("product__category")
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related(
        Prefetch("invoice_products", queryset=lines, to_attr="lines")
    )


@near_miss(
    "7.5", "Every dot of the template runs queries: the customer, the lines, their products."
)
def _():
    return Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")


@near_miss(
    "7.5",
    "Each table is now one query. For fewer, let the foreign keys from line to product and from "
    "product to category come by JOIN, in the query for the lines: `Prefetch(…, queryset=…)`.",
)
def _():
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related(
        "invoice_products__product__category"
    )


@near_miss(
    "7.5",
    "Each table is now one query. For fewer, let the foreign keys come by JOIN: the customer with "
    "the invoices, product and category with the lines.",
)
def _():
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.prefetch_related("customer", "invoice_products__product__category")


@near_miss(
    "7.5",
    "The page reads `invoice_products`, the lines. `products` is another relation: its rows are "
    "loaded, and the page does not use them.",
)
def _():
    invoices = Invoice.objects.filter(customer__name="Hotel Ångström").order_by("issued_at")
    return invoices.select_related("customer").prefetch_related("products__category")


@exercise(
    "7.6",
    stars=3,
    queries=2,
    hints=[
        "Three queries for each category: its owner, a number, a filtered list. Which of them is "
        "about one row, which about many?",
        "The owner can come by JOIN. The number and the list are about the same products: fetch "
        "them once, then count and filter them in Python.",
        "`products = category.products.all()` after a prefetch; then `len(products)` and "
        "`sorted((p for p in products if p.stock == 0), key=lambda p: (-p.price, p.name))`.",
    ],
)
def stock_report():
    """The products are fetched once, and Python counts and filters them in memory. If the report
    had only numbers, one query with `annotate()` and two `Count` would be enough (chapter 09).

    Two `Prefetch`, one for all products and one with `to_attr="sold_out"`, would be three queries.
    If a category has thousands of products and few are sold out, use that filtered `Prefetch` for
    the list and `annotate()` for the number: two queries, and few rows.
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


@near_miss("7.6", "This is still the slow page: three queries for each category.")
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
    "One query for each category is left: `.filter()` after the prefetch runs a new query. Filter in "
    "Python.",
    sign=r"prefetch_related[\s\S]*\.filter\(",
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
    "Two queries for each category are left: `filter()` and `count()` on its products. Fetch the "
    "products of all categories once, with `prefetch_related`.",
)
def _():
    rows = []
    for category in Category.objects.select_related("username"):
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
    "Right, but the owner comes in a query of its own, or the products in two: the owner can come "
    "by JOIN, and one prefetch has what both columns need.",
)
def _():
    rows = []
    for category in Category.objects.prefetch_related("username", "products"):
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


@near_miss(
    "7.6",
    "The third value counts only the products that are sold out: a filtered `Prefetch` without "
    "`to_attr` took the place of the whole relation.",
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


@exercise(
    "7.7",
    stars=2,
    prediction=True,
    hints=[
        "Before the loop: how many queries load the customers and their invoices?",
        "In the loop, decide for each of the three lines whether what it reads is loaded. The "
        "table of calls is in *After a prefetch, `.filter()` runs a new query*.",
        "`count()` is free after a prefetch. `order_by()` is not, and nothing loaded the owner.",
    ],
)
def queries_of_the_loop():
    """Two queries load the customers and their invoices. In the loop, `count()` reads the
    prefetched rows, `order_by()` makes a new QuerySet and runs a query for each customer, and
    `customer.username` is a foreign key that nothing loaded: a query for each customer, even though
    all three have the same owner. 2 + 3 + 3 = 8.
    """
    customers = Customer.objects.filter(username__username="sara").prefetch_related("invoices")
    with queries() as ran:
        for customer in customers.order_by("pk")[:3]:
            customer.invoices.count()
            customer.invoices.order_by("total").first()
            customer.username.email
    return ran.count


_WRONG_COUNTS = {
    2: "2 would be right if the loop ran no query. `order_by()` after a prefetch runs one, and "
    "nothing loaded the owner.",
    3: "3 leaves out the two queries before the loop, and one of the two in it.",
    4: "4 is one query for the list and one for each customer. The prefetch is a query of its own, "
    "and two lines of the loop run one each.",
    5: "5 counts one query for each customer in the loop. Two of the three lines run one: "
    "`order_by()` makes a new QuerySet, and `customer.username` was not loaded.",
    6: "6 counts the owner once, or leaves out the two queries before the loop. Each of the three "
    "customers fetches the owner: nothing shares fetched objects between them.",
    7: "7 leaves out one of the two queries before the loop: `prefetch_related` is a query of its "
    "own.",
    9: "9 counts all three lines of the loop, and leaves out the two queries before it. `count()` is "
    "free after a prefetch.",
    10: "10 counts all three lines of the loop, and one query before it. `count()` is free after a "
    "prefetch, and the prefetch is a query of its own.",
    11: "11 counts a query for `count()`, which reads the prefetched rows.",
}
for count, sentence in _WRONG_COUNTS.items():
    near_miss("7.7", sentence)(lambda count=count: count)
