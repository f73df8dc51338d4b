"""What a rule proposes."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workbook.exercises import syntax


@dataclass(frozen=True)
class Change:
    """Another node, and its words.

    words: what is different, to be read after "These are the rows you get".
    sign: what has to occur in the learner's code or SQL for the words to make sense there.
    about_order: whether only the order of rows was changed.
    """

    node: ast.AST
    words: str
    sign: str = ""
    about_order: bool = False


# Looks at one node of the code, and yields what could stand there instead.
Rule = Callable[[syntax.Code, Any], Iterator[Change]]


def ordered(node: ast.AST, words: str) -> Change:
    """A change of nothing but the order of rows."""
    return Change(node, words, about_order=True)
