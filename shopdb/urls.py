"""URLs of the shop."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from shopdb.logins import guarded

urlpatterns = [
    path("", RedirectView.as_view(url="/api/")),
    path("api", csrf_exempt(RedirectView.as_view(url="/api/"))),
    path("admin/login/", guarded(admin.site.login)),
    path("admin/", admin.site.urls),
    path("api/", include("shopdb.api.views")),
]
