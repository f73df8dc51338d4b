"""What `manage.py check --deploy` warns about: users that everybody can log in as."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password
from django.core.checks import Tags, Warning, register
from django.db import DatabaseError

from seed import catalog


@register(Tags.security, deploy=True)
def check_published_passwords(**options: Any) -> list[Warning]:
    """Warn about demo owners that still have the password which `seed` gives and prints."""
    names = [owner.username for owner in catalog.OWNERS]
    try:
        owners = list(get_user_model().objects.filter(username__in=names, is_active=True))
    except DatabaseError:  # no database, or no tables yet: nobody to log in as
        return []
    # Comparing is quick; but a login may have hashed the password again, with today's rounds.
    open_to_all = [
        owner
        for owner in owners
        if owner.password == catalog.PASSWORD_HASH
        or check_password(catalog.PASSWORD, owner.password)
    ]
    if not open_to_all:
        return []
    superusers = [owner.username for owner in open_to_all if owner.is_superuser]
    have = "demo user has" if len(open_to_all) == 1 else "demo users have"
    return [
        Warning(
            f"{len(open_to_all)} {have} the published password {catalog.PASSWORD!r}"
            + (f", and {', '.join(superusers)} may do everything." if superusers else "."),
            hint=(
                "Give each a password of its own (`manage.py changepassword NAME`), or start with "
                "an empty database and `manage.py createsuperuser`."
            ),
            id="seed.W001",
        )
    ]
