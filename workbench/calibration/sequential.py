"""One promise, tested while labelled pairs come in, so that one may look as often as one likes.

Tested by betting against a mean, valid at all times at once. A test on all pairs at once is in
:mod:`workbench.calibration.verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import logsumexp

from workbench.calibration.evidence import Promise
from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import percent
from workbench.results import Result, plain

__all__ = ["SequentialTest", "confidence_sequence", "log_evidence", "sequential_test"]

# Bets of all sizes at once, evenly spread: each loses at most log(100) to the best of them.
N_BETS = 100
SIZES = (np.arange(N_BETS) + 0.5) / N_BETS
# Rows of the table of bets held in memory at a time.
CHUNK = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class SequentialTest(Result):
    """What pairs that came one after another say about one promise.

    Attributes
    ----------
    figure : {"precision", "false_omission_rate"}
    target : float
        Precision at least, or false omission rate at most, this much.
    answer : {"met", "failed", "unclear"}
        Once failed it stays failed, whatever comes after.
    n, errors : int
        Pairs that were bet on (on that side of the cutoff; the first of each JD where pairs share JDs), and
        the wrong ones among them.
    n_unused : int
        Pairs on that side that were not bet on, for a pair of the same JD had come before.
    estimate, low, high : float
        The figure among them, and a two-sided interval that holds at all times at once.
    decided_at : int or None
        After how many of these pairs the answer fell; None while it is unclear.
    path : DataFrame
        One row a pair: ``n, estimate, e_failed, e_met`` (the evidence so far that the promise is failed,
        and that it is met: the wealth of a gambler who started with 1).
    e_failed_needed, e_met_needed : float
        The evidence at which the answer falls.
    """

    figure: Literal["precision", "false_omission_rate"]
    target: float
    answer: Literal["met", "failed", "unclear"]
    n: int
    errors: int
    n_unused: int
    estimate: float
    low: float
    high: float
    decided_at: int | None
    path: pd.DataFrame
    e_failed_needed: float
    e_met_needed: float

    def phrase(self, confidence: float) -> str:
        """The test at the confidence of its interval, with the numbers, as a part of a sentence."""
        if not self.n:
            return _("no pair has come on this side yet")
        above = self.figure == "precision"
        counted = _("{n} are right") if above else _("{n} are matches")
        target = _("target at least {share}") if above else _("target at most {share}")
        met = self.answer == "met"
        factor = self.path["e_met" if met else "e_failed"].max()
        unused = decided = ""
        if self.n_unused:
            unused = _(" ({n} later ones of the same JDs not counted)").format(n=self.n_unused)
        if self.decided_at is not None:
            decided = _(", decided at pair {n}").format(n=self.decided_at)
        return _(
            "of the {n} pairs that came in{unused}, {counted}, {seen} (interval valid at any time "
            "{low:.1f}–{high:.1f}, {sure}), {target}; {evidence} it reached a factor of {factor} ({need:.4g} "
            "needed){decided}"
        ).format(
            n=self.n,
            unused=unused,
            counted=counted.format(n=self.n - self.errors if above else self.errors),
            seen=percent(self.estimate),
            low=100 * self.low,
            high=100 * self.high,
            sure=percent(confidence, None),
            target=target.format(share=percent(self.target)),
            evidence=_("evidence for") if met else _("evidence against"),
            factor=f"{factor:.1f}" if factor < 1e4 else f"{factor:.0e}",
            need=self.e_met_needed if met else self.e_failed_needed,
            decided=decided,
        )

    def __repr__(self) -> str:
        return (
            f"SequentialTest({self.figure}: {self.answer} after {self.n} pairs, {self.errors} of them wrong)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the largest evidence instead of the path."""
        kept = {name: value for name, value in vars(self).items() if name != "path"}
        largest = self.path[["e_failed", "e_met"]].max().clip(upper=1e300)
        return dict(plain(kept | largest.to_dict()))


def sequential_test(
    observations: Observations,
    cutoff: float,
    promise: Promise,
    *,
    confidence: float = 0.95,
    failed_level: float | None = None,
) -> SequentialTest:
    """Bet for and against a promise, pair by pair.

    Where the promise is kept, it is ever called failed with probability `failed_level` at most, however
    often one looks; where it is not kept, it is ever called met with probability 1 - confidence at most.
    This needs pairs that are independent draws from what comes in. Pairs of one JD are not, so that only the
    first of each JD on that side is bet on; the statement is then about a pair of a JD drawn at random.

    Parameters
    ----------
    observations : Observations
        In the order in which their labels came in; without weights.
    cutoff : float
    promise : Promise
    confidence : float
    failed_level : float, optional
        1 - confidence by default.

    Raises
    ------
    InputError
        If pairs have weights: bets are on a fair stream.

    Examples
    --------
    >>> scores, labels = [0.9] * 60, [1, 1, 0] * 20
    >>> found = sequential_test(Observations(scores, labels), 0.5, Promise("precision", 0.9, "given"))
    >>> found.answer, found.decided_at
    ('failed', 24)
    """
    if observations.weights is not None and np.ptp(observations.weights) > 0:
        raise InputError(
            _(
                "A sequential test is of a fair stream of pairs, and these have sampling weights; test them "
                "at once instead (sequential=False)."
            )
        )
    above = promise.figure == "precision"
    side = observations.scores > cutoff if above else observations.scores <= cutoff
    at = np.flatnonzero(side)
    if observations.clusters is not None:
        at = at[np.sort(np.unique(observations.clusters[at], return_index=True)[1])]
    right = observations.labels[at] if above else 1 - observations.labels[at]
    wanted = promise.value if above else 1 - promise.value
    log_failed, log_met = log_evidence(right, wanted), log_evidence(1 - right, 1 - wanted)
    delta = 1 - confidence
    need_failed, need_met = np.log(1 / (failed_level or delta)), np.log(1 / delta)
    n = len(right)
    answer: Literal["met", "failed", "unclear"] = "unclear"
    decided_at = None
    for word, evidence, need in (("failed", log_failed, need_failed), ("met", log_met, need_met)):
        reached = np.flatnonzero(evidence >= need)
        if len(reached):
            answer, decided_at = word, int(reached[0]) + 1  # type: ignore[assignment]
            break
    low, high = confidence_sequence(right, confidence)
    running = np.cumsum(right) / np.arange(1, n + 1)
    if not above:
        low, high, running = 1 - high, 1 - low, 1 - running
    path = pd.DataFrame(
        {
            "n": np.arange(1, n + 1),
            "estimate": running,
            # Beyond this there is no number; nobody needs more evidence.
            "e_failed": np.exp(np.minimum(log_failed, 700)),
            "e_met": np.exp(np.minimum(log_met, 700)),
        }
    )
    return SequentialTest(
        promise.figure,
        promise.value,
        answer,
        n,
        int(n - right.sum()),
        int(side.sum()) - n,
        float(running[-1]) if n else float("nan"),
        low,
        high,
        decided_at,
        path,
        float(np.exp(need_failed)),
        float(np.exp(need_met)),
    )


def log_evidence(values: npt.ArrayLike, mean: float) -> FloatArray:
    """Evidence, after each observation, that the mean lies below `mean`; shape (n,).

    The logarithm of the wealth of a gambler who starts with 1 and bets that observations are lower than
    that, at odds that are fair if the mean is `mean` [1]_. If each observation has an expectation of `mean`
    or more given those before it, the probability that the wealth ever reaches ``1 / delta`` is at most
    delta (Ville's inequality), however often one looks. The gambler splits the wealth over 100 bets of
    constant size, a mixture as in [2]_. Evidence that the mean lies above is that of ``1 - values`` and
    ``1 - mean``.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        In the order in which they came; from 0 to 1, such as right (1) and wrong (0).
    mean : float
        Strictly between 0 and 1.

    References
    ----------
    .. [1] Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B
       86(1), 1-27.
    .. [2] Robbins (1970), Statistical methods related to the law of the iterated logarithm, Annals of
       Mathematical Statistics 41(5), 1397-1409.

    Examples
    --------
    >>> wrong_half_the_time = [1, 0] * 20
    >>> bool(log_evidence(wrong_half_the_time, 0.9)[-1] > np.log(20))
    True
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not ((x >= 0) & (x <= 1)).all():
        raise InputError(
            _("A sequential test is of observations from 0 to 1, one after another: shape (n,).")
        )
    if not 0 < mean < 1:
        raise InputError(
            _("The mean to bet against is {mean!r}; it lies strictly between 0 and 1.").format(mean=mean)
        )
    out = np.empty(len(x))
    wealth = np.zeros(N_BETS)
    for at in range(0, len(x), CHUNK):
        here = x[at : at + CHUNK, None]
        steps = wealth + np.cumsum(np.log(_pays(here, mean)), axis=0)
        out[at : at + CHUNK] = logsumexp(steps, axis=1) - np.log(N_BETS)
        wealth = steps[-1]
    return out


def confidence_sequence(values: npt.ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """An interval for the mean of observations from 0 to 1 that holds at all times at once: low, high.

    The means that bets have not refuted after these observations, on either side at half the level. If it
    is computed after each observation, all intervals hold the mean together with this confidence.

    Examples
    --------
    >>> low, high = confidence_sequence([1] * 45 + [0] * 5)
    >>> round(low, 2), round(high, 2)
    (0.73, 0.99)
    """
    x = np.asarray(values, dtype=np.float64)
    if not len(x):
        return 0.0, 1.0
    limit = float(np.log(2 / (1 - confidence)))
    high = _highest_not_refuted(x, limit)
    return 1 - _highest_not_refuted(1 - x, limit), high


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
