"""WSGI entry point, for any production server."""

import os
import re

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopdb.settings")
django_application = get_wsgi_application()


def application(environ, start_response):
    """Django, with two things that it leaves to the server and that gunicorn leaves to it.

    Every request is read as UTF-8: Django fails on a charset such as rot13, before any view could
    answer. And HEAD is answered without a body.
    """
    content_type = environ.get("CONTENT_TYPE") or ""
    environ["CONTENT_TYPE"] = re.sub(r";\s*charset=[^;]*", "", content_type, flags=re.IGNORECASE)
    response = django_application(environ, start_response)
    if environ["REQUEST_METHOD"] == "HEAD":
        response.close()
        return []
    return response
