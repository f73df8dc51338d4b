"""`manage.py progress`: a teacher reads from outside what a learner's notebook solves."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from django.db import connection

from .chapters import ROOT

CELLS = [
    "%load_ext workbook\nfrom shopdb.models import *",
    "%exercise 0.1\nProduct.objects.filter(price__gt=500).count()",
    "%exercise 0.2\nProduct.objects.all()",
    "%exercise 0.3\n...",
    "Product.objects.all().delete()",
    "1 / 0",
]


@pytest.fixture
def manage(shop_url, tmp_path):
    own = tmp_path / "own.json"
    own.write_text('{"1.1": {"attempts": 4, "hints": 1, "passed": true}}')
    environment = os.environ | {"DATABASE_URL": shop_url, "WORKBOOK_PROGRESS": str(own)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "manage.py", "progress", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )

    run.own = own
    return run


def test_a_notebook_is_run_on_a_copy(manage, tmp_path, shop_digest):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    nbformat.write(notebook, tmp_path / "learner.ipynb")
    before, own = shop_digest(), manage.own.read_text()
    result = manage(tmp_path / "learner.ipynb", "--json")
    if connection.vendor == "mysql":
        assert "Notebooks cannot be run on a copy of a MariaDB database yet." in result.stderr
        return
    found = json.loads(result.stdout)[str(tmp_path / "learner.ipynb")]
    assert found["passed"] == 1
    assert {number: e["passed"] for number, e in found["exercises"].items()} == {
        "0.1": True,
        "0.2": False,
    }
    assert found["notices"] == ["Cell 6 ended in ZeroDivisionError: division by zero"]
    assert shop_digest() == before
    assert manage.own.read_text() == own


def test_without_a_notebook_it_reads_the_learners_own_progress(manage):
    found = json.loads(manage("--json").stdout)["progress"]
    assert found["exercises"]["1.1"] == {
        "stars": 1,
        "attempts": 4,
        "hints": 1,
        "passed": True,
        "solution": False,
    }
    assert "✓ 1.1 ★ 4× 1h" in manage().stdout


def test_a_notebook_that_is_not_there_is_a_sentence(manage):
    result = manage("nowhere.ipynb")
    assert result.returncode == 1
    assert "There is no notebook nowhere.ipynb." in result.stderr
