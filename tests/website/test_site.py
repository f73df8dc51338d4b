"""The website: it builds, every link leads somewhere, and reading it asks no other host."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape, unescape
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

if not (find_spec("myst_nb") and find_spec("sphinx_book_theme")):
    pytest.skip("The website's packages are not installed: make site-test", allow_module_level=True)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SITE_URL = "https://example.org/workbook/"
BELOW = "/workbook"  # where the test's server has the site, as GitHub Pages would
CHAPTERS = sorted(path.stem for path in ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LOADED = {"img": "src", "script": "src", "link": "href", "source": "srcset", "iframe": "src"}


class Page(HTMLParser):
    """What a page names (its ids), where it leads, and what it loads."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.base, self.text = name, text
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.canonical = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "base":
            self.base = found["href"].removeprefix(urlsplit(SITE_URL).path)
        elif tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") == "canonical":
            self.canonical = found["href"]
        elif address := found.get(LOADED.get(tag, "")):
            self.loads.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as for publishing; a warning of Sphinx is a failure."""
    folder = tmp_path_factory.mktemp("website") / "site"
    built = subprocess.run(
        [sys.executable, "-m", "website", str(folder)],
        cwd=ROOT,
        env=os.environ | {"SITE_URL": SITE_URL, "REPOSITORY_URL": "https://example.org/source"},
        capture_output=True,
        encoding="utf-8",
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    found = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    names = {path.relative_to(site).as_posix(): path for path in sorted(found)}
    return {name: Page(name, path.read_text(encoding="utf-8")) for name, path in names.items()}


def inside(page: Page, address: str) -> tuple[str, str] | None:
    """The file and the anchor that an address on this page means; None on another host."""
    if urlsplit(address).scheme or address.startswith("//"):
        return None
    path, _, anchor = urljoin(f"/{page.base}", address).partition("#")
    path = unquote(path.partition("?")[0]).removeprefix("/")
    return (f"{path}index.html" if path.endswith("/") or not path else path), unquote(anchor)


def test_every_chapter_is_a_page_with_its_outputs(pages):
    assert len(CHAPTERS) > 10
    for name in CHAPTERS:
        notebook = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        reports = len(re.findall(r'class=\\"wb mathjax_ignore\\"', notebook))
        assert pages[f"{name}.html"].text.count('class="wb mathjax_ignore"') == reports > 10
        title = re.search(r'"# (.+?)(\\n)?"', notebook)
        assert f"<title>{name[:2]} {escape(title[1], quote=False)} " in pages[f"{name}.html"].text


def test_charts_say_what_they_show(pages):
    assert 'alt="Chart: Sales per month"' in pages["00_start_here.html"].text
    for name, page in pages.items():
        assert "What the code above draws" not in page.text, name


def test_every_link_and_anchor_leads_somewhere(site, pages):
    lost, followed = set(), 0
    for name, page in pages.items():
        for address in page.links + page.loads:
            if (target := inside(page, address)) is None:
                continue
            path, anchor = target
            followed += 1
            if path not in pages:
                if not (site / path).is_file():
                    lost.add((name, address))
            elif anchor and anchor not in pages[path].ids:
                lost.add((name, address))
    assert lost == set()
    print(f"{followed} links followed")
    assert followed > 2000


def test_the_index_leads_to_sections(pages):
    """Not to the top of a chapter: a heading whose anchor is lost would still be a link."""
    written = (ROOT / "notebooks" / "INDEX.md").read_text(encoding="utf-8")
    asked = len(re.findall(r"\]\(\w+\.ipynb#", written))
    links = [link for link in pages["find.html"].links if re.match(r"\d\d_\w+\.html#.", link)]
    assert len(links) == asked > 300


def test_no_page_names_a_file_of_the_repository(pages):
    stale = {
        (name, link)
        for name, page in pages.items()
        for link in page.links
        if not urlsplit(link).netloc and urlsplit(link).path.endswith((".ipynb", ".md"))
    }
    assert stale == set()


def test_nothing_is_loaded_from_another_host(site, pages):
    loaded = {
        (name, address) for name, page in pages.items() for address in page.loads
        if inside(page, address) is None and not address.startswith("data:")
    }  # fmt: skip
    assert loaded == set()
    for sheet in site.rglob("*.css"):
        named = re.findall(r"(?:url\(|@import\s+)['\"]?(\w+://|//)", sheet.read_text("utf-8"))
        assert named == [], sheet


def test_search_engines_and_messengers_are_told(site, pages):
    sitemap = (site / "sitemap.xml").read_text(encoding="utf-8")
    told = set(re.findall(r"<loc>(.+?)</loc>", sitemap))
    assert {f"{SITE_URL}{name}.html" for name in ["index", "find", "interview", *CHAPTERS]} <= told
    for name in ["index.html", *(f"{name}.html" for name in CHAPTERS)]:
        assert pages[name].canonical == f"{SITE_URL}{name}"
        assert f'property="og:image" content="{SITE_URL}social.png"' in pages[name].text
        assert re.search(r'name="description" content="[^"]{40,}"', pages[name].text), name
    assert not pages["404.html"].canonical
    assert f"{SITE_URL}404.html" not in told


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder, and hears from the browser what a strict policy would have blocked.

    The policy allows nothing from other hosts, and only reports, so that a page runs as it would.
    """

    POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data:; report-uri /blocked"

    def __init__(self, folder: Path, extra: dict[str, str]) -> None:
        self.asked: list[str] = []
        self.blocked: list[str] = []
        server = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def translate_path(self, path: str) -> str:
                return super().translate_path(path.removeprefix(BELOW))

            def do_GET(self) -> None:
                server.asked.append(self.path)
                if (text := extra.get(self.path)) is None:
                    return super().do_GET()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                server.blocked.append(self.rfile.read(length).decode())
                self.send_response(204)
                self.end_headers()

            def end_headers(self) -> None:
                self.send_header("Content-Security-Policy-Report-Only", server.POLICY)
                super().end_headers()

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))


@contextmanager
def serving(folder: Path, **extra: str) -> Iterator[Server]:
    """A server for the folder, and for texts of the test's own, by name."""
    server = Server(folder, {f"/{name}": text for name, text in extra.items()})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def load(server: Server, name: str, profile: Path) -> str:
    """The page as it is when the browser has run it."""
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}"]
    options += ["--virtual-time-budget=60000", "--dump-dom"]
    address = f"http://127.0.0.1:{server.server_port}/{name}"
    done = subprocess.run(
        [str(CHROMIUM), *options, address],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    return done.stdout


@pytest.mark.skipif(not CHROMIUM, reason="There is no Chromium on the PATH.")
def test_in_a_browser(site, pages, tmp_path):
    """No page asks another host or is wider than a phone, and outputs can be read in each theme."""
    addresses = {f"{BELOW}/{name}" for name in pages}
    phone = (HERE / "phone.html").read_text(encoding="utf-8")
    phone = phone.replace("ADDRESSES", json.dumps(sorted(addresses)))
    with serving(site, phone=phone) as server:
        shown = load(server, "phone", tmp_path)
    found = re.search('<pre id="measured">(.+?)</pre>', shown)
    assert found, shown
    measured = json.loads(unescape(found[1]))
    assert measured.keys() == addresses <= set(server.asked)
    assert server.blocked == []
    assert {name: page["width"] for name, page in measured.items() if page["width"] != 390} == {}
    texts = sum(page["texts"] for page in measured.values())
    assert texts > 1000
    print(f"{texts} texts in outputs measured")
    pale = [text for page in measured.values() for text in page["pale"]]
    assert pale == []


@pytest.mark.skipif(not CHROMIUM, reason="There is no Chromium on the PATH.")
def test_a_request_to_another_host_would_be_seen(tmp_path):
    with serving(tmp_path, page='<img src="http://127.0.0.2/x.png">') as server:
        load(server, "page", tmp_path)
    assert len(server.blocked) == 1
