"""The models are the seed document's, field for field."""

import pytest
from django.apps import apps
from django.core.management import call_command

# model → field → (class, options), as the seed document writes them.
SEED_DOCUMENT = {
    "User": {
        "username": ("CharField", {"max_length": 150, "unique": True}),
        "email": ("EmailField", {"unique": True}),
        "mobile": ("CharField", {"max_length": 20}),
        "password": ("CharField", {"max_length": 500}),
        "first_name": ("CharField", {"max_length": 50}),
        "last_name": ("CharField", {"max_length": 50}),
        "otp": ("IntegerField", {}),
        "created_at": ("DateTimeField", {"auto_now_add": True}),
        "updated_at": ("DateTimeField", {"auto_now": True}),
    },
    "Product": {
        "name": ("CharField", {"max_length": 100}),
        "price": ("DecimalField", {"max_digits": 10, "decimal_places": 2}),
        "unit": ("CharField", {"max_length": 100}),
        "category": ("ForeignKey", {"to": "Category"}),
        "username": ("ForeignKey", {"to": "User"}),
    },
    "Customer": {
        "name": ("CharField", {"max_length": 100}),
        "email": ("EmailField", {}),
        "mobile": ("CharField", {"max_length": 20}),
        "username": ("ForeignKey", {"to": "User"}),
    },
    "Invoice": {
        **{
            name: ("DecimalField", {"max_digits": 10, "decimal_places": 2})
            for name in ("total", "discount", "vat", "payment", "payment_due")
        },
        "customer": ("ForeignKey", {"to": "Customer"}),
        "username": ("ForeignKey", {"to": "User"}),
    },
    "InvoiceProduct": {
        "invoice": ("ForeignKey", {"to": "Invoice"}),
        "product": ("ForeignKey", {"to": "Product"}),
        "customer": ("ForeignKey", {"to": "Customer"}),
        "username": ("ForeignKey", {"to": "User"}),
        "qty": ("IntegerField", {}),
        "sale_price": ("DecimalField", {"max_digits": 10, "decimal_places": 2}),
    },
}

EXPECTATIONS = [
    pytest.param(model, field, kind, options, id=f"{model}.{field}")
    for model, fields in SEED_DOCUMENT.items()
    for field, (kind, options) in fields.items()
]


@pytest.mark.parametrize(("model", "field", "kind", "options"), EXPECTATIONS)
def test_field_is_as_the_seed_document_writes_it(model, field, kind, options):
    found = apps.get_model("shopdb", model)._meta.get_field(field)
    assert type(found).__name__ == kind
    if target := options.get("to"):
        assert found.related_model.__name__ == target
        assert found.remote_field.on_delete.__name__ == "CASCADE"
    else:
        assert {name: getattr(found, name) for name in options} == options


@pytest.mark.django_db
def test_the_migrations_make_the_models_as_they_are():
    call_command("makemigrations", "shopdb", "seed", check=True, dry_run=True, verbosity=0)
