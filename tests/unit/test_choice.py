"""Choosing a cutoff by a rule: against scikit-learn and sentence-transformers, and by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import balanced_accuracy_score, fbeta_score, make_scorer, precision_score, recall_score
from sklearn.model_selection import TunedThresholdClassifierCV

from workbench.calibration import (
    Capacity,
    MaxAccuracy,
    MaxFBeta,
    MaxYouden,
    MinCost,
    Observations,
    TargetMissed,
    TargetPrecision,
    TargetRecall,
    choose,
    count,
    resample,
    stability,
    sweep,
)
from workbench.errors import InputError
from workbench.i18n import language

RULES = [
    TargetPrecision(0.8),
    TargetRecall(0.7),
    TargetMissed(0.2),
    MaxFBeta(1),
    MaxFBeta(0.5),
    MaxAccuracy(),
    MaxYouden(),
    MinCost(1, 5),
    Capacity(30, 100),
]
PAIRS = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 1)), min_size=2, max_size=30)
BOTH_CLASSES = PAIRS.map(lambda pairs: [*pairs, (3, 1), (-3, 0)])


def simulated(n=300, seed=0, digits=None, n_jds=None):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    scores = np.where(labels, rng.beta(6, 4, n), rng.beta(3, 6, n))
    jds = None if n_jds is None else rng.integers(0, n_jds, n)
    return Observations(scores if digits is None else scores.round(digits), labels, clusters=jds)


def table(pairs):
    return count(Observations(*np.array(pairs).T))


class TestByDefinition:
    """Against every cutoff tried one by one."""

    @given(BOTH_CLASSES, st.sampled_from([0.5, 0.75, 0.9]))
    def test_target_precision_is_the_smallest_cutoff_that_reaches_it(self, pairs, target):
        scores, labels = np.array(pairs).T
        good = [c for c in table(pairs).cutoffs if (scores > c).any() and labels[scores > c].mean() >= target]
        assert choose(table(pairs), TargetPrecision(target)).cutoff == (min(good) if good else None)

    @given(BOTH_CLASSES, st.sampled_from([0.5, 0.75, 1 - 1e-9]))
    def test_target_recall_is_the_largest_cutoff_that_reaches_it(self, pairs, target):
        scores, labels = np.array(pairs).T
        good = [c for c in table(pairs).cutoffs if recall_score(labels, scores > c) >= target]
        assert choose(table(pairs), TargetRecall(target)).cutoff == max(good)

    @given(BOTH_CLASSES, st.sampled_from([0.1, 0.25, 0.5]))
    def test_target_missed_is_the_largest_cutoff_that_keeps_it(self, pairs, target):
        scores, labels = np.array(pairs).T
        good = [
            c for c in table(pairs).cutoffs if (scores <= c).any() and labels[scores <= c].mean() <= target
        ]
        assert choose(table(pairs), TargetMissed(target)).cutoff == (max(good) if good else None)

    @given(BOTH_CLASSES, st.integers(1, 30))
    def test_capacity_passes_on_as_many_as_can_be_read(self, pairs, can_read):
        scores = np.array(pairs).T[0]
        volume = len(scores)
        good = [c for c in table(pairs).cutoffs if (scores > c).sum() <= can_read]
        assert choose(table(pairs), Capacity(can_read, volume)).cutoff == min(good)

    @given(BOTH_CLASSES, st.integers(0, 5), st.integers(1, 5))
    def test_of_the_cheapest_cutoffs_the_highest_is_taken(self, pairs, fp, fn):
        scores, labels = np.array(pairs).T
        cutoffs = table(pairs).cutoffs
        costs = [
            fp * ((scores > c) & (labels == 0)).sum() + fn * ((scores <= c) & (labels == 1)).sum()
            for c in cutoffs
        ]
        best = max(c for c, cost in zip(cutoffs, costs, strict=True) if cost == min(costs))
        assert choose(table(pairs), MinCost(fp, fn)).cutoff == best

    @given(BOTH_CLASSES, st.sampled_from([0.5, 1.0, 2.0]))
    def test_no_cutoff_has_a_higher_f_beta(self, pairs, beta):
        scores, labels = np.array(pairs).T
        choice = choose(table(pairs), MaxFBeta(beta))
        values = [fbeta_score(labels, scores > c, beta=beta, zero_division=0) for c in table(pairs).cutoffs]
        assert choice.figures["f_beta"].value == pytest.approx(max(values))
        assert fbeta_score(labels, scores > choice.cutoff, beta=beta) == pytest.approx(max(values))


class Scored(ClassifierMixin, BaseEstimator):
    """A classifier whose decision is the score itself."""

    def fit(self, features, labels):
        self.classes_ = np.unique(labels)
        return self

    def decision_function(self, features):
        return features[:, 0]

    def predict(self, features):
        return (features[:, 0] > 0.5).astype(int)


@pytest.mark.parametrize(
    ("rule", "scorer"),
    [
        (MaxYouden(), balanced_accuracy_score),
        (MaxFBeta(1), lambda y, p: fbeta_score(y, p, beta=1, zero_division=0)),
        (MaxFBeta(0.5), lambda y, p: fbeta_score(y, p, beta=0.5, zero_division=0)),
    ],
)
def test_the_best_cutoff_decides_as_the_tuned_threshold_of_scikit_learn(rule, scorer):
    pairs = simulated()
    features = pairs.scores[:, None]
    tuned = TunedThresholdClassifierCV(
        Scored().fit(features, pairs.labels),
        scoring=make_scorer(scorer),
        cv="prefit",
        refit=False,
        thresholds=np.sort(pairs.scores),
    ).fit(features, pairs.labels)
    ours = choose(count(pairs), rule).cutoff
    # scikit-learn's decision is score >= threshold, ours score > cutoff.
    assert ((pairs.scores > ours) == (pairs.scores >= tuned.best_threshold_)).all()


@pytest.mark.models
class TestAgainstSentenceTransformers:
    """Its evaluator's search for the best threshold, ties included."""

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("digits", [None, 2, 1])
    def test_best_f1(self, seed, digits):
        from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator

        pairs = simulated(120, seed, digits)
        f1, precision, recall, threshold = BinaryClassificationEvaluator.find_best_f1_and_threshold(
            pairs.scores, pairs.labels, high_score_more_similar=True
        )
        ours = choose(count(pairs), MaxFBeta(1))
        assert ours.figures["f_beta"].value == pytest.approx(f1)
        assert ours.figures["precision"].value == pytest.approx(precision)
        assert ours.figures["recall"].value == pytest.approx(recall)
        assert ours.cutoff == pytest.approx(threshold)

    @pytest.mark.parametrize("seed", range(8))
    def test_best_accuracy(self, seed):
        from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator

        pairs = simulated(120, seed, 2)
        accuracy, threshold = BinaryClassificationEvaluator.find_best_acc_and_threshold(
            pairs.scores, pairs.labels, high_score_more_similar=True
        )
        ours = choose(count(pairs), MaxAccuracy())
        assert ours.figures["accuracy"].value == pytest.approx(accuracy)
        assert ours.cutoff == pytest.approx(threshold)


@pytest.mark.parametrize("rule", RULES, ids=repr)
class TestEveryRule:
    @given(BOTH_CLASSES)
    def test_a_monotone_transformation_changes_no_decision(self, rule, pairs):
        scores, labels = np.array(pairs, dtype=float).T
        moved = np.exp(scores / 3)
        before = choose(count(Observations(scores, labels)), rule).cutoff
        after = choose(count(Observations(moved, labels)), rule).cutoff
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert ((scores > before) == (moved > after)).all()

    @given(BOTH_CLASSES, st.randoms())
    def test_the_order_of_rows_changes_nothing(self, rule, pairs, random):
        shuffled = random.sample(pairs, len(pairs))
        assert choose(table(pairs), rule).cutoff == choose(table(shuffled), rule).cutoff

    @given(BOTH_CLASSES)
    def test_weights_of_two_equal_duplicated_rows(self, rule, pairs):
        scores, labels = np.array(pairs).T
        weighted = count(Observations(scores, labels, np.full(len(scores), 2)))
        doubled = count(Observations(np.repeat(scores, 2), np.repeat(labels, 2)))
        assert choose(weighted, rule).cutoff == choose(doubled, rule).cutoff

    @given(BOTH_CLASSES)
    def test_a_cutoff_never_lies_on_a_score(self, rule, pairs):
        cutoff = choose(table(pairs), rule).cutoff
        assert cutoff not in {score for score, _ in pairs}

    def test_the_frame_of_the_sweep_gives_the_same_choice_as_the_counts(self, rule):
        pairs = simulated(digits=2)
        from_frame = choose(sweep(pairs.scores, pairs.labels), rule)
        from_counts = choose(count(pairs), rule)
        assert from_frame.cutoff == from_counts.cutoff
        assert from_frame.figures["precision"] == from_counts.figures["precision"]

    def test_resamples_choose_as_a_table_of_their_own_would(self, rule):
        pairs = simulated(100, digits=1)
        resamples = resample(pairs, n_resamples=30)
        picked = rule.pick_in(resamples)
        for b in range(30):
            one = [np.asarray(counted[:, b], dtype=float) for counted in resamples.confusion()]
            assert picked[b] == rule.pick(*one)

    def test_says_what_it_asks_for_in_both_languages(self, rule):
        assert "cutoff" in rule.describe()
        with language("zh"):
            assert "阈值" in rule.describe()
        assert rule.to_dict()["rule"] == type(rule).__name__


def wavering(pairs, rule, cutoff, n_resamples=2000):
    """How far the cutoff of a rule moves from resample to resample."""
    resamples = resample(pairs, n_resamples=n_resamples)
    return stability(resamples, rule.pick_in(resamples), count(pairs), cutoff)


def test_a_precision_that_is_met_exactly_is_met_in_resamples_too():
    # 9 of 10: 0.9 in float32 is below 0.9.
    pairs = Observations([0.9] * 10 + [0.1] * 10, [1] * 9 + [0] * 11)
    choice = choose(count(pairs), TargetPrecision(0.9))
    assert choice.n_above == 10
    found = wavering(pairs, TargetPrecision(0.9), choice.cutoff, n_resamples=200)
    assert found.share_without < 0.6


def test_where_no_cutoff_does_it_the_choice_says_so():
    choice = choose(count(Observations([0.1, 0.2, 0.9], [1, 0, 0])), TargetPrecision(0.9))
    assert not choice.found
    assert choice.cutoff is None
    assert "no such cutoff" in choice.sentence()
    with language("zh"):
        assert "没有阈值" in choice.sentence()


def test_the_figures_of_a_choice_have_the_intervals_of_the_sweep():
    pairs = simulated()
    choice = choose(count(pairs), TargetPrecision(0.85))
    row = sweep(pairs.scores, pairs.labels).set_index("cutoff").loc[choice.cutoff]
    for name in ("precision", "recall", "false_omission_rate"):
        estimate = choice.figures[name]
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
            tuple(row[[name, f"{name}_low", f"{name}_high"]])
        )
    assert choice.figures["precision"].value == pytest.approx(
        precision_score(pairs.labels, pairs.scores > choice.cutoff)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: TargetPrecision(89),
        lambda: TargetRecall(0),
        lambda: TargetMissed(1),
        lambda: MaxFBeta(0),
        lambda: MinCost(0, 0),
        lambda: Capacity(0, 100),
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError):
        wrong()


def test_a_frame_that_is_no_sweep_is_refused():
    frame = sweep([0.1, 0.9], [0, 1]).drop(columns="tp")
    with pytest.raises(InputError, match="no column 'tp'"):
        choose(frame, MaxYouden())


class TestStability:
    def test_says_where_other_labels_would_have_put_the_cutoff(self):
        """Most of 200 other sets of the same kind choose a cutoff within the interval of one."""
        pairs = simulated(800, seed=0)
        rule = TargetRecall(0.8)
        choice = choose(count(pairs), rule)
        found = wavering(pairs, rule, choice.cutoff)
        others = [choose(count(simulated(800, seed)), rule).cutoff for seed in range(1, 201)]
        width = np.subtract(*np.quantile(others, [0.975, 0.025]))
        assert found.high - found.low == pytest.approx(width, rel=0.35)
        assert found.low < choice.cutoff < found.high

    def test_counts_resamples_without_a_cutoff(self):
        pairs = Observations(np.linspace(0, 1, 20), [0, 1] * 10)
        rule = TargetPrecision(0.9)
        found = wavering(pairs, rule, 0.5, n_resamples=500)
        assert 0 < found.share_without < 1
        assert np.isnan(found.cutoffs).mean() == pytest.approx(found.share_without)

    def test_decisions_that_flip_are_the_pairs_between_two_cutoffs(self):
        pairs = simulated(200)
        counts, rule = count(pairs), MaxYouden()
        choice = choose(counts, rule)
        found = wavering(pairs, rule, choice.cutoff, n_resamples=200)
        between = [
            ((pairs.scores > cutoff) != (pairs.scores > choice.cutoff)).mean() for cutoff in found.cutoffs
        ]
        assert found.share_flipped == pytest.approx(np.mean(between))

    def test_none_at_all_is_said_plainly(self):
        pairs = Observations([0.1, 0.2, 0.3], [1, 1, 1])
        found = wavering(pairs, TargetMissed(0.01), 0.2, n_resamples=20)
        assert found.share_without == 1
        assert found.to_dict()["low"] is None
