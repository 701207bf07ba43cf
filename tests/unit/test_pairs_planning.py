"""Plans that come true; simulations with pools like live ones, and errors that are what they are called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from workbench.errors import InputError
from workbench.i18n import language
from workbench.pairs import labels_for_half_width, live_like_pool, plan, simulate_labelling


def labelled(n: int, seed: int) -> pd.DataFrame:
    """Scores and labels, a quarter of them matches."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.25).astype(int)
    score = np.clip(np.where(label == 1, rng.normal(0.55, 0.13, n), rng.normal(0.3, 0.12, n)), -1, 1)
    return pd.DataFrame({"score": score, "label": label})


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


@pytest.mark.slow
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


def test_a_draw_without_a_pair_above_is_counted_not_guessed():
    pool = pd.DataFrame({"score": [0.9] * 5 + [0.1] * 2000, "label": [1] * 5 + [0] * 2000})
    found = simulate_labelling(pool, 0.5, (10,), n_repeats=20)
    rows = found[(found["method"] == "random") & (found["figure"] == "precision")]
    assert rows["n_undefined"].item() > 10


class TestPlan:
    @given(st.floats(0, 1), st.floats(0.01, 0.2))
    def test_the_number_is_the_smallest_for_which_wilsons_interval_is_narrow_enough(self, share, half_width):
        n = labels_for_half_width(share, half_width)

        def width(n):
            low, high = proportion_confint(share * n, n, method="wilson")
            return (high - low) / 2

        # statsmodels clips the interval to [0, 1], which Wilson's never leaves but for rounding.
        assert width(n) <= half_width + 1e-9
        assert n == 1 or width(n - 1) > half_width - 1e-9

    def test_as_many_labels_as_planned_give_what_was_asked_for(self):
        """Drawn from the same source, precision is within ± 2 points about 95 % of the time."""
        rng = np.random.default_rng(5)
        pilot = labelled(1000, seed=6)
        cutoff = 0.5
        big = labelled(400_000, seed=7)
        truth = big.loc[big["score"] > cutoff, "label"].mean()
        planned = plan(pilot, cutoff)
        total = len(pilot) + planned.more
        within, widths = [], []
        for _ in range(300):
            drawn = big.iloc[rng.integers(0, len(big), total)]
            chosen = drawn.loc[drawn["score"] > cutoff, "label"]
            within.append(abs(chosen.mean() - truth) <= 0.02)
            low, high = proportion_confint(chosen.sum(), len(chosen), method="wilson")
            widths.append((high - low) / 2)
        # The pilot's own error in precision moves the plan a little; 95 % less three standard errors.
        assert np.mean(within) > 0.91
        assert np.mean(widths) == pytest.approx(0.02, abs=0.002)

    def test_enough_labels_are_recognised(self):
        pilot = labelled(20_000, seed=8)
        found = plan(pilot, 0.5, half_width=0.05)
        assert (found.more_above, found.more) == (0, 0)
        assert "enough labels" in found.summary()
        with language("zh"):
            assert found.summary().endswith("标注已经够 ±5 个百分点。")

    def test_pairs_that_share_jds_need_more(self):
        rng = np.random.default_rng(9)
        jd = np.repeat(np.arange(60), 20)
        chance = np.repeat(rng.beta(4, 1, 60), 20)
        pairs = pd.DataFrame({"score": 0.9, "label": (rng.random(1200) < chance).astype(int), "jd_id": jd})
        alone, shared = plan(pairs.drop(columns="jd_id"), 0.5), plan(pairs, 0.5)
        assert alone.design_effect == 1
        assert shared.design_effect > 2
        assert shared.more_above > 2 * alone.more_above

    def test_nothing_above_the_cutoff_is_refused(self):
        pairs = pd.DataFrame({"score": [0.1, 0.2], "label": [0, 1]})
        with pytest.raises(InputError, match=r"No labelled pair lies above the cutoff 0\.5"):
            plan(pairs, 0.5)
