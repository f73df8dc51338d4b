"""`%load_ext workbook` in a project that knows nothing of the shop, in kernels of its own."""

import os
import sys
import textwrap

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

MANAGE = """
    import os
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'garden.settings')
"""
SETTINGS = """
    from pathlib import Path
    SECRET_KEY = "x"
    INSTALLED_APPS = ["plants"]
    DATABASES = {
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / alias}
        for alias in ("default", "archive")
    }
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MODELS = """
    from django.db import models

    class Plant(models.Model):
        name = models.CharField(max_length=20)
"""
CREATE = (
    "from django.db import connections\n"
    "from plants.models import Plant\n"
    "for alias in connections:\n"
    "    with connections[alias].schema_editor() as editor:\n"
    "        editor.create_model(Plant)"
)


@pytest.fixture
def garden(tmp_path):
    """A tiny Django project with two databases; a notebook stands in a folder below it."""
    for name, text in {
        "manage.py": MANAGE,
        "garden/__init__.py": "",
        "garden/settings.py": SETTINGS,
        "plants/__init__.py": "",
        "plants/models.py": MODELS,
        "notes/deep/readme": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


@pytest.fixture
def kernel(monkeypatch):
    """Runs cells in a real kernel in a folder; gives what each cell printed and showed."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)

    def run(folder, *sources):
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        client = NotebookClient(
            notebook,
            timeout=60,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute(env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
        return ["\n".join(map(words, cell.outputs)) for cell in notebook.cells]

    return run


def words(output):
    """The text of one output of a cell."""
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.text if output.output_type == "stream" else output.data["text/plain"]


def test_another_project_from_a_folder_below_it(garden, kernel):
    _, first, second, third = kernel(
        garden / "notes" / "deep",
        "import sqlite3, sys\nsys.path.insert(0, '../..')\n"
        "sqlite3.connect('../../garden/default').executescript('CREATE TABLE seen (id)')",
        f"%load_ext workbook\n{CREATE}\n'pandas' in sys.modules",
        "for name in ('rose', 'oak'):\n    Plant.objects.create(name=name)\n"
        "await Plant.objects.using('archive').acount()",
        "%rollback\nPlant.objects.all().delete()\n"
        "Plant.objects.using('archive').create(name='gone')\n"
        "Plant.objects.using('archive').count()",
    )
    assert "False" in first
    assert "CREATE TABLE" in first
    assert "on archive" in second
    assert second.startswith("0")
    assert third.startswith("1\n")
    assert "Rolled back: nothing this cell wrote remains." in third


def test_no_tables_yet(garden, kernel):
    (shown,) = kernel(garden, "%load_ext workbook")
    assert shown.startswith(
        "UsageError: This database has no tables yet. Run `python manage.py mig"
    )
    assert "seed" not in shown


def test_no_project(tmp_path, kernel):
    (shown,) = kernel(tmp_path, "%load_ext workbook")
    assert shown.startswith("UsageError: No manage.py in this folder or above it")


def test_settings_that_do_not_load(garden, kernel):
    (garden / "garden/settings.py").write_text("import no_such_module")
    (shown,) = kernel(garden, "%load_ext workbook")
    assert "Django could not start with the settings garden.settings" in shown
    assert "no_such_module" in shown
