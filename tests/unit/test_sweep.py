"""Every figure at every cutoff, against scikit-learn; undefined is NaN; reweighting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from workbench.calibration import Costs, Observations, count, figures_at, live_weights, sweep
from workbench.calibration.figures import FIGURES, figure
from workbench.errors import InputError

SCORES = st.integers(-4, 4).map(lambda value: value / 4)
PAIRS = st.lists(st.tuples(SCORES, st.integers(0, 1)), min_size=1, max_size=30)
BOTH_CLASSES = PAIRS.map(lambda pairs: [*pairs, (0.25, 1), (-0.25, 0)])


def simulated(n=300, seed=0, prevalence=0.4):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < prevalence).astype(int)
    return np.where(labels, rng.beta(6, 4, n), rng.beta(3, 6, n)).round(2), labels


class TestAgainstScikitLearn:
    @given(BOTH_CLASSES)
    def test_precision_and_recall_are_its_curve(self, pairs):
        scores, labels = np.array(pairs).T
        frame = sweep(scores, labels)
        precision, recall, _ = metrics.precision_recall_curve(labels, scores)
        # Its last point is a convention for "nothing above", which is undefined here.
        np.testing.assert_allclose(frame["precision"][:-1], precision[:-1])
        np.testing.assert_allclose(frame["recall"], recall)
        assert np.isnan(frame["precision"].iloc[-1])

    @given(BOTH_CLASSES)
    def test_recall_and_specificity_are_its_roc_curve(self, pairs):
        scores, labels = np.array(pairs).T
        frame = sweep(scores, labels)
        fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
        np.testing.assert_allclose(frame["recall"], tpr[::-1])
        np.testing.assert_allclose(1 - frame["specificity"], fpr[::-1], atol=1e-12)

    @pytest.mark.slow
    @given(BOTH_CLASSES, st.sampled_from([0.5, 1.0, 2.0]), st.integers(1, 5))
    def test_the_other_figures_are_its_scores(self, pairs, beta, weight):
        scores, labels = np.array(pairs).T
        weights = 1 + weight * (np.arange(len(scores)) % 3)
        frame = sweep(scores, labels, weights=weights, beta=beta)
        for row in frame.itertuples():
            above = scores > row.cutoff
            given_weights = {"sample_weight": weights}
            assert row.f_beta == pytest.approx(
                metrics.fbeta_score(labels, above, beta=beta, zero_division=0, **given_weights)
            )
            assert row.accuracy == pytest.approx(metrics.accuracy_score(labels, above, **given_weights))
            youden = metrics.balanced_accuracy_score(labels, above, adjusted=True, **given_weights)
            assert row.youden == pytest.approx(youden)


def test_the_false_omission_rate_is_the_share_of_matches_at_or_below():
    scores, labels = simulated()
    for row in sweep(scores, labels).itertuples():
        below = labels[scores <= row.cutoff]
        assert row.n_below == len(below)
        if len(below):
            assert row.false_omission_rate == pytest.approx(below.mean())


def test_missed_share_and_miss_rate_are_different_figures():
    frame = sweep([0.9, 0.8, 0.2, 0.1, 0.1, 0.1], [1, 1, 1, 0, 0, 0], cutoffs=[0.5])
    assert frame["false_omission_rate"].item() == 1 / 4  # of four below, one is a match
    assert frame["miss_rate"].item() == pytest.approx(1 / 3)  # of three matches, one is below


def test_cost_is_what_both_kinds_of_error_cost_a_pair():
    frame = sweep([0.9, 0.8, 0.2, 0.1], [1, 0, 1, 0], cutoffs=[0.5], costs=Costs(2, 10))
    assert frame["cost"].item() == (2 + 10) / 4


def test_what_is_undefined_is_nan_never_0_or_1():
    frame = sweep([0.2, 0.8], [0, 1])
    assert np.isnan(frame["false_omission_rate"].iloc[0])
    assert np.isnan(frame["false_omission_rate_low"].iloc[0])
    assert np.isnan(frame["precision"].iloc[-1])
    one_class = sweep([0.2, 0.8], [0, 0])
    assert one_class[["recall", "miss_rate", "youden"]].isna().all().all()
    assert (one_class["precision"][:-1] == 0).all()


def test_intervals_are_wilsons_on_the_pairs_of_each_side():
    scores, labels = simulated()
    frame = sweep(scores, labels, confidence=0.9)
    for row in frame.iloc[:-1].itertuples():
        expected = proportion_confint(row.tp, row.n_above, 0.1, method="wilson")
        assert (row.precision_low, row.precision_high) == pytest.approx(expected)
        expected = proportion_confint(row.tp, labels.sum(), 0.1, method="wilson")
        assert (row.recall_low, row.recall_high) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["precision", "false_omission_rate"])
def test_at_a_live_prevalence_intervals_are_wilsons_carried_over_by_odds(name):
    scores, labels = simulated()
    here, live = sweep(scores, labels), sweep(scores, labels, prevalence=0.1)
    factor = (0.1 / 0.9) / (labels.mean() / (1 - labels.mean()))
    for end in ("", "_low", "_high"):
        share = here[name + end].to_numpy()
        np.testing.assert_allclose(live[name + end], factor * share / (1 - share + factor * share))
    at = figures_at(Observations(scores, labels), 0.452, prevalence=0.1, n_resamples=20)[name]
    row = live.iloc[np.searchsorted(live["cutoff"], 0.452)]
    assert (at.value, at.low, at.high) == pytest.approx((row[name], row[f"{name}_low"], row[f"{name}_high"]))


@given(BOTH_CLASSES)
def test_weights_of_two_equal_duplicated_rows(pairs):
    scores, labels = np.array(pairs).T
    weighted = sweep(scores, labels, weights=np.full(len(scores), 2))
    doubled = sweep(np.repeat(scores, 2), np.repeat(labels, 2))
    pd.testing.assert_frame_equal(weighted[["tp", "fp", *FIGURES]], doubled[["tp", "fp", *FIGURES]])


def test_equal_weights_do_not_make_pairs_more_than_they_are():
    scores, labels = simulated()
    plain, weighted = sweep(scores, labels), sweep(scores, labels, weights=np.full(len(scores), 7.0))
    np.testing.assert_allclose(plain["precision_low"], weighted["precision_low"])


@given(BOTH_CLASSES, st.sampled_from([np.exp, lambda s: s**3 + 5 * s, lambda s: 0.1 * s - 0.3]))
def test_a_monotone_transformation_changes_cutoffs_and_nothing_else(pairs, transform):
    scores, labels = np.array(pairs).T
    before, after = sweep(scores, labels), sweep(transform(scores), labels)
    pd.testing.assert_frame_equal(before.drop(columns="cutoff"), after.drop(columns="cutoff"))


def test_settings_and_prevalence_stay_with_the_frame():
    scores, labels = simulated()
    noted = sweep(scores, labels, prevalence=0.1).attrs["calibration"]
    assert noted["prevalence"] == pytest.approx(0.1)


def test_figures_at_a_cutoff_that_ties_with_scores_take_these_for_no_matches():
    scores, labels = np.array([0.1, 0.4, 0.4, 0.4, 0.7, 0.9]), np.array([0, 0, 0, 1, 1, 1])
    found = figures_at(Observations(scores, labels), 0.4, n_resamples=20)
    said = scores > 0.4
    assert found["precision"].value == metrics.precision_score(labels, said) == 1
    assert found["recall"].value == pytest.approx(metrics.recall_score(labels, said))
    assert found["specificity"].value == metrics.recall_score(1 - labels, ~said) == 1
    assert found["false_omission_rate"].value == 0.25
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(labels, said))
    assert found["share_selected"].value == pytest.approx(2 / 6)
    assert found["f_beta"].value == pytest.approx(metrics.f1_score(labels, said))


@pytest.mark.parametrize("prevalence", [0.02, 0.3, 0.8])
def test_figures_at_a_live_prevalence_are_those_of_a_set_with_that_prevalence(prevalence):
    # Rows repeated so often that the classes have the live shares: the same scores within each class.
    scores, labels = simulated(n=200)
    matches, others = labels.sum(), (1 - labels).sum()
    live = np.where(labels, prevalence / matches, (1 - prevalence) / others)
    repeats = np.round(live * 2e6).astype(int)
    expected = sweep(np.repeat(scores, repeats), np.repeat(labels, repeats))
    ours = sweep(scores, labels, prevalence=prevalence)
    np.testing.assert_allclose(ours[list(FIGURES)], expected[list(FIGURES)], atol=1e-3)


def test_the_interval_at_a_live_prevalence_covers_what_it_should():
    """Precision at a live prevalence of 10 %, from sets with 40 % matches, in 300 repetitions."""
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    cutoff, distance = 1.2, 1.8
    tpr, fpr = norm.sf(cutoff - distance), norm.sf(cutoff)
    truth = 0.1 * tpr / (0.1 * tpr + 0.9 * fpr)
    covered = 0
    for _ in range(300):
        labels = rng.random(400) < 0.4
        row = sweep(rng.normal(size=400) + distance * labels, labels, prevalence=0.1, cutoffs=[cutoff]).iloc[
            0
        ]
        covered += row["precision_low"] <= truth <= row["precision_high"]
    assert covered >= 0.92 * 300


def test_an_unknown_figure_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="there are precision"):
        figure("preciison", *np.ones((4, 1)))  # type: ignore[arg-type]


def test_costs_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="costs"):
        Costs(-1, 1)


def test_the_weighted_prevalence_of_a_stratified_sample_is_that_of_the_population():
    rng = np.random.default_rng(0)
    population = pd.DataFrame({"stratum": np.repeat(["near", "far"], [1000, 9000])})
    population["label"] = rng.random(10_000) < np.where(population["stratum"] == "near", 0.5, 0.02)
    sample = population.groupby("stratum").sample(800, random_state=0)
    # Pairs in the stratum over pairs labelled of it.
    weights = sample["stratum"].map({"near": 1000 / 800, "far": 9000 / 800})
    observed = Observations(rng.random(1600), sample["label"], weights).prevalence
    assert observed == pytest.approx(population["label"].mean(), abs=0.015)


class TestLiveScores:
    def labelled(self, n=2000):
        """Uniform over scores; the chance of a match is the score."""
        rng = np.random.default_rng(0)
        scores = rng.random(n)
        return Observations(scores, rng.random(n) < scores)

    def test_weighted_prevalence_is_that_of_live_pairs(self):
        live = np.random.default_rng(1).beta(2, 6, 5000)
        found = live_weights(self.labelled(), live)
        assert found.apply(self.labelled()).prevalence == pytest.approx(live.mean(), abs=0.03)

    def test_live_pairs_like_the_labelled_ones_leave_weights_alike(self):
        observations = self.labelled()
        np.testing.assert_allclose(live_weights(observations, observations.scores).weights, 1, atol=0.02)

    def test_sampling_weights_are_kept_and_adjusted(self):
        observations = self.labelled()
        weights = np.where(observations.scores < 0.5, 3.0, 1.0)
        found = live_weights(observations.with_weights(weights), observations.scores)
        shares = [np.average(observations.scores < 0.5, weights=w) for w in (weights, found.weights)]
        assert shares == pytest.approx([0.75, 0.5], abs=0.03)

    def test_says_how_many_live_scores_no_label_speaks_for(self):
        found = live_weights(Observations([0.4, 0.5, 0.6] * 20, [0, 1, 1] * 20), [0.1, 0.2, 0.5, 0.9])
        assert found.share_outside == 0.75

    def test_pairs_whose_scores_do_not_occur_live_are_counted(self):
        observations = self.labelled()
        found = live_weights(observations, np.linspace(0, 0.45, 100))
        assert found.n_unused == int((found.weights == 0).sum()) > 800

    @pytest.mark.parametrize("live", [[], [0.1, np.nan], ["a"]])
    def test_scores_that_are_none_are_refused(self, live):
        with pytest.raises(InputError, match="live"):
            live_weights(self.labelled(50), live)


def test_counting_and_weighting_agree_on_prevalence():
    scores, labels = simulated()
    observations = Observations(scores, labels, np.where(labels, 1.0, 3.0))
    assert count(observations).prevalence == pytest.approx(observations.prevalence)
