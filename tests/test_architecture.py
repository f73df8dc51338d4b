"""Who may import whom (the README's picture of the house), held by reading the import lines."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from sys import stdlib_module_names

import pytest

ROOT = Path(__file__).resolve().parent.parent

# room → the other rooms it may import
ROOMS = {
    "shopdb": set(),
    "seed": {"shopdb"},
    "workbook": set(),
}
# the same inside workbook; workbook/__init__.py alone knows all five
WORKBOOK_ROOMS = {
    "queries": set(),
    "tables": set(),
    "kernel": {"queries", "tables"},
    "exercises": {"kernel", "queries", "tables"},
    "learning": {"exercises", "kernel", "queries", "tables"},
}
# what workbook may import besides the standard library: it works in any Django project
WORKBOOK_NEEDS = {
    "workbook", "django", "asgiref", "sqlparse", "IPython", "pygments", "traitlets", "pandas",
    "numpy", "nbformat", "nbclient", "jupyter_core", "psutil",
}  # fmt: skip


@cache
def imports(room: str) -> set[tuple[str, str]]:
    """(module, module it imports) of every import in the room, however deep it stands.

    `from a import b` imports `a.b` where that is a module of ours, else `a`.
    """
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {(module, alias.name) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module} imports by dots; name the room"
                for alias in node.names:
                    deeper = f"{node.module}.{alias.name}"
                    found.add((module, deeper if is_module(deeper) else node.module))
    return found


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may(room):
    others = {"shopdb", "seed", "workbook", "notebooks", "tests"} - {room} - ROOMS[room]
    assert {pair for pair in imports(room) if pair[1].partition(".")[0] in others} == set()


def test_the_workbook_needs_only_django_ipython_and_pandas():
    allowed = stdlib_module_names | WORKBOOK_NEEDS
    assert {p for p in imports("workbook") if p[1].partition(".")[0] not in allowed} == set()


@pytest.mark.parametrize("room", WORKBOOK_ROOMS)
def test_a_room_of_the_workbook_imports_only_the_rooms_it_may(room):
    allowed = (f"workbook.{room}", *(f"workbook.{other}" for other in WORKBOOK_ROOMS[room]))
    inside = {pair for pair in imports("workbook") if in_room(pair[0], f"workbook.{room}")}
    ours = {pair for pair in inside if pair[1].startswith("workbook")}
    assert {pair for pair in ours if not any(in_room(pair[1], one) for one in allowed)} == set()


def test_the_ground_floor_of_the_workbook_does_without_ipython():
    ground = ("workbook.queries", "workbook.tables")
    assert {
        p for p in imports("workbook") if p[0].startswith(ground) and "IPython" in p[1]
    } == set()


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_imports_itself_in_a_circle(room):
    graph: dict[str, set[str]] = {}
    for module, imported in imports(room):
        # A room's own files import each other by name; its __init__ stands above them.
        if imported.startswith(room) and imported != module:
            graph.setdefault(module, set()).add(imported)
    TopologicalSorter(graph).prepare()


def in_room(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")
