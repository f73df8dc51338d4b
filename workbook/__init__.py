"""What a notebook loads: `%load_ext workbook`. Works in any Django project.

Every import here waits until it is needed: loading the extension stays quick, and pandas is only
imported by the first table.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from django.db.models import QuerySet
    from IPython.core.interactiveshell import InteractiveShell

    from workbook.recorder import Capture

__all__ = ["frame", "load_ipython_extension", "queries", "unload_ipython_extension"]


def frame(queryset: "QuerySet", *, exact: bool = False) -> "pd.DataFrame":
    """The whole QuerySet as a DataFrame with dtypes decided by its fields.

    `exact=True` keeps money as Decimal instead of float64.
    """
    from workbook import frames

    return frames.frame(queryset, exact=exact)


def queries() -> "Capture":
    """Record queries: `with queries() as q: …`, then `q.count`, `q.queries`, `print(q)`."""
    from workbook import recorder

    return recorder.queries()


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """`%load_ext workbook`: start the Django project around the notebook and watch its cells."""
    from workbook import bootstrap

    bootstrap.start()

    from workbook import magics  # only now: it needs Django's settings

    magics.load(shell)


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """`%unload_ext workbook`: leave the shell as it was."""
    from workbook import magics

    magics.unload(shell)
