"""Confidence intervals and exact p-values for one share, for arrays and for effective (fractional) sizes.

The closed forms; what a size means under weights and clusters is in
:mod:`workbench.calibration.effective`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from workbench.calibration.observations import FloatArray

__all__ = ["clopper_pearson", "lower_bound", "p_value_above", "upper_bound", "wilson"]


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


def clopper_pearson(
    share: npt.ArrayLike, size: npt.ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """The exact (two-sided) interval; with a fractional size it is that of Korn & Graubard.

    Parameters and returns are as of :func:`wilson`.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26, 404-413. Korn & Graubard (1998), Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data, Survey
    Methodology 24, 193-201.
    """
    each_side = (1 + confidence) / 2
    return lower_bound(share, size, each_side), upper_bound(share, size, each_side)


def lower_bound(share: npt.ArrayLike, size: npt.ArrayLike, confidence: float = 0.95) -> FloatArray:
    """The exact one-sided bound: with this confidence, the share is at least so high."""
    p, n = np.broadcast_arrays(np.asarray(share, dtype=np.float64), np.asarray(size, dtype=np.float64))
    right = p * n
    with np.errstate(invalid="ignore"):
        bound = stats.beta.ppf(1 - confidence, right, n - right + 1)
    return np.where(~(n > 0) | np.isnan(p), np.nan, np.where(right <= 0, 0.0, bound))


def upper_bound(share: npt.ArrayLike, size: npt.ArrayLike, confidence: float = 0.95) -> FloatArray:
    """The exact one-sided bound: with this confidence, the share is at most so high."""
    return 1 - lower_bound(1 - np.asarray(share, dtype=np.float64), size, confidence)


def p_value_above(share: npt.ArrayLike, size: npt.ArrayLike, target: float) -> FloatArray:
    """Exact binomial p-value of "the true share is at most `target`".

    The probability of so high a share or a higher one if the true share were `target`. Small p-values
    speak for a share above the target. For a fractional size, the regularised incomplete beta
    function continues the binomial tail.

    Parameters
    ----------
    share, size : array-like of float
        As of :func:`wilson`; an empty set has p-value 1.
    target : float

    Examples
    --------
    >>> round(float(p_value_above(1.0, 22, 0.9)), 4)  # 0.9 ** 22
    0.0985
    """
    p, n = np.broadcast_arrays(np.asarray(share, dtype=np.float64), np.asarray(size, dtype=np.float64))
    right = p * n
    known = (n > 0) & (right > 0)
    return np.where(
        known, special.betainc(np.where(known, right, 1.0), np.where(known, n - right, 0.0) + 1, target), 1.0
    )
