"""Resampled curves: the same as scikit-learn's on the same resamples; by JD; reproducible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import precision_recall_curve, roc_curve

from workbench.calibration import Observations, bands, resample
from workbench.calibration.bootstrap import MOST_CUTOFFS, quantiles, resample_with
from workbench.errors import InputError


def simulated(n=200, n_jds=None, seed=0, weighted=False):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    scores = np.where(labels, rng.beta(6, 4, n), rng.beta(3, 6, n)).round(2)
    jds = None if n_jds is None else rng.integers(0, n_jds, n)
    return Observations(scores, labels, rng.random(n) + 0.2 if weighted else None, jds)


def multiplicities(rng, n, n_resamples):
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_resamples)])


@pytest.mark.parametrize("weighted", [False, True])
def test_curves_are_those_of_scikit_learn_on_the_same_resamples(weighted):
    pairs = simulated(weighted=weighted)
    drawn = multiplicities(np.random.default_rng(1), len(pairs), 40)
    resamples = resample_with(pairs, drawn)
    precision, recall = resamples.figure("precision"), resamples.figure("recall")
    specificity = resamples.figure("specificity")
    for b, times in enumerate(drawn):
        weights = times * pairs.unit_weights
        here = times > 0
        expected, at_recall, thresholds = precision_recall_curve(
            pairs.labels[here], pairs.scores[here], sample_weight=weights[here]
        )
        # Where a resample has no pair of some score, its cutoffs there are all alike; take the one below it.
        rows = np.searchsorted(resamples.cutoffs, thresholds) - 1
        np.testing.assert_allclose(precision[rows, b], expected[:-1], rtol=1e-6)
        np.testing.assert_allclose(recall[rows, b], at_recall[:-1], rtol=1e-6)
        fpr, _, thresholds = roc_curve(
            pairs.labels[here], pairs.scores[here], sample_weight=weights[here], drop_intermediate=False
        )
        rows = np.searchsorted(resamples.cutoffs, thresholds[1:]) - 1
        np.testing.assert_allclose(1 - specificity[rows, b], fpr[1:], atol=1e-6)


def test_a_resample_of_whole_jds_counts_the_pairs_of_each_as_often_as_it_was_drawn():
    pairs = simulated(n_jds=12)
    resamples = resample(pairs, n_resamples=50, seed=3)
    assert resamples.by == "cluster"
    # The same draws: 12 JDs out of 12, with the generator's first numbers.
    drawn = np.random.default_rng(3).integers(0, 12, (50, 12), dtype=np.uint16)
    for b in range(50):
        times = np.bincount(drawn[b], minlength=12)[pairs.clusters]
        for k in (0, 20, 40):
            above = pairs.scores > resamples.cutoffs[k]
            assert resamples.tp[k, b] == (times * pairs.labels)[above].sum()
            assert resamples.fp[k, b] == (times * (1 - pairs.labels))[above].sum()
        assert resamples.matches[b] + resamples.others[b] == times.sum()


@pytest.mark.parametrize("kind", [{}, {"n_jds": 30}, {"weighted": True}, {"n_jds": 30, "weighted": True}])
def test_the_same_seed_gives_the_same_resamples_in_whatever_order_pairs_come(kind):
    pairs = simulated(**kind)
    order = np.random.default_rng(0).permutation(len(pairs))
    one, other = resample(pairs, n_resamples=100), resample(pairs.subset(order), n_resamples=100)
    assert (one.tp == other.tp).all()
    assert (one.fp == other.fp).all()
    assert not (one.tp == resample(pairs, n_resamples=100, seed=1).tp).all()


def test_jds_that_repeat_themselves_widen_the_band():
    rng = np.random.default_rng(0)
    labels = np.repeat(rng.random(30) < 0.5, 10)
    scores = np.repeat(rng.random(30), 10) + 0.01 * rng.random(300)
    alone = Observations(scores, labels)
    together = Observations(scores, labels, clusters=np.repeat(np.arange(30), 10))
    widths = [np.subtract(*resample(pairs).band("precision")[::-1])[100] for pairs in (alone, together)]
    assert widths[1] > 2 * widths[0]


def test_the_spread_of_a_share_is_that_of_the_binomial():
    pairs = simulated(n=400)
    resamples = resample(pairs, n_resamples=4000)
    accuracy = resamples.figure("accuracy")
    k = 40
    p = ((pairs.scores > resamples.cutoffs[k]) == pairs.labels).mean()
    assert accuracy[k].mean() == pytest.approx(p, abs=0.002)
    assert accuracy[k].std() == pytest.approx(np.sqrt(p * (1 - p) / 400), rel=0.05)


def test_many_equal_pairs_are_drawn_together_with_the_same_spread():
    few, many = simulated(n=4_990, seed=2), simulated(n=5_010, seed=2)
    spreads = [resample(p, n_resamples=2000).figure("recall")[30].std() for p in (few, many)]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.1)


def test_a_live_prevalence_is_kept_in_every_resample():
    resamples = resample(simulated(), n_resamples=50, prevalence=0.1)
    np.testing.assert_allclose(resamples.figure("prevalence"), 0.1, rtol=1e-5)


def test_bands_hold_low_and_high_of_each_figure_at_every_cutoff():
    resamples = resample(simulated(), n_resamples=200)
    frame = bands(resamples, ["precision", "recall"], confidence=0.9)
    expected = np.nanquantile(resamples.figure("recall"), [0.05, 0.95], axis=1)
    np.testing.assert_allclose(frame[["recall_low", "recall_high"]].to_numpy().T, expected, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@given(hnp.arrays(np.float64, (4, 7), elements=st.one_of(st.just(np.nan), st.floats(-5, 5))))
def test_quantiles_are_those_of_numpy_without_nan(values):
    ours = np.array(quantiles(values, [0.05, 0.5, 0.975]))
    np.testing.assert_allclose(ours, np.nanquantile(values, [0.05, 0.5, 0.975], axis=1), atol=1e-12)


def test_many_cutoffs_are_thinned_evenly_in_rank_and_those_asked_for_kept():
    rng = np.random.default_rng(0)
    pairs = Observations(rng.random(20_000) ** 3, rng.integers(0, 2, 20_000))
    resamples = resample(pairs, n_resamples=10, including=[0.123456])
    assert len(resamples.cutoffs) <= MOST_CUTOFFS + 1
    assert 0.123456 in resamples.cutoffs
    above = (pairs.scores[:, None] > resamples.cutoffs).sum(axis=0)
    assert np.abs(np.diff(above)).max() <= 45


def test_a_resample_of_one_class_has_no_recall():
    frame = bands(resample(Observations([0.1, 0.9], [0, 0]), n_resamples=50), ["recall", "precision"])
    assert frame["recall_low"].isna().all()


def test_one_jd_alone_says_nothing_about_others():
    with pytest.raises(InputError, match="only one JD"):
        resample(Observations([0.1, 0.2, 0.3], [0, 1, 1], clusters=[1, 1, 1]))
    with pytest.raises(InputError, match="only one pair"):
        resample(Observations([0.1], [0]))


def test_multiplicities_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"\(n_resamples, 200\)"):
        resample_with(simulated(), np.ones((3, 7)))
