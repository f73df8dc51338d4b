"""`%rollback`: a hundred destructive cells leave the database as it was."""

import hashlib

import pytest
from django.apps import apps
from django.db import connection

from ..library import Author, Tag
from ..watching import *  # noqa: F403  (fixtures)

WRITES = [
    "Tag.objects.create(word='new')",
    "Book.objects.all().delete()",
    "Author.objects.update(name='nobody')",
    "Tag.objects.bulk_create([Tag(word=str(n)) for n in range(50)])",
    "connection.cursor().execute('DELETE FROM workbook_passport')",
    "book = Book.objects.first(); book.title = 'changed'; book.save()",
    "Book.objects.first().tags.clear()",
    "Author.objects.first().delete()",
    "Tag.objects.update_or_create(word='sea', defaults={'word': 'ocean'})",
    "fill(2)",
]
WAYS = {
    "plain": "{write}",
    "atomic": "with transaction.atomic():\n    {write}",
    "durable": "with transaction.atomic(durable=True):\n    {write}",
    "nested, undone inside": (
        "{write}\n"
        "try:\n    with transaction.atomic():\n        Tag.objects.all().delete()\n        1/0\n"
        "except ZeroDivisionError:\n    pass"
    ),
    "raises": "{write}\n1/0",
    "raises inside atomic": "with transaction.atomic():\n    {write}\n    1/0",
    "fails in the database": "{write}\nconnection.cursor().execute('SELECT * FROM nowhere')",
    "set_rollback": "{write}\ntransaction.set_rollback(False)",
    "async": (
        "await sync_to_async(lambda: [{expression}])()\nawait Tag.objects.acreate(word='async')"
    ),
    "leaves a block open": "transaction.atomic().__enter__()\n{write}",
}


def digest() -> str:
    """Every row of every table, as one hash."""
    whole = hashlib.sha256()
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda m: m._meta.label):
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            whole.update(repr(sorted(map(repr, cursor.fetchall()))).encode())
    return whole.hexdigest()


def test_a_hundred_destructive_cells_change_nothing(committed_library):
    before = digest()
    for way, template in WAYS.items():
        for write in WRITES:
            code = template.format(write=write, expression=write.rpartition("; ")[2])
            if way == "async" and ";" in write:
                code = template.format(write="", expression="Book.objects.all().delete()")
            shown = committed_library(f"%rollback\n{code}")
            assert "Rolled back: nothing this cell wrote remains." in shown.report, code
            assert not connection.in_atomic_block
            assert digest() == before, code


def test_what_the_cell_wrote_is_there_until_it_ends(committed_library):
    shown = committed_library("%rollback\nTag.objects.create(word='mine')\nTag.objects.count()")
    assert shown.result.result == 4
    assert Tag.objects.count() == 3
    assert "SAVEPOINT" not in shown.report
    assert "BEGIN" not in shown.report


def test_on_commit_callbacks_are_dropped(committed_library):
    committed_library(
        "%rollback\ncalled = []\ntransaction.on_commit(lambda: called.append(1))\nfill(1)"
    )
    assert committed_library("with transaction.atomic():\n    fill(1)\ncalled").result.result == []


def test_a_hand_made_commit_is_admitted(committed_library):
    shown = committed_library(
        "%rollback\nTag.objects.create(word='stays')\n"
        "connection.cursor().execute('COMMIT')\nTag.objects.count()"
    )
    assert "%rollback could not hold: this cell ended its transaction by hand" in shown.report
    assert "nothing this cell wrote remains" not in shown.report
    assert Tag.objects.filter(word="stays").exists()
    assert committed_library("%rollback\nfill(1)").report.count("Rolled back") == 1
    assert Author.objects.count() == 3


def test_a_thread_of_its_own_is_admitted(committed_library):
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite the thread waits for the cell's lock, so nothing can slip through")
    shown = committed_library(
        "%rollback\nimport threading\n"
        "def work():\n    Tag.objects.create(word='slipped')\n    connection.close()\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()"
    )
    assert "%rollback does not reach that" in shown.report


THREAD = "import threading\ngo = threading.Event()\nthread = threading.Thread(target=go.wait)\n"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "import os\nchild = os.fork()\nif not child:\n    os._exit(0)\nos.waitpid(child, 0)",
            "This cell started another process",
        ),
        ("!true", "This cell started another process"),
        ("import subprocess\nsubprocess.run(['true'])", "This cell started another process"),
        ("import sqlite3\nsqlite3.connect(':memory:').close()", "its own connection with sqlite3"),
        (f"{THREAD}thread.start()", "A thread of this cell is still running"),
        (
            "import asyncio\ntask = asyncio.create_task(asyncio.sleep(60))\n"
            "async def later():\n    await asyncio.sleep(60)\n"
            "late = asyncio.create_task(later())\nawait asyncio.sleep(0)",
            "A task of this cell is still running",
        ),
    ],
)
def test_what_no_transaction_reaches_is_named(committed_library, code, sentence):
    shown = committed_library(f"%rollback\n{code}\nTag.objects.create(word='mine')")
    assert "Rolled back what this cell itself wrote.\n" in shown.report, shown.printed
    assert shown.report.count("This cell") + shown.report.count("of this cell") == 1
    assert sentence in shown.report
    assert Tag.objects.count() == 3
    committed_library("'go' in globals() and go.set()\nif 'late' in globals():\n    late.cancel()")
    shown = committed_library("%rollback\nTag.objects.create(word='mine')")
    assert "Rolled back: nothing this cell wrote remains." in shown.report


@pytest.mark.parametrize(
    "code",
    [
        f"{THREAD}thread.start()\ngo.set()\nthread.join()",
        "import asyncio\nawait asyncio.to_thread(print)",  # its thread waits for more work
        "await Tag.objects.acount()",
        "import asyncio\nawait asyncio.gather(Tag.objects.acount(), Author.objects.acount())",
        "from django.db import connections\nconnections.close_all()",
    ],
)
def test_what_ends_with_the_cell_is_not_named(committed_library, code):
    shown = committed_library(f"%rollback\nTag.objects.create(word='mine')\n{code}")
    assert "Rolled back: nothing this cell wrote remains." in shown.report, shown.printed
    assert Tag.objects.count() == 3


def test_a_deleted_connection_comes_back(committed_library):
    shown = committed_library(
        "%rollback\nTag.objects.create(word='mine')\n"
        "from django.db import connections\ndel connections['default']"
    )
    assert "Rolled back: nothing this cell wrote remains." in shown.report
    assert Tag.objects.count() == 3
    assert not connection.in_atomic_block
    shown = committed_library("%rollback\nTag.objects.create(word='mine')\nTag.objects.count()")
    assert shown.result.result == 4
    assert Tag.objects.count() == 3


def test_a_write_on_another_connection_is_named_with_reports_off(committed_library):
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite the other connection waits for the cell's lock")
    committed_library("%queries off\nfrom django.db import connections")
    shown = committed_library(
        "%rollback\ndel connections['default']\nTag.objects.create(word='slipped')\n"
        "connections['default'].close()"
    )
    assert "This cell wrote on another connection, at line 3" in shown.report
    assert Tag.objects.filter(word="slipped").exists()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("Tag.objects.count()\n%rollback", "Put %rollback on the first line of the cell"),
        ("%rollback now", "%rollback is a line of its own"),
    ],
)
def test_out_of_place_it_says_so(committed_library, code, sentence):
    shown = committed_library(code)
    assert f"UsageError: {sentence}" in shown.printed
    assert "Traceback" not in shown.printed
    assert not connection.in_atomic_block
