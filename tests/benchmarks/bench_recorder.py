"""What watching costs: recording beside not recording, loading beside `django.setup()` alone."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

RECORDING = """
import time
import django
django.setup()
from django.conf import settings
settings.DEBUG = False  # Django's own query log would hide the recorder's cost
from django.core.management import call_command
call_command("migrate", verbosity=0)
from shopdb.models import User
from workbook.queries import unread
from workbook.queries import queries

user, _ = User.objects.get_or_create(username="bench")

def cpu(times):
    started = time.process_time()
    for _ in range(times):
        User.objects.get(pk=user.pk)
    return time.process_time() - started

cpu(500)
plain, recorded = [], []
for _ in range(10):  # in turns, so that a busy machine is busy for both
    plain.append(cpu(1_000))
    unread.install()  # as a notebook does
    with queries() as q:
        recorded.append(cpu(1_000))
    unread.uninstall()
    assert q.count == 1_000
print(min(recorded) / min(plain))
"""

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
    """The recorder's figures, each in fresh processes on an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        ratio = min(_run(RECORDING, url) for _ in range(3))
        yield "recording, CPU of 10,000 objects.get()", f"{ratio:.3f} ×", "≤ 1.10 ×", ratio <= 1.10
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
