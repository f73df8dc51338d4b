"""The learner's loop with the real chapters, in real kernels on a seeded shop."""

import json
import os
import re
from pathlib import Path

import pytest
from django.db import connection
from jupyter_client.manager import start_new_kernel

from workbook.learning import copies, course

from .chapters import FOLDER

LOAD = "%load_ext workbook\nfrom shopdb.models import *\nfrom django.db import transaction"


class Kernel:
    """A kernel of one notebook: runs cells and gives what they showed, as text."""

    def __init__(self, folder, notebook, environment):
        session = {"JPY_SESSION_NAME": f"{folder}/{notebook}.ipynb"}
        self.manager, self.client = start_new_kernel(
            kernel_name="python3",
            cwd=str(folder),
            env=os.environ | environment | session,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        self.next_cell = ""

    def __call__(self, source):
        said = []

        def hear(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
            elif message["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}")
            elif "data" in content:
                said.append(content["data"]["text/plain"])

        reply = self.client.execute_interactive(source, output_hook=hear, timeout=120)
        payload = reply["content"].get("payload", [])
        self.next_cell = next(
            (one["text"] for one in payload if one["source"] == "set_next_input"), ""
        )
        return "\n".join(said)

    def start(self, source):
        """Run a cell and do not wait for it."""
        self.client.execute(source)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path, shop_url):
    """Starts kernels for notebooks in a folder of copies."""
    copies.refresh(FOLDER, tmp_path)
    environment = {"DATABASE_URL": shop_url, "WORKBOOK_PROGRESS": str(tmp_path / ".progress.json")}
    started = []

    def start(notebook):
        started.append(Kernel(tmp_path, notebook, environment))
        return started[-1]

    start.folder = tmp_path
    yield start
    for one in started:
        one.close()


def test_next_and_a_solved_exercise(kernel):
    run = kernel("01_filter_sort_slice")
    assert re.match(r"01 · .+ \(chapter 2 of \d+\) · exercises 0 of \d", run(LOAD))
    assert "1.1 ★" in run("%next")
    assert run.next_cell.startswith("%exercise 1.1\n# ")
    assert run.next_cell.endswith("\n...")
    stored = kernel.folder / ".progress.json"
    run("%hint 1.1")
    assert json.loads(stored.read_text())["exercises"]["1.1"]["hints"] == 1


def test_the_shop_is_put_back(kernel, shop_digest):
    run, before = kernel("02_lookups"), shop_digest()
    assert "as it was seeded" not in run(LOAD)
    run("Invoice.objects.order_by('pk').first().delete()\nProduct.objects.update(stock=1)")
    greeting = run(LOAD)
    assert "The shop is not as it was seeded: other values in products, 5,999 invoices" in greeting
    assert "`%reset shop` puts it back." in greeting
    asked = run("%reset shop")
    assert "`%reset shop yes` removes 6 users, 20 categories, 300 products," in asked
    assert "5999" in run("Invoice.objects.count()")
    assert "Seeded 6 owners" in run("%reset shop yes")
    assert "as it was seeded" not in run(LOAD)
    assert shop_digest() == before


def test_a_kernel_that_holds_the_database_is_named(kernel):
    first, second = kernel("07_n_plus_one"), kernel("02_lookups")
    first(LOAD)
    second(LOAD)
    first("held = transaction.atomic()\nheld.__enter__()\nProduct.objects.update(stock=1)")
    held = r"held by 07_n_plus_one\.ipynb, since \d\d:\d\d:\d\d\. Wait until that cell has ended"
    assert re.search(held, second("%reset shop"))
    soon = {
        "sqlite": "PRAGMA busy_timeout = 100",
        "postgresql": "SET lock_timeout = '100ms'",
        "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
    }
    second(f"transaction.get_connection().cursor().execute({soon[connection.vendor]!r})")
    assert re.search(held, second("Product.objects.update(stock=2)"))
    if connection.vendor == "sqlite":
        assert re.search(held, second("%rollback\nProduct.objects.first()"))
        assert re.search(held, second("%exercise 2.1\nProduct.objects.all()"))
    first("transaction.set_rollback(True)\nheld.__exit__(None, None, None)")
    assert "`%reset shop yes` removes" in second("%reset shop")
    assert not list((kernel.folder / ".holders").iterdir())


def test_a_kernel_that_died_is_not_named(kernel):
    first, second = kernel("07_n_plus_one"), kernel("02_lookups")
    first(LOAD)
    second(LOAD)
    first("held = transaction.atomic()\nheld.__enter__()\nProduct.objects.update(stock=1)")
    assert list((kernel.folder / ".holders").iterdir())
    first.manager.shutdown_kernel(now=True)
    assert "`%reset shop yes` removes" in second("%reset shop")
    assert not list((kernel.folder / ".holders").iterdir())


def test_an_ordinary_cell_leaves_no_file(kernel):
    run = kernel("02_lookups")
    run(LOAD)
    run("%rollback\nProduct.objects.all().delete()")
    run("%exercise 2.1\nProduct.objects.all()")
    assert not any(Path(kernel.folder, ".holders").glob("*"))


def test_it_works_without_threads_and_processes(kernel, shop_digest):
    """As in the browser."""
    run, before = kernel("01_filter_sort_slice"), shop_digest()
    run(
        "import os, subprocess, sys, threading\n"
        "def refuse(*args, **kwargs): raise RuntimeError('not in the browser')\n"
        "threading.Thread.start = subprocess.Popen.__init__ = os.fork = refuse\n"
        "sys.modules['psutil'] = sys.modules['fcntl'] = None\n"
        "del os.environ['JPY_SESSION_NAME']"
    )
    assert "exercises 0 of" in run(course.find("1").load_cell)
    for cell in ("%next", "%progress", "%progress 1", "%interview 1", "%interview answer"):
        said = run(cell)
        assert said
        assert "Error" not in said
    done = {"1.1": {"passed": True, "due": "2020-01-01"}}
    stored = kernel.folder / ".progress.json"
    stored.write_text(json.dumps({"version": 2, "exercises": done}))
    assert "Review · 1 thing today" in run("%review")
    assert "not attempted" in run(run.next_cell)
    run("Product.objects.update(stock=1)")
    assert "Seeded 6 owners" in run("%reset shop yes")
    assert shop_digest() == before


def test_every_guess_can_come_back_in_another_notebook(kernel):
    """`%review` brings what the cell needs: the names of its chapter."""
    run = kernel("mine")
    run("%load_ext workbook\nfrom workbook.learning import course\nfresh = dict(globals())")
    for chapter in course.chapters():
        for key, code in chapter.guesses.items():
            run(
                "for name in set(globals()) - set(fresh):\n"
                "    if not name.startswith('_') and name != 'fresh':\n        del globals()[name]"
            )
            said = run(
                f"course.bring(get_ipython(), course.find({chapter.number!r}), "
                f"course.find({chapter.number!r}).guesses[{key!r}])"
            )
            said = run(f"%guess 999\n{code}")
            assert "you guessed 999" in said, f"{key}\n{code}\n{said}"
            assert "NameError" not in said, f"{key}\n{code}\n{said}"


def test_every_chapter_has_questions_that_an_interview_can_ask():
    for chapter in course.chapters():
        assert len(chapter.questions) >= 3
        assert all(question.answer for question in chapter.questions)
        assert sum(bool(question.section) for question in chapter.questions) >= 2
        assert chapter.promise
