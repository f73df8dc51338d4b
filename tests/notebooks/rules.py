"""How a chapter is built: each rule reads a chapter and gives its faults as sentences.

The limits hold for a first reading: a section *Going further* is not counted.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .chapters import CHAPTERS, VARIES, output_lines

CELLS, CODE_CELLS, WORDS = 55, range(15, 31), 1_600
GUESSES, VARYING = 3, 5
DRAWING = 84  # columns, as wide as JupyterLab's text on a laptop
QUESTIONS = range(3, 6)
TASKS = range(5, 9)
FURTHER = "Going further"
PICTURE = "picture"  # the tag of a cell whose table is one, and is held true by a cell or a test

# Words that a reader has to translate, and what to write instead.
REPLACED = {
    r"dear(?:est)?": "expensive",
    r"mend(?:s|ed|ing)?": "fix",
    r"cure[sd]?": "fix",
    r"anew": "again",
    r"needless": "unnecessary",
    r"shel(?:f|ves)": "category",
    r"(?:lies|lie) unused|for nothing": "unused",
    r"turned round|the other way round": "the opposite",
    r"over the same amount": "for the same amount",
    r"look whether": "check whether",
    r"simply|obviously|(?:it's|is|can|you|and) just": "(leave it out)",
}


@dataclass
class Chapter:
    """A chapter's cells, each with the section it is in."""

    path: Path
    cells: list[tuple[str, NotebookNode]]

    @classmethod
    def read(cls, path: Path) -> "Chapter":
        section, cells = "", []
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown" and (
                heading := re.search(r"^## (.+)$", plain(cell.source), re.MULTILINE)
            ):
                section = heading[1].strip()
            cells.append((section, cell))
        return cls(path, cells)

    @property
    def opening(self) -> str:
        return self.cells[0][1].source

    def texts(self, *left_out: str) -> list[str]:
        """The markdown cells, without those of the sections that are left out."""
        return [
            cell.source
            for section, cell in self.cells
            if cell.cell_type == "markdown" and section not in left_out
        ]

    def code(self, *left_out: str) -> list[NotebookNode]:
        return [
            cell
            for section, cell in self.cells
            if cell.cell_type == "code" and section not in left_out
        ]

    def section(self, name: str) -> str:
        return "\n\n".join(
            cell.source
            for section, cell in self.cells
            if cell.cell_type == "markdown" and section == name
        )

    @property
    def tasks(self) -> list[str]:
        return [text for text in self.texts() if re.match(r"\*\*\d+\.\d+ ★", text)]


def plain(text: str) -> str:
    """Markdown without its fenced code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def words(text: str) -> int:
    """How many words of prose: no code blocks, no tables, no HTML."""
    prose = re.sub(r"^\|.*$|<[^>]+>", " ", plain(text), flags=re.MULTILINE)
    return len(re.findall(r"\S*\w\S*", prose))


Faults = Iterator[str]


def opening(chapter: Chapter) -> Faults:
    if not chapter.opening.startswith("# "):
        yield "it does not begin with its title"
    for promise in ("*You will be able to", "*You need", "*Takes"):
        if promise not in chapter.opening:
            yield f"its first cell does not say {promise}"
    if not re.search(r"\*Takes\* about \d+ minutes", chapter.opening):
        yield "its first cell does not say *Takes* about … minutes"
    if not chapter.code()[0].source.startswith("%load_ext workbook\n"):
        yield "its first code cell does not load the workbook"


def sections(chapter: Chapter) -> Faults:
    headings = list(dict.fromkeys(section for section, _ in chapter.cells))
    closing = ["In an interview", "Exercises", "In short"]
    if headings[-3:] != closing:
        yield f"its last three sections are {headings[-3:]}, not {closing}"
    if FURTHER in headings and headings.index(FURTHER) != len(headings) - 4:
        yield f"{FURTHER} does not come right before {closing[0]}"


def length(chapter: Chapter) -> Faults:
    cells = sum(section != FURTHER for section, _ in chapter.cells)
    if cells > CELLS:
        yield f"it has {cells} cells, of at most {CELLS}"
    code = len(chapter.code(FURTHER))
    if code not in CODE_CELLS:
        yield f"it has {code} code cells, not {CODE_CELLS.start} to {CODE_CELLS.stop - 1}"
    prose = sum(map(words, chapter.texts(FURTHER, "Exercises")))
    if prose > WORDS:
        yield f"it has {prose:,} words of prose outside the exercises, of at most {WORDS:,}"
    varying = sum(VARIES in cell.metadata.get("tags", []) for cell in chapter.code())
    if varying > VARYING:
        yield f"the output of {varying} cells may vary: nobody checks what they show"


def predictions(chapter: Chapter) -> Faults:
    guesses = [
        line
        for cell in chapter.code()
        for line in cell.source.splitlines()
        if line.startswith("%guess")
    ]
    if len(guesses) < GUESSES:
        yield f"it asks for {len(guesses)} predictions with %guess, of at least {GUESSES}"
    if filled := sorted(set(guesses) - {"%guess ..."}):
        yield f"a prediction is filled in: {', '.join(filled)}"
    if not any(re.match(r"\*\*[\d.]+ ★+\*\* \*?Predict\.", task) for task in chapter.tasks):
        yield "none of its exercises asks to *Predict.*"


def pictures(chapter: Chapter) -> Faults:
    drawn = re.compile(r"^```(?:mermaid|text)\n|!\[[^]]*\]\(|<img ", re.MULTILINE)
    if not any(
        drawn.search(cell.source)
        if cell.cell_type == "markdown"
        else any("image/png" in output.get("data", {}) for output in cell.outputs)
        for _, cell in chapter.cells
    ) and not any(PICTURE in cell.metadata.get("tags", []) for _, cell in chapter.cells):
        yield (
            "it has no picture: Mermaid, an image, a drawing in ```text, or a table in a cell "
            f"with the tag {PICTURE}"
        )
    for drawing in re.findall(r"^```text\n(.*?)^```", "\n".join(chapter.texts()), re.S | re.M):
        width = max(map(len, drawing.splitlines()))
        if width > DRAWING:
            yield f"a drawing is {width} columns wide, of at most {DRAWING}: its lines would wrap"


def interview(chapter: Chapter) -> Faults:
    text = chapter.section("In an interview")
    questions = re.findall(r"^\*\*(.+?)\*\*\n<details><summary>Answer</summary>\n\n", text, re.M)
    answers = text.split("<summary>Answer</summary>")[1:]
    if len(answers) not in QUESTIONS:
        yield f"its interview has {len(answers)} questions, not three to five"
    if len(questions) != len(answers):
        yield "a question of its interview is not **bold**, with its answer folded right below"
    for question, answer in zip(questions, answers, strict=False):
        if "**The follow-up:**" not in answer:
            yield f"no follow-up to: {question}"


def exercises(chapter: Chapter) -> Faults:
    if len(chapter.tasks) not in TASKS:
        yield f"it has {len(chapter.tasks)} exercises, not five to eight"


def links(chapter: Chapter) -> Faults:
    """A chapter that is not written yet is "to come", and no other is."""
    there = {path.name[:2] for path in CHAPTERS}
    for text in map(plain, chapter.texts()):
        for name in re.findall(r"\]\((\d\d_\w+\.ipynb)(?:#[^)]*)?\)", text):
            if not chapter.path.with_name(name).exists():
                yield f"it links to {name}, which does not exist"
        mentions = re.finditer(r"[Cc]hapters? (\d\d(?:(?:,| and| to) \d\d)*)", text)
        for mention in mentions:
            numbers = re.findall(r"\d\d", mention[1])
            to_come = re.match(
                r"[^.\n]{0,3}\(?(?:are |is )?(?:still )?to come\b", text[mention.end() :]
            )
            for number in numbers:
                if number not in there and not to_come:
                    yield f"chapter {number} is not written, and the text does not say “to come”"
            if to_come and set(numbers) <= there:
                yield f"{mention[0]} is said to come, and is there"


def voice(chapter: Chapter) -> Faults:
    for text in map(_said, chapter.texts()):
        for pattern, instead in REPLACED.items():
            for found in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
                around = text[max(0, found.start() - 30) : found.end() + 30].replace("\n", " ")
                yield f"“{found[0]}” (write: {instead}) in “… {around} …”"


def _said(text: str) -> str:
    return re.sub(r"`[^`]*`", "``", plain(text))


_NUMBER = re.compile(r"(?<![\w.,/#-])\d[\d,]*(?:\.\d+)?(?![\w-]|[.,/]\d)")
# Code, links, chapters by their numbers, and versions: no claims about the shop.
_NO_CLAIM = re.compile(
    r"`[^`]*`|\[[^]]*\]\([^)]*\)|[Cc]hapters? \d\d(?:(?:,| and| to) \d\d)*(?:'s)?"
    r"|\w+ (?:significant )?digits"
    r"|(?:[Nn]ew in|[Ss]ince|[Bb]efore|Django|Python|SQLite|PostgreSQL|MariaDB) \d+(?:\.\d+)*"
)
_SPELLED = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "a hundred": 100, "a thousand": 1_000,
}  # fmt: skip
_SPELLED_NUMBER = re.compile(
    rf"(?<!than )(?<!about )(?<!almost )\b(?:{'|'.join(_SPELLED)})\b(?!-)", re.IGNORECASE
)


def numbers(chapter: Chapter) -> Faults:
    """A number of two digits or more that the prose states is in a cell or in its output."""
    shown = _numbers("\n".join(map(_seen, chapter.code())))
    for text in chapter.texts("Exercises")[1:]:  # the first says how many minutes it takes
        claims = _NO_CLAIM.sub("", text)
        stated = {number for number in _numbers(claims) if len(number) > 1}
        stated |= {str(_SPELLED[found.lower()]) for found in _SPELLED_NUMBER.findall(claims)}
        for number in sorted(stated - shown):
            yield f"no cell shows the number {number} of “{text[:60].strip()} …”"


def _numbers(text: str) -> set[str]:
    return {found.replace(",", "").rstrip(".") for found in _NUMBER.findall(text)}


def _seen(cell: NotebookNode) -> str:
    """A code cell's source and outputs as text."""
    return "\n".join([cell.source, *(line for each in cell.outputs for line in output_lines(each))])


RULES: list[Callable[[Chapter], Faults]] = [
    opening,
    sections,
    length,
    predictions,
    pictures,
    interview,
    exercises,
    links,
    voice,
    numbers,
]


def faults(path: Path) -> list[str]:
    """Everything that is not as a chapter should be."""
    chapter = Chapter.read(path)
    return [fault for rule in RULES for fault in rule(chapter)]
