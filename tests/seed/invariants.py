"""What is true of every shop that seed makes, checked through the ORM."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, F, Max, Min, Sum

from seed import catalog
from seed.writer import shop_models
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User

CENT = Decimal("0.01")


def cents(amount) -> Decimal:
    return Decimal(amount or 0).quantize(CENT, ROUND_HALF_UP)


def assert_books_balance(vat_percent: dict[str, int] | None = None) -> None:
    """Totals are the sums of their lines, VAT is due on the discounted total, dues add up."""
    rates = vat_percent or {owner.username: owner.vat_percent for owner in catalog.OWNERS}
    invoices = Invoice.objects.annotate(
        lines=Sum("invoice_products__line_total"), owner=F("username__username")
    )
    for invoice in invoices:
        total, discount, vat = cents(invoice.total), cents(invoice.discount), cents(invoice.vat)
        assert total == cents(invoice.lines), invoice.pk
        assert vat == cents((total - discount) * rates[invoice.owner] / 100), invoice.pk
        due = total - discount + vat - cents(invoice.payment)
        assert cents(invoice.payment_due) == due >= 0, invoice.pk
        assert discount <= total, invoice.pk


def assert_payments_add_up() -> None:
    """What an invoice says was paid is the sum of its payments; refunds come after payments."""
    for invoice in Invoice.objects.prefetch_related("payments"):
        payments = sorted(invoice.payments.all(), key=lambda p: (p.paid_at, -p.amount))
        assert sum(payment.amount for payment in payments) == invoice.payment, invoice.pk
        paid = 0
        for payment in payments:
            assert bool(payment.reason) or payment.amount > 0, payment.pk
            assert payment.username_id == invoice.username_id, payment.pk
            paid += payment.amount
            assert paid >= 0, payment.pk


def assert_numbers_have_no_gaps() -> None:
    """Each owner counts the invoices of each year from 1, and none is missing."""
    numbers = defaultdict(list)
    for owner, number, issued_at in Invoice.objects.values_list("username", "number", "issued_at"):
        year, _, count = number.partition("-")
        assert (year, len(count) >= 4) == (f"{issued_at:%Y}", True), number
        numbers[owner, year].append(int(count))
    for key, counts in numbers.items():
        assert sorted(counts) == list(range(1, len(counts) + 1)), key


def assert_owners_agree() -> None:
    """An invoice and all it refers to belong to one owner; a line has its invoice's customer."""
    strangers = [
        InvoiceProduct.objects.exclude(username=F("invoice__username")),
        InvoiceProduct.objects.exclude(username=F("product__username")),
        InvoiceProduct.objects.exclude(username=F("customer__username")),
        InvoiceProduct.objects.exclude(customer=F("invoice__customer")),
        Payment.objects.exclude(username=F("invoice__username")),
        Invoice.objects.exclude(username=F("customer__username")),
        Product.objects.exclude(username=F("category__username")),
        Category.objects.filter(parent__isnull=False).exclude(username=F("parent__username")),
    ]
    assert [queryset.count() for queryset in strangers] == [0] * len(strangers)


def assert_keys_are_dense() -> None:
    """Primary keys count from 1 without a gap."""
    for model in shop_models():
        keys = model.objects.aggregate(first=Min("pk"), last=Max("pk"), rows=Count("pk"))
        assert (keys["first"], keys["last"]) == (1, keys["rows"]), model


def ties(queryset, value: str) -> int:
    """How many rows share their non-null `value` with another row of the queryset."""
    seen: dict = {}
    for found in queryset.values_list(value, flat=True):
        if found is not None:
            found = cents(found) if isinstance(found, Decimal) else found
            seen[found] = seen.get(found, 0) + 1
    return sum(count for count in seen.values() if count > 1)


def rankings() -> dict[str, int]:
    """The rankings a shop is asked for, each with its number of tied rows."""
    sold = {"n": Sum("invoice_products__qty"), "worth": Sum("invoice_products__line_total")}
    products = Product.objects.annotate(**sold).order_by()
    customers = Customer.objects.annotate(n=Count("invoices"), worth=Sum("invoices__total"))
    return {
        "products by price": ties(products, "price"),
        "products by units sold": ties(products, "n"),
        "products by revenue": ties(products, "worth"),
        "customers by invoices": ties(customers.filter(n__gt=0), "n"),
        "customers by revenue": ties(customers, "worth"),
        "invoices by total": ties(Invoice.objects, "total"),
        "invoices by date": ties(Invoice.objects, "issued_at"),
        "categories by products": ties(Category.objects.annotate(n=Count("products")), "n"),
        "owners by categories": ties(User.objects.annotate(n=Count("categories")), "n"),
        "lines by quantity": ties(InvoiceProduct.objects, "qty"),
    }


def case_twins(names: list[str]) -> bool:
    """Whether two names have a first word that differs in nothing but case."""
    words = {name.split()[0] for name in names}
    return len({word.casefold() for word in words}) < len(words)
