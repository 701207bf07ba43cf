"""The rank panel without a front end: what it ranks, what it writes, and how files reach it."""

from __future__ import annotations

import asyncio
import io

import pandas as pd
import pytest

import workbench as wb
from workbench.errors import InputError
from workbench.panels.file_drop import MOST_MEGABYTES, FileDrop
from workbench.panels.working import StoppedError
from workbench.progress import heard_by, progress_bar

JD = "Ward nurse\nRequirements\n- RN licence\n- night shifts on a surgical ward"
RESUMES = "Registered nurse, nights on a surgical ward\n---\nJava developer, ten years of Spring"


@pytest.fixture
def panel():
    panel = wb.RankPanel("keyword", language="en")
    panel.widgets.pasted["jd"].value = JD
    panel.widgets.pasted["resume"].value = RESUMES
    return panel


def drop(widget, name, content, kinds=("end",)):
    """What the browser's half sends for a file."""
    widget._receive(widget, {"kind": "begin", "name": name, "size": len(content)}, [])
    half = len(content) // 2
    widget._receive(widget, {"kind": "piece"}, [memoryview(content[:half])])
    widget._receive(widget, {"kind": "piece"}, [memoryview(content[half:])])
    for kind in (*kinds, "done"):
        widget._receive(widget, {"kind": kind}, [])


def test_it_ranks_as_the_function_does(panel):
    expected = wb.rank([JD], RESUMES.split("\n---\n"), scorer="keyword").to_frame()
    frame = panel.rank().to_frame()
    assert frame["resume_id"].tolist() == expected["resume_id"].tolist()
    assert frame["score"].tolist() == pytest.approx(expected["score"].tolist())


def test_the_workbook_and_the_table_hold_the_ranking(panel):
    found = panel.rank().to_frame()
    files = panel.session.files
    table = pd.read_csv(io.BytesIO(files["shortlists.csv"]))
    assert table["resume_id"].astype(str).tolist() == found["resume_id"].tolist()
    assert files["shortlists.xlsx"].startswith(b"PK")
    assert b"Registered nurse" in files["shortlists.html"]


def test_the_last_card_of_whole_documents_in_the_project_is_used_and_told_of_the_list(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_PROJECT", str(tmp_path))
    encoder = wb.load_encoder("keyword")
    told = {"scores": [0.0, 1.0], "probability": [0.2, 0.8], "low": [0.1, 0.7], "high": [0.3, 0.9], "n": 50}
    table = told | {"confidence": 0.95, "prevalence": 0.4}

    def card(name, cutoff, fingerprint, documents):
        evidence = {"pairs": {"n": 50, "reading": {"documents": documents}}, "probability": table}
        wb.Cutoff(cutoff, "keyword", fingerprint, evidence).save(
            tmp_path / "labeled_pairs" / "cutoffs" / f"{name}.json"
        )

    card("1", 0.05, encoder.fingerprint, 50)
    card("2", 0.5, encoder.fingerprint, 0)
    card("3", 0.6, "another", 50)
    panel = wb.RankPanel("keyword", language="en")
    panel.widgets.pasted["jd"].value, panel.widgets.pasted["resume"].value = JD, RESUMES
    found = panel.rank()
    assert panel.session.cutoff.value == 0.05
    nurse, developer = (0.2 + 0.6 * score for score in found.scores.matrix[0])
    said = (
        f"Above the line: 1, of which about {nurse:.0f} are matches. "
        f"Below it: 1, of which about {developer:.0f} are. So it is where 40.0 % of all pairs are matches."
    )
    assert found.scores.matrix[0, 1] <= 0.05 < found.scores.matrix[0, 0]
    assert found.meaning(found.jds[0].id) == said
    assert said in panel.widgets.shortlist.value
    assert (
        panel.widgets.shortlist.value.count("✓ match") == panel.widgets.shortlist.value.count("— below") == 1
    )


def test_without_a_card_nothing_is_said_of_matches(panel):
    found = panel.rank()
    assert found.meaning(found.jds[0].id) == ""
    assert "Above the line" not in panel.widgets.shortlist.value


def test_files_come_in_pieces_and_in_their_folders(panel):
    drops = panel.widgets.drops
    drop(drops["resume"], "team/../anna.txt", b"Registered nurse, nights")
    drop(drops["resume"], "C:\\Users\\me\\bob.txt", b"Java developer")
    panel.widgets.pasted["resume"].value = ""
    assert [name for name, _size in drops["resume"].files] == ["team/anna.txt", "Users/me/bob.txt"]
    assert {document.id for document in panel.rank().resumes} == {"anna", "bob"}


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil.txt", "..\\..\\evil.txt"])
def test_no_name_leads_out_of_the_folder(name):
    widget = FileDrop(lambda refused: None)
    drop(widget, name, b"evil")
    (file,) = [each for each in widget.folder.rglob("*") if each.is_file()]
    assert file.resolve().is_relative_to(widget.folder.resolve())


def test_what_was_stopped_or_is_too_large_leaves_nothing():
    told = []
    widget = FileDrop(told.append)
    drop(widget, "half.txt", b"half of it", kinds=("stop",))
    widget._receive(widget, {"kind": "begin", "name": "huge.zip", "size": (MOST_MEGABYTES + 1) * 10**6}, [])
    widget._receive(widget, {"kind": "done"}, [])
    assert widget.files == []
    assert [each for each in widget.folder.rglob("*") if each.is_file()] == []
    assert told[0] == ""
    assert "huge.zip" in told[1]


def test_a_page_without_documents_says_which_side_lacks_them(panel):
    panel.widgets.pasted["resume"].value = " "
    with pytest.raises(InputError, match="no résumé"):
        panel.rank()


def test_stop_ends_a_ranking_and_keeps_the_last_one(panel):
    before = panel.rank()

    heard = panel.work.hear
    panel.work.hear = lambda *step: (panel.work.stop(), heard(*step))

    async def press_start():
        panel._begin()
        while panel.task is not None:
            await asyncio.sleep(0.01)

    asyncio.run(press_start())
    assert "Stopped" in panel.widgets.message.value
    assert panel.session.found is before
    assert not panel.widgets.start.disabled


def test_whoever_listens_hears_each_step_and_may_end_it():
    heard = []
    with heard_by(lambda *step: heard.append(step)), progress_bar(3, "texts", False) as bar:
        bar.update(2)
        bar.update()
    assert heard == [("texts", 0, 3), ("texts", 2, 3), ("texts", 3, 3)]

    def end(*_step):
        raise StoppedError("enough")

    with pytest.raises(StoppedError), heard_by(end):
        wb.load_encoder("keyword", store=False).encode_documents(["a", "b"])
