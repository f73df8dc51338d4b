"""The database refuses what billing.py would not write, now that every invoice has a number."""

import shopdb.constraints
import shopdb.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shopdb', '0003_number_invoices_and_book_payments'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_amounts_not_negative',
        ),
        migrations.AlterField(
            model_name='invoice',
            name='due_on',
            field=models.DateField(default=shopdb.models.default_due_on),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('id', 'username'), name='customer_and_owner'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.UniqueConstraint(fields=('id', 'username'), name='product_and_owner'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('username', 'number'), name='invoice_number_unique_per_owner'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('number', ''), _negated=True), name='invoice_number_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('discount__gte', 0), ('payment__gte', 0), ('payment_due__gte', 0), ('total__gte', 0), ('vat__gte', 0)), name='invoice_amounts_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('discount__lte', models.F('total'))), name='invoice_discount_within_total'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('void_at', None), ('void_reason', '')), models.Q(('payment', 0), ('void_at__isnull', False), models.Q(('void_reason', ''), _negated=True)), _connector='OR'), name='invoice_void_has_reason_and_no_payment'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=shopdb.constraints.SameAsRelated('customer', fields=['username'], name='invoice_owner_is_customers'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('id', 'username'), name='invoice_and_owner'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('id', 'customer', 'username'), name='invoice_customer_and_owner'),
        ),
        migrations.AddConstraint(
            model_name='invoiceproduct',
            constraint=shopdb.constraints.SameAsRelated('invoice', fields=['customer', 'username'], name='line_customer_is_invoices'),
        ),
        migrations.AddConstraint(
            model_name='invoiceproduct',
            constraint=shopdb.constraints.SameAsRelated('product', fields=['username'], name='line_owner_is_products'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), models.Q(('amount__lt', 0), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='payment_not_zero_and_refund_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=shopdb.constraints.SameAsRelated('invoice', fields=['username'], name='payment_owner_is_invoices'),
        ),
    ]
