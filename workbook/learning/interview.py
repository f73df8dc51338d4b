"""`%interview`: questions and exercises of chapters you have done, one at a time, on a clock."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from workbook.exercises import tasks
from workbook.exercises.progress import Progress, State
from workbook.exercises.tasks import Task
from workbook.learning import course, pages
from workbook.learning.course import Chapter, Question

QUESTIONS, EXERCISES = 5, 3
MINUTES = {"question": 2, "exercise": 8}  # what interviewers give


@dataclass
class Item:
    """One question or one exercise, and how it went."""

    chapter: Chapter
    asked: Question | Task
    seconds: float = 0.0
    well: bool | None = None  # None: not answered yet
    shown: bool = False  # the answer

    @property
    def kind(self) -> str:
        return "exercise" if isinstance(self.asked, Task) else "question"

    @property
    def name(self) -> str:
        if isinstance(self.asked, Task):
            return f"Exercise {self.asked.number}"
        return self.asked.text

    @property
    def section(self) -> str:
        """Where to read about it again."""
        return "" if isinstance(self.asked, Task) else self.asked.section


@dataclass
class Interview:
    """One interview, from the draw to the summary. `clock` gives seconds."""

    items: list[Item]
    clock: Callable[[], float] = monotonic
    position: int = 0
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.clock()
        self.started = self.begun  # of the current item

    @property
    def current(self) -> Item | None:
        return self.items[self.position] if self.position < len(self.items) else None

    def page(self) -> str:
        """The current question or exercise."""
        item = self.current
        number = f"{item.kind.capitalize()} {self.position + 1} of {len(self.items)}"
        aim = f"aim for {MINUTES[item.kind]} minutes"
        spent = f" · {spelled(self.clock() - self.begun)} so far" if self.position else ""
        head = f"<small>{number}{spent} · {aim}</small>\n\n"
        if isinstance(item.asked, Task):
            return head + pages.task_page(item.asked, item.chapter)
        return (
            f"{head}**{item.asked.text}**\n\n"
            "Answer aloud, or write the code. Then `%interview answer` shows what you could say."
        )

    def cell(self) -> str:
        """What the next cell holds."""
        item = self.current
        if isinstance(item.asked, Task):
            return pages.exercise_cell(item.asked)
        return "%interview answer"

    def answer(self) -> str:
        """The answer to the current question; stops its clock."""
        item = self.current
        if not item.shown:
            item.shown, item.seconds = True, self.clock() - self.started
        return (
            f"<small>You took {spelled(item.seconds)}.</small>\n\n{item.asked.answer}\n\n"
            "Was that your answer, more or less? `%interview yes` or `%interview no`"
        )

    def done(self, well: bool) -> Item:
        """Note how the current item went, and go on to the next."""
        item = self.current
        item.well = well
        if not item.shown:
            item.seconds = self.clock() - self.started
        self.position += 1
        self.started = self.clock()
        return item

    def summary(self) -> str:
        """What went well and what did not, with the section to read again."""
        asked = [item for item in self.items if item.well is not None]
        well = sum(item.well for item in asked)
        total = spelled(self.clock() - self.begun)
        lines = [f"**{well} of {len(asked)} went well**, in {total}.", ""]
        lines += ["| | you were asked | time | read again |", "|:--|:--|--:|:--|"]
        for item in asked:
            mark = "✓" if item.well else "✗"
            again = "" if item.well else pages.linked(item.chapter, item.section)
            name, again = (text.replace("|", "\\|") for text in (item.name, again))
            lines.append(f"| {mark} | {name} | {spelled(item.seconds)} | {again} |")
        return "\n".join(lines)


def draw(
    chapters: list[Chapter], tasks: dict[str, Task], state: State, chance: random.Random
) -> list[Item]:
    """Five questions and three exercises of these chapters, or as many as there are.

    Questions that went badly come first, then those never asked; exercises come from different
    chapters where they can.
    """
    questions = [(chapter, question) for chapter in chapters for question in chapter.questions]
    chance.shuffle(questions)

    def known(pair: tuple[Chapter, Question]) -> int:
        past = state.questions.get(pair[1].key)
        return 1 if past is None else 2 if past.well else 0

    exercises = []
    pools = [pages.tasks_of(chapter, tasks) for chapter in chapters]
    for pool in pools:
        chance.shuffle(pool)
    chance.shuffle(pools)
    while any(pools) and len(exercises) < EXERCISES:
        pools = [pool for pool in pools if pool]
        exercises += [pool.pop() for pool in pools]
    by_path = {chapter.path: chapter for chapter in chapters}
    return [
        *(Item(*pair) for pair in sorted(questions, key=known)[:QUESTIONS]),
        *(Item(by_path[task.chapter], task) for task in exercises[:EXERCISES]),
    ]


def spelled(seconds: float) -> str:
    """ "1:05", or "1:02:09"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@magics_class
class InterviewMagics(Magics):
    """`%interview`, one question after the other."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._now: Interview | None = None

    @line_magic
    def interview(self, line: str) -> None:
        """Five questions and three exercises of the chapters you have done, one at a time.

        %interview 7 8      of these chapters
        %interview answer   shows the answer to a question
        %interview yes, no  says whether it was yours, and goes on; `no` gives up an exercise
        %interview stop     ends it and says how it went
        """
        word = line.partition("#")[0].strip().lower()
        if word in ("answer", "yes", "no", "stop"):
            if self._now is None:
                raise UsageError("There is no interview. %interview begins one.")
            if word == "answer":
                self._answer()
            elif word == "stop":
                self._end()
            else:
                self._went(word == "yes")
            return
        if self._now is None or word:
            self._now = self._drawn(word)
        self._ask()

    def passed(self, number: str) -> bool:
        """An exercise was solved: goes on if it is the one asked for, and says whether it was."""
        item = self._now.current if self._now else None
        if item is None or not isinstance(item.asked, Task) or item.asked.number != number:
            return False
        self._went(well=True)
        return True

    def _drawn(self, word: str) -> Interview:
        state, found = Progress().state(), tasks.tasks()
        if word:
            chapters = [course.named(number) for number in re.split(r"[\s,]+", word)]
        else:
            chapters = [one for one in course.required() if pages.is_done(one, found, state)]
        if not chapters:
            raise UsageError(
                "An interview is about chapters whose exercises you have all solved, and there is "
                "none yet. To be asked about some now, name them: %interview 0 1"
            )
        items = draw(chapters, found, state, random.Random())
        if not items:
            raise UsageError("There are no questions and no exercises in these chapters.")
        return Interview(items)

    def _ask(self) -> None:
        pages.show(self._now.page())
        item = self._now.current
        if isinstance(item.asked, Task):
            course.bring(self.shell, item.chapter)
        self.shell.set_next_input(self._now.cell())

    def _answer(self) -> None:
        if isinstance(self._now.current.asked, Task):
            raise UsageError(
                "Answer an exercise in a cell of its own. %interview no gives it up and goes on."
            )
        pages.show(self._now.answer())
        self.shell.set_next_input("%interview yes  # or no")

    def _went(self, well: bool) -> None:
        item = self._now.done(well)
        if isinstance(item.asked, Question):
            Progress().question(item.asked.key, well)
        if self._now.current is None:
            self._end()
        else:
            self._ask()

    def _end(self) -> None:
        ended, self._now = self._now, None
        pages.show(ended.summary())
