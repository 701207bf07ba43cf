"""The result of comparing encoders: figures, differences to a baseline, decisions that flip.

How it is computed is in :mod:`workbench.calibration.comparing`, the sentences are in
:mod:`workbench.calibration.comparing_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.calibration import comparing_text
from workbench.calibration.bootstrap import quantiles
from workbench.calibration.comparing_figures import COMPARED, ComparedFigure, Matched
from workbench.calibration.delong import Aucs
from workbench.calibration.evidence import plain
from workbench.calibration.observations import FloatArray
from workbench.calibration.rules import Rule
from workbench.errors import InputError

__all__ = ["Comparison", "Standing", "differences"]

Standing = Literal["better", "worse", "as good", "no worse", "unclear"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Encoders on the same pairs, against a baseline.

    Attributes
    ----------
    frame : DataFrame
        One row an encoder and figure: ``encoder, figure, value, low, high, difference`` (to the baseline),
        ``difference_low, difference_high, p_value, p_adjusted`` (Holm, over the encoders, for each figure by
        itself). Figures: ``auc``; ``average_precision``; ``precision_at_recall`` and
        ``recall_at_precision``, at the recall and precision of :attr:`matched`; ``precision, recall, f1,
        accuracy`` at each encoder's own cutoff, naive where it was chosen on these pairs.
    decisions : DataFrame
        One row two encoders, each at its own cutoff: ``encoder, other, differ`` (pairs decided otherwise),
        ``share`` (weighted), ``better, worse`` (how many of these `encoder` decides as labelled, and not).
    baseline : str
    cutoffs : mapping of str to float or None
        Each encoder's own; None where the rule finds none.
    matched : Matched
        The recall and precision at which encoders are compared: the baseline's, at its own cutoff.
    milliseconds : mapping of str to float
        Cost of a text, where it was given.
    margin : float
        Differences in AUC below this do not matter.
    confidence : float
    n, n_matches : int
    by : {"pair", "cluster"}
        What was resampled.
    auc_method : {"DeLong", "Obuchowski", "bootstrap"}
    rule : Rule or None
        How cutoffs were chosen; None where all were given.
    """

    frame: pd.DataFrame
    decisions: pd.DataFrame
    baseline: str
    cutoffs: Mapping[str, float | None]
    matched: Matched
    milliseconds: Mapping[str, float]
    margin: float
    confidence: float
    n: int
    n_matches: int
    by: Literal["pair", "cluster"]
    auc_method: Literal["DeLong", "Obuchowski", "bootstrap"]
    rule: Rule | None
    _aucs: Aucs | None = None
    _order: tuple[str, ...] = ()
    _drawn: Mapping[str, Mapping[ComparedFigure, FloatArray]] = field(default_factory=dict)

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
        difference lies within the margin; no worse, if it lies above minus the margin; else unclear.
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

    def against(self, baseline: str) -> Comparison:
        """The same comparison with another baseline; precision and recall stay matched as they were."""
        self.row(baseline)
        names = [baseline, *(name for name in self.encoders if name != baseline)]
        values: dict[str, dict[ComparedFigure, float]] = {name: {} for name in names}
        for row in self.frame.itertuples():
            values[str(row.encoder)][row.figure] = row.value  # type: ignore[index,assignment]
        frame = differences(values, names, self._drawn, self._aucs, self._order, self.confidence)
        return replace(self, frame=frame, baseline=baseline)

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
                    "resampled_by": self.by,
                    "auc_method": self.auc_method,
                    "rule": None if self.rule is None else self.rule.to_dict(),
                    "at_recall": self.matched.recall,
                    "at_precision": self.matched.precision,
                    "cutoffs": self.cutoffs,
                    "milliseconds": self.milliseconds,
                    "standing": {
                        name: self.standing(name) for name in self.encoders if name != self.baseline
                    },
                    "figures": self.frame.to_dict("records"),
                    "decisions": self.decisions.to_dict("records"),
                }
            )
        )


def differences(
    values: Mapping[str, Mapping[ComparedFigure, float]],
    names: list[str],
    drawn: Mapping[str, Mapping[ComparedFigure, FloatArray]],
    aucs: Aucs | None,
    order: tuple[str, ...],
    confidence: float,
) -> pd.DataFrame:
    """The frame, the first name being the baseline."""
    from statsmodels.stats.multitest import multipletests

    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    first, rows = names[0], []
    for name in names:
        for key in COMPARED:
            low, high = (float(end[0]) for end in quantiles(drawn[name][key][None, :], tails))
            if key == "auc" and aucs is not None:
                low, high = aucs.interval(order.index(name), confidence)
            if name == first:
                difference = (0.0, 0.0, 0.0, np.nan)
            elif key == "auc" and aucs is not None:
                difference = aucs.difference(order.index(name), order.index(first), confidence)
            else:
                gap = values[name][key] - values[first][key]
                difference = _from_draws(gap, drawn[name][key] - drawn[first][key], tails)
            rows.append((name, key, values[name][key], low, high, *difference))
    columns = ["encoder", "figure", "value", "low", "high", "difference", "difference_low", "difference_high"]
    frame = pd.DataFrame(rows, columns=[*columns, "p_value"])
    frame["p_adjusted"] = np.nan
    for _, of_figure in frame[frame["p_value"].notna()].groupby("figure"):
        frame.loc[of_figure.index, "p_adjusted"] = multipletests(of_figure["p_value"], method="holm")[1]
    return frame


def _from_draws(gap: float, drawn: FloatArray, tails: list[float]) -> tuple[float, float, float, float]:
    """Difference, percentile interval and two-sided p-value from paired resamples."""
    known = drawn[~np.isnan(drawn)]
    if np.isnan(gap) or not len(known):
        return gap, np.nan, np.nan, np.nan
    low, high = np.quantile(known, tails)
    below, above = (known <= 1e-12).sum(), (known >= -1e-12).sum()
    return gap, float(low), float(high), float(min(2 * (1 + min(below, above)) / (1 + len(known)), 1.0))
