"""Exercises of chapter 13: the tasks are in the notebook of the same name."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, DateField, F, Q, Sum
from django.db.models.functions import (
    ExtractHour,
    ExtractMonth,
    ExtractQuarter,
    ExtractYear,
    TruncDate,
    TruncHour,
    TruncMonth,
    TruncQuarter,
)
from django.utils import timezone

from shopdb.models import Invoice, Payment
from workbook.exercises import also_right, exercise, near_miss

# The sign of a near miss whose sentence follows from its rows, whatever the query looks like.
ANY = r"."
SINCE_ISSUED = "`late` is the time since the invoice was issued; the task counts from `due_on`."


@exercise(
    "13.1",
    stars=1,
    queries=1,
    hints=[
        "When does 1 June begin in Dhaka, and when does 2 June?",
        "A limit with a zone: `datetime(2026, 6, 1, tzinfo=ZoneInfo(\"Asia/Dhaka\"))`.",
        "`….filter(issued_at__gte=start, issued_at__lt=end)`, of Rahim's invoices.",
    ],
    equivalent={
        "when `issued_at` is greater than `start`": "he sold nothing at that very midnight",
        "when `issued_at` is `end` or less": "nor at the next one",
    },
)
def first_of_june():
    """Two midnights of Dhaka, the first included, the second not. Python converts them to UTC, so
    the database compares plain values and can use an index.
    """
    dhaka = ZoneInfo("Asia/Dhaka")
    start, end = datetime(2026, 6, 1, tzinfo=dhaka), datetime(2026, 6, 2, tzinfo=dhaka)
    return Invoice.objects.filter(
        username__username="rahim", issued_at__gte=start, issued_at__lt=end
    )


@also_right("13.1")
def _():
    day = TruncDate("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(day=day).filter(day=date(2026, 6, 1))


@also_right("13.1")
def _():
    with timezone.override(ZoneInfo("Asia/Dhaka")):
        return list(
            Invoice.objects.filter(username__username="rahim", issued_at__date=date(2026, 6, 1))
        )


@near_miss(
    "13.1",
    "Those are the invoices of 1 June in UTC. In Dhaka, the day begins six hours earlier. (The zone "
    "has to be current when the query runs, not when it is written.)",
    sign=ANY,
)
def _():
    return Invoice.objects.filter(username__username="rahim", issued_at__date=date(2026, 6, 1))


@near_miss("13.1", "The day was moved the wrong way: it begins earlier in Dhaka than in UTC.")
def _():
    start = datetime(2026, 6, 1, 6, tzinfo=UTC)
    return Invoice.objects.filter(
        username__username="rahim",
        issued_at__gte=start,
        issued_at__lt=start + timedelta(days=1),
    )


@near_miss("13.1", "Other owners' invoices are in, too.")
def _():
    dhaka = ZoneInfo("Asia/Dhaka")
    start, end = datetime(2026, 6, 1, tzinfo=dhaka), datetime(2026, 6, 2, tzinfo=dhaka)
    return Invoice.objects.filter(issued_at__gte=start, issued_at__lt=end)


@near_miss("13.1", "That is 1 June of the year before.")
def _():
    dhaka = ZoneInfo("Asia/Dhaka")
    start, end = datetime(2025, 6, 1, tzinfo=dhaka), datetime(2025, 6, 2, tzinfo=dhaka)
    return Invoice.objects.filter(
        username__username="rahim", issued_at__gte=start, issued_at__lt=end
    )


@near_miss(
    "13.1",
    "Later days are in, too: 1 June ends when 2 June begins in Dhaka.",
    sign=ANY,
)
def _():
    start = datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Dhaka"))
    return Invoice.objects.filter(username__username="rahim", issued_at__gte=start)


@exercise(
    "13.2",
    stars=1,
    queries=1,
    ordered=True,
    columns=["hour", "n"],
    hints=[
        "A number for the hour: does `Trunc` give it, or `Extract`?",
        "`ExtractHour` takes a `tzinfo`. `values()` makes it the group.",
        '`….values(hour=ExtractHour("issued_at", tzinfo=…)).annotate(n=Count("pk")).order_by("hour")`.',
    ],
    equivalent={"without an order": "SQLite sorts the rows to make the groups"}
    if connection.vendor == "sqlite"
    else {},
)
def hours_of_sara():
    """`ExtractHour` takes the number out, so the same hour of all days is one group. With `tzinfo=`,
    each sale is read on the clock in Berlin, in summer and in winter.
    """
    hour = ExtractHour("issued_at", tzinfo=ZoneInfo("Europe/Berlin"))
    sara = Invoice.objects.filter(username__username="sara")
    return sara.values(hour=hour).annotate(n=Count("pk")).order_by("hour")


@near_miss(
    "13.2", "Those are the hours in UTC; on the clock in Berlin it is one or two hours later."
)
def _():
    sara = Invoice.objects.filter(username__username="sara")
    return sara.values(hour=ExtractHour("issued_at")).annotate(n=Count("pk")).order_by("hour")


@near_miss(
    "13.2",
    "The offset is not the same all year: Berlin is two hours ahead of UTC in summer, one in winter.",
)
def _():
    sara = Invoice.objects.filter(username__username="sara")
    zone = timezone.get_fixed_timezone(timedelta(hours=1))
    hour = ExtractHour("issued_at", tzinfo=zone)
    return sara.values(hour=hour).annotate(n=Count("pk")).order_by("hour")


@near_miss(
    "13.2",
    "The offset is not the same all year: Berlin is one hour ahead of UTC in winter, two in summer.",
)
def _():
    sara = Invoice.objects.filter(username__username="sara")
    zone = timezone.get_fixed_timezone(timedelta(hours=2))
    hour = ExtractHour("issued_at", tzinfo=zone)
    return sara.values(hour=hour).annotate(n=Count("pk")).order_by("hour")


@near_miss(
    "13.2",
    "`TruncHour` keeps the day, so each hour of each day is a group. Take the number out: "
    "`ExtractHour`.",
)
def _():
    hour = TruncHour("issued_at", tzinfo=ZoneInfo("Europe/Berlin"))
    sara = Invoice.objects.filter(username__username="sara")
    return sara.values(hour=hour).annotate(n=Count("pk")).order_by("hour")


@near_miss("13.2", "Sales of other owners are counted, too.")
def _():
    hour = ExtractHour("issued_at", tzinfo=ZoneInfo("Europe/Berlin"))
    return Invoice.objects.values(hour=hour).annotate(n=Count("pk")).order_by("hour")


@near_miss("13.2", "The hours should come from the earliest to the latest.")
def _():
    hour = ExtractHour("issued_at", tzinfo=ZoneInfo("Europe/Berlin"))
    sara = Invoice.objects.filter(username__username="sara")
    return sara.values(hour=hour).annotate(n=Count("pk")).order_by("-n", "hour")


@near_miss("13.2", "Those are the hours in Dhaka; Sara is in Berlin.")
def _():
    hour = ExtractHour("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    sara = Invoice.objects.filter(username__username="sara")
    return sara.values(hour=hour).annotate(n=Count("pk")).order_by("hour")


@exercise(
    "13.3",
    stars=2,
    prediction=True,
    hints=[
        "What do the clocks in Berlin show at each of the four moments?",
        "In October: 02:15, and an hour later? In March: 01:15, and an hour later?",
        "A truncated local hour does not know whether it is the first or the second of its name.",
    ],
)
def hours_in_berlin():
    """3. In October, both moments are 02:15 in Berlin, and `TruncHour` merges the two hours. In March
    they are 01:15 and 03:15: the hour between does not exist, and nothing is merged.
    """
    moments = [
        datetime(2025, 10, 26, 0, 15, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 15, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 15, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 15, tzinfo=UTC),
    ]
    keys = []
    for invoice, moment in zip(Invoice.objects.order_by("pk")[:4], moments, strict=True):
        Invoice.objects.filter(pk=invoice.pk).update(issued_at=moment)
        keys.append(invoice.pk)
    four = Invoice.objects.filter(pk__in=keys)
    hour = TruncHour("issued_at", tzinfo=ZoneInfo("Europe/Berlin"))
    return four.values(hour=hour).annotate(n=Count("pk")).count()


@near_miss("13.3", "In October, two of the moments show the same time on the clock in Berlin.")
def _():
    return 4


@near_miss("13.3", "In March, the clocks show 01:15 and 03:15: these are two different hours.")
def _():
    return 2


@near_miss("13.3", "`TruncHour` keeps the day, so October and March are not in one group.")
def _():
    return 1


@exercise(
    "13.4",
    stars=2,
    queries=1,
    ordered=True,
    hints=[
        "A query gives the months that have an invoice. Where do the others come from?",
        "A dict from month to total, and a loop over the twelve months: `.get(month, 0)`.",
        "The keys match if the query truncates to a `DateField()`: "
        '`TruncMonth("issued_at", output_field=DateField())`.',
    ],
    equivalent={
        "without the condition on `issued_at`": "the loop takes no month of another year anyway"
    },
)
def maria_silvas_2025():
    """The query gives the months with an invoice, the dict answers for the others. `output_field`
    makes the keys dates, like those of the loop.
    """
    invoices = Invoice.objects.filter(customer__name="Maria Silva", issued_at__year=2025)
    month = TruncMonth("issued_at", output_field=DateField())
    groups = invoices.values(month=month).annotate(billed=Sum("total"))
    billed = dict(groups.values_list("month", "billed"))
    months = [date(2025, number, 1) for number in range(1, 13)]
    return [(month, billed.get(month, Decimal(0))) for month in months]


@also_right("13.4")
def _():
    invoices = Invoice.objects.filter(customer__name="Maria Silva", issued_at__year=2025)
    groups = invoices.values("issued_at__month").annotate(billed=Sum("total"))
    billed = dict(groups.values_list("issued_at__month", "billed"))
    return [(date(2025, n, 1), billed.get(n, 0)) for n in range(1, 13)]


@near_miss("13.4", "The months without an invoice are missing: there should be twelve pairs.")
def _():
    invoices = Invoice.objects.filter(customer__name="Maria Silva", issued_at__year=2025)
    month = TruncMonth("issued_at", output_field=DateField())
    groups = invoices.values(month=month).annotate(billed=Sum("total")).order_by("month")
    return list(groups.values_list("month", "billed"))


@near_miss(
    "13.4",
    "All months are 0: no invoice matches, or the keys of the dict do not. If they are datetimes, no "
    "date equals them: truncate to a `DateField()`.",
    sign=ANY,
)
def _():
    return [(date(2025, number, 1), 0) for number in range(1, 13)]


@near_miss("13.4", "A month without an invoice should have 0, not None.")
def _():
    invoices = Invoice.objects.filter(customer__name="Maria Silva", issued_at__year=2025)
    groups = invoices.values("issued_at__month").annotate(billed=Sum("total"))
    billed = dict(groups.values_list("issued_at__month", "billed"))
    return [(date(2025, n, 1), billed.get(n)) for n in range(1, 13)]


@near_miss("13.4", "Both years are in one group: the month needs its year.")
def _():
    invoices = Invoice.objects.filter(customer__name="Maria Silva")
    groups = invoices.values("issued_at__month").annotate(billed=Sum("total"))
    billed = dict(groups.values_list("issued_at__month", "billed"))
    return [(date(2025, n, 1), billed.get(n, 0)) for n in range(1, 13)]


@near_miss(
    "13.4",
    "A month in which nobody at all bought anything is missing. Start from the twelve months.",
)
def _():
    hers = Sum("total", filter=Q(customer__name="Maria Silva"), default=0)
    month = TruncMonth("issued_at", output_field=DateField())
    groups = Invoice.objects.filter(issued_at__year=2025).values(month=month).annotate(billed=hers)
    return list(groups.order_by("month").values_list("month", "billed"))


@near_miss("13.4", "Those are the sales to all customers.", sign=ANY)
def _():
    invoices = Invoice.objects.filter(issued_at__year=2025)
    groups = invoices.values("issued_at__month").annotate(billed=Sum("total"))
    billed = dict(groups.values_list("issued_at__month", "billed"))
    return [(date(2025, n, 1), billed.get(n, 0)) for n in range(1, 13)]


@near_miss(
    "13.4", "The task asks for the first day of each month, as a `date`, not for its number."
)
def _():
    invoices = Invoice.objects.filter(customer__name="Maria Silva", issued_at__year=2025)
    groups = invoices.values("issued_at__month").annotate(billed=Sum("total"))
    billed = dict(groups.values_list("issued_at__month", "billed"))
    return [(n, billed.get(n, 0)) for n in range(1, 13)]


@exercise(
    "13.5",
    stars=2,
    queries=1,
    hints=[
        "Each invoice has two quarters. How do you get both into one query?",
        "`ExtractQuarter` with two different `tzinfo`, then a comparison with `F`.",
        '`….alias(utc=…, dhaka=…).exclude(utc=F("dhaka"))`, of Rahim\'s invoices.',
    ],
)
def another_quarter():
    """Two expressions, one for each zone, and `F` compares them. `alias()` keeps them out of the
    result.
    """
    utc = ExtractQuarter("issued_at", tzinfo=UTC)
    dhaka = ExtractQuarter("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(utc=utc, dhaka=dhaka).exclude(utc=F("dhaka"))


@also_right("13.5")
def _():
    utc = TruncQuarter("issued_at", tzinfo=UTC, output_field=DateField())
    dhaka = TruncQuarter("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"), output_field=DateField())
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(utc=utc, dhaka=dhaka).exclude(utc=F("dhaka"))


@near_miss("13.5", "Those fall into another *month*; not every month begins a quarter.")
def _():
    utc = ExtractMonth("issued_at", tzinfo=UTC)
    dhaka = ExtractMonth("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(utc=utc, dhaka=dhaka).exclude(utc=F("dhaka"))


@near_miss("13.5", "Those fall into another *year*; three more quarters begin in each year.")
def _():
    utc = ExtractYear("issued_at", tzinfo=UTC)
    dhaka = ExtractYear("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(utc=utc, dhaka=dhaka).exclude(utc=F("dhaka"))


@near_miss("13.5", "Those are in the same quarter in both zones: the opposite of what is asked.")
def _():
    utc = ExtractQuarter("issued_at", tzinfo=UTC)
    dhaka = ExtractQuarter("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(utc=utc, dhaka=dhaka).filter(utc=F("dhaka"))


@near_miss("13.5", "Other owners' invoices are in, too.")
def _():
    utc = ExtractQuarter("issued_at", tzinfo=UTC)
    dhaka = ExtractQuarter("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    return Invoice.objects.alias(utc=utc, dhaka=dhaka).exclude(utc=F("dhaka"))


@near_miss("13.5", "Both quarters are in the same zone, so they are always equal.")
def _():
    one = ExtractQuarter("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    other = ExtractQuarter("issued_at", tzinfo=ZoneInfo("Asia/Dhaka"))
    rahim = Invoice.objects.filter(username__username="rahim")
    return rahim.alias(one=one, other=other).exclude(one=F("other"))


@exercise(
    "13.6",
    stars=3,
    queries=1,
    columns=["pk", "late"],
    hints=[
        "`paid_at` is a moment and `due_on` a day. Which of them do you convert?",
        '`TruncDate("paid_at") - F("invoice__due_on")` is a duration of whole days.',
        '`Payment.objects.annotate(late=…).filter(late__gt=timedelta(0)).values("pk", "late")`.',
    ],
)
def late_payments():
    """A day minus a day: whole days, on every database. A payment on the last day is 0 days late, and
    stays out.
    """
    late = TruncDate("paid_at", tzinfo=UTC) - F("invoice__due_on")
    payments = Payment.objects.annotate(late=late)
    return payments.filter(late__gt=timedelta(0)).values("pk", "late")


@also_right("13.6")
def _():
    payments = Payment.objects.filter(paid_at__date__gt=F("invoice__due_on"))
    late = TruncDate("paid_at") - F("invoice__due_on")
    return payments.annotate(late=late).values("pk", "late")


@near_miss("13.6", "Payments on the last day itself are in: that is 0 days late.")
def _():
    late = TruncDate("paid_at", tzinfo=UTC) - F("invoice__due_on")
    payments = Payment.objects.annotate(late=late)
    return payments.filter(late__gte=timedelta(0)).values("pk", "late")


@near_miss("13.6", "Payments that came in time are in: their duration is 0 or negative.")
def _():
    late = TruncDate("paid_at", tzinfo=UTC) - F("invoice__due_on")
    return Payment.objects.annotate(late=late).values("pk", "late")


@near_miss(
    "13.6",
    "`paid_at` minus `due_on` is a moment minus a day: each database makes something else of it. "
    "Make a day of the moment: `TruncDate`.",
)
def _():
    late = F("paid_at") - F("invoice__due_on")
    payments = Payment.objects.annotate(late=late)
    return payments.filter(late__gt=timedelta(0)).values("pk", "late")


@near_miss(
    "13.6", "`due_on` minus the day of the payment is how many days *before* the last day it came."
)
def _():
    late = F("invoice__due_on") - TruncDate("paid_at", tzinfo=UTC)
    payments = Payment.objects.annotate(late=late)
    return payments.filter(late__gt=timedelta(0)).values("pk", "late")


@near_miss("13.6", SINCE_ISSUED, sign=ANY)
def _():
    late = TruncDate("paid_at", tzinfo=UTC) - TruncDate("invoice__issued_at", tzinfo=UTC)
    payments = Payment.objects.filter(paid_at__date__gt=F("invoice__due_on")).annotate(late=late)
    return payments.values("pk", "late")


@near_miss("13.6", SINCE_ISSUED, sign=ANY)
def _():
    late = TruncDate("paid_at", tzinfo=UTC) - TruncDate("invoice__issued_at", tzinfo=UTC)
    payments = Payment.objects.annotate(late=late)
    return payments.filter(late__gt=timedelta(0)).values("pk", "late")


@near_miss("13.6", SINCE_ISSUED, sign=ANY)
def _():
    late = F("paid_at") - F("invoice__issued_at")
    payments = Payment.objects.filter(paid_at__date__gt=F("invoice__due_on")).annotate(late=late)
    return payments.values("pk", "late")


@near_miss("13.6", SINCE_ISSUED, sign=ANY)
def _():
    late = F("paid_at") - F("invoice__issued_at")
    payments = Payment.objects.annotate(late=late)
    return payments.filter(late__gt=timedelta(0)).values("pk", "late")
