"""Intervals for impact ratios that know that the worst group, and the best, were picked by looking.

Arrays of rates in, arrays of ends out; which pairs and groups these are is not of this module. The ratio of
one group's rate to another's has an interval from those of both rates. The impact ratio of a group, and the
smallest of them, are minima of such ratios over pairs of groups, and are read off as such:

- all impact ratios at once from all pairs of groups at once (Tukey's and Kramer's range);
- the upper end of the smallest from the pairs that may be the smallest, told by a first look at all
  (Romano, Shaikh & Wolf, section 2);
- its lower end from each pair by itself: the smallest ratio is below the lowest of lower ends only if that
  of the one pair that has it fails (Berger).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

from workbench.calibration.observations import FloatArray, Observations

# Part of what may go wrong that the first look takes; a tenth, as in Romano, Shaikh & Wolf (2014).
FIRST_LOOK = 0.1


@dataclass(frozen=True, eq=False)
class ImpactIntervals:
    """Ends of intervals; the last axis is that of groups.

    Attributes
    ----------
    low, high : ndarray of float64, shape (..., groups)
        Of each group's rate over the highest rate, whichever group has that; for all groups at once.
    smallest_low, smallest_high : ndarray of float64, shape (...)
        Of the smallest of these ratios.
    """

    low: FloatArray
    high: FloatArray
    smallest_low: FloatArray
    smallest_high: FloatArray


def impact_intervals(
    rates: npt.ArrayLike,
    sizes: npt.ArrayLike,
    confidence: float = 0.95,
    correlation: npt.ArrayLike = 0.0,
) -> ImpactIntervals:
    """Intervals for the ratio of each rate to the highest, and for the smallest of these ratios.

    Parameters
    ----------
    rates : array-like of float, shape (..., groups)
        Shares selected, of two groups or more.
    sizes : array-like of float, shape (..., groups)
        Independent people or pairs behind each; may be a fraction (effective sizes).
    confidence : float
    correlation : array-like of float, shape (..., groups, groups), optional
        Of the estimated rates; 0 for groups that share no JD.

    Notes
    -----
    Rates have Jeffreys' intervals [1]_, which hold at both ends for small groups with small rates (Wilson's
    lower end does not); their ratio the one recovered from these ends [2]_. A difference of a group to the
    best one, where the best is picked too, is Hsu's problem [3]_. Pairs of unequal groups are compared by
    the studentised range, which is on the safe side for them [4]_, or by Šidák's inequality [5]_ where fewer
    pairs are in question [6]_. That a bound on a minimum needs no correction is [7]_. That they hold is
    simulated in ``benchmarks/simulating/adverse_impact.py``.

    References
    ----------
    .. [1] Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science
       16(2), 101-133, section 4.
    .. [2] Donner & Zou (2012), Closed-form confidence intervals for functions of the normal mean and standard
       deviation, Statistical Methods in Medical Research 21(4), 347-359, section 2 (MOVER for a ratio).
    .. [3] Hsu (1984), Constrained simultaneous confidence intervals for multiple comparisons with the best,
       Annals of Statistics 12(3), 1136-1144.
    .. [4] Hayter (1984), A proof of the conjecture that the Tukey-Kramer multiple comparisons procedure is
       conservative, Annals of Statistics 12(1), 61-75.
    .. [5] Šidák (1967), Rectangular confidence regions for the means of multivariate normal distributions,
       JASA 62, 626-633.
    .. [6] Romano, Shaikh & Wolf (2014), A practical two-step method for testing moment inequalities,
       Econometrica 82(5), 1979-2002.
    .. [7] Berger (1982), Multiparameter hypothesis testing and acceptance sampling, Technometrics 24(4),
       295-300.

    Examples
    --------
    >>> found = impact_intervals([0.5, 0.45, 0.2], [400, 300, 60])
    >>> found.low.round(2).tolist(), found.high.round(2).tolist()
    ([0.92, 0.74, 0.2], [1.0, 1.0, 0.69])
    >>> found.smallest_low.round(2).item(), found.smallest_high.round(2).item()
    (0.23, 0.69)
    """
    share, size, among = (np.asarray(values, dtype=np.float64) for values in (rates, sizes, correlation))
    share, size = np.broadcast_arrays(share, size)
    wrong = 1 - confidence
    groups = share.shape[-1]
    everyone = _highest(share, size, _all_pairs(groups, confidence), among)
    # The first look: the highest that the smallest may be, and the pairs that may be so low.
    first = _highest(share, size, _all_pairs(groups, 1 - FIRST_LOOK * wrong), among)
    may_be = _lowest(first) <= np.minimum(first.min((-2, -1)), 1.0)[..., None, None]
    unordered = np.triu(may_be | np.swapaxes(may_be, -1, -2), k=1).sum((-2, -1))
    second = np.minimum(
        _some_pairs(unordered, confidence + FIRST_LOOK * wrong), _all_pairs(groups, confidence)
    )
    alone = _highest(share, size, _some_pairs(1, confidence), among)
    return ImpactIntervals(
        low=np.minimum(_lowest(everyone).min(-1), 1.0),
        high=np.minimum(everyone.min(-1), 1.0),
        smallest_low=np.minimum(_lowest(alone).min((-2, -1)), 1.0),
        smallest_high=np.minimum(_highest(share, size, second, among).min((-2, -1)), 1.0),
    )


def jeffreys(share: FloatArray, size: FloatArray, z: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Jeffreys' interval for a share, as wide as `z` standard errors; 0 and 1 are ends of their own."""
    tail, right = special.ndtr(-np.asarray(z, dtype=np.float64)), share * size
    a, b = right + 0.5, size - right + 0.5
    low = np.where(share <= 0, 0.0, special.betaincinv(a, b, tail))
    high = np.where(share >= 1, 1.0, special.betaincinv(a, b, 1 - tail))
    return np.minimum(low, share), np.maximum(high, share)


def correlations(
    observations: Observations,
    members: FloatArray,
    selected: npt.NDArray[np.bool_],
    rates: FloatArray,
    sizes: FloatArray,
) -> FloatArray:
    """How the groups' rates go together where groups share JDs, shape (groups, groups).

    The cluster-robust covariance of the linearised rates, less one standard error where positive, over the
    variances that `sizes` stand for. A JD that selects many of everyone moves all rates at once, and their
    ratio less.

    Parameters
    ----------
    members : ndarray of {0, 1}, shape (groups, n)
    """
    if observations.clusters is None:
        return np.zeros((len(members), len(members)))
    weights = members * observations.unit_weights
    residuals = weights * (selected - rates[:, None]) / weights.sum(1, keepdims=True)
    jds = observations.clusters
    totals = np.array([np.bincount(jds, row, minlength=jds.max() + 1) for row in residuals])
    there = np.array(
        [np.bincount(jds, row, minlength=jds.max() + 1) > 0 for row in members], dtype=np.float64
    )
    covariance, shared = totals @ totals.T, np.maximum(there @ there.T, 1.0)
    own = np.diag(covariance)
    error = np.sqrt((np.outer(own, own) + covariance**2) / shared)
    careful = np.where(covariance > 0, np.maximum(covariance - error, 0.0), covariance)
    variances = rates * (1 - rates) / sizes
    scale = np.sqrt(np.outer(variances, variances))
    found = np.divide(careful, scale, out=np.zeros_like(scale), where=scale > 0)
    return np.asarray(np.clip(found, -1.0, 1.0))


def _highest(share: FloatArray, size: FloatArray, z: npt.ArrayLike, correlation: FloatArray) -> FloatArray:
    """Upper ends of the ratios of all rates to all others, shape (..., groups, groups).

    The lower end of one ratio is one over the upper end of its inverse.
    """
    low, high = jeffreys(share, size, np.asarray(z, dtype=np.float64)[..., None])
    up, down = (high - share)[..., :, None], (share - low)[..., None, :]
    over, under = share[..., :, None], share[..., None, :]
    middle = over * under - correlation * up * down
    bottom = under**2 - down**2
    root = np.sqrt(np.maximum(middle**2 - (over**2 - up**2) * bottom, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where nobody is selected of those compared with, the ratio may be anything.
        ends = np.where(bottom > 0, np.maximum(middle + root, over * under) / bottom, np.inf)
    own = np.arange(share.shape[-1])
    ends[..., own, own] = 1.0
    return np.asarray(ends)


def _lowest(highest: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.swapaxes(highest, -1, -2))


@cache
def _all_pairs(groups: int, confidence: float) -> float:
    """How many standard errors cover the differences of all pairs of groups at once."""
    from scipy.stats import studentized_range

    if groups <= 2:
        return float(_some_pairs(1, confidence))
    return float(studentized_range.ppf(confidence, groups, np.inf) / np.sqrt(2))


def _some_pairs(pairs: npt.ArrayLike, confidence: float) -> FloatArray:
    """How many standard errors cover so many differences at once, however they go together."""
    return np.asarray(special.ndtri((1 + confidence ** (1 / np.maximum(pairs, 1))) / 2))
