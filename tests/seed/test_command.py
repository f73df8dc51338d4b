"""`manage.py seed`: what it says, what it refuses, and that it does all of it or nothing."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from seed.shop import generate
from seed.writer import shop_models
from shopdb.models import Customer, Invoice, User
from tests.seed import invariants
from tests.seed.digest import shop_digest


@pytest.mark.django_db
class TestOptions:
    """In one process, on the test database."""

    def test_it_says_what_it_made_and_how_to_log_in(self, capsys):
        call_command("seed", invoices=5)
        out, err = capsys.readouterr()
        assert out.count("\n") == 1
        assert "5 invoices" in out
        assert "log in as sara with password learn-django" in out
        assert err == ""  # no progress bar: nobody is watching

    def test_v0_is_silent(self, capsys):
        call_command("seed", invoices=5, verbosity=0)
        assert capsys.readouterr() == ("", "")

    def test_it_refuses_to_overwrite_and_says_how(self):
        call_command("seed", invoices=5, verbosity=0)
        before = shop_digest()
        with pytest.raises(CommandError, match="seed --reset"):
            call_command("seed", invoices=5, seed=2, verbosity=0)
        assert shop_digest() == before

    def test_production_gets_no_users_whose_password_is_published(self, settings):
        settings.DEMO_USERS = False  # as with DEBUG=0
        with pytest.raises(CommandError, match="createsuperuser"):
            call_command("seed", invoices=5, verbosity=0)
        assert not User.objects.exists()
        User.objects.create_superuser("me", "me@example.com", "secret")
        call_command("seed", if_empty=True, verbosity=0)
        with pytest.raises(CommandError, match="createsuperuser"):
            call_command("seed", reset=True, verbosity=0)
        assert User.objects.get().username == "me"

    def test_a_single_row_of_someones_own_is_enough_to_refuse(self):
        User.objects.create_superuser("me", "me@example.com", "secret")
        with pytest.raises(CommandError, match="rows already"):
            call_command("seed", invoices=5, verbosity=0)

    def test_if_empty_fills_an_empty_shop_and_leaves_a_full_one(self, capsys):
        call_command("seed", invoices=5, if_empty=True, verbosity=0)
        before = shop_digest()
        call_command("seed", invoices=5, seed=2, if_empty=True)
        assert capsys.readouterr().out == (
            "The shop has rows already; seed left them as they are.\n"
        )
        assert shop_digest() == before

    def test_reset_replaces_all_rows_and_numbers_from_one_again(self):
        call_command("seed", invoices=50, seed=2, verbosity=0)
        learner = User.objects.create_user("learner", "learner@example.com", "secret")
        Customer.objects.create(name="Own", email="own@example.com", username=learner)
        call_command("seed", invoices=30, reset=True, verbosity=0)
        after = shop_digest()
        invariants.assert_keys_are_dense()
        assert Invoice.objects.count() == 30
        assert not User.objects.filter(username="learner").exists()
        call_command("seed", invoices=30, reset=True, verbosity=0)
        assert shop_digest() == after

    def test_new_rows_are_numbered_after_the_seeded_ones(self):
        call_command("seed", invoices=5, verbosity=0)
        last = Customer.objects.order_by("pk").last()
        new = Customer.objects.create(name="New", email="n@example.com", username=last.username)
        assert new.pk > last.pk

    def test_another_number_makes_another_shop(self):
        digests = set()
        for seed in (1, 2):
            call_command("seed", invoices=30, seed=seed, reset=True, verbosity=0)
            digests.add(shop_digest())
        assert len(digests) == 2

    @pytest.mark.parametrize("invoices", [1, 2, 19, 20, 41, 300])
    def test_any_number_of_invoices_makes_a_sound_shop(self, invoices):
        call_command("seed", invoices=invoices, verbosity=0)
        connection.check_constraints()
        assert Invoice.objects.count() == invoices
        assert not Invoice.objects.filter(invoice_products=None).exists()
        invariants.assert_keys_are_dense()
        invariants.assert_owners_agree()
        invariants.assert_books_balance()

    def test_more_invoices_bring_more_customers_and_products(self):
        sizes = []
        for invoices in (2_000, 8_000):
            counts = {}
            for name, rows in generate(invoices=invoices):
                counts[name] = counts.get(name, 0) + len(rows)
            sizes.append(counts)
        for name in ("Product", "Customer", "Invoice", "InvoiceProduct"):
            assert sizes[1][name] > 1.5 * sizes[0][name]

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"invoices": "0"}, "--invoices must be a whole number, 1 or more, not '0'."),
            ({"invoices": "many"}, "--invoices must be a whole number, 1 or more, not 'many'."),
            ({"invoices": "1.5"}, "--invoices must be a whole number, 1 or more, not '1.5'."),
            ({"seed": "-1"}, "--seed must be a whole number, 0 or more, not '-1'."),
            ({"seed": ""}, "--seed must be a whole number, 0 or more, not ''."),
            ({"reset": True, "if_empty": True}, "Give either --reset or --if-empty: "),
        ],
    )
    def test_wrong_options_get_a_sentence(self, options, sentence):
        with pytest.raises(CommandError) as caught:
            call_command("seed", verbosity=0, **options)
        assert str(caught.value).startswith(sentence)
        assert not User.objects.exists()

    def test_an_error_on_the_way_leaves_the_old_rows(self, monkeypatch):
        call_command("seed", invoices=30, verbosity=0)
        before = shop_digest()

        def break_down(connection):
            raise RuntimeError("disk on fire")

        monkeypatch.setattr("seed.writer.advance_sequences", break_down)
        with pytest.raises(RuntimeError), transaction.atomic():
            call_command("seed", invoices=30, seed=2, reset=True, verbosity=0)
        assert shop_digest() == before


@pytest.mark.django_db
def test_stored_values_are_the_very_ones_the_orm_would_have_stored():
    """Written past the ORM, a row must not differ from one that went through it: not in type."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite gives each value a type of its own")
    call_command("seed", invoices=60, verbosity=0)

    def stored(model, pk):
        names = [f.column for f in model._meta.concrete_fields if f.column != "id"]
        columns = ", ".join(f'"{name}", typeof("{name}")' for name in names)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {model._meta.db_table} WHERE id = %s", [pk])
            return cursor.fetchone()

    for model in shop_models():
        keys = list(model.objects.values_list("pk", flat=True))
        for pk in keys[:40]:
            seeded = stored(model, pk)
            instance = model.objects.get(pk=pk)
            instance.save()  # the ORM writes each value in its own way
            model.objects.filter(pk=pk).update(updated_at=_seeded_time(seeded, model))
            assert stored(model, pk) == seeded, (model, pk)


def _seeded_time(seeded, model):
    """The seeded `updated_at`, which saving has replaced with the time of saving."""
    names = [f.column for f in model._meta.concrete_fields if f.column != "id"]
    field = model._meta.get_field("updated_at")
    text = seeded[2 * names.index("updated_at")]
    return field.to_python(f"{text}+00:00")


def test_rows_do_not_hang_on_the_order_of_hashes():
    code = (
        "from seed.shop import generate; from hashlib import sha256;"
        "print(sha256(repr(list(generate(invoices=40))).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=settings.BASE_DIR,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_without_tables_it_says_what_to_run(empty_database):
    code, out, err = empty_database.run("manage.py", "seed")
    assert (code, out) == (1, "")
    assert "python manage.py migrate" in err
    assert err.count("\n") == 1


def test_wrong_options_get_one_line_on_the_terminal(empty_database):
    code, out, err = empty_database.run("manage.py", "seed", "--invoices", "none")
    assert (code, out) == (1, "")
    assert err == "CommandError: --invoices must be a whole number, 1 or more, not 'none'.\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_at_any_moment_it_leaves_the_old_shop_exactly_as_it_was(database):
    code, out, err = database.run("-m", "tests.seed.killed")
    assert code == 0, err
    result = json.loads(out)
    assert len(result["left"]) == 10
    assert result["left"] == [{"signal": signal.SIGKILL, "digest": result["before"]}] * 10


@pytest.mark.django_db
def test_of_two_at_the_same_time_one_waits_and_then_refuses(database):
    processes = [
        database.start("manage.py", "seed", "--invoices", "1500", "--seed", seed)
        for seed in ("1", "2")
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 1], errors
    assert "seed --reset" in errors[codes.index(1)]
    assert_holds_one_shop(database, invoices=1500, seeds=[codes.index(0) + 1])


@pytest.mark.django_db
def test_of_two_resets_at_the_same_time_one_comes_after_the_other(database):
    processes = [
        database.start("manage.py", "seed", "--reset", "--invoices", "1500", "--seed", seed)
        for seed in ("1", "2")
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert_holds_one_shop(database, invoices=1500, seeds=[1, 2])


def assert_holds_one_shop(database, *, invoices: int, seeds: list[int]) -> None:
    """The database holds the whole shop of one of the seeds, and nothing of another."""
    code, out, err = database.run(
        *("manage.py", "shell", "-v0", "-c"),
        "from tests.seed.digest import shop_digest; print(shop_digest())",
    )
    assert code == 0, err
    with transaction.atomic():
        expected = []
        for seed in seeds:
            call_command("seed", invoices=invoices, seed=seed, reset=True, verbosity=0)
            expected.append(shop_digest())
        transaction.set_rollback(True)
    assert out.strip() in expected
