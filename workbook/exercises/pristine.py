"""Functions and classes that a cell may replace are put back when it ends: ours, and Django's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

# Where a check takes its own tools from.
_ROOMS = ("workbook.", "django.db.models", "django.db.backends", "django.db.transaction")


@contextmanager
def kept() -> Iterator[list[str]]:
    """Yields a list that afterwards names what had been replaced, such as `QuerySet.filter`."""
    owners = [owner for module in _modules() for owner in (module, *_classes(module))]
    before = [(owner, _tools(owner)) for owner in owners]
    code = {
        function: (function.__code__, function.__defaults__)
        for _, tools in before
        for function in map(_function, tools.values())
        if function is not None
    }
    replaced: list[str] = []
    try:
        yield replaced
    finally:
        for function, (body, defaults) in code.items():
            if function.__code__ is not body:
                function.__code__, function.__defaults__ = body, defaults
                replaced.append(function.__qualname__)
        for owner, tools in before:
            now = _tools(owner)
            if now == tools:
                continue
            short = owner.__name__.rpartition(".")[2]
            for name in now.keys() - tools.keys():
                delattr(owner, name)
                replaced.append(f"{short}.{name}")
            for name, tool in tools.items():
                if now.get(name) is not tool:
                    setattr(owner, name, tool)
                    replaced.append(f"{short}.{name}")


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


def _tools(owner: Any) -> dict[str, Any]:
    """What can be called, of a module or class; data are its own business."""
    return {
        name: value
        for name, value in vars(owner).items()
        if isinstance(value, (FunctionType, property, staticmethod, classmethod))
        or (isinstance(owner, ModuleType) and isinstance(value, type))
    }


def _function(tool: Any) -> FunctionType | None:
    found = getattr(tool, "__func__", getattr(tool, "fget", tool))
    return found if isinstance(found, FunctionType) else None
