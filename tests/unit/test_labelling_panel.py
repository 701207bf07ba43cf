"""The labelling panel without a browser: what keys and buttons do, what is shown, what is escaped."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from workbench.i18n import language
from workbench.pairs import disagreements
from workbench.panels import LabellingPanel, disagreements_html
from workbench.panels import labelling_panel as module


@pytest.fixture(autouse=True)
def quick_reader(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_READ", 0.0)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pairs.csv").write_text(
        "pair_id,jd,resume,score\n"
        "p1,三甲医院病房护士,五年病房护理经验,0.9\n"
        'p2,<script>alert(1)</script>,"<img src=x onerror=alert(2)>",0.5\n'
        "p3,Java,JavaScript,0.3\n",
        encoding="utf-8",
    )
    (tmp_path / "rubric.md").write_text(
        "# 准则\n| label | meaning |\n|---|---|\n| 1 | match |\n\n"
        "<b onclick=x>raw</b> [a](javascript:alert(1))\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def panel(folder):
    return LabellingPanel(folder, "anna", language="zh")


def press(panel, key):
    panel.widgets.browser._receive(
        panel.widgets.browser, {"key": key, "shown": panel.widgets.browser.shown}, []
    )


def labels_on_disk(folder, annotator="anna"):
    path = folder / "annotations" / f"{annotator}.jsonl"
    return [(line["action"], line["pair_id"], line.get("label")) for line in map(json.loads, path.open())]


class TestKeysAndButtons:
    def test_keys_label_skip_and_undo(self, panel, folder):
        for key in ("1", "0", "u", "s"):
            press(panel, key)
        assert labels_on_disk(folder) == [
            ("label", "p1", 1),
            ("label", "p2", 0),
            ("retract", "p2", None),
            ("skip", "p2", None),
        ]
        assert "Java" in panel.widgets.pair.value

    def test_buttons_do_the_same(self, panel, folder):
        panel.widgets.labels[1].click()
        panel.widgets.skip.click()
        panel.widgets.undo.click()
        panel.widgets.labels[0].click()
        assert labels_on_disk(folder)[-1] == ("label", "p2", 0)

    def test_the_note_goes_with_the_label_and_is_empty_for_the_next_pair(self, panel, folder):
        panel.widgets.note.value = "年限不明"
        press(panel, "1")
        assert panel.widgets.note.value == ""
        line = json.loads((folder / "annotations" / "anna.jsonl").read_text(encoding="utf-8"))
        assert line["note"] == "年限不明"
        press(panel, "u")
        assert panel.widgets.note.value == "年限不明"

    def test_a_key_pressed_at_an_earlier_pair_decides_nothing_and_is_told(self, panel, folder):
        stale = panel.widgets.browser.shown
        press(panel, "1")
        panel.widgets.browser._receive(panel.widgets.browser, {"key": "1", "shown": stale}, [])
        assert labels_on_disk(folder) == [("label", "p1", 1)]
        assert "没有计入" in panel.widgets.message.value
        assert "已存盘" in panel.widgets.message.value

    def test_a_press_before_anybody_can_have_read_decides_nothing_and_is_told(
        self, panel, folder, monkeypatch
    ):
        panel.widgets.labels[1].click()
        monkeypatch.setattr(module, "SECONDS_TO_READ", 60.0)
        panel.widgets.labels[1].click()
        press(panel, "0")
        assert labels_on_disk(folder) == [("label", "p1", 1)]
        assert "没有计入" in panel.widgets.message.value

    def test_a_label_can_be_taken_back_at_once(self, panel, folder, monkeypatch):
        monkeypatch.setattr(module, "SECONDS_TO_READ", 60.0)
        panel._shown_at = 0.0
        press(panel, "1")
        press(panel, "u")
        assert labels_on_disk(folder) == [("label", "p1", 1), ("retract", "p1", None)]

    @pytest.mark.parametrize("content", [{"key": "x"}, {"key": "9", "shown": "1"}, "1", {}, None])
    def test_other_messages_are_passed_over(self, panel, folder, content):
        panel.widgets.browser._receive(panel.widgets.browser, content, [])
        assert not (folder / "annotations").exists()

    def test_grades_have_four_keys(self, folder):
        panel = LabellingPanel(folder, "anna", grades=True, language="en")
        press(panel, "3")
        assert labels_on_disk(folder) == [("label", "p1", 3)]
        assert [button.description for button in panel.widgets.labels.values()] == [
            f"Grade {i}" for i in range(4)
        ]


class TestWhatIsShown:
    def test_progress_saved_label_and_that_one_is_blind(self, panel):
        press(panel, "1")
        assert "已标 1 / 3 对" in panel.widgets.status.value
        assert "看不到分数，也看不到别人的标注" in panel.widgets.status.value
        assert "已存盘：p1 → 1 匹配" in panel.widgets.message.value
        assert panel.widgets.progress.value == 1

    def test_neither_score_nor_other_columns_are_shown(self, panel):
        assert "0.9" not in panel.widgets.pair.value
        assert "p1" not in panel.widgets.pair.value

    def test_texts_notes_and_rubric_are_escaped(self, panel):
        press(panel, "1")
        html = panel.widgets.pair.value + panel.widgets.rubric.value
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "<script" not in html
        assert "<img" not in html
        assert "<b onclick" not in html
        assert "javascript:" not in html

    def test_columns_shown_beside_are_escaped_with_their_names(self, folder):
        risky = "<img src=x onerror=alert(3)>"
        pairs = pd.read_csv(folder / "pairs.csv").assign(**{risky: risky})
        pairs.to_csv(folder / "pairs.csv", index=False)
        html = LabellingPanel(folder, "anna", show=[risky]).widgets.pair.value
        assert "<img" not in html
        assert html.count("&lt;img src=x onerror=alert(3)&gt;") == 2

    def test_the_rubric_is_at_hand_as_a_table(self, panel):
        assert "<details" in panel.widgets.rubric.value
        assert "<td>match</td>" in panel.widgets.rubric.value

    def test_a_set_without_a_rubric_is_told_to_write_one(self, folder):
        (folder / "rubric.md").unlink()
        assert "rubric.md" in LabellingPanel(folder, "anna", language="zh").widgets.rubric.value

    def test_at_the_end_only_undo_is_left(self, panel):
        for _ in range(3):
            press(panel, "1")
        assert "全部标完了，共 3 对" in panel.widgets.pair.value
        assert panel.widgets.labels[1].disabled
        assert panel.widgets.skip.disabled
        assert not panel.widgets.undo.disabled
        press(panel, "u")
        assert not panel.widgets.labels[1].disabled

    def test_skipped_pairs_are_offered_again_at_the_end(self, panel):
        for key in ("s", "1", "1"):
            press(panel, key)
        assert panel.widgets.revisit.layout.display is None
        assert panel.widgets.revisit.description == "再看跳过的 1 对"
        panel.widgets.revisit.click()
        assert "三甲医院" in panel.widgets.pair.value

    def test_undo_after_the_end_of_an_empty_log_says_so(self, panel):
        press(panel, "u")
        assert "没有可以撤销的步骤" in panel.widgets.message.value

    def test_the_language_changes_in_place_and_keeps_the_note(self, panel):
        panel.widgets.note.value = "half"
        panel.widgets.language.value = "en"
        assert "Job requirement" in panel.widgets.pair.value
        assert panel.widgets.labels[1].description == "1 Match"
        assert panel.widgets.note.value == "half"

    def test_a_label_in_another_window_is_noticed(self, panel, folder):
        LabellingPanel(folder, "anna").session.label(0)
        press(panel, "1")
        assert "没有存上" in panel.widgets.message.value
        assert "alert" in panel.widgets.message.value
        assert labels_on_disk(folder) == [("label", "p1", 0)]
        press(panel, "0")
        assert labels_on_disk(folder)[-1] == ("label", "p2", 0)

    def test_adjudication_shows_both_labels_and_notes_escaped(self, folder):
        for name, label in (("anna", 1), ("bert", 0)):
            LabellingPanel(folder, name).session.label(label, f"<i>{name}'s reason</i>")
        panel = LabellingPanel(folder, "wang", adjudicate=True, language="zh")
        assert "1 匹配" in panel.widgets.pair.value
        assert "0 不匹配" in panel.widgets.pair.value
        assert "&lt;i&gt;anna&#39;s reason&lt;/i&gt;" in panel.widgets.pair.value
        press(panel, "0")
        assert labels_on_disk(folder, "adjudicator-wang") == [("label", "p1", 0)]

    def test_the_report_needs_no_front_end(self, panel):
        html = panel.report()
        assert "五年病房护理经验" in html
        assert "<script" not in html
        assert "已标 0 / 3 对" in html


def test_disagreements_are_shown_with_who_said_what_and_why_escaped():
    said = pd.DataFrame(
        {
            "pair_id": ["a", "a", "a"],
            "annotator": ["x", "y<i>", "adjudicator"],
            "label": [1, 0, 0],
            "note": ["<b>years</b>: shown", "", "rule 3"],
        }
    )
    pairs = pd.DataFrame({"pair_id": ["a"], "jd": ["<script>1</script>"], "resume": ["三年护理"]})
    with language("zh"):
        html = disagreements_html(disagreements(said, pairs))
    assert "&lt;script&gt;1&lt;/script&gt;" in html
    assert "<script" not in html
    lines = re.findall(r"<li>(.*?)</li>", html)
    assert [re.sub("<.*?>", "|", line) for line in lines] == [
        "|1||x| &lt;b&gt;years&lt;/b&gt;: shown",
        "|0||y&lt;i&gt;| ",
        "|0||裁定| rule 3",
    ]


def test_without_disagreements_a_sentence_says_so():
    said = pd.DataFrame({"pair_id": ["a", "a"], "annotator": ["x", "y"], "label": [1, 1], "note": ["", ""]})
    assert "There is no disagreement." in disagreements_html(disagreements(said))
