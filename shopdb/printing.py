"""The printable invoice: a page for the owner, laid out for paper too."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from shopdb.models import Invoice


@never_cache
@login_required
def printable_invoice(request: HttpRequest, number: str) -> HttpResponse:
    """The signed-in owner's invoice of this number; 404 for everybody else's."""
    return show_invoice(request, username=request.user, number=number)


def show_invoice(request: HttpRequest, **which: Any) -> HttpResponse:
    """The page of the one invoice that `which` finds; the caller has checked who may see it."""
    found = Invoice.objects.with_status().select_related("customer", "username")
    invoice = get_object_or_404(found, **which)
    payments = invoice.payments.order_by("paid_at", "pk")
    context = {
        "invoice": invoice,
        "status": Invoice.Status(invoice.status),
        "seller": invoice.username,
        "customer": invoice.customer,
        "lines": invoice.invoice_products.select_related("product").order_by("pk"),
        "payments": payments,
        "has_reasons": any(payment.reason for payment in payments),
        "net": invoice.total - invoice.discount,
        "gross": invoice.total - invoice.discount + invoice.vat,
    }
    return render(request, "shopdb/invoice.html", context)
