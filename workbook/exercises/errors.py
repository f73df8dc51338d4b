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
    if found := re.search(r"“(.+)” value must be a decimal number", text):
        return _not_a_number("", repr(found[1]), code)
    for pattern, sentence in _SENTENCES.items():
        if found := re.search(pattern, text):
            return found.expand(sentence)
    return f"The cell stops with {name_of(type(error))}: {text}"


_SENTENCES = {
    r"Star cannot be used with filter": '`Count("*")` counts rows and takes no `filter=`: count a '
    'column, `Count("pk", filter=…)`.',
    r"Cannot (reorder|filter|update) a query once a slice": r"A QuerySet that has been sliced "
    r"cannot be changed any more (Django: cannot \1 it): the slice goes last.",
    r"Cannot combine queries on two different base models": "`|` and `&` join QuerySets of one "
    "model, and these are of two.",
    r"'(generator|\w*iterator|\w*tee)' object is not subscriptable": r"A \1 can be read once from "
    r"its beginning, and has no `[0]`: make it a list.",
    r"Cannot combine a unique query with a non-unique query": "One of the two QuerySets is "
    "`distinct()` and the other is not: call `distinct()` after joining them.",
    r"'(?:\w*QuerySet|\w*Manager)' object has no attribute 'sort": "A QuerySet is sorted by "
    "`order_by()`.",
    r"'(?:\w*QuerySet|\w*Manager)' object has no attribute 'having'": "There is no `having()`: "
    "`filter()` after `annotate()` becomes HAVING.",
    r"'(?:\w*QuerySet|\w*Manager)' object has no attribute 'group_by'": "There is no `group_by()`: "
    "`values()` before `annotate()` makes the groups.",
    r"'(?:\w*QuerySet|\w*Manager)' object has no attribute '(sum|avg|max|min|mean)'": "A QuerySet "
    "has no `\\1()`: `aggregate()` takes `Sum`, `Avg`, `Max` and `Min`.",
    r"'(\w*QuerySet|\w*Manager)' object has no attribute '(\w+)'": r"A \1 has no `\2`. If that "
    r"belongs to one object: this is many. Loop over them, or take one by `.get()` or `.first()`.",
    r"'Manager' object is not callable": "`objects` is not called: `Model.objects.filter(…)`.",
    r"type object '(\w+)' has no attribute '(filter|exclude|get|all|order_by|aggregate|annotate"
    r"|values|values_list|count|first|create|update)'": r"`\1` is the model. Its rows are behind "
    r"`\1.objects`: `\1.objects.\2(…)`.",
    r"too many values to unpack|not enough values to unpack|cannot unpack": "Something is taken "
    "apart into another number of parts than it has. A condition, for instance, is no text: it is "
    "a keyword, `price__gt=500`, or a `Q`.",
    r"Negative indexing is not supported": "A QuerySet cannot be sliced from its end: sort it the "
    "other way, and slice from the beginning.",
    r"keyword argument repeated: (\w+)": r"One call cannot take `\1` twice, and no row has both "
    r"values: use `__in`, or `Q` objects joined by `|`.",
    r"QuerySet\.(\w+)\(\) got an unexpected keyword argument '(\w+)'": r"`\1()` takes no `\2`. If "
    r"that is a condition, it goes into `filter()` first: `.filter(\2=…).\1()`.",
    r"QuerySet\.update\(\) takes 1 positional argument": "`update()` takes keywords: "
    "`update(field=value)`.",
    r"doesn't define __round__ method": "`round()` is Python's, and the value is in the database: "
    "use `Round(…, 2)` from `django.db.models.functions`.",
    r"'[<>]=?' not supported between instances of '(?:F|CombinedExpression)'": "`F` objects are "
    'not compared by an operator. A condition is a keyword: `payment__lt=F("payment_due")`.',
    r"unsupported operand type.*'str'|can't multiply sequence by non-int": "A text cannot be "
    'computed with. The value of a column is `F("…")`: `F("price") * F("stock")`.',
    r"The annotation '(\w+)' conflicts with a field on the model": r"The model has a field `\1` "
    r"already: give the annotation another name.",
    r"Calling QuerySet\.(\w+)\(\) after (\w+)\(\) is not supported": r"After `\2()` there is no "
    r"`\1()`: call it on each QuerySet before they are joined.",
    r"(\w+) has no field named '(\w+)'": r"`\1` has no field `\2`.",
}


def _field_error(text: str) -> str:
    if behind := re.match(r"Unsupported lookup '(\w+)' for (ForeignKey|ManyToMany)", text):
        return (
            f"There is no `{behind[1]}` behind that relation: the related model has no such field, "
            "and there is no such lookup."
        )
    if lookup := re.match(r"Unsupported lookup '(\w+)' for (\w+).*?(?:you meant (.+)\?)?$", text):
        guess = f" Did you mean `{lookup[3].replace(' or ', '` or `')}`?" if lookup[3] else ""
        return f"There is no lookup `{lookup[1]}` for a {lookup[2]}.{guess}"
    if found := re.match(r"Non-relational field given in select_related: '(\w+)'", text):
        return (
            f"`select_related()` takes relations, and `{found[1]}` is a column: the relation that "
            "leads to it brings all its columns."
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
            case ast.Compare(comparators=[_, _, *_]) if name in names_in(node):
                return (
                    f"`{ast.unparse(node)}` is plain Python, and there is no variable `{name}`. A "
                    f"condition is a keyword, one for each limit: `{name}__gte=…, {name}__lt=…`."
                )
            case ast.keyword(arg=str(argument), value=value) if name in _columns_in(value):
                return (
                    f"There is no variable `{name}`. If the value of that column is meant, write "
                    f'`F("{name}")`: `{argument}={_with_f(value, name)}`.'
                )
    return (
        f"{text[:1].upper()}{text[1:]}: import it, define it in this cell, or run the chapter's "
        "first cell."
    )


def names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _columns_in(node: ast.AST) -> set[str]:
    """The names that may be columns: what is called is a function or a class."""
    called = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    return names_in(node) - {func.id for func in called if isinstance(func, ast.Name)}


def _with_f(value: ast.expr, name: str) -> str:
    return re.sub(rf"\b{name}\b", f'F("{name}")', ast.unparse(value))


def _not_a_number(field: str, value: str, code: ast.AST) -> str:
    """A text where a number is needed, said of what the code has written."""
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call)]
    if any(getattr(call.func, "attr", "").endswith("in_bulk") for call in calls):
        return (
            f"`in_bulk()` takes primary keys, and {value} is none. `field_name=` makes it take "
            "the values of another unique field."
        )
    keyword = next(
        (
            node
            for node in ast.walk(code)
            if isinstance(node, ast.keyword) and node.arg and value in ast.unparse(node.value)
        ),
        None,
    )
    if "DeferredAttribute" in value:
        return (
            "A field of the class, `Product.price`, is not the value of a row: the value of a "
            'column is `F("price")`.'
        )
    name = f"`{keyword.arg}`" if keyword else "A field that holds numbers"
    if field == "id" and not (keyword and keyword.arg in ("pk", "id")):
        path = f"{keyword.arg.partition('__')[0]}__…={value}" if keyword else "relation__field"
        return (
            f"{name} is compared with {value}, which is not a number. A foreign key holds the key "
            f"of another row; two underscores lead to that row's own fields: `{path}`."
        )
    found = re.match(r"'([a-z_]+)\b", value)
    column = ""
    if found:
        column = f' The value of a column is `F("{found[1]}")`, without it this is only a text.'
    return f"{name} needs a number, and {value} is none.{column}"
