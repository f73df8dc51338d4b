"""Exercises of every kind, on the shop, that only these tests know."""

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from shopdb.models import Category, Customer, Invoice, Product
from workbook import frame
from workbook.exercises import exercise, near_miss

HINTS = ["a nudge", "the way", "nearly there"]


@exercise("8.1", stars=1, hints=HINTS)
def dear_products():
    """Rows in any order."""
    return Product.objects.filter(price__gte=500)


@near_miss("8.1", "Exactly 500 is dear too.")
def _():
    return Product.objects.filter(price__gt=500)


@exercise("8.2", stars=1, hints=HINTS, ordered=True)
def names_in_order():
    """A flat list in order."""
    return Product.objects.order_by("name", "pk").values_list("name", flat=True)


@exercise("8.3", stars=1, hints=HINTS)
def turnover():
    """Money."""
    return Invoice.objects.aggregate(total=Sum("total"))["total"]


@exercise("8.4", stars=1, hints=HINTS)
def products_per_category():
    """Rows under free names."""
    return Category.objects.annotate(n=Count("products")).values("name", "username_id", "n")


@exercise("8.5", stars=1, hints=HINTS, columns=["name", "n"])
def products_per_category_named():
    """Rows under fixed names."""
    return Category.objects.annotate(n=Count("products")).values("name", "n")


@exercise("8.6", stars=1, hints=HINTS)
def sums():
    """A dict under free names."""
    return Invoice.objects.aggregate(total=Sum("total"), vat=Sum("vat"))


@exercise(
    "8.7", stars=2, hints=HINTS, queries=1, read=lambda found: [i.customer.name for i in found]
)
def invoices_with_customer():
    """Slow code made quick."""
    return Invoice.objects.select_related("customer")


@near_miss("8.7", "One query for each invoice.")
def _():
    return Invoice.objects.all()


@near_miss("8.7", "Two queries where a JOIN does.")
def _():
    return Invoice.objects.prefetch_related("customer")


@exercise(
    "8.8",
    stars=2,
    hints=HINTS,
    queries=1,
    leaves=lambda: Product.objects.values_list("pk", "price"),
)
def dear_products_at_500():
    """A task that writes."""
    return Product.objects.filter(price__gt=500).update(price=500)


@exercise("8.9", stars=2, hints=HINTS, raises=IntegrityError)
def twins():
    """A task that fails in the right way."""
    product = Product.objects.first()
    with transaction.atomic():
        Product.objects.create(
            name=product.name,
            username_id=product.username_id,
            category_id=product.category_id,
            price=1,
            unit="kg",
        )


@exercise("8.10", stars=2, hints=HINTS)
async def first_customer():
    """An async answer."""
    return await Customer.objects.order_by("pk").afirst()


@exercise("8.11", stars=2, hints=HINTS, columns=["name", "price"])
def price_list():
    """A DataFrame."""
    return frame(Product.objects.values("name", "price"))


@exercise("8.12", stars=2, hints=HINTS, columns=["n"])
def categories_with_count():
    """Objects with an annotation whose name is fixed."""
    return Category.objects.annotate(n=Count("products"))


@exercise("8.13", stars=1, hints=HINTS)
def how_many():
    """A number."""
    return Product.objects.filter(price__gte=500).count()


@exercise("8.14", stars=1, hints=HINTS)
def pairs():
    """Tuples."""
    return Product.objects.values_list("name", "price")


@exercise("8.15", stars=1, hints=HINTS, queries=1)
def products_of_one_owner():
    """A row of one shop stands for another row of the second one."""
    return Product.objects.filter(username__username="tim")


@exercise("8.16", stars=1, hints=HINTS, prediction=True, ordered=True)
def two_numbers():
    """A prediction of several values."""
    return [7, 18]
