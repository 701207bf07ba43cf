"""Tests that may be looked at after every pair: betting against a mean, valid at all times at once.

For observations between 0 and 1 that come one after another. What is bet on, and what the answer means, is
said in :mod:`workbench.calibration.monitoring`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import logsumexp

from workbench.calibration.observations import FloatArray
from workbench.errors import InputError

__all__ = ["confidence_sequence", "log_evidence_above", "log_evidence_below"]

# Bets of all sizes at once, evenly spread: each loses at most log(100) to the best of them.
N_BETS = 100
SIZES = (np.arange(N_BETS) + 0.5) / N_BETS
# Rows of the table of bets held in memory at a time.
CHUNK = 20_000


def log_evidence_below(values: npt.ArrayLike, mean: float) -> FloatArray:
    """Evidence, after each observation, that the mean lies below `mean`.

    The wealth of a gambler who starts with 1 and bets that observations are lower than that, at odds that
    are fair if the mean is `mean` [1]_. If each observation has an expectation of `mean` or more given
    those before it, the probability that the wealth ever reaches ``1 / delta`` is at most delta (Ville's
    inequality), however often one looks. The gambler splits the wealth over 100 bets of constant size, a
    mixture as in [2]_.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        In the order in which they came; from 0 to 1, such as right (1) and wrong (0).
    mean : float
        Strictly between 0 and 1.

    Returns
    -------
    ndarray of float64, shape (n,)
        Natural logarithm of the wealth.

    References
    ----------
    .. [1] Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B
       86(1), 1-27.
    .. [2] Robbins (1970), Statistical methods related to the law of the iterated logarithm, Annals of
       Mathematical Statistics 41(5), 1397-1409.

    Examples
    --------
    >>> wrong_half_the_time = [1, 0] * 20
    >>> bool(log_evidence_below(wrong_half_the_time, 0.9)[-1] > np.log(20))
    True
    """
    return _log_wealth(_checked(values, mean), mean)


def log_evidence_above(values: npt.ArrayLike, mean: float) -> FloatArray:
    """Evidence, after each observation, that the mean lies above `mean`; as :func:`log_evidence_below`."""
    return _log_wealth(1 - _checked(values, mean), 1 - mean)


def confidence_sequence(values: npt.ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """An interval for the mean that holds at all times at once.

    The means that bets have not refuted after these observations, on either side at half the level. If it
    is computed after each observation, all intervals hold the mean together with this confidence.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        From 0 to 1.
    confidence : float

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> low, high = confidence_sequence([1] * 45 + [0] * 5)
    >>> round(low, 2), round(high, 2)
    (0.73, 0.99)
    """
    x = _checked(values, 0.5)
    if not len(x):
        return 0.0, 1.0
    limit = float(np.log(2 / (1 - confidence)))
    high = _highest_not_refuted(x, limit)
    return 1 - _highest_not_refuted(1 - x, limit), high


def _checked(values: npt.ArrayLike, mean: float) -> FloatArray:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or (len(x) and not ((x >= 0) & (x <= 1)).all()):
        raise InputError("A sequential test is of observations from 0 to 1, one after another: shape (n,).")
    if not 0 < mean < 1:
        raise InputError(f"The mean to bet against is {mean!r}; it lies strictly between 0 and 1.")
    return x


def _log_wealth(x: FloatArray, mean: float) -> FloatArray:
    out = np.empty(len(x))
    wealth = np.zeros(N_BETS)
    for at in range(0, len(x), CHUNK):
        here = x[at : at + CHUNK, None]
        steps = wealth + np.cumsum(np.log(_pays(here, mean)), axis=0)
        out[at : at + CHUNK] = logsumexp(steps, axis=1) - np.log(N_BETS)
        wealth = steps[-1]
    return out


def _pays(x: FloatArray, mean: float) -> FloatArray:
    """What a bet of each size makes of 1: nothing less than fair at `mean`, more for lower x."""
    # Ratio of two densities linear in x, with the means mean * SIZES and mean.
    return np.asarray(x * SIZES + (1 - x) * (1 - SIZES * mean) / (1 - mean))


def _highest_not_refuted(x: FloatArray, limit: float) -> float:
    distinct, times = np.unique(x, return_counts=True)

    def over(mean: float) -> float:
        wealth = (times[:, None] * np.log(_pays(distinct[:, None], mean))).sum(axis=0)
        return float(logsumexp(wealth)) - float(np.log(N_BETS)) - limit

    # Wealth rises with the mean that is bet against.
    top = 1 - 1e-12
    if over(top) < 0:
        return 1.0
    bottom = 1e-12
    return float(brentq(over, bottom, top, xtol=1e-9)) if over(bottom) < 0 else 0.0
