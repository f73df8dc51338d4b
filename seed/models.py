from django.db import models


class Seeding(models.Model):
    """What the shop was filled with, and what its tables held then; one row, or none."""

    seed = models.PositiveIntegerField()
    invoices = models.PositiveIntegerField()
    made_by = models.CharField(max_length=64)  # see state.generator()
    tables = models.JSONField()  # see state.tables()

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.invoices:,} invoices"
