"""Conditions: left out, reversed, of another lookup, joined otherwise."""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy

from workbook.exercises import syntax
from workbook.exercises.mutation.change import Change
from workbook.exercises.mutation.fields import TEXTS


def condition_dropped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if syntax.method(node, *syntax.FILTERS):
        parts = [*node.args, *node.keywords]
        for part in parts:
            if len(parts) > 1:
                yield Change(
                    syntax.without(node, part),
                    f"without the condition on {code.conditions_in(part)}",
                )
            elif node.func.attr in ("filter", "exclude"):
                yield Change(
                    node.func.value, f"without the condition on {code.conditions_in(part)}"
                )
    elif syntax.function(node, "Q") and len(node.keywords) > 1:
        for part in node.keywords:
            yield Change(
                syntax.without(node, part), f"without the condition on {code.conditions_in(part)}"
            )
    elif syntax.is_q(code, node) and isinstance(node, ast.BinOp):
        for kept, dropped in ((node.left, node.right), (node.right, node.left)):
            yield Change(kept, f"without the condition on {code.conditions_in(dropped)}")


def every_condition_dropped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if node is not code.tree:
        return
    calls = [one for one in code.nodes if syntax.method(one, "filter", "exclude")]
    parts = sum(len(call.args) + len(call.keywords) for call in calls)
    if parts < 2:
        return
    memo: dict[int, ast.AST] = {}
    for call in reversed(calls):  # inner ones first
        memo[id(call)] = deepcopy(call.func.value, memo)
    yield Change(deepcopy(node, memo), "without any condition")


def condition_reversed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if method := syntax.method(node, "filter", "exclude"):
        parts = [*node.args, *node.keywords]
        fields = code.conditions_in(syntax.node_of(parts))
        condition = "condition" if len(parts) == 1 else "conditions"
        verb = "is" if len(parts) == 1 else "are"
        yield Change(
            syntax.renamed(node, "exclude" if method == "filter" else "filter"),
            f"when the {condition} on {fields} {verb} reversed",
        )
        if len(parts) > 1:
            for part in parts:
                reversed_ = ast.UnaryOp(ast.Invert(), syntax.as_q(part))
                rest = syntax.without(node, part)
                yield Change(
                    syntax.changed(rest, args=[*rest.args, reversed_]),
                    f"when the condition on {code.conditions_in(part)} is reversed",
                )
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield Change(
            node.operand, f"when the condition on {code.conditions_in(node.operand)} is reversed"
        )
    elif syntax.function(node, "Q", "Exists") and node.args + node.keywords:
        parent = code.parents[id(node)]
        if isinstance(parent, ast.BinOp):
            yield Change(
                ast.UnaryOp(ast.Invert(), node),
                f"when the condition on {code.conditions_in(node)} is reversed",
            )


# The lookups that a lookup is taken for.
_TAKEN_FOR = {
    "gt": ("gte", "lt", "lte"),
    "gte": ("gt", "lt", "lte"),
    "lt": ("lte", "gt", "gte"),
    "lte": ("lt", "gt", "gte"),
    "iexact": ("exact", "istartswith", "icontains", "iendswith"),
    "contains": ("icontains", "startswith", "istartswith", "endswith", "exact", "iexact"),
    "icontains": ("contains", "startswith", "istartswith", "iendswith", "exact", "iexact"),
    "startswith": ("istartswith", "contains", "icontains", "endswith", "exact", "iexact"),
    "istartswith": ("startswith", "contains", "icontains", "iendswith", "exact", "iexact"),
    "endswith": ("iendswith", "contains", "icontains", "startswith", "exact"),
    "iendswith": ("endswith", "contains", "icontains", "istartswith", "iexact"),
}
_TRANSFORMS = {"iso_week_day": "week_day", "week_day": "iso_week_day", "iso_year": "year"}


def lookup_swapped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if not (isinstance(node, ast.keyword) and node.arg and syntax.is_condition(code, node)):
        return
    path, lookups = code.split(node, node.arg)
    *transforms, last = lookups.split("__")
    before = "__".join([path, *transforms])
    value = ast.unparse(node.value)

    def swapped(lookup: str, value_node: ast.expr = node.value) -> ast.keyword:
        return ast.keyword("__".join(filter(None, [before, lookup])), value_node)

    taken_for = _TAKEN_FOR.get(last, ())
    if not lookups:
        model = code.model(node)
        field = syntax.resolve(model, path)[0] if model else None
        in_part = isinstance(field, TEXTS) and not field.unique
        taken_for = ("icontains",) if in_part else ()
    for lookup in taken_for:
        if lookup != (last or "exact"):
            words = syntax.LOOKUPS[lookup].format(f"`{value}`")
            yield Change(swapped("" if lookup == "exact" else lookup), f"when `{before}` {words}")
    for transform in [part for part in lookups.split("__") if part in _TRANSFORMS]:
        other = _TRANSFORMS[transform]
        name = node.arg.replace(f"__{transform}", f"__{other}")
        yield Change(ast.keyword(name, node.value), f"with `{other}` for `{transform}`", other)
    match last, node.value:
        case "isnull", ast.Constant(value=bool(yes)):
            words = "has a value" if yes else "is NULL"
            yield Change(swapped("isnull", ast.Constant(not yes)), f"when `{before}` {words}")
        case "in", ast.List(elts=[_, _, *_] as items) | ast.Tuple(elts=[_, _, *_] as items):
            for item in items:
                kept = ast.List([one for one in items if one is not item], ast.Load())
                yield Change(
                    swapped("in", kept), f"when `{ast.unparse(item)}` is not among the values"
                )


def range_ends(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """`price__range=(a, b)` against `gt`, `gte`, `lt`, `lte`: which of the ends belong to it."""
    for name, args, keywords in _calls_with_conditions(node):
        for keyword in keywords:
            path, lookup = code.split(keyword, keyword.arg) if keyword.arg else ("", "")
            if lookup != "range":
                continue
            match keyword.value:
                case ast.Tuple(elts=[low, high]) | ast.List(elts=[low, high]):
                    pass
                case value:
                    low, high = (
                        ast.Subscript(value, ast.Constant(end), ast.Load()) for end in (0, 1)
                    )
            for first, last, words in (
                ("gt", "lt", "when both ends of the range are left out"),
                ("gte", "lt", "when the upper end of the range is left out"),
                ("gt", "lte", "when the lower end of the range is left out"),
            ):
                ends = [
                    ast.keyword(f"{path}__{first}", low),
                    ast.keyword(f"{path}__{last}", high),
                ]
                rest = [one for one in keywords if one is not keyword]
                yield Change(ast.Call(name, args, [*rest, *ends]), words)
            rest = [one for one in keywords if one is not keyword]
            pair = ast.keyword(f"{path}__in", ast.Tuple([low, high], ast.Load()))
            yield Change(
                ast.Call(name, args, [*rest, pair]),
                f"when `{path}` is one of the two limits",
            )


def _calls_with_conditions(node: ast.AST) -> Iterator[tuple[ast.expr, list, list]]:
    if syntax.method(node, *syntax.FILTERS) or syntax.function(node, "Q"):
        yield node.func, node.args, node.keywords


def and_or(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """`|` for `&`, for the comma, and for `^`."""
    words = {
        ast.BitOr: "when one of the conditions on {} is enough",
        ast.BitAnd: "when the conditions on {} have to hold together",
        ast.BitXor: "when exactly one of the conditions on {} has to hold",
    }
    signs = {ast.BitOr: r"\||\bOR\b", ast.BitAnd: "", ast.BitXor: r"\^|\bXOR\b"}
    match node:
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.BitXor()):
            both = code.conditions_in(node)
            for kind, sentence in words.items():
                if not isinstance(node.op, kind):
                    yield Change(
                        ast.BinOp(node.left, kind(), node.right),
                        sentence.format(both),
                        "" if kind is ast.BitOr else signs[kind],
                    )
        case ast.AugAssign(op=ast.BitOr() | ast.BitAnd() | ast.BitXor()):
            both = code.conditions_in(node.value)
            for kind, sentence in words.items():
                if not isinstance(node.op, kind):
                    yield Change(
                        ast.AugAssign(node.target, kind(), node.value),
                        sentence.format(both),
                        "" if kind is ast.BitOr else signs[kind],
                    )
            yield Change(
                ast.Assign([node.target], node.value), "when only the last condition counts"
            )
    if syntax.method(node, "filter", "exclude") or syntax.function(node, "Q"):
        parts = [*node.args, *node.keywords]
        if len(parts) > 1:
            either = syntax.joined(ast.BitOr(), [syntax.as_q(part) for part in parts])
            yield Change(
                syntax.changed(node, args=[either], keywords=[]),
                words[ast.BitOr].format(code.conditions_in(syntax.node_of(parts))),
            )


def half_of_an_or(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """`a | b & c` where `(a | b) & c` is meant."""
    pairs: list[tuple[ast.BinOp, ast.expr, Callable]] = []
    if syntax.method(node, "filter", "exclude"):
        ors = [one for one in node.args if _is_or(code, one)]
        for one in ors:
            for other in [*node.args, *node.keywords]:
                if other is not one:
                    rest = syntax.without(syntax.without(node, one), other)
                    pairs.append(
                        (
                            _or_itself(code, one),
                            syntax.as_q(other),
                            lambda new, rest=rest: syntax.changed(rest, args=[*rest.args, new]),
                        )
                    )
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            for one, other in ((left, right), (right, left)):
                if _is_or(code, one):
                    pairs.append((_or_itself(code, one), other, lambda new: new))
    for either, other, build in pairs:
        for kept, narrowed in ((either.left, either.right), (either.right, either.left)):
            new = ast.BinOp(kept, ast.BitOr(), ast.BinOp(narrowed, ast.BitAnd(), other))
            yield Change(
                build(new),
                f"when the condition on {code.conditions_in(other)} holds only for the half with "
                f"{code.conditions_in(narrowed)}",
            )


def _or_itself(code: syntax.Code, node: ast.AST) -> ast.BinOp:
    return node if isinstance(node, ast.BinOp) else code.assigned[node.id][0]


def _is_or(code: syntax.Code, node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.BitOr()):
            return syntax.is_q(code, node)
        case ast.Name(id=name):
            values = code.assigned.get(name, [])
            return len(values) == 1 and isinstance(values[0], ast.BinOp) and _is_or(code, values[0])
    return False


def filters_chained(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """Over a to-many relation `filter(a, b)` asks for one row with both, `.filter(a).filter(b)`
    for two rows."""
    if not syntax.method(node, "filter"):
        return
    parts = [*node.args, *node.keywords]
    many = [part for part in parts if _spans_many(code, part)]
    if len(many) > 1:
        chain = node.func.value
        for part in parts:
            chain = syntax.call(chain, "filter")
            chain = syntax.changed(chain, args=[syntax.as_q(part)])
        yield Change(chain, "when each condition may be met by another row: `.filter(…).filter(…)`")
    before = node.func.value
    if many and syntax.method(before, "filter"):
        inner = [*before.args, *before.keywords]
        if any(_spans_many(code, part) for part in inner):
            merged = syntax.changed(
                before,
                args=[*before.args, *node.args],
                keywords=[*before.keywords, *node.keywords],
            )
            yield Change(merged, "when one row has to meet all conditions: `.filter(…, …)`")


def _spans_many(code: syntax.Code, part: ast.AST) -> bool:
    """Whether a condition looks along a relation to many rows."""
    model = code.model(part)
    paths = [one.arg for one in ast.walk(part) if isinstance(one, ast.keyword) and one.arg]
    return model is not None and any(syntax.leads_to_many(model, path) for path in paths)
