"""Twenty buyers want one of ten items at once: exactly ten get it, on every database.

Every buyer is a process of its own, as on a real server; the rows are committed for them to see.
"""

import multiprocessing
import sqlite3
import sys
from datetime import UTC, datetime

import pytest
from django.db import connection, connections

from shopdb.billing import (
    NotEnoughStock,
    Overpayment,
    PaymentToRefund,
    RefundTooLarge,
    VoidInvoice,
    issue_invoice,
    record_payment,
    void_invoice,
)
from shopdb.models import Invoice, InvoiceProduct, Payment, Product
from tests.seed import invariants
from tests.shopdb.conftest import make_shop

if sys.platform == "win32":
    pytest.skip("Windows cannot fork the buyers.", allow_module_level=True)

# The test runner has threads of its own; they play no part in what the children do.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

BUYERS, STOCK = 20, 10
processes = multiprocessing.get_context("fork")  # the children inherit Django, loaded and set up


@pytest.fixture
def shop(tmp_path, transactional_db):
    """A shop in a database that processes can share: SQLite's moves from memory to a file."""
    shop = make_shop("seller")
    if connection.vendor != "sqlite":
        yield shop
        return
    in_memory = connections["default"]
    file = tmp_path / "race.sqlite3"
    with sqlite3.connect(file) as copy:
        in_memory.connection.backup(copy)
    copy.close()
    options = {**in_memory.settings_dict, "NAME": str(file)}
    connections["default"] = in_memory.__class__(options, "default")
    yield shop
    connections["default"].close()
    connections["default"] = in_memory


def at_once(action, count: int) -> list[str]:
    """What `action(number)` returned in each of `count` processes, all started at once."""
    barrier, answers = processes.Barrier(count), processes.SimpleQueue()

    def run(number: int) -> None:
        connection.ensure_connection()
        barrier.wait()
        try:
            answers.put(action(number))
        except Exception as error:
            answers.put(repr(error))
        connection.close()

    connection.close()  # a connection must not be shared over a fork
    started = [processes.Process(target=run, args=(number,)) for number in range(count)]
    for process in started:
        process.start()
    found = sorted(answers.get() for _ in started)
    for process in started:
        process.join()
    return found


def test_twenty_buyers_ten_items(shop):
    products = list(Product.objects.filter(name__in=("Kettle", "Mug")))
    Product.objects.filter(name="Kettle").update(stock=STOCK)
    before = Invoice.objects.count()

    def buy(number: int) -> str:
        # Half the buyers name the goods in the other order: a deadlock, were they locked as named.
        lines = [(product, 1) for product in (products[::-1] if number % 2 else products)]
        try:
            issue_invoice(
                customer=shop.customers[0], lines=lines, discount=0, vat_rate=0, payment=0
            )
        except NotEnoughStock:
            return "none left"
        return "sold"

    answers = at_once(buy, BUYERS)
    assert answers == ["none left"] * (BUYERS - STOCK) + ["sold"] * STOCK
    assert Product.objects.get(name="Kettle").stock == 0
    assert Product.objects.get(name="Mug").stock == 100 - 5 - STOCK
    assert Invoice.objects.count() == before + STOCK
    assert InvoiceProduct.objects.filter(product__name="Kettle").count() == STOCK
    invariants.assert_numbers_have_no_gaps()


def test_issuers_never_share_or_skip_a_number(shop):
    """Each sells something else, so that no lock on a product makes them wait for each other."""
    count = 12
    products = Product.objects.bulk_create(
        Product(name=f"p{n}", price=1, unit="g", stock=1, category=shop.tea, username=shop.owner)
        for n in range(count)
    )
    years = [datetime(year, 6, 1, tzinfo=UTC) for year in (2024, 2025)]

    def issue(number: int) -> str:
        return issue_invoice(
            customer=shop.customers[number % 2],
            lines=[(products[number], 1)],
            discount=0,
            vat_rate=0,
            payment=1,
            issued_at=years[number % 2],
        ).number

    assert at_once(issue, count) == [
        f"{year}-{number:04}" for year in (2024, 2025) for number in range(1, count // 2 + 1)
    ]
    invariants.assert_numbers_have_no_gaps()


def test_a_debt_is_paid_once_and_an_invoice_voided_once(shop):
    paid, voided = shop.invoices
    due = paid.payment_due
    record_payment(voided, -voided.payment, reason="Ordered twice")

    def settle(number: int) -> str:
        try:
            if number % 2:
                record_payment(paid, due)
                return "paid"
            void_invoice(voided, "Ordered twice")
        except (Overpayment, VoidInvoice):
            return "too late"
        return "voided"

    assert at_once(settle, 8) == ["paid"] + ["too late"] * 6 + ["voided"]
    paid.refresh_from_db()
    assert (paid.payment_due, paid.payment) == (0, due + 10)
    assert Product.objects.get(name="Assam").stock == 50 - 1
    invariants.assert_payments_add_up()


def test_a_payment_is_refunded_once_and_nothing_is_paid_on_a_void_invoice(shop):
    invoice = shop.invoices[0]

    def settle(number: int) -> str:
        try:
            if number % 2:
                record_payment(invoice, -10, reason="Goods returned")
                return "refunded"
            void_invoice(invoice, "Ordered twice")
            return "voided"
        except (RefundTooLarge, VoidInvoice, PaymentToRefund):
            return "refused"

    answers = at_once(settle, 8)
    assert answers.count("refunded") == 1
    assert answers.count("voided") <= 1
    invoice.refresh_from_db()
    assert (invoice.payment, bool(invoice.void_at)) == (0, "voided" in answers)
    assert list(Payment.objects.filter(invoice=invoice).values_list("amount", flat=True)) == [
        *(10, -10)
    ]
