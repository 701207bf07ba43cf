"""How many independent pairs the pairs on one side of a cutoff are worth.

Pairs that share a JD repeat each other, and pairs with unequal weights count unequally. The exact
tests for one share hold for independent, equal pairs; here is the number of such pairs to test with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from workbench.calibration.counts import cutoffs_between
from workbench.calibration.observations import FloatArray, IntArray, Observations
from workbench.errors import InputError

__all__ = ["Dependence", "OneSide", "Side", "one_side", "share_with_size", "within_cluster_correlation"]

Side = Literal["above", "below"]
Dependence = Literal["auto", "independent", "effective", "one_per_cluster"]


@dataclass(frozen=True, eq=False, repr=False)
class OneSide:
    """The pairs on one side of each cutoff, from the smallest set to the largest.

    Attributes
    ----------
    side : {"above", "below"}
        Above, a pair is right if it is a match; below, if it is none.
    cutoffs : ndarray of float64, shape (k,)
        Descending for the side above, ascending for the side below: sets grow.
    n, right : ndarray of int64, shape (k,)
        Labelled pairs on that side, and how many of them are right.
    weight : ndarray of float64, shape (k,)
        Sum of their weights.
    share_right : ndarray of float64, shape (k,)
        Weighted share of right ones; NaN for an empty set.
    size : ndarray of float64, shape (k,)
        Number of independent pairs of equal weight that say as much about that share; at most `n`.
    method : {"independent", "effective"}
        Whether `size` is the number of pairs itself.
    correlation : float
        Correlation of errors within a cluster that `size` reckons with; 0 for independent pairs.
    """

    side: Side
    cutoffs: FloatArray
    n: IntArray
    right: IntArray
    weight: FloatArray
    share_right: FloatArray
    size: FloatArray
    method: Literal["independent", "effective"]
    correlation: float

    def __len__(self) -> int:
        return len(self.cutoffs)


def one_side(
    observations: Observations,
    side: Side,
    *,
    cutoffs: FloatArray | None = None,
    dependence: Dependence = "auto",
) -> OneSide:
    """Growing sets of pairs above (or at or below) each cutoff, with their effective sizes.

    Without weights and clusters the size is the number of pairs. Otherwise it is the smaller of two:

    - Kish's size, lowered as if one more pair, wrong and of the largest weight, had been seen (else
      a set without errors would look as if no error could hide behind a large weight), over the
      design effect 1 + (m - 1) r, with m the mean cluster size that a pair sees and r the upper end
      of the within-cluster correlation of errors in all pairs;
    - the size that gives the linearised, cluster-robust variance of the share in this very set, with
      the degrees of freedom of its clusters [1]_.

    Parameters
    ----------
    observations : Observations
    side : {"above", "below"}
    cutoffs : ndarray of float64, optional
        Those between the scores by default.
    dependence : {"auto", "independent", "effective"}
        ``"independent"`` takes no notice of clusters; weights are always heeded.

    References
    ----------
    .. [1] Korn & Graubard (1998), Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data, Survey Methodology 24, 193-201; Rao & Scott (1992),
       A simple method for the analysis of clustered binary data, Biometrics 48, 577-585.
    """
    if side not in ("above", "below"):
        raise InputError(f"side is {side!r}; it is 'above' or 'below' the cutoff.")
    order = observations.order[::-1] if side == "above" else observations.order
    scores = observations.scores[order]
    right = observations.labels[order] if side == "above" else 1 - observations.labels[order]
    table = cutoffs_between(scores) if cutoffs is None else np.unique(np.asarray(cutoffs, dtype=np.float64))
    if side == "above":
        table = table[::-1]
        n = len(scores) - np.searchsorted(scores[::-1], table, side="right")
    else:
        n = np.searchsorted(scores, table, side="right")
    weights = observations.weights
    if weights is not None:
        weights = weights[order]
        weights = None if np.ptp(weights) == 0 else weights / weights.mean()
    clusters = None if dependence == "independent" else observations.clusters
    n_right = np.concatenate([[0], np.cumsum(right)])[n]
    total = np.concatenate([[0.0], np.cumsum(observations.unit_weights[order])])[n]
    if weights is None and clusters is None:
        share = np.divide(n_right, n, out=np.full(len(n), np.nan), where=n > 0)
        size = n.astype(np.float64)
        return OneSide(side, table, n.astype(np.int64), n_right, total, share, size, "independent", 0.0)
    correlation = 0.0 if clusters is None else within_cluster_correlation(observations)
    share, size = _effective(
        right.astype(np.float64),
        np.ones(len(right)) if weights is None else weights,
        np.arange(len(right)) if clusters is None else clusters[order],
        n,
        correlation,
        clustered=clusters is not None,
    )
    return OneSide(side, table, n.astype(np.int64), n_right, total, share, size, "effective", correlation)


def within_cluster_correlation(observations: Observations, *, standard_errors: float = 1.0) -> float:
    """How alike the errors of pairs of one cluster are, beyond what their scores explain.

    The moment estimator of an exchangeable correlation [1]_ on the residuals of an isotonic regression
    of labels on scores, plus some standard errors, for it is used to be careful: where hardly any
    errors were seen, hardly anything is known about how they cluster, and the result nears 1.

    Parameters
    ----------
    observations : Observations
    standard_errors : float
        How many to add.

    Returns
    -------
    float
        From 0 to 1; 0 for independent pairs.

    References
    ----------
    .. [1] Liang & Zeger (1986), Longitudinal data analysis using generalized linear models, Biometrika
       73, 13-22, section 4.
    """
    from sklearn.isotonic import isotonic_regression

    if observations.clusters is None:
        return 0.0
    order = observations.order
    distinct, group = np.unique(observations.scores[order], return_inverse=True)
    labels = observations.labels[order].astype(np.float64)
    per_score = np.bincount(group, minlength=len(distinct))
    means = np.bincount(group, labels, minlength=len(distinct)) / per_score
    expected = np.clip(isotonic_regression(means, sample_weight=per_score.astype(np.float64)), 0, 1)[group]
    clusters = observations.clusters[order]
    return _correlation(labels - expected, expected * (1 - expected), clusters, standard_errors)


def share_with_size(right: FloatArray, observations: Observations) -> tuple[float, float]:
    """Weighted share of pairs for which something holds, and the effective size behind it.

    As :func:`one_side`, for one set of any kind; the within-cluster correlation is that of `right` in
    this set, without regard to scores.

    Parameters
    ----------
    right : ndarray of {0, 1}, shape (n,)
    observations : Observations
        The set.
    """
    weights, clusters = observations.unit_weights, observations.clusters
    share = float(np.average(right, weights=weights))
    if clusters is None and np.ptp(weights) == 0:
        return share, float(len(right))
    correlation = 0.0
    if clusters is not None:
        expected = np.full(len(right), right.mean())
        correlation = _correlation(right - expected, expected * (1 - expected), clusters, 1.0)
    _, size = _effective(
        right.astype(np.float64),
        weights / weights.mean(),
        np.arange(len(right)) if clusters is None else clusters,
        np.array([len(right)]),
        correlation,
        clustered=clusters is not None,
    )
    return share, float(size[0])


def _correlation(
    residuals: FloatArray, variances: FloatArray, clusters: IntArray, standard_errors: float
) -> float:
    products = _pairs_within(residuals, clusters).sum()
    scale = _pairs_within(np.sqrt(variances), clusters).sum()
    if scale <= 1e-9:
        return 1.0
    # Variance of the sum of products of independent residuals: each unordered pair is counted twice.
    standard_error = np.sqrt(2 * _pairs_within(variances, clusters).sum()) / scale
    return float(np.clip(products / scale + standard_errors * standard_error, 0.0, 1.0))


def _pairs_within(values: FloatArray, clusters: IntArray) -> FloatArray:
    """Sum of products over ordered pairs of different members, for each cluster."""
    sums = np.bincount(clusters, values)
    return np.asarray(sums**2 - np.bincount(clusters, values**2))


def _effective(
    right: FloatArray,
    weights: FloatArray,
    clusters: IntArray,
    n: IntArray,
    correlation: float,
    *,
    clustered: bool,
) -> tuple[FloatArray, FloatArray]:
    """Weighted share and effective size of the first n[i] pairs, for all i."""
    # S_xy: sums over clusters of products of cluster totals, kept up as pairs come in one by one.
    before_w, before_r, seen = _totals_before(weights, right, clusters)
    of_right = weights * right
    cumulated = {
        "w": weights,
        "r": of_right,
        "w2": weights**2,
        "ww": 2 * before_w * weights + weights**2,
        "rr": 2 * before_r * of_right + of_right**2,
        "wr": before_r * weights + of_right * before_w + of_right * weights,
        "clusters": (seen == 0).astype(np.float64),
    }
    total = {name: np.concatenate([[0.0], np.cumsum(value)])[n] for name, value in cumulated.items()}
    largest = np.concatenate([[1.0], np.maximum.accumulate(weights)])[n]
    some = n > 0
    w = np.where(some, total["w"], 1.0)
    share = np.where(some, total["r"] / w, np.nan)
    p = np.where(some, share, 0.0)

    with np.errstate(divide="ignore", invalid="ignore"):
        # One more pair, wrong, of the largest weight; sum of w^2 (y - p)^2 as independent pairs.
        p_more = total["r"] / (w + largest)
        r2 = np.concatenate([[0.0], np.cumsum(weights**2 * right)])[n]
        squared = r2 * (1 - 2 * p_more) + total["w2"] * p_more**2 + (largest * p_more) ** 2
        careful = np.where(squared > 0, p_more * (1 - p_more) * (w + largest) ** 2 / squared, np.inf)
        kish = w**2 / total["w2"]
        cluster_size = total["ww"] / total["w2"]
        pooled = np.minimum(careful, kish) / (1 + np.maximum(cluster_size - 1, 0) * correlation)

        spread = np.maximum(total["rr"] - 2 * p * total["wr"] + p**2 * total["ww"], 0)
        m = total["clusters"]
        seen_here = np.where(spread > 1e-12, p * (1 - p) * w**2 / spread, np.inf)
        if clustered:
            # Few clusters estimate a variance badly; Korn & Graubard's ratio of t quantiles.
            many = m > 1
            freedom = np.where(many, m - 1, 1.0)
            t = stats.t.ppf(0.95, np.maximum(n - 1, 1)) / stats.t.ppf(0.95, freedom)
            seen_here = np.where(many, seen_here * (m - 1) / np.maximum(m, 1) * t**2, 1.0)
    size = np.where(some, np.minimum(np.minimum(pooled, seen_here), n), 0.0)
    return share, size


def _totals_before(
    weights: FloatArray, right: FloatArray, clusters: IntArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """For each pair: weight, weight of right ones, and number of earlier pairs of its cluster."""
    by_cluster = np.argsort(clusters, kind="stable")
    codes = clusters[by_cluster]
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    lengths = np.diff(np.append(starts, len(codes)))
    out = []
    for values in (weights, weights * right, np.ones(len(weights))):
        running = np.concatenate([[0.0], np.cumsum(values[by_cluster])])[:-1]
        before = np.empty(len(values))
        before[by_cluster] = running - np.repeat(running[starts], lengths)
        out.append(before)
    return out[0], out[1], np.rint(out[2]).astype(np.int64)
