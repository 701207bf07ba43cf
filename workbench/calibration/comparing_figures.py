"""The figures that encoders are compared by, once and in paired resamples, and how far they lie apart.

All encoders see the same resamples. What the differences mean is said in
:mod:`workbench.calibration.comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.bootstrap import Resamples, draws, quantiles, resample_with, tails
from workbench.calibration.choice import Rule, TargetRecall
from workbench.calibration.counts import count
from workbench.calibration.difference_tests import Aucs, holm
from workbench.calibration.figures import FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray, Observations

__all__ = ["COMPARED", "ComparedFigure", "Measured", "OwnCutoff", "differences", "measure"]

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
COLUMNS = (
    "encoder",
    "figure",
    "value",
    "low",
    "high",
    "optimism",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "p_adjusted",
)
# Sums of weights in another order may differ by this much where nothing differs.
TOLERANCE = 1e-12


@dataclass(frozen=True)
class OwnCutoff:
    """An encoder's cutoff (None where its rule finds none), and the rule; None if it was fixed beforehand."""

    value: float | None
    rule: Rule | None = None


@dataclass(frozen=True, eq=False)
class Measured:
    """One encoder's figures, in the labelled pairs and in all resamples.

    Attributes
    ----------
    pairs : Observations
        With this encoder's scores.
    own : OwnCutoff
    once : mapping of str to float
        In the labelled pairs themselves; those at its own cutoff naive; NaN where undefined.
    drawn : DataFrame
        One row a resample: the figures, at the cutoff found in the labelled pairs; and ``cutoff``, chosen
        again in every resample, NaN where the rule finds none or it was fixed.
    optimism : mapping of str to float
        By how much the figures at its own cutoff flatter, for having been chosen on the same pairs [1]_:
        the mean over resamples of the figure in the resample, less that in the labelled pairs, at the
        cutoff chosen in the resample. 0 for the others, and if it was fixed.

    References
    ----------
    .. [1] Efron (1983), Estimating the error rate of a prediction rule, JASA 78, 316-331.
    """

    pairs: Observations
    own: OwnCutoff
    once: Mapping[ComparedFigure, float]
    drawn: pd.DataFrame
    optimism: Mapping[ComparedFigure, float]

    def cutoff_interval(self, confidence: float) -> tuple[float, float]:
        """Percentile interval of the cutoffs that resamples chose; the cutoff itself if it was fixed."""
        if self.own.rule is None:
            return (np.nan, np.nan) if self.own.value is None else (self.own.value, self.own.value)
        return self.percentiles("cutoff", confidence)

    def percentiles(self, column: str, confidence: float) -> tuple[float, float]:
        """Ends of the interval of a column of the resamples."""
        low, high = quantiles(self.drawn[[column]].to_numpy().T, tails(confidence))
        return float(low[0]), float(high[0])


def measure(
    encoders: Mapping[str, Observations],
    own: Mapping[str, OwnCutoff],
    at_recall: float,
    *,
    prevalence: float | None,
    n_resamples: int,
    seed: int,
) -> dict[str, Measured]:
    """Figures of every encoder in the same resamples, by JD where pairs share JDs.

    `encoders` hold the same pairs in the same order, with each encoder's scores.
    """
    some = next(iter(encoders.values()))
    tables = {
        name: np.union1d(pairs.cutoffs, [] if own[name].value is None else [own[name].value])
        for name, pairs in encoders.items()
    }
    figures: dict[str, list[pd.DataFrame]] = {name: [] for name in encoders}
    optimism: dict[str, list[dict[ComparedFigure, float]]] = {name: [] for name in encoders}
    for drawn in draws(some, n_resamples, seed, a_resample=len(some)):
        times = drawn if some.clusters is None else drawn[some.clusters]
        for name, pairs in encoders.items():
            resamples = resample_with(pairs, times.T, cutoffs=tables[name], prevalence=prevalence)
            picked = _picked(own[name], resamples)
            cutoffs = np.where(picked >= 0, resamples.cutoffs[picked], np.nan)
            found = pd.DataFrame(_figures(resamples, own[name].value, at_recall))
            figures[name].append(found.assign(cutoff=cutoffs))
            optimism[name].append(_optimism(pairs, resamples, picked))
    measured = {}
    for name, pairs in encoders.items():
        themselves = np.ones((1, len(pairs)), dtype=np.int64)
        once = resample_with(pairs, themselves, cutoffs=tables[name], prevalence=prevalence)
        sizes = [len(chunk) for chunk in figures[name]]
        measured[name] = Measured(
            pairs,
            own[name],
            {key: float(at[0]) for key, at in _figures(once, own[name].value, at_recall).items()},
            pd.concat(figures[name], ignore_index=True),
            {
                key: float(np.average([chunk[key] for chunk in optimism[name]], weights=sizes))
                for key in COMPARED
            },
        )
    return measured


def differences(
    measured: Mapping[str, Measured], aucs: Aucs | None, *, prevalence: float | None, confidence: float
) -> pd.DataFrame:
    """The frame of a comparison, one row an encoder and figure; the first encoder is the baseline.

    At own cutoffs, value and difference are corrected for optimism, and intervals are the naive ones with
    the end that flatters shifted by it, as in :func:`~workbench.calibration.optimism.honest_figures`.
    Only AUC is tested, so that there is one hypothesis an encoder; Holm's correction is over encoders.
    """
    first, base = next(iter(measured.items()))
    rows: list[tuple[object, ...]] = []
    for place, (name, it) in enumerate(measured.items()):
        for key in COMPARED:
            optimism = it.optimism[key]
            more = optimism - base.optimism[key]
            if key == "auc" and aucs is not None:
                ends, gap = aucs.interval(place, confidence), aucs.difference(place, 0, confidence)
            else:
                ends = _interval(key, it, prevalence, confidence)
                gaps = (it.drawn[key] - base.drawn[key]).to_numpy()
                gap = _gap(it.once[key] - base.once[key], gaps, confidence)
            low, high = np.clip(_shifted(*ends, optimism), 0, 1)
            gap_low, gap_high = np.clip(_shifted(gap[1], gap[2], more), -1, 1)
            p = gap[3] if key == "auc" and name != first else np.nan
            value = float(np.clip(it.once[key] - optimism, 0, 1))
            rows.append((name, key, value, low, high, optimism, gap[0] - more, gap_low, gap_high, p, np.nan))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    tested = frame["p_value"].notna()
    frame.loc[tested, "p_adjusted"] = holm(frame.loc[tested, "p_value"])
    return frame


def _figures(
    resamples: Resamples, cutoff: float | None, at_recall: float
) -> dict[ComparedFigure, FloatArray]:
    """All compared figures in every resample, shape (n_resamples,) each; NaN where undefined.

    `cutoff` is one of the resamples' cutoffs, or None where there is none.
    """
    counts = _exact(resamples)
    tp, fp, *_rest = counts
    m = tp.shape[1]
    at_own = np.full(m, -1 if cutoff is None else np.searchsorted(resamples.cutoffs, cutoff))
    found: dict[ComparedFigure, FloatArray] = {
        "auc": _roc_auc(tp, fp),
        "average_precision": _average_precision(tp, fp),
        "precision_at_recall": _read("precision", counts, TargetRecall(at_recall).pick(*counts)),
    }
    return found | {name: _read(known_as, counts, at_own) for name, known_as in AT_OWN_CUTOFF.items()}


def _roc_auc(tp: CountArray, fp: CountArray) -> FloatArray:
    """Area under the ROC curve from counts above ascending cutoffs, shape (k, m), the first below all scores.

    Trapezoids, so that ties count half.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-np.trapezoid(tp, fp, axis=0) / (tp[0] * fp[0]))


def _average_precision(tp: CountArray, fp: CountArray) -> FloatArray:
    """Mean precision over the matches, each at the cutoff just below its score; shape (m,)."""
    precision = figure("precision", tp[:-1], fp[:-1], tp[:-1], fp[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nansum(-np.diff(tp, axis=0) * precision, axis=0) / tp[0])


def _picked(own: OwnCutoff, resamples: Resamples) -> npt.NDArray[np.intp]:
    """Position of the cutoff chosen again in every resample; -1 where none is found, or it was fixed."""
    return np.full(len(resamples), -1) if own.rule is None else own.rule.pick_in(resamples)


def _optimism(
    pairs: Observations, resamples: Resamples, picked: npt.NDArray[np.intp]
) -> dict[ComparedFigure, float]:
    flattery: dict[ComparedFigure, float] = dict.fromkeys(COMPARED, 0.0)
    if not (picked >= 0).any():
        return flattery
    live = count(pairs, resamples.cutoffs).at_prevalence(resamples.prevalence)
    themselves = [values[:, None] for values in (live.tp, live.fp, live.fn, live.tn)]
    for name, known_as in AT_OWN_CUTOFF.items():
        gaps = _read(known_as, _exact(resamples), picked) - _read(known_as, themselves, picked)
        known = gaps[~np.isnan(gaps)]
        flattery[name] = float(known.sum()) / max(len(known), 1)
    return flattery


def _exact(resamples: Resamples) -> list[FloatArray]:
    # Resamples are counted in float32, in which areas would lose digits.
    return [np.asarray(counts, dtype=np.float64) for counts in resamples.confusion()]


def _read(name: FigureName, counts: list[FloatArray], at: npt.NDArray[np.intp]) -> FloatArray:
    """A figure at one position of each column (or of the only one); NaN at position -1."""
    columns = np.arange(len(at)) if counts[0].shape[1] > 1 else np.zeros(len(at), dtype=np.intp)
    here = [values[np.maximum(at, 0), columns] for values in counts]
    return np.asarray(np.where(at >= 0, figure(name, *here), np.nan))


def _interval(
    key: ComparedFigure, it: Measured, prevalence: float | None, confidence: float
) -> tuple[float, float]:
    """Wilson's of the effective size for shares at a cutoff, which do not collapse; else percentiles."""
    if key in AT_OWN_CUTOFF and key != "f1" and it.own.value is not None:
        shares = shares_at(it.pairs, it.own.value, confidence=confidence, prevalence=prevalence)
        share = shares[AT_OWN_CUTOFF[key]]
        return share.low, share.high
    return it.percentiles(key, confidence)


def _gap(value: float, drawn: FloatArray, confidence: float) -> tuple[float, float, float, float]:
    """Difference, percentile interval and two-sided p-value from paired resamples."""
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(known):
        return value, np.nan, np.nan, np.nan
    low, high = np.quantile(known, tails(confidence))
    below, above = (known <= TOLERANCE).sum(), (known >= -TOLERANCE).sum()
    # 1 is added on both sides, so that p is never 0: Davison & Hinkley (1997), equation 4.11.
    p = min(2 * (1 + min(below, above)) / (1 + len(known)), 1.0)
    return value, float(low), float(high), float(p)


def _shifted(low: float, high: float, optimism: float) -> tuple[float, float]:
    """The end that flatters moved by the optimism; the other stays."""
    return low - max(optimism, 0.0), high - min(optimism, 0.0)
