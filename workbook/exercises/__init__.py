"""Exercises: an answer comes in, a verdict with a helpful sentence goes out.

Read declaration.py first, then running.py (an answer runs), answers.py and comparison.py (what it
gave and what is wrong with it), checker.py (the verdict), explaining.py (its cause) and feedback.py
(how it looks).

A chapter's exercises live in one file of the same name, `notebooks/exercises/07_n_plus_one.py`.
The task itself is in the chapter, in a markdown cell: "**7.1 ★** Give the invoices of June 2026, in
any order. The page prints the name of each invoice's customer. Budget: 1 query." The file holds
what the checker needs, and that is all there is to write:

    from shopdb.models import Invoice
    from workbook.exercises import exercise, near_miss

    @exercise(
        "7.1",
        stars=1,
        queries=1,
        read=lambda invoices: [invoice.customer.name for invoice in invoices],
        hints=[
            "Which relation does the page follow for each invoice?",
            "A foreign key leads to one row, so it can come with the same query, by a JOIN.",
            '`Invoice.objects.filter(…).select_related("customer")`.',
        ],
    )
    def june_invoices():
        '''Shown after passing: why this is a good answer, and what else would have been.'''
        june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
        return june.select_related("customer")

    @near_miss("7.1", "Right rows, but a second query: a foreign key can come by JOIN.")
    def _():
        june = Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)
        return june.prefetch_related("customer")

    @near_miss("7.1", "Each customer costs a query of its own: load them with the invoices.")
    def _():
        return Invoice.objects.filter(issued_at__year=2026, issued_at__month=6)

The function is the model answer; what it returns (or raises, or leaves in the database) is right.
It takes no arguments, may be `async def`, and is shown after passing: write it as you would teach
it, imports on top of the file. Declare two near misses or more, for misconceptions: each with a
sentence that is true of everybody who gets that result. A near miss must differ from the model
answer on at least one of the two shops, or in its number of queries.

Slips need no near miss. A condition left out, `gt` for `gte`, another field, order or aggregate are
found by themselves: in the model answer's neighbours (mutation/), in what would make the
learner's own code right (repair.py), in how the two answers' queries differ (anatomy.py).

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
