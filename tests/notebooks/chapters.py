"""The chapters: finding, executing and comparing them.

`make notebooks` (`python -m tests.notebooks`) rewrites their outputs with this module, and the
suite compares with it: one way to execute, so what is committed is what is checked.
"""

import base64
import difflib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
CHAPTERS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))

# As JupyterLab writes it, so that opening and saving a chapter changes nothing.
METADATA = {
    "kernelspec": {
        "display_name": "Django ORM workbook",
        "language": "python",
        "name": "django-orm-workbook",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.13.0",
    },
}

# A cell with this tag shows something that depends on the machine: it must run, no more.
VARIES = "varies"
ANSI = re.compile(r"\x1b\[[\d;]*m")
HEADLINE = re.compile(r"^(no queries|\d+ quer(?:y|ies))", re.MULTILINE)
ON_POSTGRESQL = re.compile(r"^On PostgreSQL \d+:\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)


@contextmanager
def seeded_shop() -> Iterator[str]:
    """The default shop in a SQLite file that goes away afterwards: its DATABASE_URL."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/shop.sqlite3"
        fill(url)
        yield url


def fill(url: str) -> None:
    """Lay the default shop out in the empty database that `url` names."""
    for command in (["migrate", "--verbosity=0"], ["seed", "--verbosity=0"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url},
            check=True,
        )


def execute(path: Path, url: str) -> NotebookNode:
    """Run the chapter from top to bottom in a fresh kernel on the database `url`.

    Returns the notebook with its new outputs and nothing in it that depends on the day or the
    machine. Raises nbclient's CellExecutionError at a cell that fails without the tag
    `raises-exception`.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    elsewhere = {
        "DATABASE_URL": url,
        "WORKBOOK_PROGRESS": "",  # kept nowhere, so nothing about it is shown
        "PYTHONHASHSEED": "0",  # Django writes a set of JSON types into its SQL
    }
    client.execute(env=os.environ | elsewhere)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                output.traceback = without_files(output.traceback)
    notebook.metadata = METADATA
    return notebook


def without_files(traceback: list[str]) -> list[str]:
    """The traceback without frames that stand in files: they name this machine's folders."""
    return [entry for entry in traceback if not ANSI.sub("", entry).startswith("File ")]


def dump(notebook: NotebookNode) -> str:
    """The notebook as it stands in its file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def differences(stored: NotebookNode, fresh: NotebookNode) -> str:
    """A unified diff of what the two executions show, cell by cell; empty when they agree."""
    diff = difflib.unified_diff(shown(stored), shown(fresh), "committed", "executed", lineterm="")
    return "\n".join(diff)


def shown(notebook: NotebookNode) -> list[str]:
    """What a reader sees of the code cells, as lines of text."""
    lines = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        lines += [f"── cell {number}: {cell.source.partition(chr(10))[0]}"]
        if VARIES in cell.metadata.get("tags", []):
            continue
        for output in cell.outputs:
            lines += list(output_lines(output))
    return lines


def output_lines(output: NotebookNode) -> Iterator[str]:
    """One output as lines, the plain text first because a person reads that one."""
    if output.output_type == "stream":
        yield from output.text.splitlines()
    elif output.output_type == "error":
        yield f"{output.ename}: {output.evalue}"
    else:
        for kind in sorted(output.data, key=lambda kind: kind != "text/plain"):
            content = output.data[kind]
            if kind == "image/png":
                content = f"a picture of {pixels(content)}"
            elif not isinstance(content, str):
                content = repr(content)
            yield f"[{kind}]"
            yield from content.splitlines()


def pixels(png: str) -> str:
    """Size and digest of what a base64 PNG shows, however its bytes were compressed."""
    from hashlib import sha256

    from matplotlib.image import imread

    picture = imread(io.BytesIO(base64.b64decode(png)))
    return f"{picture.shape[1]} × {picture.shape[0]} pixels, {sha256(picture).hexdigest()[:12]}"


def query_counts(notebook: NotebookNode) -> list[tuple[str, list[str]]]:
    """For each code cell its first line and the headlines of its query reports, but for those
    that may vary."""
    counts = []
    for cell in code_cells(notebook):
        if VARIES in cell.metadata.get("tags", []):
            continue
        texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        headlines = [found[1] for text in texts if (found := HEADLINE.match(text))]
        counts.append((cell.source.partition("\n")[0], headlines))
    return counts


def on_postgresql(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Where a text says "On PostgreSQL 15:": what it says the cell above prints there, and what
    that cell has printed."""
    answers, printed = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            streams = [out.text for out in cell.outputs if out.output_type == "stream"]
            printed = "".join(streams)
        elif said := ON_POSTGRESQL.search(cell.source):
            answers.append((said[1], printed))
    return answers


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
