"""A real JupyterLab server and a real headless Chromium, for tests and screenshots of a notebook."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NO_BROWSER = (
    "No Chromium was found, so the page cannot be driven. "
    "Install one (Debian: apt-get install chromium fonts-noto-cjk), then run again."
)
# Headless Chromium as root and in containers needs the first three; the rest keeps it off the network.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # Maps are drawn with WebGL, which there is in software only.
    "--enable-unsafe-swiftshader",
]


def find_chromium() -> str | None:
    """Path of the browser, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path

    def address(self, notebook: str) -> str:
        return f"{self.url}doc/tree/{notebook}?token={self.token}&reset"


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[Lab]:
    """JupyterLab with settings, workspaces and a copy of the notebooks of its own in `folder`."""
    root = folder / "notebooks"
    shutil.copytree(NOTEBOOKS, root, ignore=shutil.ignore_patterns(".*"))
    token = secrets.token_hex(16)
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "WORKBENCH_CACHE": "cache",
    }
    environment = {**os.environ, **{name: str(folder / place) for name, place in own.items()}}
    environment |= {"WORKBENCH_ENCODER": "use", "WORKBENCH_PROJECT": str(folder)}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
    ]
    # Else a note that offers news from the web lies over the page.
    announcements = folder / "settings" / "@jupyterlab" / "apputils-extension"
    announcements.mkdir(parents=True)
    (announcements / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    log = folder / "lab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Lab(_wait_for(server, folder / "runtime", log), token, root)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_for(server: subprocess.Popen[bytes], runtime: Path, log: Path, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            return str(json.loads(path.read_text())["url"])
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def chromium(executable: str) -> Iterator[object]:
    """A headless browser, driven by playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


def run_notebook(
    page: object, lab: Lab, notebook: str, panel: str = ".wb-panel:has(textarea)", seconds: int = 60
) -> object:
    """Open a notebook, run all its cells, and return its panel once that is there."""
    page.goto(lab.address(notebook))
    session = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session"
    page.wait_for_function(f"() => {session}?.kernel?.connectionStatus === 'connected'", timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    shown = page.locator(panel)
    shown.wait_for(timeout=1000 * seconds)
    shown.scroll_into_view_if_needed()
    return shown


def settle(page: object) -> None:
    """Wait until the kernel has answered all that the page told it, and the page shows the answers.

    A page holds changes back while the kernel is at work, so what is typed and clicked faster than people
    can arrives in another order. Each round trip lets through what was held back before it.
    """
    page.evaluate(
        """async () => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          for (let round = 0; round < 3; round++) {
            await kernel.requestKernelInfo();
            await new Promise(resolve => setTimeout(resolve, 50));
          }
        }"""
    )


def drag(page: object, handle: object, by: int, steps: int = 8) -> None:
    """Drag a slider's handle sideways; at each step it has to come under the pointer and its track to stay.

    Playwright waits at each step for as long as a busy machine needs, so that a handle that lags is let off
    and one that stands elsewhere is not: farther away than one step of the widest slider.
    """
    box = handle.bounding_box()
    grip = {"x": box["width"] / 2, "y": min(box["height"] / 2, 30)}
    handle.hover(position=grip)  # once it stands still
    box, track = handle.bounding_box(), handle.locator("xpath=../..")
    before, held = track.bounding_box(), handle.element_handle()
    x, y = box["x"] + grip["x"], box["y"] + grip["y"]
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(x + by * step / steps, y)
        page.wait_for_function(
            """([handle, x]) => {
              const box = handle.getBoundingClientRect();
              return Math.abs(box.left + box.width / 2 - x) <= 6;
            }""",
            arg=[held, x + by * step / steps],
        )
    assert track.bounding_box() == before
    page.mouse.up()


def violations(page: object, within: str | None = None) -> list[tuple[str, str]]:
    """What axe-core finds on a page, or within some elements of it: the rule, and the element."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": [[within]]} if within else None
    found = Axe().run(page, context).response["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]
