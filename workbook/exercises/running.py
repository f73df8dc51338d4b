"""Running an answer once: what it gives, what it leaves behind, which queries it took."""

import ast
import asyncio
import inspect
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection, connections, transaction
from django.db.models import QuerySet

from workbook.exercises.answers import Rows, Unusable, Value, materialise
from workbook.exercises.declaration import Answer, Exercise, closed
from workbook.kernel import Rollback
from workbook.queries import recorder


@dataclass
class Outcome:
    """What running an answer once gave: its value, what reading it gave, what it left behind."""

    value: Value | Rows | None = None
    reading: Value | Rows | None = None
    left: Value | Rows | None = None
    statements: list[str] = field(default_factory=list)
    capture: recorder.Capture = field(default_factory=recorder.Capture)
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
        raise transaction.TransactionManagementError(f"{words[0]} {NOT_HERE}")
    return execute(sql, params, many, context)


NOT_HERE = (
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
