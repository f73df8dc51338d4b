"""What a query is for, read from Django's own frames while it runs: a relation, a QuerySet, a call.

Nothing is guessed: the descriptors, managers and querysets on the stack say themselves which field
they serve. What they say is worked out once for each statement, so that a loop costs little.
"""

import sys
from collections.abc import Iterator
from functools import cache, cached_property
from types import FrameType
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import Manager, Model
from django.db.models.expressions import Col
from django.db.models.query import QuerySet, RawQuerySet

from workbook.queries import expressions, origins
from workbook.queries.origins import Walk

FORWARD, REVERSE_ONE, REVERSE, MANY = "forward", "reverse one-to-one", "reverse", "many-to-many"
DEFERRED, GENERIC, GENERIC_MANY, PREFETCH = "deferred", "generic", "generic to many", "prefetch"
TO_ONE, TO_MANY = (FORWARD, REVERSE_ONE), (REVERSE, MANY, GENERIC_MANY)


class Access:
    """A relation (or deferred field) followed from an object, e.g. `Invoice.customer`."""

    def __init__(
        self,
        kind: str,
        owner: type[Model],
        name: str,
        target: type[Model] | None = None,
        *,
        asked: "Asked | AskedSimply | None" = None,
        after_prefetch: bool = False,
        unsaved: bool = False,
        objects: int = 0,
    ) -> None:
        self.kind = kind
        self.owner = owner
        self.name = name
        self.target = target
        self.asked = asked  # how the QuerySet of a relation to many was used
        self.after_prefetch = after_prefetch  # were its rows there already, and left unused?
        self.unsaved = unsaved  # was it followed from an object that no query loaded?
        self.objects = objects  # for how many of them a prefetch asks

    @property
    def label(self) -> str:
        return f"{self.owner._meta.object_name}.{self.name.rpartition('__')[2]}"

    @property
    def method(self) -> str:
        """The QuerySet's method that the code called: `count`, `first`, `__iter__`, …"""
        return self.asked.method if self.asked else ""

    @cached_property
    def served_by_prefetch(self) -> bool:
        """Would rows prefetched for the relation answer this query?"""
        return self.asked is None or self.asked.answered_by_plain_rows()


class Asked:
    """How the QuerySet of a relation to many was used."""

    def __init__(self, method: str, queryset: QuerySet, columns: frozenset[Any]) -> None:
        self.method = method
        self.query = queryset.query
        self.columns = columns  # by which the relation itself filters
        self.manager: Manager = queryset.model._default_manager
        self.ordered = queryset.ordered or not queryset.query.default_ordering
        self.rows_as_they_are = queryset._fields is None and not queryset._prefetch_related_lookups

    def answered_by_plain_rows(self) -> bool:
        """Whether all that was asked for are the relation's rows as they are."""
        if self.method not in _ANSWERED or not self.rows_as_they_are:
            return False
        if self.method == "first" and not self.ordered:
            return False
        return not self.adds_conditions()

    def adds_conditions(self) -> bool:
        """Whether the code filtered, sorted or annotated the relation's rows."""
        query, manager = self.query.clone(), self.manager.get_queryset().query
        query.clear_limits()
        added = [each for each in query.where.children if not self._is_the_relations_own(each)]
        return added != manager.where.children or _traits(query) != _traits(manager)

    def _is_the_relations_own(self, condition: Any) -> bool:
        return self.columns.issuperset(_columns(condition) or [None])


class AskedSimply(NamedTuple):
    """The same where the method alone tells what was asked for."""

    method: str
    all_rows: bool = True
    by_a_library: bool = False

    def answered_by_plain_rows(self) -> bool:
        return self.all_rows

    def adds_conditions(self) -> bool:
        return not self.all_rows


_ANSWERED = {"__iter__", "__len__", "__bool__", "__getitem__", "__aiter__", "_fetch_all"}
_ANSWERED |= {"count", "exists", "contains", "first"}


def _traits(query: Any) -> tuple:
    return (
        *(query.distinct, query.combinator, query.deferred_loading, query.select_related),
        *(query.order_by, query.extra_order_by, query.default_ordering, query.standard_ordering),
        *(list(query.annotations), list(query.extra), query.select_for_update),
        *(query.where.connector, query.where.negated),
    )


def _columns(condition: Any) -> tuple[Any, ...]:
    """The fields on the left of a condition."""
    left = getattr(condition, "lhs", None)
    return tuple(getattr(left, "targets", ())) or (getattr(left, "target", None),)


class Source:
    """The QuerySet that ran a query: what it loads, and how."""

    def __init__(self, queryset: QuerySet | RawQuerySet, innermost: str, method: str) -> None:
        self.model: type[Model] = queryset.model
        self.method = method  # the one that the code called
        self.raw = isinstance(queryset, RawQuerySet)
        query = None if self.raw else queryset.query
        self.joins: Any = query.select_related if query else False  # as in the Query: a dict
        self.combined = bool(query and query.combinator)
        self.locked = bool(query and query.select_for_update)
        self.sliced = bool(query and query.is_sliced)
        self.deferred: Any = query.deferred_loading if query else (frozenset(), True)
        # All of it is here, as objects; it neither counts nor goes row by row.
        self.fetches_all = innermost == "_fetch_all" and not (self.raw or self.locked)
        self.lookups = _lookups(query) if query else None

    def defers(self, name: str) -> bool:
        """Whether `defer()` or `only()` leave this field out."""
        names, leaves_out = self.deferred
        return (name in names) == leaves_out if names else False


def _lookups(query: Any) -> tuple[str, ...] | None:
    """The fields that must equal a value, in the order of their parameters; None if not only so."""
    if query.where.negated or query.where.connector != "AND" or query.annotations:
        return None
    names = []
    for condition in query.where.children:
        column = getattr(condition, "lhs", None)
        if (
            getattr(condition, "lookup_name", "") != "exact"
            or not isinstance(column, Col)
            or hasattr(condition.rhs, "resolve_expression")
            or (name := _path(query, column)) is None
        ):
            return None
        names.append(name)
    return tuple(names)


def _path(query: Any, column: Col) -> str | None:
    """A column as a lookup names it: `author__name`."""
    parts, join = [column.target.name], query.alias_map.get(column.alias)
    while join is not None and join.parent_alias:
        if not hasattr(join, "join_field"):
            return None
        if not getattr(join.join_field.remote_field, "parent_link", False):  # it is the same object
            parts.insert(0, join.join_field.name)
        join = query.alias_map.get(join.parent_alias)
    return "__".join(parts) if join is not None else None


class Call(NamedTuple):
    """What the reader's line called: a method of Django's API, or one that leads there."""

    kind: str
    method: str
    model: type[Model] | None = None
    manager: str = ""  # the attribute that has the manager: `objects`, `tags`
    called: bool = True  # False for a property

    @property
    def label(self) -> str:
        """As the code has it: `Tag.objects.get_or_create()`, `Book.tags.set()`."""
        model = self.model._meta.object_name if self.model else ""
        method = f"{self.method}()" if self.called else self.method
        return ".".join(filter(None, (model, self.manager, method)))


QUERYSET, MANAGER, MODEL, CURSOR, FUNCTION = "queryset", "manager", "model", "cursor", "function"
LIBRARY, OTHER = "library's method", "library's function"

_MANY_MANAGER = "create_forward_many_to_many_manager.<locals>.ManyRelatedManager"
_RELATED_MANAGERS = (
    _MANY_MANAGER,
    "create_reverse_many_to_one_manager.<locals>.RelatedManager",
    "create_generic_related_manager.<locals>.GenericRelatedObjectManager",
)
_MANAGER_METHODS = ("add", "remove", "clear", "set", "create", "get_or_create", "update_or_create")
_COUNTS = {f"{_MANY_MANAGER}.{name}": name for name in ("count", "exists")}
_DESCRIPTORS = {
    "ForwardManyToOneDescriptor.__get__": FORWARD,
    "ReverseOneToOneDescriptor.__get__": REVERSE_ONE,
    "DeferredAttribute.__get__": DEFERRED,
    "GenericForeignKeyDescriptor.__get__": GENERIC,
}
_PREFETCH = "prefetch_one_level"
_SHORTCUTS = ("prefetch_related_objects", "get_object_or_404", "get_list_or_404")
_CALLS = {
    **{f"QuerySet.{name}": QUERYSET for name, value in vars(QuerySet).items() if callable(value)},
    **{f"RawQuerySet.{name}": QUERYSET for name in vars(RawQuerySet)},
    **{f"{manager}.{name}": MANAGER for manager in _RELATED_MANAGERS for name in _MANAGER_METHODS},
    **{f"Model.{name}": MODEL for name in ("save", "delete", "refresh_from_db", "full_clean")},
    **{f"CursorWrapper.{name}": CURSOR for name in ("execute", "executemany", "callproc")},
    **dict.fromkeys(_SHORTCUTS, FUNCTION),
}
_BY_MANAGER = "BaseManager._get_queryset_methods.<locals>.create_method.<locals>.manager_method"

origins.watch([*_CALLS, *_COUNTS, *_DESCRIPTORS, _PREFETCH])


class Reading(NamedTuple):
    """What the stack says of a query."""

    access: Access | None = None
    subject: object = None  # the primary key of the object whose relation was followed
    source: Source | None = None
    call: Call | None = None


_known: dict[tuple, Any] = {}  # what was worked out for the statements seen before


def forget() -> None:
    """Begin again, once many statements are known."""
    if len(_known) > 10_000:
        _known.clear()


def read(sql: str, way: Walk) -> Reading:
    """What the frames between a query and the reader's code say of it."""
    access: Access | None = None
    subject: object = None
    queryset = outer = called = None
    innermost = ""
    for number, frame in enumerate(way.watched):
        code = frame.f_code
        kind = _CALLS.get(code.co_qualname)
        if kind is not None and number < way.below:
            called = frame  # the last one is what the reader's line called
        if kind is QUERYSET:
            if queryset is None:
                queryset, innermost = frame.f_locals.get("self"), code.co_name
            if access is None and number < way.below:
                outer = frame
        elif kind is None and access is None:
            found = _followed(code.co_qualname, frame.f_locals)
            # Beyond the reader's own code it may serve another query than this one.
            if found and (number < way.below or _loads(queryset, found[0].target)):
                access, subject = found
    call, named = _called(way, called)
    if subject is None:
        subject = named
    if queryset is None:
        return Reading(access, subject, None, call)
    method = outer.f_code.co_name if outer else innermost
    # SQLite's SQL does not tell a lock.
    locked = isinstance(queryset, QuerySet) and queryset.query.select_for_update
    key = "source", sql, queryset.model, innermost, method, locked
    source = _known.get(key)
    if source is None:
        source = _known[key] = Source(queryset, innermost, method)
    if access is None and not source.raw:
        asked = outer.f_locals.get("self") if outer else queryset
        if not isinstance(asked, QuerySet) or asked.model is not queryset.model:
            asked = queryset
        if (instance := queryset._hints.get("instance")) is not None:
            access, found = _related(queryset, asked, instance, method, sql)
        elif generic := _generic_keys(queryset.model):
            access, found = _generic_related(queryset, asked, generic, method, sql)
        if access is None and way.reader is not None and _libraries_relate_to(source.model):
            access, found = _of_a_library(way, source)
        if access is not None:
            subject = found
    return Reading(access, subject, source, call)


def _loads(queryset: Any, target: type[Model] | None) -> bool:
    return (
        target is None
        or queryset is None
        or queryset.model._meta.concrete_model is target._meta.concrete_model
    )


# Relations.


def _followed(name: str, local: Any) -> tuple[Access, object] | None:
    """The relation that a descriptor, a related manager or a prefetch serves, and for whom."""
    if (kind := _DESCRIPTORS.get(name)) is not None:
        descriptor, instance = local["self"], local["instance"]
        unsaved = instance._state.adding
        key = kind, type(instance), id(descriptor), unsaved
        access = _known.get(key)
        if access is None:
            field = descriptor.related if kind == REVERSE_ONE else descriptor.field
            relation = field.accessor_name if kind == REVERSE_ONE else field.name
            target = type(instance) if kind == DEFERRED else getattr(field, "related_model", None)
            access = Access(kind, type(instance), relation, target, unsaved=unsaved)
            _known[key] = access
        return access, instance.pk
    if name == _PREFETCH:
        instances = local["instances"]
        path = local["lookup"].get_current_prefetch_to(local["level"])
        key = PREFETCH, type(instances[0]), path, len(instances)
        access = _known.get(key)
        if access is None:
            access = _known[key] = Access(*key[:3], objects=key[3])
        return access, None
    if name in _COUNTS:
        manager = local["self"]
        instance = manager.instance
        after = _is_prefetched(instance, manager.prefetch_cache_name)
        key = MANY, type(instance), manager.source_field, manager.model, name, after
        access = _known.get(key)
        if access is None:
            relation = _accessor(type(instance), manager.source_field, manager.prefetch_cache_name)
            asked = AskedSimply(_COUNTS[name])
            access = _known[key] = Access(
                MANY, type(instance), relation, manager.model, asked=asked, after_prefetch=after
            )
        return access, instance.pk
    return None


def _is_prefetched(instance: Model, name: str) -> bool:
    cached = instance.__dict__.get("_prefetched_objects_cache")
    return cached is not None and dict.__contains__(cached, name)  # unread.py notes other ways


def _related(
    queryset: QuerySet, asked: QuerySet, instance: Model, method: str, sql: str
) -> tuple[Access | None, object]:
    """A related manager leaves its mark on the querysets it makes."""
    owner = type(instance)
    key = "relation", sql, owner
    found = _known.get(key)
    if found is None:
        found = _known[key] = _relation_of(queryset, owner) or ()
    if not found:
        return None, None
    kind, name, cache_name, columns = found
    after = _is_prefetched(instance, cache_name)
    # What SQL does not tell, or not SQLite's.
    unseen = bool(asked._prefetch_related_lookups), asked.query.select_for_update
    key = kind, owner, name, method, sql, after, unseen
    access = _known.get(key)
    if access is None:
        access = _known[key] = Access(
            *(kind, owner, name, queryset.model),
            asked=Asked(method, asked, columns),
            after_prefetch=after,
        )
    return access, instance.pk


def _relation_of(queryset: QuerySet, owner: type[Model]) -> tuple[str, str, str, frozenset] | None:
    """(kind, name, name in the prefetch cache, the columns it filters by)."""
    for field in queryset._known_related_objects:
        if (remote := field.remote_field) and remote.accessor_name:
            columns = frozenset({field, *field.local_related_fields})
            return REVERSE, remote.accessor_name, remote.cache_name, columns
    filtered = {column for each in queryset.query.where.children for column in _columns(each)}
    found = [each for each in _many_to_many(owner, queryset.model) if each[2] in filtered]
    if len(found) != 1:
        return None
    ((name, cache_name, source),) = found
    return MANY, name, cache_name, frozenset({source, *source.local_related_fields})


@cache
def _many_to_many(owner: type[Model], target: type[Model]) -> list[tuple[str, str, Any]]:
    """The many-to-many relations from one model to another.

    (attribute, name in the prefetch cache, the foreign key by which its through table names owner)
    """
    found = []
    for field in owner._meta.get_fields(include_hidden=True):
        if not field.many_to_many or field.related_model is not target:
            continue
        if field.auto_created:  # the relation seen from its other end
            forward, name = field.field, field.accessor_name
            cache_name, source = forward.related_query_name(), forward.m2m_reverse_field_name()
        elif hasattr(field, "m2m_field_name"):
            forward = field
            name = cache_name = field.name
            source = field.m2m_field_name()
        else:  # a library's own kind of relation
            continue
        if name:
            through = forward.remote_field.through
            found.append((name, cache_name, through._meta.get_field(source)))
    return found


def _accessor(owner: type[Model], source: Any, otherwise: str) -> str:
    return next(
        (
            name
            for field in owner._meta.get_fields(include_hidden=True)
            if field.many_to_many and field.related_model
            for name, _, column in _many_to_many(owner, field.related_model)
            if column == source
        ),
        otherwise,
    )


@cache
def _generic_keys(model: type[Model]) -> tuple[tuple[Any, Any], ...]:
    """A model's generic foreign keys: (field of the content type, field of the object's id)."""
    return tuple(
        (model._meta.get_field(field.ct_field), model._meta.get_field(field.fk_field))
        for field in model._meta.private_fields
        if hasattr(field, "ct_field") and hasattr(field, "fk_field")
    )


def _generic_related(
    queryset: QuerySet, asked: QuerySet, keys: tuple[tuple[Any, Any], ...], method: str, sql: str
) -> tuple[Access | None, object]:
    """A GenericRelation filters by content type and object, and leaves no other mark."""
    values = {
        _columns(each)[0]: each.rhs
        for each in queryset.query.where.children
        if getattr(each, "lookup_name", "") == "exact"
    }
    for content_type, object_id in keys:
        if content_type in values and object_id in values:
            key = GENERIC_MANY, sql, values[content_type], object_id, method
            if key not in _known:
                owner = _model_of(queryset.db, values[content_type])
                names = [
                    each.name
                    for each in (owner._meta.private_fields if owner else ())
                    if each.one_to_many
                    and each.related_model is queryset.model
                    and getattr(each, "object_id_field_name", "") == object_id.name
                ]
                columns = frozenset({content_type, object_id})
                _known[key] = len(names) == 1 and Access(
                    *(GENERIC_MANY, owner, names[0], queryset.model),
                    asked=Asked(method, asked, columns),
                )
            if access := _known[key]:
                return access, values[object_id]
    return None, None


def _model_of(alias: str, content_type: Any) -> type[Model] | None:
    """The model of a content type that Django has at hand; no query is run for it."""
    module = sys.modules.get("django.contrib.contenttypes.models")
    known = module.ContentType.objects._cache.get(alias, {}).get(content_type) if module else None
    return known.model_class() if known else None


def _of_a_library(way: Walk, source: Source) -> tuple[Access | None, object]:
    """A relation whose manager is not Django's, e.g. tags: the reader's expression names it."""
    frame, step = way.reader, way.origin.path[0]
    key = "chains", step
    if key not in _known:
        _known[key] = expressions.chains(step)
    for chain, all_rows in _known[key]:
        owner = _value(frame, chain[:-1])
        if not _is_a(Model, owner):
            continue
        field = _library_relations(type(owner)).get(chain[-1])
        if field is not None and field.related_model is source.model:
            key = MANY, type(owner), chain[-1], source.method, all_rows
            access = _known.get(key)
            if access is None:
                access = _known[key] = Access(
                    *(MANY, type(owner), chain[-1], source.model),
                    asked=AskedSimply(source.method, all_rows, by_a_library=True),
                    after_prefetch=_is_prefetched(owner, chain[-1]),
                )
            return access, owner.pk
    return None, None


def _value(frame: FrameType, chain: tuple[str, ...]) -> Any:
    """What a variable, or a relation that it has at hand, holds; nothing of the reader's runs."""
    name, *attributes = chain
    value = frame.f_locals.get(name, frame.f_globals.get(name))
    for attribute in attributes:
        if not _is_a(Model, value):
            return None
        value = dict.get(value._state.fields_cache, attribute)
    return value


def _is_a(kind: type | tuple[type, ...], value: Any) -> bool:
    """What isinstance() says, without asking a lazy object, which would run its query."""
    return issubclass(type(value), kind)


@cache
def _library_relations(model: type[Model]) -> dict[str, Any]:
    """Relations to many that are no ManyToManyField and no GenericRelation."""
    return {
        field.name: field
        for field in model._meta.get_fields()
        if (field.many_to_many or field.one_to_many)
        and not field.auto_created
        and not type(field).__module__.startswith("django.")
    }


@cache
def _libraries_relate_to(model: type[Model]) -> bool:
    return any(
        field.related_model is model
        for owner in apps.get_models()
        for field in _library_relations(owner).values()
    )


# Calls.


def _called(way: Walk, frame: FrameType | None) -> tuple[Call | None, object]:
    """What the reader's line called, and the primary key of the object whose manager that was.

    `frame` is the one of Django's API that is nearest to the reader's code.
    """
    child = way.child
    if frame is None or (child is not None and child.f_code.co_qualname in _DESCRIPTORS):
        return None, None
    if child not in (None, frame) and child.f_code.co_qualname != _BY_MANAGER:
        return _by_a_library(child, way), None
    method, kind = frame.f_code.co_name, _CALLS[frame.f_code.co_qualname]
    if kind is CURSOR or kind is FUNCTION:
        return _call(kind, method), None
    subject = frame.f_locals.get("self")
    if kind is MODEL:
        return _call(kind, method, type(subject)), None
    if kind is QUERYSET:
        return _call(kind, method, getattr(subject, "model", None), "objects"), None
    manager = getattr(subject, "source_field", None) or getattr(subject, "field", None)
    manager = manager or subject.prefetch_cache_name
    return _call(kind, method, type(subject.instance), manager), subject.instance.pk


def _by_a_library(child: FrameType, way: Walk) -> Call:
    """A method or property of a model or a manager that is not Django's own API, or a function."""
    method, called = child.f_code.co_name, True
    if way.origin.path:  # the name that the reader knows: a decorator has another one
        key = "called", way.origin.path[0]
        if key not in _known:
            _known[key] = expressions.called(key[1])
        method, called = _known[key] or (method, called)
    for subject in _subjects(child.f_locals):
        if _is_a(Model, subject):
            return _call(LIBRARY, method, type(subject), "", called)
        if _is_a((Manager, QuerySet, RawQuerySet), subject):
            return _call(LIBRARY, method, subject.model, "objects", called)
    return _call(OTHER, method)


def _subjects(local: dict[str, Any]) -> Iterator[Any]:
    """What a method may have been called on: itself, or by a descriptor or a decorator."""
    yield from (local.get("self"), local.get("instance"))
    arguments = local.get("args")
    if isinstance(arguments, tuple):
        yield from arguments[:1]


@cache
def _call(
    kind: str,
    method: str,
    model: type[Model] | None = None,
    manager: Any = "",
    called: bool = True,
) -> Call:
    if not isinstance(manager, str):  # the foreign key by which it filters
        remote = getattr(manager, "remote_field", None)
        manager = _accessor(model, manager, getattr(remote, "accessor_name", "") or "")
    return Call(kind, method, model, manager, called)


def lookup_name(owner: type[Model], accessor: str) -> str:
    """What lookups call the relation that objects have as `accessor`: `book` for `book_set`."""
    for relation in owner._meta.related_objects:
        if relation.accessor_name == accessor:
            return relation.name
    return accessor
