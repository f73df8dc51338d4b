"""Exercises of chapter 01: the tasks are in the notebook of the same name."""

from shopdb.models import Customer, Invoice, Product, User
from workbook import frame
from workbook.exercises import also_right, exercise, near_miss, wrong_choices


@exercise(
    "1.1",
    stars=1,
    ordered=True,
    hints=[
        "One method keeps the rows that match, another leaves them out.",
        "`exclude()` takes the same conditions as `filter()`; `order_by()` sorts what is left.",
        '`User.objects.exclude(username__icontains=…).order_by("username")`.',
    ],
)
def owners_without_an_o():
    """`exclude()` is `WHERE NOT (…)`, and `filter(~Q(username__icontains="o"))` says the same
    (chapter 03). A username is unique, so this order is complete.
    """
    return User.objects.exclude(username__icontains="o").order_by("username")


@also_right("1.1")
def small_letters_only():
    return User.objects.exclude(username__contains="o").order_by("username")


@near_miss(
    "1.1",
    "Those are the owners with an “o”: `filter()` keeps the rows that match, `exclude()` leaves "
    "them out.",
)
def _():
    return User.objects.filter(username__icontains="o").order_by("username")


@near_miss("1.1", "A minus sign sorts from Z to A; the task asks for A to Z.")
def _():
    return User.objects.exclude(username__icontains="o").order_by("-username")


@near_miss("1.1", "All owners, and in the right order, but those with an “o” are still among them.")
def _():
    return User.objects.order_by("username")


@near_miss("1.1", "The right owners, sorted by first name: the task asks for the username.")
def _():
    return User.objects.exclude(username__icontains="o").order_by("first_name")


@exercise(
    "1.2",
    stars=2,
    queries=1,
    ordered=True,
    hints=[
        "Three steps: which products, in what order, how many of them.",
        "`order_by()` takes several fields: the second decides where the first is equal. A minus "
        "reverses the one it is in front of.",
        '`….order_by("-price", "-pk")[:5]`, after a filter on `username__username`.',
    ],
)
def saras_five_most_expensive():
    """The slice becomes `LIMIT 5`: the database sorts, and sends five rows. Without the second
    field, products of the same price would come in any order, and the fifth could be another one
    each time.

    `list(…)[:5]` gives the same five, but fetches all of Sara's products first.
    """
    return Product.objects.filter(username__username="sara").order_by("-price", "-pk")[:5]


@near_miss(
    "1.2", "Those are the five cheapest: `-price`, with a minus, puts the most expensive first."
)
def _():
    return Product.objects.filter(username__username="sara").order_by("price", "-pk")[:5]


@near_miss("1.2", "Where prices are equal, the lower id comes first here: `-pk` reverses that.")
def _():
    return Product.objects.filter(username__username="sara").order_by("-price", "pk")[:5]


@near_miss("1.2", "You took the five most expensive of the whole shop; Sara owns some of them.")
def _():
    return Product.objects.order_by("-price", "-pk")[:5]


@near_miss(
    "1.2", "A slice counts from 0: `[1:6]` leaves out the first product. `[:5]` is the first five."
)
def _():
    return Product.objects.filter(username__username="sara").order_by("-price", "-pk")[1:6]


@near_miss(
    "1.2",
    "Two queries, one for Sara and one for her products: `filter(username__username=…)` needs one.",
)
def _():
    sara = User.objects.get(username="sara")
    return sara.products.order_by("-price", "-pk")[:5]


@near_miss(
    "1.2",
    "Sara's `id` is 1 in this shop, but not in every shop. Her username is what the task names: "
    '`username__username="sara"`.',
    sign=r"username(_id)?=1\b",
)
def _():
    return Product.objects.filter(username=1).order_by("-price", "-pk")[:5]


@exercise(
    "1.3",
    stars=2,
    queries=1,
    columns=["sara", "rahim"],
    hints=[
        "One QuerySet method takes a list of keys and returns a dictionary from key to object.",
        "It is `in_bulk()`. The keys are primary keys, unless you say otherwise with `field_name=`.",
        '`User.objects.in_bulk([…], field_name="username")`.',
    ],
)
def owners_by_username():
    """`in_bulk()` runs one query, `WHERE username IN (…)`, and builds the dictionary for you. The
    field has to be unique, because two rows can't have the same key. A name that nobody has is left
    out: `in_bulk()` never raises `DoesNotExist`.

    `{user.username: user for user in User.objects.filter(username__in=[…])}` is the same by hand.
    """
    return User.objects.in_bulk(["sara", "rahim", "nobody"], field_name="username")


@near_miss("1.3", 'The keys are primary keys here. `field_name="username"` makes them usernames.')
def _():
    return {owner.pk: owner for owner in User.objects.filter(username__in=["sara", "rahim"])}


@near_miss(
    "1.3", "The right owners, but as rows: `in_bulk()` makes a dictionary from username to owner."
)
def _():
    return User.objects.filter(username__in=["sara", "rahim", "nobody"])


@near_miss("1.3", "Without a list of keys, `in_bulk()` takes every row there is.")
def _():
    return User.objects.in_bulk(field_name="username")


@near_miss("1.3", "The keys are first names here, and a first name isn't unique. Use `username`.")
def _():
    return {o.first_name: o for o in User.objects.filter(username__in=["sara", "rahim"])}


@near_miss("1.3", "The values are first names here: the task asks for the owners themselves.")
def _():
    owners = User.objects.filter(username__in=["sara", "rahim", "nobody"])
    return {owner.username: owner.first_name for owner in owners}


@exercise(
    "1.4",
    stars=2,
    queries=1,
    ordered=True,
    columns=["id", "issued_at", "total"],
    hints=[
        "First the QuerySet: sort, choose the columns, slice. `frame()` makes the DataFrame.",
        "`values()` with field names decides which columns there are.",
        '`frame(Invoice.objects.order_by(…, …).values("id", …)[:10])`.',
    ],
)
def ten_latest_invoices():
    """Naming the columns in `values()` fetches those three and no others, and the slice fetches ten
    rows. `frame(…)[["id", "issued_at", "total"]].head(10)` looks the same, after fetching every
    column of every invoice.
    """
    latest = Invoice.objects.order_by("-issued_at", "-pk")
    return frame(latest.values("id", "issued_at", "total")[:10])


@near_miss("1.4", "These are the ten oldest: `-issued_at`, with a minus, puts the latest first.")
def _():
    return frame(
        Invoice.objects.order_by("issued_at", "pk").values("id", "issued_at", "total")[:10]
    )


@near_miss("1.4", "`frame()` shows every field unless `values()` names the ones you want.")
def _():
    return frame(Invoice.objects.order_by("-issued_at", "-pk")[:10])


@near_miss("1.4", "The right rows as a QuerySet: `frame(…)` around it makes the DataFrame.")
def _():
    return Invoice.objects.order_by("-issued_at", "-pk").values("id", "issued_at", "total")[:10]


@near_miss("1.4", "These are all invoices; the slice `[:10]` keeps the first ten.")
def _():
    return frame(Invoice.objects.order_by("-issued_at", "-pk").values("id", "issued_at", "total"))


@near_miss("1.4", "Where `issued_at` is equal, the lower id comes first here: `-pk` reverses that.")
def _():
    return frame(
        Invoice.objects.order_by("-issued_at", "pk").values("id", "issued_at", "total")[:10]
    )


@exercise(
    "1.5",
    stars=3,
    queries=1,
    rows=3,
    ordered=True,
    read=lambda products: [products[0].name, products[1].name, products[2].name],
    hints=[
        "Run the slow code and read its report: which query does each `products[…]` run?",
        "An index on a QuerySet without rows is a query of its own. A list has its rows already.",
        "Take the first three with a slice, then make a list of them: `list(…[:3])`.",
    ],
)
def three_cheapest_read_by_index():
    """`products[0]` on a QuerySet without rows is a query for that one row, every time. A list has
    its rows, so an index costs nothing. The slice comes first, so only three rows are fetched;
    `list(products)[:3]` would fetch all of Sara's products to keep three.
    """
    products = Product.objects.filter(username__username="sara").order_by("price", "-pk")
    return list(products[:3])


@near_miss(
    "1.5",
    "A slice is still a QuerySet without rows: each index on it runs a query. Make it a list.",
)
def _():
    return Product.objects.filter(username__username="sara").order_by("price", "-pk")[:3]


@near_miss("1.5", "One query, but these are all of Sara's products: the slice `[:3]` is missing.")
def _():
    return list(Product.objects.filter(username__username="sara").order_by("price", "-pk"))


@near_miss("1.5", "These are the most expensive: without a minus, `price` starts at the cheapest.")
def _():
    return list(Product.objects.filter(username__username="sara").order_by("-price", "pk")[:3])


@near_miss("1.5", "Where prices are equal, the lower id comes first here: `-pk` reverses that.")
def _():
    return list(Product.objects.filter(username__username="sara").order_by("price", "pk")[:3])


@exercise(
    "1.6",
    stars=2,
    prediction=True,
    hints=[
        "An order is complete when no two rows can be equal in all of its keys.",
        "Which of these fields are unique? The class in `shopdb/models.py` says so, and Django "
        "knows it: each QuerySet has a property for that.",
        "Print `totally_ordered` of each.",
    ],
)
def orders_you_can_rely_on():
    """`c`, because an owner's email address is unique, and `e`, because it ends in the primary key.

    Two owners may sell a product of the same name for the same price, two customers may share an
    email address, and two invoices of the same amount may be issued in the same second. It doesn't
    have to happen today: an order is complete only if the database rules it out.
    """
    orders = {
        "a": Product.objects.order_by("name", "price"),
        "b": Customer.objects.order_by("email"),
        "c": User.objects.order_by("email"),
        "d": Invoice.objects.order_by("-issued_at", "-total"),
        "e": Invoice.objects.order_by("customer_id", "-pk"),
    }
    return [letter for letter, queryset in orders.items() if queryset.totally_ordered]


wrong_choices(
    "1.6",
    right="ce",
    why={
        "a": "Two owners may sell a product of the same name for the same price, so `a` isn't complete.",
        "b": "An email address is unique for owners, but not for customers, so `b` isn't complete.",
        "c": "The email address of an owner is unique, so `c` is complete.",
        "d": "Two invoices may have the same total and the same moment of issue, so `d` isn't complete.",
        "e": "`-pk` makes an order complete, whatever comes before it, so `e` is.",
    },
)
