"""What a notebook loads: `%load_ext workbook`. Works in any Django project.

`frame(queryset)` gives a DataFrame, `queries()` records queries; both are imported when first
used, so that loading the extension stays quick.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "frame": "workbook.frames",
    "queries": "workbook.recorder",
    "load_ipython_extension": "workbook.magics",
    "unload_ipython_extension": "workbook.magics",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbook' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
