"""`check --deploy` and the demo's published password."""

from django.core.management import call_command
from django.db import OperationalError

from seed import catalog
from seed.checks import check_published_passwords
from shopdb.models import User


def test_demo_users_with_the_published_password_are_named(db):
    assert check_published_passwords() == []
    call_command("seed", invoices=5, verbosity=0)
    (warning,) = check_published_passwords()
    assert (warning.id, "sara may do everything" in warning.msg) == ("seed.W001", True)
    assert warning.msg.startswith(f"{len(catalog.OWNERS)} demo users")

    sara = User.objects.get(username="sara")
    sara.set_password(catalog.PASSWORD)  # hashed again, with another salt: still the same password
    sara.save()
    User.objects.exclude(pk=sara.pk).update(is_active=False)
    (warning,) = check_published_passwords()
    assert warning.msg.startswith("1 demo user ")

    sara.set_password("a password of her own")
    sara.save()
    assert check_published_passwords() == []


def test_a_database_without_tables_is_no_reason_to_fail(monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("no such table")

    monkeypatch.setattr(User.objects, "filter", refuse)
    assert check_published_passwords() == []
