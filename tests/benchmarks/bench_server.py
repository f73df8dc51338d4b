"""The shop under gunicorn: what guessers cost readers, and what keeping connections brings.

The second is measured on PostgreSQL alone, where opening a connection costs: give a DATABASE_URL.
"""

import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator

from tests.notebooks.chapters import seeded_shop
from tests.shopdb.server import PLAIN_HTTP, Browser, free_port, serving

PAGE = "products/?limit=20"
OWNER = {"username": "sara", "password": "learn-django"}
GUNICORN = [sys.executable, "-m", "gunicorn", "--log-level=error"]


def measure() -> Iterator[tuple[str, str, str, bool]]:
    """Yield `(what, measured, bar, met)`."""
    with seeded_shop() as url:
        alone, beside = beside_guessers(url)
    yield (
        "a reader's requests/s beside six guessers",
        f"{beside / alone:.0%} ({beside:.0f}; alone {alone:.0f})",
        "≥ 80 % of alone",
        beside >= 0.8 * alone,
    )
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        opened, kept = connections_kept()
        yield (
            "requests/s of four readers, connections kept",
            f"{kept / opened:.1f} × ({kept:.0f}; opened anew {opened:.0f})",
            "≥ 2 × opened for each request",
            kept >= 2 * opened,
        )


def beside_guessers(url: str) -> tuple[float, float]:
    """Requests/s of one reader: alone (before and after), and while six clients guess."""
    environment = os.environ | PLAIN_HTTP | {"DATABASE_URL": url, "PORT": free_port()}
    with serving(GUNICORN, environment):
        reader = signed_in(environment["PORT"])
        before = rate([reader], seconds=4)
        over = threading.Event()
        crowd = [
            threading.Thread(target=guess, args=(environment["PORT"], number, over))
            for number in range(6)
        ]
        for guesser in crowd:
            guesser.start()
        beside = rate([reader], seconds=12)
        over.set()
        for guesser in crowd:
            guesser.join()
        return (before + rate([reader], seconds=4)) / 2, beside


def guess(port: str, number: int, over: threading.Event) -> None:
    guesser, tries = Browser(port), 0
    while not over.is_set():
        guesser.ask("POST", "login/", {"username": f"{number} {tries}", "password": "x"})
        tries += 1


def connections_kept() -> tuple[float, float]:
    """Requests/s when each request opens a connection, and when it finds one.

    On the default shop: `manage.py migrate` and `manage.py seed` were run with this DATABASE_URL.
    """
    found: dict[str, list[float]] = {"0": [], "60": []}
    for _ in range(3):
        for age, rates in found.items():
            port = free_port()
            environment = os.environ | PLAIN_HTTP | {"PORT": port, "CONN_MAX_AGE": age}
            with serving(GUNICORN, environment):
                reader = signed_in(port)
                readers = [Browser(port, reader.cookies) for _ in range(4)]
                rate(readers, seconds=1)
                rates.append(rate(readers, seconds=4))
    return statistics.median(found["0"]), statistics.median(found["60"])


def signed_in(port: str) -> Browser:
    browser = Browser(port)
    assert browser.ask("POST", "login/", OWNER) == 200
    return browser


def rate(readers: list[Browser], seconds: float) -> float:
    """How many pages a second the readers get, all together."""
    counts = []

    def read(reader: Browser) -> None:
        count, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            assert reader.ask("GET", PAGE) == 200
            count += 1
        counts.append(count / seconds)

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)
