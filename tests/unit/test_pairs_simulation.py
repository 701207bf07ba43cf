"""Simulations of labelling: pools like live ones, and errors that are what they are called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench.errors import InputError
from workbench.pairs import live_like_pool, measurable_precision, simulate_label_noise, simulate_labelling


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    return live_like_pool(rng.normal(0.6, 0.12, 150), rng.normal(0.25, 0.12, 200), n=4000, prevalence=0.1)


class TestPool:
    def test_it_has_the_size_and_the_share_of_matches_asked_for(self, pool):
        assert len(pool) == 4000
        assert pool["label"].sum() == 400

    def test_scores_are_like_those_given_but_not_the_same_few(self):
        given = np.random.default_rng(1).normal(0.5, 0.1, 300)
        pool = live_like_pool(given, given - 0.3, n=2000, prevalence=0.5)
        matches = pool.loc[pool["label"] == 1, "score"]
        assert stats.ks_2samp(given, matches).pvalue > 0.001
        assert matches.is_unique

    def test_scores_stay_cosines(self):
        pool = live_like_pool([0.98, 1.0, 0.99], [-1.0, -0.9, -0.95], n=500)
        assert pool["score"].between(-1, 1).all()

    def test_one_pair_of_a_class_is_too_few(self):
        with pytest.raises(InputError, match="at least two pairs of each class"):
            live_like_pool([0.5], [0.1, 0.2])


@pytest.fixture(scope="module")
def found(pool):
    return simulate_labelling(pool, 0.5, (60, 120), n_repeats=60)


class TestActiveAgainstRandom:
    def rmse(self, found, method, figure):
        rows = found[(found["method"] == method) & (found["figure"] == figure)]
        return rows.sort_values("n")["rmse"].to_numpy()

    def test_there_is_a_row_for_each_method_size_and_figure(self, found):
        assert len(found) == len(found[["method", "n", "figure"]].drop_duplicates()) == 8

    def test_errors_of_a_random_draw_are_those_of_sampling_theory(self, pool, found):
        above = pool[pool["score"] > 0.5]
        precision, share = above["label"].mean(), len(above) / len(pool)
        # The number above varies from draw to draw, so this is a little less than what is found.
        expected = np.sqrt(precision * (1 - precision) / (np.array([60, 120]) * share))
        assert self.rmse(found, "random", "precision") == pytest.approx(expected, rel=0.35)

    def test_precision_is_known_better_when_active(self, found):
        assert (self.rmse(found, "active", "precision") < 0.7 * self.rmse(found, "random", "precision")).all()

    def test_neither_is_biased(self, found):
        assert (found["bias"].abs() < 4 * found["rmse"] / np.sqrt(60)).all()

    def test_a_cutoff_beyond_all_scores_is_refused(self, pool):
        with pytest.raises(InputError, match="on one side of the cutoff"):
            simulate_labelling(pool, 1.0, (60,))

    def test_more_labels_than_pairs_are_refused(self, pool):
        with pytest.raises(InputError, match="sizes must be from 6 to the 4000 pairs"):
            simulate_labelling(pool, 0.5, (5000,))


def test_simulated_label_noise_is_what_the_model_says():
    found = simulate_label_noise((0.05, 0.15), n=20_000)
    expected = [float(measurable_precision(1.0, row.flip_rate, row.source)) for row in found.itertuples()]
    assert found["measured"].tolist() == pytest.approx(expected, abs=0.012)


def test_a_draw_without_a_pair_above_is_counted_not_guessed():
    pool = pd.DataFrame({"score": [0.9] * 5 + [0.1] * 2000, "label": [1] * 5 + [0] * 2000})
    found = simulate_labelling(pool, 0.5, (10,), n_repeats=20)
    rows = found[(found["method"] == "random") & (found["figure"] == "precision")]
    assert rows["n_undefined"].item() > 10
