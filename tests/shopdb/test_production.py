"""The shop as a server: the README's commands as written, and guessers beside readers."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.shopdb.server import PLAIN_HTTP, Browser, free_port, serving
from tests.shopdb.test_readme import bash_blocks

CURL = pytest.mark.skipif(not shutil.which("curl"), reason="The commands need curl on the PATH.")


@pytest.fixture
def environment(tmp_path):
    """The environment of a server on an empty database, and nothing of the developer's own."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {"DATABASE_URL": f"sqlite:///{tmp_path}/shop.sqlite3", "PORT": free_port()}


def run(script: str, environment: dict, folder=settings.BASE_DIR) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@CURL
def test_the_readmes_commands_run_as_written(environment, tmp_path):
    start, *others = bash_blocks("## In production")
    environment |= {
        "PYTHON": sys.executable,
        "ENV": sys.prefix,
        "DJANGO_SUPERUSER_USERNAME": "owner",
        "DJANGO_SUPERUSER_EMAIL": "owner@example.com",
        "DJANGO_SUPERUSER_PASSWORD": "only known here",
    }
    # `python` and `make` are those of the environment that runs the tests, which has everything.
    tools = (
        'python() { [[ "$*" == *createsuperuser ]] && set -- "$@" --no-input; "$PYTHON" "$@"; }\n'
        'make() { command make VENV="$ENV" --old-file="$ENV/production" "$@"; }\n'
    )
    exports = start.removesuffix("make serve\n")
    assert exports != start
    script = tools + "export DEBUG=0\n" + exports + "\n".join(others)
    for written, meant in (
        ("127.0.0.1:8000", f"127.0.0.1:{environment['PORT']}"),
        ("/var/www/shop", str(tmp_path / "static")),
        ("backup.sqlite3", str(tmp_path / "backup.sqlite3")),
        ("m sqlite3 shop.sqlite3", f"m sqlite3 {tmp_path / 'shop.sqlite3'}"),
    ):
        assert written in script
        script = script.replace(written, meant)
    with serving(["bash", "-euo", "pipefail", "-c", tools + start], environment):
        said = run(script, environment)
    assert "System check identified no issues" in said
    assert '"products": {"url": "/api/products/"' in said
    assert "<title>Log in | Shop</title>" in said
    assert "--header-bg" in said, "the admin has its styles"
    assert (tmp_path / "static" / "admin" / "css" / "base.css").exists()


POSTGRESQL = pytest.mark.skipif(connection.vendor != "postgresql", reason="Needs PostgreSQL.")


@pytest.fixture
def on_postgresql(transactional_db):
    """The environment of a server on the tests' own database."""
    found = connection.settings_dict
    url = f"postgres://{found['USER']}@{found['HOST']}:{found['PORT'] or 5432}/{found['NAME']}"
    return os.environ | {"DATABASE_URL": url, "PGPASSWORD": found["PASSWORD"]}


@POSTGRESQL
@pytest.mark.skipif(not shutil.which("pg_dump"), reason="The backup needs pg_dump on the PATH.")
def test_the_readmes_backup_of_postgresql(on_postgresql, tmp_path):
    readme = Path(settings.BASE_DIR, "README.md").read_text(encoding="utf-8")
    (command,) = re.findall("^pg_dump .*$", readme, re.MULTILINE)
    run(command, on_postgresql, tmp_path)
    assert (tmp_path / "backup.dump").stat().st_size > 10_000


@POSTGRESQL
def test_a_pool_of_connections(on_postgresql):
    code = "from django.db import connection as c; c.cursor(); print(c.pool.max_size)"
    said = run(
        f"{sys.executable} manage.py shell --verbosity=0 -c '{code}'",
        on_postgresql | {"CONN_POOL": "3"},
    )
    assert said.strip() == "3"


@pytest.fixture
def server(environment):
    """The port of a running server that knows one user, `owner` with password `known`."""
    environment |= PLAIN_HTTP
    make_user = (
        "from shopdb.models import User; User.objects.create_user('owner', password='known')"
    )
    for command in (["migrate", "--verbosity=0"], ["shell", "--verbosity=0", "-c", make_user]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=environment,
            check=True,
        )
    with serving([sys.executable, "-m", "gunicorn", "--workers=2"], environment):
        yield environment["PORT"]


def test_guessers_are_refused_unheard_while_readers_read(server):
    reader = Browser(server)
    assert reader.ask("POST", "login/", {"username": "owner", "password": "known"}) == 200

    def guess(number: int) -> list[int]:
        guesser = Browser(server)
        return [
            guesser.ask("POST", "login/", {"username": f"{number} {n}", "password": "x"})
            for n in range(8)
        ]

    with ThreadPoolExecutor(6) as crowd:
        guesses = [crowd.submit(guess, number) for number in range(6)]
        reads = Counter()
        while not all(guess.done() for guess in guesses):
            reads[reader.ask("GET", "products/")] += 1
    answers = Counter(status for guess in guesses for status in guess.result())
    assert answers.keys() <= {401, 429, 503}, answers
    assert answers[401] < 48 / 2, "most guesses cost no hashing"
    assert reads.keys() == {200}
