"""`%load_ext workbook` in a project that knows nothing of the shop, in kernels of its own."""

import os
import shutil
import sys
import textwrap

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from workbook.kernel import bootstrap, project

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
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (shown,) = kernel(folder, "%load_ext workbook")
    assert shown.startswith("UsageError: There is no Django project here: no manage.py")
    assert "%cd path/to/the/project" in shown


def test_a_project_beside_the_notebooks(garden, tmp_path, kernel):
    source = tmp_path / "repo" / "src"
    source.mkdir(parents=True)
    for name in ("manage.py", "garden", "plants"):
        (garden / name).rename(source / name)
    notebooks = tmp_path / "repo" / "notebooks"
    notebooks.mkdir()
    prepare = (
        "import sqlite3\n"
        "sqlite3.connect('../src/garden/default').executescript('CREATE TABLE seen (id)')"
    )
    _, shown = kernel(notebooks, prepare, "%load_ext workbook\nfrom plants.models import Plant")
    assert shown == "The Django project in ../src, with the settings garden.settings.\n"


def test_several_projects_are_named_and_one_can_be_chosen(garden, tmp_path, kernel):
    for name in ("one", "two"):
        shutil.copytree(garden, tmp_path / "repo" / name, ignore=lambda *_: {"repo"})
    shown, _, chosen = kernel(
        tmp_path / "repo" / "one" / "..", "%load_ext workbook", "%cd two", "%load_ext workbook"
    )
    # The project that all of this stands in is nearer.
    assert "no tables" in shown
    (garden / "manage.py").unlink()
    shown, _, chosen = kernel(
        tmp_path / "repo", "%load_ext workbook", "%cd two", "%load_ext workbook"
    )
    assert shown.startswith("UsageError: There are several Django projects here: one and two.")
    assert "`%cd one`" in shown
    assert "no tables" in chosen


def test_several_settings_are_named_and_one_can_be_chosen(garden, kernel):
    (garden / "manage.py").write_text(
        "import os, sys\n# for django\nif 'test' in sys.argv:\n"
        "    os.environ['DJANGO_SETTINGS_MODULE'] = 'garden.testing'\nelse:\n"
        "    os.environ['DJANGO_SETTINGS_MODULE'] = 'garden.settings'\n"
    )
    shown, _, chosen = kernel(
        garden,
        "%load_ext workbook",
        "%env DJANGO_SETTINGS_MODULE=garden.settings",
        "%load_ext workbook",
    )
    assert shown.startswith(
        "UsageError: manage.py names several settings: garden.testing and garden.settings."
    )
    assert "no tables" in chosen


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.settings')", ["a.settings"]),
        ('os.environ["DJANGO_SETTINGS_MODULE"] = "a.settings"', ["a.settings"]),
        ("environ.setdefault('DJANGO_SETTINGS_MODULE', NAME)", ["a.settings"]),
        ("os.environ.setdefault(VARIABLE, NAME)", ["a.settings"]),
        (
            "os.environ.setdefault(VARIABLE, f'{PACKAGE}.settings.{\"local\"}')",
            ["a.settings.local"],
        ),
        ("os.environ.setdefault(key=VARIABLE, default=NAME)", ["a.settings"]),
        ("os.environ.setdefault(VARIABLE, PACKAGE + '.settings')", ["a.settings"]),
        ("os.environ.update(DJANGO_SETTINGS_MODULE=NAME)", ["a.settings"]),
        ("os.environ.update({VARIABLE: NAME})", ["a.settings"]),
        ('os.environ.setdefault(VARIABLE, f\'a.{os.environ.get("STAGE_", "dev")}\')', ["a.dev"]),
        ("os.environ.setdefault(VARIABLE, os.getenv('NO_SUCH', NAME))", ["a.settings"]),
        ("os.environ.setdefault(VARIABLE, 'a.b' if TESTING else 'a.c')", ["a.b", "a.c"]),
        ("os.environ.setdefault(VARIABLE, compute())", []),
        ("os.environ.setdefault('PYTHONPATH', 'x')", []),
        ("print(1)", []),
    ],
)
def test_the_settings_that_a_manage_py_names(line, settings):
    names = "VARIABLE = 'DJANGO_SETTINGS_MODULE'\nPACKAGE: str = 'a'\nNAME = 'a.settings'\n"
    assert project.settings_named(f"import os\n{names}\ndef main():\n    {line}\n") == settings


def test_a_settings_module_from_outside_finds_its_project(garden, tmp_path, monkeypatch):
    (garden / "manage.py").rename(tmp_path / "manage.txt")
    for name in ("one", "two"):
        package = tmp_path / "repo" / name / f"shop_{name}"
        package.mkdir(parents=True)
        (package.parent / "manage.py").write_text("import django")
    monkeypatch.chdir(tmp_path / "repo")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop_two.settings")
    monkeypatch.setattr(sys, "path", list(sys.path))
    bootstrap._point_to_settings()
    assert sys.path[0] == str(tmp_path / "repo" / "two")


def test_settings_that_do_not_load(garden, kernel):
    (garden / "garden/settings.py").write_text("import no_such_module")
    (shown,) = kernel(garden, "%load_ext workbook")
    assert "Django could not start with the settings garden.settings" in shown
    assert "no_such_module" in shown
