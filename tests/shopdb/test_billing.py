"""The books always balance, and what cannot be booked is refused with nothing written."""

import doctest
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopdb import billing
from shopdb.billing import issue_invoice, record_payment, to_cents, void_invoice
from shopdb.models import Customer, Invoice, InvoiceProduct, Product
from tests.seed import invariants

FREE = {"discount": 0, "vat_rate": 0, "payment": 0}


def stocks(shop):
    return list(
        Product.objects.filter(username=shop.owner).order_by("pk").values_list("stock", flat=True)
    )


def test_the_rounding_rule_is_the_one_in_the_docstring():
    assert doctest.testmod(billing).attempted == 1
    assert doctest.testmod(billing).failed == 0
    assert to_cents(Decimal("0.005")) == Decimal("0.01")
    assert to_cents(Decimal("99999999.994999")) == Decimal("99999999.99")


def test_an_invoice_as_the_docstring_reckons_it(shop):
    product = shop.products[0]
    Product.objects.filter(pk=product.pk).update(price="9.99")
    when = datetime(2024, 6, 30, 12, tzinfo=UTC)
    invoice = issue_invoice(
        customer=shop.customers[0],
        lines=[(product, 3)],  # its price of 100.00 is out of date: the database's counts
        discount="2.00",
        vat_rate=Decimal("0.15"),
        payment=0,
        issued_at=when,
    )
    invoice.refresh_from_db()
    amounts = (invoice.total, invoice.discount, invoice.vat, invoice.payment, invoice.payment_due)
    assert [str(amount) for amount in amounts] == ["29.97", "2.00", "4.20", "0.00", "32.17"]
    assert (invoice.issued_at, invoice.due_on) == (when, date(2024, 7, 30))
    assert (invoice.username, invoice.number) == (shop.owner, "2024-0001")
    line = invoice.invoice_products.get()
    assert (line.qty, line.sale_price, line.line_total) == (3, Decimal("9.99"), Decimal("29.97"))
    assert (line.customer, line.username) == (shop.customers[0], shop.owner)


def number_of(shop, **arguments) -> str:
    """The number that the shop's next invoice gets."""
    lines = [(shop.products[2], 1)]
    return issue_invoice(customer=shop.customers[0], lines=lines, **FREE, **arguments).number


def test_each_owner_counts_each_year(shop, stranger):
    Invoice.objects.all().delete()
    last_moment = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    first_moment = last_moment + timedelta(seconds=1)
    assert number_of(shop, issued_at=last_moment) == "2025-0001"
    assert number_of(shop, issued_at=first_moment) == "2026-0001"
    assert number_of(shop, issued_at=last_moment - timedelta(days=200)) == "2025-0002"
    assert number_of(shop, issued_at=first_moment) == "2026-0002"
    assert number_of(stranger, issued_at=first_moment) == "2026-0001"


def test_a_sale_that_fails_takes_no_number(shop):
    before = int(shop.invoices[-1].number[-4:])
    with pytest.raises(billing.NotEnoughStock):
        issue_invoice(customer=shop.customers[0], lines=[(shop.products[3], 99)], **FREE)
    assert int(number_of(shop)[-4:]) == before + 1


def test_a_void_invoice_keeps_its_number(shop):
    last = shop.invoices[-1]
    record_payment(last, -last.payment, reason="Ordered twice")
    void_invoice(last, "Ordered twice")
    assert int(number_of(shop)[-4:]) == int(last.number[-4:]) + 1


def test_ten_thousand_invoices_come_after_9999(shop):
    when = datetime(2020, 1, 1, tzinfo=UTC)
    Invoice.objects.filter(pk=shop.invoices[0].pk).update(number="2020-9998", issued_at=when)
    numbers = [number_of(shop, issued_at=when) for _ in range(3)]
    assert numbers == ["2020-9999", "2020-10000", "2020-10001"]


def test_ten_lines_cost_few_queries(shop, django_assert_max_num_queries):
    products = Product.objects.bulk_create(
        Product(name=f"p{n}", price=1, stock=1, category=shop.tea, username=shop.owner)
        for n in range(10)
    )
    with django_assert_max_num_queries(10):
        issue_invoice(customer=shop.customers[0], lines=[(p, 1) for p in products], **FREE)


def sale(**changes):
    """Arguments for issue_invoice() on the shop of a test: lines hold indexes of its products."""
    return {"lines": [(0, 1)], **FREE, **changes}


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (sale(lines=[]), billing.EmptyInvoice, "at least one line"),
        (sale(lines=[(0, 1), (0, 2)]), billing.DuplicateLine, "one line"),
        (sale(lines=[(0, 0)]), billing.InvalidQuantity, "above zero"),
        (sale(lines=[(0, -1)]), billing.InvalidQuantity, "above zero"),
        (sale(lines=[(0, 1.5)]), billing.InvalidQuantity, "whole number"),
        (sale(lines=[(0, True)]), billing.InvalidQuantity, "whole number"),
        (sale(lines=[(0, 51)]), billing.NotEnoughStock, "51 wanted, 48 in stock"),
        (sale(lines=[(0, 1), (3, 10**30)]), billing.NotEnoughStock, "Samovar"),
        (sale(lines=[("foreign", 1)]), billing.UnknownProduct, "owner's own"),
        (sale(lines=[("missing", 1)]), billing.UnknownProduct, "owner's own"),
        (sale(discount="100.01"), billing.DiscountAboveTotal, "above the total 100.00"),
        (sale(discount=-1), billing.InvalidAmount, "zero or more"),
        (sale(discount="NaN"), billing.InvalidAmount, "NaN"),
        (sale(discount=Decimal("sNaN")), billing.InvalidAmount, "NaN"),
        (sale(payment="Infinity"), billing.InvalidAmount, "Infinity"),
        (sale(payment="1e999999"), billing.InvalidAmount, "at most 99999999.99"),
        (sale(payment="lots"), billing.InvalidAmount, "not a number"),
        (sale(payment=None), billing.InvalidAmount, "not a number"),
        (sale(payment=0.1), billing.InvalidAmount, "cannot hold cents"),
        (sale(vat_rate=15), billing.InvalidAmount, "fraction"),
        (sale(payment="100.01"), billing.Overpayment, "above the 100.00 due"),
        (sale(payment="1", method="gold"), billing.InvalidMethod, "cash, card, transfer, other"),
        (sale(due_on=date(2020, 1, 1)), billing.InvalidDate, "before its day of issue"),
        (
            sale(issued_at=datetime(9999, 12, 31, tzinfo=UTC)),
            billing.InvalidDate,
            "outside the calendar",
        ),
    ],
)
def test_what_cannot_be_booked_is_named_and_nothing_is_written(
    arguments, error, says, shop, stranger
):
    others = {"foreign": stranger.products[0], "missing": 10**9}
    arguments["lines"] = [
        (others.get(key) or shop.products[key], qty) for key, qty in arguments["lines"]
    ]
    before = (stocks(shop), stocks(stranger), Invoice.objects.count())
    with pytest.raises(error, match=says) as caught:
        issue_invoice(customer=shop.customers[0], **arguments)
    assert isinstance(caught.value, billing.BillingError)
    assert (stocks(shop), stocks(stranger), Invoice.objects.count()) == before


def test_an_invoice_too_large_for_its_columns_is_refused(shop):
    Product.objects.update(price="99999999.99")
    two = {"customer": shop.customers[0], "lines": [(shop.products[0], 2)]}
    with pytest.raises(billing.InvalidAmount, match="split it"):
        issue_invoice(**two, **FREE)
    with pytest.raises(billing.InvalidAmount, match="split it"):
        issue_invoice(**(two | FREE | {"lines": [(shop.products[0], 1)], "vat_rate": "0.01"}))
    assert Invoice.objects.filter(username=shop.owner).count() == 2


def payments_of(invoice) -> list[tuple[Decimal, str, str]]:
    return list(invoice.payments.order_by("pk").values_list("amount", "method", "reason"))


def test_payments_lower_what_is_due(shop):
    invoice = shop.invoices[0]
    due = invoice.payment_due
    stale = Invoice.objects.get(pk=invoice.pk)
    record_payment(invoice, "1.005", method="card")
    assert invoice.payment_due == due - Decimal("1.01")
    record_payment(stale, due - Decimal("1.01"))  # reads again: sees the first payment
    stale.refresh_from_db()
    assert (stale.payment_due, stale.payment) == (0, due + 10)
    assert payments_of(stale) == [
        (Decimal("10.00"), "cash", ""),  # at the sale
        (Decimal("1.01"), "card", ""),
        (due - Decimal("1.01"), "transfer", ""),
    ]
    assert set(stale.payments.values_list("username", flat=True)) == {shop.owner.pk}


def test_a_payment_can_be_dated(shop):
    when = datetime(2026, 7, 1, 12, tzinfo=UTC)
    record_payment(shop.invoices[0], 1, paid_at=when)
    assert shop.invoices[0].payments.latest("pk").paid_at == when


def test_a_refund_is_a_negative_payment_with_a_reason(shop):
    invoice = shop.invoices[0]
    due = invoice.payment_due
    record_payment(invoice, "-4.00", reason=" Goods returned ")
    assert (invoice.payment, invoice.payment_due) == (6, due + 4)
    record_payment(invoice, -6, reason="All of it")
    assert (invoice.payment, invoice.payment_due) == (0, due + 10)
    assert payments_of(invoice)[1:] == [
        (Decimal("-4.00"), "transfer", "Goods returned"),
        (Decimal("-6.00"), "transfer", "All of it"),
    ]
    with pytest.raises(billing.RefundTooLarge, match=r"above the 0\.00 paid"):
        record_payment(invoice, "-0.01", reason="More")


@pytest.mark.parametrize(
    ("amount", "options", "error"),
    [
        ("1000", {}, billing.Overpayment),
        (0, {}, billing.InvalidAmount),
        ("0.001", {}, billing.InvalidAmount),
        ("NaN", {}, billing.InvalidAmount),
        ("-1e30", {"reason": "a"}, billing.InvalidAmount),
        (-5, {}, billing.ReasonRequired),
        (-5, {"reason": "  "}, billing.ReasonRequired),
        (-5, {"reason": "a" * 201}, billing.ReasonRequired),
        ("-10.01", {"reason": "Goods returned"}, billing.RefundTooLarge),
        (1, {"method": "gold"}, billing.InvalidMethod),
        (1, {"reason": "a" * 201}, billing.ReasonRequired),
    ],
)
def test_a_wrong_payment_is_refused(shop, amount, options, error):
    invoice = shop.invoices[0]
    with pytest.raises(error):
        record_payment(invoice, amount, **options)
    assert Invoice.objects.get(pk=invoice.pk).payment == 10
    assert invoice.payments.count() == 1


def test_a_payment_is_booked_with_its_sum_or_not_at_all(shop, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(Invoice, "save", fail)
    with pytest.raises(RuntimeError):
        record_payment(shop.invoices[0], 1)
    assert shop.invoices[0].payments.count() == 1


def test_a_void_invoice_stays_and_its_goods_return_once(shop):
    before = stocks(shop)
    invoice, again = shop.invoices[0], Invoice.objects.get(pk=shop.invoices[0].pk)
    amounts = (invoice.total, invoice.discount, invoice.vat)
    with pytest.raises(billing.PaymentToRefund, match=r"has 10.00 paid .*-10.00"):
        void_invoice(invoice, "Ordered twice")
    record_payment(invoice, -10, reason="Ordered twice")
    with pytest.raises(billing.ReasonRequired):
        void_invoice(invoice, " ")
    assert stocks(shop) == before
    void_invoice(invoice, "Ordered twice")
    assert stocks(shop) == [before[0] + 1, before[1], before[2] + 2, before[3]]
    for action in (
        lambda: void_invoice(again, "Again"),
        lambda: record_payment(again, 1),
        lambda: record_payment(again, -1, reason="Again"),
    ):
        with pytest.raises(billing.VoidInvoice, match="is void since"):
            action()
    assert stocks(shop)[0] == before[0] + 1
    again.refresh_from_db()
    assert (again.void_reason, again.invoice_products.count()) == ("Ordered twice", 2)
    assert (again.total, again.discount, again.vat) == amounts
    assert [amount for amount, _, _ in payments_of(again)] == [10, -10]


def test_an_invoice_that_is_gone_is_named(shop):
    invoice = Invoice.objects.get(pk=shop.invoices[0].pk)
    Invoice.objects.filter(pk=invoice.pk).delete()
    for action in (void_invoice, lambda gone, reason: record_payment(gone, 1)):
        with pytest.raises(billing.UnknownInvoice, match=invoice.number):
            action(invoice, "Ordered twice")


cents = st.integers(0, 200_000).map(lambda n: Decimal(n) / 100)
carts = st.dictionaries(st.integers(0, 3), st.integers(1, 40), min_size=1)
sales = st.tuples(carts, cents, st.integers(0, 10_000).map(lambda n: Decimal(n) / 10_000), cents)
actions = st.one_of(
    st.tuples(st.just("sell"), sales),
    st.tuples(st.just("pay"), st.tuples(st.integers(0, 9), cents)),
    st.tuples(st.just("refund"), st.tuples(st.integers(0, 9), cents)),
    st.tuples(st.just("void"), st.integers(0, 9)),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    prices=st.lists(cents, min_size=4, max_size=4, unique=True),
    script=st.lists(actions, min_size=1, max_size=12),
)
def test_random_trade_never_unbalances_the_books(shop, prices, script):
    """After any sales, payments, refunds and voids every sum holds and no stock is lost."""
    Invoice.objects.filter(username=shop.owner).delete()
    for product, price in zip(shop.products, prices, strict=True):
        Product.objects.filter(pk=product.pk).update(price=price, stock=100)
    for action, arguments in script:
        invoices = list(Invoice.objects.filter(username=shop.owner).order_by("pk"))
        try:
            if action == "sell":
                cart, discount, rate, payment = arguments
                issue_invoice(
                    customer=shop.customers[0],
                    lines=[(shop.products[index], qty) for index, qty in cart.items()],
                    discount=discount,
                    vat_rate=rate,
                    payment=payment,
                )
            elif invoices and action == "pay":
                record_payment(invoices[arguments[0] % len(invoices)], arguments[1])
            elif invoices and action == "refund":
                invoice = invoices[arguments[0] % len(invoices)]
                record_payment(invoice, -arguments[1], reason="Goods returned")
            elif invoices:
                void_invoice(invoices[arguments % len(invoices)], "Ordered twice")
        except billing.BillingError:
            assert list(Invoice.objects.filter(username=shop.owner).order_by("pk")) == invoices
        check_books(shop)


def check_books(shop):
    sold = dict.fromkeys((product.pk for product in shop.products), 0)
    for invoice in Invoice.objects.filter(username=shop.owner).prefetch_related("invoice_products"):
        lines = invoice.invoice_products.all()
        assert invoice.total == sum(line.qty * line.sale_price for line in lines)
        assert invoice.total == sum(line.line_total for line in lines)
        assert 0 <= invoice.discount <= invoice.total
        assert invoice.payment_due >= 0
        taxed = invoice.total - invoice.discount + invoice.vat
        assert taxed == invoice.payment + invoice.payment_due
        for line in lines:
            sold[line.product_id] += 0 if invoice.void_at else line.qty
    invariants.assert_payments_add_up()
    invariants.assert_numbers_have_no_gaps()
    for product in Product.objects.filter(username=shop.owner):
        assert product.stock >= 0
        assert product.stock + sold[product.pk] == 100


def test_sums_in_the_database_agree(shop):
    totals = Invoice.objects.aggregate(total=Sum("total"))
    lines = InvoiceProduct.objects.aggregate(total=Sum("line_total"))
    assert to_cents(totals["total"]) == to_cents(lines["total"])


def test_the_owner_of_the_customer_owns_the_invoice(shop, stranger):
    invoice = issue_invoice(
        customer=stranger.customers[0], lines=[(stranger.products[0].pk, 1)], **FREE
    )
    assert invoice.username == stranger.owner
    assert Customer.objects.get(invoices=invoice).username == stranger.owner
