"""An answer's code as a syntax tree: reading it, and building the nodes of another.

mutation/ changes model answers with it, repair.py what a learner has written.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Field, Model, QuerySet
from django.db.models.sql import Query

from workbook.exercises.declaration import Answer, tree_of, written

# A lookup in words.
LOOKUPS = {
    "": "is {}",
    "exact": "is {}",
    "iexact": "is {} in any letter case",
    "gt": "is greater than {}",
    "gte": "is {} or greater",
    "lt": "is less than {}",
    "lte": "is {} or less",
    "contains": "contains {} in this letter case",
    "icontains": "contains {} in any letter case",
    "startswith": "begins with {} in this letter case",
    "istartswith": "begins with {} in any letter case",
    "endswith": "ends in {} in this letter case",
    "iendswith": "ends in {} in any letter case",
    "in": "is one of {}",
    "range": "is between {}, both ends included",
    "isnull": "is NULL: {}",
}


FILTERS = ("filter", "exclude", "get", "aget")


# Reading an answer ---------------------------------------------------------------------------


class Code:
    """An answer's syntax tree, and which model a part of it asks for.

    names: what the code finds defined, such as the models.
    """

    def __init__(self, tree: ast.AST, names: Mapping[str, Any]) -> None:
        self.names = names
        self.tree = tree
        self.nodes = list(ast.walk(self.tree))
        self.parents = {
            id(child): node for node in self.nodes for child in ast.iter_child_nodes(node)
        }
        self.assigned: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.assigned.setdefault(target.id, []).append(node.value)

    @classmethod
    def of(cls, answer: Answer) -> "Code":
        """The code of a declared answer."""
        return cls(tree_of(answer), written(answer).__globals__)

    def function(self, tree: ast.AST) -> Answer:
        """The tree as a function that can be called."""
        names = {**vars(models), **vars(models.functions), **self.names}
        exec(compile(ast.Module([tree], []), "<neighbour>", "exec"), names)
        return names[tree.name]

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while (node := self.parents.get(id(node))) is not None:
            yield node

    def model(self, node: ast.AST) -> type[Model] | None:
        """The model whose rows this expression gives, or whose fields are named in it."""
        if found := self.rows_of(node):
            return found
        for outer in self.ancestors(node):
            match outer:
                case ast.Call(func=ast.Attribute(value=inner)) if found := self.rows_of(inner):
                    return found
        starts = {found for node in self.nodes if (found := self.rows_of(node))}
        return starts.pop() if len(starts) == 1 else None

    def rows_of(self, node: ast.AST) -> type[Model] | None:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr="objects" | "_base_manager"):
                found = self.names.get(name)
                return found if isinstance(found, type) and issubclass(found, Model) else None
            case ast.Call(func=ast.Attribute(value=inner, attr=method)):
                return self.rows_of(inner) if hasattr(QuerySet, method) else None
            case ast.Subscript(value=inner) | ast.Await(value=inner) | ast.BinOp(left=inner):
                return self.rows_of(inner)
            case ast.Name(id=name):
                values = self.assigned.get(name, [])
                return self.rows_of(values[0]) if values and values[0] is not node else None
        return None

    def conditions_in(self, node: ast.AST) -> str:
        """The fields that an expression puts conditions on: "`price` and `stock`"."""
        found: dict[str, None] = {}
        for inner in ast.walk(node):
            if isinstance(inner, ast.keyword) and inner.arg:
                found[self.field_name(inner)] = None
            elif isinstance(inner, ast.Name):
                for value in self.assigned.get(inner.id, []):
                    for part in ast.walk(value):
                        if isinstance(part, ast.keyword) and part.arg:
                            found[self.field_name(part)] = None
        return listed(found) if found else f"`{ast.unparse(node)}`"

    def field_name(self, keyword: ast.keyword) -> str:
        """A condition's path without its lookup: `price` of `price__gte=100`."""
        path, _ = self.split(keyword, keyword.arg)
        return path

    def split(self, node: ast.AST, name: str) -> tuple[str, str]:
        """`customer__name__istartswith` as ("customer__name", "istartswith")."""
        model = self.model(node)
        rest = resolve(model, name)[1] if model else []
        if not rest and name.rpartition("__")[2] in LOOKUPS:  # an annotation's
            rest = [name.rpartition("__")[2]]
        if not rest or rest == name.split("__"):
            path, _, lookup = name.rpartition("__")
            return (path, lookup) if path and lookup in LOOKUPS else (name, "")
        lookup = "__".join(rest)
        return name.removesuffix(f"__{lookup}"), lookup


def resolve(model: type[Model], path: str) -> tuple[Field | None, list[str]]:
    """The field at the end of a path, and what follows it: transforms and a lookup."""
    parts = path.split("__")
    if parts[0] == "pk":
        return model._meta.pk, parts[1:]
    try:
        _, field, _, rest = Query(model).names_to_path(parts, model._meta)
    except FieldError:
        return None, parts
    return field, list(rest)


def listed(names: Any) -> str:
    """ "`a`", "`a` and `b`", "`a`, `b` and `c`"."""
    *most, last = [f"`{name}`" for name in dict.fromkeys(names)]
    return f"{', '.join(most)} and {last}" if most else last


def is_q(code: Code, node: ast.AST) -> bool:
    """Whether the expression is made of Q objects."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.BitXor()):
            return is_q(code, left)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return is_q(code, operand)
        case ast.Name(id=name):
            return any(is_q(code, value) for value in code.assigned.get(name, []))
    return bool(function(node, "Q", "Exists"))


def is_condition(code: Code, keyword: ast.keyword) -> bool:
    """Whether a keyword is one of `filter()` and its like, or of a Q."""
    call = code.parents[id(keyword)]
    return bool(method(call, *FILTERS) or function(call, "Q"))


def leads_to_many(model: type[Model], path: str) -> bool:
    """Whether a relation on this path can have several rows."""
    for name in path.split("__"):
        try:
            field = model._meta.get_field(name)
        except Exception:
            return False
        if field.many_to_many or field.one_to_many:
            return True
        if not field.is_relation:
            return False
        model = field.related_model
    return False


def is_grouped(code: Code, node: ast.AST) -> bool:
    """Whether `annotate()` follows this call: then its columns make the groups."""
    outer = code.parents.get(id(node))
    while isinstance(outer, ast.Attribute):
        call = code.parents[id(outer)]
        if method(call, "annotate", "alias"):
            return True
        outer = code.parents.get(id(call))
    return False


# Building nodes ------------------------------------------------------------------------------


def method(node: ast.AST, *names: str) -> str:
    """The name of the QuerySet method that this node calls, "" if it is no call of one."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if hasattr(QuerySet, name):
            return name if not names or name in names else ""
    return ""


def function(node: ast.AST, *names: str) -> str:
    """The name of the function or class that this node calls: `Q`, `Count`."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names:
            return name
    return ""


def call(value: ast.expr, method: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    return ast.Call(
        ast.Attribute(value, method, ast.Load()),
        list(args),
        [ast.keyword(name, value) for name, value in keywords.items()],
    )


def changed(node: ast.Call, *, args: list | None = None, keywords: list | None = None) -> ast.Call:
    """The call with other arguments."""
    return ast.Call(
        node.func,
        node.args if args is None else args,
        node.keywords if keywords is None else keywords,
    )


def without(node: ast.Call, part: ast.AST) -> ast.Call:
    """The call with one argument less."""
    return changed(
        node,
        args=[one for one in node.args if one is not part],
        keywords=[one for one in node.keywords if one is not part],
    )


def renamed(node: ast.Call, name: str) -> ast.Call:
    """The call of another function or method, with the same arguments."""
    match node.func:
        case ast.Attribute(value=value):
            func: ast.expr = ast.Attribute(value, name, ast.Load())
        case _:
            func = ast.Name(name, ast.Load())
    return ast.Call(func, node.args, node.keywords)


def q(*conditions: ast.keyword) -> ast.Call:
    return ast.Call(ast.Name("Q", ast.Load()), [], list(conditions))


def joined(operator: ast.operator, parts: list[ast.expr]) -> ast.expr:
    first, *rest = parts
    for part in rest:
        first = ast.BinOp(first, operator, part)
    return first


def text(value: str) -> ast.Constant:
    return ast.Constant(value)


def as_q(part: ast.AST) -> ast.expr:
    return q(part) if isinstance(part, ast.keyword) else part


def node_of(parts: list) -> ast.AST:
    """Several parts under one roof, to be walked through together."""
    return ast.Module(parts, [])


def short(node: ast.AST) -> str:
    """The code of a node, if it fits into a sentence."""
    text = ast.unparse(node)
    return text if len(text) < 20 else "…"
