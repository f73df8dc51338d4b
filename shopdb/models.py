"""The shop: who sells (User), what (Category, Product), to whom (Customer), for how much (Invoice,
InvoiceProduct), and what was paid (Payment).

`username` is, on every model but User, the foreign key to the owner of the row.
"""

from datetime import date, timedelta

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Round
from django.utils import timezone

from shopdb.constraints import SameAsRelated

DAYS_TO_PAY = 30


class User(AbstractUser):
    """An owner of a shop, and the project's real user model: passwords are hashed, logins work.

    `created_at` stands in for Django's `date_joined`; `otp` is the last one-time password sent.
    """

    email = models.EmailField(unique=True)
    mobile = models.CharField(max_length=20)
    password = models.CharField(max_length=500)
    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    otp = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    date_joined = None

    def __str__(self) -> str:
        return self.username


class Category(models.Model):
    """A group of products. `parent` is added for self-joins and NULLs: the top level has none."""

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children"
    )
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="categories")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(
                fields=["username", "name"], name="category_name_unique_per_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something to sell. `stock` is added for F() and races, `attributes` for JSON lookups."""

    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    unit = models.CharField(max_length=100)
    stock = models.PositiveIntegerField(default=0)
    attributes = models.JSONField(default=dict, blank=True)
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="products")
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="products")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["username", "name"], name="product_name_unique_per_owner"
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.UniqueConstraint(fields=["id", "username"], name="product_and_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """A person an owner sells to."""

    name = models.CharField(max_length=100)
    email = models.EmailField()
    mobile = models.CharField(max_length=20)
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="customers")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "username"], name="customer_and_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class InvoiceQuerySet(models.QuerySet):
    """What `Invoice.objects` can do beyond Django's own methods."""

    def with_status(self, on: date | None = None) -> "InvoiceQuerySet":
        """Annotate each invoice with its `status`, one of `Invoice.Status`.

        An invoice that is not paid is overdue from the day after its `due_on`. `on` is the day to
        compare that with, today unless given; payments count whenever they were made.
        """
        status = Invoice.Status
        return self.annotate(
            status=Case(
                When(void_at__isnull=False, then=Value(status.VOID)),
                When(payment_due=0, then=Value(status.PAID)),
                When(due_on__lt=on or timezone.localdate(), then=Value(status.OVERDUE)),
                When(payment__gt=0, then=Value(status.PART_PAID)),
                default=Value(status.OPEN),
                output_field=models.CharField(choices=status.choices),
            )
        )


def default_due_on() -> date:
    return timezone.localdate() + timedelta(days=DAYS_TO_PAY)


class Invoice(models.Model):
    """A sale. Issue, pay and void it through billing.py, which keeps the books balanced.

    `number` is added because bookkeepers count invoices: 2026-0001 is an owner's first of 2026,
    and no number is ever missing. `issued_at` is added for time series and can be back-dated;
    `created_at` cannot. `due_on` gives an invoice a status, which is never stored, because it
    changes overnight: see `Invoice.objects.with_status()`. `void_at` and `void_reason` are added
    because an invoice is never deleted. `payment` is always the sum of the invoice's payments.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        PART_PAID = "part-paid", "Part-paid"
        PAID = "paid"
        OVERDUE = "overdue"
        VOID = "void"

    number = models.CharField(max_length=20)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    discount = models.DecimalField(max_digits=10, decimal_places=2)
    vat = models.DecimalField(max_digits=10, decimal_places=2)
    payment = models.DecimalField(max_digits=10, decimal_places=2)
    payment_due = models.DecimalField(max_digits=10, decimal_places=2)
    issued_at = models.DateTimeField(default=timezone.now)
    due_on = models.DateField(default=default_due_on)
    void_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="invoices")
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invoices")
    products = models.ManyToManyField(Product, through="InvoiceProduct", related_name="invoices")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["username", "number"], name="invoice_number_unique_per_owner"
            ),
            models.CheckConstraint(condition=~Q(number=""), name="invoice_number_not_empty"),
            models.CheckConstraint(
                condition=Q(
                    total__gte=0, discount__gte=0, vat__gte=0, payment__gte=0, payment_due__gte=0
                ),
                name="invoice_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(discount__lte=F("total")), name="invoice_discount_within_total"
            ),
            # SQLite keeps decimals as floats, where 0.1 + 0.2 is not 0.3: compare whole cents.
            models.CheckConstraint(
                condition=Q(
                    payment_due=Round(F("total") - F("discount") + F("vat") - F("payment"), 2)
                ),
                name="invoice_payment_due_balances",
            ),
            models.CheckConstraint(
                condition=Q(void_at=None, void_reason="")
                | Q(void_at__isnull=False, payment=0) & ~Q(void_reason=""),
                name="invoice_void_has_reason_and_no_payment",
            ),
            SameAsRelated("customer", fields=["username"], name="invoice_owner_is_customers"),
            models.UniqueConstraint(fields=["id", "username"], name="invoice_and_owner"),
            models.UniqueConstraint(
                fields=["id", "customer", "username"], name="invoice_customer_and_owner"
            ),
        ]
        indexes = [
            # An owner's invoices of a period: the one question every page and report asks.
            models.Index(fields=["username", "issued_at"], name="invoice_owner_date"),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.number}"


class InvoiceProduct(models.Model):
    """One line of an invoice. `line_total` is added to show a column the database computes."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="invoice_products")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="invoice_products")
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="invoice_products"
    )
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invoice_products")
    qty = models.IntegerField(validators=[MinValueValidator(1)])
    sale_price = models.DecimalField(max_digits=10, decimal_places=2)
    line_total = models.GeneratedField(
        expression=Round(F("qty") * F("sale_price"), 2),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "product"], name="one_line_per_product"),
            models.CheckConstraint(condition=Q(qty__gt=0), name="line_qty_positive"),
            models.CheckConstraint(
                condition=Q(sale_price__gte=0), name="line_sale_price_not_negative"
            ),
            SameAsRelated(
                "invoice", fields=["customer", "username"], name="line_customer_is_invoices"
            ),
            SameAsRelated("product", fields=["username"], name="line_owner_is_products"),
        ]

    def __str__(self) -> str:
        return f"{self.qty} × product {self.product_id}"


class Payment(models.Model):
    """Money received for an invoice, or with a negative amount a refund, which needs a `reason`.

    Added because an invoice is paid in parts, and because a second to-many relation of Invoice
    shows what joins do to sums.
    """

    class Method(models.TextChoices):
        CASH = "cash"
        CARD = "card"
        TRANSFER = "transfer", "Bank transfer"
        OTHER = "other"

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="payments")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    method = models.CharField(max_length=10, choices=Method)
    paid_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=200, blank=True)
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="payments")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0) | Q(amount__lt=0) & ~Q(reason=""),
                name="payment_not_zero_and_refund_has_reason",
            ),
            SameAsRelated("invoice", fields=["username"], name="payment_owner_is_invoices"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} by {self.get_method_display().lower()}"
