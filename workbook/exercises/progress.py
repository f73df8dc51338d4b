"""What the learner has done, in a JSON file that survives restarts, and several kernels at once.

    {"version": 2,
     "exercises": {"7.1": {"attempts": 3, "hints": 1, "passed": true, "due": "2026-03-04", …}},
     "guesses": {"07/1f0c8a2b": {"guess": 1, "ran": 101, "due": "2026-03-04"}},
     "questions": {"07/5d41402a": {"well": false, "on": "2026-03-03"}}}

What was solved comes back for review after 1, 3, 7 and 21 days. Every change is a read, a change
and an atomic replacement of the file, under a lock file.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from workbook.exercises import files

VERSION = 2
LADDER = (1, 3, 7, 21)  # days
NEVER = ""


@dataclass
class Entry:
    """One exercise's history, and when it comes back."""

    attempts: int = 0
    hints: int = 0  # read since it was last handed out
    passed: bool = False
    solution: bool = False
    step: int = 0  # on the ladder: how often it was solved without trouble
    due: str = NEVER  # the day (ISO) on which it comes back
    asked: bool = False  # %review has handed it out, and it is not solved yet
    tries: int = 0  # since it was last solved or handed out
    helped: bool = False  # by a hint or the solution, since then

    def attempt(self, passed: bool) -> None:
        self.attempts += 1
        self.tries += 1
        if not passed:
            return
        # Running the chapter again, answers and all, is no review.
        if self.asked or not self.passed:
            self._schedule()
        self.passed = True
        self.asked = self.helped = False
        self.tries = 0

    def ask(self) -> None:
        """It is handed out for review: help and attempts are counted from here on."""
        self.asked, self.helped = True, False
        self.hints = self.tries = 0

    def _schedule(self) -> None:
        if self.helped or self.tries > 2:  # sooner, and one step back
            self.step = max(self.step - 1, 0)
            self.due = in_days(LADDER[min(self.step, len(LADDER) - 1)] // 2)
        else:
            self.due = in_days(LADDER[self.step]) if self.step < len(LADDER) else NEVER
            self.step += 1


@dataclass
class Guess:
    """The first prediction for a cell with `%guess`. A wrong one comes back until it is right."""

    guess: int = 0
    ran: int = 0
    due: str = NEVER
    asked: bool = False

    @property
    def right(self) -> bool:
        return self.guess == self.ran


@dataclass
class Question:
    """A question of an interview: whether the answer went well, and on which day."""

    well: bool = False
    on: str = NEVER


@dataclass
class State:
    """All that the file holds."""

    exercises: dict[str, Entry] = field(default_factory=dict)
    guesses: dict[str, Guess] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)


KINDS = {"exercises": Entry, "guesses": Guess, "questions": Question}


class NewerVersion(Exception):
    """The file was written by a later version of the workbook."""


def today() -> date:
    return date.today()


def in_days(days: int) -> str:
    return (today() + timedelta(days)).isoformat()


def path() -> Path | None:
    """The file, from `settings.WORKBOOK["PROGRESS"]`; None if progress is not to be kept."""
    found = getattr(settings, "WORKBOOK", {}).get("PROGRESS")
    return Path(found) if found else None


class Progress:
    """The store. `notices` gathers sentences about trouble with the file."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file or path()
        self.notices: list[str] = []

    def state(self) -> State:
        """All of it; empty if there is no file. An unreadable file is moved aside."""
        try:
            return self._read()
        except (OSError, NewerVersion) as error:
            self._notice(error)
            return State()

    def read(self) -> dict[str, Entry]:
        """Exercise number → Entry."""
        return self.state().exercises

    def entry(self, number: str) -> Entry:
        return self.read().get(number, Entry())

    def attempt(self, number: str, passed: bool) -> None:
        self._entry(number, lambda entry: entry.attempt(passed))

    def hint(self, number: str, shown: int) -> None:
        """Note that the first `shown` hints have been read."""

        def change(entry: Entry) -> None:
            entry.hints, entry.helped = max(entry.hints, shown), True

        self._entry(number, change)

    def solution(self, number: str) -> None:
        def change(entry: Entry) -> None:
            entry.solution = entry.helped = True

        self._entry(number, change)

    def ask(self, number: str) -> None:
        """Note that `%review` hands an exercise out."""
        self._entry(number, Entry.ask)

    def guess(self, key: str, guess: int, ran: int) -> None:
        """Note a prediction and the queries that ran. The first one counts, then those asked for
        by `%review`.
        """

        def change(state: State) -> None:
            found = state.guesses.get(key)
            if found is None:
                found = state.guesses[key] = Guess(guess, ran)
            elif not found.asked:
                return
            found.asked = False
            found.due = NEVER if guess == ran else in_days(LADDER[0])

        self.change(change)

    def ask_guess(self, key: str) -> None:
        """Note that `%review` hands a cell with a wrong prediction out."""
        self.change(lambda state: setattr(state.guesses.setdefault(key, Guess()), "asked", True))

    def question(self, key: str, well: bool) -> None:
        self.change(
            lambda state: state.questions.update({key: Question(well, today().isoformat())})
        )

    def forget(self, belongs: Callable[[str], bool]) -> None:
        """Remove every exercise, guess and question whose key `belongs` says yes to."""

        def change(state: State) -> None:
            for kind in KINDS:
                kept = {k: v for k, v in getattr(state, kind).items() if not belongs(k)}
                setattr(state, kind, kept)

        self.change(change)

    def absorb(self, other: State) -> None:
        """Add what another file holds; where both know something, the further one stays."""

        def change(state: State) -> None:
            for number, entry in other.exercises.items():
                mine = state.exercises.get(number)
                if mine is None or (entry.passed, entry.attempts) > (mine.passed, mine.attempts):
                    state.exercises[number] = entry
            state.guesses = other.guesses | state.guesses
            state.questions = other.questions | state.questions

        self.change(change)

    def change(self, change: Callable[[State], None]) -> None:
        """Read, change and write; trouble with the file becomes a notice."""
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with files.lock(self.file):
                state = self._read()
                change(state)
                text = json.dumps({"version": VERSION, **asdict(state)}, indent=1)
                files.replace(self.file, text + "\n")
        except (OSError, NewerVersion) as error:
            self._notice(error)

    def _entry(self, number: str, change: Callable[[Entry], None]) -> None:
        self.change(lambda state: change(state.exercises.setdefault(number, Entry())))

    def _read(self) -> State:
        if self.file is None:
            return State()
        try:
            return _state(json.loads(self.file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return State()
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            self._move_aside()
        except OSError:
            if not self.file.is_dir():
                raise
            self._move_aside()
        return State()

    def _move_aside(self) -> None:
        try:
            kept = files.aside(self.file, "unreadable")
        except FileNotFoundError:  # another kernel was faster
            return
        self.notices.append(
            f"{self.file.name} could not be read. It was moved to {kept.name} and a new one begun."
        )

    def _notice(self, error: Exception) -> None:
        if isinstance(error, NewerVersion):
            sentence = (
                f"{self.file.name} was written by a newer version of the workbook, so nothing is "
                "added to it. Update with `make update`."
            )
        else:
            sentence = f"Your progress could not be kept in {self.file.name}: {error}."
        if sentence not in self.notices:
            self.notices.append(sentence)


def _state(stored: Any) -> State:
    """What the parsed file says. Raises ValueError or TypeError where it makes no sense."""
    if not isinstance(stored, dict):
        raise TypeError("not an object")
    if "version" not in stored:  # the first version held exercises and nothing else
        stored = {"version": VERSION, "exercises": stored}
    if not isinstance(stored["version"], int):
        raise TypeError("the version is no number")
    if stored["version"] > VERSION:
        raise NewerVersion
    return State(
        **{
            name: {key: _made(kind, value) for key, value in stored.get(name, {}).items()}
            for name, kind in KINDS.items()
        }
    )


def _made(kind: type, stored: Any) -> Any:
    """An object of `kind` from its stored fields; unknown ones are left out."""
    if not isinstance(stored, dict):
        raise TypeError("not an object")
    values = {one.name: one.type(stored[one.name]) for one in fields(kind) if one.name in stored}
    if values.get("due"):
        date.fromisoformat(values["due"])
    return kind(**values)
