"""Exercises of chapter 10: the tasks are in the notebook of the same name."""

from decimal import Decimal

from django.db.models import F
from django.db.models.functions import Round

from shopdb.models import Invoice, InvoiceProduct, Product
from workbook.exercises import exercise, near_miss


@exercise(
    "10.1",
    stars=1,
    queries=1,
    hints=[
        "A lookup takes a column where it usually takes a value.",
        '`F("payment_due")` is the amount due of the same invoice.',
        '`Invoice.objects.filter(payment__gt=0, payment__lt=F("payment_due"))`.',
    ],
)
def less_than_half_paid():
    """Both columns are in the same row, so the database compares them.
    `payment_due__gt=F("payment")` says the same.
    """
    return Invoice.objects.filter(payment__gt=0, payment__lt=F("payment_due"))


@near_miss("10.1", "Invoices without any payment are in: `payment` has to be above 0 as well.")
def _():
    return Invoice.objects.filter(payment__lt=F("payment_due"))


@near_miss("10.1", "On those, more is paid than is due; the task wants less.")
def _():
    return Invoice.objects.filter(payment__gt=F("payment_due"), payment_due__gt=0)


@exercise(
    "10.2",
    stars=2,
    queries=1,
    hints=[
        "The stock is in another table, one foreign key away.",
        "`F` follows relations, as a lookup does: `product__stock`.",
        '`….filter(qty__gt=F("product__stock"))`, for the lines of one owner.',
    ],
)
def more_than_there_is():
    """`F("product__stock")` joins the product, and each line is compared with its own. A line's
    owner is the owner of its invoice, so `invoice__username__username` works as well.
    """
    return InvoiceProduct.objects.filter(username__username="rahim", qty__gt=F("product__stock"))


@near_miss("10.2", "Those lines are smaller than the stock; the task wants the larger ones.")
def _():
    return InvoiceProduct.objects.filter(username__username="rahim", qty__lt=F("product__stock"))


@near_miss("10.2", "Other owners' lines are in, too.")
def _():
    return InvoiceProduct.objects.filter(qty__gt=F("product__stock"))


@exercise(
    "10.3",
    stars=2,
    queries=1,
    columns=["name", "missing"],
    hints=[
        "Which arithmetic gives 20 for a stock of 10?",
        '`30 - F("stock")` is an expression that `annotate()` takes.',
        '`….filter(stock__lt=30).annotate(missing=30 - F("stock")).values("name", "missing")`.',
    ],
)
def missing_to_thirty():
    """A number and an `F` can be combined in either order. The condition is on the column itself;
    filtering on `missing__gt=0` gives the same rows on SQLite and PostgreSQL. On MariaDB `stock` is an
    unsigned column, and a difference below zero is an error.
    """
    products = Product.objects.filter(username__username="rahim", stock__lt=30)
    return products.annotate(missing=30 - F("stock")).values("name", "missing")


@near_miss("10.3", "The sign is wrong: a stock of 10 has to give 20, not -20.")
def _():
    products = Product.objects.filter(username__username="rahim", stock__lt=30)
    return products.annotate(missing=F("stock") - 30).values("name", "missing")


@near_miss("10.3", "Products with 30 or more are in: nothing is missing there.")
def _():
    products = Product.objects.filter(username__username="rahim")
    return products.annotate(missing=30 - F("stock")).values("name", "missing")


@exercise(
    "10.4",
    stars=2,
    leaves=lambda: Product.objects.annotate(price_in_thousandths=Round(F("price") * 1000)).values(
        "name", "username__username", "price_in_thousandths", "stock"
    ),
    equivalent={
        "when `category__name` contains `'Brewing'` in any letter case": "Sara has no other",
    },
    hints=[
        "20 % less is 80 % of the old price.",
        '`update(price=F("price") * Decimal("0.8"))`: and what does SQLite store?',
        '`update(price=Round(F("price") * Decimal("0.8"), 2))`.',
    ],
)
def cheaper_brewing():
    """One `UPDATE`. Without `Round()`, SQLite stores every digit of the result; PostgreSQL and
    MariaDB round to the column's two decimals themselves. With a float as the factor, `Round()` raises
    a `FieldError` on PostgreSQL, and none on SQLite and MariaDB.
    """
    Product.objects.filter(category__name="Brewing", category__username__username="sara").update(
        price=Round(F("price") * Decimal("0.8"), 2)
    )


@near_miss("10.4", "That raises the prices by 20 %: 20 % less is 80 % of the old price.")
def _():
    Product.objects.filter(category__name="Brewing", category__username__username="sara").update(
        price=Round(F("price") * Decimal("1.2"), 2)
    )


@near_miss("10.4", "That is a price of 20 %, not a price lowered by 20 %.")
def _():
    Product.objects.filter(category__name="Brewing", category__username__username="sara").update(
        price=Round(F("price") * Decimal("0.2"), 2)
    )


@exercise(
    "10.5",
    stars=2,
    prediction=True,
    hints=[
        "Go through the two saves: which value does each of them write?",
        "`second` adds to what is stored. `first` writes what it has computed from what it read.",
        "`first` has read 10. What does it write, after `second` has made it 15?",
    ],
)
def two_saves():
    """11. `second.save()` adds 5 to the stored 10. `first.save()` then writes 11, computed from the
    10 that it read before: the 5 are lost. It takes only one careless writer to lose an update; if
    both used `F`, the stock would be 16.
    """
    pk = Product.objects.order_by("pk")[0].pk
    Product.objects.filter(pk=pk).update(stock=10)
    first = Product.objects.get(pk=pk)
    second = Product.objects.get(pk=pk)
    first.stock = first.stock + 1
    second.stock = F("stock") + 5
    second.save()
    first.save()
    return Product.objects.get(pk=pk).stock


@near_miss("10.5", "It would be 16 if both used `F`; `first` writes the 11 that it has computed.")
def _():
    return 16


for number in range(10):
    near_miss("10.5", "Nothing here takes away: the stock of 10 can only grow.")(
        lambda number=number: number
    )


for number in (12, 13, 14, *range(17, 31)):
    near_miss("10.5", "The stock is 10, the changes are 1 and 5, and no sum of them is this.")(
        lambda number=number: number
    )


@near_miss("10.5", "Both objects are saved, and both with more than 10.")
def _():
    return 10


@near_miss("10.5", "`second` makes it 15, but `first` saves after that.")
def _():
    return 15


@exercise(
    "10.6",
    stars=3,
    queries=1,
    leaves=lambda: Product.objects.values_list("name", "username__username", "stock"),
    hints=[
        "The condition and the change belong into one statement.",
        "`filter(stock__gte=20)` chooses the rows, `update()` changes them.",
        '`….filter(username__username="sara", stock__gte=20).update(stock=F("stock") - 20)`.',
    ],
)
def take_twenty_of_each():
    """Condition and change in one `UPDATE`: whatever others do at the same time, this takes no
    stock below zero. `update()` returns how many products had enough.
    """
    Product.objects.filter(username__username="sara", stock__gte=20).update(stock=F("stock") - 20)


@near_miss("10.6", "A product with exactly 20 has enough: `stock__gte=20`.")
def _():
    Product.objects.filter(username__username="sara", stock__gt=20).update(stock=F("stock") - 20)


@near_miss("10.6", "Other owners' products were changed as well.")
def _():
    Product.objects.filter(stock__gte=20).update(stock=F("stock") - 20)
