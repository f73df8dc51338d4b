"""Give the invoices of an older shop their numbers, due dates and payments.

Within a year of an owner, invoices are numbered by date. Older shops kept the sum of an invoice's
payments only: it becomes one payment, made when the invoice was last changed, by a method that
nobody recorded. `migrate` has nothing to do here when the shop is empty.
"""

from collections import Counter
from datetime import date

from django.core.management import CommandError
from django.db import migrations
from django.db.models import F
from django.utils import timezone

DAYS_TO_PAY = 30
BATCH = 2_000


def refuse_what_the_constraints_will(apps, schema_editor):
    """Name a row that 0004 would stumble over, in a sentence instead of an IntegrityError."""
    using = schema_editor.connection.alias
    invoices = apps.get_model("shopdb", "Invoice").objects.using(using)
    lines = apps.get_model("shopdb", "InvoiceProduct").objects.using(using)
    faults = [
        (invoices.filter(discount__gt=F("total")), "Invoice {} has a discount above its total"),
        (invoices.filter(payment_due__lt=0), "Invoice {} has more paid than was due"),
        (
            invoices.exclude(username=F("customer__username")),
            "Invoice {} belongs to another owner than its customer",
        ),
        (
            lines.exclude(customer=F("invoice__customer"), username=F("invoice__username")),
            "Invoice line {} names another customer or owner than its invoice",
        ),
        (
            lines.exclude(username=F("product__username")),
            "Invoice line {} sells another owner's product",
        ),
    ]
    for rows, sentence in faults:
        if row := rows.order_by("pk").values_list("pk", flat=True).first():
            raise CommandError(
                f"{sentence.format(row)}, and the shop no longer allows that. Correct or delete "
                "the row, or replace all rows with `python manage.py seed --reset`; then run "
                "`python manage.py migrate` again."
            )


def number_invoices(apps, schema_editor):
    connection = schema_editor.connection
    invoices = apps.get_model("shopdb", "Invoice").objects.using(connection.alias)
    found = (
        invoices.filter(number="")
        .order_by("username", "issued_at", "pk")
        .values_list("pk", "username", "issued_at")
    )
    update = "UPDATE shopdb_invoice SET number = %s, due_on = %s WHERE id = %s"
    last = Counter()
    batch = []
    with connection.cursor() as cursor:
        for pk, owner, issued_at in found.iterator(BATCH):
            issued = timezone.localtime(issued_at).date()
            last[owner, issued.year] += 1
            number = f"{issued.year:04}-{last[owner, issued.year]:04}"
            due = min(issued.toordinal() + DAYS_TO_PAY, date.max.toordinal())
            batch.append((number, date.fromordinal(due), pk))
            if len(batch) == BATCH:
                cursor.executemany(update, batch)
                batch = []
        if batch:
            cursor.executemany(update, batch)


def book_payments(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shopdb_payment "
            "(invoice_id, amount, method, paid_at, reason, username_id, created_at, updated_at) "
            "SELECT id, payment, 'other', updated_at, '', username_id, updated_at, updated_at "
            "FROM shopdb_invoice WHERE payment > 0 AND NOT EXISTS ("
            "SELECT 1 FROM shopdb_payment WHERE shopdb_payment.invoice_id = shopdb_invoice.id"
            ") ORDER BY id"
        )


class Migration(migrations.Migration):

    dependencies = [
        ('shopdb', '0002_invoice_numbers_and_payments'),
    ]

    operations = [
        migrations.RunPython(refuse_what_the_constraints_will, migrations.RunPython.noop),
        migrations.RunPython(number_invoices, migrations.RunPython.noop),
        migrations.RunPython(book_payments, migrations.RunPython.noop),
    ]
