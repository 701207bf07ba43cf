"""What pairs say about one share: how many independent pairs they are worth, and what interval that gives.

Pairs that share a JD repeat each other, and pairs with unequal weights count unequally. Intervals and the
tests of :mod:`workbench.calibration.exact_tests` hold for independent, equal pairs; :class:`OneSide` and
:func:`share_with_size` say the number of such pairs to take, which may be a fraction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from workbench.calibration.observations import (
    MOST_SCORES,
    CountArray,
    FloatArray,
    IntArray,
    Observations,
    numbered,
    once,
)
from workbench.errors import InputError
from workbench.i18n import gettext as _

Side = Literal["above", "below"]
Dependence = Literal["auto", "independent", "effective", "one_per_cluster"]

# How alike errors within a cluster are taken to be before any label is looked at, and how little of what
# its pairs are worth a set can be foreseen to keep; docs/simulations/planning.md compares.
FORESEEN_CORRELATION = 0.1
FORESEEN_AT_LEAST = 1 / 2

# Degrees of freedom up to which quantiles are looked up.
FEW_FREEDOM = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class OneSide:
    """The pairs on one side of each cutoff, from the smallest set to the largest.

    Attributes
    ----------
    side : {"above", "below"}
        Above, a pair is right if it is a match; below, if it is none.
    cutoffs : ndarray of float64, shape (k,)
        Descending for the side above, ascending for the side below: sets grow.
    reach : ndarray of float64, shape (k,)
        The score that came in last; the first set is empty, and reaches none.
    n, right : ndarray of int64, shape (k,)
        Labelled pairs on that side, and how many of them are right.
    weight : ndarray of float64, shape (k,)
        Sum of their weights.
    share_right : ndarray of float64, shape (k,)
        Weighted share of right ones; NaN for an empty set.
    size : ndarray of float64, shape (k,)
        Number of independent pairs of equal weight that say as much about that share; at most `n`.
    foreseen, apart : ndarray of float64, shape (k,)
        What `size` could be expected to be from scores, weights and clusters alone, without any label; and
        what it would be if no two pairs were of one cluster.
    method : {"independent", "effective"}
        Whether `size` is the number of pairs itself.
    """

    side: Side
    cutoffs: FloatArray
    reach: FloatArray
    n: IntArray
    right: IntArray
    weight: FloatArray
    share_right: FloatArray
    size: FloatArray
    foreseen: FloatArray
    apart: FloatArray
    method: Literal["independent", "effective"]

    def __len__(self) -> int:
        return len(self.cutoffs)

    def at(self, cutoffs: npt.ArrayLike) -> OneSide:
        """The sets at other cutoffs, of any number; sorted so that sets grow."""
        table = np.unique(np.asarray(cutoffs, dtype=np.float64))
        if self.side == "above":
            table = table[::-1]
            row = np.searchsorted(-self.reach[1:], -table, side="left")
        else:
            row = np.searchsorted(self.reach[1:], table, side="right")
        columns = ("reach", "n", "right", "weight", "share_right", "size", "foreseen", "apart")
        return replace(self, cutoffs=table, **{name: getattr(self, name)[row] for name in columns})


def one_side(
    observations: Observations,
    side: Side,
    *,
    cutoffs: npt.ArrayLike | None = None,
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

    `foreseen` is the first of the two for sets without an error, with a correlation of 0.1 and at least half
    of Kish's size: labels have no say in it.

    Parameters
    ----------
    observations : Observations
    side : {"above", "below"}
    cutoffs : array-like of float, optional
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
        raise InputError(_("side is {side}; it is 'above' or 'below' the cutoff.").format(side=repr(side)))
    clustered = observations.clusters is not None and dependence != "independent"
    if cutoffs is None:
        return _sets(observations, side, clustered)
    if len(observations) <= MOST_SCORES:
        return _sets(observations, side, clustered).at(cutoffs)
    table = np.unique(np.asarray(cutoffs, dtype=np.float64))
    return _sets_at(observations, side, clustered, table[::-1] if side == "above" else table)


@once
def within_cluster_correlation(observations: Observations, *, standard_errors: float = 1.0) -> float:
    """How alike the errors of pairs of one cluster are, beyond what their scores explain.

    The moment estimator of an exchangeable correlation [1]_ on the residuals of an isotonic regression
    of labels on scores, plus some standard errors, for it is used to be careful: where hardly any
    errors were seen, hardly anything is known about how they cluster, and the result nears 1. From 0 to
    1; 0 for independent pairs.

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


def share_with_size(
    right: FloatArray, observations: Observations, among: npt.NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Weighted share of pairs for which something holds, and the effective size behind it.

    As :func:`one_side`, for one set of any kind; the within-cluster correlation is that of `right` in
    this set, without regard to scores.

    Parameters
    ----------
    right : ndarray of {0, 1}, shape (n,)
    observations : Observations
    among : ndarray of bool, shape (n,), optional
        The set; all pairs by default. NaN and 0 where it is empty.
    """
    weights, clusters = observations.unit_weights, observations.clusters
    if among is not None:
        if not among.any():
            return float("nan"), 0.0
        right, weights = right[among], weights[among]
        clusters = None if clusters is None else numbered(clusters[among])
    share = float(np.average(right, weights=weights))
    if clusters is None and np.ptp(weights) == 0:
        return share, float(len(right))
    correlation = 0.0
    if clusters is not None:
        expected = np.full(len(right), right.mean())
        correlation = _correlation(right - expected, expected * (1 - expected), clusters, 1.0)
    all_of_them = np.array([len(right)])
    size = _effective(right.astype(np.float64), weights / weights.mean(), clusters, all_of_them, correlation)[
        1
    ]
    return share, float(size[0])


def wilson(
    share: npt.ArrayLike, size: npt.ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Wilson's score interval for a share.

    Parameters
    ----------
    share : array-like of float
        Observed share, 0 to 1; NaN gives NaN.
    size : array-like of float
        Number of observations, or effective number; 0 gives NaN.
    confidence : float
        Two-sided.

    Returns
    -------
    low, high : ndarray of float64

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22,
    209-212; equation 4 in Brown, Cai & DasGupta (2001), Statistical Science 16(2), 101-133.

    Examples
    --------
    >>> low, high = wilson(0.9, 100)
    >>> round(float(low), 4), round(float(high), 4)
    (0.8256, 0.9448)
    """
    p, n = np.broadcast_arrays(np.asarray(share, dtype=np.float64), np.asarray(size, dtype=np.float64))
    z = float(special.ndtri((1 + confidence) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        low, high = centre - half, centre + half
    empty = ~(n > 0) | np.isnan(p)
    # The ends are exact in theory; rounding must not push them past the share.
    low = np.where(empty, np.nan, np.where(p <= 0, 0.0, np.clip(low, 0, p)))
    high = np.where(empty, np.nan, np.where(p >= 1, 1.0, np.clip(high, p, 1)))
    return low, high


def scale_odds(share: CountArray | float, factor: float) -> FloatArray:
    """The share whose odds are `factor` times those of `share`; 0, 1 and NaN stay."""
    exact = np.asarray(share, dtype=np.float64)
    if factor == 1.0:
        return exact
    return np.asarray(factor * exact / (1 - exact + factor * exact))


@once
def _sets(observations: Observations, side: Side, clustered: bool) -> OneSide:
    cutoffs = observations.cutoffs
    return _sets_at(observations, side, clustered, cutoffs[::-1] if side == "above" else cutoffs)


def _sets_at(observations: Observations, side: Side, clustered: bool, cutoffs: FloatArray) -> OneSide:
    """The sets at cutoffs that are sorted so that sets grow."""
    pairs = observations.in_order
    n = np.searchsorted(pairs.scores, cutoffs, side="right")
    step = 1
    if side == "above":
        n, step = len(pairs) - n, -1
    scores, labels, weights = pairs.scores[::step], pairs.labels[::step], pairs.unit_weights[::step]
    right = labels if side == "above" else 1 - labels
    n_right = _up_to(n, right)
    total = _up_to(n, weights)
    reach = np.where(n > 0, scores[n - 1], np.nan)
    method: Literal["independent", "effective"] = "independent"
    if clustered or np.ptp(weights) > 0:
        method = "effective"
        clusters = pairs.clusters[::step] if clustered else None  # type: ignore[index]
        measured = within_cluster_correlation(observations) if clustered else 0.0
        relative = weights / weights.mean()
        share, size = _effective(right.astype(np.float64), relative, clusters, n, measured)
        foreseen, apart = _foreseen(relative, clusters, n)
    else:
        share = np.divide(n_right, n, out=np.full(len(n), np.nan), where=n > 0)
        size = foreseen = apart = n.astype(np.float64)
    counted = n.astype(np.int64), n_right
    return OneSide(side, cutoffs, reach, *counted, total, share, size, foreseen, apart, method)


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


def _foreseen(weights: FloatArray, clusters: IntArray | None, n: IntArray) -> tuple[FloatArray, FloatArray]:
    """What the first n[i] pairs are worth without any label: with their clusters, and were there none."""
    w, w2 = (_up_to(n, power) for power in (weights, weights**2))
    largest = _largest(n, weights)
    with np.errstate(invalid="ignore"):
        # As in _effective: all right but for one more pair, wrong, of the largest weight.
        careful = w * (w + largest) ** 2 / (largest * (w2 + w**2))
        apart = np.where(n > 0, np.minimum(np.minimum(w**2 / w2, careful), n), 0.0)
        if clusters is None:
            return apart, apart
        before = pd.Series(weights).groupby(clusters, sort=False).cumsum().to_numpy() - weights
        within = _up_to(n, 2 * before * weights + weights**2) / w2
        alike = 1 / (1 + FORESEEN_CORRELATION * np.maximum(within - 1, 0))
    return np.where(n > 0, apart * np.maximum(alike, FORESEEN_AT_LEAST), 0.0), apart


def _effective(
    right: FloatArray,
    weights: FloatArray,
    clusters: IntArray | None,
    n: IntArray,
    correlation: float,
) -> tuple[FloatArray, FloatArray]:
    """Weighted share and effective size of the first n[i] pairs, for all i."""
    clustered = clusters is not None
    clusters = np.arange(len(right)) if clusters is None else clusters
    # S_xy: sums over clusters of products of cluster totals, kept up as pairs come in one by one.
    of_right = weights * right
    total = {
        "w": _up_to(n, weights),
        "r": _up_to(n, of_right),
        "w2": _up_to(n, weights**2),
        "r2": _up_to(n, weights**2 * right),
    }
    if len(n) == 1 and n[0] == len(right):
        of_w, of_r = (np.bincount(clusters, values) for values in (weights, of_right))
        whole = {"ww": of_w @ of_w, "rr": of_r @ of_r, "wr": of_w @ of_r, "clusters": np.count_nonzero(of_w)}
        total |= {name: np.array([value], dtype=np.float64) for name, value in whole.items()}
    else:
        before_w, before_r = (
            (pd.Series(values).groupby(clusters, sort=False).cumsum() - values).to_numpy()
            for values in (weights, of_right)
        )
        total |= {
            "ww": _up_to(n, 2 * before_w * weights + weights**2),
            "rr": _up_to(n, 2 * before_r * of_right + of_right**2),
            "wr": _up_to(n, before_r * weights + of_right * before_w + of_right * weights),
            "clusters": _up_to(n, ~pd.Series(clusters).duplicated().to_numpy()),
        }
    largest = _largest(n, weights)
    some = n > 0
    w = np.where(some, total["w"], 1.0)
    share = np.where(some, total["r"] / w, np.nan)
    p = np.where(some, share, 0.0)

    with np.errstate(divide="ignore", invalid="ignore"):
        # One more pair, wrong, of the largest weight; sum of w^2 (y - p)^2 as independent pairs.
        p_more = total["r"] / (w + largest)
        squared = total["r2"] * (1 - 2 * p_more) + total["w2"] * p_more**2 + (largest * p_more) ** 2
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
            t = _t95(np.maximum(n - 1, 1)) / _t95(freedom)
            seen_here = np.where(many, seen_here * (m - 1) / np.maximum(m, 1) * t**2, 1.0)
    size = np.where(some, np.minimum(np.minimum(pooled, seen_here), n), 0.0)
    return share, size


def _up_to(n: IntArray, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sums of the first n[i] values, for all i."""
    sums = np.cumsum(values)
    return np.where(n > 0, sums[n - 1], sums.dtype.type(0))


def _largest(n: IntArray, weights: FloatArray) -> FloatArray:
    """The largest of the first n[i] weights; 1 of none."""
    return np.where(n > 0, np.maximum.accumulate(weights)[n - 1], 1.0)


def _t95(freedom: CountArray) -> FloatArray:
    """The 95th percentile of Student's t, for whole degrees of freedom.

    From 10,000 on by the first terms of its series, whose next is below 1e-15: Abramowitz & Stegun (1964),
    Handbook of Mathematical Functions, 26.7.5.
    """
    few = np.arange(1, 1 + min(FEW_FREEDOM, int(freedom.max(initial=1))))
    table = np.concatenate([[np.nan], stats.t.ppf(0.95, few)])
    z = float(special.ndtri(0.95))
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    series = np.polynomial.polynomial.polyval(1 / freedom, terms)
    looked_up = table[np.minimum(freedom, few[-1]).astype(np.intp)]
    return np.where(freedom > FEW_FREEDOM, series, looked_up)
