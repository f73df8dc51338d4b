"""Judging an answer: it runs on the shop in front of the learner and on a second, small one.

Everything runs inside transactions that are rolled back. The model answer runs beside the
learner's, on the same rows, and `workbook.comparison` says how they differ.
"""

import ast
import asyncio
import contextvars
import difflib
import inspect
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import FieldError, MultipleObjectsReturned, ObjectDoesNotExist
from django.db import IntegrityError, InternalError, connection, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from workbook.comparison import (
    Difference,
    Rows,
    Unusable,
    Value,
    difference,
    materialise,
    mentioned_fields,
    plural,
    same,
)
from workbook.exercises import Answer, Exercise, ExerciseError, NearMiss, closed


@dataclass
class Outcome:
    """What running an answer once gave: its value, what reading it gave, what it left behind."""

    value: Value | Rows | None = None
    reading: Value | Rows | None = None
    left: Value | Rows | None = None
    statements: list[tuple[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    unusable: str = ""
    attempted: bool = True
    miscounted: bool = False

    @property
    def writes(self) -> list[str]:
        """The statements that changed rows."""
        verbs = ("INSERT", "UPDATE", "DELETE", "REPLACE", "TRUNCATE", "CREATE", "ALTER", "DROP")
        return [sql for sql, _ in self.statements if sql.lstrip().upper().startswith(verbs)]


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


# Running ------------------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that is rolled back at the end, whatever happens inside."""
    depth = len(connection.savepoint_ids), len(connection.atomic_blocks)
    block = transaction.atomic()
    block._from_testcase = True  # a durable atomic() inside is meant to work, as in TestCase
    block.__enter__()
    try:
        yield
    finally:
        del connection.savepoint_ids[depth[0] + (depth[1] > 0) :]
        del connection.atomic_blocks[depth[1] + 1 :]
        transaction.set_rollback(True)
        block.__exit__(None, None, None)


@contextmanager
def wrapped(wrapper: Callable) -> Iterator[None]:
    """Like `connection.execute_wrapper`, which takes out whichever wrapper came last."""
    connection.execute_wrappers.append(wrapper)
    try:
        yield
    finally:
        if wrapper in connection.execute_wrappers:
            connection.execute_wrappers.remove(wrapper)


class _QueryCounter:
    """Notes the statements of one answer, and keeps it from ending the transaction around it."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any]] = []
        self.counting = True

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        words = str(sql).lstrip().upper().split(None, 2)[:2]
        refuse_to_end_the_transaction(words)
        if self.counting and words[:1] not in (["SAVEPOINT"], ["RELEASE"], ["ROLLBACK"]):
            self.statements.append((str(sql), params))
        return execute(sql, params, many, context)


def refuse_to_end_the_transaction(words: list[str]) -> None:
    if words[:1] in (["COMMIT"], ["END"], ["BEGIN"]) or (
        words[:1] == ["ROLLBACK"] and words[1:] != ["TO"]
    ):
        raise transaction.TransactionManagementError(
            "An exercise runs inside a transaction that is rolled back at the end of the cell, so "
            f"{words[0]} is not available. `with transaction.atomic():` is."
        )


def guard_transaction(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
    """An execute wrapper that refuses raw COMMIT and ROLLBACK."""
    refuse_to_end_the_transaction(str(sql).lstrip().upper().split(None, 2)[:2])
    return execute(sql, params, many, context)


def run(exercise: Exercise, answer: Answer) -> Outcome:
    """Run an answer once, read it to its end as the exercise says, and undo what it wrote."""
    counter = _QueryCounter()
    outcome = Outcome(statements=counter.statements)
    with undone(), wrapped(counter):
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            try:
                value = _call(answer)
                if value is Ellipsis:
                    outcome.attempted = False
                    return outcome
                _read(exercise, value, outcome, counter)
            except Unusable as refusal:
                outcome.unusable = str(refusal)
            except Exception as error:
                outcome.error = error
        outcome.miscounted = counter not in connection.execute_wrappers
        counter.counting = False
        if exercise.leaves and not outcome.unusable and (not outcome.error or exercise.raises):
            try:
                outcome.left = materialise(_call(exercise.leaves))
            except Exception as error:
                outcome.error = outcome.error or error
    return outcome


def _read(exercise: Exercise, value: Any, outcome: Outcome, counter: _QueryCounter) -> None:
    if isinstance(value, Iterator):
        value = list(value)  # so that it can be read twice
    if exercise.read:
        # Reading is what the task counts; looking at the answer's own rows after it is free.
        outcome.reading = materialise(_call(exercise.read, value))
        counter.counting = False
    if not exercise.leaves:
        outcome.value = materialise(value)


def _call(function: Callable, *arguments: Any) -> Any:
    given = function(*arguments)
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        return wait_for(given)
    return given


def wait_for(coroutine: Any) -> Any:
    """The coroutine's result, on this connection, whether or not a loop is running here.

    Django's async methods then run in the calling thread, inside its transaction.
    """

    async def main() -> Any:
        return await coroutine

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return async_to_sync(main)()
    # A kernel runs a loop in this thread: wait in another, which sees the same connection.
    context = contextvars.copy_context()
    connection.inc_thread_sharing()
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(context.run, async_to_sync(main)).result()
    finally:
        pool.shutdown(wait=False)
        connection.dec_thread_sharing()


class Cell:
    """A cell's code as an answer: running it gives its last expression."""

    def __init__(self, source: str, namespace: dict[str, Any], needs_value: bool = True) -> None:
        self.tree = ast.parse(source)
        self.namespace = namespace
        self.needs_value = needs_value

    @property
    def attempted(self) -> bool:
        """False if the cell ends in `...`, or holds nothing."""
        last = self.tree.body[-1] if self.tree.body else None
        return last is not None and not (
            isinstance(last, ast.Expr)
            and isinstance(last.value, ast.Constant)
            and last.value.value is Ellipsis
        )

    def __call__(self) -> Any:
        # A QuerySet of an earlier cell may hold rows already: ask again, on this shop.
        namespace = {
            name: value.all() if isinstance(value, QuerySet) else value
            for name, value in self.namespace.items()
        }
        *body, last = self.tree.body
        if isinstance(last, ast.Expr):
            target = ast.Name("_answer_", ast.Store())
            last = ast.copy_location(ast.Assign([target], last.value), last)
        elif self.needs_value:
            raise Unusable(
                "The value of the last line is the answer, and this cell ends in a statement that "
                "has none. Put the name that holds the answer on a last line of its own."
            )
        body.append(last)
        tree = ast.fix_missing_locations(ast.Module(body, []))
        code = compile(tree, "<your cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with closed():
            given = eval(code, namespace)
            if inspect.iscoroutine(given):
                wait_for(given)
        return namespace.get("_answer_")


# Judging ------------------------------------------------------------------------------------


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
        with undone():
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
    """The near misses that do on this shop what the answer did.

    Where the rows are right it is the number of queries that tells answers apart.
    """
    rows_right = finding is None or finding.rows_right
    return [
        near
        for near in near_misses
        if _same_behaviour(exercise, run(exercise, near.answer), given, rows_right)
    ]


def _same_behaviour(exercise: Exercise, near: Outcome, given: Outcome, rows_right: bool) -> bool:
    if near.error or given.error:
        return type(near.error) is type(given.error) and str(near.error) == str(given.error)
    if near.unusable or given.unusable:
        return near.unusable == given.unusable
    if _difference(exercise, near, given) or bool(near.writes) != bool(given.writes):
        return False
    counts = len(near.statements), len(given.statements)
    within_budget = exercise.queries is None or max(counts) <= exercise.queries
    return not rows_right or within_budget or counts[0] == counts[1]


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
        statements = [sql for sql, _ in (*expected.statements, *given.statements)]
        mentioned = mentioned_fields(statements, type(expected.value.instances[0]))
    found = difference(expected.value, given.value, mentioned=mentioned, **options)
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
        [["times", "statement"], *_shapes(given.statements)],
        rows_right=True,
    )


def _shapes(statements: list[tuple[str, Any]]) -> list[list[str]]:
    """The commonest statements: how often, and their text from FROM on."""
    counts = Counter(sql for sql, _ in statements)
    return [[f"{count:,} ×", _short(sql)] for sql, count in counts.most_common(3)]


def _short(sql: str) -> str:
    text = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", " ".join(sql.split()), count=1)
    return text if len(text) <= 110 else text[:109] + "…"


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
        if "rolled back at the end" in text:
            return text
        return (
            "A statement failed, and after that nothing more runs in this transaction. Put the "
            "statement that may fail into its own `with transaction.atomic():` block."
        )
    if isinstance(error, IntegrityError):
        return f"The database refused the row: {text}."
    if isinstance(error, NameError):
        return f"{text[:1].upper()}{text[1:]}: run the chapter's first cell, or define it here."
    return f"The cell stops with {type(error).__name__}: {text}"


def _explain_field_error(text: str) -> str:
    found = re.match(r"Cannot resolve keyword '(.+?)' into field\. Choices are: (.+)", text)
    if not found:
        return f"Django cannot build this query: {text}"
    name, choices = found[1], found[2].split(", ")
    close = difflib.get_close_matches(name, choices, 1)
    guess = f" Did you mean `{close[0]}`?" if close else ""
    return f"There is no field `{name}` here.{guess} There are {', '.join(choices)}."
