"""How a capture looks: HTML for notebooks, and the same words as text for terminals.

The HTML reads well with every style stripped (GitHub does that), and nothing in it depends on the
day, the machine or the run: moments become ‹now›, savepoint names and hashes are left out.
"""

import datetime
import re
import textwrap
from html import escape
from typing import Any

import sqlparse
from django.utils.encoding import force_str
from pygments.lexers.sql import SqlLexer
from pygments.token import Comment, Keyword, Literal, Operator

from workbook.queries import diagnosis
from workbook.queries.diagnosis import Finding, Shape, at_lines
from workbook.queries.plans import Step
from workbook.queries.recorder import Capture, Query

OPEN = 3  # statements shown unfolded
LONGEST = 2_000  # characters of one statement
LONGEST_VALUE = 80


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


def headline(capture: Capture, shapes: list[Shape], findings: list[Finding]) -> tuple[str, str]:
    """What ran, in a few words: ("101 queries", " in 2 shapes")."""
    count, guess = capture.count, capture.guess
    rest = "" if guess is None else f" · you guessed {guess:,}{' ✓' * (guess == count)}"
    if 1 < len(shapes) < count:
        rest += f" in {len(shapes)} shapes" if guess is None else f" · {len(shapes)} shapes"
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
    return _number(count, "query", "queries") if count else "no queries", rest


_VERBS = {"INSERT": " added", "UPDATE": " changed", "DELETE": " deleted", "REPLACE": " changed"}


def _rows(queries: list[Query]) -> str:
    """`24 rows`, `3 rows changed`, `24 rows read, 3 changed`; empty if a number is unknown."""
    totals: dict[str, int] = {}
    for query in queries:
        verb = "" if query.is_select else _VERBS.get(query.sql.split(None, 1)[0].upper())
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
    return " · ".join(f"{number} × {keyword}" for keyword, number in totals.items())


def _margin(shape: Shape, capture: Capture) -> str:
    """What stands beside a statement: its lines and anything out of the ordinary."""
    first = shape.queries[0]
    parts = [at_lines(shape.places)] if shape.places else []
    if first.cause == "display":
        parts = ["to show the table"]
    if first.alias != "default":
        parts.append(f"on {first.alias}")
    if failed := [query.error for query in shape.queries if query.error]:
        parts.append(f"failed: {failed[0]}")
    if first.many:
        parts.append("executemany")
    if capture.show_time:
        parts.append(_time(sum(query.seconds for query in shape.queries)))
    return " · ".join(parts)


def _visible(shapes: list[Shape], findings: list[Finding]) -> set[int]:
    """Which statements stay unfolded: those a finding speaks of, then the first ones."""
    spoken_of = {id(query) for finding in findings for query in finding.queries}
    order = sorted(
        range(len(shapes)), key=lambda n: not spoken_of.intersection(map(id, shapes[n].queries))
    )
    return set(order[: OPEN if len(shapes) > OPEN + 1 else OPEN + 1])


# SQL.

_COLUMN = r'["`][^"`]+["`]\.["`][^"`]+["`]'
_COLUMNS = re.compile(rf"{_COLUMN}(?:, {_COLUMN}){{4,}}")
_VALUE = r"(?:'(?:[^']|'')*'|-?\d[\d.]*|NULL|TRUE|FALSE)"
_ITEM = rf"(?:{_VALUE}|\({_VALUE}\))"
_LONG_LIST = re.compile(rf"IN \(({_ITEM}(?:, ?{_ITEM}){{2}})((?:, ?{_ITEM}){{3,}})\)")
_ROW = rf"\((?:{_VALUE}|[^()'])*\)"
_MORE_ROWS = re.compile(rf"(VALUES {_ROW})((?:, ?{_ROW})+)")
_COMMA, _NEXT_ROW = re.compile(rf", ?{_ITEM}"), re.compile(rf", ?{_ROW}")
_HASH = re.compile(r"[a-z0-9_]+\$+[\w./+=$,-]{20,}$")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)?)?$")


def sql(query: Query, capture: Capture) -> str:
    """One statement as the database got it, long lists shortened, on one line."""
    text = _COLUMNS.sub(_shorten_columns, query.sql)
    if query.params and not query.many:
        text = _with_parameters(query, text, capture)
    elif query.many and query.params:
        text = _with_parameters(query, text, capture, query.params[0])
    text = shorten_lists(text)
    text = re.sub(r"'(‹[^›']+›)'(::\w+)?", r"\1", text)
    text = " ".join(text.split()) if "'" not in text else text.strip()
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def shorten_lists(text: str) -> str:
    """`IN (1, 2, 3, … 97 more)`, and the first row only of VALUES."""
    text = _LONG_LIST.sub(lambda m: f"IN ({m[1]}, … {len(_COMMA.findall(m[2]))} more)", text)
    return _MORE_ROWS.sub(lambda m: f"{m[1]}, … {len(_NEXT_ROW.findall(m[2]))} more rows", text)


def _shorten_columns(match: re.Match) -> str:
    """A run of five or more plain columns, told by number: `… 12 columns`."""
    tables: dict[str, int] = {}
    for column in match[0].split(", "):
        table = column.split(".")[0]
        tables[table] = tables.get(table, 0) + 1
    return ", ".join(
        f"… {_number(number, 'column', 'columns')}" + (f" of {table}" if len(tables) > 1 else "")
        for table, number in tables.items()
    )


def _with_parameters(query: Query, text: str, capture: Capture, params: Any = None) -> str:
    params = query.params if params is None else params
    if isinstance(params, tuple):
        text, params = _without_long_lists(text, params)
    if isinstance(params, dict):
        shown: Any = {name: _presentable(value, capture) for name, value in params.items()}
    else:
        shown = tuple(_presentable(value, capture) for value in params)
    connection = query.connection
    try:
        if connection.vendor == "postgresql":  # its driver only knows what it sent last
            return connection.ops.compose_sql(text, shown)
        raw = connection.connection.cursor()
        try:
            if hasattr(raw, "mogrify"):
                return force_str(raw.mogrify(text, shown))
            return connection.ops.last_executed_query(raw, text, shown) or text
        finally:
            raw.close()
    except Exception:  # closed since, or a value the driver cannot quote: better plain than none
        try:
            return text % (
                {name: repr(value) for name, value in shown.items()}
                if isinstance(shown, dict)
                else tuple(map(repr, shown))
            )
        except Exception:
            return text


_HOLES = re.compile(r"(?<=IN \()%s(?:, ?%s){9,}(?=\))")


def _without_long_lists(text: str, params: tuple) -> tuple[str, tuple]:
    """Long lists cut before their values are filled in: to quote 300,000 takes seconds."""
    parts: list[str] = []
    kept: list[Any] = []
    end = used = 0
    for match in _HOLES.finditer(text):
        before = text[end : match.start()]
        first = used + before.replace("%%", "").count("%s")
        holes = match[0].count("%s")
        parts += [before, f"%s, %s, %s, … {holes - 3} more"]
        kept += params[used : first + 3]
        end, used = match.end(), first + holes
    return "".join([*parts, text[end:]]), (*kept, *params[used:])


def _presentable(value: Any, capture: Capture) -> Any:
    """Values that differ from run to run are named, not shown; long ones are cut."""
    if isinstance(value, datetime.date):  # a datetime is a date too
        return _moment(value, capture) or value
    if isinstance(value, str):
        if _MOMENT.match(value) and (moment := _moment(_parsed(value), capture)):
            return moment
        if _HASH.match(value):
            return "‹hash›"
        if len(value) > LONGEST_VALUE:
            return value[:LONGEST_VALUE] + "…"
    if isinstance(value, list) and len(value) > 5:  # an array on PostgreSQL
        return [_presentable(item, capture) for item in value[:5]]
    if isinstance(value, bytes) and len(value) > LONGEST_VALUE:
        return value[:LONGEST_VALUE]
    return value


def _parsed(value: str) -> datetime.date | None:
    try:
        if len(value) > 10:
            return datetime.datetime.fromisoformat(value)
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def _moment(value: datetime.date | None, capture: Capture) -> str:
    """‹now› for a moment during the capture, ‹today› for its day, else nothing."""
    if value is None:
        return ""
    ended = datetime.datetime.now(datetime.UTC)
    if not isinstance(value, datetime.datetime):
        days = {capture.started.date(), ended.date(), capture.started.astimezone().date()}
        return "‹today›" if value in days else ""
    started = capture.started - datetime.timedelta(seconds=1)
    readings = [value] if value.tzinfo else [value.replace(tzinfo=datetime.UTC), value.astimezone()]
    return "‹now›" if any(started <= reading <= ended for reading in readings) else ""


_BREAKS = re.compile(
    r"(?<!DELETE) (?=(?:FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|UNION|INTERSECT|EXCEPT|"
    r"RETURNING|VALUES|SET|ON CONFLICT|(?:INNER|LEFT OUTER|CROSS) JOIN)\b)"
)


_TOO_DEEP = re.compile(r"^ {28}", re.MULTILINE)

# What we put into a statement: no SQL, to be laid out or highlighted.
_OURS = re.compile(r"… [\d,]+ (?:columns?(?: of [\"`][^\"`]+[\"`])?|more(?: rows)?)|‹\w+›")


def _html_sql(statement: str) -> str:
    """SQL as HTML: short statements on one line, longer ones a clause a line."""
    ours: list[str] = []

    def hide(match: re.Match) -> str:
        ours.append(match[0])
        return f'"⟦{len(ours) - 1}⟧"'

    plain = _OURS.sub(hide, statement)
    shown = _highlighted(plain if len(statement) <= 96 else _laid_out(plain))
    return re.sub(r'"⟦(\d+)⟧"', lambda m: escape(ours[int(m[1])], quote=False), shown)


def _laid_out(statement: str) -> str:
    laid_out = sqlparse.format(statement, reindent=True, wrap_after=80, indent_width=2)
    if _TOO_DEEP.search(laid_out):  # CASE within functions walks off to the right
        return _BREAKS.sub("\n", statement)
    return laid_out


def _highlighted(statement: str) -> str:
    """Keywords <b>, strings and numbers <i>, so that it lives without styles."""
    out = []
    for kind, text in SqlLexer(stripnl=False, ensurenl=False).get_tokens(statement):
        safe = escape(text, quote=False)
        if kind in Keyword or (kind in Operator.Word):
            out.append(f"<b>{safe}</b>")
        elif (kind in Literal and not text.startswith('"')) or kind in Comment:
            out.append(f"<i>{safe}</i>")
        else:
            out.append(safe)
    return "".join(out).replace("</b> <b>", " ").replace("</i><i>", "")


# Text.


def text(capture: Capture) -> str:
    """The report for a terminal."""
    return _text(capture, diagnosis.shapes(capture), diagnosis.diagnose(capture), [])


def _text(capture: Capture, shapes: list[Shape], findings: list[Finding], notes: list[str]) -> str:
    strong, rest = headline(capture, shapes, findings)
    lines = [strong + rest]
    for finding in findings:
        lines.append(f"{finding.title}  {finding.sentence}")
        indent = " " * (len(finding.title) + 2)
        lines += [
            indent + line
            for part in (finding.code, finding.remedy)
            for line in textwrap.wrap(part, 96, break_long_words=False, break_on_hyphens=False)
        ]
    if capture.transactions:
        lines.append(f"Transaction  {transactions(capture.transactions)}")
    lines += notes
    if findings or capture.transactions or notes:
        lines.append("")
    width = max((len(f"{len(shape.queries):,}") for shape in shapes), default=1)
    visible = _visible(shapes, findings)
    for n, shape in enumerate(shapes):
        if n in visible:
            lines += _text_of(shape, capture, width)
    if folded := len(shapes) - len(visible):
        more = _number(folded, "more statement", "more statements")
        lines.append(f"{'':>{width}}    … {more}")
    return "\n".join(line.rstrip() for line in lines).rstrip()


_QUOTED = re.compile(r"'(?:[^']|'')*'")  # no line breaks in here


def _text_of(shape: Shape, capture: Capture, width: int) -> list[str]:
    statement = " ".join(_text_sql(sql(shape.queries[0], capture)).split())
    margin = _margin(shape, capture)
    count = f"{len(shape.queries):>{width},} ×  "
    indent = " " * len(count)
    pieces = [statement] if len(statement) <= 96 else _BREAKS.split(statement)
    lines: list[str] = []
    for piece in pieces:
        lines += textwrap.wrap(
            _QUOTED.sub(lambda quoted: quoted[0].replace(" ", "\0"), piece),
            96,
            initial_indent=f"{indent}  " if lines else count,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines = [line.replace("\0", " ") for line in lines]
    lines[-1] += f"    {margin}" if margin else ""
    for step in _plan_steps(shape):
        raw = f" ({step.raw})" if step.text else step.raw
        lines.append(f"{indent}{'  ' * step.depth}→ {step.text}{raw}")
    return lines


def _text_sql(statement: str) -> str:
    """Runs of columns are one … in text."""
    runs = r'… [\d,]+ columns?(?: of ["`][^"`]+["`])?'
    return re.sub(rf"{runs}(?:, {runs})*", "…", statement)


def _plan_steps(shape: Shape) -> list[Step]:
    return next((query.plan for query in shape.queries if query.plan), None) or []


# HTML.

_STYLE = (
    "<style>"
    ".wb{font-size:var(--jp-ui-font-size1,13px);line-height:1.5;margin:4px 0;padding:4px 10px;"
    "border-left:3px solid var(--jp-border-color1,#8885);color:var(--jp-ui-font-color1,inherit)}"
    ".wb p{margin:4px 0}.wb>p:first-child{color:var(--jp-ui-font-color2,inherit)}"
    ".wb-f{border-left:3px solid var(--jp-warn-color1,#d97706);margin-left:-13px;padding-left:10px}"
    ".wb-f strong{color:var(--jp-warn-color0,#b45309)}"
    ".wb-q{display:flex;gap:10px;align-items:baseline;margin:2px 0}"
    ".wb-q>span{color:var(--jp-ui-font-color2,#8889);white-space:nowrap;min-width:3em;"
    "text-align:right}.wb-q>span+pre{flex:1}"
    ".wb .wb-q pre{margin:0;padding:0;background:none;white-space:pre-wrap;"
    "word-break:normal;overflow-wrap:anywhere;"
    "font-size:var(--jp-code-font-size,13px);color:inherit}"
    ".wb pre b{font-weight:600;color:var(--jp-mirror-editor-keyword-color,#15803d)}"
    ".wb pre i{font-style:normal;color:var(--jp-mirror-editor-string-color,#b91c1c)}"
    ".wb pre em{font:inherit;font-family:var(--jp-ui-font-family,sans-serif)}"
    ".wb small{color:var(--jp-ui-font-color2,#8889)}"
    ".wb summary{cursor:pointer;color:var(--jp-ui-font-color2,#8889)}"
    "</style>"
)


def html(capture: Capture) -> str:
    """The report for a notebook."""
    return _html(capture, diagnosis.shapes(capture), diagnosis.diagnose(capture), [])


def _html(capture: Capture, shapes: list[Shape], findings: list[Finding], notes: list[str]) -> str:
    strong, rest = headline(capture, shapes, findings)
    parts = [f"<p><b>{strong}</b>{rest}</p>"]
    parts += [_html_finding(finding) for finding in findings]
    if capture.transactions:
        parts.append(f"<p>Transaction: {transactions(capture.transactions)}</p>")
    parts += [f"<p>{escape(note)}</p>" for note in notes]
    visible = _visible(shapes, findings)
    parts += [_html_shape(shape, capture) for n, shape in enumerate(shapes) if n in visible]
    if folded := [shape for n, shape in enumerate(shapes) if n not in visible]:
        more = _number(len(folded), "more statement", "more statements")
        inner = "".join(_html_shape(shape, capture) for shape in folded)
        parts.append(f"<details><summary>{more}</summary>{inner}</details>")
    return f'{_STYLE}<div class="wb mathjax_ignore">{"".join(parts)}</div>'


def _html_finding(finding: Finding) -> str:
    body = f"<strong>{finding.title}</strong> {escape(finding.sentence, quote=False)}"
    if finding.code:
        body += f"<br><code>{escape(finding.code, quote=False)}</code>"
    if finding.remedy:
        body += f"<br>{_coded(finding.remedy)}"
    return f'<p class="wb-f">{body}</p>'


_CODE = re.compile(r"\.?\b\w+\((?:[^()]|\([^()]*\))*\)")


def _coded(sentence: str) -> str:
    """A sentence as HTML, its calls in code font."""
    return _CODE.sub(lambda m: f"<code>{m[0]}</code>", escape(sentence, quote=False))


def _html_shape(shape: Shape, capture: Capture) -> str:
    statement = _html_sql(sql(shape.queries[0], capture))
    margin = escape(_margin(shape, capture), quote=False)
    plan = "".join(
        f"\n{'  ' * step.depth}→ <em>{escape(step.text)}</em> <small>{escape(step.raw)}</small>"
        for step in _plan_steps(shape)
    )
    return (
        f'<div class="wb-q"><span>{len(shape.queries):,} ×</span><pre>{statement}{plan}</pre>'
        f"<span>{margin}</span></div>"
    )


def mimebundle(capture: Capture, notes: list[str]) -> dict[str, str]:
    """Both forms of the report, with `notes` below its headline."""
    said = diagnosis.shapes(capture), diagnosis.diagnose(capture)
    return {
        "text/plain": _text(capture, *said, notes),
        "text/html": _html(capture, *said, notes),
    }
