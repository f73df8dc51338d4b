"""`%exercise`, `%hint`, `%solution`."""

import ast
import difflib
import inspect
from collections.abc import Callable
from typing import Any

from django.db.models.query import QuerySet, RawQuerySet
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import display

from workbook import tables
from workbook.exercises import checker, declaration, feedback, progress, running
from workbook.kernel import tracebacks
from workbook.queries import recorder

ROWS_OF_A_WRONG_ANSWER = 3


class AnswersAside(ast.NodeTransformer):
    """Sets the code below `%exercise` aside: the magic runs it, judges it, and shows what it gave.

    An AST transformer of the shell; IPython itself runs only the magics of such a cell.
    """

    def __init__(self) -> None:
        self.code: ast.Module | None = None

    def visit_Module(self, cell: ast.Module) -> ast.Module:
        self.code = None
        if cell.body and _magic(cell.body[0]) == "exercise":
            first, *rest = cell.body
            magics = [node for node in rest if _magic(node)]
            self.code = ast.Module([node for node in rest if node not in magics], [])
            cell.body = [*magics, first]
        return cell


def _magic(node: ast.AST) -> str:
    """The name of the line magic that IPython has made this statement of."""
    match node:
        case ast.Expr(
            ast.Call(ast.Attribute(attr="run_line_magic"), [ast.Constant(str(name)), *_])
        ):
            return name
    return ""


@magics_class
class ExerciseMagics(Magics):
    """Checks the answer in a cell that begins with `%exercise`, and helps on the way."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.aside = AnswersAside()
        self._source = ""
        self._number = 0
        # Called after a verdict was shown, with the exercise's history from before.
        self.judged: list[Callable[[checker.Verdict, progress.Entry], None]] = []

    @line_magic
    def exercise(self, line: str) -> None:
        """`%exercise 7.1` as the first line of a cell: its last expression is the answer.

        The answer is checked on this database and on a second, small one. Whatever the cell
        writes is undone. `...` stands for "not attempted".
        """
        found = self._find(line)
        code, self.aside.code = self.aside.code, None
        if code is None:
            raise UsageError("Put %exercise on the first line of the cell, and the answer below.")
        needs_value = not (found.leaves or found.raises)
        cell = running.Cell(code, dict(self.shell.user_ns), needs_value, self._filename())
        if not cell.attempted:
            self._show(checker.Verdict(found, "not attempted"))
            return
        try:
            verdict = checker.check(found, cell)
        except KeyboardInterrupt:
            verdict = checker.Verdict(found, "stopped")
        self.shell.user_ns.update(cell.names)
        self._show(verdict)
        if verdict.given is not None:
            self._show_answer(verdict, cell)

    def _show(self, verdict: checker.Verdict) -> None:
        store = progress.Progress()
        number = verdict.exercise.number
        before = store.entry(number)
        if verdict.status in {"passed", "failed"}:
            store.attempt(number, verdict.status == "passed")
        self._display(feedback.verdict_message(verdict, store.entry(number)), store)
        for tell in self.judged:
            tell(verdict, before)

    def _show_answer(self, verdict: checker.Verdict, cell: running.Cell) -> None:
        """What the cell would have shown without `%exercise`, below the verdict."""
        given, passed = verdict.given, verdict.status == "passed"
        given.shown.show()
        capture = self.shell.workbook_watcher.capture
        if capture is not None:  # the watcher reports it when the cell ends
            capture.queries += given.own
            capture.marks += [one for one in given.capture.marks if one.position <= len(given.own)]
        if given.error is not None and not passed:
            tracebacks.show_from(self.shell, given.error, cell.filename)
        elif given.answer is not None and not inspect.isawaitable(given.answer):
            # The check has read a lazy answer; without `%exercise`, showing it runs its query.
            value = given.answer
            if given.lazy:
                value = value.all()  # not the learner's own object, which keeps its lock
                value.query.select_for_update = False  # its transaction is over
            _show_value(value, None if passed else ROWS_OF_A_WRONG_ANSWER)

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
        # IPython has counted on already, except for cells that keep out of the history.
        self._number = self.shell.execution_count - info.store_history

    def _filename(self) -> str:
        """The name under which IPython compiles the running cell, so that its lines are found."""
        shell = self.shell
        code = shell.transform_cell(self._source)
        return shell.compile.get_code_name(self._source, code, self._number)

    def _find(self, line: str) -> declaration.Exercise:
        try:
            return declaration.find(line.strip().strip("\"'"))
        except declaration.ExerciseError as error:
            raise UsageError(str(error)) from None

    def _display(self, message: feedback.Message, store: progress.Progress) -> None:
        message.closing += store.notices
        display(message)


def _show_value(value: Any, rows: int | None) -> None:
    """The value as a cell shows it, cut to its first rows."""
    if isinstance(value, QuerySet | RawQuerySet):
        with recorder.caused_by("display"):
            preview = tables.preview(value, rows) if rows else tables.preview(value)
        display({"text/plain": preview.text, "text/html": preview.html}, raw=True)
    elif rows and callable(getattr(value, "head", None)):  # pandas
        display(value.head(rows))
    elif rows and isinstance(value, list | tuple) and len(value) > rows:
        display(value[:rows])
        print(f"… and {len(value) - rows:,} more")
    else:
        display(value)


def did_you_mean(shell: InteractiveShell) -> None:
    """Let a misspelt magic of the workbook's be answered with its name."""
    find = shell.find_line_magic

    def find_or_suggest(name: str) -> Callable | None:
        ours = [
            known
            for known, function in shell.magics_manager.magics["line"].items()
            if getattr(function, "__module__", "").startswith("workbook.")
        ]
        close = difflib.get_close_matches(name, ours, 1)
        if (found := find(name)) or not close:
            return found

        def suggest(line: str) -> None:
            raise UsageError(f"There is no %{name}. Did you mean %{close[0]}?")

        return suggest

    shell.find_line_magic = find_or_suggest


def register(shell: InteractiveShell) -> None:
    """Add the magics to a shell. Called by `%load_ext workbook`; calling it twice is harmless."""
    if "ExerciseMagics" in shell.magics_manager.registry:
        return
    magics = ExerciseMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.before_cell)
    shell.ast_transformers.append(magics.aside)
    did_you_mean(shell)
    # `...` is the answer not given yet: showing "Ellipsis" below it would only puzzle.
    shell.display_formatter.ipython_display_formatter.for_type(type(...), lambda value: None)
