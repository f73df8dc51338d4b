"""What loading the workbook costs, beside `django.setup()` alone; bench_kernel.py has the cells."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

LOADING = """
import sys, time
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.db import connection
connection.close()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
started = time.process_time()
shell.run_line_magic("load_ext", "workbook")
print(time.process_time() - started)
assert "pandas" not in sys.modules
"""


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """In fresh processes, on an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        seconds = min(_run(LOADING, url) for _ in range(4))
        yield (
            "%load_ext workbook over django.setup(), CPU",
            f"{seconds:.2f} s",
            "≤ 0.4 s",
            seconds <= 0.4,
        )


def _run(code: str, url: str) -> float:
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shopdb.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])
