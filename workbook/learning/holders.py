"""Who holds the database: a kernel whose cell has begun a transaction says so in a small file.

On SQLite a second writer waits for 20 seconds and then gets "database is locked". With these
files it can be told which notebook to look at.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from IPython.core.error import UsageError

_LOCKED = ("database is locked", "lock wait timeout", "lock timeout")


@dataclass(frozen=True)
class Holder:
    """A kernel that has a transaction open."""

    pid: int
    notebook: str
    since: datetime

    def __str__(self) -> str:
        name = (
            f"{self.notebook}.ipynb" if self.notebook else f"another program (process {self.pid})"
        )
        return f"{name}, since {self.since:%H:%M:%S}"


def folder() -> Path | None:
    """Where the files are: beside the reader's progress; None where that is not kept."""
    progress = getattr(settings, "WORKBOOK", {}).get("PROGRESS")
    return Path(progress).parent / ".holders" if progress else None


class Claim:
    """This kernel's file: there from a cell's first transaction to the end of its last one.

    A cell that begins a thousand transactions writes it once.
    """

    def __init__(self, connection: Any, notebook: str) -> None:
        self.connection = connection
        self.notebook = notebook
        self.file: Path | None = None
        self._set_autocommit = connection.set_autocommit
        connection.set_autocommit = self._noting_transactions

    def _noting_transactions(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        """Django calls `set_autocommit` where an outermost transaction begins and ends."""
        self._set_autocommit(autocommit, *args, **kwargs)
        if not autocommit and self.file is None:
            self._write()

    def _write(self) -> None:
        here = folder()
        if here is None:
            return
        file = here / f"{os.getpid()}.json"
        since = datetime.now().isoformat(timespec="seconds")
        note = {"notebook": self.notebook, "since": since, "database": _database(self.connection)}
        with suppress(OSError):  # then nobody is told, and nothing else is lost
            here.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(note), encoding="utf-8")
            self.file = file

    def cell_ended(self) -> None:
        """Take the file away, unless the cell has left its transaction open."""
        if self.file is not None and not self.connection.in_atomic_block:
            with suppress(OSError):
                self.file.unlink()
            self.file = None

    def close(self) -> None:
        """Stop noting transactions."""
        self.cell_ended()
        del self.connection.set_autocommit


def limit_waiting(connection: Any) -> None:
    """Wait for a lock no longer than on SQLite: PostgreSQL would wait for ever, and say nothing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '20s'")


def others(connection: Any) -> list[Holder]:
    """The other kernels that hold this connection's database."""
    here = folder()
    if here is None or not here.is_dir():
        return []
    return list(_others(here, _database(connection)))


def _others(here: Path, database: str) -> Iterator[Holder]:
    for file in here.glob("*.json"):
        try:
            note = json.loads(file.read_text(encoding="utf-8"))
            pid = int(file.stem)
            holder = Holder(pid, str(note["notebook"]), datetime.fromisoformat(note["since"]))
            if note["database"] != database or pid == os.getpid():
                continue
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if _is_alive(pid):
            yield holder
        else:
            with suppress(OSError):
                file.unlink()


def explain(error: BaseException | None, connection: Any) -> str:
    """For an error that says the database is locked: who holds it, and what to do. Else ""."""
    said = str(error).lower() if isinstance(error, DatabaseError | UsageError) else ""
    if not any(text in said for text in _LOCKED):
        return ""
    if found := others(connection):
        return sentence(found)
    return (
        "Another program is writing to the database, and no other notebook says that it is the "
        "one. Run this cell again when that has finished."
    )


def sentence(found: list[Holder]) -> str:
    return (
        f"The database is held by {' and by '.join(map(str, found))}. Wait until that cell has "
        "ended, or interrupt or restart its kernel; then run this cell again."
    )


def _database(connection: Any) -> str:
    of = connection.settings_dict
    return f"{of.get('HOST', '')}/{of['NAME']}"


def _is_alive(pid: int) -> bool:
    try:
        import psutil
    except ImportError:  # in the browser, where there is one process
        return True
    return psutil.pid_exists(pid)
