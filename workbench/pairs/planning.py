"""How many more labels make the precision at the cutoff known to within a given half-width."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from workbench.calibration.effective import one_side
from workbench.calibration.observations import Observations
from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Plan", "labels_for_half_width", "plan"]


@dataclass(frozen=True)
class Plan:
    """How many more pairs to label.

    Attributes
    ----------
    cutoff : float
    precision, share_above : float
        As the labelled pairs show them, weighted: precision at the cutoff, and share of pairs above it.
    half_width, confidence : float
        What is asked for: precision known to within ± `half_width`.
    design_effect : float
        How many labelled pairs above the cutoff are worth one independent pair of equal weight.
    n_above : int
        Labelled pairs above the cutoff.
    half_width_now : float
        Half-width that they give.
    more_above : int
        Further pairs above the cutoff that are needed; 0 where there are enough.
    more : int
        Further pairs if they are drawn evenly from all; those below the cutoff tell of missed matches.
    """

    cutoff: float
    precision: float
    share_above: float
    half_width: float
    confidence: float
    design_effect: float
    n_above: int
    half_width_now: float
    more_above: int
    more: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def summary(self, language: str = "en") -> str:
        """The plan in words."""
        now, asked = 100 * self.half_width_now, 100 * self.half_width
        if language == "zh":
            head = (
                f"阈值 {self.cutoff:.4f} 之上的精确率约为 {self.precision:.1%}，"
                f"现在的误差是 ±{now:.1f} 个百分点（{self.n_above} 对，{self.confidence:.0%} 置信）。"
            )
            if not self.more_above:
                return head + f"标注已经够 ±{asked:g} 个百分点。"
            return head + (
                f"要达到 ±{asked:g} 个百分点，阈值之上还要再标约 {self.more_above} 对；"
                f"若从全部候选里随机抽取，约需 {self.more} 对。"
            )
        head = (
            f"Precision above the cutoff {self.cutoff:.4f} is about {self.precision:.1%}, known to within "
            f"±{now:.1f} points ({self.n_above} pairs, {self.confidence:.0%} confidence). "
        )
        if not self.more_above:
            return head + f"There are enough labels for ±{asked:g} points."
        return head + (
            f"For ±{asked:g} points, about {self.more_above} more labels above the cutoff are needed, or "
            f"about {self.more} if pairs are drawn evenly from all."
        )

    def __repr__(self) -> str:
        return f"<Plan: {self.summary()}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.summary())}</p>"


def plan(
    scored: pd.DataFrame,
    cutoff: float,
    *,
    half_width: float = 0.02,
    confidence: float = 0.95,
) -> Plan:
    """About how many more labels make the precision at the cutoff known to within ± `half_width`.

    The precision that the labelled pairs show is taken for the true one, and the number of pairs is found
    for which Wilson's interval has that half-width. Where pairs share JDs or have weights, more are needed
    by the design effect that they show now, as calibration reckons it.

    Parameters
    ----------
    scored : DataFrame
        Labelled pairs with ``score`` and ``label``; ``weight`` and ``jd_id`` are heeded if there.
    cutoff : float
    half_width : float
        Half of the width of the two-sided interval, 0.02 for ± 2 points.
    confidence : float

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If no labelled pair lies above the cutoff, or a number is out of its range.
    """
    if not 0 < half_width < 0.5:
        raise InputError(f"half_width is {half_width!r}; it is a number between 0 and 0.5, such as 0.02.")
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence!r}; it is a number between 0 and 1, such as 0.95.")
    observations = Observations.from_frame(scored)
    side = one_side(observations, "above", cutoffs=np.array([float(cutoff)]))
    n, size, precision = int(side.n[0]), float(side.size[0]), float(side.share_right[0])
    if not n:
        raise InputError(
            f"No labelled pair lies above the cutoff {cutoff:g}, so nothing is known about precision there; "
            "label a batch that propose() draws around it first."
        )
    effect = n / size
    needed = effect * labels_for_half_width(precision, half_width, confidence)
    share_above = float(side.weight[0] / observations.unit_weights.sum())
    more_above = max(0, math.ceil(needed - n))
    return Plan(
        cutoff=float(cutoff),
        precision=precision,
        share_above=share_above,
        half_width=half_width,
        confidence=confidence,
        design_effect=effect,
        n_above=n,
        half_width_now=_half_width(precision, size, confidence),
        more_above=more_above,
        more=math.ceil(more_above / share_above),
    )


def labels_for_half_width(share: float, half_width: float, confidence: float = 0.95) -> int:
    """The smallest number of independent pairs for which Wilson's interval of a share is so narrow.

    Parameters
    ----------
    share : float
        Share that is expected, such as a precision of 0.9.
    half_width : float
        Half of the width of the interval.
    confidence : float
        Two-sided.

    Returns
    -------
    int

    Examples
    --------
    >>> labels_for_half_width(0.9, 0.02)
    868
    """
    low, high = 0, 1
    while _half_width(share, high, confidence) > half_width:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _half_width(share, middle, confidence) > half_width:
            low = middle
        else:
            high = middle
    return high


def _half_width(share: float, n: float, confidence: float) -> float:
    # Wilson (1927); equation 4 in Brown, Cai & DasGupta (2001).
    z = float(special.ndtri((1 + confidence) / 2))
    return float(z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
