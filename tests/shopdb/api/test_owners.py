"""Each owner sees and touches only their own rows: a stranger tries every endpoint and method."""

import itertools
import json

import pytest
from django.core import serializers

from shopdb.api import views as api_module
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User
from tests.shopdb.conftest import JsonClient

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# Every address of the API, from its own URLs, so that a new endpoint is walked too.
ROUTES = [route for url in api_module.urlpatterns if "(?P<rest>" not in (route := str(url.pattern))]


def key_for(route, shop):
    for start, row in [
        ("categories", shop.tea),
        ("products", shop.products[0]),
        ("customers", shop.customers[0]),
        ("invoices", shop.invoices[0]),
        ("users", shop.owner),
    ]:
        if route.startswith(start):
            return row.pk
    return 0


def everything_of(shop):
    """The shop's rows as text, to see whether anything in them changed."""
    owned = (Category, Product, Customer, Invoice, InvoiceProduct)
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
        {"username": shop.owner.pk},
    ]


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_reaches_nothing(route, shop, stranger):
    before = everything_of(shop)
    path = route.replace("<int:pk>", str(key_for(route, shop)))
    bodies = bodies_naming(shop, stranger)
    for method in METHODS:
        sender = JsonClient(stranger.owner)
        for body in bodies if method in {"POST", "PUT", "PATCH"} else [None]:
            response = sender(method, path, body)
            if "<int:pk>" in route and method != "OPTIONS":
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
        ("DELETE", "invoices/{invoice}/", None),
        ("POST", "invoices/{invoice}/payments/", {"amount": "1"}),
        ("GET", "users/{user}/", None),
    ],
)
def test_another_owners_row_looks_like_none(method, path, body, shop, stranger):
    there = {
        "product": shop.products[0].pk,
        "category": shop.tea.pk,
        "customer": shop.customers[0].pk,
        "invoice": shop.invoices[0].pk,
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
        path = route.replace("<int:pk>", str(key_for(route, shop)))
        assert JsonClient()(method, path, {}).status_code in {401, 405}, route


def test_password_and_otp_never_leave(shop):
    User.objects.filter(pk=shop.owner.pk).update(otp=483_920, password="pbkdf2$secret")
    staff = User.objects.create_user("boss", email="boss@example.com", is_staff=True)
    for sender in (JsonClient(shop.owner), JsonClient(staff)):
        sender.client.force_login(
            User.objects.get(pk=sender.client.session["_auth_user_id"]),
        )
        for route in ROUTES:
            answer = sender.get(route.replace("<int:pk>", str(key_for(route, shop)))).content
            assert b"483920" not in answer
            assert b"pbkdf2" not in answer
        for name in ("password", "otp"):
            for query in (f"{name}=1", f"{name}__startswith=p", f"order_by={name}"):
                assert sender.get(f"users/?{query}").status_code == 400
