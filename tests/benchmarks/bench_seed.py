"""`manage.py seed` beside a bare `sqlite3.executemany` of the same rows (design, figures)."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
MILLION = 330_000  # invoices, which come with about 1,000,000 lines

# Seeds, and prints: CPU seconds of the process, CPU seconds of the work, peak memory, rows.
TIMED_SEED = """
import resource, sys, time
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
from seed import shop, writer
list(shop.generate(invoices=1))  # imports Faker, which is start-up too
start = time.process_time()
call_command("seed", invoices=int(sys.argv[1]), verbosity=0)
end = time.process_time()
try:  # Linux starts ru_maxrss at the size of whoever started the process
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(model.objects.count() for model in writer.shop_models())
print(end, end - start, peak, rows)
"""


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield `(what, measured, bar, met)`; times are CPU seconds: a busy machine blurs them less."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.sqlite3"
        _run(empty, "manage.py", "migrate", "-v0")

        default = min(_seed(_copy(empty, "shop"), 6_000) for _ in range(3))
        yield (
            "seed, the default shop",
            f"{default.cpu:.2f} s CPU, {default.wall:.2f} s wall",
            "≤ 3 s",
            default.cpu <= 3,
        )

        full = _copy(empty, "full")
        million = _seed(full, MILLION)
        raw_cpu, raw_wall = _raw_insert(full, _copy(empty, "raw"))
        yield (
            f"seed --invoices {MILLION}, {million.rows:,} rows",
            f"{million.cpu / raw_cpu:.2f} × ({million.cpu:.1f} s; raw executemany {raw_cpu:.1f} s; "
            f"wall {million.wall:.1f} s and {raw_wall:.1f} s)",
            "≤ 2 × raw executemany",
            million.cpu <= 2 * raw_cpu,
        )
        yield "its peak memory", f"{million.memory:.0f} MiB", "≤ 300 MiB", million.memory <= 300

        speeds = {
            "10,000": max(_seed(_copy(empty, "shop"), 3_500).speed for _ in range(3)),
            "100,000": max(_seed(_copy(empty, "shop"), 33_000).speed for _ in range(2)),
            "1,000,000": million.speed,
        }
        yield (
            "rows a second, by number of lines",
            ", ".join(f"{lines}: {speed:,.0f}" for lines, speed in speeds.items()),
            "slowest ≥ 0.7 × fastest",
            min(speeds.values()) >= 0.7 * max(speeds.values()),
        )


class Run(NamedTuple):
    """One `seed` in a process of its own; `speed` leaves the process's start-up out."""

    cpu: float
    wall: float
    memory: float  # MiB, at its peak
    rows: int
    speed: float  # rows a second of CPU


def _copy(empty: Path, name: str) -> Path:
    for old in empty.parent.glob(f"{name}.sqlite3*"):
        old.unlink()
    return Path(shutil.copy(empty, empty.with_name(f"{name}.sqlite3")))


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


def _seed(database: Path, invoices: int) -> Run:
    start = time.perf_counter()
    out = _run(database, "-c", TIMED_SEED, str(invoices))
    wall = time.perf_counter() - start
    cpu, seconds, peak, rows = map(float, out.split())
    memory = peak / (1024 if sys.platform == "linux" else 1024**2)
    return Run(cpu, wall, memory, int(rows), rows / seconds)


def _raw_insert(full: Path, empty: Path) -> tuple[float, float]:
    """Insert the rows of one database into an empty one: (CPU seconds, wall seconds).

    Only `executemany` and the commit are timed, not the reading. Same schema, same journal.
    """
    source = sqlite3.connect(full)
    target = sqlite3.connect(empty, isolation_level=None)
    target.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    target.execute("PRAGMA foreign_keys = ON")  # as Django has it
    target.execute("BEGIN IMMEDIATE")
    cpu = wall = 0.0
    for table in (
        "user",
        "category",
        "product",
        "customer",
        "invoice",
        "invoiceproduct",
        "payment",
    ):
        columns = [row[1] for row in source.execute(f"PRAGMA table_info(shopdb_{table})")]
        names = ", ".join(f'"{name}"' for name in columns)  # generated columns are not listed
        insert = f"INSERT INTO shopdb_{table} ({names}) VALUES ({', '.join('?' * len(columns))})"
        found = source.execute(f"SELECT {names} FROM shopdb_{table} ORDER BY id")
        while chunk := found.fetchmany(10_000):
            start = time.process_time(), time.perf_counter()
            target.executemany(insert, chunk)
            cpu += time.process_time() - start[0]
            wall += time.perf_counter() - start[1]
    start = time.process_time(), time.perf_counter()
    target.execute("COMMIT")
    cpu += time.process_time() - start[0]
    wall += time.perf_counter() - start[1]
    source.close()
    target.close()
    return cpu, wall


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ", flush=True)
