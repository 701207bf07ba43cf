"""Do two things differ by more than chance? Areas under ROC curves of the same pairs (DeLong, and Obuchowski
by JD), shares of different pairs, and Holm's correction where many are tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, IntArray, Observations
from workbench.calibration.shares import wilson

# Rounding leaves about this much where nothing varies.
NO_VARIANCE = 1e-15


@dataclass(frozen=True, eq=False, repr=False)
class Aucs:
    """Areas under ROC curves, and how they vary together.

    Attributes
    ----------
    auc : ndarray of float64, shape (k,)
        Probability that a match scores higher than another pair; ties count half.
    covariance : ndarray of float64, shape (k, k)
    alike : ndarray of bool, shape (k, k)
        Whether two curves order all pairs in the same way, ties included.
    n_matches, n_others : int
    by : {"pair", "cluster"}
        What was taken as independent.
    """

    auc: FloatArray
    covariance: FloatArray
    alike: npt.NDArray[np.bool_]
    n_matches: int
    n_others: int
    by: Literal["pair", "cluster"]

    def __repr__(self) -> str:
        errors = np.sqrt(np.diag(self.covariance))
        areas = ", ".join(f"{auc:.4f} ± {error:.4f}" for auc, error in zip(self.auc, errors, strict=True))
        return f"Aucs({areas}; by {self.by})"

    def interval(self, index: int, confidence: float = 0.95) -> tuple[float, float]:
        """Interval of one area, on the logit scale [1]_, so that it stays within 0 and 1.

        Where classes do not overlap at all no variance is seen; then it is Wilson's interval for as many
        pairs as the smaller class has.

        References
        ----------
        .. [1] Pepe (2003), The Statistical Evaluation of Medical Tests, section 5.2.5.
        """
        auc, variance = float(self.auc[index]), float(self.covariance[index, index])
        if variance <= NO_VARIANCE or auc in (0.0, 1.0):
            low, high = wilson(auc, min(self.n_matches, self.n_others), confidence)
            return float(low), float(high)
        logit, error = np.log(auc / (1 - auc)), np.sqrt(variance) / (auc * (1 - auc))
        z = stats.norm.ppf((1 + confidence) / 2)
        low, high = (1 / (1 + np.exp(-(logit + sign * z * error))) for sign in (-1, 1))
        return float(low), float(high)

    def difference(self, one: int, other: int, confidence: float = 0.95) -> tuple[float, float, float, float]:
        """AUC of `one` less that of `other`: value, low, high and two-sided p-value of no difference.

        Curves that order all pairs alike do not differ at all. Where neither curve shows any variance (both
        part the classes without an error, say), the single intervals are combined as if they were
        independent [1]_, which is wide, but does not take "never seen to differ" for "equal".

        References
        ----------
        .. [1] Zou & Donner (2008), Construction of confidence limits about effect measures: a general
           approach, Statistics in Medicine 27, 1693-1702.
        """
        value = float(self.auc[one] - self.auc[other])
        if self.alike[one, other]:
            return 0.0, 0.0, 0.0, 1.0
        single = [float(self.covariance[at, at]) for at in (one, other)]
        variance = sum(single) - 2 * float(self.covariance[one, other])
        z = float(stats.norm.ppf((1 + confidence) / 2))
        if max(single) <= NO_VARIANCE:
            ends = [self.interval(at, confidence) for at in (one, other)]
            down = float(np.hypot(self.auc[one] - ends[0][0], ends[1][1] - self.auc[other]))
            up = float(np.hypot(ends[0][1] - self.auc[one], self.auc[other] - ends[1][0]))
            error = (down if value > 0 else up) / z
        else:
            # Placements that differ nowhere: the areas are equal, and would be in other samples like this.
            error = float(np.sqrt(max(variance, 0.0))) if variance > NO_VARIANCE else 0.0
            down = up = z * error
        if error == 0:
            return (value, value, value, 1.0) if value == 0 else (value, np.nan, np.nan, np.nan)
        p = float(2 * stats.norm.sf(abs(value) / error))
        return value, max(value - down, -1.0), min(value + up, 1.0), p


def delong(scores: npt.ArrayLike, labels: npt.ArrayLike, clusters: npt.ArrayLike | None = None) -> Aucs:
    """Areas under ROC curves of the same pairs, with their covariance.

    Parameters
    ----------
    scores : array-like of float, shape (k, n) or (n,)
        k encoders' scores of the same n pairs.
    labels : array-like of {0, 1}, shape (n,)
    clusters : array-like, shape (n,), optional
        The JD of each pair. Pairs of one JD are then allowed to depend on each other [2]_; without, it is
        DeLong's estimator [1]_.

    Raises
    ------
    InputError
        If scores, labels or clusters cannot be used, or there is one class only.

    References
    ----------
    .. [1] DeLong, DeLong & Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
       operating characteristic curves: a nonparametric approach, Biometrics 44, 837-845.
    .. [2] Obuchowski (1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53, 567-578.

    Examples
    --------
    >>> delong([[0.8, 0.6, 0.4, 0.2], [0.8, 0.3, 0.4, 0.2]], [1, 1, 0, 0])
    Aucs(1.0000 ± 0.0000, 0.7500 ± 0.3536; by pair)
    """
    table = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    checked = [Observations(row, labels, clusters=clusters) for row in table]
    checked[0].require_both_classes()
    is_match = checked[0].labels == 1
    of_match, of_other = zip(*(_placements(row, is_match) for row in table), strict=True)
    v10, v01 = np.array(of_match), np.array(of_other)
    auc = v10.mean(axis=1)
    m, n = v10.shape[1], v01.shape[1]
    codes = checked[0].clusters
    if codes is None:
        covariance = _covariance(v10) / m + _covariance(v01) / n
    else:
        covariance = _by_cluster(v10 - auc[:, None], v01 - auc[:, None], codes, is_match)
    ranks = np.array([stats.rankdata(row) for row in table])
    alike = (ranks[:, None] == ranks[None, :]).all(axis=2)
    return Aucs(auc, covariance, alike, m, n, "pair" if codes is None else "cluster")


def same_share(one: Estimate, other: Estimate, *, exact: bool) -> float:
    """Two-sided p-value of "the share is the same in two sets of pairs".

    By Fisher's exact test where pairs are independent and equal, else by the score test on effective sizes.
    """
    (p, n), (q, m) = ((found.value, found.size) for found in (one, other))
    if exact:
        table = [[round(p * n), round((1 - p) * n)], [round(q * m), round((1 - q) * m)]]
        return float(stats.fisher_exact(table)[1])
    pooled = (n * p + m * q) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return float(2 * stats.norm.sf(abs(p - q) / np.sqrt(variance))) if variance > 0 else 1.0


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """p-values adjusted for being many: Holm's step-down procedure.

    Examples
    --------
    >>> holm([0.01, 0.5, 0.02]).tolist()
    [0.03, 0.5, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    stepped = p[order] * np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def p_said(p: float) -> str:
    """A p-value behind "p": "= 0.012", "< 0.001", and a dash where there is none."""
    return "–" if np.isnan(p) else "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _placements(scores: FloatArray, is_match: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Share of others below each match, and of matches above each other pair; ties count half."""
    matches, others = np.sort(scores[is_match]), np.sort(scores[~is_match])

    def share_below(ordered: FloatArray, values: FloatArray) -> FloatArray:
        below, up_to = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
        return np.asarray((below + up_to) / (2 * len(ordered)))

    return share_below(others, scores[is_match]), 1 - share_below(matches, scores[~is_match])


def _covariance(values: FloatArray) -> FloatArray:
    if values.shape[1] < 2:
        return np.full((len(values), len(values)), np.nan)
    return np.asarray(np.atleast_2d(np.cov(values)))


def _by_cluster(
    v10: FloatArray, v01: FloatArray, codes: IntArray, is_match: npt.NDArray[np.bool_]
) -> FloatArray:
    """Obuchowski's equations 3 to 5: sums over clusters of the centred placements."""
    m, n = v10.shape[1], v01.shape[1]
    n_clusters = int(codes.max()) + 1
    sums = []
    for values, members in ((v10, codes[is_match]), (v01, codes[~is_match])):
        sums.append(np.array([np.bincount(members, row, minlength=n_clusters) for row in values]))
    of_match, of_other = sums
    with_match, with_other = (len(np.unique(codes[kind])) for kind in (is_match, ~is_match))
    if min(with_match, with_other, n_clusters) < 2:
        return np.full((len(v10), len(v10)), np.nan)
    s10 = with_match / (with_match - 1) / m * of_match @ of_match.T
    s01 = with_other / (with_other - 1) / n * of_other @ of_other.T
    s11 = n_clusters / (n_clusters - 1) * of_match @ of_other.T
    return np.asarray(s10 / m + s01 / n + (s11 + s11.T) / (m * n))
