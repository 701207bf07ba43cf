"""`workbench app`: time to the first usable page, memory a visitor, and many visitors searching at once.

    python benchmarks/app.py            # writes docs/measured/app.md; needs Chromium

Visitors are first without a browser, then pages of headless Chromium, which runs on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
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
from plain_visitor import PlainVisitor  # noqa: E402

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


def processor_time(app: App) -> dict[str, float]:
    """Seconds that each kind of process has used the processor so far."""
    ours = psutil.Process().children(recursive=True)
    kinds = {
        "server": [psutil.Process(app.process.pid)],
        "visitors": app.kernels(),
        "encoder": [app.encoder()],
        "browsers": [each for each in ours if "chrom" in each.name()],
    }
    return {kind: sum(sum(each.cpu_times()[:2]) for each in some) for kind, some in kinds.items()}


def per_search(before: dict[str, float], after: dict[str, float], n: int) -> dict[str, float]:
    """Milliseconds of the processor that one search took, by kind of process."""
    return {kind: 1000 * (after[kind] - before[kind]) / n for kind in before}


async def without_browsers(app: App, visitors: int, rounds: int) -> tuple[list[float], dict[str, float]]:
    """Seconds from the message of a click to all hits, and what a search took of the processor."""
    several = [await PlainVisitor.of(app.url) for _ in range(visitors)]
    await asyncio.sleep(8)  # spare processes are made ready
    took: list[float] = []
    for number in range(rounds + 1):
        at = time.time() + 1.5
        if number == 1:  # the first encodes the knowledge base too
            before = processor_time(app)
        queries = (f"ward nurse number {number} of visitor {who}" for who in range(visitors))
        found = await asyncio.gather(
            *(one.search(query, at) for one, query in zip(several, queries, strict=True))
        )
        took += found if number else []
    await asyncio.sleep(1)  # tables are written
    used = per_search(before, processor_time(app), len(took))
    for one in several:
        one.socket.close()
    return took, used


def at_once(
    browser: object, app: App, visitors: int, rounds: int
) -> tuple[list[float], list[float], dict[str, float]]:
    """Seconds that each search took, megabytes of each visitor's process, and a search's processor time."""
    pages = [visit(browser, app) for _ in range(visitors)]
    time.sleep(8)
    took: list[float] = []
    for number in range(rounds + 1):
        at = 1000 * (time.time() + 3)
        if number == 1:
            before = processor_time(app)
        for who, page in enumerate(pages):
            page.evaluate(SEARCH, [f"ward nurse number {number} of visitor {who}", at])
        for page in pages:
            page.wait_for_function("() => window.took !== null", timeout=120_000)
        if number:  # the first encodes the knowledge base too
            took += [page.evaluate("window.took") for page in pages]
    used = [kernel.memory_full_info().pss / 1e6 for kernel in app.kernels()]
    return took, used, per_search(before, processor_time(app), len(took))


def interval(values: list[float], share: float) -> str:
    """A quantile with its 95 % interval by the bootstrap."""
    rng, array = np.random.default_rng(0), np.array(values)
    drawn = np.quantile(rng.choice(array, (2000, len(array))), share, axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{np.quantile(array, share):.2f} ({low:.2f}–{high:.2f})"


def split(used: dict[str, float]) -> str:
    """The three kinds of process that a machine without browsers has."""
    return " / ".join(f"{used[kind]:.0f}" for kind in ("visitors", "server", "encoder"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "measured" / "app.md")
    asked = parser.parse_args()
    alone = subprocess.run([sys.executable, "-c", OWN_ENCODER], capture_output=True, text=True, check=True)
    own_megabytes = int(alone.stdout.split()[-1]) / 1e6
    executable = find_chromium()
    assert executable, "needs Chromium"
    with tempfile.TemporaryDirectory() as folder, workbench_app(Path(folder)) as app:
        plain, own = asyncio.run(without_browsers(app, asked.visitors, asked.rounds))
    with (
        tempfile.TemporaryDirectory() as folder,
        workbench_app(Path(folder)) as app,
        chromium(executable) as browser,
    ):
        time.sleep(8)
        pages = first_page(browser, app, asked.pages)
        took, used, all_of_it = at_once(browser, app, asked.browsers, asked.rounds)
        encoder = app.encoder().memory_full_info().pss / 1e6
    kernel = statistics.median(used)
    n, m = asked.visitors, asked.browsers
    load = os.getloadavg()[0]
    asked.out.write_text(
        f"""# Pages without code: time, memory, many visitors
Written by `python benchmarks/app.py --visitors {n} --browsers {m} --rounds {asked.rounds}
--pages {asked.pages}` on {psutil.cpu_count()} cores, where Chromium ran too; load {load:.1f} at the end.
Encoder `use`; intervals are 95 %, by the bootstrap. Visitors without a browser send and hear the messages
that a page does: browsers run on machines of their own, so these are what a server has to do.

| what | measured |
|---|---|
| first usable page, seconds, median of {len(pages)} visitors | {interval(pages, 0.5)} |
| a search, seconds, median of {len(plain)}, {n} visitors at once, no browser here | {interval(plain, 0.5)} |
| the same, 95th percentile | {interval(plain, 0.95)} |
| a search, seconds, median of {len(took)}, {m} visitors at once, Chromium here | {interval(took, 0.5)} |
| the same, 95th percentile | {interval(took, 0.95)} |
| processor time of a search, ms, no browser here: visitor's process / server / encoder | {split(own)} |
| with Chromium here, from typing to the redrawn page: the same three | {split(all_of_it)} |
| of Chromium besides, ms | {all_of_it["browsers"]:.0f} |
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
