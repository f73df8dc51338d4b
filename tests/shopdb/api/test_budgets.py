"""What every endpoint costs in queries, the same for few rows and for many."""

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shopdb.billing import issue_invoice
from shopdb.middleware import TRANSACTION_CONTROL
from shopdb.models import Category, Customer, Invoice, Product
from tests.shopdb.conftest import JsonClient, make_shop

# Two of each are for the session and the user.
BUDGETS = {
    ("GET", ""): 0,
    ("GET", "me/"): 2,
    ("GET", "categories/"): 3,
    ("GET", "categories/{category}/"): 3,
    ("GET", "products/?order_by=-price&any.name__icontains=a&any.price__gt=1"): 3,
    ("GET", "products/?aggregate=count,price__avg"): 3,
    ("GET", "products/{product}/"): 3,
    ("GET", "customers/"): 3,
    ("GET", "customers/{customer}/"): 3,
    ("GET", "invoices/"): 5,
    ("GET", "invoices/?status=part-paid"): 5,
    ("GET", "invoices/{invoice}/"): 5,
    ("GET", "users/"): 3,
    ("GET", "users/{user}/"): 3,
    ("GET", "reports/sales/?by=month"): 4,
    ("GET", "reports/sales/?by=category"): 4,
    ("GET", "reports/sales/?by=product"): 4,
    ("GET", "reports/sales/?by=customer"): 4,
    ("GET", "reports/stock/"): 4,
    ("GET", "reports/receivables/"): 4,
    ("POST", "categories/"): 5,
    ("POST", "products/"): 6,
    ("POST", "customers/"): 4,
    ("POST", "invoices/"): 12,
    ("POST", "invoices/{invoice}/payments/"): 9,
    ("POST", "invoices/{unpaid}/void/"): 10,
    ("PATCH", "categories/{category}/"): 8,
    ("PATCH", "products/{product}/"): 7,
    ("PATCH", "customers/{customer}/"): 5,
    ("DELETE", "categories/{empty}/"): 7,
    ("DELETE", "products/{unsold}/"): 6,
    ("DELETE", "customers/{idle}/"): 7,
}


def grow(shop, count: int) -> None:
    """More rows of every kind, and the ones that are deleted and changed."""
    owner = {"username": shop.owner}
    shop.many = Product.objects.bulk_create(
        Product(name=f"p{n}", price=n, unit="g", stock=99, category=shop.drinks, **owner)
        for n in range(count)
    )
    Category.objects.bulk_create(Category(name=f"c{n}", **owner) for n in range(count))
    Customer.objects.bulk_create(
        Customer(name=f"c{n}", email="c@example.com", mobile="1", **owner) for n in range(count)
    )
    for customer in Customer.objects.filter(**owner)[:count]:
        lines = [(product, 1) for product in shop.many]
        issue_invoice(customer=customer, lines=lines, discount=0, vat_rate=0, payment=0)


def bodies(shop, count: int) -> dict:
    product = {"price": 1, "unit": "g", "category": shop.tea.pk}
    contact = {"email": "c@example.com", "mobile": "1"}
    names = [f"new{n}" for n in range(count)]
    return {
        ("POST", "categories/"): [{"name": name} for name in names],
        ("POST", "products/"): [product | {"name": name} for name in names],
        ("POST", "customers/"): [contact | {"name": name} for name in names],
        ("POST", "invoices/"): {
            "customer": shop.customers[0].pk,
            "lines": [{"product": product.pk, "qty": 1} for product in shop.many],
        },
        ("POST", "invoices/{invoice}/payments/"): {"amount": 1},
        ("POST", "invoices/{unpaid}/void/"): {"reason": "Ordered twice"},
        ("PATCH", "categories/{category}/"): {"name": "Leaves", "parent": shop.drinks.pk},
        ("PATCH", "products/{product}/"): {"name": "Darjeeling", "category": shop.tea.pk},
        ("PATCH", "customers/{customer}/"): {"name": "Osa"},
    }


def cost(method: str, route: str, shop, count: int) -> int:
    owner = {"username": shop.owner}
    keys = {
        "category": shop.tea.pk,
        "product": shop.products[0].pk,
        "customer": shop.customers[0].pk,
        "invoice": shop.invoices[0].number,
        "unpaid": Invoice.objects.filter(payment=0, **owner).latest("pk").number,
        "user": shop.owner.pk,
        "empty": Category.objects.create(name="Empty", **owner).pk,
        "unsold": Product.objects.create(
            name="Unsold", price=1, unit="g", category=shop.tea, **owner
        ).pk,
        "idle": Customer.objects.create(name="Idle", email="i@example.com", mobile="1", **owner).pk,
    }
    sender = JsonClient(shop.owner)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = sender(method, route.format(**keys), bodies(shop, count).get((method, route)))
    assert response.status_code < 300, response.data
    asked = [q for q in captured if not q["sql"].startswith(TRANSACTION_CONTROL)]
    assert response.queries == len(asked), "Server-Timing must say what really ran"
    return response.queries


def test_fixed_numbers_of_queries(db):
    few, many = make_shop("few"), make_shop("many")
    grow(few, 1)
    grow(many, 12)
    costs = {}
    for method, route in BUDGETS:
        with transaction.atomic():
            costs[method, route] = [
                cost(method, route, shop, n) for shop, n in ((few, 1), (many, 12))
            ]
            transaction.set_rollback(True)
    assert costs == {asked: [budget, budget] for asked, budget in BUDGETS.items()}


def test_signing_in_and_out(shop):
    shop.owner.set_password("a long enough secret")
    shop.owner.save()
    sender = JsonClient()
    body = {"username": "rahim", "password": "a long enough secret"}
    first = sender.post("login/", body).queries
    assert Session.objects.count() == 1
    make_shop("another")
    again = JsonClient().post("login/", body).queries
    assert first == again <= 16
    assert sender.post("logout/").queries == 6
