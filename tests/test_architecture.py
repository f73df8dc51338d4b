"""Who may import whom (the README's picture of the house), held by reading the import lines."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# room → the other rooms it may import
ROOMS = {
    "shopdb": set(),
    "seed": {"shopdb"},
    "workbook": set(),
}
# what workbook may import besides the standard library: it works in any Django project
WORKBOOK_NEEDS = {
    "workbook", "django", "asgiref", "sqlparse", "IPython", "pygments", "traitlets", "pandas",
    "numpy", "nbformat", "nbclient",
}  # fmt: skip


def imports(room: str) -> set[tuple[str, str]]:
    """(file, top-level package imported) of every import in the room, however deep it stands."""
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            found |= {(str(path.relative_to(ROOT)), name.partition(".")[0]) for name in names}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may(room):
    others = {"shopdb", "seed", "workbook", "notebooks", "tests"} - {room} - ROOMS[room]
    assert {pair for pair in imports(room) if pair[1] in others} == set()


def test_the_workbook_needs_only_django_ipython_and_pandas():
    from sys import stdlib_module_names

    strangers = {
        pair
        for pair in imports("workbook")
        if pair[1] not in stdlib_module_names and pair[1] not in WORKBOOK_NEEDS
    }
    assert strangers == set()
