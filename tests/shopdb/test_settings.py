"""Settings come from the environment: easy on a laptop, strict in production."""

import os
import subprocess
import sys

from django.conf import settings


def manage(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess:
    left_out = {"DATABASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE"}  # %load_ext workbook sets the latter
    clean = {name: value for name, value in os.environ.items() if name not in left_out}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=clean | environment,
        input=typed,
        capture_output=True,
        text=True,
    )


def test_production_settings_pass_the_deployment_check(tmp_path):
    ran = manage(
        "check", "--deploy", "--fail-level=INFO",
        DEBUG="0", ALLOWED_HOSTS="shop.example.com",
        SECRET_KEY="a-long-and-random-string-of-more-than-fifty-characters-1234",
        DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3",  # the shop here has its demo users
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "no issues" in ran.stdout


def test_production_asks_for_a_secret_key():
    ran = manage("check", DEBUG="0", SECRET_KEY="")
    assert ran.returncode != 0
    assert "Set SECRET_KEY" in ran.stderr


def test_database_url_chooses_the_database_and_shell_plus_prints_its_sql(tmp_path):
    url = f"sqlite:///{tmp_path}/other.sqlite3"
    assert manage("migrate", "--verbosity=0", DATABASE_URL=url).returncode == 0
    assert (tmp_path / "other.sqlite3").exists()
    ran = manage(
        "shell_plus", "--plain", "--print-sql", "-c", "print('users:', User.objects.count())",
        DATABASE_URL=url,
    )  # fmt: skip
    assert "users: 0" in ran.stdout
    assert "shopdb_user" in ran.stdout, "the SQL is printed"
    ran = manage("shell_plus", "--quiet-load", typed="User.objects.count()\n", DATABASE_URL=url)
    assert "1 query · 1 row" in ran.stdout, "shell_plus reports as the chapters do"
