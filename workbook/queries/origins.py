"""Where a query came from: the line of the cell (else of the reader's own file) that caused it.

Walking the frames up to the cell costs about a microsecond.
"""

import linecache
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, NamedTuple

import django

from workbook.queries import relations

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


find_cell: Callable[[str], Cell | None] = lambda filename: None  # noqa: E731  (set by the kernel)
suspended_line: Callable[[], tuple[str, int] | None] = lambda: None  # noqa: E731  (likewise)
_kinds: dict[str, int] = {}
_handed_over = threading.local()  # for worker threads: the origin of who awaits them
_LIBRARIES = (
    *(
        os.path.join(path, "")
        for path in {
            os.path.dirname(django.__file__),
            os.path.dirname(os.path.dirname(__file__)),  # the workbook itself
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


def origin(depth: int = 3) -> tuple[Origin, relations.Access | None, relations.Source | None]:
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
    found = origin(2)[0]
    if _kinds.get(found.filename) != CELL and (line := suspended_line()):
        return Origin(*line, ())  # a task that the cell awaits: its line, but no known way there
    return found


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


def place_of(origin: Origin) -> Place | None:
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
