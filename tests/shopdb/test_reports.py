"""Reports add up to the cent, and agree with the rows they sum."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shopdb.billing import issue_invoice, record_payment, to_cents, void_invoice
from shopdb.models import Invoice, InvoiceProduct, Product


@pytest.fixture
def trade(shop):
    """Five invoices of known days beside the shop's two of today."""
    Invoice.objects.filter(username=shop.owner).delete()
    Product.objects.update(price="0.10")  # 0.1 + 0.2 as floats would show
    Product.objects.filter(pk=shop.products[3].pk).update(price="33.33")
    days = [(1, 5), (1, 31), (3, 1), (3, 31), (6, 30)]
    return [
        issue_invoice(
            customer=shop.customers[number % 2],
            lines=[(shop.products[number % 3], number + 1), (shop.products[3].pk, 1)][
                : 1 + number % 2
            ],
            discount=0,
            vat_rate="0.2",
            payment=0,
            issued_at=datetime(2026, month, day, 23, 30, tzinfo=UTC),
        )
        for number, (month, day) in enumerate(days)
    ]


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("month", lambda line: f"{line.invoice.issued_at:%Y-%m}"),
        ("category", lambda line: line.product.category_id),
        ("product", lambda line: line.product_id),
        ("customer", lambda line: line.customer_id),
    ],
)
def test_sales_are_the_sums_of_the_lines(shop, stranger, trade, api, by, key):
    totals, units, invoices = defaultdict(Decimal), defaultdict(int), defaultdict(set)
    for line in InvoiceProduct.objects.filter(username=shop.owner):
        totals[key(line)] += line.line_total
        units[key(line)] += line.qty
        invoices[key(line)].add(line.invoice_id)
    order = sorted(totals) if by == "month" else sorted(totals, key=lambda k: (-totals[k], k))
    everything, running = sum(totals.values()), Decimal(0)

    data = api.get(f"reports/sales/?by={by}").data
    group = "product__category" if by == "category" else by
    assert [row[group] for row in data["results"]] == order
    for row, name in zip(data["results"], order, strict=True):
        running += totals[name]
        assert row["total"] == f"{totals[name]:.2f}"
        assert row["running_total"] == f"{running:.2f}"
        assert row["share_percent"] == str(to_cents(totals[name] * 100 / everything))
        assert (row["units"], row["invoices"]) == (units[name], len(invoices[name]))
    assert data["totals"] == {
        "invoices": 5,
        "units": sum(units.values()),
        "total": f"{everything:.2f}",
    }


def test_both_ends_of_a_period_belong_to_it(trade, api):
    def months(query):
        return [row["month"] for row in api.get(f"reports/sales/?{query}").data["results"]]

    assert months("from=2026-01-31&to=2026-03-31") == ["2026-01", "2026-03"]
    assert api.get("reports/sales/?from=2026-01-31&to=2026-01-31").data["totals"]["invoices"] == 1
    assert months("from=2026-07-01") == []
    assert api.get("reports/sales/?from=2027-01-01").data["totals"] == {
        "invoices": 0,
        "units": 0,
        "total": "0.00",
    }


def test_void_invoices_are_in_no_report(shop, trade, api):
    before = api.get("reports/sales/").data["totals"]
    void_invoice(trade[0], "Ordered twice")
    sales = api.get("reports/sales/").data
    assert [row["month"] for row in sales["results"]] == ["2026-01", "2026-03", "2026-06"]
    lines = trade[0].invoice_products.all()
    assert sales["totals"] == {
        "invoices": before["invoices"] - 1,
        "units": before["units"] - sum(line.qty for line in lines),
        "total": str(Decimal(before["total"]) - sum(line.line_total for line in lines)),
    }
    for by in ("product", "category", "customer"):
        groups = api.get(f"reports/sales/?by={by}").data["results"]
        assert sum(Decimal(row["total"]) for row in groups) == Decimal(sales["totals"]["total"])
    receivables = api.get("reports/receivables/").data["totals"]
    assert receivables["invoices"] == 4
    assert receivables["due"] == str(sum(invoice.payment_due for invoice in trade[1:]))


def test_running_totals_run_on_over_pages(trade, api):
    whole = api.get("reports/sales/?by=product").data["results"]
    first = api.get("reports/sales/?by=product&limit=1").data
    second = api.get(first["next"].removeprefix("/api/")).data
    assert first["results"] + second["results"] == whole[:2]


def test_stock_shows_the_scarcest_first_and_its_worth(shop, stranger, trade, api):
    Product.objects.filter(pk=shop.products[1].pk).update(stock=0)
    data = api.get("reports/stock/").data
    stocks = [row["stock"] for row in data["results"]]
    assert stocks == sorted(stocks)
    own = Product.objects.filter(username=shop.owner)
    assert data["totals"] == {
        "products": 4,
        "out_of_stock": 1,
        "units": sum(product.stock for product in own),
        "total_value": f"{sum(product.stock * product.price for product in own):.2f}",
    }


def test_receivables_by_age(shop, stranger, trade, api):
    record_payment(trade[0], trade[0].payment_due)
    data = api.get("reports/receivables/?as_of=2026-06-30").data
    due = {invoice.pk: invoice.payment_due for invoice in trade[1:]}
    totals = data["totals"]
    assert (totals["invoices"], totals["due"]) == (4, f"{sum(due.values()):.2f}")
    assert totals["oldest"] == "2026-01-31T23:30:00Z"
    ages = [totals[name] for name in ("due_0_30", "due_30_60", "due_60_90", "due_90_up")]
    by_age = [
        trade[4].payment_due,
        Decimal(0),
        Decimal(0),
        trade[1].payment_due + trade[2].payment_due + trade[3].payment_due,
    ]
    assert ages == [f"{amount:.2f}" for amount in by_age]
    assert [row["customer__name"] for row in data["results"]] == ["Ravi", "Åsa"]
    assert api.get("reports/receivables/?as_of=2026-03-15").data["totals"]["invoices"] == 2
    assert api.get("reports/receivables/").data["totals"]["invoices"] == 4


@pytest.mark.parametrize(
    "path",
    [
        "sales/?by=colour",
        "sales/?from=June",
        "sales/?to=9999-12-31",
        "sales/?until=2026-01-01",
        "sales/?limit=0",
        "stock/?by=month",
        "receivables/?as_of=2026-02-30",
    ],
)
def test_wrong_questions_are_named(path, api):
    response = api.get(f"reports/{path}")
    assert response.status_code == 400
    assert response.data["error"]["fields"]
