"""Shorter tracebacks: where the reader's own code failed, and the error.

Between the two lie Django's frames, often sixty lines of them. `%tb` still shows every one.
"""

import os
import re
from collections.abc import Iterator
from types import TracebackType

from django.db import DatabaseError, InterfaceError
from IPython.core.interactiveshell import InteractiveShell

from workbook.queries import origins

LEFT_OUT = "    … inside installed packages; %tb shows every step\n"

_ANSI = re.compile(r"\x1b\[[\d;]*m")
_FRAME = re.compile(r"File (.+?):\d+(?:, in |\n|$)")


def install(shell: InteractiveShell) -> None:
    """Shorten the tracebacks of cells, unless somebody else handles them already."""
    if not shell.custom_exceptions:
        shell.set_custom_exc((Exception, KeyboardInterrupt), _show)


def uninstall(shell: InteractiveShell) -> None:
    if shell.custom_exceptions == (Exception, KeyboardInterrupt):
        shell.set_custom_exc((), None)


def _show(
    shell: InteractiveShell,
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """IPython's own way to show an error, with the library's frames left out."""
    ran = traceback.tb_frame.f_code.co_name == "run_code"  # else the cell could not be compiled
    show = shell._showtraceback
    shell._showtraceback = lambda kind, error, entries: show(kind, error, list(own_frames(entries)))
    cause = error.__cause__
    if isinstance(error, DatabaseError | InterfaceError) and str(cause) == str(error):
        error.__cause__ = None  # the driver's error, which says the same
    try:
        shell.showtraceback((kind, error, traceback), running_compiled_code=ran)
    finally:
        error.__cause__ = cause
        del shell._showtraceback


def show_from(shell: InteractiveShell, error: BaseException, filename: str) -> None:
    """Show an error that was caught, from the code compiled as `filename` on."""
    traceback = error.__traceback__
    step = traceback
    while step and step.tb_next and step.tb_next.tb_frame.f_code.co_filename != filename:
        step = step.tb_next
    _show(shell, type(error), error, step if step and step.tb_next else traceback)


def own_frames(entries: list[str]) -> Iterator[str]:
    """The entries of a traceback as IPython lists them, runs of library frames made one line."""
    left_out = False
    for entry in entries:
        frame = _FRAME.match(_ANSI.sub("", entry))
        if frame and origins.is_library(os.path.expanduser(frame[1])):
            if not left_out:
                yield LEFT_OUT
            left_out = True
        else:
            yield entry
            left_out = False
