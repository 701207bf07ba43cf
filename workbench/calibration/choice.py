"""Choosing a cutoff by a rule, with the naive figures at it.

Naive, for they are those of the pairs that chose the cutoff; what they are worth on other pairs is in
:mod:`workbench.calibration.optimism`, and how much the choice wavers in
:mod:`workbench.calibration.stability`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.calibration import wording
from workbench.calibration.at_cutoff import REPORTED
from workbench.calibration.counts import Counts
from workbench.calibration.figures import Estimate, FigureName, figure
from workbench.calibration.rules import Rule
from workbench.calibration.sweep import tabulate
from workbench.errors import InputError

__all__ = ["Choice", "choose"]


@dataclass(frozen=True)
class Choice:
    """A cutoff that a rule chose.

    Attributes
    ----------
    rule : Rule
    cutoff : float or None
        None where no cutoff does what the rule asks for.
    index : int
        Its row in the table of counts; -1 for none.
    figures : mapping of str to Estimate
        Figures at the cutoff, naive: of the pairs that chose it. Empty where there is none.
    n_above, n_below : int
        Labelled pairs above, and at or below.
    """

    rule: Rule
    cutoff: float | None
    index: int
    figures: Mapping[FigureName, Estimate]
    n_above: int
    n_below: int

    @property
    def found(self) -> bool:
        """Whether there is such a cutoff."""
        return self.cutoff is not None

    def sentence(self, language: str = "en") -> str:
        """What was chosen and what figures it has."""
        return wording.choice(self, language)

    def __repr__(self) -> str:
        return f"Choice: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **self.rule.to_dict(),
            "cutoff": self.cutoff,
            "figures": {name: estimate.to_dict() for name, estimate in self.figures.items()},
            "n_above": self.n_above,
            "n_below": self.n_below,
        }


def choose(counts: Counts | pd.DataFrame, rule: Rule, *, confidence: float = 0.95) -> Choice:
    """Let a rule choose among the cutoffs of a table.

    Where several cutoffs are equally good, the highest is taken (fewest pairs above). A cutoff lies
    midway between two scores, never on one.

    Parameters
    ----------
    counts : Counts or DataFrame
        From :func:`~workbench.calibration.counts.count` or :func:`~workbench.calibration.sweep.sweep`.
    rule : Rule
        Such as ``TargetPrecision(0.89)``; see :mod:`workbench.calibration.rules`.
    confidence : float
        Of the Wilson intervals of figures (for a frame, those that it has are taken).

    Returns
    -------
    Choice

    Examples
    --------
    >>> from workbench.calibration.counts import count
    >>> from workbench.calibration.observations import Observations
    >>> from workbench.calibration.rules import TargetRecall
    >>> choose(count(Observations([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1])), TargetRecall(0.9)).cutoff
    0.5
    """
    if isinstance(counts, pd.DataFrame):
        needed = ["cutoff", "tp", "fp", "fn", "tn", "n_above", "n_below"]
        missing = [column for column in needed if column not in counts.columns]
        if missing:
            raise InputError(f"This is no frame of sweep(): it has no column {missing[0]!r}.")
        tp, fp, fn, tn = (counts[name].to_numpy(np.float64) for name in ("tp", "fp", "fn", "tn"))
        confidence = counts.attrs.get("calibration", {}).get("confidence", confidence)
    else:
        tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    index = int(rule.pick(tp, fp, fn, tn))
    if index < 0:
        return Choice(rule, None, -1, {}, 0, 0)
    if isinstance(counts, pd.DataFrame):
        row = counts.iloc[index]
    else:
        row = tabulate(counts.row(index), confidence=confidence).iloc[0]
    here = [values[index : index + 1] for values in (tp, fp, fn, tn)]
    figures: dict[FigureName, Estimate] = {}
    for name in REPORTED:
        value = figure(name, *here, beta=rule.f_beta, costs=rule.costs)
        low, high = row.get(f"{name}_low", np.nan), row.get(f"{name}_high", np.nan)
        figures[name] = Estimate(float(value[0]), float(low), float(high), confidence)
    return Choice(rule, float(row["cutoff"]), index, figures, int(row["n_above"]), int(row["n_below"]))
