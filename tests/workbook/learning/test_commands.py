"""`manage.py prepare` and `manage.py lab`, as a newcomer runs them."""

import json
import os
import signal
import socket
import subprocess
import sys
from urllib.request import urlopen

import nbformat
import pytest
from django.conf import settings
from nbformat.sign import NotebookNotary

from tests.notebooks.chapters import seeded_shop
from workbook.management.commands import lab

ROOT = settings.BASE_DIR

# Another folder for the reader's copies, so that these tests leave the developer's alone.
SETTINGS = """
from shopdb.settings import *
from pathlib import Path

WORKBOOK = WORKBOOK | {{"COPIES": Path({copies!r}), "CHAPTERS": Path({chapters!r})}}
"""


class Clone:
    """Chapters, copies and a database in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.chapters, self.copies = folder / "notebooks", folder / "my_notebooks"
        self.chapters.mkdir()
        for name in ("00_start_here.ipynb", "01_filter_sort_slice.ipynb", "README.md"):
            (self.chapters / name).write_bytes((ROOT / "notebooks" / name).read_bytes())
        text = SETTINGS.format(copies=str(self.copies), chapters=str(self.chapters))
        (folder / "settings_of_a_clone.py").write_text(text)
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "settings_of_a_clone",
            "PYTHONPATH": str(folder),
            "WORKBOOK_PROGRESS": str(self.copies / ".progress.json"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "PYTHONUNBUFFERED": "1",
        }
        self.started = []

    def start(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def manage(self, *arguments):
        return self.start(*arguments).communicate(timeout=120)[0]

    def lab(self, *arguments):
        """Start JupyterLab; returns the process and the line with the address."""
        process = self.start("lab", "--no-browser", *arguments)
        for line in process.stdout:
            if "JupyterLab" in line:
                return process, line.strip()
        raise AssertionError("JupyterLab did not say where it is")


@pytest.fixture(scope="module")
def shop():
    with seeded_shop() as url:
        yield url


@pytest.fixture
def clone(tmp_path, shop):
    """A clone whose shop is seeded."""
    made = Clone(tmp_path)
    made.environment["DATABASE_URL"] = shop
    yield made
    for process in made.started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_prepare_makes_everything_and_then_says_nothing(clone):
    clone.environment["DATABASE_URL"] = f"sqlite:///{clone.folder}/shop.sqlite3"
    said = clone.manage("prepare")
    assert "Seeded 6 owners" in said
    assert "Copied to my_notebooks/, for you to work in: 00_start_here, 01_filter" in said
    assert (clone.copies / "README.md").is_file()
    assert clone.manage("prepare") == ""


def test_prepare_takes_progress_along_from_its_older_place(clone):
    older = clone.chapters / ".progress.json"
    older.write_text('{"1.1": {"attempts": 2, "hints": 0, "passed": true}}')
    assert "Your progress is kept in my_notebooks/ from now on." in clone.manage("prepare")
    stored = json.loads((clone.copies / ".progress.json").read_text())
    assert stored["exercises"]["1.1"]["passed"]
    assert not older.exists()


def test_prepare_says_in_a_sentence_that_there_is_no_database(clone):
    clone.environment["DATABASE_URL"] = f"sqlite:///{clone.folder}/nowhere/shop.sqlite3"
    said = clone.manage("prepare")
    assert said.startswith("CommandError: The database cannot be used: unable to open")


def test_lab_says_where_it_is_and_which_port_was_taken(clone):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process, line = clone.lab("--port", str(port))
    assert line.startswith("JupyterLab is ready: http://localhost:")
    assert "/lab/tree/my_notebooks/00_start_here.ipynb?token=" in line
    assert f"(port {port} was taken)" in line
    assert "its log is my_notebooks/.jupyter.log" in line
    assert "Serving" in (clone.copies / ".jupyter.log").read_text()
    address = line.split()[3]
    with urlopen(address.replace("/lab/tree/", "/api/contents/")) as answer:
        assert json.load(answer)["name"] == "00_start_here.ipynb"
    with urlopen(
        address.replace("/lab/tree/my_notebooks/00_start_here.ipynb", "/api/kernelspecs")
    ) as a:
        specs = json.load(a)
    assert specs["default"] == "django-orm-workbook"
    assert list(specs["kernelspecs"]) == ["django-orm-workbook"]
    process.send_signal(signal.SIGINT)
    assert "JupyterLab stops." in process.communicate(timeout=30)[0]


def test_lab_twice_at_once_is_one_lab(clone):
    port = str(free_port())
    both = [clone.start("lab", "--no-browser", "--port", port) for _ in range(2)]
    lines = [next(line for line in process.stdout if "JupyterLab" in line) for process in both]
    ready, again = sorted(lines, key=lambda line: "already" in line)
    assert "JupyterLab is ready: http" in ready
    assert "JupyterLab is running already: http" in again
    assert ready.split("token=")[1].split()[0] == again.split("token=")[1].strip()
    assert both[lines.index(again)].wait(30) == 0
    assert both[lines.index(ready)].poll() is None


def test_lab_opens_where_you_are(clone):
    clone.manage("prepare")
    passed = {f"0.{number}": {"passed": True, "attempts": 1} for number in range(1, 9)}
    (clone.copies / ".progress.json").write_text(json.dumps(passed))
    _, line = clone.lab("--port", str(free_port()))
    assert "/lab/tree/my_notebooks/01_filter_sort_slice.ipynb?" in line


def test_lab_that_cannot_start_shows_the_end_of_its_log(clone):
    clone.copies.mkdir()
    (clone.folder / "jupyterlab").mkdir()
    (clone.folder / "jupyterlab" / "__main__.py").write_text("raise SystemExit('no luck today')")
    (clone.folder / "jupyterlab" / "__init__.py").touch()
    said = clone.manage("lab", "--no-browser")
    assert "CommandError: JupyterLab did not start. The end of its log:\nno luck today" in said


@pytest.mark.parametrize("port", ["0", "65536"])
def test_lab_refuses_a_port_that_is_none(clone, port):
    said = clone.manage("lab", "--port", port)
    assert f"CommandError: A port is a number from 1 to 65535, not {port}." in said


def test_only_committed_chapters_are_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    chapters = tmp_path / "repository" / "notebooks"
    chapters.mkdir(parents=True)

    def git(*arguments):
        identity = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=chapters, check=True)

    def chapter(name, html):
        output = nbformat.v4.new_output("display_data", data={"text/html": html})
        cell = nbformat.v4.new_code_cell("1", outputs=[output])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), chapters / name)

    def trusted():
        notary = NotebookNotary()
        return {
            path.name
            for path in chapters.glob("*.ipynb")
            if notary.check_signature(nbformat.read(path, as_version=4))
        }

    git("init", "--quiet")
    for name in ("00_one.ipynb", "01_two.ipynb", "02_three.ipynb"):
        chapter(name, name)
    git("add", ".")
    git("commit", "--quiet", "-m", "chapters")
    chapter("01_two.ipynb", "<script>changed</script>")
    chapter("02_three.ipynb", "<script>staged</script>")
    git("add", "02_three.ipynb")
    chapter("03_new.ipynb", "<script>somebody's</script>")
    lab.trust_chapters(chapters)
    assert trusted() == {"00_one.ipynb"}


def test_without_git_nothing_is_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path))
    lab.trust_chapters(tmp_path)
    assert not (tmp_path / "data").exists()
