"""What a notebook shows of a QuerySet: short, readable, aligned, without secrets."""

import datetime
import os
import subprocess
import sys
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection, models
from django.db.models import Count, F, Max, Q, Subquery, Value
from django.db.models.functions import Cast, Concat, Left, Length
from django.test.utils import CaptureQueriesContext

from shopdb.models import Category, Invoice, Product, User
from workbook.tables import frame, preview, reading

from .models import Box

pytestmark = pytest.mark.django_db


def test_preview_of_a_model(shop):
    shown = preview(Category.objects.order_by("id").only("name", "parent"))
    top, saws = Category.objects.order_by("id")
    width = len(str(saws.pk))
    assert shown.text.splitlines()[1:] == [
        f"{top.pk:{max(width, 2)}}  Tools       None",
        f"{saws.pk:{max(width, 2)}}  Saws   {top.pk:>9}",
        "2 rows",
    ]
    assert shown.html.endswith(
        '<table class="dataframe wb-rows mathjax_ignore">\n'
        '<thead><tr><th align="right">id</th><th>name</th><th align="right">parent_id</th></tr>'
        "</thead>\n<tbody>\n"
        f'<tr><td align="right">{top.pk}</td><td>Tools</td><td align="right">None</td></tr>\n'
        f'<tr><td align="right">{saws.pk}</td><td>Saws</td><td align="right">{top.pk}</td></tr>\n'
        "</tbody>\n</table>\n<p>2 rows</p>"
    )


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (Value(1), True),
        (Value(Decimal("1.5")), True),
        (Cast(Value(None), models.IntegerField()), True),
        (Value("0151 234"), False),
        (Value(True), False),
        (Value(datetime.date(2026, 6, 30)), False),
        (Value({"a": 1}, models.JSONField()), False),
        (Value(7, models.JSONField()), True),
    ],
)
def test_text_is_left_and_numbers_are_right(shop, value, right):
    shown = preview(Category.objects.filter(parent=None).values(a_long_heading=value))
    assert ('<td align="right">' in shown.html) is right
    assert shown.text.splitlines()[1].startswith(" ") is right


@pytest.mark.parametrize(
    ("narrow", "caption", "rows", "lines"),
    [
        (lambda products: products, "10 of 12 rows", 12, 12),
        (lambda products: products[:10], "10 rows", 10, 12),
        (lambda products: products[:1], "1 row", 1, 3),
        (lambda products: products.none(), "no rows", 0, 2),
    ],
)
@pytest.mark.parametrize("evaluated", [False, True])
def test_caption_says_how_many_rows_there_are(shop, narrow, caption, rows, lines, evaluated):
    queryset = narrow(Product.objects.order_by("id"))
    if evaluated:
        list(queryset)
    with CaptureQueriesContext(connection) as ran:
        shown = preview(queryset)
    assert len(ran) == (0 if evaluated or rows == 0 else 1)
    assert shown.rows == rows
    assert shown.text.splitlines()[0].split()[:2] == ["id", "name"]
    assert shown.text.splitlines()[-1] == caption
    assert len(shown.text.splitlines()) == lines
    assert shown.html.endswith(f"<p>{caption}</p>")


def test_counting_stops(shop, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK_ROWS", 2)
    monkeypatch.setattr(import_module("workbook.tables.preview"), "PREVIEW_COUNTS_UP_TO", 11)
    shown = preview(Product.objects.order_by("id"))
    assert shown.rows is None
    assert shown.text.endswith("10 of more than 11 rows")
    assert Product.objects.count() == 12  # the connection is free for the next query


def cells(queryset):
    header, row, _ = preview(queryset).text.splitlines()
    assert header.split() == ["x"]
    return row.strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Value(Decimal("1234.5"), models.DecimalField(max_digits=9, decimal_places=2)), "1234.50"),
        (Value(Decimal("0.125"), models.DecimalField(max_digits=9, decimal_places=3)), "0.125"),
        (Value(1 / 3, models.FloatField()), "0.333333"),
        (Value(2.0, models.FloatField()), "2.00"),
        (Value("<script>"), "<script>"),
        (Value("two\nlines"), "two lines"),
        (Value("x" * 41), "x" * 39 + "…"),
        (Value(None, models.CharField()), "None"),
        (Value({"a": [1, "é"]}, models.JSONField()), '{"a": [1, "é"]}'),
        (Value(True, models.BooleanField()), "True"),
        (Value(datetime.timedelta(1, 60), models.DurationField()), "1 day, 0:01:00"),
        pytest.param(
            Value(datetime.datetime(2026, 6, 30, 12, tzinfo=datetime.UTC), models.DateTimeField()),
            "2026-06-30 12:00:00",
            marks=pytest.mark.skipif(
                connection.vendor == "mysql", reason="Django itself fails there: it gets a string"
            ),
        ),
    ],
)
def test_values_are_short_and_readable(shop, value, shown):
    assert cells(Category.objects.filter(parent=None).values(x=value)) == shown


def test_html_is_escaped(shop):
    shown = preview(Product.objects.values(x=Value("<script>alert(1)</script> & more")))
    assert "<script" not in shown.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in shown.html


def test_no_formula_reaches_mathjax(shop):
    shown = preview(Product.objects.values(x=Value("$5 and $6"))[:1])
    assert "<td><span>$</span>5 and <span>$</span>6</td>" in shown.html
    assert "$5 and $6" in shown.text


@pytest.mark.parametrize(
    "name",
    ["password", "otp", "api_key", "accessToken", "customer__secret", "pwd2", "session_key"],
)
def test_what_is_named_like_a_secret_is_not_shown(shop, name):
    shown = preview(Category.objects.filter(parent=None).values(**{name: Value("hush")}))
    assert "hush" not in shown.html + shown.text
    assert shown.text.splitlines()[1:] == ["••••", "1 row"]
    assert frame(Category.objects.values(**{name: Value("hush")}))[name][0] == "hush"


@pytest.mark.parametrize(
    "made_of",
    [
        F("password"),
        Left("password", 5),
        Concat("email", Value(" "), "otp", output_field=models.TextField()),
        Max("otp"),
        Subquery(User.objects.values("password")[:1]),
    ],
)
def test_what_is_made_of_a_secret_is_not_shown(shop, made_of):
    shown = preview(User.objects.values(x=made_of)[:1])
    assert shown.text.splitlines()[1:] == ["••••", "1 row"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", Count("otp")),
        ("n", Length("password")),
        ("has_password", Q(password__gt="")),
        ("token_expires_at", Value(datetime.date(2026, 6, 30))),
        ("passenger", Value("Ann")),
        ("keyboard", Value("QWERTY")),
        ("tokenizer", Value("bpe")),
    ],
)
def test_what_only_sounds_like_a_secret_is_shown(shop, name, value):
    assert "••••" not in preview(User.objects.values(**{name: value})).text


def test_that_there_is_no_secret_is_shown(shop):
    shown = preview(Category.objects.values(token=Value(None, models.CharField()))[:1])
    assert "None" in shown.text


def test_the_columns_of_an_invoice_are_all_shown_and_very_many_are_cut_in_the_middle(shop):
    assert "…" not in preview(Invoice.objects.all()).text
    joined = preview(Invoice.objects.select_related("customer", "username"))
    header = joined.text.splitlines()[0].split()
    assert header[:3] == ["id", "number", "total"]
    assert header[-1] == "username__updated_at"
    assert header[10] == "…"
    assert len(header) == 21


def test_wide_and_combining_characters_are_aligned():
    queryset = Box.objects.order_by("id")
    for name in ("日本", "e\u0301", "abcd"):
        Box.objects.create(name=name)
    lines = preview(queryset.values("name", "id")).text.splitlines()
    assert lines[1].startswith("日本  ")
    assert lines[2].startswith("e\u0301     ")


def test_previews_do_without_pandas():
    code = "import django; django.setup(); import workbook.tables as f, sys;"
    code += "from shopdb.models import User; f.preview(User.objects.none());"
    code += "sys.exit('pandas' in sys.modules or 'numpy' in sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shopdb.settings"}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
