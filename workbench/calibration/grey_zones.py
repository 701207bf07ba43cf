"""Two cutoffs instead of one: accept above, reject below, and let people read what lies in between.

Guarantees are those of :mod:`workbench.calibration.guarantee`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate
from workbench.calibration.guarantee import Guarantee, guarantee_missed, guarantee_precision
from workbench.calibration.label_error import LabelErrorLike
from workbench.calibration.observations import Observations
from workbench.calibration.shares import Dependence, share_with_size, wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result


@dataclass(frozen=True)
class GreyZone(Result):
    """What may be decided without reading, and what people must read.

    Attributes
    ----------
    reject_to : float or None
        Pairs at or below it are rejected; None where no cutoff can be guaranteed: nothing is rejected.
    accept_from : float or None
        Pairs above it are accepted; None where nothing is.
    confidence : float
        With which both guarantees hold at once.
    share_accepted, share_rejected : float
        Shares of pairs that need no reading.
    share_to_read : Estimate
        Share of pairs in between, with its interval.
    n_to_read : int
        Labelled pairs in between.
    missed_with_one, precision_with_one : Estimate or None
        What each would cost as the only cutoff: the missed share at `accept_from`, precision at `reject_to`.
    precision, missed : Guarantee
        The two guarantees, each at its part of the confidence.
    """

    reject_to: float | None
    accept_from: float | None
    confidence: float
    share_accepted: float
    share_rejected: float
    share_to_read: Estimate
    n_to_read: int
    missed_with_one: Estimate | None
    precision_with_one: Estimate | None
    precision: Guarantee
    missed: Guarantee

    @property
    def one_cutoff(self) -> float | None:
        """The cutoff that meets both targets, so that nothing has to be read; None where there is none."""
        return self.accept_from if self.accept_from == self.reject_to else None

    def sentence(self) -> str:
        """The two cutoffs and what is left to read, in words."""
        accept, reject = self.accept_from, self.reject_to
        if accept is None and reject is None:
            return _("No cutoff for accepting or rejecting can be guaranteed: all pairs have to be read.")
        said = (
            _("Nothing has to be read: with the one cutoff {accept}, {held}.")
            if accept == reject
            else _(
                "Accept none unread, reject at or below {reject} ({rejected}), and read the other {rest}: "
                "{held}."
            )
            if accept is None
            else _(
                "Accept above {accept} ({accepted} of pairs), reject none unread, and read the other {rest}: "
                "{held}."
            )
            if reject is None
            else _(
                "Accept above {accept} ({accepted} of pairs), reject at or below {reject} ({rejected}), and "
                "read the other {rest}: {held}."
            )
        )
        held = (
            _("at most {missed} missed holds with {sure} confidence")
            if accept is None
            else _("precision of at least {right} holds with {sure} confidence")
            if reject is None
            else _(
                "precision of at least {right} and at most {missed} missed hold at once with {sure} "
                "confidence"
            )
        )
        return said.format(
            accept=number(accept),
            accepted=percent(self.share_accepted),
            reject=number(reject),
            rejected=percent(self.share_rejected),
            rest=percent(self.share_to_read.value),
            held=held.format(
                right=percent(self.precision.target),
                missed=percent(self.missed.target),
                sure=percent(self.confidence, None),
            ),
        )

    def __repr__(self) -> str:
        return f"GreyZone: {self.sentence()}"


def grey_zone(
    observations: Observations,
    target_precision: float,
    target_missed: float,
    *,
    confidence: float = 0.95,
    split: float = 0.5,
    prevalence: float | None = None,
    label_error: LabelErrorLike = None,
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
    prevalence, label_error, dependence, seed
        As of :func:`~workbench.calibration.guarantee.guarantee_precision`.

    Returns
    -------
    GreyZone
    """
    check_share(confidence, "confidence", _("the confidence of both guarantees at once"))
    if not 0 < split < 1:
        raise InputError(
            _("split is {split}; it is the part of the error for accepting, between 0 and 1.").format(
                split=repr(split)
            )
        )
    # Sums in the order of scores, so that the order of rows has no say in the last digit.
    observations = observations.in_order
    asked: dict[str, Any] = {"prevalence": prevalence, "dependence": dependence, "seed": seed}
    asked["label_error"] = label_error
    error = 1 - confidence
    precision = guarantee_precision(observations, target_precision, confidence=1 - split * error, **asked)
    missed = guarantee_missed(observations, target_missed, confidence=1 - (1 - split) * error, **asked)
    accept, reject = precision.cutoff, missed.cutoff
    if accept is not None and reject is not None and reject >= accept:
        table = observations.cutoffs
        allowed = table[(table >= accept) & (table <= reject)]
        accept = reject = float(allowed[len(allowed) // 2])
    accepted = observations.scores > (np.inf if accept is None else accept)
    rejected = observations.scores <= (-np.inf if reject is None else reject)
    between = ~(accepted | rejected)
    parts = np.stack([accepted, rejected, between])
    weights, match = observations.unit_weights, observations.labels == 1
    if prevalence is None:
        shares = np.average(parts, axis=1, weights=weights)
    else:
        of_matches, of_others = (
            np.average(parts[:, kind], axis=1, weights=weights[kind]) for kind in (match, ~match)
        )
        shares = prevalence * of_matches + (1 - prevalence) * of_others
    live: dict[str, Any] = {"confidence": confidence, "prevalence": prevalence}
    at_accept, at_reject = (
        None if at is None else shares_at(observations, at, **live) for at in (accept, reject)
    )
    size = share_with_size(between.astype(np.float64), observations)[1]
    low, high = (float(end) for end in wilson(shares[2], size, confidence))
    return GreyZone(
        reject_to=reject,
        accept_from=accept,
        confidence=confidence,
        share_accepted=float(shares[0]),
        share_rejected=float(shares[1]),
        share_to_read=Estimate(float(shares[2]), low, high, confidence, size),
        n_to_read=int(between.sum()),
        missed_with_one=None if at_accept is None else at_accept["false_omission_rate"],
        precision_with_one=None if at_reject is None else at_reject["precision"],
        precision=precision,
        missed=missed,
    )
