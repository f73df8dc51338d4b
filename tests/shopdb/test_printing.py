"""The printable invoice: everything on it, and nobody else's."""

import re
from html import unescape

import pytest
from django.test import Client

from shopdb.billing import issue_invoice, record_payment, void_invoice
from shopdb.models import Invoice, Product, User
from tests.shopdb.conftest import JsonClient

BACKEND = "shopdb.logins.ShopBackend"


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, BACKEND)
    return client


def shown(response) -> str:
    """The page as text, each run of white space as one space."""
    assert response.status_code == 200
    body = response.content.decode().partition("<body>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_it_shows_parties_dates_lines_sums_and_payments(shop):
    invoice = shop.invoices[0]
    Invoice.objects.filter(pk=invoice.pk).update(
        issued_at="2026-05-31T12:00:00Z", due_on="2999-06-30"
    )
    record_payment(invoice, "20.00", method="card", paid_at=invoice.issued_at)
    record_payment(invoice, "-5.00", reason="One cup was chipped")
    text = shown(client_of(shop.owner).get(f"/invoices/{invoice.number}/"))
    for part in (
        f"Invoice {invoice.number} Part-paid",
        "From Rahim rahim@example.com",
        "To Åsa c@example.com 1",
        "Issued 31 May 2026 Due 30 June 2999",
        "Assam 1 piece 100.00 100.00 Mug 2 piece 12.35 24.70",
        "Total 124.70 Discount -2.00 After discount 122.70 VAT 18.41 Total with VAT 141.11",
        "Paid 25.00 Due by 30 June 2999 116.11",
        "Card 20.00",
        "Bank transfer One cup was chipped -5.00",
    ):
        assert part in text


def test_a_void_invoice_says_so_and_asks_for_nothing(shop):
    invoice = shop.invoices[0]
    record_payment(invoice, -10, reason="Ordered <twice>")
    void_invoice(invoice, "Ordered <twice>")
    text = shown(client_of(shop.owner).get(f"/invoices/{invoice.number}/"))
    assert "Void since" in text
    assert "Ordered <twice>" in text
    assert text.count("Due 0.00") == 1


def test_large_amounts_have_their_thousands_apart(shop):
    Product.objects.filter(pk=shop.products[3].pk).update(price="12345678.90")
    invoice = issue_invoice(
        customer=shop.customers[0],
        lines=[(shop.products[3], 1)],
        discount=0,
        vat_rate=0,
        payment=0,
    )
    assert "12,345,678.90" in shown(client_of(shop.owner).get(f"/invoices/{invoice.number}/"))


def test_it_is_for_its_owner_only(shop, stranger, settings):
    number = shop.invoices[0].number
    assert number == stranger.invoices[0].number
    Product.objects.filter(pk=stranger.products[0].pk).update(name="Theirs")
    address = f"/invoices/{number}/"
    assert "Theirs" not in shown(client_of(shop.owner).get(address))
    assert "Theirs" in shown(client_of(stranger.owner).get(address))
    nobody = User.objects.create_superuser("boss", email="boss@example.com")
    for path in (address, "/invoices/1/", "/invoices/2026-99999/", f"/invoices/{'9' * 5000}/"):
        assert client_of(nobody).get(path).status_code == 404
    assert "no-store" in client_of(shop.owner).get(address)["Cache-Control"]


def test_who_is_not_logged_in_logs_in_and_comes_back(shop):
    shop.owner.set_password("a long enough secret")
    shop.owner.save()
    client, address = Client(), f"/invoices/{shop.invoices[0].number}/"
    asked = client.get(address)
    assert (asked.status_code, asked["Location"]) == (302, f"/login/?next={address}")
    form = client.get(asked["Location"]).content.decode()
    assert 'type="password"' in form
    entered = {"username": "rahim", "password": "a long enough secret", "next": address}
    assert "Åsa" in shown(client.post("/login/", entered, follow=True))
    evil = client.post("/login/", entered | {"next": "https://example.com/"})
    assert evil["Location"] == "/"


@pytest.mark.parametrize("may_view", [True, False])
def test_the_admin_prints_every_owners_invoices(shop, stranger, may_view):
    clerk = User.objects.create_user("clerk", email="clerk@example.com", is_staff=True)
    clerk.is_superuser = may_view
    clerk.save()
    invoice = stranger.invoices[0]
    Product.objects.filter(pk=stranger.products[0].pk).update(name="Theirs")
    address = f"/admin/shopdb/invoice/{invoice.pk}/print/"
    client = client_of(clerk)
    if may_view:
        assert f'href="{address}"' in client.get("/admin/shopdb/invoice/").content.decode()
        page = client.get(f"/admin/shopdb/invoice/{invoice.pk}/change/").content.decode()
        assert f'href="{address}"' in page
        assert "Theirs" in shown(client.get(address))
    else:
        assert client.get(address).status_code == 403
    assert client_of(shop.owner).get(address).status_code == 302


@pytest.mark.parametrize("lines", [1, 4])
def test_its_cost_does_not_depend_on_the_number_of_lines(shop, lines):
    invoice = issue_invoice(
        customer=shop.customers[0],
        lines=[(product, 1) for product in shop.products[:lines]],
        discount=0,
        vat_rate=0,
        payment=0,
    )
    for _ in range(lines):
        record_payment(invoice, 1)
    response = client_of(shop.owner).get(f"/invoices/{invoice.number}/")
    assert 'desc="5 queries"' in response["Server-Timing"]


def test_the_api_and_the_page_agree(shop):
    number = shop.invoices[1].number
    data = JsonClient(shop.owner).get(f"invoices/{number}/").data
    text = shown(client_of(shop.owner).get(f"/invoices/{number}/"))
    for name in ("total", "vat", "payment", "payment_due"):
        assert data[name] in text
