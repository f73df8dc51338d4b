"""Exceptions in plain sentences: what happened, and what to do."""

import ast
import difflib
import re

from django.core.exceptions import (
    FieldError,
    FieldFetchBlocked,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
)
from django.db import IntegrityError, InternalError, transaction

from workbook.exercises.declaration import ExerciseError
from workbook.exercises.running import NOT_HERE


def name_of(error: type[BaseException]) -> str:
    """`Customer.DoesNotExist`, `IntegrityError`."""
    return error.__qualname__


def explain(error: BaseException, code: ast.AST | None = None) -> str:
    """A sentence for an exception that a learner's code ended in.

    code: the learner's code, so that nothing is said about what it does not contain.
    """
    text = str(error).strip()
    code = code or ast.Module([], [])
    if isinstance(error, ExerciseError):
        return text
    if isinstance(error, FieldFetchBlocked):
        return (
            f"{text} The cell reads something that was not loaded, and the fetch mode "
            "`FETCH_RAISE` refuses to run a query for it."
        )
    if isinstance(error, FieldError):
        return _field_error(text)
    if isinstance(error, ObjectDoesNotExist):
        return f"`.get()` found no row: {text} `.filter(…).first()` gives None instead of raising."
    if isinstance(error, MultipleObjectsReturned):
        return f"`.get()` found several rows where exactly one may fit: {text}"
    if isinstance(error, transaction.TransactionManagementError | InternalError):
        if NOT_HERE in text:
            return text
        return (
            "A statement failed, and after that nothing more runs in this transaction. Put the "
            "statement that may fail into its own `with transaction.atomic():` block."
        )
    if isinstance(error, IntegrityError):
        return f"The database refused the row: {text}."
    if isinstance(error, NameError):
        return _name_error(text, getattr(error, "name", ""), code)
    if found := re.match(r"Field '(\w+)' expected a number but got (.+)\.$", text):
        return _not_a_number(found[1], found[2], code)
    for pattern, sentence in _SENTENCES.items():
        if found := re.search(pattern, text):
            return found.expand(sentence)
    return f"The cell stops with {name_of(type(error))}: {text}"


_SENTENCES = {
    r"Star cannot be used with filter": '`Count("*")` counts rows and takes no `filter=`: count a '
    'column, `Count("pk", filter=…)`.',
    r"Cannot (reorder|filter) a query once a slice": r"A QuerySet that has been sliced cannot be "
    r"changed any more (Django: cannot \1 it): the slice goes last.",
    r"Cannot combine queries on two different base models": "`|` and `&` join QuerySets of one "
    "model, and these are of two.",
    r"'(generator|\w*iterator|\w*tee)' object is not subscriptable": r"A \1 can be read once from "
    r"its beginning, and has no `[0]`: make it a list.",
    r"Cannot combine a unique query with a non-unique query": "One of the two QuerySets is "
    "`distinct()` and the other is not: call `distinct()` after joining them.",
    r"'QuerySet' object has no attribute '(\w+)'": r"A QuerySet has no `\1`: that belongs to one "
    r"object, and this is many. Loop over them, or take one with `.get()` or `.first()`.",
    r"'Manager' object is not callable": "`objects` is not called: `Model.objects.filter(…)`.",
}


def _field_error(text: str) -> str:
    if behind := re.match(r"Unsupported lookup '(\w+)' for (ForeignKey|ManyToMany)", text):
        return (
            f"There is no `{behind[1]}` behind that relation: the related model has no such field, "
            "and there is no such lookup."
        )
    found = re.match(r"Cannot resolve keyword '(.+?)' into field\. Choices are: (.+)", text)
    if not found:
        return f"Django cannot build this query: {text}"
    name, choices = found[1], found[2].split(", ")
    close = difflib.get_close_matches(name, choices, 1)
    guess = f" Did you mean `{close[0]}`?" if close else ""
    return f"There is no field `{name}` here.{guess} There are {', '.join(choices)}."


_LOOKUP_OF = {
    ast.Gt: "__gt", ast.GtE: "__gte", ast.Lt: "__lt", ast.LtE: "__lte", ast.Eq: "", ast.In: "__in",
}  # fmt: skip


def _name_error(text: str, name: str, code: ast.AST) -> str:
    """A name that is not defined: a field used like a variable, a typing mistake, no first cell."""
    for node in ast.walk(code):
        match node:
            case ast.Compare(left=ast.Name(id=left), ops=[operator], comparators=[value]) if (
                left == name and type(operator) in _LOOKUP_OF
            ):
                return (
                    f"`{ast.unparse(node)}` is plain Python, and there is no variable `{name}`. A "
                    "condition is a keyword: "
                    f"`{name}{_LOOKUP_OF[type(operator)]}={ast.unparse(value)}`."
                )
    return (
        f"{text[:1].upper()}{text[1:]}: import it, define it in this cell, or run the chapter's "
        "first cell."
    )


def _not_a_number(field: str, value: str, code: ast.AST) -> str:
    """A text where a key is needed, said of what the code has written."""
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").endswith("in_bulk"):
            return (
                f"`in_bulk()` takes primary keys, and {value} is none. `field_name=` makes it take "
                "the values of another unique field."
            )
    for node in ast.walk(code):
        if isinstance(node, ast.keyword) and node.arg and value in ast.unparse(node.value):
            path = node.arg.partition("__")[0]
            return (
                f"`{node.arg}` is compared with {value}, which is not a number. A foreign key "
                "holds the key of another row; two underscores lead to that row's own fields: "
                f"`{path}__…={value}`."
            )
    return (
        f"{value} is compared with a field that holds numbers. A foreign key holds the key of "
        "another row; two underscores lead to that row's own fields: `relation__field`."
    )
