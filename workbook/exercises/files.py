"""Small files that several kernels write: each change is locked, and replaces the file at once."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_SECONDS = 5  # a lock older than this was left behind by a process that died


def replace(file: Path, text: str) -> None:
    """Write `text` to `file` so that a reader sees the old content or the new, never a part.

    Raises OSError, e.g. when the disk is full; the old file is then as it was.
    """
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        for attempt in range(10):
            try:
                os.replace(fresh, file)
                break
            except PermissionError:  # on Windows, while another process is reading it
                if attempt == 9:
                    raise
                time.sleep(0.02)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def aside(file: Path, why: str) -> Path:
    """Move `file` out of the way, to a name that is free; returns the new path.

    `notes.json` becomes `notes.unreadable.json`, then `notes.unreadable-2.json`.
    """
    number = 1
    while True:
        suffix = f"-{number}" if number > 1 else ""
        name = f"{file.name.removesuffix(file.suffix)}.{why}{suffix}{file.suffix}"
        if not file.with_name(name).exists():
            return file.rename(file.with_name(name))
        number += 1


@contextmanager
def lock(file: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold `file`'s lock. One that is older than `seconds` is taken over.

    A file, because that works on every system and file system, and in the browser.
    """
    held = file.with_name(f"{file.name}.lock")
    while True:
        try:
            os.close(os.open(held, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            try:
                if abs(time.time() - held.stat().st_mtime) > seconds:
                    held.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
            time.sleep(0.01)
    try:
        yield
    finally:
        held.unlink(missing_ok=True)
