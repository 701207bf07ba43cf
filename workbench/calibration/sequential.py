"""One promise, tested while labelled pairs come in, so that one may look as often as one likes.

Tested by betting on what each JD amounts to, valid at all times at once. A test on all pairs at once is in
:mod:`workbench.calibration.verdicts`, and how pairs become JDs in :mod:`workbench.calibration.arrivals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import logsumexp

from workbench.calibration.arrivals import jd_totals
from workbench.calibration.evidence import Promise
from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import percent
from workbench.results import Result, plain

# Bets of all sizes at once, evenly spread: each loses at most log(100) to the best of them.
N_BETS = 100
SIZES = (np.arange(N_BETS) + 0.5) / N_BETS
# Rows of the table of bets held in memory at a time.
CHUNK = 20_000
# With a larger share of pairs beyond what a JD counts for, what is tested is no longer what is promised.
MOST_ASIDE = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class SequentialTest(Result):
    """What pairs that came in so far say about one promise.

    Attributes
    ----------
    figure : {"precision", "false_omission_rate"}
    target : float
        Precision at least, or false omission rate at most, this much.
    answer : {"met", "failed", "unclear"}
        By the evidence of all pairs that are in; the order in which they came has no say in it.
    n, errors : int
        Pairs on that side of the cutoff, and the wrong ones among them.
    n_units : int
        JDs that they belong to, or pairs where these share none: what is bet on.
    most_per_jd : int
        For so many pairs a JD counts at most.
    n_aside : int
        Pairs that JDs have beyond that. Where these are more than one in twenty, the answer is "unclear".
    estimate, low, high : float
        The figure among those counted, and a two-sided interval that holds at all times at once.
    e_failed, e_met : float
        The evidence that the promise is broken, and that it is kept: the wealth of a gambler who started
        with 1.
    e_failed_needed, e_met_needed : float
        The evidence at which the answer falls.
    reached : str or None
        The time at which the evidence for the answer first was that large.
    fell_again : str or None
        If unclear: the time at which evidence against the promise was that large before later pairs took it
        back.
    path : DataFrame
        One row a time: ``time, n_units, n, estimate, e_failed, e_met`` with all that was in by then.
    """

    figure: Literal["precision", "false_omission_rate"]
    target: float
    answer: Literal["met", "failed", "unclear"]
    n: int
    errors: int
    n_units: int
    most_per_jd: int
    n_aside: int
    estimate: float
    low: float
    high: float
    e_failed: float
    e_met: float
    e_failed_needed: float
    e_met_needed: float
    reached: str | None
    fell_again: str | None
    path: pd.DataFrame

    @property
    def of_jds(self) -> str:
        """How many JDs the pairs are of, where they share any; said after their number."""
        return "" if self.n_units == self.n else _(" of {n} JDs").format(n=self.n_units)

    def phrase(self, confidence: float) -> str:
        """The test at the confidence of its interval, with the numbers, as a part of a sentence."""
        if not self.n:
            return _("no pair has come on this side yet")
        above = self.figure == "precision"
        counted = _("{n} are labelled a match")
        target = _("target at least {share}") if above else _("target at most {share}")
        met = self.answer == "met"
        factor = self.e_met if met else self.e_failed
        return _(
            "of the {n} pairs{of_jds} that came in, {counted}, {seen} (interval valid at any time "
            "{low:.1f}–{high:.1f}, {sure}), {target}; {evidence} it is a factor of {factor} ({need:.4g} "
            "needed){notes}"
        ).format(
            n=self.n,
            of_jds=self.of_jds,
            counted=counted.format(n=self.n - self.errors if above else self.errors),
            seen=percent(self.estimate),
            low=100 * self.low,
            high=100 * self.high,
            sure=percent(confidence, None),
            target=target.format(share=percent(self.target)),
            evidence=_("evidence for") if met else _("evidence against"),
            factor=f"{factor:.1f}" if factor < 1e4 else f"{factor:.0e}",
            need=self.e_met_needed if met else self.e_failed_needed,
            notes="".join(self._notes()),
        )

    def _notes(self) -> list[str]:
        notes = []
        if self.reached is not None:
            notes.append(_(", first reached at {time}").format(time=self.reached))
        if self.fell_again is not None:
            notes.append(
                _(", which was reached at {time}, before later pairs took it back").format(
                    time=self.fell_again
                )
            )
        if self.n_aside:
            notes.append(
                _("; a JD counts for at most {most} pairs, which sets {n} aside").format(
                    most=self.most_per_jd, n=self.n_aside
                )
            )
        if self.n_aside > MOST_ASIDE * self.n:
            notes.append(
                _(
                    ", too many to stand for what is promised: begin anew, with pairs that come from now on "
                    "and more pairs a JD"
                )
            )
        return notes

    def __repr__(self) -> str:
        return (
            f"SequentialTest({self.figure}: {self.answer} after {self.n} pairs, {self.errors} of them wrong)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the path."""
        return {name: plain(value) for name, value in vars(self).items() if name != "path"}


def sequential_test(
    observations: Observations,
    cutoff: float,
    promise: Promise,
    *,
    times: pd.Series,
    most_per_jd: int | None = None,
    confidence: float = 0.95,
    failed_level: float | None = None,
) -> SequentialTest:
    """Bet for and against a promise, JD by JD.

    Bets are on what each JD adds to *wrong pairs - allowed share x pairs* on that side of the cutoff, whose
    expectation is at most 0 if and only if the promise, a share of all pairs, is kept; a JD with 50 pairs
    counts 50 times as much as one with 1. The wealth is a product over JDs, and so the same in whatever
    order they are multiplied:

    - *At one look*, if JDs are independent draws from those that come in, the wealth has an expectation of at
      most 1 when the promise is kept, and by Markov's inequality a cutoff that keeps it is called failed
      with probability `failed_level` at most, in whatever order rows are and times run.
    - *At all looks together* the same holds by Ville's inequality if JDs also come in an order that has
      nothing to do with how good they are. No test can promise that of any other order: where the large JDs
      come first and the large ones are the bad ones, all that is in is bad for a long time.
    - A JD is multiplied in as it stands. If it gets more pairs later, its factor is replaced by that of its
      new total, and it takes its place in the path anew, at its last pair. At each look, the first statement
      holds of what has come in by then; the second is of JDs that are given when they are complete.

    The same holds of a promise that is broken, and of calling it met with probability 1 - confidence at most.

    Parameters
    ----------
    observations : Observations
        Without weights; with clusters where pairs share JDs.
    cutoff : float
    promise : Promise
    times : Series, shape (n,)
        When each pair came, as :func:`~workbench.calibration.arrivals.arrival_times` reads it. Pairs of one
        time come in together, in no order.
    most_per_jd : int, optional
        For so many pairs on that side a JD counts at most, fixed before any of these pairs was seen: bets are
        so small that not even a JD with as many wrong ones ruins the gambler. It cannot be looked up in the
        pairs, for bets that are large while JDs are small are bets on small JDs. Not needed where each pair
        is a JD of its own.
    confidence : float
    failed_level : float, optional
        1 - confidence by default.

    Raises
    ------
    InputError
        If pairs have weights (bets are on a fair stream), or share JDs and `most_per_jd` is not given.

    Examples
    --------
    >>> pairs, days = Observations([0.9] * 60, [1, 1, 0] * 20), pd.Series(range(60))
    >>> found = sequential_test(pairs, 0.5, Promise("precision", 0.9, "given"), times=days)
    >>> found.answer, found.reached
    ('failed', '23')
    """
    if observations.weights is not None and np.ptp(observations.weights) > 0:
        raise InputError(
            _(
                "A sequential test is of a fair stream of pairs, and these have sampling weights; test all "
                "of them at once instead."
            )
        )
    if most_per_jd is None and observations.clusters is not None:
        raise InputError(_("These pairs share JDs; say for how many pairs a JD counts at most."))
    most = most_per_jd or 1
    above = promise.figure == "precision"
    side = observations.scores > cutoff if above else observations.scores <= cutoff
    wrong = (observations.labels == (0 if above else 1)).astype(np.float64)
    allowed = 1 - promise.value if above else promise.value
    totals = jd_totals(observations, wrong, side.astype(np.float64), times, most)
    hits, counted = totals["hits"].to_numpy(), totals["counted"].to_numpy()
    # All JDs of one time are multiplied in before anybody looks.
    looks = np.flatnonzero(~totals["time"].duplicated(keep="last").to_numpy())
    log_failed = log_evidence(hits, allowed, counted, most)[looks]
    log_met = log_evidence(counted - hits, 1 - allowed, counted, most)[looks]
    need_failed, need_met = -np.log(failed_level or 1 - confidence), -np.log(1 - confidence)
    running = (np.cumsum(hits) / np.cumsum(counted))[looks]
    low, high = confidence_sequence(hits, confidence, counted, most)
    if above:
        running, low, high = 1 - running, 1 - high, 1 - low
    path = pd.DataFrame(
        {
            "time": totals["time"].iloc[looks].to_numpy(),
            "n_units": looks + 1,
            "n": totals["pairs"].cumsum().iloc[looks].to_numpy(dtype=np.int64),
            "estimate": running,
            # Beyond this there is no number; nobody needs more evidence.
            "e_failed": np.exp(np.minimum(log_failed, 700)),
            "e_met": np.exp(np.minimum(log_met, 700)),
        }
    )
    n, n_aside = int(side.sum()), int((totals["pairs"] - totals["counted"]).sum())
    over = {"failed": log_failed >= need_failed, "met": log_met >= need_met}
    if not len(looks) or n_aside > MOST_ASIDE * n:
        over = {}
    answer: Any = next((word for word, reached in over.items() if reached[-1]), "unclear")
    came_and_went = over.get("failed") if answer == "unclear" else None
    return SequentialTest(
        figure=promise.figure,
        target=promise.value,
        answer=answer,
        n=n,
        errors=int(wrong[side].sum()),
        n_units=len(totals),
        most_per_jd=most,
        n_aside=n_aside,
        estimate=float(running[-1]) if len(looks) else float("nan"),
        low=low,
        high=high,
        e_failed=float(path["e_failed"].iloc[-1]) if len(looks) else 1.0,
        e_met=float(path["e_met"].iloc[-1]) if len(looks) else 1.0,
        e_failed_needed=float(np.exp(need_failed)),
        e_met_needed=float(np.exp(need_met)),
        reached=_first(path["time"], over.get(answer)),
        fell_again=_first(path["time"], came_and_went),
        path=path,
    )


def log_evidence(
    hits: npt.ArrayLike, share: float, counts: npt.ArrayLike | None = None, most: int = 1
) -> FloatArray:
    """Evidence, after each JD, that hits are more than `share` of all pairs; shape (n,).

    The logarithm of the wealth of a gambler who starts with 1 and bets on hits at odds that are fair if they
    are `share` of the pairs [1]_. A bet of size b is multiplied by ``1 + b (hits - share pairs) / (share
    most)`` with each JD: never below 0, and of expectation 1 or less if that of hits is `share` times that of
    pairs or less. Then the probability that the wealth ever reaches ``1 / delta`` is at most delta (Ville's
    inequality), however often one looks. The gambler splits the wealth over 100 bets of constant size, a
    mixture as in [2]_. In the terms of [1]_, bets are on the mean of ``1 - share - (hits - share pairs) /
    most``, which lies between 0 and 1.

    Parameters
    ----------
    hits, counts : array-like of float, shape (n,)
        Hits among the pairs of each JD, and its pairs (1 each by default), at most `most`.
    share : float
        Strictly between 0 and 1.
    most : int
        Pairs of a JD at most, fixed beforehand.

    References
    ----------
    .. [1] Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B
       86(1), 1-27.
    .. [2] Robbins (1970), Statistical methods related to the law of the iterated logarithm, Annals of
       Mathematical Statistics 41(5), 1397-1409.

    Examples
    --------
    >>> wrong_half_the_time = [0, 1] * 20
    >>> bool(log_evidence(wrong_half_the_time, 0.1)[-1] > np.log(20))
    True
    """
    found, pairs = _checked(hits, counts, most)
    if not 0 < share < 1:
        raise InputError(
            _("The share to bet against is {share!r}; it lies strictly between 0 and 1.").format(share=share)
        )
    out = np.empty(len(found))
    wealth = np.zeros(N_BETS)
    for at in range(0, len(found), CHUNK):
        here = slice(at, at + CHUNK)
        steps = wealth + np.cumsum(np.log(_pays(found[here], pairs[here], share, most)), axis=0)
        out[here] = logsumexp(steps, axis=1) - np.log(N_BETS)
        wealth = steps[-1]
    return out


def confidence_sequence(
    hits: npt.ArrayLike, confidence: float = 0.95, counts: npt.ArrayLike | None = None, most: int = 1
) -> tuple[float, float]:
    """An interval for the share of hits among all pairs that holds at all times at once: low, high.

    The shares that bets have not refuted with these JDs, on either side at half the level. If it is computed
    after each JD, all intervals hold the share together with this confidence.

    Examples
    --------
    >>> low, high = confidence_sequence([1] * 45 + [0] * 5)
    >>> round(low, 2), round(high, 2)
    (0.73, 0.99)
    """
    found, pairs = _checked(hits, counts, most)
    if not len(found):
        return 0.0, 1.0
    distinct, times = np.unique(np.stack([found, pairs]), axis=1, return_counts=True)
    limit = float(np.log(2 / (1 - confidence)))
    misses = distinct[1] - distinct[0]
    return (
        1 - _highest_not_refuted(distinct[0], distinct[1], times, most, limit),
        _highest_not_refuted(misses, distinct[1], times, most, limit),
    )


def _first(times: pd.Series, reached: npt.NDArray[np.bool_] | None) -> str | None:
    """The first time at which it was reached, as it is said."""
    if reached is None or not reached.any():
        return None
    time = times.iloc[int(reached.argmax())]
    if isinstance(time, pd.Timestamp):
        return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"
    return f"{time:g}"


def _checked(hits: npt.ArrayLike, counts: npt.ArrayLike | None, most: int) -> tuple[FloatArray, FloatArray]:
    found = np.asarray(hits, dtype=np.float64)
    pairs = np.ones_like(found) if counts is None else np.asarray(counts, dtype=np.float64)
    fits = found.ndim == 1 and found.shape == pairs.shape
    if not fits or not ((found >= 0) & (found <= pairs) & (pairs <= most)).all():
        raise InputError(
            _("A sequential test is of hits among the pairs of one JD after another: 0 to {most}.").format(
                most=most
            )
        )
    return found, pairs


def _pays(hits: FloatArray, pairs: FloatArray, share: float, most: int) -> FloatArray:
    """What a bet of each size makes of 1 with each JD, shape (n, N_BETS)."""
    return np.asarray(1 + SIZES * ((hits / share - pairs) / most)[:, None])


def _highest_not_refuted(
    misses: FloatArray, pairs: FloatArray, times: npt.NDArray[np.intp], most: int, limit: float
) -> float:
    """The largest share of hits whose rest is not refuted by the misses."""

    def over(rest: float) -> float:
        wealth = times @ np.log(_pays(misses, pairs, rest, most))
        return float(logsumexp(wealth)) - float(np.log(N_BETS)) - limit

    # Wealth falls with the share of misses that is allowed.
    least, largest = 1e-12, 1 - 1e-12
    if over(least) < 0:
        return 1.0
    return 1 - float(brentq(over, least, largest, xtol=1e-9)) if over(largest) < 0 else 0.0
