"""The report of a study as people open and print it: one file, two languages, nothing from elsewhere."""

from __future__ import annotations

import io
import unicodedata

import numpy as np
import pandas as pd
import pypdf
import pytest

from workbench.calibration import calibrate
from workbench.i18n import language
from workbench.reports import write_study_report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]

HOSTILE = '<img src="http://elsewhere.example/x" onerror="document.title=\'broken in\'">'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    rng = np.random.default_rng(0)
    labels = (rng.random(240) < 0.4).astype(int)
    scores = np.clip(np.where(labels, rng.beta(9, 4, 240), rng.beta(4, 9, 240)), 0, 1)
    rows = np.arange(240)
    pairs = pd.DataFrame(
        {
            "jd": [f"熟悉 RAG 架构 {HOSTILE} {row % 24}" for row in rows],
            "resume": [f"Built a chatbot over manuals, case {row}" for row in rows],
            "jd_id": rows % 24,
            "language": np.where(rows % 24 < 14, "zh", "en"),
            "score": scores,
            "label": labels,
        }
    )
    pairs.attrs["encoder"] = {"name": "an encoder", "fingerprint": "f00d"}
    study = calibrate(pairs, target_precision=0.8, target_missed=0.15, n_resamples=100)
    path = tmp_path_factory.mktemp("report") / "card.html"
    with language("zh"):
        return write_study_report(study, path, groups=study.by_group(["language"]))


@pytest.fixture(scope="module")
def page(browser, report):
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.set_default_timeout(8_000)
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.goto(report.as_uri())
    yield page
    page.close()


def printed(page) -> list[str]:
    """The text of each page of the printed report; of a page of pictures that there are some."""
    reader = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    # A PDF may hold ligatures.
    return [
        unicodedata.normalize("NFKC", sheet.extract_text()) or "picture" * len(sheet.images)
        for sheet in reader.pages
    ]


def test_it_asks_for_nothing_and_texts_do_nothing(page, report):
    assert [url for url in page.asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.title() == "阈值报告"
    assert page.locator("main.zh h1").inner_text().split()[0] in ("保留", "改用", "用")
    assert not page.said


def test_the_other_language_is_a_click_away_and_with_the_keyboard_too(page):
    assert page.locator("main.zh").is_visible()
    assert not page.locator("main.en").is_visible()
    page.get_by_text("English").click()
    assert page.locator("main.en").is_visible()
    assert not page.locator("main.zh").is_visible()
    page.keyboard.press("ArrowLeft")
    assert page.locator("main.zh").is_visible()


def test_nothing_sticks_out_on_a_narrow_screen(page):
    page.set_viewport_size({"width": 390, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1100, "height": 900})
    assert wide <= 390


@pytest.mark.parametrize("code", ["zh", "en"])
@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("grey_zone", {"target_precision": 0.893, "target_missed": 0.06}),
        ("none", {"target_precision": 0.98, "target_missed": 0.005}),
        ("move", {"target_precision": 0.89}),
    ],
)
def test_what_to_do_three_figures_and_the_picture_are_on_the_first_screen(
    browser, tmp_path, kind, asked, code
):
    rng = np.random.default_rng(0)
    labels = rng.random(500) < 0.4
    scores = np.where(labels, rng.beta(8, 4, 500), rng.beta(3, 8, 500))
    study = calibrate(pd.DataFrame({"score": scores, "label": labels.astype(int)}), **asked, n_resamples=20)
    assert study.advice.kind == kind
    with language(code):
        path = write_study_report(study, tmp_path / "card.html")
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(path.as_uri())
    picture = page.locator(f"main.{code} figure.first img").bounding_box()
    page.close()
    assert picture["y"] + picture["height"] <= 800


def test_it_prints_in_the_language_shown_on_few_pages_without_buttons(page):
    for name, shown, other in (
        ("English", "Cutoff report", "阈值报告"),
        ("中文", "阈值报告", "Cutoff report"),
    ):
        page.get_by_text(name, exact=True).click()
        sheets = printed(page)
        assert shown in "".join(sheets)
        assert other not in "".join(sheets)
        assert "English" not in sheets[0]
        assert len(sheets) <= 9
        assert all(sheet.strip() for sheet in sheets)


def test_on_paper_figures_and_rows_are_not_cut(page):
    page.emulate_media(media="print")
    kept = page.evaluate(
        """() => [...document.querySelectorAll("main.zh figure, main.zh tr")]
          .every((node) => getComputedStyle(node).breakInside === "avoid")"""
    )
    tallest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("main.zh img")]
          .map((image) => image.getBoundingClientRect().height))"""
    )
    page.emulate_media(media="screen")
    assert kept
    # What is left of an A4 page between its margins, in CSS pixels.
    assert tallest <= (297 - 32) / 25.4 * 96
