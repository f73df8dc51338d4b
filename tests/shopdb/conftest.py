"""Two small shops side by side, and a client that speaks JSON."""

import json
import re
from types import SimpleNamespace

import pytest
from django.test import Client

from shopdb import logins
from shopdb.billing import issue_invoice
from shopdb.models import Category, Customer, Product, User
from tests.seed import invariants


def make_shop(name: str, **user_fields) -> SimpleNamespace:
    """An owner with two categories, four products, two customers and two invoices."""
    owner = User.objects.create_user(name, email=f"{name}@example.com", **user_fields)
    drinks = Category.objects.create(name="Drinks", username=owner)
    tea = Category.objects.create(name="Tea", parent=drinks, username=owner)
    products = [
        Product.objects.create(
            name=name, price=price, unit="piece", stock=stock, category=category, username=owner
        )
        for name, price, stock, category in [
            ("Assam", "100.00", 50, tea),
            ("Kettle", "500.00", 20, drinks),
            ("Mug", "12.35", 100, drinks),
            ("Samovar", "750.00", 3, tea),
        ]
    ]
    customers = [
        Customer.objects.create(name=name, email="c@example.com", mobile="1", username=owner)
        for name in ("Åsa", "Ravi")
    ]
    invoices = [
        issue_invoice(
            customer=customer,
            lines=[(products[0], 1), (products[2], qty)],
            discount="2.00",
            vat_rate="0.15",
            payment="10.00",
        )
        for customer, qty in zip(customers, (2, 3), strict=True)
    ]
    return SimpleNamespace(
        owner=owner, drinks=drinks, tea=tea, products=products, customers=customers,
        invoices=invoices,
    )  # fmt: skip


class JsonClient:
    """Sends and receives JSON under /api/, signed in as a user."""

    def __init__(self, user: User | None = None, **options) -> None:
        self.client = Client(**options)
        if user:
            self.client.force_login(user)

    def __call__(self, method: str, path: str, body=None, *, raw: bytes | None = None, **headers):
        """The response; `.data` holds its JSON, `.queries` the count from Server-Timing."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        headers = {"content_type": "application/json"} | headers
        response = self.client.generic(method, f"/api/{path}", data, **headers)
        is_json = response.headers.get("Content-Type") == "application/json"
        response.data = json.loads(response.content) if is_json and response.content else None
        response.queries = int(re.search(r'desc="(\d+) quer', response["Server-Timing"])[1])
        return response

    def get(self, path: str, **headers):
        return self("GET", path, **headers)

    def post(self, path: str, body=None, **options):
        return self("POST", path, body, **options)

    def patch(self, path: str, body=None, **options):
        return self("PATCH", path, body, **options)

    def delete(self, path: str):
        return self("DELETE", path)


@pytest.fixture(autouse=True)
def _the_books_balance(request):
    """Whatever a test did, an invoice's `payment` is the sum of its payments in the end."""
    uses_database = {"db", "transactional_db"} & set(request.fixturenames)
    if uses_database:
        request.getfixturevalue(uses_database.pop())  # so that its rows are there until we looked
    yield
    if uses_database:
        invariants.assert_payments_add_up()


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture(autouse=True)
def _open_door(monkeypatch):
    """No test is refused because of the wrong passwords of another."""
    monkeypatch.setattr(logins, "wrong_passwords", logins.Budget(most=1000, per_second=1))
    logins.closed_until.clear()


@pytest.fixture
def shop(db):
    return make_shop("rahim", first_name="Rahim")


@pytest.fixture
def stranger(db):
    return make_shop("sofia")


@pytest.fixture
def api(shop):
    return JsonClient(shop.owner)
