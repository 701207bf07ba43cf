"""Take the pictures that the README shows, from the real page.

``python -m tests.browser.take_screenshots`` (or ``make screenshots``) writes them to ``docs/images``.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image, ImageColor

import workbench as wb
from tests.browser.live_notebook import NO_BROWSER, Lab, chromium, find_chromium, jupyter_lab, run_notebook
from workbench.plots.style import YELLOW

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
# High enough that the whole panel is on screen at once, below the toolbars of JupyterLab.
SIZE = {"width": 1280, "height": 2000}


def main() -> None:
    executable = find_chromium()
    if executable is None:
        sys.exit(NO_BROWSER)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyter_lab(Path(folder)) as lab,
        chromium(executable) as browser,
    ):
        shutil.copytree(ROOT / "labeled_pairs", Path(folder) / "labeled_pairs")
        for name, take in {"search_panel": search_panel, "skill_map": skill_map}.items():
            page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
            keep(name, take(page, lab))
            page.close()
        shortlists(browser, Path(folder))


def shortlists(browser: Any, folder: Path) -> None:
    """The demonstration's documents ranked: a JD on the page, and its sheet as LibreOffice prints it."""
    documents = ROOT / "labeled_pairs/documents"
    conditions = ["years >= 3", "language = English"]
    ranking = wb.rank(documents / "jds", documents / "resumes", top=5, conditions=conditions).of("jd-03")
    page = browser.new_page(viewport={"width": 1180, "height": 900}, device_scale_factor=1.5)
    page.goto(wb.write_shortlist_report(ranking, folder / "shortlists.html").as_uri())
    page.locator("main:visible .wb-evidence details").first.evaluate("details => { details.open = true }")
    keep("shortlist", page.locator("main:visible .wb-shortlist").screenshot())
    page.close()
    ranking.to_excel(folder / "shortlists.xlsx")
    if soffice := shutil.which("soffice"):
        command = [
            soffice,
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
            folder / "shortlists.xlsx",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        pages = [
            each.render(scale=1.6).to_pil() for each in pypdfium2.PdfDocument(folder / "shortlists.pdf")
        ][1:3]
        # The five candidates take less than half a page.
        pages = [each.crop((0, 0, each.width, each.height * 9 // 20)) for each in pages]
        whole = Image.new("RGB", (pages[0].width, sum(each.height for each in pages)), "white")
        for number, each in enumerate(pages):
            whole.paste(each, (0, number * each.height))
        buffer = io.BytesIO()
        whole.save(buffer, "png")
        keep("shortlist_workbook", buffer.getvalue())
    else:
        print("shortlist_workbook: needs LibreOffice Calc")


def search_panel(page: Any, lab: Lab) -> bytes:
    """The worked example."""
    panel = run_notebook(page, lab, "01_search.ipynb")
    panel.locator(".wb-card").nth(7).wait_for()
    panel.evaluate("panel => panel.scrollIntoView({block: 'end'})")
    page.wait_for_timeout(500)
    return panel.screenshot()


def skill_map(page: Any, lab: Lab) -> bytes:
    """The map of the demonstration set, a query on it and what lies around it lassoed."""
    panel = run_notebook(page, lab, "04_skill_map.ipynb", ".wb-map:has(canvas)", seconds=600)
    panel.locator(".wb-card").first.wait_for()
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(1000)
    canvas = panel.locator("canvas").first.bounding_box()
    picture = np.asarray(Image.open(io.BytesIO(panel.locator("canvas").first.screenshot())).convert("RGB"))
    yellow = np.abs(picture.astype(int) - ImageColor.getrgb(YELLOW)).max(axis=-1) < 24
    y, x = (np.median(places) / 1.5 for places in np.nonzero(yellow))
    panel.get_by_title("Activate lasso selection").click()
    # Where it ends on the spot where it began, the front end sees a click there, too.
    turns = np.linspace(0, 1.9 * np.pi, 40)
    path = np.column_stack([canvas["x"] + x + 45 * np.cos(turns), canvas["y"] + y + 45 * np.sin(turns)])
    page.mouse.move(*path[0])
    page.mouse.down()
    for place in path:
        page.mouse.move(*place, steps=2)
    page.mouse.up()
    rows = panel.locator(".wb-rows")
    rows.wait_for()
    page.mouse.move(5, 5)
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(1000)
    # Without the cards below, which the other picture shows.
    box, last = panel.bounding_box(), panel.locator(".wb-box:has(.wb-rows)").bounding_box()
    return page.screenshot(clip={**box, "height": last["y"] + last["height"] + 12 - box["y"]})


def keep(name: str, screenshot: bytes) -> None:
    picture = Image.open(io.BytesIO(screenshot))
    target = IMAGES / f"{name}.png"
    # The page has few colours; a palette makes the file a third as large and looks the same.
    picture.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height} pixels, {target.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
