"""`make notebooks`: execute the chapters (all, or those named) and rewrite them in place."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbclient.exceptions import CellExecutionError

from . import index, rules
from .chapters import CHAPTERS, dump, execute, seeded_shop


def rewrite(path: Path, url: str) -> str:
    """Execute one chapter and put what it shows into its file; returns what to say about it."""
    before = path.read_text(encoding="utf-8")
    try:
        after = dump(execute(path, url))
    except CellExecutionError as error:
        return f"{path.name}: left as it was, a cell failed\n{error}"
    if after != before:
        path.write_text(after, encoding="utf-8")
    said = f"{path.name}: {'as before' if after == before else 'rewritten'}"
    return "\n  - ".join([said, *rules.faults(path)])


def main(names: list[str]) -> int:
    chapters = [path for path in CHAPTERS if not names or path.stem in names or path.name in names]
    if not chapters:
        print(f"No such chapter. There are: {', '.join(path.stem for path in CHAPTERS)}.")
        return 2
    failed = False
    with seeded_shop() as url, ThreadPoolExecutor(max_workers=2) as pool:
        for line in pool.map(lambda path: rewrite(path, url), chapters):
            print(line, flush=True)
            failed |= "a cell failed" in line
    index.FILE.write_text(index.render(), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
