"""Two cutoffs instead of one: accept above the upper, reject at or below the lower, read what is between.

Both rest on the guarantees of :mod:`workbench.calibration.guarantee`, and hold at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.calibration import wording
from workbench.calibration.counts import check_share, count
from workbench.calibration.effective import Dependence, share_with_size
from workbench.calibration.figures import Estimate, figure
from workbench.calibration.guarantee import Guarantee, guarantee_missed, guarantee_precision
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import Observations
from workbench.errors import InputError

__all__ = ["GreyZone", "grey_zone"]


@dataclass(frozen=True)
class GreyZone:
    """What may be decided without reading, and what people must read.

    Attributes
    ----------
    reject_to : float or None
        Pairs at or below it are rejected; None where no cutoff can be guaranteed: nothing is rejected.
    accept_from : float or None
        Pairs above it are accepted; None where nothing is.
    confidence : float
        With which both guarantees hold at once.
    precision, missed : Guarantee
        The two guarantees, each at its part of the confidence.
    share_accepted, share_rejected : float
        Shares of pairs that need no reading.
    share_to_read : Estimate
        Share of pairs in between, with its interval.
    n_to_read : int
        Labelled pairs in between.
    """

    reject_to: float | None
    accept_from: float | None
    confidence: float
    precision: Guarantee
    missed: Guarantee
    share_accepted: float
    share_rejected: float
    share_to_read: Estimate
    n_to_read: int

    def sentence(self, language: str = "en") -> str:
        """The two cutoffs and what is left to read, in words."""
        return wording.grey_zone(self, language)

    def __repr__(self) -> str:
        return f"GreyZone: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "reject_to": self.reject_to,
            "accept_from": self.accept_from,
            "confidence": self.confidence,
            "share_accepted": self.share_accepted,
            "share_rejected": self.share_rejected,
            "share_to_read": self.share_to_read.to_dict(),
            "n_to_read": self.n_to_read,
            "precision": self.precision.to_dict(),
            "missed": self.missed.to_dict(),
        }


def grey_zone(
    observations: Observations,
    target_precision: float,
    target_missed: float,
    *,
    confidence: float = 0.95,
    split: float = 0.5,
    prevalence: float | None = None,
    dependence: Dependence = "auto",
    seed: int = 0,
) -> GreyZone:
    """Find an accept and a reject cutoff that hold at once with confidence.

    The error 1 - confidence is split between the two guarantees (Bonferroni). Where the cutoff for
    rejecting comes out above the one for accepting, any cutoff between them meets both targets, nothing
    has to be read, and the two become the one in the middle of that range.

    Parameters
    ----------
    observations : Observations
    target_precision : float
        Among accepted pairs, at least this share are matches.
    target_missed : float
        Among rejected pairs, at most this share are matches.
    confidence : float
        Of both at once.
    split : float
        Part of the error that goes to accepting.
    prevalence, dependence, seed
        As of :func:`~workbench.calibration.guarantee.guarantee_precision`.

    Returns
    -------
    GreyZone
    """
    check_share(confidence, "confidence", "the confidence of both guarantees at once")
    if not 0 < split < 1:
        raise InputError(f"split is {split!r}; it is the part of the error for accepting, between 0 and 1.")
    error = 1 - confidence
    # Sums in the order of scores, so that the order of rows has no say in the last digit.
    observations = observations.subset(observations.order)
    precision = guarantee_precision(
        observations,
        target_precision,
        confidence=1 - split * error,
        prevalence=prevalence,
        dependence=dependence,
        seed=seed,
    )
    missed = guarantee_missed(
        observations,
        target_missed,
        confidence=1 - (1 - split) * error,
        prevalence=prevalence,
        dependence=dependence,
        seed=seed,
    )
    accept, reject = precision.cutoff, missed.cutoff
    if accept is not None and reject is not None and reject >= accept:
        table = count(observations).cutoffs
        allowed = table[(table >= accept) & (table <= reject)]
        accept = reject = float(allowed[len(allowed) // 2])
    accepted = observations.scores > accept if accept is not None else np.zeros(len(observations), dtype=bool)
    rejected = (
        observations.scores <= reject if reject is not None else np.zeros(len(observations), dtype=bool)
    )
    between = ~(accepted | rejected)
    return GreyZone(
        reject,
        accept,
        confidence,
        precision,
        missed,
        _share(observations, accepted, prevalence),
        _share(observations, rejected, prevalence),
        _share_to_read(observations, between, prevalence, confidence),
        int(between.sum()),
    )


def _share(
    observations: Observations, chosen: np.ndarray[Any, np.dtype[np.bool_]], prevalence: float | None
) -> float:
    """Share of pairs, at the live prevalence if there is one."""
    # As a score the choice itself: those chosen lie above 0.5.
    counts = count(observations.with_scores(chosen.astype(np.float64)), [0.5]).at_prevalence(prevalence)
    return float(figure("share_selected", counts.tp, counts.fp, counts.fn, counts.tn)[0])


def _share_to_read(
    observations: Observations,
    between: np.ndarray[Any, np.dtype[np.bool_]],
    prevalence: float | None,
    confidence: float,
) -> Estimate:
    share = _share(observations, between, prevalence)
    _, size = share_with_size(between.astype(np.float64), observations)
    low, high = wilson(share, size, confidence)
    return Estimate(share, float(low), float(high), confidence, size)
