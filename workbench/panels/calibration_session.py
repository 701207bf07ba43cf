"""What the calibration panel knows: the sweep of a study, read at any cutoff without computing it again.

No widgets; how it is shown is in :mod:`workbench.panels.calibration_panel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.calibration import Costs, Estimate, Study, figure
from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.figures import FigureName
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import number

SHOWN: tuple[FigureName, ...] = ("precision", "recall", "false_omission_rate")
N_BINS = 40
# Half the last digit shown: a slider gives a number back with an error of rounding.
SHOWN_EXACTLY = 5e-5
# Effective samples of more pairs take longer than a hand that drags a line would wait for.
MOST_AT_ONCE = 20_000


@dataclass(frozen=True)
class Moment:
    """A study seen at one cutoff.

    Attributes
    ----------
    cutoff : float
    right_matches, false_matches, missed_matches, right_others : int
        Labelled pairs: matches and others above, matches and others at or below.
    figures : mapping of str to Estimate
        Precision, recall and false omission rate, with intervals, weighted and at the live prevalence as
        the study has them at its own cutoff: Wilson's, on the effective sample where pairs share JDs; where
        these are more than 20,000, the study's bootstrap bands by JD instead.
    """

    cutoff: float
    right_matches: int
    false_matches: int
    missed_matches: int
    right_others: int
    figures: dict[FigureName, Estimate]


class CalibrationSession:
    """A study, with what is needed to look at it at any cutoff.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.study.calibrate`.

    Attributes
    ----------
    edges : ndarray of float64, shape (41,)
        Of the histograms.
    matches, others : ndarray of int64, shape (40,)
        Labelled pairs of each class by score.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        scores, labels = study.observations.scores, np.asarray(study.observations.labels) == 1
        self._matches, self._others = np.sort(scores[labels]), np.sort(scores[~labels])
        low, high = float(scores.min()), float(scores.max())
        margin = max((high - low) * 0.02, 1e-3)
        self.edges = np.linspace(low - margin, high + margin, N_BINS + 1)
        self.matches, self.others = (
            np.histogram(part, self.edges)[0] for part in (self._matches, self._others)
        )
        self._cutoffs = study.sweep["cutoff"].to_numpy(np.float64)
        # Row i of the sweep decides as any cutoff does that has as many distinct scores at or below it.
        self._above = study.sweep["n_above"].to_numpy(np.float64)
        self._errors = self._worst_errors()

    def at(self, cutoff: float) -> Moment:
        """Counts and figures at a cutoff; ``score > cutoff`` is a match."""
        missed = int(np.searchsorted(self._matches, cutoff, side="right"))
        others = int(np.searchsorted(self._others, cutoff, side="right"))
        n_above = len(self._matches) + len(self._others) - missed - others
        return Moment(
            float(cutoff),
            len(self._matches) - missed,
            len(self._others) - others,
            missed,
            others,
            self._figures(cutoff, n_above),
        )

    def _figures(self, cutoff: float, n_above: int) -> dict[FigureName, Estimate]:
        observations, asked = self.study.observations, self.study.options
        confidence = asked.confidence
        exchangeable = observations.clusters is None and observations.weights is None
        if not exchangeable and len(observations) <= MOST_AT_ONCE:
            shares = shares_at(observations, cutoff, confidence=confidence, prevalence=asked.prevalence)
            return {name: shares[name] for name in SHOWN}
        row = self.study.sweep.iloc[int(np.argmin(np.abs(self._above - n_above)))]
        ends = row
        if not exchangeable:
            bands = self.study.bands
            ends = bands.iloc[int(np.argmin(np.abs(bands["cutoff"].to_numpy() - row["cutoff"])))]
        return {
            name: Estimate(
                float(row[name]), float(ends[f"{name}_low"]), float(ends[f"{name}_high"]), confidence
            )
            for name in SHOWN
        }

    def costs(self, cutoff: float, costs: Costs) -> tuple[float, float, float]:
        """Mean cost of a pair at a cutoff, the cutoff where it is lowest, and that lowest cost."""
        counts = self.study.counts
        means = figure("cost", counts.tp, counts.fp, counts.fn, counts.tn, costs=costs)
        moment = self.at(cutoff)
        here = int(np.argmin(np.abs(self._above - moment.right_matches - moment.false_matches)))
        best = int(np.argmin(means))
        return float(means[here]), float(self._cutoffs[best]), float(means[best])

    def errors(self, cutoff: float, most: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
        """False matches and missed matches at a cutoff, those farthest from it first."""
        score = self.study.options.score
        false_matches, matches = self._errors
        missed = matches[matches[score] <= cutoff]
        return false_matches[false_matches[score] > cutoff].head(most), missed.head(most)

    def borderline(self, cutoff: float, most: int = 10) -> pd.DataFrame:
        """Labelled pairs nearest to a cutoff, the nearest first."""
        pairs = self.study.pairs
        order = np.argsort(np.abs(pairs[self.study.options.score].to_numpy() - cutoff), kind="stable")
        return pairs.iloc[order[:most]]

    def is_studied(self, cutoff: float) -> bool:
        """Whether the study's evidence is for this cutoff, which no other can borrow."""
        advised = self.study.advice.cutoff
        return advised is not None and abs(cutoff - advised) < SHOWN_EXACTLY

    def save(self, path: str | Path, cutoff: float) -> Path:
        """Write the study's card.

        Raises
        ------
        InputError
            If `cutoff` is not the study's, if there is none to save, or if `path` is no .json file.
        StoreError
            If the file cannot be written.
        """
        if not str(path).endswith(".json"):
            raise InputError(_("A cutoff card is a .json file, and {file} is none.").format(file=path))
        if self.study.advice.cutoff is not None and not self.is_studied(cutoff):
            raise InputError(
                _(
                    "The evidence is for {studied}, not for {cutoff}, which was set by hand. Go back to the "
                    "study's cutoff, or calibrate with another target or rule."
                ).format(studied=number(self.study.cutoff.value), cutoff=number(cutoff))
            )
        return self.study.save(path)

    def _worst_errors(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        asked = self.study.options
        ordered = self.study.pairs.sort_values(asked.score, kind="stable")
        is_match = ordered[asked.label] == 1
        return ordered[~is_match][::-1], ordered[is_match]
