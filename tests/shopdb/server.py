"""A real server on this machine, and a client that keeps its connection and its cookies."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from django.conf import settings

PLAIN_HTTP = {"DEBUG": "0", "HTTPS": "0", "SECRET_KEY": "x", "ALLOWED_HOSTS": "127.0.0.1"}


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


@contextmanager
def serving(command: list[str], environment: dict) -> Iterator[None]:
    """A server in a group of processes of its own, from when it answers until the block ends."""
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, start_new_session=True
    )
    try:
        while not answers(environment["PORT"]):
            assert process.poll() is None, "the server did not start"
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(port: str) -> bool:
    with socket.socket() as calling:
        return calling.connect_ex(("127.0.0.1", int(port))) == 0


class Browser:
    """A connection to the server, with its cookies."""

    def __init__(self, port: str, cookies: dict[str, str] | None = None) -> None:
        self.connection = HTTPConnection("127.0.0.1", int(port), timeout=60)
        self.cookies = dict(cookies or {})
        self.ask("GET", "login/")

    def ask(self, method: str, path: str, body: dict | None = None) -> int:
        headers = {
            "Content-Type": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
        }
        sent = None if body is None else json.dumps(body)
        self.connection.request(method, f"/api/{path}", sent, headers)
        response = self.connection.getresponse()
        response.read()
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status
