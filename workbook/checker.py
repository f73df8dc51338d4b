"""Judging an answer: it runs on the shop in front of the learner and on a second, small one.

Everything runs inside transactions that are rolled back. The model answer runs beside the
learner's, on the same rows, and `workbook.comparison` says how they differ.
"""

import ast
import asyncio
import difflib
import inspect
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import FieldError, MultipleObjectsReturned, ObjectDoesNotExist
from django.db import IntegrityError, InternalError, connection, connections, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from workbook import diagnosis, recorder, report
from workbook.answers import Rows, Unusable, Value, materialise, same
from workbook.comparison import Difference, difference, mentioned_fields, plural
from workbook.exercises import Answer, Exercise, ExerciseError, NearMiss, closed
from workbook.rollback import Rollback


@dataclass
class Outcome:
    """What running an answer once gave: its value, what reading it gave, what it left behind."""

    value: Value | Rows | None = None
    reading: Value | Rows | None = None
    left: Value | Rows | None = None
    statements: list[str] = field(default_factory=list)
    capture: recorder.Capture = field(default_factory=recorder.queries)
    error: Exception | None = None
    unreadable: Exception | None = None
    unusable: str = ""
    attempted: bool = True
    miscounted: bool = False

    @property
    def writes(self) -> list[str]:
        """The statements that changed rows."""
        verbs = ("INSERT", "UPDATE", "DELETE", "REPLACE", "TRUNCATE", "CREATE", "ALTER", "DROP")
        return [sql for sql in self.statements if sql.lstrip().upper().startswith(verbs)]


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
    """A transaction on every database that is rolled back at the end, whatever happens inside."""
    rollback = Rollback({alias: connections[alias] for alias in connections})
    try:
        with _wrapped(_keep_transaction):
            yield
    finally:
        rollback.end()


@contextmanager
def _wrapped(wrapper: Callable) -> Iterator[None]:
    """Like `connection.execute_wrapper`, which takes out whichever wrapper came last."""
    connection.execute_wrappers.append(wrapper)
    try:
        yield
    finally:
        if wrapper in connection.execute_wrappers:
            connection.execute_wrappers.remove(wrapper)


def _keep_transaction(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
    """Refuse statements that would end the transaction around an exercise."""
    words = str(sql).upper().split(None, 2)[:2]
    if words[:1] in (["COMMIT"], ["END"]) or (words[:1] == ["ROLLBACK"] and words[1:] != ["TO"]):
        raise transaction.TransactionManagementError(f"{words[0]} {_NOT_HERE}")
    return execute(sql, params, many, context)


_NOT_HERE = (
    "is not available in an exercise: it runs inside a transaction that is undone when the cell "
    "ends. `with transaction.atomic():` is."
)


class _QueryCounter:
    """Notes the statements of one answer.

    The recorder's captures can be paused by the code they watch; this cannot go unnoticed.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.counting = True

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if self.counting and not _TRANSACTION.match(str(sql)):
            self.statements.append(str(sql))
        return execute(sql, params, many, context)


_TRANSACTION = re.compile(r"\s*(BEGIN|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)


def run(exercise: Exercise, answer: Answer) -> Outcome:
    """Run an answer once, read it to its end as the exercise says, and undo what it wrote."""
    counter = _QueryCounter()
    outcome = Outcome(statements=counter.statements)
    with undone(), _wrapped(counter):
        with (
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
            recorder.paused(),
            outcome.capture,
        ):
            try:
                _answer(exercise, answer, outcome, counter)
            except Unusable as refusal:
                outcome.unusable = str(refusal)
            except Exception as error:
                outcome.error = error
        outcome.miscounted = counter not in connection.execute_wrappers
        counter.counting = False
        if exercise.leaves and outcome.attempted and (not outcome.error or exercise.raises):
            try:
                outcome.left = materialise(_call(exercise.leaves))
            except Exception as error:
                outcome.error = outcome.error or error
    return outcome


def _answer(exercise: Exercise, answer: Answer, outcome: Outcome, counter: _QueryCounter) -> None:
    value = _call(answer)
    if value is Ellipsis:
        outcome.attempted = False
        return
    if isinstance(value, Iterator):
        value = list(value)  # so that it can be read twice
    if exercise.read:
        # Reading is what the task counts; looking at the answer's own rows after it is free.
        try:
            outcome.reading = materialise(_call(exercise.read, value))
        except Exception as error:
            outcome.unreadable = error
        counter.counting = False
        outcome.capture.__exit__()
    if not exercise.leaves:
        outcome.value = materialise(value)


def _call(function: Callable, *arguments: Any) -> Any:
    given = function(*arguments)
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        return wait_for(given)
    return given


def wait_for(coroutine: Any) -> Any:
    """The coroutine's result, on this connection, whether or not a loop is running here.

    Django's async methods then run in the thread that waits, inside its transaction.
    """

    async def main() -> Any:
        return await coroutine

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return async_to_sync(main)()
    # A kernel runs a loop in this thread: wait in another one, on the same connections.
    shared = {alias: connections[alias] for alias in connections}

    def elsewhere() -> Any:
        for alias, one in shared.items():
            connections[alias] = one
        return async_to_sync(main)()

    for one in shared.values():
        one.inc_thread_sharing()
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(elsewhere).result()
    finally:
        pool.shutdown(wait=False)
        for one in shared.values():
            one.dec_thread_sharing()


class Cell:
    """A cell's code as an answer: running it gives its last expression.

    needs_value: whether a cell that ends in a statement is refused.
    filename: how the code is named in reports. afterwards: called after each run.
    """

    def __init__(
        self,
        source: str,
        namespace: dict[str, Any],
        needs_value: bool = True,
        filename: str = "<your cell>",
        afterwards: Callable[[], None] = lambda: None,
    ) -> None:
        self.tree = ast.parse(source)
        self.namespace = namespace
        self.needs_value = needs_value
        self.filename = filename
        self.afterwards = afterwards

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
        code = compile(tree, self.filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        afterwards = self.afterwards
        try:
            with closed():
                given = eval(code, namespace)
                if inspect.iscoroutine(given):
                    wait_for(given)
        finally:
            afterwards()
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
        if _NOT_HERE in text:
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
