"""The model answer's neighbours: the same code with one thing changed, and the words for it.

A learner's answer that gives on both shops what a neighbour gives has the neighbour's mistake, or
one that comes to the same: "These are the products you get without the condition on `price`."
True by construction. checker.py compares; this file takes the model answer apart.

A rule looks at one node of the model answer's syntax tree and yields what could stand there
instead, each with its words. A new kind of mistake is a new rule.
"""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Field, Model

from workbook.exercises import syntax
from workbook.exercises.declaration import Answer, Exercise


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


@dataclass(frozen=True)
class Change:
    """What a rule proposes: another node, and its words."""

    node: ast.AST
    words: str
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


# Conditions ----------------------------------------------------------------------------------

Rule = Callable[[syntax.Code, Any], Iterator[Change]]

_FILTERS = ("filter", "exclude", "get", "aget")


def _as_q(part: ast.AST) -> ast.expr:
    return syntax.q(part) if isinstance(part, ast.keyword) else part


def condition_dropped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if syntax.method(node, *_FILTERS):
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
    elif _is_q(code, node) and isinstance(node, ast.BinOp):
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
        fields = code.conditions_in(node_of(parts))
        condition = "condition" if len(parts) == 1 else "conditions"
        verb = "is" if len(parts) == 1 else "are"
        yield Change(
            syntax.renamed(node, "exclude" if method == "filter" else "filter"),
            f"when the {condition} on {fields} {verb} reversed",
        )
        if len(parts) > 1:
            for part in parts:
                reversed_ = ast.UnaryOp(ast.Invert(), _as_q(part))
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


def node_of(parts: list) -> ast.AST:
    """Several parts under one roof, to be walked through together."""
    return ast.Module(parts, [])


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
    if not (isinstance(node, ast.keyword) and node.arg and is_condition(code, node)):
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
        in_part = isinstance(field, _TEXTS) and not field.unique
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
    if syntax.method(node, *_FILTERS) or syntax.function(node, "Q"):
        yield node.func, node.args, node.keywords


def is_condition(code: syntax.Code, keyword: ast.keyword) -> bool:
    call = code.parents[id(keyword)]
    return bool(syntax.method(call, *_FILTERS) or syntax.function(call, "Q"))


def _is_q(code: syntax.Code, node: ast.AST) -> bool:
    """Whether the expression is made of Q objects."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.BitXor()):
            return _is_q(code, left)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return _is_q(code, operand)
        case ast.Name(id=name):
            return any(_is_q(code, value) for value in code.assigned.get(name, []))
    return bool(syntax.function(node, "Q", "Exists"))


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
            either = syntax.joined(ast.BitOr(), [_as_q(part) for part in parts])
            yield Change(
                syntax.changed(node, args=[either], keywords=[]),
                words[ast.BitOr].format(code.conditions_in(node_of(parts))),
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
                            _as_q(other),
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
            return _is_q(code, node)
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
            chain = syntax.changed(chain, args=[_as_q(part)])
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
    return model is not None and any(_leads_to_many(model, path) for path in paths)


def _leads_to_many(model: type[Model], path: str) -> bool:
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


# Fields --------------------------------------------------------------------------------------

_TEXTS = (models.CharField, models.TextField)
_KINDS = (
    (models.DecimalField, models.FloatField),
    (models.IntegerField,),
    (models.DateTimeField,),
    (models.DateField,),
    _TEXTS,
)
AGGREGATES = ("Count", "Sum", "Avg", "Max", "Min", "StdDev", "Variance", "AnyValue", "StringAgg")


def field_swapped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """`created_at` for `issued_at`, in conditions, orders, groups and aggregates."""
    if isinstance(node, ast.keyword) and node.arg and is_condition(code, node):
        path, lookup = code.split(node, node.arg)
        for other in _fields_like(code.model(node), path):
            name = f"{other}__{lookup}" if lookup else other
            yield Change(
                ast.keyword(name, node.value), f"with `{other}` for `{path}`", _last(other)
            )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        call = code.parents[id(node)]
        if not isinstance(call, ast.Call) or node not in call.args:
            return
        about_order = bool(syntax.method(call, "order_by"))
        named = about_order or syntax.method(
            call, "latest", "earliest", "alatest", "aearliest", "dates", "datetimes"
        )
        groups = syntax.method(call, "values", "values_list") and _is_grouped(code, call)
        if not (named or groups or syntax.function(call, "F", "Lower", "Upper", *AGGREGATES)):
            return
        sign, path = ("-", node.value[1:]) if node.value[:1] == "-" else ("", node.value)
        for other in _fields_like(code.model(node), path):
            yield Change(
                syntax.text(sign + other), f"with `{other}` for `{path}`", _last(other), about_order
            )


def _kind(field: Field) -> int:
    return next((place for place, kind in enumerate(_KINDS) if isinstance(field, kind)), -1)


def _last(path: str) -> str:
    return rf"\b{path.rpartition('__')[2]}\b"


def _fields_like(model: type[Model] | None, path: str) -> list[str]:
    """Paths to the other fields of this kind on the same model."""
    if model is None:
        return []
    field, rest = syntax.resolve(model, path)
    if field is None or rest:
        return []
    owner = field.model
    before = path.rpartition("__")[0]
    if getattr(field, "one_to_many", False) or getattr(field, "many_to_many", False):
        others = [
            one.name
            for one in owner._meta.get_fields()
            if (one.one_to_many or one.many_to_many) and not getattr(one, "hidden", False)
        ]
    elif field.primary_key:
        return []
    elif field.is_relation:
        others = [one.name for one in owner._meta.concrete_fields if one.is_relation]
    else:
        others = [
            one.name
            for one in owner._meta.concrete_fields
            if not one.is_relation and not one.primary_key and _kind(one) == _kind(field) >= 0
        ]
    return [f"{before}__{name}" if before else name for name in others if name != field.name]


# Order and slices ----------------------------------------------------------------------------


def order_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if syntax.method(node, "order_by") and node.args:
        args = node.args
        yield _ordered(node.func.value, _words_for_no_order(code, node))
        if turned := [_turned(arg) for arg in args]:
            if all(turned):
                yield _ordered(syntax.changed(node, args=turned), "in the opposite order")
            if len(args) > 1:
                for position, arg in enumerate(turned):
                    if arg:
                        yield _ordered(
                            syntax.changed(
                                node, args=[*args[:position], arg, *args[position + 1 :]]
                            ),
                            f"when {_sorted_by(args[position])} is sorted from the other end",
                        )
        for arg in args if len(args) > 1 else ():
            words = (
                f"when {_sorted_by(arg)} does not decide between equal rows"
                if arg is not args[0]
                else f"when {_sorted_by(arg)} does not count in the order"
            )
            yield _ordered(syntax.without(node, arg), words)
        if len(args) > 1:
            yield _ordered(
                syntax.changed(node, args=[args[1], args[0], *args[2:]]),
                f"when {_sorted_by(args[1])} comes before {_sorted_by(args[0])} in the order",
            )
            last = ast.unparse(args[-1])
            for key, words in (("pk", "primary key"), ("-pk", "highest primary key")):
                if last.strip("'\"-") not in ("pk", "id"):
                    yield _ordered(
                        syntax.changed(node, args=[*args[:-1], syntax.text(key)]),
                        f"when the {words} decides between equal rows",
                    )
    elif syntax.method(node, "reverse"):
        yield _ordered(node.func.value, "in the opposite order")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        other = {"asc": "desc", "desc": "asc"}.get(node.func.attr)
        if other and not node.args:
            yield _ordered(
                syntax.renamed(node, other), f"when {_sorted_by(node)} is sorted from the other end"
            )


def _words_for_no_order(code: syntax.Code, node: ast.AST) -> str:
    """Where groups are made, the fields of an order make groups, too."""
    if any(one is not node and syntax.method(one, "order_by") for one in code.nodes):
        return "when an order makes groups of its own"
    return "without an order"


def _ordered(node: ast.AST, words: str) -> Change:
    return Change(node, words, about_order=True)


def _turned(arg: ast.expr) -> ast.expr | None:
    match arg:
        case ast.Constant(value=str(name)):
            return syntax.text(name[1:] if name.startswith("-") else f"-{name}")
        case ast.Call(func=ast.Attribute(value=value, attr="asc" | "desc" as way)):
            return syntax.call(value, "desc" if way == "asc" else "asc")
        case ast.Call():
            return syntax.call(arg, "desc")
    return None


def _sorted_by(arg: ast.expr) -> str:
    for node in ast.walk(arg):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return f"`{node.value.removeprefix('-')}`"
    return f"`{ast.unparse(arg)}`"


_OTHER_END = {"first": "last", "last": "first", "latest": "earliest", "earliest": "latest"}
_OTHER_END |= {f"a{one}": f"a{other}" for one, other in _OTHER_END.items()}


def other_end(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if method := syntax.method(node, *_OTHER_END):
        yield Change(syntax.renamed(node, _OTHER_END[method]), "from the other end of the order")
        if method in ("latest", "earliest", "alatest", "aearliest") and node.args:
            plain = "last" if method.endswith("latest") else "first"
            plain = f"a{plain}" if method[1:] in _OTHER_END else plain
            yield Change(
                syntax.changed(syntax.renamed(node, plain), args=[]),
                "when the primary key decides, not a date",
            )


def slice_moved(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
            yield Change(value, "without the slice")
            low = lower.value if isinstance(lower, ast.Constant) else 0
            high = upper.value if isinstance(upper, ast.Constant) else None
            if isinstance(high, int):
                for start, end in ((low, high + 1), (low, high - 1), (low + 1, high + 1),
                                   (low + 1, high), (max(low - 1, 0), high - 1),
                                   (max(low - 1, 0), high)):  # fmt: skip
                    if (start, end) != (low, high) and start < end:
                        part = ast.Slice(ast.Constant(start) if start else None, ast.Constant(end))
                        yield Change(
                            ast.Subscript(value, part, ast.Load()),
                            f"with the rows {start + 1} to {end}",
                        )


# Rows that repeat, groups, aggregates --------------------------------------------------------


def distinct_toggled(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if syntax.method(node, "distinct"):
        yield Change(node.func.value, "without `distinct()`")
    elif syntax.method(node, "values_list") and any(one.arg == "flat" for one in node.keywords):
        outer = code.parents[id(node)]
        if not (isinstance(outer, ast.Attribute) and outer.attr in ("distinct", "query")):
            yield Change(syntax.call(node, "distinct"), "with `distinct()`", r"distinct|set\(")


def _is_grouped(code: syntax.Code, node: ast.AST) -> bool:
    """Whether `annotate()` follows this call: then its columns make the groups."""
    outer = code.parents.get(id(node))
    while isinstance(outer, ast.Attribute):
        call = code.parents[id(outer)]
        if syntax.method(call, "annotate", "alias"):
            return True
        outer = code.parents.get(id(call))
    return False


def calls_swapped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """`values()` or `filter()` before `annotate()`, and after it."""
    if not (method := syntax.method(node, "annotate", "alias", "filter", "exclude", "values")):
        return
    before = node.func.value
    first = syntax.method(before, "annotate", "alias", "filter", "exclude", "values", "values_list")
    if first and ("annotate" in (method, first) or "alias" in (method, first)):
        inner = ast.Call(ast.Attribute(before.func.value, method, ast.Load()), node.args,
                         node.keywords)  # fmt: skip
        swapped = ast.Call(ast.Attribute(inner, first, ast.Load()), before.args, before.keywords)
        yield Change(swapped, f"when `{method}()` comes before `{first}()`", rf"{method}\(")


def groups_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if not (syntax.method(node, "values", "values_list") and _is_grouped(code, node)):
        return
    model = code.model(node)
    noun = model._meta.verbose_name if model else "row"
    yield Change(node.func.value, f"with one row for each {noun}: nothing is grouped")
    for part in [*node.args, *node.keywords]:
        name = part.arg if isinstance(part, ast.keyword) else ast.unparse(part).strip("'\"")
        if len(node.args) + len(node.keywords) > 1:
            yield Change(syntax.without(node, part), f"when the groups are made without `{name}`")
    yield Change(
        syntax.changed(node, args=[*node.args, syntax.text("pk")]),
        f"when each {noun} is a group of its own",
    )


def aggregate_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if not (name := syntax.function(node, *AGGREGATES)):
        return
    arg = ast.unparse(node.args[0]) if node.args else ""
    for other in ("Count", "Sum", "Avg", "Max", "Min"):
        if other != name and arg.strip("'\"") != "*":
            rest = [
                one
                for one in node.keywords
                if not (one.arg == "default" and other == "Count") and one.arg != "distinct"
            ]
            yield Change(
                syntax.changed(syntax.renamed(node, other), keywords=rest),
                f"with `{other}` for `{name}`",
                rf"(?i:\b{other}\b)|\b{'len' if other == 'Count' else other.lower()}\(",
            )
    repeats = name in ("Sum", "Avg") or (name == "Count" and not _is_key(code, node))
    if repeats and not any(one.arg == "distinct" for one in node.keywords):
        distinct = ast.keyword("distinct", ast.Constant(True))
        yield Change(
            syntax.changed(node, keywords=[*node.keywords, distinct]),
            f"with `distinct=True` in `{name}({arg})`",
            r"(?i:distinct)|set\(",
        )
    match node.args:
        case [ast.BinOp(left=left, op=operator, right=right)] if not node.keywords:
            sums = [syntax.changed(node, args=[part]) for part in (left, right)]
            yield Change(
                ast.BinOp(sums[0], operator, sums[1]),
                f"with `{ast.unparse(ast.BinOp(sums[0], operator, sums[1]))}`",
                rf"(?i:\b{name}\b)",
            )


def _is_key(code: syntax.Code, count: ast.Call) -> bool:
    """Whether what is counted is different in each row anyway."""
    model = code.model(count)
    match count.args:
        case [ast.Constant(value=str(path))] if model is not None:
            field, _ = syntax.resolve(model, path)
            return field is None or getattr(field, "unique", True) or _leads_to_many(model, path)
    return False


_DROPPABLE = {
    "distinct", "default", "filter", "field_name", "to_attr", "queryset", "nulls_last",
    "nulls_first", "output_field", "reverse", "key", "order_by", "partition_by", "frame",
}  # fmt: skip


def keyword_dropped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """An option left out: `distinct=True`, `filter=…`, `default=0`, `to_attr=…`."""
    if not isinstance(node, ast.Call):
        return
    outer = code.parents.get(id(node))
    named = ast.unparse(node.func).rpartition(".")[2] + "()"
    if isinstance(outer, ast.keyword) and outer.arg:
        named = outer.arg
    for keyword in node.keywords:
        if keyword.arg not in _DROPPABLE or keyword.arg == "output_field":
            continue
        if keyword.arg == "filter" and syntax.method(node):
            continue
        words = f"without `{keyword.arg}={_short(keyword.value)}` in `{named}`"
        if keyword.arg == "filter":
            words = f"without the condition on {code.conditions_in(keyword.value)} in `{named}`"
        sign = "in_bulk" if keyword.arg == "field_name" else ""
        yield Change(syntax.without(node, keyword), words, sign, keyword.arg.startswith("nulls_"))


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) < 20 else "…"


def every_distinct_dropped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if node is not code.tree:
        return
    for name, words in (("distinct", "without `distinct=True`"), ("default", "without `default=`"),
                        ("filter", "without any condition in the aggregates")):  # fmt: skip
        calls = [
            one
            for one in code.nodes
            if syntax.function(one, *AGGREGATES) and any(k.arg == name for k in one.keywords)
        ]
        if len(calls) > 1:
            memo = {
                id(call): syntax.changed(call, keywords=[k for k in call.keywords if k.arg != name])
                for call in calls
            }
            yield Change(deepcopy(node, memo), words)


def condition_moved(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """A condition for all rows, `filter()`, against one for one aggregate, `filter=`."""
    if not (method := syntax.method(node, "aggregate", "annotate", "aaggregate")):
        return
    source = node.func.value
    for call in [part.value for part in node.keywords] + node.args:
        for inner in ast.walk(call):
            if not syntax.function(inner, *AGGREGATES):
                continue
            condition = next((one for one in inner.keywords if one.arg == "filter"), None)
            if condition is None:
                continue
            rest = deepcopy(node, {id(inner): syntax.without(inner, condition)})
            before = syntax.changed(syntax.call(source, "filter"), args=[condition.value])
            moved = ast.Call(ast.Attribute(before, method, ast.Load()), rest.args, rest.keywords)
            yield Change(
                moved,
                f"when the condition on {code.conditions_in(condition.value)} filters all the rows",
            )
    if (
        method == "annotate"
        and syntax.method(source, "filter")
        and not _is_values(source.func.value)
    ):
        condition = syntax.joined(
            ast.BitAnd(), [_as_q(p) for p in [*source.args, *source.keywords]]
        )
        memo = {
            id(inner): syntax.changed(
                inner, keywords=[*inner.keywords, ast.keyword("filter", condition)]
            )
            for part in node.keywords
            for inner in ast.walk(part)
            if syntax.function(inner, *AGGREGATES)
            and not any(k.arg == "filter" for k in inner.keywords)
        }
        if memo:
            counted = deepcopy(node, memo)
            counted.func = ast.Attribute(source.func.value, "annotate", ast.Load())
            yield Change(
                counted,
                f"when the condition on {code.conditions_in(condition)} filters what is counted, "
                "and not the rows",
            )


def _is_values(node: ast.AST) -> bool:
    return bool(syntax.method(node, "values", "values_list"))


def without_relatives_lost(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """INNER JOIN for LEFT OUTER JOIN: rows without any related row are lost."""
    if not syntax.method(node, "annotate", "prefetch_related"):
        return
    model = code.model(node)
    if model is None:
        return
    relations: dict[str, None] = {}
    for inner in ast.walk(node_of([*node.args, *node.keywords])):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            name = inner.value.partition("__")[0]
            if _leads_to_many(model, name):
                relations[name] = None
    for name in relations:
        related = ast.keyword(f"{name}__isnull", ast.Constant(False))
        source = ast.Call(ast.Attribute(node.func.value, "filter", ast.Load()), [], [related])
        if syntax.method(node, "prefetch_related"):
            source = syntax.call(source, "distinct")
        yield Change(
            ast.Call(ast.Attribute(source, node.func.attr, ast.Load()), node.args, node.keywords),
            f"when {model._meta.verbose_name_plural} without {_plural(model, name)} are left out",
        )


def _plural(model: type[Model], relation: str) -> str:
    return str(model._meta.get_field(relation).related_model._meta.verbose_name_plural)


# Loading, expressions, and plain Python ------------------------------------------------------

_LOADING = ("select_related", "prefetch_related")


def loading_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if method := syntax.method(node, *_LOADING):
        shown = ", ".join(_short(arg) for arg in node.args)
        yield Change(node.func.value, f"without `{method}({shown})`")
        for arg in node.args if len(node.args) > 1 else ():
            yield Change(syntax.without(node, arg), f"without `{_short(arg)}` in `{method}()`")
        for arg in node.args:
            if isinstance(arg, ast.Constant) and "__" in arg.value:
                shorter = arg.value.rpartition("__")[0]
                others = [syntax.text(shorter) if one is arg else one for one in node.args]
                yield Change(
                    syntax.changed(node, args=others),
                    f"with `{shorter}` for `{arg.value}` in `{method}()`",
                )
        other = _LOADING[method == "select_related"]
        yield Change(syntax.renamed(node, other), f"with `{other}()` for `{method}()`", other)
    elif method := syntax.method(node, "fetch_mode", "union", "select_for_update"):
        yield Change(node.func.value, f"without `{method}()`")


_TAKEN_FOR_FUNCTION = {
    "TruncDay": ("TruncMonth", "TruncDate"), "TruncMonth": ("TruncYear", "TruncDay"),
    "TruncYear": ("TruncMonth",), "ExtractWeekDay": ("ExtractIsoWeekDay",),
    "ExtractIsoWeekDay": ("ExtractWeekDay",), "ExtractYear": ("ExtractIsoYear",),
    "Greatest": ("Least",), "Least": ("Greatest",), "Lag": ("Lead",), "Lead": ("Lag",),
    "Rank": ("DenseRank", "RowNumber"), "DenseRank": ("Rank", "RowNumber"),
    "RowNumber": ("Rank", "DenseRank"), "FirstValue": ("LastValue",), "LastValue": ("FirstValue",),
}  # fmt: skip


def expression_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """Arithmetic in the database, and functions that are taken for each other."""
    if name := syntax.function(node, *_TAKEN_FOR_FUNCTION):
        for other in _TAKEN_FOR_FUNCTION[name]:
            yield Change(syntax.renamed(node, other), f"with `{other}` for `{name}`", other)
    match node:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Add() | ast.Sub() | ast.Div(), right=right):
            if not any(syntax.function(one, "F", *AGGREGATES) for one in ast.walk(node)):
                return
            for kind, sign in ((ast.Mult, "*"), (ast.Add, "+"), (ast.Sub, "-"), (ast.Div, "/")):
                if not isinstance(node.op, kind):
                    other = ast.BinOp(left, kind(), right)
                    yield Change(other, f"with `{ast.unparse(other)}`", rf"\{sign}")
            yield Change(left, f"without `{ast.unparse(right)}`")
            yield Change(right, f"without `{ast.unparse(left)}`")


_COMPARISONS = {
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE), ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip


def python_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """What the answer does to the rows once it has them."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            for kind in _COMPARISONS[type(operator)]:
                other = ast.Compare(node.left, [kind()], node.comparators)
                yield Change(other, f"when `{ast.unparse(other)}`")
        case ast.comprehension(ifs=[_, *_] as conditions):
            for one in conditions:
                rest = [other for other in conditions if other is not one]
                yield Change(
                    ast.comprehension(node.target, node.iter, rest, node.is_async),
                    f"without the condition `{ast.unparse(one)}`",
                )
        case ast.UnaryOp(op=ast.USub(), operand=ast.Attribute()):
            yield _ordered(
                node.operand, f"when `{ast.unparse(node.operand)}` is sorted from the other end"
            )
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="sort"))):
            yield _ordered(ast.Pass(), "without the sorting")
        case ast.Call(func=ast.Attribute(attr="get"), args=[key, default]):
            yield Change(syntax.changed(node, args=[key]), f"without the `{ast.unparse(default)}`")


RULES: tuple[Rule, ...] = (
    condition_dropped,
    lookup_swapped,
    range_ends,
    field_swapped,
    keyword_dropped,
    distinct_toggled,
    without_relatives_lost,
    order_changed,
    other_end,
    slice_moved,
    condition_reversed,
    and_or,
    half_of_an_or,
    filters_chained,
    every_condition_dropped,
    groups_changed,
    calls_swapped,
    aggregate_changed,
    every_distinct_dropped,
    condition_moved,
    loading_changed,
    expression_changed,
    python_changed,
)
