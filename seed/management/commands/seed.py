"""`manage.py seed`: fill the shop with realistic, repeatable data."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from seed import catalog, state, writer
from seed.shop import DEFAULT_INVOICES, FIRST_DAY, LAST_DAY, generate


class Command(BaseCommand):
    """Fill the shop in one transaction: all of it, or nothing."""

    requires_system_checks = []  # they need the database, and would hide our own sentence
    help = "Fill the shop with realistic data: the same rows for the same --seed, on every machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", default=1, metavar="N", help="another number, another shop")
        parser.add_argument(
            "--invoices",
            default=DEFAULT_INVOICES,
            metavar="N",
            help=f"how many invoices (default {DEFAULT_INVOICES:,}); customers and products scale",
        )
        parser.add_argument(
            "--reset", action="store_true", help="delete all rows of the shop first"
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing when the shop has rows"
        )
        parser.add_argument(
            "--update",
            action="store_true",
            help="fill an empty shop; one that is seeded, seed again only if the workbook now "
            "makes other data and nobody has changed a row",
        )

    def handle(
        self, *, verbosity: int, reset: bool, if_empty: bool, update: bool, **options
    ) -> None:
        seed = whole_number("--seed", options["seed"], at_least=0)
        invoices = whole_number("--invoices", options["invoices"], at_least=1)
        if reset and if_empty:
            raise CommandError("Give either --reset or --if-empty: they contradict each other.")
        try:
            if missing := writer.missing_tables(connection):
                raise CommandError(
                    f"The database has no table {missing[0]} yet. Run `python manage.py migrate`, "
                    "then seed again."
                )
            if update and not writer.is_empty(connection):
                message = state.update()
            else:
                message = self.fill(seed, invoices, verbosity, reset=reset, if_empty=if_empty)
        except DatabaseError as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise CommandError(
                f"Nothing was changed, because the database refused: {reason}. "
                "If another program is writing to it, try again when that has finished."
            ) from error
        if verbosity and message:
            self.stdout.write(message)

    def fill(self, seed: int, invoices: int, verbosity: int, *, reset: bool, if_empty: bool) -> str:
        with transaction.atomic():
            writer.wait_for_turn(connection)
            if reset:
                writer.delete_all(connection)
            elif not writer.is_empty(connection):
                if if_empty:
                    return "The shop has rows already; seed left them as they are."
                raise CommandError(
                    "The shop has rows already, and seed does not overwrite them. "
                    "To delete them all and start again, run `python manage.py seed --reset`."
                )
            if not settings.DEMO_USERS:
                raise CommandError(
                    "With DEBUG=0, seed makes no demo shop: the password of its owners is "
                    "published, and one of them is a superuser. Make a user of your own with "
                    "`python manage.py createsuperuser`."
                )
            from tqdm import tqdm  # a server has none, and gets to the sentence above

            counts: dict[str, int] = {}
            # disable=None: silent unless a person watches the terminal.
            with tqdm(
                total=invoices, unit=" invoices", leave=False, disable=None if verbosity else True
            ) as bar:
                for name, rows in generate(seed=seed, invoices=invoices):
                    writer.insert(connection, name, rows)
                    counts[name] = counts.get(name, 0) + len(rows)
                    if name == "Invoice":
                        bar.update(len(rows))
            writer.advance_sequences(connection)
            state.note(seed, invoices)
        admin = next(owner.username for owner in catalog.OWNERS if owner.is_superuser)
        return (
            f"Seeded {counts['User']} owners, {counts['Category']} categories, "
            f"{counts['Product']:,} products, {counts['Customer']:,} customers, "
            f"{counts['Invoice']:,} invoices, {counts['InvoiceProduct']:,} lines and "
            f"{counts['Payment']:,} payments ({FIRST_DAY} to {LAST_DAY}); "
            f"log in as {admin} with password {catalog.PASSWORD}."
        )


def whole_number(option: str, value: str | int, *, at_least: int) -> int:
    """The value of a command-line option, or a CommandError that says what it must be."""
    try:
        number = int(value)
    except ValueError:
        number = at_least - 1
    if number < at_least:
        raise CommandError(f"{option} must be a whole number, {at_least} or more, not {value!r}.")
    return number
