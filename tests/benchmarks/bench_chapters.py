"""How long it takes to execute every chapter, two at a time, as the suite does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from tests.notebooks.chapters import CHAPTERS, execute, seeded_shop


def measure() -> Iterator[tuple[str, str, str, bool]]:
    with seeded_shop() as url, ThreadPoolExecutor(max_workers=2) as pool:
        started = perf_counter()
        list(pool.map(lambda path: execute(path, url), CHAPTERS))
        each = (perf_counter() - started) / len(CHAPTERS)
    yield f"executing a chapter, on average of {len(CHAPTERS)}", f"{each:.1f} s", "≤ 4 s", each <= 4
