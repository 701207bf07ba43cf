"""The frame of a comparison: each encoder's figures with intervals, and their distance to the baseline's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.bootstrap import quantiles
from workbench.calibration.comparing_figures import (
    AT_OWN_CUTOFF,
    COMPARED,
    ComparedFigure,
    OwnCutoff,
    PairedDraws,
)
from workbench.calibration.difference_tests import Aucs
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["COLUMNS", "cutoff_interval", "differences"]

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


def differences(
    encoders: Mapping[str, Observations],
    own: Mapping[str, OwnCutoff],
    naive: Mapping[str, Mapping[ComparedFigure, float]],
    drawn: Mapping[str, PairedDraws],
    aucs: Aucs | None,
    *,
    prevalence: float | None,
    confidence: float,
) -> pd.DataFrame:
    """The frame, one row an encoder and figure; the first encoder is the baseline.

    At own cutoffs, value and difference are corrected for optimism, and intervals are the naive ones with
    the end that flatters shifted by it, as in :func:`~workbench.calibration.optimism.honest_figures`.
    Only AUC is tested, so that there is one hypothesis an encoder; Holm's correction is over encoders.
    """
    first = next(iter(encoders))
    rows: list[tuple[object, ...]] = []
    for place, (name, pairs) in enumerate(encoders.items()):
        for key in COMPARED:
            optimism = drawn[name].optimism.get(key, 0.0)
            more = optimism - drawn[first].optimism.get(key, 0.0)
            if key == "auc" and aucs is not None:
                ends, gap = aucs.interval(place, confidence), aucs.difference(place, 0, confidence)
            else:
                ends = _interval(key, pairs, own[name], drawn[name], prevalence, confidence)
                gaps = drawn[name].figures[key] - drawn[first].figures[key]
                gap = _gap(naive[name][key] - naive[first][key], gaps, confidence)
            low, high = np.clip(_shifted(*ends, optimism), 0, 1)
            gap_low, gap_high = np.clip(_shifted(gap[1], gap[2], more), -1, 1)
            p = gap[3] if key == "auc" and name != first else np.nan
            value = float(np.clip(naive[name][key] - optimism, 0, 1))
            rows.append((name, key, value, low, high, optimism, gap[0] - more, gap_low, gap_high, p, np.nan))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    tested = frame["p_value"].notna()
    frame.loc[tested, "p_adjusted"] = _holm(frame.loc[tested, "p_value"].to_numpy())
    return frame


def cutoff_interval(own: OwnCutoff, drawn: FloatArray, confidence: float) -> tuple[float, float]:
    """Percentile interval of the cutoff that resamples chose; the cutoff itself if it was fixed."""
    if own.rule is None:
        return (np.nan, np.nan) if own.value is None else (own.value, own.value)
    low, high = quantiles(drawn[None, :], _tails(confidence))
    return float(low[0]), float(high[0])


def _interval(
    key: ComparedFigure,
    pairs: Observations,
    own: OwnCutoff,
    drawn: PairedDraws,
    prevalence: float | None,
    confidence: float,
) -> tuple[float, float]:
    """Wilson's of the effective size for shares at a cutoff, which do not collapse; else percentiles."""
    if key in AT_OWN_CUTOFF and key != "f1" and own.value is not None:
        share = shares_at(pairs, own.value, confidence=confidence, prevalence=prevalence)[AT_OWN_CUTOFF[key]]
        return share.low, share.high
    low, high = quantiles(drawn.figures[key][None, :], _tails(confidence))
    return float(low[0]), float(high[0])


def _gap(value: float, drawn: FloatArray, confidence: float) -> tuple[float, float, float, float]:
    """Difference, percentile interval and two-sided p-value from paired resamples."""
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(known):
        return value, np.nan, np.nan, np.nan
    low, high = np.quantile(known, _tails(confidence))
    below, above = (known <= TOLERANCE).sum(), (known >= -TOLERANCE).sum()
    # 1 is added on both sides, so that p is never 0: Davison & Hinkley (1997), equation 4.11.
    p = min(2 * (1 + min(below, above)) / (1 + len(known)), 1.0)
    return value, float(low), float(high), float(p)


def _holm(p_values: FloatArray) -> FloatArray:
    """Holm's step-down adjustment; statsmodels' takes 0.1 s, for it collects garbage first."""
    order = np.argsort(p_values)
    adjusted = np.empty(len(p_values))
    stepped = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def _shifted(low: float, high: float, optimism: float) -> tuple[float, float]:
    """The end that flatters moved by the optimism; the other stays."""
    return low - max(optimism, 0.0), high - min(optimism, 0.0)


def _tails(confidence: float) -> list[float]:
    return [(1 - confidence) / 2, (1 + confidence) / 2]
