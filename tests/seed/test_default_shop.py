"""The default shop: the same everywhere, its books in order, every special case in it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Count, F, Q

from seed import catalog
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User
from tests.seed import invariants
from tests.seed.digest import shop_digest
from tests.seed.queries import FILTERS, SORTS

pytestmark = pytest.mark.usefixtures("default_shop")

# Changes with the rows, and only with them: say in the commit why they had to change.
DIGEST = "f0cbf87e6252e65e"


def test_same_rows_on_every_machine_day_and_database():
    assert shop_digest() == DIGEST


def test_size_is_what_the_readme_says():
    models = (User, Category, Product, Customer, Invoice)
    assert [model.objects.count() for model in models] == [6, 20, 300, 800, 6000]
    assert 17_000 <= InvoiceProduct.objects.count() <= 19_000
    assert 7_000 <= Payment.objects.count() <= 8_000


def test_two_years_of_trade_up_to_the_last_day():
    days = [day.date() for day in Invoice.objects.datetimes("issued_at", "day", tzinfo=UTC)]
    assert (days[0], days[-1]) == (date(2024, 7, 1), date(2026, 6, 30))
    every_day = {date(2024, 7, 1) + timedelta(days=number) for number in range(730)}
    closed = every_day - set(days)
    assert {date(2024, 12, 25), date(2025, 12, 26)} <= closed
    assert len(closed) < 10
    assert Invoice.objects.filter(issued_at=datetime(2025, 1, 1, tzinfo=UTC)).exists()
    assert Invoice.objects.filter(issued_at=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)).exists()


def test_books_balance():
    invariants.assert_books_balance()


def test_payments_add_up_and_come_in_one_to_three_rows():
    invariants.assert_payments_add_up()
    paid = Invoice.objects.filter(payment__gt=0).annotate(n=Count("payments"))
    assert set(paid.values_list("n", flat=True)) == {1, 2, 3}
    assert not Payment.objects.filter(invoice__payment=0).exists()
    assert not Payment.objects.filter(amount__lt=0).exists()  # refunds live in the small shop
    end = datetime(2026, 7, 1, tzinfo=UTC)
    assert not Payment.objects.filter(paid_at__lt=F("invoice__issued_at")).exists()
    assert not Payment.objects.filter(paid_at__gte=end).exists()


def test_invoices_are_numbered_without_gaps_in_the_order_of_their_dates():
    invariants.assert_numbers_have_no_gaps()
    for owner in User.objects.all():
        numbers = list(owner.invoices.order_by("issued_at", "pk").values_list("number", flat=True))
        assert numbers == sorted(numbers)


def test_no_invoice_is_void_and_all_other_statuses_are_there():
    last_day = Invoice.objects.with_status(on=date(2026, 6, 30))
    assert set(last_day.values_list("status", flat=True)) == set(Invoice.Status) - {"void"}


def test_every_row_belongs_to_the_owner_of_what_it_refers_to():
    invariants.assert_owners_agree()


def test_primary_keys_are_dense():
    invariants.assert_keys_are_dense()


def test_nothing_is_sold_before_it_or_its_buyer_is_there():
    assert not Invoice.objects.filter(issued_at__lt=F("customer__created_at")).exists()
    assert not InvoiceProduct.objects.filter(created_at__lt=F("product__created_at")).exists()


@pytest.mark.parametrize("name", FILTERS)
def test_filter_of_the_seed_document_finds_some_rows_but_not_all(name):
    queryset = FILTERS[name]()
    assert 0 < queryset.count() < queryset.model.objects.count()


@pytest.mark.parametrize("name", SORTS)
def test_sort_of_the_seed_document_finds_all_users(name):
    usernames = [user.username for user in SORTS[name]()]
    assert usernames == sorted(usernames, reverse="descending" in name)
    assert len(usernames) == User.objects.count()


SOME_BUT_NOT_ALL = {
    "customer without invoices": lambda: Customer.objects.filter(invoices=None),
    "product never sold": lambda: Product.objects.filter(invoice_products=None),
    "product out of stock": lambda: Product.objects.filter(stock=0),
    "product at exactly 100": lambda: Product.objects.filter(price=100),
    "product at exactly 500": lambda: Product.objects.filter(price=500),
    "product without attributes": lambda: Product.objects.filter(attributes={}),
    "attribute that is null": lambda: Product.objects.filter(attributes__organic=None),
    "attribute that is missing": lambda: Product.objects.exclude(attributes__has_key="tags"),
    "attribute inside another": lambda: Product.objects.filter(attributes__origin__country="Kenya"),
    "attribute in a list": lambda: Product.objects.filter(attributes__ports__0="usb-c"),
    "category without parent": lambda: Category.objects.filter(parent=None),
    "category without description": lambda: Category.objects.filter(description=""),
    "category without products": lambda: Category.objects.filter(products=None),
    "unpaid invoice": lambda: Invoice.objects.filter(payment=0, payment_due__gt=0),
    "part-paid invoice": lambda: Invoice.objects.filter(payment__gt=0, payment_due__gt=0),
    "invoice paid in parts": lambda: Invoice.objects.alias(n=Count("payments")).filter(n__gt=1),
    "invoice due on the last day": lambda: Invoice.objects.filter(due_on="2026-06-30"),
    "invoice paid too late": lambda: Invoice.objects.filter(
        pk__in=Payment.objects.filter(paid_at__date__gt=F("invoice__due_on")).values("invoice")
    ),
    "payment by card": lambda: Payment.objects.filter(method="card"),
    "invoice with discount": lambda: Invoice.objects.filter(discount__gt=0),
    "line at an older price": lambda: InvoiceProduct.objects.exclude(
        sale_price=F("product__price")
    ),
    "customer with a Bengali name": lambda: Customer.objects.filter(name__regex="[\u0980-\u09ff]"),
    "customer with an accent": lambda: Customer.objects.filter(Q(name__contains="é")),
    "product with an umlaut": lambda: Product.objects.filter(name__startswith="Ü"),
}


@pytest.mark.parametrize("case", SOME_BUT_NOT_ALL)
def test_special_case_is_there_and_so_is_its_opposite(case):
    queryset = SOME_BUT_NOT_ALL[case]()
    assert 0 < queryset.count() < queryset.model.objects.count()


def test_every_ranking_has_ties():
    assert {name: tied for name, tied in invariants.rankings().items() if tied < 2} == {}


def test_names_share_a_prefix_but_for_its_case():
    for model in (Product, Customer):
        assert invariants.case_twins(list(model.objects.values_list("name", flat=True)))


def test_names_and_addresses_repeat():
    for model, field in ((Customer, "name"), (Customer, "email"), (Product, "name")):
        groups = model.objects.values(field).annotate(n=Count("pk"))
        assert groups.filter(n__gt=1).exists(), field


def test_few_customers_buy_most_and_the_shop_grows():
    bought = list(
        Customer.objects.annotate(n=Count("invoices")).order_by("-n").values_list("n", flat=True)
    )
    assert sum(bought[:160]) > 0.6 * sum(bought)
    half = datetime(2025, 7, 1, tzinfo=UTC)
    years = [
        Invoice.objects.filter(issued_at__lt=half).count(),
        Invoice.objects.filter(issued_at__gte=half).count(),
    ]
    assert years[1] > 1.2 * years[0]


def test_owners_log_in_with_the_password_of_the_readme_and_one_is_superuser():
    for owner in catalog.OWNERS[:2]:
        assert User.objects.get(username=owner.username).check_password(catalog.PASSWORD)
    assert not User.objects.get(username="sara").check_password("learn-flask")
    assert [user.username for user in User.objects.filter(is_superuser=True, is_staff=True)] == [
        "sara"
    ]
