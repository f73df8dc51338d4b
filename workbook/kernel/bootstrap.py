"""Find the Django project around a notebook and start it."""

import os
import re
import sys
from pathlib import Path

from IPython.core.error import UsageError

# Every manage.py has it: os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
_SETTINGS_LINE = re.compile(
    r"""environ(?:\.setdefault\(|\[)\s*["']DJANGO_SETTINGS_MODULE["']\]?\s*[,=]\s*"""
    r"""["']([\w.]+)["']"""
)


def start() -> None:
    """Make the project's ORM usable in this kernel; does nothing twice.

    Raises UsageError, which IPython shows as one line, when there is no project, when its
    settings do not load, or when its database cannot be used.
    """
    # A kernel always runs an event loop, and Django refuses synchronous queries beside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django
    from django.apps import apps
    from django.conf import settings

    if not apps.ready:  # `shell_plus --lab` has set Django up already
        if not settings.configured:
            _point_to_settings()
        try:
            django.setup()
        except Exception as error:
            name = os.environ.get("DJANGO_SETTINGS_MODULE", "")
            # Half a setup would hide the cause from the next attempt.
            raise UsageError(
                f"Django could not start with the settings {name}: "
                f"{type(error).__name__}: {error}. Mend that and restart the kernel."
            ) from None
    check_database()


def _point_to_settings() -> None:
    """Set DJANGO_SETTINGS_MODULE and sys.path as the project's manage.py would."""
    folder = find_project(Path.cwd())
    if folder and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        return
    if folder is None:
        raise UsageError(
            "No manage.py in this folder or above it, so there is no Django project to load. "
            "Open the notebook from inside the project, or set DJANGO_SETTINGS_MODULE."
        )
    match = _SETTINGS_LINE.search((folder / "manage.py").read_text(encoding="utf-8"))
    if match is None:
        raise UsageError(
            "The project's manage.py does not say which settings to use. "
            "Set DJANGO_SETTINGS_MODULE before starting Jupyter."
        )
    os.environ["DJANGO_SETTINGS_MODULE"] = match[1]


def find_project(start: Path) -> Path | None:
    """The nearest folder with a manage.py, from `start` upwards."""
    return next((path for path in (start, *start.parents) if (path / "manage.py").is_file()), None)


def check_database() -> None:
    """Say what is missing before the first query fails for it.

    Raises UsageError when the database cannot be reached or has no tables; prints a sentence when
    migrations are pending.
    """
    from django.core.management import get_commands
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    seed = " and `python manage.py seed`" if "seed" in get_commands() else ""
    try:
        tables = connection.introspection.table_names()
        pending = []
        if tables:
            executor = MigrationExecutor(connection)
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise UsageError(f"The database cannot be used: {str(error).strip()}") from None
    if not tables:
        raise UsageError(
            f"This database has no tables yet. Run `python manage.py migrate`{seed}, "
            "then run this cell again."
        )
    if pending:
        count = f"{len(pending)} migration{'s are' if len(pending) > 1 else ' is'}"
        print(f"{count} waiting to be applied to this database: run `python manage.py migrate`.")
