"""URLs of the shop."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from shopdb.logins import guarded
from shopdb.printing import printable_invoice

urlpatterns = [
    path("", RedirectView.as_view(url="/api/")),
    path("api", csrf_exempt(RedirectView.as_view(url="/api/"))),
    path("admin/login/", guarded(admin.site.login)),
    path("admin/", admin.site.urls),
    path("login/", guarded(LoginView.as_view(template_name="shopdb/login.html")), name="login"),
    path("invoices/<slug:number>/", printable_invoice, name="printable_invoice"),
    path("api/", include("shopdb.api.views")),
]
