"""The tasks, as the chapters word them: a task's text is in its markdown cell and nowhere else."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

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


def in_chapter(path: Path) -> tuple[Task, ...]:
    """The tasks of one notebook, in reading order."""
    return _tasks_of(path, path.stat().st_mtime_ns)


@cache
def _tasks_of(path: Path, modified: int) -> tuple[Task, ...]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = (_TASK.match(text) for text in texts)
    return tuple(Task(m[1], len(m[2]), m[3].strip(), path) for m in found if m)
