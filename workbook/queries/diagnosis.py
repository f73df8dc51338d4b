"""What a capture means: its distinct statements, and what was repeated or fetched for nothing.

Right or silent. A relation is named only when Django's own frames named it, and queries are called
a loop only when one and the same expression of the reader's code ran again and again.
"""

import inspect
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from django.apps import apps

from workbook.queries import expressions, fixes, parameters, relations
from workbook.queries.fixes import Loop
from workbook.queries.origins import Origin, Place, is_library
from workbook.queries.recorder import Capture, Query, Unread
from workbook.queries.relations import Access, Call
from workbook.queries.statements import shape_of

MANY_TIMES = 3  # two may be chance; three times through the same expression is a loop


@dataclass
class Shape:
    """A distinct statement: the queries that are equal before their parameters are filled in."""

    sql: str
    capture: Capture
    queries: list[Query] = field(default_factory=list)

    @cached_property
    def example(self) -> str:
        """The first of its queries as a person reads it, values and all."""
        return parameters.sql(self.queries[0], self.capture)

    @property
    def places(self) -> list[Place]:
        """The lines that ran it, each once, in order of first use."""
        return _places(self.queries)

    @cached_property
    def in_batches(self) -> bool:
        """Whether it ran several times because one call sends its work in pieces."""
        several = len(self.queries) > 1 and len(self.places) <= 1
        return several and all(map(_is_batch, self.queries)) and _bring_new_values(self.queries)


@dataclass
class Finding:
    """A sentence about queries, and what to do about them."""

    title: str  # "N+1", "After prefetch", "Repeated", "One by one" or "Unread"
    sentence: str
    fix: str
    queries: list[Query]

    @property
    def code(self) -> str:
        """The line that ran them, as written."""
        place = self.queries[-1].place
        return place.text if place else ""


def shapes(capture: Capture) -> list[Shape]:
    """Group the queries by statement, in order of first use."""
    found: dict[object, Shape] = {}
    same_text: dict[object, Shape] = {}
    for query in capture.queries:
        text = query.sql, query.alias, query.cause
        shape = same_text.get(text)
        if shape is None:
            key = shape_of(query.sql), query.alias, query.cause
            shape = same_text[text] = found.setdefault(key, Shape(key[0], capture))
        shape.queries.append(query)
    return list(found.values())


def diagnose(capture: Capture) -> list[Finding]:
    """Everything worth saying about this capture, in order of appearance."""
    queries = [query for query in capture.queries if not query.cause and not query.error]
    position = {id(query): n for n, query in enumerate(capture.queries)}
    loops = [
        Loop(group, position[id(group[0])], position[id(group[-1])])
        for group in _grouped(queries)
        if len(group) >= MANY_TIMES
    ]
    findings = [found for loop in loops if (found := _explain(loop, loops, queries))]
    in_loops = {id(query) for loop in loops for query in loop.queries}
    findings += [
        Finding("Repeated", *_ran_again(group), group)
        for group in _identical([query for query in queries if id(query) not in in_loops])
    ]
    findings += _explain_unread(capture)
    return sorted(findings, key=lambda finding: position[id(finding.queries[0])])


# Loops: what ran again and again by the same expression, for the same purpose.


def _grouped(queries: list[Query]) -> list[list[Query]]:
    groups: dict[object, list[Query]] = {}
    known: dict[str, str] = {}
    writing = {
        (id(query.call), id(query.origin))
        for query in queries
        if query.call and query.call.kind in _BY_LIBRARIES and not query.is_select
    }
    for query in queries:
        origin, access, call, sql = query.origin, query.access, query.call, query.sql
        if not origin.path:  # no line known, e.g. a task of its own: nothing to go by
            continue
        # Origins, accesses and calls that are equal are one object.
        key: tuple = id(origin), query.alias
        if call is not None and ((id(call), id(origin)) in writing or _whole(call, access)):
            key += (id(call),)  # whatever statements it needs
        elif access is not None and access.asked is None:
            if access.kind == relations.PREFETCH:  # levels of one statement, no loop
                continue
            key += (id(access),)
        else:
            if (shape := known.get(sql)) is None:
                shape = known[sql] = shape_of(sql)
            if access is not None:  # one for each statement
                key += access.owner, access.name, access.method, access.after_prefetch
            key += (shape,)
        groups.setdefault(key, []).append(query)
    return list(groups.values())


_BY_LIBRARIES = (relations.LIBRARY, relations.OTHER)


def _whole(call: Call, access: Access | None) -> bool:
    """Whether all queries of a call belong together, whatever statements they are."""
    if call.method == "prefetch_related_objects":
        return True
    return call.method in fixes.WRITES or (call.kind == relations.LIBRARY and access is None)


def _explain(loop: Loop, loops: list[Loop], queries: list[Query]) -> Finding | None:
    group = loop.queries
    query, call = group[0], group[0].call
    if call is not None and call.method == "prefetch_related_objects":
        return _explain_prefetches(group)
    if call is not None and call.method in fixes.WRITES:
        return _explain_writes(group)
    if call is not None and call.kind in _BY_LIBRARIES and not all(q.is_select for q in group):
        return _explain_method(group) if call.kind == relations.LIBRARY else None
    if query.access is not None:
        return _explain_access(loop, loops, queries)
    if call is not None and call.kind == relations.LIBRARY:
        return _explain_method(group)
    return _explain_statement(group)


def _explain_access(loop: Loop, loops: list[Loop], queries: list[Query]) -> Finding | None:
    group = loop.queries
    access, times, at = group[0].access, f"{len(group):,} times", _at(group)
    if access.kind == relations.DEFERRED:
        return _explain_deferred(group, queries)
    if _is_a_library_s_own(group[0]):
        return None
    subjects = {query.subject for query in group}
    if len(subjects) == 1 and None not in subjects:
        if not _sees_the_same(group) or _in_while(group[0].origin):
            return None
        owner = access.owner._meta.object_name
        sentence = f"{access.label} was queried {times} for one and the same {owner}{at}."
        return Finding("Repeated", sentence, fixes.KEEP, group)
    if access.after_prefetch and not access.served_by_prefetch:
        sentence = f"{access.label} was prefetched, then queried {times} more{at}."
        return Finding("After prefetch", sentence, fixes.after_prefetch(access), group)
    if _climbs(group):
        sentence = f"{access.label} was followed from row to row, {times}{at}."
        return Finding("N+1", sentence, fixes.climbing(access), group)
    counted = access.method == "count"
    verb = "counted" if counted else "fetched" if access.served_by_prefetch else "queried"
    fix = fixes.for_relation(loop, loops, queries)
    if not fix and _runs_once(group[0].origin):  # the loop is within the call
        return None
    return Finding("N+1", f"{access.label} was {verb} {times}{at}.", fix, group)


def _is_a_library_s_own(query: Query) -> bool:
    """Whether one call of a library's, which is given nothing, loops over what it loads itself."""
    if query.call is None or query.call.kind not in _BY_LIBRARIES or not _runs_once(query.origin):
        return False
    if query.call.method == "call_command":
        return True
    return not expressions.find(query.origin.path[0]).is_given_something


def _explain_deferred(group: list[Query], queries: list[Query]) -> Finding | None:
    access, times, at = group[0].access, f"{len(group):,} times", _at(group)
    fix = fixes.for_deferred(access, queries)
    if fix is None:  # no query left it out: the database computes it when an object is saved
        return None
    sentence = f"{access.label} was left out of the first query, then fetched {times}{at}."
    return Finding("N+1", sentence, fix, group)


def _climbs(group: list[Query]) -> bool:
    """Whether each row led to the next one: a node to its parent, and that to its own."""
    access = group[0].access
    if access.kind != relations.FORWARD or not fixes.same_model(access.owner, access.target):
        return False
    steps = sum(
        isinstance(before.params, tuple) and after.subject in before.params
        for before, after in pairwise(group)
    )
    return steps >= 2


def _explain_prefetches(group: list[Query]) -> Finding | None:
    if any(query.access is None or query.access.objects > 1 for query in group):
        return None
    each = f"{group[0].access.label} was prefetched for one object at a time"
    sentence = f"{each}, {len(group):,} times{_at(group)}."
    fix = "Fix: call prefetch_related_objects() once, with all the objects."
    return Finding("N+1", sentence, fix, group)


def _explain_writes(group: list[Query]) -> Finding | None:
    if _runs_once(group[0].origin) or not _some_statement_ran_often(group):
        return None
    if _writes_the_same_again(group[0]):
        return None
    fix = fixes.for_writes(group)
    if not fix:
        return None
    call, access = group[0].call, group[0].access
    where = call.model._meta.object_name if call.model else ""
    if call.kind == relations.MANAGER:
        where = f"{where}.{call.manager}"
    elif access is not None and access.kind in relations.TO_MANY:
        where = access.label
    sentence = f"{call.method}() ran {len(group):,} queries on {where}{_at(group)}."
    return Finding("One by one", sentence, fix, group)


def _writes_the_same_again(query: Query) -> bool:
    """Whether each turn changes or deletes all that there is, not what belongs to the turn."""
    if query.call.kind != relations.QUERYSET or query.call.method not in ("update", "delete"):
        return False
    found = [expressions.find(step) for step in query.origin.path]
    return None not in found and all(each.is_the_same_in_each_turn for each in found)


def _some_statement_ran_often(group: list[Query]) -> bool:
    totals: dict[str, int] = {}
    for query in group:
        shape = shape_of(query.sql)
        totals[shape] = totals.get(shape, 0) + 1
        if totals[shape] == MANY_TIMES:
            return True
    return False


def _explain_method(group: list[Query]) -> Finding | None:
    """A method of a library's model or manager, which we know by name only."""
    if _runs_once(group[0].origin) or not _some_statement_ran_often(group):
        return None
    title = "N+1" if all(query.is_select for query in group) else "One by one"
    sentence = f"{group[0].call.label} ran {len(group):,} queries{_at(group)}."
    one_statement = len({shape_of(query.sql) for query in group}) == 1
    return Finding(title, sentence, fixes.for_lookup(group) if one_statement else "", group)


def _explain_statement(group: list[Query]) -> Finding | None:
    query, call, times, at = group[0], group[0].call, f"{len(group):,} times", _at(group)
    if call is None or call.kind == relations.OTHER or call.method in fixes.SILENT:
        return None
    if _runs_once(query.origin):  # the loop is within the call, where nobody can change it
        return None
    if not query.is_select:
        fix = fixes.for_raw_writes(group)
        sentence = f"One {query.verb} ran {times}{at}, with different parameters."
        return Finding("One by one", sentence, fix, group) if fix else None
    if _same_parameters(group):
        if not _would_answer_the_same(group) or _in_while(query.origin):
            return None
        if _code(query) is None:  # a loop over QuerySets, to compare them
            return None
        return Finding("Repeated", *_ran_again(group), group)
    if _looks_up_several(query):  # in batches, and the reader knows
        return None
    sentence = f"One statement ran {times}{at}, with different parameters."
    return Finding("Repeated", sentence, fixes.for_lookup(group), group)


# The same query again, parameters and all.

_CALLED = re.compile(r"\b([A-Za-z_]\w*+)\s*+\(")
_ANSWER_THE_SAME = {  # asked twice, if the rows are the same
    *("AND", "OR", "NOT", "IN", "EXISTS", "ON", "AS", "FROM", "WHERE", "SELECT", "BY", "WHEN"),
    *("THEN", "ELSE", "CASE", "JOIN", "UNION", "ALL", "ANY", "SOME", "DISTINCT", "OVER", "FILTER"),
    *("WITH", "VALUES", "LIKE", "BETWEEN", "USING", "EXCEPT", "INTERSECT", "HAVING", "LIMIT"),
    *("COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP"),
    *("COALESCE", "NULLIF", "IFNULL", "GREATEST", "LEAST", "CAST", "CONVERT", "COLLATE", "CONCAT"),
    *("LOWER", "UPPER", "LENGTH", "CHAR_LENGTH", "SUBSTR", "SUBSTRING", "TRIM", "LTRIM", "RTRIM"),
    *("REPLACE", "REVERSE", "REPEAT", "LPAD", "RPAD", "LEFT", "RIGHT", "INSTR", "STRPOS", "MD5"),
    *("ABS", "ROUND", "CEIL", "CEILING", "FLOOR", "MOD", "POWER", "SQRT", "EXP", "LN", "LOG"),
    *("EXTRACT", "DATE_TRUNC", "DATE", "TIME", "YEAR", "MONTH", "DAY", "STRFTIME", "INTERVAL"),
    *("ROW_NUMBER", "RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST", "NTILE", "LAG", "LEAD"),
    *("FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "GROUP_CONCAT", "STRING_AGG", "ARRAY_AGG"),
    *("JSON", "JSON_EXTRACT", "JSON_TYPE", "JSON_ARRAY", "JSON_OBJECT", "JSON_VALID", "VARCHAR"),
    *("DECIMAL", "NUMERIC", "CHAR", "ARRAY", "UNNEST", "RECURSIVE", "ROW", "IIF", "EXPLAIN"),
}


def _ran_again(group: list[Query]) -> tuple[str, str]:
    times = f"{len(group):,} times"
    return f"The same query ran {times} with the same parameters{_at(group)}.", fixes.KEEP


def _identical(queries: list[Query]) -> list[list[Query]]:
    """Reads that ran again, on other lines too, with nothing written in between."""
    groups: dict[object, list[Query]] = {}
    for query in queries:
        access, call = query.access, query.call
        if not query.origin.path or call is None or (access and not access.asked):
            continue
        if call.kind in (relations.QUERYSET, relations.CURSOR, relations.FUNCTION):
            key = query.alias, query.epoch, query.sql, _hashable(query.params)
            groups.setdefault(key, []).append(query)
    found = []
    for group in groups.values():
        if len(group) < 2 or not _would_answer_the_same(group) or _in_while(group[0].origin):
            continue
        # Two spellings of one query, side by side, are a comparison.
        by_code: dict[str | None, list[Query]] = {}
        for query in group:
            by_code.setdefault(_code(query), []).append(query)
        by_code.pop(None, None)
        found += [same for same in by_code.values() if len(same) > 1]
    return found


def _code(query: Query) -> str | None:
    """The expression that ran a query, and what tells it from others of the same words.

    None where it may be another QuerySet each time that it runs.
    """
    for step in query.origin.path:
        expression = expressions.find(step)
        if expression is None:
            return f"{step.filename} {step.position}"
        if query.access is not None:  # of the same object, whatever it is called
            return expression.core
        if not expression.given_from_outside:
            version = expression.version()
            return f"{expression.core} {version}" if version >= 0 else None
    return None


def _hashable(params: object) -> object:
    if isinstance(params, dict):
        params = tuple(params.items())
    try:
        hash(params)
    except Exception:
        return id(params)  # a list, say: nothing to go by
    return params


def _same_parameters(group: list[Query]) -> bool:
    return len({_hashable(query.params) for query in group}) == 1


def _sees_the_same(group: list[Query]) -> bool:
    """Whether nothing was written between these queries, nor a transaction begun or ended."""
    return len({query.epoch for query in group}) == 1


def _would_answer_the_same(group: list[Query]) -> bool:
    """Whether the queries read the same rows, and compute nothing that changes by itself."""
    return (
        group[0].is_select
        and _sees_the_same(group)
        and len({query.rows for query in group}) == 1
        and all(
            name.upper() in _ANSWER_THE_SAME or name.startswith(("django_", "JSON"))
            for name in _CALLED.findall(group[0].sql)
        )
    )


# The reader's code.


def _runs_once(origin: Origin) -> bool:
    """Whether the reader's own code certainly has no loop on the way to a query."""
    found = [expressions.find(step) for step in origin.path]
    if not found or None in found or any(each.loops or each.callback for each in found):
        return False
    return all(
        outer.calls(inner.function)
        for inner, outer in zip(origin.path[:-1], found[1:], strict=True)
    )


def _in_while(origin: Origin) -> bool:
    """Whether the code asks until the answer changes."""
    return any(
        loop.kind == "while"
        for step in origin.path
        if (expression := expressions.find(step))
        for loop in expression.loops
    )


# What came along for nothing.


def _explain_unread(capture: Capture) -> list[Finding]:
    groups: dict[object, list[Unread]] = {}
    for unread in capture.unread:  # an iterator prefetches once for each of its chunks
        if _can_be_left_out(unread):
            groups.setdefault((unread.owner, unread.path, unread.query.place), []).append(unread)
    prefetched = {
        query.access.name
        for query in capture.queries
        if query.access and query.access.kind == relations.PREFETCH
    }
    return [_explain_unread_relation(group, prefetched) for group in groups.values()]


def _can_be_left_out(unread: Unread) -> bool:
    """Whether the reader's own code, or a manager of theirs, asks for a relation."""
    strings = expressions.strings(unread.query.origin.path)
    return strings is None or strings.issuperset(unread.path.split("__")) or _managed(unread.path)


def _managed(path: str) -> bool:
    kinds = {
        kind
        for model in apps.get_models()
        for manager in model._meta.managers
        for kind in (type(manager), manager._queryset_class)
    }
    quoted = re.compile(rf"""["']{path}(?:__|["'])""")
    return any(quoted.search(_source(kind)) for kind in kinds)


def _source(kind: type) -> str:
    """The text of a class that is the reader's own, empty for others."""
    try:
        return "" if is_library(inspect.getfile(kind)) else inspect.getsource(kind)
    except (OSError, TypeError):  # made by a function, or in a cell
        return ""


def _explain_unread_relation(group: list[Unread], prefetched: set[str]) -> Finding:
    first, queries = group[0], [unread.query for unread in group]
    rows = sum(query.rows or 0 for query in queries)
    by_prefetch = first.query.access is not None and first.query.access.kind == relations.PREFETCH
    brought = f"prefetched ({rows:,} rows)" if by_prefetch else f"joined to {rows:,} rows"
    method = "prefetch_related" if by_prefetch else "select_related"
    before, _, name = first.path.rpartition("__")
    label = f"{first.owner._meta.object_name}.{name}"
    if before and (not by_prefetch or before in prefetched):
        fix = f'Fix: .{method}("{before}") is enough.'
    elif queries[0].call and queries[0].call.method == "prefetch_related_objects":
        fix = f'Fix: leave "{first.path}" out of prefetch_related_objects().'
    else:
        fix = f'Fix: leave out .{method}("{first.path}").'
    sentence = f"{label} was {brought}, and never read{_at(queries)}."
    return Finding("Unread", sentence, fix, queries)


# Batches and lines.


def _is_batch(query: Query) -> bool:
    call, access = query.call, query.access
    if access is not None and access.kind == relations.PREFETCH:
        return True
    if call is None:
        return False
    if call.method in fixes.BATCHES:
        return True
    if call.method in fixes.WRITES:
        return _runs_once(query.origin)
    return _looks_up_several(query)


def _looks_up_several(query: Query) -> bool:
    """Whether the reader's own code gives a list of values to look up."""
    if "IN (…)" not in shape_of(query.sql):
        return False
    words = expressions.words(query.origin.path)
    return words is None or "in" in words or query.call.kind == relations.CURSOR


def _bring_new_values(queries: list[Query]) -> bool:
    """Whether most values of each read are not those of the one before: another part of a list."""
    values = [set(map(repr, query.params or ())) for query in queries if query.is_select]
    return all(len(after - before) >= len(after & before) for before, after in pairwise(values))


def _places(queries: list[Query]) -> list[Place]:
    found: dict[Place, None] = {}
    seen: set[int] = set()
    for query in queries:
        if id(query.origin) not in seen:
            seen.add(id(query.origin))
            if place := query.place:
                found[place] = None
    return list(found)


def _at(group: list[Query]) -> str:
    places = _places(group)
    return f", at {at_lines(places)}" if places else ""


def at_lines(places: list[Place]) -> str:
    """`line 2`, `lines 2 and 3`, `line 2 of cell [4]`, `lines 1, 2, 3 and 2 more`."""
    by_source: dict[str, list[str]] = {}
    for place in places:
        by_source.setdefault(place.source, []).append(str(place.line))
    parts = []
    for source, lines in by_source.items():
        numbers = list(dict.fromkeys(lines))
        if len(numbers) > 4:
            numbers[3:] = [f"{len(numbers) - 3} more"]
        text = numbers[0]
        if len(numbers) > 1:
            text = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
        suffix = f" of {source}" if source else ""
        parts.append(f"line{'s' if len(numbers) > 1 else ''} {text}{suffix}")
    if len(parts) > 4:
        parts[3:] = [f"and {len(parts) - 3} more files or cells"]
    return ", ".join(parts)
