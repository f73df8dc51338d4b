"""What the chapters say of three databases is true of the one under test."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from django.db import connection

from .chapters import FOLDER, ROOT

COLUMN = {"sqlite": 1, "postgresql": 2, "mysql": 3}
ROW = re.compile(r"^\| `(name\w*=\"[^\"]+\")` \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def test_the_table_of_text_lookups_in_chapter_02(shop_url):
    cells = nbformat.read(FOLDER / "02_lookups.ipynb", as_version=4).cells
    rows = [row.groups() for cell in cells for row in ROW.finditer(cell.source)]
    assert len(rows) >= 5
    count = "\n".join(f"print(Customer.objects.filter({row[0]}).count())" for row in rows)
    shown = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity=0", "--command", count],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": shop_url},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.split() == [row[COLUMN[connection.vendor]] for row in rows]


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


@pytest.mark.skipif(connection.vendor != "mysql", reason="Only MariaDB keeps zones in tables.")
def test_what_chapter_13_says_of_mariadb_without_time_zones(shop_url, django_db_blocker):
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        if cursor.execute("SELECT 1 FROM mysql.time_zone LIMIT 1"):
            pytest.skip("This MariaDB server has its time zones.")
    shown = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity=0", "--command", WITHOUT_ZONES],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": shop_url},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shown[0] == "0"
    assert "[(None,)]" in shown[1]
    assert "Are time zone definitions for your database installed?" in shown[2]
