"""`%exercise`, `%hint`, `%solution`."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import display

from workbook.exercises import (
    answers,
    checker,
    comparison,
    declaration,
    feedback,
    progress,
    running,
)

# A cell may replace a function of these modules; before its answer is judged they are put back.
_PRISTINE = {
    module: dict(vars(module))
    for module in (answers, checker, comparison, declaration, feedback, progress, running)
}


@dataclass
class _Running:
    """The exercise of the cell that is running now."""

    exercise: declaration.Exercise
    cell: running.Cell
    baseline: running.Outcome
    undo: ExitStack


@magics_class
class ExerciseMagics(Magics):
    """Checks the answer in a cell that begins with `%exercise`, and helps on the way."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._source = ""
        self._running: _Running | None = None
        # Called after a verdict was shown, with the exercise's history from before.
        self.judged: list[Callable[[checker.Verdict, progress.Entry], None]] = []

    @line_magic
    def exercise(self, line: str) -> None:
        """`%exercise 7.1` as the first line of a cell: its last expression is the answer.

        The answer is checked on this database and on a second, small one. Whatever the cell
        writes is undone. `...` stands for "not attempted".
        """
        found = self._find(line)
        first = next((text for text in self._source.splitlines() if text.strip()), "")
        if not first.lstrip().startswith("%exercise"):
            raise UsageError("Put %exercise on the first line of the cell, and the answer below.")
        code = self.shell.transform_cell(_without_magics(self._source))
        needs_value = not (found.leaves or found.raises)
        cell = running.Cell(
            code, dict(self.shell.user_ns), needs_value, self._filename(), _put_back
        )
        if not cell.attempted:
            self._show(found, checker.Verdict(found, "not attempted"))
            return
        baseline = running.run(found, found.answer)
        undo = ExitStack()
        undo.enter_context(declaration.closed())
        undo.enter_context(running.undone())
        self._running = _Running(found, cell, baseline, undo)

    @line_magic
    def hint(self, line: str) -> None:
        """`%hint 7.1` gives the next hint for an exercise, one at a time."""
        found = self._find(line)
        store = progress.Progress()
        shown = min(store.entry(found.number).hints + 1, len(found.hints))
        if not found.hints:
            print(f"Exercise {found.number} has no hints.")
            return
        store.hint(found.number, shown)
        self._display(feedback.hint_message(found, shown), store)

    @line_magic
    def solution(self, line: str) -> None:
        """`%solution 7.1` shows a model answer after one attempt; `%solution 7.1 now` at once."""
        number, _, rest = line.strip().partition(" ")
        found = self._find(number)
        store = progress.Progress()
        entry = store.entry(found.number)
        if not entry.attempts and rest.strip() != "now":
            print(
                f"Try exercise {found.number} once first: a wrong answer gets a helpful sentence."
                f"\nTo see the solution all the same: %solution {found.number} now"
            )
            return
        store.solution(found.number)
        self._display(feedback.solution_message(found), store)

    def before_cell(self, info: Any) -> None:
        self._source = info.raw_cell or ""
        self._abandon()

    def after_cell(self, result: ExecutionResult) -> None:
        current, self._running = self._running, None
        if current is None:
            return
        self.shell.workbook_watcher.shared.restore()  # a cell that awaits ran in another context
        _put_back()
        try:
            current.undo.close()
            if isinstance(result.error_in_exec, KeyboardInterrupt):
                verdict = checker.Verdict(current.exercise, "stopped")
            else:
                verdict = checker.check(current.exercise, current.cell, current.baseline)
        except KeyboardInterrupt:
            verdict = checker.Verdict(current.exercise, "stopped")
        self._show(current.exercise, verdict)

    def _abandon(self) -> None:
        """Undo an exercise whose cell ended without the hook being called."""
        if self._running is not None:
            self._running.undo.close()
            self._running = None

    def _filename(self) -> str:
        """The name under which IPython compiled the running cell, so that its lines are found."""
        shell = self.shell
        code = shell.transform_cell(self._source)
        return shell.compile.get_code_name(self._source, code, shell.execution_count)

    def _find(self, line: str) -> declaration.Exercise:
        try:
            return declaration.find(line.strip().strip("\"'"))
        except declaration.ExerciseError as error:
            raise UsageError(str(error)) from None

    def _show(self, exercise: declaration.Exercise, verdict: checker.Verdict) -> None:
        store = progress.Progress()
        before = store.entry(exercise.number)
        if verdict.status in {"passed", "failed"}:
            store.attempt(exercise.number, verdict.status == "passed")
        self._display(feedback.verdict_message(verdict, store.entry(exercise.number)), store)
        for tell in self.judged:
            tell(verdict, before)

    def _display(self, message: feedback.Message, store: progress.Progress) -> None:
        message.closing += store.notices
        display(message)


def _put_back() -> None:
    for module, names in _PRISTINE.items():
        vars(module).update(names)


def _without_magics(source: str) -> str:
    """The cell's code with its line magics blanked out, so that line numbers stay."""
    return re.sub(r"^%.*$", "", source, flags=re.MULTILINE)


def register(shell: InteractiveShell) -> None:
    """Add the magics to a shell. Called by `%load_ext workbook`; calling it twice is harmless."""
    if "ExerciseMagics" in shell.magics_manager.registry:
        return
    magics = ExerciseMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.before_cell)
    shell.events.register("post_run_cell", magics.after_cell)
    # `...` is the answer not given yet: showing "Ellipsis" below it would only puzzle.
    shell.display_formatter.ipython_display_formatter.for_type(type(...), lambda value: None)
