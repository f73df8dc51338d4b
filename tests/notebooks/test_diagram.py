"""The picture of the shop, in chapter 00 and in the README, is the one the models give."""

import nbformat
import pytest
from django.apps import apps
from django.db.models import ForeignKey

from . import diagram
from .chapters import FOLDER, ROOT

# Kept by Django for logins and admin rights; the shop itself never looks at them.
LEFT_OUT = {"last_login", "is_superuser", "is_staff", "is_active", "created_at", "updated_at"}
HINT = "the models changed: `python -m tests.notebooks.diagram` draws them again"


def models() -> list:
    return list(apps.get_app_config("shopdb").get_models())


def fields() -> str:
    """The models' own fields, as a table in Markdown."""
    lines = ["| model | its own fields |", "|---|---|"]
    for model in models():
        names = [
            f"`{field.name}`"
            for field in model._meta.concrete_fields
            if field.name not in LEFT_OUT
            and not field.primary_key
            and not isinstance(field, ForeignKey)
        ]
        lines.append(f"| {model.__name__} | {', '.join(names)} |")
    return "\n".join(lines)


def chapter_00() -> str:
    return "\n".join(
        cell.source for cell in nbformat.read(FOLDER / "00_start_here.ipynb", as_version=4).cells
    )


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_has_every_model_and_relation():
    assert set(diagram.BOXES) == {model.__name__ for model in models()}
    assert set(diagram.LINES) == set(diagram.relations())
    for name, (_, names) in diagram.BOXES.items():
        assert set(names) <= {field.name for field in apps.get_model("shopdb", name)._meta.fields}
    owned = {model.__name__ for model in models() if model.__name__ != "User"}
    assert all(hasattr(apps.get_model("shopdb", name), diagram.OWNER) for name in owned)


def test_the_picture_is_the_one_of_these_models():
    assert diagram.shown(diagram.FILE.read_bytes()) == diagram.described(), HINT
    assert diagram.attached() == diagram.FILE.read_bytes(), HINT
    assert "notebooks/images/shop.png" in readme()


@pytest.mark.parametrize("page", [chapter_00, readme])
def test_the_table_lists_the_fields_as_they_are(page):
    assert fields() in page(), f"The models changed. Their fields are now:\n\n{fields()}"
