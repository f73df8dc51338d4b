"""Around a cell: a report below each one, and tables for QuerySets.

What happens around a cell, in this order. Before it: the kernel's connections are put in place and
a capture opens. After it: the capture closes, `%rollback` undoes, whoever listens is told of a
`%guess`, and the report is shown. Hooks that are registered with `shell.events` after loading run
after that, and what they show is below the report; they should do their own queries inside
`recorder.paused()`.
"""

import asyncio
import linecache
from collections.abc import Callable
from typing import Any

from django.db import reset_queries
from django.db.models.query import QuerySet
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

from workbook import tables
from workbook.kernel import source
from workbook.kernel.rollback import CellRollback
from workbook.kernel.sharing import SharedConnections
from workbook.queries import Report, origins, plans, recorder, report, unread, writes
from workbook.queries.origins import Cell


class Watcher:
    """Follows a shell from cell to cell and shows what each one asked of the database."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.shared = SharedConnections()
        self.on = True
        self.capture: Report | None = None
        self.rollback: CellRollback | None = None
        self.explain = False
        self.guess: int | None = None
        # Called after a cell with %guess: its code without magics, the guess, the queries it ran.
        self.guessed: list[Callable[[str, int, int], None]] = []
        # How to undo what a cell wrote, as a sentence; a project that knows no way leaves it empty.
        self.how_to_undo = ""
        self.source = ""
        self._own_numbers: set[str] = set()  # of the cell that is running, and of cells within
        self._depth = 0  # %%capture and the like run a cell inside the cell
        self._loading = False  # since load(), no cell has begun or ended
        self._task: asyncio.Task | None = None

    # Around a cell

    def before_cell(self, info: ExecutionInfo | None = None) -> None:
        """The `pre_run_cell` hook."""
        # IPython counts on before it calls us, except for cells that keep out of the history.
        number = self.shell.execution_count - (info is None or info.store_history)
        if self._loading:  # not by a cell, but by `ipython --ext workbook` or a configuration
            self._depth = 0
        self._loading = info is None
        self._depth += 1
        if self._depth > 1 and self.capture is not None and self._still_running():
            self._own_numbers.add(f"[{number}]")
            return
        self._abandon()
        self._depth = 1
        self.shared.restore()
        self.source = info.raw_cell if info else ""
        self._own_numbers = {f"[{number}]"}
        self.explain = False
        self.guess = None
        self._task = _current_task()
        unread.forget()
        reset_queries()  # Django's own log: once it is full, CaptureQueriesContext counts 0
        if self.on:
            self.capture = Report().__enter__()

    def after_cell(self, result: ExecutionResult | None = None) -> None:
        """The `post_run_cell` hook."""
        self._loading = False
        self._depth = max(self._depth - 1, 0)
        if self._depth:
            return
        self.shared.restore()  # the cell may have deleted or replaced them
        capture, self.capture = self.capture, None
        notes: list[str] = []
        closing = ""
        try:
            if capture is not None:
                capture.__exit__()
                closing = self._saved(capture)
                capture.guess = self.guess
                if result is None or result.success:
                    capture.unread = unread.find(capture)
                if self.explain:
                    notes += plans.explain(capture)
        except Exception as error:
            notes.append(_sorry(error))
        finally:
            notes += self._undo()
        if self.guess is not None:
            notes += self._answer_guess(capture, result)
        if capture is not None or notes:
            self._show(capture, notes, closing)
        origins.forget_files()

    def _answer_guess(self, capture: Report | None, result: ExecutionResult | None) -> list[str]:
        """Tell whoever wants to know of a guess; returns sentences if there is no answer to it."""
        if capture is None:
            return ["Reports are off, so nothing answers your guess: %queries on, then try again."]
        if result is None or not (result.success or capture.count):
            return []  # failed before its first query: a typing mistake, not a prediction
        try:
            for tell in self.guessed:
                tell(source.magics_and_code(self.source)[1], self.guess, capture.count)
        except Exception as error:
            return [_sorry(error)]
        return []

    def _saved(self, capture: Report) -> str:
        """What a cell without `%rollback` has written for good, and how to undo it."""
        if not self.how_to_undo or self.rollback is not None:
            return ""
        if any(connection.in_atomic_block for connection in self.shared.connections.values()):
            return ""  # nothing is for good yet: an exercise is undone when it has been checked
        kept = [query for query in writes.kept(capture) if query.alias == "default"]
        saved = writes.summary(kept)
        return f"Saved to the database: {saved}. {self.how_to_undo}" if saved else ""

    def _show(self, capture: Report | None, notes: list[str], closing: str) -> None:
        try:
            if capture is not None and (
                capture.count or capture.transactions or capture.guess is not None
            ):
                data = report.mimebundle(capture, notes, closing)
            elif notes:
                data = {"text/plain": "\n".join(notes)}
            else:
                return
        except Exception as error:  # our mistake must not cost the reader the cell's result
            data = {"text/plain": "\n".join(filter(None, [*notes, _sorry(error), closing]))}
        self.shell.display_pub.publish(data=data, metadata={})

    def _undo(self) -> list[str]:
        rollback, self.rollback = self.rollback, None
        return rollback.end() if rollback is not None else []

    def _still_running(self) -> bool:
        return self._task is None or self._task is _current_task()

    def _abandon(self) -> None:
        """Close what a cell left open that ended without its hook, e.g. cancelled."""
        if self.capture is not None:
            self.capture.__exit__()
            self.capture = None
        if self.rollback is not None:
            self.rollback.end()
            self.rollback = None

    # Which line of which cell

    def find_cell(self, filename: str) -> Cell | None:
        """How the reader knows the code compiled as `filename`."""
        if filename in ("<timed exec>", "<timed eval>"):  # %%time: its code starts on line 2
            lines = self.source.splitlines()
            return Cell("", source.blank_lines(self.source) + 1, lines)
        named = self.shell.compile.format_code_name(filename)  # e.g. ("Cell", "In[3]")
        if not named:
            return None
        number = named[1].removeprefix("In")
        if number in self._own_numbers:
            code = "".join(linecache.getlines(filename))
            return Cell("", source.lines_above(code, self.source))
        return Cell(f"cell {number}", 0)

    def suspended_line(self) -> tuple[str, int] | None:
        """Where the running cell awaits, for tasks that it started and that have no line."""
        step: Any = self._task.get_coro() if self._task else None
        while step is not None:
            frame = getattr(step, "cr_frame", None)
            if frame is not None and self.find_cell(frame.f_code.co_filename):
                return frame.f_code.co_filename, frame.f_lineno
            step = getattr(step, "cr_await", None)
        return None


def _current_task() -> asyncio.Task | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _sorry(error: Exception) -> str:
    return f"The workbook could not report on this cell ({type(error).__name__}: {error})."


def show_queryset(queryset: QuerySet, include: Any = None, exclude: Any = None) -> dict[str, str]:
    with recorder.caused_by("display"):
        try:
            preview = tables.preview(queryset)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".strip()
            return {"text/plain": f"This QuerySet cannot be shown. {reason}"}
    return {"text/plain": preview.text, "text/html": preview.html}
