"""`%reset`: the shop, a chapter or the progress back to the start."""

import importlib
from types import ModuleType

from django.conf import settings
from django.core.management import CommandError
from django.db import DatabaseError, connection
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magics.namespace import NamespaceMagics

from workbook.exercises.progress import Progress
from workbook.learning import copies, course, holders, pages
from workbook.queries import recorder


def shop() -> ModuleType | None:
    """The module that `settings.WORKBOOK["SHOP"]` names.

    It has `changes()`: what is not as it was seeded, in a sentence, or ""; `contents()`: what a
    reset removes, in words; `reset()`: does it and returns a sentence.
    """
    name = getattr(settings, "WORKBOOK", {}).get("SHOP")
    return importlib.import_module(name) if name else None


def changes() -> str:
    """What in the shop is not as it was seeded, and how to get it back; "" if nothing."""
    try:
        with recorder.paused():
            changed = shop().changes() if shop() else ""
    except DatabaseError:
        return ""
    return f"{changed} `%reset shop` puts it back." if changed else ""


@magics_class
class ResetMagics(Magics):
    """Each `%reset` says what it removes, and does it when `yes` stands behind it."""

    @line_magic
    def reset(self, line: str) -> None:
        """Back to the start. Each says what it removes, and does it when you add `yes`.

        %reset shop         the shop as it was seeded
        %reset chapter      a fresh copy of this chapter; %reset chapter 7 of another
        %reset progress 7   forget what you did in a chapter; %reset progress of all

        IPython's own %reset, for names and history, works as always with its options: %reset -f
        """
        what, *rest = line.split() or [""]
        sure = rest[-1:] == ["yes"]
        number = " ".join(rest[:-1] if sure else rest)
        if what == "shop" and not number:
            self._shop(sure)
        elif what == "chapter":
            self._chapter(number, sure)
        elif what == "progress":
            self._progress(number, sure)
        elif what.startswith("-") or what in ("in", "out", "dhist", "array"):
            NamespaceMagics(self.shell).reset(line)
        else:
            raise UsageError(
                "Write %reset shop, %reset chapter or %reset progress. %reset -f is IPython's own."
            )

    def _shop(self, sure: bool) -> None:
        if shop() is None:
            raise UsageError("The settings of this project name nothing that resets its data.")
        if connection.in_atomic_block:
            raise UsageError("A transaction is open. Write %reset shop in a cell of its own.")
        if found := holders.others(connection):
            raise UsageError(holders.sentence(found))
        with recorder.paused():
            if not sure:
                pages.show(
                    f"`%reset shop yes` removes {shop().contents()}, and fills the shop as it was "
                    "seeded. Your notebooks and your progress stay."
                )
                return
            try:
                said = shop().reset()
            except (DatabaseError, CommandError) as error:
                locked = holders.explain(error.__cause__ or error, connection)
                raise UsageError(locked or str(error)) from None
        pages.show(f"{said} Names that hold rows hold the old ones: run their cells again.")

    def _chapter(self, number: str, sure: bool) -> None:
        chapter = course.named(number) if number else course.here
        if chapter is None:
            raise UsageError("This notebook is no chapter. Name one: %reset chapter 7")
        folder = course.copies()
        if folder is None:
            raise UsageError("This project keeps no copies of its chapters.")
        if not sure:
            pages.show(
                f"`{' '.join(['%reset chapter', *number.split(), 'yes'])}` puts a fresh copy of "
                f"{pages.linked(chapter)} in place. The one you have now stays beside it, and what "
                "you have solved stays solved."
            )
            return
        try:
            kept = copies.renew(chapter.path.parent, folder, chapter.name)
        except (OSError, copies.UnreadableNotebook) as error:
            raise UsageError(f"The chapter could not be copied: {error}.") from None
        moved = f" The one you had is called {kept.name} now." if kept else ""
        pages.show(
            f"{pages.linked(chapter)} is a fresh copy.{moved} Where it is open, choose "
            "**File → Reload Notebook from Disk**."
        )

    def _progress(self, number: str, sure: bool) -> None:
        chapters = [course.named(number)] if number else course.chapters()
        store = Progress()
        state = store.state()

        def belongs(key: str) -> bool:
            return any(course.belongs_to(chapter, key) for chapter in chapters)

        entries = [entry for key, entry in state.exercises.items() if belongs(key)]
        solved = pages.plural(sum(entry.passed for entry in entries), "solved exercise")
        attempts = pages.plural(sum(entry.attempts for entry in entries), "attempt")
        guesses = pages.plural(sum(map(belongs, state.guesses)), "guess", "guesses")
        of = f"of {pages.linked(chapters[0])}" if number else "of all chapters"
        gone = f"{solved}, {attempts} and {guesses} {of}"
        if sure:
            store.forget(belongs)
            pages.show(f"Forgotten: {gone}.", store)
        else:
            again = " ".join(["%reset progress", *number.split(), "yes"])
            pages.show(f"`{again}` forgets {gone}. Your notebooks stay.", store)
