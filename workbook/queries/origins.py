"""Where a query came from: the line of the cell (else of the reader's own file) that caused it.

The way from there to the database is a few frames of the reader's own code and many of Django's.
Walking them costs a microsecond or two; what a way leads to is kept, since a loop goes it often.
"""

import asyncio
import linecache
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from itertools import islice
from types import CodeType, FrameType
from typing import Any, NamedTuple

import django
from asgiref.sync import SyncToAsync


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


class Step(NamedTuple):
    """An expression of the reader's own code on the way to a query, or a part of a template."""

    filename: str
    position: tuple[int | None, ...]  # line, last line, column, last column
    function: str = ""  # the name of the function that it stands in


class Origin(NamedTuple):
    """Where a query came from: its line, and the way through the reader's own code to it."""

    filename: str
    lineno: int
    path: tuple[Step, ...]  # innermost first: a loop repeats it, new lines do not


NOWHERE = Origin("", 0, ())


find_cell: Callable[[str], Cell | None] = lambda filename: None  # noqa: E731  (set by the kernel)
suspended_line: Callable[[], tuple[str, int] | None] = lambda: None  # noqa: E731  (likewise)
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
_TIMED = ("<timed exec>", "<timed eval>")  # %%time and %time


def is_library(filename: str) -> bool:
    """Whether code stands in an installed package, in Python itself or in the workbook."""
    return filename.startswith(_LIBRARIES)


# What a frame is to us, by the id() of its code: to hash a code object is slow.
LIBRARY, WATCHED, TEMPLATE, THREAD, LOOP, USER, CELL = range(7)
_watched: set[str] = set()
_roles: dict[int, int] = {}
_codes: dict[int, CodeType] = {}  # kept alive, so that the id stays its own
_ways: dict[tuple[int, ...], tuple[Origin, list[Any]]] = {}  # and what lives while they are known
_origins: dict[Origin, Origin] = {}
_places: dict[int, tuple[Origin, Place | None]] = {}
_TEMPLATE = "Variable._resolve_lookup"  # a template's {{ a.b }}: as good as a line of code
_THREAD = SyncToAsync.thread_handler.__code__  # runs what somebody awaits in another thread
_LOOP = asyncio.BaseEventLoop.run_forever.__code__


def watch(names: Iterable[str]) -> None:
    """Have `walk()` collect the frames of these library functions, given by qualified name."""
    _watched.update(names)


def _role(code: CodeType) -> int:
    filename = code.co_filename
    if filename in _TIMED or find_cell(filename):
        role = CELL
    elif not is_library(filename):
        role = USER
    elif code.co_qualname in _watched:
        role = WATCHED
    elif code.co_qualname == _TEMPLATE:
        role = TEMPLATE
    else:
        role = THREAD if code is _THREAD else LOOP if code is _LOOP else LIBRARY
    _codes[id(code)] = code
    _roles[id(code)] = role
    return role


class Walk(NamedTuple):
    """What lies between a query and the reader's own code."""

    origin: Origin
    watched: list[FrameType]  # innermost first
    below: int  # how many of these lie below the reader's code
    child: FrameType | None  # the frame right below it: what the reader's line called
    reader: FrameType | None  # and the reader's own innermost frame, if it is in this thread


class _Trail(NamedTuple):
    """The way from a statement up to its cell, by depth: what a loop will find there again."""

    depths: list[int]  # of the reader's child, the reader's own frames, the watched ones
    codes: list[int]  # the id() of each one's code
    offsets: list[int]  # where each of the reader's own frames is
    origin: Origin
    below: int


_trails: dict[str, _Trail] = {}  # by statement, for as long as a cell runs
MOST_TRAILS = 500


def walk(statement: str, depth: int = 1) -> Walk:
    """Go up the frames to the nearest line of a cell, else of the reader's own code.

    Where `statement` came from a moment ago is looked at first: a loop comes from there again.
    """
    trail = _trails.get(statement)
    if trail and (way := _along(trail, depth + 1)):
        return way
    way, trail = _upwards(depth + 1)
    if trail:
        if len(_trails) >= MOST_TRAILS:
            _trails.clear()
        _trails[statement] = trail
    return way


def _along(trail: _Trail, depth: int) -> Walk | None:
    """The trail's frames, if they are what they were; to fetch a few by depth is quick."""
    try:
        frames = [sys._getframe(depth + each) for each in trail.depths]
    except ValueError:  # the stack is less deep
        return None
    first_watched = len(trail.offsets) + 1
    readers, watched = frames[1:first_watched], frames[first_watched:]
    if [id(frame.f_code) for frame in frames] != trail.codes or trail.offsets != [
        frame.f_lasti for frame in readers
    ]:
        return None
    return Walk(trail.origin, watched, trail.below, frames[0], readers[0])


def _upwards(depth: int) -> tuple[Walk, _Trail | None]:
    """Every frame, one by one; and a trail where the way is whole: calls alone, up to a cell."""
    frame = sys._getframe(depth)
    roles, way, frames, alive = _roles, [], [], []
    readers, watched_at, readers_at, number = [], [], [], 0
    nearest = child = previous = handed = None
    found, below = LIBRARY, -1
    whole = False
    while frame is not None:
        role = roles.get(id(frame.f_code))
        if role is None:
            role = _role(frame.f_code)
        if role == LIBRARY:  # most of them
            pass
        elif role >= USER:
            code = frame.f_code
            way += id(code), frame.f_lasti
            if not readers:
                child = previous
                below = len(frames) if below < 0 else below
            readers.append(frame)
            readers_at.append(number)
            if role > found:
                nearest, found = frame, role
            if role == CELL and code.co_name == "<module>":
                whole = child is not None and len(way) == 2 * len(readers)
                break
        elif role == WATCHED:
            frames.append(frame)
            watched_at.append(number)
        elif role == TEMPLATE:
            variable = frame.f_locals.get("self")
            alive.append(variable)
            way += 0, id(variable)
        elif role == THREAD:
            handed = _handed_over.get()
            if handed is not None:
                below = len(frames) if below < 0 else below
                alive.append(handed)
                way += 1, id(handed)
                break
        elif role == LOOP:
            if way:
                break
            way += 2, 0
        number += 1
        previous, frame = frame, frame.f_back
    key = tuple(way)
    known = _ways.get(key)
    if known is None:
        known = _ways[key] = _follow(key, nearest, found, handed), alive
    below = len(frames) if below < 0 else below
    trail = None
    if whole:
        trail = _Trail(
            [readers_at[0] - 1, *readers_at, *watched_at],
            [id(each.f_code) for each in (child, *readers, *frames)],
            [each.f_lasti for each in readers],
            known[0],
            below,
        )
    return Walk(known[0], frames, below, child, readers[0] if readers else None), trail


def _follow(
    way: tuple[int, ...], nearest: FrameType | None, found: int, handed: Origin | None
) -> Origin:
    """The origin at the end of a way: pairs of a code's id and an offset, or a mark and an id."""
    path: list[Step] = []
    for identity, offset in zip(way[::2], way[1::2], strict=True):
        if identity == 0:
            path.append(Step("", (offset,)))
        elif identity == 1:
            path += handed.path
        elif identity != 2:
            # The offset alone does not do: Python 3.12 moves it by some units when it specialises
            # a call, between the first turn of a loop and the next.
            code = _codes[identity]
            position = next(islice(code.co_positions(), offset // 2, None))
            path.append(Step(code.co_filename, position, code.co_name))
    line = (nearest.f_code.co_filename, nearest.f_lineno) if nearest is not None else ("", 0)
    if handed is not None and handed.filename and found != CELL:  # the nearest cell, else file
        line = line if line[0] and not find_cell(handed.filename) else handed[:2]
    if way[:1] == (2,):  # a task: somewhere behind the event loop is its start, not its way
        path = []
    origin = Origin(*line, tuple(path))
    return _origins.setdefault(origin, origin)


def forget() -> None:
    """A capture begins: forget where lines stood, and many ways."""
    _places.clear()
    if len(_ways) > 10_000:
        forget_files()


def forget_files() -> None:
    """A cell has ended: a cell's file name, for instance, is only known once the cell has run."""
    _places.clear()
    _ways.clear()
    _trails.clear()
    _origins.clear()
    for identity in [identity for identity, role in _roles.items() if role >= USER]:
        _roles.pop(identity, None)
        _codes.pop(identity, None)


# Code that awaits a thread is not on that thread's stack: its origin is handed over.

_handed_over: ContextVar[Origin | None] = ContextVar("workbook_origin", default=None)
_await_thread = SyncToAsync.__call__


@wraps(_await_thread)
async def _handing_over(self: SyncToAsync, *args: Any, **kwargs: Any) -> Any:
    found = _upwards(1)[0].origin
    if not found.path:  # a task of its own
        known = suspended_line()
        found = Origin(*known, ()) if known else _handed_over.get() or found
        found = _origins.setdefault(found, found)
    token = _handed_over.set(found)
    try:
        return await _await_thread(self, *args, **kwargs)
    finally:
        _handed_over.reset(token)


def install() -> None:
    """Hand origins over to threads from here on."""
    SyncToAsync.__call__ = _handing_over


def uninstall() -> None:
    """Leave asgiref as it was."""
    SyncToAsync.__call__ = _await_thread


# As the reader sees it.


def place_of(origin: Origin) -> Place | None:
    """The line of an origin, None where none is known."""
    known = _places.get(id(origin))
    if known is None:
        known = _places[id(origin)] = origin, _place(origin)
    return known[1]


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


def source_of(filename: str) -> str:
    """The text that Python compiled as `filename`; empty where it is not known."""
    cell = find_cell(filename)
    if cell and cell.lines is not None:
        return "\n".join(cell.lines[cell.offset :])
    return "".join(linecache.getlines(filename))
