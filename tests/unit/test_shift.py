"""Whether scores have moved: scipy's Kolmogorov-Smirnov, PSI by definition, chance levels by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, ks_2samp

from workbench.calibration import Observations, ScoreProfile, score_profile, score_shift
from workbench.cutoffs import Cutoff
from workbench.errors import CardError, InputError


def profile(scores, weights=None, clusters=None) -> ScoreProfile:
    return score_profile(Observations(scores, np.zeros(len(scores)), weights, clusters))


def psi_by_definition(before, now, n_bins=10):
    """Sum of (q - p) log(q / p) over ten bins of equal mass in the scores before."""
    edges = np.quantile(before, np.arange(1, n_bins) / n_bins, method="lower")
    edges = np.unique(edges[edges < before.max()])
    p, q = (
        np.histogram(scores, np.concatenate([[-np.inf], np.nextafter(edges, np.inf), [np.inf]]))[0]
        / len(scores)
        for scores in (before, now)
    )
    p, q = np.maximum(p, 0.5 / len(before)), np.maximum(q, 0.5 / len(now))
    return ((q - p) * np.log(q / p)).sum()


rounded = st.lists(st.integers(0, 40).map(lambda n: n / 40), min_size=5, max_size=120)


class TestKolmogorovSmirnov:
    @settings(max_examples=60)
    @given(rounded, rounded)
    def test_statistic_and_p_value_are_scipys_also_with_ties(self, before, now):
        found = score_shift(profile(before), now, n_draws=10)
        expected = ks_2samp(before, now, method="asymp")
        assert found.ks == pytest.approx(expected.statistic)
        assert found.ks_p == pytest.approx(expected.pvalue, abs=1e-9)

    def test_a_profile_of_many_scores_gives_scipys_p_value_but_for_its_resolution(self):
        rng = np.random.default_rng(0)
        before, now = rng.normal(0.4, 0.15, 5000), rng.normal(0.42, 0.15, 800)
        found = score_shift(profile(before), now, n_draws=10)
        expected = ks_2samp(before, now, method="asymp")
        assert found.ks == pytest.approx(expected.statistic, abs=1 / 256)
        assert found.ks <= expected.statistic + 1e-3

    def test_a_weight_of_two_is_a_score_twice(self):
        rng = np.random.default_rng(0)
        before, now = rng.random(200), rng.random(100) ** 1.3
        weights = rng.integers(1, 3, 100)
        weighted = score_shift(profile(before), now, weights=weights, n_draws=10)
        assert weighted.ks == pytest.approx(ks_2samp(before, np.repeat(now, weights)).statistic)


class TestPopulationStabilityIndex:
    @settings(max_examples=60)
    @given(rounded, rounded)
    def test_it_is_that_of_the_definition_also_with_ties(self, before, now):
        found = score_shift(profile(before), now, n_draws=10)
        assert found.psi == pytest.approx(psi_by_definition(np.array(before), np.array(now)))

    def test_the_same_scores_have_none(self):
        scores = np.random.default_rng(0).random(200)
        found = score_shift(profile(scores), scores)
        assert (found.psi, found.ks, found.ks_p, found.psi_p) == (0, 0, 1, 1)

    @pytest.mark.parametrize(("n", "m"), [(100, 100), (1000, 300)])
    def test_its_chance_level_is_the_chi_squared_one(self, n, m):
        rng = np.random.default_rng(0)
        found = score_shift(profile(rng.random(n)), rng.random(m), n_draws=4000)
        expected = chi2.ppf(0.95, 9) * (1 / n + 1 / m)
        assert found.psi_by_chance == pytest.approx(expected, rel=0.15)

    @pytest.mark.parametrize(("move", "word"), [(0.0, "stable"), (0.035, "moderate"), (0.1, "large")])
    def test_the_rule_of_thumb_has_its_three_words(self, move, word):
        rng = np.random.default_rng(0)
        found = score_shift(profile(rng.normal(0.4, 0.1, 4000)), rng.normal(0.4 + move, 0.1, 4000))
        assert found.rule_of_thumb == word
        assert found.shifted == (move > 0)
        assert found.serious == (word == "large")

    def test_with_few_pairs_a_large_one_is_no_shift(self):
        rng = np.random.default_rng(4)
        before = profile(rng.random(60))
        large = [score_shift(before, rng.random(40), seed=seed) for seed in range(40)]
        assert np.mean([found.psi >= 0.25 for found in large]) > 0.5
        assert np.mean([found.shifted for found in large]) <= 0.15


class TestWhatASampleIsWorth:
    def test_independent_pairs_are_worth_their_number(self):
        found = score_shift(profile(np.linspace(0, 1, 300)), np.linspace(0, 1, 77))
        assert (found.size_before, found.size_now) == (300, 77)

    def test_pairs_that_repeat_each_other_are_worth_one_a_jd(self):
        rng = np.random.default_rng(0)
        once = rng.random(60)
        five = score_shift(profile(rng.random(300)), np.repeat(once, 5), clusters=np.arange(300) // 5)
        assert five.size_now <= 60

    @pytest.mark.slow
    @pytest.mark.parametrize("n_jds", [None, 40])
    def test_the_same_distribution_is_called_shifted_in_at_most_5_percent(self, n_jds):
        """80 times; scores of a JD lie together where JDs are shared."""
        rng = np.random.default_rng(3)

        def sample():
            jds = np.arange(240) % (n_jds or 240)
            return 0.4 + 0.1 * rng.standard_normal(n_jds or 240)[jds] + 0.1 * rng.standard_normal(240), jds

        shifted = 0
        for _ in range(80):
            (before, jds), (now, _jds) = sample(), sample()
            found = score_shift(profile(before, clusters=jds), now, clusters=jds, n_draws=200)
            shifted += found.shifted
        # Two tests at half the level each, and three standard errors of the simulation.
        assert shifted / 80 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80), shifted / 80


class TestShares:
    def test_above_the_cutoff_are_counted_strictly_before_and_now(self):
        found = score_shift(profile([0.1, 0.5, 0.5, 0.9]), [0.5, 0.6, 0.7, 0.8, 0.1], cutoff=0.5)
        assert (found.above_before, found.above_now) == (0.25, 0.6)

    def test_medians_are_said(self):
        found = score_shift(profile([0.1, 0.2, 0.3]), [0.5, 0.6, 0.7])
        assert (found.median_before, found.median_now) == (0.2, 0.6)


class TestProfile:
    def test_of_few_scores_keeps_them_all(self):
        np.testing.assert_array_equal(profile([0.3, 0.1, 0.2]).quantiles, [0.1, 0.2, 0.3])

    def test_of_many_keeps_quantiles_that_are_numpys(self):
        scores = np.random.default_rng(0).random(10_000)
        kept = profile(scores).quantiles
        assert len(kept) == 256
        expected = np.quantile(scores, (np.arange(256) + 0.5) / 256, method="inverted_cdf")
        np.testing.assert_array_equal(kept, expected)

    def test_with_weights_keeps_those_of_the_weighted_scores(self):
        rng = np.random.default_rng(0)
        scores, weights = rng.random(500), rng.integers(1, 6, 500)
        kept = profile(scores, weights.astype(float)).quantiles
        expected = np.quantile(
            np.repeat(scores, weights), (np.arange(256) + 0.5) / 256, method="inverted_cdf"
        )
        np.testing.assert_allclose(kept, expected)

    def test_a_card_brings_it_back(self, tmp_path):
        kept = profile(np.random.default_rng(0).random(400))
        path = Cutoff(0.5, evidence={"scores": kept.to_dict()}).save(tmp_path / "card.json")
        read = ScoreProfile.from_dict(Cutoff.load(path).evidence["scores"])
        np.testing.assert_allclose(read.quantiles, kept.quantiles, atol=5e-7)
        assert (read.n, read.size) == (400, 400)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda card: card.pop("n"), "lacks a part"),
            (lambda card: card["quantiles"].reverse(), "not ascending"),
            (lambda card: card.update(quantiles=[]), "not ascending"),
            (lambda card: card.update(quantiles=[0.1, float("nan")]), "not ascending"),
            (lambda card: card.update(size="many"), "no number|not a number"),
        ],
    )
    def test_a_damaged_one_is_refused(self, change, said):
        card = profile([0.1, 0.2, 0.4]).to_dict()
        change(card)
        with pytest.raises(CardError, match=said):
            ScoreProfile.from_dict(card)


@settings(max_examples=30)
@given(rounded, rounded, st.sampled_from([np.exp, np.cbrt, lambda s: 3 * s - 1]))
def test_a_monotone_transformation_of_all_scores_changes_nothing(before, now, transform):
    one = score_shift(profile(before), now, n_draws=50)
    moved = score_shift(profile(transform(np.array(before))), transform(np.array(now)), n_draws=50)
    assert (moved.ks, moved.psi, moved.psi_p) == pytest.approx((one.ks, one.psi, one.psi_p))


@pytest.mark.parametrize("scores", [[], [[0.1]], [0.1, np.nan], [0.1, np.inf]])
def test_what_are_no_scores_is_refused(scores):
    with pytest.raises(InputError):
        score_shift(profile([0.1, 0.2]), scores)


def test_scores_that_are_all_equal_can_be_compared():
    before = profile([0.5] * 30)
    assert not score_shift(before, [0.5] * 30).shifted
    assert score_shift(before, [0.7] * 30).shifted
    assert score_shift(before, [0.3] * 30).shifted
