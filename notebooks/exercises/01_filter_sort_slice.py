"""Exercises of chapter 01: the tasks are in the notebook of the same name."""

from shopdb.models import Invoice, Product, User
from workbook import frame
from workbook.exercises import exercise, near_miss


@exercise(
    "1.1",
    stars=1,
    queries=1,
    ordered=True,
    hints=[
        "There is a method that keeps what fits, and one that throws it away.",
        "`exclude()` takes the same conditions as `filter()`; `order_by()` sorts what is left.",
        '`User.objects.exclude(username__icontains=…).order_by("username")`.',
    ],
)
def owners_without_ra():
    """`exclude()` is `WHERE NOT (…)`. `filter(~Q(username__icontains="ra"))` says the same
    (chapter 03). Without `order_by()` the database may give the rows in any order, today one,
    tomorrow another.
    """
    return User.objects.exclude(username__icontains="ra").order_by("username")


@near_miss(
    "1.1",
    "Those are the owners with “ra” in their name: `filter()` keeps, `exclude()` throws away.",
)
def _():
    return User.objects.filter(username__icontains="ra").order_by("username")


@near_miss("1.1", "A minus sign sorts from Z to A; the task asks for A to Z.")
def _():
    return User.objects.exclude(username__icontains="ra").order_by("-username")


@near_miss("1.1", "All owners, and in the right order, but those with “ra” are still among them.")
def _():
    return User.objects.order_by("username")


@exercise(
    "1.2",
    stars=2,
    queries=1,
    ordered=True,
    hints=[
        "Three steps: which products, in what order, how many of them.",
        "`order_by()` takes several fields: the second decides where the first is equal. A minus "
        "turns one of them around.",
        '`….order_by("-price", "name")[:5]`, after a filter on `username__username`.',
    ],
)
def saras_five_dearest():
    """The slice becomes `LIMIT 5`, so the database sorts all and sends five. Without the second
    field, products of equal price would come in any order, and the fifth place would be anybody's.

    `list(…)[:5]` on the whole QuerySet gives the same five, and fetches every product first.
    """
    return Product.objects.filter(username__username="sara").order_by("-price", "name")[:5]


@near_miss("1.2", "Those are the five cheapest: `-price`, with a minus, begins with the dearest.")
def _():
    return Product.objects.filter(username__username="sara").order_by("price", "name")[:5]


@near_miss("1.2", "Where prices are equal you sort names from Z to A: no minus before `name`.")
def _():
    return Product.objects.filter(username__username="sara").order_by("-price", "-name")[:5]


@near_miss("1.2", "You took the five dearest of the whole shop; Sara owns only some of them.")
def _():
    return Product.objects.order_by("-price", "name")[:5]


@near_miss("1.2", "Five begin at 0: `[1:6]` leaves out the dearest. `[:5]` is the first five.")
def _():
    return Product.objects.filter(username__username="sara").order_by("-price", "name")[1:6]


@near_miss(
    "1.2", "Two questions, one for Sara and one for her products: `username__username` joins them."
)
def _():
    sara = User.objects.get(username="sara")
    return sara.products.order_by("-price", "name")[:5]


@exercise(
    "1.3",
    stars=2,
    queries=1,
    hints=[
        "One QuerySet method takes a list of keys and gives a dict from key to object.",
        "It is `in_bulk()`. By default the keys are primary keys; `field_name=` changes that.",
        '`User.objects.in_bulk([…], field_name="username")`.',
    ],
)
def owners_by_username():
    """`in_bulk()` asks once, `WHERE username IN (…)`, and builds the dict for you. The field has to
    be unique, or two rows would want the same key. A name that nobody has is left out silently:
    `in_bulk()` never raises `DoesNotExist`.

    `{user.username: user for user in User.objects.filter(username__in=[…])}` is the same by hand.
    """
    return User.objects.in_bulk(["sara", "rahim", "nobody"], field_name="username")


@near_miss("1.3", 'The keys are primary keys now. `field_name="username"` makes them usernames.')
def _():
    return {owner.pk: owner for owner in User.objects.filter(username__in=["sara", "rahim"])}


@near_miss(
    "1.3", "The right owners, but as rows, not under their usernames: `in_bulk()` makes the dict."
)
def _():
    return User.objects.filter(username__in=["sara", "rahim", "nobody"])


@near_miss("1.3", "Without a list of keys, `in_bulk()` takes every row there is.")
def _():
    return User.objects.in_bulk(field_name="username")


@exercise(
    "1.4",
    stars=2,
    queries=1,
    ordered=True,
    columns=["name", "price", "stock"],
    hints=[
        "First the QuerySet: filter, order, slice. `frame()` turns it into a table at the end.",
        "`values()` with field names decides which columns there are.",
        '`frame(Product.objects.filter(…).order_by("name").values("name", …)[:10])`.',
    ],
)
def stock_list():
    """Naming the columns in `values()` fetches those three and no others, and sorting and slicing
    in the database brings ten rows over. `frame(…)[["name", "price", "stock"]].head(10)` looks the
    same, after fetching every column of every product.
    """
    products = Product.objects.filter(username__username="sara").order_by("name")
    return frame(products.values("name", "price", "stock")[:10])


@near_miss("1.4", "The last ten of the alphabet: no minus before `name` for A to Z.")
def _():
    products = Product.objects.filter(username__username="sara").order_by("-name")
    return frame(products.values("name", "price", "stock")[:10])


@near_miss("1.4", "`frame()` shows every field unless `values()` names the ones you want.")
def _():
    return frame(Product.objects.filter(username__username="sara").order_by("name")[:10])


@near_miss("1.4", "The right rows as a QuerySet: put `frame(…)` around it to make it a table.")
def _():
    products = Product.objects.filter(username__username="sara").order_by("name")
    return products.values("name", "price", "stock")[:10]


@near_miss("1.4", "That is everything Sara sells; the slice `[:10]` keeps the first ten.")
def _():
    products = Product.objects.filter(username__username="sara").order_by("name")
    return frame(products.values("name", "price", "stock"))


@exercise(
    "1.5",
    stars=3,
    queries=1,
    ordered=True,
    read=lambda products: [products[0].name, products[1].name, products[2].name],
    hints=[
        "Run the slow code and read its report: what does each `products[…]` ask?",
        "An index on a QuerySet that has not been read yet is a query of its own. A list has its "
        "rows already.",
        "Cut the QuerySet to three with a slice, then make it a list: `list(…[:3])`.",
    ],
)
def three_cheapest_read_by_index():
    """`products[0]` on a QuerySet that nobody has read asks for that one row, every time. A list
    has been read: its indexes cost nothing. The slice comes first, so only three rows travel.
    """
    products = Product.objects.filter(username__username="sara").order_by("price", "name")
    return list(products[:3])


@near_miss("1.5", "The slice is still a QuerySet that nobody has read: each index asks again.")
def _():
    return Product.objects.filter(username__username="sara").order_by("price", "name")[:3]


@near_miss(
    "1.5", "One query now, but it fetches all of Sara's products to show three: slice first."
)
def _():
    return list(Product.objects.filter(username__username="sara").order_by("price", "name"))


@near_miss("1.5", "Read from the wrong end: the cheapest come first when `price` has no minus.")
def _():
    return list(Product.objects.filter(username__username="sara").order_by("-price", "name")[:3])


@exercise(
    "1.6",
    stars=2,
    queries=1,
    hints=[
        "Which invoice is the latest is decided by `issued_at`, not by its number.",
        '`latest("field")` gives the one object with the largest value. Async methods have the '
        "same names with an `a` in front.",
        '`await Invoice.objects.alatest("issued_at")`.',
    ],
)
async def latest_invoice():
    """`alatest()` sorts by the field downwards and takes one row. `latest()` without `await` gives
    the same invoice; the async twin lets other work go on while the database thinks.

    `last()` would sort by primary key: the invoice typed in last, which may carry an older date.
    """
    return await Invoice.objects.alatest("issued_at")


@near_miss("1.6", "That is the first invoice ever: `earliest` looks at the other end.")
def _():
    return Invoice.objects.earliest("issued_at")


@near_miss("1.6", "`last()` goes by number: the invoice typed in last may carry an older date.")
def _():
    return Invoice.objects.last()


@near_miss("1.6", "That is the invoice with the largest total; latest goes by `issued_at`.")
def _():
    return Invoice.objects.order_by("-total", "-id").first()
