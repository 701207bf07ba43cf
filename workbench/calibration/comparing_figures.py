"""The figures that encoders are compared by, once and in paired resamples, and how far they lie apart.

All encoders see the same resamples, and each chooses its cutoff again in every one of them. What the
differences mean is said in :mod:`workbench.calibration.comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from workbench.calibration.bootstrap import Resamples, draws, quantiles, resample_with, tails
from workbench.calibration.choice import MaxAccuracy, Rule, TargetPrecision, TargetRecall
from workbench.calibration.difference_tests import Aucs
from workbench.calibration.figures import figure
from workbench.calibration.observations import CountArray, FloatArray, Observations

OwnFigure = Literal["recall", "precision", "f_beta", "accuracy"]
ComparedFigure = Literal[OwnFigure, "auc", "average_precision"]
COMPARED: tuple[ComparedFigure, ...] = get_args(ComparedFigure)
# Read at each encoder's own cutoff.
AT_OWN_CUTOFF: tuple[OwnFigure, ...] = get_args(OwnFigure)
COLUMNS = ["encoder", "figure", "value", "low", "high", "difference", "difference_low", "difference_high"]
# Sums of weights in another order may differ by this much where nothing differs.
TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Measured:
    """One encoder's figures, in the labelled pairs and in all resamples.

    Attributes
    ----------
    pairs : Observations
        With this encoder's scores.
    cutoff : float or None
        Its own; None where the rule finds none: nothing is then called a match.
    is_chosen : bool
        Whether a rule chose it on these pairs.
    once : mapping of str to float
        In the labelled pairs themselves; NaN where undefined.
    drawn : DataFrame
        One row a resample: the figures and the ``cutoff``, chosen again in it (NaN where none was found).
    """

    pairs: Observations
    cutoff: float | None
    is_chosen: bool
    once: Mapping[ComparedFigure, float]
    drawn: pd.DataFrame

    def flattery(self, key: ComparedFigure) -> float:
        """By how much a figure at a chosen cutoff flatters: what choosing adds in resamples [1]_.

        References
        ----------
        .. [1] Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 10.2.
        """
        if not self.is_chosen or key not in AT_OWN_CUTOFF or self.drawn[key].isna().all():
            return 0.0
        return float(self.drawn[key].mean() - self.once[key])

    def cutoff_interval(self, confidence: float) -> tuple[float, float]:
        """Percentile interval of the cutoffs that resamples chose; the cutoff itself if it was fixed."""
        low, high = quantiles(self.drawn[["cutoff"]].to_numpy().T, tails(confidence))
        return float(low[0]), float(high[0])


def compared_figures(rule: Rule | None) -> tuple[ComparedFigure, ...]:
    """The figures by which encoders are compared; the first alone says which is better.

    That is what the rule leaves open. What it holds equal is left out: an interval of the precision that
    was asked for would only say that it was asked for.
    """
    primary: ComparedFigure = "f_beta"
    held: ComparedFigure | None = None
    match rule:
        case TargetPrecision():
            primary, held = "recall", "precision"
        case TargetRecall():
            primary, held = "precision", "recall"
        case MaxAccuracy():
            primary = "accuracy"
    return (primary, *(key for key in COMPARED if key not in (primary, held)))


def measure(
    encoders: Mapping[str, Observations],
    rule: Rule,
    fixed: Mapping[str, float],
    *,
    prevalence: float | None,
    n_resamples: int,
    seed: int,
) -> dict[str, Measured]:
    """Figures of every encoder in the same resamples, by JD where pairs share JDs.

    `encoders` hold the same pairs in the same order, with each encoder's scores; `fixed` are cutoffs that
    were not chosen here.
    """
    some = next(iter(encoders.values()))
    tables = {name: np.union1d(pairs.cutoffs, fixed.get(name, [])) for name, pairs in encoders.items()}
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in encoders}

    def count_in(times: npt.NDArray[np.integer]) -> None:
        for name, pairs in encoders.items():
            resamples = resample_with(pairs, times, cutoffs=tables[name], prevalence=prevalence)
            found[name].append(_figures(resamples, rule, fixed.get(name)))

    count_in(np.ones((1, len(some)), dtype=np.int64))
    for drawn in draws(some, n_resamples, seed, a_resample=len(some)):
        count_in((drawn if some.clusters is None else drawn[some.clusters]).T)
    measured = {}
    for name, pairs in encoders.items():
        once, cutoff = found[name][0].iloc[0], found[name][0]["cutoff"].iloc[0]
        measured[name] = Measured(
            pairs,
            None if np.isnan(cutoff) else float(cutoff),
            name not in fixed,
            {key: float(once[key]) for key in COMPARED},
            pd.concat(found[name][1:], ignore_index=True),
        )
    return measured


def differences(
    measured: Mapping[str, Measured],
    figures: Sequence[ComparedFigure],
    aucs: Aucs | None,
    confidence: float,
) -> pd.DataFrame:
    """The frame of a comparison, one row an encoder and figure; the first encoder is the baseline.

    A figure at a chosen cutoff loses its flattery. In a difference that of both cancels, and what resamples
    add to it once more is taken from their percentiles; so it covers (docs/simulations/compare.md). The
    intervals of the first figure's differences hold for all encoders at once (Bonferroni).
    """
    base = next(iter(measured.values()))
    n_units = base.pairs.n_clusters or len(base.pairs)
    pointwise = _wider(confidence, n_units)
    at_once = _wider(1 - (1 - confidence) / max(len(measured) - 1, 1), n_units)
    rows: list[tuple[object, ...]] = []
    for place, (name, it) in enumerate(measured.items()):
        is_alike = _alike(it.pairs, base.pairs)
        for key in figures:
            value = it.once[key] - it.flattery(key)
            gap = it.once[key] - base.once[key]
            if key == "auc" and aucs is not None:
                low, high = aucs.interval(place, confidence)
                gap, gap_low, gap_high, _p = aucs.difference(place, 0, confidence)
            else:
                low, high = _centred(it.drawn[key], value, pointwise)
                gap_low, gap_high = _centred(
                    it.drawn[key] - base.drawn[key], gap, at_once if key == figures[0] else pointwise
                )
                if gap_low == gap_high == 0 and not is_alike:
                    # Never seen to differ in few pairs is not the same as equal.
                    gap_low = gap_high = np.nan
            low, value, high = np.clip([low, value, high], 0, 1)
            gap_low, gap_high = max(gap_low, -1.0), min(gap_high, 1.0)
            rows.append((name, key, value, low, high, gap, gap_low, gap_high))
    return pd.DataFrame(rows, columns=COLUMNS)


def _figures(resamples: Resamples, rule: Rule, fixed: float | None) -> pd.DataFrame:
    """All figures in every resample, at the cutoff chosen in it or fixed; NaN where undefined.

    Where the rule finds none, nothing is called a match, as at the highest cutoff, to which -1 points.
    """
    # Resamples are counted in float32, in which areas would lose digits.
    counts = [np.asarray(counted, dtype=np.float64) for counted in resamples.confusion()]
    tp, fp, *_rest = counts
    columns = np.arange(len(resamples))
    if fixed is None:
        at = rule.pick_in(resamples)
    else:
        at = np.full(len(resamples), np.searchsorted(resamples.cutoffs, fixed))
    here = [values[at, columns] for values in counts]
    found: dict[str, CountArray] = {key: figure(key, *here, beta=rule.f_beta) for key in AT_OWN_CUTOFF}
    found["auc"], found["average_precision"] = _roc_auc(tp, fp), _average_precision(tp, fp)
    found["cutoff"] = np.where(at >= 0, resamples.cutoffs[at], np.nan)
    return pd.DataFrame(found)


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


def _centred(drawn: pd.Series[float], value: float, tails: list[float]) -> tuple[float, float]:
    """Percentiles of resamples, moved so that their mean is `value`."""
    known = drawn.dropna().to_numpy()
    if np.isnan(value) or not len(known):
        return np.nan, np.nan
    if np.ptp(known) <= TOLERANCE:
        return value, value
    low, high = np.quantile(known - known.mean() + value, tails)
    return float(low), float(high)


def _wider(confidence: float, n_units: int) -> list[float]:
    """Tails of percentile intervals, wider where few units were drawn, as Student's are [1]_.

    References
    ----------
    .. [1] Hesterberg (2015), What teachers should know about the bootstrap, The American Statistician 69,
       section 5.3 ("expanded percentile interval").
    """
    reach = np.sqrt(n_units / (n_units - 1)) * stats.t.ppf((1 + confidence) / 2, n_units - 1)
    return tails(float(2 * stats.norm.cdf(reach) - 1))


def _alike(one: Observations, other: Observations) -> bool:
    """Whether two encoders order all pairs in the same way, ties included."""
    return one is other or bool((stats.rankdata(one.scores) == stats.rankdata(other.scores)).all())
