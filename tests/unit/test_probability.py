"""From score to probability: bounds that hold, and a table that a card keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from workbench.calibration import MatchProbability, Observations, fit_probability
from workbench.calibration.probability_bounds import (
    MIDDLE,
    critical_value,
    cross_fitted,
    information_per_weight,
    intervals,
    monotone_intervals,
)
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import chance, language
from workbench.retrieval.hits import hit_probabilities

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def pairs(n=400, seed=0, n_jds=None, slope=9.0) -> Observations:
    """Cosine-like scores whose probability of a match is a sigmoid around 0.5."""
    rng = np.random.default_rng(seed)
    scores = np.clip(0.45 + 0.18 * rng.standard_normal(n), -0.9, 0.95)
    labels = rng.random(n) < expit(slope * (scores - 0.5))
    return Observations(scores, labels, clusters=None if n_jds is None else rng.integers(0, n_jds, n))


def best_loss(of_match, of_other, through=None, position=None) -> float:
    """Least negative log likelihood of rising probabilities, one of them fixed, by a general optimiser."""
    k = len(of_match)

    def loss(p):
        return -(of_match * np.log(p) + of_other * np.log(1 - p)).sum()

    rising = [{"type": "ineq", "fun": lambda p: np.diff(p)}]
    if position is not None:
        rising.append({"type": "eq", "fun": lambda p: p[position] - through})
    start = np.linspace(0.3, 0.7, k)
    found = minimize(
        loss, start, method="SLSQP", bounds=[(1e-9, 1 - 1e-9)] * k, constraints=rising, tol=1e-12
    )
    assert found.success
    return float(found.fun)


class TestBounds:
    MATCHES = np.array([1.0, 0, 3, 2, 2, 6, 4])
    OTHERS = np.array([4.0, 6, 3, 4, 1, 2, 0])

    @pytest.mark.parametrize("position", [1, 3, 5])
    def test_at_their_ends_the_likelihood_ratio_is_the_critical_value(self, position):
        low, high = monotone_intervals(self.MATCHES, self.OTHERS, np.array([position]), 0.9)[0, :, 0]
        free = best_loss(self.MATCHES, self.OTHERS)
        total = self.MATCHES + self.OTHERS
        below = total[:position].sum() + total[position] / 2
        odds = below / (total.sum() - below)
        for end, ratio in ((low, odds), (high, 1 / odds)):
            lost = 2 * (best_loss(self.MATCHES, self.OTHERS, end, position) - free)
            assert lost == pytest.approx(critical_value(ratio, 0.05), abs=0.03)

    def test_one_score_for_all_is_one_share_and_gets_an_interval_about_as_clopper_and_pearson_say(self):
        low, high = monotone_intervals(np.array([30.0]), np.array([70.0]), np.array([0]), 0.95)[0, :, 0]
        exact = binomtest(30, 100).proportion_ci(0.95)
        assert low == pytest.approx(exact.low, abs=0.03)
        assert high == pytest.approx(exact.high, abs=0.03)

    def test_they_are_nested_and_rise(self):
        ends = monotone_intervals(self.MATCHES, self.OTHERS, np.arange(7), 0.5, 0.9, 0.99)
        assert (np.diff(ends) >= 0).all()
        assert (np.diff(ends[:, 0], axis=0) <= 0).all()
        assert (np.diff(ends[:, 1], axis=0) >= 0).all()

    def test_turned_round_they_are_turned_round(self):
        ends = monotone_intervals(self.MATCHES, self.OTHERS, np.arange(7), 0.9)[0]
        turned = monotone_intervals(self.OTHERS[::-1], self.MATCHES[::-1], np.arange(7), 0.9)[0]
        np.testing.assert_allclose(turned, 1 - ends[::-1, ::-1], atol=1e-9)

    def test_the_best_curve_lies_within(self):
        observations = pairs(300)
        scores, (ends,) = intervals(observations, 0.5)
        best = IsotonicRegression().fit(observations.scores, observations.labels).predict(scores)
        assert (ends[0] <= best + 1e-9).all()
        assert (best <= ends[1] + 1e-9).all()

    def test_a_jd_that_repeats_itself_is_one_pair(self):
        observations = pairs(200)
        scores, labels = (np.repeat(each, 10) for each in (observations.scores, observations.labels))
        by_jd = Observations(scores, labels, clusters=np.repeat(np.arange(200), 10))
        assert information_per_weight(observations) == 1
        assert information_per_weight(by_jd) == pytest.approx(0.1, rel=0.05)
        np.testing.assert_allclose(intervals(by_jd, 0.9)[1], intervals(observations, 0.9)[1], atol=0.02)

    def test_jds_without_any_error_are_not_taken_for_independent_pairs(self):
        scores = np.linspace(0, 1, 200)
        by_jd = Observations(scores, scores > 0.5, clusters=np.arange(200) // 10)
        assert information_per_weight(by_jd) < 0.15

    def test_unequal_weights_count_as_kish_says(self):
        rng = np.random.default_rng(0)
        weights = rng.exponential(size=5000)
        weighted = pairs(5000).with_weights(weights)
        size = weights.sum() ** 2 / (weights**2).sum()
        assert information_per_weight(weighted) == pytest.approx(size / 5000, abs=0.05)


class TestCrossFitting:
    def test_a_jd_gets_its_probabilities_from_the_others(self):
        observations = pairs(300, n_jds=2)
        found = cross_fitted(observations)
        for jd in (0, 1):
            here = observations.clusters == jd
            scores, (ends,) = intervals(observations.subset(~here), MIDDLE)
            expected = np.interp(observations.scores[here], scores, ends.mean(axis=0))
            np.testing.assert_allclose(found[here], expected)

    def test_the_order_of_rows_changes_nothing(self):
        observations = pairs(120, 3, n_jds=20)
        order = np.random.default_rng(1).permutation(120)
        assert (cross_fitted(observations)[order] == cross_fitted(observations.subset(order))).all()

    def test_without_jds_a_pair_is_not_fitted_to_itself(self):
        observations = pairs(60)
        said = fit_probability(observations).predict(observations.scores)
        found = cross_fitted(observations, n_folds=60)
        assert log_loss(observations.labels, found) > log_loss(observations.labels, said)

    def test_two_matches_are_needed(self):
        with pytest.raises(InputError, match="These 4 pairs hold 1 match only; at least 2 are needed"):
            cross_fitted(Observations([0.1, 0.2, 0.3, 0.9], [0, 0, 0, 1]))


class TestTheTable:
    def test_beyond_the_labelled_scores_one_end_is_open_and_it_says_that_it_guesses(self):
        model = fit_probability(pairs())
        assert model.predict([-1.0])[0] == model.probability[0]
        below, above = model.probability_of_match(-1.0), model.probability_of_match(1.0)
        assert (below.low, below.high) == (0, model.high[0])
        assert (above.low, above.high) == (model.low[-1], 1)
        said = [model.phrase(score) for score in (-1.0, 0.5, 1.0)]
        assert ["a guess beyond all labelled scores" in each for each in said] == [True, False, True]
        with language("zh"):
            assert "仅为推测" in model.phrase(1.0)

    def test_a_hit_can_say_it(self):
        table = np.array([0.0, 1.0])
        model = MatchProbability(table, table, table - 0.04, table + 0.03, 0.95, 0.4, 10, 4, "pair", table)
        assert model.phrase(0.94) == "0.9400, about 94 % (90–97)"
        with language("zh"):
            assert model.phrase(0.94) == "0.9400，约 94%（90–97）"
        assert model.phrase(0.995) == "0.9950, about 99.5 % (96–>99.9)"
        assert str(model.probability_of_match(0.94)) == "94.0 % (90.0–97.0)"

    @pytest.mark.parametrize(
        ("ends", "said", "in_chinese"),
        [
            ((0.4, 0.97), "between 40 and 97 %: few labels there", "40% 到 97% 之间：那里标注少"),
            ((0.55, 1.0), "at least 55 %: few labels there", "至少 55%：那里标注少"),
            ((0.0, 0.45), "at most 45 %: few labels there", "至多 45%：那里标注少"),
            ((0.001, 0.999), "unknown: hardly any labels there", "未知：那里几乎没有标注"),
        ],
    )
    def test_where_the_interval_is_wide_only_its_ends_are_said(self, ends, said, in_chinese):
        assert chance(0.5, *ends) == said
        with language("zh"):
            assert chance(0.5, *ends) == in_chinese

    def test_a_search_reads_it_from_a_card_to_the_last_digit(self, tmp_path):
        model = fit_probability(pairs(n_jds=40))
        card = Cutoff(0.5, "use", "abc", {"probability": model.to_dict()})
        read = Cutoff.load(card.save(tmp_path / "card.json"))
        scores = np.linspace(-1, 1, 501)
        found = hit_probabilities(read, scores.tolist())
        assert [each["value"] for each in found] == model.predict(scores).tolist()
        for end in ("low", "high"):
            assert [each[end] for each in found] == [
                getattr(model.probability_of_match(score), end) for score in scores
            ]
        kept = read.evidence["probability"]
        assert (kept["n"], kept["by"]) == (400, "cluster")
        assert kept.keys() == vars(model).keys() - {"cross_fitted"}

    def test_a_score_that_is_no_number_is_refused(self):
        with pytest.raises(InputError, match="finite number"):
            fit_probability(pairs()).probability_of_match(float("nan"))


class TestPrevalence:
    def test_odds_are_multiplied_as_bayes_says(self):
        observations = pairs(n_jds=50)
        as_labelled, live = (fit_probability(observations, prevalence=share) for share in (None, 0.1))
        factor = (0.1 / 0.9) / (observations.prevalence / (1 - observations.prevalence))
        for end in ("probability", "low", "high"):
            odds = getattr(as_labelled, end) / (1 - getattr(as_labelled, end) + 1e-15) * factor
            np.testing.assert_allclose(getattr(live, end), odds / (1 + odds), atol=2e-6)
        assert (as_labelled.prevalence, live.prevalence) == (observations.prevalence, 0.1)

    def test_percent_are_refused_with_what_to_do(self):
        with pytest.raises(InputError, match="percent must be divided by 100"):
            fit_probability(pairs(), prevalence=5)

    def test_it_is_that_of_pairs_drawn_anew_with_that_share(self):
        """Scores of matches and of others stay as they were; their numbers change."""
        rng = np.random.default_rng(0)
        n = 400_000
        labels = rng.random(n) < 0.5
        scores = np.where(labels, 0.6, 0.4) + 0.12 * rng.standard_normal(n)
        model = fit_probability(Observations(scores[:20_000], labels[:20_000]))
        live = rng.random(n) < np.where(labels, 0.05 / 0.95, 1.0)
        near = live & (np.abs(scores - 0.62) < 0.01)
        found = model.at_prevalence(labels[live].mean()).probability_of_match(0.62)
        assert found.value == pytest.approx(labels[near].mean(), abs=0.02)
        assert found.low < labels[near].mean() < found.high

    def test_an_interval_of_it_widens_that_of_the_probability(self):
        model = fit_probability(pairs())
        found, least, most = (
            model.at_prevalence(*each).probability_of_match(0.5) for each in ([0.1], [0.05], [0.2])
        )
        widened = model.at_prevalence(0.1, between=(0.05, 0.2)).probability_of_match(0.5)
        assert (widened.value, widened.low, widened.high) == (found.value, least.low, most.high)
        unknown = model.at_prevalence(0.1, between=(0, 1)).probability_of_match(0.5)
        assert (unknown.low, unknown.high) == (0, 1)

    def test_there_and_back_is_where_one_was(self):
        model = fit_probability(pairs())
        back = model.at_prevalence(0.3).at_prevalence(model.prevalence)
        np.testing.assert_allclose(back.probability, model.probability, atol=2e-5)

    def test_a_prevalence_outside_its_own_interval_is_refused(self):
        with pytest.raises(InputError, match=r"10\.0 % is outside its own interval, 20\.0 % to 30\.0 %"):
            fit_probability(pairs()).at_prevalence(0.1, between=(0.2, 0.3))


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_tables_rise_and_hold_their_estimate(seed):
    model = fit_probability(pairs(80, seed, n_jds=15))
    for table in (model.probability, model.low, model.high):
        assert (np.diff(table) >= 0).all()
    assert (model.low <= model.probability).all()
    assert (model.probability <= model.high).all()
    assert ((model.probability > 0) & (model.probability < 1)).all()


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed):
    observations = pairs(120, 3, n_jds=20)
    order = np.random.default_rng(seed).permutation(120)
    one, other = (fit_probability(each) for each in (observations, observations.subset(order)))
    assert one.to_dict() == other.to_dict()


def test_only_ratios_of_weights_matter():
    observations = pairs(200).with_weights(np.random.default_rng(0).uniform(1, 3, 200))
    one, other = (
        fit_probability(each)
        for each in (observations, observations.with_weights(1000 * observations.weights))
    )
    np.testing.assert_allclose(one.probability, other.probability, atol=2e-6)
    np.testing.assert_allclose(one.low, other.low, atol=2e-6)


@pytest.mark.parametrize(
    ("observations", "options", "said"),
    [
        (Observations([0.1, 0.2, 0.3], [1, 1, 1]), {}, "All 3 pairs are labelled as a match"),
        (pairs(50), {"confidence": 95}, "percent must be divided by 100"),
        (Observations([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1], clusters=["a"] * 4), {}, "hold 1 JD only"),
    ],
)
def test_what_cannot_be_fitted_is_refused(observations, options, said):
    with pytest.raises(InputError, match=said):
        fit_probability(observations, **options)


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_summary_has_the_numbers(code):
    with language(code):
        said = fit_probability(pairs(n_jds=50)).summary()
    for number in ("400", "95", "JD"):
        assert number in said


@pytest.fixture
def simulated(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return pytest.importorskip("simulating.match_probability")


@pytest.mark.parametrize("truth", ["plateau", "logistic"])
def test_intervals_hold_the_true_probability(simulated, truth):
    found = simulated.coverage(simulated.TRUTHS[truth], 200, by_jd=False, runs=15, seed=1)
    assert found["held"] > 0.92
    assert found["width"] < 0.4
    assert abs(found["bias, worst tenth"]) < 0.17


@pytest.mark.slow
@pytest.mark.parametrize("by_jd", [False, True])
def test_intervals_hold_every_true_probability_in_every_part_of_the_scores(simulated, by_jd):
    """90 % intervals; the worst tenth of the scores is that around a jump from 0.1 to 0.8."""
    for name, truth in simulated.TRUTHS.items():
        found = simulated.coverage(truth, 500, by_jd=by_jd, runs=60, seed=2)
        assert found["held"] > 0.93, (name, found)
        assert found["worst tenth"] > 0.85, (name, found)
        assert abs(found["bias, worst tenth"]) < 0.13, (name, found)


@pytest.mark.slow
def test_critical_values_are_those_of_luck_alone(simulated):
    for row in simulated.critical_values(1500, 0)[1:]:
        for tail in (0.05, 0.025, 0.005):
            assert row[f"tail {tail}, formula"] == pytest.approx(row[f"tail {tail}, simulated"], rel=0.15)
