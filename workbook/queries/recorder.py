"""What ran: every query of every connection, with the line and the relation that caused it.

Captures stack. A query counts in every capture that is open when it runs, so a `queries()` inside
a cell sees its own queries and the cell's report sees them too.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from time import perf_counter, sleep
from typing import Any, NamedTuple

from django.db import connections
from django.db.backends.base import base as django_base
from django.db.backends.signals import connection_created
from django.db.models import Model

from workbook.queries import origins, relations
from workbook.queries.origins import NOWHERE, Origin, Place, place_of
from workbook.queries.statements import verb


class Query:
    """One statement as Django sent it; `sql` holds `%s` where `params` go."""

    many = False
    rows: int | None = None  # fetched by a SELECT, changed by anything else
    fetched = 0
    error = ""  # the exception's class name
    seconds = 0.0
    plan: list[Any] | None = None  # filled by `%queries explain`
    access: relations.Access | None = None  # the relation it follows, …
    subject: object = None  # … from the object with this primary key
    source: relations.Source | None = None  # the QuerySet that ran it
    call: relations.Call | None = None  # what the reader's line called

    def __init__(self, sql: str, params: Any, connection: Any) -> None:
        self.sql = sql
        self.params = params
        self.connection = connection
        self.alias: str = connection.alias
        self.cause = _cause
        self.epoch = _epoch
        self.origin: Origin = NOWHERE

    @property
    def verb(self) -> str:
        """`SELECT` for whatever only reads rows, else the statement's first word."""
        return verb(self.sql)

    @property
    def is_select(self) -> bool:
        """Whether it reads rows and changes nothing."""
        return verb(self.sql) == "SELECT"

    @property
    def place(self) -> Place | None:
        """The cell's (else the caller's) line, None where no such line is known."""
        return place_of(self.origin)

    @property
    def line(self) -> int | None:
        place = self.place
        return place.line if place else None

    def __repr__(self) -> str:
        return f"<Query on {self.alias}: {self.sql[:60]}>"


class Unread(NamedTuple):
    """A relation that a query brought along and nobody read."""

    query: Query
    owner: type[Model]  # whose relation it is: Invoice
    path: str  # as the lookup is written: "invoice__customer"


class Mark(NamedTuple):
    """A transaction statement, and how many queries had run before it."""

    position: int
    connection: Any
    keyword: str  # "BEGIN", "SAVEPOINT", …


class Capture:
    """The queries run between `with queries() as q:` and its end, or during one cell."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.unread: list[Unread] = []
        self.marks: list[Mark] = []  # the transaction statements, in order, never counted
        self.started = datetime.now(UTC)
        self.show_time = False
        self.trip = 0.0  # seconds that each query waits as well, as if over a network
        self.guess: int | None = None  # how many queries the reader expects

    @property
    def transactions(self) -> list[str]:
        """BEGIN, SAVEPOINT, … in order."""
        return [mark.keyword for mark in self.marks]

    @property
    def count(self) -> int:
        """How many statements ran; transaction statements are not counted."""
        return len(self.queries)

    def __len__(self) -> int:
        return len(self.queries)

    def __enter__(self) -> "Capture":
        global _captures
        install()
        if not _captures:
            origins.forget()
            relations.forget()
        self.started = datetime.now(UTC)
        _captures = (*_captures, self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        global _captures
        _captures = tuple(capture for capture in _captures if capture is not self)


@contextmanager
def paused() -> Iterator[None]:
    """Hide what runs inside from the captures open outside; new captures inside still record."""
    global _captures
    outside, _captures = _captures, ()
    try:
        yield
    finally:
        _captures = outside


@contextmanager
def caused_by(cause: str) -> Iterator[None]:
    """Mark the queries run inside as not the code's own, e.g. `caused_by("display")`."""
    global _cause
    before, _cause = _cause, cause
    try:
        yield
    finally:
        _cause = before


_captures: tuple[Capture, ...] = ()
_cause = ""
_epoch = (
    0  # how many writes and transaction statements went before: reads of one epoch see the same
)

_WORK = ("SELECT", "INSERT", "UPDATE", "DELETE")
TRANSACTION = re.compile(
    r"\s*+(BEGIN|START TRANSACTION|SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|ROLLBACK"
    r"|COMMIT|END)\b",
    re.IGNORECASE,
)


def _record(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
    """Django's execute wrapper: notes the statement and runs it."""
    global _epoch
    captures = _captures
    if not captures:
        return execute(sql, params, many, context)
    cursor = context["cursor"]
    if isinstance(sql, str):
        text = sql
    else:  # psycopg's composed SQL
        text = sql.as_string(cursor.cursor) if hasattr(sql, "as_string") else str(sql)
    reads = text.startswith("SELECT")
    if not reads and not text.startswith(_WORK) and (match := TRANSACTION.match(text)):
        note_transaction(context["connection"], match[1].upper())
        return execute(sql, params, many, context)
    if isinstance(params, list):
        query = Query(text, tuple(params), context["connection"])
    else:  # what is neither is read once, by the database
        kept = params if isinstance(params, tuple | dict) else None
        query = Query(text, kept, context["connection"])
    if many:
        query.many = True
    try:
        way = origins.walk(text, 2)
        query.origin = way.origin
        query.access, query.subject, query.source, query.call = relations.read(text, way)
        del way  # it holds frames, and these what they worked on
    except Exception:  # our mistake may cost the advice, never the query
        pass
    if not (reads or query.is_select):
        _epoch += 1
    trip = 0.0
    for capture in captures:
        capture.queries.append(query)
        trip += capture.trip
    started = perf_counter()
    try:
        if trip:
            sleep(trip)
        result = execute(sql, params, many, context)
    except BaseException as error:
        query.error = type(error).__name__
        raise
    finally:
        query.seconds = perf_counter() - started
    if not (reads or query.is_select):
        _epoch += 1
        changed = getattr(cursor.cursor, "rowcount", -1)
        query.rows = changed if changed >= 0 else None
    kind = type(cursor)
    if not issubclass(kind, _CountsRows):
        cursor.__class__ = _counting(kind)
    cursor.query = query
    return result


class _CountsRows:
    """Mixed into Django's cursor wrapper once it is watched: adds up the rows as they pass."""

    query: Query

    def fetchone(self) -> Any:
        row = self.__getattr__("fetchone")()
        self._count(0 if row is None else 1)
        return row

    def fetchmany(self, *args: Any) -> Any:
        rows = self.__getattr__("fetchmany")(*args)
        self._count(len(rows))
        return rows

    def fetchall(self) -> Any:
        rows = self.__getattr__("fetchall")()
        self._count(len(rows))
        return rows

    def __iter__(self) -> Iterator[Any]:
        self._count(0)
        for row in super().__iter__():
            self._count(1)
            yield row

    def _count(self, rows: int) -> None:
        query = self.query
        query.fetched += rows
        query.rows = query.fetched


@cache
def _counting(kind: type) -> type:
    return type(kind.__name__, (_CountsRows, kind), {})


def note_transaction(connection: Any, keyword: str) -> None:
    """A transaction begins, ends or gets a savepoint."""
    global _epoch
    _epoch += 1
    for capture in _captures:
        capture.marks.append(Mark(len(capture.queries), connection, keyword))


# Installing. One wrapper on every connection, those of other aliases and threads too.


def install() -> None:
    """Put the recorder on every connection there is or will be; twice is the same as once."""
    connection_created.connect(_on_connect, dispatch_uid="workbook.recorder")
    origins.install()
    for connection in connections.all(initialized_only=True):
        watch(connection)
    if django_base.debug_transaction is not _debug_transaction:
        django_base.debug_transaction = _debug_transaction


def uninstall() -> None:
    """Take the recorder off again."""
    connection_created.disconnect(dispatch_uid="workbook.recorder")
    origins.uninstall()
    for connection in connections.all(initialized_only=True):
        if _record in connection.execute_wrappers:
            connection.execute_wrappers.remove(_record)
    django_base.debug_transaction = _django_debug_transaction


def watch(connection: Any) -> None:
    if _record not in connection.execute_wrappers:
        connection.execute_wrappers.append(_record)


def _on_connect(connection: Any, **kwargs: Any) -> None:
    watch(connection)


# BEGIN and COMMIT never pass an execute wrapper on PostgreSQL, and COMMIT on none: Django runs
# them through the driver, inside this context manager.
_django_debug_transaction = django_base.debug_transaction


def _debug_transaction(connection: Any, sql: str) -> Any:
    if _captures:
        note_transaction(connection, sql)
    return _django_debug_transaction(connection, sql)
