"""`workbench app`: time to the first usable page, memory a visitor, and many visitors searching at once.

    python benchmarks/app.py            # writes docs/measured/app.md; needs Chromium

Each visitor is a page of its own in headless Chromium, which runs on the same cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from live_app import App, visit, workbench_app  # noqa: E402
from live_notebook import chromium, find_chromium  # noqa: E402

OWN_ENCODER = """
import ipykernel.kernelapp, psutil, workbench as wb
from workbench.panels import RankPanel, SearchPanel
panels = SearchPanel(encoder=wb.load_encoder("use", store=False)), RankPanel("use+relative")
panels[0].search()
print(psutil.Process().memory_full_info().pss)
"""
# All press at the same moment; a search is over when the cards are those of the new query.
SEARCH = """([query, at]) => new Promise(resolve => {
  const room = document.querySelector('.wb-room'), field = room.querySelectorAll('textarea')[1];
  field.value = query;
  field.dispatchEvent(new Event('input', {bubbles: true}));
  window.took = null;
  setTimeout(() => {
    const began = performance.now();
    const seen = new MutationObserver(() => {
      if (!room.querySelector('.wb-card') || room.textContent.includes('Edited since')) return;
      if (room.querySelector('.mod-primary').textContent.includes('Searching')) return;
      seen.disconnect();
      window.took = (performance.now() - began) / 1000;
    });
    seen.observe(room, {childList: true, subtree: true, characterData: true, attributes: true});
    room.querySelector('.mod-primary').click();
  }, at - Date.now());
  resolve();
})"""


def first_page(browser: object, app: App, n: int) -> list[float]:
    """Seconds until a new visitor can search, with a process kept ready."""
    found = []
    for _ in range(n):
        before = time.monotonic()
        page = visit(browser, app)
        found.append(time.monotonic() - before)
        page.context.close()
        time.sleep(8)  # the next process is made ready
    return found


def at_once(browser: object, app: App, visitors: int, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds that each search took, and megabytes of each visitor's process."""
    pages = [visit(browser, app) for _ in range(visitors)]
    took: list[float] = []
    for number in range(rounds + 1):
        at = 1000 * (time.time() + 3)
        for who, page in enumerate(pages):
            page.evaluate(SEARCH, [f"ward nurse number {number} of visitor {who}", at])
        for page in pages:
            page.wait_for_function("() => window.took !== null", timeout=60_000)
        if number:  # the first encodes the knowledge base too
            took += [page.evaluate("window.took") for page in pages]
    used = [kernel.memory_full_info().pss / 1e6 for kernel in app.kernels()]
    return took, used


def interval(values: list[float], share: float) -> str:
    """A quantile with its 95 % interval by the bootstrap."""
    rng, array = np.random.default_rng(0), np.array(values)
    drawn = np.quantile(rng.choice(array, (2000, len(array))), share, axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{np.quantile(array, share):.2f} ({low:.2f}–{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "measured" / "app.md")
    asked = parser.parse_args()
    own = subprocess.run([sys.executable, "-c", OWN_ENCODER], capture_output=True, text=True, check=True)
    own_megabytes = int(own.stdout.split()[-1]) / 1e6
    executable = find_chromium()
    assert executable, "needs Chromium"
    with (
        tempfile.TemporaryDirectory() as folder,
        workbench_app(Path(folder)) as app,
        chromium(executable) as browser,
    ):
        time.sleep(8)
        pages = first_page(browser, app, asked.pages)
        took, used = at_once(browser, app, asked.visitors, asked.rounds)
        encoder = app.encoder().memory_full_info().pss / 1e6
    kernel = statistics.median(used)
    n = asked.visitors
    load = os.getloadavg()[0]
    asked.out.write_text(
        f"""# Pages without code: time, memory, many visitors
Written by `python benchmarks/app.py --visitors {n} --rounds {asked.rounds} --pages {asked.pages}` on
{psutil.cpu_count()} cores, where Chromium ran too; load {load:.1f} at the end. Encoder `use`; intervals are
95 %, by the bootstrap.

| what | measured |
|---|---|
| first usable page, seconds, median of {len(pages)} visitors | {interval(pages, 0.5)} |
| a search, seconds, median of {len(took)}, {n} visitors at once | {interval(took, 0.5)} |
| a search, seconds, 95th percentile | {interval(took, 0.95)} |
| memory of a visitor's process, MB (its share of shared pages) | {kernel:.0f} |
| memory of the encoder's process, MB, once for all | {encoder:.0f} |
| the other way, an encoder in each process: MB a visitor | {own_megabytes:.0f} |
| {n} visitors, MB: one encoder for all / one in each | {n * kernel + encoder:.0f} / {n * own_megabytes:.0f} |
""",
        encoding="utf-8",
    )
    print(asked.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
