"""Models that a cell defines below `%rollback`."""

import pytest
from django.apps import apps
from django.db import connection

from .. import library
from ..library import Author
from ..watching import *  # noqa: F403  (fixtures)

MODEL = """%rollback
class Prize(models.Model):
    author = models.OneToOneField(Author, on_delete=models.CASCADE, related_name="prize")
    readers = models.ManyToManyField(Author, related_name="prizes")

    class Meta:
        app_label = "shopdb"

with connection.schema_editor() as editor:
    editor.create_model(Prize)
"""
USE = """author = Author.objects.first()
prize = Prize.objects.create(author=author)
prize.readers.add(author)
print(author.prize == prize, Author.objects.filter(prizes__author=author).count())
"""


@pytest.fixture
def committed_cell(library_tables, transactional_db, bare_cell):
    library.fill(3)
    bare_cell("%load_ext workbook")
    bare_cell(f"from {library.__name__} import *\nfrom django.db import connection, models")
    return bare_cell


def traces() -> tuple[list[str], list[str], bool]:
    relations = sorted(one.name for one in Author._meta.related_objects)
    tables = sorted(connection.introspection.table_names())
    return relations, tables, hasattr(Author, "prize") or hasattr(Author, "prizes")


def test_nothing_of_a_model_made_below_rollback_remains(committed_cell):
    before, models = traces(), set(apps.get_models(include_auto_created=True))
    for _ in range(2):  # and the cell can run again
        shown = committed_cell(MODEL + USE)
        assert "True 1" in shown.printed
        assert "Warning" not in shown.printed
        assert traces() == before
        assert set(apps.get_models(include_auto_created=True)) == models
    Author.objects.first().delete()  # would ask a forgotten relation's table


def test_the_report_leaves_out_the_making_of_tables(committed_cell):
    assert "CREATE TABLE" not in committed_cell(MODEL + USE).report


def test_a_model_of_a_failing_cell_goes_as_well(committed_cell):
    before = traces()
    committed_cell(MODEL + "1 / 0")
    assert traces() == before


def test_rows_written_after_the_tables_are_undone(committed_cell):
    shown = committed_cell(MODEL + "Author.objects.create(name='new')")
    assert not Author.objects.filter(name="new").exists()
    if connection.vendor == "mysql":
        assert "ends the transaction where a table is made" in shown.report
