"""Puts rows into the database, and takes them out, as fast as each database allows.

The ORM's `bulk_create` spends most of its time building model instances and converting each
value. Rows here hold what the database takes as it is (see `seed.shop`), so the database's own
bulk interface can have them directly: COPY on PostgreSQL, `executemany` elsewhere. Which table
and which columns is still the models' word.
"""

from collections.abc import Iterable

from django.apps import apps
from django.core.management.color import no_style
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from seed.shop import FIELDS


def shop_models() -> list[type[models.Model]]:
    """The shop's models, parents before children."""
    return [apps.get_model("shopdb", name) for name in FIELDS]


def insert(connection: BaseDatabaseWrapper, name: str, rows: Iterable[tuple]) -> None:
    """Insert rows of the model called `name`, each in the order of `FIELDS[name]`."""
    meta = apps.get_model("shopdb", name)._meta
    quote = connection.ops.quote_name
    columns = [quote(meta.get_field(field).column) for field in FIELDS[name]]
    table = f"{quote(meta.db_table)} ({', '.join(columns)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            values = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} VALUES ({values})", rows)


def delete_all(connection: BaseDatabaseWrapper) -> None:
    """Delete every row of the shop, and what refers to one: admin log, groups of users, …"""
    using = connection.alias
    for model in _children_first(shop_models()):
        rows = model._base_manager.using(using).all()
        for field in model._meta.concrete_fields:
            if field.related_model is model:  # MySQL looks at each row, not at the statement
                rows.update(**{field.name: None})
        rows._raw_delete(using)
    if connection.vendor == "sqlite":  # its numbering starts again, and rolls back like rows do
        tables = [{"table": model._meta.db_table} for model in shop_models()]
        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_by_name_sql(no_style(), tables):
                cursor.execute(sql)


def _children_first(parents: list[type[models.Model]]) -> list[type[models.Model]]:
    """The models, and all that have a foreign key to one of them, in an order to delete them in."""
    ordered: list[type[models.Model]] = []

    def visit(model: type[models.Model]) -> None:
        if model in ordered:
            return
        for relation in model._meta.get_fields(include_hidden=True):
            if relation.auto_created and not relation.concrete and not relation.many_to_many:
                child = relation.related_model
                if child is not model and child._meta.managed and not child._meta.proxy:
                    visit(child)
        ordered.append(model)

    for model in parents:
        visit(model)
    return ordered


def advance_sequences(connection: BaseDatabaseWrapper) -> None:
    """Let new rows be numbered after the inserted ones, where the database does not see to it.

    Django's `sequence_reset_sql` may also lower a PostgreSQL sequence, and PostgreSQL does not
    undo that when a transaction is rolled back: the old rows' numbers would be given out again.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in shop_models():
            table = connection.ops.quote_name(model._meta.db_table)
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            cursor.execute(
                f"SELECT setval({sequence}, GREATEST(max(id), "
                f"pg_sequence_last_value({sequence}::regclass))) FROM {table} HAVING max(id) > 0"
            )


def wait_for_turn(connection: BaseDatabaseWrapper) -> None:
    """Keep a second seed waiting until this transaction ends.

    Both ask for the rows that record the shop's migrations. On SQLite there is nothing to ask:
    the transaction has the only write lock from its beginning (IMMEDIATE, see settings.py).
    """
    migrations = MigrationRecorder(connection).migration_qs.filter(app="shopdb")
    list(migrations.select_for_update().order_by("pk"))


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    """Whether the shop holds no row at all."""
    return not any(model._base_manager.using(connection.alias).exists() for model in shop_models())


def missing_tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables of the shop, and of what seeding notes, that the database does not have."""
    present = set(connection.introspection.table_names())
    needed = [*shop_models(), apps.get_model("seed", "Seeding")]
    return [model._meta.db_table for model in needed if model._meta.db_table not in present]
