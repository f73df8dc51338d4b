"""A second, small shop in which every special case is next to its opposite.

An exercise's answer has to be right here as well as in the shop on screen. Two of its owners, Sara
and Rahim, sell the same quantities at the same prices on the same days, and each of their
customers has a twin: so every ranking has ties. It uses words of the default shop ("sara",
"Coffee", "Maria Silva", …), so that a question about one of them can be asked of both.

What a wrong answer may be mistaken for, it tells apart: rows exactly at a limit and next to it,
owners who share the names of products, categories and customers, first names and addresses that
sort unlike usernames, names in capitals, `created_at` that has nothing to do with `issued_at`,
and primary keys with gaps that follow neither dates nor names.

A new case is one more `_sale` in _MORE_SALES, or a name or an instant in the tables above it.
Numbers, lines, due dates and payments follow by themselves.
"""

import json
from random import Random
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection

from seed import catalog, writer
from seed.shop import FIELDS, Ledger, Rows, percent

# For `created_at` and `updated_at`: around the ends of periods, and unlike any `issued_at`.
_CLOCKS = (
    *("2024-06-30 23:00:00", "2024-12-25 10:00:00", "2025-01-01 00:30:00", "2025-05-31 23:30:00"),
    *("2025-06-01 11:00:00", "2025-06-14 16:00:00", "2025-06-30 12:30:00", "2025-07-01 00:10:00"),
    *("2025-12-25 15:00:00", "2026-01-01 09:00:00", "2026-01-03 13:00:00", "2026-05-31 08:00:00"),
    *("2026-06-06 18:00:00", "2026-06-14 12:00:00", "2026-06-28 07:00:00", "2026-06-30 22:00:00"),
)


class _Shop(NamedTuple):
    """One owner's shop; of its products the last two are never sold, nor do the last two
    customers ever buy."""

    username: str
    first_name: str
    last_name: str
    mailbox: str
    vat_percent: int
    categories: tuple[tuple[str, str | None], ...]  # (name, parent)
    products: tuple[tuple[str, int], ...]  # (name, position of its category)
    customers: tuple[str, ...]


# In cents; one for each product of a shop. 100 and 500 exactly, their neighbours, and triplets.
_PRICES = (10_000, 50_000, 50_000, 50_001, 49_999, 20_000, 19_999, 450, 450, 129_900, 50_000, 450)

_SHOPS = (
    _Shop(
        *("sara", "Sara", "Lindqvist", "office", 20),
        (("Coffee", None), ("Beans", "Coffee"), ("Brewing", "Coffee")),
        (
            ("Café crème beans 1 kg", 1),
            ("Espresso No. 7", 1),
            ("ESPRESSO no. 7 sack", 1),
            ("espresso cup", 2),
            ("French press", 2),
            ("Hotel blend sack", 1),
            ("Hotel decaf sack", 1),
            ("Mug", 0),
            ("Green tea", 1),
            ("Two-group espresso machine", 2),
            ("Kettle", 2),
            ("Filters", 2),
        ),
        (
            *("Hotel Ångström", "Hotel Susanna", "Anna Berg", "ANNA BERGMANN"),
            *("Maria Silva", "Maria Silva", "Åsa Öberg", "anna bergson"),
        ),
    ),
    _Shop(
        *("rahim", "রহিম", "উদ্দিন", "kontakt", 20),
        (("Tea & spices", None), ("Tea", "Tea & spices"), ("Gifts", None)),
        (
            ("Green tea", 1),
            ("green tea bags", 1),
            ("GREEN TEA gift box", 2),
            ("চা পাতা", 1),
            ("হলুদ গুঁড়া", 1),
            ("Grand tea set", 2),
            ("Mint", 1),
            ("Oolong", 1),
            ("Sylhet black tea", 1),
            ("Samovar", 2),
            ("Saffron, 10 g", 1),
            ("Chilli", 1),
        ),
        (
            *("Nadia Haque", "Tariq Haque", "মোহাম্মদ করিম", "নুসরাত জাহান"),
            *("Zoë Martin", "Zoé Martin", "Ravi Patel", "Maria Silva"),
        ),
    ),
    _Shop(
        *("tim", "Tim", "O'Brien", "welcome", 5),
        (("Electronics", None), ("Computers", "Electronics"), ("Gifts", None)),
        (
            ("USB cable", 0),
            ("usb hub", 0),
            ("Usb-C charger", 0),
            ("Refurbished office PC", 1),
            ("Studio laptop Pro", 1),
            ("Mini PC", 1),
            ("Headset", 0),
            ("French press", 2),
            ("Mug", 2),
            ("Classroom tablet", 1),
        ),
        (
            *("Aoife O'Neill", "Jürgen Groß", "100 % Computers", "under_score"),
            *("Renée Dubois", "renee dubois", "Ravi Patel", "Zoë Martin"),
        ),
    ),
    # An owner with a category and a customer, but nothing to sell.
    _Shop("jonas", "Jonas", "Müller", "abrasives", 19, (("Tools", None),), (), ("Maria Silva",)),
    # Names of others' products, categories and customers, and a username that begins like Sara's.
    _Shop(
        *("sarah", "Charlotte", "Bradley", "zebra", 0),
        (("Coffee", None), ("Beans", "Coffee"), ("Green beans", "Coffee")),
        (
            ("Espresso No. 7", 1),
            ("Mug", 0),
            ("Hotel blend sack", 1),
            ("Soy beans 1 kg", 2),
            ("Tea caddy", 0),
            ("Grinder", 0),
            ("Small spoon", 2),
            ("Filter paper", 0),
        ),
        (
            *("Hotel Ångström", "Hotel Ångström Nord", "Anna Berg", "MARIA silva"),
            *("maria silva costa", "Ana Maria Silva", "Maria Silva", "Berta Blum"),
            *("Berta Blum", "Berta Blum"),  # a name more than twice
        ),
    ),
    # Products at and around limits, but no customer yet.
    _Shop(
        *("zoe", "Amélie", "Grant", "orange", 20),
        (("Gifts", None), ("Brewing", None)),  # as Sara has one
        (
            *(("Card", 0), ("Pen", 0), ("Mug", 0), ("Lamp", 0), ("Frame", 0), ("Vase", 0)),
            *(("Clock", 0), ("Bowl", 0), ("Rug", 0), ("Print", 0), ("Stool", 0), ("Mirror", 1)),
        ),
        (),
    ),
    _Shop("RAOUL", "Bea", "Ziegler", "info", 20, (), (), ()),  # nothing at all
)

# Prices in cents of the shops that do not sell at `_PRICES`.
_OWN_PRICES = {
    "sarah": (50_000, 10_000, 50_001, 100, 4_000, 10_001, 12_000, 45_000),
    "zoe": (*(100, 99, 300, 301, 10_000, 9_999, 12_000, 12_001, 45_000, 44_999, 50_000, 20_000),),
}

# Who has an address that another condition would find: (owner, name) → address.
_ADDRESSES = {
    ("sara", "Maria Silva"): "anna.silva@example.com",
    ("sara", "Anna Berg"): "berg@example.com",
    ("sara", "Hotel Susanna"): "info@beans.org.example.com",
    ("sarah", "Ana Maria Silva"): "annals@example.org",
}

# The last piece, which is not yet sold out; and what is sold out besides.
_STOCKS = {
    **{("zoe", "Pen"): 1, ("sara", "Hotel blend sack"): 1},
    **dict.fromkeys((("sara", "Kettle"), ("sara", "Filters"), ("tim", "Headset")), 0),
}

_ATTRIBUTES = (
    {},
    {"organic": True, "tags": []},
    {"organic": False, "tags": ["new", "gift"]},
    {"organic": None},
    {"origin": {"country": "Bangladesh", "region": None}, "tags": ["gift"]},
    {"colour": "blue", "ports": ["usb-c", "hdmi"], "screen": {"inches": 13.3}},
    {"colour": None, "ram_gb": 16},
    {"tags": None},
)

# Where periods begin and end; the first and the last moment belong to one invoice each.
_FIRST, _LAST = "2024-07-01 00:00:00", "2026-06-30 23:59:59"
_INSTANTS = (
    "2024-12-31 23:59:59",
    "2025-01-01 00:00:00",
    "2025-06-01 00:00:00",
    "2025-06-15 12:00:00",
    "2025-06-30 23:59:59",
    "2025-07-01 00:00:00",
    "2025-12-31 23:59:59",
    "2026-01-02 00:00:00",  # and nothing on New Year's Day
    "2026-02-28 23:59:59",
    "2026-05-31 23:59:59",
    "2026-06-01 00:00:00",
    "2026-06-15 12:00:00",
)


class _Sale(NamedTuple):
    """One more invoice, with a case of its own. Its number, lines and payments follow from it."""

    shop: str
    customer: int  # position in the shop's customers
    issued: str
    basket: tuple[tuple[int, int], ...]  # (position in the shop's products, quantity)
    options: dict[str, Any]  # further arguments of Ledger.sell()


def _sale(shop: str, customer: int, issued: str, *basket: tuple[int, int], **options) -> _Sale:
    return _Sale(shop, customer, issued, basket, options)


def _twins(*arguments, **options) -> tuple[_Sale, _Sale]:
    """The same sale of Sara and of Rahim, so that ties stay ties."""
    return _sale("sara", *arguments, **options), _sale("rahim", *arguments, **options)


_MORE_SALES = (
    _sale("tim", 0, _FIRST, (0, 1)),
    _sale("tim", 0, _LAST, (0, 1)),
    # Without any line.
    _sale("tim", 1, "2025-06-15 12:00:00"),
    _sale("tim", 1, "2026-06-15 12:00:00"),
    # Issued in one year, written down in the next.
    *_twins(0, "2025-12-31 18:00:00", (0, 1), (7, 2), created="2026-01-02 09:00:00"),
    # Void: never paid; paid and refunded; on the day of issue.
    *_twins(
        *(1, "2026-06-10 09:00:00", (1, 2)),
        quarters_paid=0,
        void=("2026-06-11 09:30:00", "Ordered twice"),
    ),
    *_twins(
        *(2, "2025-12-05 10:00:00", (0, 1), (2, 1)),
        void=("2026-03-05 11:00:00", "Goods arrived damaged"),
    ),
    _sale(
        *("tim", 3, "2026-06-20 15:00:00", (3, 1)),
        quarters_paid=0,
        void=("2026-06-20 15:10:00", "Wrong customer"),
    ),
    # Refunded: a quarter of what was paid; all of a part payment.
    *_twins(3, "2026-03-05 12:00:00", (7, 3), refund=("2026-06-19 10:00:00", 1)),
    _sale(
        *("tim", 2, "2026-03-12 12:00:00", (6, 2)),
        quarters_paid=2,
        refund=("2026-06-25 10:00:00", 2),
    ),
    # Issued first and due last; two open invoices of one customer.
    *_twins(4, "2026-06-02 09:00:00", (1, 1), quarters_paid=0, due="2026-08-31"),
    *_twins(4, "2026-06-03 09:00:00", (4, 2), quarters_paid=1),
    # At and next to the limits that questions name.
    _sale("sarah", 0, "2025-12-25 09:30:00", (3, 1), (1, 2), quarters_paid=3),
    _sale("sarah", 0, "2026-02-14 13:00:00", quarters_paid=0),
    _sale("sarah", 0, "2026-02-15 13:00:00", (0, 6), discount_percent=10),  # large, discounted
    _sale("sarah", 1, "2025-06-15 12:00:00", (0, 1), quarters_paid=0),  # 500 exactly, unpaid
    _sale("sarah", 1, "2025-03-01 11:59:59", (2, 1), quarters_paid=0),  # 500.01
    _sale("sarah", 2, "2025-03-01 12:00:00", (0, 4)),  # 2,000 exactly
    _sale("sarah", 3, "2025-03-02 23:59:59", (1, 10), discount_percent=10, quarters_paid=2),  # 100
    _sale("sarah", 3, "2026-06-29 00:00:00", (0, 1), (3, 1), quarters_paid=1),
    _sale("sarah", 4, "2025-02-28 12:30:00", (2, 4), quarters_paid=1),  # 2,000.04
    _sale("sarah", 5, "2025-02-28 11:30:00", (5, 1), discount_percent=1),
    _sale("sarah", 5, "2025-12-25 20:00:00", (0, 1), (2, 1), quarters_paid=3),
    _sale("sarah", 5, "2026-06-30 18:00:00", (5, 1), quarters_paid=0),  # the last day of June
    _sale("sarah", 1, "2025-12-25 23:59:59", (0, 1), (2, 1), quarters_paid=2),  # as much again
)


def build(shuffle: int | None = 2) -> None:
    """Replace all rows of the shop, on the current connection, with the small shop.

    Call it inside a transaction, which is the caller's to roll back. With another `shuffle` number
    the same rows come in another order with other primary keys, and right answers lean on neither;
    with None they come in the order of this file, numbered from 1.
    """
    tables = _tables()
    if shuffle is not None:
        _shuffle(tables, Random(shuffle))
    writer.delete_all(connection)
    for name, rows in tables.items():
        writer.insert(connection, name, rows)
    writer.advance_sequences(connection)


def _tables() -> dict[str, Rows]:
    tables: dict[str, Rows] = {name: [] for name in FIELDS}
    ledger = Ledger(Random("payments"))
    opened = {shop.username: _open(tables, shop) for shop in _SHOPS}
    for open_shop in opened.values():
        _trade(ledger, open_shop)
    for sale in _MORE_SALES:
        shop, owner, products, customers = opened[sale.shop]
        basket = [(products[i][0], qty, products[i][1]) for i, qty in sale.basket]
        customer, vat_percent = customers[sale.customer], shop.vat_percent
        ledger.sell(customer, owner, sale.issued, basket, vat_percent, **sale.options)
    tables |= ledger.take()
    _set_clocks(tables, Random(4))
    return tables


def _set_clocks(tables: dict[str, Rows], random: Random) -> None:
    """Give each row a `created_at` and `updated_at` that agree with none of its other fields."""
    for name, rows in tables.items():
        at = FIELDS[name].index("created_at")
        for number, row in enumerate(rows):
            created, updated = sorted(random.sample(_CLOCKS, 2))
            rows[number] = (*row[:at], created, updated, *row[at + 2 :])


class _Opened(NamedTuple):
    """A shop whose owner, categories, products and customers have their keys."""

    shop: _Shop
    owner: int
    products: list[tuple[int, int]]  # (key, price in cents)
    customers: list[int]


def _open(tables: dict[str, Rows], shop: _Shop) -> _Opened:
    users, categories, products, customers = list(tables.values())[:4]
    owner = len(users) + 1
    users.append(
        (
            *(owner, shop.username, shop.first_name, shop.last_name),
            *(f"{shop.mailbox}@example.com", f"+1 202 555 {owner:04}", catalog.PASSWORD_HASH),
            *(0, owner == 1, owner == 1, True, None, "", ""),
        )
    )
    category_ids: dict[str | None, int] = {}
    for name, parent in shop.categories:
        category_ids[name] = len(categories) + 1
        # A top category has a description and the others have none, but for one of each.
        described = (parent is None) == (name not in {"Tools", "Green beans"})
        description = f"{name} of all kinds." if described else ""
        parent_id = category_ids.get(parent)
        categories.append((category_ids[name], name, description, parent_id, owner, "", ""))
    goods = []
    for position, (name, category) in enumerate(shop.products):
        number, cents = len(products) + 1, _OWN_PRICES.get(shop.username, _PRICES)[position]
        stock = 0 if position % 5 == 3 else 10 * (position % 4)
        stock = _STOCKS.get((shop.username, name), stock)
        attributes = json.dumps(_ATTRIBUTES[number % len(_ATTRIBUTES)])
        unit = "pair" if name == "Headset" else ("piece", "box", "kg")[position % 3]
        category_id = category_ids[shop.categories[category][0]]
        products.append(
            (
                *(number, name, cents / 100, unit, stock, attributes, category_id, owner),
                *("", ""),
            )
        )
        goods.append((number, cents))
    buyers = []
    for position, name in enumerate(shop.customers):
        number = len(customers) + 1
        email = f"{shop.username}.{position // 2}@example.{('com', 'org')[position % 4 // 2]}"
        email = _ADDRESSES.get((shop.username, name), email)
        mobile = f"+1 303 555 {number:04}"
        customers.append((number, name, email, mobile, owner, "", ""))
        buyers.append(number)
    return _Opened(shop, owner, goods, buyers)


def _trade(ledger: Ledger, opened: _Opened) -> None:
    """Sell on each of the _INSTANTS, but for the last two products, to all but two customers."""
    shop, owner, goods, buyers = opened
    if not goods or not buyers or shop.username == "sarah":
        return
    random = Random(7)  # the same for each shop: equal sales, and so ties
    goods, buyers = goods[:-2], buyers[:-2]
    for turn, instant in enumerate(_INSTANTS):
        basket = [
            (
                product,
                random.randrange(1, 4),
                cents if random.random() < 0.7 else percent(cents, 90),
            )
            for product, cents in random.sample(goods, k=random.choice((1, 2, 3, 3)))
        ]
        pair = turn * 2 % len(buyers)
        discount, quarters = (0, 10, 0, 5, 0, 100, 0)[turn % 7], (4, 0, 2, 4, 0)[turn % 5]
        for customer in buyers[pair : pair + 2]:
            ledger.sell(customer, owner, instant, basket, shop.vat_percent, discount, quarters)


def _shuffle(tables: dict[str, Rows], random: Random) -> None:
    """Renumber the rows of each table, and whatever refers to them, and reorder them."""
    numbers: dict[str, dict[int | None, int | None]] = {}
    for name, rows in tables.items():
        ids = [row[0] for row in rows]
        others = random.sample(range(1, 3 * len(ids) + 1), len(ids))
        numbers[name] = {None: None, **dict(zip(ids, others, strict=True))}
    for name, rows in tables.items():
        meta = apps.get_model("shopdb", name)._meta
        targets = [meta.get_field(field).related_model for field in FIELDS[name]]
        renamed = [numbers[target.__name__] if target else None for target in targets]
        renamed[0] = numbers[name]
        rows[:] = [
            tuple(
                value if new is None else new[value]
                for value, new in zip(row, renamed, strict=True)
            )
            for row in random.sample(rows, len(rows))
        ]
    parent = FIELDS["Category"].index("parent")  # MySQL wants parents before their children
    tables["Category"].sort(key=lambda row: row[parent] is not None)
