"""The door: who is refused, who still gets in, and whose word counts for an address."""

import threading
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import F
from django.test import Client, RequestFactory

from shopdb import logins
from shopdb.models import User
from tests.shopdb.conftest import JsonClient

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture
def account(db):
    User.objects.create_user("rahim", email="r@example.com", password="a long enough secret")
    return {"username": "rahim", "password": "a long enough secret"}


def guess(count: int, **headers) -> list[int]:
    """The answers to so many wrong passwords, each for another name."""
    sender = JsonClient()
    return [
        sender.post("login/", {"username": f"name {n}", "password": "x"}, **headers).status_code
        for n in range(count)
    ]


def refused(response) -> tuple[int, str]:
    return response.status_code, response.data["error"]["code"]


def test_an_address_that_guesses_many_names_waits(account):
    limit = settings.LOGIN_FAILURES_PER_ADDRESS
    assert guess(limit) == [401] * limit
    assert guess(3) == [429] * 3
    assert refused(JsonClient().post("login/", account)) == (429, "locked_out")
    page = Client().post("/admin/login/", account)
    assert (page.status_code, page["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert JsonClient().post("login/", account, **ELSEWHERE).status_code == 200

    logins.closed_until.clear()  # another process has to look it up
    assert guess(1) == [429]
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=16))
    logins.closed_until.clear()
    assert JsonClient().post("login/", account).status_code == 200


def test_trying_again_too_early_does_not_make_the_wait_longer(account):
    guess(settings.LOGIN_FAILURES_PER_ADDRESS)
    before = list(AccessAttempt.objects.order_by("pk").values())
    guess(5)
    logins.closed_until.clear()
    guess(5)
    assert list(AccessAttempt.objects.order_by("pk").values()) == before


def test_wrong_passwords_use_up_a_process_and_right_ones_do_not(account, monkeypatch):
    hashed = []  # Django hashes the password of a name that does not exist as well
    monkeypatch.setattr(User, "set_password", lambda self, password: hashed.append(password))
    budget = logins.Budget(most=1, per_second=1e-6)
    monkeypatch.setattr(logins, "wrong_passwords", budget)
    assert guess(1) == [401]
    assert 0 < budget.left() < 1
    assert len(hashed) == 1
    monkeypatch.setattr(budget, "wait", lambda longest: 12.3)
    busy = JsonClient().post("login/", account, **ELSEWHERE)
    assert (refused(busy), busy["Retry-After"]) == ((503, "busy"), "13")
    assert "in 13 seconds" in busy.data["error"]["message"]
    assert Client().post("/admin/login/", account).status_code == 503
    assert len(hashed) == 1, "who is refused costs no hashing"

    assert Client().get("/admin/login/").status_code == 200
    assert JsonClient().get("login/").status_code == 200


def test_a_right_password_is_free(account, monkeypatch):
    budget = logins.Budget(most=1, per_second=1)
    monkeypatch.setattr(logins, "wrong_passwords", budget)
    assert JsonClient().post("login/", account).status_code == 200
    assert budget.left() == 1


def test_the_budget_comes_back_with_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(logins.time, "monotonic", lambda: now[0])
    budget = logins.Budget(most=2, per_second=0.5)
    budget.spend(3)
    assert budget.left() == -1
    slept = []
    monkeypatch.setattr(logins.time, "sleep", slept.append)
    assert budget.wait(longest=2) == 0
    assert slept == [2.0]
    assert budget.wait(longest=1) == 2.0, "too long to wait for: so long it would take"
    assert slept == [2.0]
    now[0] += 4
    assert budget.left() == 1
    now[0] += 400
    assert budget.left() == 2
    budget.spend(1000)
    assert budget.left() == -8


THREADS = {"wsgi.multithread": True}  # what a server with threads tells


def test_one_password_at_a_time_two_wait_and_the_others_are_told_to_come_back(account, monkeypatch):
    monkeypatch.setattr(logins, "REFUSAL_TAKES", 0)
    monkeypatch.setattr(logins, "LONGEST_WAIT", 60)
    in_line = [threading.Thread(target=wait_for_a_turn) for _ in range(2)]
    with logins._a_turn(may_wait=False) as is_ours:
        assert is_ours
        assert refused(JsonClient().post("login/", account)) == (503, "busy")
        for thread in in_line:
            thread.start()
        while logins.WAITING.acquire(blocking=False):
            logins.WAITING.release()
        assert refused(JsonClient().post("login/", account, **THREADS)) == (503, "busy")
    for thread in in_line:
        thread.join()
    assert JsonClient().post("login/", account, **THREADS).status_code == 200


def wait_for_a_turn() -> None:
    with logins._a_turn(may_wait=True) as is_ours:
        assert is_ours


def test_a_refusal_takes_a_second_where_there_are_threads_to_spare(account, monkeypatch):
    slept = []
    monkeypatch.setattr(logins.time, "sleep", slept.append)
    logins.closed_until["127.0.0.1"] = logins.time.monotonic() + 100
    for headers in ({}, THREADS):
        assert JsonClient().post("login/", account, **headers).status_code == 429
    assert slept == [logins.REFUSAL_TAKES]
    monkeypatch.setattr(logins, "BEING_REFUSED", threading.BoundedSemaphore(1))
    logins.BEING_REFUSED.acquire()
    assert JsonClient().post("login/", account, **THREADS).status_code == 429
    assert slept == [logins.REFUSAL_TAKES]


def test_a_name_is_one_spelling_on_every_database(account):
    for name in ("RAHIM", "rahím", "rahim "):
        assert JsonClient().post("login/", account | {"username": name}).status_code == 401, name
    assert JsonClient().post("login/", account).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "connection", "forwarded", "address"),
    [
        (0, "192.0.2.1", "", "192.0.2.1"),
        (0, "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (1, "192.0.2.1", "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (2, "192.0.2.1", "10.0.0.1, 203.0.113.9, 192.0.2.2", "203.0.113.9"),
        (2, "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (1, "192.0.2.1", "", "192.0.2.1"),
        (1, "192.0.2.1", "203.0.113.9, nonsense", "192.0.2.1"),
        (1, "192.0.2.1", "203.0.113.9:50123", "203.0.113.9"),
        (1, "", "unknown", None),
        (0, "", "", None),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (0, "fe80::1%eth0", "", "fe80::"),
    ],
)
def test_the_clients_address(settings, proxies, connection, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=connection, **headers)
    assert logins.client_address(request) == address


def test_a_header_opens_no_door_unless_a_proxy_is_trusted(account, settings):
    settings.LOGIN_FAILURES_PER_ADDRESS = 3
    guess(3)
    behind = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert refused(JsonClient().post("login/", account, **behind)) == (429, "locked_out")
    settings.TRUSTED_PROXIES = 1
    assert JsonClient().post("login/", account, **behind).status_code == 200
