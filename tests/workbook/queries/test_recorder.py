"""Counts agree with Django's own, whatever the work."""

import random
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, F
from django.test.utils import CaptureQueriesContext

from workbook.queries import queries
from workbook.queries.recorder import paused

from .. import library
from ..library import Author, Book, Passport, Tag
from ..watching import *  # noqa: F403  (fixtures)

pytestmark = pytest.mark.usefixtures("library_tables")

TRANSACTION = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")


def raw(sql, *params, many=False):
    with connection.cursor() as cursor:
        (cursor.executemany if many else cursor.execute)(sql, *params)
        return None if many or not sql.startswith("SELECT") else cursor.fetchall()


def fails(sql):
    try:
        with transaction.atomic():
            raw(sql)
    except DatabaseError:
        pass


def nested(work, *, fail=False):
    try:
        with transaction.atomic(), transaction.atomic():
            work()
            if fail:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass


OPERATIONS = {
    "get": lambda n: Author.objects.get(name=f"author {n}"),
    "get nothing": lambda n: Author.objects.filter(name="nobody").first(),
    "list": lambda n: list(Book.objects.all()),
    "slice": lambda n: list(Book.objects.order_by("pk")[n : n + 2]),
    "len then iterate": lambda n: [len(q := Book.objects.all()), *q],
    "prefetch": lambda n: list(Author.objects.prefetch_related("books__tags")[: n + 1]),
    "join": lambda n: [b.author.name for b in Book.objects.select_related("author")[:n]],
    "loop": lambda n: [b.author.name for b in Book.objects.all()[:n]],
    "one-to-one": lambda n: [a.passport.number for a in Author.objects.all()[:n]],
    "count": lambda n: Book.objects.count(),
    "exists": lambda n: Book.objects.filter(title=str(n)).exists(),
    "aggregate": lambda n: Book.objects.aggregate(Count("pk")),
    "annotate": lambda n: list(Author.objects.annotate(n=Count("books"))),
    "values": lambda n: list(Book.objects.values_list("title", flat=True)),
    "iterator": lambda n: list(Book.objects.iterator(chunk_size=n + 1)),
    "iterator left early": lambda n: next(Book.objects.iterator(chunk_size=n + 1)),
    "in_bulk": lambda n: Book.objects.in_bulk(),
    "none": lambda n: list(Book.objects.none()),
    "create": lambda n: Tag.objects.create(word=f"word {n}"),
    "save": lambda n: Tag.objects.first().save(),
    "bulk_create": lambda n: Tag.objects.bulk_create(
        [Tag(word=str(i)) for i in range(n + 1)], batch_size=2
    ),
    "bulk_update": lambda n: Tag.objects.bulk_update(Tag.objects.all()[: n + 1], ["word"]),
    "update": lambda n: Tag.objects.update(word=F("word")),
    "delete": lambda n: Tag.objects.filter(word__startswith="word").delete(),
    "delete with cascade": lambda n: Author.objects.filter(name="author 6").delete(),
    "get_or_create": lambda n: Tag.objects.get_or_create(word=f"got {n}"),
    "update_or_create": lambda n: Tag.objects.update_or_create(word=f"up {n}"),
    "many-to-many": lambda n: Book.objects.first().tags.set(Tag.objects.all()[:n]),
    "raw()": lambda n: list(Tag.objects.raw("SELECT * FROM workbook_tag")),
    "cursor": lambda n: raw("SELECT COUNT(*) FROM workbook_book WHERE id > %s", [n]),
    "executemany": lambda n: raw(
        "INSERT INTO workbook_tag (word) VALUES (%s)", [[str(i)] for i in range(n + 1)], many=True
    ),
    "executemany of a generator": lambda n: raw(
        "INSERT INTO workbook_tag (word) VALUES (%s)", ([str(i)] for i in range(n + 1)), many=True
    ),
    "savepoints": lambda n: nested(lambda: Tag.objects.create(word="kept")),
    "savepoints undone": lambda n: nested(lambda: Tag.objects.create(word="gone"), fail=True),
    "a failing statement": lambda n: fails("SELECT * FROM no_such_table"),
    "a failing insert": lambda n: fails("INSERT INTO workbook_passport (number) VALUES ('x')"),
    "select_for_update": lambda n: nested(lambda: list(Tag.objects.select_for_update()[:1])),
    "explain": lambda n: Book.objects.explain(),
    "a union": lambda n: list(Tag.objects.all().union(Tag.objects.all())),
    "refresh": lambda n: Passport.objects.first() and Tag.objects.first().refresh_from_db(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(8))
def test_counts_agree_with_django(seed):
    library.fill(7)
    chance = random.Random(seed)
    for _ in range(40):
        names = chance.choices(list(OPERATIONS), k=chance.randint(1, 3))
        with CaptureQueriesContext(connection) as django, queries() as q:
            for name in names:
                OPERATIONS[name](chance.randint(0, 5))
        counted = [
            query["sql"]
            for query in django.captured_queries
            if not query["sql"].startswith(TRANSACTION)
        ]
        assert q.count == len(counted), names
    assert q.count == len(q.queries) == len(q)


@pytest.mark.django_db
def test_captures_nest_and_pausing_hides_from_those_outside_only():
    with queries() as outer:
        Tag.objects.count()
        with queries() as inner:
            Tag.objects.count()
        with paused():
            Tag.objects.count()
            with queries() as hidden:
                Tag.objects.exists()
    Tag.objects.count()
    assert (outer.count, inner.count, hidden.count) == (2, 1, 1)


@pytest.mark.django_db
def test_twenty_thousand_queries_are_all_counted():
    with queries() as q, connection.cursor() as cursor:
        for _ in range(20_000):
            cursor.execute("SELECT 1")
    assert q.count == 20_000


@pytest.mark.django_db
def test_rows_are_what_came_back_or_was_changed():
    library.fill(4)
    with queries() as q:
        list(Book.objects.all())
        Book.objects.count()
        Tag.objects.filter(word="nothing").first()
        Tag.objects.update(word="one word")
        Tag.objects.bulk_create([Tag(word="a"), Tag(word="b")])
        Tag.objects.filter(word__in="ab")._raw_delete("default")
    assert [query.rows for query in q.queries] == [8, 1, 0, 3, 2, 2]


@pytest.mark.django_db(transaction=True)
def test_transaction_statements_stand_apart_and_are_equal_on_every_database():
    connection.ensure_connection()  # MariaDB's sets its session up with a statement of its own
    with queries() as q:
        with transaction.atomic():
            Tag.objects.create(word="x")
            with transaction.atomic():
                Tag.objects.create(word="y")
            try:
                with transaction.atomic():
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
        try:
            with transaction.atomic():
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    assert q.count == 2
    assert q.transactions == [
        *("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT", "SAVEPOINT", "ROLLBACK TO SAVEPOINT"),
        *("RELEASE SAVEPOINT", "COMMIT", "BEGIN", "ROLLBACK"),
    ]


@pytest.mark.django_db(transaction=True)
def test_threads_are_recorded_with_their_line():
    def work():
        Tag.objects.count()
        connection.close()

    with queries() as q:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert q.count == 3
    assert {query.place.text for query in q.queries} == {"Tag.objects.count()"}


@pytest.mark.django_db
def test_a_failing_statement_is_recorded_with_its_error():
    with queries() as q:
        fails("SELECT * FROM no_such_table")
    assert [query.error for query in q.queries] == [
        "OperationalError" if connection.vendor == "sqlite" else "ProgrammingError"
    ]


@pytest.mark.django_db
def test_the_generator_of_executemany_is_left_to_the_database():
    with queries() as q:
        OPERATIONS["executemany of a generator"](4)
    assert Tag.objects.count() == 5
    assert q.queries[0].rows == 5


@pytest.mark.django_db
def test_a_capture_prints_as_its_report():
    with queries() as q:
        Tag.objects.filter(word="sea").exists()
    a, table = map(connection.ops.quote_name, ("a", "workbook_tag"))
    assert str(q).startswith(f"1 query · 0 rows\n1 ×  SELECT 1 AS {a} FROM {table}")
    assert "line" in str(q)
    assert "of test_recorder.py" in str(q)
    assert "<b>1 query</b>" in q._repr_html_()
