"""What settings.py reads from the environment, and a clear sentence for what it cannot read."""

import os
import re
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

# What `?conn_max_age=…` in a DATABASE_URL sets: Django wants it beside OPTIONS, not among them.
CONNECTION_SETTINGS = {"conn_max_age", "conn_health_checks", "disable_server_side_cursors"}


def flag(name: str, default: bool) -> bool:
    """Yes or no. Raises ImproperlyConfigured for any other word."""
    text = os.environ.get(name, "").strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    if text:
        raise ImproperlyConfigured(f"Set {name} to 1 or 0, not to {text!r}.")
    return default


def whole_number(name: str, default: int) -> int:
    """A whole number, zero or more. Raises ImproperlyConfigured for anything else."""
    return _whole_number(name, os.environ.get(name, "").strip() or default)


def comma_list(name: str) -> list[str]:
    """What stands between the commas: `a.example, b.example`."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def repository(folder: Path) -> str:
    """The project's page on GitHub: REPOSITORY_URL, or where `folder` was cloned from, or ""."""
    if url := os.environ.get("REPOSITORY_URL", ""):
        return url.rstrip("/")
    try:
        config = (folder / ".git" / "config").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    origin = re.search(r'^\[remote "origin"\][^[]*?^\s*url\s*=\s*(\S+)', config, re.MULTILINE)
    address = origin[1] if origin else ""
    found = re.search(r"(?:^|[@/])github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", address)
    return f"https://github.com/{found[1]}" if found else ""


def database(default_url: str, *, conn_max_age: int) -> dict:
    """Django's settings for DATABASE_URL, or for `default_url` where none is set.

    A connection serves requests for CONN_MAX_AGE seconds (`conn_max_age` where it is not set) and
    is checked before each. With CONN_POOL (how many connections a process holds at most),
    psycopg's pool takes the place of that. The URL's own `?conn_max_age=` and `?pool=` win.

    Raises ImproperlyConfigured for a URL or number that cannot be read.
    """
    try:
        config = dj_database_url.parse(
            os.environ.get("DATABASE_URL") or default_url,
            conn_max_age=whole_number("CONN_MAX_AGE", conn_max_age),
            conn_health_checks=flag("CONN_HEALTH_CHECKS", True),
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read. {error}") from None
    options = config.setdefault("OPTIONS", {})
    for name in CONNECTION_SETTINGS & options.keys():
        config[name.upper()] = options.pop(name)
    config["CONN_MAX_AGE"] = _whole_number("conn_max_age", config.get("CONN_MAX_AGE", 0))

    size = _whole_number("pool", options.pop("pool", whole_number("CONN_POOL", 0)))
    if size:
        if config["ENGINE"] != "django.db.backends.postgresql":
            raise ImproperlyConfigured("Only PostgreSQL has a pool: leave CONN_POOL and ?pool out.")
        options["pool"] = {"min_size": 1, "max_size": size}
        config["CONN_MAX_AGE"] = 0  # the pool keeps the connections, not the thread
    return config


def _whole_number(name: str, value: str | int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise ImproperlyConfigured(f"Set {name} to a whole number, 0 or more, not to {value!r}.")
    return number
