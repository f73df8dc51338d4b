"""How a capture looks: HTML for notebooks, and the same words as text for terminals.

The HTML reads well with every style stripped (GitHub does that), and nothing in it depends on the
day, the machine or the run. Whatever ran, both forms together stay below 50 kB, and say what they
left out; a part that cannot be laid out is shown as it is.
"""

import re
import textwrap
from collections.abc import Iterable
from functools import lru_cache
from html import escape

import sqlparse
from pygments.lexers.sql import SqlLexer
from pygments.token import Comment, Keyword, Literal, Operator

from workbook.queries import diagnosis, statements
from workbook.queries.diagnosis import Finding, Shape, at_lines
from workbook.queries.plans import Step
from workbook.queries.recorder import Capture, Query

__all__ = ["Report", "html", "mimebundle", "queries", "text"]

OPEN = 3  # statements shown unfolded
MOST_FINDINGS = 12
LONGEST_LINE = 200  # of the reader's code, or of a plan
HTML_ROOM, TEXT_ROOM = 36_000, 10_000  # bytes, styles and closing words apart


class Report(Capture):
    """A capture that shows itself: as text when printed, as HTML in a notebook."""

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html(self)


def queries() -> Report:
    """Record queries: `with queries() as q: …`, then `q.count`, `q.queries`, `print(q)`."""
    return Report()


# The pieces both forms share.


def headline(capture: Capture, shapes: list[Shape], findings: list[Finding]) -> tuple[str, ...]:
    """What ran, in a few words: ("101 queries", " in ", "2 shapes", " · 200 rows")."""
    count, guess = capture.count, capture.guess
    before = "" if guess is None else f" · you guessed {guess:,}{' ✓' * (guess == count)}"
    distinct = rest = ""
    if 1 < len(shapes) < count:
        before += " in " if guess is None else " · "
        distinct = f"{len(shapes):,} shapes"
    own = [query for query in capture.queries if not query.cause]
    if own and not findings and (rows := _rows(own)):
        rest += f" · {rows}"
    if shown := count - len(own):
        rest += " · to show the table" if not own else f" · {shown} to show the table"
    trips = f"{_time(capture.trip * count)} of round trips" if capture.trip else ""
    if capture.show_time:
        rest += f" · {_time(sum(query.seconds for query in capture.queries))}"
        rest += f" with {trips}" if trips else ""
    elif trips:
        rest += f" · {trips}"
    queries = _number(count, "query", "queries") if count else "no queries"
    return queries, before, distinct, rest


_VERBS = {
    **dict.fromkeys(("SELECT", "EXPLAIN", "PRAGMA", "SHOW", "DESCRIBE"), ""),
    **{"INSERT": " added", "UPDATE": " changed", "DELETE": " deleted", "REPLACE": " changed"},
}


def _rows(queries: list[Query]) -> str:
    """`24 rows`, `3 rows changed`, `24 rows read, 3 changed`; empty if a number is unknown."""
    totals: dict[str, int] = {}
    for query in queries:
        verb = _VERBS.get(query.verb)
        if verb is None or query.rows is None or query.error:
            return ""
        totals[verb] = totals.get(verb, 0) + query.rows
    if len(totals) > 1 and "" in totals:
        totals = {" read": totals.pop(""), **totals}
    (first, number), *others = totals.items()
    parts = [f"{_number(number, 'row', 'rows')}{first}", *(f"{n:,}{verb}" for verb, n in others)]
    return ", ".join(parts)


def _number(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:,.2f} s"
    return f"{seconds * 1000:.1f}".removesuffix(".0") + " ms"


def transactions(keywords: list[str]) -> str:
    """`BEGIN · COMMIT`; a long sequence is summed up."""
    if len(keywords) <= 6:
        return " · ".join(keywords)
    totals = {keyword: keywords.count(keyword) for keyword in dict.fromkeys(keywords)}
    return " · ".join(f"{number:,} × {keyword}" for keyword, number in totals.items())


def _margin(shape: Shape, capture: Capture) -> str:
    """What stands beside a statement: its lines and anything out of the ordinary."""
    first = shape.queries[0]
    parts = [at_lines(shape.places)] if shape.places and not first.cause else []
    if first.alias != "default":
        parts.append(f"on {first.alias}")
    if failed := [query.error for query in shape.queries if query.error]:
        parts.append(f"failed: {failed[0]}")
    if first.many:
        parts.append("executemany")
    elif shape.in_batches:
        parts.append(f"in {len(shape.queries):,} batches")
    if capture.show_time:
        parts.append(_time(sum(query.seconds for query in shape.queries)))
    return " · ".join(parts)


def _in_order(shapes: list[Shape], findings: list[Finding]) -> tuple[list[Shape], list[Shape]]:
    """(unfolded, folded): those that a finding speaks of, then the first ones, stay unfolded."""
    spoken_of = {id(query) for finding in findings for query in finding.queries}
    order = sorted(
        range(len(shapes)), key=lambda n: not spoken_of.intersection(map(id, shapes[n].queries))
    )
    visible = set(order[: OPEN if len(shapes) > OPEN + 1 else OPEN + 1])
    return (
        [shape for n, shape in enumerate(shapes) if n in visible],
        [shape for n, shape in enumerate(shapes) if n not in visible],
    )


class _Room:
    """How many bytes a report may still take."""

    def __init__(self, size: int) -> None:
        self.left = size

    def takes(self, text: str) -> bool:
        """Whether the text still fits in; once one did not, nothing does."""
        self.left -= len(text.encode())
        return self.left >= 0


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


# Text.


def text(capture: Capture) -> str:
    """The report for a terminal."""
    return _text(capture, diagnosis.shapes(capture), diagnosis.diagnose(capture), [])


def _text(
    capture: Capture,
    shapes: list[Shape],
    findings: list[Finding],
    notes: list[str],
    closing: str = "",
) -> str:
    lines = ["".join(headline(capture, shapes, findings))]
    for finding in findings[:MOST_FINDINGS]:
        lines.append(f"{finding.title}  {finding.sentence}")
        indent = " " * (len(finding.title) + 2)
        lines += [
            indent + line
            for part in (_cut(finding.code), finding.fix)
            for line in textwrap.wrap(part, 96, break_long_words=False, break_on_hyphens=False)
        ]
    if more := _more_findings(findings):
        lines.append(more)
    if capture.transactions:
        lines.append(f"Transaction  {transactions(capture.transactions)}")
    lines += notes
    if findings or capture.transactions or notes:
        lines.append("")
    width = max((len(f"{len(shape.queries):,}") for shape in shapes), default=1)
    unfolded, folded = _in_order(shapes, findings)
    room = _Room(TEXT_ROOM)
    left_out = len(folded)
    for shape in unfolded:
        entry = _text_of(shape, capture, width)
        if room.takes("\n".join(entry)):
            lines += entry
        else:
            left_out += 1
    if left_out:
        lines.append(f"{'':>{width}}    … {_number(left_out, 'more statement', 'more statements')}")
    if closing:
        lines += ["", closing]
    return "\n".join(line.rstrip() for line in lines).rstrip()


def _more_findings(findings: list[Finding]) -> str:
    left_out = len(findings) - MOST_FINDINGS
    return f"… and {_number(left_out, 'more finding', 'more findings')}" if left_out > 0 else ""


def _text_of(shape: Shape, capture: Capture, width: int) -> list[str]:
    statement = _SEVERAL_RUNS.sub("…", " ".join(shape.example.split()))
    margin = _margin(shape, capture)
    count = f"{len(shape.queries):>{width},} ×  "
    indent = " " * len(count)
    pieces = [statement] if len(statement) <= 96 else statements.clauses(statement)
    lines: list[str] = []
    for piece in pieces:
        unbroken = "".join(  # no line breaks within strings
            text.replace(" ", "\0") if kind == "string" else text
            for kind, text in statements.tokens(piece)
        )
        lines += textwrap.wrap(
            unbroken,
            96,
            initial_indent=f"{indent}  " if lines else count,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines = [line.replace("\0", " ") for line in lines] or [count]
    lines[-1] += f"    {margin}" if margin else ""
    for step in _plan_steps(shape):
        raw = f" ({_cut(step.raw)})" if step.text else _cut(step.raw)
        lines.append(f"{indent}{'  ' * step.depth}→ {step.text}{raw}")
    return lines


_RUN = r'… [\d,]++ columns?+(?: of (?:"[^"]*+"|`[^`]*+`))?+'
_SEVERAL_RUNS = re.compile(rf"{_RUN}(?:, {_RUN})*+")  # in text they are one …


def _plan_steps(shape: Shape) -> list[Step]:
    return next((query.plan for query in shape.queries if query.plan), None) or []


# HTML.

# JupyterLab has variables for its colours, VS Code others; elsewhere the text's own colour is the
# only one that is certain to be legible on whatever lies behind it.
_STYLE = (
    "<style>"
    ".wb{--wb-quiet:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,"
    "color-mix(in srgb,currentColor 75%,transparent)));"
    "font-size:var(--jp-ui-font-size1,13px);line-height:1.5;margin:4px 0;padding:4px 10px;"
    "border-left:3px solid var(--jp-border-color1,#8888);"
    "color:var(--jp-ui-font-color1,var(--vscode-foreground,inherit))}"
    ".wb p{margin:4px 0}.wb>p:first-child,.wb small,.wb summary,.wb-q>span{color:var(--wb-quiet)}"
    ".wb-f{border-left:3px solid var(--jp-warn-color1,#d97706);margin-left:-13px;padding-left:10px}"
    ".wb-q{display:flex;gap:10px;align-items:baseline;margin:2px 0}"
    ".wb-q>span{white-space:nowrap;min-width:3em;text-align:right}.wb-q>span+pre{flex:1}"
    ".wb .wb-q pre{margin:0;padding:0;background:none;white-space:pre-wrap;"
    "word-break:normal;overflow-wrap:anywhere;"
    "font-size:var(--jp-code-font-size,13px);color:inherit}"
    ".wb pre b{font-weight:600;color:var(--jp-mirror-editor-keyword-color,"
    "var(--vscode-debugTokenExpression-name,inherit))}"
    ".wb pre i{font-style:normal;color:var(--jp-mirror-editor-string-color,"
    "var(--vscode-debugTokenExpression-string,inherit))}"
    ".wb pre em{font:inherit;font-family:var(--jp-ui-font-family,sans-serif)}"
    ".wb summary{cursor:pointer}.wb [title]{text-decoration:underline dotted;cursor:help}"
    "</style>"
)
_SHAPE = "A shape is one statement, whatever values it ran with"


def html(capture: Capture) -> str:
    """The report for a notebook."""
    return _html(capture, diagnosis.shapes(capture), diagnosis.diagnose(capture), [])


def _html(
    capture: Capture,
    shapes: list[Shape],
    findings: list[Finding],
    notes: list[str],
    closing: str = "",
) -> str:
    strong, before, distinct, rest = headline(capture, shapes, findings)
    if distinct:
        distinct = f'<span title="{_SHAPE}">{distinct}</span>'
    parts = [f"<p><b>{strong}</b>{before}{distinct}{rest}</p>"]
    parts += [_html_finding(finding) for finding in findings[:MOST_FINDINGS]]
    if more := _more_findings(findings):
        parts.append(f"<p>{more}</p>")
    if capture.transactions:
        parts.append(f"<p>Transaction: {transactions(capture.transactions)}</p>")
    parts += [f"<p>{escape(note)}</p>" for note in notes]
    room = _Room(HTML_ROOM - sum(len(part.encode()) for part in parts))
    unfolded, folded = _in_order(shapes, findings)
    shown = _html_shapes(unfolded, capture, room)
    parts += shown
    left_out = len(unfolded) - len(shown)
    if folded and not left_out:
        inside = _html_shapes(folded, capture, room)
        left_out = len(folded) - len(inside)
        more = _number(len(folded), "more statement", "more statements")
        if left_out:
            more += f", the first {len(inside):,} of them here"
        parts.append(f"<details><summary>{more}</summary>{''.join(inside)}</details>")
    elif left_out:
        more = _number(left_out + len(folded), "more statement", "more statements")
        parts.append(f"<p>… {more}, too long to show</p>")
    if closing:
        parts.append(f"<p>{_TICKED.sub(r'<code>\1</code>', escape(closing, quote=False))}</p>")
    return f'{_STYLE}<div class="wb mathjax_ignore">{"".join(parts)}</div>'


def _html_finding(finding: Finding) -> str:
    body = f"<strong>{finding.title}</strong> {escape(finding.sentence, quote=False)}"
    if finding.code:
        body += f"<br><code>{escape(_cut(finding.code), quote=False)}</code>"
    if finding.fix:
        body += f"<br>{_coded(finding.fix)}"
    return f'<p class="wb-f">{body}</p>'


_TICKED = re.compile(r"`([^`]++)`")
_CODE = re.compile(r"\.?+\b[\w.]++\((?:[^()]|\([^()]*+\))*+\)")


def _coded(sentence: str) -> str:
    """A sentence as HTML, its calls in code font."""
    return _CODE.sub(lambda m: f"<code>{m[0]}</code>", escape(sentence, quote=False))


def _html_shapes(shapes: Iterable[Shape], capture: Capture, room: _Room) -> list[str]:
    """As many as there is room for."""
    found = []
    for shape in shapes:
        entry = _html_shape(shape, capture)
        if not room.takes(entry):
            break
        found.append(entry)
    return found


def _html_shape(shape: Shape, capture: Capture) -> str:
    statement = _html_sql(shape.example)
    margin = escape(_margin(shape, capture), quote=False)
    plan = "".join(
        f"\n{'  ' * step.depth}→ <em>{escape(step.text)}</em> <small>{escape(_cut(step.raw))}"
        "</small>"
        for step in _plan_steps(shape)
    )
    return (
        f'<div class="wb-q"><span>{len(shape.queries):,} ×</span><pre>{statement}{plan}</pre>'
        f"<span>{margin}</span></div>"
    )


# What we put into a statement: no SQL, to be laid out or highlighted.
_OURS = re.compile(rf"{_RUN}|… [\d,]++ more(?: rows?+)?+|‹\w++›")
_HIDDEN = re.compile(r'"\ue000(\d++)"')


@lru_cache(maxsize=256)  # a cell is often run again
def _html_sql(statement: str) -> str:
    """SQL as HTML: short statements on one line, longer ones a clause a line."""
    ours: list[str] = []

    def hide(match: re.Match) -> str:
        ours.append(match[0])
        return f'"\ue000{len(ours) - 1}"'

    def show(match: re.Match) -> str:
        return escape(ours[int(match[1])], quote=False)

    plain = _OURS.sub(hide, statement.replace("\ue000", "�"))
    return _HIDDEN.sub(show, _highlighted(plain if len(statement) <= 96 else _laid_out(plain)))


_TOO_DEEP = re.compile(r"^ {28}", re.MULTILINE)


def _laid_out(statement: str) -> str:
    try:
        laid_out = sqlparse.format(statement, reindent=True, wrap_after=80, indent_width=2)
    except Exception:  # it gives up on SQL that is nested a hundred deep
        laid_out = ""
    if not laid_out or _TOO_DEEP.search(laid_out):  # CASE within functions walks off to the right
        return "\n".join(statements.clauses(statement))
    return laid_out


_LEXER = SqlLexer(stripnl=False, ensurenl=False)


def _highlighted(statement: str) -> str:
    """Keywords <b>, strings and numbers <i>, so that it lives without styles."""
    out = []
    for kind, text in _LEXER.get_tokens(statement):
        safe = escape(text, quote=False)
        if kind in Keyword or (kind in Operator.Word):
            out.append(f"<b>{safe}</b>")
        elif (kind in Literal and not text.startswith('"')) or kind in Comment:
            out.append(f"<i>{safe}</i>")
        else:
            out.append(safe)
    return "".join(out).replace("</b> <b>", " ").replace("</i><i>", "")


def mimebundle(capture: Capture, notes: list[str], closing: str = "") -> dict[str, str]:
    """Both forms of the report, with `notes` below its headline and one sentence at its end."""
    said = diagnosis.shapes(capture), diagnosis.diagnose(capture)
    return {
        "text/plain": _text(capture, *said, notes, closing),
        "text/html": _html(capture, *said, notes, closing),
    }
