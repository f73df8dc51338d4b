"""The README's curl examples, run as written against a live server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.workbook.watching import library_tables  # noqa: F401  (a fixture)

README = Path(settings.BASE_DIR, "README.md")


def bash_blocks(heading: str) -> list[str]:
    """The ```bash blocks between this heading and the next of its level."""
    section = f"\n{README.read_text(encoding='utf-8')}".partition(f"\n{heading}\n")[2]
    return re.findall(r"^```bash\n(.*?)^```", section.split("\n## ")[0], re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not shutil.which("curl"), reason="The examples need curl on the PATH.")
@pytest.mark.usefixtures("library_tables")  # resetting sequences wants the tables of all models
@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_curl_examples_run_as_written(live_server, tmp_path):
    call_command("seed", verbosity=0)
    start, *examples = bash_blocks("## The JSON API")
    assert start == "python manage.py runserver\n"
    written = "\n".join(examples)
    script = written.replace("http://127.0.0.1:8000", live_server.url)  # its port is its own
    assert script != written
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(re.findall(r"^(?:curl|send) ", written, re.MULTILINE)) > 10
    assert not [answer for answer in answers if "error" in answer]
    lists = [answer["results"] for answer in answers if "results" in answer]
    assert all(lists), "an example that finds nothing shows nothing"
