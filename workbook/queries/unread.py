"""Relations that a cell joined or prefetched, and nobody read.

Certain, or not said. Django keeps what a join or a prefetch brought along in a dictionary of each
object, and whoever reads the relation looks there: Django's descriptors, those of libraries, and
code that knows the dictionary's name. So these dictionaries are exchanged for ones that note it.
And once the cell has ended, no more than one of the objects may still live (a loop's variable
keeps the last), else a later cell could read them.
"""

import gc
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from weakref import ref

from django.db.models import Model
from django.db.models import query as django_query
from django.db.models.fields.mixins import FieldCacheMixin

from workbook.queries import relations
from workbook.queries.recorder import Capture, Query, Unread

FEWEST = 3  # rows: fewer cost nothing

# What the running cell did so far.
_read: set[tuple[type[Model], str | None]] = set()  # (model, name in the dictionary), None: all
_prefetched_as: dict[tuple[type[Model], str], str] = {}  # (model, lookup): name in the dictionary
_kept: dict[tuple[type[Model], type], list[ref]] = {}  # the dictionaries there are
_copied = False  # was an object pickled or copied, with all that it holds?


def forget() -> None:
    """A cell begins: nothing was read yet."""
    global _copied
    _read.clear()
    _prefetched_as.clear()
    _kept.clear()
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
    """How many objects of a model, with what they brought along, can still be reached."""
    return max(
        sum(kept() is not None for kept in _kept.get((owner, kind), ()))
        for kind in (_Joined, _Prefetched)
    )


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
        if not _was_read(model, relation.cache_name):
            yield Unread(query, model, f"{prefix}{name}")
        else:
            yield from _unread_joins(query, relation.related_model, deeper, f"{prefix}{name}__")


def _prefetched(query: Query) -> Iterator[Unread]:
    access = query.access
    if access and access.kind == relations.PREFETCH and access.objects >= FEWEST:
        # None for a Prefetch's to_attr: a list, which anybody may read unseen.
        name = _prefetched_as.get((access.owner, access.name))
        if name and not _was_read(access.owner, name):
            yield Unread(query, access.owner, access.name)


def _was_read(model: type[Model], name: str) -> bool:
    return (model, name) in _read or (model, None) in _read


def _relation(model: type[Model], name: str) -> FieldCacheMixin | None:
    """What keeps the object that a join brings along; None for what is kept elsewhere."""
    descriptor = getattr(model, name, None)
    found = getattr(descriptor, "related", None) or getattr(descriptor, "field", None)
    return found if isinstance(found, FieldCacheMixin) else None


# Noting: dictionaries that know when somebody looks into them.


class _Noted(dict):
    """What came along with an object, by relation."""

    __slots__ = ("__weakref__", "owner")

    def __init__(self, kept: dict[str, Any], owner: type[Model]) -> None:
        super().__init__(kept)
        self.owner = owner
        _kept.setdefault((owner, type(self)), []).append(ref(self))

    def __getitem__(self, name: str) -> Any:
        value = dict.__getitem__(self, name)  # Django looks for what is missing: no reading
        _read.add((self.owner, name))
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if dict.__contains__(self, name) else default

    def __contains__(self, name: object) -> bool:
        found = dict.__contains__(self, name)
        if found:
            _read.add((self.owner, name))
        return found

    def __reduce__(self) -> tuple:  # who loads this may not have the workbook
        return dict, (dict(self),)


def _noting_all(method: Callable) -> Callable:
    @wraps(method)
    def note_all(self: _Noted, *args: Any, **kwargs: Any) -> Any:
        _read.add((self.owner, None))
        return method(self, *args, **kwargs)

    return note_all


for _name in (
    *("__iter__", "__len__", "__eq__", "__or__", "__ror__", "__repr__", "__reversed__", "keys"),
    *("values", "items", "copy", "pop", "popitem", "setdefault"),
):
    setattr(_Noted, _name, _noting_all(getattr(dict, _name)))


class _Joined(_Noted):
    """An object's `_state.fields_cache`: the relations to one object."""

    __slots__ = ()


class _Prefetched(_Noted):
    """An object's `_prefetched_objects_cache`: the relations to many."""

    __slots__ = ()


# Django's own functions, each with a line before or after it.

_get_state = Model.__getstate__
_fetch_all = django_query.QuerySet._fetch_all
_prefetch_one_level = django_query.prefetch_one_level


def _noting_get_state(self: Model) -> dict[str, Any]:
    global _copied
    _copied = True
    return _get_state(self)


def _noting_fetch_all(self: django_query.QuerySet) -> None:
    joins = self._result_cache is None and self.query.select_related
    _fetch_all(self)
    if isinstance(joins, dict) and self._result_cache and isinstance(self._result_cache[0], Model):
        _note_joined(self._result_cache, joins)


def _note_joined(objects: list[Model], joins: dict[str, Any]) -> None:
    owner = type(objects[0])
    caches = [_joined_to(each) for each in objects]
    for name, deeper in joins.items():
        if deeper and (relation := _relation(owner, name)):
            joined = [dict.get(cache, relation.cache_name) for cache in caches]
            if joined := [each for each in joined if each is not None]:
                _note_joined(joined, deeper)


def _joined_to(instance: Model) -> _Joined:
    cache = instance._state.fields_cache
    if not isinstance(cache, _Joined):
        cache = instance._state.fields_cache = _Joined(cache, type(instance))
    return cache


def _noting_prefetch(instances: list[Model], prefetcher: Any, lookup: Any, level: int) -> Any:
    owner, first = type(instances[0]), instances[0]
    before = {*dict.keys(first._prefetched_objects_cache), *dict.keys(first._state.fields_cache)}
    found = _prefetch_one_level(instances, prefetcher, lookup, level)
    many = dict.keys(first._prefetched_objects_cache) - before
    one = dict.keys(first._state.fields_cache) - before
    if len(many) + len(one) == 1:
        (name,) = many or one
        _prefetched_as[owner, lookup.get_current_prefetch_to(level)] = name
    for instance in instances:
        if one:
            _joined_to(instance)
        elif many and not isinstance(instance._prefetched_objects_cache, _Prefetched):
            cache = instance._prefetched_objects_cache
            instance._prefetched_objects_cache = _Prefetched(cache, type(instance))
    return found


_PLACES = [
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
