"""The figures that encoders are compared by, in the labelled pairs and in paired resamples of them.

All encoders see the same resamples. What differs by more than chance is said in
:mod:`workbench.calibration.comparing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import Resamples, resample_with
from workbench.calibration.counts import cutoffs_between
from workbench.calibration.drawing import CHUNK, draws
from workbench.calibration.figures import FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.calibration.rules import Rule, TargetPrecision, TargetRecall

__all__ = [
    "COMPARED",
    "ComparedFigure",
    "Matched",
    "average_precision",
    "figures_in",
    "paired_resamples",
    "roc_auc",
]

ComparedFigure = Literal[
    "auc",
    "average_precision",
    "precision_at_recall",
    "recall_at_precision",
    "precision",
    "recall",
    "f1",
    "accuracy",
]
COMPARED: tuple[ComparedFigure, ...] = get_args(ComparedFigure)


@dataclass(frozen=True)
class Matched:
    """The recall and the precision at which encoders are compared; None where there is none to take."""

    recall: float | None
    precision: float | None


def paired_resamples(
    encoders: Mapping[str, Observations],
    own: Mapping[str, Rule | float],
    matched: Matched,
    *,
    prevalence: float | None,
    n_resamples: int,
    seed: int,
) -> dict[str, dict[ComparedFigure, FloatArray]]:
    """Figures of every encoder in the same resamples, by JD where shared.

    Parameters
    ----------
    encoders : mapping of str to Observations
        The same pairs in the same order, with each encoder's scores.
    own : mapping of str to Rule or float
        How each encoder's cutoff is chosen again in every resample, or the cutoff if it was fixed.
    matched : Matched
    prevalence : float, optional
    n_resamples, seed : int

    Returns
    -------
    dict of str to dict of str to ndarray of float64, shape (n_resamples,)
    """
    some = next(iter(encoders.values()))
    n_units = some.n_clusters or len(some)
    rng = np.random.default_rng(seed)
    tables = {
        name: np.union1d(cutoffs_between(pairs.scores), [cut] if isinstance(cut := own[name], float) else [])
        for name, pairs in encoders.items()
    }
    parts: dict[str, list[dict[ComparedFigure, FloatArray]]] = {name: [] for name in encoders}
    for drawn in draws(rng, n_units, n_resamples, max(1, CHUNK // len(some))):
        times = drawn if some.clusters is None else drawn[some.clusters]
        for name, pairs in encoders.items():
            resamples = resample_with(pairs, times.T, cutoffs=tables[name], prevalence=prevalence)
            parts[name].append(figures_in(resamples, own[name], matched))
    return {
        name: {key: np.concatenate([part[key] for part in chunks]) for key in COMPARED}
        for name, chunks in parts.items()
    }


def figures_in(
    resamples: Resamples, own: Rule | float | None, matched: Matched
) -> dict[ComparedFigure, FloatArray]:
    """All compared figures in every resample, shape (n_resamples,) each; NaN where undefined.

    `own` is a rule that chooses a cutoff in each, a cutoff, or None where there is none.
    """
    tp, fp, fn, tn = (np.asarray(counts, dtype=np.float64) for counts in resamples.confusion())
    every = np.arange(tp.shape[1])
    nowhere = np.full(len(every), -1)
    if isinstance(own, Rule):
        at_own = own.pick_in(resamples)
    else:
        at_own = nowhere if own is None else nowhere + 1 + np.searchsorted(resamples.cutoffs, own)

    def read(name: FigureName, at: npt.NDArray[np.intp]) -> FloatArray:
        here = [counts[np.maximum(at, 0), every] for counts in (tp, fp, fn, tn)]
        return np.asarray(np.where(at >= 0, figure(name, *here), np.nan))

    at_recall = nowhere if matched.recall is None else TargetRecall(matched.recall).pick(tp, fp, fn, tn)
    at_precision = (
        nowhere if matched.precision is None else TargetPrecision(matched.precision).pick(tp, fp, fn, tn)
    )
    return {
        "auc": roc_auc(tp, fp),
        "average_precision": average_precision(tp, fp),
        "precision_at_recall": read("precision", at_recall),
        # Where the precision is never reached, no match is found at it.
        "recall_at_precision": read("recall", at_precision)
        if matched.precision is None
        else np.where(at_precision >= 0, read("recall", at_precision), 0.0),
        "precision": read("precision", at_own),
        "recall": read("recall", at_own),
        "f1": read("f_beta", at_own),
        "accuracy": read("accuracy", at_own),
    }


def roc_auc(tp: CountArray, fp: CountArray) -> FloatArray:
    """Area under the ROC curve from counts above ascending cutoffs, shape (k, m), the first below all scores.

    Trapezoids, so that ties count half.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-np.trapezoid(tp, fp, axis=0) / (tp[0] * fp[0]))


def average_precision(tp: CountArray, fp: CountArray) -> FloatArray:
    """Mean precision over the matches, each at the cutoff just below its score; shape (m,)."""
    precision = figure("precision", tp[:-1], fp[:-1], tp[:-1], fp[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nansum(-np.diff(tp, axis=0) * precision, axis=0) / tp[0])
