"""How exercises look: HTML that follows JupyterLab's theme, with a plain-text twin."""

import re
from dataclasses import dataclass, field
from html import escape
from typing import Any

import sqlparse
from django.conf import settings

from workbook.exercises.checker import Verdict
from workbook.exercises.declaration import Exercise
from workbook.exercises.progress import Entry
from workbook.exercises.running import Outcome
from workbook.exercises.words import plural
from workbook.queries import diagnosis

STYLE = (
    "border-left: 3px solid {colour}; padding: 0.2em 0 0.2em 0.8em; "
    "color: var(--jp-ui-font-color1, inherit);"
)
PRE = (
    "margin: 0.3em 0; padding: 0.5em; overflow-x: auto; white-space: pre; "
    "background: var(--jp-layout-color2, rgba(128, 128, 128, 0.12));"
)
COLOURS = {
    "passed": "var(--jp-success-color1, #388e3c)",
    "failed": "var(--jp-error-color1, #d32f2f)",
}
QUIET = "var(--jp-border-color1, #9e9e9e)"


@dataclass
class Message:
    """Something to show: a headline, paragraphs (`code` in backticks), a table, folded parts.

    link: words and the address that they lead to, or None.
    """

    headline: str
    paragraphs: list[str] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    folded: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    status: str = ""
    link: tuple[str, str] | None = None

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.text()}

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        parts = [self.headline.replace("**", ""), *self.paragraphs]
        if self.table:
            parts.append(_text_table(self.table))
        parts += self.closing
        for title, columns in self.folded:
            for label, code in columns:
                parts.append(f"▸ {label or title}\n{_indented(code)}")
        if self.link:
            parts.append(": ".join(self.link))
        return "\n".join(parts)

    def html(self) -> str:
        style = STYLE.format(colour=COLOURS.get(self.status, QUIET))
        parts = [f"<div>{_inline(self.headline)}</div>"]
        parts += [f"<div>{_inline(line)}</div>" for line in self.paragraphs]
        if self.table:
            parts.append(_html_table(self.table))
        parts += [f"<div>{_inline(line)}</div>" for line in self.closing]
        for title, columns in self.folded:
            cells = "".join(
                f'<div style="flex: 1 1 20em; min-width: 0;">'
                f"{f'<div>{escape(label)}</div>' if label else ''}"
                f'<pre style="{PRE}">{escape(code)}</pre></div>'
                for label, code in columns
            )
            parts.append(
                f"<details><summary>{escape(title)}</summary>"
                f'<div style="display: flex; flex-wrap: wrap; gap: 0.8em;">{cells}</div></details>'
            )
        if self.link:
            words, address = self.link
            parts.append(f'<div><a href="{escape(address)}">{escape(words)}</a></div>')
        return f'<div class="workbook-exercise" style="{style}">{"".join(parts)}</div>'


def _inline(text: str) -> str:
    """Escaped text with `code` and **bold**."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", marked)


def _text_table(table: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in table)
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def _html_table(table: list[list[str]]) -> str:
    left = 'style="text-align: left;"'  # on each cell: JupyterLab's own rule names them
    header = "".join(f"<th {left}>{escape(cell)}</th>" for cell in table[0])
    rows = "".join(
        f"<tr>{''.join(f'<td {left}>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in table[1:]
    )
    return f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.splitlines())


# The messages -------------------------------------------------------------------------------


def verdict_message(verdict: Verdict, entry: Entry) -> Message:
    """What the learner sees below an exercise's cell."""
    exercise = verdict.exercise
    number = f"**{exercise.number}**"
    if verdict.status == "not attempted":
        return Message(f"○ {number} · not attempted yet")
    if verdict.status == "stopped":
        return Message(
            f"○ {number} · stopped",
            ["You stopped the cell. What it had written is undone, and no attempt is counted."],
        )
    if verdict.status == "passed":
        return _passed(verdict)
    return Message(
        f"✗ {number} · not yet",
        verdict.sentences,
        table=verdict.table,
        closing=[_next_step(exercise, entry)],
        status="failed",
        link=_report(exercise),
    )


def _report(exercise: Exercise) -> tuple[str, str] | None:
    """Where to say that a refusal is wrong, from `settings.WORKBOOK["REFUSED"]`, if it is set."""
    address = getattr(settings, "WORKBOOK", {}).get("REFUSED")
    if not address:
        return None
    return "Is your answer right all the same? Tell us", address.format(number=exercise.number)


def _next_step(exercise: Exercise, entry: Entry) -> str:
    if entry.hints < len(exercise.hints):
        return f"Next: `%hint {exercise.number}`"
    return f"All hints are out: try once more, or see `%solution {exercise.number}`"


def _passed(verdict: Verdict) -> Message:
    exercise = verdict.exercise
    headline = f"✓ **{exercise.number}** · right"
    if verdict.shops == 2:
        headline += ", on both shops"
    count = len(verdict.given.statements)
    headline += f" · {plural(count, 'query')}"
    if exercise.queries is not None:
        headline += f", budget {exercise.queries}"
    yours, model = sql_of(verdict.given), sql_of(verdict.expected)
    folded = [("model answer", [("", exercise.source)])]
    if yours or model:
        if yours == model:
            folded.append(("your SQL, the same as the model answer's", [("", yours)]))
        else:
            folded.append(
                ("your SQL beside it", [("your SQL", yours), ("the model answer's SQL", model)])
            )
    return Message(
        headline,
        _unwrapped(exercise.explanation),
        folded=folded,
        status="passed",
    )


def _unwrapped(text: str) -> list[str]:
    """A docstring's paragraphs, each on one line."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def sql_of(outcome: Outcome, most: int = 3) -> str:
    """The statements an answer ran, each shape once, formatted, with real parameters."""
    shapes = diagnosis.shapes(outcome.capture)
    blocks = []
    for shape in shapes[:most]:
        text = sqlparse.format(shape.example, reindent=True)
        times = len(shape.queries)
        blocks.append(f"-- {times:,} ×\n{text}" if times > 1 else text)
    if len(shapes) > most:
        blocks.append(f"-- and {plural(len(shapes) - most, 'statement')} more")
    return "\n\n".join(blocks)


def hint_message(exercise: Exercise, shown: int) -> Message:
    """The hint at position `shown` (from 1), and how many are left."""
    total = len(exercise.hints)
    left = total - shown
    if left:
        closing = f"{plural(left, 'hint')} left: `%hint {exercise.number}` again."
    else:
        closing = f"That was the last hint. `%solution {exercise.number}` shows a model answer."
    return Message(
        f"**{exercise.number}** · hint {shown} of {total}",
        [exercise.hints[shown - 1]],
        closing=[closing],
    )


def solution_message(exercise: Exercise) -> Message:
    return Message(
        f"**{exercise.number}** · a model answer",
        _unwrapped(exercise.explanation),
        folded=[("model answer", [("", exercise.source)])],
    )


def progress_message(
    chapters: dict[str, dict[str, Exercise]], entries: dict[str, Entry], notices: list[str]
) -> Message:
    """Chapters × exercises: ✓ passed, ✗ tried, ○ not yet; with stars, attempts and hints."""
    numbers = [number for chapter in chapters.values() for number in chapter]
    passed = sum(entries.get(number, Entry()).passed for number in numbers)
    width = max((len(chapter) for chapter in chapters.values()), default=0)
    rows = []
    for chapter, found in chapters.items():
        done = sum(entries.get(number, Entry()).passed for number in found)
        cells = [_progress_cell(e, entries.get(n, Entry())) for n, e in found.items()]
        rows.append([chapter, f"{done} of {len(found)}", *cells, *[""] * (width - len(cells))])
    tried = sum(entries.get(number, Entry()).attempts for number in numbers)
    hints = sum(entries.get(number, Entry()).hints for number in numbers)
    return Message(
        f"**{passed} of {plural(len(numbers), 'exercise')} solved** · "
        f"{plural(tried, 'attempt')} · {plural(hints, 'hint')}",
        notices,
        table=[["chapter", "solved", *[""] * width], *rows] if rows else [],
        closing=["✓ solved  ✗ tried  ○ open  ★ difficulty  2× attempts  1h hints  s solution seen"],
    )


def _progress_cell(exercise: Exercise, entry: Entry) -> str:
    mark = "✓" if entry.passed else "✗" if entry.attempts else "○"
    parts = [f"{mark} {exercise.number} {'★' * exercise.stars}"]
    parts += [f"{entry.attempts}×"] if entry.attempts else []
    parts += [f"{entry.hints}h"] if entry.hints else []
    parts += ["s"] if entry.solution else []
    return " ".join(parts)
