"""URLs of the shop."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.views.generic import RedirectView

from shopdb.printing import printable_invoice

urlpatterns = [
    path("", RedirectView.as_view(url="/api/")),
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(template_name="shopdb/login.html"), name="login"),
    path("invoices/<slug:number>/", printable_invoice, name="printable_invoice"),
    path("api/", include("shopdb.api.views")),
]
