"""`manage.py lab`: JupyterLab on your copies of the chapters."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from django.core.management.base import BaseCommand, CommandError, CommandParser
from jupyter_core.paths import jupyter_runtime_dir

import workbook.learning
from workbook.exercises import files, tasks
from workbook.exercises.progress import Progress
from workbook.learning import course, pages
from workbook.management.commands.prepare import prepare

CONFIG = Path(workbook.learning.__file__).parent / "jupyter"
SECONDS = 120  # for a slow machine's first start
Server = dict[str, Any]  # what Jupyter's info file says: url, token, port, root_dir, pid


class Command(BaseCommand):
    """Prepare, start JupyterLab, say where it is, and wait until it is stopped."""

    requires_system_checks = []
    help = "Gets everything ready and opens JupyterLab on your copies of the chapters."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8888, help="another is taken if it is not free (8888)"
        )
        parser.add_argument(
            "--no-browser", action="store_true", help="only say the address, open no browser"
        )

    def handle(self, *, port: int, no_browser: bool, **options: Any) -> None:
        if not 0 < port < 65536:
            raise CommandError(f"A port is a number from 1 to 65535, not {port}.")
        folder = course.copies()
        if folder is None:
            raise CommandError("The settings name no folder for the copies of the chapters.")
        folder.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        jupyter = None
        try:
            with files.lock(folder / ".lab", seconds=SECONDS):  # `make lab`, twice at once
                server = running(folder.parent)
                if server is None:
                    jupyter, token, log = start(folder, port)
                for sentence in prepare():
                    self.stdout.write(sentence)
                server = server or wait_for(jupyter, token, log)
            address = f"{server['url']}lab/tree/{where_to_begin(folder)}"
            address += f"?token={server['token']}" if server.get("token") else ""
            self.stdout.write(line(address, server, port, jupyter and log))
            self.stdout.flush()
            if not no_browser and has_screen():
                webbrowser.open(address)
            if jupyter is not None:
                trust_chapters(tasks.directory())
                jupyter.wait()
        except KeyboardInterrupt:
            self.stdout.write("JupyterLab stops. Your notebooks are saved as you left them.")
        finally:
            if jupyter is not None:
                stop(jupyter)


def start(folder: Path, port: int) -> tuple[subprocess.Popen, str, Path]:
    """Start a JupyterLab that sees the folder above `folder`; returns it, its token, its log."""
    token, log = secrets.token_hex(16), folder / ".jupyter.log"
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.port={port}"]
    command += ["--ServerApp.open_browser=False", "--ServerApp.answer_yes=True"]
    command += [f"--ServerApp.root_dir={folder.parent}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:  # Jupyter refuses root unless told
        command.append("--allow-root")
    environment = os.environ | {"JUPYTER_TOKEN": token}
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
        environment[name] = os.pathsep.join(filter(None, [str(CONFIG), os.environ.get(name)]))
    with log.open("wb") as output:
        jupyter = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    return jupyter, token, log


def wait_for(jupyter: subprocess.Popen, token: str, log: Path) -> Server:
    """What Jupyter says about itself once it serves. Raises CommandError if it does not."""
    until = time.monotonic() + SECONDS
    while jupyter.poll() is None and time.monotonic() < until:
        for server in servers():
            # On Windows `pid` is another process's; a configuration may set another token.
            if server.get("token") == token or server.get("pid") == jupyter.pid:
                return server
        time.sleep(0.05)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    raise CommandError("\n".join(["JupyterLab did not start. The end of its log:", *last]))


def running(root: Path) -> Server | None:
    """A JupyterLab that serves this folder already."""
    for server in servers():
        if Path(server.get("root_dir", "")) == root:
            try:
                urlopen(f"{server['url']}api", timeout=2).close()
            except (URLError, OSError, KeyError):
                continue
            return server
    return None


def servers() -> list[Server]:
    """What every Jupyter server of this user has written about itself."""
    found = []
    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            found.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue  # it is just being written, or removed
    return found


def where_to_begin(folder: Path) -> str:
    """The notebook to open: the chapter of the next unsolved exercise, at first the first one."""
    found, state = tasks.tasks(), Progress().state()
    last = next((course.of_exercise(number) for number in reversed(state.exercises)), None)
    task = pages.next_task(list(found.values()), state, last)
    chapters = course.chapters()
    if not chapters:
        return folder.name
    chapter = course.of_exercise(task.number) if task else chapters[-1]
    return f"{folder.name}/{chapter.path.name}"


def line(address: str, server: Server, port: int, log: Path | None) -> str:
    if log is None:
        return f"JupyterLab is running already: {address}"
    taken = "" if server["port"] == port else f" (port {port} was taken)"
    name = f"{log.parent.name}/{log.name}"
    return f"JupyterLab is ready: {address}{taken} · Ctrl-C stops it · its log is {name}"


def has_screen() -> bool:
    """Whether this machine can open a browser."""
    return not sys.platform.startswith("linux") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def trust_chapters(chapters: Path) -> None:
    """Let JupyterLab show the styles of the outputs in the repository's own chapters.

    Only of those that are as they were committed: whatever else is in the folder may be anybody's.
    """
    committed = _git(chapters, "ls-tree", "--name-only", "HEAD", ".")
    changed = _git(chapters, "diff", "--name-only", "--relative", "HEAD", ".")
    paths = [chapters / name for name in committed - changed if name.endswith(".ipynb")]
    if paths:
        import nbformat
        from nbformat.sign import NotebookNotary

        notary = NotebookNotary()
        for path in paths:
            notary.sign(nbformat.read(path, as_version=4))


def _git(folder: Path, *arguments: str) -> set[str]:
    """The lines that git says; none where there is no git, or no repository."""
    try:
        said = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return set()
    return set(said.stdout.splitlines())


def stop(jupyter: subprocess.Popen) -> None:
    """Let Jupyter end its kernels; it has 10 seconds."""
    if jupyter.poll() is None:
        jupyter.terminate()
        try:
            jupyter.wait(10)
        except subprocess.TimeoutExpired:
            jupyter.kill()
