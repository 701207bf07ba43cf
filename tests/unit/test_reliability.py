"""Whether probabilities can be believed: scores of scikit-learn and MAPIE, bands that mean what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from workbench.calibration import Observations, fit_probability, reliability
from workbench.calibration.drawn_curves import draw_curves
from workbench.calibration.reliability_diagram import equal_mass_bins
from workbench.calibration.shares import within_cluster_correlation
from workbench.errors import InputError
from workbench.i18n import language


def right_and_said(n=600, seed=0, boast=1.0, n_jds=None):
    """Pairs that are matches with the probability `said ** (1 / boast)`; right where boast is 1."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.02, 0.98, n)
    labels = rng.random(n) < true
    clusters = None if n_jds is None else rng.integers(0, n_jds, n)
    return Observations(true, labels, clusters=clusters), true**boast


@pytest.fixture(scope="module")
def pairs():
    return right_and_said()


@pytest.fixture(scope="module")
def found(pairs):
    return reliability(*pairs, n_resamples=300)


class TestScoresAreThoseOf:
    def test_scikit_learns_brier_score(self, pairs, found):
        observations, said = pairs
        assert found.brier.value == pytest.approx(brier_score_loss(observations.labels, said))

    def test_scikit_learns_log_loss(self, pairs, found):
        observations, said = pairs
        assert found.log_loss.value == pytest.approx(log_loss(observations.labels, said))

    def test_scikit_learns_weighted_brier_score(self, pairs):
        observations, said = pairs
        weights = np.random.default_rng(1).uniform(1, 5, len(said))
        weighted = reliability(observations.with_weights(weights), said, n_resamples=20)
        expected = brier_score_loss(observations.labels, said, sample_weight=weights)
        assert weighted.brier.value == pytest.approx(expected)

    @pytest.mark.parametrize("n_bins", [5, 10, 20])
    def test_scikit_learns_calibration_curve_on_quantiles(self, pairs, n_bins):
        observations, said = pairs
        bins = reliability(observations, said, n_bins=n_bins, n_resamples=20).bins
        seen, mean = calibration_curve(observations.labels, said, n_bins=n_bins, strategy="quantile")
        np.testing.assert_allclose(bins["seen"], seen)
        np.testing.assert_allclose(bins["said"], mean)

    @pytest.mark.parametrize("boast", [1.0, 2.0])
    def test_mapies_expected_calibration_error_in_bins_of_equal_mass(self, boast):
        from mapie.metrics.calibration import expected_calibration_error

        observations, said = right_and_said(boast=boast)
        found = reliability(observations, said, n_bins=12, n_resamples=20)
        # Theirs cuts the rows as they come.
        order = np.argsort(said)
        expected = expected_calibration_error(
            observations.labels[order], said[order], num_bins=12, split_strategy="array split"
        )
        assert found.ece.value == pytest.approx(expected)

    def test_wilson_as_statsmodels_has_it_in_each_bin(self, found):
        from statsmodels.stats.proportion import proportion_confint

        for row in found.bins.itertuples():
            expected = proportion_confint(round(row.seen * row.n), row.n, method="wilson")
            assert (row.seen_low, row.seen_high) == pytest.approx(expected)

    def test_scikit_learns_isotonic_regression_along_the_curve(self, pairs, found):
        observations, said = pairs
        steps = IsotonicRegression().fit(said, observations.labels)
        np.testing.assert_allclose(found.curve["seen"], steps.predict(found.curve["said"]), atol=1e-9)


class TestPartsOfTheBrierScore:
    def test_they_add_up_to_it(self, found):
        parts = found.brier_parts
        total = parts.miscalibration - parts.discrimination + parts.uncertainty
        assert total == pytest.approx(found.brier.value)

    def test_uncertainty_is_the_variance_of_labels(self, pairs, found):
        assert found.brier_parts.uncertainty == pytest.approx(np.var(pairs[0].labels))

    def test_recalibrating_takes_the_miscalibration_off(self):
        observations, said = right_and_said(boast=2.5)
        before = reliability(observations, said, n_resamples=20)
        again = IsotonicRegression().fit_transform(said, observations.labels)
        after = reliability(observations, again, n_resamples=20)
        assert after.brier.value == pytest.approx(before.brier.value - before.brier_parts.miscalibration)
        assert after.brier_parts.miscalibration == pytest.approx(0, abs=1e-12)


class TestBands:
    def test_without_jds_a_band_is_the_binomial_quantiles_of_its_bin(self):
        said = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 100)
        labels = np.random.default_rng(0).random(500) < said
        bins = reliability(Observations(said, labels), said, n_bins=5, n_resamples=4000).bins
        low, high = (stats.binom.ppf(tail, 100, bins["said"]) / 100 for tail in (0.025, 0.975))
        np.testing.assert_allclose(bins["consistent_low"], low, atol=0.0101)
        np.testing.assert_allclose(bins["consistent_high"], high, atol=0.0101)

    def test_jds_of_one_mind_widen_them(self):
        rng = np.random.default_rng(0)
        said = np.repeat(rng.uniform(0.05, 0.95, 60), 10)
        labels = np.repeat(rng.random(60), 10) < said
        shared, alone = (
            reliability(Observations(said, labels, clusters=jds), said, n_resamples=400).bins
            for jds in (np.repeat(np.arange(60), 10), None)
        )
        width, narrow = (bins["consistent_high"] - bins["consistent_low"] for bins in (shared, alone))
        # Ten pairs that agree are worth one: the square root of ten.
        assert np.median(width / narrow) == pytest.approx(np.sqrt(10), rel=0.25)

    @pytest.mark.parametrize("n_jds", [None, 50])
    def test_what_is_seen_lies_in_them_as_often_as_they_say(self, n_jds):
        """Labels drawn anew 300 times from the probabilities; within a JD they are independent here."""
        observations, said = right_and_said(400, n_jds=n_jds)
        found = reliability(observations, said, n_resamples=1000)
        in_bin = equal_mass_bins(said)
        labels = np.random.default_rng(9).random((300, 400)) < said
        seen = np.stack([labels[:, in_bin == one].mean(axis=1) for one in range(found.n_bins)])
        low, high = (found.bins[f"consistent_{end}"].to_numpy()[:, None] for end in ("low", "high"))
        held = ((low <= seen) & (seen <= high)).mean()
        assert held >= 0.94
        if n_jds is None:
            assert held <= 0.98

    def test_of_the_curve_hold_the_diagonal_where_probabilities_are_right(self, found):
        curve = found.curve
        assert ((curve["seen_low"] <= curve["said"]) & (curve["said"] <= curve["seen_high"])).all()

    def test_of_the_curve_leave_it_where_they_are_off(self):
        observations, said = right_and_said(3000, boast=0.5)
        curve = reliability(observations, said, n_resamples=20).curve
        middle = curve[curve["said"].between(0.3, 0.8)]
        assert (middle["seen_high"] < middle["said"]).mean() > 0.9

    def test_of_the_curve_are_wide_where_few_were_said(self):
        rng = np.random.default_rng(0)
        said = np.append(rng.uniform(0.05, 0.4, 995), rng.uniform(0.8, 0.9, 5))
        curve = reliability(Observations(said, rng.random(1000) < said), said, n_resamples=20).curve
        width = curve["seen_high"] - curve["seen_low"]
        assert width[curve["said"] > 0.8].min() > 2 * width[curve["said"] < 0.4].median()


class TestChance:
    def test_probabilities_that_are_right_show_an_error_that_chance_alone_explains(self, found):
        assert found.p_right > 0.1
        assert found.ece_if_right == pytest.approx(found.ece.value, rel=0.5)
        assert found.ece.low == 0
        assert "No sign that the probabilities are off" in found.summary()
        with language("zh"):
            assert "没有失准的迹象" in found.summary()

    def test_boastful_ones_are_found_out_and_how_far_they_are_off_is_said(self):
        observations, said = right_and_said(3000, boast=0.5)
        found = reliability(observations, said, n_resamples=300)
        assert found.p_right < 0.01
        # Of the probabilities themselves, drawn without any labels.
        off = abs(np.mean(np.sqrt(observations.scores)) - np.mean(observations.scores))
        assert found.ece.low < off < found.ece.high
        assert "The probabilities are off" in found.summary()

    def test_the_error_without_chance_is_near_0_where_there_is_none(self):
        debiased = [
            reliability(*right_and_said(500, seed), n_resamples=100).rms_debiased for seed in range(10)
        ]
        biased = [reliability(*right_and_said(500, seed), n_resamples=20).ece.value for seed in range(10)]
        assert np.mean(debiased) < np.mean(biased)

    def test_what_calibrate_cross_fits_can_be_believed(self):
        observations, _ = right_and_said(800)
        model = fit_probability(observations)
        assert reliability(observations, model.cross_fitted, n_resamples=200).p_right > 0.05


class TestIntervals:
    def test_of_the_brier_score_are_those_of_a_mean(self, pairs, found):
        observations, said = pairs
        losses = (said - observations.labels) ** 2
        expected = 1.96 * losses.std(ddof=1) / np.sqrt(len(losses))
        assert (found.brier.high - found.brier.low) / 2 == pytest.approx(expected, rel=0.15)

    def test_pairs_that_repeat_each_other_in_a_jd_say_no_more_than_one(self, pairs):
        observations, said = pairs
        repeated = Observations(
            np.repeat(observations.scores, 5),
            np.repeat(observations.labels, 5),
            clusters=np.arange(3000) // 5,
        )
        once = reliability(observations, said, n_resamples=300)
        five = reliability(repeated, np.repeat(said, 5), n_resamples=300)
        assert five.by == "cluster"
        assert five.brier.value == pytest.approx(once.brier.value)
        assert five.brier.high - five.brier.low == pytest.approx(once.brier.high - once.brier.low, rel=0.15)


class TestBins:
    @settings(max_examples=50)
    @given(
        st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.9]) | st.floats(0, 1), min_size=1, max_size=200),
        st.integers(1, 15),
    )
    def test_equal_probabilities_are_never_parted_and_bins_ascend(self, values, n_bins):
        said = np.array(values)
        bins = equal_mass_bins(said, n_bins)
        for value in np.unique(said):
            assert len(np.unique(bins[said == value])) == 1
        assert (np.diff(bins[np.argsort(said, kind="stable")]) >= 0).all()
        assert set(bins) == set(range(bins.max() + 1))
        assert bins.max() < n_bins

    @pytest.mark.parametrize(("n", "expected"), [(15, 1), (45, 2), (200, 10), (5000, 10)])
    def test_there_are_as_many_as_leave_20_pairs_each_and_at_most_10(self, n, expected):
        observations, said = right_and_said(n)
        found = reliability(observations, said, n_resamples=5)
        assert found.n_bins == expected
        assert found.bins["n"].sum() == n


class TestInput:
    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ([0.5, 0.5], "shape (2,); (3,) is needed"),
            ([0.5, 1.5, 0.1], "position 1 is 1.5"),
            ([0.5, 0.4, np.nan], "position 2 is nan"),
        ],
    )
    def test_what_is_no_probability_is_refused_with_its_position(self, said, expected):
        with pytest.raises(InputError) as refused:
            reliability(Observations([0.1, 0.2, 0.3], [0, 1, 1]), said)
        assert expected in str(refused.value)

    def test_one_pair_is_refused(self):
        with pytest.raises(InputError, match="at least 2"):
            reliability(Observations([0.1], [1]), [0.5])

    @pytest.mark.parametrize("labels", [[0, 0, 0, 0], [1, 1, 1, 1]])
    def test_one_class_is_an_answer(self, labels):
        found = reliability(Observations([0.1, 0.2, 0.3, 0.4], labels), [0.2, 0.4, 0.6, 0.8], n_resamples=20)
        assert found.bins["seen"].tolist() == [labels[0]]

    def test_a_pair_that_was_called_impossible_leaves_the_other_figures_finite(self):
        found = reliability(
            Observations([0.1, 0.2, 0.3, 0.4], [1, 0, 1, 1]), [0, 0.2, 0.6, 1], n_resamples=50
        )
        assert found.log_loss.value == np.inf
        assert np.isfinite([found.brier.value, found.brier.low, found.brier.high, found.ece.high]).all()
        json.dumps(found.to_dict(), allow_nan=False)


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed):
    observations, said = right_and_said(120, n_jds=20)
    order = np.random.default_rng(seed).permutation(120)
    one = reliability(observations, said, n_resamples=20)
    other = reliability(observations.subset(order), said[order], n_resamples=20)
    assert one.to_dict() == other.to_dict()


def test_a_weight_of_two_is_a_pair_twice():
    observations, said = right_and_said(200)
    twice = np.repeat(np.arange(200), 2)
    weighted = reliability(observations.with_weights(np.full(200, 2.0)), said, n_resamples=20)
    doubled = reliability(observations.subset(twice), said[twice], n_resamples=20)
    assert weighted.brier.value == pytest.approx(doubled.brier.value)
    assert weighted.ece.value == pytest.approx(doubled.ece.value)
    np.testing.assert_allclose(weighted.curve["seen"], doubled.curve["seen"])


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_page_has_the_summary_and_a_row_a_bin_in_the_language_now(found, code):
    with language(code):
        html = found._repr_html_()
        assert found.summary()[:20] in html
    assert ("失准" in html) == (code == "zh")
    assert html.count("<tr") == found.n_bins + 1


@pytest.mark.slow
@pytest.mark.parametrize("n_jds", [None, 60])
def test_right_probabilities_are_called_off_in_at_most_5_percent_of_cases(n_jds):
    """300 sets of 300 pairs; where JDs are shared, the luck of a JD's pairs is shared too."""
    rng = np.random.default_rng(2)
    p_values, held = [], 0
    for seed in range(300):
        said = rng.uniform(0.05, 0.95, 300)
        jds = np.arange(300) % (n_jds or 300)
        luck = rng.standard_normal(300)
        if n_jds:
            luck = np.sqrt(0.4) * rng.standard_normal(n_jds)[jds] + np.sqrt(0.6) * luck
        labels = stats.norm.cdf(luck) < said
        found = reliability(Observations(said, labels, clusters=jds), said, n_resamples=200, seed=seed)
        p_values.append(found.p_right)
        held += found.ece.low <= 0.0
    called_off = np.mean(np.array(p_values) <= 0.05)
    # 5 % and three standard errors of the simulation; with few JDs the correlation is itself a guess.
    assert called_off <= (0.09 if n_jds is None else 0.12), called_off
    assert held / 300 >= 0.93, held / 300


def test_many_pairs_drawn_together_vary_as_they_do_one_by_one(monkeypatch):
    rng = np.random.default_rng(3)
    true = rng.beta(1, 2, 6000)
    labels = rng.random(6000) < true
    pairs, said = Observations(true, labels), np.clip(true * 1.05, 0.001, 0.999)
    together = reliability(pairs, said)
    monkeypatch.setattr("workbench.calibration.bootstrap.POOL_FROM", 10**9)
    one_by_one = reliability(pairs, said)
    for name in ("ece", "brier", "log_loss"):
        ours, theirs = getattr(together, name), getattr(one_by_one, name)
        assert ours.value == theirs.value
        width = theirs.high - theirs.low
        assert abs(ours.low - theirs.low) < 0.15 * width
        assert abs(ours.high - theirs.high) < 0.15 * width
    assert together.ece_if_right == pytest.approx(one_by_one.ece_if_right, rel=0.05)
    assert together.p_right == pytest.approx(one_by_one.p_right, abs=0.05)
    for end in ("consistent_low", "consistent_high"):
        np.testing.assert_allclose(together.bins[end], one_by_one.bins[end], atol=0.01)


def test_curves_of_many_pairs_spread_as_those_of_single_draws(monkeypatch):
    rng = np.random.default_rng(4)
    scores = rng.random(6000)
    pairs = Observations(scores, rng.random(6000) < scores)
    together = draw_curves(pairs, n_curves=300)
    monkeypatch.setattr("workbench.calibration.bootstrap.POOL_FROM", 10**9)
    one_by_one = draw_curves(pairs, n_curves=300)
    np.testing.assert_array_equal(together.fitted, one_by_one.fitted)
    # Standard deviations of 300 draws are known to 4 %, their means to a 17th of one.
    spread = one_by_one.drawn.std(axis=0)
    np.testing.assert_allclose(together.drawn.std(axis=0), spread, rtol=0.25)
    assert (abs(together.drawn.mean(axis=0) - one_by_one.drawn.mean(axis=0)) < 0.4 * spread + 1e-6).all()


def test_bands_of_many_pairs_that_share_jds_are_those_of_labels_drawn_one_by_one():
    rng = np.random.default_rng(5)
    n, jds = 6_000, np.arange(6_000) % 40
    said = rng.uniform(0.02, 0.98, n)
    luck = np.where(rng.random(n) < 0.6, rng.random(40)[jds], rng.random(n))
    pairs = Observations(said, luck < said, clusters=jds)
    bins = reliability(pairs, said, n_resamples=2_000).bins
    shared = np.sqrt(within_cluster_correlation(pairs, standard_errors=0.0))
    assert 0.4 < shared < 0.8
    in_bin = equal_mass_bins(said)
    seen = np.empty((len(bins), 2_000))
    for draw in range(2_000):
        luck = np.where(rng.random(n) < shared, rng.random(40)[jds], rng.random(n))
        seen[:, draw] = np.bincount(in_bin, luck < said) / np.bincount(in_bin)
    low, high = np.quantile(seen, [0.025, 0.975], axis=1)
    wide = high - low
    # Quantiles of 2,000 draws waver by about 2 % of the width of a band.
    assert np.abs(bins["consistent_low"] - low).max() < 0.08 * wide.max()
    assert np.abs(bins["consistent_high"] - high).max() < 0.08 * wide.max()
    # Bands of pairs drawn apart are narrower than this in every bin.
    assert wide.max() > 1.5 * 3.92 * np.sqrt(0.25 / np.bincount(in_bin).min())
