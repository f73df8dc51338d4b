"""The progress file survives kernels side by side, kernels that die, and files that rot."""

import errno
import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from workbook.exercises import files, progress
from workbook.exercises.files import LOCK_SECONDS
from workbook.exercises.progress import Guess, Progress

ATTEMPTS = """
import sys
from pathlib import Path
from workbook.exercises.progress import Progress
for _ in range(40):
    Progress(Path(sys.argv[1])).attempt(sys.argv[2], passed=False)
"""


@pytest.fixture
def store(tmp_path):
    return Progress(tmp_path / "p.json")


@pytest.fixture
def day(monkeypatch):
    """A clock: `day.go(3)` makes it three days later."""

    class Day:
        now = date(2026, 3, 1)

        def go(self, days):
            self.now += timedelta(days)

    clock = Day()
    monkeypatch.setattr(progress, "today", lambda: clock.now)
    return clock


def test_it_is_remembered(store):
    store.attempt("7.1", passed=True)
    Progress(store.file).attempt("7.1", passed=False)
    Progress(store.file).hint("7.1", 2)
    entry = Progress(store.file).entry("7.1")
    assert (entry.attempts, entry.hints, entry.passed, entry.solution) == (2, 2, True, False)


def test_kernels_side_by_side_lose_nothing(store):
    kernels = [
        subprocess.Popen([sys.executable, "-c", ATTEMPTS, str(store.file), number])
        for number in ("1.1", "1.1", "1.2")
    ]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0, 0]
    assert {number: entry.attempts for number, entry in store.read().items()} == {
        "1.1": 80,
        "1.2": 40,
    }


RUBBISH = [
    '{"1.1": {"att',
    "[1, 2]",
    '{"1.1": 3}',
    "\x00",
    "",
    '{"1.1": {"attempts": 1e400}}',
    '{"1.1": {"attempts": NaN}}',
    '{"1.1": {"attempts": ' + "9" * 5000 + "}}",
    '{"version": 2, "exercises": [1]}',
    '{"version": "two", "exercises": {}}',
    '{"version": 2, "exercises": {"1.1": {"due": "tomorrow"}}}',
    '{"version": 2, "guesses": {"01/a": {"guess": "many"}}}',
    "[" * 100_000,
    '{"1.1":' * 50_000,
]


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda text: text[:40])
def test_an_unreadable_file_is_moved_aside_with_a_notice(store, rubbish):
    store.file.write_text(rubbish)
    store.attempt("1.1", passed=True)
    assert store.notices == [
        "p.json could not be read. It was moved to p.unreadable.json and a new one begun."
    ]
    assert Progress(store.file).entry("1.1").passed
    assert (store.file.parent / "p.unreadable.json").read_text() == rubbish


def test_several_unreadable_files_are_all_kept(store):
    for _ in range(3):
        store.file.write_text("{")
        store.read()
    assert len(list(store.file.parent.glob("p.unreadable*.json"))) == 3


def test_a_folder_in_its_place_is_moved_aside(store):
    (store.file / "inside").mkdir(parents=True)
    store.attempt("1.1", passed=True)
    assert "It was moved to p.unreadable.json" in store.notices[0]
    assert Progress(store.file).entry("1.1").passed


def test_the_first_versions_file_is_read_and_becomes_todays(store):
    store.file.write_text('{"1.1": {"attempts": 4, "hints": 1, "passed": true, "mood": "fine"}}')
    assert store.entry("1.1").attempts == 4
    store.attempt("1.2", passed=False)
    stored = json.loads(store.file.read_text())
    assert stored["version"] == progress.VERSION
    assert stored["exercises"]["1.1"]["passed"] is True
    assert store.notices == []


def test_a_file_of_a_newer_version_is_left_as_it_is(store):
    newer = '{"version": 99, "exercises": {"1.1": "passed, brilliantly"}}'
    store.file.write_text(newer)
    store.attempt("1.1", passed=True)
    assert store.read() == {}
    assert store.file.read_text() == newer
    (notice,) = store.notices
    assert "newer version" in notice
    assert "make update" in notice


def test_a_lock_left_by_a_dead_kernel_is_broken(store):
    lock = store.file.with_name("p.json.lock")
    lock.touch()
    for when in (time.time() - LOCK_SECONDS - 1, time.time() + 3600):  # a clock put back, too
        lock.touch()
        os.utime(lock, (when, when))
        store.attempt("1.1", passed=True)
    assert store.entry("1.1").attempts == 2
    assert not lock.exists()


def test_a_folder_that_cannot_be_written_costs_a_notice_not_the_verdict(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    store = Progress(blocked / "p.json")
    store.attempt("1.1", passed=True)
    assert "could not be kept" in store.notices[0]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(store, monkeypatch):
    store.attempt("1.1", passed=True)
    before = store.file.read_text()
    write = Path.write_text

    def full(self, text, **options):
        write(self, text[:20], **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    store.attempt("1.2", passed=True)
    assert "No space left on device" in store.notices[0]
    assert [path.name for path in store.file.parent.iterdir()] == ["p.json"]
    assert store.file.read_text() == before


def test_a_stopped_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def stopped(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        files.replace(tmp_path / "p.json", "text")
    assert list(tmp_path.iterdir()) == []


# What comes back, and when


def due_in(store, number, day):
    due = store.entry(number).due
    return (date.fromisoformat(due) - day.now).days if due else None


def test_what_was_solved_comes_back_at_growing_intervals(store, day):
    store.attempt("7.1", passed=True)
    seen = [due_in(store, "7.1", day)]
    for _ in range(4):
        day.go(seen[-1])
        store.ask("7.1")
        store.attempt("7.1", passed=True)
        seen.append(due_in(store, "7.1", day))
    assert seen == [1, 3, 7, 21, None]


@pytest.mark.parametrize("trouble", ["hint", "solution", "attempts"])
def test_it_comes_back_sooner_where_help_was_needed(store, day, trouble):
    def solve():
        if trouble == "attempts":
            store.attempt("7.1", passed=False)
            store.attempt("7.1", passed=False)
        else:
            getattr(store, trouble)(*(["7.1", 1] if trouble == "hint" else ["7.1"]))
        store.attempt("7.1", passed=True)

    solve()
    assert due_in(store, "7.1", day) == 0  # a clean solution: 1
    for expected in (1, 3):
        store.ask("7.1")
        store.attempt("7.1", passed=True)
        assert due_in(store, "7.1", day) == expected
        day.go(expected)
    store.ask("7.1")
    solve()
    assert due_in(store, "7.1", day) == 1  # a clean solution: 7


def test_running_a_solved_cell_again_is_no_review(store, day):
    store.attempt("7.1", passed=True)
    day.go(1)
    store.attempt("7.1", passed=True)
    assert due_in(store, "7.1", day) == 0


def test_hints_of_the_past_do_not_count_in_a_review(store, day):
    store.hint("7.1", 3)
    store.attempt("7.1", passed=True)
    store.ask("7.1")
    assert store.entry("7.1").hints == 0  # %hint begins with the first one again
    store.attempt("7.1", passed=True)
    assert due_in(store, "7.1", day) == 1


def test_the_first_guess_counts_and_a_wrong_one_comes_back(store, day):
    store.guess("07/loop", 1, 101)
    store.guess("07/loop", 101, 101)  # the cell is run again, now that the answer is known
    store.guess("07/join", 1, 1)
    guesses = store.state().guesses
    assert guesses["07/loop"] == Guess(1, 101, due="2026-03-02")
    assert guesses["07/join"] == Guess(1, 1)
    for guess, due in ((5, "2026-03-03"), (101, "")):
        day.go(1)
        store.ask_guess("07/loop")
        store.guess("07/loop", guess, 101)
        assert store.state().guesses["07/loop"] == Guess(1, 101, due=due)


def test_a_chapter_can_be_forgotten(store):
    for number in ("1.1", "7.1", "10.1"):
        store.attempt(number, passed=True)
    store.guess("01/a", 1, 1)
    store.question("10/q", well=True)
    store.forget(lambda key: key.startswith(("1.", "01/")))
    state = store.state()
    assert set(state.exercises) == {"7.1", "10.1"}
    assert set(state.guesses) == set()
    assert set(state.questions) == {"10/q"}


def test_two_files_become_one(store, tmp_path):
    older = Progress(tmp_path / "older.json")
    older.attempt("1.1", passed=True)
    older.attempt("1.2", passed=False)
    older.guess("01/a", 2, 2)
    store.attempt("1.2", passed=True)
    store.absorb(older.state())
    assert {number: entry.passed for number, entry in store.read().items()} == {
        "1.1": True,
        "1.2": True,
    }
    assert store.state().guesses == {"01/a": Guess(2, 2)}
