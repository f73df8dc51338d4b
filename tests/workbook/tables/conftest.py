"""The rows that frames and previews are made of."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection

from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User

from .models import MODELS, BigBox, Box, Detail, Maybe, Slot, Thing


@pytest.fixture(scope="session", autouse=True)
def _tables(django_db_setup, django_db_blocker):
    """The tables of this folder's models, until the test database goes: SQLite drops no table while
    another test's connection has a statement open."""
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)


@pytest.fixture
def things():
    """Two rows with values in every field, and one with NULL wherever it is allowed."""
    box = Box.objects.create(name="top")
    for number in (1, 2):
        thing = Thing.objects.create(box=box, json={"n": [number, None]}, integer=number)
        thing.refresh_from_db()
        values = {f.attname: getattr(thing, f.attname) for f in Thing._meta.concrete_fields}
        del values["id"], values["doubled"]
        Maybe.objects.create(**values)
    Maybe.objects.create()
    Detail.objects.create(thing=thing, note="mind")
    BigBox.objects.create(name="bottom", metres=3)
    Slot.objects.create(row=1, column="a", weight=0.5)
    Slot.objects.create(row=2, column="b")


@pytest.fixture
def shop():
    """Two owners; a category without parent; a customer without invoice; a product never sold."""
    ra = User.objects.create(username="ra", email="ra@example.com", password="x" * 90)
    tools = Category.objects.create(name="Tools", username=ra)
    saws = Category.objects.create(name="Saws", username=ra, parent=tools)
    products = [
        Product.objects.create(
            name=f"Saw {n}", price=Decimal(n) / 4, unit="piece", category=saws, username=ra
        )
        for n in range(1, 13)
    ]
    asa = Customer.objects.create(name="Åsa", email="a@example.com", username=ra)
    Customer.objects.create(name="Nobody", email="n@example.com", username=ra)
    for day in (1, 2):
        invoice = Invoice.objects.create(
            number=f"2026-000{day}",
            total=Decimal("0.10") * day,
            discount=0,
            vat=0,
            payment=0,
            payment_due=Decimal("0.10") * day,
            issued_at=datetime.datetime(2026, 6, day, 20, 30, tzinfo=datetime.UTC),
            customer=asa,
            username=ra,
        )
        InvoiceProduct.objects.create(
            invoice=invoice, product=products[day], customer=asa, username=ra, qty=3, sale_price=1
        )
