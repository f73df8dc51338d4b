"""An interview: drawn, asked one at a time on a clock, and summed up."""

import random

import pytest

from workbook.exercises import tasks
from workbook.exercises.progress import Question, State
from workbook.learning import course
from workbook.learning.interview import Interview, draw, spelled


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def items(folder):
    return draw(course.chapters(), tasks.tasks(), State(), random.Random(1))


def test_questions_come_from_the_chapter(folder):
    first, second = course.find("4").questions
    assert first.text == "What does `count()` run?"
    assert first.answer.startswith("One query.")
    assert "**The follow-up:** and `len()`?" in first.answer
    assert first.section == "One row or many"
    assert second.text == "Is `exists()` cheaper?"
    assert second.section == ""


def test_what_went_badly_is_drawn_first_and_what_is_known_last(folder):
    first, second = course.find("4").questions
    for well, expected in ((True, [second, first]), (False, [first, second])):
        state = State(questions={first.key: Question(well=well)})
        for seed in range(5):
            drawn = draw(course.chapters(), tasks.tasks(), state, random.Random(seed))
            assert [item.asked for item in drawn[:2]] == expected


def test_five_questions_and_three_exercises(settings):
    items = draw(course.chapters(), tasks.tasks(), State(), random.Random(1))
    kinds = [item.kind for item in items]
    assert kinds == ["question"] * 5 + ["exercise"] * 3
    exercises = [item.chapter.number for item in items[5:]]
    assert len(set(exercises)) == 3
    assert len({item.name for item in items}) == 8


def test_the_clock_runs_until_the_answer_is_asked_for(items):
    clock = Clock()
    asked = Interview(items, clock)
    assert "Question 1 of 5 · aim for 2 minutes" in asked.page()
    assert asked.current.asked.answer not in asked.page()
    clock.now = 65
    assert "You took 1:05." in asked.answer()
    clock.now = 90
    asked.done(well=False)
    assert "1:30 so far" in asked.page()
    clock.now = 100
    asked.done(well=True)
    assert "**1 of 2 went well**, in 1:40." in asked.summary()
    assert "| 1:05 | [04 ·" in asked.summary()
    assert spelled(3725) == "1:02:05"


def test_one_thing_after_the_other(chapter, store):
    assert "there is none yet" in chapter("%interview")
    assert "There is no interview." in chapter("%interview yes")
    chapter.solve("4.1")
    chapter.solve("4.2")
    said = chapter("%interview")
    assert "Question 1 of 4" in said
    assert "One query." not in said
    assert chapter.next_cell == "%interview answer"
    chapter(chapter.next_cell)
    assert chapter.next_cell == "%interview yes  # or no"
    assert "Question 2 of 4" in chapter(chapter.next_cell)
    chapter("%interview answer")
    assert "Exercise 3 of 4" in chapter("%interview no")
    number = chapter.next_cell.split()[1]
    assert "Answer an exercise in a cell of its own." in chapter("%interview answer")
    said = chapter.solve(number)
    assert f"✓ {number} · right" in said
    assert "Exercise 4 of 4" in said
    said = chapter("%interview no")
    assert "2 of 4 went well" in said
    assert sorted(one.well for one in store.state().questions.values()) == [False, True]
    assert "There is no interview." in chapter("%interview no")


def test_chapters_can_be_named_and_it_can_be_stopped(chapter):
    assert "Question 1 of" in chapter("%interview 4, 5")
    assert "0 of 0 went well" in chapter("%interview stop")
    assert "There is no chapter 12." in chapter("%interview 12")
