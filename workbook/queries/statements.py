"""Reading SQL: a statement's verb, its shape, and a short form to show.

Everything here goes through the text once, from left to right. No pattern ever walks back: each
repeat is possessive (`*+`), and a string that nobody closes ends where the text ends. So the work
grows with the length of the SQL and with nothing else, whatever somebody has written into it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

LONGEST = 2_000  # characters of one statement, as shown
FIRST_ITEMS, FEWEST_ITEMS = 3, 6  # `IN (1, 2, 3, … 3 more)`: of six at least
FEWEST_COLUMNS = 5

_STRING = r"'(?:[^']++|'')*+'?"
_NAME = r'(?:"(?:[^"]++|"")*+"?|`(?:[^`]++|``)*+`?)'
_COMMENT = r"(?:--[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?)"
_HOLE = r"(?:%s|%\(\w++\)s)"
_VALUE = rf"(?:{_STRING}|{_HOLE}|-?\d[\w.]*+|(?:NULL|TRUE|FALSE|DEFAULT)\b)"

_TOKEN = re.compile(
    rf"(?P<space>\s++)|(?P<string>{_STRING})|(?P<name>{_NAME})|(?P<comment>{_COMMENT})"
    rf"|(?P<word>\w++)|{_HOLE}|%%|.",
    re.DOTALL,
)
_PART = re.compile(rf"[^()'\"`/-]++|{_STRING}|{_NAME}|{_COMMENT}|.", re.DOTALL)
_ITEM = re.compile(rf"\s*+(?:{_VALUE}|\(\s*+{_VALUE}\s*+\))\s*+(?P<end>[,)])", re.IGNORECASE)
_COLUMN = re.compile(rf"(?P<table>{_NAME})\.{_NAME}")
_COLUMNS = re.compile(rf"{_NAME}\.{_NAME}(?:, ?{_NAME}\.{_NAME})*+")
_AS = re.compile(r"\s++AS\b", re.IGNORECASE)
_NEXT_ROW = re.compile(r"\s*+,\s*+(?=\()")
_HAS_LIST = re.compile(r"\b(?:IN|VALUES)\s*+\(", re.IGNORECASE)
_CLAUSE = re.compile(
    r"(?:FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|UNION|INTERSECT|EXCEPT|RETURNING|VALUES|SET"
    r"|ON CONFLICT|(?:INNER|LEFT OUTER|CROSS) JOIN)\b"
)


def tokens(sql: str) -> Iterator[tuple[str | None, str]]:
    """The pieces of a statement as (kind, text): put together, they are its text again.

    A kind is space, string, name, comment or word; None is a sign or a `%s`.
    """
    for match in _TOKEN.finditer(sql):
        yield match.lastgroup, match[0]


# What a statement does.

_READS = ("SELECT", "VALUES", "TABLE")
_WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE")


def verb(sql: str) -> str:
    """`SELECT` for whatever only reads rows, else the statement's first word: `INSERT`, `PRAGMA`.

    A WITH is what follows its subqueries, or what one of them changes. Empty if there is no word.
    """
    return "SELECT" if sql.startswith("SELECT") else _verb(sql)


@lru_cache(maxsize=512)
def _verb(sql: str) -> str:
    pieces = (piece for piece in tokens(sql) if piece[0] not in ("space", "comment"))
    for kind, text in pieces:
        if kind == "word":
            first = text.upper()
            if first == "WITH":
                first = _verb_of_with(pieces)
            return "SELECT" if first in _READS else first
        if text != "(":
            return ""
    return ""


def _verb_of_with(pieces: Iterator[tuple[str | None, str]]) -> str:
    depth, opened, found = 0, False, ""
    for kind, text in pieces:
        if kind == "word":
            word = text.upper()
            if word in _WRITES and (opened or (depth == 0 and not found)):
                return word
            if word in _READS and depth == 0:
                found = "SELECT"
        opened = text == "("
        depth += opened - (text == ")")
    return found


# How it is recognised, and how it is shown.


def shape_of(sql: str) -> str:
    """The statement with lists of any length made equal: IN (1, 2) is IN (1, 2, 3)."""
    return _shape_of(sql) if _HAS_LIST.search(sql) else sql


@lru_cache(maxsize=64)
def _shape_of(sql: str) -> str:
    return "".join(text for text, _, _ in _folded(sql, shape=True))


def shorten(sql: str, params: Any = None) -> tuple[str, Any]:
    """A statement that a person can read, and those of its parameters that are left in it.

    `IN (1, 2, 3, … 97 more)`, `… 12 columns`, only the first row of VALUES, and no more than
    LONGEST characters: the rest is cut off.
    """
    parts, kept, length, hole = [], [], 0, 0
    for text, left, gone in _folded(sql):
        if length + len(text) > LONGEST:
            text = text[: LONGEST - length]
            parts.append(f"{text} …")
            kept += range(hole, hole + _holes(text))
            break
        parts.append(text)
        length += len(text)
        kept += range(hole, hole + left)
        hole += left + gone
    if isinstance(params, tuple):
        params = tuple(params[n] for n in kept if n < len(params))
    return "".join(parts), params


def _folded(sql: str, shape: bool = False) -> Iterator[tuple[str, int, int]]:
    """The statement in pieces, lists and columns made short.

    Yields (text, the number of `%s` in it, the number of those left out with what stood here).
    For a shape, a list is three dots, and columns stay.
    """
    position = depth = 0
    rows_at = None  # the depth at which VALUES has its rows
    word = ""  # the last one, if only space came after it
    while position < len(sql):
        if not shape and (match := _COLUMNS.match(sql, position)):
            text, position = _fold_columns(match)
            word = ""
            yield text, 0, 0
            continue
        match = _TOKEN.match(sql, position)
        kind, text, position = match.lastgroup, match[0], match.end()
        if text == "(":
            if word == "IN" and (found := _read_list(sql, position)):
                items, few, end = found
                if shape or items >= FEWEST_ITEMS:
                    first = "" if shape else sql[position:few]
                    text = "(…)" if shape else f"({first}, … {items - FIRST_ITEMS:,} more)"
                    left, all_of_them = _holes(first), _holes(sql[position:end])
                    yield text, left, all_of_them - left
                    position, word = end, ""
                    continue
            if word == "VALUES":
                rows_at = depth
            depth += 1
        elif text == ")":
            depth -= 1
            if depth == rows_at:
                rows_at = None
                rows, end = _read_rows(sql, position)
                if rows:
                    more = f", … {rows:,} more row{'s' if rows > 1 else ''}"
                    yield ")" if shape else f"){more}", 0, _holes(sql[position:end])
                    position, word = end, ""
                    continue
        if kind == "word":
            word = text.upper()
        elif kind not in ("space", "comment"):
            word = ""
        yield text, _holes(text), 0


def _holes(text: str) -> int:
    return text.replace("%%", "").count("%s") if "%" in text else 0


def _read_list(sql: str, position: int) -> tuple[int, int, int] | None:
    """A list of plain values, from within its parenthesis: (items, end of the first, its end)."""
    items = few = 0
    while match := _ITEM.match(sql, position):
        position = match.end()
        items += 1
        if items == FIRST_ITEMS:
            few = match.start("end")
        if match["end"] == ")":
            return items, few, position
    return None


def _read_rows(sql: str, position: int) -> tuple[int, int]:
    """The rows that follow the first one of VALUES: (how many, where they end)."""
    rows = 0
    while match := _NEXT_ROW.match(sql, position):
        rows, depth = rows + 1, 0
        for part in _PART.finditer(sql, match.end()):
            position = part.end()
            depth += (part[0] == "(") - (part[0] == ")")
            if depth == 0:
                break
    return rows, position


def _fold_columns(match: re.Match) -> tuple[str, int]:
    """A run of columns, told by number where it is long; and where it ends."""
    columns = list(_COLUMN.finditer(match[0]))
    end = match.end()
    if len(columns) > 1 and _AS.match(match.string, end):  # the last one has a name of its own
        columns.pop()
        end = match.start() + columns[-1].end()
    if len(columns) < FEWEST_COLUMNS:
        return match.string[match.start() : end], end
    tables: dict[str, int] = {}
    for column in columns:
        tables[column["table"]] = tables.get(column["table"], 0) + 1
    return ", ".join(
        f"… {number:,} column{'s' if number > 1 else ''}"
        + (f" of {table}" if len(tables) > 1 else "")
        for table, number in tables.items()
    ), end


def on_one_line(sql: str) -> str:
    """The statement with its space made narrow, strings left as they are."""
    parts, comment = [], False
    for kind, text in tokens(sql.strip()):
        parts.append(text if kind != "space" else "\n" if comment else " ")
        comment = kind == "comment" and text.startswith("--")
    return "".join(parts)


def clauses(sql: str) -> list[str]:
    """The statement cut before each clause: FROM, WHERE, JOIN, …"""
    found, position, start, word = [], 0, 0, ""
    for kind, text in tokens(sql):
        position += len(text)
        if kind == "space" and word != "DELETE" and _CLAUSE.match(sql, position):
            found.append(sql[start : position - len(text)])
            start = position
        elif kind == "word":
            word = text.upper()
    return [*found, sql[start:]]
