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


FRAME = re.compile(r"^\| `(\w+Range\(.*\))` \| (yes|no) \| (yes|no) \| (yes|no) \|$", re.MULTILINE)


@pytest.mark.django_db
def test_the_table_of_frames_in_chapter_15():
    cells = nbformat.read(FOLDER / "15_window_functions.ipynb", as_version=4).cells
    rows = [row.groups() for cell in cells for row in FRAME.finditer(cell.source)]
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
