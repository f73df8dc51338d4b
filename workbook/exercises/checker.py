"""Judging an answer: it runs on the shop in front of the learner and on a second, small one.

Read `check` first. Everything runs inside transactions that are rolled back. The model answer runs
beside the learner's, on the same rows; comparison.py says how they differ, and explaining.py why.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from workbook.exercises.answers import Value, same
from workbook.exercises.declaration import Answer, Exercise
from workbook.exercises.explaining import Cause, Search
from workbook.exercises.judging import Finding, code_of, judge
from workbook.exercises.running import Outcome, run, undone
from workbook.exercises.words import listed
from workbook.queries import recorder


@dataclass
class Verdict:
    """What became of an answer, ready to be shown.

    sentences: the cause, where it is known, and what is seen. kind: how the cause was found:
    "near miss", "mutation", "repair", "query", "measured", "form", "exception", "budget", "way",
    "seen", or "" if only rows are named.
    """

    exercise: Exercise
    status: str  # "passed", "failed", "not attempted" or "stopped"
    sentences: list[str] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    kind: str = ""
    cause: Cause | None = None
    shops: int = 1
    given: Outcome | None = None
    expected: Outcome | None = None


@dataclass
class Trial:
    """An answer on one shop, beside the right ones: the model answer first."""

    given: Outcome
    expected: list[Outcome]
    findings: list[Finding | None]

    @property
    def finding(self) -> Finding | None:
        return self.findings[0]


def check(exercise: Exercise, answer: Answer) -> Verdict:
    """Run the answer beside the model answer on both shops, and say what is wrong with it."""
    with recorder.paused():
        here = _try(exercise, answer)
        verdict = Verdict(exercise, "failed", given=here.given, expected=here.expected[0])
        if not here.given.attempted:
            verdict.status = "not attempted"
        elif here.given.tampered:
            verdict.sentences, verdict.kind = [here.given.tampered], "form"
        else:
            _judge_on_both(verdict, answer, here)
    return verdict


def _judge_on_both(verdict: Verdict, answer: Answer, here: Trial) -> None:
    exercise = verdict.exercise
    with second_shop() as second:
        there = _try(exercise, answer) if second else here
        verdict.shops += second
        if _right(here, there):
            verdict.status = "passed"
            return
        search = Search(exercise, answer)
        if second:
            search.narrow_down(there.given, there.finding)
    kinds = {found.kind for found in (here.finding, there.finding) if found}
    rows_tell = not {"form", "way"} & kinds
    cause = search.known_mistake(here.given, here.expected[0], here.finding, rows_tell)
    if cause is None and kinds <= {"", "seen"}:  # the rows are wrong, and nobody knows why
        with second_shop() as second:
            if second:
                search.find_repairs(there.expected)
        cause = search.repaired(here.expected)
        if cause is None and not _of_this_shop_alone(exercise, answer, here, there):
            cause = search.other_query(here.given, here.expected)
    verdict.cause = cause
    _say(verdict, answer, here, there)


def _right(here: Trial, there: Trial) -> bool:
    """Whether the answer equals one and the same right answer on both shops."""
    pairs = zip(here.findings, there.findings, strict=True)
    return any(one is None and other is None for one, other in pairs)


def _say(verdict: Verdict, answer: Answer, here: Trial, there: Trial) -> None:
    finding, where = here.finding, ""
    if finding is None:
        finding = there.finding
        where = "Right on this shop, but not on the second one, a small shop of special cases: "
    verdict.sentences = [where + finding.sentence]
    verdict.table, verdict.kind = finding.table, finding.kind
    if cause := verdict.cause:
        verdict.kind = cause.kind
        verdict.sentences.insert(0, cause.sentence)
    elif alone := _of_this_shop_alone(verdict.exercise, answer, here, there):
        verdict.kind = "seen"
        verdict.sentences.append(alone)


def _of_this_shop_alone(exercise: Exercise, answer: Answer, here: Trial, there: Trial) -> str:
    """Why an answer is right here and not on the second shop, if it holds keys or a value of this
    one."""
    if here.finding is not None:
        return ""
    if borrowed := getattr(answer, "borrowed", None):
        return (
            f"Your cell uses {listed(borrowed)} from an earlier cell, and that may hold keys of "
            "this shop. Write the whole query in this cell."
        )
    if not exercise.prediction and _typed_in(here.given, there.given):
        return (
            "Your answer is the same on both shops, as a value typed in would be: "
            "let the database work it out."
        )
    return ""


def _typed_in(here: Outcome, there: Outcome) -> bool:
    """Whether the answer is one value, and the same on both shops."""
    values = here.value, there.value
    return all(isinstance(value, Value) for value in values) and same(*(v.value for v in values))


# The second shop ------------------------------------------------------------------------------


@contextmanager
def second_shop() -> Iterator[bool]:
    """Lay the second shop out in place of the first, and undo that; yields False if there is none.

    It is named by `settings.WORKBOOK["SECOND_DATASET"]`, a function that replaces all rows.
    """
    path = getattr(settings, "WORKBOOK", {}).get("SECOND_DATASET")
    if not path:
        yield False
        return
    with undone(), _fast_deletes():
        import_string(path)()
        with _letter_case_counts():
            yield True


@contextmanager
def _fast_deletes() -> Iterator[None]:
    """Let SQLite empty a table at a stroke, which it does only with foreign keys unchecked.

    Django checks them at the end of a transaction, which does not come here.
    """
    switched = connection.vendor == "sqlite" and connection.disable_constraint_checking()
    try:
        yield
    finally:
        if switched:
            connection.enable_constraint_checking()


_IN_THIS_CASE = ("contains", "startswith", "endswith")


@contextmanager
def _letter_case_counts() -> Iterator[None]:
    """Let SQLite's `contains`, `startswith` and `endswith` tell letter case apart.

    Its LIKE ignores the case of A to Z; on other databases only the lookups with an `i` do.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.connection.create_function("match", 2, _like, deterministic=True)
    operators = {**connection.operators, **dict.fromkeys(_IN_THIS_CASE, "MATCH %s")}
    patterns = {
        name: sql.replace("LIKE", "MATCH").replace(r" ESCAPE '\'", "")
        if name in _IN_THIS_CASE
        else sql
        for name, sql in connection.pattern_ops.items()
    }
    connection.operators, connection.pattern_ops = operators, patterns
    try:
        yield
    finally:
        del connection.operators, connection.pattern_ops


def _like(pattern: str | None, text: Any) -> bool | None:
    """`text LIKE pattern ESCAPE '\\'`, letter case included."""
    if pattern is None or text is None:
        return None
    parts = re.findall(r"\\.|[%_]|[^\\%_]+", pattern, re.DOTALL)
    regex = "".join({"%": ".*", "_": "."}.get(p, re.escape(p.removeprefix("\\"))) for p in parts)
    return re.fullmatch(regex, str(text), re.DOTALL) is not None


# On one shop ----------------------------------------------------------------------------------


def _try(exercise: Exercise, answer: Answer) -> Trial:
    """Run the answer on this shop. The right answers run first: the learner's code might change
    how they do."""
    expected = [run(exercise, right) for right in (exercise.answer, *exercise.also_right)]
    if expected[0].error and not exercise.raises:
        raise expected[0].error  # the exercise itself is broken: let its author see
    given = run(exercise, answer, learners=True)
    findings: list[Finding | None] = [None] * len(expected)
    if given.attempted and not given.tampered:
        findings = [judge(exercise, right, given, code_of(answer)) for right in expected]
    elif given.tampered:
        findings = [Finding(given.tampered, kind="form")] * len(expected)
    return Trial(given, expected, findings)
