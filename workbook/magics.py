"""The IPython face: a report under every cell, tables for QuerySets, and the line magics.

What happens around a cell, in this order: before it, the kernel's connections are put in place
and a capture opens; after it, the capture closes, `%rollback` undoes, the report is shown. Hooks
registered with `shell.events` after loading run after that, under the report; they should do
their own queries inside `recorder.paused()`.
"""

import asyncio
import linecache
from typing import Any

from django.db import DatabaseError
from django.db.models.query import QuerySet, RawQuerySet
from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

import workbook
from workbook import recorder, tracebacks, unread
from workbook.recorder import Capture, Cell
from workbook.rollback import Rollback
from workbook.sharing import SharedConnections


class Watcher:
    """Follows a shell from cell to cell and shows what each one asked of the database."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.shared = SharedConnections()
        self.on = True
        self.capture: Capture | None = None
        self.rollback: Rollback | None = None
        self.explain = False
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
        self._task = _current_task()
        unread.forget()
        if self.on:
            self.capture = recorder.queries().__enter__()

    def after_cell(self, result: ExecutionResult | None = None) -> None:
        """The `post_run_cell` hook."""
        self._loading = False
        self._depth = max(self._depth - 1, 0)
        if self._depth:
            return
        capture, self.capture = self.capture, None
        notes: list[str] = []
        try:
            if capture is not None:
                capture.__exit__()
                if result is None or result.success:
                    capture.unread = unread.find(capture)
                if self.explain:
                    from workbook import plans

                    notes += plans.explain(capture)
        except Exception as error:
            notes.append(_sorry(error))
        finally:
            notes += self._undo(capture)
        if capture is not None:
            self._show(capture, notes)
        recorder.forget_files()

    def _show(self, capture: Capture, notes: list[str]) -> None:
        try:
            if capture.count or capture.transactions:
                from workbook import report  # pygments and sqlparse: not before they are needed

                data = report.mimebundle(capture, notes)
            elif notes:
                data = {"text/plain": "\n".join(notes)}
            else:
                return
        except Exception as error:  # our mistake must not cost the reader the cell's result
            data = {"text/plain": "\n".join([*notes, _sorry(error)])}
        self.shell.display_pub.publish(data=data, metadata={})

    def _undo(self, capture: Capture | None) -> list[str]:
        rollback, self.rollback = self.rollback, None
        if rollback is None:
            return []
        notes = rollback.end()
        ours = list(map(id, self.shared.connections.values()))
        for query in capture.queries if capture else ():
            if not query.is_select and id(query.connection) not in ours:
                at = f" at {query.place}" if query.place else ""
                notes.append(
                    f"A thread of this cell wrote on a connection of its own{at}: "
                    "%rollback does not reach that."
                )
                break
        return notes or ["Rolled back: nothing this cell wrote remains."]

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

    # Where code stands

    def find_cell(self, filename: str) -> Cell | None:
        """How the reader knows the code compiled as `filename`."""
        if filename in ("<timed exec>", "<timed eval>"):  # %%time: its code starts on line 2
            lines = self.source.splitlines()
            return Cell("", _blank_lines(self.source) + 1, lines)
        named = self.shell.compile.format_code_name(filename)  # e.g. ("Cell", "In[3]")
        if not named:
            return None
        number = named[1].removeprefix("In")
        if number in self._own_numbers:
            code = "".join(linecache.getlines(filename))
            return Cell("", _offset(code, self.source))
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


def _offset(code: str, source: str) -> int:
    """How many lines of the cell stand above the code that Python compiled."""
    wanted, lines = code.rstrip().splitlines(), source.rstrip().splitlines()
    if lines and lines[0].startswith("%%") and len(lines) > len(wanted):
        return len(lines) - len(wanted)
    return _blank_lines(source)


def _blank_lines(source: str) -> int:
    lines = source.splitlines()
    return next((n for n, line in enumerate(lines) if line.strip()), 0)


def _current_task() -> asyncio.Task | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _sorry(error: Exception) -> str:
    return f"The workbook could not report on this cell ({type(error).__name__}: {error})."


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
                watcher.capture = recorder.queries().__enter__()
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


def _show_queryset(queryset: QuerySet, include: Any = None, exclude: Any = None) -> dict[str, str]:
    from workbook import frames

    with recorder.caused_by("display"):
        try:
            preview = frames.preview(queryset)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".strip()
            return {"text/plain": f"This QuerySet cannot be shown. {reason}"}
    return {"text/plain": preview.text, "text/html": preview.html}


def load(shell: InteractiveShell) -> None:
    """Start watching a shell; called twice, it changes nothing."""
    if getattr(shell, "workbook_watcher", None) is not None:
        return
    watcher = shell.workbook_watcher = Watcher(shell)
    recorder.find_cell = watcher.find_cell
    recorder.suspended_line = watcher.suspended_line
    recorder.install()
    unread.install()
    shell.register_magics(WorkbookMagics(shell, watcher))
    shell.events.register("pre_run_cell", watcher.before_cell)
    shell.events.register("post_run_cell", watcher.after_cell)
    for kind in (QuerySet, RawQuerySet):
        shell.display_formatter.mimebundle_formatter.for_type(kind, _show_queryset)
    tracebacks.install(shell)
    shell.push({"frame": workbook.frame, "queries": workbook.queries}, interactive=False)
    watcher.before_cell()  # the cell that loads us is watched from here on
    try:
        from workbook import exercise_magics
    except ImportError:
        return
    exercise_magics.register(shell)


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
    for name in ("queries", "rollback"):
        shell.magics_manager.magics["line"].pop(name, None)
    recorder.find_cell = lambda filename: None
    recorder.suspended_line = lambda: None
    recorder.uninstall()
    unread.uninstall()
    watcher.shared.close()
