"""The admin: every model at a glance; invoices change only through billing.py."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from shopdb.api.views import check_parents
from shopdb.billing import BillingError, record_payment, void_invoice
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User
from shopdb.printing import show_invoice

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


class DatedAdmin(admin.ModelAdmin):
    """Lists that are filtered by date."""

    list_per_page = 50
    show_full_result_count = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """As Django's, where a date at the end of the calendar is a wrong lookup like others."""
        try:
            return super().changelist_view(request, extra_context)
        except (ValueError, OverflowError):  # Django adds a year to 9999, or an offset to year 1
            if request.method != "GET" or ERROR_FLAG in request.GET:
                raise
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")


class OwnedAdmin(DatedAdmin):
    """Rows of an owner: the owner is chosen once, when the row is added."""

    form = OwnedForm
    date_hierarchy = "created_at"
    list_filter = ("username",)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None):
        return (*(("username",) if obj else ()), "created_at", "updated_at")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Django's own, with the shop's fields: `created_at` replaces `date_joined`."""

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
    """Categories, with their parent."""

    list_display = ("name", "parent", "username", "created_at")
    list_select_related = ("parent", "username")
    search_fields = ("name", "description")
    autocomplete_fields = ("parent", "username")


@admin.register(Product)
class ProductAdmin(OwnedAdmin):
    """Products, with price and stock."""

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


class PaymentInline(ReadOnly, admin.TabularInline):
    """The payments and refunds of an invoice."""

    model = Payment
    fields = ("paid_at", "amount", "method", "reason")
    ordering = ("paid_at", "pk")


class StatusFilter(admin.SimpleListFilter):
    """Invoices of one status, as of today."""

    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return Invoice.Status.choices

    def queryset(self, request: HttpRequest, invoices: QuerySet) -> QuerySet:
        return invoices.filter(status=self.value()) if self.value() else invoices


class VoidForm(forms.Form):
    """Why the invoices are voided."""

    reason = forms.CharField(max_length=Invoice._meta.get_field("void_reason").max_length)


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, DatedAdmin):
    """Sales with their lines and payments: to look at, print, pay in full or void."""

    list_display = (
        *("number", "username", "customer", "issued_at", "due_on", "status", "total"),
        *("payment_due", "printable"),
    )
    list_select_related = ("customer", "username")
    list_filter = (StatusFilter, "issued_at", "username")
    search_fields = ("number", "customer__name", "customer__email")
    date_hierarchy = "issued_at"
    fields = (
        ("number", "status", "printable"),
        ("customer", "username"),
        ("issued_at", "due_on"),
        ("total", "discount", "vat"),
        ("payment", "payment_due"),
        ("void_at", "void_reason"),
    )
    readonly_fields = ("status", "printable")
    inlines = (LineInline, PaymentInline)
    actions = ("book_full_payment", "void")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_status()

    def get_urls(self) -> list:
        printing = self.admin_site.admin_view(self.print_view)
        return [
            path("<int:pk>/print/", printing, name="shopdb_invoice_print"),
            *super().get_urls(),
        ]

    @admin.display(ordering="status")
    def status(self, invoice: Invoice) -> str:
        return Invoice.Status(invoice.status).label

    @admin.display(description="printable invoice")
    def printable(self, invoice: Invoice) -> str:
        return format_html(
            '<a href="{}">Print</a>', reverse("admin:shopdb_invoice_print", args=[invoice.pk])
        )

    def print_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return show_invoice(request, pk=pk)

    @admin.action(description="Book the payment of all that is due", permissions=["book"])
    def book_full_payment(self, request: HttpRequest, invoices: QuerySet) -> None:
        unpaid = invoices.filter(void_at=None, payment_due__gt=0)
        self._each(
            request,
            unpaid,
            lambda invoice: record_payment(invoice, invoice.payment_due),
            "Booked the payment of {}.",
        )

    @admin.action(
        description="Void: goods return to stock, the invoice stays", permissions=["void"]
    )
    def void(self, request: HttpRequest, invoices: QuerySet) -> HttpResponse | None:
        form = VoidForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            return self._each(
                request,
                invoices,
                lambda invoice: void_invoice(invoice, reason),
                "Voided {}.",
            )
        context = {
            **self.admin_site.each_context(request),
            "title": "Void invoices",
            "opts": self.opts,
            "invoices": invoices.select_related("customer"),
            "form": form,
        }
        return TemplateResponse(request, "admin/shopdb/invoice/void.html", context)

    def _each(
        self,
        request: HttpRequest,
        invoices: QuerySet,
        book: Callable[[Invoice], Invoice],
        done: str,
    ) -> None:
        """Book each invoice by itself, and say how many could be and why others could not."""
        booked = 0
        for invoice in invoices:
            try:
                book(invoice)
            except BillingError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                booked += 1
        if booked or not invoices:  # otherwise the errors have said it all
            noun = "invoice" if booked == 1 else "invoices"
            self.message_user(request, done.format(f"{booked} {noun}"))

    def has_book_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shopdb.change_invoice")

    def has_void_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shopdb.delete_invoice")


@admin.register(InvoiceProduct)
class InvoiceProductAdmin(ReadOnly, admin.ModelAdmin):
    """Every line sold. That lines cannot be deleted also keeps sold products and their buyers."""

    list_display = ("invoice", "product", "customer", "qty", "sale_price", "line_total", "username")
    list_select_related = ("invoice", "product", "customer", "username")
    list_filter = ("username",)
    readonly_fields = ("line_total",)
    list_per_page = 50
    search_fields = ("invoice__number", "product__name", "customer__name")
    show_full_result_count = False


@admin.register(Payment)
class PaymentAdmin(ReadOnly, DatedAdmin):
    """Every payment and refund; they are booked on their invoice."""

    list_display = ("invoice", "amount", "method", "paid_at", "reason", "username")
    list_select_related = ("invoice", "username")
    list_filter = ("method", "paid_at", "username")
    search_fields = ("invoice__number", "reason")
    date_hierarchy = "paid_at"
