"""Two-sided proof for every exercise: what is right passes, what is wrong is told why."""

import re

import pytest
from django.conf import settings
from django.db import connection, transaction

from seed import edge_cases
from workbook import exercises
from workbook.exercises import checker, running, tasks
from workbook.exercises.answers import Rows
from workbook.exercises.declaration import written

FILES = sorted(settings.WORKBOOK["EXERCISES"].glob("[0-9]*_*.py"))
EXERCISES = {number: found for path in FILES for number, found in exercises.load(path).items()}
NEAR_MISSES = [
    pytest.param(number, position, id=f"{number}-{position + 1}")
    for number, found in EXERCISES.items()
    for position in range(len(found.near_misses))
]
each_exercise = pytest.mark.parametrize("number", EXERCISES)
TASKS = [task for path in tasks.chapters() for task in tasks.in_chapter(path)]


@pytest.fixture
def shop(db):
    """The small shop as the one in front of the learner, in another order, under other keys."""
    edge_cases.build(shuffle=11)


def explained(verdict):
    return "\n".join([verdict.status, *verdict.sentences, *map(str, verdict.table)])


@each_exercise
def test_is_complete(number):
    found = EXERCISES[number]
    assert found.stars in (1, 2, 3)
    assert len(found.hints) == len(set(found.hints)) == 3
    assert found.explanation
    assert len({near.sentence for near in found.near_misses}) >= 2


# Text and checker ---------------------------------------------------------------------------


def test_each_task_has_one_exercise_and_each_exercise_one_task():
    assert sorted(task.number for task in TASKS) == sorted(EXERCISES)
    chapters = {n: path.stem for path in FILES for n in exercises.load(path)}
    assert {task.number: task.chapter.stem for task in TASKS} == chapters


@each_exercise
def test_the_text_says_what_the_checker_asks_for(number):
    found, task = EXERCISES[number], tasks.tasks()[number]
    assert task.stars == found.stars
    assert [name for name in found.columns or () if f"`{name}`" not in task.text] == []
    for budget, noun in ((found.queries, "quer(y|ies)"), (found.rows, "rows?")):
        if budget is not None:
            count = f"({budget}|{NUMBERS[budget]})"
            wanted = re.compile(rf"\b{count} (\w+ )?{noun}\b", re.IGNORECASE)
            assert wanted.search(task.text), f"{budget} {noun}"
    for error in found.raises:
        assert f"`{error.__qualname__}`" in task.text


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


# Right and wrong ----------------------------------------------------------------------------


@each_exercise
def test_model_answer_passes(number, shop):
    verdict = checker.check(EXERCISES[number], written(EXERCISES[number].answer))
    assert verdict.status == "passed", explained(verdict)


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        pytest.param(number, answer, id=f"{number}-{position + 1}")
        for number, found in EXERCISES.items()
        for position, answer in enumerate(found.also_right)
    ],
)
def test_other_right_answers_pass(number, answer, shop):
    verdict = checker.check(EXERCISES[number], written(answer))
    assert verdict.status == "passed", explained(verdict)


@each_exercise
def test_model_answer_as_it_is_shown_passes_when_pasted(number, shop):
    found = EXERCISES[number]
    names = written(found.answer).__globals__
    verdict = checker.check(found, running.Cell(found.source, names, needs_value=False))
    assert verdict.status == "passed", explained(verdict)


@pytest.mark.parametrize(
    "number",
    [number for number, found in EXERCISES.items() if not re.search(r'"-?(pk|id)"', found.source)],
)
def test_model_answer_depends_on_no_key_that_it_does_not_name(number, db):
    contents = [content_on_shop(EXERCISES[number], shuffle) for shuffle in (None, 3, 4)]
    assert contents[0] == contents[1] == contents[2]


@each_exercise
def test_unsolved_cell_does_not_pass(number, shop):
    assert checker.check(EXERCISES[number], lambda: ...).status == "not attempted"
    assert not running.Cell("...", {}).attempted


@each_exercise
def test_an_empty_answer_does_not_pass(number, shop):
    for nothing in (None, []):
        assert checker.check(EXERCISES[number], lambda value=nothing: value).status == "failed"


@pytest.mark.parametrize(("number", "position"), NEAR_MISSES)
def test_near_miss_is_rejected_with_its_own_sentence(number, position, shop):
    near_miss = EXERCISES[number].near_misses[position]
    if connection.vendor == "mysql" and "letter case" in near_miss.sentence:
        pytest.skip("MariaDB's collation ignores letter case, so the answer is right there")
    verdict = checker.check(EXERCISES[number], written(near_miss.answer))
    assert verdict.status == "failed"
    assert verdict.cause, explained(verdict)
    assert verdict.cause.found is near_miss, explained(verdict)
    assert near_miss.sentence in verdict.sentences


def content_on_shop(exercise, shuffle):
    """What the model answer gives on the small shop laid out in that order, ids left out."""
    with transaction.atomic():
        edge_cases.build(shuffle)
        outcome = running.run(exercise, exercise.answer)
        content = [
            without_ids(part, exercise.ordered)
            for part in (outcome.value, outcome.reading, outcome.left)
        ]
        transaction.set_rollback(True)
    return [*content, len(outcome.statements), type(outcome.error)]


def without_ids(part, ordered):
    if not isinstance(part, Rows):
        value = getattr(part, "value", None)
        instance = getattr(part, "instance", None)
        return (
            fields_of(instance)
            if instance
            else repr(sorted(value) if isinstance(value, dict) else value)
        )
    if part.instances:
        rows = [fields_of(instance) for instance in part.instances]
    else:
        kept = [at for at, name in enumerate(part.columns) if not is_id(name)]
        rows = [repr([row[at] for at in kept]) for row in part.rows]
    return rows if ordered else sorted(rows)


def fields_of(instance):
    # Lists are rows prefetched with `to_attr`; exercises compare those by `read`.
    kept = {
        name: value
        for name, value in vars(instance).items()
        if not is_id(name) and not isinstance(value, list)
    }
    return repr(kept)


def is_id(name):
    return name in ("id", "pk") or name.endswith("_id") or name.startswith("_")
