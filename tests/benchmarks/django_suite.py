"""`make django-suite`: Django's own test suite, run under the recorder.

Django's source distribution, of the version that is installed, comes by pip into build/. Each test
is recorded and reported on, each of its `assertNumQueries` blocks is compared with the recorder's
count, and what fails is run again without the recorder. `DATABASE_URL` chooses the database (as
`test_…` databases of that server); names of tests (`LABELS="queries aggregation"`) choose a part.

Exits with 1 when a figure is missed. build/django-suite.jsonl has a line for each test: its counts
and every sentence, to be read.
"""

import json
import os
import runpy
import subprocess
import sys
import tarfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

BUILD = Path(__file__).resolve().parents[2] / "build"
RESULTS = BUILD / "django-suite.jsonl"
SETTINGS = """
import dj_database_url

SECRET_KEY = "for tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
DATABASES = {}
for alias in ("default", "other"):
    DATABASES[alias] = dj_database_url.config() or {"ENGINE": "django.db.backends.sqlite3"}
    DATABASES[alias]["TEST"] = {}
if DATABASES["other"].get("NAME"):
    DATABASES["other"] = {**DATABASES["other"], "NAME": DATABASES["other"]["NAME"] + "_other"}
"""
# Compares connection.execute_wrappers, where the recorder is, with what it has put there.
EXPECTED_TO_FAIL = "test_nested_wrapper_invoked"


def main(labels: list[str]) -> int:
    tests = source() / "tests"
    (BUILD / "workbook_suite_settings.py").write_text(SETTINGS, encoding="utf-8")
    RESULTS.unlink(missing_ok=True)
    started = perf_counter()
    failed = run(tests, labels, watched=True)
    lasted = process_time() - started
    # Some tests fail wherever they run, as root or without a network.
    ours = failed - run(tests, sorted(failed), watched=False) if failed else set()
    missed = 0
    for what, measured, bar, met in figures(failed, ours):
        missed += not met
        print(f"{what:44} {measured:>28}   {bar:<18} {'✓' if met else '✗ missed'}")
    print(f"{lasted / 60:.0f} minutes; the sentences are in {RESULTS.relative_to(BUILD.parent)}")
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


def run(tests: Path, labels: list[str], watched: bool) -> set[str]:
    """Run tests of Django's; gives the names of those that failed."""
    command = [sys.executable, "-m", "tests.benchmarks.django_suite", "--inside"]
    command += ["watched" if watched else "alone", str(tests / "runtests.py")]
    command += ["--settings=workbook_suite_settings", "--noinput", "--verbosity=1", *labels]
    command += [f"--parallel={min(os.cpu_count() or 1, 4) if watched else 1}"]
    path = os.pathsep.join([str(BUILD), str(BUILD.parent), *filter(None, sys.path)])
    done = subprocess.run(
        command,
        cwd=tests,
        env={**os.environ, "PYTHONPATH": path, "RUNNING_DJANGOS_TEST_SUITE": "true"},
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    (BUILD / f"django-suite-{'watched' if watched else 'alone'}.log").write_text(done.stderr)
    failed = set()
    for line in done.stderr.splitlines():
        if line.startswith(("ERROR: ", "FAIL: ")):
            name = line.partition(" (")[2].partition(")")[0]
            failed.add(name.removesuffix(".__test__"))
    if done.returncode and not failed:
        raise SystemExit(f"Django's suite did not run:\n{done.stderr[-4000:]}")
    return failed


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
    ]


# Inside: the process in which Django's tests run.


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
    import unittest

    from django.db.models import options  # noqa: F401  (Django's own order of importing)
    from django.test.utils import CaptureQueriesContext

    from workbook.queries import diagnosis, queries, recorder, report, unread

    unread.install()
    call = unittest.TestCase._callTestMethod

    def recorded(test: unittest.TestCase, method: Any) -> None:
        unread.forget()
        with queries() as capture:
            call(test, method)
        line = {"test": test.id(), "queries": capture.count, "crash": "", "bytes": 0}
        findings, started = [], process_time()
        try:
            capture.unread = unread.find(capture)
            shown = report.mimebundle(capture, [])
            line["bytes"] = sum(len(form.encode()) for form in shown.values())
            seconds = process_time() - started
            findings = [
                [each.title, each.sentence, each.code, each.fix]
                for each in diagnosis.diagnose(capture)
            ]
        except Exception as error:
            seconds = process_time() - started
            line["crash"] = f"{type(error).__name__}: {error}"
        note({**line, "seconds": round(seconds, 3), "findings": findings})

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
