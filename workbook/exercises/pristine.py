"""Functions and classes that a cell may replace are put back when it ends: ours, and Django's."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

# Where a check takes its own tools from.
_ROOMS = ("workbook.", "django.db.models", "django.db.backends", "django.db.transaction")


@contextmanager
def kept() -> Iterator[list[str]]:
    """Yields a list that afterwards names what had been replaced, such as `QuerySet.filter`."""
    global _taken
    if _taken is None or not _taken.holds():
        _taken = _Snapshot()
    snapshot = _taken
    replaced: list[str] = []
    try:
        yield replaced
    finally:
        _taken = snapshot  # the cell could reach it, too
        replaced += snapshot.put_back()


class _Snapshot:
    """What modules and classes held, and the code of their functions."""

    def __init__(self) -> None:
        self.modules = _modules()
        owners = [owner for module in self.modules for owner in (module, *_classes(module))]
        self.contents: list[tuple[Any, dict[str, Any]]] = [
            (owner, dict(vars(owner))) for owner in owners
        ]
        tools = {tool for owner, held in self.contents for tool in _tools(owner, held).values()}
        functions = {found for found in map(_function, tools) if found is not None}
        self.code = [(found, found.__code__, found.__defaults__) for found in functions]

    def holds(self) -> bool:
        """Whether nothing has been replaced since, nor any module been loaded."""
        return (
            self.modules == _modules()
            and all(function.__code__ is body for function, body, _ in self.code)
            and not any(self._changed_owners())
        )

    def put_back(self) -> list[str]:
        """Undo what has been replaced; returns its names."""
        replaced: list[str] = []
        for function, body, defaults in self.code:
            if function.__code__ is not body:
                function.__code__, function.__defaults__ = body, defaults
                replaced.append(function.__qualname__)
        for owner, now, tools in self._changed_owners():
            short = owner.__name__.rpartition(".")[2]
            for name in now.keys() - tools.keys():
                delattr(owner, name)
                replaced.append(f"{short}.{name}")
            for name, tool in tools.items():
                if now.get(name) is not tool:
                    setattr(owner, name, tool)
                    replaced.append(f"{short}.{name}")
        return replaced

    def _changed_owners(self) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
        """Each owner whose tools are not what they were: it, its tools now, and those before."""
        for owner, before in self.contents:
            held = vars(owner)
            # By identity, in one call: most owners hold what they held, and there are hundreds.
            if len(held) == len(before) and all(map(is_, held.values(), before.values())):
                continue
            now, tools = _tools(owner, held), _tools(owner, before)
            if now.keys() != tools.keys() or not all(now[name] is tools[name] for name in tools):
                yield owner, now, tools


_taken: _Snapshot | None = None


def _modules() -> list[ModuleType]:
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(_ROOMS) and isinstance(module, ModuleType)
    ]


def _classes(module: ModuleType) -> list[type]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]


def _tools(owner: Any, held: Mapping[str, Any]) -> dict[str, Any]:
    """What can be called, of a module or class; data are its own business."""
    return {
        name: value
        for name, value in held.items()
        if isinstance(value, (FunctionType, property, staticmethod, classmethod))
        or (isinstance(owner, ModuleType) and isinstance(value, type))
    }


def _function(tool: Any) -> FunctionType | None:
    found = getattr(tool, "__func__", getattr(tool, "fget", tool))
    return found if isinstance(found, FunctionType) else None
