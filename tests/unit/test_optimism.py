"""Honest figures: nearer to the truth than naive ones; pairs held out untouched."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import precision_score

from workbench.calibration import (
    MaxAccuracy,
    MaxFBeta,
    MinCost,
    Observations,
    TargetPrecision,
    choose,
    count,
    figures_at,
    grey_zone,
    guarantee_missed,
    guarantee_precision,
    hold_out,
    honest_figures,
    resample,
)
from workbench.calibration.bootstrap import resample_with
from workbench.calibration.optimism import chosen_again
from workbench.errors import InputError


def simulated(n=60, seed=0, distance=1.0, n_jds=None):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    jds = None if n_jds is None else rng.integers(0, n_jds, n)
    return Observations(rng.normal(size=n) + distance * labels, labels, clusters=jds)


def corrected(pairs, rule, resamples):
    """Honest figures at the cutoff that a rule chooses in the pairs themselves."""
    cutoff = choose(count(pairs), rule).cutoff
    naive = figures_at(pairs, cutoff, beta=rule.f_beta, n_resamples=2)
    return honest_figures(pairs, resamples, rule.pick_in(resamples), naive, beta=rule.f_beta)


def true_accuracy(cutoff, distance=1.0):
    return 0.4 * norm.sf(cutoff - distance) + 0.6 * norm.cdf(cutoff)


def test_honest_accuracy_is_nearer_to_the_truth_than_the_naive_one():
    """Over 150 sets of 60 pairs, the naive figure is too high on average, the honest one hardly."""
    naive, honest = [], []
    for seed in range(150):
        pairs = simulated(seed=seed)
        cutoff = choose(count(pairs), MaxAccuracy()).cutoff
        resamples = resample(pairs, n_resamples=200)
        found = corrected(pairs, MaxAccuracy(), resamples)["accuracy"]
        truth = true_accuracy(cutoff)
        naive.append(found.naive - truth)
        honest.append(found.honest - truth)
    assert np.mean(naive) > 0.03
    assert abs(np.mean(honest)) < np.mean(naive) / 2


@pytest.mark.slow
@pytest.mark.parametrize("rule", [TargetPrecision(0.85), MaxFBeta()], ids=["target", "best F1"])
def test_honest_intervals_hold_the_true_figures(rule):
    """Over 400 sets of 150 pairs; percentiles of what resamples choose held 4 in 10 for the target."""
    distance = 1.8
    held = {"precision": [], "recall": [], "false_omission_rate": [], "accuracy": []}
    for seed in range(400):
        pairs = simulated(150, seed, distance)
        cutoff = choose(count(pairs), rule).cutoff
        if cutoff is None:
            continue
        found = corrected(pairs, rule, resample(pairs, n_resamples=100))
        tp, fp = 0.4 * norm.sf(cutoff - distance), 0.6 * norm.sf(cutoff)
        truth = {
            "precision": tp / (tp + fp),
            "recall": tp / 0.4,
            "false_omission_rate": (0.4 - tp) / (1 - tp - fp),
            "accuracy": tp + 0.6 - fp,
        }
        for name, value in truth.items():
            held[name].append(found[name].low <= value <= found[name].high)
    for name, hits in held.items():
        assert np.mean(hits) >= 0.92, name


def test_optimism_is_the_mean_gap_between_a_resample_and_the_pairs_at_its_cutoff():
    pairs = simulated(80)
    rng = np.random.default_rng(1)
    drawn = np.stack([np.bincount(rng.integers(0, 80, 80), minlength=80) for _ in range(25)])
    found = corrected(pairs, MaxAccuracy(), resample_with(pairs, drawn))["precision"]
    gaps = []
    for times in drawn:
        again = Observations(np.repeat(pairs.scores, times), np.repeat(pairs.labels, times))
        # Choose among the cutoffs of all pairs, as resamples do.
        cutoff = choose(count(again, count(pairs).cutoffs), MaxAccuracy()).cutoff
        gaps.append(
            precision_score(again.labels, again.scores > cutoff)
            - precision_score(pairs.labels, pairs.scores > cutoff)
        )
    assert found.optimism == pytest.approx(np.mean(gaps), abs=1e-6)
    assert found.honest == pytest.approx(found.naive - np.mean(gaps), abs=1e-6)


def test_the_worse_end_of_the_interval_alone_is_shifted_by_the_optimism():
    pairs = simulated(80)
    cutoff = choose(count(pairs), MaxAccuracy()).cutoff
    found = corrected(pairs, MaxAccuracy(), resample(pairs, n_resamples=200))
    naive = figures_at(pairs, cutoff, n_resamples=20)
    better, fewer = found["accuracy"], found["false_omission_rate"]
    assert better.optimism > 0 > fewer.optimism
    low, high = naive["accuracy"].low - better.optimism, naive["accuracy"].high
    assert (better.low, better.high) == pytest.approx((low, high))
    low, high = naive["false_omission_rate"].low, naive["false_omission_rate"].high - fewer.optimism
    assert (fewer.low, fewer.high) == pytest.approx((low, high))


def test_without_anything_to_choose_there_is_no_optimism():
    pairs = Observations([0.9] * 50 + [0.1] * 50, [1] * 45 + [0] * 5 + [1] * 5 + [0] * 45)
    found = corrected(pairs, MaxAccuracy(), resample(pairs, n_resamples=4000))["accuracy"]
    assert found.optimism == pytest.approx(0, abs=0.003)
    assert found.low < 0.9 < found.high


class TestHoldOut:
    def test_figures_are_of_pairs_that_the_choice_never_saw(self):
        pairs = simulated(400)
        found = hold_out(pairs, MaxFBeta(), share=0.25)
        assert (found.n_chosen_on, found.n_held_out) == (300, 100)
        assert found.figures["accuracy"].size == 100
        assert found.choice.n_above + found.choice.n_below == 300

    def test_whole_jds_are_held_out(self):
        # Each JD has a score of its own, by which its pairs can be told.
        jds = np.repeat(np.arange(40), 5)
        pairs = Observations(jds / 40, np.tile([0, 1, 1, 0, 1], 40), clusters=jds)
        found = hold_out(pairs, MaxFBeta(), share=0.25)
        assert found.n_held_out == 50

    def test_the_order_of_rows_has_no_say(self):
        pairs = simulated(200, n_jds=30)
        shuffled = pairs.subset(np.random.default_rng(0).permutation(200))
        assert hold_out(pairs, MinCost()).to_dict() == hold_out(shuffled, MinCost()).to_dict()

    def test_too_few_to_split_are_refused(self):
        with pytest.raises(InputError, match="too few"):
            hold_out(Observations([0.1, 0.2, 0.3], [0, 1, 1]), MinCost())


class TestTheWholeProcedure:
    """What calibrate() does, repeated by resamples."""

    def in_the_pairs_themselves(self, pairs, leading, rule):
        once = resample_with(pairs, np.ones((1, len(pairs)), dtype=int))
        return once.cutoffs[chosen_again(pairs, once, leading, rule)[0]]

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("n_jds", [None, 60])
    def test_finds_the_guaranteed_cutoff_in_the_pairs_themselves(self, seed, n_jds):
        pairs = simulated(500, seed, distance=2.2, n_jds=n_jds)
        found = guarantee_precision(pairs, 0.85)
        assert found.found
        assert self.in_the_pairs_themselves(pairs, [found], MaxFBeta()) == found.cutoff

    @pytest.mark.parametrize("seed", range(6))
    def test_finds_the_guaranteed_cutoff_below_which_little_is_missed(self, seed):
        pairs = simulated(500, seed, distance=2.2)
        found = guarantee_missed(pairs, 0.15)
        assert found.found
        assert self.in_the_pairs_themselves(pairs, [found], MaxFBeta()) == found.cutoff

    def test_finds_none_where_nothing_is_guaranteed(self):
        pairs = simulated(60, distance=2.0)
        found = guarantee_precision(pairs, 0.95)
        assert not found.found
        once = resample_with(pairs, np.ones((1, len(pairs)), dtype=int))
        assert chosen_again(pairs, once, [found], MaxFBeta()).tolist() == [-1]

    @pytest.mark.parametrize("seed", range(4))
    def test_finds_the_cutoff_that_meets_both_targets(self, seed):
        pairs = simulated(500, seed, distance=3.0)
        zone = grey_zone(pairs, 0.85, 0.15)
        assert zone.one_cutoff is not None
        once = resample_with(pairs, np.ones((1, len(pairs)), dtype=int))
        at = chosen_again(pairs, once, [zone.precision, zone.missed], MaxFBeta())[0]
        above = (pairs.scores > zone.one_cutoff).sum()
        assert (pairs.scores > once.cutoffs[at]).sum() == above

    def test_in_resamples_it_finds_what_the_guarantee_finds_there(self):
        pairs = simulated(300, distance=2.2)
        rng = np.random.default_rng(0)
        drawn = np.stack([np.bincount(rng.integers(0, 300, 300), minlength=300) for _ in range(20)])
        resamples = resample_with(pairs, drawn)
        picked = chosen_again(pairs, resamples, [guarantee_precision(pairs, 0.85)], MaxFBeta())
        for times, at in zip(drawn, picked, strict=True):
            again = Observations(np.repeat(pairs.scores, times), np.repeat(pairs.labels, times))
            alone = guarantee_precision(again, 0.85, cutoffs=resamples.cutoffs)
            if alone.found:
                assert (pairs.scores[times > 0] > resamples.cutoffs[at]).sum() == (
                    pairs.scores[times > 0] > alone.cutoff
                ).sum()

    def test_without_a_guarantee_it_is_the_rule(self):
        pairs = simulated()
        resamples = resample(pairs, n_resamples=50)
        picked = chosen_again(pairs, resamples, [], MaxFBeta())
        assert picked.tolist() == MaxFBeta().pick_in(resamples).tolist()
