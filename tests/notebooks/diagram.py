"""The picture of the shop's models: drawn from the models, for chapter 00 and the README.

`python -m tests.notebooks.diagram` draws it. It is a light card, the same on light and dark pages,
on the web and in every editor. In the file is also what it shows, as text, for the suite to compare
with the models.
"""

import base64
import io
from itertools import pairwise

import nbformat

from .chapters import FOLDER, dump

FILE = FOLDER / "images" / "shop.png"
CHAPTER = FOLDER / "00_start_here.ipynb"
# Where each model's box has its centre, and the fields in it that tell most.
BOXES = {
    "User": ((0.75, 2.35), ["username", "email"]),
    "Category": ((3.3, 3.75), ["name"]),
    "Product": ((6.0, 3.75), ["name", "price", "stock"]),
    "InvoiceProduct": ((9.0, 2.9), ["qty", "sale_price"]),
    "Customer": ((3.3, 1.25), ["name", "email"]),
    "Invoice": ((6.0, 1.25), ["number", "total", "issued_at"]),
    "Payment": ((9.0, 0.85), ["amount", "method"]),
}
# Every model but User has one: in the picture, one line for all of them.
OWNER = "username"
# The way of each line, from the one to the many; a corner is a point between the two ends.
LINES = {
    ("Category", "parent", "Category"): [(2.68, "top"), (2.68, 4.6), (3.88, 4.6), (3.88, "top")],
    ("Category", "category", "Product"): [("right", 3.75), ("left", 3.75)],
    ("Product", "product", "InvoiceProduct"): [("right", 3.75), (9.0, 3.75), (9.0, "top")],
    ("Customer", "customer", "Invoice"): [("right", 1.25), ("left", 1.25)],
    ("Invoice", "invoice", "InvoiceProduct"): [("right", 1.5), (8.6, 1.5), (8.6, "bottom")],
    ("Invoice", "invoice", "Payment"): [("right", 0.85), ("left", 0.85)],
    ("Customer", "customer", "InvoiceProduct"): [
        (3.3, "bottom"),
        (3.3, 0.1),
        (10.4, 0.1),
        (10.4, 2.9),
        ("right", 2.9),
    ],
    ("Product", "products", "Invoice"): [(6.0, "bottom"), (6.0, "top")],
}
INK, LINE, BOX, QUIET = "#1f2328", "#5b6b88", "#e9eff9", "#59636e"


def relations() -> dict[tuple[str, str, str], str]:
    """(the one, the field, the many) → "null", "" or "many to many", as the models are now."""
    from django.apps import apps
    from django.db.models import ForeignKey

    models = list(apps.get_app_config("shopdb").get_models())
    found = {}
    for model in models:
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.name != OWNER:
                key = field.related_model.__name__, field.name, model.__name__
                found[key] = "null" if field.null else ""
        for field in model._meta.local_many_to_many:
            if field.related_model in models:  # a user's groups and permissions are not ours
                key = field.related_model.__name__, field.name, model.__name__
                found[key] = "many to many"
    return found


def described() -> str:
    """What the picture shows, as text: changes when it has to be drawn again."""
    lines = [f"{name} {place} {', '.join(fields)}" for name, (place, fields) in BOXES.items()]
    for (one, field, many), kind in sorted(relations().items()):
        lines.append(f"{one} <- {many}.{field} {kind} {LINES.get((one, field, many))}".strip())
    return "\n".join(lines)


def draw() -> bytes:
    """The picture as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    figure = Figure(figsize=(11, 5.4), dpi=130)
    FigureCanvasAgg(figure)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.25, 10.85), ylim=(-0.3, 5.2))
    axes.axis("off")

    def box(x, y, width, height, **style):
        corner = "round,pad=0,rounding_size=0.08"
        axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=corner, **style))

    box(-0.22, -0.27, 11.04, 5.44, facecolor="white", edgecolor="#d0d7de", linewidth=1)
    box(
        2.3, -0.08, 8.33, 5.02, facecolor="none", edgecolor=LINE, linewidth=1, linestyle=(0, (4, 3))
    )
    axes.plot([sides("User")["right"], 2.3], [2.35, 2.35], color=LINE, linewidth=1.3)
    _crows_foot(axes, (2.1, 2.35), (2.3, 2.35))
    axes.text(1.88, 2.52, OWNER, ha="center", va="center", color=QUIET, fontsize=9.5)
    for key, kind in relations().items():
        _line(axes, key, kind)
    for name, (_, fields) in BOXES.items():
        edge = sides(name)
        width, height = edge["right"] - edge["left"], edge["top"] - edge["bottom"]
        box(
            edge["left"],
            edge["bottom"],
            width,
            height,
            facecolor=BOX,
            edgecolor=LINE,
            linewidth=1.2,
        )
        middle = (edge["left"] + edge["right"]) / 2
        axes.text(middle, edge["top"] - 0.2, name, ha="center", va="center", color=INK,
                  fontsize=12, fontweight="bold")  # fmt: skip
        for place, field in enumerate(fields):
            y = edge["top"] - 0.5 - 0.24 * place
            axes.text(middle, y, field, ha="center", va="center", color=INK, fontsize=10)
    full = io.BytesIO()
    figure.savefig(full, format="png")
    said = PngInfo()
    said.add_text("Description", described())
    small = io.BytesIO()
    Image.open(full).quantize(64).save(small, format="png", optimize=True, pnginfo=said)
    return small.getvalue()


def sides(name: str) -> dict[str, float]:
    """Where the sides of a model's box are."""
    (x, y), fields = BOXES[name]
    width, height = max(1.5, 0.135 * len(name)), 0.5 + 0.24 * len(fields)
    return {
        "left": x - width / 2,
        "right": x + width / 2,
        "bottom": y - height / 2,
        "top": y + height / 2,
    }


def _line(axes, key: tuple[str, str, str], kind: str) -> None:
    one, field, many = key
    way = LINES[key]
    points = []
    for place, (x, y) in enumerate(way):
        edge = sides(one if place == 0 else many)
        points.append((edge.get(x, x), edge.get(y, y)))
    style = {"linestyle": (0, (1, 1.5))} if kind == "many to many" else {}
    axes.plot(*zip(*points, strict=True), color=LINE, linewidth=1.3, **style)
    _crows_foot(axes, points[-2], points[-1])
    if kind == "many to many":
        _crows_foot(axes, points[1], points[0])
    longest = max(pairwise(points), key=lambda ends: _length(*ends))
    x, y = ((a + b) / 2 for a, b in zip(*longest, strict=True))
    label = field if kind != "null" else f"{field} (or NULL)"
    axes.text(x, y + 0.03, label, ha="center", va="center", color=QUIET, fontsize=9.5,
              bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip


def _crows_foot(axes, before: tuple[float, float], end: tuple[float, float]) -> None:
    """Three toes at the end of a line: many."""
    (x0, y0), (x1, y1) = before, end
    length = _length(before, end)
    dx, dy = (x1 - x0) / length * 0.2, (y1 - y0) / length * 0.2
    for side in (-0.6, 0.6):
        axes.plot([x1 - dx, x1 - dy * side], [y1 - dy, y1 + dx * side], color=LINE, linewidth=1.3)


def _length(one: tuple[float, float], other: tuple[float, float]) -> float:
    return ((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5


def shown(png: bytes) -> str:
    """What a picture says it shows."""
    from PIL import Image

    return Image.open(io.BytesIO(png)).text.get("Description", "")


def attached() -> bytes:
    """The picture that chapter 00 carries in it."""
    for cell in nbformat.read(CHAPTER, as_version=4).cells:
        if FILE.name in cell.get("attachments", {}):
            return base64.b64decode(cell.attachments[FILE.name]["image/png"])
    return b""


def write() -> None:
    """Put the picture into its file and into chapter 00, where `attachment:shop.png` names it."""
    png = draw()
    FILE.write_bytes(png)
    notebook = nbformat.read(CHAPTER, as_version=4)
    for cell in notebook.cells:
        if f"attachment:{FILE.name}" in cell.source:
            cell.attachments = {FILE.name: {"image/png": base64.b64encode(png).decode()}}
    CHAPTER.write_text(dump(notebook), encoding="utf-8")


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopdb.settings")
    django.setup()
    write()
