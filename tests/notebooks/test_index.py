"""notebooks/INDEX.md: it is the one the chapters give, and each of its links leads somewhere."""

import re
from urllib.parse import unquote

import pytest

from . import index
from .chapters import FOLDER


def test_the_index_is_the_one_the_chapters_give():
    assert index.FILE.read_text(encoding="utf-8") == index.render(), "run `make notebooks`"


def test_every_entry_leads_to_a_section():
    assert index.lost() == []


def test_every_link_leads_to_a_heading():
    links = re.findall(r"\]\(([\w.]+)#([^)]+)\)", index.render())
    assert len(links) > 100
    for name, anchor in set(links):
        anchors = {index.anchor(section) for _, section in index.sections(FOLDER / name)}
        assert unquote(anchor) in anchors, f"{name} has no heading {unquote(anchor)}"


@pytest.mark.parametrize(
    ("source", "kind", "names"),
    [
        ("Product.objects.filter(price__gt=5)", "lookups", {"gt", "exact"}),
        ("# Product.objects.exclude()\n'exclude'", "queryset_sync", set()),
        ("%queries explain\nProduct.objects.count()", "queryset_sync", {"count"}),
        ("invoice.products.add(tea)\nseen.add(1)", "related_manager", {"add"}),
        ("with transaction.atomic():\n    pass", "transactions", {"atomic"}),
        ("models.CharField(max_length=5)", "field_options", {"max_length"}),
        ("await Product.objects.acount()", "queryset_async", {"acount"}),
    ],
)
def test_the_index_counts_what_runs(source, kind, names):
    assert index.names_in(source)[kind] == names


def test_an_anchor_is_the_headings_text_as_jupyterlab_shows_it():
    assert index.anchor("`or` is not `|`") == "or-is-not-|"
    assert index.anchor(r"Two \* three") == "Two-*-three"
