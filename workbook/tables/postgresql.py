"""PostgreSQL: numbers and moments as the driver gives them fastest.

psycopg makes a Decimal of each number and a datetime of each moment, which takes longer than the
query itself. A frame wants neither: here numbers come as floats and moments as text.
"""

from collections.abc import Callable
from typing import Any

from django.db.models.expressions import Col

from workbook.tables.columns import Column

_TEXT = 0  # psycopg.pq.Format.TEXT, in which cursors of Django get their rows


class QuickLoaders:
    """An execute wrapper that lets one query come as floats and text, where its columns allow it.

    `used` says afterwards whether they did.
    """

    def __init__(self, columns: Callable[[], list[Column]]) -> None:
        self._columns = columns  # called once Django has compiled the query
        self.used = False

    def __call__(self, execute: Callable, sql: Any, params: Any, many: bool, context: dict) -> Any:
        from django.db.backends.postgresql.psycopg_any import is_psycopg3

        in_utc = context["connection"].timezone_name == "UTC"
        if is_psycopg3 and in_utc and all(map(_allows_it, self._columns())):
            adapters = context["cursor"].cursor.adapters  # this cursor's own
            for kind, as_if in {"numeric": "float8", "timestamptz": "text"}.items():
                loader = adapters.get_loader(adapters.types[as_if].oid, _TEXT)
                adapters.register_loader(kind, loader)
            self.used = True
        return execute(sql, params, many, context)


def _allows_it(column: Column) -> bool:
    """Whether the column is a plain one: of numbers or moments for a frame, or of neither."""
    if not isinstance(column.expression, Col) or column.field is None:
        return False
    converted = column.field.db_type(column.connection).startswith(("numeric", "timestamp"))
    return not converted or column.kind() in {"decimal", "datetime"}
