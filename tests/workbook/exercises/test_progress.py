"""The progress file survives kernels side by side, kernels that die, and files that rot."""

import json
import os
import subprocess
import sys
import time

from workbook.exercises.progress import LOCK_SECONDS, Entry, Progress

ATTEMPTS = """
import sys
from pathlib import Path
from workbook.exercises.progress import Progress
for _ in range(40):
    Progress(Path(sys.argv[1])).attempt(sys.argv[2], passed=False)
"""


def test_it_is_remembered(tmp_path):
    Progress(tmp_path / "p.json").attempt("7.1", passed=True)
    Progress(tmp_path / "p.json").attempt("7.1", passed=False)
    Progress(tmp_path / "p.json").hint("7.1", 2)
    assert Progress(tmp_path / "p.json").read() == {"7.1": Entry(attempts=2, hints=2, passed=True)}


def test_kernels_side_by_side_lose_nothing(tmp_path):
    file = tmp_path / "p.json"
    kernels = [
        subprocess.Popen([sys.executable, "-c", ATTEMPTS, str(file), number])
        for number in ("1.1", "1.1", "1.2")
    ]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0, 0]
    assert {number: entry.attempts for number, entry in Progress(file).read().items()} == {
        "1.1": 80,
        "1.2": 40,
    }


def test_a_corrupt_file_is_moved_aside_with_a_notice(tmp_path):
    for rubbish in ('{"1.1": {"att', "[1, 2]", '{"1.1": 3}', "\x00"):
        file = tmp_path / "p.json"
        file.write_text(rubbish)
        store = Progress(file)
        store.attempt("1.1", passed=True)
        assert "could not be read" in store.notices[0]
        assert Progress(file).entry("1.1").passed
    kept = [path.read_text() for path in tmp_path.glob("p.json.unreadable-*")]
    assert len(kept) == 4


def test_a_lock_left_by_a_dead_kernel_is_broken(tmp_path):
    lock = tmp_path / "p.json.lock"
    lock.touch()
    long_ago = time.time() - LOCK_SECONDS - 1
    os.utime(lock, (long_ago, long_ago))
    Progress(tmp_path / "p.json").attempt("1.1", passed=True)
    assert Progress(tmp_path / "p.json").entry("1.1").passed
    assert not lock.exists()


def test_unknown_keys_of_another_version_do_no_harm(tmp_path):
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"1.1": {"attempts": 1, "mood": "fine"}}))
    assert Progress(file).entry("1.1").attempts == 1


def test_a_folder_that_cannot_be_written_costs_a_notice_not_the_verdict(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    store = Progress(blocked / "p.json")
    store.attempt("1.1", passed=True)
    assert "could not be kept" in store.notices[0]
