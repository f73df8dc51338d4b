"""Loading, expressions in the database, and what plain Python does to the rows."""

import ast
from collections.abc import Iterator

from workbook.exercises import syntax
from workbook.exercises.mutation.change import Change, ordered
from workbook.exercises.mutation.fields import AGGREGATES

_LOADING = ("select_related", "prefetch_related")


def loading_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if method := syntax.method(node, *_LOADING):
        shown = ", ".join(syntax.short(arg) for arg in node.args)
        yield Change(node.func.value, f"without `{method}({shown})`")
        for arg in node.args if len(node.args) > 1 else ():
            yield Change(
                syntax.without(node, arg), f"without `{syntax.short(arg)}` in `{method}()`"
            )
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
            yield ordered(
                node.operand, f"when `{ast.unparse(node.operand)}` is sorted from the other end"
            )
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="sort"))):
            yield ordered(ast.Pass(), "without the sorting")
        case ast.Call(func=ast.Attribute(attr="get"), args=[key, default]):
            yield Change(syntax.changed(node, args=[key]), f"without the `{ast.unparse(default)}`")
