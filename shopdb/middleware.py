"""Around every request: what it cost, and what holds for everything under /api/."""

import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from shopdb.api.answers import as_json_error

TRANSACTION_CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")


class ServerTimingMiddleware:
    """Add `Server-Timing: db;desc="3 queries";dur=1.8` (milliseconds in the database), which
    browsers draw in their network panel.

    Stands first in MIDDLEWARE, so that the queries for session and user are counted too. BEGIN,
    SAVEPOINT and their like are not: they ask nothing, and databases differ in when they send them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        durations = []

        def record(execute, sql, params, many, context):
            start = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                if not sql.startswith(TRANSACTION_CONTROL):
                    durations.append(time.perf_counter() - start)

        with connection.execute_wrapper(record):
            response = self.get_response(request)
        count = f"{len(durations)} {'query' if len(durations) == 1 else 'queries'}"
        response["Server-Timing"] = f'db;desc="{count}";dur={sum(durations) * 1000:.1f}'
        return response


class ApiMiddleware:
    """Under /api/ nothing is kept by a cache, and an error is JSON even where no view was reached.

    Our own failures stay Django's page while DEBUG is on: it shows where.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/api/"):
            return response
        status = response.status_code
        is_json = response.headers.get("Content-Type") == "application/json"
        if status >= 400 and not is_json and not (status >= 500 and settings.DEBUG):
            response = as_json_error(status)
        response["Cache-Control"] = "no-store"
        return response
