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
from workbench.calibration.effective import OneSide
from workbench.calibration.intervals import p_value_above
from workbench.calibration.observations import CountArray, FloatArray
from workbench.calibration.rules import Rule

__all__ = ["GuaranteedElse"]


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
    start_size : float
        Size from which on sets are tested.
    otherwise : Rule
    """

    sets: OneSide
    target: float
    confidence: float
    start_size: float
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
        tp, fp = resamples.tp, resamples.fp
        found = self._guaranteed(tp, fp, resamples.matches - tp, resamples.others - fp)
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
        passed = np.zeros(share.shape, dtype=bool)
        passed[hopeful] = p_value_above(share[hopeful], size[hopeful], self.target) <= 1 - self.confidence
        begun = np.maximum.accumulate(size, axis=0) >= self.start_size - 1e-9
        reached = np.logical_and.accumulate(passed | ~begun, axis=0) & begun
        last = len(reached) - 1 - np.argmax(reached[::-1], axis=0)
        position = last if self.sets.side == "below" else len(reached) - 1 - last
        return np.where(reached.any(axis=0), position, -1)


def _worth(sets: OneSide) -> FloatArray:
    """Effective pairs for each unit of weight."""
    return np.divide(sets.size, sets.weight, out=np.ones_like(sets.size), where=sets.weight > 0)
