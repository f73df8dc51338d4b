"""Whether the shop is still as it was seeded, and how to get it back.

`seed` notes a checksum of each table when it has filled the shop. What `%load_ext workbook` and
`%reset shop` say comes from here (`WORKBOOK["SHOP"]` in the settings).
"""

import hashlib
import io
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, models

from seed import shop, writer
from seed.models import Seeding

# Logging in changes these.
NOT_CONTENT = {"last_login", "password"}
# Small tables are read whole; for larger ones the database adds up; for very large ones it counts.
READ_WHOLE, ADD_UP = 2_000, 50_000

Table = dict[str, Any]


def note(seed: int, invoices: int) -> None:
    """Remember what the shop has just been filled with."""
    Seeding.objects.all().delete()
    Seeding.objects.create(seed=seed, invoices=invoices, made_by=generator(), tables=tables())


def changes() -> str:
    """What is not as it was seeded, in a sentence; "" if nothing is, or nobody knows."""
    seeding = Seeding.objects.first()
    if seeding is None:
        return ""
    found = []
    for name, now in tables().items():
        before = seeding.tables.get(name, now)
        if now["rows"] != before["rows"]:
            found.append(f"{now['rows']:,} {_words(name)} instead of {before['rows']:,}")
        elif now["columns"] == before["columns"] and now != before:
            found.append(f"other values in {_words(name)}")
    if found:
        return f"The shop is not as it was seeded: {', '.join(found)}."
    return ""


def contents() -> str:
    """What `reset` removes: "6 users, 20 categories, …"."""
    counted = [
        f"{model._base_manager.count():,} {_words(model.__name__)}"
        for model in writer.shop_models()
    ]
    return f"{', '.join(counted[:-1])} and {counted[-1]}"


def reset() -> str:
    """Fill the shop again with what it was filled with; returns what was done."""
    seeding = Seeding.objects.first()
    numbers = {"seed": seeding.seed, "invoices": seeding.invoices} if seeding else {}
    said = io.StringIO()
    call_command("seed", reset=True, stdout=said, **numbers)
    return said.getvalue().strip()


def update() -> str:
    """After an update of the workbook: seed again if the data it makes have changed, unless
    somebody has changed rows. Returns what was done, "" if nothing was to do.
    """
    seeding = Seeding.objects.first()
    if seeding is None or seeding.made_by == generator():
        return ""
    if changed := changes():
        return (
            f"This update comes with other data. {changed} So it was left alone; to get the "
            "new data, run `python manage.py seed --reset`."
        )
    return f"This update comes with other data. {reset()}"


def generator() -> str:
    """A digest of the code that makes the data."""
    from faker import VERSION

    whole = hashlib.sha256(VERSION.encode())
    for name in ("catalog.py", "shop.py"):
        text = (Path(shop.__file__).parent / name).read_text(encoding="utf-8")
        whole.update(text.encode())
    return whole.hexdigest()


def tables() -> dict[str, Table]:
    """Model name → what its table holds: how many rows, of which columns, and a checksum."""
    return {model.__name__: _table(model) for model in writer.shop_models()}


def _table(model: type[models.Model]) -> Table:
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.name not in NOT_CONTENT
        and not field.generated
        and not isinstance(field, models.DateTimeField)  # the latest change stands for them
    ]
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    found: Table = {"columns": " ".join(field.column for field in fields), "sum": ""}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        rows = found["rows"] = cursor.fetchone()[0]
        if rows <= READ_WHOLE:
            names = ", ".join(quote(field.column) for field in fields)
            cursor.execute(f"SELECT {names} FROM {table} ORDER BY {quote('id')}")
            found["sum"] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()[:16]
        elif rows <= ADD_UP:
            cursor.execute(f"SELECT {_checksum(fields, quote)} FROM {table}")
            found["sum"] = f"{float(cursor.fetchone()[0]):.13g}"
        if rows <= ADD_UP:
            cursor.execute(f"SELECT MAX(updated_at) FROM {table}")
            found["latest"] = str(cursor.fetchone()[0])
    return found


def _checksum(fields: list[models.Field], quote: Any) -> str:
    """SQL for one number that changes when values change, or change places."""
    numeric = models.IntegerField, models.DecimalField, models.ForeignKey
    columns = [quote(field.column) for field in fields if isinstance(field, numeric)]
    weighed = " + ".join(
        f"{weight} * COALESCE({column}, 0)" for weight, column in enumerate(columns, start=1)
    )
    return f"SUM(({weighed}) * ({quote('id')} % 1009 + 1))"


def _words(name: str) -> str:
    found = next(model for model in writer.shop_models() if model.__name__ == name)
    return str(found._meta.verbose_name_plural)
