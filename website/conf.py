"""How Sphinx builds the site. `python -m website` lays out the pages and starts it."""

import os
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx

from website import anchor

SITE_URL = os.environ.get("SITE_URL", "")
if SITE_URL and not SITE_URL.endswith("/"):
    SITE_URL += "/"

project = "Django ORM workbook"
language = "en"

extensions = ["myst_nb"]
nb_execution_mode = "off"  # the outputs are committed, and true: the suite executes every chapter
nb_merge_streams = True
myst_enable_extensions = ["html_image"]  # no dollarmath: a price is no formula
myst_heading_anchors = 3
myst_heading_slug_func = anchor

# Our tracebacks leave the frames inside packages out, which Pygments does not expect. It colours
# them all the same. The function for anchors is not worth caching: each build is a whole one.
suppress_warnings = ["misc.highlighting_failure", "config.cache"]

html_theme = "sphinx_book_theme"
html_title = project
html_baseurl = SITE_URL  # canonical links, where there is one
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_extra_path = ["social.png"]
html_favicon = "favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navbar_persistent": [],  # the search is in the sidebar
    "footer_content_items": ["extra-footer"],
    "extra_footer": "MIT licence",
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "show_toc_level": 1,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """What search engines and messengers show of a page: its first paragraph, and the picture."""
    if page == "404":
        # It is shown at whatever address was asked for, however deep; its links start here.
        context["metatags"] += f'<base href="{urlsplit(SITE_URL).path or "/"}">'
        context["pageurl"] = None
        # A link to the heading itself would lead there instead.
        context["body"] = re.sub('<a class="headerlink".*?</a>', "", context["body"])
        return
    if doctree is None:
        return
    first = next(iter(doctree.findall(nodes.paragraph)), None)
    tags = {
        "og:type": "article",
        "og:site_name": project,
        "og:title": context["title"],
        "og:description": " ".join(first.astext().split()) if first else project,
    }
    if SITE_URL:
        tags |= {"og:url": context["pageurl"], "og:image": f"{SITE_URL}social.png"}
        context["metatags"] += '<meta name="twitter:card" content="summary_large_image">'
    description = escape(tags["og:description"])
    context["metatags"] += f'<meta name="description" content="{description}">'
    for name, content in tags.items():
        context["metatags"] += f'<meta property="{name}" content="{escape(content)}">'


def list_pages(app: Sphinx, failed: Exception | None) -> None:
    if failed or not SITE_URL:
        return
    pages = sorted(app.env.found_docs - {"404"})
    rows = "".join(
        f"<url><loc>{SITE_URL}{app.builder.get_target_uri(p)}</loc></url>" for p in pages
    )
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>\n',
        encoding="utf-8",
    )


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", describe)
    app.connect("build-finished", list_pages)
