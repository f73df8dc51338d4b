"""notebooks/INDEX.md: the section for each task, for each error message and for each ORM name.

Tasks and messages come from questions.toml. Names come from the chapters: a name counts in a code
cell that runs; prose, comments and strings do not count.
"""

import ast
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import nbformat
from nbformat import NotebookNode

from . import rules
from .chapters import CHAPTERS, FOLDER

FILE = FOLDER / "INDEX.md"
HERE = Path(__file__).parent
VOCABULARY = json.loads((HERE / "orm_vocabulary.json").read_text())["names"]
QUESTIONS = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))

TITLES = {
    "queryset_sync": "QuerySet methods",
    "queryset_async": "QuerySet methods, async",
    "lookups": "Lookups",
    "aggregates": "Aggregates",
    "expressions": "Expressions",
    "db_functions": "Database functions",
    "fields": "Model fields",
    "field_options": "Field options",
    "meta_options": "Meta options",
    "constraints_indexes": "Constraints and indexes",
    "constraint_index_options": "Options of constraints and indexes",
    "on_delete": "on_delete",
    "fetch_modes_6_1": "Fetch modes",
    "model_methods": "Model methods",
    "related_manager": "Related managers",
    "transactions": "Transactions",
    "choices_managers": "Choices and managers",
}
# Where a name of each kind can stand in code.
CALLED = {"queryset_sync", "queryset_async", "model_methods", "transactions", "choices_managers"}
KEYWORDS = {"field_options", "meta_options", "constraint_index_options"}

Place = tuple[Path, str]  # a chapter and the title of a section


def names_in(source: str) -> dict[str, set[str]]:
    """The vocabulary's names that this cell executes, by kind. `source` is a cell's code."""
    plain = "\n".join(
        "pass" if line.startswith(("%", "!")) else line for line in source.splitlines()
    )
    called, keywords, words, related, lookups = set(), set(), set(), set(), set()
    for node in ast.walk(ast.parse(plain)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name, value=owner)):
                called.add(name)
                if isinstance(owner, ast.Attribute):
                    related.add(name)
            case ast.Call(func=ast.Name(id=name)):
                called.add(name)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                words |= {
                    item.context_expr.attr for item in items if hasattr(item.context_expr, "attr")
                }
            case ast.keyword(arg=str(name)):
                keywords.add(name)
                lookups |= set(name.split("__")[1:])
            case ast.ClassDef(name="Meta", body=body):
                keywords |= {
                    target.id
                    for line in body
                    if isinstance(line, ast.Assign)
                    for target in line.targets
                    if isinstance(target, ast.Name)
                }
            case ast.Constant(value=str(text)) if "__" in text and text.replace("_", "").isalnum():
                lookups |= set(text.split("__")[1:])
        if isinstance(node, ast.Name | ast.Attribute):
            words.add(node.id if isinstance(node, ast.Name) else node.attr)
    found = {}
    for kind, vocabulary in VOCABULARY.items():
        if kind in CALLED:
            where = called | (words if kind in {"transactions", "choices_managers"} else set())
        elif kind == "related_manager":
            where = related
        elif kind == "lookups":
            where = (
                lookups | {"exact"}
                if any(call in called for call in ("filter", "get"))
                else lookups
            )
        else:
            where = keywords if kind in KEYWORDS else words
        found[kind] = where & set(vocabulary)
    return found


def sections(path: Path) -> Iterator[tuple[NotebookNode, str]]:
    """Each cell of a chapter with the title of its section; a cell that opens one is in it."""
    section = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^###? (.+)$", rules.plain(cell.source), re.MULTILINE)
            section = headings[-1].strip() if headings else section
        yield cell, section


def places() -> dict[tuple[str, str], list[Place]]:
    """(kind, name) → the sections that execute it, in reading order."""
    found = defaultdict(list)
    for path in CHAPTERS:
        for cell, section in sections(path):
            if cell.cell_type == "code" and not cell.source.startswith("%exercise"):
                for kind, names in names_in(cell.source).items():
                    for name in names:
                        if (path, section) not in found[kind, name]:
                            found[kind, name].append((path, section))
    return found


def find(place: str | int) -> Place | int:
    """Where an entry of questions.toml leads, or the number of the chapter that it waits for.

    An entry that has lost its cell leads to its chapter.
    """
    number, _, cell_id = str(place).partition(":")
    path = next((path for path in CHAPTERS if int(path.name[:2]) == int(number)), None)
    if path is None:
        return int(number)
    return path, next((section for cell, section in sections(path) if cell.id == cell_id), "")


def lost() -> list[str]:
    """The entries that do not lead to a section, though their chapter is there."""
    entries = [entry for tasks in QUESTIONS["tasks"].values() for entry in tasks.items()]
    entries += [(error["message"], error["place"]) for error in QUESTIONS["errors"]]
    return [
        f"“{what}” leads to {place}: name a cell that {found[0].name} has"
        for what, place in entries
        if not isinstance(found := find(place), int) and not found[1]
    ]


def render() -> str:
    """INDEX.md as text."""
    lines = [
        "# Index",
        "",
        "<!-- Written by `make notebooks` from the chapters and questions.toml. -->",
        "",
        *_tasks(),
        "",
        *_errors(),
        "",
        *_names(),
    ]
    return "\n".join(lines) + "\n"


def _tasks() -> Iterator[str]:
    yield "## How do I …?"
    to_come: dict[int, list[str]] = defaultdict(list)
    for group, tasks in QUESTIONS["tasks"].items():
        yield from ("", f"### {group}", "")
        for task, place in tasks.items():
            found = find(place)
            if isinstance(found, int):
                to_come[found].append(task)
            else:
                yield f"- {task}: {link(found)}"
    if to_come:
        items = [
            f"chapter {number:02}: {' · '.join(to_come[number])}" for number in sorted(to_come)
        ]
        yield from ("", *_folded("To come", "\n".join(f"- {item}" for item in items)))


def _errors() -> Iterator[str]:
    yield from ("## Error messages", "", "| message | what it means | more |", "|---|---|---|")
    for error in QUESTIONS["errors"]:
        found = find(error["place"])
        more = f"chapter {found:02}, to come" if isinstance(found, int) else _in_table(found)
        yield f"| `{error['message']}` | {error['means']} | {more} |"


def _names() -> Iterator[str]:
    found = places()
    total = sum(map(len, VOCABULARY.values()))
    yield from (
        "## Names",
        "",
        f"{len(found)} of Django 6.1's {total} documented ORM names "
        f"({len(found) / total:.0%}) are executed in a chapter.",
    )
    for kind, title in TITLES.items():
        names = VOCABULARY[kind]
        shown = [name for name in names if (kind, name) in found]
        yield from ("", f"### {title}: {len(shown)} of {len(names)}", "")
        if shown:
            yield from ("| name | where it runs |", "|---|---|")
        for name in shown:
            # The first three places are the ones that explain it.
            links = " · ".join(map(_in_table, found[kind, name][:3]))
            yield f"| `{name}` | {links} |"
        if missing := [f"`{name}`" for name in names if name not in shown]:
            yield from ([""] if shown else [])
            yield from _folded(f"Not yet: {len(missing)}", ", ".join(missing))


def _folded(summary: str, text: str) -> list[str]:
    return [f"<details><summary>{summary}</summary>", "", text, "", "</details>"]


def link(place: Place) -> str:
    path, section = place
    number = path.name[:2]
    if not section:
        return f"[{number}]({path.name})"
    return f"[{number} {section}]({path.name}#{quote(anchor(section))})"


def _in_table(place: Place) -> str:
    return link(place).replace("|", r"\|")


def anchor(heading: str) -> str:
    """The name that JupyterLab gives to a heading: its text as it is shown."""
    return re.sub(r"\\(\W)|[`*]", r"\1", heading).replace(" ", "-")
