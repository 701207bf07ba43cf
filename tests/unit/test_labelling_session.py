"""One annotator's way through a set: what comes next, what is kept, and what nobody may see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.errors import InputError
from workbench.pairs import read_annotations, read_pairs
from workbench.pairs.annotations import LabelledElsewhereError
from workbench.panels.labelling_session import LabellingSession, Progress


@pytest.fixture
def folder(tmp_path):
    rows = "".join(f"p{i},Requirement {i},Résumé text {i},care\n" for i in range(1, 5))
    (tmp_path / "pairs.csv").write_text("pair_id,jd,resume,job_family\n" + rows, encoding="utf-8")
    (tmp_path / "rubric.md").write_text("# Rules\n1. The core decides.\n")
    return tmp_path


def log_lines(folder: Path, annotator: str) -> list[dict]:
    return [
        json.loads(line) for line in (folder / "annotations" / f"{annotator}.jsonl").open(encoding="utf-8")
    ]


def current_id(session: LabellingSession) -> str | None:
    return session.current.pair_id if session.current else None


class TestTheWay:
    def test_pairs_come_in_the_order_of_the_file_until_all_are_labelled(self, folder):
        session = LabellingSession(folder, "anna")
        seen = []
        while session.current:
            seen.append(current_id(session))
            session.label(1)
        assert seen == ["p1", "p2", "p3", "p4"]
        assert session.progress == Progress(4, 0, 4)

    def test_a_label_is_on_disk_before_the_next_pair_is_given_out(self, folder):
        session = LabellingSession(folder, "anna")
        session.label(1, "hard:\n level")
        assert [(line["pair_id"], line["label"], line["note"]) for line in log_lines(folder, "anna")] == [
            ("p1", 1, "hard: level")
        ]
        assert current_id(session) == "p2"

    def test_a_new_session_goes_on_where_the_last_stopped(self, folder):
        LabellingSession(folder, "anna").label(1)
        again = LabellingSession(folder, "anna")
        assert current_id(again) == "p2"
        assert again.progress.labelled == 1

    def test_labels_in_annotations_csv_count_as_done(self, folder):
        (folder / "annotations.csv").write_text("pair_id,annotator,label\np1,anna,1\np2,bert,0\n")
        session = LabellingSession(folder, "anna")
        assert current_id(session) == "p2"
        assert session.progress == Progress(1, 0, 4)
        assert not session.can_undo

    def test_skipped_pairs_wait_until_they_are_asked_for(self, folder):
        session = LabellingSession(folder, "anna")
        session.skip("unclear")
        for _ in range(3):
            session.label(0)
        assert session.current is None
        assert session.progress == Progress(3, 1, 4)
        session.revisit_skipped()
        assert current_id(session) == "p1"
        session.skip()
        assert session.current is None
        session.revisit_skipped()
        session.label(1)
        assert session.progress == Progress(4, 0, 4)

    def test_skips_survive_the_session(self, folder):
        LabellingSession(folder, "anna").skip()
        assert current_id(LabellingSession(folder, "anna")) == "p2"

    def test_what_is_labelled_can_be_read_as_pairs(self, folder):
        session = LabellingSession(folder, "anna")
        for label in (1, 0, 1, 0):
            session.label(label)
        assert read_pairs(folder)["label"].tolist() == [1, 0, 1, 0]


class TestUndo:
    def test_goes_back_to_the_pair_with_its_note_and_deletes_nothing(self, folder):
        session = LabellingSession(folder, "anna")
        session.label(1)
        session.label(1, "too quick")
        session.undo()
        assert current_id(session) == "p2"
        assert session.current.note == "too quick"
        session.label(0)
        assert current_id(session) == "p3"
        assert [line["action"] for line in log_lines(folder, "anna")] == [
            "label",
            "label",
            "retract",
            "label",
        ]
        assert read_annotations(folder)["label"].tolist() == [1, 0]

    def test_can_go_back_to_the_first_step(self, folder):
        session = LabellingSession(folder, "anna")
        session.label(1)
        session.skip()
        session.undo()
        session.undo()
        assert current_id(session) == "p1"
        assert session.undo() is None
        assert session.progress == Progress(0, 0, 4)

    def test_a_pair_that_was_taken_back_is_open_again_after_the_session(self, folder):
        session = LabellingSession(folder, "anna")
        session.label(1)
        session.undo()
        assert current_id(LabellingSession(folder, "anna")) == "p1"


class TestSeveralAnnotators:
    def test_each_goes_through_all_pairs_without_seeing_the_others_labels(self, folder):
        LabellingSession(folder, "anna").label(1, "secret note")
        bert = LabellingSession(folder, "bert")
        assert current_id(bert) == "p1"
        assert bert.current.said == ()
        assert "secret" not in repr(bert.current)

    def test_two_windows_of_one_annotator_lose_nothing(self, folder):
        first, second = LabellingSession(folder, "anna"), LabellingSession(folder, "anna")
        first.label(1)
        with pytest.raises(LabelledElsewhereError):
            second.label(0)
        assert current_id(second) == "p2"
        second.label(0)
        assert [line["pair_id"] for line in log_lines(folder, "anna")] == ["p1", "p2"]

    def test_nothing_but_the_texts_is_shown_unless_it_is_asked_for(self, folder):
        assert LabellingSession(folder, "anna").current.beside == {}
        assert LabellingSession(folder, "anna", show=["job_family"]).current.beside == {"job_family": "care"}
        with pytest.raises(InputError, match=r"no column 'score' to show; it has jd, resume, job_family"):
            LabellingSession(folder, "anna", show=["score"])


class TestAdjudication:
    @pytest.fixture
    def disputed(self, folder):
        for name, labels in (("anna", (1, 1, 0, 0)), ("bert", (1, 0, 0, 1))):
            session = LabellingSession(folder, name)
            for label in labels:
                session.label(label, f"{name} thinks so" if label else "")
        return folder

    def test_only_disagreements_come_with_both_labels_and_notes_but_no_names(self, disputed):
        session = LabellingSession(disputed, "wang", adjudicate=True)
        assert session.progress.total == 2
        assert {said.label for said in session.current.said} == {0, 1}
        assert sorted(said.note for said in session.current.said)[1].endswith("thinks so")
        assert session.annotator == "adjudicator-wang"

    def test_the_verdict_decides_the_label_of_the_pair(self, disputed):
        session = LabellingSession(disputed, "wang", adjudicate=True)
        verdicts = {}
        while session.current:
            verdicts[current_id(session)] = 1
            session.label(1, "rule 1")
        pairs = read_pairs(disputed)
        assert dict(zip(pairs["pair_id"], pairs["label"], strict=True)) == {"p1": 1, "p3": 0, **verdicts}

    def test_what_another_has_adjudicated_does_not_come_again_but_ones_own_can_be_undone(self, disputed):
        session = LabellingSession(disputed, "wang", adjudicate=True)
        session.label(1)
        assert LabellingSession(disputed, "li", adjudicate=True).progress.total == 1
        assert LabellingSession(disputed, "wang", adjudicate=True).can_undo

    def test_without_disagreements_there_is_nothing_to_do(self, folder):
        session = LabellingSession(folder, "wang", adjudicate=True)
        assert session.current is None
        assert session.progress == Progress(0, 0, 0)

    def test_an_annotator_cannot_pass_for_an_adjudicator(self, folder):
        with pytest.raises(InputError, match="pass adjudicate=True"):
            LabellingSession(folder, "adjudicator")


class TestRefused:
    def test_a_label_off_the_scale(self, folder):
        with pytest.raises(InputError, match="2 is no label; the scale is 0, 1"):
            LabellingSession(folder, "anna").label(2)
        LabellingSession(folder, "anna", grades=True).label(2)

    def test_labelling_after_the_end(self, folder):
        session = LabellingSession(folder, "anna")
        for _ in range(4):
            session.label(1)
        with pytest.raises(InputError, match="there is none to label"):
            session.label(1)

    def test_a_name_that_leads_out_of_the_folder(self, folder):
        with pytest.raises(InputError, match="cannot be an annotator's name"):
            LabellingSession(folder, "../../etc/passwd")
