"""The reader's own copies of the chapters: made without outputs, and refreshed by an update.

A copy notes in its notebook's metadata what it was made from: each cell's id and a digest of its
text. So a refresh knows which cells the reader has changed, added or deleted since, two updates
later too. It keeps all of those and takes everything else from the chapter as it is now.
"""

import copy
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from workbook.exercises import files

Cell = dict[str, Any]
Notebook = dict[str, Any]

CHAPTERS = "[0-9][0-9]_*.ipynb"
NOTE = "workbook"  # the key in the notebook's metadata
LEFT_OVER = "## Your cells from before the update"
BEFORE_UPDATE, BEFORE_RESET, UNREADABLE = "before_update", "before_reset", "unreadable"
NEW, REFRESHED, MERGED, AS_IT_WAS = "new", "refreshed", "merged", "as it was"

_LINK = re.compile(r"(\]\(|\b(?:src|href)=[\"'])([^)\s\"'#?:]+)(?=[)\s\"'#?])")
_EXERCISE = re.compile(r"\s*%exercise[ \t]+(\S+)[^\n]*\n?")
_GUESS = re.compile(r"^%guess\b.*$", re.MULTILINE)


class UnreadableNotebook(ValueError):
    """A file that is not a notebook."""


# All chapters -------------------------------------------------------------------------------


def refresh(chapters: Path, copies: Path) -> list[str]:
    """Bring the copy of every chapter up to date; returns what was done, in sentences.

    chapters: the folder of the chapters. copies: the reader's folder, made if it is not there.
    Raises OSError when that folder cannot be written.
    """
    copies.mkdir(parents=True, exist_ok=True)
    with files.lock(copies / ".copies", seconds=60):
        links = Links(chapters, copies)
        done: dict[str, list[str]] = {}
        trouble: list[str] = []
        for path in sorted(chapters.glob(CHAPTERS)):
            try:
                what, sentence = _refresh_chapter(path, copies, links)
                done.setdefault(what, []).append(path.stem)
                trouble += [sentence] if sentence else []
            except (OSError, UnreadableNotebook) as error:
                trouble.append(f"{path.name} could not be refreshed: {error}.")
        for page in sorted(chapters.glob("*.md")):
            _refresh_page(copies / page.name, links.rewritten(page.read_text("utf-8")))
    return [*_summary(done, copies), *trouble]


def renew(chapters: Path, copies: Path, name: str) -> Path | None:
    """Put a fresh copy of the chapter called `name` in place; returns where the old one went.

    Raises OSError or UnreadableNotebook.
    """
    delivered = deliver(_read(chapters / f"{name}.ipynb"), name, Links(chapters, copies))
    target = copies / f"{name}.ipynb"
    kept = files.aside(target, BEFORE_RESET) if target.exists() else None
    _write(target, delivered)
    return kept


def _refresh_chapter(path: Path, copies: Path, links: "Links") -> tuple[str, str]:
    """Refresh one copy; returns what was done, and a sentence if that needs one."""
    delivered = deliver(_read(path), path.stem, links)
    target = copies / path.name
    source = target if target.exists() else _under_its_old_name(delivered, path.parent, copies)
    if source is None:
        _write(target, delivered)
        return NEW, ""
    try:
        mine = _read(source)
    except UnreadableNotebook as error:
        kept = files.aside(source, UNREADABLE)
        _write(target, delivered)
        return NEW, f"{error}: it is called {kept.name} now, and a fresh copy is in its place."
    if source == target and _note(mine).get("version") == _note(delivered)["version"]:
        return AS_IT_WAS, ""
    merged, touched = merge(mine, delivered)
    trusted = _is_trusted(source)
    if touched:
        shutil.copy2(source, source.with_name(f"{source.stem}.{BEFORE_UPDATE}.ipynb"))
    _write(target, merged)
    if trusted:
        _trust(target)
    if source != target:
        source.unlink()
        return (MERGED if touched else REFRESHED), f"{source.name} is called {path.name} now."
    return (MERGED if touched else REFRESHED), ""


def _under_its_old_name(delivered: Notebook, chapters: Path, copies: Path) -> Path | None:
    """The copy of the same chapter from before it was renamed: a third of its cells are in it."""
    best, most = None, 0
    for path in copies.glob(CHAPTERS):
        if (chapters / path.name).exists() or not path.is_file():
            continue
        try:
            note = _note(_read(path))
        except UnreadableNotebook:
            continue
        if note.get("chapter") != path.stem:
            continue
        shared = len(note["cells"].keys() & _note(delivered)["cells"].keys())
        if shared > most and 3 * shared >= len(note["cells"]):
            best, most = path, shared
    return best


def _refresh_page(page: Path, text: str) -> None:
    """Copy a page of Markdown. One that the reader has changed is kept beside it."""
    text = text.rstrip() + "\n"
    text += f"\n<!-- A copy, {_sha(text)}: an update writes it again. -->\n"
    if page.is_file():
        before = page.read_text(encoding="utf-8", errors="replace")
        if before == text:
            return
        said, _, note = before.rpartition("\n<!-- A copy, ")
        if note.partition(":")[0] != _sha(said):
            files.aside(page, BEFORE_UPDATE)
    files.replace(page, text)


def _summary(done: dict[str, list[str]], copies: Path) -> Iterator[str]:
    named = {
        what: ", ".join(names) if len(names) < 4 else f"{len(names)} chapters"
        for what, names in done.items()
    }
    if NEW in named:
        yield f"Copied to {copies.name}/, for you to work in: {named[NEW]}."
    if REFRESHED in named:
        yield f"Updated in {copies.name}/: {named[REFRESHED]}."
    if MERGED in named:
        yield (
            f"Updated in {copies.name}/, with the cells you wrote: {named[MERGED]}. Your files as "
            f"they were are beside them, their names end in .{BEFORE_UPDATE}.ipynb. "
            "If JupyterLab has one open, choose File → Reload Notebook from Disk."
        )


class Links:
    """Relative links, so that they lead to the same place from the folder of the copies."""

    def __init__(self, chapters: Path, copies: Path) -> None:
        self.chapters, self.copies = chapters, copies
        self.copied = {path.name for glob in (CHAPTERS, "*.md") for path in chapters.glob(glob)}

    def rewritten(self, text: str) -> str:
        return _LINK.sub(self._link, text)

    def _link(self, match: re.Match) -> str:
        target = match[2]
        if target in self.copied or not (self.chapters / target).exists():
            return match[0]
        there = os.path.relpath(self.chapters / target, self.copies).replace(os.sep, "/")
        return match[1] + there + ("/" if target.endswith("/") else "")


# One chapter --------------------------------------------------------------------------------


def deliver(chapter: Notebook, name: str, links: Links) -> Notebook:
    """The chapter as the reader gets it: without outputs, and with the note of what it is."""
    notebook = copy.deepcopy(chapter)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        else:
            cell["source"] = links.rewritten(cell["source"])
    notebook["metadata"][NOTE] = {
        "chapter": name,
        "version": _sha(json.dumps(notebook["cells"], sort_keys=True)),
        "cells": {cell["id"]: digest(cell) for cell in notebook["cells"]},
    }
    return notebook


def merge(mine: Notebook, delivered: Notebook) -> tuple[Notebook, bool]:
    """The delivered chapter with everything that the reader wrote into `mine`.

    Also returns whether there was anything: a cell changed, added or deleted, a guess.
    """
    merging = _Merge(mine, delivered)
    cells = merging.cells()
    note = {NOTE: delivered["metadata"][NOTE]}
    metadata = delivered["metadata"] | mine["metadata"] | note
    return {**delivered, "cells": cells, "metadata": metadata}, merging.touched


def digest(cell: Cell) -> str:
    """A short digest of what a cell says. The number behind `%guess` is not part of it."""
    return _sha(cell["cell_type"] + "\n" + _GUESS.sub("%guess", _text(cell), count=1))


class _Merge:
    """One merge: `base` is what `mine` was made from, `theirs` the chapter as it is now.

    base: cell id → digest, as the copy notes it. A copy without that note (an editor dropped it)
    is compared with `theirs` instead; then a cell that differs may be an older chapter's as well
    as the reader's, and both stay.
    """

    def __init__(self, mine: Notebook, delivered: Notebook) -> None:
        self.mine: list[Cell] = mine["cells"]
        self.theirs: dict[str, Cell] = {cell["id"]: cell for cell in delivered["cells"]}
        note = _note(mine)
        self.noted = bool(note)
        self.base: dict[str, str] = (note or _note(delivered))["cells"]
        self.touched = False

    def cells(self) -> list[Cell]:
        places = self._places()
        here: list[Cell] = []  # where a cell that the reader added goes
        following = {"": here}  # id in the chapter → the reader's cells that come after it
        merged: dict[str, Cell] = {}
        left_over: list[Cell] = []
        for position, cell in enumerate(self.mine):
            place = places.get(position)
            if place in self.theirs:
                here = following[place] = []
                merged[place], conflict = self._merged(cell, place)
                here += [_markdown(_changed_above(cell)), _own(cell)] if conflict else []
            elif place is None:
                self.touched = True
                here.append(_own(cell) if cell.get("id") in self.theirs else cell)
            elif self._changed(cell, place):  # and the chapter has no place for it now
                self.touched = True
                here = left_over
                here.append(cell)
        result = following[""]
        for id, cell in self.theirs.items():
            if id in merged:
                result.append(merged[id])
            elif not self._deleted(id):
                result.append(cell)
            result += following.get(id, [])
        if left_over and not any(_text(cell).startswith(LEFT_OVER) for cell in result):
            left_over.insert(0, _markdown(f"{LEFT_OVER}\n\nThe chapter has no place for them now."))
        return result + left_over

    def _places(self) -> dict[int, str]:
        """Position in `mine` → the cell's id in the base or in the chapter.

        By id; where an editor has lost the ids, by the text; and an answer by its exercise. The
        reader's own cells have none.
        """
        places: dict[int, str] = {}
        free = set(self.base)

        def place(position: int, id: str | None) -> None:
            if position not in places and id in free:
                places[position] = id
                free.discard(id)

        for position, cell in enumerate(self.mine):
            place(position, cell.get("id"))
        ids = {digest: id for id, digest in self.base.items() if id in free}
        for position, cell in enumerate(self.mine):
            place(position, ids.get(digest(cell)))
        # Where the chapter has a new cell for an exercise, the answer goes there.
        free = self.theirs.keys() - places.values()
        ids = {_exercise(cell): id for id, cell in self.theirs.items() if _exercise(cell)}
        answered = {_exercise(self.mine[at]) for at, id in places.items() if id in self.theirs}
        for position, cell in enumerate(self.mine):
            number = _exercise(cell)
            if number and number not in answered and places.get(position) not in self.theirs:
                places.pop(position, None)
                place(position, ids.get(number))
                answered.add(number)
        return places

    def _merged(self, mine: Cell, id: str) -> tuple[Cell, bool]:
        """The new cell for `mine` and the chapter's cell `id`; whether `mine` has to stand below
        it, as both sides changed it.
        """
        theirs = self.theirs[id]
        changed, guess = self._changed(mine, id), _guess(mine)
        self.touched = self.touched or changed or bool(guess)
        conflict = False
        if changed and _exercise(mine) and _exercise(theirs):
            line = _EXERCISE.match(_text(theirs))[0].rstrip("\n")
            text = f"{line}\n{_EXERCISE.sub('', _text(mine), count=1)}"
        elif not changed and guess and _GUESS.search(_text(theirs)):
            text = _GUESS.sub(lambda _: guess, _text(theirs), count=1)
        elif not changed or digest(mine) == digest(theirs):
            text = _text(theirs)
        elif self.noted and digest(theirs) == self.base.get(id):
            text = _text(mine)
        else:
            text = _text(theirs)
            conflict = True
        if text == _text(mine) and not conflict:
            return mine | {"id": id, "metadata": mine["metadata"] | theirs["metadata"]}, False
        return theirs | {"source": text}, conflict

    def _changed(self, cell: Cell, id: str) -> bool:
        """Whether the reader changed what the cell says."""
        return digest(cell) != self.base.get(id)

    def _deleted(self, id: str) -> bool:
        """Whether the reader deleted this cell. It comes back when the chapter changes it."""
        if not self.noted or id not in self.base:
            return False
        self.touched = True
        return self.base[id] == digest(self.theirs[id])


def _changed_above(cell: Cell) -> str:
    kind = "cell" if cell["cell_type"] == "code" else "text"
    return f"*An update changed the {kind} above. This is yours, from before:*"


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "id": _new_id(), "metadata": {}, "source": text}


def _own(cell: Cell) -> Cell:
    return cell | {"id": _new_id()}


def _new_id() -> str:
    return uuid4().hex[:8]


def _exercise(cell: Cell) -> str:
    """The number of the exercise that the cell is for, or ""."""
    match = _EXERCISE.match(cell["source"]) if cell["cell_type"] == "code" else None
    return match[1] if match else ""


def _guess(cell: Cell) -> str:
    """The cell's `%guess` line if the reader has filled it in, or ""."""
    match = _GUESS.search(cell["source"]) if cell["cell_type"] == "code" else None
    return match[0] if match and match[0].split() not in (["%guess", "..."], ["%guess"]) else ""


# Files --------------------------------------------------------------------------------------


def _note(notebook: Notebook) -> dict[str, Any]:
    """What the notebook notes about its origin: chapter, version, cells; {} if it does not."""
    found = notebook["metadata"].get(NOTE)
    return found if isinstance(found, dict) and isinstance(found.get("cells"), dict) else {}


def _text(cell: Cell) -> str:
    return cell["source"].rstrip()


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(path: Path) -> Notebook:
    """The notebook in a file: format 4, every cell with an id. Raises UnreadableNotebook."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        if notebook["nbformat"] != 4:
            notebook = _upgraded(path)
        notebook["nbformat_minor"] = max(notebook["nbformat_minor"], 5)
        notebook.setdefault("metadata", {})
        for position, cell in enumerate(notebook["cells"]):
            cell["source"] = "".join(cell["source"])
            cell.setdefault("metadata", {})
            cell.setdefault("id", _sha(f"{position} {cell['cell_type']} {cell['source']}")[:8])
        return notebook
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableNotebook(f"{path.name} could not be read as a notebook") from error


def _upgraded(path: Path) -> Notebook:
    import nbformat

    return json.loads(nbformat.writes(nbformat.read(path, as_version=4)))


def _write(path: Path, notebook: Notebook) -> None:
    """Write the notebook as Jupyter does."""
    cells = [cell | {"source": cell["source"].splitlines(True)} for cell in notebook["cells"]]
    text = json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False, sort_keys=True)
    files.replace(path, text + "\n")


# JupyterLab shows styles only in outputs it trusts. The reader's own stay trusted.


def _is_trusted(path: Path) -> bool:
    import nbformat
    from nbformat.sign import NotebookNotary

    return NotebookNotary().check_signature(nbformat.read(path, as_version=4))


def _trust(path: Path) -> None:
    import nbformat
    from nbformat.sign import NotebookNotary

    NotebookNotary().sign(nbformat.read(path, as_version=4))
