"""One promise, tested while labelled pairs come in, so that one may look as often as one likes.

The bets are in :mod:`workbench.calibration.betting`; a test on all pairs at once is in
:mod:`workbench.calibration.verdict`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.calibration.betting import confidence_sequence, log_evidence_above, log_evidence_below
from workbench.calibration.observations import Observations
from workbench.calibration.promises import Promise
from workbench.errors import InputError

__all__ = ["SequentialTest", "sequential_test"]


@dataclass(frozen=True, eq=False, repr=False)
class SequentialTest:
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

    def __repr__(self) -> str:
        return (
            f"SequentialTest({self.figure}: {self.answer} after {self.n} pairs, {self.errors} of them wrong)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the largest evidence instead of the path."""
        largest = self.path[["e_failed", "e_met"]].max()
        return {
            "figure": self.figure,
            "target": self.target,
            "answer": self.answer,
            "n": self.n,
            "errors": self.errors,
            "n_unused": self.n_unused,
            "estimate": None if np.isnan(self.estimate) else self.estimate,
            "low": self.low,
            "high": self.high,
            "decided_at": self.decided_at,
            "e_failed": None if not self.n else float(min(largest["e_failed"], 1e300)),
            "e_met": None if not self.n else float(min(largest["e_met"], 1e300)),
            "e_failed_needed": self.e_failed_needed,
            "e_met_needed": self.e_met_needed,
        }


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

    Returns
    -------
    SequentialTest

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
            "A sequential test is of a fair stream of pairs, and these have sampling weights; test them at "
            "once instead (sequential=False)."
        )
    above = promise.figure == "precision"
    side = observations.scores > cutoff if above else observations.scores <= cutoff
    at = np.flatnonzero(side)
    if observations.clusters is not None:
        at = at[np.sort(np.unique(observations.clusters[at], return_index=True)[1])]
    right = observations.labels[at] if above else 1 - observations.labels[at]
    wanted = promise.value if above else 1 - promise.value
    log_failed, log_met = log_evidence_below(right, wanted), log_evidence_above(right, wanted)
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
