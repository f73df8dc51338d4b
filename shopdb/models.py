"""The shop: who sells (User), what (Category, Product), to whom (Customer), and for how much
(Invoice, InvoiceProduct).

`username` is, on every model but User, the foreign key to the owner of the row.
"""

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils import timezone


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
    """A shelf of the shop. `parent` is added for self-joins and NULLs: top shelves have none."""

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

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    """A sale. `issued_at` is added for time series and can be back-dated; `created_at` cannot."""

    total = models.DecimalField(max_digits=10, decimal_places=2)
    discount = models.DecimalField(max_digits=10, decimal_places=2)
    vat = models.DecimalField(max_digits=10, decimal_places=2)
    payment = models.DecimalField(max_digits=10, decimal_places=2)
    payment_due = models.DecimalField(max_digits=10, decimal_places=2)
    issued_at = models.DateTimeField(default=timezone.now)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="invoices")
    username = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invoices")
    products = models.ManyToManyField(Product, through="InvoiceProduct", related_name="invoices")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(total__gte=0, discount__gte=0, vat__gte=0, payment__gte=0),
                name="invoice_amounts_not_negative",
            ),
            # SQLite keeps decimals as floats, where 0.1 + 0.2 is not 0.3: compare whole cents.
            models.CheckConstraint(
                condition=Q(
                    payment_due=Round(F("total") - F("discount") + F("vat") - F("payment"), 2)
                ),
                name="invoice_payment_due_balances",
            ),
        ]
        indexes = [
            # An owner's invoices of a period: the one question every page and report asks.
            models.Index(fields=["username", "issued_at"], name="invoice_owner_date"),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.pk}"


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
        ]

    def __str__(self) -> str:
        return f"{self.qty} × product {self.product_id}"
