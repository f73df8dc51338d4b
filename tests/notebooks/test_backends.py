"""What the chapters say of three databases is true of the one under test."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from django.db import NotSupportedError, connection, models

from shopdb.models import Product

from .chapters import FOLDER, ROOT

COLUMN = {"sqlite": 1, "postgresql": 2, "mysql": 3}
LOOKUP = re.compile(r"^\| `(name\w*=\"[^\"]+\")` \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
CAST = re.compile(r"^\| `(\w+Field\(.*\))` \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
FRAME = re.compile(r"^\| `(\w+Range\(.*\))` \| (yes|no) \| (yes|no) \| (yes|no) \|$", re.MULTILINE)
COLLATION = re.compile(
    r"^\| (SQLite|PostgreSQL|MariaDB)[^|]* \| (.+) \| (.+) \| (\d+) \|$", re.MULTILINE
)

CASTING = """
from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast

def cast(field):
    try:
        return repr(User.objects.values_list(Cast(Value("12abc"), field), flat=True).first())
    except Exception as error:
        return type(error).__name__
"""
COLLATING = """
from django.db.models import Value
from django.db.models.functions import Collate

some = ["Anna Berg", "ANNA BERGMANN", "anna bergson", "Zoë Martin", "Åsa Öberg"]

def show(*collation):
    name, typed = "name", Value("anna berg")
    if collation:
        name, typed = Collate(name, *collation), Collate(typed, *collation)
    names = Customer.objects.filter(name__in=some).order_by(name, "pk")
    print(*[customer.name.split()[0] for customer in names], sep=", ")
    print(Customer.objects.filter(name=typed).count())
"""


WITHOUT_ZONES = """
from django.db.models import DateField
from django.db.models.functions import TruncMonth
from django.utils import timezone
timezone.activate("Asia/Dhaka")
print(Invoice.objects.filter(issued_at__year=2025, issued_at__month=11).count())
month = TruncMonth("issued_at", output_field=DateField())
print(list(Invoice.objects.values_list(month).distinct()))
try:
    Invoice.objects.values_list(TruncMonth("issued_at"))[0]
except ValueError as error:
    print(error)
"""


def test_the_table_of_text_lookups_in_chapter_02(shop_url):
    rows = table(LOOKUP, "02_lookups")
    assert len(rows) >= 5
    counts = [f"print(Customer.objects.filter({row[0]}).count())" for row in rows]
    shown = in_the_shop(shop_url, "\n".join(counts))
    assert shown == [row[COLUMN[connection.vendor]] for row in rows]


def test_the_table_of_casts_in_chapter_12(shop_url):
    rows = table(CAST, "12_database_functions")
    assert len(rows) >= 5
    casts = [f"print(cast(models.{row[0]}))" for row in rows]
    shown = in_the_shop(shop_url, "\n".join([CASTING, *casts]))
    assert shown == [row[COLUMN[connection.vendor]].strip("`") for row in rows]


def test_the_table_of_collations_in_chapter_12(shop_url):
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}[connection.vendor]
    rows = [row[1:] for row in table(COLLATION, "12_database_functions") if row[0] == name]
    assert len(rows) == 2
    collations = [re.findall("`(.+)`", collation) for collation, _, _ in rows]
    lines = [f"show(*{collation})" for collation in collations]
    shown = in_the_shop(shop_url, "\n".join([COLLATING, *lines]))
    for (_, order, found), names, count in zip(rows, shown[::2], shown[1::2], strict=True):
        assert count == found
        assert names == order or order.startswith("depends")


def test_what_chapter_13_says_of_mariadb_without_time_zones(shop_url, has_time_zones):
    if has_time_zones:
        pytest.skip("This server has its time zones.")
    count, months, error = in_the_shop(shop_url, WITHOUT_ZONES)[:3]
    assert count == "0"
    assert "[(None,)]" in months
    assert "Are time zone definitions for your database installed?" in error


@pytest.mark.django_db
def test_the_table_of_frames_in_chapter_15():
    rows = table(FRAME, "15_window_functions")
    assert len(rows) >= 4
    for row in rows:
        frame = eval(row[0], vars(models))
        count = models.Window(models.Count("pk"), order_by="price", frame=frame)
        try:
            list(Product.objects.annotate(count=count))
            supported = "yes"
        except NotSupportedError:
            supported = "no"
        assert supported == row[COLUMN[connection.vendor]], row[0]


@pytest.mark.django_db
def test_every_database_itself_has_frames_of_values():
    """On PostgreSQL, chapter 15 says, their absence is a limit of Django's ValueRange."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) OVER (ORDER BY price RANGE BETWEEN 10 PRECEDING AND CURRENT ROW)"
            " FROM shopdb_product"
        )
        assert len(cursor.fetchall()) == Product.objects.count()


def table(row: re.Pattern, chapter: str) -> list[tuple[str, ...]]:
    """The cells of the rows of that form in the chapter's tables."""
    cells = nbformat.read(FOLDER / f"{chapter}.ipynb", as_version=4).cells
    return [found.groups() for cell in cells for found in row.finditer(cell.source)]


def in_the_shop(url: str, code: str) -> list[str]:
    """The lines that the code prints in `manage.py shell`."""
    return subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity=0", "--command", code],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
