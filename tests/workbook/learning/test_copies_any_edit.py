"""Whatever the reader did and whatever an update does: no cell is lost, none comes twice."""

import copy
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.learning import copies


class NoLinks:
    def rewritten(self, text):
        return text


def cell(id, text):
    kind = "code" if text.startswith(("%", "c")) else "markdown"
    made = {"cell_type": kind, "id": id, "metadata": {}, "source": text}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def chapter(chance, version, numbers):
    """A chapter of the cells with these numbers, some of them worded anew in this version."""
    cells = []
    for number in numbers:
        kind = number % 4
        word = f"v{version}" if chance.random() < 0.3 else "v0"
        text = {
            0: f"prose {number} {word}",
            1: f"code {number} {word}",
            2: f"%guess ...\ncode {number} {word}",
            3: f"%exercise {number}\n...",
        }[kind]
        cells.append(cell(f"id{number}", text))
    return notebook(cells)


def edited(chance, mine):
    """The copy after a reader's afternoon, and the texts that the reader wrote."""
    wrote, cells = [], []
    for one in mine["cells"]:
        what = chance.random()
        if what < 0.1:
            continue
        if what < 0.3:
            mark = f"mine {chance.random()}"
            first, _, _ = one["source"].partition("\n")
            answer = one["source"].startswith("%exercise")
            one = one | {"source": f"{first}\n{mark}" if answer else f"{one['source'][0]} {mark}"}
            wrote.append(mark)
        elif what < 0.5 and one["source"].startswith("%guess"):
            one = one | {"source": one["source"].replace("...", "7")}
        cells.append(one)
        if chance.random() < 0.2:
            mark = f"added {chance.random()}"
            wrote.append(mark)
            cells.append(cell(f"new{chance.random()}", f"p {mark}"))
    return mine | {"cells": cells}, wrote


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.booleans(), st.booleans())
def test_no_cell_is_lost_and_none_comes_twice(seed, noted, with_ids):
    chance = random.Random(seed)
    numbers = list(range(chance.randint(1, 12)))
    mine = copies.deliver(chapter(chance, 0, numbers), "07", NoLinks())
    wrote = []
    for version in (1, 2):
        mine, more = edited(chance, mine)
        wrote = [mark for mark in wrote if any(mark in c["source"] for c in mine["cells"])] + more
        if not noted:
            del mine["metadata"]["workbook"]
        if not with_ids:  # some editors lose them, and all cells get new ones
            mine["cells"] = [c | {"id": f"x{n}"} for n, c in enumerate(mine["cells"])]
        numbers = [n for n in numbers if chance.random() < 0.85] + [
            100 * version + chance.randint(0, 9)
        ]
        if chance.random() < 0.2:
            chance.shuffle(numbers)
        delivered = copies.deliver(chapter(chance, version, numbers), "07", NoLinks())
        before = copy.deepcopy((mine, delivered))
        merged, touched = copies.merge(mine, delivered)
        assert (mine, delivered) == before
        texts = [c["source"] for c in merged["cells"]]

        for mark in wrote:
            assert sum(mark in text for text in texts) == 1, mark
        assert touched or not more
        ids = [c["id"] for c in merged["cells"]]
        assert len(ids) == len(set(ids))
        order = [c["id"] for c in delivered["cells"]]
        kept = [id for id in ids if id in order]
        assert kept == [id for id in order if id in kept]
        deleted = set(copies._note(mine).get("cells", {})) - {c["id"] for c in mine["cells"]}
        assert set(order) - set(kept) <= deleted or not with_ids
        again, _ = copies.merge(merged, delivered)
        assert json.dumps(again) == json.dumps(merged)
        mine = merged
