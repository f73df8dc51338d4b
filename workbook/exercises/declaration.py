"""How exercises are declared, and how they are found."""

import ast
import importlib.util
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from itertools import combinations
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.utils.functional import cached_property

Answer = Callable[[], Any]


class ExerciseError(Exception):
    """A sentence for the reader: the exercise is unknown, or its file is not in order."""


@dataclass(frozen=True)
class NearMiss:
    """A wrong answer people really give, and the sentence that helps them.

    sign: what has to occur in the learner's code or SQL for the sentence to be true of it.
    """

    sentence: str
    answer: Answer
    sign: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise as declared with `@exercise`."""

    number: str
    answer: Answer
    stars: int
    hints: tuple[str, ...]
    queries: int | None
    rows: int | None
    ordered: bool
    columns: tuple[str, ...] | None
    objects: bool
    read: Callable[[Any], Any] | None
    leaves: Callable[[], Any] | None
    raises: tuple[type[BaseException], ...]
    prediction: bool
    equivalent: Mapping[str, str]
    also_right: tuple[Answer, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def title(self) -> str:
        """The function's name as words: `june_invoices` is "June invoices"."""
        words = self.answer.__name__.strip("_").replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def explanation(self) -> str:
        return inspect.getdoc(self.answer) or ""

    @cached_property
    def source(self) -> str:
        """The model answer as one would write it in a cell, its value on the last line."""
        whole = textwrap.dedent(inspect.getsource(written(self.answer)))
        function = ast.parse(whole).body[0]
        body = function.body[1:] if ast.get_docstring(function) else function.body
        lines = whole.splitlines()
        text = textwrap.dedent("\n".join(lines[body[0].lineno - 1 :]))
        return re.sub(r"^return ", "", text, flags=re.MULTILINE)


class _Chapter:
    """What one file declares, gathered while it is loaded."""

    def __init__(self) -> None:
        self.exercises: dict[str, Exercise] = {}
        self.also_right: list[tuple[str, Answer]] = []
        self.near_misses: list[tuple[str, NearMiss]] = []


_loading: _Chapter | None = None
_closed = False
_written: WeakKeyDictionary[Answer, Answer] = WeakKeyDictionary()


def exercise(
    number: str,
    *,
    stars: int,
    hints: Sequence[str],
    queries: int | None = None,
    rows: int | None = None,
    ordered: bool = False,
    columns: Sequence[str] | None = None,
    objects: bool = False,
    read: Callable[[Any], Any] | None = None,
    leaves: Callable[[], Any] | None = None,
    raises: type[BaseException] | tuple[type[BaseException], ...] = (),
    prediction: bool = False,
    equivalent: Mapping[str, str] | None = None,
) -> Callable[[Answer], Answer]:
    """Declare the decorated function as the model answer of exercise `number` ("7.1").

    stars: 1 to 3. hints: from a nudge to nearly there, three of them.
    queries: the budget, counting everything the answer and `read` run; None: any number. The
        task's text has to name it ("one query").
    rows: the most rows that may be fetched; None: any number.
    ordered: the rows have to come in this order.
    columns: names the task fixes: keys of dicts, columns of a DataFrame, annotations of objects.
    objects: the task asks for model objects. Otherwise their names or keys are accepted, too.
    read: called with the answer, as a template would read it; its queries count and its result is
        compared too. `read=lambda invoices: [i.customer.name for i in invoices]`
    leaves: for tasks that write: called after the answer, returns what the database must then
        hold. It is compared instead of the answer's value. Return whole tables, not only the rows
        to be changed, without ids and timestamps of new rows:
        `leaves=lambda: Product.objects.values_list("name", "price")`
    raises: for tasks whose right answer ends in this exception.
    prediction: the task asks what the code it shows does, and the model answer measures that. A
        wrong prediction is not told the right one. Only near misses explain it: the neighbours of
        code that measures do not.
    equivalent: changes of the model answer that are no mistake, as `mutation.mutants` words them,
        each with a word why: `{"without `default=0` in `due`": "beans were sold in both shops"}`.
    """

    def declare(function: Answer) -> Answer:
        answer = _guarded(function)
        if _loading is not None:
            if number in _loading.exercises:
                raise ExerciseError(f"Exercise {number} is declared twice.")
            _loading.exercises[number] = Exercise(
                number=number,
                answer=answer,
                stars=stars,
                hints=tuple(hints),
                queries=queries,
                rows=rows,
                ordered=ordered,
                columns=tuple(columns) if columns is not None else None,
                objects=objects or read is not None,
                read=read,
                leaves=leaves,
                raises=raises if isinstance(raises, tuple) else (raises,),
                prediction=prediction,
                equivalent=equivalent or {},
            )
        return answer

    return declare


def near_miss(number: str, sentence: str, *, sign: str = "") -> Callable[[Answer], Answer]:
    """Declare the decorated function as a wrong answer to `number` and what to say about it.

    The sentence is shown when an answer behaves as this one does on both shops (the same rows or
    exception, and where the rows are right, the same number of queries beyond the budget), and its
    SQL is closer to this one's than to the model answer's. With `sign`, a regular expression, it
    is what has to be found in the learner's code or SQL instead.
    """

    def declare(function: Answer) -> Answer:
        answer = _guarded(function)
        if _loading is not None:
            _loading.near_misses.append((number, NearMiss(sentence, answer, sign)))
        return answer

    return declare


def wrong_choices(number: str, right: str, why: Mapping[str, str]) -> None:
    """Declare every wrong choice of letters as a near miss of exercise `number`.

    For tasks that ask which of several lines are right. right: their letters ("ce"). why: for each
    letter the sentence for who took it and should not have, or the other way round.

        wrong_choices("1.6", right="b", why={"a": "`a` sorts by name.", "b": "A key is unique."})
    """
    for size in range(len(why) + 1):
        for chosen in combinations(why, size):
            wrong = [letter for letter in why if (letter in chosen) != (letter in right)]
            if wrong:
                sentence = " ".join(why[letter] for letter in wrong[:2])
                near_miss(number, sentence)(lambda chosen=chosen: list(chosen))


def also_right(number: str) -> Callable[[Answer], Answer]:
    """Declare the decorated function as another right answer to `number`, with other rows.

    For what the task leaves open: `order_by(Lower("name"))` where it says "by name". An answer is
    right if it equals the same declared answer on both shops.
    """

    def declare(function: Answer) -> Answer:
        answer = _guarded(function)
        if _loading is not None:
            _loading.also_right.append((number, answer))
        return answer

    return declare


def _guarded(function: Answer) -> Answer:
    """The function, refusing to run for a learner's cell that calls it as its own answer."""

    @wraps(function)
    def answer() -> Any:
        if _closed:
            raise ExerciseError(
                "A declared answer cannot be called from the cell that is being checked. "
                "Write your own, or ask `%solution` to show it."
            )
        return function()

    del answer.__wrapped__
    _written[answer] = function
    return answer


def written(answer: Answer) -> Answer:
    """The function as its author wrote it, behind a declared answer; any other as it is."""
    return _written.get(answer, answer)


def tree_of(answer: Answer) -> ast.AST | None:
    """The syntax tree of an answer's function, without decorators and docstring; None if its
    source cannot be found."""
    try:
        source = textwrap.dedent(inspect.getsource(written(answer)))
        tree = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    tree.decorator_list = []
    if ast.get_docstring(tree):
        tree.body = tree.body[1:]
    return tree


@contextmanager
def closed() -> Iterator[None]:
    """While a learner's code runs: exercises cannot be loaded, nor declared answers called."""
    global _closed
    before, _closed = _closed, True
    try:
        yield
    finally:
        _closed = before


def is_closed() -> bool:
    return _closed


def directory() -> Path:
    """The folder of exercise files, from `settings.WORKBOOK["EXERCISES"]`."""
    found = getattr(settings, "WORKBOOK", {}).get("EXERCISES")
    if not found:
        raise ExerciseError(
            "This project has no exercises. To add some, name their folder in its settings: "
            'WORKBOOK = {"EXERCISES": BASE_DIR / "exercises"}.'
        )
    return Path(found)


def chapters() -> dict[str, dict[str, Exercise]]:
    """All exercises: chapter (`07_n_plus_one`) → number → Exercise, in reading order."""
    return {path.stem: load(path) for path in sorted(directory().glob("[0-9]*_*.py"))}


def find(number: str) -> Exercise:
    """The exercise of that number, read from its file now. Raises ExerciseError if unknown."""
    folder = directory()
    chapter, _, _ = number.partition(".")
    known: list[str] = []
    if chapter.isdigit():
        for path in folder.glob(f"{int(chapter):02d}_*.py"):
            found = load(path)
            if number in found:
                return found[number]
            known += found
    if known:
        raise ExerciseError(
            f"There is no exercise {number}. Chapter {chapter} has {', '.join(known)}."
        )
    numbers = [list(chapter) for chapter in chapters().values() if chapter]
    if not numbers:
        raise ExerciseError(f"There is no exercise {number}, and none at all in {folder.name}/.")
    spans = [f"{chapter[0]} to {chapter[-1]}" for chapter in numbers]
    raise ExerciseError(
        f"There is no exercise {number or 'without a number'}. There are {', '.join(spans)}."
    )


def load(path: Path) -> dict[str, Exercise]:
    """The exercises one file declares, from a fresh execution of it: number → Exercise."""
    global _loading
    if _closed:
        raise ExerciseError("Exercises cannot be looked up by the cell that is being checked.")
    spec = importlib.util.spec_from_file_location(f"exercises_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    _loading = chapter = _Chapter()
    try:
        spec.loader.exec_module(module)
    finally:
        _loading = None
    for number in [number for number, _ in (*chapter.near_misses, *chapter.also_right)]:
        if number not in chapter.exercises:
            raise ExerciseError(f"{path.name} has an answer to {number}, which it lacks.")
    for number, found in chapter.exercises.items():
        chapter.exercises[number] = replace(
            found,
            near_misses=tuple(near for of, near in chapter.near_misses if of == number),
            also_right=tuple(answer for of, answer in chapter.also_right if of == number),
        )
    return dict(sorted(chapter.exercises.items(), key=lambda item: _sort_key(item[0])))


def _sort_key(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", number))
