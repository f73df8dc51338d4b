"""Billing: the only code that writes invoices, so that the books always balance.

Money is `Decimal`. Whatever is computed is rounded once, by `to_cents`.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from shopdb.models import Customer, Invoice, InvoiceProduct, Product

LARGEST_AMOUNT = Decimal("99999999.99")  # what DecimalField(max_digits=10, decimal_places=2) holds


class BillingError(ValueError):
    """A sale, payment or cancellation that cannot be booked; its message says what to do."""


class EmptyInvoice(BillingError):
    """An invoice without lines."""


class DuplicateLine(BillingError):
    """The same product on two lines of one invoice."""


class InvalidQuantity(BillingError):
    """A quantity that is not a whole number above zero."""


class InvalidAmount(BillingError):
    """An amount or rate that is not a number, negative, or beyond what the shop can book."""


class UnknownProduct(BillingError):
    """A product that does not exist or that belongs to another owner."""


class NotEnoughStock(BillingError):
    """More asked for than there is."""


class DiscountAboveTotal(BillingError):
    """A discount larger than the goods it is given on."""


class Overpayment(BillingError):
    """A payment larger than what is due."""


class UnknownInvoice(BillingError):
    """An invoice that is no longer there: someone cancelled it."""


def to_cents(amount: Decimal | int) -> Decimal:
    """Round half up to two decimals: the shop's one rounding rule.

    Half a cent goes up, as on a till and in most VAT laws; Python's own `round()` goes to the
    even neighbour.

    >>> to_cents(Decimal("2.345")), round(Decimal("2.345"), 2)
    (Decimal('2.35'), Decimal('2.34'))
    """
    return Decimal(amount).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def issue_invoice(
    *,
    customer: Customer,
    lines: Iterable[tuple[Product | int, int]],
    discount: Decimal | int | str,
    vat_rate: Decimal | int | str,
    payment: Decimal | int | str,
    issued_at: datetime | None = None,
) -> Invoice:
    """Sell goods to a customer: write the invoice and its lines, and lower the stock.

    `lines` are pairs of a product (or its primary key) and a quantity, `discount` and `payment`
    are amounts of money, `vat_rate` is a fraction (15 % is `Decimal("0.15")`), `issued_at` is now
    unless given. The invoice belongs to the customer's owner. Its amounts:

        total       = Σ qty × price
        vat         = (total - discount) × vat_rate, rounded by `to_cents`
        payment_due = total - discount + vat - payment

    Example: 3 × 9.99 less 2.00, VAT 15 %: 29.97 - 2.00 = 27.97; VAT 4.1955 → 4.20; due 32.17.

    Returns the invoice. Raises a `BillingError` of the kind that fits, and then writes nothing.
    """
    discount = _amount(discount, "discount")
    payment = _amount(payment, "payment")
    vat_rate = _number(vat_rate, "VAT rate")
    if vat_rate > 1:
        raise InvalidAmount(
            f"The VAT rate {vat_rate} is above 1; write it as a fraction, 15 % is 0.15."
        )
    quantities = _quantities(lines)

    with transaction.atomic():
        products = _locked_products(quantities, customer)
        for product in products:
            if product.stock < quantities[product.pk]:
                raise NotEnoughStock(
                    f"{product.name}: {quantities[product.pk]} wanted, {product.stock} in stock; "
                    "lower the quantity or restock first."
                )

        total = sum(product.price * quantities[product.pk] for product in products)
        if discount > total:
            raise DiscountAboveTotal(
                f"The discount {discount} is above the total {total}; lower the discount."
            )
        vat = to_cents((total - discount) * vat_rate)
        due = total - discount + vat
        if max(total, due) > LARGEST_AMOUNT:
            raise InvalidAmount(
                f"The invoice comes to {max(total, due)}, and the shop books at most "
                f"{LARGEST_AMOUNT}; split it into several invoices."
            )
        if payment > due:
            raise Overpayment(f"The payment {payment} is above the {due} due; lower the payment.")

        invoice = Invoice.objects.create(
            total=total,
            discount=discount,
            vat=vat,
            payment=payment,
            payment_due=due - payment,
            issued_at=issued_at or timezone.now(),
            customer=customer,
            username_id=customer.username_id,
        )
        InvoiceProduct.objects.bulk_create(
            InvoiceProduct(
                invoice=invoice,
                product=product,
                customer=customer,
                username_id=customer.username_id,
                qty=quantities[product.pk],
                sale_price=product.price,
            )
            for product in products
        )
        sold = _qty_on(invoice)
        _products_on(invoice).update(stock=F("stock") - sold, updated_at=timezone.now())
    return invoice


def record_payment(invoice: Invoice, amount: Decimal | int | str) -> Invoice:
    """Book a payment of `amount` on the invoice, and return the invoice, read afresh.

    Raises `InvalidAmount`, `Overpayment` or `UnknownInvoice`, and then writes nothing.
    """
    amount = _amount(amount, "payment")
    if amount == 0:
        raise InvalidAmount("The payment is zero; name the amount that was paid.")
    with transaction.atomic():
        _lock(invoice)
        if amount > invoice.payment_due:
            raise Overpayment(
                f"The payment {amount} is above the {invoice.payment_due} due on invoice "
                f"{invoice.pk}; lower the payment."
            )
        invoice.payment += amount
        invoice.payment_due -= amount
        invoice.save(update_fields=["payment", "payment_due", "updated_at"])
    return invoice


def cancel_invoice(invoice: Invoice) -> None:
    """Undo a sale: the goods return to stock, the invoice and its lines are deleted.

    Raises `UnknownInvoice` when it was cancelled before, and then writes nothing.
    """
    with transaction.atomic():
        _lock(invoice)
        # Locked in the order in which issue_invoice locks, so that the two never deadlock.
        list(_products_on(invoice).order_by("pk").select_for_update().values_list("pk"))
        returned = _qty_on(invoice)
        _products_on(invoice).update(stock=F("stock") + returned, updated_at=timezone.now())
        invoice.delete()


def _number(value: Decimal | int | str, what: str) -> Decimal:
    if isinstance(value, float):
        raise InvalidAmount(
            f"The {what} {value} is a float, which cannot hold cents exactly; "
            f'write Decimal("{value}").'
        )
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise InvalidAmount(
            f'The {what} is not a number; write it like Decimal("12.50").'
        ) from None
    if not number.is_finite() or number < 0:
        raise InvalidAmount(f"The {what} is {number}; it must be zero or more.")
    return number


def _amount(value: Decimal | int | str, what: str) -> Decimal:
    number = _number(value, what)
    if number > LARGEST_AMOUNT:
        raise InvalidAmount(
            f"The {what} is {number:.4g}, and the shop books at most {LARGEST_AMOUNT}."
        )
    return to_cents(number)


def _quantities(lines: Iterable[tuple[Product | int, int]]) -> dict[int, int]:
    """The quantity of each product, by primary key."""
    quantities = {}
    for product, qty in lines:
        pk = product.pk if isinstance(product, Product) else product
        if pk in quantities:
            raise DuplicateLine(
                f"Product {pk} stands on two lines; put its whole quantity on one line."
            )
        if not isinstance(qty, int) or isinstance(qty, bool) or qty < 1:
            raise InvalidQuantity(
                f"The quantity of product {pk} is {qty!r}; it must be a whole number above zero."
            )
        quantities[pk] = qty
    if not quantities:
        raise EmptyInvoice("An invoice needs at least one line; add a product and a quantity.")
    return quantities


def _locked_products(quantities: dict[int, int], customer: Customer) -> list[Product]:
    """The products asked for, fresh from the database and locked until the transaction ends.

    Always in the order of their keys: two sales of the same goods wait for each other instead of
    deadlocking. SQLite has no row locks and needs none: its writers take turns.
    """
    products = list(
        Product.objects.filter(pk__in=quantities, username_id=customer.username_id)
        .order_by("pk")
        .select_for_update()
    )
    if unknown := quantities.keys() - {product.pk for product in products}:
        raise UnknownProduct(
            f"Product {min(unknown)} is not among the goods of {customer.name}'s shop; "
            "choose one of the owner's own products."
        )
    return products


def _lock(invoice: Invoice) -> None:
    """Read the invoice afresh and keep others from changing it until the transaction ends."""
    try:
        invoice.refresh_from_db(from_queryset=Invoice.objects.select_for_update())
    except Invoice.DoesNotExist:
        raise UnknownInvoice("This invoice is no longer there; it has been cancelled.") from None


def _products_on(invoice: Invoice):
    return Product.objects.filter(invoice_products__invoice=invoice)


def _qty_on(invoice: Invoice) -> Subquery:
    """How much of a product the invoice sells, for use in a query of products."""
    line = InvoiceProduct.objects.filter(invoice=invoice, product=OuterRef("pk"))
    return Subquery(line.values("qty"))
