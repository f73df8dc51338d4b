"""What a cell with `%rollback` does that no transaction reaches, as far as it can be seen.

Seen: a statement on another connection of Django, a connection opened with sqlite3 itself, another
process that the cell starts, a thread or a task that still runs when the cell ends. Not seen: a
connection opened with psycopg or mysqlclient, a process of multiprocessing's `spawn` method, and
whether any of these wrote.
"""

import asyncio
import os
import sys
import threading
from concurrent.futures import thread as pools
from typing import Any

import django
from django.db.backends.signals import connection_created

from workbook.queries import origins, recorder

_PROCESS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
_DJANGO = os.path.join(os.path.dirname(django.__file__), "")
_POOLS_LOOP = pools._worker.__code__

_watching: "Escapes | None" = None
_audited = False


class Escapes:
    """Watches one cell, from `%rollback` to its end."""

    def __init__(self) -> None:
        global _watching, _audited
        if not _audited:  # for the life of the process: Python cannot take an audit hook off
            sys.addaudithook(_audit)
            _audited = True
        self.processes = 0
        self.driver_connections = 0
        self._threads = set(threading.enumerate())
        self._loop = _running_loop()
        self._tasks = self._all_tasks()
        self._capture = recorder.Capture().__enter__()
        connection_created.connect(self._django_connected)
        _watching = self

    def _django_connected(self, connection: Any, **kwargs: Any) -> None:
        if connection.vendor == "sqlite":
            self.driver_connections -= 1  # this one the audit hook need not have counted

    def end(self, held: list[Any]) -> list[str]:
        """Sentences about what `held`, the connections that are rolled back, did not hold."""
        global _watching
        _watching = None
        self._capture.__exit__()
        connection_created.disconnect(self._django_connected)
        ours = list(map(id, held))
        places = [
            query.place
            for query in self._capture.queries
            if not query.is_select and id(query.connection) not in ours
        ]
        notes = []
        if places:
            at = f", at {places[0]}" if places[0] else ""
            notes.append(
                f"This cell wrote on another connection{at}: %rollback does not reach that."
            )
        if self.driver_connections > 0:
            notes.append(
                "This cell opened its own connection with sqlite3: %rollback does not reach what "
                "it wrote there."
            )
        if self.processes:
            notes.append(
                "This cell started another process: %rollback does not reach what that wrote."
            )
        if any(map(_is_busy, set(threading.enumerate()) - self._threads)):
            notes.append("A thread of this cell is still running: what it writes now stays.")
        if any(map(_may_write, self._all_tasks() - self._tasks)):
            notes.append("A task of this cell is still running: what it writes now stays.")
        return notes

    def _all_tasks(self) -> set[asyncio.Task]:
        return asyncio.all_tasks(self._loop) if self._loop else set()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _audit(event: str, args: tuple) -> None:
    if _watching is None:
        return
    if event in _PROCESS:
        _watching.processes += 1
    elif event == "sqlite3.connect":
        _watching.driver_connections += 1


def _is_busy(thread: threading.Thread) -> bool:
    """Whether a thread runs, and is more than a worker of a pool that waits for work."""
    if _waits_for_work(thread):
        return False
    thread.join(0.02)  # what has just done its work may be on its way back
    return thread.is_alive() and not _waits_for_work(thread)


def _waits_for_work(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code is _POOLS_LOOP


def _may_write(task: asyncio.Task) -> bool:
    """Whether a task runs the reader's code or Django's, and not the kernel's own."""
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None:
        return False
    return code.co_filename.startswith(_DJANGO) or bool(origins.find_cell(code.co_filename))
