"""Whole documents in the labelling panel as people meet them: phrases picked, evidence, a phone."""

from __future__ import annotations

import json

import nbformat
import pytest
from live_notebook import run_notebook, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]

STORY = "\n".join(f"- We have looked after the people of this town for {n} years." for n in range(40))
JD = f"Staff nurse\nAbout us\n{STORY}\nRequirements\n- Registered with the nursing council\n- Night shifts"
DUTIES = "\n".join(f"- Ward {n}: medication, wounds, families" for n in range(40))
RESUME = f"Ann Example\nExperience\n{DUTIES}\n- Nights on a surgical ward\n- Nursing council since 2012"


@pytest.fixture(scope="module")
def folder(lab):
    folder = lab.root.parent / "set"
    for path, text in (("jds/nurse.txt", JD), ("resumes/ann.txt", RESUME), ("resumes/bob.txt", "Bob\nCook")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "requirements.csv").write_text(
        "jd_id,requirement_id,kind,text\nnurse,nurse-r01,must,Registered with the nursing council\n"
    )
    return folder


@pytest.fixture
def opened(browser, lab, folder, request):
    """A panel of a level, live, and its page."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(20_000)

    def open_panel(level: str):
        source = (
            "import workbench as wb\nwb.set_language('en')\n"
            f"wb.LabellingPanel({str(folder)!r}, {level!r}, level={level!r}, encoder='keyword')"
        )
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, lab.root / f"{level}.ipynb")
        panel = run_notebook(page, lab, f"{level}.ipynb", ".wb-labelling:has(.wb-whole)", seconds=120)
        page.wait_for_timeout(500)
        return panel

    yield open_panel
    page.close()


def in_view(part) -> bool:
    """Whether it can be read without scrolling its side."""
    return part.evaluate(
        """part => {
          const box = part.closest(".wb-scroll").getBoundingClientRect(), at = part.getBoundingClientRect();
          return at.top >= box.top && at.bottom <= box.bottom;
        }"""
    )


def said(folder) -> list[dict]:
    lines = (folder / "coverage/annotations/requirement.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_requirement_is_brought_into_view_and_labelled_with_the_phrase_that_is_clicked_or_marked(
    opened, folder
):
    panel = opened("requirement")
    page = panel.page
    assert in_view(panel.locator(".wb-asked"))
    phrase = panel.locator(".wb-resume .wb-part", has_text="Nursing council since 2012")
    phrase.click()
    settle(page)
    assert "wb-chosen" in phrase.get_attribute("class")
    phrase.evaluate(
        """part => {
          const range = document.createRange();
          range.setStart(part.firstChild, 2);
          range.setEnd(part.firstChild, 17);
          getSelection().removeAllRanges();
          getSelection().addRange(range);
          part.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        }"""
    )
    settle(page)
    panel.locator(".wb-title").click()
    page.keyboard.press("2")
    settle(page)
    page.wait_for_timeout(400)
    assert [(line["label"], line["phrase"]) for line in said(folder)] == [(2, "Nursing council")]
    page.keyboard.press("u")
    settle(page)
    assert said(folder)[-1]["action"] == "retract"
    assert "Nursing council" in panel.locator(".wb-phrase-chosen").inner_text()


def test_evidence_comes_when_it_is_asked_for_and_a_requirement_leads_to_its_phrase(opened, folder):
    panel = opened("pair")
    page = panel.page
    assert panel.locator("[data-to]").count() == 0
    panel.locator(".wb-title").click()
    page.keyboard.press("e")
    asking = panel.locator(".wb-jd [data-to]", has_text="Night shifts")
    asking.wait_for()
    found = panel.locator(".wb-resume .wb-near", has_text="Nights on a surgical ward")
    assert not in_view(found)
    asking.click()
    page.wait_for_timeout(1500)
    assert in_view(found)
    assert "wb-shown" in found.get_attribute("class")
    page.keyboard.press("3")
    settle(page)
    line = json.loads((folder / "annotations/pair.jsonl").read_text(encoding="utf-8"))
    assert (line["label"], line["looked"]) == (3, True)


def test_on_a_phone_both_documents_stand_below_each_other_and_nothing_is_cut(opened):
    panel = opened("pair")
    panel.page.set_viewport_size({"width": 390, "height": 844})
    panel.page.wait_for_timeout(300)
    left, right = (panel.locator(f".wb-{side}").bounding_box() for side in ("jd", "resume"))
    assert right["y"] >= left["y"] + left["height"]
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth + 1")
