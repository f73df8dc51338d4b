"""Each owner sees and touches only their own rows: a stranger tries every endpoint and method."""

import itertools
import json
import re
from datetime import UTC, datetime

import pytest
from django.core import serializers

from shopdb.api import views as api_module
from shopdb.billing import issue_invoice
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User
from tests.shopdb.conftest import JsonClient

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# Every address of the API, from its own URLs, so that a new endpoint is walked too.
ROUTES = [route for url in api_module.urlpatterns if "(?P<rest>" not in (route := str(url.pattern))]


@pytest.fixture
def shop(shop):
    """The shop with an invoice whose number nobody else has, first of its invoices."""
    only = issue_invoice(
        customer=shop.customers[0],
        lines=[(shop.products[0], 1)],
        discount=0,
        vat_rate=0,
        payment=10,
        issued_at=datetime(2020, 6, 30, tzinfo=UTC),
    )
    shop.invoices.insert(0, only)
    return shop


def address(route, shop):
    """A route with a key of one of the shop's rows."""
    keys = {
        "categories": shop.tea.pk,
        "products": shop.products[0].pk,
        "customers": shop.customers[0].pk,
        "invoices": shop.invoices[0].number,
        "users": shop.owner.pk,
    }
    return re.sub(r"<\w+:\w+>", str(keys.get(route.partition("/")[0])), route)


def everything_of(shop):
    """The shop's rows as text, to see whether anything in them changed."""
    owned = (Category, Product, Customer, Invoice, InvoiceProduct, Payment)
    rows = itertools.chain(
        User.objects.filter(pk=shop.owner.pk),
        *(model.objects.filter(username=shop.owner).order_by("pk") for model in owned),
    )
    return serializers.serialize("json", rows)


def bodies_naming(shop, of):
    """Bodies that would be right if the rows of `shop` were those of the sender, `of`."""
    product = {"name": "New", "price": "1", "unit": "piece"}
    own_line = {"product": of.products[0].pk, "qty": 1}
    foreign_line = {"product": shop.products[0].pk, "qty": 1}
    return [
        {"name": "New"},
        {"parent": shop.tea.pk},
        {"name": "New", "parent": shop.tea.pk},
        product | {"category": shop.tea.pk},
        [product | {"category": of.tea.pk}, product | {"name": "B", "category": shop.tea.pk}],
        {"category": shop.tea.pk},
        {"customer": shop.customers[0].pk, "lines": [own_line]},
        {"customer": of.customers[0].pk, "lines": [foreign_line]},
        {"customer": of.customers[0].pk, "lines": [own_line, foreign_line]},
        {"amount": "0.01"},
        {"amount": "-0.01", "reason": "Mine"},
        {"reason": "Mine"},
        {"username": shop.owner.pk},
    ]


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_reaches_nothing(route, shop, stranger):
    before = everything_of(shop)
    path = address(route, shop)
    bodies = bodies_naming(shop, stranger)
    for method in METHODS:
        sender = JsonClient(stranger.owner)
        for body in bodies if method in {"POST", "PUT", "PATCH"} else [None]:
            response = sender(method, path, body)
            if "<" in route and method != "OPTIONS":
                # 400 where the body is refused before anyone looks for the row.
                assert response.status_code in ({404, 405, 400} if body else {404, 405})
            assert response.status_code < 500
            assert not {"rahim", "rahim@example.com", "Rahim"} & set(_texts(response.data))
        assert everything_of(shop) == before, method
    mine = {"username": stranger.owner}
    assert not InvoiceProduct.objects.filter(**mine, product__username=shop.owner).exists()
    assert not Invoice.objects.filter(**mine, customer__username=shop.owner).exists()
    assert not Product.objects.filter(**mine, category__username=shop.owner).exists()
    assert not Category.objects.filter(**mine, parent__username=shop.owner).exists()


def _texts(data):
    match data:
        case str():
            yield data
        case list():
            for item in data:
                yield from _texts(item)
        case dict():
            for item in data.values():
                yield from _texts(item)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "products/{product}/", None),
        ("PATCH", "products/{product}/", {"price": "1"}),
        ("DELETE", "products/{product}/", None),
        ("PATCH", "categories/{category}/", {"name": "Mine"}),
        ("DELETE", "customers/{customer}/", None),
        ("GET", "invoices/{invoice}/", None),
        ("POST", "invoices/{invoice}/payments/", {"amount": "1"}),
        ("POST", "invoices/{invoice}/payments/", {"amount": "-1", "reason": "Mine"}),
        ("POST", "invoices/{invoice}/void/", {"reason": "Mine"}),
        ("GET", "users/{user}/", None),
    ],
)
def test_another_owners_row_looks_like_none(method, path, body, shop, stranger):
    there = {
        "product": shop.products[0].pk,
        "category": shop.tea.pk,
        "customer": shop.customers[0].pk,
        "invoice": shop.invoices[0].number,
        "user": shop.owner.pk,
    }
    sender = JsonClient(stranger.owner)
    theirs = sender(method, path.format(**there), body)
    nobodys = sender(method, path.format(**dict.fromkeys(there, 999_999)), body)
    assert theirs.status_code == nobodys.status_code == 404
    hide = json.dumps(theirs.data)
    for pk in there.values():
        hide = hide.replace(f" {pk}.", " 999999.")
    assert json.loads(hide) == nobodys.data


def test_of_two_owners_with_the_same_number_each_sees_their_own(shop, stranger):
    number = shop.invoices[1].number
    assert number == stranger.invoices[0].number
    Product.objects.filter(pk=stranger.products[2].pk).update(name="Theirs")
    for owner, name in ((shop.owner, "Mug"), (stranger.owner, "Theirs")):
        lines = JsonClient(owner).get(f"invoices/{number}/").data["lines"]
        assert lines[1]["product__name"] == name
    JsonClient(shop.owner).post(
        f"invoices/{number}/payments/", {"amount": -10, "reason": "Mistake"}
    )
    assert (
        JsonClient(shop.owner)
        .post(f"invoices/{number}/void/", {"reason": "Mistake"})
        .data["status"]
        == "void"
    )
    assert not Invoice.objects.filter(username=stranger.owner, void_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("categories/", {"name": "New", "parent": "category"}, "parent"),
        ("products/", {"name": "N", "price": 1, "unit": "g", "category": "category"}, "category"),
        ("invoices/", {"customer": "customer", "lines": []}, "customer"),
    ],
)
def test_foreign_keys_in_bodies_are_ones_own(path, body, field, shop, stranger):
    theirs = {"category": shop.tea.pk, "customer": shop.customers[0].pk}
    response = JsonClient(stranger.owner).post(
        path, {name: theirs[value] if name == field else value for name, value in body.items()}
    )
    assert response.status_code == 400
    assert "There is no" in response.data["error"]["fields"][field][0]


def test_filters_do_not_look_through_walls(shop, stranger):
    """Not even by asking about a row one cannot see."""
    sender = JsonClient(stranger.owner)
    for path in (
        f"products/?category={shop.tea.pk}",
        f"products/?any.id={shop.products[0].pk}&any.category={shop.tea.pk}",
        f"invoices/?customer={shop.customers[0].pk}",
        f"categories/?id__in={shop.tea.pk},{shop.drinks.pk}",
        "users/?any.username=rahim&any.email__startswith=rahim",
    ):
        assert sender.get(path).data["results"] == [], path


def test_reports_are_ones_own(shop, stranger):
    Invoice.objects.filter(username=stranger.owner).delete()
    Product.objects.filter(username=stranger.owner).delete()
    sender = JsonClient(stranger.owner)
    for path in ("reports/sales/", "reports/sales/?by=product", "reports/stock/"):
        assert sender.get(path).data["results"] == []
    assert sender.get("reports/receivables/").data["totals"]["due"] == "0.00"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_nothing_without_signing_in(method, shop):
    for route in set(ROUTES) - {"", "login/"}:
        path = address(route, shop)
        assert JsonClient()(method, path, {}).status_code in {401, 405}, route


def test_password_and_otp_never_leave(shop):
    User.objects.filter(pk=shop.owner.pk).update(otp=483_920, password="pbkdf2$secret")
    staff = User.objects.create_user("boss", email="boss@example.com", is_staff=True)
    for sender in (JsonClient(shop.owner), JsonClient(staff)):
        sender.client.force_login(
            User.objects.get(pk=sender.client.session["_auth_user_id"]),
        )
        for route in ROUTES:
            answer = sender.get(address(route, shop)).content
            assert b"483920" not in answer
            assert b"pbkdf2" not in answer
        for name in ("password", "otp"):
            for query in (f"{name}=1", f"{name}__startswith=p", f"order_by={name}"):
                assert sender.get(f"users/?{query}").status_code == 400


def test_who_is_no_longer_staff_no_longer_sees_others(shop, stranger):
    """The same list as before: what was kept of it must not outlive the right to see it."""
    boss = User.objects.create_user("boss", email="boss@example.com", is_staff=True)
    assert len(JsonClient(boss).get("users/").data["results"]) == 3
    User.objects.filter(pk=boss.pk).update(is_staff=False)
    results = JsonClient(boss).get("users/").data["results"]
    assert [row["username"] for row in results] == ["boss"]
