"""The database refuses nonsense by itself: every attempt here is a raw INSERT, past the ORM."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, transaction

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
STAMPS = {"created_at": NOW, "updated_at": NOW}


def insert(model, **row) -> None:
    """Insert `row` (column → value) into the model's table with SQL written here."""
    row |= STAMPS
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, row))
    holes = ", ".join(["%s"] * len(row))
    fields = {field.column: field for field in model._meta.concrete_fields}
    values = [fields[name].get_db_prep_save(value, connection) for name, value in row.items()]
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({holes})", values
        )


@pytest.fixture
def shop():
    """One valid row of every model, as column → value, ready to be spoilt."""
    owner = User.objects.create(username="rahim", email="rahim@example.com")
    category = Category.objects.create(name="Tea", username=owner)
    product = Product.objects.create(
        name="Assam", price=5, unit="bag", category=category, username=owner
    )
    customer = Customer.objects.create(name="Åsa", email="asa@example.com", username=owner)
    amounts = dict(total=20, discount=2, vat="2.70", payment=10, payment_due="10.70")
    amounts = {name: Decimal(amount) for name, amount in amounts.items()}
    invoice = Invoice.objects.create(
        number="2026-0001", customer=customer, username=owner, **amounts
    )
    own = {"username_id": owner.pk}
    return {
        Category: own | {"name": "Coffee", "description": ""},
        Product: own
        | {"name": "Ceylon", "price": Decimal(5), "unit": "bag", "stock": 3}
        | {"attributes": {}, "category_id": category.pk},
        Invoice: own
        | amounts
        | {"number": "2026-0002", "issued_at": NOW, "due_on": NOW.date(), "void_at": None}
        | {"void_reason": "", "customer_id": customer.pk},
        InvoiceProduct: own
        | {"invoice_id": invoice.pk, "product_id": product.pk, "customer_id": customer.pk}
        | {"qty": 3, "sale_price": Decimal("0.10")},
        Payment: own
        | {"invoice_id": invoice.pk, "amount": Decimal(10), "method": "cash", "paid_at": NOW}
        | {"reason": ""},
    }


@pytest.fixture
def others():
    """Keys of another owner and of rows of theirs."""
    owner = User.objects.create(username="sofia", email="sofia@example.com")
    category = Category.objects.create(name="Tea", username=owner)
    product = Product.objects.create(
        name="Assam", price=5, unit="bag", category=category, username=owner
    )
    customer = Customer.objects.create(name="Ravi", email="ravi@example.com", username=owner)
    return {"username_id": owner.pk, "product_id": product.pk, "customer_id": customer.pk}


@pytest.mark.parametrize("model", [Category, Product, Invoice, InvoiceProduct, Payment])
def test_a_valid_row_is_taken(shop, model):
    insert(model, **shop[model])


@pytest.mark.parametrize(
    ("model", "spoilt"),
    [
        (Product, {"price": Decimal("-0.01")}),
        (Product, {"stock": -1}),
        (Product, {"name": "Assam"}),
        (Category, {"name": "Tea"}),
        (Invoice, {"total": Decimal(-20), "payment_due": Decimal("-29.30")}),
        (Invoice, {"discount": Decimal(-2), "payment_due": Decimal("14.70")}),
        (Invoice, {"vat": Decimal("-2.70"), "payment_due": Decimal("5.30")}),
        (Invoice, {"payment": Decimal(-10), "payment_due": Decimal("30.70")}),
        (Invoice, {"payment_due": Decimal("10.71")}),
        (Invoice, {"payment": Decimal("20.71"), "payment_due": Decimal("-0.01")}),
        (Invoice, {"discount": Decimal("20.01"), "payment_due": Decimal("-7.31")}),
        (
            Invoice,
            {"discount": Decimal("20.01"), "vat": Decimal(20), "payment_due": Decimal("9.99")},
        ),
        (Invoice, {"number": "2026-0001"}),
        (Invoice, {"number": ""}),
        (Invoice, {"number": None}),
        (Invoice, {"due_on": None}),
        (Invoice, {"void_at": NOW}),
        (Invoice, {"void_reason": "Ordered twice"}),
        (Invoice, {"void_at": NOW, "void_reason": "Still paid"}),
        (Payment, {"amount": Decimal(0)}),
        (Payment, {"amount": Decimal(-10)}),
        (InvoiceProduct, {"qty": 0}),
        (InvoiceProduct, {"qty": -3}),
        (InvoiceProduct, {"sale_price": Decimal("-0.10")}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "-".join(value),
)
def test_nonsense_is_refused(shop, model, spoilt):
    with pytest.raises((IntegrityError, DataError)):  # MariaDB: its unsigned stock has no -1
        insert(model, **shop[model] | spoilt)


def test_a_void_invoice_and_a_refund_need_their_reasons(shop):
    unpaid = {"payment": Decimal(0), "payment_due": Decimal("20.70")}
    insert(Invoice, **shop[Invoice] | unpaid | {"void_at": NOW, "void_reason": "Ordered twice"})
    insert(Payment, **shop[Payment] | {"amount": Decimal(-10), "reason": "Goods returned"})


@pytest.mark.django_db(transaction=True)  # foreign keys are checked when a transaction commits
@pytest.mark.parametrize(
    ("model", "foreign"),
    [
        (Invoice, ["customer_id"]),
        (Invoice, ["username_id"]),
        (InvoiceProduct, ["customer_id"]),
        (InvoiceProduct, ["username_id"]),
        (InvoiceProduct, ["product_id"]),
        (InvoiceProduct, ["customer_id", "username_id"]),
        (InvoiceProduct, ["customer_id", "username_id", "product_id"]),
        (Payment, ["username_id"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "-".join(value),
)
def test_rows_of_two_owners_do_not_mix(shop, others, model, foreign):
    with pytest.raises(IntegrityError):
        insert(model, **shop[model] | {name: others[name] for name in foreign})
    insert(model, **shop[model])  # the row itself is fine


@pytest.mark.django_db(transaction=True)
def test_a_line_names_the_customer_of_its_invoice(shop):
    owner = User.objects.get()
    second = Customer.objects.create(name="Ravi", email="ravi@example.com", username=owner)
    with pytest.raises(IntegrityError):
        insert(InvoiceProduct, **shop[InvoiceProduct] | {"customer_id": second.pk})
    insert(InvoiceProduct, **shop[InvoiceProduct])
    for update in (
        lambda: Invoice.objects.update(customer=second),
        lambda: InvoiceProduct.objects.update(customer=second),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            update()


def test_validation_says_what_the_database_would_not_take(shop, others):
    line = InvoiceProduct(**shop[InvoiceProduct])
    line.full_clean()
    line.customer_id = others["customer_id"]
    with pytest.raises(ValidationError) as caught:
        line.full_clean()
    assert caught.value.messages == ["The customer and username must be the same as the invoice's."]


def test_a_product_is_on_an_invoice_once(shop):
    insert(InvoiceProduct, **shop[InvoiceProduct])
    with pytest.raises(IntegrityError):
        insert(InvoiceProduct, **shop[InvoiceProduct])


def test_cents_that_floats_cannot_hold_still_balance(shop):
    """0.30 − 0.10 + 0.00 − 0.10 is 0.10 in cents and 0.09999999999999998 in floats."""
    amounts = dict(total="0.30", discount="0.10", vat="0", payment="0.10", payment_due="0.10")
    insert(Invoice, **shop[Invoice] | {name: Decimal(value) for name, value in amounts.items()})


def test_the_database_computes_the_line_total(shop):
    insert(InvoiceProduct, **shop[InvoiceProduct])
    assert InvoiceProduct.objects.get().line_total == Decimal("0.30")


@pytest.mark.django_db(transaction=True)  # foreign keys are checked when a transaction commits
def test_an_unknown_owner_is_refused(shop):
    with pytest.raises(IntegrityError):
        insert(Category, **shop[Category] | {"username_id": 10**6})
