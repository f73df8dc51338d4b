"""The API as its users meet it: reading, writing, selling, paying, signing in, going wrong."""

import json
import re
from datetime import timedelta

import pytest
from django.db import DataError, OperationalError
from django.test import Client, RequestFactory

from shopdb.billing import record_payment
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Product, User
from shopdb.wsgi import application
from tests.shopdb.conftest import JsonClient

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


# --- Reading and writing rows ----------------------------------------------------------------


def test_a_product_reads_as_plain_json(shop, api):
    product = shop.products[2]
    data = api.get(f"products/{product.pk}/").data
    assert TIME.fullmatch(data.pop("created_at"))
    assert TIME.fullmatch(data.pop("updated_at"))
    assert data == {
        "id": product.pk,
        "name": "Mug",
        "price": "12.35",
        "unit": "piece",
        "stock": 95,
        "attributes": {},
        "category": shop.drinks.pk,
        "category__name": "Drinks",
    }


def test_insert_one_change_and_delete_it(shop, api):
    body = {
        "name": " Gaiwan ",
        "price": 19.99,
        "unit": "piece",
        "category": shop.tea.pk,
        "attributes": {"colour": "celadon", "sizes": [1.5, None]},
    }
    response = api.post("products/", body)
    assert response.status_code == 201
    row = response.data
    assert response["Location"] == f"/api/products/{row['id']}/"
    assert (row["name"], row["price"], row["stock"]) == ("Gaiwan", "19.99", 0)
    assert row["attributes"] == body["attributes"]
    product = Product.objects.get(pk=row["id"])
    assert product.username == shop.owner

    changed = api.patch(f"products/{row['id']}/", {"price": "20.5", "stock": 7})
    assert changed.status_code == 200
    assert (changed.data["price"], changed.data["stock"]) == ("20.50", 7)
    assert changed.data["updated_at"] > row["updated_at"]
    assert changed.data["name"] == "Gaiwan"

    assert api.delete(f"products/{row['id']}/").status_code == 204
    assert api.get(f"products/{row['id']}/").status_code == 404


def test_insert_many_or_none(shop, api):
    rows = [{"name": f"C{n}", "email": "c@example.com", "mobile": "1"} for n in range(50)]
    response = api.post("customers/", rows)
    assert response.status_code == 201
    assert [row["name"] for row in response.data["results"]] == [row["name"] for row in rows]
    rows[7] = {"name": "", "email": "nobody", "colour": "red"}
    rows[8] = "text"
    response = api.post("customers/", rows)
    assert response.status_code == 400
    assert response.data["error"]["fields"].keys() == {
        *("7.name", "7.email", "7.mobile", "7.colour", "8.row")
    }
    assert Customer.objects.filter(username=shop.owner).count() == 52


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"price": "-0.01"}, "price", "zero or more"),
        ({"price": "0.001"}, "price", "no more than 2 decimal"),
        ({"price": "NaN"}, "price", "decimal number"),
        ({"price": True}, "price", "amount"),
        ({"price": [5]}, "price", "amount"),
        ({"price": 10**30}, "price", "no more than 10 digits"),
        ({"price": 1e300}, "price", "no more than 10 digits"),
        ({"stock": -1}, "stock", "from 0"),
        ({"stock": 1.5}, "stock", "whole number"),
        ({"stock": 2**31}, "stock", "to 2147483647"),
        ({"name": None}, "name", "text"),
        ({"name": "  "}, "name", "blank"),
        ({"name": "x" * 101}, "name", "at most 100"),
        ({"attributes": []}, "attributes", "object"),
        ({"category": None}, "category", "whole number"),
        ({"category": 10**9}, "category", "There is no category 1000000000"),
        ({"category": 10**30}, "category", "whole number"),
        ({"id": 5}, "id", "cannot be written"),
        ({"username": 1}, "username", "cannot be written"),
    ],
)
def test_wrong_values_are_named(shop, api, body, field, says):
    product = shop.products[0]
    response = api.patch(f"products/{product.pk}/", body)
    assert response.status_code == 400
    assert says in " ".join(response.data["error"]["fields"][field])
    complete = {"name": "New", "price": "1", "unit": "g", "category": shop.tea.pk} | body
    response = api.post("products/", complete)
    assert (response.status_code, list(response.data["error"]["fields"])) == (400, [field])


def test_a_name_is_used_once_an_owner(shop, stranger, api):
    Category.objects.create(name="Elsewhere", username=stranger.owner)
    assert api.post("categories/", {"name": "Elsewhere"}).status_code == 201
    for response in (
        api.post("categories/", {"name": "Tea"}),
        api.post("categories/", [{"name": "New"}, {"name": "New"}]),
        api.patch(f"categories/{shop.drinks.pk}/", {"name": "Tea"}),
    ):
        assert response.status_code == 409
        assert "Taken" in response.data["error"]["fields"]["name"][0]
    same = api.patch(f"categories/{shop.drinks.pk}/", {"name": "Drinks", "parent": None})
    assert same.status_code == 200


def test_a_category_cannot_become_its_own_parent(shop, api):
    for parent in (shop.drinks.pk, shop.tea.pk):
        response = api.patch(f"categories/{shop.drinks.pk}/", {"parent": parent})
        assert response.status_code == 400
        assert "its own parent" in response.data["error"]["fields"]["parent"][0]
    assert api.patch(f"categories/{shop.tea.pk}/", {"parent": None}).status_code == 200


def test_what_was_sold_cannot_be_deleted(shop, api):
    for path in (
        f"products/{shop.products[0].pk}/",
        f"customers/{shop.customers[0].pk}/",
        f"categories/{shop.tea.pk}/",
        f"categories/{shop.drinks.pk}/",
    ):
        response = api.delete(path)
        assert (response.status_code, response.data["error"]["code"]) == (409, "in_use")
        assert api.get(path).status_code == 200
    assert "invoice products" in api.delete(f"products/{shop.products[0].pk}/").content.decode()
    assert InvoiceProduct.objects.count() == 4


# --- Invoices --------------------------------------------------------------------------------


def test_sell_pay_refund_and_void(shop, api):
    response = api.post(
        "invoices/",
        {
            "customer": shop.customers[0].pk,
            "lines": [{"product": shop.products[2].pk, "qty": 3}],
            "discount": "2.00",
            "vat_rate": 0.15,
            "payment": "0.30",
            "method": "card",
            "issued_at": "2024-06-30T20:00:00+02:00",
        },
    )
    assert response.status_code == 201, response.data
    assert response["Location"] == "/api/invoices/2024-0001/"
    invoice = response.data
    assert "id" not in invoice
    assert (invoice["number"], invoice["status"]) == ("2024-0001", "overdue")
    assert (invoice["issued_at"], invoice["due_on"]) == ("2024-06-30T18:00:00Z", "2024-07-30")
    assert (invoice["void_at"], invoice["void_reason"]) == (None, "")
    assert (invoice["total"], invoice["vat"], invoice["payment_due"]) == ("37.05", "5.26", "40.01")
    assert invoice["customer__name"] == "Åsa"
    assert invoice["lines"] == [
        {
            "product": shop.products[2].pk,
            "product__name": "Mug",
            "qty": 3,
            "sale_price": "12.35",
            "line_total": "37.05",
        }
    ]
    assert invoice["payments"] == [
        {"amount": "0.30", "method": "card", "paid_at": "2024-06-30T18:00:00Z", "reason": ""}
    ]
    address = "invoices/2024-0001/"
    assert api.get(address).data == invoice
    paid = api.post(f"{address}payments/", {"amount": "40.00"})
    assert (paid.status_code, paid.data["payment_due"]) == (201, "0.01")
    over = api.post(f"{address}payments/", {"amount": "0.02"})
    assert (over.status_code, over.data["error"]["code"]) == (400, "Overpayment")
    rest = api.post(
        f"{address}payments/",
        {"amount": "0.01", "method": "cash", "paid_at": "2024-07-01T00:00:00Z"},
    )
    assert (rest.data["status"], rest.data["payment_due"]) == ("paid", "0.00")

    reason = {"reason": "Goods returned"}
    early = api.post(f"{address}void/", reason)
    assert (early.status_code, early.data["error"]["code"]) == (409, "PaymentToRefund")
    silent = api.post(f"{address}payments/", {"amount": "-40.31"})
    assert (silent.status_code, silent.data["error"]["code"]) == (400, "ReasonRequired")
    back = api.post(f"{address}payments/", {"amount": "-40.31"} | reason)
    assert (back.data["payment"], back.data["payment_due"]) == ("0.00", "40.31")
    assert back.data["payments"][-1] | {"paid_at": ""} == {
        **{"amount": "-40.31", "method": "transfer", "paid_at": ""},
        **reason,
    }
    voided = api.post(f"{address}void/", reason)
    assert (voided.status_code, voided.data["status"]) == (200, "void")
    assert TIME.fullmatch(voided.data["void_at"])
    assert (voided.data["void_reason"], voided.data["lines"]) == (
        *("Goods returned", invoice["lines"]),
    )
    assert api.get(address).data == voided.data
    assert Product.objects.get(pk=shop.products[2].pk).stock == 95
    for path, body in [("void/", reason), ("payments/", {"amount": 1})]:
        again = api.post(f"{address}{path}", body)
        assert (again.status_code, again.data["error"]["code"]) == (409, "VoidInvoice")


def test_an_invoice_is_not_deleted_and_the_answer_says_what_to_do(shop, api):
    number = shop.invoices[0].number
    response = api.delete(f"invoices/{number}/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "POST /api/invoices/<number>/void/" in response.data["error"]["message"]
    assert Invoice.objects.filter(number=number).exists()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("void/", {}, "reason"),
        ("void/", {"reason": 5}, "reason"),
        ("void/", {"reason": "a", "by": "me"}, "by"),
        ("payments/", {"amount": "much"}, "amount"),
        ("payments/", {"amount": 1, "method": None}, "method"),
        ("payments/", {"amount": 1, "paid_at": "yesterday"}, "paid_at"),
        ("", {"due_on": "soon"}, "due_on"),
        ("", {"due_on": 20260630}, "due_on"),
    ],
)
def test_wrong_fields_of_an_invoice_are_named(shop, api, path, body, field):
    address = f"invoices/{shop.invoices[0].number}/{path}" if path else "invoices/"
    sale = {"customer": shop.customers[0].pk, "lines": []}
    response = api.post(address, body if path else sale | body)
    assert (response.status_code, list(response.data["error"]["fields"])) == (400, [field])


def test_invoices_are_found_by_number_status_and_due_date(shop, stranger, api):
    first, second = (invoice.number for invoice in shop.invoices)
    record_payment(shop.invoices[1], shop.invoices[1].payment_due)
    Invoice.objects.filter(pk=shop.invoices[0].pk).update(due_on="2024-06-30")

    def numbers(query):
        return [row["number"] for row in api.get(f"invoices/?{query}").data["results"]]

    assert numbers(f"number={first}") == [first]
    assert numbers("status=overdue") == [first]
    assert numbers("status__in=paid,void") == [second]
    assert numbers("exclude.status=paid") == [first]
    assert numbers("order_by=-number") == [second, first]
    assert numbers("due_on__lte=2024-06-30") == [first]
    assert numbers("due_on__year=2024") == [first]
    assert api.get("invoices/?status=overdue&aggregate=count").data["aggregate"] == {"count": 1}
    wrong = api.get("invoices/?status=late").data["error"]["fields"]["status"][0]
    assert "open, part-paid, paid, overdue, void" in wrong
    assert api.get("invoices/?id=1").status_code == 400


def test_lists_know_what_day_it_is(shop, api, monkeypatch):
    """What is kept from one request to the next must not outlive the day."""
    due_on = shop.invoices[0].due_on

    def status_on(day):
        monkeypatch.setattr("django.utils.timezone.localdate", lambda *args: day)
        return api.get(f"invoices/{shop.invoices[0].number}/").data["status"]

    late = due_on + timedelta(days=1)
    assert [status_on(day) for day in (due_on, late, due_on)] == [
        "part-paid",
        "overdue",
        "part-paid",
    ]


def test_a_list_of_invoices_brings_customers_and_lines(shop, stranger, api):
    results = api.get("invoices/?order_by=-total").data["results"]
    assert [row["customer__name"] for row in results] == ["Ravi", "Åsa"]
    assert [[line["qty"] for line in row["lines"]] for row in results] == [[1, 3], [1, 2]]


def test_sales_that_cannot_be(shop, api):
    customer, product = shop.customers[0].pk, shop.products[0].pk
    line = {"product": product, "qty": 1}
    for body, status, code in [
        ({"customer": customer, "lines": []}, 400, "EmptyInvoice"),
        ({"customer": customer, "lines": [line, line]}, 400, "DuplicateLine"),
        ({"customer": customer, "lines": [line | {"qty": 99}]}, 409, "NotEnoughStock"),
        ({"customer": customer, "lines": [line], "discount": 101}, 400, "DiscountAboveTotal"),
        ({"customer": customer, "lines": [line], "vat_rate": 15}, 400, "invalid"),
        ({"customer": customer, "lines": [line], "vat_rate": "1.5"}, 400, "InvalidAmount"),
        ({"customer": customer, "lines": [line], "total": 1}, 400, "invalid"),
        ({"customer": customer, "lines": [line], "due_on": "2020-01-01"}, 400, "InvalidDate"),
        (
            *({"customer": customer, "lines": [line], "issued_at": "9999-12-31T23:59:59Z"}, 400),
            "invalid",
        ),
        ({"customer": customer, "lines": [line | {"qty": 0}]}, 400, "invalid"),
        ({"customer": customer, "lines": [line | {"price": 1}]}, 400, "invalid"),
        ({"customer": customer, "lines": {}}, 400, "invalid"),
        ({"customer": customer, "lines": [{"product": 10**18, "qty": 1}]}, 400, "UnknownProduct"),
        ({"lines": [line]}, 400, "invalid"),
        ([], 400, "invalid"),
    ]:
        response = api.post("invoices/", body)
        assert (response.status_code, response.data["error"]["code"]) == (status, code), body
    assert Invoice.objects.filter(username=shop.owner).count() == 2
    patched = api.patch(f"invoices/{shop.invoices[0].number}/", {"total": 1})
    assert (patched.status_code, patched["Allow"]) == (405, "GET, HEAD, OPTIONS")


# --- Signing in ------------------------------------------------------------------------------


@pytest.fixture
def account(shop):
    shop.owner.set_password("a long enough secret")
    shop.owner.save()
    return {"username": "rahim", "password": "a long enough secret"}


def test_log_in_look_and_log_out(account):
    api = JsonClient(enforce_csrf_checks=True)
    assert api.get("me/").status_code == 401
    token = {"HTTP_X_CSRFTOKEN": api.get("login/").data["csrf_token"]}
    response = api.post("login/", account, **token)
    assert response.status_code == 200
    assert response.data["username"] == "rahim"
    assert not {"password", "otp"} & response.data.keys()
    me = api.get("me/").data
    assert me["email"] == "rahim@example.com"
    token = {"HTTP_X_CSRFTOKEN": me["csrf_token"]}
    assert api.post("customers/", {}, **token).status_code == 400
    assert api.post("logout/", **token).status_code == 204
    assert api.get("me/").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "login/"), ("POST", "logout/"), ("POST", "products/"), ("DELETE", "products/1/")],
)
def test_no_change_without_a_csrf_token(shop, method, path):
    response = JsonClient(shop.owner, enforce_csrf_checks=True)(method, path, {})
    assert (response.status_code, response.data["error"]["code"]) == (403, "csrf")


def test_a_form_elsewhere_gets_the_usual_csrf_page(db):
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {})
    assert (response.status_code, response["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_disabled_users_are_strangers(account, shop, api):
    User.objects.filter(pk=shop.owner.pk).update(is_active=False)
    assert api.get("me/").status_code == 401
    assert JsonClient().post("login/", account).status_code == 401


def test_guessing_is_stopped_and_others_still_get_in(account, stranger):
    stranger.owner.set_password("another secret")
    stranger.owner.save()
    api = JsonClient()
    for _ in range(4):
        wrong = api.post("login/", account | {"password": "guess"})
        assert (wrong.status_code, wrong.data["error"]["code"]) == (401, "wrong_login")
    assert api.post("login/", account | {"password": "guess"}).status_code == 429
    locked = api.post("login/", account)
    assert (locked.status_code, locked.data["error"]["code"]) == (429, "locked_out")
    other = {"username": "sofia", "password": "another secret"}
    assert JsonClient().post("login/", other).status_code == 200
    page = Client().post("/admin/login/", account)
    assert (page.status_code, b"wait" in page.content) == (429, True)


@pytest.mark.parametrize("body", [{}, {"username": "rahim"}, {"username": [], "password": 1}, 5])
def test_a_login_needs_both_as_text(db, body):
    assert JsonClient().post("login/", body).status_code == 400


# --- Going wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe\xff", 400, "not JSON"),
        (b'{"name": "\\ud800"}', 400, "not JSON"),
        (b'{"name": "a\\u0000b"}', 400, "NUL"),
        (b'{"price": NaN}', 400, "finite"),
        (b'{"price": 1e999}', 400, "finite"),
        (b'{"price": ' + b"9" * 5000 + b"}", 400, "not JSON"),
        (b"[" * 100_000, 400, "Nest"),
        (b'{"attributes": ' + b'{"a":' * 30 + b"1" + b"}" * 31, 400, "Nest"),
        (b'{"name": "' + b"x" * 10_000_000 + b'"}', 413, "smaller"),
        (b"null", 400, "object"),
        (b'"text"', 400, "object"),
        (b"[]", 400, "from 1 to 1000"),
        (b"[" + b"{}," * 1000 + b"{}]", 400, "from 1 to 1000"),
    ],
)
def test_broken_bodies(api, raw, status, says):
    response = api("POST", "products/", raw=raw)
    assert response.status_code == status
    assert says in response.data["error"]["message"]
    assert response.data["error"].keys() == {"code", "message", "fields"}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/xml",
    ],
)
def test_only_json_is_read(api, content_type):
    for raw in (b"{}", b"a=1&" * 3_000_000):
        response = api("POST", "products/", raw=raw, content_type=content_type)
        assert (response.status_code, response.data["error"]["code"]) == (415, "content_type")


@pytest.mark.parametrize("charset", ["utf-16", "rot13", "nonsense", "utf-8"])
def test_a_claimed_charset_changes_nothing(db, charset):
    environ = RequestFactory().get("/api/?a=%C3%A9").environ
    environ["CONTENT_TYPE"] = f"application/json; Charset={charset}"
    statuses = []
    list(application(environ, lambda status, headers: statuses.append(status)))
    assert statuses == ["200 OK"]


@pytest.mark.parametrize("path", ["products/x/", "nothing/", "login/", ""])
def test_a_form_without_a_boundary_gets_the_same_shape(path):
    api = JsonClient(enforce_csrf_checks=True)
    response = api("POST", path, raw=b"x", content_type="multipart/form-data")
    assert response.status_code in {404, 405, 415}
    assert response.data["error"].keys() == {"code", "message", "fields"}


def test_a_wrong_address_is_wrong_for_those_without_a_token_too(shop):
    for method in ("POST", "PUT", "DELETE", "BREW"):
        response = JsonClient(shop.owner, enforce_csrf_checks=True)(method, "nothing/", {})
        assert (response.status_code, response.data["error"]["code"]) == (404, "not_found")
    assert Client(enforce_csrf_checks=True).post("/api")["Location"] == "/api/"


def test_a_wrong_host_gets_the_same_shape(db):
    response = JsonClient().get("products/", HTTP_HOST="evil.example")
    assert (response.status_code, response.data["error"]["code"]) == (400, "invalid")
    page = Client().get("/admin/login/", HTTP_HOST="evil.example")
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_our_own_failure_gets_the_same_shape_and_tells_nothing(shop, monkeypatch):
    def fail(*_):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("shopdb.reports.stock", fail)
    response = JsonClient(shop.owner, raise_request_exception=False).get("reports/stock/")
    assert (response.status_code, response.data["error"]["code"]) == (500, "failure")
    assert b"secret" not in response.content


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(OperationalError("database is locked"), 503, "busy"), (DataError("?"), 409, "conflict")],
)
def test_what_the_database_refuses(shop, api, monkeypatch, error, status, code):
    def fail(*_):
        raise error

    monkeypatch.setattr("shopdb.reports.stock", fail)
    response = api.get("reports/stock/")
    assert (response.status_code, response.data["error"]["code"]) == (status, code)
    assert ("Retry-After" in response) == (status == 503)


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"reports/receivables/?as_of={day}"
            for day in ("0001-01-01", "0001-03-30", "9999-12-31")
        ),
        *("reports/sales/?from=0001-01-01", "reports/sales/?to=9999-12-31"),
    ],
)
def test_days_that_cannot_be_counted_from_are_named(api, path):
    response = api.get(path)
    assert response.status_code == 400
    assert "a year from 1000 to 9998" in str(response.data["error"]["fields"])
    for day in ("1000-01-01", "9998-12-31"):
        assert api.get(f"{path.partition('=')[0]}={day}").status_code == 200


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1899-12-31", "9999-12-31T23:59:59Z"])
def test_a_sale_is_of_our_time(shop, api, moment):
    line = {"product": shop.products[0].pk, "qty": 1}
    body = {"customer": shop.customers[0].pk, "lines": [line], "issued_at": moment}
    response = api.post("invoices/", body)
    assert list(response.data["error"]["fields"]) == ["issued_at"]


def test_twenty_faults_are_named_and_no_more(shop, api):
    many = {f"key {n}": n for n in range(100_000)}
    bodies = [many, [{}] * 1000, [many], [[]] * 50]
    answers = [api.post("products/", body) for body in bodies]
    answers.append(api.get("reports/stock/?" + "&".join(f"a{n}" for n in range(900))))
    for response in answers:
        error = response.data["error"]
        assert (response.status_code, len(error["fields"])) == (400, 20)
        assert error["message"].endswith("The first 20 are named.")
        assert len(response.content) < 20_000
    assert len(api.post("products/", {"a": 1}).data["error"]["fields"]) == 5


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_texts_and_json_have_64_kb(shop, api, size):
    fits = size == 65_536
    text = "é" * (size // 2) + "x" * (size % 2)
    response = api.patch(f"categories/{shop.tea.pk}/", {"description": text})
    assert response.status_code == (200 if fits else 400)
    attributes = {"a": "x" * (size - len('{"a": ""}'))}
    response = api.patch(f"products/{shop.products[0].pk}/", {"attributes": attributes})
    assert response.status_code == (200 if fits else 400)
    if not fits:
        assert "65,536 bytes" in response.data["error"]["fields"]["attributes"][0]


def test_no_answer_is_kept_by_a_cache(shop, api, db):
    for response in (api.get("products/"), api.get("nothing/"), JsonClient().get("login/")):
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/", "/api/products/", "/api/nothing/", "/admin/login/", "/"])
def test_head_has_the_headers_of_get_and_no_body(db, path):
    answers = {}
    for method in ("GET", "HEAD"):
        environ = RequestFactory().generic(method, path).environ

        def note(status, headers, method=method):
            answers[method] = status, {name for name, _ in headers} - {"Set-Cookie"}

        body = b"".join(application(environ, note))
        assert (body == b"") == (method == "HEAD" or path == "/")
    assert answers["HEAD"] == answers["GET"]


def test_methods(api):
    assert api("HEAD", "products/").status_code == 200
    options = api("OPTIONS", "products/")
    assert (options.status_code, options["Allow"]) == (204, "GET, POST, HEAD, OPTIONS")
    response = api("PUT", "products/", {})
    assert (response.status_code, response["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    assert response.data["error"]["code"] == "method"


def test_addresses_that_are_not_there(api):
    unknown = ["nothing/", "products/x/", f"products/{10**30}/", f"products/{'9' * 5000}/", "a%0Ab"]
    for path in unknown:
        response = api.get(path)
        assert (response.status_code, response.data["error"]["code"]) == (404, "not_found"), path


def test_nul_in_a_question(api):
    assert api.get("products/?name=a%00b").status_code == 400
    assert api.get("login/?a%00=b").status_code == 400


def test_every_answer_says_what_it_cost(api, db):
    timing = api.get("products/")["Server-Timing"]
    assert re.fullmatch(r'db;desc="3 queries";dur=\d+\.\d', timing)
    assert api.get("nothing/")["Server-Timing"].startswith('db;desc="0 queries"')
    assert "db;desc=" in Client().get("/admin/login/")["Server-Timing"]


def test_json_is_utf8_text(shop, api):
    body = json.dumps({"name": "চা", "email": "c@example.com", "mobile": "1"}, ensure_ascii=False)
    response = api("POST", "customers/", raw=body.encode())
    assert response.data["name"] == "চা"


def test_the_bare_address_leads_to_what_there_is(client):
    response = client.get("/", follow=True)
    assert response.redirect_chain == [("/api/", 302)]
    assert "invoices" in response.json()
