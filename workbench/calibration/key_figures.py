"""The three figures that everybody is shown of a calibration; all others are evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.calibration.advice import Advice
from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.figures import Estimate, FigureName, with_interval
from workbench.calibration.observations import Observations
from workbench.calibration.optimism import HonestFigure
from workbench.i18n import digits_apart, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result


@dataclass(frozen=True)
class KeyFigure(Result):
    """One of the three figures that everybody is shown.

    Attributes
    ----------
    name : {"precision", "false_omission_rate", "recall", "share_selected", "share_to_read"}
    at : float or None
        The cutoff that it is for.
    estimate : Estimate
        Corrected for the choice of the cutoff on the same pairs, where it was chosen on them.
    target : float or None
        What was asked of it.
    """

    name: Literal["precision", "false_omission_rate", "recall", "share_selected", "share_to_read"]
    at: float | None
    estimate: Estimate
    target: float | None = None

    @property
    def digits(self) -> int:
        """As many as it takes to tell the figure from its target."""
        return 1 if self.target is None else digits_apart(100 * self.estimate.value, 100 * self.target)

    @property
    def share(self) -> str:
        """The figure alone."""
        return percent(self.estimate.value, self.digits)

    @property
    def interval(self) -> str:
        """Its ends in percent, without the sign; nothing where they are not known."""
        if np.isnan(self.estimate.low + self.estimate.high):
            return ""
        return f"{100 * self.estimate.low:.1f}–{100 * self.estimate.high:.1f}"

    def caption(self) -> str:
        """What it is a share of."""
        said = {
            "precision": _("labelled a match, of pairs above {at}"),
            "false_omission_rate": _("missed: matches, of pairs at or below {at}"),
            "recall": _("found: above {at}, of all matches"),
            "share_selected": _("selected: above {at}, of all pairs"),
            "share_to_read": _("to be read by people, of all pairs"),
        }[self.name]
        return said.format(at=number(self.at))

    def asked(self) -> str:
        """The target with its direction; nothing where there is none."""
        if self.target is None:
            return ""
        sign = "≤" if self.name == "false_omission_rate" else "≥"
        return f"{sign} {percent(self.target, self.digits)}"

    def __str__(self) -> str:
        shown = with_interval(self.estimate.value, self.estimate.low, self.estimate.high)
        return _("{share} {caption}").format(share=shown, caption=self.caption())


def key_figures(
    advice: Advice,
    observations: Observations,
    known: Mapping[FigureName, Estimate | HonestFigure],
    known_at: float,
) -> list[KeyFigure]:
    """The figures of what the advice is to adopt, or else of today's cutoff; none where there is neither.

    Parameters
    ----------
    advice : Advice
    observations : Observations
    known : mapping of str to Estimate or HonestFigure
        Figures at the cutoff `known_at`.
    known_at : float
    """
    asked, (low, high) = advice.options, advice.ends
    if low is None and high is None:
        low = high = asked.today
    if low is None and high is None:
        return []

    def told(
        name: Literal["precision", "false_omission_rate", "recall", "share_selected"], at: float
    ) -> Estimate:
        found = known[name] if at == known_at else shares_at(observations, at, **asked.live)[name]
        value = found.honest if isinstance(found, HonestFigure) else found.value
        return Estimate(value, found.low, found.high, found.confidence)

    three = []
    if high is not None:
        three.append(KeyFigure("precision", high, told("precision", high), asked.target_precision))
    if low is not None and (low != high or asked.target_missed is not None):
        missed = told("false_omission_rate", low)
        three.append(KeyFigure("false_omission_rate", low, missed, asked.target_missed))
    one = low if high is None else high
    if len(three) < 2 and one is not None:
        three.append(KeyFigure("recall", one, told("recall", one)))
    if low == high and one is not None:
        three.append(KeyFigure("share_selected", one, told("share_selected", one)))
    elif advice.grey_zone is not None:
        three.append(KeyFigure("share_to_read", None, advice.grey_zone.share_to_read))
    return three
