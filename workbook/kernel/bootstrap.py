"""Find the Django project around a notebook and start it."""

import os
import sys
from pathlib import Path

from IPython.core.error import UsageError

from workbook.kernel import project


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
                f"{type(error).__name__}: {error}. Fix that and restart the kernel."
            ) from None
    check_database()


def _point_to_settings() -> None:
    """Set DJANGO_SETTINGS_MODULE and sys.path as the project's manage.py would."""
    here = Path.cwd()
    projects = project.find(here)
    named = os.environ.get(project.VARIABLE)
    if named:
        package = named.partition(".")[0]
        for each in projects:
            if (each.folder / package).is_dir() or (each.folder / f"{package}.py").is_file():
                _add_to_path(each.folder)
                return
        if len(projects) == 1:
            _add_to_path(projects[0].folder)
        return
    if not projects:
        raise UsageError(
            "There is no Django project here: no manage.py in this folder, above it, or in the "
            "folders beside and below it. Open the notebook from inside the project, "
            "or go there first with `%cd path/to/the/project`."
        )
    if len(projects) > 1:
        folders = [os.path.relpath(each.folder, here) for each in projects]
        raise UsageError(
            f"There are several Django projects here: {_listed(folders)}. "
            f"Choose one in a cell above this one, for example `%cd {folders[0]}`."
        )
    (found,) = projects
    if len(found.settings) != 1:
        where = os.path.relpath(found.folder / "manage.py", here)
        said = "does not say which settings to use"
        if found.settings:
            said = f"names several settings: {_listed(found.settings)}"
        example = found.settings[0] if found.settings else "project.settings"
        raise UsageError(
            f"{where} {said}. Choose them in a cell above this one, "
            f"for example `%env {project.VARIABLE}={example}`."
        )
    if found.folder not in (here, *here.parents):
        folder = os.path.relpath(found.folder, here)
        print(f"The Django project in {folder}, with the settings {found.settings[0]}.")
    _add_to_path(found.folder)
    os.environ[project.VARIABLE] = found.settings[0]


def _listed(names: list[str], most: int = 5) -> str:
    """`a, b and c`; of many only the first."""
    shown = names if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _add_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


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
