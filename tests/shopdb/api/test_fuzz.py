"""Thousands of random requests, and never a 5xx."""

import re
from collections import Counter
from urllib.parse import quote

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopdb.api import views as api_module
from shopdb.models import User
from tests.seed import invariants
from tests.shopdb.conftest import JsonClient

EXAMPLES = 24  # each sends nine methods to twenty routes: about 4,000 requests
ROUTES = [str(url.pattern) for url in api_module.urlpatterns]
ANYWHERE = ROUTES[-1]
KEY = re.compile(r"<\w+:\w+>")
METHODS = ["GET", "GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "BREW", "DELETE"]
FIELDS = sorted(
    {name for resource in api_module.RESOURCES.values() for name in resource.fields}
    | {"password", "otp", "username", "lines", "amount", "vat_rate", "customer", "no", "pk", ""}
    | {"method", "paid_at", "reason", "id"}
)
LOOKUPS = sorted(
    {
        *("exact", "iexact", "contains", "icontains", "startswith", "endswith", "in", "range"),
        *("gt", "gte", "lt", "lte", "isnull", "date", "year", "month", "regex", "search", "", "x"),
    }
)
PREFIXES = ["", "", "exclude.", "any.", "any2.", "any.any.", "."]
SPECIAL = ["order_by", "page", "limit", "first", "last", "aggregate", "by", "from", "to", "as_of"]

numbers = st.one_of(
    st.integers(),
    st.integers(-3, 200),
    st.sampled_from([2**31, 2**31 - 1, 2**63, 2**63 - 1, -(2**63) - 1, 10**30, 10**400]),
    st.floats(),
)
texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            *("", "NaN", "Infinity", "-1", "1e999999", "1_0", "٣", "a\x00b", "%", "_", "\\", "'--"),
            *("2026-06-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-45"),
            *("1,2", ",", "5,a", "true", "-price", "price__max", "count,", "month", "9999-12-31"),
            *("x" * 2000, "9" * 5000, "\ud800", "১০", "-" * 50),
        ]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
names = st.one_of(st.sampled_from(FIELDS), st.text(max_size=5))


conditions = st.builds(
    lambda prefix, name, lookup: f"{prefix}{name}{lookup and '__'}{lookup}",
    *(st.sampled_from(PREFIXES), names, st.sampled_from(LOOKUPS)),
)
params = st.tuples(
    st.one_of(conditions, st.sampled_from(SPECIAL)), st.one_of(texts, numbers.map(str))
)
queries = st.lists(params, max_size=3).map(
    lambda pairs: "&".join("=".join(quote(t, errors="replace") for t in pair) for pair in pairs)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


headers = st.fixed_dictionaries(
    {},
    optional={
        "content_type": st.sampled_from(
            [
                *("application/json", "APPLICATION/JSON; charset=utf-16", "text/html", "", ";"),
                *("multipart/form-data", "multipart/form-data; boundary=", "application/json;;=;"),
                "application/x-www-form-urlencoded; charset=latin-1",
            ]
        ),
        "HTTP_HOST": st.sampled_from(["testserver", "evil.example", "[::1", "", "a b"]),
        "HTTP_X_CSRFTOKEN": st.sampled_from(["", "\xff", "x" * 5000]),
        "HTTP_ACCEPT": st.sampled_from(["text/html", "*/*;q=nan"]),
        "HTTP_X_FORWARDED_FOR": st.sampled_from(["", ",,,", "203.0.113.9", "\xff"]),
        "CONTENT_LENGTH": st.sampled_from(["", "-1", "abc", "0"]),
    },
)


def requests(shop, stranger):
    """A query, a key and, for every route, a body that is nearly right or anything at all."""
    rows = [shop.tea, shop.drinks, *shop.products, *shop.customers, *shop.invoices]
    rows += [stranger.tea, stranger.products[0], stranger.customers[0], stranger.invoices[0]]
    key = st.one_of(st.sampled_from([row.pk for row in rows]), scalars)
    text = st.one_of(st.text("ab c", min_size=1, max_size=6), scalars)
    money = st.one_of(st.sampled_from(["0", "0.01", 5, 19.99]), scalars)
    qty = st.one_of(st.just(1), scalars)
    line = st.fixed_dictionaries({"product": key, "qty": qty})
    attributes = st.dictionaries(texts, anything, max_size=2)
    nearly = {
        "categories": {"name": text, "parent": key},
        "products": {"name": text, "price": money, "unit": text, "category": key}
        | {"stock": qty, "attributes": attributes},
        "customers": {"name": text, "email": st.just("c@example.com"), "mobile": text},
        "invoices": {"customer": key, "lines": st.lists(line, max_size=2), "payment": money}
        | {"vat_rate": money, "issued_at": texts},
        "payments": {"amount": money},
        "refunds": {"amount": st.sampled_from(["-0.01", -10]), "reason": text, "method": text},
        "void": {"reason": text},
        "login": {"username": text, "password": text},
    }
    kinds = {kind: st.fixed_dictionaries(fields) for kind, fields in nearly.items()}
    kinds["products"] |= st.lists(kinds["products"], max_size=3)
    kinds = {kind: st.one_of(right, right, anything) for kind, right in kinds.items()}
    kinds["payments"] |= kinds.pop("refunds")
    keys = [str(row.pk) for row in rows] + [invoice.number for invoice in shop.invoices]
    pks = st.one_of(st.sampled_from(keys), numbers.map(str), texts)
    raw = st.one_of(st.none(), st.none(), st.none(), st.binary(max_size=20))
    usual = st.just({})
    extra = st.one_of(usual, usual, headers)
    return st.fixed_dictionaries(kinds), st.tuples(queries, queries), pks, raw, extra


def test_no_request_is_answered_by_a_failure(shop, stranger):
    staff = User.objects.create_user("boss", email="boss@example.com", is_staff=True)
    seen = Counter()

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(*requests(shop, stranger), st.booleans())
    def every_example_meets_the_same_shop(bodies, queries, pk, raw, extra, as_staff):
        with transaction.atomic():
            sender = JsonClient(staff if as_staff else shop.owner, raise_request_exception=False)
            for number, method in enumerate(METHODS):
                for route in ROUTES:
                    send(sender, method, route, pk, queries[number % 2], bodies, raw, extra)
            invariants.assert_payments_add_up()
            transaction.set_rollback(True)

    def send(sender, method, route, pk, query, bodies, raw, extra):
        path = quote(KEY.sub(lambda _: pk, route).replace(ANYWHERE, pk), errors="replace")
        kind = next((kind for kind in ("payments", "void") if kind in route), None)
        kind = kind or route.partition("/")[0]
        if kind in {"login", "logout"}:
            sender = JsonClient(raise_request_exception=False)
        response = sender(method, f"{path}?{query}", bodies.get(kind, {}), raw=raw, **extra)
        seen[response.status_code] += 1
        assert response.status_code < 500, (method, path, extra)
        if response.status_code >= 400 and method != "HEAD":
            assert response.data["error"].keys() == {"code", "message", "fields"}

    every_example_meets_the_same_shop()
    assert seen.total() > 3000
    # Random requests that were all refused at the door would prove nothing.
    assert min(seen[200], seen[400]) > 150, seen
    assert {201, 204, 401, 404, 405} <= seen.keys(), seen
