"""Judging an answer on one shop: the first thing wrong with it, from its form to its way."""

import ast
import re
from dataclasses import dataclass, field

from workbook.exercises import predictions
from workbook.exercises.answers import Rows
from workbook.exercises.comparison import difference
from workbook.exercises.declaration import Answer, Exercise, tree_of
from workbook.exercises.errors import explain, name_of
from workbook.exercises.rows import mentioned_fields
from workbook.exercises.running import Cell, Outcome
from workbook.exercises.words import Difference, Terms, plural
from workbook.queries import diagnosis, recorder


@dataclass
class Finding:
    """The first thing wrong with an answer on one shop.

    kind: "form" (another kind of answer than asked for), "exception", "budget" (right rows, too
    many queries), "way" (right rows, but written, fetched or awaited otherwise than asked), "seen"
    (the rows show what is wrong with them), or "" if they only differ.
    """

    sentence: str
    table: list[list[str]] = field(default_factory=list)
    kind: str = ""

    @property
    def rows_right(self) -> bool:
        return self.kind in ("budget", "way")


def code_of(answer: Answer) -> ast.AST | None:
    """The syntax tree of an answer: a cell, or a function as its author wrote it."""
    return answer.tree if isinstance(answer, Cell) else tree_of(answer)


def judge(
    exercise: Exercise, expected: Outcome, given: Outcome, code: ast.AST | None = None
) -> Finding | None:
    """The first thing wrong with `given`, None if it is right."""
    if exercise.raises:
        return _judge_error(exercise, expected, given, code)
    if given.error:
        return Finding(explain(given.error, code), kind="exception")
    if given.unusable:
        return Finding(given.unusable, kind="form")
    if given.unreadable and not differ(exercise, expected, given, reading=False):
        sentence = explain(given.unreadable, code)
        return Finding(f"Reading your answer as the task does fails. {sentence}", kind="exception")
    if exercise.prediction and predictions.right(expected.value, given.value):
        return None
    if found := differ(exercise, expected, given):
        if exercise.prediction and (wrong := predictions.wrong(expected.value, given.value)):
            kinds = [type(getattr(one.value, "value", one.value)) for one in (expected, given)]
            return Finding(wrong, kind="form" if found.form or kinds[0] is not kinds[1] else "")
        return Finding(found.sentence, found.table, "form" if found.form else _seen(found))
    return _judge_way(exercise, expected, given, code)


def _seen(found: Difference) -> str:
    return "seen" if found.telling else ""


def _judge_error(
    exercise: Exercise, expected: Outcome, given: Outcome, code: ast.AST | None
) -> Finding | None:
    names = " or ".join(map(name_of, exercise.raises))
    if given.error is None:
        return Finding(f"Nothing was raised; the task asks for {names}.", kind="form")
    if not isinstance(given.error, exercise.raises):
        name = name_of(type(given.error))
        why = explain(given.error, code)
        return Finding(f"This raises {name}; the task asks for {names}. {why}", kind="exception")
    if given.raised_by_hand and not expected.raised_by_hand:
        return Finding(
            f"{name_of(type(given.error))} is raised by the cell itself here. The task asks for "
            "code that makes Django raise it.",
            kind="form",
        )
    if exercise.leaves and (found := differ(exercise, expected, given)):
        return Finding(found.sentence, found.table, _seen(found))
    return _judge_way(exercise, expected, given, code)


def _judge_way(
    exercise: Exercise, expected: Outcome, given: Outcome, code: ast.AST | None
) -> Finding | None:
    """What is wrong with the way to the right rows: writes, await, queries, rows fetched."""
    if given.writes and not expected.writes:
        verb = given.writes[0].split()[0].upper()
        return Finding(
            f"The rows are right, but the cell changes the database to get there ({verb}). "
            "The task asks for a question only: leave the rows as they are.",
            kind="way",
        )
    if _must_await(exercise) and code is not None and not _awaits(code):
        return Finding(
            "The right answer, but the task asks for it with `await`: the methods that can be "
            "awaited have an `a` in front of their name.",
            kind="way",
        )
    count = len(given.statements)
    if exercise.queries is not None and count > exercise.queries:
        reading = ", counting what reading it costs" if exercise.read else ""
        return Finding(
            f"Right, but with {plural(count, 'query')}{reading}; the budget is {exercise.queries}.",
            [["times", "statement"], *_shapes(given.capture)],
            kind="budget",
        )
    if exercise.rows is not None and given.fetched > exercise.rows:
        return Finding(
            f"Right, but {plural(given.fetched, 'row')} came from the database for it; "
            f"{plural(exercise.rows, 'row')} would do. Let the database choose them.",
            kind="way",
        )
    return None


def _must_await(exercise: Exercise) -> bool:
    return isinstance(tree_of(exercise.answer), ast.AsyncFunctionDef)


def _awaits(code: ast.AST) -> bool:
    return any(
        isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith))
        or (isinstance(node, ast.comprehension) and node.is_async)
        for node in ast.walk(code)
    )


def _shapes(capture: recorder.Capture) -> list[list[str]]:
    """The commonest statements: how often, and the text of the first of each."""
    shapes = sorted(diagnosis.shapes(capture), key=lambda shape: -len(shape.queries))
    return [[f"{len(shape.queries):,} ×", _short(shape.example)] for shape in shapes[:3]]


def _short(sql: str) -> str:
    text = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", " ".join(sql.split()), count=1)
    return text if len(text) <= 160 else text[:159] + "…"


def differ(
    exercise: Exercise, expected: Outcome, given: Outcome, reading: bool = True
) -> Difference | None:
    """Differences of value, of reading and of what was left behind, in this order."""
    if exercise.leaves:
        found = difference(expected.left, given.left, Terms(ordered=exercise.ordered))
        if found:
            found.sentence = (
                f"Afterwards the database does not hold what it should. {found.sentence}"
            )
        return found
    found = difference(expected.value, given.value, _terms(exercise, expected, given))
    if found is None and exercise.read and reading:
        found = difference(expected.reading, given.reading, Terms(ordered=exercise.ordered))
        if found:
            found.sentence = f"Read as the task does, the answer differs. {found.sentence}"
    return found


def _terms(exercise: Exercise, expected: Outcome, given: Outcome) -> Terms:
    mentioned: tuple[str, ...] = ()
    if isinstance(expected.value, Rows) and expected.value.instances:
        statements = [*expected.statements, *given.statements]
        mentioned = mentioned_fields(statements, type(expected.value.instances[0]))
    return Terms(exercise.ordered, exercise.columns, exercise.objects, mentioned)
