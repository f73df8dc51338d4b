"""Why an answer is wrong: the wrong answer with a known mistake that gives the same.

The candidates are the near misses that the exercise declares, and the mutants of its model answer.
One that gives on both shops what the learner's answer gives names the mistake; among several it is
the one whose SQL is closest to the learner's. Where there is none, one thing after the other is
changed in the learner's own code until it is right; at last its queries are compared with the
model answer's.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from time import process_time

from django.db import connection

from workbook.exercises import predictions
from workbook.exercises.anatomy import compared
from workbook.exercises.answers import Rows, Value
from workbook.exercises.declaration import Answer, Exercise, NearMiss
from workbook.exercises.judging import Finding, code_of, differ, judge
from workbook.exercises.mutation import Mutant, mutants
from workbook.exercises.repair import Repair, repairs
from workbook.exercises.running import Cell, Outcome, out_of_reach, run

SECONDS_FOR_REPAIRS = 0.4  # of this process, so that a busy machine finds as much


@dataclass(frozen=True)
class Cause:
    """What is wrong with an answer, in a sentence.

    kind: "near miss", "mutation", "repair", "query" or "measured". found: what it was found by.
    """

    kind: str
    sentence: str
    found: NearMiss | Mutant | Repair | None = None


class Search:
    """Looks for the cause of a wrong answer among the candidates.

    Each is tried on the second shop, which is small, and what is left of them on the first:
    `narrow_down` there and `known_mistake` here, then `find_repairs` there and `repaired` here.
    """

    def __init__(self, exercise: Exercise, answer: Answer) -> None:
        self.exercise = exercise
        self.answer = answer
        self.tree = code_of(answer)
        self.code = ast.unparse(self.tree) if self.tree is not None else ""
        self.near_misses: list[NearMiss] = list(exercise.near_misses)
        self.mutants: list[Mutant] = list(mutants(exercise))
        self.repairs: list[Repair] = []
        self.telling = False

    def narrow_down(self, given: Outcome, finding: Finding | None) -> None:
        """Keep what gives on this shop what the learner's answer gives, the closest SQL first."""
        self.near_misses = self._alike(self.near_misses, given, finding)
        evidence = self.code + _statements(given)
        mutants = [one for one in self.mutants if re.search(one.sign, evidence)]
        self.mutants = self._alike(mutants, given, finding)
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

    def known_mistake(
        self, given: Outcome, expected: Outcome, finding: Finding | None, rows_tell: bool
    ) -> Cause | None:
        """The first candidate that gives the same on this shop, too, and fits the learner's code.

        rows_tell: False if the answer is of another kind than the right one, or asked for in
        another way. Then its rows and queries say nothing, and only a near miss does.
        """
        if self.exercise.prediction:
            return self._misjudged(given, expected)
        cause = self._near_miss(given, expected, finding)
        return cause or (self._mutation(given, expected, finding) if rows_tell else None)

    def find_repairs(self, expected: list[Outcome]) -> None:
        """Keep the first changes of the learner's code that make it right on this shop."""
        self.repairs = list(islice(self._right(self._changed_answers(), expected), 3))

    def _changed_answers(self) -> Iterator[Repair]:
        """The learner's code with one thing changed, as many of them as there is time for."""
        exercise = self.exercise
        if isinstance(self.answer, Cell) and not (exercise.raises or exercise.prediction):
            end = process_time() + SECONDS_FOR_REPAIRS
            yield from takewhile(lambda _: process_time() < end, repairs(exercise, self.answer))

    def _right(self, candidates: Iterable[Repair], expected: list[Outcome]) -> Iterator[Repair]:
        """Those whose rows are right on this shop."""
        for one in candidates:
            with out_of_reach():
                outcome = self._run(one.answer)
            if not outcome.attempted or outcome.tampered:
                continue
            found = [judge(self.exercise, right, outcome, one.answer.tree) for right in expected]
            if any(finding is None or finding.rows_right for finding in found):
                yield one

    def repaired(self, expected: list[Outcome]) -> Cause | None:
        """The change that makes the learner's code right on this shop, too."""
        for one in self._right(self.repairs, expected):
            return Cause("repair", f"Your answer would be right {one.advice}.", one)
        return None

    def other_query(self, given: Outcome, expected: list[Outcome]) -> Cause | None:
        """What the learner's queries have that those of the nearest right answer have not."""
        if self.exercise.raises or self.exercise.prediction:
            return None
        nearest = min(expected, key=lambda right: distance(given, right))
        sentence = compared(given, nearest, self.tree, self.exercise.ordered)
        return Cause("query", sentence) if sentence else None

    def _near_miss(
        self, given: Outcome, expected: Outcome, finding: Finding | None
    ) -> Cause | None:
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
        return None

    def _mutation(self, given: Outcome, expected: Outcome, finding: Finding | None) -> Cause | None:
        telling = self.telling or _is_telling(self.exercise, given)
        for mutant in self.mutants:
            outcome = self._run(mutant.answer)
            if behave_alike(self.exercise, outcome, given, finding) and (
                telling or distance(given, outcome) == 0
            ):
                subject = _subject(self.exercise, expected, given, finding)
                return Cause("mutation", f"{subject} {mutant.change}.{_aside(mutant)}", mutant)
        return None

    def _misjudged(self, given: Outcome, expected: Outcome) -> Cause | None:
        """The near miss of a prediction that is wrong in the same way: it has the same value, or
        its mistakes are among the learner's."""
        others = [(near, self._run(near.answer)) for near in self.exercise.near_misses]
        for near, outcome in others:
            if behave_alike(self.exercise, outcome, given, None):
                return Cause("near miss", near.sentence, near)
        wrong = predictions.mistakes(expected.value, given.value)
        for near, outcome in others if wrong else ():
            theirs = predictions.mistakes(expected.value, outcome.value)
            if theirs and theirs <= wrong:
                return Cause("near miss", near.sentence, near)
        measured = predictions.measured(given.value, expected)
        return Cause("measured", measured) if measured else None


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
