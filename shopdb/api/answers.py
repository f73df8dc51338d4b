"""What goes out: JSON, and one shape for every error, whoever noticed it."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.csrf import csrf_failure as csrf_failure_page
from django.views.decorators.csrf import csrf_exempt

from shopdb import billing
from shopdb.api.bodies import MOST_FAULTS
from shopdb.api.serialize import json_default

# What could be booked at another time, or after something else.
CONFLICTS = (billing.NotEnoughStock, billing.PaymentToRefund, billing.VoidInvoice)
JSON_DUMPS = {"default": json_default, "check_circular": False}  # what we build holds no circles


class ApiError(Exception):
    """An answer other than success: an HTTP status, a code for programs, a sentence for people."""

    def __init__(self, status: int, code: str, message: str, fields: dict | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, fields or {}


def answer(data: Any, *, status: int = 200, location: str = "") -> JsonResponse:
    response = JsonResponse(
        data, safe=False, status=status, encoder=None, json_dumps_params=JSON_DUMPS
    )
    if location:
        response["Location"] = location
    return response


def answer_error(error: Exception) -> HttpResponse:
    """The one shape of every error: `{"error": {"code": …, "message": …, "fields": {…}}}`.

    Raises the error again if it is none that a client could cause.
    """
    match error:
        case ApiError():
            pass
        case ValidationError():
            fields = getattr(error, "error_dict", None)
            fields = dict(error) if fields else {}
            message = "Some fields cannot be taken." if fields else " ".join(error.messages)
            if len(fields) > MOST_FAULTS:
                fields = dict(list(fields.items())[:MOST_FAULTS])
                message += f" The first {MOST_FAULTS} are named."
            error = ApiError(400, "invalid", message, fields)
        case billing.UnknownInvoice():
            error = ApiError(404, "not_found", str(error))
        case billing.BillingError():
            status = 409 if isinstance(error, CONFLICTS) else 400
            error = ApiError(status, type(error).__name__, str(error))
        case RequestDataTooBig():
            error = ApiError(413, "too_large", "Send a smaller body: at most 2.5 MB.")
        case SuspiciousOperation():
            error = ApiError(400, "invalid", "Send fewer parameters.")
        case IntegrityError() | DataError():
            message = (
                "Someone changed this meanwhile, or sent two names that are one to this database "
                "(MariaDB ignores case and accents); read it and try again."
            )
            error = ApiError(409, "conflict", message)
        case OperationalError():  # locked for too long, a deadlock, or out of reach
            error = ApiError(503, "busy", "The database is busy; try again in a moment.")
        case _:
            raise error
    body = {"code": error.code, "message": error.message, "fields": error.fields}
    response = answer({"error": body}, status=error.status)
    if error.status == 503:
        response["Retry-After"] = "5"
    return response


@csrf_exempt  # whatever is sent here is not read, and a wrong address is the first thing to say
def no_such_address(request: HttpRequest, rest: str) -> HttpResponse:
    return answer_error(
        ApiError(404, "not_found", "Nothing is here; GET /api/ says what there is.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What CSRF_FAILURE_VIEW points at: the API's shape for the API, Django's page elsewhere."""
    if not request.path.startswith("/api/"):
        return csrf_failure_page(request, reason)
    message = f"{reason} Send the csrf_token of GET /api/login/ as the header X-CSRFToken."
    return answer_error(ApiError(403, "csrf", message))


def as_json_error(status: int) -> HttpResponse:
    """The answer where Django would show a page: to a wrong Host, or to our own failure."""
    if status >= 500:
        return answer_error(ApiError(status, "failure", "This went wrong here, not with you."))
    phrase = HTTPStatus(status).phrase
    return answer_error(ApiError(status, "invalid", f"{phrase}: the request cannot be read."))
