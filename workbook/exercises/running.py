"""Running an answer once: what it gives, what it leaves behind, which queries it took."""

import ast
import asyncio
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection, connections, reset_queries, transaction
from django.db.models import Model, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from IPython.utils.capture import CapturedIO, capture_output

from workbook.exercises import declaration, pristine
from workbook.exercises.answers import Rows, Unusable, Value, materialise
from workbook.exercises.declaration import Answer, Exercise
from workbook.exercises.words import listed
from workbook.kernel import Rollback
from workbook.queries import Report, recorder
from workbook.queries.recorder import Query as Recorded


@dataclass
class Outcome:
    """What running an answer once gave: its value, what reading it gave, what it left behind.

    answer: the value as it was returned. shown: what the code printed and displayed. queries: the
    first of its queries, as Django holds them. capture: all of them, reading included; own: those
    that its code ran. lazy: whether the answer is a QuerySet that had not run when it was returned.
    unusable: a sentence, if the value cannot be an answer. tampered: a sentence, if the code did
    something after which its result cannot be judged.
    """

    value: Value | Rows | None = None
    reading: Value | Rows | None = None
    left: Value | Rows | None = None
    answer: Any = None
    statements: list[str] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    capture: Report = field(default_factory=Report)
    own: list[Recorded] = field(default_factory=list)
    lazy: bool = False
    shown: CapturedIO | None = None
    error: Exception | None = None
    unreadable: Exception | None = None
    unusable: str = ""
    tampered: str = ""
    attempted: bool = True
    raised_by_hand: bool = False

    @property
    def writes(self) -> list[str]:
        """The statements that changed rows."""
        verbs = ("INSERT", "UPDATE", "DELETE", "REPLACE", "TRUNCATE", "CREATE", "ALTER", "DROP")
        return [sql for sql in self.statements if sql.lstrip().upper().startswith(verbs)]

    @property
    def fetched(self) -> int:
        """How many rows came from the database."""
        return sum(query.rows or 0 for query in self.capture.queries if query.is_select)


# Undone, whatever happens ---------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[list[str]]:
    """A transaction on every database that is rolled back at the end, whatever happens inside.

    Yields a list that afterwards holds sentences about what could not be undone.
    """
    rollback = Rollback({alias: connections[alias] for alias in connections})
    lost: list[str] = []
    try:
        with _wrapped(_keep_transaction):
            yield lost
    finally:
        lost += rollback.end()


@contextmanager
def _wrapped(wrapper: Callable) -> Iterator[None]:
    """Like `connection.execute_wrapper`, which takes out whichever wrapper came last."""
    connection.execute_wrappers.append(wrapper)
    try:
        yield
    finally:
        if wrapper in connection.execute_wrappers:
            connection.execute_wrappers.remove(wrapper)


_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


def _keep_transaction(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
    """Refuse statements that would end the transaction around an exercise."""
    words = _COMMENTS.sub(" ", str(sql)[:1000]).upper().replace(";", " ").split(None, 2)[:2]
    if words[:1] in (["COMMIT"], ["END"]) or (words[:1] == ["ROLLBACK"] and words[1:] != ["TO"]):
        raise transaction.TransactionManagementError(f"{words[0]} {NOT_HERE}")
    return execute(sql, params, many, context)


NOT_HERE = (
    "is not available in an exercise: it runs inside a transaction that is undone when the cell "
    "ends. `with transaction.atomic():` is."
)
COMMITTED = (
    "This cell ended the transaction around the exercise by hand, so what it had written until "
    "then stays in the shop: `%reset shop` puts it back. An exercise cannot be solved this way."
)
CLOSED = "This cell closes the database connection. Leave it open: it is closed with the kernel."
UNCOUNTED = (
    "Some queries of this cell went past Django, so they cannot be counted. Use the ORM, or "
    "`connection.cursor()`, and leave `connection.execute_wrappers` as it is."
)


class _QueryCounter:
    """Notes the statements of one answer, as Django sends them and as the driver gets them.

    The recorder's captures can be paused by the code they watch; this cannot go unnoticed.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.counting = True
        self._past_django = 0

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if self.counting and not _TRANSACTION.match(str(sql)):
            self.statements.append(str(sql))
            self._past_django -= _READS.match(str(sql)) is not None
        return execute(sql, params, many, context)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Ask SQLite's driver as well; of the others we know only what passes Django."""
        driver = getattr(connection.connection, "set_trace_callback", None)
        with _wrapped(self):
            if driver:
                driver(self._driver)
            try:
                yield
            finally:
                self.counting = False
                if driver and not connection.closed_in_transaction:
                    driver(None)
                if self not in connection.execute_wrappers:
                    self._past_django = 1

    def _driver(self, sql: str) -> None:
        if self.counting and not sql.startswith(_QUOTING):
            self._past_django += _READS.match(sql) is not None

    @property
    def missed(self) -> bool:
        """Whether reads were run that are not among the statements."""
        return self._past_django > 0


_TRANSACTION = re.compile(r"\s*(BEGIN|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)
_READS = re.compile(r"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)
_QUOTING = "SELECT QUOTE("  # with DEBUG, Django has SQLite quote the parameters it logs


# Running --------------------------------------------------------------------------------------


def run(exercise: Exercise, answer: Answer, *, learners: bool = False) -> Outcome:
    """Run an answer once, read it to its end as the exercise says, and undo what it wrote.

    learners: the code is a learner's. Then declared answers are out of its reach, and what it
    replaces of the check's own tools is put back.
    """
    counter = _QueryCounter()
    outcome = Outcome(statements=counter.statements)
    reset_queries()  # Django's own log: once it is full, CaptureQueriesContext counts 0
    with undone() as lost:
        if isinstance(answer, Cell):
            answer.prepare()
        with (
            capture_output() as outcome.shown,
            recorder.paused(),
            counter.watching(),
            _noted(outcome.queries),
            out_of_reach() if learners else nullcontext([]) as replaced,
            outcome.capture,
        ):
            try:
                _answer(exercise, answer, outcome, counter)
                if isinstance(outcome.answer, Iterator):  # its code runs while it is read
                    outcome.own = list(outcome.capture.queries)
            except Unusable as refusal:
                outcome.unusable = str(refusal)
            except Exception as error:
                outcome.error = error
                outcome.raised_by_hand = _innermost_file(error) == getattr(answer, "filename", None)
        if replaced:
            outcome.tampered = (
                f"This cell replaces {listed(replaced[:3])}, which the check itself relies on. "
                "That is undone now: answer with a query."
            )
        elif counter.missed:
            outcome.tampered = UNCOUNTED
        if connection.closed_in_transaction:
            outcome.tampered = CLOSED
        elif exercise.leaves and outcome.attempted and (not outcome.error or exercise.raises):
            try:
                outcome.left = materialise(_call(exercise.leaves))
            except Exception as error:
                outcome.error = outcome.error or error
    if lost:
        outcome.tampered = COMMITTED
    return outcome


_MOST_QUERIES = 20  # noted of one answer; loops repeat them


@contextmanager
def _noted(queries: list[Query]) -> Iterator[None]:
    """Note in the list what Django is about to run."""
    execute = SQLCompiler.execute_sql

    def noting(compiler: SQLCompiler, *args: Any, **options: Any) -> Any:
        if len(queries) < _MOST_QUERIES:
            queries.append(compiler.query)
        return execute(compiler, *args, **options)

    SQLCompiler.execute_sql = noting
    try:
        yield
    finally:
        SQLCompiler.execute_sql = execute


@contextmanager
def out_of_reach() -> Iterator[list[str]]:
    """While a learner's code runs. Yields a list that afterwards names what it had replaced."""
    with declaration.closed(), pristine.kept() as replaced:
        yield replaced
        if not declaration.is_closed():
            replaced.append("declaration.closed")


def _innermost_file(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename if trace else ""


def _answer(exercise: Exercise, answer: Answer, outcome: Outcome, counter: _QueryCounter) -> None:
    value = outcome.answer = _call(answer)
    outcome.own = list(outcome.capture.queries)
    outcome.lazy = isinstance(value, QuerySet) and value._result_cache is None
    if value is Ellipsis:
        outcome.attempted = False
        return
    if exercise.read:
        # Reading is what the task counts; looking at the answer's own rows after it is free.
        to_read = value
        if isinstance(value, Iterator):  # it can be read only once, and the page does so, too
            first, value = itertools.tee(value)
            to_read = (item for item in first)
        try:
            outcome.reading = materialise(_call(exercise.read, to_read))
        except Exception as error:
            outcome.unreadable = error
        counter.counting = False
        outcome.capture.__exit__()
    if not exercise.leaves:
        outcome.value = materialise(list(value) if isinstance(value, Iterator) else value)


def _call(function: Callable, *arguments: Any) -> Any:
    given = function(*arguments)
    if inspect.iscoroutinefunction(declaration.written(function)):
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


def _same_row(instance: Model) -> Model:
    """The object that stands for the same thing on this shop: with the same username, say."""
    model = type(instance)
    for column in model._meta.concrete_fields:
        if column.unique and not column.primary_key and not column.is_relation:
            value = instance.__dict__.get(column.attname)
            found = model._base_manager.filter(**{column.attname: value}).first()
            return instance if found is None or found.pk == instance.pk else found
    return instance


class Cell:
    """A cell's code as an answer: running it gives its last expression.

    needs_value: whether a cell that ends in a statement is refused.
    filename: how the code is named in reports.
    """

    def __init__(
        self,
        source: str | ast.Module,
        namespace: dict[str, Any],
        needs_value: bool = True,
        filename: str = "<your cell>",
    ) -> None:
        self.tree = ast.parse(source) if isinstance(source, str) else source
        self.namespace = namespace
        self.needs_value = needs_value
        self.filename = filename
        self.names: dict[str, Any] = {}  # what the code has assigned when it first ran
        self.before = namespace  # the same, as it is on the shop the code runs on

    @property
    def borrowed(self) -> list[str]:
        """The names of earlier cells' QuerySets and objects that the code uses."""
        used = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        found = [name for name in sorted(used) if name not in self.names]
        return [n for n in found if isinstance(self.namespace.get(n), QuerySet | Model)]

    def prepare(self) -> None:
        """Make ready for the shop that the code is about to run on: a QuerySet of an earlier cell
        may hold rows already, and an object is another row here."""
        self.before = {**self.namespace}
        for name in self.borrowed:
            value = self.namespace[name]
            self.before[name] = value.all() if isinstance(value, QuerySet) else _same_row(value)

    def rewritten(self, tree: ast.Module, names: Mapping[str, Any]) -> "Cell":
        """The same cell with other code, and with further names for what it has not defined."""
        cell = Cell(tree, {**names, **self.namespace}, self.needs_value, self.filename)
        cell.names = self.names
        return cell

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
        before = self.before
        namespace = dict(before)
        try:
            given = eval(self._code(), namespace)
            if inspect.iscoroutine(given):
                wait_for(given)
        finally:
            answer = namespace.pop("_answer_", None)
            if not self.names:
                self.names = {n: v for n, v in namespace.items() if v is not before.get(n)}
        if self.needs_value and not isinstance(self.tree.body[-1], ast.Expr):
            raise Unusable(
                "The value of the last line is the answer, and this cell ends in a statement that "
                "has none. Put the name that holds the answer on a last line of its own."
            )
        return answer

    def _code(self) -> Any:
        *body, last = self.tree.body
        if isinstance(last, ast.Expr):
            target = ast.Name("_answer_", ast.Store())
            last = ast.copy_location(ast.Assign([target], last.value), last)
        tree = ast.fix_missing_locations(ast.Module([*body, last], []))
        return compile(tree, self.filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
