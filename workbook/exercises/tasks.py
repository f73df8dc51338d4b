"""The tasks, as the chapters word them: a task's text is in its markdown cell and nowhere else."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

Cell = tuple[str, str, str]  # type, id, source

_TASK = re.compile(r"\*\*(\d+\.\d+) (★+)\*\*\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class Task:
    """One task cell: `**7.1 ★** June's invoices …`."""

    number: str
    stars: int
    text: str  # markdown, without the number and the stars
    chapter: Path


def directory() -> Path | None:
    """The folder of the chapters, from `settings.WORKBOOK["CHAPTERS"]`; None if it names none."""
    found = getattr(settings, "WORKBOOK", {}).get("CHAPTERS")
    return Path(found) if found else None


def chapters() -> list[Path]:
    """The chapters' notebooks in reading order."""
    folder = directory()
    return sorted(folder.glob("[0-9][0-9]_*.ipynb")) if folder else []


def tasks() -> dict[str, Task]:
    """Number → Task, over all chapters."""
    return {task.number: task for path in chapters() for task in in_chapter(path)}


def in_chapter(path: Path) -> list[Task]:
    """The tasks of one notebook, in reading order."""
    texts = (source for kind, _, source in cells(path) if kind == "markdown")
    found = (_TASK.match(text) for text in texts)
    return [Task(m[1], len(m[2]), m[3].strip(), path) for m in found if m]


def cells(path: Path) -> tuple[Cell, ...]:
    """The cells of a chapter; none if its file is not a notebook."""
    return _cells(path, path.stat().st_mtime_ns)


@cache
def _cells(path: Path, modified: int) -> tuple[Cell, ...]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return tuple((c["cell_type"], c.get("id", ""), "".join(c["source"])) for c in found)
    except (ValueError, KeyError, TypeError):
        return ()
