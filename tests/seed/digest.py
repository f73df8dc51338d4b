"""One short text that stands for every value of every row of the shop, whatever the database."""

import hashlib
import json
from datetime import date
from decimal import Decimal

from seed.writer import shop_models


def shop_digest() -> str:
    """Read all rows through the ORM, in the order of their keys, and hash them."""
    digest = hashlib.sha256()
    for model in shop_models():
        names = sorted(field.attname for field in model._meta.concrete_fields)
        for row in model.objects.order_by("pk").values_list(*names):
            digest.update(json.dumps([_plain(value) for value in row], sort_keys=True).encode())
    return digest.hexdigest()[:16]


def _plain(value):
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else value
