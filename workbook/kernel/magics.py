"""`%queries`, `%guess` and `%rollback`: line magics, so that a cell's code stays plain."""

import re

from django.db import DatabaseError
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from workbook.kernel.rollback import CellRollback
from workbook.kernel.source import magics_and_code
from workbook.kernel.watcher import Watcher
from workbook.queries import Report

_TIME = re.compile(r"(\d*\.?\d+)\s*(ms|s)")
_LONGEST_TRIP = 1.0  # seconds


@magics_class
class WorkbookMagics(Magics):
    """`%queries`, `%guess` and `%rollback`."""

    def __init__(self, shell: InteractiveShell, watcher: Watcher) -> None:
        super().__init__(shell)
        self.watcher = watcher

    @line_magic
    def queries(self, line: str) -> None:
        """Choose what the reports say.

        %queries explain    add the query plans to this cell's report
        %queries time       add the times to this cell's report
        %queries trip 2ms   each query of this cell takes 2 ms longer, as over a network
        %queries off        no recording and no reports from here on
        %queries on         again a report under every cell

        The time of a query is what the code waits for it: a round trip added by `trip` is included.
        BEGIN, SAVEPOINT and COMMIT take no round trip here, as they are not counted as queries.
        """
        watcher = self.watcher
        word, _, rest = line.strip().lower().partition(" ")
        if rest and word != "trip":
            raise UsageError(f"Write %queries {word} on a line of its own, without {rest!r}.")
        if word == "off":
            watcher.on = False
            if watcher.capture is not None:
                watcher.capture.__exit__()
                watcher.capture = None
        elif word in ("on", "explain", "time", "trip"):
            trip = _trip(rest) if word == "trip" else 0.0
            watcher.on = True
            if watcher.capture is None:
                watcher.capture = Report().__enter__()
            watcher.explain = watcher.explain or word == "explain"
            watcher.capture.show_time = watcher.capture.show_time or word == "time"
            if word == "trip":
                if watcher.capture.count:
                    raise UsageError("Put %queries trip above the cell's first query.")
                watcher.capture.trip = trip
        else:
            said = f"%queries does not know {word!r}" if word else "%queries needs a word"
            raise UsageError(f"{said}: there are explain, time, trip, off and on.")

    @line_magic
    def guess(self, line: str) -> None:
        """First line of a cell: how many queries you expect it to run.

        %guess 3     the report's headline answers: 101 queries · you guessed 3
        %guess ...   no guess yet: the cell runs as usual
        """
        self._stands_above_the_code("guess")
        said = line.partition("#")[0].strip()
        if said in ("...", "…"):
            return
        digits = said.replace(",", "")  # reports write 1,000
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
            raise UsageError(
                "Write the number of queries you expect, such as %guess 3"
                + (f", instead of {said}." if said else ".")
            )
        self.watcher.guess = int(digits)

    @line_magic
    def rollback(self, line: str) -> None:
        """First line of a cell: whatever the cell writes is undone when it ends.

        That is what the cell writes through Django's connections, `await` included. Out of reach
        are other processes, the connections of threads, those that the cell opens with the driver
        itself, and what a thread or a task writes after the cell has ended: the report says so
        where that can be seen. Numbers taken from a sequence are not given back.
        """
        if line.strip():
            raise UsageError("%rollback is a line of its own: the code goes below it.")
        self._stands_above_the_code("rollback")
        if self.watcher.rollback is not None:
            return
        try:
            self.watcher.rollback = CellRollback(self.watcher.shared.connections)
        except DatabaseError as error:
            raise UsageError(f"%rollback could not begin a transaction: {error}") from None

    def _stands_above_the_code(self, name: str) -> None:
        magics, _ = magics_and_code(self.watcher.source)
        if f"%{name}" not in {magic.split()[0] for magic in magics}:
            raise UsageError(f"Put %{name} on the first line of the cell, before any code.")


def _trip(said: str) -> float:
    """The seconds of `2ms` or `0.1 s`."""
    match = _TIME.fullmatch(said.strip())
    if match is None:
        raise UsageError(
            "Write how long a round trip takes, such as %queries trip 2ms or %queries trip 0.1s."
        )
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    if seconds > _LONGEST_TRIP:
        raise UsageError("A round trip of %queries trip is at most 1 s for each query.")
    return seconds
