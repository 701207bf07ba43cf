"""A folder of whole documents is read as labelled pairs, on the level of pairs and of requirements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

import workbench as wb
from workbench.pairs import (
    PairsError,
    agreement,
    read_annotations,
    read_pairs,
    resolve,
    working_copy,
    write_pairs,
)
from workbench.pairs.annotations import AnnotationLog

DEMO = Path(__file__).parents[2] / "labeled_pairs/documents"
JD = "Nurse\nRequirements\n- Valid registration with the council\n- Night shifts on a ward"
RESUME = "Ward nurse\nRegistered with the council since 2012\nNights on a surgical ward, four years"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One JD, two résumés, nothing said."""
    (tmp_path / "jds").mkdir()
    (tmp_path / "resumes").mkdir()
    (tmp_path / "jds/nurse.txt").write_text(JD)
    (tmp_path / "resumes/ann.txt").write_text(RESUME)
    (tmp_path / "resumes/bob.txt").write_text("Cook\nTen years in a hotel kitchen")
    return tmp_path


def test_without_any_table_every_jd_is_paired_with_every_resume_whole(folder: Path) -> None:
    pairs = read_pairs(folder, labelled=False)
    assert pairs["pair_id"].tolist() == ["nurse~ann", "nurse~bob"]
    assert pairs["jd"].tolist() == [JD, JD]
    assert pairs["resume"][0] == RESUME


def test_without_a_list_the_requirements_are_those_that_the_jd_is_split_into(folder: Path) -> None:
    pairs = read_pairs(folder, labelled=False, level="requirement")
    asked = pairs.drop_duplicates("requirement_id")["jd"].tolist()
    assert asked[-2:] == ["- Valid registration with the council", "- Night shifts on a ward"]
    assert pairs["pair_id"].tolist()[:2] == ["nurse-r01~ann", "nurse-r02~ann"]


def test_tables_by_name_and_logs_are_read_together(folder: Path) -> None:
    (folder / "pairs_eva.csv").write_text("jd_id,resume_id,rating,note\nnurse,ann,3,\nnurse,bob,0,no nurse\n")
    AnnotationLog(folder, "kim").append("label", "nurse~ann", label=2, looked=True)
    said = read_annotations(folder)
    assert said[["pair_id", "annotator", "label", "looked"]].to_numpy().tolist() == [
        ["nurse~ann", "eva", 3, ""],
        ["nurse~bob", "eva", 0, ""],
        ["nurse~ann", "kim", 2, "1"],
    ]
    assert read_pairs(folder)["label"].tolist() == [1, 0]


def test_phrases_are_kept_with_labels_of_requirements(folder: Path) -> None:
    (folder / "coverage_eva.csv").write_text(
        "jd_id,requirement_id,resume_id,covered,phrase\nnurse,nurse-r01,ann,partly,council since 2012\n"
    )
    log = AnnotationLog(folder / "coverage", "kim")
    log.append("label", "nurse-r01~ann", label=2, phrase="Registered with the council")
    said = read_annotations(folder, level="requirement")
    assert said["label"].tolist() == [1, 2]
    assert said["phrase"].tolist() == ["council since 2012", "Registered with the council"]
    assert read_annotations(folder).empty


def test_an_id_that_no_document_has_is_refused_with_its_row(folder: Path) -> None:
    (folder / "pairs_eva.csv").write_text("jd_id,resume_id,rating\nnurse,ann,3\nnurse,tom,1\n")
    with pytest.raises(PairsError, match=r"pairs_eva.csv, column resume_id, row 3.*tom"):
        read_pairs(folder)


def test_a_set_that_was_drawn_from_documents_is_written_as_documents_again(
    folder: Path, tmp_path: Path
) -> None:
    drawn = read_pairs(folder, labelled=False).iloc[[1]].assign(inclusion_probability=0.25)
    written = write_pairs(tmp_path / "drawn", drawn)
    assert [path.name for path in (written / "resumes").iterdir()] == ["bob.txt"]
    again = read_pairs(written, labelled=False)
    assert again["pair_id"].tolist() == ["nurse~bob"]
    assert again["jd"].tolist() == [JD]
    assert again["inclusion_probability"].tolist() == [0.25]


def test_a_working_copy_keeps_its_labels_and_refuses_other_documents(folder: Path, tmp_path: Path) -> None:
    copy = working_copy(folder, tmp_path / "copy")
    AnnotationLog(copy, "kim").append("label", "nurse~ann", label=2)
    working_copy(folder, copy)
    assert read_annotations(copy)["label"].tolist() == [2]
    assert read_annotations(folder).empty
    (copy / "resumes/ann.txt").write_text("Somebody else")
    with pytest.raises(wb.InputError, match="other pairs"):
        working_copy(folder, copy)


def test_a_level_of_requirements_needs_documents(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("pair_id,jd,resume\na,Nurse,Ward nurse\n")
    with pytest.raises(wb.InputError, match="no whole documents"):
        read_pairs(tmp_path, labelled=False, level="requirement")


@pytest.fixture(scope="module")
def both() -> dict[str, pd.DataFrame]:
    """Labels of both passes side by side, read without the code under test."""
    keys = {"pairs": ["jd_id", "resume_id"], "coverage": ["jd_id", "requirement_id", "resume_id"]}
    return {
        name: pd.read_csv(DEMO / f"{name}_first.csv").merge(
            pd.read_csv(DEMO / f"{name}_second.csv"), on=on, suffixes=("_1", "_2")
        )
        for name, on in keys.items()
    }


class TestTheDemonstration:
    def test_a_pair_is_a_match_from_2_on_the_third_pass_having_the_last_word(
        self, both: dict[str, pd.DataFrame]
    ) -> None:
        told = both["pairs"].merge(
            pd.read_csv(DEMO / "pairs_adjudicated.csv"), on=["jd_id", "resume_id"], how="left"
        )
        expected = told["rating"].fillna(told["rating_1"]) >= 2
        pairs = read_pairs(DEMO).set_index(["jd_id", "resume_id"])
        assert pairs["label"].sum() == expected.sum()
        assert (
            pairs["label"].loc[list(zip(told["jd_id"], told["resume_id"], strict=True))]
            == expected.to_numpy()
        ).all()
        assert pairs["jd"].str.count("\n").min() > 10
        # jd-02 is Chinese; cv-12 is so too, and cv-104 is not.
        assert pairs["language"].loc[[("jd-02", "cv-12"), ("jd-02", "cv-104")]].tolist() == ["zh", "zh-en"]

    def test_grades_come_out_resolved(self) -> None:
        assert resolve(read_annotations(DEMO)).labels.value_counts().to_dict() == {
            0: 601,
            3: 57,
            1: 55,
            2: 30,
        }

    def test_agreement_is_that_of_scikit_learn(self, both: dict[str, pd.DataFrame]) -> None:
        one, other = both["pairs"]["rating_1"], both["pairs"]["rating_2"]
        said, pairs = read_annotations(DEMO), read_pairs(DEMO, labelled=False)
        found = agreement(said, pairs, together="jd_id", n_resamples=500)
        assert found.kappa.value == pytest.approx(cohen_kappa_score(one, other, weights="quadratic"))
        two = agreement(said, pairs, threshold=2, n_resamples=10)
        assert two.kappa.value == pytest.approx(cohen_kappa_score(one >= 2, other >= 2))
        asked = agreement(read_annotations(DEMO, level="requirement"), level="nominal", n_resamples=10)
        coverage = both["coverage"]
        assert asked.kappa.value == pytest.approx(
            cohen_kappa_score(coverage["covered_1"], coverage["covered_2"])
        )

    def test_intervals_draw_jds_and_not_pairs(self, both: dict[str, pd.DataFrame]) -> None:
        rng = np.random.default_rng(1)
        by_jd = [some for _jd, some in both["pairs"].groupby("jd_id")]
        drawn = [
            pd.concat([by_jd[at] for at in rng.integers(len(by_jd), size=len(by_jd))]) for _ in range(300)
        ]
        kappas = [cohen_kappa_score(t["rating_1"], t["rating_2"], weights="quadratic") for t in drawn]
        found = agreement(read_annotations(DEMO), read_pairs(DEMO, labelled=False), together="jd_id").kappa
        assert [found.low, found.high] == pytest.approx(np.quantile(kappas, [0.025, 0.975]), abs=0.006)
