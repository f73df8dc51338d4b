"""`make django-suite`: Django's own test suite, run under the recorder.

Django's source distribution, of the version that is installed, comes by pip into build/. Each test
is recorded and reported on, each of its `assertNumQueries` blocks is compared with the recorder's
count, and what fails is run again without the recorder. `DATABASE_URL` chooses the database (as
`test_…` databases of that server); labels (`LABELS="queries aggregation"`) choose a part.

The labels run a dozen at a time, each dozen in a process of its own, two at once (`JOBS`). A line
tells when one has ended; a test that hangs costs its dozen, no more. Exits with 1 when a figure is
missed. build/django-suite/<database>.jsonl has a line for each test, from the moment it has ended:
its counts, every sentence, and every loop over queries about which nothing was said, to be read.
"""

import json
import os
import runpy
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import batched
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

BUILD = Path(__file__).resolve().parents[2] / "build"
DATABASE = (os.environ.get("DATABASE_URL") or "sqlite").partition(":")[0]
RESULTS = BUILD / "django-suite" / f"{DATABASE}.jsonl"
LOGS = RESULTS.with_suffix("")
SETTINGS = """
import os

import dj_database_url

SECRET_KEY = "for tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
DATABASES = {}
for alias in ("default", "other"):
    DATABASES[alias] = dj_database_url.config() or {"ENGINE": "django.db.backends.sqlite3"}
    DATABASES[alias]["TEST"] = {}
    if name := DATABASES[alias].get("NAME"):
        DATABASES[alias]["NAME"] = f"{name}_{os.environ['SUITE_JOB']}_{alias}"
"""
# Compares connection.execute_wrappers, where the recorder is, with what it has put there.
EXPECTED_TO_FAIL = "test_wrapper_connection_specific"
NOT_LABELS = {"gis_tests", "import_error_package", "test_runner_apps"}
TOGETHER = 12  # labels
LONGEST_TEST, LONGEST_REPORT = 600, 20  # seconds until we take it to hang


def main(labels: list[str]) -> int:
    tests = source() / "tests"
    (BUILD / "workbook_suite_settings.py").write_text(SETTINGS, encoding="utf-8")
    LOGS.mkdir(parents=True, exist_ok=True)
    RESULTS.unlink(missing_ok=True)
    labels = labels or sorted(
        path.parent.name
        for path in tests.glob("*/__init__.py")
        if path.parent.name not in NOT_LABELS
    )
    started = perf_counter()
    failed, ours = run_all(tests, list(batched(labels, TOGETHER)))
    missed = 0
    for what, measured, bar, met in figures(failed, ours):
        missed += not met
        print(f"{what:44} {measured:>28}   {bar:<18} {'✓' if met else '✗ missed'}")
    minutes = (perf_counter() - started) / 60
    print(f"{minutes:.0f} minutes; the sentences are in {RESULTS.relative_to(BUILD.parent)}")
    return 1 if missed else 0


def source() -> Path:
    """Django's source distribution, fetched by pip unless it is there."""
    import django

    folder = BUILD / f"django-{django.__version__}"
    if not folder.exists():
        BUILD.mkdir(exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
        subprocess.run(
            [*pip, f"--dest={BUILD}", f"django=={django.__version__}"],
            check=True,
        )
        with tarfile.open(next(BUILD.glob("[Dd]jango-*.tar.gz"))) as archive:
            archive.extractall(BUILD, filter="data")
    return folder


def run_all(tests: Path, parts: list[tuple[str, ...]]) -> tuple[set[str], set[str]]:
    """Run parts of the suite, a few at once: (what failed, what fails under the recorder only)."""
    failed: set[str] = set()
    ours: set[str] = set()
    jobs = int(os.environ.get("JOBS") or min(os.cpu_count() or 1, 2))
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {
            pool.submit(compared, tests, labels, number): labels
            for number, labels in enumerate(parts)
        }
        for number, done in enumerate(as_completed(waiting), 1):
            labels = waiting[done]
            its_failed, its_ours, seconds = done.result()
            failed |= its_failed
            ours |= its_ours
            print(
                f"{number} of {len(parts)}: {labels[0]} … {labels[-1]}, {seconds:.0f} s, "
                f"{len(its_failed)} failed, {len(its_ours)} of them under the recorder only",
                flush=True,
            )
    return failed, ours


def compared(tests: Path, labels: Iterable[str], job: int) -> tuple[set[str], set[str], float]:
    """Run labels: (what failed, what of it does not without the recorder, seconds)."""
    started = perf_counter()
    failed = ours = run(tests, labels, job, watched=True)
    if ours:  # some tests fail wherever they run, as root or without a network
        ours = ours - run(tests, sorted(ours), job, watched=False)
    if {name for name in ours if EXPECTED_TO_FAIL not in name}:  # some after certain others
        ours = ours - run(tests, labels, job, watched=False)
    return failed, ours, perf_counter() - started


def run(tests: Path, labels: Iterable[str], job: int, watched: bool) -> set[str]:
    """Run tests of Django's; gives the names of those that failed."""
    how = "watched" if watched else "alone"
    command = [sys.executable, "-m", "tests.benchmarks.django_suite", "--inside", how]
    command += [str(tests / "runtests.py"), "--settings=workbook_suite_settings", "--noinput"]
    command += ["--parallel=1", "--verbosity=1", *labels]
    path = os.pathsep.join([str(BUILD), str(BUILD.parent), *filter(None, sys.path)])
    suite = {"PYTHONPATH": path, "RUNNING_DJANGOS_TEST_SUITE": "true", "SUITE_JOB": str(job)}
    log = LOGS / f"{job}-{how}.log"
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            command, cwd=tests, env={**os.environ, **suite}, stdout=file, stderr=file
        )
    said = log.read_text(encoding="utf-8", errors="replace")
    failed = set(_failures(said))
    if done.returncode and not failed:
        failed = {f"{', '.join(labels)}: did not end, see {log}"}
    return failed


def _failures(said: str) -> Iterator[str]:
    for line in said.splitlines():
        if line.startswith(("ERROR: ", "FAIL: ", "UNEXPECTED SUCCESS: ")):
            name = line.partition(" (")[2].partition(")")[0]
            yield name.removesuffix(".__test__").removeprefix("unittest.loader._FailedTest.")


def figures(failed: set[str], ours: set[str]) -> list[tuple[str, str, str, bool]]:
    """(what, measured, bar, whether it is met)"""
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    tests = [each for each in found if "seconds" in each]
    blocks = [each for each in found if "expected" in each]
    agree = sum(each["counted"] == each["expected"] for each in blocks)
    texts = sum(each["texts"] for each in blocks)
    equal = sum(each["equal"] for each in blocks)
    crashes = [each for each in tests if each["crash"]]
    slowest = max((each["seconds"] for each in tests), default=0)
    largest = max((each["bytes"] for each in tests), default=0)
    unexpected = sorted(name for name in ours if EXPECTED_TO_FAIL not in name)
    for each in [*crashes, *(b for b in blocks if b["counted"] != b["expected"])]:
        print(json.dumps(each)[:500])
    for name in unexpected:
        print(f"fails under the recorder: {name}")
    return [
        ("tests recorded", f"{len(tests):,}", "", True),
        ("queries", f"{sum(each['queries'] for each in tests):,}", "", True),
        (
            "assertNumQueries blocks that agree",
            f"{agree:,} of {len(blocks):,}",
            "all",
            agree == len(blocks),
        ),
        (
            "their statements, in text and order",
            f"{equal:,} of {texts:,}",
            "all",
            equal == texts,
        ),
        ("reports that crashed", f"{len(crashes):,}", "0", not crashes),
        ("slowest report", f"{slowest:.2f} s", "≤ 1 s", slowest <= 1),
        ("largest report", f"{largest / 1000:.1f} kB", "≤ 50 kB", largest <= 50_000),
        (
            "tests that fail under the recorder only",
            f"{len(unexpected):,} of {len(failed):,} failed",
            "0",
            not unexpected,
        ),
        ("sentences", f"{sum(len(each['findings']) for each in tests):,}", "to be read", True),
        (
            "loops without one",
            f"{sum(len(each['silent']) for each in tests):,}",
            "to be read",
            True,
        ),
    ]


# Inside: the process in which Django's tests run.


class HangsError(BaseException):
    """A report takes too long; no `except Exception` of ours hides it."""


def inside(runtests: str, watched: bool) -> None:
    sys.path.insert(0, os.path.dirname(runtests))
    if watched:
        watch()
    runpy.run_path(runtests, run_name="__main__")


def note(line: dict[str, Any]) -> None:
    with RESULTS.open("ab", buffering=0) as file:  # in one write: several processes share it
        file.write(f"{json.dumps(line)}\n".encode())


def watch() -> None:
    """Record every test and every `assertNumQueries` block."""
    import faulthandler
    import signal
    import unittest

    from django.db.models import options  # noqa: F401  (Django's own order of importing)
    from django.test.utils import CaptureQueriesContext

    from workbook.queries import diagnosis, origins, queries, recorder, report, unread

    def hangs(*signal_and_frame: object) -> None:
        raise HangsError(f"took more than {LONGEST_REPORT} s")

    # What runs the tests is no code of the reader's, who would have a loop around each of them.
    origins._LIBRARIES += (__file__, sys.argv[0])
    unread.install()
    signal.signal(signal.SIGALRM, hangs)
    call = unittest.TestCase._callTestMethod

    def recorded(test: unittest.TestCase, method: Any) -> None:
        faulthandler.dump_traceback_later(LONGEST_TEST, exit=True, file=sys.__stderr__)
        unread.forget()
        capture = queries()
        try:
            with capture:
                call(test, method)
        finally:
            note({"test": test.id(), "queries": capture.count, **reported(capture)})
            faulthandler.cancel_dump_traceback_later()

    def reported(capture: report.Report) -> dict[str, Any]:
        found = {"bytes": 0, "crash": "", "findings": [], "silent": []}
        started = process_time()
        signal.alarm(LONGEST_REPORT)
        try:
            capture.unread = unread.find(capture)
            shown = report.mimebundle(capture, [])
            found["bytes"] = sum(len(form.encode()) for form in shown.values())
        except (Exception, HangsError) as error:
            found["crash"] = f"{type(error).__name__}: {error}"
        signal.alarm(0)
        found["seconds"] = round(process_time() - started, 3)
        if not found["crash"]:
            findings = diagnosis.diagnose(capture)
            found["findings"] = [[f.title, f.sentence, f.code, f.fix] for f in findings]
            spoken_of = {id(query) for finding in findings for query in finding.queries}
            found["silent"] = [
                [times, str(place), place.text, shape.example]
                for shape in diagnosis.shapes(capture)
                if not spoken_of.intersection(map(id, shape.queries))
                for origin, times in Counter(query.origin for query in shape.queries).items()
                if times >= diagnosis.MANY_TIMES and (place := origins.place_of(origin))
            ]
        return found

    unittest.TestCase._callTestMethod = recorded
    enter, leave = CaptureQueriesContext.__enter__, CaptureQueriesContext.__exit__

    def entered(context: CaptureQueriesContext) -> CaptureQueriesContext:
        found = enter(context)
        context.ours = queries().__enter__()
        return found

    def left(context: CaptureQueriesContext, *exc_info: object) -> None:
        context.ours.__exit__()
        connection = context.connection
        ours = [query for query in context.ours.queries if query.alias == connection.alias]
        try:
            return leave(context, *exc_info)
        finally:
            expected = [
                query["sql"]
                for query in context.captured_queries
                if not recorder.TRANSACTION.match(query["sql"])
            ]
            texts = equal = 0
            if connection.vendor == "sqlite" and len(ours) == len(expected):
                for query, text in zip(ours, expected, strict=True):
                    if not query.many:
                        texts += 1
                        equal += (
                            connection.ops.last_executed_query(None, query.sql, query.params)
                            == text
                        )
            note({"expected": len(expected), "counted": len(ours), "texts": texts, "equal": equal})

    CaptureQueriesContext.__enter__, CaptureQueriesContext.__exit__ = entered, left


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        how, script = sys.argv[2:4]
        sys.argv[:] = [script, *sys.argv[4:]]
        inside(script, how == "watched")
    else:
        sys.exit(main(sys.argv[1:]))
