"""WSGI entry point, for any production server."""

import os
import re

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopdb.settings")
django_application = get_wsgi_application()


def application(environ, start_response):
    """Django, reading every request as UTF-8: it fails on a charset such as rot13, before any view
    could answer."""
    content_type = environ.get("CONTENT_TYPE") or ""
    environ["CONTENT_TYPE"] = re.sub(r";\s*charset=[^;]*", "", content_type, flags=re.IGNORECASE)
    return django_application(environ, start_response)
