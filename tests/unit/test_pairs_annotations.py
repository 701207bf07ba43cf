"""The log of an annotator: on disk before it is reported, only appended to, whole after any interruption."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, StoreError
from workbench.pair_hashes import texts_hash
from workbench.pairs import PairsError, read_annotations, read_pairs
from workbench.pairs.annotations import AnnotationLog, LabelledElsewhereError, current, logs_in


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pairs.csv").write_text("pair_id,jd,resume\na,Nurse,Ward nurse\nb,Java,JavaScript\n")
    return tmp_path


def lines(folder: Path, annotator: str = "x") -> list[dict]:
    return [
        json.loads(line) for line in (folder / "annotations" / f"{annotator}.jsonl").read_text().splitlines()
    ]


class TestAppending:
    def test_a_label_is_in_the_file_when_append_returns(self, folder):
        AnnotationLog(folder, "x").append("label", "a", label=1, note="  三甲 ")
        (line,) = lines(folder)
        assert (line["action"], line["pair_id"], line["label"], line["note"]) == ("label", "a", 1, "  三甲 ")
        assert line["at"].endswith("Z")

    def test_another_session_goes_on_where_the_last_stopped(self, folder):
        AnnotationLog(folder, "x").append("label", "a", label=1)
        again = AnnotationLog(folder, "x")
        again.append("label", "b", label=0)
        assert {pair: entry.label for pair, entry in again.current().items()} == {"a": 1, "b": 0}

    def test_taking_back_adds_a_line_and_deletes_none(self, folder):
        log = AnnotationLog(folder, "x")
        log.append("label", "a", label=1)
        log.append("retract", "a")
        log.append("label", "a", label=0)
        assert [line["action"] for line in lines(folder)] == ["label", "retract", "label"]
        assert log.current()["a"].label == 0

    def test_a_skip_is_no_label(self, folder):
        log = AnnotationLog(folder, "x")
        log.append("skip", "a")
        log.append("label", "b", label=1)
        assert read_annotations(folder)["pair_id"].tolist() == ["b"]

    @pytest.mark.parametrize("label", [None, 4, -1])
    def test_a_label_off_the_scale_is_not_written(self, folder, label):
        with pytest.raises(InputError):
            AnnotationLog(folder, "x").append("label", "a", label=label)
        assert not (folder / "annotations").exists()


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_an_entry_ends_at_a_line_feed_only(tmp_path, separator):
    log = AnnotationLog(tmp_path, "me")
    log.append("label", f"a{separator}b", label=1, note=f"x{separator}y")
    (entry,) = AnnotationLog(tmp_path, "me").entries
    assert (entry.pair_id, entry.note) == (f"a{separator}b", f"x{separator}y")


class TestSeveralAtOnce:
    def test_each_annotator_has_a_file_and_none_overwrites_another(self, folder):
        first, second = AnnotationLog(folder, "x"), AnnotationLog(folder, "y")
        first.append("label", "a", label=1)
        second.append("label", "a", label=0)
        first.append("label", "b", label=0)
        assert sorted(path.name for path in (folder / "annotations").glob("*.jsonl")) == [
            "x.jsonl",
            "y.jsonl",
        ]
        assert len(read_annotations(folder)) == 3

    def test_the_same_name_in_two_windows_is_noticed_and_nothing_lost(self, folder):
        first, second = AnnotationLog(folder, "x"), AnnotationLog(folder, "x")
        first.append("label", "a", label=1)
        with pytest.raises(LabelledElsewhereError, match="labelled in another window meanwhile"):
            second.append("label", "a", label=0)
        assert second.current()["a"].label == 1
        second.append("label", "b", label=0)
        assert len(lines(folder)) == 2

    def test_processes_that_write_at_once_tear_no_line(self, folder):
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=_append_many, args=(folder, "x", 25)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
        assert len(lines(folder)) == 75

    def test_names_that_differ_in_capitals_only_are_refused(self, folder):
        AnnotationLog(folder, "Anna").append("label", "a", label=1)
        with pytest.raises(InputError, match="There is an annotator 'Anna'; use the same spelling"):
            AnnotationLog(folder, "anna")


def _append_many(folder: Path, annotator: str, n: int) -> None:
    log = AnnotationLog(folder, annotator)
    for _ in range(n):
        while True:
            try:
                log.append("label", "a", label=1, note="n" * 500)
                break
            except LabelledElsewhereError:
                continue


class TestInterrupted:
    def test_a_line_that_was_not_finished_never_counted(self, folder):
        log = AnnotationLog(folder, "x")
        log.append("label", "a", label=1)
        with log.path.open("ab") as file:
            file.write(b'{"action": "label", "pair_id": "b", "la')
        again = AnnotationLog(folder, "x")
        assert set(again.current()) == {"a"}
        again.append("label", "b", label=0)
        assert [line["pair_id"] for line in lines(folder)] == ["a", "b"]

    def test_what_a_killed_process_has_left_of_a_file_is_no_log(self, folder):
        log = AnnotationLog(folder, "Wu")
        log.append("label", "p1", label=1)
        log.path.with_name(".Wu.jsonl.draft-4uqh0g8z.jsonl").write_text("half a li")
        assert [each.annotator for each in logs_in(folder)] == ["Wu"]

    def test_a_folder_that_cannot_be_written_is_an_error_with_advice(self, folder):
        (folder / "annotations").write_text("a file where the folder should be")
        with pytest.raises(StoreError, match=r"x\.jsonl cannot be (written|read)"):
            AnnotationLog(folder, "x").append("label", "a", label=1)


class TestDamaged:
    @pytest.mark.parametrize(
        "line", ["not json", '{"action": "shrug", "pair_id": "a", "at": ""}', '{"action": "label"}', "[1]"]
    )
    def test_a_line_that_is_no_entry_is_named(self, folder, line):
        AnnotationLog(folder, "x").append("label", "a", label=1)
        path = folder / "annotations" / "x.jsonl"
        path.write_text(path.read_text() + line + "\n")
        with pytest.raises(
            PairsError, match=r"annotations/x\.jsonl, row 2: not a line of an annotation log "
        ):
            AnnotationLog(folder, "x")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\\b", ".hidden", "x" * 65, "a b", "\x00", "-x", "_"])
def test_a_name_that_is_no_file_name_is_refused(folder, name):
    with pytest.raises(InputError, match="cannot be an annotator's name"):
        AnnotationLog(folder, name)


@pytest.mark.parametrize("name", ["x", "王芳", "anna.b@example.com", "annotator-a"])
def test_ordinary_names_are_taken(folder, name):
    AnnotationLog(folder, f" {name} ").append("label", "a", label=1)
    assert [log.annotator for log in logs_in(folder)] == [name]


steps = st.lists(
    st.tuples(st.sampled_from(["label", "skip", "retract"]), st.sampled_from("abc"), st.integers(0, 1)),
    max_size=25,
)


@pytest.mark.slow
@given(steps)
def test_what_stands_is_the_last_thing_done_to_each_pair(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("log")
    log = AnnotationLog(folder, "x")
    expected: dict[str, int | None] = {}
    for action, pair, label in steps:
        log.append(action, pair, label=label if action == "label" else None)
        expected.pop(pair, None)
        if action != "retract":
            expected[pair] = label if action == "label" else None
    read = AnnotationLog(folder, "x")
    assert read.entries == log.entries
    assert {pair: entry.label for pair, entry in current(read.entries).items()} == expected
    assert list(current(read.entries)) == list(expected)


class TestWithTheOtherLabels:
    def test_logs_and_annotations_csv_are_read_together(self, folder):
        (folder / "annotations.csv").write_text("pair_id,annotator,label\na,x,1\n")
        AnnotationLog(folder, "y").append("label", "a", label=1)
        AnnotationLog(folder, "adjudicator-wang").append("label", "b", label=0)
        assert read_pairs(folder)["label"].tolist() == [1, 0]

    def test_another_label_in_the_log_than_in_annotations_csv_is_a_contradiction(self, folder):
        (folder / "annotations.csv").write_text("pair_id,annotator,label\na,x,1\n")
        AnnotationLog(folder, "x").append("label", "a", label=0)
        with pytest.raises(PairsError) as raised:
            read_pairs(folder)
        assert [(p.file, p.rows) for p in raised.value.problems] == [
            ("annotations.csv", (2,)),
            ("annotations/x.jsonl", (1,)),
        ]

    def test_labels_of_texts_that_were_changed_since_are_refused(self, folder):
        log = AnnotationLog(folder, "x")
        log.append("label", "a", label=1, texts=texts_hash("Nurse", "Ward nurse"))
        log.append("label", "b", label=0, texts=texts_hash("Java", "JavaScript"))
        assert len(read_annotations(folder)) == 2
        (folder / "pairs.csv").write_text("pair_id,jd,resume\na,Nurse,Chef\nb,Java,JavaScript\n")
        with pytest.raises(
            PairsError, match=r"annotations/x\.jsonl, .*row 1: .*changed after they were labelled"
        ):
            read_annotations(folder)
