"""The admin: every model at a glance; invoices change only through billing.py."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from shopdb.api.views import check_parents
from shopdb.billing import cancel_invoice, record_payment
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User

admin.site.site_header = admin.site.site_title = "Shop"


class OwnedForm(forms.ModelForm):
    """Keeps what belongs together with one owner, and categories out of circles."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        owner_id = cleaned["username"].pk if cleaned.get("username") else self.instance.username_id
        for name, value in list(cleaned.items()):
            if isinstance(value, Category) and owner_id and value.username_id != owner_id:
                self.add_error(name, f"{value} belongs to another owner; choose one of the same.")
        if isinstance(self.instance, Category) and self.instance.pk and not self.errors:
            check_parents(
                Category(
                    pk=self.instance.pk,
                    name=cleaned["name"],
                    parent=cleaned["parent"],
                    username_id=owner_id,
                )
            )
        return cleaned


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
    readonly_fields = ("line_total",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("product")


class PaidFilter(admin.SimpleListFilter):
    """Invoices with something due, and those without."""

    title = parameter_name = "paid"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "something is due"), ("yes", "paid in full")]

    def queryset(self, request: HttpRequest, invoices: QuerySet) -> QuerySet:
        match self.value():
            case "no":
                return invoices.filter(payment_due__gt=0)
            case "yes":
                return invoices.filter(payment_due=0)
        return invoices


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, admin.ModelAdmin):
    """Sales with their lines: to be looked at, paid in full, or cancelled by deleting them."""

    list_display = (
        *("id", "customer", "issued_at", "total", "discount", "vat", "payment", "payment_due"),
        "username",
    )
    list_select_related = ("customer", "username")
    list_filter = (PaidFilter, "issued_at", "username")
    list_per_page = 50
    search_fields = ("=id", "customer__name", "customer__email")
    date_hierarchy = "issued_at"
    show_full_result_count = False
    inlines = (LineInline,)
    actions = ("book_full_payment",)

    @admin.action(description="Book the payment of all that is due", permissions=["book"])
    def book_full_payment(self, request: HttpRequest, invoices: QuerySet) -> None:
        unpaid = list(invoices.filter(payment_due__gt=0))
        for invoice in unpaid:
            record_payment(invoice, invoice.payment_due)
        self.message_user(request, f"Booked the payment of {len(unpaid)} invoices.")

    def has_book_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shopdb.change_invoice")

    def has_delete_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        return request.user.has_perm("shopdb.delete_invoice")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        # Lines alone cannot be deleted; with their invoice they can, as the goods return to stock.
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, missing - {InvoiceProduct._meta.verbose_name}, protected

    def delete_model(self, request: HttpRequest, obj: Invoice) -> None:
        cancel_invoice(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        with transaction.atomic():
            for invoice in queryset:
                cancel_invoice(invoice)


@admin.register(InvoiceProduct)
class InvoiceProductAdmin(ReadOnly, admin.ModelAdmin):
    """Every line sold. That lines cannot be deleted also keeps sold products and their buyers."""

    list_display = ("invoice", "product", "customer", "qty", "sale_price", "line_total", "username")
    list_select_related = ("invoice", "product", "customer", "username")
    list_filter = ("username",)
    readonly_fields = ("line_total",)
    list_per_page = 50
    search_fields = ("=invoice__id", "product__name", "customer__name")
    show_full_result_count = False
