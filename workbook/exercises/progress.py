"""What the learner has done, in a JSON file that survives restarts, and several kernels at once.

    {"7.1": {"attempts": 3, "hints": 1, "passed": true, "solution": false}}

Every change is a read, a change and an atomic replacement of the file, under a lock file.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

LOCK_SECONDS = 5  # a lock older than this was left behind by a kernel that died


@dataclass
class Entry:
    """One exercise's history."""

    attempts: int = 0
    hints: int = 0
    passed: bool = False
    solution: bool = False


def path() -> Path | None:
    """The file, from `settings.WORKBOOK["PROGRESS"]`; None if progress is not to be kept."""
    found = getattr(settings, "WORKBOOK", {}).get("PROGRESS")
    return Path(found) if found else None


class Progress:
    """The store. `notices` gathers sentences about trouble with the file."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file or path()
        self.notices: list[str] = []

    def read(self) -> dict[str, Entry]:
        """Number → Entry; empty if there is no file. An unreadable file is moved aside."""
        if self.file is None:
            return {}
        try:
            stored = json.loads(self.file.read_text(encoding="utf-8"))
            return {
                number: Entry(
                    attempts=int(entry.get("attempts", 0)),
                    hints=int(entry.get("hints", 0)),
                    passed=bool(entry.get("passed")),
                    solution=bool(entry.get("solution")),
                )
                for number, entry in stored.items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError, TypeError):
            self._move_aside()
            return {}

    def entry(self, number: str) -> Entry:
        return self.read().get(number, Entry())

    def attempt(self, number: str, passed: bool) -> None:
        def change(entry: Entry) -> None:
            entry.attempts += 1
            entry.passed = entry.passed or passed

        self._change(number, change)

    def hint(self, number: str, shown: int) -> None:
        """Note that the first `shown` hints have been read."""
        self._change(number, lambda entry: setattr(entry, "hints", max(entry.hints, shown)))

    def solution(self, number: str) -> None:
        self._change(number, lambda entry: setattr(entry, "solution", True))

    def _change(self, number: str, change: Callable[[Entry], None]) -> None:
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self._lock():
                entries = self.read()
                change(entries.setdefault(number, Entry()))
                text = json.dumps({n: asdict(e) for n, e in entries.items()}, indent=1)
                fresh = self.file.with_name(f"{self.file.name}.{os.getpid()}.new")
                fresh.write_text(text + "\n", encoding="utf-8")
                os.replace(fresh, self.file)
        except OSError as error:
            self.notices.append(f"Your progress could not be kept in {self.file.name}: {error}.")

    def _move_aside(self) -> None:
        aside = self.file.with_name(f"{self.file.name}.unreadable-{time.time_ns()}")
        os.replace(self.file, aside)
        self.notices.append(
            f"{self.file.name} could not be read. It was moved to {aside.name} and a new one begun."
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = self.file.with_name(f"{self.file.name}.lock")
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                try:
                    if time.time() - lock.stat().st_mtime > LOCK_SECONDS:
                        lock.unlink(missing_ok=True)
                except FileNotFoundError:
                    continue
                time.sleep(0.01)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
