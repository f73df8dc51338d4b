"""`%exercise`: right answers pass, no trick does, and each wrong one is told what is wrong."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from seed import edge_cases
from shopdb import models as shopdb_models
from shopdb.models import Invoice, Product
from workbook.exercises import explaining
from workbook.exercises.anatomy import anatomy
from workbook.exercises.running import Outcome

from ..watching import *  # noqa: F403  (fixtures)

SETUP = (
    "from shopdb.models import *\n"
    "from django.db.models import *\n"
    "from django.db import connection, transaction, IntegrityError\n"
    "from decimal import Decimal\n"
    "from workbook import frame\n"
)


@pytest.fixture
def progress_file(tmp_path):
    return tmp_path / "progress.json"


@pytest.fixture
def exercise_file(tmp_path):
    folder = tmp_path / "exercises"
    folder.mkdir()
    file = folder / "08_some.py"
    file.write_text((Path(__file__).parent / "some_exercises.py").read_text(encoding="utf-8"))
    return file


@pytest.fixture
def solve(cell, settings, exercise_file, progress_file):
    """Runs `%exercise number` with a code below; gives the feedback as text."""
    settings.WORKBOOK = {
        "EXERCISES": exercise_file.parent,
        "SECOND_DATASET": "seed.edge_cases.build",
        "PROGRESS": progress_file,
    }
    edge_cases.build(shuffle=11)
    Product.objects.get(name="Samovar").delete()  # so that the two shops differ in number
    cell(SETUP)

    def run(number, code):
        shown = cell(f"%exercise {number}\n{code}")
        return shown.bundles[0]["text/plain"] if shown.bundles else shown.printed

    return run


def digest():
    whole = hashlib.sha256()
    for model in apps.get_app_config("shopdb").get_models():
        for row in model._base_manager.order_by("pk").values_list():
            whole.update(repr(row).encode())
    return whole.hexdigest()


RIGHT = {
    "8.1": [
        "Product.objects.filter(price__gte=500)",
        "Product.objects.filter(price__gte=500).order_by('-name')",
        "list(Product.objects.exclude(price__lt=500))",
        "tuple(p for p in Product.objects.all() if p.price >= 500)",
        "(p for p in Product.objects.all() if p.price >= 500)",
        "set(Product.objects.filter(price__gte=500))",
        "Product.objects.filter(price__gte=500).only('name')",
        "Product.objects.raw('SELECT * FROM shopdb_product WHERE price >= 500')",
        "[p async for p in Product.objects.filter(price__gte=500)]",
        "answer = Product.objects.filter(price__gte=500)\nanswer",
        "%queries explain\nProduct.objects.filter(price__gte=500)",
        "Product.objects.annotate(n=Count('invoices')).filter(price__gte=500)",
        "Product.objects.filter(price__gte=500).values('pk')",
        "Product.objects.filter(price__gte=500).values('name', 'id', 'price')",
        "[p.pk for p in Product.objects.filter(price__gte=500)]",
    ],
    "8.2": [
        "Product.objects.order_by('name', 'pk').values_list('name', flat=True)",
        "[p.name for p in Product.objects.order_by('name', 'pk')]",
        "Product.objects.order_by('name', 'pk').values_list('name')",
        "Product.objects.order_by('name', 'pk').values('name')",
    ],
    "8.3": [
        "Invoice.objects.aggregate(Sum('total'))['total__sum']",
        "sum(i.total for i in Invoice.objects.all())",
        "sum(Invoice.objects.values_list('total', flat=True))",
    ],
    "8.4": [
        "Category.objects.annotate(count=Count('products')).values('name', 'username', 'count')",
        "Category.objects.annotate(c=Count('products')).values_list('c', 'name', 'username')",
        "[{'n': c.products.count(), 'who': c.username_id, 'what': c.name} "
        "for c in Category.objects.all()]",
    ],
    "8.5": [
        "Category.objects.annotate(n=Count('products')).values('n', 'name')",
        "[{'name': c.name, 'n': c.products.count()} for c in Category.objects.all()]",
        "Category.objects.annotate(n=Count('products')).values('pk', 'name', 'n')",
        "Category.objects.annotate(n=Count('products'))",
        "Category.objects.annotate(n=Count('products')).values_list('name', 'n')",
        "frame(Category.objects.annotate(n=Count('products')).values('name', 'n'))",
    ],
    "8.6": [
        "Invoice.objects.aggregate(Sum('vat'), Sum('total'))",
        "{'total': Invoice.objects.aggregate(t=Sum('total'))['t'],\n"
        " 'vat': sum(i.vat for i in Invoice.objects.all())}",
    ],
    "8.7": [
        "Invoice.objects.select_related('customer', 'username')",
        "list(Invoice.objects.select_related('customer').order_by('-pk'))",
    ],
    "8.8": [
        "Product.objects.filter(price__gt=500).update(price=500)",
        "changed = Product.objects.filter(price__gt=500).update(price=Decimal('500'))",
    ],
    "8.9": [
        "p = Product.objects.first()\np.pk = None\np._state.adding = True\n"
        "with transaction.atomic():\n    p.save()",
    ],
    "8.10": [
        "await Customer.objects.order_by('pk').afirst()",
        "await Customer.objects.aearliest('pk')",
        "[c async for c in Customer.objects.order_by('pk')[:1]][0]",
    ],
    "8.11": [
        "frame(Product.objects.order_by('-pk').values('price', 'name'))",
        "frame(Product.objects.all())[['name', 'price']]",
        "frame(Product.objects.values('name', 'price')).set_index('name')",
    ],
    "8.12": ["Category.objects.annotate(n=Count('products')).order_by('name')"],
    "8.13": [
        "Product.objects.filter(price__gte=500).count()",
        "len(Product.objects.filter(price__gte=500))",
    ],
    "8.14": [
        "[(p.name, p.price) for p in Product.objects.all()]",
        "Product.objects.values_list('name', 'price', named=True)",
        "Product.objects.values('price', 'name')",
    ],
}


@pytest.mark.parametrize("number", RIGHT)
def test_every_right_answer_passes(solve, number):
    for code in RIGHT[number]:
        feedback = solve(number, code)
        assert feedback.startswith(f"✓ {number} · right, on both shops"), f"{code}\n{feedback}"


# (number, code, what the feedback says)
WRONG = [
    ("8.1", "Product.objects.filter(price__gt=500)", "Exactly 500 is dear too."),
    ("8.1", "Product.objects.filter(price__gte=5000)", "The answer is empty; "),
    ("8.1", "Product.objects.filter(price__gt=450)", "3 products do not belong"),
    ("8.1", "Product.objects.filter(price__gte=500)[1:]", "is missing"),
    ("8.1", "list(Product.objects.filter(price__gte=500)) * 3", "each comes 3 times"),
    ("8.1", "list(Product.objects.filter(price__gte=500)) + [Product.objects.get(name='Chilli')]",
     "1 product does not belong"),
    ("8.1", "Product.objects.filter(price__gte=500).values('price')", "asks for Product objects"),
    ("8.1", "Category.objects.all()", "start from `Product.objects`"),
    ("8.1", "Product.objects", "is a manager"),
    ("8.1", "Product.objects.filter(price__gte=500).count", "call it"),
    ("8.1", "print(Product.objects.filter(price__gte=500))", "The last line of the cell gives"),
    ("8.1", "found = Product.objects.filter(price__gte=500)", "on a last line of its own"),
    ("8.1", "Product.objects.filter(price__gte=500).count()", "is how many there are"),
    ("8.1", "Product.objects.filter(price__gte=500).first()", "asks for all that fit"),
    ("8.1", "Product.objects.filter(price__gte=500).acount()", "put `await` in front"),
    ("8.1", "Product.objects.filter(prize__gte=500)", "Did you mean `price`?"),
    ("8.1", "Product.objects.filter(category='Tea')", "two underscores"),
    ("8.1", "Product.objects.get(price__gte=500)", "several rows"),
    ("8.1", "Product.objects.get(name='no')", "found no row"),
    ("8.1", "Produkt.objects.all()", "'Produkt' is not defined"),
    ("8.1", "Product.objects.filter(price__gte='stock')", '`price__gte` needs a number, and '
     "'stock' is none. The value of a column is `F(\"stock\")`"),
    ("8.1", "Product.objects.filter(stock__gte='7 pieces')", "'7 pieces' is none."),
    ("8.1", "Product.objects.filter(price__gte=stock)", '`price__gte=F("stock")`'),
    ("8.1", "Product.objects.alias(n=Rounded('price')).filter(n=500)", "is not defined: import it"),
    ("8.1", "Product.objects.filter(price__gte=Product.price)", "is not the value of a row"),
    ("8.1", "Product.objects.filter(stock='none')", "needs a number, and 'none' is none"),
    ("8.1", "Product.objects.filter(100 <= price < 500)", "one for each limit"),
    ("8.1", "Product.objects.filter(F('price') < F('stock'))", "not compared by an operator"),
    ("8.1", "Product.objects.filter(price__more=500)", "There is no lookup `more`"),
    ("8.1", "Product.objects.filter('price >= 500')", "A condition, for instance, is no text"),
    ("8.1", "Product.objects.annotate(x=30 - 'stock')", "A text cannot be computed with"),
    ("8.1", "Product.objects.annotate(price=F('stock'))", "has a field `price` already"),
    ("8.1", "Product.filter(price__gte=500)", "`Product.objects.filter(…)`"),
    ("8.1", "Product.objects.all().sort('name')", "is sorted by `order_by()`"),
    ("8.1", "Product.objects.order_by('name')[-5:]", "cannot be sliced from its end"),
    ("8.1", "Product.objects.count(price__gte=500)", "`.filter(price__gte=…).count()`"),
    ("8.1", "Product.objects.union(Product.objects.all()).filter(pk=1)", "After `union()`"),
    ("8.1", "Invoice.objects.select_related('customer__name')", "`name` is a column"),
    ("8.1", "Product.objects.filter(pk__gt=0).customers", "has no `customers`. If that belongs"),
    ("8.8", "Product.objects.update(F('price') - 1)", "`update()` takes keywords"),
    ("8.8", "Product.objects.update(price=round(F('price') * 2, 1))", "`round()` is Python's"),
    ("8.2", "Product.objects.order_by('-name', 'pk').values_list('name', flat=True)",
     "in the wrong order. The first difference is in row 1"),
    ("8.2", "set(Product.objects.values_list('name', flat=True))", "A set has no order"),
    ("8.3", "float(Invoice.objects.aggregate(s=Sum('total'))['s'])", "floats lose cents"),
    ("8.3", "Invoice.objects.aggregate(s=Sum('total'))", 'take it out with `["s"]`'),
    ("8.3", "Invoice.objects.aggregate(s=Sum('vat'))['s']", "is right"),
    ("8.3", "str(Invoice.objects.aggregate(s=Sum('total'))['s'])", "(str)"),
    ("8.4", "Category.objects.annotate(n=Count('products')).values('name', 'n')",
     "Missing: `username_id`"),
    ("8.4", "Category.objects.annotate(n=Count('products') * 2).values('name', 'username_id', 'n')",
     "too large a `n`"),
    ("8.5", "Category.objects.annotate(count=Count('products')).values('name', 'count')",
     "The columns should be `name`, `n`; yours are `name`, `count`"),
    ("8.5", "Category.objects.annotate(n=Count('products')).values('name', 'n', 'username')",
     "does not ask for `username`"),
    ("8.6", "Invoice.objects.aggregate(Sum('vat'))", "should hold 2 keys"),
    ("8.6", "Invoice.objects.aggregate(total=Sum('total'), vat=Sum('discount'))", "`vat`: yours"),
    ("8.7", "Invoice.objects.all()", "One query for each invoice."),
    ("8.7", "Invoice.objects.prefetch_related('customer')", "Two queries where a JOIN does."),
    ("8.7", "list(Invoice.objects.select_related('customer')[:5])", "are missing"),
    ("8.7", "len(Invoice.objects.all()); Invoice.objects.select_related('customer')",
     "Right, but with 2 queries, counting what reading it costs; the budget is 1."),
    ("8.7", "Invoice.objects.values('customer')", "asks for Invoice objects"),
    ("8.8", "Product.objects.update(price=500)", "too large a `price`"),
    ("8.8", "Product.objects.filter(price__gt=500).delete()", "are missing"),
    ("8.8", "for p in Product.objects.filter(price__gt=500):\n    p.price = 500", "the database"),
    ("8.8", "for p in Product.objects.filter(price__gt=500):\n    p.price = 500\n    p.save()",
     "the budget is 1"),
    ("8.9", "Product.objects.first()", "Nothing was raised; the task asks for IntegrityError"),
    ("8.9", "1 / 0", "This raises ZeroDivisionError; the task asks for IntegrityError"),
    ("8.10", "Customer.objects.order_by('pk').afirst()", "put `await` in front"),
    ("8.10", "await Customer.objects.order_by('pk').alast()", "is right"),
    ("8.11", "Product.objects.values('name', 'price')", "asks for a DataFrame"),
    ("8.11", "import pandas\npandas.DataFrame(Product.objects.values('name', 'price'))",
     "Column `price` holds Decimal objects where numbers are right"),
    ("8.11", "frame(Product.objects.values('name', 'price', 'stock'))", "does not ask for `stock`"),
    ("8.12", "Category.objects.annotate(count=Count('products'))", "without `n`"),
    ("8.12", "Category.objects.annotate(n=Count('children'))", "but `n` of"),
    ("8.13", "Product.objects.filter(price__gte=500)", "asks how many they are"),
    ("8.13", "float(Product.objects.filter(price__gte=500).count())", "(float) where"),
    ("8.14", "Product.objects.values_list('price', 'name')", "columns are in another order"),
    ("8.14", "[(p.name, float(p.price)) for p in Product.objects.all()]", "floats lose cents"),
    ("8.16", "[18, 7]", "the right values, in another order"),
    ("8.16", "[7]", "1 is missing"),
]  # fmt: skip


@pytest.mark.parametrize("number", dict.fromkeys(number for number, _, _ in WRONG))
def test_a_wrong_answer_is_told_what_is_wrong(solve, number):
    for code, sentence in [(code, sentence) for n, code, sentence in WRONG if n == number]:
        feedback = solve(number, code)
        assert feedback.startswith(f"✗ {number} · not yet"), f"{code}\n{feedback}"
        assert sentence in feedback, f"{code}\n{feedback}"


# Causes that nobody has declared: what to change in the learner's own code, or where its queries
# differ from the model answer's.
CAUSES = [
    ("8.1", "Product.objects.filter(stock__gte=500)",
     'would be right with another condition than `stock__gte=500`.'),
    ("8.1", "Product.objects.filter(price__gte=500, username__username='tim')",
     "would be right without the condition on `username__username`."),
    ("8.1", "[p for p in Product.objects.all() if p.price >= 450]",
     "would be right with another value than `450`."),
    ("8.1", "Product.objects.filter(pk__in=InvoiceProduct.objects.values('pk')[:9])[:1]",
     "looks for keys of `Product` among keys of `InvoiceProduct`."),
    ("8.2", "Product.objects.values_list('name', flat=True).order_by('price')",
     'would be right with another order than `order_by("price")`.'),
    ("8.3", "total = 0\nfor i in Invoice.objects.all():\n    total = i.total\ntotal",
     "would be right with `total += …` in the loop."),
    ("8.4", "Category.objects.annotate(n=Count('children') + 1)"
            ".values('name', 'username_id', 'n')",
     'would be right with another value than `Count("children") + 1` for `n`.'),
    ("8.8", "Product.objects.filter(price__gt=500).update(stock=500)",
     "changes `Product.stock`, and the model answer `Product.price`."),
    ("8.8", "for p in Product.objects.filter(price__gt=500):\n    p.price = 500",
     "Your cell changes nothing in the database"),
    ("8.13", "Invoice.objects.filter(total__gt=500).count()",
     "has a condition on `Invoice.total`, and the model answer on `Product.price`."),
    ("8.2", "names = Product.objects.order_by('name', 'pk').values_list('name', flat=True)\n"
            "[name.upper() for name in names]",
     "the mistake is in what your code does with its rows."),
]  # fmt: skip


@pytest.mark.parametrize(("number", "code", "sentence"), CAUSES)
def test_a_mistake_that_nobody_foresaw_is_found_in_the_learners_own_code(
    solve, monkeypatch, number, code, sentence
):
    monkeypatch.setattr(explaining, "SECONDS_FOR_REPAIRS", 60)  # whatever else the machine does
    assert sentence in solve(number, code).splitlines()[1]


def test_the_same_condition_is_the_same_however_it_is_written(solve):
    """So that what is said to differ is what differs: here the value, and nothing else."""
    for code in (
        "Invoice.objects.filter(customer__name='Nobody').values_list('customer__name')",
        "Invoice.objects.filter(customer__in=Customer.objects.filter(name='Nobody'))",
        "Invoice.objects.filter(Exists(Customer.objects.filter(pk=OuterRef('customer'), "
        "name='Nobody')))",
    ):
        given = Outcome(queries=[eval(code, vars(models) | vars(shopdb_models)).query])
        assert anatomy(given).conditions == {"Customer.name": {'name="Nobody"'}}


def test_groups_by_a_function_of_a_column_have_a_name(solve):
    by_month = (
        "Invoice.objects.values(month=functions.TruncMonth('issued_at')).annotate(Count('pk'))"
    )
    given = Outcome(queries=[eval(by_month, vars(models) | vars(shopdb_models)).query])
    assert anatomy(given).groups == {"TruncMonth of Invoice.issued_at"}


ALWAYS_EQUAL = """
class Yes:
    def __eq__(self, other): return True
    def __hash__(self): return 0
"""
TRICKS = {
    "a list typed in": ("8.2", "list(Product.objects.order_by('name', 'pk')"
                               ".values_list('name', flat=True)) if False else ['Mug']"),
    "a value typed in": ("8.13", "11"),
    "keys typed in": ("8.1", "Product.objects.filter(pk__in={pks})"),
    "an object equal to everything": ("8.13", f"{ALWAYS_EQUAL}\nYes()"),
    "rows equal to everything": ("8.1", f"{ALWAYS_EQUAL}\n[Yes()] * 12"),
    "a number equal to everything": (
        "8.13", "class N(int):\n    def __eq__(self, other): return True\n"
                "    __hash__ = int.__hash__\nN(3)"),
    "another model answer": (
        "8.13", "from workbook import exercises\n"
                "object.__setattr__(exercises.find('8.13'), 'answer', lambda: 3)\n3"),
    "another definition": (
        "8.13", "from workbook.exercises import declaration as exercises\nreal = exercises.find\n"
                "from dataclasses import replace\n"
                "exercises.find = lambda n: replace(real(n), answer=lambda: 3)\n3"),
    "another comparison": (
        "8.13", "from workbook.exercises import checker, comparison\n"
                "checker.difference = comparison.difference = lambda *a, **k: None\n"
                "checker._judge = lambda *a: None\n3"),
    "values all alike": (
        "8.13", "from workbook.exercises import answers, checker\n"
                "answers.key = lambda *a, **k: 0\n"
                "checker.same = lambda *a, **k: True\n3"),
    "another check": (
        "8.13", "from workbook.exercises import checker\n"
                "checker.check = lambda e, *a: checker.Verdict(e, 'passed')\n3"),
    "another Django": (
        "8.1", "QuerySet.filter = lambda self, *a, **k: self.none()\n[]"),
    "the model answer's own object": (
        "8.1", "from workbook import exercises\nexercises.find('8.1').answer()"),
    "the declared function": (
        "8.1", "from workbook import exercises\nimport runpy\n"
               "runpy.run_path(str(exercises.directory() / '08_some.py'))['dear_products']()"),
    "no counter": (
        "8.7", "connection.execute_wrappers.clear()\nInvoice.objects.all()"),
    "paused recorder": (
        "8.7", "from workbook.queries import recorder\n"
                "pause = recorder.paused()\npause.__enter__()\n"
               "[i.customer for i in Invoice.objects.all()]"),
    "the other rows deleted": (
        "8.1", "Product.objects.filter(price__lt=500).delete()\nProduct.objects.all()"),
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_passes(solve, cell, trick, monkeypatch):
    number, code = TRICKS[trick]
    from django.db.models import QuerySet

    monkeypatch.setattr(QuerySet, "filter", QuerySet.filter)  # restored afterwards
    pks = list(Product.objects.filter(price__gte=500).values_list("pk", flat=True))
    feedback = solve(number, code.replace("{pks}", str(pks)))
    assert f"✗ {number}" in feedback, feedback
    monkeypatch.undo()
    assert solve("8.13", "Product.objects.filter(price__gte=500).count()").startswith("✓")


@pytest.mark.parametrize(
    "code",
    [
        "Product.objects.all().delete()",
        "Customer.objects.create(name='x', email='', mobile='', username=User.objects.first())",
        "Product.objects.update(price=1)\n1 / 0",
        "Product.objects.update(price=1)\nraise KeyboardInterrupt",
        "Product.objects.update(price=1)\ntransaction.atomic().__enter__()",
        "with transaction.atomic(durable=True):\n    Product.objects.update(price=1)",
        "Product.objects.update(price=1)\nconnection.cursor().execute('COMMIT')",
        "await Product.objects.aupdate(price=1)",
        "Product.objects.update(price=1)\ntransaction.set_rollback(False)",
    ],
)
def test_a_cell_leaves_the_database_as_it_was(solve, code):
    before = digest()
    solve("8.1", code)
    assert digest() == before


def test_a_stopped_cell_is_no_attempt(solve, progress_file):
    feedback = solve("8.1", "raise KeyboardInterrupt")
    assert "○ 8.1 · stopped" in feedback
    assert not progress_file.exists()


def test_a_check_that_is_stopped_is_no_attempt(solve, progress_file):
    code = "if Product.objects.filter(name='Samovar').exists():\n    raise KeyboardInterrupt\n1"
    assert "○ 8.1 · stopped" in solve("8.1", code)
    assert not progress_file.exists()


@pytest.mark.parametrize("code", ["...", "", "# thinking\n...", "first = 1\n..."])
def test_an_unsolved_cell_is_no_attempt(solve, progress_file, code):
    assert solve("8.1", code) == "○ 8.1 · not attempted yet"
    assert not progress_file.exists()


def test_a_query_made_in_an_earlier_cell_is_asked_again(solve, cell):
    cell("dear = Product.objects.filter(price__gte=500)\nlen(dear)")
    assert solve("8.1", "dear").startswith("✓")


def test_an_object_of_an_earlier_cell_is_the_same_one_on_the_second_shop(solve, cell):
    cell("tim = User.objects.get(username='tim')")
    assert solve("8.15", "Product.objects.filter(username=tim)").startswith("✓")


def test_a_query_that_holds_keys_of_this_shop_is_told_so(solve, cell):
    cell("tims = Product.objects.filter(username=User.objects.get(username='tim'))")
    assert "uses `tims` from an earlier cell" in solve("8.15", "tims")


def test_django_counts_in_an_answer_however_full_its_log_is(solve, cell, settings):
    settings.DEBUG = True
    cell("for _ in range(9100):\n    connection.queries_log.append({'sql': '', 'time': '0'})")
    counted = solve(
        "8.13",
        "from django.test.utils import CaptureQueriesContext\n"
        "with CaptureQueriesContext(connection) as ran:\n    Product.objects.count()\nlen(ran)",
    )
    assert "Your answer is 1" in counted


def test_a_name_taken_over_in_the_notebook_does_not_hurt_the_model_answer(solve, cell):
    cell("products, Product = Product, None")
    assert solve("8.1", "products.objects.filter(price__gte=500)").startswith("✓")


def test_the_answer_runs_on_the_names_as_they_were_before_the_cell(solve, cell):
    cell("price = 499")
    assert solve("8.1", "price += 1\nProduct.objects.filter(price__gte=price)").startswith("✓")


def test_after_passing_the_model_answer_and_both_sql_are_shown(solve):
    feedback = solve("8.1", "Product.objects.exclude(price__lt=500)")
    assert "Rows in any order." in feedback
    assert "▸ model answer\n    Product.objects.filter(price__gte=500)" in feedback
    assert "▸ your SQL" in feedback
    assert "▸ the model answer's SQL" in feedback


def test_an_answer_of_raw_sql_is_judged_and_shown(solve, cell):
    shown = cell(
        "%exercise 8.1\nProduct.objects.raw('SELECT * FROM shopdb_product WHERE price >= 500')"
    )
    assert shown.result.success, shown.printed
    assert shown.bundles[0]["text/plain"].startswith("✓ 8.1"), shown.bundles


def test_the_budget_is_proven_by_the_statements(solve):
    feedback = solve("8.7", "Invoice.objects.all()")
    assert re.search(r"\d\d × +SELECT … FROM .shopdb_customer.", feedback)


def test_a_refusal_ends_with_where_to_report_it_if_it_is_wrong(solve, cell, settings):
    address = "https://github.com/o/n/issues/new?template=refused.yml&exercise={number}"
    settings.WORKBOOK = {**settings.WORKBOOK, "REFUSED": address}
    refused = cell("%exercise 8.1\nProduct.objects.all()").bundles[0]
    there = address.format(number="8.1")
    assert refused["text/plain"].splitlines()[-1].endswith(f": {there}")
    assert f'<a href="{there.replace("&", "&amp;")}">' in refused["text/html"]
    passed = cell("%exercise 8.1\nProduct.objects.filter(price__gte=500)").bundles[0]
    assert "github.com" not in passed["text/plain"] + passed["text/html"]
    settings.WORKBOOK = {**settings.WORKBOOK, "REFUSED": ""}
    assert "Tell us" not in solve("8.1", "Product.objects.all()")


def test_the_check_does_not_show_in_the_cells_report(solve, cell):
    shown = cell("%exercise 8.13\nProduct.objects.filter(price__gte=500).count()")
    assert [bundle["text/plain"].partition("\n")[0] for bundle in shown.bundles] == [
        "✓ 8.13 · right, on both shops · 1 query",
        str(Product.objects.filter(price__gte=500).count()),
        "1 query · 1 row",
    ]


def test_the_report_shows_what_the_answer_ran_by_its_own_lines(solve, cell):
    lazy = cell("%exercise 8.7\n\nInvoice.objects.all()")
    assert lazy.headline == "1 query · to show the table"
    own = cell("%exercise 8.7\n\nlist(Invoice.objects.all())")
    assert own.headline == f"1 query · {Invoice.objects.count()} rows"  # and none for customers
    assert "line 3" in own.report
    assert not re.search("line 1|get_ipython", lazy.report + own.report)


def test_a_second_cell_magic_style_is_refused_where_it_cannot_hold(solve, cell):
    before = digest()
    shown = cell("Product.objects.count()\n%exercise 8.1\nProduct.objects.all().delete()")
    assert "first line" in shown.printed
    assert digest() == before


def test_an_unknown_exercise_names_those_there_are(solve):
    feedback = solve("99.1", "Product.objects.all()")
    assert "There is no exercise 99.1" in feedback
    assert "There are 8.1 to 8.16." in feedback
    feedback = solve("8.99", "Product.objects.all()")
    assert "Chapter 8 has 8.1, 8.2" in feedback


def test_a_project_without_exercises_is_told_so(solve, settings):
    settings.WORKBOOK = {}
    assert "This project has no exercises" in solve("8.1", "1")


def test_one_shop_is_enough(solve, settings):
    settings.WORKBOOK = {
        name: v for name, v in settings.WORKBOOK.items() if name != "SECOND_DATASET"
    }
    assert solve("8.13", "Product.objects.filter(price__gte=500).count()").startswith(
        "✓ 8.13 · right · 1"
    )


# Hints, solutions, progress ----------------------------------------------------------------


def test_hints_come_one_at_a_time(solve, cell, progress_file):
    texts = [cell("%hint 8.1").report for _ in range(4)]
    assert "a nudge" in texts[0]
    assert "2 hints left" in texts[0]
    assert "the way" in texts[1]
    assert "nearly there" in texts[2]
    assert "last hint" in texts[3]
    assert json.loads(progress_file.read_text())["exercises"]["8.1"]["hints"] == 3


def test_a_solution_asks_for_an_attempt_first(solve, cell):
    assert "once first" in cell("%solution 8.1").printed
    assert "price__gte" in cell("%solution 8.1 now").report
    solve("8.13", "3")
    assert "count()" in cell("%solution 8.13").report


def test_progress_shows_what_is_solved(solve, cell):
    solve("8.13", "3")
    solve("8.13", "Product.objects.filter(price__gte=500).count()")
    solve("8.1", "Product.objects.all()")
    cell("%hint 8.1")
    board = cell("%progress").report
    assert "1 of 16 exercises solved" in board
    assert "✓ 8.13 ★ 2×" in board
    assert "✗ 8.1 ★ 1× 1h" in board
    assert "○ 8.2 ★" in board


def test_the_exercises_of_the_workbook_are_found():
    assert (settings.WORKBOOK["EXERCISES"] / "00_start_here.py").exists()
