"""`make site`: the chapters as a static website.

In come the files that people read on GitHub: README.md, SECURITY.md, notebooks/*.md and the
chapters with the outputs that are committed. Out comes site/, which needs no server of its own and
loads nothing from elsewhere (`python -m website FOLDER` builds it into another folder). The pages
are laid out in a scratch folder, where every link is rewritten to the page that it leads to; Sphinx
reads that folder (conf.py beside this file).

Two environment variables say what the repository does not know. Without SITE_URL (the address the
site will have) there are no canonical links, no sitemap and no preview picture; without
REPOSITORY_URL (https://github.com/owner/name), files that are not pages are named without a link.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent
CHAPTERS = sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))
# Where the Markdown files go. `index` would be the natural name of INDEX.md, and is the front page.
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "notebooks/README.md": "chapters.md",
    "notebooks/INDEX.md": "find.md",
} | {f"notebooks/{path.name}": path.name for path in CHAPTERS}

# [words, code[0] included](target#anchor)
LINK = re.compile(r"\[((?:[^][]|\[[^][]*\])*)\]\(([^()#\s]+)(#(?:[^()\s]|\([^()\s]*\))+)?\)")

NOT_FOUND = """\
---
orphan: true
nosearch: true
---

# There is no such page

The address may be old, or mistyped. These pages lead everywhere:

- [All chapters](chapters.md), in reading order
- [Index](find.md): "How do I …?", error messages, and every ORM name
- [The front page](index.md)
"""

# On the front page, before the commands.
DOORS = """\
Read it here: [chapter 00]({first}), [all chapters](chapters.md), or the [index](find.md) of tasks
and error messages. Run it on your machine:

"""

CLASS = "With a class"
INTERVIEW = "Before an interview"
TEACHERS = "For teachers"
OPERATIONS = ["The JSON API", "In production", "Working on it"]


@dataclass
class Chapter:
    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        return self.name[:2]

    @cached_property
    def notebook(self) -> dict[str, Any]:
        return json.loads(self.path.read_text(encoding="utf-8"))

    @property
    def prose(self) -> list[dict[str, Any]]:
        return [cell for cell in self.notebook["cells"] if cell["cell_type"] == "markdown"]

    @cached_property
    def title(self) -> str:
        """The heading, with the number by which other chapters call it."""
        heading = re.search(r"^# (.+)$", source(self.prose[0]), re.MULTILINE)
        return f"{self.number} {heading[1] if heading else self.name}"


class Pages:
    """The folder that Sphinx reads."""

    def __init__(self, folder: Path, repository: str) -> None:
        self.folder = folder
        self.repository = repository.rstrip("/")

    def lay_out(self) -> None:
        (self.folder / "images").mkdir(parents=True)
        chapters = [Chapter(path) for path in CHAPTERS]
        for chapter in chapters:
            self.chapter(chapter)

        readme = Sections(self.linked("README.md"))
        operations = [readme.take(heading) for heading in OPERATIONS]
        teachers = readme.take(TEACHERS)
        guide = Sections(self.linked("notebooks/README.md"))
        lesson, interview = guide.take(CLASS), guide.take(INTERVIEW)

        front = readme.text.replace("```sh", DOORS.format(first=CHAPTERS[0].name) + "```sh", 1)
        self.page("index.md", front + contents(chapters))
        self.page("chapters.md", guide.text)
        self.page("find.md", self.linked("notebooks/INDEX.md"))
        self.page("class.md", f"# {CLASS}\n\n{lesson}\n{teachers}")
        self.page("interview.md", f"# {INTERVIEW}\n\n{interview}\n{questions(chapters)}")
        parts = [f"## {name}\n\n{text}" for name, text in zip(OPERATIONS, operations, strict=True)]
        self.page("server.md", "\n".join(["# The shop as a server\n", *parts]))
        self.page("security.md", self.linked("SECURITY.md"))
        self.page("404.md", NOT_FOUND)

    def page(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def chapter(self, chapter: Chapter) -> None:
        title, heading = chapter.title, chapter.prose[0]
        for cell in chapter.prose:
            for name, data in cell.pop("attachments", {}).items():
                picture = f"images/{chapter.name}-{name}"
                (self.folder / picture).write_bytes(base64.b64decode(data["image/png"]))
                cell["source"] = source(cell).replace(f"attachment:{name}", picture)
            text = self.with_diagrams(source(cell), chapter.name)
            cell["source"] = self.with_links(text, Path("notebooks"))
        for cell in chapter.notebook["cells"]:
            if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
                # Without words of its own, a screen reader spells the name of the file.
                drawn = re.search(r'\btitle="([^"]+)"', source(cell))
                alt = f"Chart: {drawn[1]}" if drawn else "What the code above draws"
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
        heading["source"] = re.sub("^# .+$", f"# {title}", heading["source"], flags=re.MULTILINE)
        self.page(chapter.path.name, json.dumps(chapter.notebook, ensure_ascii=False))

    def linked(self, name: str) -> str:
        text = (ROOT / name).read_text(encoding="utf-8")
        text = re.sub(r"^\[!\[.+\n+", "", text, flags=re.MULTILINE)  # badges: for GitHub alone
        text = re.sub(r"<picture>.*?</picture>", themed, text, flags=re.DOTALL)
        return self.with_links(text, Path(name).parent)

    def with_links(self, text: str, folder: Path) -> str:
        """The text with its links and pictures as they are called on the site.

        `folder` is where the text stands in the repository. What is no file of the repository stays
        as it is: addresses, anchors, and code that happens to look like a link.
        """

        def link(match: re.Match[str]) -> str:
            words, target, anchor = match.groups(default="")
            path = os.path.normpath(folder / unquote(target))
            if not (ROOT / path).exists():
                return match[0]
            if page := PAGES.get(path):
                return f"[{words}](<{page}{unquote(anchor)}>)"
            return f"[{words}]({self.repository}/blob/main/{path})" if self.repository else words

        def picture(match: re.Match[str]) -> str:
            path = ROOT / folder / match[1]
            shutil.copy(path, self.folder / "images")
            return f'src="images/{path.name}"'

        text = re.sub(r'\bsrc="([^":]+)"', picture, text)
        return LINK.sub(link, text)

    def with_diagrams(self, text: str, chapter: str) -> str:
        """The text with its Mermaid diagrams drawn.

        Mermaid itself is 3 MB of JavaScript that every reader would load, so drawings are kept in
        diagrams/, each named after its text. One that is missing is shown as text.
        """

        def drawn(match: re.Match[str]) -> str:
            drawing = (
                HERE / "diagrams" / f"{hashlib.sha256(match[1].encode()).hexdigest()[:12]}.svg"
            )
            if not drawing.exists():
                print(f"{chapter}: a diagram is shown as text; draw it as {drawing}", flush=True)
                return f"```text\n{match[1]}```\n"
            svg = "".join(drawing.read_text(encoding="utf-8").splitlines())
            return f'<figure class="diagram">{svg}</figure>\n'

        return re.sub(r"^```mermaid\n(.*?)^```\n", drawn, text, flags=re.DOTALL | re.MULTILINE)


class Sections:
    """A Markdown text from which sections (`## …`) can be taken."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, heading: str) -> str:
        pattern = rf"^## {re.escape(heading)}\n+(.*?)(?=^## |\Z)"
        found = re.search(pattern, self.text, re.DOTALL | re.MULTILINE)
        if found is None:
            raise SystemExit(f"The site needs a section “{heading}”: see {__file__}.")
        self.text = self.text.replace(found[0], "")
        return found[1]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def themed(picture: re.Match[str]) -> str:
    """A <picture> whose dark form is for the browser's theme, as two for the site's own."""
    dark = re.findall(r' srcset="[^"]+"', picture[0])[0].replace("srcset", "src")
    image = re.findall("<img .*?>", picture[0])[0]
    light = re.findall(' src="[^"]+"', image)[0]
    shown = [
        image.replace(light, f'{address} class="only-{theme}"')
        for theme, address in (("light", light), ("dark", dark))
    ]
    return "\n\n".join(shown)


def contents(chapters: list[Chapter]) -> str:
    """What the sidebar lists, in the order of *previous* and *next*."""
    groups = {
        "Chapters": [f"{chapter.title} <{chapter.name}>" for chapter in chapters],
        "Find your way": ["All chapters <chapters>", "Index <find>", "interview", "class"],
        "The shop": ["server", "security"],
    }
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {name}\n\n" + "\n".join(pages) + "\n```\n"
        for name, pages in groups.items()
    )


def questions(chapters: list[Chapter]) -> str:
    """What each chapter asks under *In an interview*, answers folded."""
    parts = []
    for chapter in chapters:
        text = "\n\n".join(source(cell) for cell in chapter.prose) + "\n"
        asked = Sections(text).take("In an interview")
        parts.append(
            f"## {chapter.title}\n\nThe sections that an answer names are in "
            f"[chapter {chapter.number}]({chapter.path.name}), running.\n\n{asked}"
        )
    return "\n".join(parts)


def build(output: Path) -> int:
    """0 if everything is well: a link that leads nowhere is a failure."""
    # In a folder of its own, from the beginning: a page knows the titles of all others, and MyST-NB
    # leaves copies of the chapters beside the site.
    with TemporaryDirectory() as scratch:
        pages, doctrees, site = (Path(scratch, name) for name in ("pages", "doctrees", "site"))
        Pages(pages, os.environ.get("REPOSITORY_URL", "")).lay_out()
        options = ["-q", "-W", "--keep-going", "-j", "auto", "-c", str(HERE), "-d", str(doctrees)]
        if failed := sphinx([*options, str(pages), str(site)]):
            return failed
        shutil.rmtree(output, ignore_errors=True)
        shutil.move(site, output)
        return 0


def main() -> int:
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    failed = build(output)
    if not failed:
        print(f"The site is in {output}: open {output / 'index.html'}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
