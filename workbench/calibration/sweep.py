"""The sweep: every figure at every cutoff, as one frame.

It only tabulates the counts; bands that know of shared JDs come from
:mod:`workbench.calibration.bootstrap`.
"""

from __future__ import annotations

import numpy.typing as npt
import pandas as pd

from workbench.calibration.counts import Counts, count
from workbench.calibration.figures import FIGURES, Costs, figure, figure_interval
from workbench.calibration.observations import Observations

__all__ = ["sweep", "tabulate"]


def sweep(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    prevalence: float | None = None,
    beta: float = 1.0,
    costs: Costs | None = None,
    confidence: float = 0.95,
    cutoffs: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """All figures at every distinct score.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
    labels : array-like of {0, 1}, shape (n,)
    weights : array-like of float, shape (n,), optional
        Sampling weights, 1 / probability of having been labelled. See
        :mod:`workbench.calibration.reweighting` for strata and live scores.
    prevalence : float, optional
        Share of matches among live pairs, where it differs from that in the labelled pairs.
    beta : float
        For the F-beta column.
    costs : Costs, optional
        For the column of expected cost a pair.
    confidence : float
        Of the two-sided Wilson intervals (`..._low`, `..._high`). With weights they rest on Kish's
        effective sample size. They take pairs as independent.
    cutoffs : array-like of float, optional
        Other cutoffs than those between the scores.

    Returns
    -------
    DataFrame
        One row a cutoff, ascending, with the columns ``cutoff``, ``tp fp fn tn`` (weighted),
        ``n_above n_below`` (labelled pairs), and the figures of
        :func:`~workbench.calibration.figures.figure`. ``frame.attrs["calibration"]`` keeps the
        settings.

    Raises
    ------
    InputError
        If scores, labels or weights cannot be used; with the position.

    Examples
    --------
    >>> frame = sweep([0.2, 0.5, 0.5, 0.8], [0, 0, 1, 1])
    >>> frame[["cutoff", "precision", "recall", "false_omission_rate"]].round(2)
       cutoff  precision  recall  false_omission_rate
    0    0.05       0.50     1.0                  NaN
    1    0.35       0.67     1.0                 0.00
    2    0.65       1.00     0.5                 0.33
    3    0.95        NaN     0.0                 0.50
    """
    counts = count(Observations(scores, labels, weights), cutoffs).at_prevalence(prevalence)
    return tabulate(counts, beta=beta, costs=costs, confidence=confidence)


def tabulate(
    counts: Counts, *, beta: float = 1.0, costs: Costs | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """The frame of :func:`sweep` from counts that are there already."""
    columns: dict[str, npt.ArrayLike] = {
        "cutoff": counts.cutoffs,
        "tp": counts.tp,
        "fp": counts.fp,
        "fn": counts.fn,
        "tn": counts.tn,
        "n_above": counts.n_above,
        "n_below": counts.n_below,
    }
    for name in FIGURES:
        columns[name] = figure(name, counts.tp, counts.fp, counts.fn, counts.tn, beta=beta, costs=costs)
        interval = figure_interval(name, counts, confidence)
        if interval is not None:
            columns[f"{name}_low"], columns[f"{name}_high"] = interval
    frame = pd.DataFrame(columns)
    frame.attrs["calibration"] = {
        "confidence": confidence,
        "beta": beta,
        "costs": {
            "false_match": (costs or Costs()).false_match,
            "missed_match": (costs or Costs()).missed_match,
        },
        "prevalence": counts.prevalence,
        "effective_size": counts.size_all,
    }
    return frame
