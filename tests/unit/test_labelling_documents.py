"""Whole documents in the labelling panel: two levels, phrases, evidence only where it is asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import workbench as wb
from workbench.pairs import read_annotations
from workbench.panels import labelling_panel as module
from workbench.panels.labelling_panel import LabellingPanel

JD = """Staff nurse
About us
We are a <b>small</b> hospital.
Requirements
- Registered with the nursing council
- Night shifts on a surgical ward
Nice to have
- Experience with wound care"""
RESUME = """Ann Example
Experience
Registered with the council since 2012. Nights on a surgical ward, four years.
<script>alert(1)</script> as a hobby"""


@pytest.fixture(autouse=True)
def quick_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_TO_READ", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jds").mkdir()
    (tmp_path / "resumes").mkdir()
    (tmp_path / "jds/nurse.txt").write_text(JD)
    (tmp_path / "resumes/ann.txt").write_text(RESUME)
    (tmp_path / "resumes/bob.txt").write_text("Bob Example\nCook in a hotel kitchen for ten years")
    (tmp_path / "RUBRIC.md").write_text("# Rules\nRead all of it.")
    return tmp_path


def press(panel: LabellingPanel, key: str) -> None:
    panel.widgets.browser._receive(
        panel.widgets.browser, {"key": key, "shown": panel.widgets.browser.shown}, []
    )


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def spans(html: str, kind: str) -> list[str]:
    return re.findall(rf'<span class="wb-part wb-{kind}[^"]*"[^>]*>([^<]*)</span>', html)


def test_both_documents_are_shown_whole_with_their_parts_marked_and_nothing_executed(folder: Path) -> None:
    shown = LabellingPanel(folder, "anna", language="en").widgets.pair.value
    assert "- Registered with the nursing council" in spans(shown, "requirement")
    assert "- Experience with wound care" in spans(shown, "nice_to_have")
    assert "Requirements" in spans(shown, "heading")
    assert "Registered with the council since 2012." in spans(shown, "phrase")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "data-to" not in shown


def test_pairs_are_rated_from_0_to_3_by_keys_and_undone(folder: Path) -> None:
    panel = LabellingPanel(folder, "anna", language="en")
    assert [button.description for button in panel.widgets.labels.values()] == [
        "0 No",
        "1 Weak",
        "2 Phone",
        "3 Invite",
    ]
    for key in ("3", "u", "2", "0"):
        press(panel, key)
    said = lines(folder / "annotations/anna.jsonl")
    assert [(line["action"], line["pair_id"], line.get("label")) for line in said] == [
        ("label", "nurse~ann", 3),
        ("retract", "nurse~ann", None),
        ("label", "nurse~ann", 2),
        ("label", "nurse~bob", 0),
    ]
    assert not any("looked" in line for line in said)


def test_evidence_is_shown_where_it_is_asked_for_and_the_label_says_so(folder: Path) -> None:
    panel = LabellingPanel(folder, "anna", encoder="keyword", language="en")
    panel.widgets.note.value = "what I wrote"
    press(panel, "e")
    shown = panel.widgets.pair.value
    to = re.search(r'data-to="(\d+)"[^>]*>- Night shifts', shown)
    assert to is not None
    assert f'data-part="{to[1]}">Nights on a surgical ward, four years.' in shown
    assert panel.widgets.note.value == "what I wrote"
    press(panel, "2")
    press(panel, "0")
    said = read_annotations(folder).set_index("pair_id")["looked"]
    assert said.to_dict() == {"nurse~ann": "1", "nurse~bob": ""}


def test_who_has_looked_and_taken_the_label_back_has_still_looked(folder: Path) -> None:
    panel = LabellingPanel(folder, "anna", encoder="keyword")
    for key in ("e", "2", "u"):
        press(panel, key)
    press(LabellingPanel(folder, "anna"), "1")
    assert lines(folder / "annotations/anna.jsonl")[-1]["looked"] is True


class TestRequirements:
    @pytest.fixture
    def panel(self, folder: Path) -> LabellingPanel:
        (folder / "requirements.csv").write_text(
            "jd_id,requirement_id,kind,text\nnurse,nurse-r01,must,Registered with the nursing council\n"
        )
        return LabellingPanel(folder, "anna", level="requirement", language="en")

    def test_the_one_that_is_asked_about_is_marked(self, panel: LabellingPanel) -> None:
        shown = panel.widgets.pair.value
        assert re.findall(r'wb-asked"[^>]*>([^<]*)', shown) == ["- Registered with the nursing council"]
        assert panel.widgets.pair.picks

    def test_covered_needs_a_phrase_and_keeps_it_letter_by_letter(
        self, panel: LabellingPanel, folder: Path
    ) -> None:
        press(panel, "2")
        assert "Choose the phrase" in panel.widgets.message.value
        panel.widgets.pair.phrase = "Registered with the council"
        assert "Registered with the council" in panel.widgets.chosen.value
        press(panel, "2")
        assert panel.widgets.pair.phrase == ""
        press(panel, "0")
        said = read_annotations(folder, level="requirement")
        assert said[["pair_id", "label", "phrase"]].to_numpy().tolist() == [
            ["nurse-r01~ann", 2, "Registered with the council"],
            ["nurse-r01~bob", 0, ""],
        ]
        assert read_annotations(folder).empty

    def test_undo_brings_the_phrase_back(self, panel: LabellingPanel) -> None:
        panel.widgets.pair.phrase = "since 2012"
        press(panel, "1")
        press(panel, "u")
        assert panel.widgets.pair.phrase == "since 2012"

    def test_a_phrase_that_is_not_in_the_resume_is_refused(self, panel: LabellingPanel) -> None:
        panel.widgets.pair.phrase = "Cook in a hotel kitchen"
        with pytest.raises(wb.InputError):
            panel.session.label(2, "", panel.widgets.pair.phrase)

    def test_an_adjudicator_sees_both_phrases(self, panel: LabellingPanel, folder: Path) -> None:
        for name, covered in (("one", "yes"), ("two", "no")):
            (folder / f"coverage_{name}.csv").write_text(
                "jd_id,requirement_id,resume_id,covered,phrase\n"
                f"nurse,nurse-r01,ann,{covered},{'since 2012' if covered == 'yes' else ''}\n"
            )
        third = LabellingPanel(folder, "eva", level="requirement", adjudicate=True, language="en")
        assert third.session.progress.total == 1
        assert "<q>since 2012</q>" in third.widgets.pair.value
