"""The reader's code as it is written: the expression that ran a query, and the loop around it."""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from workbook.queries.origins import Step, source_of


class Loop(NamedTuple):
    """A loop around an expression."""

    kind: str  # "for", "while" or "comprehension"
    names: frozenset[str]  # the variables that it changes


class Expression(NamedTuple):
    """An expression, and what the function that it stands in does with it."""

    node: ast.AST
    function: ast.AST  # that it stands in, or the whole module
    loops: tuple[Loop, ...]  # innermost first
    callback: bool  # does it stand in a lambda or a generator, which others may run in a loop?
    scope: ast.AST  # the named function around it, or the whole module

    @property
    def root(self) -> str:
        """The variable that it starts from: `books` for `len(books.filter(title="x"))`."""
        node = _core(self.node)
        while not isinstance(node, ast.Name):
            node = getattr(node, "value", None) or getattr(node, "func", None)
            if node is None:
                return ""
        return node.id

    @property
    def given_from_outside(self) -> bool:
        """Whether what it starts from is an argument of its function."""
        found = getattr(self.function, "args", None)
        if found is None:
            return False
        arguments = [*found.posonlyargs, *found.args, *found.kwonlyargs, found.vararg, found.kwarg]
        return self.root in {each.arg for each in arguments if each is not None}

    def version(self) -> int:
        """The line on which the variable that it starts from got its value; 0 where none did."""
        if any(self.root in loop.names for loop in self.loops):
            return -1  # another value in each turn
        lines = [
            node.lineno
            for node in ast.walk(self.function)
            if isinstance(node, ast.Name)
            and node.id == self.root
            and isinstance(node.ctx, ast.Store)
            and node.lineno < self.node.lineno
        ]
        return max(lines, default=0)

    @property
    def core(self) -> str:
        """Its text without what only consumes it: `books.all()` for `len(list(books.all()))`."""
        return ast.unparse(_core(self.node))

    @property
    def names(self) -> frozenset[str]:
        """The variables it uses."""
        return frozenset(node.id for node in ast.walk(self.node) if isinstance(node, ast.Name))

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes it uses: `tags` and `all` in `food.tags.all()`."""
        return frozenset(n.attr for n in ast.walk(self.node) if isinstance(n, ast.Attribute))

    @property
    def words(self) -> frozenset[str]:
        """Every name and string that its function has, and `name__in` as `name` and `in` too."""
        return _words(self.scope)

    @property
    def strings(self) -> frozenset[str]:
        """Every string that its function has, `author__name` as its parts."""
        return _strings(self.scope)

    @property
    def is_the_same_in_each_turn(self) -> bool:
        """Whether nothing in it depends on the loops around it."""
        changing = frozenset().union(*(loop.names for loop in self.loops))
        return not self.names & changing and self.version() == 0

    @property
    def is_given_something(self) -> bool:
        """Whether it is a call with arguments that are more than constants."""
        arguments = getattr(self.node, "args", []) + getattr(self.node, "keywords", [])
        return any(isinstance(n, ast.Name) for each in arguments for n in ast.walk(each))

    @property
    def called(self) -> tuple[str, bool] | None:
        """What it calls or reads, and whether it calls it: ("count", True) for `books.count()`."""
        node = self.node.value if isinstance(self.node, ast.Await) else self.node
        if isinstance(node, ast.Call):
            name = _last_name(node.func)
            return (name, True) if name else None
        return (node.attr, False) if isinstance(node, ast.Attribute) else None

    def calls(self, function: str) -> bool:
        """Whether it calls, in so many words, what has this name."""
        return any(
            isinstance(node, ast.Call) and _last_name(node.func) == function
            for node in ast.walk(self.node)
        )


@lru_cache(maxsize=64)
def _words(scope: ast.AST) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(scope):
        for name in ("id", "attr", "arg", "value"):  # a variable, an attribute, a keyword, a string
            if isinstance(word := getattr(node, name, None), str):
                found.update((word, *word.split("__")))
    return frozenset(found)


@lru_cache(maxsize=64)
def _strings(scope: ast.AST) -> frozenset[str]:
    found = (getattr(node, "value", None) for node in ast.walk(scope))
    return frozenset(part for each in found if isinstance(each, str) for part in each.split("__"))


_CONSUMERS = {
    *("len", "list", "tuple", "set", "frozenset", "sorted", "bool", "any", "all", "sum", "min"),
    *("max", "next", "iter", "enumerate", "reversed", "print", "repr", "str", "dict", "display"),
}


def _core(node: ast.AST) -> ast.AST:
    while True:
        if isinstance(node, ast.Call) and _last_name(node.func) in _CONSUMERS and node.args:
            node = node.args[0]
        elif isinstance(node, ast.Expr | ast.Await | ast.Starred):
            node = node.value
        else:
            return node


def _last_name(node: ast.AST) -> str:
    return getattr(node, "id", "") or getattr(node, "attr", "")


_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def find(step: Step) -> Expression | None:
    """The expression at a step of a way, None where the source is not at hand."""
    tree = _parsed(source_of(step.filename)) if step.filename else None
    if tree is None or None in step.position:
        return None
    line, last_line, column, last_column = step.position
    nodes = list(_down_to(tree, (line, column), (last_line, last_column)))
    if not nodes:
        return None
    scope = next((node for node in nodes[::-1] if isinstance(node, _FUNCTION)), tree)
    return Expression(nodes[-1], *_around(tree, nodes), scope)


@lru_cache(maxsize=32)
def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source) if source else None
    except (SyntaxError, ValueError, RecursionError):
        return None


def _down_to(node: ast.AST, start: tuple[int, int], end: tuple[int, int]) -> Iterator[ast.AST]:
    """The nodes around a piece of the source, outermost first, down to the piece itself."""
    while True:
        for child in ast.iter_child_nodes(node):
            if _first(child) <= start and end <= _last(child):
                yield child
                node = child
                break
        else:
            return


def _first(node: ast.AST) -> tuple[int, int]:
    if hasattr(node, "lineno"):
        return node.lineno, node.col_offset
    return min(map(_first, ast.iter_child_nodes(node)), default=(1 << 30, 0))


def _last(node: ast.AST) -> tuple[int, int]:
    if hasattr(node, "end_lineno"):
        return node.end_lineno, node.end_col_offset
    return max(map(_last, ast.iter_child_nodes(node)), default=(0, 0))


def _around(tree: ast.AST, nodes: list[ast.AST]) -> tuple[ast.AST, tuple[Loop, ...], bool]:
    """(the function that the last node stands in, the loops around it there, is it a callback?)"""
    loops = []
    for parent, child in zip(nodes[-2::-1], nodes[:0:-1], strict=True):
        inside = nodes[nodes.index(child) + 1 :]
        if isinstance(parent, ast.For | ast.AsyncFor) and child in parent.body:
            loops.append(Loop("for", _names(parent.target)))
        elif isinstance(parent, ast.While) and child not in parent.orelse:
            loops.append(Loop("while", frozenset()))
        elif isinstance(parent, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            first = parent.generators[0]
            if not (child is first and inside[:1] == [first.iter]):
                names = frozenset().union(*(_names(each.target) for each in parent.generators))
                loops.append(Loop("comprehension", names))
                if isinstance(parent, ast.GeneratorExp):
                    return parent, tuple(loops), True
        elif isinstance(parent, ast.Lambda):
            return parent, tuple(loops), True
        elif isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return parent, tuple(loops), False
    return tree, tuple(loops), False


def _names(target: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def words(path: Iterable[Step]) -> frozenset[str] | None:
    """What the reader's functions on the way to a query say; None where a source is not at hand."""
    found = _all(path)
    return found and frozenset().union(*(expression.words for expression in found))


def strings(path: Iterable[Step]) -> frozenset[str] | None:
    """The same of their strings alone."""
    found = _all(path)
    return found and frozenset().union(*(expression.strings for expression in found))


def _all(path: Iterable[Step]) -> list[Expression] | None:
    found = [find(step) for step in path]
    return found if found and None not in found else None


def called(step: Step) -> tuple[str, bool] | None:
    """What the expression at a step calls or reads; None where that is not known."""
    expression = find(step)
    return expression.called if expression else None


def chains(step: Step) -> tuple[tuple[tuple[str, ...], bool], ...]:
    """The attributes that an expression reads from a variable, e.g. (("food", "tags"), True).

    True if the expression is no more than `food.tags.all()` and what consumes it.
    """
    expression = find(step)
    if expression is None:
        return ()
    core, found = expression.core, []
    for node in ast.walk(expression.node):
        names, value = [], node
        while isinstance(value, ast.Attribute):
            names.insert(0, value.attr)
            value = value.value
        if names and isinstance(value, ast.Name):
            chain = (value.id, *names)
            found.append((chain, core == f"{'.'.join(chain)}.all()"))
    return tuple(found)
