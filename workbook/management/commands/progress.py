"""`manage.py progress`: what of the exercises is solved, here or in learners' notebooks."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from workbook import exercises
from workbook.exercises.feedback import progress_message
from workbook.exercises.progress import Entry, Progress

# The settings a notebook is run with: the project's own, on a copy of its database.
SETTINGS = """
from {settings} import *
from {settings} import DATABASES as _DATABASES, WORKBOOK as _WORKBOOK

DATABASES = {{**_DATABASES, "default": {{**_DATABASES["default"], "NAME": {database!r}}}}}
WORKBOOK = {{**_WORKBOOK, "PROGRESS": {progress!r}}}
"""


class Command(BaseCommand):
    help = (
        "Shows which exercises are solved. With notebooks, runs each in a fresh kernel on a copy "
        "of the database and shows what passed there; your own progress is not touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("notebooks", nargs="*", type=Path, metavar="notebook.ipynb")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.add_argument(
            "--timeout", type=int, default=30, metavar="SECONDS", help="limit for one cell (30)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chapters = exercises.chapters()
        except exercises.ExerciseError as error:
            raise CommandError(str(error)) from None
        if missing := [str(path) for path in options["notebooks"] if not path.is_file()]:
            raise CommandError(f"There is no notebook {', '.join(missing)}.")
        results = {}
        if not options["notebooks"]:
            store = Progress()
            results["progress"] = (store.read(), store.notices)
        for path in options["notebooks"]:
            results[str(path)] = run_notebook(path, options["timeout"])
        if options["json"]:
            self.stdout.write(json.dumps(as_json(chapters, results), indent=2))
            return
        for name, (entries, notices) in results.items():
            attempted = {number.partition(".")[0] for number in entries}
            shown = {
                chapter: found
                for chapter, found in chapters.items()
                if not options["notebooks"] or str(int(chapter.partition("_")[0])) in attempted
            }
            title = f"{name}\n" if options["notebooks"] else ""
            self.stdout.write(f"{title}{progress_message(shown, entries, notices)}\n")


def as_json(
    chapters: dict[str, dict[str, exercises.Exercise]],
    results: dict[str, tuple[dict[str, Entry], list[str]]],
) -> dict[str, Any]:
    """Name → exercises (number → stars, attempts, hints, passed, solution) and notices."""
    known = {number: found for chapter in chapters.values() for number, found in chapter.items()}
    return {
        name: {
            "passed": sum(entry.passed for entry in entries.values()),
            "exercises": {
                number: {"stars": found.stars, **_told(entries.get(number, Entry()))}
                for number, found in known.items()
                if name == "progress" or number in entries
            },
            "notices": notices,
        }
        for name, (entries, notices) in results.items()
    }


def _told(entry: Entry) -> dict[str, Any]:
    """What a teacher wants to know; when it comes back for review is the learner's own."""
    return {name: getattr(entry, name) for name in ("attempts", "hints", "passed", "solution")}


def run_notebook(path: Path, timeout: int) -> tuple[dict[str, Entry], list[str]]:
    """Run a notebook in a fresh kernel on a copy of the database.

    Cells that fail or take longer than `timeout` seconds are noted, and the next one runs.
    Returns what the exercises in it came to, and the notices.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        return {}, [f"{path.name} is not a notebook that can be read: {error}"]
    with TemporaryDirectory() as folder, copy_of_database(Path(folder)) as database:
        progress = Path(folder) / "progress.json"
        settings = SETTINGS.format(
            settings=os.environ["DJANGO_SETTINGS_MODULE"],
            database=database,
            progress=str(progress),
        )
        (Path(folder) / "settings_on_a_copy.py").write_text(settings, encoding="utf-8")
        client = NotebookClient(
            notebook,
            kernel_name="python3",  # this environment's, whichever one the notebook names
            timeout=timeout,
            interrupt_on_timeout=True,
            allow_errors=True,
            resources={"metadata": {"path": str(path.resolve().parent)}},
        )
        found = [folder, str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
        notices = []
        try:
            client.execute(
                env=os.environ
                | {
                    "DJANGO_SETTINGS_MODULE": "settings_on_a_copy",
                    "PYTHONPATH": os.pathsep.join(filter(None, found)),
                }
            )
        except (CellExecutionError, DeadKernelError, TimeoutError) as error:
            first = str(error).strip().splitlines()[0]
            notices.append(f"{path.name} did not run to its end: {first}")
        store = Progress(progress)
        entries = store.read()
        notices += failed_cells(notebook, timeout)
        return entries, notices + store.notices


def failed_cells(notebook: Any, timeout: int) -> list[str]:
    """A sentence for each cell that was stopped, or ended in an error and is not an exercise's."""
    notices = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if any(error.ename == "KeyboardInterrupt" for error in errors):
            notices.append(f"Cell {number} was stopped after {timeout} seconds.")
        elif errors and not cell.source.lstrip().startswith("%exercise"):
            notices.append(f"Cell {number} ended in {errors[0].ename}: {errors[0].evalue}")
    return notices


@contextmanager
def copy_of_database(folder: Path) -> Iterator[str]:
    """A copy of the default database that goes away afterwards: what settings call its NAME."""
    if connection.vendor == "sqlite":
        import sqlite3

        name = folder / "copy.sqlite3"
        connection.ensure_connection()
        with closing(sqlite3.connect(name)) as copy:
            connection.connection.backup(copy)
        yield str(name)
    elif connection.vendor == "postgresql":
        name = f"{connection.settings_dict['NAME']}_copy_{os.getpid()}"
        yield from _copied_by_template(name)
    else:
        raise CommandError(
            f"Notebooks cannot be run on a copy of a {connection.display_name} database yet. "
            "Use the SQLite shop: unset DATABASE_URL."
        )


def _copied_by_template(name: str) -> Iterator[str]:
    source, copy = map(connection.ops.quote_name, (connection.settings_dict["NAME"], name))
    connection.close()  # a template must have no connections
    with connection._nodb_cursor() as cursor:
        try:
            cursor.execute(f"CREATE DATABASE {copy} TEMPLATE {source}")
        except DatabaseError as error:
            raise CommandError(
                f"The database could not be copied: {str(error).strip()} "
                "Close the notebooks that use it, and try again."
            ) from None
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {copy} WITH (FORCE)")
