"""How many labelled pairs a statement needs: exact where nothing is assumed, planned where a share is."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from workbench.calibration.counts import check_share
from workbench.errors import InputError

__all__ = ["FAR_MORE", "PLANNED_POWER", "about", "pairs_needed", "size_with_power"]

PLANNED_POWER = 0.8
# Beyond this many times the pairs there are, a plan says no more than "far more".
FAR_MORE = 20.0


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
    check_share(target, "target", "the share that shall be shown")
    check_share(confidence, "confidence", "the confidence of the statement")
    if errors < 0:
        raise InputError(f"errors is {errors}; it is a number of pairs, 0 or more.")
    delta = 1 - confidence
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


def about(number: float) -> int:
    """A planned number, rounded up to two digits, for no plan is better than that; at least 1.

    Examples
    --------
    >>> about(1234.5), about(7.2)
    (1300, 8)
    """
    whole = max(math.ceil(number), 1)
    step = int(10 ** max(len(str(whole)) - 2, 0))
    return -(-whole // step) * step


def size_with_power(looks: float, target: float, delta: float, power: float = PLANNED_POWER) -> float:
    """Size of a set that shows, with some power, that its share lies on the side of the target it seems to.

    Parameters
    ----------
    looks : float
        The share as it seems to be; above the target or below it.
    target : float
    delta : float
        One-sided level.
    power : float

    Returns
    -------
    float
        Infinite where `looks` is the target.

    References
    ----------
    Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed., section 2.5.1.
    """
    if looks == target:
        return math.inf
    z_level, z_power = special.ndtri(1 - delta), special.ndtri(power)
    spread = z_level * np.sqrt(target * (1 - target)) + z_power * np.sqrt(looks * (1 - looks))
    # The normal approximation falls short near 0 and 1; without any error the exact test needs this.
    least = math.log(delta) / math.log(target if looks > target else 1 - target)
    return float(max((spread / (looks - target)) ** 2, least))
