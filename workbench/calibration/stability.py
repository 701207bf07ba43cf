"""How much a chosen cutoff would move if other pairs of the same kind had been labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.calibration.bootstrap import Resamples
from workbench.calibration.counts import Counts
from workbench.calibration.figures import figure
from workbench.calibration.observations import FloatArray
from workbench.calibration.rules import Rule

__all__ = ["Stability", "stability"]


@dataclass(frozen=True, eq=False)
class Stability:
    """The bootstrap distribution of a chosen cutoff.

    Attributes
    ----------
    cutoffs : ndarray of float64, shape (n_resamples,)
        The cutoff that each resample chose; NaN where it found none.
    low, median, high : float
        Percentiles of those found; NaN where none was found.
    confidence : float
        Of the interval from `low` to `high`.
    share_without : float
        Share of resamples in which no cutoff did what the rule asks for.
    share_flipped : float
        Mean share of pairs whose decision would be another one at a resample's cutoff.
    by : {"pair", "cluster"}
        What was drawn.
    """

    cutoffs: FloatArray
    low: float
    median: float
    high: float
    confidence: float
    share_without: float
    share_flipped: float
    by: str

    def __repr__(self) -> str:
        return (
            f"Stability({self.confidence:.0%} of resamples from {self.low:.4f} to {self.high:.4f}, "
            f"median {self.median:.4f}; {self.share_flipped:.1%} of decisions would flip)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the single cutoffs."""
        numbers = {
            "low": self.low,
            "median": self.median,
            "high": self.high,
            "confidence": self.confidence,
            "share_without": self.share_without,
            "share_flipped": self.share_flipped,
        }
        plain: dict[str, Any] = {name: None if np.isnan(n) else float(n) for name, n in numbers.items()}
        return {**plain, "n_resamples": len(self.cutoffs), "by": self.by}


def stability(
    resamples: Resamples, rule: Rule, counts: Counts, cutoff: float, *, confidence: float = 0.95
) -> Stability:
    """Choose again in every resample.

    Parameters
    ----------
    resamples : Resamples
    rule : Rule
    counts : Counts
        Of the labelled pairs themselves.
    cutoff : float
        The one that was chosen there.
    confidence : float
        Of the percentile interval of the cutoff.

    Returns
    -------
    Stability
    """
    picked = rule.pick_in(resamples)
    found = picked >= 0
    cutoffs = np.where(found, resamples.cutoffs[picked], np.nan)
    levels = [(1 - confidence) / 2, 0.5, (1 + confidence) / 2]
    low, median, high = np.quantile(cutoffs[found], levels) if found.any() else (np.nan,) * 3
    flipped = float("nan")
    if found.any():
        selected = figure("share_selected", counts.tp, counts.fp, counts.fn, counts.tn)
        there, here = (
            selected[np.clip(np.searchsorted(counts.cutoffs, where), 0, len(selected) - 1)]
            for where in (cutoffs[found], cutoff)
        )
        flipped = float(np.mean(np.abs(there - here)))
    return Stability(
        cutoffs,
        float(low),
        float(median),
        float(high),
        confidence,
        float(1 - found.mean()),
        flipped,
        resamples.by,
    )
