"""What ran: every query of every connection, with the line and the relation that caused it.

Captures stack. A query counts in every capture that is open when it runs, so a `queries()` inside
a cell sees its own queries and the cell's report sees them too.
"""

import linecache
import os
import re
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from time import perf_counter
from types import CodeType
from typing import Any, NamedTuple

import django
from django.db import connections
from django.db.backends.base import base as django_base
from django.db.backends.signals import connection_created
from django.db.models import Model

from workbook import relations

LIBRARY, USER, CELL = range(3)


class Cell(NamedTuple):
    """A notebook cell as the reader sees it; `lines` is None where linecache has the source."""

    label: str  # "" for the cell that is running, else e.g. "cell [3]"
    offset: int  # added to Python's line numbers: blank first lines, a cell magic above the code
    lines: list[str] | None = None


class Place(NamedTuple):
    """A line of code that caused a query."""

    line: int
    source: str  # "" for the cell that is running, else "cell [3]" or "billing.py"
    text: str

    def __str__(self) -> str:
        return f"line {self.line}" + (f" of {self.source}" if self.source else "")


class Origin(NamedTuple):
    """Where a query came from: its line, and the way through the user's own code to it."""

    filename: str
    lineno: int
    path: tuple[object, ...]  # the expressions passed: a loop repeats them, new lines do not


NOWHERE = Origin("", 0, ())


class Query:
    """One statement as Django sent it; `sql` holds `%s` where `params` go."""

    __slots__ = (
        "access",
        "alias",
        "cause",
        "connection",
        "error",
        "fetched",
        "many",
        "origin",
        "params",
        "plan",
        "rows",
        "seconds",
        "source",
        "sql",
    )

    def __init__(self, sql: str, params: Any, many: bool, connection: Any) -> None:
        self.sql = sql
        self.params = params
        self.many = many
        self.connection = connection
        self.alias: str = connection.alias
        self.cause = _cause
        self.rows: int | None = None  # fetched by a SELECT, changed by anything else
        self.fetched = 0
        self.error = ""  # the exception's class name
        self.seconds = 0.0
        self.plan: list[Any] | None = None  # filled by `%queries explain`
        self.origin, self.access, self.source = _origin()

    @property
    def is_select(self) -> bool:
        return _READS.match(self.sql) is not None

    @property
    def place(self) -> Place | None:
        """The cell's (else the caller's) line, None where no such line is known."""
        return _place(self.origin)

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


class Capture:
    """The queries run between `with queries() as q:` and its end, or during one cell."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.unread: list[Unread] = []
        self.transactions: list[str] = []  # "BEGIN", "SAVEPOINT", … in order, never counted
        self.started = datetime.now(UTC)
        self.show_time = False

    @property
    def count(self) -> int:
        """How many statements ran; transaction statements are not counted."""
        return len(self.queries)

    def __len__(self) -> int:
        return len(self.queries)

    def __enter__(self) -> "Capture":
        global _captures
        install()
        self.started = datetime.now(UTC)
        _captures = (*_captures, self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        global _captures
        _captures = tuple(capture for capture in _captures if capture is not self)

    def __str__(self) -> str:
        from workbook import report

        return report.text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbook import report

        return report.html(self)


def queries() -> Capture:
    """Record queries: `with queries() as q: …`, then `q.count`, `q.queries`, `print(q)`."""
    return Capture()


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

_READS = re.compile(r"[\s(]*(SELECT|WITH|VALUES|EXPLAIN|PRAGMA)\b", re.IGNORECASE)
_WORK = ("SELECT", "INSERT", "UPDATE", "DELETE")
_TRANSACTION = re.compile(
    r"\s*(BEGIN|START TRANSACTION|SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|ROLLBACK"
    r"|COMMIT|END)\b",
    re.IGNORECASE,
)


def _record(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
    """Django's execute wrapper: notes the statement and runs it."""
    captures = _captures
    if not captures:
        return execute(sql, params, many, context)
    cursor = context["cursor"]
    if not isinstance(sql, str):  # psycopg's composed SQL
        text = sql.as_string(cursor.cursor) if hasattr(sql, "as_string") else str(sql)
    else:
        text = sql
    if not text.startswith(_WORK) and (match := _TRANSACTION.match(text)):
        note_transaction(match[1].upper())
        return execute(sql, params, many, context)
    if params is not None and not isinstance(params, tuple | dict):
        params_kept = tuple(params) if isinstance(params, list) else None
    else:
        params_kept = params
    query = Query(text, params_kept, many, context["connection"])
    for capture in captures:
        capture.queries.append(query)
    started = perf_counter()
    try:
        result = execute(sql, params, many, context)
    except BaseException as error:
        query.error = type(error).__name__
        raise
    finally:
        query.seconds = perf_counter() - started
    if not text.startswith("SELECT") and not query.is_select:
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


def note_transaction(keyword: str) -> None:
    for capture in _captures:
        capture.transactions.append(keyword)


# Installing. One wrapper on every connection, those of other aliases and threads too.


def install() -> None:
    """Put the recorder on every connection there is or will be; twice is the same as once."""
    connection_created.connect(_on_connect, dispatch_uid="workbook.recorder")
    for connection in connections.all(initialized_only=True):
        watch(connection)
    if django_base.debug_transaction is not _debug_transaction:
        django_base.debug_transaction = _debug_transaction


def uninstall() -> None:
    """Take the recorder off again."""
    connection_created.disconnect(dispatch_uid="workbook.recorder")
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
        note_transaction(sql)
    return _django_debug_transaction(connection, sql)


# Origins. Walking the frames up to the cell costs about a microsecond.

find_cell: Callable[[str], Cell | None] = lambda filename: None  # noqa: E731  (set by magics)
suspended_line: Callable[[], tuple[str, int] | None] = lambda: None  # noqa: E731  (likewise)
_kinds: dict[str, int] = {}
_handed_over = threading.local()  # for worker threads: the origin of who awaits them
_LIBRARIES = (
    *(
        os.path.join(path, "")
        for path in {
            os.path.dirname(django.__file__),
            os.path.dirname(__file__),
            *(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")),
        }
    ),
    "<",  # code without a file, e.g. <string>
)


def is_library(filename: str) -> bool:
    """Whether code stands in an installed package, in Python itself or in the workbook."""
    return filename.startswith(_LIBRARIES)


def _kind(filename: str) -> int:
    if filename in ("<timed exec>", "<timed eval>") or find_cell(filename):
        kind = CELL
    elif is_library(filename):
        kind = LIBRARY
    else:
        kind = USER
    _kinds[filename] = kind
    return kind


def _origin(depth: int = 3) -> tuple[Origin, relations.Access | None, relations.Source | None]:
    """Who asked: the nearest line of a cell (else of the user's own code) and Django's frames."""
    frame = sys._getframe(depth)
    filename, lineno, found_kind = "", 0, LIBRARY
    path: list[object] = []
    probes: list[Any] = []
    watched = relations.WATCHED
    while frame is not None:
        code = frame.f_code
        kind = _kinds.get(code.co_filename)
        if kind is None:
            kind = _kind(code.co_filename)
        if kind == LIBRARY:
            if code.co_qualname in watched:
                probes.append(frame)
        else:
            path.append(id(code))
            path.append(_expression(code, frame.f_lasti))
            if kind > found_kind:
                filename, lineno, found_kind = code.co_filename, frame.f_lineno, kind
            if kind == CELL and code.co_name == "<module>":
                break
        frame = frame.f_back
    access = source = None
    if probes:
        try:
            access, source, nodes = relations.read(probes)
            path += nodes
        except Exception:  # our mistake may cost the advice, never the query
            pass
    if found_kind != CELL and (handed := getattr(_handed_over, "origin", None)):
        return handed, access, source
    return Origin(filename, lineno, tuple(path)), access, source


def caller() -> Origin:
    """The origin of the code that is running now, to be handed over to another thread."""
    origin = _origin(2)[0]
    if _kinds.get(origin.filename) != CELL and (line := suspended_line()):
        return Origin(*line, ())  # a task that the cell awaits: its line, but no known way there
    return origin


_expressions: dict[int, tuple[CodeType, tuple]] = {}  # by id(): to hash a code object is slow


def _expression(code: CodeType, lasti: int) -> object:
    """Where in the source the expression stands that runs at this offset.

    The offset alone does not do: Python 3.12 moves it by some units when it specialises a call,
    between the first turn of a loop and the next.
    """
    known = _expressions.get(id(code))
    if known is None:
        known = _expressions[id(code)] = code, tuple(code.co_positions())
    return known[1][lasti // 2]


def forget_files() -> None:
    """Forget what was not a cell: a cell's file name is only known once the cell has run."""
    _expressions.clear()
    for filename in [name for name, kind in _kinds.items() if kind == USER]:
        del _kinds[filename]


@contextmanager
def on_behalf_of(origin: Origin) -> Iterator[None]:
    """Let what runs in this thread count as caused by `origin`."""
    _handed_over.origin = origin
    try:
        yield
    finally:
        _handed_over.origin = None


def _place(origin: Origin) -> Place | None:
    if not origin.filename:
        return None
    if cell := find_cell(origin.filename):
        line, source = origin.lineno + cell.offset, cell.label
        if cell.lines is not None:
            text = cell.lines[line - 1] if line <= len(cell.lines) else ""
        else:
            text = linecache.getline(origin.filename, origin.lineno)
    else:
        line, source = origin.lineno, os.path.basename(origin.filename)
        text = linecache.getline(origin.filename, origin.lineno)
    return Place(line, source, text.strip())
