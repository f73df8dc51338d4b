"""`%queries explain`: the database's plan, with one plain sentence for each step."""

import re
from typing import Any, NamedTuple

from django.db import DatabaseError

from workbook.queries import recorder
from workbook.queries.diagnosis import shapes
from workbook.queries.recorder import Capture, Query


class Step(NamedTuple):
    """One step of a plan: what it does, and how the database says it."""

    depth: int
    text: str  # empty where we have no sentence for it
    raw: str


# SQLite's EXPLAIN QUERY PLAN and PostgreSQL's EXPLAIN, most specific first.
_SENTENCES = [
    (re.compile(pattern), sentence)
    for pattern, sentence in [
        # SQLite
        (r"SCAN (\S+) USING COVERING INDEX (\S+)", r"reads all of index \2 and never the table \1"),
        (r"SCAN (\S+) USING INDEX (\S+)", r"reads every row of \1, in the order of index \2"),
        (r"SCAN CONSTANT ROW", r"makes one row out of constants"),
        (r"SCAN (\S+)", r"reads every row of \1"),
        (
            r"SEARCH (\S+) USING AUTOMATIC (?:PARTIAL )?(?:COVERING )?INDEX \((.+?)\)",
            r"builds an index on \1 for this query alone, then looks up \2",
        ),
        (
            r"SEARCH (\S+) USING COVERING INDEX (\S+) \((.+)\)",
            r"looks up \3 in index \2 and never touches the table \1",
        ),
        (
            r"SEARCH (\S+) USING INDEX (\S+) \((.+)\)",
            r"looks up \3 in index \2, then the rows of \1",
        ),
        (
            r"SEARCH (\S+) USING INTEGER PRIMARY KEY",
            r"goes straight to the rows of \1 by primary key",
        ),
        (r"SEARCH (\S+) USING PRIMARY KEY", r"goes straight to the rows of \1 by primary key"),
        (r"USE TEMP B-TREE FOR (.*)ORDER BY", r"sorts: no index gives this order"),
        (r"USE TEMP B-TREE FOR GROUP BY", r"sorts to bring the groups together"),
        (r"USE TEMP B-TREE FOR DISTINCT", r"remembers what it has seen, to drop duplicates"),
        (r"USE TEMP B-TREE FOR (.+)", r"keeps a sorted copy for \1"),
        (r"CORRELATED SCALAR SUBQUERY", r"a subquery, run again for every row"),
        (r"SCALAR SUBQUERY", r"a subquery, run once, for one value"),
        (r"CORRELATED LIST SUBQUERY", r"a subquery, run again for every row, for a list"),
        (r"LIST SUBQUERY", r"a subquery, run once, for a list of values"),
        (r"MATERIALIZE (\S+)", r"works out \1 first and keeps its rows"),
        (r"CO-ROUTINE (\S+)", r"works out \1 row by row, as they are needed"),
        (r"COMPOUND QUERY", r"several queries, put together"),
        (r"LEFT-MOST SUBQUERY", r"the first of them"),
        (r"(UNION|INTERSECT|EXCEPT) USING TEMP B-TREE", r"the next of them, without duplicates"),
        (r"UNION ALL", r"the next of them, duplicates kept"),
        (r"MULTI-INDEX OR", r"looks up each side of the OR by itself"),
        (r"BLOOM FILTER ON (\S+)", r"a quick test that skips rows without a partner in \1"),
        # PostgreSQL
        (r"Index Only Scan(?: Backward)? using (\S+) on (\S+)", r"reads index \1 alone"),
        (
            r"Index Scan(?: Backward)? using (\S+) on (\S+)",
            r"looks up index \1, then the rows of \2",
        ),
        (r"Bitmap Heap Scan on (\S+)", r"reads the rows of \1 that the index found"),
        (r"Bitmap Index Scan on (\S+)", r"collects matches from index \1"),
        (r"(?:Parallel )?Seq Scan on (\S+)", r"reads every row of \1"),
        (r"Nested Loop", r"for each row of the first, looks up the second"),
        (r"Hash .*Join|Hash Join", r"matches the two sides through a table in memory"),
        (r"Hash\b", r"puts these rows into a table in memory"),
        (r"Merge .*Join|Merge Join", r"walks through both sorted sides together"),
        (r"Incremental Sort", r"sorts further what is sorted in part"),
        (r"Sort\b", r"sorts"),
        (r"HashAggregate|GroupAggregate|MixedAggregate", r"sums up each group"),
        (r"(?:Partial |Finalize )?(?:Group|Hash)?Aggregate", r"sums up"),
        (r"Group\b", r"brings equal rows together"),
        (r"WindowAgg", r"works out the window function"),
        (r"Limit", r"stops after enough rows"),
        (r"Unique", r"drops duplicates"),
        (r"Memoize", r"remembers earlier lookups"),
        (r"Materialize", r"keeps the rows for another pass"),
        (r"Merge Append|Append", r"puts several results together"),
        (r"Gather", r"collects the work of several processes"),
        (r"CTE Scan on (\S+)|Subquery Scan on (\S+)", r"reads the result of a subquery"),
        (r"Function Scan", r"reads the rows of a function"),
        (r"Values Scan", r"reads a list of values"),
        (r"Result\b", r"works it out without a table"),
        (r"(?:InitPlan|SubPlan|CTE)\b", r"a subquery"),
    ]
]


def explain(capture: Capture) -> list[str]:
    """Ask for the plan of every SELECT of a capture, once a shape, without running any of them.

    Returns sentences about what could not be explained.
    """
    notes = []
    with recorder.paused():
        for shape in shapes(capture):
            query = shape.queries[0]
            if not query.sql.startswith(("SELECT", "WITH", "(")) or query.error:
                continue
            try:
                query.plan = plan(query)
            except DatabaseError as error:
                notes.append(f"The database gave no plan: {str(error).strip().splitlines()[0]}")
    if not any(query.plan for query in capture.queries) and not notes:
        notes.append("Only SELECT statements have a plan to show, and this cell ran none.")
    return notes


def plan(query: Query) -> list[Step]:
    """The plan of one query, as a list of steps with their depth."""
    connection = query.connection
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {query.sql}", query.params)
            return _sqlite_steps(cursor.fetchall())
        prefix = "EXPLAIN (COSTS OFF)" if connection.vendor == "postgresql" else "EXPLAIN"
        cursor.execute(f"{prefix} {query.sql}", query.params)
        rows = cursor.fetchall()
    if connection.vendor == "postgresql":
        return _postgresql_steps([row[0] for row in rows])
    return [Step(0, "", " · ".join(str(value) for value in row if value)) for row in rows]


def _sqlite_steps(rows: list[Any]) -> list[Step]:
    depths = {0: -1}
    steps = []
    for identifier, parent, _, detail in rows:
        depths[identifier] = depths.get(parent, -1) + 1
        steps.append(Step(depths[identifier], sentence(detail), detail))
    return steps


def _postgresql_steps(lines: list[str]) -> list[Step]:
    """Nodes are steps; the lines below a node (Filter, Sort Key, …) belong to it."""
    steps: list[Step] = []
    for line in lines:
        words = line.strip()
        indent = len(line) - len(line.lstrip())
        if steps and not words.startswith("->") and re.match(r"[A-Z][\w ]*: ", words):
            steps[-1] = steps[-1]._replace(raw=f"{steps[-1].raw} · {words}")
            continue
        node = words.removeprefix("->").strip()
        steps.append(Step((indent + 4) // 6, sentence(node), node))
    return steps


def sentence(step: str) -> str:
    """What a step of a plan does, in plain words; empty where we do not know."""
    for pattern, words in _SENTENCES:
        if match := pattern.match(step):
            said = match.expand(words)
            return said[0].upper() + said[1:] if said else ""
    return ""
