"""What a notebook loads: `%load_ext workbook`. Works in any Django project.

The rooms: queries/ (what ran), tables/ (what came back), kernel/ (around a cell), exercises/ (was
it right), learning/ (what next). Only this file knows all five.
"""

from typing import TYPE_CHECKING

from workbook.queries import queries
from workbook.tables import frame

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["frame", "load_ipython_extension", "queries", "unload_ipython_extension"]


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """`%load_ext workbook`: start the Django project around the notebook and watch its cells.

    Called twice, it changes nothing.
    """
    if getattr(shell, "workbook_watcher", None) is not None:
        return
    from workbook import kernel
    from workbook.exercises import magics as exercises
    from workbook.kernel import bootstrap
    from workbook.learning import magics as learning

    bootstrap.start()
    kernel.load(shell)
    exercises.register(shell)
    learning.register(shell)


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """`%unload_ext workbook`: leave the shell as it was."""
    from workbook import kernel
    from workbook.learning import magics as learning

    learning.unregister(shell)
    kernel.unload(shell)
