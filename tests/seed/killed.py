"""Seeds over a small shop and is killed, at ten different moments; prints what each one left.

Run as `python -m tests.seed.killed` on a migrated, empty database. The process that seeds sends
itself SIGKILL while the database reads a certain row, so the moments do not hang on timing.
"""

import json
import os
import signal
from collections.abc import Iterator

import django

# Rows read when the signal comes: `--invoices 600` makes about 3,300. Before the first row,
# the old shop is deleted already; after the last one, only the commit is missing.
MOMENTS = (0, 1, 8, 50, 110, 300, 900, 2100, 3000, None)
VICTIM_INVOICES = 600


def seed_and_die(moment: int | None) -> None:
    """Seed over what is there, and be killed when `moment` rows have been read."""
    from django.core.management import call_command

    from seed import writer

    insert = writer.insert
    read = 0

    def watched(rows: list[tuple]) -> Iterator[tuple]:
        nonlocal read
        for row in rows:
            if read == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            read += 1
            yield row

    writer.insert = lambda connection, name, rows: insert(connection, name, watched(rows))
    if moment is None:
        writer.advance_sequences = lambda connection: os.kill(os.getpid(), signal.SIGKILL)
    call_command("seed", seed=2, invoices=VICTIM_INVOICES, reset=True, verbosity=0)
    os._exit(0)


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tests.seed.digest import shop_digest

    call_command("seed", invoices=30, verbosity=0)
    before = shop_digest()
    left = []
    for moment in MOMENTS:
        connection.close()  # each process opens its own
        if (child := os.fork()) == 0:
            seed_and_die(moment)
        _, status = os.waitpid(child, 0)
        left.append({"signal": os.WTERMSIG(status), "digest": shop_digest()})
    print(json.dumps({"before": before, "left": left}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopdb.settings")
    main()
