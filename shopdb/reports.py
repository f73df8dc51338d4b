"""Reports on one owner's trade, computed in the database: a QuerySet of rows, and the totals.

Void invoices are in none of them.

Amounts come back as `Decimal`; SQLite adds up floats, so pass them through `to_cents` to show them.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DecimalField, F, Func, Min, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce, TruncMonth

from shopdb.models import Invoice, InvoiceProduct, Product, User

MONEY = DecimalField(max_digits=20, decimal_places=2)

# by → (the columns that make a group, the order of the report)
SALES_BY = {
    "month": (["month"], ["month"]),
    "category": (["product__category", "product__category__name"], ["-total", "product__category"]),
    "product": (["product", "product__name"], ["-total", "product"]),
    "customer": (["customer", "customer__name"], ["-total", "customer"]),
}


class SumOver(Func):
    """SUM over a window of groups; Django's own Sum refuses to add up an aggregate."""

    function = "SUM"
    window_compatible = True
    output_field = MONEY


def sales(
    owner: User, by: str, start: datetime | None = None, end: datetime | None = None
) -> tuple[QuerySet, dict[str, Any]]:
    """Goods sold from `start` until before `end`, grouped `by` a key of SALES_BY.

    A row holds the group, `invoices` (how many), `units`, `total` and `running_total`; months come
    in order of time, everything else largest first. `total` is quantity × sale price, before
    discount and VAT, which belong to a whole invoice and not to one product.
    """
    lines = InvoiceProduct.objects.filter(username=owner, invoice__void_at=None)
    if start:
        lines = lines.filter(invoice__issued_at__gte=start)
    if end:
        lines = lines.filter(invoice__issued_at__lt=end)
    figures = {
        "invoices": Count("invoice", distinct=True),
        "units": Coalesce(Sum("qty"), 0),
        "total": Coalesce(Sum("line_total"), 0, output_field=MONEY),
    }
    columns, order = SALES_BY[by]
    rows = (
        lines.annotate(month=TruncMonth("invoice__issued_at"))
        .values(*columns)
        .annotate(**figures)
        .annotate(running_total=Window(SumOver("total"), order_by=order))
        .order_by(*order)
    )
    return rows, lines.aggregate(**figures)


def stock(owner: User) -> tuple[QuerySet, dict[str, Any]]:
    """What is in stock and what it is worth at today's prices, scarcest first."""
    products = Product.objects.filter(username=owner).annotate(value=F("stock") * F("price"))
    rows = products.order_by("stock", "pk").values("id", "name", "unit", "stock", "price", "value")
    totals = products.aggregate(
        products=Count("pk"),
        out_of_stock=Count("pk", filter=Q(stock=0)),
        units=Coalesce(Sum("stock"), 0),
        total_value=Coalesce(Sum("value"), 0, output_field=MONEY),
    )
    return rows, totals


def receivables(owner: User, as_of: datetime) -> tuple[QuerySet, dict[str, Any]]:
    """What customers owe on invoices issued before `as_of`, by age in days, largest debt first."""
    unpaid = Invoice.objects.filter(
        username=owner, void_at=None, payment_due__gt=0, issued_at__lt=as_of
    )

    def due(youngest: int, oldest: int | None = None) -> Coalesce:
        """The sum due on invoices at least `youngest` and fewer than `oldest` days old."""
        aged = Q(issued_at__lt=as_of - timedelta(days=youngest))
        if oldest is not None:
            aged &= Q(issued_at__gte=as_of - timedelta(days=oldest))
        return Coalesce(Sum("payment_due", filter=aged), 0, output_field=MONEY)

    figures = {
        "invoices": Count("pk"),
        "due": Coalesce(Sum("payment_due"), 0, output_field=MONEY),
        "due_0_30": due(0, 30),
        "due_30_60": due(30, 60),
        "due_60_90": due(60, 90),
        "due_90_up": due(90),
        "oldest": Min("issued_at"),
    }
    rows = (
        unpaid.values("customer", "customer__name").annotate(**figures).order_by("-due", "customer")
    )
    return rows, unpaid.aggregate(**figures)
