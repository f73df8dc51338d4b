# ruff: noqa: DJ001, DJ008 - nullable text is the point, and nobody reads these models by name
"""Tiny models with every kind of field, in a registry of their own: no other test meets them."""

import datetime
import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F
from django.test.utils import isolate_apps


class Shouting(str):
    """What ShoutingField makes of a value."""


class ShoutingField(models.CharField):
    """A custom field that returns what no built-in field would."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else Shouting(value.upper())


class Level(models.IntegerChoices):
    LOW = 1
    HIGH = 2


with isolate_apps("workbook"):

    class Box(models.Model):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "workbook"

    class Thing(models.Model):
        """One field of every kind; the nullable twins of all of them are in Maybe."""

        integer = models.IntegerField(default=7)
        big = models.BigIntegerField(default=2**62)
        real = models.FloatField(default=0.1)
        money = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal("12.30"))
        wide = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal("0.000001"))
        truth = models.BooleanField(default=True)
        text = models.TextField(default="é বাংলা")
        status = models.CharField(
            max_length=10, default="paid", choices={"draft": "Draft", "paid": "Paid"}
        )
        level = models.IntegerField(default=Level.HIGH, choices=Level.choices)
        moment = models.DateTimeField(
            default=datetime.datetime(2026, 6, 30, 23, 59, 59, 123456, datetime.UTC)
        )
        day = models.DateField(default=datetime.date(2026, 6, 30))
        hour = models.TimeField(default=datetime.time(23, 59, 59, 500_000))
        length = models.DurationField(default=datetime.timedelta(3, 14_706, 700_000))
        key = models.UUIDField(default=uuid.UUID(int=5))
        raw = models.BinaryField(default=b"\x00\xff")
        json = models.JSONField(default=dict)
        address = models.GenericIPAddressField(default="::1")
        file = models.FileField(default="a/b.txt")
        loud = ShoutingField(max_length=20, default="hello")
        doubled = models.GeneratedField(
            expression=F("integer") * 2, output_field=models.BigIntegerField(), db_persist=True
        )
        box = models.ForeignKey(Box, on_delete=models.CASCADE, related_name="things")

        class Meta:
            app_label = "workbook"

    class Maybe(models.Model):
        integer = models.IntegerField(null=True)
        big = models.BigIntegerField(null=True)
        real = models.FloatField(null=True)
        money = models.DecimalField(max_digits=10, decimal_places=2, null=True)
        wide = models.DecimalField(max_digits=20, decimal_places=6, null=True)
        truth = models.BooleanField(null=True)
        text = models.TextField(null=True)
        status = models.CharField(
            max_length=10, null=True, choices={"draft": "Draft", "paid": "Paid"}
        )
        level = models.IntegerField(null=True, choices=Level.choices)
        moment = models.DateTimeField(null=True)
        day = models.DateField(null=True)
        hour = models.TimeField(null=True)
        length = models.DurationField(null=True)
        key = models.UUIDField(null=True)
        raw = models.BinaryField(null=True)
        json = models.JSONField(null=True)
        address = models.GenericIPAddressField(null=True)
        file = models.FileField(null=True)
        loud = ShoutingField(max_length=20, null=True)
        box = models.ForeignKey(Box, on_delete=models.CASCADE, null=True, related_name="maybes")

        class Meta:
            app_label = "workbook"

    class Detail(models.Model):
        """One-to-one from the other side, and inheritance."""

        thing = models.OneToOneField(Thing, on_delete=models.CASCADE, related_name="detail")
        note = models.CharField(max_length=20)

        class Meta:
            app_label = "workbook"

    class BigBox(Box):
        metres = models.IntegerField()

        class Meta:
            app_label = "workbook"

    class Slot(models.Model):
        """A composite primary key."""

        pk = models.CompositePrimaryKey("row", "column")
        row = models.IntegerField()
        column = models.CharField(max_length=5)
        weight = models.FloatField(null=True)

        class Meta:
            app_label = "workbook"


MODELS = [Box, Thing, Maybe, Detail, BigBox, Slot]
