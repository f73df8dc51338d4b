"""The picture of the shop, in chapter 00 and in the README, is the one the models give."""

import re

import nbformat
import pytest
from django.apps import apps
from django.db.models import ForeignKey

from .chapters import FOLDER, ROOT

# Kept by Django for logins and admin rights; the shop itself never looks at them.
LEFT_OUT = {"last_login", "is_superuser", "is_staff", "is_active", "created_at", "updated_at"}
# Every model but User has one: said in a sentence, seven arrows would hide the others.
OWNER = "username"
# Colours that can be read on a light page and on a dark one: JupyterLab does not draw the picture
# again when the theme changes.
COLOURS = (
    '%%{init: {"theme": "base", "themeVariables": {"primaryColor": "#e3ebf7", '
    '"primaryTextColor": "#1f2328", "primaryBorderColor": "#6b7fa8", "lineColor": "#8590a5", '
    '"tertiaryColor": "#e3ebf7", "tertiaryTextColor": "#1f2328"}}}%%'
)


def models() -> list:
    return list(apps.get_app_config("shopdb").get_models())


def diagram() -> str:
    """How the models are related, as a Mermaid entity-relationship diagram."""
    lines = [COLOURS, "erDiagram", "    direction LR"]
    for model in models():
        name = model.__name__
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.name != OWNER:
                one = "|o" if field.null else "||"
                lines.append(
                    f'    {field.related_model.__name__} {one}--o{{ {name} : "{field.name}"'
                )
        for field in model._meta.local_many_to_many:
            if field.related_model not in models():  # a user's groups and permissions
                continue
            lines.append(f'    {name} }}o--o{{ {field.related_model.__name__} : "{field.name}"')
    return "\n".join(lines)


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


@pytest.mark.parametrize("page", [chapter_00, readme])
def test_the_picture_shows_the_models_as_they_are(page):
    shown = re.search(r"```mermaid\n(.*?)\n```", page(), re.DOTALL)
    assert shown, "no Mermaid diagram here"
    assert shown[1] == diagram(), f"The models changed. Their picture is now:\n\n{diagram()}"


@pytest.mark.parametrize("page", [chapter_00, readme])
def test_the_table_lists_the_fields_as_they_are(page):
    assert fields() in page(), f"The models changed. Their fields are now:\n\n{fields()}"
