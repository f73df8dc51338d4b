"""The JSON API beside SQL and json.dumps by hand, and what a sale costs in queries."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date

from tests.notebooks.chapters import ROOT, seeded_shop


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield `(what, measured, bar, met)`, measured in a process and database of its own."""
    with seeded_shop() as url:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "shopdb.settings",
            "DEBUG": "0",
            "ALLOWED_HOSTS": "localhost",
            "SECRET_KEY": "bench",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.bench_shop"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    ratio, api_ms, hand_ms, list_queries, sale_queries = map(float, done.stdout.split())
    yield (
        "API: 100 invoices with customer, lines and payments",
        f"{ratio:.2f} × ({api_ms:.1f} ms; SQL and json.dumps by hand {hand_ms:.1f} ms)",
        "≤ 1.3 × by hand",
        ratio <= 1.3,
    )
    yield "its queries, session and user included", f"{list_queries:.0f}", "≤ 5", list_queries <= 5
    yield "issue_invoice, ten lines: queries", f"{sale_queries:.0f}", "≤ 10", sale_queries <= 10


def by_hand(owner_id: int) -> bytes:
    """What `GET /api/invoices/` answers, as someone would write it who distrusts every ORM."""
    from django.db import connection

    def iso(moment):
        return moment.isoformat() + "Z"

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.id, i.number, CASE WHEN i.void_at IS NOT NULL THEN 'void'"
            " WHEN i.payment_due = 0 THEN 'paid' WHEN i.due_on < %s THEN 'overdue'"
            " WHEN i.payment > 0 THEN 'part-paid' ELSE 'open' END, i.total, i.discount, i.vat,"
            " i.payment, i.payment_due, i.issued_at, i.due_on, i.void_at, i.void_reason,"
            " i.customer_id, c.name, i.created_at, i.updated_at"
            " FROM shopdb_invoice i JOIN shopdb_customer c ON c.id = i.customer_id"
            " WHERE i.username_id = %s ORDER BY i.id LIMIT 101",
            [date.today().isoformat(), owner_id],
        )
        found = {
            row[0]: {
                "number": row[1],
                "status": row[2],
                "total": f"{row[3]:.2f}",
                "discount": f"{row[4]:.2f}",
                "vat": f"{row[5]:.2f}",
                "payment": f"{row[6]:.2f}",
                "payment_due": f"{row[7]:.2f}",
                "issued_at": iso(row[8]),
                "due_on": row[9].isoformat(),
                "void_at": row[10] and iso(row[10]),
                "void_reason": row[11],
                "customer": row[12],
                "customer__name": row[13],
                "created_at": iso(row[14]),
                "updated_at": iso(row[15]),
                "lines": [],
                "payments": [],
            }
            for row in cursor.fetchall()[:100]
        }
        of_invoices = f"IN ({', '.join(['%s'] * len(found))})"
        cursor.execute(
            "SELECT l.invoice_id, l.product_id, p.name, l.qty, l.sale_price, l.line_total"
            " FROM shopdb_invoiceproduct l JOIN shopdb_product p ON p.id = l.product_id"
            f" WHERE l.invoice_id {of_invoices} ORDER BY l.id",
            list(found),
        )
        for row in cursor.fetchall():
            found[row[0]]["lines"].append(
                {
                    "product": row[1],
                    "product__name": row[2],
                    "qty": row[3],
                    "sale_price": f"{row[4]:.2f}",
                    "line_total": f"{row[5]:.2f}",
                }
            )
        cursor.execute(
            "SELECT invoice_id, amount, method, paid_at, reason FROM shopdb_payment"
            f" WHERE invoice_id {of_invoices} ORDER BY id",
            list(found),
        )
        for row in cursor.fetchall():
            found[row[0]]["payments"].append(
                {
                    "amount": f"{row[1]:.2f}",
                    "method": row[2],
                    "paid_at": iso(row[3]),
                    "reason": row[4],
                }
            )
    page = {"results": list(found.values()), "next": "/api/invoices/?page=2"}
    return json.dumps(page).encode()


def run() -> None:
    """Print ratio, both times in milliseconds of CPU, and the two counts of queries."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client, RequestFactory
    from django.test.utils import CaptureQueriesContext
    from django.urls import resolve

    from shopdb.billing import issue_invoice
    from shopdb.models import Customer, Product, User

    owner = User.objects.get(username="sara")

    # The view as the URL finds it, with the user at hand: session and login are not in by_hand().
    request = RequestFactory().get("/api/invoices/")
    request.user = owner
    view = resolve("/api/invoices/").func
    assert json.loads(view(request).content) == json.loads(by_hand(owner.pk))
    times = {view: [], by_hand: []}
    for _ in range(60):
        for function, argument in ((view, request), (by_hand, owner.pk)):
            start = time.process_time()
            function(argument)
            times[function].append(time.process_time() - start)
    api, hand = (min(found) * 1000 for found in times.values())

    client = Client(headers={"host": "localhost"})
    client.force_login(owner)
    with CaptureQueriesContext(connection) as listing:
        assert client.get("/api/invoices/", secure=True).status_code == 200
    products = list(Product.objects.filter(username=owner, stock__gt=0)[:10])
    customer = Customer.objects.filter(username=owner).first()
    lines = [(product, 1) for product in products]
    with CaptureQueriesContext(connection) as sale:
        issue_invoice(customer=customer, lines=lines, discount=0, vat_rate=0, payment=0)
    assert len(lines) == 10
    print(api / hand, api, hand, len(listing), len(sale))


if __name__ == "__main__":
    run()
