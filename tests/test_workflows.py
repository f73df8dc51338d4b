"""GitHub's workflows call what is there: make targets, and actions at a commit."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


@each_workflow
def test_the_make_targets_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([\w$()/. -]+):(?!=)", makefile.replace("$(VENV)", ".venv"), re.M)
    called = re.findall(r"\bmake ([\w./-]+)", code(path))
    assert called
    assert set(called) <= {name for line in targets for name in line.split()}


@each_workflow
def test_actions_are_pinned_by_commit(path):
    used = re.findall(r"\buses: (\S+)", code(path))
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def code(path):
    return re.sub(r"(^|\s)#.*", "", path.read_text(encoding="utf-8"))
