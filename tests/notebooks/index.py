"""notebooks/INDEX.md: which chapter and section executes each documented ORM name.

A name counts where it stands in a code cell that runs: prose, comments and strings do not count.
"""

import ast
import json
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import nbformat

from .chapters import CHAPTERS, FOLDER

FILE = FOLDER / "INDEX.md"
VOCABULARY = json.loads((Path(__file__).parent / "orm_vocabulary.json").read_text())["names"]

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


def places() -> dict[tuple[str, str], list[Place]]:
    """(kind, name) → the sections that execute it, in reading order."""
    found = defaultdict(list)
    for path in CHAPTERS:
        section = ""
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for line in cell.source.splitlines():
                    if line.startswith("## "):
                        section = line.removeprefix("## ").strip()
            elif cell.cell_type == "code" and not cell.source.startswith("%exercise"):
                for kind, names in names_in(cell.source).items():
                    for name in names:
                        if (path, section) not in found[kind, name]:
                            found[kind, name].append((path, section))
    return found


def render() -> str:
    """INDEX.md as text."""
    found = places()
    total = sum(map(len, VOCABULARY.values()))
    lines = [
        "# Index of ORM names",
        "",
        "<!-- Written by `make notebooks` from the chapters' code cells; do not edit. -->",
        "",
        f"{len(found)} of Django 6.1's {total} documented ORM names "
        f"({len(found) / total:.0%}) are executed in a chapter.",
    ]
    for kind, title in TITLES.items():
        names = VOCABULARY[kind]
        shown = [name for name in names if (kind, name) in found]
        lines += ["", f"## {title}: {len(shown)} of {len(names)}", ""]
        if shown:
            lines += ["| name | where it runs |", "|---|---|"]
        for name in shown:
            # The first three places are the ones that explain it.
            links = " · ".join(link(place) for place in found[kind, name][:3])
            lines.append(f"| `{name}` | {links} |")
        missing = [f"`{name}`" for name in names if name not in shown]
        if missing:
            lines += ["", f"Not yet: {', '.join(missing)}"]
    return "\n".join(lines) + "\n"


def link(place: Place) -> str:
    path, section = place
    number = path.name[:2]
    if not section:
        return f"[{number}]({path.name})"
    return f"[{number} {section}]({path.name}#{quote(section.replace(' ', '-'))})"
