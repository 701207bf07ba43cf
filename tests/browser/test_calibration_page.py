"""The calibration panel as people meet it: a notebook in JupyterLab, in headless Chromium."""

from __future__ import annotations

import re

import nbformat
import pytest

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
    page.goto(lab.address(NAME))
    session = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session"
    page.wait_for_function(f"() => {session}?.kernel?.connectionStatus === 'connected'", timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    shown = page.locator(".wb-panel")
    shown.wait_for(timeout=60_000)
    shown.scroll_into_view_if_needed()
    yield shown
    page.close()


def test_arrow_keys_move_the_cutoff_and_the_sentence_follows(panel):
    sentence = panel.locator(".wb-message[role=status]").first
    before = sentence.inner_text()
    handle = panel.get_by_role("slider").first
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    panel.page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
    assert "真匹配" in sentence.inner_text()


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
    handle = panel.get_by_role("slider").first
    handle.focus()
    handle.press("ArrowRight")
    panel.get_by_role("button", name=re.compile("回到校准的阈值$")).click()
    panel.get_by_role("button", name=re.compile("存为阈值卡$")).click()
    panel.get_by_text("已写入").wait_for()
    assert list(lab.root.rglob("cutoff.json")) or list(lab.root.parent.rglob("cutoff.json"))
