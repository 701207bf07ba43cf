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

from workbench.calibration.bootstrap import CHUNK, Resamples, draws, resample_with
from workbench.calibration.counts import count, cutoffs_between
from workbench.calibration.figures import FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.calibration.rules import Rule, TargetRecall

__all__ = [
    "AT_OWN_CUTOFF",
    "COMPARED",
    "ComparedFigure",
    "OwnCutoff",
    "PairedDraws",
    "average_precision",
    "figures_in",
    "figures_once",
    "paired_draws",
    "roc_auc",
]

ComparedFigure = Literal[
    "auc", "average_precision", "precision_at_recall", "precision", "recall", "f1", "accuracy"
]
COMPARED: tuple[ComparedFigure, ...] = get_args(ComparedFigure)
# Read at each encoder's own cutoff; the names by which `figure` knows them.
AT_OWN_CUTOFF: dict[ComparedFigure, FigureName] = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f_beta",
    "accuracy": "accuracy",
}


@dataclass(frozen=True)
class OwnCutoff:
    """An encoder's cutoff (None where its rule finds none), and the rule; None if it was fixed beforehand."""

    value: float | None
    rule: Rule | None = None


@dataclass(frozen=True, eq=False)
class PairedDraws:
    """One encoder in all resamples.

    Attributes
    ----------
    figures : mapping of str to ndarray of float64, shape (n_resamples,)
        NaN where undefined; those at its own cutoff are at the cutoff found in the labelled pairs.
    cutoffs : ndarray of float64, shape (n_resamples,)
        Chosen again in every resample; NaN where the rule finds none, or the cutoff was fixed.
    optimism : mapping of str to float
        By how much the figures at its own cutoff flatter, for having been chosen on the same pairs [1]_:
        the mean over resamples of the figure in the resample, less that in the labelled pairs, at the
        cutoff chosen in the resample. 0 if it was fixed.

    References
    ----------
    .. [1] Efron (1983), Estimating the error rate of a prediction rule, JASA 78, 316-331.
    """

    figures: Mapping[ComparedFigure, FloatArray]
    cutoffs: FloatArray
    optimism: Mapping[ComparedFigure, float]


def paired_draws(
    encoders: Mapping[str, Observations],
    own: Mapping[str, OwnCutoff],
    at_recall: float,
    *,
    prevalence: float | None,
    n_resamples: int,
    seed: int,
) -> dict[str, PairedDraws]:
    """Figures of every encoder in the same resamples, by JD where pairs share JDs.

    Parameters
    ----------
    encoders : mapping of str to Observations
        The same pairs in the same order, with each encoder's scores.
    own : mapping of str to OwnCutoff
    at_recall : float
    prevalence : float, optional
    n_resamples, seed : int
    """
    some = next(iter(encoders.values()))
    rng = np.random.default_rng(seed)
    tables = {name: _table(pairs, own[name]) for name, pairs in encoders.items()}
    parts: dict[str, list[PairedDraws]] = {name: [] for name in encoders}
    n_units = some.n_clusters or len(some)
    for drawn in draws(rng, n_units, n_resamples, max(1, CHUNK // len(some))):
        times = drawn if some.clusters is None else drawn[some.clusters]
        for name, pairs in encoders.items():
            resamples = resample_with(pairs, times.T, cutoffs=tables[name], prevalence=prevalence)
            parts[name].append(_chunk(pairs, resamples, own[name], at_recall))
    return {name: _joined(chunks) for name, chunks in parts.items()}


def figures_once(
    pairs: Observations, own: OwnCutoff, at_recall: float, prevalence: float | None
) -> dict[ComparedFigure, float]:
    """All figures in the labelled pairs themselves; those at its own cutoff naive."""
    themselves = np.ones((1, len(pairs)), dtype=np.int64)
    once = resample_with(pairs, themselves, cutoffs=_table(pairs, own), prevalence=prevalence)
    return {name: float(values[0]) for name, values in figures_in(once, own.value, at_recall).items()}


def figures_in(
    resamples: Resamples, cutoff: float | None, at_recall: float
) -> dict[ComparedFigure, FloatArray]:
    """All compared figures in every resample, shape (n_resamples,) each; NaN where undefined.

    `cutoff` is one of the resamples' cutoffs, or None where there is none.
    """
    counts = _exact(resamples)
    tp, fp, *_ = counts
    nowhere = np.full(tp.shape[1], -1)
    at_own = nowhere if cutoff is None else np.full(tp.shape[1], np.searchsorted(resamples.cutoffs, cutoff))
    found: dict[ComparedFigure, FloatArray] = {
        "auc": roc_auc(tp, fp),
        "average_precision": average_precision(tp, fp),
        "precision_at_recall": _read("precision", counts, TargetRecall(at_recall).pick(*counts)),
    }
    return found | {name: _read(known_as, counts, at_own) for name, known_as in AT_OWN_CUTOFF.items()}


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


def _chunk(pairs: Observations, resamples: Resamples, own: OwnCutoff, at_recall: float) -> PairedDraws:
    figures = figures_in(resamples, own.value, at_recall)
    cutoffs = np.full(len(resamples), np.nan)
    flattery: dict[ComparedFigure, float] = dict.fromkeys(AT_OWN_CUTOFF, 0.0)
    if own.rule is not None:
        picked = own.rule.pick_in(resamples)
        cutoffs = np.where(picked >= 0, resamples.cutoffs[picked], np.nan)
        live = count(pairs, resamples.cutoffs).at_prevalence(resamples.prevalence)
        themselves = [values[:, None] for values in (live.tp, live.fp, live.fn, live.tn)]
        for name, known_as in AT_OWN_CUTOFF.items():
            gaps = _read(known_as, _exact(resamples), picked) - _read(known_as, themselves, picked)
            known = gaps[~np.isnan(gaps)]
            flattery[name] = float(known.sum()) / max(len(known), 1)
    return PairedDraws(figures, cutoffs, flattery)


def _joined(chunks: list[PairedDraws]) -> PairedDraws:
    sizes = [len(chunk.cutoffs) for chunk in chunks]
    return PairedDraws(
        {name: np.concatenate([chunk.figures[name] for chunk in chunks]) for name in COMPARED},
        np.concatenate([chunk.cutoffs for chunk in chunks]),
        {
            name: float(np.average([chunk.optimism[name] for chunk in chunks], weights=sizes))
            for name in AT_OWN_CUTOFF
        },
    )


def _table(pairs: Observations, own: OwnCutoff) -> FloatArray:
    return np.union1d(cutoffs_between(pairs.scores), [] if own.value is None else [own.value])


def _exact(resamples: Resamples) -> list[FloatArray]:
    # Resamples are counted in float32, in which areas would lose digits.
    return [np.asarray(counts, dtype=np.float64) for counts in resamples.confusion()]


def _read(name: FigureName, counts: list[FloatArray], at: npt.NDArray[np.intp]) -> FloatArray:
    """A figure at one position of each column (or of the only one); NaN at position -1."""
    columns = np.arange(len(at)) if counts[0].shape[1] > 1 else np.zeros(len(at), dtype=np.intp)
    here = [values[np.maximum(at, 0), columns] for values in counts]
    return np.asarray(np.where(at >= 0, figure(name, *here), np.nan))
