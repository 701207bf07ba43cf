"""`workbench app` as people start it, on a port and in folders of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

OUTSIDE = re.compile(r"^(?!(http|ws)://127\.0\.0\.1|data:|blob:)")


@dataclass
class App:
    """A running app: its address, and its process."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    def kernels(self) -> list[psutil.Process]:
        """The processes of visitors, and those that wait for some."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in children if "ipykernel_launcher" in " ".join(each.cmdline())]

    def encoder(self) -> psutil.Process:
        """The process that encodes for all."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(each for each in children if "workbench.app.encoder" in each.cmdline())

    def kernel_of(self, page: object) -> psutil.Process:
        """The process behind a page."""
        configured = "JSON.parse(document.getElementById('jupyter-config-data').textContent)"
        kernel = page.evaluate(f"{configured}.kernelId")
        return next(each for each in self.kernels() if kernel in " ".join(each.cmdline()))


@contextmanager
def workbench_app(folder: Path, *options: str, encoder: str = "use") -> Iterator[App]:
    """The app, with settings and caches of its own in `folder`."""
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "WORKBENCH_CACHE": "cache",
        "WORKBENCH_PROJECT": "project",
    }
    environment = {**os.environ, **{name: str(folder / place) for name, place in own.items()}}
    environment |= {"WORKBENCH_ENCODER": encoder, "WORKBENCH_LANGUAGE": "en"}
    command = [sys.executable, "-m", "workbench", "app", "--no-browser", f"--port={_free_port()}", *options]
    log = folder / "app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield App(_wait_for(process, log), process, folder)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"open at (\S+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"The app did not start:\n{log.read_text()[-3000:]}")


def visit(browser: object, app: App, page: str = "search", **options: object) -> object:
    """A new visitor's page, once it can be used; `page.outside` gathers addresses on other machines."""
    context = browser.new_context(
        **{"locale": "en-US", "viewport": {"width": 1440, "height": 900}, **options}
    )
    found = context.new_page()
    found.set_default_timeout(15_000)
    found.outside = []
    context.on(
        "request", lambda request: found.outside.append(request.url) if OUTSIDE.match(request.url) else None
    )
    context.route(OUTSIDE, lambda route: route.abort())
    found.goto(f"{app.url}#{page}", timeout=60_000, wait_until="commit")
    # Search is shown until the page that was asked for is there.
    room = found.locator(".wb-room").nth(["search", "rank", "label", "cutoff"].index(page.partition("?")[0]))
    room.locator(".wb-panel").first.wait_for(timeout=30_000)
    found.locator(".wb-room:visible .wb-panel").wait_for(timeout=30_000)
    return found
