"""`frame()` on 200,000 invoices, beside django-pandas and beside a bare cursor.

On SQLite; on PostgreSQL too where `DATABASE_URL` (or `POSTGRES_URL`) names such a server: in a
schema of its own, which is dropped again.
"""

import datetime
import os
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.db.models import QuerySet
from django_pandas.io import read_frame

from shopdb.models import Customer, Invoice, User
from workbook.tables import frame, preview

INVOICES = 200_000
CUSTOMERS = 800
ALIAS = "bench_frames"


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield (what, measured, bar, met), each ratio from one database and one run."""
    with _sqlite() as settings, _invoices(settings) as invoices:
        yield from _beside_others(invoices, "SQLite")
        ratio = _peak_ratio(invoices)
        yield "frame(), peak memory ÷ the frame", f"{ratio:.2f} ×", "≤ 2.5 ×", ratio <= 2.5
        bare, shown = _seconds(
            lambda: _bare_fetchall(invoices), lambda: preview(invoices.all()), repeats=3
        )
        ratio = shown / bare
        yield "preview() of as many ÷ bare fetchall()", f"{ratio:.2f} ×", "≤ 1 ×", ratio <= 1
    urls = os.environ.get("POSTGRES_URL"), os.environ.get("DATABASE_URL")
    for url in [url for url in urls if url and url.startswith("postgres")][:1]:
        with _postgresql(url) as settings, _invoices(settings) as invoices:
            yield from _beside_others(invoices, "PostgreSQL")


def _beside_others(invoices: QuerySet, database: str) -> Iterator[tuple[str, str, str, bool]]:
    bare, ours, theirs = _seconds(
        lambda: _bare_fetchall(invoices),
        lambda: frame(invoices.all()),
        lambda: read_frame(invoices.all(), verbose=False),
    )
    ratio = theirs / ours
    yield f"frame(), django-pandas ÷ ours, {database}", f"{ratio:.1f} ×", "≥ 6 ×", ratio >= 6
    ratio = ours / bare
    yield f"frame() ÷ bare fetchall(), {database}", f"{ratio:.2f} ×", "≤ 1.5 ×", ratio <= 1.5


def _seconds(*tasks: Callable[[], object], repeats: int = 5) -> list[float]:
    """The least time each task took, taking turns so that a busy moment hits them alike."""
    least = [float("inf")] * len(tasks)
    for _ in range(repeats):
        for place, task in enumerate(tasks):
            start = time.perf_counter()
            task()
            least[place] = min(least[place], time.perf_counter() - start)
    return least


def _bare_fetchall(invoices: QuerySet) -> list[tuple]:
    sql, params = invoices.query.sql_with_params()
    with connections[ALIAS].cursor() as cursor:
        return cursor.execute(sql, params).fetchall()


def _peak_ratio(invoices: QuerySet) -> float:
    frame(invoices.all()[:10])  # imports are not part of it
    tracemalloc.start()
    try:
        table = frame(invoices.all())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak / int(table.memory_usage(deep=True).sum())


# Databases of their own, so that the shop in front of the reader stays as it is.


@contextmanager
def _sqlite() -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        name = str(Path(folder) / "bench.sqlite3")
        yield {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {}}


@contextmanager
def _postgresql(url: str) -> Iterator[dict]:
    settings = {**dj_database_url.parse(url), "OPTIONS": {}}
    with _connected(settings) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {ALIAS} CASCADE")
        cursor.execute(f"CREATE SCHEMA {ALIAS}")
    try:
        yield {**settings, "OPTIONS": {"options": f"-c search_path={ALIAS}"}}
    finally:
        with _connected(settings) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {ALIAS} CASCADE")


@contextmanager
def _connected(settings: dict) -> Iterator[Any]:
    connections.settings[ALIAS] = {**connections["default"].settings_dict, **settings}
    try:
        yield connections[ALIAS]
    finally:
        connections[ALIAS].close()
        del connections[ALIAS], connections.settings[ALIAS]


@contextmanager
def _invoices(settings: dict) -> Iterator[QuerySet]:
    with _connected(settings) as connection:
        with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
            for model in (ContentType, Permission, Group, User, Customer, Invoice):
                editor.create_model(model)
        owner = User(username="ra", email="ra@example.com")
        owner.save(using=ALIAS)
        Customer.objects.using(ALIAS).bulk_create(
            Customer(name=f"Customer {n}", username=owner) for n in range(CUSTOMERS)
        )
        columns = [field.column for field in Invoice._meta.local_concrete_fields[1:]]
        with transaction.atomic(using=ALIAS), connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {Invoice._meta.db_table} ({', '.join(columns)}) "
                f"VALUES ({', '.join(['%s'] * len(columns))})",
                _values(columns, owner),
            )
        yield Invoice.objects.using(ALIAS)


def _values(columns: list[str], owner: User) -> Iterator[list[object]]:
    rng = random.Random(1)
    last = datetime.datetime(2026, 6, 30)
    for sequence in range(INVOICES):
        total, discount, vat = rng.randint(100, 99_999), rng.randint(0, 99), rng.randint(0, 9_999)
        payment = rng.randint(0, total - discount)
        issued_at = str(last - datetime.timedelta(seconds=rng.randint(0, 730 * 86_400)))
        row = {
            "number": f"{issued_at[:4]}-{sequence:06}",
            "due_on": issued_at[:10],
            "void_at": None,
            "void_reason": "",
            "created_at": issued_at,
            "updated_at": issued_at,
            "total": total / 100,
            "discount": discount / 100,
            "vat": vat / 100,
            "payment": payment / 100,
            "payment_due": (total - discount + vat - payment) / 100,
            "issued_at": issued_at,
            "customer_id": rng.randint(1, CUSTOMERS),
            "username_id": owner.pk,
        }
        yield [row[column] for column in columns]
