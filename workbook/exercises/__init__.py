"""Exercises: an answer comes in, a verdict with a helpful sentence goes out.

Read declaration.py first, then running.py (an answer runs), answers.py and comparison.py (what it
gave and what is wrong with it), checker.py (the verdict) and feedback.py (its words).

A chapter's exercises live in one file of the same name, `notebooks/exercises/07_n_plus_one.py`.
The task itself is in the chapter; the file holds what the checker needs:

    @exercise("7.1", stars=1, queries=1, hints=["a nudge", "the way", "nearly there"])
    def june_invoices_with_customer():
        '''Shown after passing: why this is a good answer, and what else would have been.'''
        return Invoice.objects.filter(issued_at__month=6).select_related("customer")

    @near_miss("7.1", "Right rows, but a second query: a foreign key can come by JOIN.")
    def _():
        return Invoice.objects.filter(issued_at__month=6).prefetch_related("customer")

The function is the model answer; what it returns (or raises, or leaves in the database) is right.
It takes no arguments, may be `async def`, and is shown after passing: write it as you would teach
it, imports on top of the file. Declare at least two near misses: the mistakes people really make,
each with a sentence that is true of everybody who gets that result. A near miss must differ from
the model answer on at least one of the two shops, or in its number of queries.

What is compared follows from what the model answer returns:

| model answer            | accepted                                                               |
|-------------------------|------------------------------------------------------------------------|
| model objects           | QuerySet, list, tuple of the same objects; `only()`/`defer()` are fine |
| dicts (`values()`)      | dicts under any names, or tuples; with `columns=` these names          |
| tuples (`values_list()`)| tuples, lists or named tuples in this column order; dicts by value     |
| a flat list             | the same values as list, tuple, flat QuerySet; a set if unordered      |
| dict (`aggregate()`)    | a dict; names are free unless `columns=` fixes them                    |
| number, text, date …    | the same value of the same type: 5.0 is not Decimal("5.00")            |
| DataFrame               | DataFrame with these columns and kinds of dtype; a named index counts  |
|                         | as a column, a plain integer index is ignored                          |

Rows are compared without order, duplicates counting, unless `ordered=True` (then make the order
complete: end it with a unique field). Decimals count to four places, floats to nine digits.
Annotations on model objects are compared only if `columns=` names them.
"""

from workbook.exercises.declaration import (
    Exercise,
    ExerciseError,
    NearMiss,
    also_right,
    chapters,
    directory,
    exercise,
    find,
    load,
    near_miss,
    wrong_choices,
)

__all__ = [
    "Exercise",
    "ExerciseError",
    "NearMiss",
    "also_right",
    "chapters",
    "directory",
    "exercise",
    "find",
    "load",
    "near_miss",
    "wrong_choices",
]
