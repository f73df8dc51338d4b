"""A query as a person reads it: its statement made short, its parameters filled in."""

import datetime
import re
from typing import Any

from django.utils.encoding import force_str

from workbook.queries.recorder import Capture, Query
from workbook.queries.statements import LONGEST, on_one_line, shorten

LONGEST_VALUE = 80  # characters

_OURS_QUOTED = re.compile(r"'(‹[^›']++›)'(?:::\w++)?")
_HASH = re.compile(r"[a-z0-9_]++\$++[\w./+=$,-]{20,}+$")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6}+)?([+-]\d\d:?\d\d)?)?$")
_CONTROL = {n: "�" for n in range(32) if chr(n) not in "\t\n\r"}


def sql(query: Query, capture: Capture) -> str:
    """The statement as the database got it, on one line, shortened where it is long.

    What differs from run to run is named (‹now›, ‹hash›); what cannot be filled in stays `%s`.
    """
    params = query.params
    if query.many and params:
        params = params[0]
    text, params = shorten(query.sql, params)
    if params:
        text = _filled(query, text, params, capture)
    text = on_one_line(_OURS_QUOTED.sub(r"\1", text))
    if len(text) > LONGEST + 2:  # shorten() may have added " …"
        text = f"{text[:LONGEST]} …"
    return text.translate(_CONTROL).encode(errors="replace").decode()


def _filled(query: Query, text: str, params: Any, capture: Capture) -> str:
    if isinstance(params, dict):
        shown: Any = {name: _presentable(value, capture) for name, value in params.items()}
    else:
        shown = tuple(_presentable(value, capture) for value in params)
    try:
        return _quoted_by_the_driver(query.connection, text, shown)
    except Exception:  # closed since, or a value that the driver cannot quote
        pass
    try:
        if isinstance(shown, dict):
            return text % {name: _literal(value) for name, value in shown.items()}
        return text % tuple(map(_literal, shown))
    except Exception:
        return text


def _quoted_by_the_driver(connection: Any, text: str, params: Any) -> str:
    if connection.vendor == "postgresql":  # its driver only knows what it sent last
        return connection.ops.compose_sql(text, params)
    cursor = connection.connection.cursor()
    try:
        if hasattr(cursor, "mogrify"):
            return force_str(cursor.mogrify(text, params))
        return connection.ops.last_executed_query(cursor, text, params) or text
    finally:
        cursor.close()


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(value)
    return "'{}'".format(str(value).replace("'", "''"))


def _presentable(value: Any, capture: Capture) -> Any:
    """Values that differ from run to run are named, not shown; long ones are cut."""
    if isinstance(value, datetime.date):  # a datetime is a date too
        return _moment(value, capture) or value
    if isinstance(value, str):
        if len(value) <= 4 * LONGEST_VALUE:
            if _MOMENT.match(value) and (moment := _moment(_parsed(value), capture)):
                return moment
            if _HASH.match(value):
                return "‹hash›"
        if len(value) > LONGEST_VALUE:
            return f"{value[:LONGEST_VALUE]}…"
    if isinstance(value, list) and len(value) > 5:  # an array on PostgreSQL
        value = value[:5]
    if isinstance(value, list):
        return [_presentable(item, capture) for item in value]
    if isinstance(value, bytes) and len(value) > LONGEST_VALUE:
        return value[:LONGEST_VALUE]
    return value


def _parsed(value: str) -> datetime.date | None:
    try:
        if len(value) > 10:
            return datetime.datetime.fromisoformat(value)
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def _moment(value: datetime.date | None, capture: Capture) -> str:
    """‹now› for a moment during the capture, ‹today› for its day, else nothing."""
    ended = datetime.datetime.now(datetime.UTC)
    if value is None or abs(value.year - ended.year) > 1:  # 9999-12-31 fits into no time zone
        return ""
    if not isinstance(value, datetime.datetime):
        days = {capture.started.date(), ended.date(), capture.started.astimezone().date()}
        return "‹today›" if value in days else ""
    started = capture.started - datetime.timedelta(seconds=1)
    readings = [value] if value.tzinfo else [value.replace(tzinfo=datetime.UTC), value.astimezone()]
    return "‹now›" if any(started <= reading <= ended for reading in readings) else ""
