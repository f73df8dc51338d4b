"""`%progress`, `%next`, `%review`, and what stands below a chapter's cells."""

import os
import re
from pathlib import PurePath

from django.db import connection
from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import display

from workbook.exercises import declaration, feedback, tasks
from workbook.exercises.checker import Verdict
from workbook.exercises.progress import Entry, Progress
from workbook.learning import course, holders, pages, reset
from workbook.learning.interview import InterviewMagics
from workbook.learning.reset import ResetMagics
from workbook.learning.review import due, upcoming
from workbook.queries import recorder

_LOADS = re.compile(r"^\s*%load_ext\s+workbook\b", re.MULTILINE)


@magics_class
class LearningMagics(Magics):
    """Where the reader is, what is next, what again."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.claim: holders.Claim | None = None
        self.interview = InterviewMagics(shell)

    @line_magic
    def progress(self, line: str) -> None:
        """`%progress` shows all chapters and what to do next, `%progress 7` one chapter."""
        store = Progress()
        state, found = store.state(), tasks.tasks()
        if line.strip():
            pages.show(pages.of_chapter(course.named(line), found, state), store)
        elif course.chapters():
            pages.show(pages.the_map(found, state, len(due(found, state))), store)
        else:  # exercises without notebooks
            try:
                known = declaration.chapters()
            except declaration.ExerciseError as error:
                raise UsageError(str(error)) from None
            display(feedback.progress_message(known, state.exercises, store.notices))

    @line_magic
    def next(self, line: str) -> None:
        """`%next` shows the next unsolved exercise and writes a cell for it; `%next 7` of one
        chapter.
        """
        course.required()
        store = Progress()
        state, found = store.state(), tasks.tasks()
        if line.strip():
            of = pages.tasks_of(course.named(line), found)
            task = pages.next_task(of, state)
        else:
            task = pages.next_task(list(found.values()), state, course.here)
        if task is None:
            pages.show(pages.all_solved(len(due(found, state))), store)
            return
        chapter = course.of_exercise(task.number)
        course.bring(self.shell, chapter)
        pages.show(pages.task_page(task, chapter), store)
        self.shell.set_next_input(pages.exercise_cell(task))

    @line_magic
    def review(self, line: str) -> None:
        """`%review` brings back an exercise that you have solved, or a guess that was wrong.

        Exercises come back after 1, 3, 7 and 21 days, sooner where you needed help.
        """
        course.required()
        store = Progress()
        state, found = store.state(), tasks.tasks()
        today = due(found, state)
        if not today:
            pages.show(pages.nothing_due(upcoming(found, state)), store)
            return
        one = today[0]
        head = f"<small>Review · {pages.plural(len(today), 'thing')} today</small>\n\n"
        if one.task:
            store.ask(one.key)
            course.bring(self.shell, one.chapter)
            pages.show(head + pages.task_page(one.task, one.chapter), store)
            self.shell.set_next_input(pages.exercise_cell(one.task))
        else:
            code = one.chapter.guesses[one.key]
            store.ask_guess(one.key)
            course.bring(self.shell, one.chapter, code)
            pages.show(head + pages.guess_page(one.chapter), store)
            self.shell.set_next_input(f"%guess ...\n{code}")

    # Around a cell

    def before_cell(self, info: ExecutionInfo) -> None:
        """The `pre_run_cell` hook: the first cell may be run again, without IPython's remark that
        the extension is loaded already.
        """
        if _LOADS.search(info.raw_cell or ""):
            self.shell.extension_manager.loaded.discard("workbook")

    def after_cell(self, result: ExecutionResult) -> None:
        """The `post_run_cell` hook; runs after the kernel's and the exercises'."""
        self.claim.cell_ended()
        if sentence := holders.explain(result.error_in_exec, connection):
            pages.show(sentence)
        source = result.info.raw_cell or "" if result.info else ""
        if result.success and _LOADS.search(source):
            self._greet(source, getattr(result.info, "cell_id", None))

    def _greet(self, source: str, cell_id: str | None) -> None:
        """Under the first cell: which chapter this is, and whether the shop is as seeded."""
        store = Progress()
        lines = []
        if store.file is not None:
            course.here = course.of_notebook(notebook(self.shell), cell_id, source)
            if course.here is not None:
                lines.append(pages.header(course.here, tasks.tasks(), store.state()))
        lines += filter(None, [reset.changes()])
        if lines or store.notices:
            pages.show("\n\n".join(lines), store)

    def after_verdict(self, verdict: Verdict, before: Entry) -> None:
        """What comes of a solved exercise; shown below its verdict."""
        number = verdict.exercise.number
        if verdict.status != "passed" or self.interview.passed(number):
            return
        store = Progress()
        state, found = store.state(), tasks.tasks()
        chapter = course.of_exercise(number)
        if chapter is None or number not in found or store.file is None:
            return
        if before.asked:
            pages.show(pages.reviewed(state.exercises[number], len(due(found, state))), store)
        elif not before.passed and pages.is_done(chapter, found, state):
            pages.show(pages.finished(chapter, found, state), store)

    def after_guess(self, code: str, guess: int, ran: int) -> None:
        """Note a prediction, if the cell is a chapter's."""
        for chapter in course.chapters():
            for key, known in chapter.guesses.items():
                if known == code:
                    Progress().guess(key, guess, ran)
                    return


def notebook(shell: InteractiveShell) -> str:
    """The name of this kernel's notebook, without its ending; "" if the editor does not say.

    VS Code puts the path into the namespace, Jupyter's servers into the environment.
    """
    path = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME", "")
    name = PurePath(str(path).replace("\\", "/"))
    return name.stem if name.suffix == ".ipynb" else ""


def register(shell: InteractiveShell) -> None:
    """Add the magics to a shell. Called by `%load_ext workbook`; calling it twice is harmless."""
    magics = shell.magics_manager.registry.get("LearningMagics")
    if magics is None:
        magics = LearningMagics(shell)
        for one in (magics, magics.interview, ResetMagics(shell)):
            shell.register_magics(one)
        shell.magics_manager.registry["ExerciseMagics"].judged.append(magics.after_verdict)
    if magics.claim is None:
        kernels_own = shell.workbook_watcher.shared.connections["default"]
        magics.claim = holders.Claim(kernels_own, notebook(shell))
        with recorder.paused():
            holders.limit_waiting(kernels_own)
        shell.events.register("pre_run_cell", magics.before_cell)
        shell.events.register("post_run_cell", magics.after_cell)
        shell.workbook_watcher.guessed.append(magics.after_guess)
        if reset.shop() is not None:
            shell.workbook_watcher.how_to_undo = "`%reset shop` puts the shop back."


def unregister(shell: InteractiveShell) -> None:
    """Leave the shell's cells alone."""
    magics = shell.magics_manager.registry.get("LearningMagics")
    if magics is not None and magics.claim is not None:
        shell.events.unregister("pre_run_cell", magics.before_cell)
        shell.events.unregister("post_run_cell", magics.after_cell)
        magics.claim.close()
        magics.claim = None
