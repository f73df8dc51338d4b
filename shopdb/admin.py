"""The admin: every model at a glance; invoices change only through billing.py."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from shopdb.api import check_parents
from shopdb.billing import cancel_invoice, record_payment
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User

admin.site.site_header = admin.site.site_title = "Shop"


class OwnedForm(forms.ModelForm):
    """Keeps what belongs together with one owner, and categories out of circles."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        owner = cleaned.get("username") or getattr(self.instance, "username", None)
        for name, value in cleaned.items():
            if isinstance(value, Category) and owner and value.username_id != owner.pk:
                self.add_error(name, f"{value} belongs to another owner; choose one of {owner}'s.")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()
        if isinstance(self.instance, Category) and self.instance.pk and not self.errors:
            try:
                check_parents(self.instance)
            except ValidationError as error:
                self.add_error(None, error)


class OwnedAdmin(admin.ModelAdmin):
    """Rows of an owner: the owner is chosen once, when the row is added."""

    form = OwnedForm
    date_hierarchy = "created_at"
    list_filter = ("username",)
    list_per_page = 50
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None):
        return (*(("username",) if obj else ()), "created_at", "updated_at")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Django's own, with the shop's fields; `created_at` stands where `date_joined` was."""

    list_display = ("username", "email", "first_name", "last_name", "mobile", "is_staff")
    search_fields = ("username", "email", "first_name", "last_name", "mobile")
    readonly_fields = ("last_login", "created_at", "updated_at")
    add_form = AdminUserCreationForm
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Personal info", {"fields": ("first_name", "last_name", "email", "mobile")}),
        (
            "Permissions",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    *("username", "email", "first_name", "last_name", "mobile"),
                    *("usable_password", "password1", "password2"),
                ),
            },
        ),
    )


@admin.register(Category)
class CategoryAdmin(OwnedAdmin):
    """Shelves, with the shelf above."""

    list_display = ("name", "parent", "username", "created_at")
    list_select_related = ("parent", "username")
    search_fields = ("name", "description")
    autocomplete_fields = ("parent", "username")


@admin.register(Product)
class ProductAdmin(OwnedAdmin):
    """Goods, with price and stock."""

    list_display = ("name", "category", "price", "unit", "stock", "username")
    list_select_related = ("category", "username")
    search_fields = ("name", "category__name")
    autocomplete_fields = ("category", "username")


@admin.register(Customer)
class CustomerAdmin(OwnedAdmin):
    """Buyers, with their contact."""

    list_display = ("name", "email", "mobile", "username", "created_at")
    list_select_related = ("username",)
    search_fields = ("name", "email", "mobile")
    autocomplete_fields = ("username",)


class ReadOnly:
    """No adding, changing or deleting by hand: it would leave totals and stock out of balance."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class LineInline(ReadOnly, admin.TabularInline):
    """The lines of an invoice."""

    model = InvoiceProduct
    fields = ("product", "qty", "sale_price", "line_total")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("product")


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, admin.ModelAdmin):
    """Sales with their lines: to be looked at, paid in full or cancelled."""

    list_display = (
        *("id", "customer", "issued_at", "total", "discount", "vat", "payment", "payment_due"),
        "username",
    )
    list_select_related = ("customer", "username")
    list_filter = ("username", ("payment_due", admin.EmptyFieldListFilter), "issued_at")
    list_per_page = 50
    search_fields = ("=id", "customer__name", "customer__email")
    date_hierarchy = "issued_at"
    show_full_result_count = False
    inlines = (LineInline,)
    actions = ("book_full_payment", "cancel")

    @admin.action(description="Book payment of what is due", permissions=["view"])
    def book_full_payment(self, request: HttpRequest, invoices: QuerySet) -> None:
        unpaid = invoices.filter(payment_due__gt=0)
        for invoice in unpaid:
            record_payment(invoice, invoice.payment_due)
        self.message_user(request, f"Booked the payment of {len(unpaid)} invoices.")

    @admin.action(description="Cancel and return the goods to stock", permissions=["view"])
    def cancel(self, request: HttpRequest, invoices: QuerySet) -> None:
        count = len(invoices)
        for invoice in invoices:
            cancel_invoice(invoice)
        self.message_user(
            request, f"Cancelled {count} invoices; their goods are in stock again.", messages.WARNING
        )


@admin.register(InvoiceProduct)
class InvoiceProductAdmin(ReadOnly, admin.ModelAdmin):
    """Every line sold. That lines cannot be deleted also keeps sold products and their buyers."""

    list_display = ("invoice", "product", "customer", "qty", "sale_price", "line_total", "username")
    list_select_related = ("invoice", "product", "customer", "username")
    list_filter = ("username",)
    list_per_page = 50
    search_fields = ("=invoice__id", "product__name", "customer__name")
    show_full_result_count = False
