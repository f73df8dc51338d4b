"""What a capture has changed for good: neither more nor less than the database holds."""

import pytest
from django.db import transaction

from workbook.queries import queries, writes

from ..library import Tag
from ..watching import library_tables  # noqa: F401  (a fixture)


class Back(Exception):
    pass


def saved() -> str:
    """What is said to be saved by a block of nested transactions, some of them undone."""
    with queries() as q:
        Tag.objects.create(word="at once")
        with transaction.atomic():
            Tag.objects.create(word="kept")
            with transaction.atomic():
                Tag.objects.create(word="kept, inner")
            try:
                with transaction.atomic():
                    Tag.objects.create(word="lost")
                    with transaction.atomic():
                        Tag.objects.create(word="lost, inner")
                    raise Back
            except Back:
                pass
            Tag.objects.create(word="kept, after")
        try:
            with transaction.atomic():
                Tag.objects.update(word="lost")
                raise Back
        except Back:
            pass
        Tag.objects.filter(word="nobody").update(word="x")
        Tag.objects.filter(word="at once").delete()
        Tag.objects.count()
    return writes.summary(writes.kept(q))


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_saved(library_tables):  # noqa: F811
    assert saved() == "4 rows of Tag added, 1 row of Tag deleted"
    assert Tag.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_what_is_still_open_is_not_saved(library_tables):  # noqa: F811
    with transaction.atomic():
        with queries() as q, transaction.atomic():
            Tag.objects.create(word="here")
        assert writes.kept(q) == []


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ('INSERT INTO "workbook_tag" ("word") VALUES (%s)', "workbook_tag"),
        ("INSERT OR IGNORE INTO `workbook_tag` VALUES (1)", "workbook_tag"),
        ("update workbook_tag set word = 'a'", "workbook_tag"),
        ('DELETE FROM "workbook_tag" WHERE "id" IN (1)', "workbook_tag"),
        ("DELETE", ""),
    ],
)
def test_the_table_of_a_write(sql, table):
    assert writes._table(sql) == table
