"""The learner's own code with one thing changed, so that it is right: that thing is the mistake.

"Your answer would be right with another lookup in `price__gte=500`." True by construction, however
the rest of the answer is written. What may be changed is what mutation/ knows; what a learner's
code lacks, or has another of, comes from the model answer.
"""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Model

from workbook.exercises import syntax
from workbook.exercises.declaration import Exercise
from workbook.exercises.mutation import conditions, expressions, fields, groups, order
from workbook.exercises.mutation.change import Change, Rule
from workbook.exercises.running import Cell
from workbook.exercises.syntax import Code


@dataclass(frozen=True)
class Repair:
    """A change of a learner's code. advice: to be read after "Your answer would be right"."""

    advice: str
    answer: Cell


def repairs(exercise: Exercise, cell: Cell) -> Iterator[Repair]:
    """The cell with one thing changed, each result once, the likelier mistakes first."""
    code, model = Code(cell.tree, cell.namespace), Code.of(exercise.answer)
    seen = {ast.unparse(code.tree)}
    for node, change in _changes(code, model):
        tree = deepcopy(code.tree, {id(node): change.node})
        text = ast.unparse(ast.fix_missing_locations(tree))
        if text not in seen:
            seen.add(text)
            yield Repair(change.words, cell.rewritten(tree, model.names))


def _changes(code: Code, model: Code) -> Iterator[tuple[ast.AST, Change]]:
    """Nodes of the learner's code, each with what might stand there."""
    (first, words), *rules = _WORDS.items()
    yield from _by_rule(code, first, words)
    for part in _PARTS:
        for node in code.nodes:
            for change in part(code, node, model):
                yield node, change
    for rule, words in rules:
        yield from _by_rule(code, rule, words)


def _by_rule(code: Code, rule: Rule, words: Callable) -> Iterator[tuple[ast.AST, Change]]:
    for node in code.nodes:
        for change in rule(code, node):
            yield node, Change(change.node, words(code, node, change))


def shown(node: ast.AST) -> str:
    """A part of the code, as one would write it."""
    text = ast.unparse(node)
    return text if '"' in text else text.replace("'", '"')


# What the rules of mutation/ change, in words for whoever wrote it --------------------------


def _as_said(code: Code, node: ast.AST, change: Change) -> str:
    return change.words


def _if(code: Code, node: ast.AST, change: Change) -> str:
    """ "when `values()` comes first" as "if `values()` came first"."""
    words = change.words.replace("when ", "if ", 1)
    for now, then in ((" is ", " were "), (" are ", " were "), (" comes ", " came "),
                      (" filters ", " filtered "), (" may ", " might "), (" has to ", " had to "),
                      (" have to ", " had to ")):  # fmt: skip
        words = words.replace(now, then)
    return words


def _other(what: str) -> Callable[[Code, ast.AST, Change], str]:
    """ "with another lookup in `price__gte=500`"."""
    return lambda code, node, change: f"with another {what} `{_called(node)}`"


def _called(node: ast.AST) -> str:
    """The call without what it is called on: `order_by("name")`, `[:5]`."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)):
            return shown(ast.Call(ast.Name(name), node.args, node.keywords))
        case ast.Subscript(slice=part):
            return f"[{shown(part)}]"
    return shown(node)


_WORDS: dict[Rule, Callable[[Code, ast.AST, Change], str]] = {
    conditions.condition_dropped: _as_said,
    conditions.filters_chained: _if,
    groups.distinct_toggled: _as_said,
    conditions.and_or: _if,
    groups.keyword_dropped: _as_said,
    conditions.condition_reversed: _if,
    order.slice_moved: _other("slice than"),
    order.order_changed: _other("order than"),
    order.other_end: _other("end than that of"),
    groups.calls_swapped: _if,
    groups.condition_moved: _if,
    conditions.lookup_swapped: _other("lookup in"),
    fields.field_swapped: _other("field in"),
    groups.aggregate_changed: _other("aggregate than"),
    expressions.expression_changed: _other("calculation than"),
    expressions.python_changed: _as_said,
}


# What the model answer has, and the learner's code has another of -----------------------------


def _other_condition(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    """A condition or an option of the model answer in place of one of the learner's."""
    if not isinstance(node, ast.keyword) or not node.arg:
        return
    condition = syntax.is_condition(code, node)
    path = code.field_name(node)
    for other in model.nodes:
        if not isinstance(other, ast.keyword) or not other.arg or not _stands_alone(other, model):
            continue
        if other.arg == node.arg and code.rows_of(node.value) is None:
            yield Change(other, f"with another value than `{shown(node.value)}` for `{node.arg}`")
        elif condition and syntax.is_condition(model, other):
            what = "lookup in" if model.field_name(other) == path else "condition than"
            yield Change(other, f"with another {what} `{shown(node)}`")


def _other_start(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    if _is_start(code, node):
        for other in model.nodes:
            if _is_start(model, other) and model.rows_of(other) is not code.rows_of(node):
                yield Change(other, f"if it started from `{shown(other)}`")


def _other_arguments(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    if name := syntax.method(node, "order_by", "values", "values_list"):
        what = "order than" if name == "order_by" else "columns than"
        for other in model.nodes:
            if syntax.method(other, name) and _stands_alone(other, model):
                part = syntax.changed(node, args=other.args, keywords=other.keywords)
                yield Change(part, f"with another {what} `{_called(node)}`")


def _other_aggregate(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    if syntax.function(node, *fields.AGGREGATES):
        for other in model.nodes:
            if syntax.function(other, *fields.AGGREGATES) and _stands_alone(other, model):
                yield Change(other, f"with another aggregate than `{shown(node)}`")


def _other_slice(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    if _is_slice(node):
        for other in filter(_is_slice, model.nodes):
            part = ast.Subscript(node.value, other.slice, ast.Load())
            yield Change(part, f"with another slice than `{_called(node)}`")


def _other_value(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    """Another attribute, number or text in what Python does."""
    for other in model.nodes:
        if _is_read(code, node) and _is_read(model, other):
            part = ast.Attribute(node.value, other.attr, node.ctx)
            yield Change(part, f"with another attribute than `{shown(node)}`")
        elif (
            isinstance(node, ast.Constant)
            and isinstance(other, ast.Constant)
            and type(other.value) is type(node.value)
            and not isinstance(code.parents[id(node)], ast.keyword)
        ):
            yield Change(other, f"with another value than `{shown(node)}`")


# Slips that need nothing of the model answer ---------------------------------------------------


def _kept_in_loop(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    """`total = …` in a loop for `total += …`, and `q | Q(…)` for `q |= Q(…)`."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name) as target], value=value) if any(
            isinstance(outer, ast.For) for outer in code.ancestors(node)
        ):
            for kind, sign in ((ast.Add, "+="), (ast.BitOr, "|=")):
                part = ast.AugAssign(target, kind(), value)
                yield Change(part, f"with `{name} {sign} …` in the loop")
        case ast.Expr(value=ast.BinOp(left=ast.Name(id=name), op=operator, right=value)):
            part = ast.AugAssign(ast.Name(name, ast.Store()), operator, value)
            yield Change(part, f"if `{name}` kept what `{shown(node)}` gives")


def _parentheses(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.BinOp(op=ast.BitAnd()) as both):
            either = ast.BinOp(left, ast.BitOr(), both.left)
            yield Change(
                ast.BinOp(either, ast.BitAnd(), both.right),
                f"with parentheses around `{shown(either)}`: `&` binds more tightly than `|`",
            )


def _swapped(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    """Two things, each in the other's place: queries, options, texts."""
    if (name := syntax.method(node, "difference")) and len(node.args) == 1:
        turned = syntax.call(node.args[0], name, node.func.value)
        yield Change(turned, "with the two queries of `difference()` in each other's place")
    keywords = [one for one in getattr(node, "keywords", ()) if one.arg]
    for one, other in combinations(keywords, 2):
        turned = {one: ast.keyword(one.arg, other.value), other: ast.keyword(other.arg, one.value)}
        part = syntax.changed(node, keywords=[turned.get(k, k) for k in node.keywords])
        yield Change(part, f"with the values of `{one.arg}` and `{other.arg}` swapped")
    if node is code.tree:
        yield from _swapped_texts(code)


def _swapped_texts(code: Code) -> Iterator[Change]:
    texts: dict[str, list[ast.Constant]] = {}
    for node in code.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.setdefault(node.value, []).append(node)
    for one, other in combinations(texts, 2):
        memo = {id(node): syntax.text(other) for node in texts[one]}
        memo |= {id(node): syntax.text(one) for node in texts[other]}
        words = f'with `"{one}"` and `"{other}"` in each other\'s place'
        yield Change(deepcopy(code.tree, memo), words)


# What the model answer has, and the learner's code lacks ---------------------------------------


def _added_call(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    """A condition or an order, right after `Product.objects`."""
    if not _is_start(code, node):
        return
    for other in model.nodes:
        name = syntax.method(other, "filter", "exclude", "get", "order_by")
        if not name or not _fits(code.rows_of(node), model.rows_of(other), other):
            continue
        if name == "order_by" and other.args and _stands_alone(other, model):
            yield Change(syntax.call(node, name, *other.args), "with an order: `order_by()`")
        elif name != "order_by":
            call = syntax.call(node, "exclude" if name == "exclude" else "filter")
            for args, keywords in [([one], []) for one in other.args] + [
                ([], [one]) for one in other.keywords
            ]:
                part = syntax.changed(call, args=args, keywords=keywords)
                if all(_stands_alone(one, model) for one in (*args, *keywords)):
                    fields = model.conditions_in((args + keywords)[0])
                    yield Change(part, f"with a condition on {fields} as well")


def _fits(mine: type[Model], theirs: type[Model] | None, call: ast.Call) -> bool:
    """Whether a call on rows of their model makes sense on rows of mine."""
    names = [one.arg for one in call.keywords]
    return mine is theirs or (
        bool(names)
        and not call.args
        and all(name and syntax.resolve(mine, name)[0] for name in names)
    )


def _added_end(code: Code, node: ast.AST, model: Code) -> Iterator[Change]:
    """`distinct()` or a slice, at the end of the last line."""
    last = code.tree.body[-1]
    if isinstance(last, ast.Expr) and last.value is node and code.rows_of(node):
        yield Change(syntax.call(node, "distinct"), "with `distinct()`")
        for other in filter(_is_slice, model.nodes):
            yield Change(ast.Subscript(node, other.slice, ast.Load()), "with a slice")


_PARTS = (
    _other_condition,
    _kept_in_loop,
    _parentheses,
    _swapped,
    _other_arguments,
    _other_aggregate,
    _other_slice,
    _other_start,
    _other_value,
    _added_call,
    _added_end,
)


# Looking at nodes -------------------------------------------------------------------------------


def _is_start(code: Code, node: ast.AST) -> bool:
    """Whether this is `Product.objects`."""
    return isinstance(node, ast.Attribute) and node.attr == "objects" and bool(code.rows_of(node))


def _is_slice(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)


def _is_read(code: Code, node: ast.AST) -> bool:
    """Whether this is an attribute that is a value, and not a method or a manager."""
    if not isinstance(node, ast.Attribute) or node.attr == "objects":
        return False
    outer = code.parents.get(id(node))
    return not (isinstance(outer, ast.Call) and outer.func is node)


def _stands_alone(node: ast.AST, model: Code) -> bool:
    """Whether a part of the model answer means the same elsewhere: it uses no local names."""
    bound = {
        inner.id
        for inner in model.nodes
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }
    return not any(isinstance(inner, ast.Name) and inner.id in bound for inner in ast.walk(node))
