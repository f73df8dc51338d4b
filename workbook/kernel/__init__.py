"""The IPython side: a shell comes in, and from then on each of its cells is watched.

Read watcher.py first (what happens around a cell); magics.py has `%queries`, `%guess` and
`%rollback`, bootstrap.py finds the Django project.
"""

from django.db.models.query import QuerySet, RawQuerySet
from IPython.core.interactiveshell import InteractiveShell

from workbook.kernel import tracebacks
from workbook.kernel.magics import WorkbookMagics
from workbook.kernel.rollback import Rollback
from workbook.kernel.watcher import Watcher, show_queryset
from workbook.queries import origins, queries, recorder, unread
from workbook.tables import frame

__all__ = ["Rollback", "Watcher", "load", "unload"]


def load(shell: InteractiveShell) -> None:
    """Start watching a shell; called twice, it changes nothing."""
    if getattr(shell, "workbook_watcher", None) is not None:
        return
    watcher = shell.workbook_watcher = Watcher(shell)
    origins.find_cell = watcher.find_cell
    origins.suspended_line = watcher.suspended_line
    recorder.install()
    unread.install()
    shell.register_magics(WorkbookMagics(shell, watcher))
    shell.events.register("pre_run_cell", watcher.before_cell)
    shell.events.register("post_run_cell", watcher.after_cell)
    for kind in (QuerySet, RawQuerySet):
        shell.display_formatter.mimebundle_formatter.for_type(kind, show_queryset)
    tracebacks.install(shell)
    shell.push({"frame": frame, "queries": queries}, interactive=False)
    watcher.before_cell()  # the cell that loads us is watched from here on


def unload(shell: InteractiveShell) -> None:
    """Stop watching; the connections stay open and the magics say that nothing is loaded."""
    watcher = getattr(shell, "workbook_watcher", None)
    if watcher is None:
        return
    shell.workbook_watcher = None
    watcher._abandon()
    shell.events.unregister("pre_run_cell", watcher.before_cell)
    shell.events.unregister("post_run_cell", watcher.after_cell)
    tracebacks.uninstall(shell)
    for kind in (QuerySet, RawQuerySet):
        shell.display_formatter.mimebundle_formatter.pop(kind, None)
    for name in ("guess", "queries", "rollback"):
        shell.magics_manager.magics["line"].pop(name, None)
    origins.find_cell = lambda filename: None
    origins.suspended_line = lambda: None
    recorder.uninstall()
    unread.uninstall()
    watcher.shared.close()
