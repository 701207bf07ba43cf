"""What was written is read again as it was, whatever the texts hold."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.pairs import PairsError, read_annotations, read_pairs, working_copy, write_pairs
from workbench.pairs.annotations import AnnotationLog
from workbench.texts import says_missing, tidy


def is_text(text: str) -> bool:
    return bool(text) and not says_missing(text)


# Texts as read_pairs gives them: tidy, not blank.
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).map(tidy).filter(is_text)
ids = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
names = st.sampled_from(["x", "王芳", "adjudicator"])
notes = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=40).map(str.strip)


@st.composite
def sets(draw):
    rows = draw(
        st.lists(
            st.tuples(ids, texts, texts, texts),
            min_size=1,
            max_size=8,
            unique_by=(lambda row: row[0], lambda row: row[1:3]),
        )
    )
    pairs = pd.DataFrame(rows, columns=["pair_id", "jd", "resume", "family"], dtype="str")
    labels = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(pairs["pair_id"].tolist()), names), st.tuples(st.integers(0, 3), notes)
        )
    )
    said = [(pair, who, label, "2026-03-01T09:00:00Z", note) for (pair, who), (label, note) in labels.items()]
    columns = ["pair_id", "annotator", "label", "labelled_at", "note"]
    return pairs, pd.DataFrame(said, columns=columns).astype({"label": "int64"})


@pytest.mark.slow
@settings(max_examples=40)
@given(sets())
def test_reading_what_was_written_gives_the_same(tmp_path_factory, case):
    pairs, annotations = case
    folder = write_pairs(tmp_path_factory.mktemp("set"), pairs, annotations)
    assert read_pairs(folder, labelled=False).to_dict("list") == pairs.to_dict("list")
    assert read_annotations(folder).to_dict("list") == annotations.to_dict("list")


@pytest.mark.slow
@settings(max_examples=40)
@given(sets())
def test_writing_what_was_read_gives_the_same_files(tmp_path_factory, case):
    first = write_pairs(tmp_path_factory.mktemp("set"), *case)
    again = write_pairs(
        tmp_path_factory.mktemp("set"), read_pairs(first, labelled=False), read_annotations(first)
    )
    for name in ("pairs.csv", "annotations.csv"):
        assert (first / name).read_bytes() == (again / name).read_bytes()


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame({"pair_id": ["a", "b"], "jd": ["Nurse", "Java"], "resume": ["Ward", "JS"], **columns})


def test_labels_are_not_written_among_pairs(tmp_path):
    write_pairs(tmp_path, frame(label=[1, 0]))
    assert (tmp_path / "pairs.csv").read_text() == "pair_id,jd,resume\na,Nurse,Ward\nb,Java,JS\n"
    assert not (tmp_path / "annotations.csv").exists()


def test_sampling_weights_survive(tmp_path):
    weights = [1 / 3, 2.0]
    write_pairs(tmp_path, frame(weight=weights))
    assert read_pairs(tmp_path, labelled=False)["weight"].tolist() == weights


@pytest.mark.parametrize(("note", "read"), [("a\rb", "a\nb"), ("a\r\nb", "a\nb"), ("a\x00b", "ab")])
def test_what_no_csv_can_hold_is_mended(tmp_path, note, read):
    said = pd.DataFrame({"pair_id": ["a", "b"], "annotator": "x", "label": [1, 0], "note": ["", note]})
    write_pairs(tmp_path, frame(), said)
    assert read_annotations(tmp_path)["note"].tolist() == ["", read]


class TestRefused:
    def test_nothing_is_written_that_could_not_be_read(self, tmp_path):
        write_pairs(tmp_path, frame())
        before = (tmp_path / "pairs.csv").read_bytes()
        said = pd.DataFrame({"pair_id": ["a", "q"], "annotator": ["x", "x"], "label": [7, 1]})
        with pytest.raises(PairsError, match=r"nothing was written\.") as raised:
            write_pairs(tmp_path, frame(resume=["", "JS"]), said)
        assert [(p.file, p.column, p.rows) for p in raised.value.problems] == [
            ("pairs.csv", "resume", (2,)),
            ("annotations.csv", "label", (2,)),
            ("annotations.csv", "pair_id", (3,)),
        ]
        assert (tmp_path / "pairs.csv").read_bytes() == before
        assert not (tmp_path / "annotations.csv").exists()

    def test_pairs_without_texts(self, tmp_path):
        with pytest.raises(InputError, match="no column 'resume'; they have pair_id, jd"):
            write_pairs(tmp_path, frame().drop(columns="resume"))


class TestWorkingCopy:
    def test_is_the_whole_set_and_keeps_what_was_labelled_in_it(self, tmp_path):
        source = write_pairs(tmp_path / "set", frame())
        (source / "rubric.md").write_text("# Rules")
        copy = working_copy(source, tmp_path / "copy")
        assert (copy / "rubric.md").read_text() == "# Rules"
        AnnotationLog(copy, "x").append("label", "a", label=1)
        assert len(read_annotations(working_copy(source, copy))) == 1
        assert not (source / "annotations").exists()

    def test_the_set_itself_is_left_as_it_is(self, tmp_path):
        source = write_pairs(tmp_path / "set", frame())
        assert working_copy(source, source) == source

    def test_a_folder_with_other_pairs_is_not_overwritten(self, tmp_path):
        source = write_pairs(tmp_path / "set", frame())
        other = write_pairs(tmp_path / "other", frame(site=["x", "y"]))
        with pytest.raises(InputError, match="holds other pairs"):
            working_copy(source, other)

    def test_a_folder_without_pairs_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"has no pairs\.csv"):
            working_copy(tmp_path, tmp_path / "copy")
