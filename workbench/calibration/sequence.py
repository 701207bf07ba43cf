"""The order in which sets are tested, and how far testing gets: a fixed sequence with one or two starts.

Labels have no say in where testing starts. What is tested, and by what p-value, is for
:mod:`workbench.calibration.guarantee`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from workbench.calibration.observations import FloatArray
from workbench.calibration.planning import pairs_needed

__all__ = ["begun", "rejected", "start_sizes"]

# How many errors the first set may hold and still pass, and how large a part of all pairs it may be to
# hold them: a start that forgives nothing ends at one unlucky pair near the top.
FORGIVEN = 4
WITHIN = 0.1


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
    most = WITHIN * size_of_all
    of_two = _first(share, delta / 2, most)
    return (of_two, most) if most > 2 * of_two else (_first(share, delta, most),)


def begun(sizes: FloatArray, start: float) -> npt.NDArray[np.bool_]:
    """Whether a set and all larger ones are at least of the size to start at; along the first axis.

    Under unequal weights a larger set can be worth less; testing must not begin before that is over.
    """
    return np.asarray(np.minimum.accumulate(sizes[::-1], axis=0)[::-1] >= start - 1e-9)


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


def _first(share: float, delta: float, most: float) -> float:
    sizes = _forgiving(share, delta)
    return float(max([size for size in sizes if size <= most], default=sizes[0]))


@lru_cache(maxsize=256)
def _forgiving(share: float, delta: float) -> tuple[int, ...]:
    return tuple(pairs_needed(share, 1 - delta, errors) for errors in range(FORGIVEN + 1))
