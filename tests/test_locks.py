"""What is installed: locks/ and constraints.txt hold what requirements and extras ask for."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def pins(text: str) -> dict[str, str]:
    """The version of each package that is pinned with `==`."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {name.lower(): version for name, version in found}


CONSTRAINTS = pins((ROOT / "constraints.txt").read_text())
LEARNER = pins((ROOT / "requirements.txt").read_text())
ASKED = {
    "learner": LEARNER | pins("\n".join(EXTRAS["build"])),
    "developer": LEARNER
    | pins((ROOT / "requirements-dev.txt").read_text())
    | pins("\n".join(EXTRAS["build"])),
    "production": pins("\n".join(EXTRAS["production"] + EXTRAS["postgres"] + EXTRAS["build"])),
    "mariadb": pins("\n".join(EXTRAS["mariadb"])),
    "website": pins("\n".join(EXTRAS["website"])),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_lock_is_what_make_lock_would_write(name):
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    locked = pins(text)
    assert ASKED[name].items() <= locked.items(), "run `make lock`"
    assert locked.items() <= CONSTRAINTS.items(), "run `make lock`"
    for package in re.split(r"\n(?=\S)", text.strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package


def test_every_lock_is_tested():
    assert {path.stem for path in (ROOT / "locks").iterdir()} == ASKED.keys()
