"""Every model answer passes where a learner types it: in a kernel, with a laptop's settings."""

import os

import nbformat
import pytest
from django.conf import settings
from nbclient import NotebookClient

from workbook import exercises

from .chapters import FOLDER

FILES = sorted(settings.WORKBOOK["EXERCISES"].glob("[0-9]*_*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_model_answers_pass_as_cells(path, shop_url, tmp_path):
    found = exercises.load(path)
    imports = path.read_text(encoding="utf-8").partition("\n\n\n")[0]
    cells = ["%load_ext workbook\n" + imports]
    cells += [f"%exercise {number}\n{one.source}" for number, one in found.items()]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(
        env=os.environ
        | {"DATABASE_URL": shop_url, "DEBUG": "1", "WORKBOOK_PROGRESS": str(tmp_path / "p.json")}
    )
    for number, cell in zip(found, notebook.cells[1:], strict=True):
        verdict = cell.outputs[0]["data"]["text/plain"]
        assert verdict.startswith(f"✓ {number} · right"), verdict
