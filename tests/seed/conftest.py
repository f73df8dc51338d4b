"""Shops to read (built once a module, rolled back) and databases of one's own to break."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from seed import edge_cases


@pytest.fixture(scope="module")
def default_shop(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The default shop, in the test database, for all tests of a module."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed", verbosity=0)
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module", params=[None, 1], ids=["in order", "shuffled"])
def small_shop(request, django_db_setup, django_db_blocker) -> Iterator[None]:
    """The shop of edge cases, in its own order and shuffled."""
    with django_db_blocker.unblock(), transaction.atomic():
        edge_cases.build(request.param)
        yield
        transaction.set_rollback(True)


class Database:
    """A migrated database of its own, for processes that seed, collide and get killed."""

    def __init__(self, url: str) -> None:
        self.environment = {**os.environ, "DATABASE_URL": url}

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start `python <arguments>` on this database."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run it to its end: exit code, standard output, standard error."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


@pytest.fixture
def empty_database(tmp_path, django_db_setup, django_db_blocker) -> Iterator[Database]:
    """A database without tables, of the same kind as the one under test."""
    if connection.vendor == "sqlite":
        yield Database(f"sqlite:///{tmp_path / 'shop.sqlite3'}")
        return
    quoted = connection.ops.quote_name(name := f"{connection.settings_dict['NAME']}_seed")
    # A connection of its own: databases are not made inside a test's transaction.
    with django_db_blocker.unblock(), connection.copy().cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")
        cursor.execute(f"CREATE DATABASE {quoted}")
        yield Database(os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}")
        cursor.execute(f"DROP DATABASE {quoted}")
        cursor.db.close()


@pytest.fixture
def database(empty_database) -> Database:
    """A migrated database without rows, of the same kind as the one under test."""
    code, _, err = empty_database.run("manage.py", "migrate", "-v0")
    assert code == 0, err
    return empty_database
