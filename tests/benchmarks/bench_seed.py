"""`manage.py seed` beside a bare `sqlite3.executemany` of the same rows (design, figures)."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MILLION = 330_000  # invoices, which come with about 1,000,000 lines

# Seeds, and prints how many rows it made in how many seconds of CPU, start-up left out.
TIMED_SEED = """
import sys, time
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from seed import shop, writer
list(shop.generate(invoices=1))  # imports Faker, which is start-up too
start = time.process_time()
call_command("seed", invoices=int(sys.argv[1]), verbosity=0)
seconds = time.process_time() - start
rows = sum(model.objects.count() for model in writer.shop_models())
print(rows, seconds)
"""


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield `(what, measured, bar, met)`: times are CPU seconds, which a busy machine blurs less."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.sqlite3"
        _run(empty, "manage.py", "migrate", "-v0")

        default = min(_seed(empty, folder)[:2] for _ in range(3))
        yield (
            "seed, the default shop",
            f"{default[0]:.2f} s CPU, {default[1]:.2f} s wall",
            "≤ 3 s",
            default[0] <= 3,
        )

        seeds, raws = [], []
        for _ in range(2):
            full = Path(folder) / "full.sqlite3"
            seeds.append(_seed(empty, folder, "--invoices", str(MILLION), keep=full))
            raws.append(_raw_insert(full, empty, folder))
        cpu, wall, memory = min(seeds)
        raw_cpu, raw_wall, rows = min(raws)
        yield (
            f"seed --invoices {MILLION}, {rows:,} rows",
            f"{cpu / raw_cpu:.2f} × ({cpu:.1f} s; raw executemany {raw_cpu:.1f} s; "
            f"wall {wall:.1f} s and {raw_wall:.1f} s)",
            "≤ 2 × raw executemany",
            cpu <= 2 * raw_cpu,
        )
        yield "its peak memory", f"{memory:.0f} MiB", "≤ 300 MiB", memory <= 300

        speeds = {}
        for invoices, lines in ((3_500, "10,000"), (35_000, "100,000"), (MILLION, "1,000,000")):
            rates = []
            for _ in range(3 if invoices < MILLION else 1):
                path = _copy(empty, folder)
                rows, seconds = _run(path, "-c", TIMED_SEED, str(invoices)).split()
                rates.append(int(rows) / float(seconds))
            speeds[lines] = max(rates)
        flat = min(speeds.values()) / max(speeds.values())
        yield (
            "rows a second, by number of lines",
            ", ".join(f"{lines}: {speed:,.0f}" for lines, speed in speeds.items()),
            "slowest ≥ 0.7 × fastest",
            flat >= 0.7,
        )


def _copy(empty: Path, folder: str, name: str = "shop.sqlite3") -> Path:
    path = Path(folder) / name
    for old in Path(folder).glob(f"{name}*"):
        old.unlink()
    return Path(shutil.copy(empty, path))


def _run(database: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{database}",
            "DJANGO_SETTINGS_MODULE": "shopdb.settings",
        },
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout


def _seed(empty: Path, folder: str, *options: str, keep: Path | None = None):
    """Seed a fresh database: (CPU seconds, wall seconds, peak MiB) of the whole process."""
    path = _copy(empty, folder, keep.name if keep else "shop.sqlite3")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    code = (
        "import resource, sys; from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'seed', *sys.argv[1:]]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    out = _run(path, "-c", code, *options)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = int(out.split()[-1]) / (1024 if sys.platform == "linux" else 1024**2)
    return cpu, wall, peak


def _raw_insert(full: Path, empty: Path, folder: str) -> tuple[float, float, int]:
    """Insert the rows of one database into an empty one: (CPU seconds, wall seconds, rows).

    Only `executemany` and the commit are timed, not the reading. Same schema, same journal.
    """
    source = sqlite3.connect(full)
    target = sqlite3.connect(_copy(empty, folder, "raw.sqlite3"), isolation_level=None)
    target.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    target.execute("PRAGMA foreign_keys = ON")  # as Django has it
    target.execute("BEGIN IMMEDIATE")
    cpu = wall = rows = 0
    for table in ("user", "category", "product", "customer", "invoice", "invoiceproduct"):
        columns = [row[1] for row in source.execute(f"PRAGMA table_info(shopdb_{table})")]
        names = ", ".join(f'"{name}"' for name in columns)  # generated columns are not listed
        insert = f"INSERT INTO shopdb_{table} ({names}) VALUES ({', '.join('?' * len(columns))})"
        found = source.execute(f"SELECT {names} FROM shopdb_{table} ORDER BY id")
        while chunk := found.fetchmany(10_000):
            start = time.process_time(), time.perf_counter()
            target.executemany(insert, chunk)
            cpu += time.process_time() - start[0]
            wall += time.perf_counter() - start[1]
            rows += len(chunk)
    start = time.process_time(), time.perf_counter()
    target.execute("COMMIT")
    cpu += time.process_time() - start[0]
    wall += time.perf_counter() - start[1]
    source.close()
    target.close()
    return cpu, wall, rows


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ", flush=True)
