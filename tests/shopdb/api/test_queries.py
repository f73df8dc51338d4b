"""Lists speak the ORM's own words: every usual view of a table has its URL."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db.models import Avg, Count, Max, Min, Q, Sum

from shopdb.billing import to_cents
from shopdb.models import Product, User
from tests.shopdb.conftest import JsonClient, make_shop

# What the seed document shows, then the other usual views: URL and the same in the ORM.
PRODUCT_VIEWS = {
    "price__gt=500": lambda p: p.filter(price__gt=500),
    "price__lt=500": lambda p: p.filter(price__lt=500),
    "price__range=200,500": lambda p: p.filter(price__range=(200, 500)),
    "price__in=100,500": lambda p: p.filter(price__in=[100, 500]),
    "any.name__icontains=a&any.price__gt=500": lambda p: p.filter(
        Q(name__icontains="a") | Q(price__gt=500)
    ),
    "": lambda p: p.all(),
    "first=1": lambda p: [p.first()],
    "last=1": lambda p: [p.last()],
    "limit=2": lambda p: p.all()[:2],
    "limit=3&page=2": lambda p: p.all()[3:6],
    "order_by=name": lambda p: p.order_by("name"),
    "order_by=-name": lambda p: p.order_by("-name"),
    "order_by=category,-price": lambda p: p.order_by("category", "-price"),
    "order_by=price&last=2": lambda p: p.order_by("-price")[:2],
    "price=500": lambda p: p.filter(price=500),
    "price__gte=500": lambda p: p.filter(price__gte=500),
    "price__lte=500": lambda p: p.filter(price__lte=500),
    "name__contains=am": lambda p: p.filter(name__contains="am"),
    "name__icontains=AM": lambda p: p.filter(name__icontains="AM"),
    "name__startswith=S": lambda p: p.filter(name__startswith="S"),
    "name__endswith=r": lambda p: p.filter(name__endswith="r"),
    "name__in=Mug,Kettle": lambda p: p.filter(name__in=["Mug", "Kettle"]),
    "exclude.price__in=100,500": lambda p: p.exclude(price__in=[100, 500]),
    "exclude.name__icontains=a&exclude.price__gt=600": lambda p: p.exclude(
        name__icontains="a"
    ).exclude(price__gt=600),
    "category__name=Tea&price__lt=500": lambda p: p.filter(category__name="Tea", price__lt=500),
    "any.price=100&any.price=500&any2.name__startswith=K&any2.stock=50": lambda p: p.filter(
        Q(price=100) | Q(price=500), Q(name__startswith="K") | Q(stock=50)
    ),
    "created_at__date=2020-01-01": lambda p: p.filter(created_at__date="2020-01-01"),
    "created_at__lt=2020-01-01T00:00:00Z": lambda p: p.filter(created_at__year__lt=2020),
}
USER_VIEWS = {
    "username__icontains=ra": lambda u: u.filter(username__icontains="ra"),
    "exclude.username__icontains=ra": lambda u: u.exclude(username__icontains="ra"),
    "order_by=username": lambda u: u.order_by("username"),
    "order_by=-username": lambda u: u.order_by("-username"),
}


@pytest.mark.parametrize("query", PRODUCT_VIEWS)
def test_product_views_are_what_the_orm_gives(query, shop, stranger, api):
    own = Product.objects.filter(username=shop.owner).order_by("pk")
    expected = [product.pk for product in PRODUCT_VIEWS[query](own)]
    response = api.get(f"products/?{query}")
    assert response.status_code == 200, response.data
    ids = [row["id"] for row in response.data["results"]]
    assert ids == expected if "order_by" in query or "last" in query else sorted(ids) == expected


@pytest.mark.parametrize("query", USER_VIEWS)
def test_user_views_are_for_staff(query, shop, stranger):
    staff = User.objects.create_user("boss", email="boss@example.com", is_staff=True)
    expected = [user.username for user in USER_VIEWS[query](User.objects.order_by("pk"))]
    results = JsonClient(staff).get(f"users/?{query}").data["results"]
    assert [row["username"] for row in results] == expected
    own = JsonClient(stranger.owner).get(f"users/?{query}").data["results"]
    assert {row["username"] for row in own} <= {"sofia"}


def test_aggregates(shop, stranger, api):
    own = Product.objects.filter(username=shop.owner, price__gt=50)
    names = "count,price__max,price__min,price__avg,price__sum,stock__sum"
    expected = own.aggregate(
        Max("price"), Min("price"), Avg("price"), Sum("price"), Sum("stock"), count=Count("pk")
    )
    response = api.get(f"products/?price__gt=50&aggregate={names}")
    assert response.data["aggregate"] == {
        name: value if name in {"count", "stock__sum"} else str(to_cents(value))
        for name, value in expected.items()
    }
    empty = api.get("products/?price__gt=9999&aggregate=count,price__max")
    assert empty.data["aggregate"] == {"count": 0, "price__max": None}


def test_pages_cover_every_row_once_though_all_are_equal(shop, api):
    Product.objects.update(price=5)
    seen, address = [], "products/?order_by=price&limit=3"
    while address:
        data = api.get(address).data
        seen += [row["id"] for row in data["results"]]
        address = data["next"] and data["next"].removeprefix("/api/")
    assert seen == sorted(product.pk for product in shop.products)


def test_next_keeps_the_question(shop, api):
    following = api.get("products/?any.price=100&any.price=500&limit=1").data["next"]
    assert parse_qsl(urlsplit(following).query) == [
        *[("any.price", "100"), ("any.price", "500"), ("limit", "1"), ("page", "2")]
    ]


@pytest.mark.parametrize(
    ("query", "name", "hint"),
    [
        ("colour=red", "colour", "there are id, name, price"),
        ("name__regex=a", "name__regex", "there are exact, iexact"),
        ("username__password__startswith=p", "username__password__startswith", "There is no"),
        ("attributes__has_key=a", "attributes__has_key", "There is no"),
        ("price__gt=cheap", "price__gt", "must be a decimal number"),
        ("price__gt=NaN", "price__gt", "must be a decimal number"),
        ("price__gt=1e999999", "price__gt", "no more than 10 digits"),
        ("price__range=5", "price__range", "both ends"),
        ("id=" + "9" * 5000, "id", "whole number"),
        ("id=" + "9" * 30, "id", "whole number from"),
        ("id__in=" + ",".join("1" * 200), "id__in", "at most 100"),
        ("created_at__gt=yesterday", "created_at__gt", "2026-06-30"),
        ("created_at__gt=0001-01-01T00:00:00%2B23:00", "created_at__gt", "2026-06-30"),
        ("created_at__year=0", "created_at__year", "from 1 to 9999"),
        ("category__isnull=maybe", "category__isnull", "true or false"),
        ("order_by=password", "order_by", "There is no 'password'"),
        ("page=0", "page", "from 1"),
        (f"page={10**30}", "page", "whole number from"),
        ("limit=1001", "limit", "to 1000"),
        ("aggregate=price__median", "aggregate", "price__avg"),
        ("aggregate=name__max", "aggregate", "There is no 'name__max'"),
        ("either.name=a", "either.name", "exclude. or any."),
        ("name=" + "a" * 60_000, "name", "at most 1000"),
    ],
)
def test_a_wrong_question_names_the_parameter_and_what_there_is(query, name, hint, api):
    response = api.get(f"products/?{query}")
    assert response.status_code == 400
    error = response.data["error"]
    assert error["code"] == "invalid"
    assert hint in " ".join(error["fields"][name])


def test_too_many_conditions_are_refused(api):
    response = api.get("products/?" + "&".join(["price__gt=1"] * 51))
    assert (response.status_code, response.data["error"]["code"]) == (400, "invalid")
    assert api.get("products/?" + "&".join(["x=1"] * 2000)).status_code == 400


def test_the_index_says_what_lists_understand(db):
    index = JsonClient().get("").data
    assert "icontains" in index["products"]["filters"]["name"]
    assert "price" in index["products"]["writable"]
    everything = str(index)
    assert "password" not in everything
    assert "otp" not in everything


def test_two_shops_do_not_mix(shop):
    make_shop("other")
    assert len(JsonClient(shop.owner).get("products/").data["results"]) == 4
