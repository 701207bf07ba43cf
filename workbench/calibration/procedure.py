"""The whole way to a cutoff as one rule: the guaranteed one, or else the one that a rule chooses.

So that resamples can repeat all that was done, and stability and optimism are those of the cutoff that
is used. The guarantee itself is in :mod:`workbench.calibration.guarantee`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import Resamples
from workbench.calibration.counts import Counts
from workbench.calibration.effective import Dependence, OneSide, Side, one_side
from workbench.calibration.guarantee import Guarantee
from workbench.calibration.intervals import p_value_above
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.calibration.rules import Rule
from workbench.calibration.sequence import begun, rejected, start_sizes

__all__ = ["GuaranteedElse", "whole_procedure"]


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

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        other = self.otherwise.describe(language)
        return (
            f"有保证的阈值；若无，则取{other}" if language == "zh" else f"the guaranteed cutoff, else {other}"
        )

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
        worth = _worth(self.sets)
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
    side: Side = "above" if leading.figure == "precision" else "below"
    by_pairs: Dependence = "auto" if dependence == "one_per_cluster" else dependence
    sets = one_side(observations, side, cutoffs=cutoffs, dependence=by_pairs)
    target = leading.target_in_pairs if side == "above" else 1 - leading.target_in_pairs
    starts = start_sizes(target, 1 - leading.confidence, float(sets.size[-1]))
    return GuaranteedElse(sets, target, leading.confidence, starts, rule)


def _worth(sets: OneSide) -> FloatArray:
    """Effective pairs for each unit of weight."""
    return np.divide(sets.size, sets.weight, out=np.ones_like(sets.size), where=sets.weight > 0)
