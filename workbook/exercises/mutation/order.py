"""Order and slices: another direction, another end, one row further."""

import ast
from collections.abc import Iterator

from workbook.exercises import syntax
from workbook.exercises.mutation.change import Change, ordered


def order_changed(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    if syntax.method(node, "order_by") and node.args:
        args = node.args
        yield ordered(node.func.value, _words_for_no_order(code, node))
        if turned := [_turned(arg) for arg in args]:
            if all(turned):
                yield ordered(syntax.changed(node, args=turned), "in the opposite order")
            if len(args) > 1:
                for position, arg in enumerate(turned):
                    if arg:
                        yield ordered(
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
            yield ordered(syntax.without(node, arg), words)
        if len(args) > 1:
            yield ordered(
                syntax.changed(node, args=[args[1], args[0], *args[2:]]),
                f"when {_sorted_by(args[1])} comes before {_sorted_by(args[0])} in the order",
            )
            last = ast.unparse(args[-1])
            for key, words in (("pk", "primary key"), ("-pk", "highest primary key")):
                if last.strip("'\"-") not in ("pk", "id"):
                    yield ordered(
                        syntax.changed(node, args=[*args[:-1], syntax.text(key)]),
                        f"when the {words} decides between equal rows",
                    )
    elif syntax.method(node, "reverse"):
        yield ordered(node.func.value, "in the opposite order")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        other = {"asc": "desc", "desc": "asc"}.get(node.func.attr)
        if other and not node.args:
            yield ordered(
                syntax.renamed(node, other), f"when {_sorted_by(node)} is sorted from the other end"
            )


def _words_for_no_order(code: syntax.Code, node: ast.AST) -> str:
    """Where groups are made, the fields of an order make groups, too."""
    if any(one is not node and syntax.method(one, "order_by") for one in code.nodes):
        return "when an order makes groups of its own"
    return "without an order"


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
