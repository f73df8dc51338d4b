"""Exercises of chapter 16: the tasks are in the notebook of the same name."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Case, F, Value, When
from django.utils import timezone

from shopdb.models import Category, Customer, InvoiceProduct, Product, User
from workbook.exercises import exercise, near_miss, wrong_choices

# Whether a row was written by the answer: nothing in either shop is from after that day.
WRITTEN = Case(
    When(updated_at__gt=datetime(2026, 7, 1, tzinfo=UTC), then=Value("now")),
    default=Value("before"),
)

# The sign of a near miss whose sentence follows from what the database holds, whatever the SQL:
# SQL that holds the time of day is never the same twice.
ANY = "."


@exercise(
    "16.1",
    stars=1,
    prediction=True,
    hints=[
        "`auto_now` is filled when a field prepares its value for a `save()` or an `INSERT`.",
        "Which of the calls save an object? And which fields does that `save()` write?",
        "Two of the five calls.",
    ],
)
def which_calls_move_updated_at():
    """`a` and `e`. `save()` writes every field; `update_or_create()` saves an object and adds the
    fields that fill themselves. `update_fields` means these fields and no others; `update()` and
    `bulk_update()` save no object.
    """
    pk = Product.objects.order_by("pk")[0].pk
    products = Product.objects.filter(pk=pk)
    calls = {
        "a": lambda product: product.save(),
        "b": lambda product: product.save(update_fields=["price"]),
        "c": lambda product: products.update(price=5),
        "d": lambda product: Product.objects.bulk_update([product], ["price"]),
        "e": lambda product: Product.objects.update_or_create(pk=product.pk, defaults={"price": 5}),
    }
    moved = []
    for letter, call in calls.items():
        products.update(updated_at=datetime(2020, 1, 1, tzinfo=UTC))
        product = products.get()
        product.price = 5
        call(product)
        if products.get().updated_at.year > 2020:
            moved.append(letter)
    return moved


wrong_choices(
    "16.1",
    right="ae",
    why={
        "a": "`a` writes every field, and `auto_now` is filled on the way.",
        "b": "`b` writes the price and nothing else: `updated_at` has to be listed, too.",
        "c": "`c` saves no object, so no field prepares its value.",
        "d": "`d` is an `UPDATE` of the fields that it is given.",
        "e": "`e` calls `save()`, and adds the fields that fill themselves.",
    },
)


@exercise(
    "16.2",
    stars=1,
    leaves=lambda: Category.objects.values_list(
        "name", "description", "parent__name", "username__username"
    ),
    hints=[
        "For each of the three names: find it among Sara's categories, or create it.",
        "What identifies the category is outside of `defaults`, what only a new one gets is inside.",
        '`Category.objects.get_or_create(name=name, username=sara, defaults={"description": …})`.',
    ],
)
def three_categories():
    """The name and the owner search; both are in the unique constraint, so two requests at the
    same moment cannot create a category twice. `defaults` is for the new ones only.
    """
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.get_or_create(name=name, username=sara, defaults={"description": "New"})


@near_miss(
    "16.2",
    "Sara's existing category got the new description, too. `update_or_create()` changes "
    "what it finds; `get_or_create()` leaves it as it is.",
    sign=ANY,
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.update_or_create(name=name, username=sara, defaults={"description": "New"})


@near_miss(
    "16.2",
    "Sara's existing category got the new description and lost its parent. "
    "`update_or_create()` changes what it finds; `get_or_create()` leaves it as it is.",
    sign=ANY,
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.update_or_create(
            name=name, username=sara, defaults={"description": "New", "parent": None}
        )


@near_miss(
    "16.2",
    "The parent is part of the search here, so Sara's own category was not found, and a second one "
    "of that name was refused. A new category has no parent anyway.",
    sign=r"get_or_create\([^)]*parent",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.get_or_create(
            name=name, username=sara, parent=None, defaults={"description": "New"}
        )


@near_miss(
    "16.2",
    "The description is part of the search here, so Sara's own category was not found, and a second "
    "one of that name was refused. Put it into `defaults`.",
    sign=r"get_or_create\([^)]*description\s*=",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.get_or_create(name=name, username=sara, description="New")


@near_miss(
    "16.2",
    "Sara has one of these categories, so it cannot be inserted again: create only what is missing.",
    sign=r"\.create\(|bulk_create\(|\.save\(",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.create(name=name, username=sara, description="New")


@near_miss("16.2", 'The new categories have no description: it is to be `"New"`.', sign=ANY)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.get_or_create(name=name, username=sara)


@near_miss(
    "16.2",
    "Another owner has a category of that name, so none was created for Sara: look for hers only.",
    sign=r"filter\(|\.get\(\s*name",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        if not Category.objects.filter(name=name).exists():
            Category.objects.create(name=name, username=sara, description="New")


@near_miss(
    "16.2",
    "Other owners have categories of these names, and one of theirs was found: the owner belongs to "
    "the search, not to `defaults`.",
    sign="get_or_create",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.get_or_create(name=name, defaults={"description": "New", "username": sara})


@near_miss("16.2", "The new categories have a parent: they are to have none.", sign=ANY)
def _():
    sara = User.objects.get(username="sara")
    coffee = Category.objects.get(name="Coffee", username=sara)
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.get_or_create(
            name=name, username=sara, defaults={"description": "New", "parent": coffee}
        )


@near_miss(
    "16.2",
    "Other owners have categories of these names: look for Sara's only, by name and owner.",
    sign=r"\.get\(\s*name",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Beans", "Gifts", "Filters"):
        try:
            Category.objects.get(name=name)
        except Category.DoesNotExist:
            Category.objects.create(name=name, username=sara, description="New")


@near_miss(
    "16.2",
    "Other owners have categories of these names: look for Sara's only, by name and owner.",
    sign=r"\.get\(\s*name",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("Gifts", "Filters"):
        try:
            Category.objects.get(name=name)
        except Category.DoesNotExist:
            Category.objects.create(name=name, username=sara, description="New")


_DELETED = (
    "Categories of Sara's were deleted first, and with them their products and the lines of these. "
    "Leave what is there as it is, and create only what is missing."
)


@near_miss("16.2", _DELETED, sign=r"\.delete\(")
def _():
    sara = User.objects.get(username="sara")
    Category.objects.filter(username=sara).delete()
    for name in ("Beans", "Gifts", "Filters"):
        Category.objects.create(name=name, username=sara, description="New")


@near_miss("16.2", _DELETED, sign=r"\.delete\(")
def _():
    sara = User.objects.get(username="sara")
    names = ("Beans", "Gifts", "Filters")
    Category.objects.filter(username=sara, name__in=names).delete()
    for name in names:
        Category.objects.create(name=name, username=sara, description="New")


@near_miss(
    "16.2", "The names begin with a capital letter: `Beans`, `Gifts` and `Filters`.", sign=ANY
)
def _():
    sara = User.objects.get(username="sara")
    for name in ("beans", "gifts", "filters"):
        Category.objects.get_or_create(name=name, username=sara, defaults={"description": "New"})


@exercise(
    "16.3",
    stars=2,
    leaves=lambda: Product.objects.values_list(
        "name", "price", "unit", "stock", "attributes", "category__name", "username__username"
    ),
    hints=[
        "Which attribute decides whether `save()` inserts or updates?",
        "Fetch the press, take its key away (`pk = None`), change name and price, and save.",
        "`press.pk = None; press._state.adding = True; press.name = …; press.save()`.",
    ],
)
def steel_press():
    """Everything comes along that you don't change. The name has to change before `save()`: an
    owner has one product of a name.
    """
    press = Product.objects.get(name="French press", username__username="sara")
    press.pk = None
    press._state.adding = True
    press.name = "French press, steel"
    press.price = Decimal("39.00")
    press.save()


@near_miss(
    "16.3",
    "The original has changed, and there is no copy: with its key, `save()` is an `UPDATE`.",
    sign=ANY,
)
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    press.name = "French press, steel"
    press.price = Decimal("39.00")
    press.save()


@near_miss(
    "16.3",
    "An owner has one product of a name: change the name before you save, not after.",
    sign=ANY,
)
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    press.pk = None
    press.save()
    press.name = "French press, steel"
    press.price = Decimal("39.00")
    press.save()


@near_miss("16.3", "Nothing was written: call `save()` at the end.", sign=r"pk\s*=\s*None")
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    press.pk = None
    press.name = "French press, steel"


@near_miss("16.3", "That is a copy of another owner's press, and belongs to that owner.", sign=ANY)
def _():
    press = Product.objects.filter(name="French press").exclude(username__username="sara")[0]
    press.pk = None
    press.name = "French press, steel"
    press.price = Decimal("39.00")
    press.save()


@near_miss(
    "16.3", "The copy lacks what you did not list: `unit`, `stock` and `attributes`.", sign=ANY
)
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    Product.objects.create(
        name="French press, steel",
        price=Decimal("39.00"),
        category=press.category,
        username=press.username,
    )


@near_miss("16.3", "The copy has the old price: 39.00 is wanted.", sign=ANY)
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    press.pk = None
    press.name = "French press, steel"
    press.save()


@near_miss(
    "16.3",
    "The copy lacks what you did not list: its `stock` and its `attributes` are the defaults.",
    sign=ANY,
)
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    Product.objects.create(
        name="French press, steel",
        price=Decimal("39.00"),
        unit=press.unit,
        category=press.category,
        username=press.username,
    )


@near_miss(
    "16.3",
    "`update_fields` and `force_update` make it an `UPDATE`, and an `UPDATE` needs a key. A copy is "
    "inserted: call `save()` without them.",
    sign="update_fields|force_update",
)
def _():
    press = Product.objects.get(name="French press", username__username="sara")
    press.pk = None
    press.name = "French press, steel"
    press.price = Decimal("39.00")
    press.save(update_fields=["name", "price"])


@exercise(
    "16.4",
    stars=2,
    queries=1,
    equivalent={
        "when `unit` contains `'piece'` in any letter case": "no other unit has that word",
    },
    leaves=lambda: Product.objects.annotate(updated=WRITTEN).values(
        "name", "username__username", "unit", "price", "updated"
    ),
    hints=[
        "One query for many rows is `update()`. What does it skip?",
        "`auto_now` is not filled by `update()`, but you can set the field like any other.",
        '`….update(unit="pcs", updated_at=timezone.now())`.',
    ],
)
def pieces():
    """`update()` saves no object, so nobody fills `updated_at` for you: it is one more column to
    set. `Now()` from `django.db.models.functions` takes the clock of the database.
    """
    Product.objects.filter(username__username="sara", unit="piece").update(
        unit="pcs", updated_at=timezone.now()
    )


@near_miss(
    "16.4",
    "`updated_at` keeps its old value: `update()`, `bulk_update()` and `save(update_fields=…)` write it "
    "only if you name it.",
    sign=ANY,
)
def _():
    Product.objects.filter(username__username="sara", unit="piece").update(unit="pcs")


@near_miss("16.4", "Other owners' products have changed as well.", sign=ANY)
def _():
    Product.objects.filter(unit="piece").update(unit="pcs", updated_at=timezone.now())


@near_miss("16.4", "All of Sara's products have changed, whatever their unit was.", sign=ANY)
def _():
    Product.objects.filter(username__username="sara").update(unit="pcs", updated_at=timezone.now())


@near_miss(
    "16.4",
    "Other owners' products have changed as well, and `updated_at` has not: `update()` skips it.",
    sign=ANY,
)
def _():
    Product.objects.filter(unit="piece").update(unit="pcs")


@near_miss(
    "16.4",
    "Right rows, but `bulk_update()` needs the objects, which takes a query of its own: "
    "`update()` needs none of them.",
    sign="bulk_update",
)
def _():
    products = list(Product.objects.filter(username__username="sara", unit="piece"))
    for product in products:
        product.unit, product.updated_at = "pcs", timezone.now()
    Product.objects.bulk_update(products, ["unit", "updated_at"])


@near_miss(
    "16.4",
    "Right rows, but a query for each of them: `update()` does it with one.",
    sign=r"\.save\(",
)
def _():
    for product in Product.objects.filter(username__username="sara", unit="piece"):
        product.unit = "pcs"
        product.save()


@near_miss(
    "16.4",
    "Right rows, but a query of its own for the user: `username__username=\"sara\"` puts the "
    "condition into the same one.",
    sign=r"User\.objects",
)
def _():
    sara = User.objects.get(username="sara")
    Product.objects.filter(username=sara, unit="piece").update(
        unit="pcs", updated_at=timezone.now()
    )


@near_miss(
    "16.4",
    "`updated_at` has changed on products that keep their unit, too: filter first.",
    sign=ANY,
)
def _():
    Product.objects.filter(username__username="sara").update(
        unit=Case(When(unit="piece", then=Value("pcs")), default=F("unit")),
        updated_at=timezone.now(),
    )


@exercise(
    "16.5",
    stars=2,
    queries=4,
    leaves=lambda: Customer.objects.values_list("name", "email", "mobile", "username__username"),
    hints=[
        "One query for Rahim's customers, one for Tim, and one that inserts all the new ones.",
        "Make a new `Customer(…)` of each, and give the list to `bulk_create()`.",
        "`Customer.objects.bulk_create([Customer(name=c.name, …, username=tim) for c in rahims])`.",
    ],
)
def for_tim_as_well():
    """One `INSERT` for all of them. To take the objects that you have read and set `pk = None`
    and the new owner on each does as well.
    """
    tim = User.objects.get(username="tim")
    rahims = Customer.objects.filter(username__username="rahim")
    Customer.objects.bulk_create(
        Customer(name=each.name, email=each.email, mobile=each.mobile, username=tim)
        for each in rahims
    )


@near_miss(
    "16.5",
    "Right rows, but an `INSERT` for each of them: `bulk_create()` takes the whole list.",
    sign=r"\.(create|save|get_or_create)\(",
)
def _():
    tim = User.objects.get(username="tim")
    for each in Customer.objects.filter(username__username="rahim"):
        Customer.objects.create(name=each.name, email=each.email, mobile=each.mobile, username=tim)


@near_miss(
    "16.5",
    "The objects still have their keys, so the database refuses to insert them: set `pk = None`, or "
    "make new objects.",
    sign=ANY,
)
def _():
    tim = User.objects.get(username="tim")
    rahims = list(Customer.objects.filter(username__username="rahim"))
    for each in rahims:
        each.username = tim
    Customer.objects.bulk_create(rahims)


@near_miss(
    "16.5",
    "Nothing was inserted: the objects still have their keys, and `ignore_conflicts` hides that.",
    sign="ignore_conflicts",
)
def _():
    tim = User.objects.get(username="tim")
    rahims = list(Customer.objects.filter(username__username="rahim"))
    for each in rahims:
        each.username = tim
    Customer.objects.bulk_create(rahims, ignore_conflicts=True)


@near_miss(
    "16.5",
    "Right rows, but two queries for each of them: all of them are new, so insert the whole list "
    "with `bulk_create()`.",
    sign=r"get_or_create\(",
)
def _():
    tim = User.objects.get(username="tim")
    for each in Customer.objects.filter(username__username="rahim"):
        Customer.objects.get_or_create(
            name=each.name, email=each.email, mobile=each.mobile, username=tim
        )


@near_miss(
    "16.5",
    "Right rows, but Tim is fetched again for each of them: fetch him once, before the loop.",
    sign=r"bulk_create\(",
)
def _():
    Customer.objects.bulk_create(
        Customer(
            name=each.name,
            email=each.email,
            mobile=each.mobile,
            username=User.objects.get(username="tim"),
        )
        for each in Customer.objects.filter(username__username="rahim")
    )


@near_miss(
    "16.5",
    "Right rows, but two queries for each of them: fetch Tim once, before the loop, and insert the "
    "whole list with `bulk_create()`.",
    sign=r"\.(save|create)\(",
)
def _():
    for each in Customer.objects.filter(username__username="rahim"):
        each.pk = None
        each.username = User.objects.get(username="tim")
        each.save()


@near_miss(
    "16.5",
    "Rahim has lost his customers: they were changed, not copied. A copy is a new row.",
    sign=ANY,
)
def _():
    tim = User.objects.get(username="tim")
    Customer.objects.filter(username__username="rahim").update(username=tim)


@near_miss("16.5", "The copies still belong to Rahim: they need Tim as their `username`.", sign=ANY)
def _():
    rahims = list(Customer.objects.filter(username__username="rahim"))
    for each in rahims:
        each.pk = None
    Customer.objects.bulk_create(rahims)


@near_miss("16.5", "Customers of all owners were copied: only Rahim's are wanted.", sign=ANY)
def _():
    tim = User.objects.get(username="tim")
    Customer.objects.bulk_create(
        Customer(name=each.name, email=each.email, mobile=each.mobile, username=tim)
        for each in Customer.objects.all()
    )


@near_miss("16.5", "It is the opposite: Rahim got copies of Tim's customers.", sign=ANY)
def _():
    rahim = User.objects.get(username="rahim")
    Customer.objects.bulk_create(
        Customer(name=each.name, email=each.email, mobile=each.mobile, username=rahim)
        for each in Customer.objects.filter(username__username="tim")
    )


@near_miss(
    "16.5", "Nobody was added: a `Customer(…)` is only in memory until it is inserted.", sign=ANY
)
def _():
    tim = User.objects.get(username="tim")
    return [
        Customer(name=each.name, email=each.email, mobile=each.mobile, username=tim)
        for each in Customer.objects.filter(username__username="rahim")
    ]


@near_miss("16.5", "The new customers have no `mobile`.", sign=ANY)
def _():
    tim = User.objects.get(username="tim")
    Customer.objects.bulk_create(
        Customer(name=each.name, email=each.email, username=tim)
        for each in Customer.objects.filter(username__username="rahim")
    )


@near_miss(
    "16.5",
    "Right rows, but an `INSERT` for each of them: `bulk_create()` takes the whole list.",
    sign=r"\.(create|save)\(",
)
def _():
    tim, rahim = User.objects.get(username="tim"), User.objects.get(username="rahim")
    for each in rahim.customers.all():
        Customer.objects.create(name=each.name, email=each.email, mobile=each.mobile, username=tim)


@exercise(
    "16.6",
    stars=2,
    equivalent={
        "with `invoices` for `invoice_products`": "the way to the invoices leads over the lines",
    },
    leaves=lambda: Product.objects.values_list("name", "username__username", "stock"),
    hints=[
        "How do you find products without a related row?",
        "`invoice_products=None` finds those without a line. A QuerySet has `delete()`.",
        '`Product.objects.filter(username__username="sara", invoice_products=None).delete()`.',
    ],
)
def never_sold():
    """No line refers to these products, so the cascade finds nothing more to delete. With the
    opposite condition it would take the lines of invoices with it.
    """
    Product.objects.filter(username__username="sara", invoice_products=None).delete()


@near_miss("16.6", "Products of other owners are gone, too.", sign=ANY)
def _():
    Product.objects.filter(invoice_products=None).delete()


@near_miss(
    "16.6",
    "Those were sold: they are gone now, and with them the lines of their invoices.",
    sign=ANY,
)
def _():
    Product.objects.filter(username__username="sara", invoice_products__isnull=False).delete()


@near_miss("16.6", "A product without stock may have been sold: look for its lines.", sign=ANY)
def _():
    Product.objects.filter(username__username="sara", stock=0).delete()


@near_miss("16.6", "All of Sara's products are gone, also those that were sold.", sign=ANY)
def _():
    Product.objects.filter(username__username="sara").delete()


@near_miss(
    "16.6",
    "None of these products is deleted. A QuerySet only describes rows; `delete()` at its end deletes "
    "them.",
    sign=ANY,
)
def _():
    return Product.objects.filter(username__username="sara", invoice_products=None)


@near_miss(
    "16.6", "Only one product is gone; `delete()` on the QuerySet takes all of them.", sign=ANY
)
def _():
    Product.objects.filter(username__username="sara", invoice_products=None).order_by("pk")[
        0
    ].delete()


@near_miss(
    "16.6",
    "These products are still there, with another `stock`: `delete()` at the end of the QuerySet "
    "deletes them.",
    sign=r"update\(",
)
def _():
    Product.objects.filter(username__username="sara", invoice_products=None).update(stock=0)


@near_miss(
    "16.6",
    "Every line has a product, so no line was found, and no product is deleted. Start from "
    "`Product`, and look for those without a line.",
    sign="InvoiceProduct",
)
def _():
    InvoiceProduct.objects.filter(product__username__username="sara", product=None).delete()


@near_miss("16.6", "Those are Rahim's products; the task is about Sara's.", sign=ANY)
def _():
    Product.objects.filter(username__username="rahim", invoice_products=None).delete()


@near_miss(
    "16.6",
    "`pk` is the key of the line. Compare the products with the lines' `product`.",
    sign=r"InvoiceProduct.*pk",
)
def _():
    lines = InvoiceProduct.objects.values("pk")
    Product.objects.filter(username__username="sara").exclude(pk__in=lines).delete()


@exercise(
    "16.7",
    stars=3,
    equivalent={
        "when `name` contains `'Brewing'` in any letter case": "Sara has no other",
    },
    queries=5,
    leaves=lambda: Product.objects.annotate(updated=WRITTEN).values(
        "name", "username__username", "price", "unit", "stock", "category__name", "updated"
    ),
    hints=[
        "One call of `bulk_create()` inserts what is new and updates what is there.",
        "`update_conflicts=True`, the columns of the unique constraint as `unique_fields`, and in "
        "`update_fields` what may be overwritten.",
        '`unique_fields=["username", "name"], update_fields=["price", "updated_at"]`.',
    ],
)
def price_list():
    """The category, then one statement. MariaDB goes by any unique key and refuses
    `unique_fields`; if you only ever use SQLite or PostgreSQL, write the list. Read, `bulk_update()`
    and `bulk_create()` do it in four queries on every database, but another request can get in
    between.
    """
    prices = {
        "French press": "31.00",
        "Hotel blend sack": "125.00",
        "Hotel decaf sack": "126.00",
        "Espresso No. 7": "15.50",
        "Paper filters": "3.50",
    }
    brewing = Category.objects.get(name="Brewing", username__username="sara")
    names_its_key = connection.features.supports_update_conflicts_with_target
    Product.objects.bulk_create(
        [
            Product(
                name=name,
                price=Decimal(price),
                unit="box",
                category=brewing,
                username_id=brewing.username_id,
            )
            for name, price in prices.items()
        ],
        update_conflicts=True,
        unique_fields=["username", "name"] if names_its_key else None,
        update_fields=["price", "updated_at"],
    )


PRICES = {
    "French press": "31.00",
    "Hotel blend sack": "125.00",
    "Hotel decaf sack": "126.00",
    "Espresso No. 7": "15.50",
    "Paper filters": "3.50",
}


def _insert(**options):
    brewing = Category.objects.get(name="Brewing", username__username="sara")
    Product.objects.bulk_create(
        [
            Product(
                name=name,
                price=Decimal(price),
                unit="box",
                category=brewing,
                username_id=brewing.username_id,
            )
            for name, price in PRICES.items()
        ],
        **options,
    )


def _price_list(**options):
    if not connection.features.supports_update_conflicts_with_target:
        options.pop("unique_fields", None)
    _insert(**options)


@near_miss(
    "16.7",
    "The changed products keep their old `updated_at`: list it in `update_fields`, too.",
    sign=ANY,
)
def _():
    _price_list(update_conflicts=True, unique_fields=["username", "name"], update_fields=["price"])


@near_miss(
    "16.7",
    "Sara's existing products keep their old prices: `ignore_conflicts` skips them.",
    sign=ANY,
)
def _():
    _price_list(ignore_conflicts=True)


@near_miss(
    "16.7",
    "Sara has some of the products already, so a plain `INSERT` breaks the unique constraint.",
    sign=ANY,
)
def _():
    _price_list()


@near_miss(
    "16.7",
    "Sara's existing products got the unit and the category of the new ones: name in "
    "`update_fields` only what may change.",
    sign=ANY,
)
def _():
    _price_list(
        update_conflicts=True,
        unique_fields=["username", "name"],
        update_fields=["price", "unit", "category", "updated_at"],
    )


@near_miss(
    "16.7",
    "Sara's existing products got the unit, the category and the stock of the new ones: name "
    "in `update_fields` only what may change.",
    sign=ANY,
)
def _():
    _price_list(
        update_conflicts=True,
        unique_fields=["username", "name"],
        update_fields=["price", "unit", "stock", "category", "updated_at"],
    )


@near_miss(
    "16.7",
    "`unique_fields` has to name the columns of a unique constraint. A product's name is unique for "
    "its owner only, so the owner belongs to it.",
    sign="unique_fields",
)
def _():
    _insert(update_conflicts=True, unique_fields=["name"], update_fields=["price", "updated_at"])


@near_miss(
    "16.7",
    "Another owner's product of that name has changed: look for the names among Sara's products.",
    sign=ANY,
)
def _():
    brewing = Category.objects.get(name="Brewing", username__username="sara")
    known = {product.name: product for product in Product.objects.filter(name__in=PRICES)}
    for name, product in known.items():
        product.price, product.updated_at = Decimal(PRICES[name]), timezone.now()
    Product.objects.bulk_update(known.values(), ["price", "updated_at"])
    for name in PRICES.keys() - known:
        Product.objects.create(
            name=name,
            price=PRICES[name],
            unit="box",
            category=brewing,
            username_id=brewing.username_id,
        )


_EACH = (
    "Right rows, but with queries for each of the products: with a longer list, there are more of "
    "them. `bulk_create()` takes the whole list."
)


@near_miss("16.7", _EACH, sign=r"(?m)update_or_create|^ *for ")
def _():
    brewing = Category.objects.get(name="Brewing", username__username="sara")
    for name, price in PRICES.items():
        Product.objects.update_or_create(
            name=name,
            username_id=brewing.username_id,
            defaults={"price": Decimal(price)},
            create_defaults={"price": Decimal(price), "unit": "box", "category": brewing},
        )


@near_miss("16.7", _EACH, sign=r"(?m)^ *for ")
def _():
    brewing = Category.objects.get(name="Brewing", username__username="sara")
    for name, price in PRICES.items():
        known = Product.objects.filter(name=name, username=brewing.username_id)
        if not known.update(price=Decimal(price), updated_at=timezone.now()):
            Product.objects.create(
                name=name,
                price=Decimal(price),
                unit="box",
                category=brewing,
                username_id=brewing.username_id,
            )


@near_miss("16.7", _EACH, sign=r"(?m)update_or_create|^ *for ")
def _():
    sara = User.objects.get(username="sara")
    brewing = Category.objects.get(name="Brewing", username=sara)
    for name, price in PRICES.items():
        Product.objects.update_or_create(
            name=name,
            username_id=brewing.username_id,
            defaults={"price": Decimal(price)},
            create_defaults={"price": Decimal(price), "unit": "box", "category": brewing},
        )


@near_miss("16.7", _EACH, sign=r"(?m)^ *for ")
def _():
    sara = User.objects.get(username="sara")
    brewing = Category.objects.get(name="Brewing", username=sara)
    for name, price in PRICES.items():
        known = Product.objects.filter(name=name, username=brewing.username_id)
        if not known.update(price=Decimal(price), updated_at=timezone.now()):
            Product.objects.create(
                name=name,
                price=Decimal(price),
                unit="box",
                category=brewing,
                username_id=brewing.username_id,
            )


@near_miss("16.7", "What Sara does not sell yet is missing: it becomes a new product.", sign=ANY)
def _():
    for name, price in PRICES.items():
        Product.objects.filter(name=name, username__username="sara").update(
            price=Decimal(price), updated_at=timezone.now()
        )
