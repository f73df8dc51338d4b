"""Every neighbour of a model answer is told apart from it by one of the two shops.

A neighbour is a mistake that somebody makes (see workbook/exercises/mutation/). If the rows of
neither shop show it, a wrong answer passes: the second shop needs a row more, or the exercise says
in `equivalent=` why the change is no mistake.
"""

import pytest
from django.conf import settings
from django.db import connection

from tests.seed.conftest import default_shop  # noqa: F401  (a fixture)
from workbook import exercises
from workbook.exercises import checker, judging, mutation, running
from workbook.queries import recorder

EXERCISES = {
    number: found for chapter in exercises.chapters().values() for number, found in chapter.items()
}


@pytest.mark.skipif(
    connection.vendor == "mysql", reason="MariaDB's collation makes neighbours equal by letter case"
)
@pytest.mark.parametrize("number", EXERCISES)
@pytest.mark.usefixtures("default_shop")
@pytest.mark.django_db
def test_each_neighbour_is_told_apart_or_declared_equivalent(number):
    exercise = EXERCISES[number]
    with recorder.paused():
        with checker.second_shop() as second:
            assert second, settings.WORKBOOK
            alike = equal_to_model_answer(exercise, list(mutation.mutants(exercise)))
        alike = equal_to_model_answer(exercise, alike)
    # Where the order of rows is free, a change of it is no mistake. And where a query sets none,
    # PostgreSQL may give the right one by itself.
    told = exercise.ordered and connection.vendor == "sqlite"
    alike = [mutant for mutant in alike if told or not mutant.about_order]
    assert {mutant.change for mutant in alike} == set(exercise.equivalent)
    assert all(exercise.equivalent.values()), "say why"


def equal_to_model_answer(exercise, mutants):
    right = running.run(exercise, exercise.answer)
    return [
        mutant
        for mutant in mutants
        if judging.judge(exercise, right, running.run(exercise, mutant.answer)) is None
    ]
