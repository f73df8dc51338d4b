"""What a capture has changed in the database for good."""

from django.apps import apps

from workbook.queries import statements
from workbook.queries.recorder import Capture, Query

MOST_TABLES = 4
_DONE = {"INSERT": "added", "REPLACE": "added", "UPDATE": "changed", "DELETE": "deleted"}
_BEFORE_TABLE = {*_DONE, "INTO", "FROM", "OR", "IGNORE", "ONLY"}


def kept(capture: Capture) -> list[Query]:
    """The writes that no ROLLBACK took back and no open transaction still may."""
    found: list[Query] = []
    open_: dict[int, list[list[Query]]] = {}  # for each connection: its transaction, its savepoints
    marks = iter(capture.marks)
    mark = next(marks, None)
    for position, query in enumerate([*capture.queries, None]):
        while mark is not None and mark.position <= position:
            found += _ended(open_, id(mark.connection), mark.keyword)
            mark = next(marks, None)
        if query is None or query.verb not in _DONE or query.error:
            continue
        levels = open_.get(id(query.connection))
        (levels[-1] if levels else found).append(query)
    return found


def _ended(open_: dict[int, list[list[Query]]], connection: int, keyword: str) -> list[Query]:
    """Follow one transaction statement; gives the writes that it makes final."""
    levels = open_.get(connection)
    if keyword in ("BEGIN", "START TRANSACTION"):
        open_.setdefault(connection, [[]])
    elif keyword == "SAVEPOINT":  # its transaction may be older than the capture
        open_.setdefault(connection, [[]]).append([])
    elif levels is None:
        pass
    elif keyword == "ROLLBACK TO SAVEPOINT":
        levels[-1].clear()
    elif keyword == "RELEASE SAVEPOINT" and len(levels) > 1:
        released = levels.pop()
        levels[-1] += released
    elif keyword in ("COMMIT", "END"):
        return [query for level in open_.pop(connection) for query in level]
    elif keyword == "ROLLBACK":
        del open_[connection]
    return []


def summary(queries: list[Query]) -> str:
    """`3 rows of Product changed, 1 row of Invoice added`; empty if no row was."""
    totals: dict[tuple[str, str], int] = {}
    for query in queries:
        key = _table(query.sql), _DONE[query.verb]
        totals[key] = totals.get(key, 0) + (query.rows or 0)
    names = {
        model._meta.db_table: model._meta.object_name
        for model in apps.get_models(include_auto_created=True)
    }
    parts = [
        f"{rows:,} {'row' if rows == 1 else 'rows'} of {names.get(table, table)} {done}"
        for (table, done), rows in totals.items()
        if rows
    ]
    if len(parts) > MOST_TABLES + 1:
        parts[MOST_TABLES:] = [f"and {len(parts) - MOST_TABLES} more"]
    return ", ".join(parts)


def _table(sql: str) -> str:
    for kind, text in statements.tokens(sql):
        if kind == "name":
            return text[1:-1]
        if kind == "word" and text.upper() not in _BEFORE_TABLE:
            return text
    return ""
