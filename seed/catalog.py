"""What the shop's six owners sell, and to whom: the words that the generated rows are made of.

Faker has no commerce vocabulary, so this is ours. Prices are in cents.
"""

from typing import NamedTuple

PASSWORD = "learn-django"
# That password, hashed once with Django 6.1's default hasher (PBKDF2, 1,500,000 rounds): hashing
# it again on each seed would cost a second, and a fresh salt would make each shop another one.
PASSWORD_HASH = (
    "pbkdf2_sha256$1500000$demoOwnersOfTheShop00$ch4zwqxEJEdpg0sWsl9VVglXCzIIa9hMYzOjs9hl1AE="
)


class Owner(NamedTuple):
    """A user of the project, who runs a shop."""

    username: str
    first_name: str
    last_name: str
    vat_percent: int
    is_superuser: bool = False


class Shelf(NamedTuple):
    """A category, and the products it can hold: every style × noun × size is a name."""

    owner: str
    name: str
    parent: str | None
    description: str
    unit: str = ""
    prices: tuple[int, ...] = ()
    nouns: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ("",)
    staples: tuple[tuple[str, int], ...] = ()  # (name, price): always there, whatever the scale
    attributes: dict[str, tuple] = {}


class Person(NamedTuple):
    """A customer who is always there, whatever the scale."""

    name: str
    email: str
    owner: str


# Three usernames contain "ra", three do not.
OWNERS = (
    Owner("sara", "Sara", "Lindqvist", 20, is_superuser=True),
    Owner("rahim", "রহিম", "উদ্দিন", 15),
    Owner("jonas", "Jonas", "Müller", 19),
    Owner("chloe", "Chloé", "Béranger", 20),
    Owner("clara", "Clara", "de la Cruz", 5),
    Owner("tim", "Tim", "O'Brien", 20),
)

COLOURS = ("black", "white", "blue", "green", "red", "grey", None)
TAGS = ((), ("new",), ("gift",), ("sale", "gift"), ("bestseller", "new"))

SHELVES = (
    # Sara: coffee
    Shelf("sara", "Coffee", None, "Beans, ground coffee and what goes with it."),
    Shelf(
        "sara",
        "Beans",
        "Coffee",
        "Roasted every Tuesday.",
        "bag",
        (690, 850, 990, 1250, 1490, 1890, 2400),
        ("espresso", "filter roast", "house blend", "decaf", "peaberry", "breakfast roast"),
        ("Ethiopian", "Colombian", "Sumatran", "Kenyan", "Guatemalan", "Brazilian", "Honduran"),
        ("250 g", "500 g", "1 kg"),
        (("Café crème beans 1 kg", 1890), ("Espresso No. 7", 1490), ("ESPRESSO no. 7 sack", 10000)),
        {
            "organic": (True, False),
            "roast": ("light", "medium", "dark"),
            "origin": (
                {"country": "Ethiopia", "altitude_m": 1900},
                {"country": "Colombia", "altitude_m": 1650},
                {"country": "Kenya", "altitude_m": None},
            ),
            "tags": TAGS,
        },
    ),
    Shelf(
        "sara",
        "Brewing",
        "Coffee",
        "",
        "piece",
        (450, 990, 1990, 2900, 3490, 4900, 8900),
        ("dripper", "grinder", "kettle", "server", "scale", "French press", "paper filters"),
        ("Ceramic", "Steel", "Glass", "Copper", "Travel", "Classic"),
        ("", "small", "large"),
        (
            ("Kettle with thermometer", 10000),
            ("French press", 2900),
            ("Two-group espresso machine", 129900),
        ),
        {"material": ("ceramic", "steel", "glass"), "capacity_ml": (250, 600, 1000), "tags": TAGS},
    ),
    # Rahim: tea and spices
    Shelf("rahim", "Tea & spices", None, "From Sylhet, Assam and further."),
    Shelf(
        "rahim",
        "Tea",
        "Tea & spices",
        "Loose leaves and bags; ask for the first flush.",
        "box",
        (320, 450, 450, 590, 790, 1090, 1650),
        ("black tea", "white tea", "oolong", "breakfast tea", "chai", "rooibos"),
        ("Sylhet", "Assam", "Nilgiri", "Ceylon", "Darjeeling", "Smoked", "Mint"),
        ("50 g", "100 g", "20 bags", "tin"),
        (("Green tea", 450), ("green tea bags", 320), ("GREEN TEA gift box", 1650), ("চা পাতা", 590)),
        {
            "organic": (True, False),
            "origin": (
                {"country": "Bangladesh", "region": "Sylhet"},
                {"country": "India", "region": "Assam"},
                {"country": "Sri Lanka"},
            ),
            "caffeine_mg": (20, 35, 50, None),
            "tags": TAGS,
        },
    ),
    Shelf(
        "rahim",
        "Spices",
        "Tea & spices",
        "Whole and ground.",
        "jar",
        (190, 240, 290, 350, 420, 690),
        ("cumin", "turmeric", "coriander", "cloves", "pepper", "chilli", "ginger"),
        ("Ground", "Whole", "Roasted", "Wild", "Smoked"),
        ("40 g", "100 g", "250 g", "refill"),
        (("Saffron, 10 g", 10000), ("হলুদ গুঁড়া", 240)),
        {"organic": (True, False), "heat": (0, 1, 2, 3), "tags": TAGS},
    ),
    Shelf(
        "rahim",
        "Gifts",
        "Tea & spices",
        "",
        "set",
        (1900, 2500, 2900, 3900),
        ("tea set", "spice box", "tasting box", "mug set"),
        ("Sylhet", "Festive", "Little", "Grand", "Morning"),
        ("", "for two", "for four"),
        (),
        {"tags": TAGS, "gift_wrap": (True, False)},
    ),
    # Jonas: tools
    Shelf("jonas", "Tools", None, "Tools that can be repaired."),
    Shelf(
        "jonas",
        "Hand tools",
        "Tools",
        "Forged, sharpened, tested.",
        "piece",
        (790, 1290, 1690, 2490, 3290, 4500),
        ("hammer", "chisel", "plane", "screwdriver", "pliers", "square", "clamp"),
        ("Joiner's", "Fitter's", "Japanese", "Long", "Stubby"),
        ("", "8 mm", "12 mm", "20 mm"),
        (("Über-long folding rule", 1290), ("Japanese pull saw", 4500)),
        {"weight_g": (180, 350, 600, 1200), "material": ("steel", "beech", "ash"), "tags": TAGS},
    ),
    Shelf(
        "jonas",
        "Power tools",
        "Tools",
        "With and without a cord.",
        "piece",
        (7900, 9900, 14900, 19900, 29900, 44900),
        ("drill", "jigsaw", "sander", "router", "planer", "mitre saw"),
        ("Cordless", "Compact", "Workshop", "Heavy-duty", "Quiet"),
        ("", "12 V", "18 V", "230 V"),
        (("Cordless drill, with case", 10000), ("Table saw", 50000), ("Bench planer", 74900)),
        {
            "power": ({"watts": 600}, {"watts": 1200, "volts": 230}, {"watts": 400, "volts": 18}),
            "cordless": (True, False),
            "tags": TAGS,
        },
    ),
    Shelf(
        "jonas",
        "Fixings",
        "Tools",
        "",
        "box of 100",
        (250, 320, 320, 480, 650, 890),
        ("wood screws", "bolts", "nails", "wall plugs", "washers", "hooks"),
        ("Brass", "Steel", "Stainless", "Black"),
        ("3 mm", "4 mm", "5 mm", "6 mm", "8 mm"),
        (),
        {"length_mm": (20, 30, 40, 60, 80)},
    ),
    # Chloé: kitchen
    Shelf("chloe", "Kitchen", None, "For people who cook every day."),
    Shelf(
        "chloe",
        "Cookware",
        "Kitchen",
        "Pots and pans.",
        "piece",
        (2900, 3900, 5900, 7900, 9900, 12900),
        ("pan", "casserole", "pot", "wok", "roasting tin", "lid"),
        ("Iron", "Copper", "Steel", "Enamelled", "Non-stick"),
        ("20 cm", "24 cm", "28 cm"),
        (("Crêpe pan", 2900), ("Copper confiture pot", 50000), ("Cast iron cocotte", 19900)),
        {"colour": COLOURS, "diameter_cm": (20, 24, 28), "induction": (True, False), "tags": TAGS},
    ),
    Shelf(
        "chloe",
        "Tableware",
        "Kitchen",
        "Plates, bowls and glasses, also one by one.",
        "piece",
        (390, 490, 690, 690, 950, 1290),
        ("plate", "bowl", "mug", "tumbler", "jug", "dish"),
        ("Blue-rimmed", "White", "Speckled", "Fluted", "Glazed"),
        ("small", "medium", "large"),
        (("Bol à thé", 690), ("French press", 3490)),
        {"colour": COLOURS, "dishwasher": (True, False), "size": ({"w": 12, "h": 9}, {"w": 26})},
    ),
    # Clara: paper
    Shelf("clara", "Paper & desk", None, ""),
    Shelf(
        "clara",
        "Notebooks",
        "Paper & desk",
        "Sewn, so that they open flat.",
        "piece",
        (250, 350, 495, 495, 750, 1200),
        ("notebook", "sketchbook", "diary", "journal", "planner"),
        ("Dotted", "Lined", "Plain", "Squared", "Pocket"),
        ("A6", "A5", "A4"),
        (("Cuaderno de viaje", 495), ("notebook refill", 250)),
        {"pages": (64, 96, 128, 192), "colour": COLOURS, "tags": TAGS},
    ),
    Shelf(
        "clara",
        "Pens",
        "Paper & desk",
        "Ink in forty colours.",
        "piece",
        (120, 180, 180, 290, 650, 2400),
        ("pen", "pencil", "rollerball", "fineliner", "marker", "brush pen"),
        ("Blue", "Black", "Green", "Violet", "Sepia"),
        ("0.3", "0.5", "0.7"),
        (("Fountain pen, gold nib", 10000), ("Gifts voucher", 5000)),
        {"ink": ("gel", "oil", "water", None), "refillable": (True, False)},
    ),
    # Tim: electronics
    Shelf("tim", "Electronics", None, "Second-hand and new, with two years of warranty."),
    Shelf(
        "tim",
        "Accessories",
        "Electronics",
        "Cables and chargers.",
        "piece",
        (690, 990, 1490, 1990, 2990, 4990),
        ("charger", "cable", "keyboard", "mouse", "headset", "hub", "stand"),
        ("Slim", "Braided", "Quiet", "Foldable", "Dual"),
        ("", "1 m", "2 m", "Mini"),
        (("USB cable", 690), ("usb hub", 1990), ("Usb-C charger", 2990)),
        {"colour": COLOURS, "ports": (["usb-c"], ["usb-c", "usb-a"], ["hdmi", "usb-c", "usb-a"])},
    ),
    Shelf(
        "tim",
        "Computers",
        "Electronics",
        "Tested for a week before they are sold.",
        "piece",
        (24900, 34900, 49900, 59900, 79900, 99900, 129900),
        ("laptop", "tablet", "monitor", "mini PC", "workstation"),
        ("Refurbished", "Student", "Studio", "Silent", "Field"),
        ("13 inch", "14 inch", "16 inch"),
        (
            ("Classroom tablet", 10000),
            ("Refurbished office PC", 50000),
            ("Studio laptop Pro", 129900),
        ),
        {
            "ram_gb": (8, 16, 32),
            "screen": ({"inches": 13.3}, {"inches": 15.6, "hz": 120}, {"inches": 27, "hz": None}),
            "ports": (["usb-c"], ["usb-c", "hdmi"], []),
            "tags": TAGS,
        },
    ),
)

# Two hotels order the same basket at midnight on the first of every month, and nobody else buys
# these products: so rankings of customers, products and invoices have ties, also at the top.
STANDING_CUSTOMERS = (
    Person("Hotel Ångström", "kitchen@angstrom.example.com", "sara"),
    Person("Hotel Belle Époque", "orders@belle-epoque.example.com", "sara"),
)
STANDING_BASKET = (("Hotel blend sack", "sack", 12000, 12), ("Hotel decaf sack", "sack", 12000, 12))

# Accents, other scripts, an apostrophe, prefixes that differ in case only, one name twice, one
# address shared by two people.
PEOPLE = (
    Person("Åsa Öberg", "asa.oberg@example.org", "sara"),
    Person("Renée Dubois", "renee.dubois@example.com", "chloe"),
    Person("Jürgen Groß", "juergen.gross@example.net", "jonas"),
    Person("মোহাম্মদ করিম", "karim@example.com", "rahim"),
    Person("নুসরাত জাহান", "nusrat@example.org", "rahim"),
    Person("Aoife O'Neill", "aoife.oneill@example.net", "tim"),
    Person("Anna Berg", "anna.berg@example.com", "sara"),
    Person("ANNA BERGMANN", "bergmann@example.org", "jonas"),
    Person("anna bergson", "bergson@example.net", "clara"),
    Person("Maria Silva", "maria.silva@example.com", "clara"),
    Person("Maria Silva", "m.silva@example.net", "clara"),
    Person("Nadia Haque", "family.haque@example.com", "rahim"),
    Person("Tariq Haque", "family.haque@example.com", "rahim"),
    Person("Zoë Martin", "zoe.martin@example.org", "chloe"),
    Person("Ravi Patel", "ravi.patel@example.com", "tim"),
)
