"""Opening a chapter in JupyterLab and saving it changes nothing in git."""

import asyncio
import json
import shutil
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from traitlets.config import PyFileConfigLoader

from workbook.management.commands.lab import CONFIG

from .chapters import CHAPTERS, METADATA

chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@pytest.fixture
def manager(tmp_path):
    """Jupyter's contents API on a folder, configured as `make lab` does."""
    config = PyFileConfigLoader("jupyter_server_config.py", path=str(CONFIG)).load_config()
    config.NotebookNotary.db_file = ":memory:"
    return AsyncLargeFileManager(root_dir=str(tmp_path), config=config)


def save(manager, path, opened):
    """What JupyterLab does: get the notebook, note the kernel in it, put it back."""

    async def run():
        model = await manager.get(path.name, content=True)
        model["content"]["metadata"].update(opened)
        return await manager.save({**model, "type": "notebook"}, path.name)

    asyncio.run(run())


@chapters
def test_saving_a_chapter_changes_nothing(path, manager, tmp_path):
    copy = Path(shutil.copy(path, tmp_path))
    other = METADATA["language_info"] | {"version": "3.14.7"}
    save(manager, tmp_path / path.name, json.loads(json.dumps(METADATA | {"language_info": other})))
    assert copy.read_bytes() == path.read_bytes()


@chapters
def test_its_metadata_is_what_jupyterlab_writes(path):
    assert nbformat.read(path, as_version=4).metadata == METADATA


def test_the_kernel_says_what_the_chapters_say(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(CONFIG))
    spec = KernelSpecManager().get_kernel_spec("django-orm-workbook")
    found = METADATA["kernelspec"]
    assert (spec.display_name, spec.language) == (found["display_name"], found["language"])
    manager, client = start_new_kernel(kernel_name=found["name"])
    try:
        info = client.kernel_info(reply=True, timeout=60)["content"]["language_info"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert info | {"version": ""} == METADATA["language_info"] | {"version": ""} | {
        "codemirror_mode": info["codemirror_mode"]
    }
    assert info["codemirror_mode"]["name"] == "ipython"


def test_a_notebook_of_the_readers_own_is_saved_as_it_is(manager, tmp_path):
    own = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    nbformat.write(own, tmp_path / "own.ipynb")
    save(manager, tmp_path / "own.ipynb", METADATA)
    assert nbformat.read(tmp_path / "own.ipynb", as_version=4).metadata == METADATA
