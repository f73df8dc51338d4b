"""Rows that repeat, groups and aggregates: what is counted, and when."""

import ast
from collections.abc import Iterator
from copy import deepcopy

from django.db.models import Model

from workbook.exercises import syntax
from workbook.exercises.mutation.change import Change
from workbook.exercises.mutation.fields import AGGREGATES


def distinct_toggled(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if syntax.method(node, "distinct"):
        yield Change(node.func.value, "without `distinct()`")
    elif syntax.method(node, "values_list") and any(one.arg == "flat" for one in node.keywords):
        outer = code.parents[id(node)]
        if not (isinstance(outer, ast.Attribute) and outer.attr in ("distinct", "query")):
            yield Change(syntax.call(node, "distinct"), "with `distinct()`", r"distinct|set\(")


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
    if not (syntax.method(node, "values", "values_list") and syntax.is_grouped(code, node)):
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
            return (
                field is None or getattr(field, "unique", True) or syntax.leads_to_many(model, path)
            )
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
        words = f"without `{keyword.arg}={syntax.short(keyword.value)}` in `{named}`"
        if keyword.arg == "filter":
            words = f"without the condition on {code.conditions_in(keyword.value)} in `{named}`"
        sign = "in_bulk" if keyword.arg == "field_name" else ""
        yield Change(syntax.without(node, keyword), words, sign, keyword.arg.startswith("nulls_"))


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
            ast.BitAnd(), [syntax.as_q(p) for p in [*source.args, *source.keywords]]
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
    for inner in ast.walk(syntax.node_of([*node.args, *node.keywords])):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            name = inner.value.partition("__")[0]
            if syntax.leads_to_many(model, name):
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
