"""`%queries` and `%rollback`: line magics, so that a cell's code stays plain."""

from django.db import DatabaseError
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from workbook.kernel.rollback import Rollback
from workbook.kernel.watcher import Watcher
from workbook.queries import Report


@magics_class
class WorkbookMagics(Magics):
    """`%queries` and `%rollback`."""

    def __init__(self, shell: InteractiveShell, watcher: Watcher) -> None:
        super().__init__(shell)
        self.watcher = watcher

    @line_magic
    def queries(self, line: str) -> None:
        """Choose what the reports say.

        %queries explain   add the query plans to this cell's report
        %queries time      add the times to this cell's report
        %queries off       no recording and no reports from here on
        %queries on        again a report under every cell
        """
        watcher, word = self.watcher, line.strip().lower()
        if word == "off":
            watcher.on = False
            if watcher.capture is not None:
                watcher.capture.__exit__()
                watcher.capture = None
        elif word in ("on", "explain", "time"):
            watcher.on = True
            if watcher.capture is None:
                watcher.capture = Report().__enter__()
            watcher.explain = watcher.explain or word == "explain"
            watcher.capture.show_time = watcher.capture.show_time or word == "time"
        else:
            said = f"%queries does not know {word!r}" if word else "%queries needs a word"
            raise UsageError(f"{said}: there are explain, time, off and on.")

    @line_magic
    def rollback(self, line: str) -> None:
        """First line of a cell: whatever the cell writes is undone when it ends."""
        if line.strip():
            raise UsageError("%rollback stands alone on the first line; the code goes below it.")
        first = next((text for text in self.watcher.source.splitlines() if text.strip()), "")
        if first.strip() != "%rollback":
            raise UsageError("Put %rollback on the first line of the cell, before any code.")
        if self.watcher.rollback is not None:
            return
        try:
            self.watcher.rollback = Rollback(self.watcher.shared.connections)
        except DatabaseError as error:
            raise UsageError(f"%rollback could not begin a transaction: {error}") from None
