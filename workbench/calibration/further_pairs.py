"""How many more labelled pairs it would take, with what is not known about the shares that there are.

A plan that takes a share for what it looks like promises too much: here it is drawn from what it may be, and
the number is one with which a chance is an even one, or four in five, over all of that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from workbench.calibration.exact_tests import no_smaller_after, p_value_above, start_sizes
from workbench.calibration.observations import FloatArray
from workbench.calibration.shares import OneSide
from workbench.i18n import gettext as _
from workbench.i18n import percent
from workbench.results import Result

# Promised are an even chance and four in five. Plans are made where numbers look good by luck too, so that
# more must be reckoned with than is promised (docs/simulations/planning.md).
EVEN, LIKELY = 0.5, 0.85
# Beyond this many times the pairs there are, a plan says no more than "far more".
FAR_MORE = 20.0
N_DRAWS = 250
N_SIZES = 30
N_SHARES = 80
# Pairs in the strictest set by itself; sets double from there on.
FIRST_BIN = 8.0


@dataclass(frozen=True)
class FurtherPairs(Result):
    """A planned number of further labelled pairs.

    Attributes
    ----------
    even : int or None
        About so many more give an even chance; None where twenty times as many pairs do not.
    likely : int or None
        About so many more give a chance of four in five; None where twenty times as many pairs do not.
    low, high : float
        What the share on which it depends may be: the middle 80 % of the possible values.
    """

    even: int | None
    likely: int | None
    low: float
    high: float

    @classmethod
    def none(cls) -> FurtherPairs:
        """Where there is nothing to plan on."""
        return cls(None, None, math.nan, math.nan)

    def sentence(self, above: bool) -> str:
        """What it would take for a guarantee, above the cutoff or at or below it."""
        said = (
            _(
                "More labels would hardly help, not even twenty times as many: lower the target, or try "
                "another encoder."
            )
            if self.even is None
            else _(
                "With about {even} more labelled pairs the chance of one is even; how many make it likely "
                "cannot be said: of the pairs where the proof would begin, {low} to {high} may be matches."
            )
            if self.likely is None
            else _(
                "With about {likely} more labelled pairs the chance of one is four in five: of the pairs "
                "where the proof would begin, {low} to {high} may be matches."
            )
            if self.even == self.likely
            else _(
                "With about {even} more labelled pairs the chance of one is even, with about {likely} more "
                "labelled pairs four in five: of the pairs where the proof would begin, {low} to {high} may "
                "be matches."
            )
        )
        ends = (self.low, self.high) if above else (1 - self.high, 1 - self.low)
        low, high = map(percent, ends)
        return said.format(even=self.even, likely=self.likely, low=low, high=high)


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


def further_to_tell(
    share: float, size: float, targets: tuple[float, float], levels: tuple[float, float], n_pairs: int
) -> FurtherPairs | None:
    """About how many more pairs would tell whether a share lies above one figure or below another.

    The share is taken from Jeffreys' posterior, evenly over its quantiles, and the further pairs are drawn
    with it; they are tested together with those there are.

    Parameters
    ----------
    share, size : float
        Of right pairs in the set that is tested, and what the set is worth.
    targets, levels : pair of float
        Above the first, at the first one-sided level, the target is met; below the second it is failed. They
        are the same where labels are right.
    n_pairs : int
        Labelled pairs in all, of which that many more are planned.
    """
    if not size > 0:
        return None
    rng = np.random.default_rng(0)
    times = np.geomspace(1.02, FAR_MORE, N_SIZES)
    evenly = (np.arange(N_SHARES) + 0.5) / N_SHARES
    may_be = special.betaincinv(share * size + 0.5, (1 - share) * size + 0.5, evenly)
    further = np.rint((times - 1) * size).astype(np.int64)
    right = share * size + rng.binomial(further[:, None], may_be)
    sizes = size + further[:, None]
    seen = right / sizes
    told = (p_value_above(seen, sizes, targets[0]) <= levels[0]) | (
        p_value_above(1 - seen, sizes, 1 - targets[1]) <= levels[1]
    )
    return _planned(told.mean(axis=1), times, n_pairs, may_be)


def further_for_a_start(sets: OneSide, target: float, delta: float, n_pairs: int) -> FurtherPairs | None:
    """About how many more pairs would let a sequence of tests begin with success.

    The share of right pairs as a function of how strict a set is, is drawn from what it may be: in sets that
    double in size, by Jeffreys' posterior, made to fall from the strictest on [1]_.

    Parameters
    ----------
    sets : OneSide
        As they were tested.
    target, delta : float
        Share of right pairs to be shown, and the level.
    n_pairs : int
        As of :func:`further_to_tell`.

    References
    ----------
    .. [1] Lin & Dunson (2014), Bayesian monotone regression using Gaussian process projection, Biometrika
       101(2), 303-317 (the projection of unrestricted draws).
    """
    if not sets.size[-1] > 0:
        return None
    rng = np.random.default_rng(0)
    curves = _Curves.of(sets, rng)
    times = np.geomspace(1.02, FAR_MORE, N_SIZES)
    chances, may_be = [], np.array([])
    for factor in times:
        starts = start_sizes(target, delta, factor * float(sets.apart[-1]))
        chance, may_be = _chance(sets, curves, float(factor), starts, target, delta / len(starts), rng)
        chances.append(chance)
    return _planned(np.array(chances), times, n_pairs, may_be)


@dataclass(frozen=True, eq=False)
class _Curves:
    """Draws of how many right ones the strictest sets hold: straight lines between some of them."""

    weight: FloatArray
    share: FloatArray

    @classmethod
    def of(cls, sets: OneSide, rng: np.random.Generator) -> _Curves:
        bins = np.arange(max(math.ceil(math.log2(max(sets.size[-1] / FIRST_BIN, 1))), 1))
        inner = np.searchsorted(no_smaller_after(sets.size), FIRST_BIN * 2.0**bins)
        ends = np.unique(np.append(np.minimum(inner, len(sets) - 1), len(sets) - 1))
        weight, right = sets.weight[ends], (np.nan_to_num(sets.share_right) * sets.weight)[ends]
        worth = sets.size[ends] / weight
        width, good = np.diff(weight, prepend=0.0), np.maximum(np.diff(right, prepend=0.0), 0.0)
        bad = np.maximum(width - good, 0.0)
        drawn = rng.beta(good * worth + 0.5, bad * worth + 0.5, (N_DRAWS, len(ends)))
        # The isotonic regression by its min-max formula: no laxer part is better than a stricter one.
        total = np.concatenate([np.zeros((N_DRAWS, 1)), np.cumsum(drawn * width, axis=1)], axis=1)
        reach = np.concatenate([[0.0], weight])
        k = len(ends)
        fitted = np.stack(
            [
                np.min(
                    [
                        np.max(
                            [
                                (total[:, j + 1] - total[:, i]) / (reach[j + 1] - reach[i])
                                for j in range(at, k)
                            ],
                            axis=0,
                        )
                        for i in range(at + 1)
                    ],
                    axis=0,
                )
                for at in range(k)
            ],
            axis=1,
        )
        return cls(weight, fitted)

    def right(self, weight: float) -> FloatArray:
        """Weight of right ones among the strictest of that weight, in each draw."""
        width = np.diff(self.weight, prepend=0.0)
        within = np.clip(weight - (self.weight - width), 0.0, width)
        return np.asarray(self.share @ within)


def _chance(
    sets: OneSide,
    curves: _Curves,
    factor: float,
    starts: tuple[float, ...],
    target: float,
    level: float,
    rng: np.random.Generator,
) -> tuple[float, FloatArray]:
    """That a start succeeds with `factor` times the pairs, and what the share in its largest set may be."""
    passed, drawn = np.zeros(N_DRAWS, dtype=bool), np.zeros(N_DRAWS)
    n, weight, right, may_be = 0, 0.0, np.zeros(N_DRAWS), np.full(N_DRAWS, np.nan)
    foreseen = no_smaller_after(sets.foreseen)
    for start in starts:
        at = int(np.searchsorted(foreseen, (start - 1e-9) / factor))
        if at == len(sets):
            break
        size, reach = float(sets.size[at]), float(sets.weight[at])
        further, there = round((factor - 1) * size), curves.right(reach)
        may_be = there / reach
        if further > n and reach > weight:
            share = np.clip((there - right) / (reach - weight), 0.0, 1.0)
            drawn = drawn + rng.binomial(further - n, share)
            n, weight, right = further, reach, there
        total = size + further
        p_values = p_value_above((sets.share_right[at] * size + drawn) / total, total, target)
        passed |= p_values <= level
    return float(passed.mean()), may_be


def _planned(chances: FloatArray, times: FloatArray, n_pairs: int, may_be: FloatArray) -> FurtherPairs:
    # Lucky sizes, at which an error more is forgiven, must not make a plan: the next one must do too.
    steady = np.minimum(chances, np.append(chances[1:], chances[-1]))

    def least(chance: float) -> int | None:
        enough = steady >= chance
        return about(n_pairs * (times[np.argmax(enough)] - 1)) if enough.any() else None

    low, high = np.quantile(may_be, [0.1, 0.9])
    return FurtherPairs(least(EVEN), least(LIKELY), float(low), float(high))
