"""Where the Django project around a notebook is, and which settings it uses.

Both are found by reading: manage.py is parsed, never run.
"""

import ast
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

VARIABLE = "DJANGO_SETTINGS_MODULE"
_DEEP = 2  # folders below one that is searched
_SKIPPED = {"node_modules", "site-packages", "build", "dist"}


class Project(NamedTuple):
    """A folder with a manage.py, and the settings that it may name."""

    folder: Path
    settings: list[str]


def find(start: Path) -> list[Project]:
    """The projects nearest to a folder; several where none of them is nearer than the others.

    In the folder or above it, else below it or beside it: `repo/src/manage.py` is found from
    `repo/` and from `repo/notebooks/`, and in a repository from folders further down as well.
    """
    above = [start, *start.parents]
    for folder in above:
        if project := _read(folder):
            return [project]
    root = next((n for n, folder in enumerate(above) if (folder / ".git").exists()), 0)
    for folder in above[: max(root, 1) + 1]:
        if folder in (Path.home(), Path(folder.anchor)):  # whatever else there is
            break
        if found := list(_below(folder, _DEEP)):
            return found
    return []


def _below(folder: Path, deep: int) -> Iterator[Project]:
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return
    for path in folders:
        if path.name.startswith(".") or path.name in _SKIPPED or (path / "pyvenv.cfg").exists():
            continue
        if project := _read(path):
            yield project
        elif deep > 1:
            yield from _below(path, deep - 1)


def _read(folder: Path) -> Project | None:
    """The project of a folder, None where it has no manage.py of Django's."""
    try:
        text = (folder / "manage.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if "django" not in text.lower():
        return None
    try:
        return Project(folder, settings_named(text))
    except SyntaxError:
        return Project(folder, [])


def settings_named(text: str) -> list[str]:
    """The settings modules that a manage.py may set, in order; empty where it only computes them.

    It says so in many ways: `os.environ.setdefault(…)`, `os.environ[…] = …`, `update(…)`, with a
    name, an f-string or another variable's default in place of the text itself.
    """
    tree = ast.parse(text)
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    names.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            names.setdefault(node.target.id, []).append(node.value)
    found = [
        value
        for node in ast.walk(tree)
        for expression in _set_by(node, names)
        for value in _values(expression, names)
    ]
    return list(dict.fromkeys(found))


def _set_by(node: ast.AST, names: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """The expressions that a piece of code sets the variable to."""
    if isinstance(node, ast.Assign):  # os.environ["…"] = …
        for target in node.targets:
            if isinstance(target, ast.Subscript) and VARIABLE in _values(target.slice, names):
                yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        keywords = {each.arg: each.value for each in node.keywords}
        if node.func.attr in ("setdefault", "putenv"):
            key, value = [*node.args, None, None][:2]
            key, value = keywords.get("key", key), keywords.get("default", value)
            if key is not None and value is not None and VARIABLE in _values(key, names):
                yield value
        elif node.func.attr == "update":
            if VARIABLE in keywords:
                yield keywords[VARIABLE]
            for each in node.args:
                if isinstance(each, ast.Dict):
                    for key, value in zip(each.keys, each.values, strict=True):
                        if key is not None and VARIABLE in _values(key, names):
                            yield value


def _values(node: ast.expr, names: dict[str, list[ast.expr]], deep: int = 8) -> list[str]:
    """The texts that an expression may stand for; empty where reading does not tell."""
    if deep == 0:
        return []
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Name):
        found = names.get(node.id, [])
        return [value for each in found for value in _values(each, names, deep - 1)]
    if isinstance(node, ast.FormattedValue):
        return _values(node.value, names, deep - 1)
    if isinstance(node, ast.JoinedStr):
        parts = [_values(each, names, deep - 1) for each in node.values]
        return ["".join(each) for each in product(*parts)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _values(node.left, names, deep - 1), _values(node.right, names, deep - 1)
        return [one + other for one in left for other in right]
    if isinstance(node, ast.IfExp):
        return _values(node.body, names, deep - 1) + _values(node.orelse, names, deep - 1)
    if isinstance(node, ast.BoolOp):
        return [value for each in node.values for value in _values(each, names, deep - 1)]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("environ.get", "getenv")):
        arguments = [*node.args, *(each.value for each in node.keywords)]
        key = _values(arguments[0], names, deep - 1) if arguments else []
        if len(key) == 1 and key[0] in os.environ:
            return [os.environ[key[0]]]
        return _values(arguments[1], names, deep - 1) if len(arguments) > 1 else []
    return []
