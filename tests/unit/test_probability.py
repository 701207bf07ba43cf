"""From score to probability: known curves, honest intervals, and a table that a card keeps."""

from __future__ import annotations

import betacal
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from workbench.calibration import MatchProbability, Observations, fit_probability
from workbench.calibration.probability_curves import METHODS, Cells, CrossFit, cross_fit, fitted
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import language
from workbench.retrieval.hits import hit_probabilities


def pairs(n=400, seed=0, n_jds=None, slope=9.0) -> Observations:
    """Cosine-like scores whose probability of a match is a sigmoid around 0.5."""
    rng = np.random.default_rng(seed)
    scores = np.clip(0.45 + 0.18 * rng.standard_normal(n), -0.9, 0.95)
    labels = rng.random(n) < expit(slope * (scores - 0.5))
    return Observations(scores, labels, clusters=None if n_jds is None else rng.integers(0, n_jds, n))


def curve(method: str, observations: Observations, at) -> np.ndarray:
    """Fitted to the pairs, read at some scores."""
    cells = Cells.of(observations)
    return fitted(method, cells.scores, cells.of_match[:, None], cells.of_other[:, None], np.asarray(at))[0]


def alone(method: str, scores, of_match, of_other, at) -> np.ndarray:
    """One curve as scikit-learn fits it to Platt's targets, a row of each class for every score."""
    some = of_match + of_other > 0
    scores, of_match, of_other = scores[some], of_match[some], of_other[some]
    high, low = (of_match.sum() + 1) / (of_match.sum() + 2), 1 / (of_other.sum() + 2)
    weight = of_match + of_other
    if method == "isotonic":
        steps = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip")
        return steps.fit(scores, of_match / weight, sample_weight=weight).predict(at)

    def features(x):
        u = np.clip((1 + x) / 2, 1e-3, 1 - 1e-3)
        return x[:, None] if method == "sigmoid" else np.column_stack([np.log(u), -np.log1p(-u)])

    rows, where = features(scores), features(at)
    where, rows = (
        (where - rows.mean(axis=0)) / rows.std(axis=0),
        (rows - rows.mean(axis=0)) / rows.std(axis=0),
    )
    kept = list(range(rows.shape[1]))
    while kept:
        model = LogisticRegression(C=1e10, solver="newton-cholesky", tol=1e-8, max_iter=200).fit(
            np.concatenate([rows[:, kept], rows[:, kept]]),
            np.repeat([1, 0], len(rows)),
            sample_weight=np.r_[
                of_match * high + of_other * low, of_match * (1 - high) + of_other * (1 - low)
            ],
        )
        falling = np.flatnonzero(model.coef_[0] < 0)
        if not len(falling):
            return model.predict_proba(where[:, kept])[:, 1]
        kept.pop(falling[0])
    return np.full(len(at), (of_match * high + of_other * low).sum() / weight.sum())


class ScoreAsItIs(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose decision function is its one feature."""

    classes_ = np.array([0, 1])

    def fit(self, x, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def decision_function(self, x):
        return np.asarray(x)[:, 0]

    def predict(self, x):
        return (self.decision_function(x) > 0).astype(int)


class TestCurves:
    AT = np.linspace(-0.05, 0.95, 60)

    def test_the_sigmoid_is_platts_as_scikit_learn_fits_it(self):
        observations = pairs()
        peer = CalibratedClassifierCV(FrozenEstimator(ScoreAsItIs()), method="sigmoid", ensemble=False)
        peer.fit(observations.scores[:, None], observations.labels)
        expected = peer.predict_proba(self.AT[:, None])[:, 1]
        np.testing.assert_allclose(curve("sigmoid", observations, self.AT), expected, atol=2e-4)

    def test_beta_is_that_of_kull_silva_filho_and_flach(self):
        observations = pairs(20_000)
        peer = betacal.BetaCalibration("abm").fit((1 + observations.scores) / 2, observations.labels)
        expected = peer.predict((1 + self.AT) / 2)
        # Theirs has no smoothed targets; with so many pairs that makes no difference that matters.
        np.testing.assert_allclose(curve("beta", observations, self.AT), expected, atol=2e-3)

    def test_isotonic_is_scikit_learns_kept_within_platts_targets(self):
        observations = pairs()
        matches = observations.labels.sum()
        others = len(observations) - matches
        plain = IsotonicRegression(out_of_bounds="clip").fit(observations.scores, observations.labels)
        expected = np.clip(plain.predict(self.AT), 1 / (others + 2), (matches + 1) / (matches + 2))
        np.testing.assert_allclose(curve("isotonic", observations, self.AT), expected, atol=1e-9)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("low", [-0.9, 0.1, 0.8])
    def test_many_fits_at_once_are_single_fits_of_scikit_learn(self, method, low):
        rng = np.random.default_rng(1)
        scores = np.sort(rng.uniform(low, low + 0.15, 200))
        labels = rng.random(200) < np.linspace(0.05, 0.95, 200)
        times = rng.multinomial(200, np.full(200, 1 / 200), 8).T.astype(float)
        matches, others = times * labels[:, None], times * ~labels[:, None]
        at = np.linspace(low, low + 0.15, 40)
        many = fitted(method, scores, matches, others, at)
        one_by_one = [alone(method, scores, m, o, at) for m, o in zip(matches.T, others.T, strict=True)]
        np.testing.assert_allclose(many, one_by_one, atol=1e-6)

    @pytest.mark.parametrize("method", METHODS)
    def test_classes_that_the_score_parts_give_no_certainty(self, method):
        least, most = curve(method, Observations([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), [0.1, 0.9])
        assert least > 0.2
        assert most < 0.8

    @pytest.mark.parametrize("method", METHODS)
    def test_a_score_that_is_worse_the_higher_it_is_says_the_overall_share(self, method):
        observations = pairs(1000)
        turned = observations.with_scores(-observations.scores)
        np.testing.assert_allclose(
            curve(method, turned, [-0.9, -0.4, 0.1]), observations.prevalence, atol=0.002
        )

    @pytest.mark.parametrize("method", METHODS)
    def test_identical_texts_score_one_and_do_not_outweigh_the_rest(self, method):
        before = pairs(500)
        after = Observations([*before.scores, 1.0], [*before.labels, 1])
        at = [0.3, 0.5, 0.7]
        np.testing.assert_allclose(curve(method, after, at), curve(method, before, at), atol=0.02)


class TestCrossFitting:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_jd_gets_its_probabilities_from_the_others(self, method):
        observations = pairs(300, n_jds=2)
        found = cross_fit(observations, method)
        for jd in (0, 1):
            here = observations.clusters == jd
            expected = curve(method, observations.subset(~here), observations.scores[here])
            np.testing.assert_allclose(found.probability[here], expected, atol=1e-9)

    def test_log_loss_is_scikit_learns(self):
        observations = pairs()
        found = cross_fit(observations, "sigmoid")
        assert found.mean_log_loss == pytest.approx(log_loss(observations.labels, found.probability))

    def test_without_jds_a_pair_is_not_fitted_to_itself(self):
        observations = pairs(60)
        found = cross_fit(observations, "isotonic", n_folds=60)
        said = curve("isotonic", observations, observations.scores)
        assert found.mean_log_loss > log_loss(observations.labels, said)

    def test_two_matches_are_needed(self):
        with pytest.raises(InputError, match="These 4 pairs hold 1 match only; at least 2 are needed"):
            cross_fit(Observations([0.1, 0.2, 0.3, 0.9], [0, 0, 0, 1]), "sigmoid")


class TestTheMethodTaken:
    def test_it_is_the_sigmoid_where_that_is_the_truth(self):
        assert fit_probability(pairs(1000), n_resamples=20).method == "sigmoid"

    def test_it_is_isotonic_where_the_truth_is_a_step(self):
        rng = np.random.default_rng(0)
        scores = rng.uniform(0, 1, 1500)
        labels = rng.random(1500) < np.where(scores > 0.5, 0.8, 0.1)
        model = fit_probability(Observations(scores, labels), n_resamples=20)
        assert model.method == "isotonic"
        assert model.log_loss["isotonic"] < min(model.log_loss["sigmoid"], model.log_loss["beta"])

    def test_scores_that_are_no_cosines_are_not_fitted_with_beta(self):
        observations = pairs()
        moved = observations.with_scores(40 * observations.scores)
        assert set(fit_probability(moved, n_resamples=20).log_loss) == {"sigmoid", "isotonic"}
        with pytest.raises(InputError, match="Beta calibration needs scores from -1 to 1"):
            fit_probability(moved, method="beta")


class TestTheTable:
    @pytest.mark.parametrize("method", METHODS)
    def test_it_says_what_the_fitted_curve_says(self, method):
        observations = pairs()
        model = fit_probability(observations, method=method, n_resamples=20)
        expected = curve(method, observations, observations.scores)
        np.testing.assert_allclose(model.predict(observations.scores), expected, atol=1e-3)

    def test_beyond_the_labelled_scores_it_stays_and_says_that_it_guesses(self):
        model = fit_probability(pairs(), n_resamples=20)
        assert model.predict([-1.0])[0] == model.probability[0]
        said = [model.phrase(score) for score in (-1.0, 0.5, 1.0)]
        assert ["a guess beyond all labelled scores" in each for each in said] == [True, False, True]
        with language("zh"):
            assert "仅为推测" in model.phrase(1.0)

    def test_a_hit_can_say_it(self):
        table = np.array([0.0, 1.0])
        nobody = CrossFit(table, table, 0.0)
        model = MatchProbability(
            "sigmoid", table, table, table - 0.04, table + 0.03, 0.95, 0.4, 10, 4, "pair", {}, nobody
        )
        assert model.phrase(0.94) == "0.9400, about 94 % (90–97)"
        with language("zh"):
            assert model.phrase(0.94) == "0.9400，约 94%（90–97）"
        assert model.phrase(0.995) == "0.9950, about 99.5 % (96–>99.9)"
        assert str(model.probability_of_match(0.94)) == "94.0 % (90.0–97.0)"

    def test_a_search_reads_it_from_a_card_to_the_last_digit(self, tmp_path):
        model = fit_probability(pairs(n_jds=40), n_resamples=50)
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
        assert (kept["n"], kept["by"], kept["method"]) == (400, "cluster", model.method)
        assert kept.keys() == vars(model).keys() - {"cross_fit"}

    def test_a_score_that_is_no_number_is_refused(self):
        with pytest.raises(InputError, match="finite number"):
            fit_probability(pairs(), n_resamples=20).probability_of_match(float("nan"))


class TestPrevalence:
    def test_odds_are_multiplied_as_bayes_says(self):
        observations = pairs(n_jds=50)
        as_labelled, live = (
            fit_probability(observations, method="sigmoid", prevalence=share, n_resamples=200)
            for share in (None, 0.1)
        )
        factor = (0.1 / 0.9) / (observations.prevalence / (1 - observations.prevalence))

        def corrected(table):
            return (table * factor / (1 - table + table * factor)).round(6)

        np.testing.assert_allclose(live.probability, corrected(as_labelled.probability), atol=2e-6)
        np.testing.assert_allclose(live.high, corrected(as_labelled.high), atol=0.1)
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
        model = fit_probability(
            Observations(scores[:20_000], labels[:20_000]), method="sigmoid", n_resamples=100
        )
        live = rng.random(n) < np.where(labels, 0.05 / 0.95, 1.0)
        near = live & (np.abs(scores - 0.62) < 0.01)
        found = model.at_prevalence(labels[live].mean()).probability_of_match(0.62)
        assert found.value == pytest.approx(labels[near].mean(), abs=0.02)
        assert found.low < labels[near].mean() < found.high

    def test_an_interval_of_it_widens_that_of_the_probability(self):
        model = fit_probability(pairs(), n_resamples=20)
        found, least, most = (
            model.at_prevalence(*each).probability_of_match(0.5) for each in ([0.1], [0.05], [0.2])
        )
        widened = model.at_prevalence(0.1, between=(0.05, 0.2)).probability_of_match(0.5)
        assert (widened.value, widened.low, widened.high) == (found.value, least.low, most.high)
        unknown = model.at_prevalence(0.1, between=(0, 1)).probability_of_match(0.5)
        assert (unknown.low, unknown.high) == (0, 1)

    def test_there_and_back_is_where_one_was(self):
        model = fit_probability(pairs(), n_resamples=20)
        back = model.at_prevalence(0.3).at_prevalence(model.prevalence)
        np.testing.assert_allclose(back.probability, model.probability, atol=2e-5)

    def test_a_prevalence_outside_its_own_interval_is_refused(self):
        with pytest.raises(InputError, match=r"10\.0 % is outside its own interval, 20\.0 % to 30\.0 %"):
            fit_probability(pairs(), n_resamples=20).at_prevalence(0.1, between=(0.2, 0.3))


class TestIntervals:
    def test_they_are_wider_where_pairs_of_a_jd_repeat_each_other(self):
        observations = pairs(300)
        tenfold = Observations(np.repeat(observations.scores, 10), np.repeat(observations.labels, 10))
        by_jd = Observations(tenfold.scores, tenfold.labels, clusters=np.repeat(np.arange(300), 10))
        alone, shared = (
            fit_probability(each, method="sigmoid", n_resamples=200) for each in (tenfold, by_jd)
        )
        ratio = np.median((shared.high - shared.low)[20:80] / (alone.high - alone.low)[20:80])
        assert ratio == pytest.approx(np.sqrt(10), rel=0.2)

    def test_an_isotonic_end_without_error_is_no_certainty(self):
        scores = np.linspace(0, 1, 200)
        model = fit_probability(Observations(scores, scores > 0.5), method="isotonic", n_resamples=100)
        top = model.probability_of_match(0.99)
        assert top.low < 0.97

    def test_they_allow_for_another_shape(self):
        observations = pairs(300)
        free, fixed = (fit_probability(observations, method=m, n_resamples=300) for m in ("auto", "sigmoid"))
        assert np.mean(free.high - free.low) > np.mean(fixed.high - fixed.low)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from(METHODS))
def test_tables_rise_and_hold_their_estimate(seed, method):
    model = fit_probability(pairs(80, seed, n_jds=15), method=method, n_resamples=30)
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
    one, other = (
        fit_probability(each, n_resamples=30) for each in (observations, observations.subset(order))
    )
    assert one.to_dict() == other.to_dict()
    assert (one.cross_fit.probability[order] == other.cross_fit.probability).all()


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([np.exp, np.cbrt, lambda s: 3 * s - 1]))
def test_isotonic_probabilities_follow_a_monotone_transformation(seed, transform):
    observations = pairs(100, seed)
    moved = observations.with_scores(transform(observations.scores))
    one, other = (fit_probability(each, method="isotonic", n_resamples=5) for each in (observations, moved))
    np.testing.assert_allclose(other.predict(moved.scores), one.predict(observations.scores), atol=2e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_weight_of_two_is_a_pair_twice(method):
    observations = pairs(500)
    twice = np.random.default_rng(0).random(500) < 0.3
    weighted = observations.with_weights(1.0 + twice)
    rows = np.concatenate([np.arange(500), np.flatnonzero(twice)])
    one, other = (
        fit_probability(each, method=method, n_resamples=5) for each in (weighted, observations.subset(rows))
    )
    # But for Platt's targets, which know how many pairs there really are.
    np.testing.assert_allclose(
        one.predict(observations.scores), other.predict(observations.scores), atol=0.01
    )


def test_only_ratios_of_weights_matter():
    observations = pairs(200).with_weights(np.random.default_rng(0).uniform(1, 3, 200))
    one, other = (
        fit_probability(each, n_resamples=20)
        for each in (observations, observations.with_weights(1000 * observations.weights))
    )
    np.testing.assert_allclose(one.probability, other.probability, atol=2e-6)
    np.testing.assert_allclose(one.low, other.low, atol=1e-4)


@pytest.mark.parametrize(
    ("observations", "options", "said"),
    [
        (Observations([0.1, 0.2, 0.3], [1, 1, 1]), {}, "All 3 pairs are labelled as a match"),
        (
            pairs(50),
            {"method": "platt"},
            "There is no method 'platt'; there are auto, sigmoid, beta, isotonic",
        ),
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
        said = fit_probability(pairs(n_jds=50), n_resamples=20).summary()
    for number in ("400", "95", "JD", "Platt"):
        assert number in said


@pytest.mark.slow
@pytest.mark.parametrize("n_jds", [None, 60])
@pytest.mark.parametrize("truth", ["sigmoid", "step"])
def test_intervals_hold_the_true_probability(n_jds, truth):
    """At five scores, over 150 sets of 500 pairs; where JDs are shared, their errors correlate."""
    from scipy.stats import norm

    rng = np.random.default_rng(5)
    at = np.array([0.15, 0.3, 0.45, 0.6, 0.75])

    def probability(scores):
        if truth == "sigmoid":
            return expit(9 * (scores - 0.5))
        return 0.1 + 0.7 * np.clip((scores - 0.35) / 0.15, 0, 1)

    held = np.zeros(5)
    for _ in range(150):
        jds = np.arange(500) % (n_jds or 500)
        scores = np.clip(0.45 + 0.08 * rng.standard_normal(500)[jds] + 0.18 * rng.standard_normal(500), -1, 1)
        luck = rng.standard_normal(500)
        if n_jds:
            luck = np.sqrt(0.3) * rng.standard_normal(500)[jds] + np.sqrt(0.7) * luck
        labels = norm.cdf(luck) < probability(scores)
        model = fit_probability(Observations(scores, labels, clusters=jds), n_resamples=200)
        ends = [model.probability_of_match(score) for score in at]
        held += [end.low <= true <= end.high for end, true in zip(ends, probability(at), strict=True)]
    # Where the truth is a sigmoid: 95 % but for the simulation; where it is not, 500 pairs cannot quite tell.
    least = 0.90 if truth == "sigmoid" else 0.80
    assert (held / 150 >= least).all(), held / 150
