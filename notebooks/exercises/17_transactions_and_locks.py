"""Exercises of chapter 17: the tasks are in the notebook of the same name."""

from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.test import TestCase

from shopdb.models import Category, Invoice, Product, User
from workbook.exercises import exercise, near_miss, wrong_choices


@exercise(
    "17.1",
    stars=1,
    prediction=True,
    hints=[
        "Which blocks does the exception leave?",
        "It leaves the inner block, and is caught before it reaches the outer one.",
        "So one `add()` is undone.",
    ],
)
def four_categories():
    """3. The exception leaves the first inner block, so "Cups" is undone with its savepoint. It is
    caught outside of that block, so the outer one goes on and commits.
    """
    sara = User.objects.get(username="sara")
    before = Category.objects.count()

    def add(name):
        Category.objects.create(name=name, username=sara)

    with transaction.atomic():
        add("Syrups")
        try:
            with transaction.atomic():
                add("Cups")
                raise ValueError
        except ValueError:
            pass
        with transaction.atomic():
            add("Sugar")
        add("Spoons")
    return Category.objects.count() - before


@near_miss("17.1", 'The exception leaves the block that "Cups" is in, so "Cups" is undone.')
def _():
    return 4


@near_miss("17.1", "The exception is caught inside of the outer block, so that one commits.")
def _():
    return 0


@near_miss(
    "17.1", "After the `except`, the outer block goes on: the later categories are added, too."
)
def _():
    return 1


@near_miss("17.1", "`add()` is called four times, and no call adds more than one category.")
def _():
    return 5


@near_miss(
    "17.1", "Only the block with the exception is undone. Count what is in the other blocks."
)
def _():
    return 2


@exercise(
    "17.2",
    stars=2,
    leaves=lambda: Category.objects.annotate(products_in_it=Count("products")).values_list(
        "name", "username__username", "parent__name", "products_in_it"
    ),
    hints=[
        "The database refuses a second category of the same name for one owner.",
        "An error inside a block breaks the block. What does an inner block do about it?",
        "`try:` outside, `with transaction.atomic():` inside, for each name.",
    ],
)
def import_categories():
    """Each category has a savepoint of its own, so a refused one is undone alone. `get_or_create()`
    looks first, then does the same. Or leave it to one statement: `bulk_create(…, ignore_conflicts=True)`.
    """
    sara = User.objects.get(username="sara")
    with transaction.atomic():
        for name in ["Beans", "Gifts", "Brewing", "Cups"]:
            try:
                with transaction.atomic():
                    Category.objects.create(name=name, username=sara)
            except IntegrityError:
                pass


@near_miss(
    "17.2",
    "`break` ends the loop at the first category that Sara has already. The others still have "
    "their turn.",
    sign=r"\bbreak\b",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ["Beans", "Gifts", "Brewing", "Cups"]:
        try:
            with transaction.atomic():
                Category.objects.create(name=name, username=sara)
        except IntegrityError:
            break


@near_miss(
    "17.2",
    "A category needs its owner: without `username`, the database refuses every one of them.",
    sign=r"create\(name=\w+\)",
)
def _():
    for name in ["Beans", "Gifts", "Brewing", "Cups"]:
        try:
            with transaction.atomic():
                Category.objects.create(name=name)
        except IntegrityError:
            pass


@near_miss(
    "17.2",
    "Nothing is added: an error undoes everything in its block. Put an inner block around each "
    "`create()`.",
    sign=r"(?s)try:.*atomic",
)
def _():
    sara = User.objects.get(username="sara")
    try:
        with transaction.atomic():
            for name in ["Beans", "Gifts", "Brewing", "Cups"]:
                Category.objects.create(name=name, username=sara)
    except IntegrityError:
        pass


@near_miss(
    "17.2",
    "The error is caught inside of the block that it broke, so the next query is refused. Catch it "
    "around an inner `atomic()`.",
    sign=r"except",
)
def _():
    sara = User.objects.get(username="sara")
    with transaction.atomic():
        for name in ["Beans", "Gifts", "Brewing", "Cups"]:
            try:
                Category.objects.create(name=name, username=sara)
            except IntegrityError:
                pass


@near_miss(
    "17.2",
    "Nothing catches the `IntegrityError` of a category that Sara has already.",
    sign=r"(?s)\A(?!.*except)",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ["Beans", "Gifts", "Brewing", "Cups"]:
        Category.objects.create(name=name, username=sara)


@near_miss(
    "17.2",
    '"Gifts" is missing: another owner\'s category of that name is no reason to leave it out.',
)
def _():
    sara = User.objects.get(username="sara")
    for name in ["Beans", "Gifts", "Brewing", "Cups"]:
        if not Category.objects.filter(name=name).exists():
            Category.objects.create(name=name, username=sara)


@near_miss(
    "17.2",
    "`delete()` took a category that Sara had before: leave those as they are.",
    sign=r"\.delete\(",
)
def _():
    sara = User.objects.get(username="sara")
    names = ["Beans", "Gifts", "Brewing", "Cups"]
    Category.objects.filter(username=sara, name__in=names).delete()
    for name in names:
        Category.objects.create(name=name, username=sara)


@near_miss(
    "17.2",
    '"Beans" is gone: leave the categories that Sara has already as they are.',
    sign=r"\.delete\(",
)
def _():
    sara = User.objects.get(username="sara")
    for name in ["Gifts", "Brewing", "Cups"]:
        Category.objects.get_or_create(name=name, username=sara)
    Category.objects.filter(username=sara, name="Beans").delete()


@near_miss("17.2", "Other owners got the categories, too.", sign="create|add")
def _():
    for owner in User.objects.all():
        for name in ["Beans", "Gifts", "Brewing", "Cups"]:
            Category.objects.get_or_create(name=name, username=owner)


@exercise(
    "17.3",
    stars=2,
    ordered=True,
    equivalent={"when `price` is greater than `600`": "before the raise, nothing costs 600"},
    hints=[
        "Inside the block, your own queries see the raised prices.",
        "A block can be rolled back without an exception.",
        "`transaction.set_rollback(True)` as the last line of the block, after the count.",
    ],
)
def dry_run():
    """`set_rollback(True)` marks the block, and its end rolls back. It has to be the last line: a
    marked block refuses further queries. An exception of your own, caught outside, does as well.
    """
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") + 100)
        during = products.filter(price__gte=600).count()
        transaction.set_rollback(True)
    return [during, products.filter(price__gte=600).count()]


@near_miss("17.3", "The raise was not undone: the second count still sees the raised prices.")
def _():
    products = Product.objects.filter(username__username="tim")
    products.update(price=F("price") + 100)
    during = products.filter(price__gte=600).count()
    return [during, products.filter(price__gte=600).count()]


@near_miss("17.3", "Each price rises by 100, not by 100 %.", sign=r"\*")
def _():
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") * 2)
        during = products.filter(price__gte=600).count()
        transaction.set_rollback(True)
    return [during, products.filter(price__gte=600).count()]


@near_miss(
    "17.3",
    "Only products that cost at least 600 already were raised. Raise all of Tim's, then filter by "
    "`price`.",
    sign=r"(?s)price__gte.*\.update\(",
)
def _():
    products = Product.objects.filter(username__username="tim", price__gte=600)
    with transaction.atomic():
        products.update(price=F("price") + 100)
        during = products.count()
        transaction.set_rollback(True)
    return [during, products.count()]


@near_miss("17.3", "Both counts see the old prices: count before the block is rolled back.")
def _():
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") + 100)
        transaction.set_rollback(True)
    during = products.filter(price__gte=600).count()
    return [during, products.filter(price__gte=600).count()]


@near_miss(
    "17.3", "Those are the two numbers, but in the other order: first the one during the raise."
)
def _():
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") + 100)
        during = products.filter(price__gte=600).count()
        transaction.set_rollback(True)
    return [products.filter(price__gte=600).count(), during]


@near_miss("17.3", "A price of exactly 600 counts as well: `price__gte=600`.", sign=r"price__gt\b")
def _():
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") + 100)
        during = products.filter(price__gt=600).count()
        transaction.set_rollback(True)
    return [during, products.filter(price__gt=600).count()]


@near_miss("17.3", "Other owners' products are in, too.")
def _():
    products = Product.objects.all()
    with transaction.atomic():
        products.update(price=F("price") + 100)
        during = products.filter(price__gte=600).count()
        transaction.set_rollback(True)
    return [during, products.filter(price__gte=600).count()]


@near_miss(
    "17.3",
    "`rollback()` is refused inside of a block. Mark the block with `set_rollback(True)`.",
    sign=r"\.rollback\(",
)
def _():
    transaction.rollback()


@near_miss("17.3", "Give both numbers as a list: the one during the raise, and the one after it.")
def _():
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") + 100)
        during = products.filter(price__gte=600).count()
        transaction.set_rollback(True)
    return during


@near_miss(
    "17.3",
    "A marked block refuses queries: `set_rollback(True)` comes after the count.",
    sign=r"set_rollback\(True\)",
)
def _():
    products = Product.objects.filter(username__username="tim")
    with transaction.atomic():
        products.update(price=F("price") + 100)
        transaction.set_rollback(True)
        during = products.filter(price__gte=600).count()
    return [during, products.filter(price__gte=600).count()]


@exercise(
    "17.4",
    stars=2,
    queries=1,
    ordered=True,
    read=lambda invoices: {
        "locks": invoices.query.select_for_update,
        "skips locked rows": invoices.query.select_for_update_skip_locked,
        "fails on locked rows": invoices.query.select_for_update_nowait,
        "invoices": [invoice.pk for invoice in invoices],
    },
    hints=[
        "Conditions, order and slice are as always. Which method locks?",
        "Of its options, one waits for nobody and leaves out what is taken.",
        '`….order_by("-issued_at", "-pk").select_for_update(skip_locked=True)[:5]`.',
    ],
)
def next_five():
    """Two workers never get the same invoice, and none of them waits. Read it inside of `atomic()`:
    the rows are free again when the transaction ends. MariaDB reads all unpaid invoices to sort
    them, and locks them all: there, a second worker gets nothing until the first is done.
    """
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    return unpaid.order_by("-issued_at", "-pk").select_for_update(skip_locked=True)[:5]


@near_miss("17.4", "Nothing is locked: two workers would send the same links.")
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    return unpaid.order_by("-issued_at", "-pk")[:5]


@near_miss("17.4", "A second worker would wait for the first: leave locked rows out.")
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    return unpaid.order_by("-issued_at", "-pk").select_for_update()[:5]


@near_miss(
    "17.4", "With `nowait`, a second worker gets an error. It should get the next free rows."
)
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    return unpaid.order_by("-issued_at", "-pk").select_for_update(nowait=True)[:5]


@near_miss("17.4", "`nowait` and `skip_locked` exclude each other: choose one.")
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    both = {"skip_locked": True, "nowait": True}
    return unpaid.order_by("-issued_at", "-pk").select_for_update(**both)[:5]


@near_miss("17.4", "Void invoices are in: `void_at` has to be NULL.")
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0)
    return unpaid.order_by("-issued_at", "-pk").select_for_update(skip_locked=True)[:5]


@near_miss("17.4", "The oldest come first; the task wants the newest.")
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    return unpaid.order_by("issued_at", "-pk").select_for_update(skip_locked=True)[:5]


@near_miss("17.4", "That is a list, read already. Give the QuerySet.")
def _():
    unpaid = Invoice.objects.filter(payment_due__gt=0, void_at__isnull=True)
    return list(unpaid.order_by("-issued_at", "-pk").select_for_update(skip_locked=True)[:5])


@exercise(
    "17.5",
    stars=2,
    prediction=True,
    hints=[
        "When do the functions run, and when does the last line of the block?",
        "A lambda reads `name` when it runs, not when it is made.",
        "All three run after the loop. What is `name` then?",
    ],
)
def three_lambdas():
    """`"end Bowl Bowl Bowl"`. The functions run after the commit, and a lambda reads `name` only
    then. `partial(sent.append, name)` keeps the value that `name` has in its turn.
    """
    sent = []
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        for name in ["Mug", "Cup", "Bowl"]:
            transaction.on_commit(lambda: sent.append(name))  # noqa: B023
        sent.append("end")
    return " ".join(sent)


@near_miss("17.5", "The order is right. But each lambda reads `name` when it runs, after the loop.")
def _():
    return "end Mug Cup Bowl"


@near_miss("17.5", "The functions run after the commit, so after `end`, and they read `name` then.")
def _():
    return "Mug Cup Bowl end"


@near_miss("17.5", "The functions run after the commit, so `end` comes before them.")
def _():
    return "Bowl Bowl Bowl end"


@near_miss("17.5", "The block commits when it ends, so the functions do run.")
def _():
    return "end"


@near_miss("17.5", "The block commits before the `print()`, and `end` is appended in any case.")
def _():
    return ""


@near_miss("17.5", "Three functions were registered, and all of them run.")
def _():
    return "end Bowl"


@near_miss("17.5", "The lambdas read `name` after the loop, when it is no longer the first.")
def _():
    return "end Mug Mug Mug"


@near_miss("17.5", '`sent.append("end")` is no function of `on_commit()`, but it runs as well.')
def _():
    return "Bowl Bowl Bowl"


@near_miss("17.5", '`sent.append("end")` runs as well, and the lambdas read `name` after the loop.')
def _():
    return "Mug Cup Bowl"


@exercise(
    "17.6",
    stars=2,
    prediction=True,
    hints=[
        "A lock comes with a statement. Which of the lines send one, and which?",
        "A QuerySet that nobody reads sends nothing. And `COUNT(*)` goes with no `FOR UPDATE`.",
        "An `UPDATE` locks the rows that it changes.",
    ],
)
def lines_that_lock():
    """`b` reads the row with `FOR UPDATE`, `d` changes one. `a` is never evaluated, `c` is a
    `COUNT(*)`, from which Django leaves the clause out, and `e` is a plain read.
    """
    return ["b", "d"]


wrong_choices(
    "17.6",
    right="bd",
    why={
        "a": "`a` is a QuerySet that nobody reads, so no statement is sent.",
        "b": "`b` sends a `SELECT … FOR UPDATE`, so it locks.",
        "c": "`c` sends a `COUNT(*)` without `FOR UPDATE`, so it locks no product.",
        "d": "`d` changes the row, and an `UPDATE` locks what it changes.",
        "e": "`e` is a plain read, and a plain read locks nothing.",
    },
)


@exercise(
    "17.7",
    stars=3,
    leaves=lambda: Product.objects.values_list("name", "username__username", "stock"),
    hints=[
        "What has to happen together: a line, an invoice, or all of them?",
        "The database refuses a `stock` below zero with an `IntegrityError`.",
        "For each invoice: `try:`, inside it `with transaction.atomic():`, inside that the lines.",
    ],
)
def same_again():
    """One block for each invoice: if a line fails, the lines before it are undone, and the next
    invoice starts from a clean state. `PositiveIntegerField` makes the database refuse a stock
    below zero.
    """
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    for invoice in invoices.order_by("number"):
        try:
            with transaction.atomic():
                for line in invoice.invoice_products.order_by("qty", "product__name"):
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
        except IntegrityError:
            pass


@near_miss(
    "17.7",
    "Lines of refused invoices were taken: a line that fails has to undo the other lines of its "
    "invoice.",
)
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    for invoice in invoices.order_by("number"):
        for line in invoice.invoice_products.order_by("qty", "product__name"):
            try:
                with transaction.atomic():
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
            except IntegrityError:
                pass


@near_miss(
    "17.7",
    "The lines before the one that fails were taken: put the block around all lines of an invoice.",
)
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    for invoice in invoices.order_by("number"):
        for line in invoice.invoice_products.all():
            try:
                with transaction.atomic():
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
            except IntegrityError:
                break


@near_miss(
    "17.7",
    "Nothing was taken: the first invoice that fails undoes all of them. Give each invoice a block "
    "of its own.",
    sign=r"atomic\(\):\s+for \w+ in (?!\w+\.invoice_products)",
)
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    try:
        with transaction.atomic():
            for invoice in invoices.order_by("number"):
                for line in invoice.invoice_products.order_by("qty", "product__name"):
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
    except IntegrityError:
        pass


@near_miss(
    "17.7",
    "The error is caught inside of the block that it broke, so the next query is refused. Put the "
    "`try` around `atomic()`.",
)
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    with transaction.atomic():
        for invoice in invoices.order_by("number"):
            try:
                for line in invoice.invoice_products.order_by("qty", "product__name"):
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
            except IntegrityError:
                pass


@near_miss(
    "17.7",
    "Nothing catches the `IntegrityError` of an invoice that has to be left out.",
    sign=r"(?s)\A(?!.*except)",
)
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    for invoice in invoices.order_by("number"):
        with transaction.atomic():
            for line in invoice.invoice_products.order_by("qty", "product__name"):
                Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)


@near_miss(
    "17.7",
    "After the first invoice that fails, the others still have their turn.",
    sign=r"\b(break|return)\b|try:\s+for \w+ in (?!\w+\.invoice_products)",
)
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", issued_at__year=2026, issued_at__month=6
    )
    try:
        for invoice in invoices.order_by("number"):
            with transaction.atomic():
                for line in invoice.invoice_products.order_by("qty", "product__name"):
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
    except IntegrityError:
        pass


@near_miss("17.7", "June 2026 is the month of `issued_at`. `created_at` is another day.")
def _():
    invoices = Invoice.objects.filter(
        username__username="rahim", created_at__year=2026, created_at__month=6
    )
    for invoice in invoices.order_by("number"):
        try:
            with transaction.atomic():
                for line in invoice.invoice_products.order_by("qty", "product__name"):
                    Product.objects.filter(pk=line.product_id).update(stock=F("stock") - line.qty)
        except IntegrityError:
            pass
