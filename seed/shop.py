"""The default shop as plain rows: realistic, repeatable, streamed in the order they are inserted.

Nothing here knows Django. A row is a tuple in the order of `FIELDS[model]`, and its values are
what every database takes as they are: numbers (money in whole cents ÷ 100), UTC timestamps as
`YYYY-MM-DD HH:MM:SS`, JSON as text. The same `seed` gives the same rows on every machine and
Python: only arithmetic that IEEE 754 defines exactly, no logarithms, no hash order, no "now".
"""

import json
import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, product
from random import Random

from seed import catalog

DEFAULT_INVOICES = 6_000
FIRST_DAY = date(2024, 7, 1)
LAST_DAY = date(2026, 6, 30)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
PRICE_RISES = (date(2025, 1, 1), date(2026, 1, 1))
DAYS_TO_PAY = 30

FIELDS = {
    "User": (
        *("id", "username", "first_name", "last_name", "email", "mobile", "password", "otp"),
        *("is_superuser", "is_staff", "is_active", "last_login", "created_at", "updated_at"),
    ),
    "Category": ("id", "name", "description", "parent", "username", "created_at", "updated_at"),
    "Product": (
        *("id", "name", "price", "unit", "stock", "attributes", "category", "username"),
        *("created_at", "updated_at"),
    ),
    "Customer": ("id", "name", "email", "mobile", "username", "created_at", "updated_at"),
    "Invoice": (
        *("id", "number", "total", "discount", "vat", "payment", "payment_due", "issued_at"),
        *("due_on", "void_at", "void_reason", "customer", "username", "created_at", "updated_at"),
    ),
    "InvoiceProduct": (
        *("id", "invoice", "product", "customer", "username", "qty", "sale_price"),
        *("created_at", "updated_at"),
    ),
    "Payment": (
        *("id", "invoice", "amount", "method", "paid_at", "reason", "username"),
        *("created_at", "updated_at"),
    ),
}

Rows = list[tuple]
Basket = list[tuple[int, int, int]]  # (product, quantity, price in cents)

_MONTHS = (0.8, 0.8, 0.95, 1.0, 1.05, 1.0, 0.9, 0.85, 1.0, 1.1, 1.3, 1.7)  # January first
_WEEKDAYS = (0.9, 0.85, 0.95, 1.0, 1.25, 1.5, 0.55)  # Monday first
_CLOSED = {(12, 25), (12, 26)}  # days without any sale
_OWNER_SHARES = (26, 18, 16, 14, 14, 12)
_LINES_PER_INVOICE = (1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8)
_OPENS, _HOURS_OPEN = 8, 13
_LAST_MOMENT = f"{LAST_DAY} 23:59:59"
_OFFICE_HOURS = [f"{hour:02}:{minute:02}:00" for hour in range(8, 18) for minute in range(60)]
_LOCALES = (("en_US", 11), ("de_DE", 3), ("fr_FR", 3), ("bn_BD", 3))
_INVOICES_PER_CHUNK = 2_000


def generate(*, seed: int = 1, invoices: int = DEFAULT_INVOICES) -> Iterator[tuple[str, Rows]]:
    """Yield the shop as `(model name, rows)`, parents before children, invoices oldest first.

    `invoices` (1 or more) is exact; customers grow along with it, products with its square root
    (a shop with a hundred times the sales stocks ten times the goods); owners and categories stay.
    """
    random = Random(seed)
    yield "User", users()
    categories = _categories()
    yield "Category", categories
    products = _products(random, categories, count=max(60, math.isqrt(15 * invoices)))
    yield "Product", [row for row, _ in products]
    customers = _customers(random, seed, count=max(24, invoices * 2 // 15))
    yield "Customer", customers
    for taken in _sales(random, Random(f"payments {seed}"), products, customers, invoices):
        yield from taken.items()


def percent(cents: int, rate: int) -> int:
    """`rate` percent of a non-negative amount in cents, rounded half up: percent(50, 5) is 3."""
    return (cents * rate + 50) // 100


@cache
def days_after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def pays_late(customer: int) -> bool:
    """Whether this customer is one of the few who take their time: one in nine."""
    return customer % 9 == 4


class Ledger:
    """Invoices with their lines and payments: numbers them and keeps the books balanced.

    When and in how many parts an invoice was paid is drawn from `random`, which nothing else uses:
    what is sold does not depend on it.
    """

    def __init__(self, random: Random) -> None:
        self.invoices: Rows = []
        self.lines: Rows = []
        self.payments: Rows = []
        self._chance = random.random
        self._last_invoice = self._last_line = self._last_payment = 0
        self._last_number: dict[tuple[int, str], int] = {}  # of each owner and year

    def sell(
        self,
        customer: int,
        owner: int,
        issued: str,
        basket: Basket,
        vat_percent: int,
        discount_percent: int = 0,
        quarters_paid: int = 4,
        *,
        created: str = "",
        due: str = "",
        refund: tuple[str, int] | None = None,
        void: tuple[str, str] | None = None,
    ) -> None:
        """Add one invoice: VAT is due on what the discount leaves, each rounded half up.

        `created` is when it was written down, if not when it was `issued`. `due` is the day to pay,
        if not the usual one. `refund` says when how many quarters were paid back; `void` says when
        and why the invoice was voided, after all that was paid on it had been paid back.
        """
        self._last_invoice = invoice = self._last_invoice + 1
        created = created or issued
        line, lines = self._last_line, self.lines
        total = 0
        for product_id, qty, cents in basket:
            line += 1
            total += qty * cents
            lines.append(
                (line, invoice, product_id, customer, owner, qty, cents / 100, created, created)
            )
        self._last_line = line
        discount = percent(total, discount_percent)
        vat = percent(total - discount, vat_percent)
        gross = total - discount + vat
        payment = gross * quarters_paid // 4
        void_at, void_reason = void or (None, "")
        refunded_at = refund[0] if refund else void_at
        if payment:
            self._pay(invoice, customer, owner, issued, payment, until=refunded_at or _LAST_MOMENT)
        if payment and refunded_at:
            back = gross * refund[1] // 4 if refund else payment
            reason = void_reason or "Goods returned"
            self._book(invoice, owner, -back, "transfer", refunded_at, reason)
            payment -= back
        year = issued[:4]
        count = self._last_number[owner, year] = self._last_number.get((owner, year), 0) + 1
        due_on = due or days_after(issued[:10], DAYS_TO_PAY)
        amounts = (total / 100, discount / 100, vat / 100, payment / 100, (gross - payment) / 100)
        self.invoices.append(
            (
                *(invoice, f"{year}-{count:04}", *amounts, issued, due_on, void_at, void_reason),
                *(customer, owner, created, created),
            )
        )

    def _pay(
        self, invoice: int, customer: int, owner: int, issued: str, cents: int, until: str
    ) -> None:
        """Book `cents` as one to three payments: at the counter, or in the weeks that follow."""
        chance = self._chance
        amounts = [cents]
        if (luck := chance()) > 0.7 and cents >= 100:
            first = cents * (2 + int(chance() * 5)) // 10
            amounts = [first, cents - first]
            if luck > 0.9:
                amounts[1:] = [amounts[1] // 2, amounts[1] - amounts[1] // 2]
        late = pays_late(customer)
        at, method = issued, "cash" if chance() < 0.3 else "card"
        waits = chance() < (0.8 if late else 0.5)
        waited, longest = 0, (75 if late else 35) // len(amounts)
        for amount in amounts:
            if waits:
                waited += 1 + int(chance() * longest)
                later = f"{days_after(issued[:10], waited)} {_OFFICE_HOURS[int(chance() * 600)]}"
                if later <= until:
                    at, method = later, "transfer" if chance() < 0.85 else "card"
            self._book(invoice, owner, amount, method, at)
            waits = True

    def _book(
        self, invoice: int, owner: int, cents: int, method: str, at: str, reason: str = ""
    ) -> None:
        self._last_payment = payment = self._last_payment + 1
        self.payments.append((payment, invoice, cents / 100, method, at, reason, owner, at, at))

    def take(self) -> dict[str, Rows]:
        """Hand over the rows collected so far, by model, and go on numbering after them."""
        taken = {
            "Invoice": self.invoices,
            "InvoiceProduct": self.lines,
            "Payment": self.payments,
        }
        self.invoices, self.lines, self.payments = [], [], []
        return taken


def users() -> Rows:
    """The owners, who can all log in with `catalog.PASSWORD`."""
    opened = "2024-06-01 09:00:00"
    return [
        (
            *(number, owner.username, owner.first_name, owner.last_name),
            *(f"{owner.username}@example.com", f"+1 202 555 {100 + number:04}"),
            *(catalog.PASSWORD_HASH, 0, owner.is_superuser, owner.is_superuser, True, None),
            *(opened, opened),
        )
        for number, owner in enumerate(catalog.OWNERS, 1)
    ]


_OWNER_IDS = {owner.username: number for number, owner in enumerate(catalog.OWNERS, 1)}


def _categories() -> Rows:
    made = "2024-06-02 09:00:00"
    ids = {(shelf.owner, shelf.name): number for number, shelf in enumerate(catalog.SHELVES, 1)}
    return [
        (
            *(number, shelf.name, shelf.description, ids.get((shelf.owner, shelf.parent))),
            *(_OWNER_IDS[shelf.owner], made, made),
        )
        for number, shelf in enumerate(catalog.SHELVES, 1)
    ]


def _day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def _joined(position: int, count: int, at_start: float) -> int:
    """The day on which the n-th of `count` joins: a share before the first sale, then evenly."""
    early = int(count * at_start)
    if position < early:
        return position * 28 // early - 28
    return (position - early) * DAYS // (count - early)


def _office_hours(random: Random) -> str:
    return _OFFICE_HOURS[random.randrange(60 * 8, 60 * 18) - 60 * 8]


def _products(random: Random, categories: Rows, count: int) -> list[tuple[tuple, list[int]]]:
    """Product rows, each with its price in cents before, between and after the `PRICE_RISES`."""
    shelves = [
        (row[0], shelf, _names_and_prices(random, shelf))
        for row, shelf in zip(categories, catalog.SHELVES, strict=True)
        if shelf.nouns
    ]
    beans_id, beans, _ = shelves[0]
    goods = [
        (beans_id, beans, name, unit, cents) for name, unit, cents, _ in catalog.STANDING_BASKET
    ]
    while shelves and len(goods) < count:  # one from each shelf in turn, until all are bare
        for shelf_with_id in list(shelves):
            category, shelf, names = shelf_with_id
            try:
                name, cents = next(names)
            except StopIteration:
                shelves.remove(shelf_with_id)
            else:
                goods.append((category, shelf, name, shelf.unit, cents))
    goods = goods[:count]

    made = []
    for number, (category, shelf, name, unit, cents) in enumerate(goods, 1):
        day = _joined(number - 1, len(goods), at_start=0.75)
        added = f"{_day(day)} {_office_hours(random)}"
        changed = f"{PRICE_RISES[-1]} 00:00:00"
        stock = 0 if random.random() < 0.06 else random.randrange(1, 400)
        attributes = json.dumps(_attributes(random, shelf))
        row = (
            *(number, name, cents / 100, unit, stock, attributes, category),
            *(_OWNER_IDS[shelf.owner], added, max(added, changed)),
        )
        rise = random.randrange(0, 7)
        made.append((row, [percent(cents, 100 - 2 * rise), percent(cents, 100 - rise), cents]))
    return made


def _names_and_prices(random: Random, shelf: catalog.Shelf) -> Iterator[tuple[str, int]]:
    yield from shelf.staples
    taken = {name.casefold() for name, _ in shelf.staples}
    names = [" ".join(filter(None, words)) for words in product(*_vocabulary(shelf))]
    random.shuffle(names)
    for name in names:
        if name.casefold() not in taken:
            yield name, random.choice(shelf.prices)


def _vocabulary(shelf: catalog.Shelf) -> tuple[tuple[str, ...], ...]:
    return shelf.styles, shelf.nouns, shelf.sizes


def _attributes(random: Random, shelf: catalog.Shelf) -> dict:
    """Some of what the shelf's products can have: keys may be missing, or null, or all absent."""
    if random.random() < 0.1:
        return {}
    attributes = {}
    for key, values in shelf.attributes.items():
        chance = random.random()
        if chance < 0.75:
            attributes[key] = random.choice(values)
        elif chance < 0.85:
            attributes[key] = None
    return attributes


def _customers(random: Random, seed: int, count: int) -> Rows:
    people = [*catalog.STANDING_CUSTOMERS, *catalog.PEOPLE]
    rows = []
    names = _names(random, seed)
    owners = random.choices(range(1, len(_OWNER_SHARES) + 1), _OWNER_SHARES, k=count)
    for number in range(1, count + 1):
        if number <= len(people):
            name, email, owner = people[number - 1]
            owner_id = _OWNER_IDS[owner]
        else:
            name, owner_id = next(names), owners[number - 1]
            email = _email(name, number)
        added = f"{_day(_joined(number - 1, count, at_start=0.4))} {_office_hours(random)}"
        mobile = f"+1 {random.randrange(201, 990)} 555 {random.randrange(10_000):04}"
        rows.append((number, name, email, mobile, owner_id, added, added))
    return rows


def _names(random: Random, seed: int) -> Iterator[str]:
    """Endless full names. Faker fills a pool for each locale once; drawing from it is cheap."""
    from faker import Faker  # a third of a second to import: only where names are made

    pools, shares = [], []
    for locale, share in _LOCALES:
        fake = Faker(locale, providers=["faker.providers.person"], use_weighting=False)
        fake.seed_instance(seed)
        first, last = ([make() for _ in range(250)] for make in (fake.first_name, fake.last_name))
        pools.append((first, last))
        shares.append(share)
    while True:
        for first, last in random.choices(pools, shares, k=1000):
            yield f"{random.choice(first)} {random.choice(last)}"


def _email(name: str, number: int) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(letter if letter.isalnum() else " " for letter in ascii_name).split()
    domain = ("com", "org", "net")[number % 3]
    return f"{'.'.join(words) or 'customer'}{number}@example.{domain}"


class _Counter:
    """What one owner sells: products in the order they came in, each with its popularity."""

    def __init__(self, random: Random, products: list[tuple[tuple, list[int]]]) -> None:
        self._products = [
            (row[0], prices, (1, 1, 1, 2, 2, 3, 4, 6, 12) if prices[-1] < 2_000 else (1, 1, 1, 2))
            for row, prices in products
        ]
        self._added = [row[8] for row, _ in products]
        self._popularity = _long_tail(random, len(products), flatness=3)

    def open(self, today: str, era: int) -> None:
        """Put on offer what has come in before `today`, at the prices of the `era`."""
        self._era = era
        self._last = bisect_left(self._added, today) - 1

    def basket(self, chance: Callable[[], float]) -> Basket:
        """What one customer takes: one to eight different products, popular ones more often."""
        products, popularity, last, era = self._products, self._popularity, self._last, self._era
        whole = popularity[last]
        choices = {
            bisect_right(popularity, chance() * whole, 0, last): None
            for _ in range(_LINES_PER_INVOICE[int(chance() * 15)])
        }
        basket = []
        for choice in choices:
            product_id, prices, quantities = products[choice]
            basket.append((product_id, quantities[int(chance() * len(quantities))], prices[era]))
        return basket


def _long_tail(random: Random, count: int, flatness: int) -> list[float]:
    """Cumulative weights 1 ÷ (rank + flatness), the ranks in random order."""
    ranks = list(range(count))
    random.shuffle(ranks)
    return list(accumulate(1 / (rank + flatness) for rank in ranks))


def _sales_per_day(random: Random, count: int) -> list[int]:
    """How many of `count` invoices fall on each day: growing, with weekly and yearly rhythm."""
    weights = []
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        growth = 0.6 + 0.8 * number / DAYS
        weight = growth * _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
        closed = (day.month, day.day) in _CLOSED
        weights.append(0.0 if closed else weight * (0.8 + 0.4 * random.random()))
    cumulated = list(accumulate(weights))
    reached = [int(count * weight / cumulated[-1] + 0.5) for weight in cumulated]
    return [after - before for before, after in zip([0, *reached], reached, strict=False)]


def _sales(
    random: Random,
    random_payments: Random,
    products: list[tuple[tuple, list[int]]],
    customers: Rows,
    count: int,
) -> Iterator[dict[str, Rows]]:
    """Yield invoices with their lines and payments, in chunks, in the order they were issued.

    Every 15th product is never sold, every 12th customer never buys.
    """
    hotels = customers[: len(catalog.STANDING_CUSTOMERS)]
    basket = [
        (row[0], qty, cents)
        for (row, _), (_, _, cents, qty) in zip(products, catalog.STANDING_BASKET, strict=False)
    ]
    sold = products[len(basket) :]
    sold = [pair for position, pair in enumerate(sold) if position % 15 != 14]
    counters = {
        owner: _Counter(random, [pair for pair in sold if pair[0][7] == owner])
        for owner in _OWNER_IDS.values()
    }
    buyers = customers[len(hotels) :]
    buyers = [row for position, row in enumerate(buyers) if position % 12 != 11]
    joined = [row[5] for row in buyers]
    loyalty = _long_tail(random, len(buyers), flatness=5)
    # (customer, owner, how reliably they pay: one in nine is late every other time)
    buyers = [(row[0], row[4], 0.5 if pays_late(row[0]) else 1.0) for row in buyers]
    vat = {_OWNER_IDS[owner.username]: owner.vat_percent for owner in catalog.OWNERS}

    standing_months = min(24, count // 20)
    sales_per_day = _sales_per_day(random, count - standing_months * len(hotels))
    ledger = Ledger(random_payments)
    chance = random.random
    for number, sales in enumerate(sales_per_day):
        day = FIRST_DAY + timedelta(days=number)
        today = day.isoformat()
        months_left = (LAST_DAY.year - day.year) * 12 + LAST_DAY.month - day.month + 1
        if day.day == 1 and months_left <= standing_months:
            for hotel in hotels:
                ledger.sell(hotel[0], hotel[4], f"{today} 00:00:00", basket, vat[hotel[4]])

        active = bisect_left(joined, today)
        newcomers = active // 8 + 1
        loyal = loyalty[active - 1]
        for counter in counters.values():
            counter.open(today, era=bisect_right(PRICE_RISES, day))
        age = DAYS - number
        paid_in_full = 0.93 if age > 90 else 0.8 if age > 30 else 0.55

        seconds = sorted(
            int((_OPENS + _HOURS_OPEN * (chance() + chance()) / 2) * 3600) for _ in range(sales)
        )
        if seconds and (day + timedelta(days=1)).day == 1:
            seconds[-1] = 86_399  # the month's last order comes in just before midnight
        for second in seconds:
            issued = f"{today} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            if chance() < 0.2:  # people buy most when the shop is new to them
                customer, owner, reliability = buyers[active - 1 - int(chance() * newcomers)]
            else:
                customer, owner, reliability = buyers[bisect_right(loyalty, chance() * loyal)]

            luck = chance()
            discount = 10 if luck < 0.06 else 5 if luck < 0.13 else 0
            if chance() < paid_in_full * reliability:
                quarters = 4
            else:
                quarters = int(chance() * 4) if chance() < 0.5 else 0
            ledger.sell(
                *(customer, owner, issued, counters[owner].basket(chance), vat[owner]),
                discount_percent=discount,
                quarters_paid=quarters,
            )
        if len(ledger.invoices) >= _INVOICES_PER_CHUNK or number == DAYS - 1:
            yield ledger.take()
