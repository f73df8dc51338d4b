"""What the learner's loop shows, as Markdown: JupyterLab and VS Code render it and follow links."""

import re
import textwrap
from dataclasses import dataclass
from datetime import date
from typing import Any

from IPython.display import display

from workbook.exercises import progress
from workbook.exercises.progress import Entry, Progress, State
from workbook.exercises.tasks import Task
from workbook.learning import course
from workbook.learning.course import Chapter
from workbook.learning.review import Due

MONTHS = (  # not strftime's, which follow the machine's language
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


@dataclass
class Page:
    """Markdown to show, with its text for a terminal."""

    markdown: str

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/markdown": self.markdown, "text/plain": str(self)}

    def __str__(self) -> str:
        text = re.sub(r"(?<!!)\[([^]]+)\]\([^)\s]+\)", r"\1", self.markdown)
        return re.sub(r"\*\*|</?small>|^\|[-|: ]+\|\n", "", text, flags=re.MULTILINE)


def show(text: str, store: Progress | None = None) -> None:
    """Display Markdown below the cell, and what the progress file had to say."""
    display(Page("\n\n".join(filter(None, [text, *(store.notices if store else [])]))))


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(iso: str) -> str:
    """ "tomorrow", or "4 March"."""
    found = date.fromisoformat(iso)
    if (found - progress.today()).days < 2:
        return "tomorrow" if found > progress.today() else "today"
    return f"{found.day} {MONTHS[found.month - 1]}"


def linked(chapter: Chapter, section: str = "") -> str:
    title = f"{chapter.number} · {section}" if section else chapter.heading
    return f"[{title}]({course.link(chapter, section)})"


def on(iso: str) -> str:
    """ "tomorrow", or "on 4 March"."""
    said = day(iso)
    return said if said in ("today", "tomorrow") else f"on {said}"


# Standing -----------------------------------------------------------------------------------


def tasks_of(chapter: Chapter, tasks: dict[str, Task]) -> list[Task]:
    return [task for task in tasks.values() if task.chapter == chapter.path]


def entry(state: State, number: str) -> Entry:
    return state.exercises.get(number, Entry())


def solved(found: list[Task], state: State) -> int:
    return sum(entry(state, task.number).passed for task in found)


def guessed_right(chapter: Chapter, state: State) -> int:
    return sum(key in state.guesses and state.guesses[key].right for key in chapter.guesses)


def is_done(chapter: Chapter, tasks: dict[str, Task], state: State) -> bool:
    """Whether every exercise of the chapter is solved."""
    found = tasks_of(chapter, tasks)
    return bool(found) and solved(found, state) == len(found)


def next_task(tasks: list[Task], state: State, here: Chapter | None = None) -> Task | None:
    """The next unsolved exercise: of this chapter, else of those after it, else of all."""
    unsolved = [task for task in tasks if not entry(state, task.number).passed]
    ahead = [task for task in unsolved if here is None or task.chapter >= here.path]
    return next(iter(ahead or unsolved), None)


# Pages --------------------------------------------------------------------------------------


def header(chapter: Chapter, tasks: dict[str, Task], state: State) -> str:
    """One line: which chapter this is, what is solved of it, the way to all the others."""
    chapters = course.chapters()
    found = tasks_of(chapter, tasks)
    parts = [f"**{chapter.heading}** (chapter {chapters.index(chapter) + 1} of {len(chapters)})"]
    if found:
        parts.append(f"exercises {solved(found, state)} of {len(found)}")
    if chapter.guesses:
        parts.append(f"guesses right {guessed_right(chapter, state)} of {len(chapter.guesses)}")
    parts.append(f"[all chapters]({course.page('README.md')}), or `%progress`")
    return f"<small>{' · '.join(parts)}</small>"


def finished(chapter: Chapter, tasks: dict[str, Task], state: State) -> str:
    """The last ✓ of a chapter: what the reader can do now, and what comes next."""
    found = tasks_of(chapter, tasks)
    lines = [f"**{chapter.heading}: all {len(found)} exercises solved.**"]
    if chapter.promise:
        lines.append(f"You can now {chapter.promise}.")
    following = next_task(list(tasks.values()), state, chapter)
    if following is None:
        lines.append("Every chapter is done. `%interview` asks you what interviewers ask.")
    else:
        lines.append(f"Next: {linked(course.of_exercise(following.number))}.")
    if days := [entry(state, task.number).due for task in found if entry(state, task.number).due]:
        lines.append(f"From {day(min(days))} on, `%review` brings these exercises back.")
    return f"{lines[0]}\n\n{' '.join(lines[1:])}"


def the_map(tasks: dict[str, Task], state: State, due: int) -> str:
    """`%progress`: every chapter with its exercises, and what to do next."""
    chapters = course.chapters()
    entries = [entry(state, number) for number in tasks]
    guesses = sum(len(chapter.guesses) for chapter in chapters)
    right = sum(guessed_right(chapter, state) for chapter in chapters)
    parts = [f"**{solved(list(tasks.values()), state)} of {len(tasks)} exercises solved**"]
    parts += [f"guesses right {right} of {guesses}"] if guesses else []
    parts.append(plural(sum(e.attempts for e in entries), "attempt"))
    parts.append(plural(sum(e.hints for e in entries), "hint"))
    lines = [" · ".join(parts), "", "| chapter | solved | exercises |", "|:--|:--|:--|"]
    for chapter in chapters:
        found = tasks_of(chapter, tasks)
        marks = " · ".join(_mark(task, entry(state, task.number)) for task in found)
        lines.append(f"| {linked(chapter)} | {solved(found, state)} of {len(found)} | {marks} |")
    lines += ["", "<small>✓ solved, ✗ tried, ○ open; ★ to ★★★ difficulty</small>", ""]
    following = next_task(list(tasks.values()), state, course.here)
    if following is None:
        lines.append(all_solved(due))
    else:
        chapter = course.of_exercise(following.number)
        lines.append(f"Next: exercise {following.number} of {linked(chapter)}, `%next`.")
        lines += [review_today(due)]
    return "\n".join(lines)


def all_solved(due: int) -> str:
    return f"Every exercise is solved. `%interview` asks what interviewers ask.{review_today(due)}"


def review_today(due: int) -> str:
    return f" {plural(due, 'thing')} to review today: `%review`." if due else ""


def _mark(task: Task, done: Entry) -> str:
    sign = "✓" if done.passed else "✗" if done.attempts else "○"
    hints = f" ({plural(done.hints, 'hint')})" if done.hints else ""
    return f"{sign}\N{NO-BREAK SPACE}{'★' * task.stars}{hints}"


def of_chapter(chapter: Chapter, tasks: dict[str, Task], state: State) -> str:
    """`%progress 7`: one chapter, exercise by exercise."""
    found = tasks_of(chapter, tasks)
    lines = [f"**{linked(chapter)}** · {solved(found, state)} of {len(found)} exercises solved"]
    if chapter.guesses:
        right = guessed_right(chapter, state)
        lines[0] += f" · guesses right {right} of {len(chapter.guesses)}"
    lines += ["", "| exercise | task | attempts | hints | comes back |", "|:--|:--|--:|--:|:--|"]
    for task in found:
        done = entry(state, task.number)
        sign = "✓" if done.passed else "✗" if done.attempts else "○"
        seen = " (solution seen)" if done.solution else ""
        back = day(done.due) if done.due else ""
        lines.append(
            f"| {sign} {task.number} {'★' * task.stars} | {_first_words(task.text)} "
            f"| {done.attempts or ''} | {done.hints or ''}{seen} | {back} |"
        )
    return "\n".join(lines)


def _first_words(text: str) -> str:
    """The beginning of a task, on one line, as it may stand in a table."""
    paragraph = " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
    words = textwrap.shorten(re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", paragraph), 70)
    return words.replace("[...]", "…")


def nothing_due(upcoming: list[Due]) -> str:
    if not upcoming:
        return (
            "There is nothing to review yet. Exercises come back from the day after you have "
            "solved them, and guesses that were wrong: `%next`"
        )
    first = min(one.on for one in upcoming)
    return f"Nothing to review today. The next review is {on(first)}; until then, `%next`."


def reviewed(done: Entry, left: int) -> str:
    """After a review: when it comes back, and what is left today."""
    back = f"It comes back {on(done.due)}." if done.due else "It does not come back: you know it."
    return back + review_today(left)


def guess_page(chapter: Chapter) -> str:
    """A cell whose queries were guessed wrongly. Its section's title may say the answer."""
    return (
        f"**How many queries does it run?** · {linked(chapter)}\n\n"
        "Your guess was wrong the last time. Put a number behind `%guess`, then run the cell below."
    )


def task_page(task: Task, chapter: Chapter) -> str:
    """The task with its text, as `%next` and `%review` show it."""
    return f"**{task.number} {'★' * task.stars}** · {linked(chapter)}\n\n{task.text}"


def exercise_cell(task: Task) -> str:
    """A cell to answer the exercise in, with the task's text as a comment."""
    return f"%exercise {task.number}\n{commented(task.text)}\n..."


def commented(markdown: str) -> str:
    """Text as comment lines; code blocks keep their lines."""
    lines: list[str] = []
    in_code = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif in_code or line.startswith("|") or not line.strip():
            lines.append(line)
        else:
            lines += textwrap.wrap(line, 86, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"# {line}".rstrip() for line in lines)
