"""The shop's JSON API. `GET /api/` says what there is; filters.py says how lists are asked.

Everything a signed-in user sees or touches is their own: every queryset starts at `visible()`, and
a foreign key in a body is looked up there too. Another owner's row answers 404, like one that does
not exist. Invoices are written by billing.py alone, and known by their numbers: keys, which all
owners share, would tell how much the others sell.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache, partial
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.urls import path, re_path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from shopdb import billing, reports
from shopdb.api.answers import ApiError, answer, answer_error, no_such_address
from shopdb.api.bodies import (
    LONGEST_LIST,
    MOST_FAULTS,
    read_amount,
    read_day,
    read_field,
    read_fields,
    read_json,
    read_key,
    read_lines,
    read_moment,
    read_rate,
    read_signed_amount,
    read_text,
)
from shopdb.api.filters import (
    aggregates,
    apply_filters,
    apply_order,
    page_of,
    parse_day,
    searchable,
)
from shopdb.api.serialize import Statement, of_invoices, prepare, rows
from shopdb.logins import guarded
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User

# --- What there is ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Resource:
    """What the API shows of a model. Fields are named by their path, as in `values()`."""

    model: type[models.Model]
    fields: tuple[str, ...]
    writable: tuple[str, ...] = ()
    unique: str = ""  # a field that no two rows of an owner share
    kept_by: tuple[str, ...] = ()  # relations whose rows keep a row from being deleted
    check: Callable[[models.Model], None] | None = None  # last look at a changed row
    key: str = "pk"  # the field that a row's address names

    def all(self) -> QuerySet:
        if self.model is Invoice:
            return Invoice.objects.with_status()
        return self.model.objects.all()

    def visible(self, user: User, queryset: QuerySet | None = None) -> QuerySet:
        """The rows this user may know of, of all or of `queryset`."""
        queryset = self.all() if queryset is None else queryset
        if self.model is not User:
            return queryset.filter(username=user)
        return queryset if user.is_staff else queryset.filter(pk=user.pk)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What is read of a row: its fields, and the key that an invoice's lines refer to."""
        return ("id", *self.fields) if self.model is Invoice else self.fields

    @property
    def values(self) -> QuerySet:
        """What rows() takes: the columns of all rows, for requests to narrow down."""
        return all_values(self, timezone.localdate())


@lru_cache(maxsize=16)
def all_values(resource: Resource, today: date) -> QuerySet:
    """Kept, because finding the columns is 40 % of what Django takes to make a list's SQL; until
    tomorrow, when other invoices are overdue."""
    return resource.all().values_list(*resource.columns)


def check_parents(category: Category) -> None:
    """Raise ValidationError if the category is, over any number of parents, its own parent."""
    siblings = Category.objects.filter(username=category.username_id).select_for_update()
    parent_of = dict(siblings.values_list("pk", "parent_id")) | {category.pk: category.parent_id}
    seen, pk = set(), category.pk
    while pk is not None and pk not in seen:
        seen.add(pk)
        pk = parent_of.get(pk)
    if pk is not None:
        raise ValidationError(
            {"parent": f"{category.name} would become its own parent; choose a category above it."}
        )


STAMPS = ("created_at", "updated_at")
CATEGORIES = Resource(
    model=Category,
    fields=("id", "name", "description", "parent", "parent__name", *STAMPS),
    writable=("name", "description", "parent"),
    unique="name",
    kept_by=("products", "children"),
    check=check_parents,
)
PRODUCTS = Resource(
    model=Product,
    fields=(
        *("id", "name", "price", "unit", "stock", "attributes"),
        *("category", "category__name", *STAMPS),
    ),
    writable=("name", "price", "unit", "stock", "attributes", "category"),
    unique="name",
    kept_by=("invoice_products",),
)
CUSTOMERS = Resource(
    model=Customer,
    fields=("id", "name", "email", "mobile", *STAMPS),
    writable=("name", "email", "mobile"),
    kept_by=("invoices", "invoice_products"),
)
INVOICES = Resource(
    model=Invoice,
    fields=(
        *("number", "status", "total", "discount", "vat", "payment", "payment_due"),
        *("issued_at", "due_on", "void_at", "void_reason", "customer", "customer__name", *STAMPS),
    ),
    key="number",
)
USERS = Resource(
    model=User,
    fields=("id", "username", "email", "mobile", "first_name", "last_name", *STAMPS),
)
RESOURCES = {
    "categories": CATEGORIES,
    "products": PRODUCTS,
    "customers": CUSTOMERS,
    "invoices": INVOICES,
    "users": USERS,
}
LINE_FIELDS = ("product", "product__name", "qty", "sale_price", "line_total")
PAYMENT_FIELDS = ("amount", "method", "paid_at", "reason")


def index(request: HttpRequest) -> HttpResponse:
    """Every resource: where it is, which lookups each field takes, which fields can be written."""
    return answer(
        {
            name: {
                "url": f"/api/{name}/",
                "filters": searchable(resource.model, resource.fields),
                "writable": resource.writable,
            }
            for name, resource in RESOURCES.items()
        }
    )


# --- Reading ---------------------------------------------------------------------------------


def list_rows(resource: Resource, request: HttpRequest) -> HttpResponse:
    if "aggregate" in request.GET:
        wanted = aggregates(resource.model, resource.fields, request.GET["aggregate"])
        queryset = apply_filters(resource.visible(request.user), resource.fields, request.GET)
        return answer({"aggregate": queryset.aggregate(**wanted)})
    user, today = request.user, timezone.localdate()
    asked = request.GET.urlencode()
    prepared = prepare_list(resource, user.pk, user.is_staff, today, asked)
    return answer_page(request, lambda page: show(resource, prepared))


@lru_cache(maxsize=256)
def prepare_list(
    resource: Resource, user_id: int, is_staff: bool, today: date, asked: str
) -> Statement | None:
    """The statement of a list, with one row more than the page holds.

    It depends on nothing but the arguments, and to build it takes Django a quarter as long as the
    whole answer: it is kept for who asks again.
    """
    params = QueryDict(asked)
    queryset = resource.visible(User(pk=user_id, is_staff=is_staff), resource.values)
    queryset = apply_filters(queryset, resource.fields, params)
    queryset = apply_order(queryset, resource.fields, params)
    page = page_of(params)
    return prepare(queryset[page.start : page.stop + 1], resource.columns)


def get_row(resource: Resource, request: HttpRequest, pk: int) -> HttpResponse:
    return answer(show_one(resource, request.user, pk))


def show(resource: Resource, prepared: Statement | None) -> list[dict[str, Any]]:
    """The resource's rows as JSON: one query, or for invoices with their lines and payments
    three."""
    found = rows(prepared)
    if resource is INVOICES:
        keys = [row.pop("id") for row in found]
        lines = of_invoices(InvoiceProduct, keys, LINE_FIELDS)
        payments = of_invoices(Payment, keys, PAYMENT_FIELDS)
        for key, row in zip(keys, found, strict=True):
            row["lines"] = lines.get(key, [])
            row["payments"] = payments.get(key, [])
    return found


def show_one(resource: Resource, user: User, key: int | str) -> dict[str, Any]:
    queryset = resource.visible(user, resource.values).filter(**{resource.key: key})
    found = show(resource, prepare(queryset, resource.columns))
    if not found:
        raise not_found(resource, key)
    return found[0]


# --- Writing ---------------------------------------------------------------------------------


def add_rows(resource: Resource, request: HttpRequest) -> HttpResponse:
    """Insert one row, or many when the body is a list: all of them or none."""
    body = read_json(request)
    many = isinstance(body, list)
    if many and not 1 <= len(body) <= LONGEST_LIST:
        raise ValidationError(f"Send from 1 to {LONGEST_LIST} rows in one list.")
    with transaction.atomic():
        added = resource.model.objects.bulk_create(
            resource.model(username=request.user, **values)
            for values in clean(resource, request.user, body if many else [body], many=many)
        )
    new = resource.values.filter(pk__in=[row.pk for row in added]).order_by("pk")
    shown = show(resource, prepare(new, resource.columns))
    if many:
        return answer({"results": shown}, status=201)
    return answer(shown[0], status=201, location=f"{request.path}{added[0].pk}/")


def change_row(resource: Resource, request: HttpRequest, pk: int) -> HttpResponse:
    body = read_json(request)
    with transaction.atomic():
        row = get_visible(resource, request.user, pk, lock=True)
        (values,) = clean(resource, request.user, [body], changing=pk)
        for name, value in values.items():
            setattr(row, name, value)
        if resource.check:
            resource.check(row)
        row.save(update_fields=[*values, "updated_at"])
    return answer(show_one(resource, request.user, pk))


def delete_row(resource: Resource, request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a row that nothing hangs on: on_delete=CASCADE would take sold lines with it."""
    with transaction.atomic():
        row = get_visible(resource, request.user, pk, lock=True)
        kept_by = [resource.model._meta.get_field(name) for name in resource.kept_by]
        holds = [
            Exists(relation.related_model.objects.filter(**{relation.field.name: pk}))
            for relation in kept_by
        ]
        held = resource.model.objects.filter(pk=pk).values_list(*holds).get()
        for relation, is_held in zip(kept_by, held, strict=True):
            if is_held:
                plural = relation.related_model._meta.verbose_name_plural
                message = f"{row} has {plural}, which would go with it; remove or move those first."
                raise ApiError(409, "in_use", message)
        row.delete()
    return HttpResponse(status=204)


def get_visible(
    resource: Resource, user: User, key: int | str, *, lock: bool = False
) -> models.Model:
    found = resource.visible(user).filter(**{resource.key: key})
    row = (found.select_for_update() if lock else found).first()
    if row is None:
        raise not_found(resource, key)
    return row


def clean(
    resource: Resource, user: User, bodies: list, *, many: bool = False, changing: int | None = None
) -> list[dict[str, Any]]:
    """Checked arguments for the model, one dict a body; one query for each foreign key and one for
    the unique field, however many bodies.

    Raises a ValidationError that names every field at fault (in a list as `2.price`).
    """
    fields = [resource.model._meta.get_field(name) for name in resource.writable]
    readers = {field.name: partial(read_field, field) for field in fields}
    needed = [field.name for field in fields if not (field.blank or field.has_default())]
    cleaned, faults = [], {}
    for number, body in enumerate(bodies):
        if len(faults) > MOST_FAULTS:
            break
        try:
            cleaned.append(read_fields(body, readers, needed if changing is None else ()))
        except ValidationError as error:
            if not many:
                raise
            found = dict(error) if hasattr(error, "error_dict") else {"row": error.messages}
            faults |= {f"{number}.{name}": messages for name, messages in found.items()}
    if faults:
        raise ValidationError(faults)

    for field in fields:
        if isinstance(field, models.ForeignKey):
            check_owned(field, {body.get(field.name) for body in cleaned} - {None}, user)
            for body in cleaned:
                if field.name in body:
                    body[field.attname] = body.pop(field.name)
    if resource.unique:
        names = [body[resource.unique] for body in cleaned if resource.unique in body]
        others = resource.visible(user).exclude(pk=changing)
        check_free(others, resource.unique, names)
    return cleaned


def check_owned(field: models.ForeignKey, pks: set[int], user: User) -> None:
    """Raise ValidationError unless every key is one of the user's own rows."""
    related = field.related_model
    owned = related.objects.filter(pk__in=pks, username=user).values_list("pk", flat=True)
    if missing := pks - set(owned):
        message = f"There is no {related._meta.verbose_name} {min(missing)}."
        raise ValidationError({field.name: message})


def check_free(others: QuerySet, field: str, names: list[str]) -> None:
    """Raise 409 if a name is sent twice or one of the other rows has it."""
    taken = {name for name, times in Counter(names).items() if times > 1}
    taken.update(others.filter(**{f"{field}__in": names}).values_list(field, flat=True))
    if taken:
        shown = ", ".join(sorted(taken)[:10])
        raise ApiError(409, "taken", f"Choose another {field}.", {field: [f"Taken: {shown}."]})


# --- Invoices --------------------------------------------------------------------------------

VOID_INSTEAD = (
    "An invoice is never deleted. Void it: POST /api/invoices/<number>/void/ with a reason, "
    '{"reason": "Ordered twice"}.'
)
SALE_READERS = {
    "customer": read_key,
    "lines": read_lines,
    "discount": read_amount,
    "vat_rate": read_rate,
    "payment": read_amount,
    "method": read_text,
    "issued_at": read_moment,
    "due_on": read_day,
}
PAYMENT_READERS = {
    "amount": read_signed_amount,
    "method": read_text,
    "paid_at": read_moment,
    "reason": read_text,
}


def get_invoice(request: HttpRequest, number: str) -> HttpResponse:
    return answer(show_one(INVOICES, request.user, number))


def issue(request: HttpRequest) -> HttpResponse:
    """Sell: `{"customer": 1, "lines": [{"product": 2, "qty": 3}], "vat_rate": "0.15"}`."""
    body = read_fields(read_json(request), SALE_READERS, required=("customer", "lines"))
    customer = CUSTOMERS.visible(request.user).filter(pk=body["customer"]).first()
    if customer is None:
        raise ValidationError({"customer": f"There is no customer {body['customer']}."})
    amounts = {"discount": 0, "vat_rate": 0, "payment": 0}
    invoice = billing.issue_invoice(**(amounts | body | {"customer": customer}))
    shown = show_one(INVOICES, request.user, invoice.number)
    return answer(shown, status=201, location=f"{request.path}{invoice.number}/")


def pay(request: HttpRequest, number: str) -> HttpResponse:
    """Book a payment, `{"amount": "10.00", "method": "card"}`, or a refund,
    `{"amount": "-10.00", "reason": "Goods returned"}`."""
    body = read_fields(read_json(request), PAYMENT_READERS, required=("amount",))
    billing.record_payment(get_visible(INVOICES, request.user, number), **body)
    return answer(show_one(INVOICES, request.user, number), status=201)


def void(request: HttpRequest, number: str) -> HttpResponse:
    """Undo a sale: `{"reason": "Ordered twice"}`."""
    body = read_fields(read_json(request), {"reason": read_text}, required=("reason",))
    billing.void_invoice(get_visible(INVOICES, request.user, number), **body)
    return answer(show_one(INVOICES, request.user, number))


# --- Reports ---------------------------------------------------------------------------------


def sales_report(request: HttpRequest) -> HttpResponse:
    """`?by=month|category|product|customer&from=2026-01-01&to=2026-06-30`, both days included."""
    params = request.GET
    check_params(request, {"by", "from", "to"})
    by = params.get("by", "month")
    if by not in reports.SALES_BY:
        raise ValidationError({"by": f"Choose one of {', '.join(reports.SALES_BY)}."})
    start = parse_day("from", params["from"]) if "from" in params else None
    end = parse_day("to", params["to"]) + timedelta(days=1) if "to" in params else None
    found, totals = reports.sales(request.user, by, start, end)

    def with_share(page: slice) -> list[dict[str, Any]]:
        shown = list(found[page])
        for group in shown:
            group["share_percent"] = group["total"] * 100 / (totals["total"] or 1)
            if by == "month":
                group["month"] = f"{group['month']:%Y-%m}"
        return shown

    return answer_page(request, with_share, by=by, totals=totals)


def stock_report(request: HttpRequest) -> HttpResponse:
    check_params(request, set())
    found, totals = reports.stock(request.user)
    return answer_page(request, lambda page: list(found[page]), totals=totals)


def receivables_report(request: HttpRequest) -> HttpResponse:
    """`?as_of=2026-06-30`: what is due, by age on the evening of that day (today by default)."""
    check_params(request, {"as_of"})
    day = request.GET.get("as_of", timezone.now().date().isoformat())
    end = parse_day("as_of", day) + timedelta(days=1)
    found, totals = reports.receivables(request.user, end)
    return answer_page(request, lambda page: list(found[page]), as_of=day, totals=totals)


def check_params(request: HttpRequest, offered: set[str]) -> None:
    known = offered | {"limit", "page"}
    message = f"There is no such parameter; there are {', '.join(sorted(known))}."
    if unknown := [name[:100] for name in request.GET if name not in known]:
        raise ValidationError(dict.fromkeys(unknown, message))


# --- Who is asking ---------------------------------------------------------------------------


def get_csrf_token(request: HttpRequest) -> HttpResponse:
    """The token to send as X-CSRFToken; the cookie that belongs to it comes along."""
    return answer({"csrf_token": get_token(request)})


def log_in(request: HttpRequest) -> HttpResponse:
    readers = {"username": read_text, "password": read_text}
    body = read_fields(read_json(request), readers, required=readers)
    user = authenticate(request, **body) if len(body["username"]) <= 150 else None
    if user is None:
        raise ApiError(401, "wrong_login", "No active user has this username and password.")
    login(request, user)
    return me(request)


def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse(status=204)


def me(request: HttpRequest) -> HttpResponse:
    user = request.user
    shown = {name: getattr(user, name) for name in (*USERS.fields, "is_staff")}
    return answer(shown | {"csrf_token": get_token(request)})


# --- Asking and answering --------------------------------------------------------------------


def endpoint(*, public: bool = False, no_delete: str = "", **handlers: Callable) -> Callable:
    """A view that picks the handler by method, and turns whatever goes wrong into one shape.

    `no_delete` says what to do instead of DELETE.
    """
    handlers = {method.upper(): handler for method, handler in handlers.items()}
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]
    allowed = ", ".join([*handlers, "OPTIONS"])

    @csrf_protect
    def protected(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not (public or request.user.is_authenticated):
            raise ApiError(401, "login_required", "Log in first: POST /api/login/.")
        return handlers[request.method](request, **kwargs)

    @csrf_exempt  # not here but in protected(), once the body is known to be JSON
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allowed})
        try:
            if request.method not in handlers:
                hint = no_delete if request.method == "DELETE" else ""
                message = hint or f"{request.method} cannot be done here: {allowed}."
                raise ApiError(405, "method", message)
            check_request(request)
            return protected(request, **kwargs)
        except Exception as error:
            response = answer_error(error)
            if response.status_code == 405:
                response["Allow"] = allowed
            return response

    return view


def check_request(request: HttpRequest) -> None:
    """Refuse bodies that are not JSON before anything tries to read them, and NUL anywhere."""
    if request.content_type != "application/json" and request.method in {"POST", "PATCH"}:
        empty = request.META.get("CONTENT_LENGTH") in {None, "", "0"}
        if not (empty and request.content_type in {"", "text/plain"}):  # what servers say of none
            raise ApiError(
                415, "content_type", "Send JSON, with the header Content-Type: application/json."
            )
    if any("\x00" in text for item in request.GET.lists() for text in (item[0], *item[1])):
        raise ValidationError("Leave NUL characters out.")


def answer_page(request: HttpRequest, read: Callable[[slice], list], **extra: Any) -> HttpResponse:
    """One page of what `read` finds, and the address of the next.

    `read` is asked for one row more than the page holds, to see if there is a next one.
    """
    page = page_of(request.GET)
    size = page.stop - page.start
    found = read(slice(page.start, page.stop + 1))
    following = None
    if len(found) > size and not request.GET.keys() & {"first", "last"}:
        params = request.GET.copy()
        params["page"] = page.stop // size + 1
        following = f"{request.path}?{params.urlencode()}"
    return answer({**extra, "results": found[:size], "next": following})


def not_found(resource: Resource, key: int | str) -> ApiError:
    return ApiError(
        404, "not_found", f"There is no {resource.model._meta.verbose_name} {key!s:.50}."
    )


def addresses(name: str, resource: Resource) -> list:
    """The list and the row of a resource whose rows are written as they come."""
    many = {"get": partial(list_rows, resource)}
    one = {"get": partial(get_row, resource)}
    if resource.writable:
        many["post"] = partial(add_rows, resource)
        one |= {"patch": partial(change_row, resource), "delete": partial(delete_row, resource)}
    return [path(f"{name}/", endpoint(**many)), path(f"{name}/<int:pk>/", endpoint(**one))]


urlpatterns = [
    path("", endpoint(public=True, get=index)),
    path("invoices/", endpoint(get=partial(list_rows, INVOICES), post=issue)),
    path("invoices/<slug:number>/", endpoint(get=get_invoice, no_delete=VOID_INSTEAD)),
    path("invoices/<slug:number>/payments/", endpoint(post=pay)),
    path("invoices/<slug:number>/void/", endpoint(post=void)),
    *(
        url
        for name, resource in RESOURCES.items()
        if resource is not INVOICES
        for url in addresses(name, resource)
    ),
    path("reports/sales/", endpoint(get=sales_report)),
    path("reports/stock/", endpoint(get=stock_report)),
    path("reports/receivables/", endpoint(get=receivables_report)),
    path("login/", guarded(endpoint(public=True, get=get_csrf_token, post=log_in))),
    path("logout/", endpoint(post=log_out)),
    path("me/", endpoint(get=me)),
    re_path(r"(?P<rest>[\s\S]*)", no_such_address),  # line breaks too, which <path:> leaves out
]
