"""One connection for the whole kernel: every cell, `await`, and asgiref's worker thread.

Left alone, a connection opened in a cell with `await` is lost to the next cell, and async ORM
methods run on a connection of their own, outside of transactions and unseen by the origins.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connections


class SharedConnections:
    """The kernel's connections, put in place wherever its cells run."""

    def __init__(self) -> None:
        self.connections = {alias: connections[alias] for alias in connections}
        self._original = SyncToAsync.single_thread_executor
        for connection in self.connections.values():
            connection.inc_thread_sharing()
        SyncToAsync.single_thread_executor = _Worker(self)

    def restore(self) -> None:
        """Make these the connections of the current thread and context."""
        for alias, connection in self.connections.items():
            connections[alias] = connection

    def close(self) -> None:
        """Give the worker thread back to asgiref; the connections stay open."""
        SyncToAsync.single_thread_executor.shutdown(wait=False)
        SyncToAsync.single_thread_executor = self._original
        for connection in self.connections.values():
            connection.dec_thread_sharing()


class _Worker(ThreadPoolExecutor):
    """asgiref's single worker thread, working on the kernel's connections."""

    def __init__(self, shared: SharedConnections) -> None:
        super().__init__(max_workers=1, thread_name_prefix="workbook")
        self._shared = shared

    def submit(self, call: Callable, /, *args: Any, **kwargs: Any) -> Future:
        def run() -> Any:
            self._shared.restore()
            return call(*args, **kwargs)

        return super().submit(run)
