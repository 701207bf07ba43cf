"""The calibration panel as people meet it: a notebook in JupyterLab, in headless Chromium."""

from __future__ import annotations

import re

import nbformat
import pytest
from live_notebook import run_notebook, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]

NAME = "calibration_panel.ipynb"
SOURCE = """
import numpy as np
import pandas as pd
from workbench.calibration import calibrate
from workbench.panels import CalibrationPanel
rng = np.random.default_rng(3)
labels = rng.random(300) < 0.4
scores = np.where(labels, rng.beta(8, 4, 300), rng.beta(3, 8, 300)).round(3)
risky = "<img src=x onerror=\\"document.title='broken in'\\">"
pairs = pd.DataFrame({"jd": risky, "resume": "做过 React 前端", "score": scores, "label": labels.astype(int)})
CalibrationPanel(calibrate(pairs, target_precision=0.8, n_resamples=50), language="zh")
"""


@pytest.fixture(scope="module")
def panel(browser, lab):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.root / NAME)
    page = browser.new_page(viewport={"width": 1280, "height": 1500})
    page.set_default_timeout(8_000)
    yield run_notebook(page, lab, NAME, ".wb-panel")
    page.close()


def cutoff_said(panel) -> float:
    """The cutoff in the sentence, which the kernel writes."""
    sentence = panel.locator(".wb-message[role=status]").first.inner_text()
    return float(re.search(r"高于 (-?[\d.]+) 的", sentence).group(1))


def until_said(panel, condition: str) -> float:
    """Wait for a cutoff in the sentence of which `x` meets a condition in JavaScript."""
    panel.page.wait_for_function(
        f"""() => {{
          const sentence = document.querySelector(".wb-message[role=status]").innerText;
          const said = sentence.match(/高于 (-?[\\d.]+) 的/), x = said && Number(said[1]);
          return said && ({condition});
        }}"""
    )
    return cutoff_said(panel)


def score_at(panel, x: float) -> float:
    """The score at a place on the screen, by the numbers below the picture."""
    ticks = panel.locator(".wb-plot-axis span").all()
    (x0, s0), (x1, s1) = (
        (box["x"] + box["width"] / 2, float(tick.inner_text()))
        for tick, box in ((tick, tick.bounding_box()) for tick in (ticks[0], ticks[-1]))
    )
    return s0 + (x - x0) / (x1 - x0) * (s1 - s0)


@pytest.mark.parametrize("which", [".wb-line", ".wb-toolbar"], ids=["in the picture", "below it"])
def test_arrow_keys_move_the_cutoff_and_the_sentence_follows(panel, which):
    before = cutoff_said(panel)
    handle = panel.locator(which).get_by_role("slider").first
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    after = until_said(panel, f"x >= {before} + 0.0045")
    assert after == pytest.approx(before + 0.005, abs=1e-4)


def test_the_line_in_the_picture_is_dragged_with_the_mouse(panel):
    mouse, line = panel.page.mouse, panel.locator(".wb-line .noUi-handle")
    picture = panel.locator(".wb-plot-picture").bounding_box()
    box = line.bounding_box()
    # From top to bottom of the histograms, so that it can be taken anywhere.
    assert box["height"] == pytest.approx(picture["height"], abs=2)
    assert box["y"] == pytest.approx(picture["y"], abs=2)
    grip_x, grip_y = box["x"] + box["width"] / 2, box["y"] + 30
    mouse.move(grip_x, grip_y)
    mouse.down()
    for step in range(1, 11):
        mouse.move(grip_x - 20 * step, grip_y + 3 * step)
    mouse.up()
    aimed_at = score_at(panel, grip_x - 200)
    said = until_said(panel, f"Math.abs(x - {aimed_at}) < 0.004")
    # The line stays under the mouse, where that score is in the picture, and the other slider follows.
    moved = line.bounding_box()
    assert moved["x"] + moved["width"] / 2 == pytest.approx(grip_x - 200, abs=2)
    readout = panel.locator(".wb-toolbar .widget-readout").first
    panel.page.wait_for_function(
        "([node, said]) => Math.abs(Number(node.innerText) - said) < 1e-3",
        arg=[readout.element_handle(), said],
    )


def test_a_click_into_the_picture_puts_the_line_there(panel):
    picture = panel.locator(".wb-plot-picture").bounding_box()
    panel.page.mouse.click(picture["x"] + 0.7 * picture["width"], picture["y"] + 20)
    aimed_at = score_at(panel, picture["x"] + 0.7 * picture["width"])
    until_said(panel, f"Math.abs(x - {aimed_at}) < 0.004")


def test_the_advice_is_seen_first_and_the_pairs_when_they_are_unfolded(panel):
    first = panel.locator(".wb-message").first.inner_text()
    assert first.startswith(("保留", "改用"))
    pairs = panel.locator(".wb-results h3").first
    assert not pairs.is_visible()
    panel.get_by_role("button", name="代价与配对").click()
    pairs.wait_for()


def test_it_changes_to_english(panel):
    panel.get_by_role("button", name="English").click()
    panel.get_by_text("Calibrate the cutoff").wait_for()
    panel.get_by_text("False matches, highest scores first").wait_for()
    panel.get_by_role("button", name="中文").click()
    panel.get_by_text("校准阈值").wait_for()


def test_texts_do_nothing(panel):
    assert "broken in" not in panel.page.title()
    assert panel.locator("img").count() == 0


def test_the_cutoff_of_the_study_can_be_saved_after_moving_about(panel, lab):
    handle = panel.locator(".wb-line").get_by_role("slider")
    handle.focus()
    handle.press("ArrowRight")
    settle(panel.page)
    panel.get_by_role("button", name=re.compile("回到校准的阈值$")).click()
    settle(panel.page)
    panel.get_by_role("button", name=re.compile("存为阈值卡$")).click()
    panel.get_by_text("已写入").wait_for()
    assert list(lab.root.rglob("cutoff.json")) or list(lab.root.parent.rglob("cutoff.json"))
