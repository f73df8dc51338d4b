"""Which relation a query follows, read from Django's own frames while the query runs.

Nothing is guessed: the descriptor, the manager and the queryset on the stack say themselves which
field they serve.
"""

from functools import cache
from types import FrameType
from typing import Any, NamedTuple

from django.db.models import Model
from django.db.models.query import QuerySet

FORWARD, REVERSE_ONE, REVERSE, MANY = "forward", "reverse one-to-one", "reverse", "many-to-many"
DEFERRED, GENERIC, PREFETCH = "deferred", "generic", "prefetch"


class Access(NamedTuple):
    """A relation (or deferred field) followed from an object, e.g. `Invoice.customer`."""

    kind: str
    owner: type[Model] | None
    name: str
    target: type[Model] | None = None
    served_by_prefetch: bool = True  # would rows prefetched for the relation answer this query?
    after_prefetch: bool = False  # were they there already, and left unused?
    objects: int = 0  # for how many of them a prefetch asks

    @property
    def label(self) -> str:
        return f"{self.owner._meta.object_name}.{self.name}" if self.owner else self.name


class Source(NamedTuple):
    """The queryset that asked: its model and what it joins (`query.select_related`)."""

    model: type[Model]
    joins: Any
    fetches_all: bool  # and no more: it neither counts nor locks nor goes row by row


_QUERYSET = {f"QuerySet.{name}" for name, value in vars(QuerySet).items() if callable(value)}
_QUERYSET |= {f"QuerySet.{name}" for name in ("db", "ordered")}
_MANY = {
    f"create_forward_many_to_many_manager.<locals>.ManyRelatedManager.{name}"
    for name in ("count", "exists")
}
_DESCRIPTORS = {
    "ForwardManyToOneDescriptor.__get__": FORWARD,
    "ReverseOneToOneDescriptor.__get__": REVERSE_ONE,
    "DeferredAttribute.__get__": DEFERRED,
    "GenericForeignKeyDescriptor.__get__": GENERIC,
}
_PREFETCH = "prefetch_one_level"
_VARIABLE = "Variable._resolve_lookup"  # a template's {{ a.b }}: as good as a line of code
WATCHED = frozenset({*_QUERYSET, *_MANY, *_DESCRIPTORS, _PREFETCH, _VARIABLE})

# Methods that read a relation's rows as they are, so that prefetched rows can answer them.
_PLAIN = {"_fetch_all", "__iter__", "__len__", "__bool__", "__aiter__", "count", "exists"}


def read(frames: list[FrameType]) -> tuple[Access | None, Source | None, list[int]]:
    """Read the watched frames, innermost first: relation, queryset, template variables."""
    access: Access | None = None
    queryset: QuerySet | None = None
    method = asked = ""
    nodes: list[int] = []
    for frame in frames:
        name = frame.f_code.co_qualname
        if name in _QUERYSET:
            if queryset is None:
                queryset, asked = frame.f_locals.get("self"), frame.f_code.co_name
            if access is None:
                method = frame.f_code.co_name
        elif name == _VARIABLE:
            nodes.append(id(frame.f_locals.get("self")))
        elif access is None:
            access = _from_frame(name, frame.f_locals)
    if not isinstance(queryset, QuerySet):
        return access, None, nodes
    if access is None and (queryset._hints or queryset._known_related_objects):
        access = _from_queryset(queryset, method)
    query = queryset.query
    fetches_all = asked == "_fetch_all" and not query.select_for_update
    return access, Source(queryset.model, query.select_related, fetches_all), nodes


def _from_frame(name: str, local: Any) -> Access | None:
    if name == _PREFETCH:
        lookup, level = local["lookup"], local["level"]
        instances, path = local["instances"], lookup.get_current_prefetch_to(level)
        return Access(PREFETCH, type(instances[0]), path, objects=len(instances))
    if name in _MANY:
        manager = local["self"]
        cached = getattr(manager.instance, "_prefetched_objects_cache", {})
        relation = manager.prefetch_cache_name
        return Access(
            MANY, type(manager.instance), relation, manager.model, True, relation in cached
        )
    kind, descriptor, instance = _DESCRIPTORS[name], local["self"], local["instance"]
    if kind == REVERSE_ONE:
        related = descriptor.related
        return Access(kind, related.model, related.accessor_name, related.related_model)
    field = descriptor.field
    target = type(instance) if kind == DEFERRED else getattr(field, "related_model", None)
    return Access(kind, type(instance), field.name, target)


def _from_queryset(queryset: QuerySet, method: str) -> Access | None:
    """A relation's manager leaves its mark on the querysets it makes."""
    instance = queryset._hints.get("instance")
    if instance is None:
        return None
    served = method in _PLAIN and _is_plain(queryset)
    cached = getattr(instance, "_prefetched_objects_cache", {})
    for field, objects in queryset._known_related_objects.items():
        if any(known is instance for known in objects.values()) and field.remote_field:
            name = field.remote_field.accessor_name
            after = field.remote_field.cache_name in cached
            return Access(REVERSE, type(instance), name, queryset.model, served, after)
    tables = queryset.query.alias_map
    names = [
        name for name, table in _many_to_many(type(instance), queryset.model) if table in tables
    ]
    if len(names) == 1:
        after = names[0] in cached
        return Access(MANY, type(instance), names[0], queryset.model, served, after)
    return None


def _is_plain(queryset: QuerySet) -> bool:
    query = queryset.query
    return not (
        len(query.where.children) > 1
        or query.is_sliced
        or query.distinct
        or query.annotations
        or query.order_by
        or query.extra_order_by
        or not query.default_ordering
        or query.combinator
        or query.deferred_loading != (frozenset(), True)
        or queryset._fields is not None
    )


def lookup_name(owner: type[Model], accessor: str) -> str:
    """What lookups call the relation that objects have as `accessor`: `book` for `book_set`."""
    for relation in owner._meta.related_objects:
        if relation.accessor_name == accessor:
            return relation.name
    return accessor


@cache
def _many_to_many(owner: type[Model], target: type[Model]) -> list[tuple[str, str]]:
    """The many-to-many relations from one model to another: (attribute, through table)."""
    found = []
    for field in owner._meta.get_fields():
        if not field.many_to_many or field.related_model is not target:
            continue
        if field.auto_created:
            name, through = field.accessor_name, field.through
        else:
            name, through = field.name, field.remote_field.through
        if name:
            found.append((name, through._meta.db_table))
    return found
