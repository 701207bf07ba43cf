"""What is forecast is what calibration finds; what flips cost shows in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from workbench.calibration import Observations, guarantee_precision
from workbench.errors import InputError
from workbench.pairs import assumed_scores, chance_of_a_cutoff, everyday_scores
from workbench.pairs.forecasting import chances_table


def test_chances_are_those_of_calibrating_sets_like_these():
    """Scores of two normals, drawn here and not from their quantiles, labels turned round, calibrated."""
    rng = np.random.default_rng(3)
    forecast = chance_of_a_cutoff(
        *assumed_scores(0.93), 0.85, sizes=[150, 900], label_errors=[0.0, 0.06], n_repeats=1000
    )
    for row in forecast.itertuples():
        found = []
        for _ in range(120):
            truth = rng.random(row.n) < 0.3
            scores = 0.1 * (rng.normal(size=row.n) + np.sqrt(2) * 1.4758 * truth)
            labels = truth ^ (rng.random(row.n) < row.label_error)
            found.append(guarantee_precision(Observations(scores, labels), 0.85).found)
        # Smoothing widens scores a little.
        assert np.mean(found) == pytest.approx(row.chance, abs=4 * np.sqrt(0.25 / 120))


def test_wrong_labels_cost_and_pairs_help():
    chances = chance_of_a_cutoff(*assumed_scores(0.95), n_repeats=200)
    table = chances.pivot_table("chance", "n", "label_error")
    assert (table[0.0] > table[0.1] + 0.1).all()
    assert table[0.0].is_monotonic_increasing
    assert chances["chance"].between(chances["low"], chances["high"]).all()


def test_assumed_scores_tell_matches_apart_so_well():
    matches, others = assumed_scores(0.9)
    labels = [1] * len(matches) + [0] * len(others)
    assert roc_auc_score(labels, matches + others) == pytest.approx(0.9, abs=0.002)


@pytest.mark.parametrize("wrong", [{"label_errors": [0.5]}, {"sizes": [0]}, {"target": 1.0}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        chance_of_a_cutoff(*assumed_scores(0.9), **wrong)
    with pytest.raises(InputError, match=r"0\.5 to under 1"):
        assumed_scores(1.0)


def test_pairs_composed_to_be_hard_are_left_out():
    scored = pd.DataFrame({"score": [0.9, 0.8, 0.2, 0.7], "label": [1, 1, 0, 0]})
    matches, others = everyday_scores(scored.assign(source=["drawn", "composed-hard", "drawn", "hard"]))
    assert (matches.tolist(), others.tolist()) == ([0.9], [0.2])
    matches, others = everyday_scores(scored)
    assert (len(matches), len(others)) == (2, 2)


def test_the_table_has_a_row_for_each_number_of_pairs():
    chances = pd.DataFrame(
        {"n": [100, 100, 2000], "label_error": [0.0, 0.05, 0.0], "chance": [0.5, 0.2, 1.0]}
    ).assign(low=0.1, high=1.0)
    table = chances_table(chances)
    assert table.index.tolist() == ["100", "2,000"]
    assert table.loc["100", "5 % of labels wrong"] == "20 % (10–100)"
