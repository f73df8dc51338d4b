"""`%rollback`: whatever a cell writes is undone when it ends."""

from typing import Any

from django.db import DatabaseError, connections, transaction

from workbook.kernel.escapes import Escapes
from workbook.kernel.scratch import ScratchModels
from workbook.queries import recorder


class Rollback:
    """A transaction around a cell, on every database, that `end()` undoes."""

    def __init__(self, kept: dict[str, Any]) -> None:
        """Raises django.db.DatabaseError when the default database cannot be reached."""
        self._open: list[tuple[Any, transaction.Atomic, str]] = []
        self.connections: list[Any] = []
        self._scratch = ScratchModels([])
        with recorder.paused():
            for alias, connection in kept.items():
                try:
                    self._begin(alias, connection)
                except DatabaseError:
                    if alias == "default":
                        self.end()
                        raise
        self.connections = [connection for connection, _, _ in self._open]
        self._scratch = ScratchModels(self.connections)

    def _begin(self, alias: str, connection: Any) -> None:
        block = transaction.atomic(using=alias)
        block._from_testcase = True  # as in a TestCase: a durable block may be inside
        block.__enter__()
        # A marker that no longer exists once someone has ended the transaction by hand.
        self._open.append((connection, block, connection.savepoint()))

    def end(self) -> list[str]:
        """Undo everything; returns sentences about what could not be undone."""
        notes = []
        with recorder.paused():
            while self._open:
                connection, block, marker = self._open.pop()
                connections[connection.alias] = connection  # the cell may have deleted it
                try:
                    held = self._undo(connection, block, marker)
                except DatabaseError:
                    connection.close()  # the server undoes what an abandoned connection left open
                    held = True
                if self._scratch.committed(connection):
                    notes.append(
                        f"{connection.display_name} ends the transaction where a table is made, so "
                        "rows that this cell wrote before that stay."
                    )
                elif not held:
                    where = "" if connection.alias == "default" else f" on {connection.alias}"
                    notes.append(
                        "%rollback could not hold: this cell ended its transaction by hand"
                        f"{where}, so what it wrote until then stays."
                    )
        self._scratch.end()
        return notes

    def _undo(self, connection: Any, block: transaction.Atomic, marker: str) -> bool:
        held = True
        if block in connection.atomic_blocks:  # blocks the cell entered and never left
            position = connection.atomic_blocks.index(block)
            left_open = len(connection.atomic_blocks) - position - 1
            del connection.atomic_blocks[position + 1 :]
            if left_open:
                del connection.savepoint_ids[-left_open:]
        if not connection.closed_in_transaction:
            connection.needs_rollback = False
            try:
                connection._savepoint_rollback(marker)
            except DatabaseError:
                held = False
            connection.needs_rollback = True
        block.__exit__(None, None, None)
        return held


class CellRollback(Rollback):
    """`%rollback` itself: it also says what a cell did that no transaction reaches."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self._escapes = Escapes()
        super().__init__(kept)  # ends it all when the database cannot be reached

    def end(self) -> list[str]:
        """Undo everything; returns sentences about what was undone and what was not."""
        escaped = self._escapes.end(self.connections)
        notes = super().end()
        if not notes and not escaped:
            return ["Rolled back: nothing this cell wrote remains."]
        return [*(notes or ["Rolled back what this cell itself wrote."]), *escaped]
