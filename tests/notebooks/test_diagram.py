"""The picture of the shop, in chapter 00 and in the README, is the one the models give."""

import re

import nbformat
import pytest
from django.apps import apps
from django.db.models import ForeignKey

from .chapters import FOLDER, ROOT

# Kept by Django for logins and admin rights; the shop itself never looks at them.
LEFT_OUT = {"last_login", "is_superuser", "is_staff", "is_active", "created_at", "updated_at"}


def diagram() -> str:
    """The models as a Mermaid entity-relationship diagram."""
    lines = ["erDiagram"]
    models = list(apps.get_app_config("shopdb").get_models())
    for model in models:
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey):
                one = "|o" if field.null else "||"
                parent = field.related_model.__name__
                lines.append(f'    {parent} {one}--o{{ {model.__name__} : "{field.name}"')
    for model in models:
        lines.append(f"    {model.__name__} {{")
        for field in model._meta.concrete_fields:
            if field.name not in LEFT_OUT and not isinstance(field, ForeignKey):
                key = " PK" if field.primary_key else " UK" if field.unique else ""
                lines.append(f"        {type(field).__name__} {field.name}{key}")
        lines.append("    }")
    return "\n".join(lines)


def chapter_00() -> str:
    return "\n".join(
        cell.source for cell in nbformat.read(FOLDER / "00_start_here.ipynb", as_version=4).cells
    )


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [chapter_00, readme])
def test_the_picture_shows_the_models_as_they_are(page):
    shown = re.search(r"```mermaid\n(.*?)\n```", page(), re.DOTALL)
    assert shown, "no Mermaid diagram here"
    assert shown[1] == diagram(), f"The models changed. Their picture is now:\n\n{diagram()}"
