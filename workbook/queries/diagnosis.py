"""What a capture means: its distinct statements, what was repeated or for nothing, and the cure.

Right or silent: a relation is named only when Django's own frames named it, and repetition is
called N+1 only when one and the same instruction of the reader's code ran again and again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import Model

from workbook.queries import relations
from workbook.queries.origins import Place
from workbook.queries.recorder import Capture, Query, Unread
from workbook.queries.statements import shape_of

MANY_TIMES = 3  # two may be chance; three times through the same instruction is a loop

_DIFFERS_BY_ITSELF = re.compile(
    r"\b(RAND|RANDOM|CLOCK_TIMESTAMP|NEXTVAL|GEN_RANDOM_UUID|SLEEP|PG_SLEEP)\b", re.I
)


@dataclass
class Shape:
    """A distinct statement: the queries that are equal before their parameters are filled in."""

    sql: str
    queries: list[Query] = field(default_factory=list)

    @property
    def places(self) -> list[Place]:
        """The lines that ran it, each once, in order of first use."""
        return list(dict.fromkeys(query.place for query in self.queries if query.place))


@dataclass
class Finding:
    """A sentence about queries; `title` is "N+1", "After prefetch", "Repeated" or "Unread"."""

    title: str
    sentence: str
    code: str  # the line that asks, as written
    fix: str
    queries: list[Query]


def shapes(capture: Capture) -> list[Shape]:
    """Group the queries by statement, in order of first use."""
    found: dict[object, Shape] = {}
    same_text: dict[object, Shape] = {}
    for query in capture.queries:
        text = query.sql, query.alias, query.cause
        shape = same_text.get(text)
        if shape is None:
            key = shape_of(query.sql), query.alias, query.cause
            shape = same_text[text] = found.setdefault(key, Shape(key[0]))
        shape.queries.append(query)
    return list(found.values())


def diagnose(capture: Capture) -> list[Finding]:
    """Everything worth saying about this capture, in order of appearance."""
    queries = [query for query in capture.queries if not query.cause and not query.error]
    groups: dict[object, list[Query]] = {}
    for query in queries:
        groups.setdefault(_loop_key(query), []).append(query)
    loops = [group for group in groups.values() if len(group) >= MANY_TIMES]
    findings = [_explain_loop(group, loops, queries) for group in loops]
    explained = {id(query) for group in loops for query in group}
    findings += [
        _explain_identical(group)
        for group in _identical(queries)
        if not explained.intersection(map(id, group))
    ]
    findings += _explain_unread(capture.unread)
    position = {id(query): n for n, query in enumerate(capture.queries)}
    return sorted(findings, key=lambda finding: position[id(finding.queries[0])])


def _loop_key(query: Query) -> object:
    """Equal for queries that the same instruction of the same loop ran."""
    access = query.access
    where = (query.origin.filename, query.origin.lineno, query.origin.path)
    if not query.origin.path:  # no line known, e.g. the body of a thread pool: nothing to go by
        where = (id(query),)
    if access and access.kind == relations.PREFETCH:
        where = (id(query),)  # prefetches of one statement differ by level, never by loop
    return (query.alias, shape_of(query.sql), where, access)


def _explain_loop(group: list[Query], loops: list[list[Query]], queries: list[Query]) -> Finding:
    query, times = group[0], len(group)
    access, at = query.access, _at(group)
    code = query.place.text if query.place else ""
    if access is None:
        if query.is_select and _same_parameters(group):
            sentence = f"The same query ran {times} times with the same parameters{at}."
            return Finding("Repeated", sentence, code, "Run it once and keep the result.", group)
        sentence = f"One statement ran {times} times{at}, each time with other parameters."
        return Finding("Repeated", sentence, code, "", group)

    if access.after_prefetch and not access.served_by_prefetch:
        return Finding(
            "After prefetch",
            f"{access.label} was prefetched, then queried {times} times more{at}.",
            code,
            "Prefetched rows answer .all(), .count() and .exists(); anything else asks again. "
            f'Filter and sort in Prefetch("{access.name}", queryset=…, to_attr=…), or in Python.',
            group,
        )
    if access.kind == relations.DEFERRED:
        return Finding(
            "N+1",
            f"{access.label} was left out of the first query, then fetched {times} times{at}.",
            code,
            f'Load it with the rows: leave "{access.name}" out of .defer(), or name it in .only().',
            group,
        )
    fix = _fix(access, loops, queries)
    verb = "fetched" if access.served_by_prefetch else "queried"
    if access.served_by_prefetch and query.sql.startswith("SELECT COUNT("):
        verb = "counted"
        prefetch = f'.prefetch_related("{access.name}")'
        if fix == f"Try {prefetch}":
            name = relations.lookup_name(access.owner, access.name)
            fix = f'Try .annotate(Count("{name}")), or {prefetch} to have the rows too'
    return Finding("N+1", f"{access.label} was {verb} {times} times{at}.", code, fix, group)


def _fix(access: relations.Access, loops: list[list[Query]], queries: list[Query]) -> str:
    if not access.served_by_prefetch:
        return (
            f'Ask once for all rows: annotate() for a number, or Prefetch("{access.name}", '
            "queryset=…, to_attr=…) for objects."
        )
    paths = _paths_to(access.owner, [group[0].access for group in loops], queries)
    joins = access.kind in (relations.FORWARD, relations.REVERSE_ONE)
    if len(paths) == 1:
        prefix, by_join = paths.pop()
        path = f"{prefix}__{access.name}" if prefix else access.name
        method = "select_related" if joins and by_join else "prefetch_related"
        return f'Try .{method}("{path}")'
    method = "select_related" if joins else "prefetch_related"
    owner = access.owner._meta.object_name
    return f'Try .{method}("{access.name}") where the {owner} objects are loaded'


def _paths_to(
    owner: type[Model],
    loops: list[relations.Access | None],
    queries: list[Query],
    seen: tuple = (),
) -> set[tuple[str, bool]]:
    """The ways in which this capture loaded `owner` objects: (lookup path, all by joins)."""
    paths: set[tuple[str, bool]] = set()
    for outer in loops:  # the relation before this one in a.b.c was itself fetched in the loop
        if outer is None or outer in seen or not outer.target or not outer.served_by_prefetch:
            continue
        if _same_model(outer.target, owner) and outer.kind != relations.DEFERRED:
            joins = outer.kind in (relations.FORWARD, relations.REVERSE_ONE)
            for prefix, by_join in _paths_to(outer.owner, loops, queries, (*seen, outer)):
                path = f"{prefix}__{outer.name}" if prefix else outer.name
                paths.add((path, by_join and joins))
    for query in queries:
        if query.source is None or (query.rows or 0) < 2:
            continue
        access = query.access
        if access and access.kind != relations.PREFETCH:
            continue  # loaded one by one, in the loops above
        prefix = access.name if access else ""
        for path in _joined(query.source.model, query.source.joins, owner):
            whole = "__".join(part for part in (prefix, path) if part)
            paths.add((whole, not prefix))
    return paths


def _joined(model: type[Model], joins: object, owner: type[Model]) -> Iterable[str]:
    """The relations of `select_related` (a nested dict) that lead from `model` to `owner`."""
    if _same_model(model, owner):
        yield ""
    if not isinstance(joins, dict):
        return
    for name, deeper in joins.items():
        try:
            related = model._meta.get_field(name).related_model
        except Exception:  # a reverse one-to-one is named by its query name
            continue
        for path in _joined(related, deeper, owner):
            yield f"{name}__{path}" if path else name


def _same_model(one: type[Model], other: type[Model]) -> bool:
    return one._meta.concrete_model is other._meta.concrete_model


def _identical(queries: list[Query]) -> list[list[Query]]:
    """Reads that ran again, parameters and all, with nothing written in between."""
    groups: list[list[Query]] = []
    for reading, run in groupby(queries, key=lambda query: query.is_select):
        if not reading:
            continue
        seen: dict[object, list[Query]] = {}
        for query in run:
            if query.access is None and not _DIFFERS_BY_ITSELF.search(query.sql):
                key = query.alias, query.sql, _hashable(query.params)
                seen.setdefault(key, []).append(query)
        groups += [group for group in seen.values() if len(group) > 1]
    return groups


def _hashable(params: object) -> object:
    if isinstance(params, dict):
        params = tuple(params.items())
    try:
        hash(params)
    except Exception:
        return id(params)  # a list, say: nothing to go by
    return params


def _explain_identical(group: list[Query]) -> Finding:
    sentence = f"The same query ran {len(group)} times with the same parameters{_at(group)}."
    code = group[-1].place.text if group[-1].place else ""
    return Finding("Repeated", sentence, code, "Run it once and keep the result.", group)


def _explain_unread(found: list[Unread]) -> list[Finding]:
    groups: dict[object, list[Unread]] = {}
    for unread in found:  # an iterator prefetches once for each of its chunks
        groups.setdefault((unread.owner, unread.path, unread.query.place), []).append(unread)
    return [_explain_unread_relation(group) for group in groups.values()]


def _explain_unread_relation(group: list[Unread]) -> Finding:
    first, queries = group[0], [unread.query for unread in group]
    rows = sum(query.rows or 0 for query in queries)
    prefetched = first.query.access is not None and first.query.access.kind == relations.PREFETCH
    brought = f"prefetched ({rows:,} rows)" if prefetched else f"joined to {rows:,} rows"
    method = "prefetch_related" if prefetched else "select_related"
    before, _, name = first.path.rpartition("__")
    label = f"{first.owner._meta.object_name}.{name}"
    return Finding(
        "Unread",
        f"{label} was {brought}, and never read{_at(queries)}.",
        first.query.place.text if first.query.place else "",
        f'.{method}("{before}") is enough' if before else f'Leave out .{method}("{first.path}")',
        queries,
    )


def _same_parameters(group: list[Query]) -> bool:
    first = group[0]
    return all(query.sql == first.sql and query.params == first.params for query in group)


def _at(group: list[Query]) -> str:
    places = list(dict.fromkeys(query.place for query in group if query.place))
    return f", at {at_lines(places)}" if places else ""


def at_lines(places: list[Place]) -> str:
    """`line 2`, `lines 2 and 3`, `line 2 of cell [4]`, `lines 1, 2 and 2 more`."""
    parts = []
    for source, group in groupby(places, key=lambda place: place.source):
        numbers = list(dict.fromkeys(str(place.line) for place in group))
        if len(numbers) > 4:
            numbers[3:] = [f"{len(numbers) - 3} more"]
        text = numbers[0]
        if len(numbers) > 1:
            text = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
        suffix = f" of {source}" if source else ""
        parts.append(f"line{'s' if len(numbers) > 1 else ''} {text}{suffix}")
    return ", ".join(parts)
