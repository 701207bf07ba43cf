"""Everyday pairs are calibrated on, hard ones shown apart; AUCs by counting, not by the code under test."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import workbench as wb
from workbench.calibration.pair_kinds import is_hard
from workbench.cli import app
from workbench.errors import InputError

EASY, HARD = 400, 300
DEMO = Path(__file__).parents[2] / "labeled_pairs" / "demo"


def scored(source=True):
    rng = np.random.default_rng(0)
    labels = rng.random(EASY + HARD) < 0.4
    easy = np.arange(EASY + HARD) < EASY
    means = np.where(easy & labels, 0.6, 0.3)
    pairs = pd.DataFrame(
        {"score": means + 0.08 * rng.standard_normal(len(labels)), "label": labels.astype(int)}
    )
    if source:
        pairs["source"] = np.where(
            easy, np.where(np.arange(len(labels)) % 2, "drawn", "composed-everyday"), "composed-hard"
        )
    return pairs.sample(frac=1, random_state=1, ignore_index=True)


def counted_auc(pairs):
    ours, others = (pairs.loc[pairs["label"] == label, "score"].to_numpy() for label in (1, 0))
    return (ours[:, None] > others[None, :]).mean()


def test_everyday_pairs_are_calibrated_on_and_hard_ones_counted_apart():
    pairs = scored()
    study = wb.calibrate(pairs, target_precision=0.8, n_resamples=50)
    kinds = study.kinds
    assert (len(study.observations), kinds.n_everyday, kinds.n_hard, kinds.n_used) == (EASY, EASY, HARD, EASY)
    assert "400 of 700 pairs used: everyday; 300 hard ones shown apart." in study.sentences()["kinds"]
    hard = pairs["source"] == "composed-hard"
    assert kinds.auc_everyday.value == pytest.approx(counted_auc(pairs[~hard]))
    assert kinds.auc_hard.value == pytest.approx(counted_auc(pairs[hard]))
    assert kinds.auc_hard.low < 0.5 < kinds.auc_hard.high
    assert "limit of this encoder" in kinds.limit()
    on_card = json.loads(json.dumps(study.cutoff.to_dict()))["evidence"]["pairs"]
    assert on_card["kinds"]["used"] == "everyday"
    assert on_card["kinds"]["auc_hard"]["value"] == pytest.approx(kinds.auc_hard.value)
    assert on_card["n"] == EASY


def test_the_study_is_that_of_the_everyday_pairs_alone():
    pairs = scored()
    alone = pairs[pairs["source"] != "composed-hard"].drop(columns="source")
    options = {"target_precision": 0.8, "n_resamples": 50}
    assert wb.calibrate(pairs, **options).cutoff.value == wb.calibrate(alone, **options).cutoff.value


@pytest.mark.parametrize(("kind", "n"), [("everyday", EASY), ("hard", HARD), ("all", EASY + HARD)])
def test_the_kind_asked_for_is_used(kind, n):
    study = wb.calibrate(scored(), pairs=kind, target_precision=0.5, n_resamples=50)
    assert len(study.observations) == len(study.pairs) == study.kinds.n_used == n


def test_without_a_column_source_or_without_hard_pairs_nothing_changes():
    pairs = scored(source=False)
    from_boards = pairs.assign(source="a job board", note="hard")
    for given in (pairs, from_boards):
        study = wb.calibrate(given, target_precision=0.5, n_resamples=50)
        assert study.kinds is None
        assert "kinds" not in study.sentences()
        assert len(study.observations) == EASY + HARD


def test_hard_is_a_word_of_its_own_at_the_end():
    said = [
        "hard",
        "Composed-Hard ",
        "composed-everyday",
        "hard-copy archive",
        "orchard",
        "over-hardened",
        None,
    ]
    assert is_hard(pd.DataFrame({"source": said})).tolist() == [True, True, *[False] * 5]


def test_a_kind_that_is_not_there_is_refused_with_what_to_do():
    only_hard = scored().query("source == 'composed-hard'")
    with pytest.raises(InputError, match=r"None of the 300 pairs is of the kind asked for \(everyday\)"):
        wb.calibrate(only_hard)
    assert len(wb.calibrate(only_hard, pairs="hard", n_resamples=50).observations) == HARD
    with pytest.raises(InputError, match="one of everyday, hard and all"):
        wb.calibrate(only_hard, pairs="easy")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "576 of 1,139 pairs used: everyday; 563 hard ones shown apart."),
        (["--pairs", "all"], "All 1,139 pairs used, 576 everyday and 563 hard ones together."),
    ],
)
def test_the_command_takes_everyday_pairs_unless_told_and_says_how_many(asked, said):
    command = ["calibrate", str(DEMO), "-e", "keyword", "--target-precision", "0.8", *asked]
    assert said in CliRunner().invoke(app, command).stdout
