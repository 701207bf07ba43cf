"""The result of comparing encoders: figures, differences to a baseline, decisions that flip.

How it is computed is in :mod:`workbench.calibration.comparing`, the sentences are in
:mod:`workbench.calibration.comparing_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from workbench.calibration import comparing_text
from workbench.calibration.comparing_figures import COMPARED, ComparedFigure
from workbench.calibration.evidence import plain
from workbench.calibration.rules import Rule
from workbench.errors import InputError

__all__ = ["Comparison", "Standing"]

Standing = Literal["better", "worse", "as good", "no worse", "unclear"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Encoders on the same pairs, against a baseline.

    Attributes
    ----------
    frame : DataFrame
        One row an encoder and figure: ``encoder, figure, value, low, high, optimism`` (what was taken off
        the value for having chosen the cutoff on the same pairs), ``difference`` (to the baseline),
        ``difference_low, difference_high, p_value, p_adjusted`` (of AUC; Holm, over the encoders). Figures:
        ``auc``; ``average_precision``; ``precision_at_recall``, at the recall :attr:`at_recall` or a little
        more; ``precision, recall, f1, accuracy`` at each encoder's own cutoff.
    decisions : DataFrame
        One row two encoders, each at its own cutoff: ``encoder, other, differ`` (pairs decided otherwise),
        ``share`` (weighted), ``better, worse`` (how many of these `encoder` decides as labelled, and not).
    baseline : str
    cutoffs : mapping of str to float or None
        Each encoder's own; None where the rule finds none.
    cutoff_intervals : mapping of str to tuple of two floats
        Percentiles of the cutoffs that resamples chose.
    at_recall : float
    milliseconds : mapping of str to float
        Cost of a text, where it was given.
    margin : float
        Differences in AUC below this do not matter.
    confidence : float
    n, n_matches : int
    n_units : int
        Number of JDs, or of pairs where they are independent.
    by : {"pair", "cluster"}
        What was resampled.
    prevalence : float
        Share of matches that precision, F1 and accuracy are for: as weighted, or as given.
    auc_method : {"DeLong", "Obuchowski", "bootstrap"}
    rule : Rule or None
        How cutoffs were chosen; None where all were given.
    """

    frame: pd.DataFrame
    decisions: pd.DataFrame
    baseline: str
    cutoffs: Mapping[str, float | None]
    cutoff_intervals: Mapping[str, tuple[float, float]]
    at_recall: float
    milliseconds: Mapping[str, float]
    margin: float
    confidence: float
    n: int
    n_matches: int
    n_units: int
    by: Literal["pair", "cluster"]
    prevalence: float
    auc_method: Literal["DeLong", "Obuchowski", "bootstrap"]
    rule: Rule | None

    @property
    def encoders(self) -> list[str]:
        """Names, the baseline first, the others in the order in which they were given."""
        return list(dict.fromkeys(self.frame["encoder"]))

    def row(self, encoder: str, figure: ComparedFigure = "auc") -> pd.Series:
        """One line of the frame.

        Raises
        ------
        InputError
            If there is no such encoder or figure.
        """
        found = self.frame[(self.frame["encoder"] == encoder) & (self.frame["figure"] == figure)]
        if found.empty:
            raise InputError(
                f"{encoder!r} with {figure!r} was not compared; encoders are {', '.join(self.encoders)}, "
                f"figures {', '.join(COMPARED)}."
            )
        return found.iloc[0]

    def standing(self, encoder: str) -> Standing:
        """Where an encoder stands against the baseline, by AUC.

        Better or worse, if they differ by more than chance (Holm); else as good, if the interval of the
        difference lies within the margin [1]_; no worse, if it lies above minus the margin; else unclear.

        References
        ----------
        .. [1] Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach
           for assessing the equivalence of average bioavailability, J Pharmacokin Biopharm 15, 657-680.
        """
        row = self.row(encoder)
        if row["p_adjusted"] <= 1 - self.confidence:
            return "better" if row["difference"] > 0 else "worse"
        if not row["difference_low"] > -self.margin:
            return "unclear"
        return "as good" if row["difference_high"] < self.margin else "no worse"

    def suffices(self, encoder: str) -> bool:
        """Whether it is shown to fall short of the baseline by less than the margin, in AUC."""
        return bool(self.row(encoder)["difference_low"] > -self.margin)

    def flips(self, encoder: str) -> pd.Series | None:
        """The line of decisions of an encoder and the baseline; None where one of them has no cutoff."""
        self.row(encoder)
        line = self.decisions[
            (self.decisions["encoder"] == encoder) & (self.decisions["other"] == self.baseline)
        ]
        return None if line.empty else line.iloc[0]

    def sentence(self, encoder: str, language: str = "en") -> str:
        """Is it worth it: the difference to the baseline, flips, and cost, in one or two sentences."""
        return comparing_text.sentence(self, encoder, language)

    def summary(self, language: str = "en") -> str:
        """All encoders against the baseline, one a line."""
        return comparing_text.summary(self, language)

    def table(self, language: str = "en") -> pd.DataFrame:
        """One row an encoder, figures with intervals as text, for display."""
        return comparing_text.table(self, language)

    def __repr__(self) -> str:
        return self.summary("en")

    def _repr_html_(self) -> str:
        return comparing_text.html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(
            plain(
                {
                    "baseline": self.baseline,
                    "n": self.n,
                    "n_matches": self.n_matches,
                    "confidence": self.confidence,
                    "margin": self.margin,
                    "n_units": self.n_units,
                    "prevalence": self.prevalence,
                    "resampled_by": self.by,
                    "auc_method": self.auc_method,
                    "rule": None if self.rule is None else self.rule.to_dict(),
                    "at_recall": self.at_recall,
                    "cutoffs": self.cutoffs,
                    "cutoff_intervals": self.cutoff_intervals,
                    "milliseconds": self.milliseconds,
                    "standing": {
                        name: self.standing(name) for name in self.encoders if name != self.baseline
                    },
                    "figures": self.frame.to_dict("records"),
                    "decisions": self.decisions.to_dict("records"),
                }
            )
        )
