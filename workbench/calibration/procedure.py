"""The whole way to a cutoff as one rule, and how far its cutoff would move if other pairs were labelled.

The guaranteed cutoff comes first, and where there is none the one that a rule chooses. As one rule, resamples
can repeat all that was done, so that stability and optimism are those of the cutoff that is used. The
guarantee itself is in :mod:`workbench.calibration.guarantee`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import Resamples
from workbench.calibration.choice import Rule
from workbench.calibration.counts import Counts
from workbench.calibration.guarantee import Guarantee
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.calibration.planning import begun, rejected, start_sizes
from workbench.calibration.shares import Dependence, OneSide, one_side, p_value_above
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result, plain

__all__ = ["GuaranteedElse", "Stability", "stability", "whole_procedure"]


@dataclass(frozen=True, eq=False)
class GuaranteedElse(Rule):
    """Test cutoffs in a fixed sequence as the guarantee does; where none passes, let a rule choose.

    Attributes
    ----------
    sets : OneSide
        The sets that were tested in the labelled pairs, at the cutoffs of the resamples: what a pair
        of each set is worth, and the order of testing.
    target : float
        Share of right pairs to be shown, as labelled (before any change of prevalence).
    confidence : float
    starts : tuple of float
        Sizes at which testing starts.
    otherwise : Rule
    """

    sets: OneSide
    target: float
    confidence: float
    starts: tuple[float, ...]
    otherwise: Rule

    @property
    def f_beta(self) -> float:
        """As of the other rule."""
        return self.otherwise.f_beta

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """Position of the guaranteed cutoff, else of the other rule's."""
        found = self._guaranteed(tp, fp, fn, tn)
        return np.where(found >= 0, found, self.otherwise.pick(tp, fp, fn, tn))

    def pick_in(self, resamples: Resamples) -> npt.NDArray[np.intp]:
        """As :meth:`pick`; the guarantee tests the pairs as they were labelled."""
        found = np.concatenate(
            [
                self._guaranteed(part.tp, part.fp, part.matches - part.tp, part.others - part.fp)
                for part in resamples.in_chunks()
            ]
        )
        return np.where(found >= 0, found, self.otherwise.pick_in(resamples))

    def pick_at(self, counts: Counts, live: Counts) -> npt.NDArray[np.intp]:
        """As :meth:`pick_in`."""
        found = self._guaranteed(counts.tp, counts.fp, counts.fn, counts.tn)
        return np.where(found >= 0, found, self.otherwise.pick_at(counts, live))

    def describe(self) -> str:
        return _("the guaranteed cutoff, else {rule}").format(rule=self.otherwise.describe())

    def to_dict(self) -> dict[str, Any]:
        """Name and parameters, for the card."""
        return {
            "rule": "GuaranteedElse",
            "confidence": self.confidence,
            "otherwise": self.otherwise.to_dict(),
        }

    def _guaranteed(
        self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray
    ) -> npt.NDArray[np.intp]:
        if self.sets.side == "above":
            right, wrong = tp[::-1], fp[::-1]
        else:
            right, wrong = tn, fn
        total = np.asarray(right + wrong, dtype=np.float64)
        # Effective pairs for each unit of weight.
        weight = self.sets.weight
        worth = np.divide(self.sets.size, weight, out=np.ones_like(weight), where=weight > 0)
        size = total * (worth[:, None] if total.ndim == 2 else worth)
        with np.errstate(invalid="ignore"):
            share = np.asarray(right, dtype=np.float64) / total
        # Most sets are plainly too bad, and need no test.
        hopeful = share > self.target
        p_values = np.ones(share.shape)
        p_values[hopeful] = p_value_above(share[hopeful], size[hopeful], self.target)
        starts = tuple(begun(size, start) for start in self.starts)
        reached = rejected(p_values, starts, 1 - self.confidence)
        last = len(reached) - 1 - np.argmax(reached[::-1], axis=0)
        position = last if self.sets.side == "below" else len(reached) - 1 - last
        return np.where(reached.any(axis=0), position, -1)


def whole_procedure(
    observations: Observations,
    cutoffs: FloatArray,
    leading: Guarantee | None,
    rule: Rule,
    dependence: Dependence,
) -> Rule:
    """The rule that repeats how a cutoff was found.

    Parameters
    ----------
    observations : Observations
    cutoffs : ndarray of float64
        Those of the resamples that it will choose in.
    leading : Guarantee or None
        The guarantee that comes before the rule; None where the rule alone decides.
    rule : Rule
    dependence : str
        As the guarantee was asked for; one pair a JD is repeated by effective pairs.
    """
    if leading is None:
        return rule
    above = leading.figure == "precision"
    sets = one_side(observations, "above" if above else "below", cutoffs=cutoffs, dependence=dependence)
    target = leading.target_in_pairs if above else 1 - leading.target_in_pairs
    starts = start_sizes(target, 1 - leading.confidence, float(sets.size[-1]))
    return GuaranteedElse(sets, target, leading.confidence, starts, rule)


@dataclass(frozen=True, eq=False)
class Stability(Result):
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

    def sentence(self) -> str:
        """How far the cutoff would move, and how many decisions with it."""
        if np.isnan(self.low):
            return _("In no resample was there such a cutoff.")
        said = (
            _(
                "With as many other JDs labelled, the cutoff would lie between {low} and {high} ({sure}), "
                "and {flipped} of decisions would change on average."
            )
            if self.by == "cluster"
            else _(
                "With as many other pairs labelled, the cutoff would lie between {low} and {high} ({sure}), "
                "and {flipped} of decisions would change on average."
            )
        )
        return said.format(
            low=number(self.low),
            high=number(self.high),
            sure=percent(self.confidence, None),
            flipped=percent(self.share_flipped),
        )

    def __repr__(self) -> str:
        return f"Stability: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the number of cutoffs in the place of each."""
        names = ("low", "median", "high", "confidence", "share_without", "share_flipped")
        numbers = {name: plain(getattr(self, name)) for name in names}
        return {**numbers, "n_resamples": len(self.cutoffs), "by": self.by}


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
        selected = counts.figure("share_selected")
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
