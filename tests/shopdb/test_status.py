"""What `Invoice.objects.with_status()` says of an invoice, at every boundary."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Count
from django.utils import timezone

from shopdb.billing import issue_invoice, record_payment, void_invoice
from shopdb.models import Invoice

ISSUED = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC)
DUE = date(2026, 6, 30)
BEFORE, AFTER = DUE - timedelta(days=1), DUE + timedelta(days=1)


@pytest.fixture
def invoice(shop):
    """115.00 due on the last day of June."""
    lines = [(shop.products[0], 1)]
    return issue_invoice(
        customer=shop.customers[0],
        lines=lines,
        discount=0,
        vat_rate="0.15",
        payment=0,
        issued_at=ISSUED,
    )


def status(invoice, on):
    return Invoice.objects.with_status(on).get(pk=invoice.pk).status


def test_unpaid_it_is_open_on_the_day_it_is_due_and_overdue_on_the_next(invoice):
    assert invoice.due_on == DUE
    assert [status(invoice, on) for on in (BEFORE, DUE, AFTER)] == ["open", "open", "overdue"]


def test_a_cent_makes_it_part_paid_and_does_not_stop_it_from_becoming_overdue(invoice):
    record_payment(invoice, "0.01")
    found = [status(invoice, on) for on in (BEFORE, DUE, AFTER)]
    assert found == ["part-paid", "part-paid", "overdue"]


def test_the_last_cent_makes_it_paid_for_good_and_a_refund_unpaid_again(invoice):
    record_payment(invoice, "114.99")
    assert status(invoice, AFTER) == "overdue"
    record_payment(invoice, "0.01")
    assert [status(invoice, on) for on in (BEFORE, AFTER)] == ["paid", "paid"]
    record_payment(invoice, "-0.01", reason="Rounding")
    assert [status(invoice, on) for on in (DUE, AFTER)] == ["part-paid", "overdue"]
    record_payment(invoice, "-114.99", reason="Goods returned")
    assert [status(invoice, on) for on in (DUE, AFTER)] == ["open", "overdue"]


def test_void_comes_before_everything_else(invoice):
    void_invoice(invoice, "Ordered twice")
    assert [status(invoice, on) for on in (BEFORE, AFTER)] == ["void", "void"]


def test_what_costs_nothing_is_paid(shop):
    gift = issue_invoice(
        customer=shop.customers[0],
        lines=[(shop.products[0], 1)],
        discount=100,
        vat_rate="0.15",
        payment=0,
        issued_at=ISSUED,
    )
    assert status(gift, AFTER) == "paid"


def test_the_day_is_today_unless_given(invoice):
    for due_on, expected in [
        (timezone.localdate(), "open"),
        (timezone.localdate() - timedelta(days=1), "overdue"),
    ]:
        Invoice.objects.filter(pk=invoice.pk).update(due_on=due_on)
        assert Invoice.objects.with_status().get(pk=invoice.pk).status == expected


def test_it_filters_sorts_groups_and_is_reached_over_relations(shop, invoice):
    found = Invoice.objects.with_status(AFTER)
    assert found.filter(status=Invoice.Status.OVERDUE).get() == invoice
    assert found.exclude(status="overdue").count() == 2
    assert found.order_by("-status", "pk").first().status == "part-paid"
    groups = found.values("status").annotate(n=Count("pk")).order_by("status")
    assert list(groups) == [{"status": "overdue", "n": 1}, {"status": "part-paid", "n": 2}]
    assert shop.customers[0].invoices.with_status(AFTER).filter(status="overdue").exists()
    assert Invoice.Status(status(invoice, AFTER)).label == "Overdue"
