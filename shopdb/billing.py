"""Billing: the only code that writes invoices and payments, so that the books always balance.

Money is `Decimal`. Whatever is computed is rounded once, by `to_cents`.

An invoice has one VAT rate. Rates that differ by line are left out: they need the rate and the
tax of each line on the invoice, and every report by rate. `void_invoice` is the way to undo a
sale; nothing here deletes a row.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Length
from django.utils import timezone

from shopdb.models import DAYS_TO_PAY, Customer, Invoice, InvoiceProduct, Payment, Product, User

LARGEST_AMOUNT = Decimal("99999999.99")  # what DecimalField(max_digits=10, decimal_places=2) holds


class BillingError(ValueError):
    """A sale, payment or void that cannot be booked; its message says what to do."""


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


class InvalidMethod(BillingError):
    """A way of paying that the shop does not know."""


class InvalidDate(BillingError):
    """A date of issue or a due date that an invoice cannot have."""


class Overpayment(BillingError):
    """A payment larger than what is due."""


class RefundTooLarge(BillingError):
    """A refund larger than what was paid."""


class ReasonRequired(BillingError):
    """A refund or a void without a reason, or with one that is too long."""


class VoidInvoice(BillingError):
    """An invoice that is void: it can be neither paid nor voided again."""


class PaymentToRefund(BillingError):
    """An invoice that cannot be voided before its payment is refunded."""


class UnknownInvoice(BillingError):
    """An invoice that is no longer in the database."""


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
    method: str = Payment.Method.CASH,
    issued_at: datetime | None = None,
    due_on: date | None = None,
) -> Invoice:
    """Sell goods to a customer: write the invoice, its lines and payment, and lower the stock.

    `lines` are pairs of a product (or its primary key) and a quantity, `discount` and `payment`
    are amounts of money, `vat_rate` is a fraction (15 % is `Decimal("0.15")`), `method` is how the
    payment was made. `issued_at` is now unless given, `due_on` is 30 days later. The invoice
    belongs to the customer's owner. Its amounts:

        total       = Σ qty × price
        vat         = (total - discount) × vat_rate, rounded by `to_cents`
        payment_due = total - discount + vat - payment

    Example: 3 × 9.99 less 2.00, VAT 15 %: 29.97 - 2.00 = 27.97; VAT 4.1955 → 4.20; due 32.17.

    Its `number` is the owner's next one of the year of `issued_at`: 2026-0001, 2026-0002, … Each
    year and each owner starts from 1. A back-dated invoice gets the next number of its own year,
    so numbers follow the order in which invoices were written, not their dates, and none is
    missing or given twice: issuers of one owner wait for each other, and a sale that fails gives
    its number back.

    Returns the invoice. Raises a `BillingError` of the kind that fits, and then writes nothing.
    """
    discount = _amount(discount, "discount")
    payment = _amount(payment, "payment")
    method = _method(method)
    vat_rate = _number(vat_rate, "VAT rate")
    if vat_rate > 1:
        raise InvalidAmount(
            f"The VAT rate {vat_rate} is above 1; write it as a fraction, 15 % is 0.15."
        )
    issued_at, due_on = _dates(issued_at, due_on)
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
            number=_next_number(customer.username_id, issued_at),
            total=total,
            discount=discount,
            vat=vat,
            payment=payment,
            payment_due=due - payment,
            issued_at=issued_at,
            due_on=due_on,
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
        if payment:
            _book(invoice, payment, method, issued_at)
        sold = _qty_on(invoice)
        _products_on(invoice).update(stock=F("stock") - sold, updated_at=timezone.now())
    return invoice


def record_payment(
    invoice: Invoice,
    amount: Decimal | int | str,
    *,
    method: str = Payment.Method.TRANSFER,
    paid_at: datetime | None = None,
    reason: str = "",
) -> Invoice:
    """Book a payment on the invoice, or with a negative `amount` a refund.

    `method` is one of `Payment.Method`, `paid_at` is now unless given. A refund needs a `reason`,
    and cannot be larger than what was paid. The payment and the invoice's sum of payments are
    written together or not at all.

    Returns the invoice, read again. Raises a `BillingError` of the kind that fits, and then writes
    nothing.
    """
    amount = _amount(amount, "payment", smallest=-LARGEST_AMOUNT)
    method = _method(method)
    if amount == 0:
        raise InvalidAmount("The payment is zero; name the amount that was paid.")
    if amount < 0 or reason:
        reason = _reason(reason, "refund" if amount < 0 else "payment")
    with transaction.atomic():
        _lock(invoice)
        if amount > invoice.payment_due:
            raise Overpayment(
                f"The payment {amount} is above the {invoice.payment_due} due on invoice "
                f"{invoice.number}; lower the payment."
            )
        if -amount > invoice.payment:
            raise RefundTooLarge(
                f"The refund {-amount} is above the {invoice.payment} paid on invoice "
                f"{invoice.number}; lower the refund."
            )
        _book(invoice, amount, method, paid_at or timezone.now(), reason)
        invoice.payment += amount
        invoice.payment_due -= amount
        invoice.save(update_fields=["payment", "payment_due", "updated_at"])
    return invoice


def void_invoice(invoice: Invoice, reason: str) -> Invoice:
    """Undo a sale: the goods return to stock, and the invoice no longer counts in reports.

    The invoice stays, with its number, lines and payments. A paid invoice is refunded first.

    Returns the invoice, read again. Raises `PaymentToRefund`, `ReasonRequired`, `VoidInvoice` or
    `UnknownInvoice`, and then writes nothing.
    """
    reason = _reason(reason, "void")
    with transaction.atomic():
        _lock(invoice)
        if invoice.payment:
            raise PaymentToRefund(
                f"Invoice {invoice.number} has {invoice.payment} paid on it; refund that first "
                f"(a payment of -{invoice.payment}), then void the invoice."
            )
        # Locked in the order in which issue_invoice locks, so that the two never deadlock.
        list(_products_on(invoice).order_by("pk").select_for_update().values_list("pk"))
        returned = _qty_on(invoice)
        _products_on(invoice).update(stock=F("stock") + returned, updated_at=timezone.now())
        invoice.void_at = timezone.now()
        invoice.void_reason = reason
        invoice.save(update_fields=["void_at", "void_reason", "updated_at"])
    return invoice


def _next_number(owner_id: int, issued_at: datetime) -> str:
    """The number that follows the owner's last one of the year.

    The owner's row is locked until the transaction ends: whoever issues next waits, and then sees
    this invoice. PostgreSQL has a weaker lock that lets others go on adding the owner's products
    and customers meanwhile. SQLite has no row locks and needs none: its writers take turns.
    """
    weaker = connection.features.has_select_for_no_key_update
    User.objects.select_for_update(no_key=weaker).values_list("pk").get(pk=owner_id)
    year = f"{timezone.localtime(issued_at).year:04}"
    numbers = Invoice.objects.filter(
        username=owner_id, number__range=(f"{year}-0", f"{year}-9z")
    ).values_list("number", flat=True)
    last = numbers.order_by("-number").first() or f"{year}-0"
    if last >= f"{year}-9999":  # 10000 comes after 9999, but not in the alphabet
        last = numbers.order_by(Length("number").desc(), "-number").first()
    return f"{year}-{int(last.removeprefix(f'{year}-')) + 1:04}"


def _book(
    invoice: Invoice, amount: Decimal, method: str, paid_at: datetime, reason: str = ""
) -> None:
    Payment.objects.create(
        invoice=invoice,
        amount=amount,
        method=method,
        paid_at=paid_at,
        reason=reason,
        username_id=invoice.username_id,
    )


def _dates(issued_at: datetime | None, due_on: date | None) -> tuple[datetime, date]:
    issued_at = issued_at or timezone.now()
    if timezone.is_naive(issued_at):
        issued_at = timezone.make_aware(issued_at)
    try:
        issued_on = timezone.localtime(issued_at).date()
        due_on = due_on or issued_on + timedelta(days=DAYS_TO_PAY)
    except OverflowError:
        raise InvalidDate(
            f"The day of issue or the due date, {DAYS_TO_PAY} days later, is outside the calendar "
            "(years 1 to 9999); choose another day."
        ) from None
    if due_on < issued_on:
        raise InvalidDate(
            f"The invoice is due on {due_on}, before its day of issue, {issued_on}; "
            "choose that day or a later one."
        )
    return issued_at, due_on


def _method(method: str) -> str:
    if method not in Payment.Method:
        raise InvalidMethod(
            f"There is no payment method {method!r:.50}; choose one of "
            f"{', '.join(Payment.Method.values)}."
        )
    return Payment.Method(method)


def _reason(reason: str, what: str) -> str:
    reason = reason.strip()
    longest = Payment._meta.get_field("reason").max_length
    if not 0 < len(reason) <= longest:
        raise ReasonRequired(f"Give a reason for the {what}, in at most {longest} characters.")
    return reason


def _number(value: Decimal | int | str, what: str, smallest: Decimal | int = 0) -> Decimal:
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
    if not number.is_finite() or number < smallest:
        raise InvalidAmount(f"The {what} is {number:.4g}; it must be {smallest or 'zero'} or more.")
    return number


def _amount(value: Decimal | int | str, what: str, smallest: Decimal | int = 0) -> Decimal:
    number = _number(value, what, smallest)
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
                f"Product {pk} is on two lines; put its whole quantity on one line."
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
    """Read the invoice again and keep others from changing it until the transaction ends."""
    try:
        invoice.refresh_from_db(from_queryset=Invoice.objects.select_for_update())
    except Invoice.DoesNotExist:
        raise UnknownInvoice(
            f"Invoice {invoice.number} is no longer in the database: somebody deleted it."
        ) from None
    if invoice.void_at:
        raise VoidInvoice(
            f"Invoice {invoice.number} is void since {invoice.void_at:%Y-%m-%d}; issue a new one."
        )


def _products_on(invoice: Invoice):
    return Product.objects.filter(invoice_products__invoice=invoice)


def _qty_on(invoice: Invoice) -> Subquery:
    """How much of a product the invoice sells, for use in a query of products."""
    line = InvoiceProduct.objects.filter(invoice=invoice, product=OuterRef("pk"))
    return Subquery(line.values("qty"))
