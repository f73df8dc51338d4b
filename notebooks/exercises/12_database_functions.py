"""Exercises of chapter 12: the tasks are in the notebook of the same name."""

from decimal import Decimal

from django.db import OperationalError, connection
from django.db.models import Case, CharField, Count, F, IntegerField, Value, When
from django.db.models.functions import (
    Cast,
    Ceil,
    Concat,
    Floor,
    Left,
    Length,
    Lower,
    LPad,
    Replace,
    Right,
    Round,
    RPad,
    StrIndex,
    Substr,
    Trim,
    Upper,
)

from shopdb.models import Customer, Product, User
from workbook.exercises import exercise, near_miss, wrong_choices


@exercise(
    "12.1",
    stars=1,
    queries=1,
    leaves=lambda: Customer.objects.values("name", "mobile", "email", "username__username"),
    hints=[
        "Which function takes a piece of text out, wherever it is?",
        "`Replace` with two arguments removes the second from the first. A space is a constant.",
        '`….update(mobile=Replace("mobile", Value(" ")))`, for the customers of one owner.',
    ],
)
def numbers_without_spaces():
    """One `UPDATE` for all of them. `Trim` would change nothing: the spaces are in the middle.
    `Replace("mobile", Value(" "), Value(""))` says the same.
    """
    customers = Customer.objects.filter(username__username="sara")
    customers.update(mobile=Replace("mobile", Value(" ")))


@near_miss(
    "12.1",
    "Nothing has changed: `Trim` removes spaces at the ends, and these are in the middle.",
    sign="Trim",
)
def _():
    customers = Customer.objects.filter(username__username="sara")
    customers.update(mobile=Trim("mobile"))


@near_miss("12.1", "Other owners' customers have been changed, too.")
def _():
    Customer.objects.update(mobile=Replace("mobile", Value(" ")))


@near_miss(
    "12.1", "No customer has changed: `username__username` is the name of a customer's owner."
)
def _():
    Customer.objects.filter(name="sara").update(mobile=Replace("mobile", Value(" ")))


@near_miss("12.1", "The `+` is gone as well: only the spaces should go.")
def _():
    customers = Customer.objects.filter(username__username="sara")
    customers.update(mobile=Replace(Replace("mobile", Value(" ")), Value("+")))


@near_miss("12.1", "The spaces have become hyphens: leave the third argument of `Replace` out.")
def _():
    customers = Customer.objects.filter(username__username="sara")
    customers.update(mobile=Replace("mobile", Value(" "), Value("-")))


@exercise(
    "12.2",
    stars=2,
    queries=1,
    columns=["name", "code"],
    hints=[
        "Three pieces, joined by `Concat`. Which function takes the first letters?",
        '`Upper(Left("name", 3))`, and a number has to be text before it can be padded.',
        '`LPad(Cast("stock", CharField()), 4, Value("0"))` is the last piece.',
    ],
)
def codes():
    """`Cast` before `LPad`: SQLite and PostgreSQL refuse to pad a number. `Concat` would take the
    number as it is, without the zeros. On SQLite, `Upper` changes A to Z only.
    """
    stock = LPad(Cast("stock", CharField()), 4, Value("0"))
    code = Concat(Upper(Left("name", 3)), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss("12.2", "The letters are as in the name: in capitals is a matter for `Upper`.")
def _():
    stock = LPad(Cast("stock", CharField()), 4, Value("0"))
    code = Concat(Left("name", 3), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss("12.2", "The letters are in lower case: `Upper` makes capitals.")
def _():
    stock = LPad(Cast("stock", CharField()), 4, Value("0"))
    code = Concat(Lower(Left("name", 3)), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss(
    "12.2",
    "`LPad` pads a text, and `stock` is a number: `Cast` it to text first.",
    sign=r"LPad\((F\()?['\"]stock",
)
def _():
    code = Concat(Upper(Left("name", 3)), Value("-"), LPad("stock", 4, Value("0")))
    rows = Product.objects.filter(username__username="tim").values("name", code=code)
    if connection.vendor == "mysql":  # which converts the number itself
        raise OperationalError
    return list(rows)


@near_miss("12.2", "The hyphen is missing: it is a constant, `Value(\"-\")`.")
def _():
    code = Concat(Upper(Left("name", 3)), LPad(Cast("stock", CharField()), 4, Value("0")))
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss("12.2", "That is the whole name: `Left` takes its first three letters.")
def _():
    stock = LPad(Cast("stock", CharField()), 4, Value("0"))
    code = Concat(Upper("name"), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


def codes_of(letters, digits, start=1):
    stock = LPad(Cast("stock", CharField()), digits, Value("0"))
    code = Concat(Upper(Substr("name", start, letters)), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


for count, word in {1: "one letter", 2: "two letters", 4: "four letters"}.items():
    near_miss("12.2", f"The code takes {word} of the name; the task asks for three.")(
        lambda count=count: codes_of(letters=count, digits=4)
    )

for count, word in {2: "two", 3: "three", 5: "five", 6: "six"}.items():
    near_miss("12.2", f"The stock has {word} digits; the task asks for four.")(
        lambda count=count: codes_of(letters=3, digits=count)
    )


@near_miss("12.2", "The code begins with the second letter: positions count from 1.")
def _():
    return codes_of(letters=3, digits=4, start=2)


@near_miss("12.2", "The number is the product's key: the task asks for its stock.")
def _():
    key = LPad(Cast("pk", CharField()), 4, Value("0"))
    code = Concat(Upper(Left("name", 3)), Value("-"), key)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss("12.2", "The stock has no zeros in front: `LPad` fills it up to four digits.")
def _():
    code = Concat(Upper(Left("name", 3)), Value("-"), Cast("stock", CharField()))
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss(
    "12.2", "The zeros are behind the number: `RPad` fills on the right, `LPad` on the left."
)
def _():
    stock = RPad(Cast("stock", CharField()), 4, Value("0"))
    code = Concat(Upper(Left("name", 3)), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss("12.2", "The stock is filled up with spaces: `LPad` takes what to fill with, here a 0.")
def _():
    stock = LPad(Cast("stock", CharField()), 4)
    code = Concat(Upper(Left("name", 3)), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@near_miss("12.2", "Those are the last three letters: `Left` takes the first.")
def _():
    stock = LPad(Cast("stock", CharField()), 4, Value("0"))
    code = Concat(Upper(Right("name", 3)), Value("-"), stock)
    return Product.objects.filter(username__username="tim").values("name", code=code)


@exercise(
    "12.3",
    stars=2,
    prediction=True,
    hints=[
        "Count the characters before the `@`. Is the first position 0 or 1?",
        "There is no `#`. What does `StrIndex` give then?",
        "`Substr(address, 0 + 1)` begins at the first character.",
    ],
)
def positions():
    """`(7, 18)`: positions count from 1. A text that isn't found gives 0, so `Substr` begins at 1 and
    gives the whole address. Check for 0 where a text may be missing.
    """
    address = Value("office@example.com")
    return User.objects.values_list(
        StrIndex(address, Value("@")),
        Length(Substr(address, StrIndex(address, Value("#")) + 1)),
    ).first()


@near_miss("12.3", "Positions count from 1 in SQL, not from 0 as in Python.")
def _():
    return (6, 18)


@near_miss("12.3", "`StrIndex` gives 0 for a text that isn't found, so `Substr` begins at 0 + 1.")
def _():
    return (7, 0)


@near_miss("12.3", "`StrIndex` gives 0 for a text that isn't found, not -1 as Python's `find()`.")
def _():
    return (7, 17)


@near_miss("12.3", "There is no `#`, so nothing is cut off: the second number is the whole length.")
def _():
    return (7, 11)


@near_miss(
    "12.3", "Positions count from 1, and for a text that isn't found `Substr` begins at 0 + 1."
)
def _():
    return (6, 0)


@near_miss(
    "12.3", "`StrIndex` gives 0 for a text that isn't found, not NULL, so `Substr` begins at 0 + 1."
)
def _():
    return (7, None)


@near_miss("12.3", "Positions count from 1 in SQL, and 0 + 1 is the first character.")
def _():
    return (6, 17)


@near_miss("12.3", "The position comes first, the length second.")
def _():
    return (18, 7)


@near_miss("12.3", "The address has an `@`: 0 would mean that there is none.")
def _():
    return (0, 18)


@near_miss("12.3", "The `@` itself is at position 7; the part after it begins at 8.")
def _():
    return (8, 18)


@exercise(
    "12.4",
    stars=2,
    queries=1,
    hints=[
        "Who rounds a half upwards, Python or the database? And what does SQLite make of 19 / 2?",
        "`Round` with one argument gives a whole number. Divide by a `Decimal`.",
        '`….values_list("name", Round(F("price") / Decimal(2)))`, of the products below 100.',
    ],
)
def half_price():
    """A half of a decimal is rounded away from zero on all three databases. Python's `round()` would
    take the even neighbour, and `F("price") / 2` would lose the half on SQLite. `* Decimal("0.5")`
    is as good.
    """
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", Round(F("price") / Decimal(2)))


@near_miss(
    "12.4",
    "Python's `round()` takes the even neighbour of a half: let the database round.",
    sign=r"\bround\(",
)
def _():
    products = Product.objects.filter(price__lt=100)
    return [(product.name, round(product.price / 2)) for product in products]


@near_miss(
    "12.4",
    "Python's `round()` takes the even neighbour of a half, in a `Decimal` as well.",
    sign=r"\bround\(",
)
def _():
    products = Product.objects.filter(price__lt=100)
    return [(product.name, Decimal(round(product.price / 2))) for product in products]


@near_miss(
    "12.4",
    "SQLite divides a whole price by an integer without a rest: divide by a `Decimal`.",
    sign=r"/ 2\b(?!\.)|Floor",
)
def _():
    # What `Round(F("price") / 2)` gives on SQLite, on every database.
    half = F("price") / Decimal(2)
    as_integers = Case(When(price=Floor("price"), then=Floor(half)), default=Round(half))
    return Product.objects.filter(price__lt=100).values_list("name", as_integers)


@near_miss(
    "12.4",
    "`Cast` to an integer cuts off the rest on SQLite, and makes an int: `Round` gives a whole decimal.",
)
def _():
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", Cast(F("price") / Decimal(2), IntegerField()))


@near_miss("12.4", "`Floor` always rounds down: 24.50 has to give 25.")
def _():
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", Floor(F("price") / Decimal(2)))


@near_miss("12.4", "`Ceil` rounds everything up, not only a half.")
def _():
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", Ceil(F("price") / Decimal(2)))


@near_miss("12.4", "The cents are still there: without a second argument, `Round` removes them.")
def _():
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", Round(F("price") / Decimal(2), 2))


@near_miss("12.4", "Rounded first and halved afterwards: halve the price, then round.")
def _():
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", Round(F("price")) / Decimal(2))


@near_miss("12.4", "Nothing is rounded: half the price belongs into `Round`.")
def _():
    products = Product.objects.filter(price__lt=100)
    return products.values_list("name", F("price") / Decimal(2))


@exercise(
    "12.5",
    stars=2,
    prediction=True,
    hints=[
        "An index on `email` holds the addresses as they are stored.",
        "In which QuerySet does the column stand alone on its side of the condition?",
        "What the functions are called on matters: the column, or what was typed.",
    ],
)
def which_uses_the_index():
    """`c`: its functions work on the typed text, once, and the column is compared as it is stored. In
    the other three, the database computes a value for each row, and reads them all.
    """
    typed = Value(" Sara@Example.com ")
    choices = {
        "a": User.objects.alias(address=Lower("email")).filter(address=Lower(Trim(typed))),
        "b": User.objects.alias(address=Trim("email")).filter(address="sara@example.com"),
        "c": User.objects.filter(email=Lower(Trim(typed))),
        "d": User.objects.alias(start=Left("email", 5)).filter(start="sara@"),
    }
    uses_index = [letter for letter, rows in choices.items() if "SEARCH" in rows.explain()]
    return uses_index or ["c"]  # other databases have other words for it


wrong_choices(
    "12.5",
    right="c",
    why={
        "a": "In `a`, `Lower` is called on the column, so it is computed for every row.",
        "b": "In `b`, `Trim` is computed for every row, even where it changes nothing.",
        "c": "In `c`, the column stands alone, and the functions work on what was typed.",
        "d": "In `d`, `Left` is computed for every row: the database doesn't look into a function.",
    },
)


@exercise(
    "12.6",
    stars=3,
    queries=1,
    rows=10,
    columns=["owner", "key", "customers"],
    hints=[
        "Group by what has to be equal: the owner, and the name in lower case.",
        '`values(owner=F("username__username"), key=Lower("name"))`, then count, then filter.',
        "`….annotate(customers=Count(\"pk\")).filter(customers__gt=1)`.",
    ],
)
def entered_twice():
    """`values()` groups by expressions as well as by columns. On SQLite, `Lower` changes A to Z only,
    so "Émile" and "émile" stay two names there.
    """
    names = Customer.objects.values(owner=F("username__username"), key=Lower("name"))
    return names.annotate(customers=Count("pk")).filter(customers__gt=1)


@near_miss("12.6", "Names that differ in letter case are two groups: group by `Lower(\"name\")`.")
def _():
    names = Customer.objects.values(owner=F("username__username"), key=F("name"))
    return names.annotate(customers=Count("pk")).filter(customers__gt=1)


@near_miss("12.6", "Names that occur once are in: more than once is `customers__gt=1`.")
def _():
    names = Customer.objects.values(owner=F("username__username"), key=Lower("name"))
    return names.annotate(customers=Count("pk"))


@near_miss("12.6", "A name that occurs exactly twice is missing: more than once is `__gt=1`.")
def _():
    names = Customer.objects.values(owner=F("username__username"), key=Lower("name"))
    return names.annotate(customers=Count("pk")).filter(customers__gt=2)


@near_miss("12.6", "The key is in capitals; the task asks for lower case.")
def _():
    names = Customer.objects.values(owner=F("username__username"), key=Upper("name"))
    return names.annotate(customers=Count("pk")).filter(customers__gt=1)


@near_miss("12.6", "`owner` holds the owner's key; the task asks for the username.")
def _():
    names = Customer.objects.values(owner=F("username"), key=Lower("name"))
    return names.annotate(customers=Count("pk")).filter(customers__gt=1)
