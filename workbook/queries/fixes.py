"""What to do about a finding: the change to the reader's code that takes the repetition away."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Model

from workbook.queries import expressions, relations
from workbook.queries.recorder import Query
from workbook.queries.relations import Access, Source

KEEP = "Fix: run it once and keep the result."

WRITES = {
    *("save", "create", "update", "delete", "get_or_create", "update_or_create"),
    *("add", "remove", "clear", "set"),
}
BATCHES = {"bulk_create", "bulk_update", "in_bulk"}  # made to send work in pieces
SILENT = {*BATCHES, "full_clean", "explain"}


# Relations.


@dataclass(eq=False)
class Loop:
    """Queries that one expression of the reader's code ran again and again."""

    queries: list[Query]
    first: int  # their places among all queries
    last: int

    @property
    def access(self) -> Access | None:
        return self.queries[0].access


class Loaded(NamedTuple):
    """How the objects came from which a relation is followed."""

    path: str  # from the objects that the QuerySet has: "", or "author__publisher"
    by_joins: bool  # could a join have brought them?
    source: Source


def for_relation(loop: Loop, loops: list[Loop], queries: list[Query]) -> str:
    """How to fetch a relation of many objects at once."""
    access, call = loop.access, loop.queries[0].call
    if not access.served_by_prefetch:
        if call is not None and call.method == "serialize":  # it looks for prefetched rows
            return f'Try .prefetch_related("{access.name}").'
        if _written_here(loop):
            return _with_conditions(access)
        return _by_own_query(access) if _is_all_that_ran(loop, queries) else ""
    if _made_within(loop, queries):
        return ""
    loaded = ways_to(access.owner, loop, loops, queries)
    if access.unsaved or (not loaded and _written(access.owner, queries)):
        return f'Try prefetch_related_objects(objects, "{access.name}") before the loop.'
    by_join = access.kind in relations.TO_ONE
    if len(loaded) != 1:
        if not _written_here(loop):
            return ""
        method = "select_related" if by_join else "prefetch_related"
        owner = access.owner._meta.object_name
        return f'Try .{method}("{access.name}") where the {owner} objects are loaded.'
    prefix, by_joins, source = loaded[0]
    path = f"{prefix}__{access.name}" if prefix else access.name
    if source.combined:  # a union takes neither
        return f'Try prefetch_related_objects(objects, "{path}") on the list of its objects.'
    if by_join and by_joins and not (source.raw or source.locked):
        fix = f'Try .select_related("{path}")'
        if source.defers(path):  # no field can be left out and joined
            _, leaves_out = source.deferred
            fix += f' and {"take" if leaves_out else "name"} "{path}" '
            fix += "out of .defer()" if leaves_out else "in .only()"
        return f"{fix}."
    prefetch = f'.prefetch_related("{path}")'
    if source.method == "_iterator":
        return f"Try {prefetch} with .iterator(chunk_size=2000)."
    if access.method == "count" and not prefix and _counts_all(access):
        name = relations.lookup_name(access.owner, access.name)
        return f'Try .annotate(Count("{name}")), or {prefetch} to have the rows too.'
    return f"Try {prefetch}."


def _written_here(loop: Loop) -> bool:
    """Whether the reader's own code names the relation, so that it can be changed."""
    words = expressions.words(loop.queries[0].origin.path)
    return words is None or loop.access.name in words


def _is_all_that_ran(loop: Loop, queries: list[Query]) -> bool:
    """Whether the call that ran these queries ran no others."""
    origin = loop.queries[0].origin
    return sum(query.origin is origin for query in queries) == len(loop.queries)


def _by_own_query(access: Access) -> str:
    return (
        f"The code called here makes its own query on {access.label}, so a prefetch does not help: "
        "try one query of your own before the loop."
    )


def _made_within(loop: Loop, queries: list[Query]) -> bool:
    """Whether each turn's call loads, or makes, the objects from which it follows the relation."""
    origin = loop.queries[0].origin
    makers = [query for query in queries if query.origin is origin and _makes(query, loop.access)]
    return len(makers) > 1


def _makes(query: Query, access: Access) -> bool:
    if query.access is access or (query.access and query.access.kind == relations.DEFERRED):
        return False
    if _written(access.owner, [query], "INSERT"):
        return True
    source = query.source
    return bool(source and [*_joined(source.model, source.joins, access.owner)])


def _counts_all(access: Access) -> bool:
    """Whether Count() over the relation gives what its manager counts."""
    if isinstance(access.asked, relations.AskedSimply):
        return not access.asked.by_a_library
    if access.kind == relations.GENERIC_MANY:
        return True
    return not access.target._default_manager.get_queryset().query.where.children


def _with_conditions(access: Access) -> str:
    """For rows of a relation that a plain prefetch would not have."""
    name, asked = relations.lookup_name(access.owner, access.name), access.asked
    if access.method in ("count", "exists"):
        return f'Try .annotate(Count("{name}", filter=Q(…))) before the loop.'
    if access.method == "aggregate":
        return f'Try .annotate() before the loop, with the aggregate over "{name}__…".'
    prefetch = f'Try .prefetch_related("{access.name}"), and .all() in the loop'
    if access.method == "_iterator":
        return f"{prefetch} instead of .iterator()."
    if isinstance(asked, relations.AskedSimply):
        return f"{prefetch}."
    if not asked.rows_as_they_are and not asked.adds_conditions():
        return f"{prefetch}: read the values from the objects."
    return f'Try Prefetch("{access.name}", queryset=…, to_attr=…) before the loop.'


def after_prefetch(access: Access) -> str:
    """What prefetched rows can answer, and what to do about the rest."""
    prefetch = f'Prefetch("{access.name}", queryset=…'
    free = "After a prefetch, .all(), slices, .count(), .exists() and .contains() run no query"
    if access.method == "first" and not access.asked.adds_conditions():
        return (
            f"Fix: order the rows that are prefetched, with {prefetch}.order_by(…)): then .first() "
            "runs no query."
        )
    return (
        f"Fix: filter and sort in {prefetch}, to_attr=…), or in Python. {free}; .first() runs none "
        "if the prefetched QuerySet is ordered."
    )


def climbing(access: Access) -> str:
    """For a relation of a model to itself that is followed to its end."""
    owner, column = access.owner._meta.object_name, access.owner._meta.get_field(access.name)
    return (
        f"Try {owner}.objects.in_bulk() once, and look up each {column.attname} in it: "
        "one query for the whole table."
    )


def for_deferred(access: Access, queries: list[Query]) -> str | None:
    """How to load a field with its rows; None if no query is known to have left it out."""
    for prefix, _, source in ways_to(access.owner, None, [], queries):
        path = f"{prefix}__{access.name}" if prefix else access.name
        if source.raw:
            return f'Fix: select the column of "{access.name}" in the raw query.'
        if source.defers(path):
            _, leaves_out = source.deferred
            return (
                f'Fix: take "{path}" out of .defer().'
                if leaves_out
                else (f'Fix: name "{path}" in .only().')
            )
    if _written(access.owner, queries):  # computed by the database when an object is saved
        return None
    owner = access.owner._meta.object_name
    return f'Fix: load "{access.name}" with the rows, where the {owner} objects are loaded.'


def ways_to(
    owner: type[Model],
    loop: Loop | None,
    loops: list[Loop],
    queries: list[Query],
    seen: tuple[Loop, ...] = (),
) -> list[Loaded]:
    """The ways in which a capture loaded the objects of a model, several at a time."""
    found: dict[tuple[str, bool], Loaded] = {}
    for outer in loops:  # the relation before this one in a.b.c was itself fetched in a loop
        access = outer.access
        if outer is loop or outer in seen or not _leads_to(outer, owner, loop):
            continue
        for way in ways_to(access.owner, outer, loops, queries, (*seen, outer)):
            path = f"{way.path}__{access.name}" if way.path else access.name
            way = Loaded(path, way.by_joins and access.kind in relations.TO_ONE, way.source)
            found.setdefault(way[:2], way)
    for query in queries:
        if query.source is None or (query.rows or 0) < 2 or not query.is_select:
            continue
        access = query.access
        if access and access.kind != relations.PREFETCH:
            continue  # loaded one by one, in the loops above
        prefix = access.name if access else ""
        for path in _joined(query.source.model, query.source.joins, owner):
            path = "__".join(part for part in (prefix, path) if part)
            found.setdefault((path, not prefix), Loaded(path, not prefix, query.source))
    if loop and any(_leads_to_itself(outer, loop) for outer in loops):
        return [way for way in found.values() if way.path]
    return list(found.values()) or _ways_by_parent_links(owner, queries)


def _ways_by_parent_links(owner: type[Model], queries: list[Query]) -> list[Loaded]:
    """Objects of a parent model, which Django makes from the fields of a child's."""
    found = {}
    for query in queries:
        if query.source and query.access is None and (query.rows or 0) > 1:
            link = query.source.model._meta.parents.get(owner)
            if link is not None:
                found[link.name] = Loaded(link.name, False, query.source)
    return list(found.values())


def _leads_to(outer: Loop, owner: type[Model], loop: Loop | None) -> bool:
    access = outer.access
    if access is None or access.kind == relations.DEFERRED or not access.target:
        return False
    if not (access.served_by_prefetch and same_model(access.target, owner)):
        return False
    return loop is None or not _same_relation(outer, loop) or _leads_to_itself(outer, loop)


def _leads_to_itself(outer: Loop, loop: Loop) -> bool:
    """Whether a relation of a model to itself is followed again from what it led to."""
    if not (_same_relation(outer, loop) and outer.access.target):
        return False
    return same_model(loop.access.owner, outer.access.target) and (
        outer.first < loop.first < outer.last
    )


def _same_relation(one: Loop, other: Loop) -> bool:
    if one.access is None or other.access is None:
        return False
    kinds = {one.access.kind, other.access.kind}
    return one.access.label == other.access.label and relations.DEFERRED not in kinds


def _joined(model: type[Model], joins: object, owner: type[Model]) -> Iterable[str]:
    """The relations of `select_related` (a nested dict) that lead from `model` to `owner`."""
    if same_model(model, owner):
        yield ""
    if not isinstance(joins, dict):
        return
    for name, deeper in joins.items():
        try:
            related = model._meta.get_field(name).related_model
        except Exception:  # a FilteredRelation
            continue
        for path in _joined(related, deeper, owner):
            yield f"{name}__{path}" if path else name


def same_model(one: type[Model], other: type[Model]) -> bool:
    """Whether two classes are one table: a proxy is its model."""
    return one._meta.concrete_model is other._meta.concrete_model


def _written(model: type[Model], queries: list[Query], *verbs: str) -> bool:
    table, verbs = model._meta.db_table, verbs or ("INSERT", "UPDATE")
    return any(query.verb in verbs and table in query.sql.partition("(")[0] for query in queries)


# Lookups: one row, or a few, at a time.


def for_lookup(group: list[Query]) -> str:
    """One query for what a loop looks up by a value that differs; empty if there is no such."""
    query = group[0]
    source, names = query.source, query.source and query.source.lookups
    if not names or source.combined or not _known_before_the_loop(query):
        return ""
    before = source.method == "exists"  # its SELECT 1 is a parameter, too
    if any(not isinstance(q.params, tuple) or len(q.params) != before + len(names) for q in group):
        return ""
    columns = zip(*(q.params[before:] for q in group), strict=True)
    differ = {
        name
        for name, values in zip(names, columns, strict=True)
        if any(value != values[0] for value in values)
    }
    if len(differ) != 1 or (source.sliced and source.method not in _ONE_ROW):
        return ""
    (name,) = differ
    if not _looked_up_here(query, name):
        return ""
    model = source.model._meta.object_name
    unique = _is_unique(source.model, {name})
    if source.method in ("count", "aggregate") and not unique:
        aggregate = 'Count("pk")' if source.method == "count" else "…"
        others = ".filter(…)" if len(names) > 1 else ""
        fix = f'{model}.objects{others}.values("{name}").annotate({aggregate})'
    elif len(names) == 1 and name == source.model._meta.pk.name:
        fix = f"{model}.objects.in_bulk(…)"
    else:
        fix = f"{model}.objects.filter({'…, ' if len(names) > 1 else ''}{name}__in=…)"
    return f"Try one query before the loop: {fix}."


def _looked_up_here(query: Query, name: str) -> bool:
    """Whether the reader's own code names the field, or calls what always looks one up."""
    words = expressions.words(query.origin.path)
    if words is None or query.call.kind not in (relations.QUERYSET, relations.FUNCTION):
        return True
    if name == query.source.model._meta.pk.name and "pk" in words:
        return True
    return all({part, f"{part}_id"} & words for part in name.split("__"))


_ONE_ROW = {"get", "first", "last", "earliest", "latest", "exists", "__getitem__"}


def _known_before_the_loop(query: Query) -> bool:
    """Whether the code looks up what it loops over, not what it found the turn before."""
    for step in query.origin.path:
        expression = expressions.find(step)
        if expression is None:
            return False
        names = expression.names
        if any(loop.kind == "while" for loop in expression.loops):
            return False
        if any(loop.names & names for loop in expression.loops):
            return True
    return False


# Writes: row by row.


def for_writes(group: list[Query]) -> str:
    """How to write many rows at once; empty if we know no way."""
    call = group[0].call
    method, model = call.method, call.model
    if call.kind == relations.MANAGER:
        return _for_managers(group)
    if method in ("add", "remove", "clear", "set"):  # of a manager that is not Django's
        return ""
    if model is None or (method in ("save", "create") and len(model._meta.parents) > 0):
        return ""  # a bulk method does not take models with several tables
    name = model._meta.object_name
    if method == "create" or (method == "save" and any(q.verb == "INSERT" for q in group)):
        return _bulk_create(model)
    if method == "save":
        return (
            f"Try {name}.objects.bulk_update(objects, fields) after the loop: "
            "it calls no save() and sends no signals."
        )
    if method == "update":
        return (
            "Try one .update() for all the rows: with .filter(pk__in=…) if they get the same "
            "values, with Case() and When() if not."
        )
    if method == "delete":
        return f"Try {name}.objects.filter(pk__in=…).delete() for all of them."
    return _get_or_create(group, model)


def _bulk_create(model: type[Model]) -> str:
    return (
        f"Try {model._meta.object_name}.objects.bulk_create([…]): it calls no save() and sends no "
        "signals."
    )


def _get_or_create(group: list[Query], model: type[Model]) -> str:
    call, name = group[0].call, model._meta.object_name
    fields = next((q.source.lookups for q in group if q.source and q.source.lookups), None) or ()
    looked_up = f"{fields[0]}__in=…" if len(fields) == 1 else "…"
    if not _is_unique(model, set(fields)):
        rest = "and .bulk_update() for the others" if call.method == "update_or_create" else ""
        return (
            f"Try one {name}.objects.filter({looked_up}) for the rows that exist, .bulk_create() "
            f"for those that do not{f', {rest}' if rest else ''}."
        )
    if call.method == "get_or_create":
        return (
            f"Try {name}.objects.bulk_create([…], ignore_conflicts=True), then one "
            f".filter({looked_up}) for the objects."
        )
    by = ""
    if group[0].connection.features.supports_update_conflicts_with_target:
        by = f"unique_fields={[*fields]}, "
    return (
        f"Try {name}.objects.bulk_create([…], update_conflicts=True, {by}update_fields=[…])."
    ).replace("'", '"')


def _is_unique(model: type[Model], names: set[str]) -> bool:
    """Whether the database itself keeps two rows from having the same values in these fields."""
    if any(field.unique and field.name in names for field in model._meta.concrete_fields):
        return True
    together = [set(fields) for fields in model._meta.unique_together]
    together += [
        set(each.fields)
        for each in model._meta.total_unique_constraints
        if getattr(each, "nulls_distinct", None) is not False
    ]
    return any(fields and fields <= names for fields in together)


def _for_managers(group: list[Query]) -> str:
    call = group[0].call
    descriptor = getattr(call.model, call.manager, None)
    relation = getattr(descriptor, "rel", None)
    if relation is None:
        return ""
    one_object = len({query.subject for query in group}) == 1 and group[0].subject is not None
    if call.method == "add" and one_object:
        return f"Try one call for all of them: .{call.manager}.add(*objects)."
    if hasattr(descriptor, "through"):
        target = relation.model if not descriptor.reverse else relation.related_model
        through = f"{call.label.rpartition('.')[0]}.through.objects"
        links = f"{through}.bulk_create([…], ignore_conflicts=True)"
        return {
            "add": f"Try {links}.",
            "remove": f"Try {through}.filter(…).delete() for all of them.",
            "clear": f"Try {through}.filter(…).delete() for all of them.",
            "set": f"Try {through}.filter(…).delete(), then {links}.",
            "create": f"Try {target._meta.object_name}.objects.bulk_create([…]), then {links}.",
        }.get(call.method, "")
    target = relation.related_model if relation.one_to_many else relation.model
    if call.method == "create":
        return "" if target._meta.parents else _bulk_create(target)
    if call.method in ("get_or_create", "update_or_create"):
        return _get_or_create(group, target)
    return ""


def for_raw_writes(group: list[Query]) -> str:
    """For a cursor's INSERT, UPDATE or DELETE in a loop."""
    query = group[0]
    if (
        query.verb not in ("INSERT", "UPDATE", "DELETE", "REPLACE")
        or not (query.call and query.call.kind == relations.CURSOR)
        or any(each.many or not each.params for each in group)
        or "RETURNING" in query.sql.upper()
    ):
        return ""
    return "Try cursor.executemany(), with a list of the parameters."
