"""Twenty buyers want one of ten items at once: exactly ten get it, on every database.

Every buyer is a process of its own, as on a real server; the rows are committed for them to see.
"""

import multiprocessing
import sqlite3
import sys

import pytest
from django.db import connection, connections

from shopdb.billing import (
    NotEnoughStock,
    Overpayment,
    UnknownInvoice,
    cancel_invoice,
    issue_invoice,
    record_payment,
)
from shopdb.models import Invoice, InvoiceProduct, Product
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


def test_a_debt_is_paid_once_and_an_invoice_cancelled_once(shop):
    paid, cancelled = shop.invoices
    due = paid.payment_due

    def settle(number: int) -> str:
        try:
            if number % 2:
                record_payment(paid, due)
                return "paid"
            cancel_invoice(cancelled)
        except (Overpayment, UnknownInvoice):
            return "too late"
        return "cancelled"

    assert at_once(settle, 8) == ["cancelled", "paid"] + ["too late"] * 6
    paid.refresh_from_db()
    assert (paid.payment_due, paid.payment) == (0, due + 10)
    assert Product.objects.get(name="Assam").stock == 50 - 1
