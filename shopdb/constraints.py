"""A constraint that Django does not bring: a foreign key over several columns."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class SameAsRelated(models.BaseConstraint):
    """A row and the row its foreign key points at hold the same values in `fields`.

    `SameAsRelated("invoice", fields=["customer"], name=…)` keeps a line's customer the same as its
    invoice's. The database holds it as a foreign key over (invoice, customer), so it also holds for
    SQL that nobody sent through Django. The related model needs a `UniqueConstraint` on its
    primary key and the same fields: databases refer to unique columns only.

    SQLite and PostgreSQL check when the transaction commits, like every foreign key of Django's;
    MariaDB checks each statement.
    """

    default_violation_error_message = "The %(fields)s must be the same as the %(relation)s's."

    def __init__(self, relation: str, *, fields: list[str], name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.relation, self.fields = relation, tuple(fields)

    def constraint_sql(self, model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> str:
        own = [model._meta.get_field(name).column for name in (self.relation, *self.fields)]
        related = model._meta.get_field(self.relation).related_model._meta
        theirs = [related.pk.column, *(related.get_field(name).column for name in self.fields)]
        quote = editor.quote_name
        late = editor.connection.features.can_defer_constraint_checks
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({', '.join(map(quote, own))}) "
            f"REFERENCES {quote(related.db_table)} ({', '.join(map(quote, theirs))})"
            f"{' DEFERRABLE INITIALLY DEFERRED' if late else ''}"
        )

    def create_sql(self, model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> str:
        table = editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, editor)}"

    def remove_sql(self, model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> str:
        table, name = map(editor.quote_name, (model._meta.db_table, self.name))
        return editor.sql_delete_fk % {"table": table, "name": name}

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        if exclude and exclude & {self.relation, *self.fields}:
            return
        relation = model._meta.get_field(self.relation)
        same = {
            name: getattr(instance, model._meta.get_field(name).attname) for name in self.fields
        }
        related = relation.related_model._base_manager.using(using)
        if not related.filter(pk=getattr(instance, relation.attname), **same).exists():
            raise ValidationError(
                self.get_violation_error_message(), code=self.violation_error_code
            )

    def get_violation_error_message(self) -> str:
        return self.violation_error_message % {
            "name": self.name,
            "relation": self.relation,
            "fields": " and ".join(self.fields),
        }

    def deconstruct(self) -> tuple[str, tuple, dict[str, Any]]:
        path, _, options = super().deconstruct()
        return path, (self.relation,), {**options, "fields": list(self.fields)}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SameAsRelated):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    __hash__ = None
