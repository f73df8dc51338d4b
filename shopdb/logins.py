"""The door: who may try a password now. Guessing gets nowhere, and costs nobody else their turn.

Checking one password takes half a second of a core, on purpose. So before any is checked:

1. An address with too many failures, whatever the names were, waits (LOGIN_FAILURES_PER_ADDRESS).
2. One name from one address has five tries: AXES_FAILURE_LIMIT, django-axes' own.
3. A process checks one password at a time, and spends a tenth of its time on wrong ones: guesses
   from a thousand addresses are refused like those from one. It is the clock's time that counts,
   not the processor's: on a busy machine the same guess takes more of it.

1 and 2 are counted in the database, for all processes; 3 in each process.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from ipaddress import ip_address, ip_network
from math import ceil
from threading import BoundedSemaphore, Lock
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse

from shopdb.api.answers import ApiError, answer_error
from shopdb.models import User

SHARE = 0.1  # of its time a process spends on wrong passwords ...
BURST = 0.5  # ... and so many seconds at once, before anybody waits
WAITING = BoundedSemaphore(2)  # who may wait for their turn: every one of them holds a thread
LONGEST_WAIT = 5.0
# Who is refused at once comes back at once, so a refusal takes a second: for as many at a time as
# leave threads for everybody else (gunicorn.conf.py). A server without threads never waits.
REFUSAL_TAKES = 1.0
BEING_REFUSED = BoundedSemaphore(8)
REMEMBERED = 60.0  # how long a process refuses a closed address without looking it up again


def client_address(request: HttpRequest) -> str | None:
    """The address that a request counts against; None where the server was not told any.

    That of the connection or, with TRUSTED_PROXIES, the one that the outermost of them reported.
    An IPv6 network counts as one address, since every household has 2⁶⁴ of its own.
    """
    reported = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < settings.TRUSTED_PROXIES <= len(reported):
        text = reported[-settings.TRUSTED_PROXIES].strip()
        text = text.partition(":")[0] if text.count(":") == 1 else text  # some proxies add a port
        if address := _readable(text):
            return address
    return _readable(request.META.get("REMOTE_ADDR", ""))


def _readable(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if address.version == 6:
        address = address.ipv4_mapped or ip_network((int(address), 64), strict=False)[0]
    return str(address)


class Budget:
    """Seconds to spend: there are at most `most`, and `per_second` come back. Who overspends waits
    until the debt is paid, which counts four times `most` and no more."""

    def __init__(self, most: float, per_second: float) -> None:
        self.most, self.per_second = most, per_second
        self._left, self._counted_at = most, time.monotonic()

    def left(self) -> float:
        now = time.monotonic()
        self._left = min(self.most, self._left + (now - self._counted_at) * self.per_second)
        self._counted_at = now
        return self._left

    def spend(self, seconds: float) -> None:
        self._left = max(self.left() - seconds, -4 * self.most)

    def wait(self, longest: float) -> float:
        """Wait until the debt is paid; or, if that takes longer, return at once how long."""
        seconds = max(0.0, -self.left()) / self.per_second
        if seconds > longest:
            return seconds
        time.sleep(seconds)
        return 0.0


wrong_passwords = Budget(BURST, SHARE)
closed_until: dict[str | None, float] = {}
_turn = Lock()


class ShopBackend(ModelBackend):
    """Django's own, which here keeps account of wrong passwords and is the same on every database:
    to MariaDB's collation, SARA and sára are sara."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        before = time.monotonic()
        user = super().authenticate(request, username, password, **kwargs)
        if user and username in {None, user.username}:
            return user
        wrong_passwords.spend(time.monotonic() - before)
        return None


class LoginAttempts(AxesDatabaseHandler):
    """django-axes' failures for a name from an address, and a limit for the address alone."""

    def is_locked(self, request: HttpRequest, credentials: dict | None = None) -> bool:
        return super().is_locked(request, credentials) or self._is_closed(request)

    def _is_closed(self, request: HttpRequest) -> bool:
        failures = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address, attempt_time__gte=get_cool_off_threshold(request)
        ).aggregate(sum=Sum("failures_since_start", default=0))["sum"]
        is_closed = failures >= settings.LOGIN_FAILURES_PER_ADDRESS
        if is_closed:
            closed_until[request.axes_ip_address] = time.monotonic() + REMEMBERED
        return is_closed


def guarded(login_view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that checks a password on POST, behind the limits of this module."""

    @wraps(login_view)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return login_view(request, *args, **kwargs)
        may_wait = request.META.get("wsgi.multithread", False)
        if _is_remembered_as_closed(client_address(request)):
            response = locked_out(request)
        else:
            with _a_turn(may_wait) as is_ours:
                longest = LONGEST_WAIT if may_wait else 0
                seconds = wrong_passwords.wait(longest) if is_ours else LONGEST_WAIT
                response = (
                    _busy(request, seconds) if seconds else login_view(request, *args, **kwargs)
                )
        if may_wait and response.status_code in {429, 503}:
            _rest()
        return response

    return view


def locked_out(request: HttpRequest, *axes: Any) -> HttpResponse:
    """The answer to too many failed logins; also what AXES_LOCKOUT_CALLABLE points at."""
    message = "Too many failed logins; wait a quarter of an hour and try again."
    return _refusal(request, 429, "locked_out", message)


def _busy(request: HttpRequest, seconds: float) -> HttpResponse:
    message = f"Too many logins at once; try again in {ceil(seconds)} seconds."
    response = _refusal(request, 503, "busy", message)
    response["Retry-After"] = str(ceil(seconds))
    return response


def _refusal(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return answer_error(ApiError(status, code, message))
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")


def _rest() -> None:
    if BEING_REFUSED.acquire(blocking=False):
        try:
            time.sleep(REFUSAL_TAKES)
        finally:
            BEING_REFUSED.release()


@contextmanager
def _a_turn(may_wait: bool) -> Iterator[bool]:
    """Whether this request is the one whose password this process checks now."""
    is_ours = _turn.acquire(blocking=False)
    if not is_ours and may_wait and WAITING.acquire(blocking=False):
        try:
            is_ours = _turn.acquire(timeout=LONGEST_WAIT)
        finally:
            WAITING.release()
    try:
        yield is_ours
    finally:
        if is_ours:
            _turn.release()


def _is_remembered_as_closed(address: str | None) -> bool:
    if closed_until.get(address, 0.0) > time.monotonic():
        return True
    closed_until.pop(address, None)
    return False
