"""`make bench`: every figure the workbook promises, measured side by side in this run.

Each bench_*.py beside this file has `measure()`, which yields rows
(what, measured, bar, whether the bar is met). Exits with 1 when a bar is missed.
"""

import importlib
import os
import sys
from pathlib import Path

import django


def main(names: list[str]) -> int:
    """Run the named benchmarks (all when none is named) and print a table."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopdb.settings")
    django.setup()
    here = Path(__file__).parent
    modules = sorted(path.stem for path in here.glob("bench_*.py"))
    if unknown := set(names) - {module.removeprefix("bench_") for module in modules}:
        choices = ", ".join(module.removeprefix("bench_") for module in modules)
        print(f"No benchmark named {', '.join(sorted(unknown))}. There are: {choices}.")
        return 2
    missed = 0
    print(f"{'what':58} {'measured':>24}   {'bar':<22}")
    for module in modules:
        if names and module.removeprefix("bench_") not in names:
            continue
        for what, measured, bar, met in importlib.import_module(
            f"{__package__}.{module}"
        ).measure():
            missed += not met
            print(f"{what:58} {measured:>24}   {bar:<22} {'✓' if met else '✗ missed'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
