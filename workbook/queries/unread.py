"""Relations that a cell joined or prefetched, and nobody read.

Certain, or not said. Every read of a relation passes one of Django's descriptors and is noted
here; and once the cell has ended, no more than one of the objects that hold the relation may still
live (a loop's variable keeps the last), else a later cell could read them.
"""

import gc
import sys
from collections.abc import Iterator
from typing import Any
from weakref import ref

from django.db.models import Model
from django.db.models import query as django_query
from django.db.models.fields import related_descriptors
from django.db.models.fields.mixins import NOT_PROVIDED, FieldCacheMixin

from workbook.queries import relations
from workbook.queries.recorder import Capture, Query, Unread

FEWEST = 3  # rows: fewer cost nothing

# What the running cell did so far.
_read: set[int] = set()  # id() of the fields and descriptors that were read
_holders: dict[type[Model], list[ref]] = {}  # objects to which something was joined or prefetched
_copied = False  # was an object pickled or copied, with all that it holds?


def forget() -> None:
    """A cell begins: nothing was read yet."""
    global _copied
    _read.clear()
    _holders.clear()
    _copied = False


def find(capture: Capture) -> list[Unread]:
    """The relations that the queries of a cell brought along for nothing, once it has ended."""
    if _copied:
        return []
    found = [
        unread
        for query in capture.queries
        if not (query.cause or query.error)
        for unread in (*_joined(query), *_prefetched(query))
    ]
    kept = {owner for owner in {unread.owner for unread in found} if _alive(owner) > 1}
    if kept:
        gc.collect()  # objects that prefetching ties into circles die no other way
        kept = {owner for owner in kept if _alive(owner) > 1}
    return [unread for unread in found if unread.owner not in kept]


def _alive(owner: type[Model]) -> int:
    return len({id(held) for holder in _holders.get(owner, ()) if (held := holder()) is not None})


def _joined(query: Query) -> Iterator[Unread]:
    source = query.source
    if source and source.fetches_all and (query.rows or 0) >= FEWEST:
        joins = source.joins if isinstance(source.joins, dict) else {}  # True: all, none by name
        yield from _unread_joins(query, source.model, joins, "")


def _unread_joins(
    query: Query, model: type[Model], joins: dict[str, Any], prefix: str
) -> Iterator[Unread]:
    for name, deeper in joins.items():
        relation = _relation(model, name)
        if relation is None:
            continue
        if id(relation) not in _read:
            yield Unread(query, model, f"{prefix}{name}")
        else:
            yield from _unread_joins(query, relation.related_model, deeper, f"{prefix}{name}__")


def _prefetched(query: Query) -> Iterator[Unread]:
    access = query.access
    if access and access.kind == relations.PREFETCH and access.objects >= FEWEST:
        name = access.name.rpartition("__")[2]
        descriptor = getattr(access.owner, name, None)
        to_many = isinstance(descriptor, related_descriptors.ReverseManyToOneDescriptor)
        relation = descriptor if to_many else _relation(access.owner, name)
        # None for a Prefetch's to_attr: a list, which anybody may read unseen.
        if relation is not None and id(relation) not in _read:
            yield Unread(query, access.owner, access.name)


def _relation(model: type[Model], name: str) -> FieldCacheMixin | None:
    """What notes the reading of a relation to one object."""
    descriptor = getattr(model, name, None)
    found = getattr(descriptor, "related", None) or getattr(descriptor, "field", None)
    return found if isinstance(found, FieldCacheMixin) else None


# Noting: Django's own functions, each with a line before it.

_get_one = FieldCacheMixin.get_cached_value
_get_many = related_descriptors.ReverseManyToOneDescriptor.__get__
_get_state = Model.__getstate__
_fetch_all = django_query.QuerySet._fetch_all
_prefetch_one_level = django_query.prefetch_one_level
_PREFETCHING = {"get_prefetcher", "prefetch_one_level"}  # they put rows in place, and read none


def _noting_get_one(self: Any, instance: Model, default: Any = NOT_PROVIDED) -> Any:
    _read.add(id(self))
    return _get_one(self, instance, default)


def _noting_get_many(self: Any, instance: Model | None, cls: type[Model] | None = None) -> Any:
    if instance is not None and sys._getframe(1).f_code.co_name not in _PREFETCHING:
        _read.add(id(self))
    return _get_many(self, instance, cls)


def _noting_get_state(self: Model) -> dict[str, Any]:
    global _copied
    _copied = True
    return _get_state(self)


def _noting_fetch_all(self: django_query.QuerySet) -> None:
    joins = self.query.select_related if self._result_cache is None else False
    _fetch_all(self)
    if isinstance(joins, dict) and self._result_cache and isinstance(self._result_cache[0], Model):
        _note_holders(self._result_cache, joins)


def _note_holders(objects: list[Model], joins: dict[str, Any]) -> None:
    _holders.setdefault(type(objects[0]), []).extend(map(ref, objects))
    for name, deeper in joins.items():
        if deeper and (relation := _relation(type(objects[0]), name)):
            joined = [held._state.fields_cache.get(relation.cache_name) for held in objects]
            if joined := [held for held in joined if held is not None]:
                _note_holders(joined, deeper)


def _noting_prefetch(instances: list[Model], *args: Any) -> Any:
    _holders.setdefault(type(instances[0]), []).extend(map(ref, instances))
    return _prefetch_one_level(instances, *args)


_PLACES = [
    (FieldCacheMixin, "get_cached_value", _get_one, _noting_get_one),
    (related_descriptors.ReverseManyToOneDescriptor, "__get__", _get_many, _noting_get_many),
    (Model, "__getstate__", _get_state, _noting_get_state),
    (django_query.QuerySet, "_fetch_all", _fetch_all, _noting_fetch_all),
    (django_query, "prefetch_one_level", _prefetch_one_level, _noting_prefetch),
]


def install() -> None:
    """Note from here on which relations are brought along, and which are read."""
    for place, name, _, noting in _PLACES:
        setattr(place, name, noting)


def uninstall() -> None:
    """Leave Django as it was."""
    for place, name, original, _ in _PLACES:
        setattr(place, name, original)
