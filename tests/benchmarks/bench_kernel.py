"""What the workbook adds to a cell: two kernels in turns, one with it loaded, one without.

Both have Django and the shop. Measured is the kernel's CPU time from one cell to the next, so that
everything counts that a cell causes: hooks, recording, the report and its way to the client.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from jupyter_client.manager import KernelManager

PLAIN = """
import os
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
import django
django.setup()
"""
WATCHED = "%load_ext workbook\n"
BOTH = """
import time
from django.conf import settings
settings.DEBUG = False  # Django's own query log would hide what recording costs
from shopdb.models import InvoiceProduct
key = InvoiceProduct.objects.values_list("pk", flat=True)[0]
"""
EMPTY = "pass"
ONE_QUERY = "number = InvoiceProduct.objects.count()"
GETS = "for _ in range(10_000):\n    InvoiceProduct.objects.get(pk=key)"
LOOP = "for line in InvoiceProduct.objects.all()[:1000]:\n    line.invoice"


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield (what, measured, bar, met), all from one database and one run."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        environment = {**os.environ, "DATABASE_URL": url}
        environment["DJANGO_SETTINGS_MODULE"] = "shopdb.settings"
        for command in (["migrate"], ["seed", "--invoices", "500"]):
            subprocess.run(
                [sys.executable, "-m", "django", *command, "--verbosity=0"],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        plain, watched = (
            stack.enter_context(Kernel(setup + BOTH, environment)) for setup in (PLAIN, WATCHED)
        )
        without, with_it = _medians(plain, watched, EMPTY, 60)
        hooks = (with_it - without) / 2  # those of the cells before and after, half of each
        without, with_it = _medians(plain, watched, ONE_QUERY, 60)
        added = (with_it - without - hooks) * 1000
        yield "added to a cell that runs one query, CPU", f"{added:.2f} ms", "≤ 1 ms", added <= 1
        without, with_it = _medians(plain, watched, LOOP, 25)
        ratio, added = with_it / without, (with_it - without) * 1000
        yield (
            "a cell that runs 1,001 queries, N+1, CPU",
            f"{ratio:.3f} × (+{added:.0f} ms)",
            "≤ 1.10 ×",
            ratio <= 1.10,
        )
        without, with_it = _medians(plain, watched, GETS, 7)
        ratio = with_it / without
        yield "a cell of 10,000 objects.get(), CPU", f"{ratio:.3f} ×", "≤ 1.05 ×", ratio <= 1.05


def _medians(plain: "Kernel", watched: "Kernel", code: str, repeats: int) -> tuple[float, float]:
    """The median CPU seconds of a cell in each kernel, taking turns."""
    seconds = [(plain.cpu(code), watched.cpu(code)) for _ in range(repeats + 1)]
    without, with_it = zip(*seconds[1:], strict=True)  # the first one warms up
    return statistics.median(without), statistics.median(with_it)


class Kernel:
    """A kernel in which a cell has run."""

    def __init__(self, setup: str, environment: dict[str, str]) -> None:
        self.setup = setup
        self.environment = environment

    def __enter__(self) -> "Kernel":
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=self.environment)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        self.run(self.setup)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code: str) -> str:
        """Run a cell; gives what it printed."""
        printed = []

        def hook(message: dict) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                raise RuntimeError("\n".join(message["content"]["traceback"]))

        self.client.execute_interactive(code, output_hook=hook, timeout=300)
        return "".join(printed)

    def cpu(self, code: str) -> float:
        """The CPU time from the end of the cell before to the start of the one after it."""
        self.run("started = time.process_time()")
        self.run(code)
        return float(self.run("print(time.process_time() - started)").split()[-1])
