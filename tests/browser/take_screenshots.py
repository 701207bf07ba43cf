"""Take the pictures that the README shows, from the real page.

``python -m tests.browser.take_screenshots`` (or ``make screenshots``) writes them to ``docs/images``.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser.live_notebook import NO_BROWSER, chromium, find_chromium, jupyter_lab, run_notebook

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# High enough that the whole panel is on screen at once, below the toolbars of JupyterLab.
SIZE = {"width": 1280, "height": 1700}


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
        page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
        panel = run_notebook(page, lab, "01_search.ipynb")
        panel.locator(".wb-card").nth(7).wait_for()
        panel.evaluate("panel => panel.scrollIntoView({block: 'end'})")
        page.wait_for_timeout(500)
        picture = Image.open(io.BytesIO(panel.screenshot()))
    target = IMAGES / "search_panel.png"
    # The page has few colours; a palette makes the file a third as large and looks the same.
    picture.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height} pixels, {target.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
