"""Settings come from the environment: easy on a laptop, strict in production."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from shopdb import environment


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


POSTGRES = "postgres://shop:secret@db.example/shop"


@pytest.fixture
def variables(monkeypatch):
    """Sets the environment of a database, and forgets the tests' own."""
    for name in ("DATABASE_URL", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "CONN_POOL"):
        monkeypatch.delenv(name, raising=False)
    return lambda **values: [monkeypatch.setenv(*item) for item in values.items()]


@pytest.mark.parametrize(
    ("values", "age", "checked"),
    [
        ({"DATABASE_URL": POSTGRES}, 60, True),
        ({"DATABASE_URL": POSTGRES, "CONN_MAX_AGE": "5", "CONN_HEALTH_CHECKS": "0"}, 5, False),
        ({"DATABASE_URL": f"{POSTGRES}?conn_max_age=7", "CONN_MAX_AGE": "5"}, 7, True),
        ({"DATABASE_URL": f"{POSTGRES}?conn_health_checks=false"}, 60, False),
        ({}, 60, True),
    ],
)
def test_connections_are_kept_as_the_environment_says(variables, values, age, checked):
    variables(**values)
    found = environment.database("sqlite:///shop.sqlite3", conn_max_age=60)
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"]) == (age, checked)
    assert found["OPTIONS"] == {}, "the driver would refuse what is meant for Django"


@pytest.mark.parametrize(
    "values",
    [{"DATABASE_URL": POSTGRES, "CONN_POOL": "8"}, {"DATABASE_URL": f"{POSTGRES}?pool=8"}],
)
def test_a_pool_takes_the_place_of_kept_connections(variables, values):
    variables(**values)
    found = environment.database("", conn_max_age=60)
    assert found["OPTIONS"]["pool"]["max_size"] == 8
    assert found["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"CONN_MAX_AGE": "long"}, "Set CONN_MAX_AGE to a whole number"),
        ({"CONN_MAX_AGE": "-1"}, "Set CONN_MAX_AGE to a whole number"),
        ({"CONN_HEALTH_CHECKS": "perhaps"}, "Set CONN_HEALTH_CHECKS to 1 or 0"),
        ({"CONN_POOL": "8"}, "Only PostgreSQL has a pool"),
        ({"DATABASE_URL": "shop"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "postgres://a:b@host:port/x"}, "DATABASE_URL cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(variables, values, says):
    variables(**values)
    with pytest.raises(ImproperlyConfigured, match=says):
        environment.database("sqlite:///shop.sqlite3", conn_max_age=0)


def test_hosts_and_flags(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", " a.example, b.example ,,")
    assert environment.comma_list("ALLOWED_HOSTS") == ["a.example", "b.example"]
    for text, meaning in (("On", True), ("no", False), (" 0 ", False), ("", True)):
        monkeypatch.setenv("DEBUG", text)
        assert environment.flag("DEBUG", True) is meaning


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("https://github.com/someone/orm-workbook.git", "https://github.com/someone/orm-workbook"),
        ("git@github.com:someone/orm.workbook.git", "https://github.com/someone/orm.workbook"),
        ("https://token@github.com/someone/workbook/", "https://github.com/someone/workbook"),
        ("https://notgithub.com/someone/workbook", ""),
        ("../workbook", ""),
    ],
)
def test_the_project_page_is_where_the_folder_was_cloned_from(origin, page, tmp_path, monkeypatch):
    monkeypatch.delenv("REPOSITORY_URL", raising=False)
    assert environment.repository(tmp_path) == "", "unpacked from a ZIP file"
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert environment.repository(tmp_path) == ""
    for name, url in (("fork", "https://github.com/other/fork"), ("origin", origin)):
        subprocess.run(["git", "remote", "add", name, url], cwd=tmp_path, check=True)
    assert environment.repository(tmp_path) == page
    monkeypatch.setenv("REPOSITORY_URL", "https://github.com/a/b/")
    assert environment.repository(tmp_path) == "https://github.com/a/b"
