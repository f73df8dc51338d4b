"""Why an answer is wrong: the wrong answer with a known mistake that gives the same.

The candidates are the near misses that the exercise declares, and the mutants of its model answer.
One that gives on both shops what the learner's answer gives names the mistake; among several it is
the one whose SQL is closest to the learner's.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace

from django.db import connection

from workbook.exercises import predictions
from workbook.exercises.answers import Rows, Value
from workbook.exercises.declaration import Answer, Exercise, NearMiss
from workbook.exercises.judging import Finding, differ
from workbook.exercises.mutation import Mutant, mutants
from workbook.exercises.running import Outcome, run


@dataclass(frozen=True)
class Cause:
    """What is wrong with an answer, in a sentence. kind: "near miss" or "mutation"."""

    kind: str
    sentence: str
    found: NearMiss | Mutant


class Search:
    """The candidates that are still possible: first tried on the second shop, which is small."""

    def __init__(self, exercise: Exercise, code: ast.AST | None) -> None:
        self.exercise = exercise
        self.code = ast.unparse(code) if code is not None else ""
        self.near_misses: list[NearMiss] = list(exercise.near_misses)
        self.mutants: list[Mutant] = list(mutants(exercise))
        self.telling = False

    def narrow_down(self, given: Outcome, finding: Finding | None) -> None:
        """Keep what gives on this shop what the learner's answer gives, the closest SQL first."""
        self.near_misses = self._alike(self.near_misses, given, finding)
        self.mutants = self._alike(self.mutants, given, finding)
        self.telling = _is_telling(self.exercise, given)

    def _alike(self, candidates: list, given: Outcome, finding: Finding | None) -> list:
        outcomes = [(one, self._run(one.answer)) for one in candidates]
        alike = [
            (distance(given, outcome), one)
            for one, outcome in outcomes
            if behave_alike(self.exercise, outcome, given, finding)
        ]
        return [one for _, one in sorted(alike, key=lambda pair: pair[0])]

    def _run(self, answer: Answer) -> Outcome:
        return run(self.exercise, answer)

    def cause(
        self, given: Outcome, expected: Outcome, finding: Finding | None, rows_tell: bool
    ) -> Cause | None:
        """The first candidate that gives the same on this shop, too, and fits the learner's code.

        rows_tell: False if the answer is of another kind than the right one, or asked for in
        another way. Then its rows and queries say nothing, and only a near miss does.
        """
        if self.exercise.prediction:
            return self._misjudged(given, expected)
        evidence = self.code + _statements(given)
        for near in self.near_misses:
            outcome = self._run(near.answer)
            if not behave_alike(self.exercise, outcome, given, finding):
                continue
            if near.sign:
                fits = re.search(near.sign, evidence) is not None
            else:
                fits = distance(given, outcome) <= distance(given, expected)
            if fits:
                return Cause("near miss", near.sentence, near)
        telling = self.telling or _is_telling(self.exercise, given)
        for mutant in self.mutants if rows_tell else ():
            if mutant.sign and not re.search(mutant.sign, evidence):
                continue
            outcome = self._run(mutant.answer)
            if behave_alike(self.exercise, outcome, given, finding) and (
                telling or distance(given, outcome) == 0
            ):
                subject = _subject(self.exercise, expected, given, finding)
                return Cause("mutation", f"{subject} {mutant.change}.{_aside(mutant)}", mutant)
        return None

    def _misjudged(self, given: Outcome, expected: Outcome) -> Cause | None:
        """The near miss of a prediction that is wrong in the same way: the same value, or the same
        choices too many, or the same ones missing."""
        others = [(near, self._run(near.answer)) for near in self.exercise.near_misses]
        for near, outcome in others:
            if behave_alike(self.exercise, outcome, given, None):
                return Cause("near miss", near.sentence, near)
        wrong = predictions.choices(expected.value, given.value)
        for near, outcome in others if wrong else ():
            theirs = predictions.choices(expected.value, outcome.value)
            if theirs and any(
                mine and mine == other and not rest
                for mine, other, rest in ((wrong[0], *theirs), (wrong[1], *theirs[::-1]))
            ):
                return Cause("near miss", near.sentence, near)
        return None


def behave_alike(
    exercise: Exercise, candidate: Outcome, given: Outcome, finding: Finding | None
) -> bool:
    """Whether two answers do the same on this shop: the same rows, the same exception, and where
    the rows are right, as many queries."""
    errors = candidate.error or candidate.unreadable, given.error or given.unreadable
    if any(errors):
        return type(errors[0]) is type(errors[1]) and str(errors[0]) == str(errors[1])
    if candidate.unusable or given.unusable:
        return candidate.unusable == given.unusable
    if bool(candidate.writes) != bool(given.writes) or differ(
        _as_named_by(exercise, candidate), candidate, given
    ):
        return False
    if finding is not None and not finding.rows_right:
        return True
    counts = len(candidate.statements), len(given.statements)
    within_budget = exercise.queries is None or max(counts) <= exercise.queries
    return within_budget or counts[0] == counts[1]


def _as_named_by(exercise: Exercise, candidate: Outcome) -> Exercise:
    """The exercise with the names a candidate has, which may be what is wrong with it."""
    if exercise.columns is None or not isinstance(candidate.value, Rows):
        return exercise
    names = candidate.value.columns
    return replace(exercise, columns=names if any(names) else None)


def distance(one: Outcome, other: Outcome) -> int:
    """How many words differ between the SQL of two answers; 0 for the same statements."""
    words, others = (Counter(re.findall(r"\w+|[^\w\s]", _statements(it))) for it in (one, other))
    return ((words - others) + (others - words)).total()


def _statements(outcome: Outcome) -> str:
    """The distinct statements of an answer, with the parameters they first had."""
    first: dict[str, str] = {}
    for query in outcome.capture.queries:
        first.setdefault(query.sql, f"{query.sql} {query.params}")
    return "\n".join(["", *first.values()])


def _is_telling(exercise: Exercise, given: Outcome) -> bool:
    """Whether an answer is large enough not to equal a neighbour's by chance: an empty one, a 0, a
    single row or a truth value is not."""
    if given.error or given.unreadable:
        return True
    if exercise.leaves:
        return bool(given.writes)
    if isinstance(given.value, Rows):
        return len(given.value) > 1
    value = given.value.value if isinstance(given.value, Value) else None
    values = value.values() if isinstance(value, dict) else [value]
    return any(one not in (None, True, False, 0, 1, "") for one in values)


def _subject(exercise: Exercise, expected: Outcome, given: Outcome, finding: Finding | None) -> str:
    """What the sentence about a mutant begins with: "These are the products you get"."""
    if given.error or given.unreadable:
        return "This is the error you get"
    if finding is not None and finding.rows_right:
        return "These are the queries you get"
    if exercise.leaves:
        return "The database ends up as it does"
    value = expected.value
    if isinstance(value, Rows):
        noun = value.instances[0]._meta.verbose_name_plural if value.instances else "rows"
        return f"These are the {noun} you get"
    if isinstance(value, Value) and value.instance is not None:
        return f"This is the {value.instance._meta.verbose_name} you get"
    if isinstance(value, Value) and isinstance(value.value, dict):
        return "These are the values you get"
    return "This is the result you get"


def _aside(mutant: Mutant) -> str:
    if "in this letter case" in mutant.change and connection.vendor == "sqlite":
        return " SQLite ignores the case of A to Z here, and PostgreSQL does not."
    return ""
