"""Exact tests of one share: bounds and p-values, how many pairs they need, and in which order sets come.

Sizes may be fractions, for pairs that are worth less than their number (:mod:`workbench.calibration.shares`).
Labels have no say in where a sequence of tests starts: its sizes are foreseen without them.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from workbench.calibration.counts import check_share
from workbench.calibration.observations import FloatArray
from workbench.calibration.shares import wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _

# How many errors the first set may hold and still pass, and how large a part of all pairs it may be to
# hold them: a start that forgives nothing ends at one unlucky pair near the top.
FORGIVEN = 4
WITHIN = 0.1


def lower_bound(share: npt.ArrayLike, size: npt.ArrayLike, confidence: float = 0.95) -> FloatArray:
    """The exact (Clopper-Pearson) one-sided bound: with this confidence, the share is at least so high.

    With a fractional size it is that of Korn & Graubard (1998).
    """
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

    An empty set has p-value 1. Shapes are as of :func:`wilson`.

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


def pairs_needed(target: float, confidence: float = 0.95, errors: int = 0) -> int:
    """How many pairs one side of a cutoff fixed beforehand must hold to show a share above a target.

    Parameters
    ----------
    target : float
        Share that shall be shown, such as a precision of 0.9.
    confidence : float
        One-sided.
    errors : int
        How many of these pairs may be wrong.

    Returns
    -------
    int
        The smallest n for which `errors` wrong out of n reject "the share is at most `target`" by the
        exact binomial test.

    Raises
    ------
    InputError
        If target or confidence is not between 0 and 1, or `errors` is negative.

    Examples
    --------
    >>> pairs_needed(0.9, confidence=0.9)
    22
    >>> pairs_needed(0.9, confidence=0.9, errors=1)
    38
    """
    check_share(target, "target", _("the share that shall be shown"))
    check_share(confidence, "confidence", _("the confidence of the statement"))
    if errors < 0:
        raise InputError(_("errors is {n}; it is a number of pairs, 0 or more.").format(n=errors))
    return _least(target, 1 - confidence, errors)


def _least(target: float, delta: float, errors: int) -> int:
    # P(at most `errors` wrong of n) falls with n: double until it is small enough, then bisect.
    low, high = errors, max(errors + 1, math.ceil(math.log(delta) / math.log(target)))
    while special.bdtr(errors, high, 1 - target) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if special.bdtr(errors, middle, 1 - target) > delta:
            low = middle
        else:
            high = middle
    return high


def size_for_margin(share: float, margin: float = 0.1, confidence: float = 0.95) -> int:
    """How many independent pairs give a Wilson interval that reaches at most `margin` to each side.

    Of a share as expected; NaN counts as a half, the worst case.

    Examples
    --------
    >>> size_for_margin(0.5), size_for_margin(0.95)
    (93, 25)
    """
    expected = 0.5 if np.isnan(share) else share
    sizes = np.arange(1, max(int(special.ndtri((1 + confidence) / 2) ** 2 / margin**2), 1) + 3)
    low, high = wilson(expected, sizes, confidence)
    return int(sizes[np.argmax((high - low) / 2 <= margin)])


def start_sizes(share: float, delta: float, size_of_all: float) -> tuple[float, ...]:
    """Sizes of the sets at which testing starts, smallest first.

    The first set is the smallest that could pass with e errors, where e is the largest number up to 4 for
    which that set is no more than a tenth of all pairs. Where a tenth of all pairs is more than twice
    that, there is a second start at that tenth: with many labels, one need not depend on the luck of
    the first few.

    Parameters
    ----------
    share : float
        Share of right pairs to be shown.
    delta : float
        Level of the whole sequence; half of it for each of two starts.
    size_of_all : float
        Size of the largest set.
    """
    first, second = (float(start[0]) for start in _starts(share, delta, np.array([size_of_all])))
    return (first,) if math.isnan(second) else (first, second)


def begun(sizes: FloatArray, start: float) -> npt.NDArray[np.bool_]:
    """Whether a set and all larger ones are at least of the size to start at; along the first axis.

    Under unequal weights a larger set can be worth less; testing must not begin before that is over.
    """
    return np.asarray(no_smaller_after(sizes) >= start - 1e-9)


def no_smaller_after(sizes: FloatArray) -> FloatArray:
    """For each set the smallest size of it and all larger ones, along the first axis; rising."""
    return np.minimum.accumulate(sizes[::-1], axis=0)[::-1]


def rejected(
    p_values: FloatArray, starts: tuple[npt.NDArray[np.bool_], ...], delta: float
) -> npt.NDArray[np.bool_]:
    """Which hypotheses are refuted.

    From a start on, each is tested in its turn until one is not refuted. With two starts, each has half
    the level; if testing gets from the first to the second without a stop, the first one's half is
    carried over (the fallback procedure [1]_, which holds however p-values depend on each other).

    Parameters
    ----------
    p_values : ndarray of float64, shape (k,) or (k, n_resamples)
        In the order of testing.
    starts : tuple of one or two ndarrays of bool, same shape
        Where testing has begun, by :func:`begun`; the first includes the second.
    delta : float
        Probability of refuting any hypothesis that is true.

    Returns
    -------
    ndarray of bool, same shape

    References
    ----------
    .. [1] Wiens & Dmitrienko (2005), The fallback procedure for evaluating a single family of hypotheses,
       Journal of Biopharmaceutical Statistics 15(6), 929-942.

    Examples
    --------
    >>> p_values = np.array([0.5, 0.01, 0.04, 0.2, 0.01])
    >>> rejected(p_values, (np.array([False, True, True, True, True]),), 0.05).tolist()
    [False, True, True, False, False]
    """
    first, second = starts[0], starts[-1]
    level = delta / len(starts)
    before = first & ~second
    alive = np.logical_and.accumulate((p_values <= level) | ~first, axis=0) & before
    carried = np.where((alive == before).all(axis=0), delta, level)
    after = np.logical_and.accumulate((p_values <= carried) | ~second, axis=0) & second
    return np.asarray(alive | after)


def _starts(share: float, delta: float, sizes_of_all: FloatArray) -> tuple[FloatArray, FloatArray]:
    """:func:`start_sizes` for many sizes of all; the second start is NaN where there is one only."""
    most = WITHIN * sizes_of_all
    alone, of_two = (
        sizes[np.maximum(np.searchsorted(sizes, most, side="right") - 1, 0)]
        for sizes in (_forgiving(share, delta), _forgiving(share, delta / 2))
    )
    two = most > 2 * of_two
    return np.where(two, of_two, alone), np.where(two, most, np.nan)


@lru_cache(maxsize=256)
def _forgiving(share: float, delta: float) -> FloatArray:
    """The smallest sets that could pass with 0 errors, 1, and so on."""
    return np.array([_least(share, delta, errors) for errors in range(FORGIVEN + 1)], dtype=np.float64)
