"""One seeded shop per test worker, on the database under test, for the chapters to run on."""

import hashlib
import os
import re

import dj_database_url
import pytest
from django.apps import apps
from django.conf import settings
from django.db import ConnectionHandler, connection

from .chapters import fill, seeded_shop


@pytest.fixture(scope="session")
def shop_url(worker_id, django_db_blocker):
    """DATABASE_URL of a default shop that no other worker touches."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        with seeded_shop() as url:
            yield url
        return

    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    name = f"workbook_chapters_{worker_id}"
    drop = f"DROP DATABASE IF EXISTS {name}"
    if connection.vendor == "postgresql":
        drop += " WITH (FORCE)"  # a kernel may not have let go of it yet
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(f"CREATE DATABASE {name}")
    fill(f"{server}/{name}")
    yield f"{server}/{name}"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(drop)


@pytest.fixture(scope="session")
def has_time_zones(django_db_blocker):
    """Whether the server knows time zones: MariaDB has them in tables, which somebody fills."""
    if connection.vendor != "mysql":
        return True
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        return bool(cursor.execute("SELECT 1 FROM mysql.time_zone LIMIT 1"))


@pytest.fixture(autouse=True)
def time_zones(request):
    """Chapter 13 is left out where the server has no time zones."""
    identity = getattr(getattr(request.node, "callspec", None), "id", "")
    if re.match(r"13[._]", identity) and not request.getfixturevalue("has_time_zones"):
        pytest.skip("This MariaDB server has no time zones: see README.md.")


@pytest.fixture
def shop_digest(shop_url, django_db_blocker):
    """A function that digests every row of the shop's tables."""

    def digest() -> str:
        found = hashlib.sha256()
        with django_db_blocker.unblock():
            connection = ConnectionHandler({"default": dj_database_url.parse(shop_url)})["default"]
            with connection.cursor() as cursor:
                for model in apps.get_app_config("shopdb").get_models():
                    cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY id")
                    found.update(repr(cursor.fetchall()).encode())
            connection.close()
        return found.hexdigest()

    return digest
