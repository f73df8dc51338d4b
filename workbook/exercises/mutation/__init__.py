"""The model answer's neighbours: the same code with one thing changed, and the words for it.

A learner's answer that gives on both shops what a neighbour gives has the neighbour's mistake, or
one that comes to the same: "These are the products you get without the condition on `price`."
True by construction. checker.py compares; this room takes the model answer apart.

A rule looks at one node of the model answer's syntax tree and yields what could stand there
instead, each with its words (change.py). A new kind of mistake is a new rule, in the file of its
subject.
"""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from workbook.exercises import syntax
from workbook.exercises.declaration import Answer, Exercise
from workbook.exercises.mutation import conditions, expressions, fields, groups, order
from workbook.exercises.mutation.change import Rule


@dataclass(frozen=True)
class Mutant:
    """One neighbour of a model answer.

    change: what is different, to be read after "These are the rows you get". It names the mutant
        in `equivalent=`, too.
    sign: what has to occur in the learner's code or SQL for the words to make sense there.
    about_order: whether only the order of rows was changed.
    """

    change: str
    answer: Answer
    sign: str = ""
    about_order: bool = False


def mutants(exercise: Exercise) -> Iterator[Mutant]:
    """The neighbours of the exercise's model answer, each once, the likelier mistakes first.

    None where the right answer is an exception, because nearly everything raises the same one, nor
    where it is a prediction: the model answer measures code that the task shows, and that code is
    not the learner's.
    """
    if exercise.raises or exercise.prediction:
        return
    code = syntax.Code.of(exercise.answer)
    seen = {ast.unparse(code.tree)}
    for rule in RULES:
        for node in code.nodes:
            for change in rule(code, node):
                tree = deepcopy(code.tree, {id(node): change.node})
                text = ast.unparse(ast.fix_missing_locations(tree))
                if text in seen:
                    continue
                seen.add(text)
                try:
                    answer = code.function(tree)
                except SyntaxError:  # one keyword twice
                    continue
                yield Mutant(change.words, answer, change.sign, change.about_order)


RULES: tuple[Rule, ...] = (
    conditions.condition_dropped,
    conditions.lookup_swapped,
    conditions.range_ends,
    fields.field_swapped,
    groups.keyword_dropped,
    groups.distinct_toggled,
    groups.without_relatives_lost,
    order.order_changed,
    order.other_end,
    order.slice_moved,
    conditions.condition_reversed,
    conditions.and_or,
    conditions.half_of_an_or,
    conditions.filters_chained,
    conditions.every_condition_dropped,
    groups.groups_changed,
    groups.calls_swapped,
    groups.aggregate_changed,
    groups.every_distinct_dropped,
    groups.condition_moved,
    expressions.loading_changed,
    expressions.expression_changed,
    expressions.python_changed,
)
