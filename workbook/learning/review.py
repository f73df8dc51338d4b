"""What comes back today: solved exercises, at growing intervals, and guesses that were wrong."""

from dataclasses import dataclass

from workbook.exercises import progress
from workbook.exercises.progress import State
from workbook.exercises.tasks import Task
from workbook.learning import course
from workbook.learning.course import Chapter


@dataclass(frozen=True)
class Due:
    """Something to do again. `key` is an exercise's number or a guess's key."""

    key: str
    on: str  # the day, ISO
    asked: bool  # handed out already, and not done yet
    chapter: Chapter
    task: Task | None  # None for a guess


def upcoming(tasks: dict[str, Task], state: State) -> list[Due]:
    """Everything that has a day on which it comes back, the next one first.

    What the chapters no longer have is left out, and stays in the progress file.
    """
    found = []
    for number, entry in state.exercises.items():
        chapter = course.of_exercise(number)
        if entry.passed and entry.due and chapter and number in tasks:
            found.append(Due(number, entry.due, entry.asked, chapter, tasks[number]))
    for chapter in course.chapters():
        for key in chapter.guesses:
            guess = state.guesses.get(key)
            if guess and guess.due:
                found.append(Due(key, guess.due, guess.asked, chapter, None))
    return sorted(found, key=lambda due: (due.asked, due.on))


def due(tasks: dict[str, Task], state: State) -> list[Due]:
    """What is to be done again today; what was not handed out yet comes first."""
    today = progress.today().isoformat()
    return [one for one in upcoming(tasks, state) if one.on <= today]
