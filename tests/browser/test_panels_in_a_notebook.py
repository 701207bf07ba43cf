"""All panels in one notebook of JupyterLab: what axe-core finds in either theme, and a kernel that dies."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from live_notebook import drag, run_notebook, violations
from test_labelling_page import kill_kernel

pytestmark = [
    *(pytest.mark.browser, pytest.mark.slow),
    *(pytest.mark.timeout(240), pytest.mark.xdist_group("browser")),
]

DEMO = Path(__file__).parents[2] / "labeled_pairs" / "demo"
CELLS = [
    """
import numpy as np, pandas as pd
import workbench as wb
from workbench.exploration import fit_map
from workbench.panels import MapPanel
wb.set_language("en")
wb.SearchPanel()""",
    "wb.RankPanel()",
    """
rng = np.random.default_rng(3)
labels = rng.random(300) < 0.4
scores = np.where(labels, rng.beta(8, 4, 300), rng.beta(3, 8, 300)).round(3)
pairs = pd.DataFrame({"jd": "React", "resume": "Vue", "score": scores, "label": labels.astype(int)})
wb.CalibrationPanel(wb.calibrate(pairs, target_precision=0.8, n_resamples=50))""",
    """
texts = list(wb.EXAMPLE_JDS)
vectors = wb.load_encoder("use").encode_documents(texts)
MapPanel(texts, fit_map(vectors, method="pca"), kinds=["jd"] * len(texts))""",
    'wb.LabellingPanel("demo", "anna")',
]


@pytest.fixture(scope="module")
def page(browser, lab):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.root / "panels.ipynb")
    shutil.copytree(DEMO, lab.root / "demo")
    # As high as all panels together: what is out of sight is not in the page at all.
    page = browser.new_page(viewport={"width": 1280, "height": 6000})
    page.set_default_timeout(20_000)
    run_notebook(page, lab, "panels.ipynb", ".wb-labelling:has(.wb-decide)")
    page.get_by_role("button", name=re.compile("Search$")).first.click()
    page.locator(".wb-card").first.wait_for()
    for name in ("Evidence", "Costs and pairs"):
        page.get_by_role("button", name=re.compile(f"{name}$")).click()
    page.locator(".wb-scenes img").nth(1).wait_for()
    page.get_by_text("False matches, highest scores first").wait_for()
    yield page
    page.close()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_in_any_panel(page, theme):
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme}"
    )
    page.locator(f"body[data-jp-theme-light='{str(theme == 'Light').lower()}']").wait_for(state="attached")
    assert page.locator(".wb-panel").count() == len(CELLS)
    assert violations(page, ".wb-panel") == []


def test_every_figure_says_what_it_shows(page):
    """By its own data: the vector's values, and the scores of the pairs."""
    figures = page.locator(".wb-scenes img").evaluate_all("figures => figures.map(each => each.alt)")
    assert all(re.search(r"\d", alt) and len(alt) > 30 for alt in figures)
    assert re.search(r"match \d+", page.locator(".wb-plot-picture").get_attribute("aria-label"))


def test_the_handles_of_sliders_stay_under_the_pointer(page):
    search, cutoff = page.locator(".wb-panel").nth(0), page.locator(".wb-panel").nth(2)
    handles = [search.locator(".noUi-handle"), *cutoff.locator(".wb-toolbar .noUi-handle").all()]
    for handle in [*handles, cutoff.locator(".wb-line .noUi-handle")]:
        for by in (-80, 160):
            drag(page, handle, by)


def test_a_kernel_that_dies_is_told_in_the_panel_and_what_was_typed_stays(page, lab):
    """The last test: it leaves no kernel."""
    panel = page.locator(".wb-labelling")
    told = panel.get_by_text("The kernel behind this panel has ended")
    assert not told.is_visible()
    panel.get_by_label("Note").fill("half a note")
    kill_kernel(lab)
    killed = time.monotonic()
    told.wait_for()
    assert time.monotonic() - killed < 5
    assert panel.get_by_label("Note").input_value() == "half a note"
