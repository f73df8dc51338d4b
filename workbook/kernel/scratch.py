"""Models that a cell defines below `%rollback`: classes and tables are gone when the cell ends.

    %rollback
    class LoyaltyCard(models.Model):
        customer = models.OneToOneField(Customer, on_delete=models.CASCADE)

        class Meta:
            app_label = "shopdb"

    with connection.schema_editor() as editor:
        editor.create_model(LoyaltyCard)

Two things stand in the way of that, and both are Django guarding its migrations: SQLite's schema
editor refuses to work inside a transaction, and a model stays registered for the life of a process.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model

from workbook.queries import recorder


class ScratchModels:
    """What the running cell adds to the models and tables of the project, until `end()`."""

    def __init__(self, connections: Iterable[Any]) -> None:
        self._known = set(_registered())
        # One inside another (an exercise's runs) leaves the tables to the outer one.
        self._connections = [each for each in connections if not hasattr(each, "scratch_tables")]
        for connection in self._connections:
            connection.SchemaEditorClass = _scratch_editor(connection.SchemaEditorClass)
            connection.scratch_tables = set()

    def committed(self, connection: Any) -> bool:
        """Whether making a table has ended the cell's transaction, as it does on MariaDB."""
        made = getattr(connection, "scratch_tables", None)
        return bool(made) and not connection.features.can_rollback_ddl

    def end(self) -> None:
        """Forget the cell's models, and drop the tables that no rollback takes back (MariaDB)."""
        for connection in self._connections:
            committed, tables = self.committed(connection), connection.scratch_tables
            del connection.SchemaEditorClass, connection.scratch_tables  # the class has its own
            if committed:
                with recorder.paused(), connection.constraint_checks_disabled():
                    editor = connection.schema_editor()
                    for table in tables:
                        editor.execute(f"DROP TABLE IF EXISTS {editor.quote_name(table)}")
        _forget([model for model in _registered() if model not in self._known])


def _registered() -> list[type[Model]]:
    """The models that cells have defined so far."""
    models = apps.get_models(include_auto_created=True, include_swapped=True)
    return [model for model in models if model.__module__ == "__main__"]


def _forget(models: list[type[Model]]) -> None:
    """Take models out of Django's registry, and their reverse relations off other models."""
    if not models:
        return
    for model in models:
        meta = model._meta
        for field in (*meta.local_fields, *meta.local_many_to_many):
            if field.remote_field:
                related, name = field.remote_field.model, field.remote_field.accessor_name
                if name and name in vars(related):
                    delattr(related, name)
        del apps.all_models[meta.app_label][meta.model_name]
    apps.clear_cache()
    if apps.is_installed("django.contrib.contenttypes"):
        from django.contrib.contenttypes.models import ContentType

        ContentType.objects.clear_cache()


def _scratch_editor(editor_class: type[BaseDatabaseSchemaEditor]) -> type:
    """The schema editor, working inside a transaction and left out of the cell's report."""

    class ScratchEditor(editor_class):
        def __enter__(self) -> BaseDatabaseSchemaEditor:
            self._paused = recorder.paused()
            self._paused.__enter__()
            return BaseDatabaseSchemaEditor.__enter__(self)

        def __exit__(self, *exc_info: Any) -> None:
            try:
                BaseDatabaseSchemaEditor.__exit__(self, *exc_info)
            finally:
                self._paused.__exit__(None, None, None)

        def create_model(self, model: type[Model]) -> None:
            super().create_model(model)
            made = [
                model,
                *(field.remote_field.through for field in model._meta.local_many_to_many),
            ]
            self.connection.scratch_tables.update(
                each._meta.db_table for each in made if each is model or each._meta.auto_created
            )

        def execute(self, sql: Any, params: Any = ()) -> Any:
            if self.connection.features.can_rollback_ddl or self.collect_sql:
                return super().execute(sql, params)
            with self.connection.cursor() as cursor:  # MariaDB commits here, guard or no guard
                cursor.execute(str(sql), params)

    return ScratchEditor
