"""Areas under ROC curves and their covariance, against the definitions written out pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from workbench.calibration import delong
from workbench.calibration.shares import wilson
from workbench.errors import InputError


@pytest.fixture
def example():
    """Two encoders on 60 pairs of 12 JDs, with ties."""
    rng = np.random.default_rng(3)
    labels = rng.random(60) < 0.4
    jd = np.repeat(np.arange(12), 5)
    of_jd = 0.8 * rng.standard_normal(12)[jd]
    scores = np.array([labels + of_jd + rng.standard_normal(60) for _ in range(2)]).round(1)
    return scores, labels.astype(int), jd


def kernels(scores, labels):
    """Psi of every match with every other pair: 1, one half, or 0."""
    gap = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return (gap > 0) + 0.5 * (gap == 0)


def test_areas_are_those_of_scikit_learn(example):
    scores, labels, _ = example
    assert delong(scores, labels).auc == pytest.approx([roc_auc_score(labels, row) for row in scores])


def test_the_covariance_is_that_of_delongs_structural_components(example):
    scores, labels, _ = example
    psi = [kernels(row, labels) for row in scores]
    m, n = psi[0].shape
    expected = np.empty((2, 2))
    for one in range(2):
        for other in range(2):
            of_match = np.cov(psi[one].mean(axis=1), psi[other].mean(axis=1))[0, 1]
            of_other = np.cov(psi[one].mean(axis=0), psi[other].mean(axis=0))[0, 1]
            expected[one, other] = of_match / m + of_other / n
    assert delong(scores, labels).covariance == pytest.approx(expected)


def test_by_jd_it_is_obuchowskis_sum_over_jds(example):
    scores, labels, jd = example
    psi = [kernels(row, labels) for row in scores]
    areas = [each.mean() for each in psi]
    m, n = psi[0].shape
    jds = range(12)
    of_match = [[(psi[k].mean(axis=1) - areas[k])[jd[labels == 1] == j].sum() for j in jds] for k in range(2)]
    of_other = [[(psi[k].mean(axis=0) - areas[k])[jd[labels == 0] == j].sum() for j in jds] for k in range(2)]
    with_match, with_other = len(set(jd[labels == 1])), len(set(jd[labels == 0]))
    expected = np.empty((2, 2))
    for a in range(2):
        for b in range(2):
            s10 = with_match / ((with_match - 1) * m) * sum(of_match[a][j] * of_match[b][j] for j in jds)
            s01 = with_other / ((with_other - 1) * n) * sum(of_other[a][j] * of_other[b][j] for j in jds)
            crossed = sum(of_match[a][j] * of_other[b][j] + of_match[b][j] * of_other[a][j] for j in jds)
            expected[a, b] = s10 / m + s01 / n + 12 / 11 * crossed / (m * n)
    found = delong(scores, labels, jd)
    assert found.by == "cluster"
    assert found.covariance == pytest.approx(expected)


def test_the_difference_is_a_z_test_on_that_covariance(example):
    found = delong(*example[:2])
    value, low, high, p = found.difference(0, 1, 0.9)
    (v0, c), (_, v1) = found.covariance
    error = np.sqrt(v0 + v1 - 2 * c)
    assert (low, high) == pytest.approx(stats.norm.interval(0.9, value, error))
    assert p == pytest.approx(2 * stats.norm.sf(abs(value) / error))


def test_the_interval_stays_within_0_and_1_and_is_symmetric_on_the_logit_scale():
    found = delong([0.1, 0.3, 0.35, 0.6, 0.7, 0.8, 0.9], [0, 0, 1, 0, 1, 1, 1])
    low, high = found.interval(0)
    middle = (np.log(low / (1 - low)) + np.log(high / (1 - high))) / 2
    assert 0 < low < found.auc[0] < high < 1
    assert 1 / (1 + np.exp(-middle)) == pytest.approx(found.auc[0])


def test_a_curve_without_an_error_has_wilsons_interval_of_the_smaller_class():
    found = delong([0.9, 0.8, 0.3, 0.2, 0.1], [1, 1, 0, 0, 0])
    assert found.interval(0) == pytest.approx(tuple(map(float, wilson(1.0, 2, 0.95))))


def test_two_curves_without_an_error_are_not_taken_for_equal_on_a_handful_of_pairs():
    labels = [1, 1, 0, 0]
    value, low, high, p = delong([[0.9, 0.8, 0.2, 0.1], [0.8, 0.9, 0.1, 0.2]], labels).difference(0, 1)
    assert (value, p) == (0, 1)
    assert low < -0.3
    assert high > 0.3


def test_curves_that_order_pairs_alike_differ_by_exactly_nothing(example):
    scores, labels, jd = example
    for clusters in (None, jd):
        found = delong([scores[0], np.exp(scores[0])], labels, clusters)
        assert found.difference(0, 1) == (0, 0, 0, 1)


@pytest.mark.slow
def test_intervals_of_differences_by_jd_hold_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held, n_repeats, truth = 0, 1000, None
    truth = stats.norm.cdf(1 / np.sqrt(2 * (1 + 0.5**2))) - stats.norm.cdf(1 / np.sqrt(2 * (1 + 1.0**2)))
    for _ in range(n_repeats):
        jd = np.repeat(np.arange(60), 6)
        labels = np.tile([1, 0, 0, 1, 0, 0], 60)
        # What is common to a JD shifts all its pairs, and the noise of one encoder is shared within a JD.
        shared, own = rng.standard_normal((2, 60))[:, jd]
        near = labels + shared * 0.5 + rng.standard_normal(360)
        far = labels + own * 1.0 + rng.standard_normal(360)
        _, low, high, _ = delong([near, far], labels, jd).difference(0, 1)
        held += low <= truth <= high
    assert stats.binomtest(held, n_repeats, 0.95).pvalue > 1e-4


@pytest.mark.parametrize(
    ("scores", "labels", "said"),
    [
        ([[0.1, 0.2], [0.1, np.nan]], [0, 1], "position 1 is nan"),
        ([0.1, 0.2], [1, 1], "labelled as a match"),
        ([0.1, 0.2], [0, 1, 1], "2 scores but 3 labels"),
    ],
)
def test_what_cannot_be_compared_is_refused(scores, labels, said):
    with pytest.raises(InputError, match=said):
        delong(scores, labels)
