"""`manage.py prepare`: the database, its data, and your copies of the chapters."""

from pathlib import Path
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from workbook.exercises import tasks
from workbook.exercises.progress import Progress
from workbook.learning import copies, course


class Command(BaseCommand):
    """Everything that has to be there before a chapter is opened; run again after each update."""

    requires_system_checks = []
    help = (
        "Gets the database and its data ready, and copies the chapters into a folder of yours. "
        "After an update it refreshes both, and keeps every cell that you wrote."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for sentence in prepare():
            self.stdout.write(sentence)


def prepare() -> list[str]:
    """Do it, and say what was done. Raises CommandError."""
    said = []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0)
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {str(error).strip()}") from None
    if "seed" in get_commands():
        call_command("seed", update=True)
    chapters, folder = tasks.directory(), course.copies()
    if chapters and folder:
        try:
            said += copies.refresh(chapters, folder)
        except OSError as error:
            raise CommandError(f"The chapters cannot be copied to {folder}: {error}") from None
        said += move_progress(chapters / ".progress.json")
    return said


def move_progress(older: Path) -> list[str]:
    """Progress was once kept beside the chapters: take it along."""
    store = Progress()
    if store.file is None or not older.is_file():
        return []
    before = Progress(older)
    store.absorb(before.state())
    if store.notices or before.notices:
        return [*before.notices, *store.notices]
    older.rename(older.with_name(".progress.moved.json"))
    return [f"Your progress is kept in {store.file.parent.name}/ from now on."]
