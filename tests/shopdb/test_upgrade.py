"""A shop from before numbers and payments: `migrate` brings it to today's tables, rows and all."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from seed import writer
from seed.shop import FIELDS, generate
from shopdb.billing import issue_invoice
from shopdb.models import Customer, Invoice, InvoiceProduct, Payment, Product
from tests.seed import invariants

pytestmark = pytest.mark.django_db(transaction=True)

INVOICES = 300
NEW = {"number", "due_on", "void_at", "void_reason"}  # columns that old invoices did not have
STAMP = "2026-06-30 12:00:00"


@pytest.fixture
def old_tables(transactional_db) -> Iterator[None]:
    """The tables of the first migration, empty; today's again after the test."""
    call_command("migrate", "shopdb", "0001", verbosity=0)
    yield
    call_command("flush", interactive=False, verbosity=0)
    migrate()


def migrate() -> None:
    call_command("migrate", verbosity=0)


def old_names(name: str) -> list[str]:
    return [field for field in FIELDS[name] if field not in NEW]


def insert_old(name: str, rows: list[tuple]) -> None:
    """Insert what an old table can hold of rows in the order of FIELDS[name]."""
    meta = apps.get_model("shopdb", name)._meta
    columns = [meta.get_field(field).column for field in old_names(name)]
    kept = [FIELDS[name].index(field) for field in old_names(name)]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {meta.db_table} ({', '.join(columns)}) "
            f"VALUES ({', '.join(['%s'] * len(columns))})",
            [[row[index] for index in kept] for row in rows],
        )


@pytest.fixture
def old_shop(old_tables) -> dict[str, list[tuple]]:
    """An old shop, seeded; the rows of today's, by model."""
    tables: dict[str, list[tuple]] = {}
    for name, rows in generate(invoices=INVOICES):
        tables.setdefault(name, []).extend(rows)
        if name != "Payment":
            insert_old(name, rows)
    return tables


def stored(model) -> list[tuple]:
    """All rows of a model, in the columns that the old table had."""
    return list(model.objects.order_by("pk").values_list(*old_names(model.__name__)))


def test_old_invoices_get_the_numbers_and_due_dates_that_seed_gives_and_keep_their_values(old_shop):
    migrate()
    upgraded = [stored(model) for model in (Invoice, InvoiceProduct, Customer, Product)]
    found = Invoice.objects.order_by("pk").values_list("pk", "number", "due_on")
    numbers, due = FIELDS["Invoice"].index("number"), FIELDS["Invoice"].index("due_on")
    assert [(pk, number, str(due_on)) for pk, number, due_on in found] == [
        (row[0], row[numbers], row[due]) for row in old_shop["Invoice"]
    ]
    assert not Invoice.objects.exclude(void_at=None, void_reason="").exists()
    invariants.assert_numbers_have_no_gaps()
    call_command("seed", invoices=INVOICES, reset=True, verbosity=0)
    assert upgraded == [stored(model) for model in (Invoice, InvoiceProduct, Customer, Product)]


def test_what_was_paid_becomes_one_payment_of_an_unknown_method(old_shop):
    migrate()
    invariants.assert_payments_add_up()
    payments = Payment.objects.select_related("invoice")
    assert len(payments) == Invoice.objects.filter(payment__gt=0).count() > 200
    assert {(payment.method, payment.reason) for payment in payments} == {("other", "")}
    assert all(payment.paid_at == payment.invoice.updated_at for payment in payments)


def test_trade_goes_on_after_the_upgrade(old_shop):
    migrate()
    writer.advance_sequences(connection)  # for rows that this test inserted with their keys
    last = Invoice.objects.filter(number__startswith="2026-").latest("pk")
    product = Product.objects.filter(username=last.username, stock__gt=0).first()
    invoice = issue_invoice(
        customer=last.customer,
        lines=[(product, 1)],
        discount=0,
        vat_rate=0,
        payment=1,
        issued_at=datetime(2026, 7, 1, tzinfo=UTC),
    )
    assert int(invoice.number[-4:]) == int(last.number[-4:]) + 1
    invariants.assert_payments_add_up()
    connection.check_constraints()


def test_a_row_that_today_is_refused_is_named_before_anything_is_filled(old_tables):
    owner = (1, "ra", "", "", "ra@example.com", "", "", 0, False, False, True, None, STAMP, STAMP)
    insert_old("User", [owner])
    insert_old("Customer", [(1, "Åsa", "asa@example.com", "", 1, STAMP, STAMP)])
    amounts = {"total": 10, "discount": 11, "vat": 1, "payment": 0, "payment_due": 0}
    row = {"id": 17, **amounts, "issued_at": STAMP, "customer": 1, "username": 1}
    row |= {"created_at": STAMP, "updated_at": STAMP}
    insert_old("Invoice", [tuple(row.get(name) for name in FIELDS["Invoice"])])
    with pytest.raises(CommandError, match="Invoice 17 has a discount above its total") as caught:
        migrate()
    assert "seed --reset" in str(caught.value)
    assert not Invoice.objects.exclude(number="").exists()
    call_command("seed", invoices=30, reset=True, verbosity=0)  # one of the ways it named
    migrate()
    invariants.assert_payments_add_up()
    invariants.assert_numbers_have_no_gaps()
