"""Judging an answer: it runs on the shop in front of the learner and on a second, small one.

Everything runs inside transactions that are rolled back. The model answer runs beside the
learner's, on the same rows, and comparison.py says how they differ.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldError, MultipleObjectsReturned, ObjectDoesNotExist
from django.db import IntegrityError, InternalError, connection, transaction
from django.utils.module_loading import import_string

from workbook.exercises.answers import Rows, Value, same
from workbook.exercises.comparison import Difference, difference, mentioned_fields, plural
from workbook.exercises.declaration import Answer, Exercise, ExerciseError, NearMiss
from workbook.exercises.running import NOT_HERE, Outcome, run, undone
from workbook.queries import diagnosis, recorder, report


@dataclass
class Verdict:
    """What became of an answer, ready to be shown."""

    exercise: Exercise
    status: str  # "passed", "failed", "not attempted" or "stopped"
    sentences: list[str] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    near_miss: NearMiss | None = None
    shops: int = 1
    given: Outcome | None = None
    expected: Outcome | None = None


@dataclass
class _Finding:
    """The first thing wrong with an answer on one shop. `rows_right`: only its way is wrong."""

    sentence: str
    table: list[list[str]] = field(default_factory=list)
    rows_right: bool = False


def check(exercise: Exercise, answer: Answer, baseline: Outcome | None = None) -> Verdict:
    """Run the answer beside the model answer on both shops.

    baseline: what the model answer gave on this shop before the learner's cell ran. If it gives
    something else now, the cell has changed the tools, and nothing it shows can be believed.
    """
    with recorder.paused():
        return _check(exercise, answer, baseline)


def _check(exercise: Exercise, answer: Answer, baseline: Outcome | None) -> Verdict:
    with undone():
        expected, given, finding = _on_this_shop(exercise, answer)
    verdict = Verdict(exercise, "failed", given=given, expected=expected)
    if not given.attempted:
        verdict.status = "not attempted"
        return verdict
    if baseline is not None and _judge(exercise, baseline, expected):
        verdict.sentences = [
            "This cell replaces something the check itself relies on (a method of Django's, or of "
            "the workbook). Restart the kernel, and answer with a query."
        ]
        return verdict
    second = _second_dataset()
    elsewhere, near_misses = None, list(exercise.near_misses)
    if second is not None:
        verdict.shops = 2
        with _fast_deletes(), undone():
            second()
            _, given_there, elsewhere = _on_this_shop(exercise, answer)
            if finding or elsewhere:
                near_misses = _alike(exercise, near_misses, given_there, elsewhere)
    if not finding and not elsewhere:
        verdict.status = "passed"
        return verdict
    with undone():
        near_misses = _alike(exercise, near_misses, given, finding)
    verdict.near_miss = next(iter(near_misses), None)
    verdict.sentences, verdict.table = _words(finding, elsewhere, verdict.near_miss)
    if not finding and not verdict.near_miss and _typed_in(given, given_there):
        verdict.sentences.append(
            "Your answer is the same on both shops, as a value typed in would be: "
            "let the database work it out."
        )
    return verdict


def _typed_in(here: Outcome, there: Outcome) -> bool:
    """Whether the answer is one value, and the same on both shops."""
    values = here.value, there.value
    return all(isinstance(value, Value) for value in values) and same(*(v.value for v in values))


def _words(
    finding: _Finding | None, elsewhere: _Finding | None, near_miss: NearMiss | None
) -> tuple[list[str], list[list[str]]]:
    if finding:
        sentences, table = [finding.sentence], finding.table
    else:
        sentence = elsewhere.sentence
        sentences = [
            "Right on this shop, but not on the second one, a small shop full of edge cases. "
            f"There: {sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence}"
        ]
        table = elsewhere.table
    if near_miss:
        sentences.append(near_miss.sentence)
    return sentences, table


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


def _second_dataset() -> Callable[[], Any] | None:
    path = getattr(settings, "WORKBOOK", {}).get("SECOND_DATASET")
    return import_string(path) if path else None


def _on_this_shop(exercise: Exercise, answer: Answer) -> tuple[Outcome, Outcome, _Finding | None]:
    expected = run(exercise, exercise.answer)
    given = run(exercise, answer)
    return expected, given, _judge(exercise, expected, given) if given.attempted else None


def _alike(
    exercise: Exercise, near_misses: list[NearMiss], given: Outcome, finding: _Finding | None
) -> list[NearMiss]:
    """The near misses that do on this shop what the answer did, those of equal SQL first.

    Where the rows are right it is the number of queries that tells answers apart.
    """
    rows_right = finding is None or finding.rows_right
    outcomes = [(near, run(exercise, near.answer)) for near in near_misses]
    alike = [
        (near, outcome)
        for near, outcome in outcomes
        if _same_behaviour(exercise, outcome, given, rows_right)
    ]
    alike.sort(key=lambda pair: pair[1].statements != given.statements)
    return [near for near, _ in alike]


def _same_behaviour(exercise: Exercise, near: Outcome, given: Outcome, rows_right: bool) -> bool:
    errors = near.error or near.unreadable, given.error or given.unreadable
    if any(errors):
        return type(errors[0]) is type(errors[1]) and str(errors[0]) == str(errors[1])
    if near.unusable or given.unusable:
        return near.unusable == given.unusable
    if _difference(_as_named_by(exercise, near), near, given) or bool(near.writes) != bool(
        given.writes
    ):
        return False
    counts = len(near.statements), len(given.statements)
    within_budget = exercise.queries is None or max(counts) <= exercise.queries
    return not rows_right or within_budget or counts[0] == counts[1]


def _as_named_by(exercise: Exercise, near: Outcome) -> Exercise:
    """The exercise with the names a near miss has, which may be what is wrong with it."""
    if exercise.columns is None or not isinstance(near.value, Rows):
        return exercise
    return replace(exercise, columns=near.value.columns if any(near.value.columns) else None)


def _difference(exercise: Exercise, expected: Outcome, given: Outcome) -> Difference | None:
    """Differences of value, of reading and of what was left behind, in this order."""
    options = {"ordered": exercise.ordered, "columns": exercise.columns}
    if exercise.leaves:
        found = difference(expected.left, given.left, ordered=exercise.ordered)
        if found:
            found.sentence = (
                f"Afterwards the database does not hold what it should. {found.sentence}"
            )
        return found
    mentioned = []
    if isinstance(expected.value, Rows) and expected.value.instances:
        statements = [*expected.statements, *given.statements]
        mentioned = mentioned_fields(statements, type(expected.value.instances[0]))
    found = difference(expected.value, given.value, mentioned=mentioned, **options)
    if found is None and exercise.read and given.unreadable:
        return Difference(
            f"Reading your answer as the task does fails. {explain(given.unreadable)}"
        )
    if found is None and exercise.read:
        found = difference(expected.reading, given.reading, ordered=exercise.ordered)
        if found:
            found.sentence = f"Read as the task does, the answer differs. {found.sentence}"
    return found


def _judge(exercise: Exercise, expected: Outcome, given: Outcome) -> _Finding | None:
    """The first thing wrong with `given`, None if it is right."""
    if exercise.raises:
        return _judge_error(exercise, expected, given)
    if expected.error:
        raise expected.error  # the exercise itself is broken: let its author see
    if given.error:
        return _Finding(explain(given.error))
    if given.unusable:
        return _Finding(given.unusable)
    if found := _difference(exercise, expected, given):
        return _Finding(found.sentence, found.table)
    if given.writes and not expected.writes:
        verb = given.writes[0].split()[0].upper()
        return _Finding(
            f"The rows are right, but the cell changes the database to get there ({verb}). "
            "The task asks for a question only: leave the rows as they are.",
            rows_right=True,
        )
    if given.miscounted and exercise.queries is not None:
        return _Finding(
            "The query counter was taken out while the cell ran, so its queries cannot be counted. "
            "Leave `connection.execute_wrappers` as it is.",
            rows_right=True,
        )
    return _judge_budget(exercise, given)


def _judge_error(exercise: Exercise, expected: Outcome, given: Outcome) -> _Finding | None:
    names = " or ".join(error.__name__ for error in exercise.raises)
    if given.error is None:
        return _Finding(f"Nothing was raised; the task asks for {names}.")
    if not isinstance(given.error, exercise.raises):
        name = type(given.error).__name__
        return _Finding(f"This raises {name}; the task asks for {names}. {explain(given.error)}")
    if exercise.leaves and (found := _difference(exercise, expected, given)):
        return _Finding(found.sentence, found.table)
    return _judge_budget(exercise, given)


def _judge_budget(exercise: Exercise, given: Outcome) -> _Finding | None:
    count = len(given.statements)
    if exercise.queries is None or count <= exercise.queries:
        return None
    reading = ", counting what reading it costs" if exercise.read else ""
    return _Finding(
        f"Right, but with {plural(count, 'querie')[: -1 if count == 1 else None]}{reading}; "
        f"the budget is {exercise.queries}.",
        [["times", "statement"], *_shapes(given.capture)],
        rows_right=True,
    )


def _shapes(capture: recorder.Capture) -> list[list[str]]:
    """The commonest statements: how often, and the text of the first of each."""
    shapes = sorted(diagnosis.shapes(capture), key=lambda shape: -len(shape.queries))
    return [
        [f"{len(shape.queries):,} ×", _short(report.sql(shape.queries[0], capture))]
        for shape in shapes[:3]
    ]


def _short(sql: str) -> str:
    text = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", " ".join(sql.split()), count=1)
    return text if len(text) <= 160 else text[:159] + "…"


# Exceptions in plain sentences --------------------------------------------------------------


def explain(error: BaseException) -> str:
    """A sentence for an exception: what happened, and what to do."""
    text = str(error).strip()
    if isinstance(error, ExerciseError):
        return text
    if isinstance(error, FieldError):
        return _explain_field_error(text)
    if isinstance(error, ObjectDoesNotExist):
        return f"`.get()` found no row: {text} `.filter(…).first()` gives None instead of raising."
    if isinstance(error, MultipleObjectsReturned):
        return f"`.get()` found several rows where exactly one may fit: {text}"
    if isinstance(error, transaction.TransactionManagementError | InternalError):
        if NOT_HERE in text:
            return text
        return (
            "A statement failed, and after that nothing more runs in this transaction. Put the "
            "statement that may fail into its own `with transaction.atomic():` block."
        )
    if isinstance(error, IntegrityError):
        return f"The database refused the row: {text}."
    if isinstance(error, NameError):
        return f"{text[:1].upper()}{text[1:]}: run the chapter's first cell, or define it here."
    if found := re.match(r"Field '(\w+)' expected a number but got (.+)\.$", text):
        return (
            f"A condition compares `{found[1]}`, a number, with {found[2]}. A foreign key holds "
            "the number of another row; two underscores lead to that row's own fields: "
            "`relation__field`."
        )
    return f"The cell stops with {type(error).__name__}: {text}"


def _explain_field_error(text: str) -> str:
    found = re.match(r"Cannot resolve keyword '(.+?)' into field\. Choices are: (.+)", text)
    if behind := re.match(r"Unsupported lookup '(\w+)' for (ForeignKey|ManyToMany)", text):
        return (
            f"There is no `{behind[1]}` behind that relation: the related model has no such field, "
            "and there is no such lookup."
        )
    if not found:
        return f"Django cannot build this query: {text}"
    name, choices = found[1], found[2].split(", ")
    close = difflib.get_close_matches(name, choices, 1)
    guess = f" Did you mean `{close[0]}`?" if close else ""
    return f"There is no field `{name}` here.{guess} There are {', '.join(choices)}."
