"""What checking an answer costs the learner, on the default shop: one fresh process, SQLite."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.notebooks.chapters import ROOT, seeded_shop

SCRIPT = """
import json, time, django
django.setup()
from django.db import transaction
from seed import edge_cases
from workbook import exercises
from workbook.exercises import checker, running

def least(task, repeats=5):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)

def build():
    with checker._fast_deletes(), running.undone():
        edge_cases.build()

found = [one for chapter in exercises.chapters().values() for one in chapter.values()]
checks = {one.number: least(lambda: checker.check(one, one.answer), 3) for one in found}
slowest = max(checks, key=checks.get)
print(json.dumps([least(build), slowest, checks[slowest]]))
"""


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield (what, measured, bar, met)."""
    with seeded_shop() as url:
        environment = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shopdb.settings"}
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env=os.environ | environment,
            check=True,
            capture_output=True,
            text=True,
        )
    build, slowest, check = json.loads(result.stdout)
    yield "laying out the second shop", f"{build:.3f} s", "≤ 0.3 s", build <= 0.3
    yield f"a check, the slowest ({slowest})", f"{check:.3f} s", "≤ 0.5 s", check <= 0.5
