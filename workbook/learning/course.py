"""The chapters as a course: what each one says about itself, and which one a notebook is."""

import ast
import os
import re
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import StringIO
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from workbook.exercises import tasks
from workbook.kernel.source import magics_and_code
from workbook.queries import recorder

_PROMISE = re.compile(r"\*You will be able to\*\s*(.+)")
_QUESTION = re.compile(
    r"^\*\*(?P<question>[^\n]+?)\*\*\s*<details>\s*<summary>.*?</summary>(?P<answer>.*?)</details>",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Question:
    """A question of *In an interview*, with its folded answer."""

    key: str  # "07/n-1-what-is-it"
    text: str
    answer: str  # markdown
    section: str  # the heading of the section that proves it, "" if the answer names none


@dataclass(frozen=True)
class Chapter:
    """One chapter; `cells` are its cells as (type, id, source)."""

    path: Path
    cells: tuple[tasks.Cell, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        """As it stands in the file's name: "07"."""
        return self.name[:2]

    @cached_property
    def title(self) -> str:
        return self._opening.partition("\n")[0].removeprefix("# ").strip() or self.name

    @property
    def heading(self) -> str:
        return f"{self.number} · {self.title}"

    @cached_property
    def promise(self) -> str:
        """What the reader can do after it: "choose rows, sort them …"; "" if it does not say."""
        found = _PROMISE.search(self._opening)
        return found[1].strip().rstrip(".") if found else ""

    @property
    def _opening(self) -> str:
        return next((source for kind, _, source in self.cells if kind == "markdown"), "")

    @cached_property
    def load_cell(self) -> str:
        return next((source for kind, _, source in self.cells if kind == "code"), "")

    @cached_property
    def guesses(self) -> dict[str, str]:
        """The cells that begin with `%guess`: key ("07/1f0c8a2b") → code without magics."""
        found = {}
        for kind, id, source in self.cells:
            magics, code = magics_and_code(source) if kind == "code" else ([], "")
            if any(magic.startswith("%guess") for magic in magics):
                found[f"{self.number}/{id}"] = code
        return found

    @cached_property
    def headings(self) -> list[str]:
        lines = (source for kind, _, source in self.cells if kind == "markdown")
        return re.findall(r"^##+ (.+?)\s*$", "\n".join(lines), re.MULTILINE)

    @cached_property
    def questions(self) -> list[Question]:
        """The questions under *In an interview*."""
        found = []
        text = "\n\n".join(source for kind, _, source in self.cells if kind == "markdown")
        _, _, text = text.partition("## In an interview")
        text = re.split(r"^## ", text, flags=re.MULTILINE)[0]
        for match in _QUESTION.finditer(text):
            question, answer = match["question"].strip(), match["answer"].strip()
            slug = re.sub(r"\W+", "-", question.lower()).strip("-")
            named = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", answer)
            section = next((name for name in named if name in self.headings), "")
            found.append(Question(f"{self.number}/{slug}", question, answer, section))
        return found

    def needed_by(self, code: str, defined: set[str]) -> list[str]:
        """What has to run before `code`, a cell of this chapter, runs in another notebook.

        The imports of the first cell, then the earlier cells that make a name which `code` reads
        and which is not among `defined`.
        """
        imports = _imports(self.load_cell)
        missing = _names(code, ast.Load) - defined - _names(imports, ast.Store)
        sources = [magics_and_code(source) for kind, _, source in self.cells[1:] if kind == "code"]
        position = next((n for n, found in enumerate(sources) if found[1] == code), 0)
        needed: list[str] = []
        for magics, earlier in reversed(sources[:position]):
            if any(magic.startswith(("%exercise", "%rollback")) for magic in magics):
                continue
            if made := _names(earlier, ast.Store) & missing:
                needed.insert(0, earlier)
                missing = (missing - made) | (_names(earlier, ast.Load) - defined)
        return [imports, *needed]


def chapters() -> list[Chapter]:
    """All chapters in reading order."""
    return [_chapter(path, tasks.cells(path)) for path in tasks.chapters() if tasks.cells(path)]


@lru_cache(maxsize=64)
def _chapter(path: Path, cells: tuple[tasks.Cell, ...]) -> Chapter:
    return Chapter(path, cells)


def find(number: str) -> Chapter | None:
    """The chapter of that number: "7", "07" or "07_n_plus_one"."""
    wanted = number.partition("_")[0]
    if not wanted.isdecimal():
        return None
    return next((one for one in chapters() if int(one.number) == int(wanted)), None)


def required() -> list[Chapter]:
    """All chapters. Raises UsageError if there are none."""
    found = chapters()
    if not found:
        raise UsageError(
            "There are no chapters here. A project that has some names their folder in its "
            'settings: WORKBOOK = {"CHAPTERS": BASE_DIR / "notebooks"}.'
        )
    return found


def named(number: str) -> Chapter:
    """The chapter of that number, for a reader who has typed it. Raises UsageError."""
    found = find(number.strip())
    if found is None:
        known = ", ".join(str(int(chapter.number)) for chapter in required())
        raise UsageError(f"There is no chapter {number.strip()}. There are {known}.")
    return found


# The chapter that this kernel's notebook is a copy of; known once it has loaded the workbook.
here: Chapter | None = None


def of_notebook(name: str, cell_id: str | None, load_cell: str) -> Chapter | None:
    """The chapter that a notebook is a copy of.

    By its name, without ending ("07_n_plus_one"), where that is known; else by its first cell.
    """
    found = chapters()
    if name:
        name = re.split(r"\.|-Copy", name)[0]
        return next((chapter for chapter in found if chapter.name == name), None)
    for chapter in found:
        if cell_id and any(cell_id == id for _, id, _ in chapter.cells):
            return chapter
    same = [chapter for chapter in found if chapter.load_cell.strip() == load_cell.strip()]
    return same[0] if len(same) == 1 else None


def bring(shell: InteractiveShell, chapter: Chapter, code: str = "") -> None:
    """Make the names that the chapter's first cell imports, and those that `code` needs.

    So that an exercise or a cell runs in any notebook. Names that are there stay as they are.
    """
    names = shell.user_ns
    before = dict(names)
    with recorder.paused(), redirect_stdout(StringIO()):
        for source in chapter.needed_by(code, set(before)):
            with suppress(Exception):  # running the cell will say what is missing
                exec(source, names)
            names.update(before)


def of_exercise(number: str) -> Chapter | None:
    return find(number.partition(".")[0])


def belongs_to(chapter: Chapter, key: str) -> bool:
    """Whether an exercise ("7.1"), a guess or a question ("07/…") is the chapter's."""
    number = re.split(r"[./]", key)[0]
    return number.isdecimal() and int(number) == int(chapter.number)


def copies() -> Path | None:
    """The folder of the reader's copies, from `settings.WORKBOOK["COPIES"]`."""
    found = getattr(settings, "WORKBOOK", {}).get("COPIES")
    return Path(found) if found else None


def link(chapter: Chapter, section: str = "") -> str:
    """Where the reader finds the chapter, as a link from this kernel's folder."""
    folder = copies()
    path = folder / chapter.path.name if folder else chapter.path
    address = _address(path if path.exists() else chapter.path)
    return f"{address}#{quote(section.replace(' ', '-'))}" if section else address


def page(name: str) -> str:
    """A page beside the chapters, e.g. README.md, as a link from this kernel's folder."""
    return _address((copies() or tasks.directory()) / name)


def _address(path: Path) -> str:
    try:
        return quote(os.path.relpath(path).replace(os.sep, "/"))
    except ValueError:  # on another drive
        return path.as_uri()


def _imports(code: str) -> str:
    """The import statements of a cell."""
    tree = ast.parse(magics_and_code(code)[1])
    statements = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, statements))


def _names(code: str, context: type[ast.expr_context]) -> set[str]:
    """The names that the code reads (ast.Load) or makes (ast.Store, imports and definitions)."""
    try:
        tree = ast.parse(re.sub(r"^%.*$", "", code, flags=re.MULTILINE))
    except SyntaxError:
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            found.add(node.id)
        elif context is ast.Store and isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif context is ast.Store and isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            found.add(node.name)
    return found
