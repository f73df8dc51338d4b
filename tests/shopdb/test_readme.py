"""The README's curl examples, run as written against a live server."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from shopdb.billing import issue_invoice
from shopdb.models import Customer, Invoice, Product
from tests.shopdb.conftest import make_shop

README = Path(django_settings.BASE_DIR, "README.md")


def bash_blocks(heading: str) -> list[str]:
    """The ```bash blocks between this heading and the next of its level."""
    section = README.read_text().partition(f"\n{heading}\n")[2] or README.read_text()
    return re.findall(r"^```bash\n(.*?)^```", section.split("\n## ")[0], re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not shutil.which("curl"), reason="The examples need curl on the PATH.")
def test_the_curl_examples_run_as_written(live_server, tmp_path):
    shop = make_shop("rahim", password="a long enough secret", is_staff=True)
    product, customer, invoice = readme_rows(shop)
    start, *examples = bash_blocks("## The JSON API")
    assert start == "python manage.py runserver\n"
    script = "\n".join(examples)
    for row, written in ((product, "products/1/"), (invoice, "invoices/1/")):
        assert written in script
        script = script.replace(written, f"{written.split('/')[0]}/{row.pk}/")
    # The live server has a port of its own, and answers are told apart by a line between them.
    script = script.replace("http://127.0.0.1:8000", live_server.url)
    script = re.sub(r"^((?:curl|send) .*)$", r"\1; echo", script, flags=re.MULTILINE)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert not [answer for answer in answers if "error" in answer]
    assert len(answers) == len(re.findall(r"; echo$", script, re.MULTILINE)) == 12
