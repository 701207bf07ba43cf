"""The figures at one cutoff that was fixed beforehand, with intervals that know of weights and shared JDs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import quantiles, resample
from workbench.calibration.counts import count
from workbench.calibration.effective import one_side, share_with_size
from workbench.calibration.figures import (
    Costs,
    Estimate,
    FigureName,
    figure,
    mixture_size,
    scale_odds,
)
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["REPORTED", "figures_at", "shares_at"]

REPORTED: tuple[FigureName, ...] = (
    "precision",
    "recall",
    "false_omission_rate",
    "specificity",
    "f_beta",
    "accuracy",
    "youden",
    "cost",
    "share_selected",
)


def figures_at(
    observations: Observations,
    cutoff: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
    beta: float = 1.0,
    costs: Costs | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[FigureName, Estimate]:
    """All reported figures at a cutoff.

    Shares have Wilson intervals on their effective sizes (:mod:`workbench.calibration.effective`), which
    do not collapse where no error was seen, as bootstrap intervals do. F-beta, Youden and cost are no
    shares; theirs are bootstrap percentiles.

    Parameters
    ----------
    observations : Observations
    cutoff : float
    confidence : float
        Two-sided.
    prevalence : float, optional
        Live prevalence to correct figures to.
    beta, costs
        For F-beta and cost.
    n_resamples, seed : int
        For the bootstrap.

    Returns
    -------
    dict of str to Estimate

    Examples
    --------
    >>> figures = figures_at(Observations([0.1, 0.3, 0.6, 0.8], [0, 0, 1, 1]), 0.5)
    >>> print(figures["precision"])
    100.0 % (34.2–100.0)
    """
    # Sums in the order of scores, so that the order of rows has no say in the last digit.
    observations = observations.subset(observations.order)
    counts = count(observations, [cutoff]).at_prevalence(prevalence)
    estimates = shares_at(observations, cutoff, confidence=confidence, prevalence=prevalence)
    resamples = None
    for name in REPORTED:
        if name in estimates:
            continue
        value = float(figure(name, counts.tp, counts.fp, counts.fn, counts.tn, beta=beta, costs=costs)[0])
        low = high = float("nan")
        if len(observations) > 1 and (observations.n_clusters or 2) > 1:
            if resamples is None:
                resamples = resample(
                    observations, n_resamples=n_resamples, seed=seed, cutoffs=[cutoff], prevalence=prevalence
                )
            drawn = resamples.figure(name, beta=beta, costs=costs)
            ends = quantiles(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
            low, high = float(ends[0][0]), float(ends[1][0])
        estimates[name] = Estimate(value, low, high, confidence)
    return {name: estimates[name] for name in REPORTED}


def shares_at(
    observations: Observations,
    cutoff: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
) -> dict[FigureName, Estimate]:
    """The figures that are shares of pairs, which need no resampling; otherwise as :func:`figures_at`."""
    counts = count(observations, [cutoff]).at_prevalence(prevalence)
    above = (observations.scores > cutoff).astype(np.float64)
    matches = observations.labels == 1

    accepted = one_side(observations, "above", cutoffs=np.array([cutoff]))
    rejected = one_side(observations, "below", cutoffs=np.array([cutoff]))
    recall, size_matches = _of_class(above, observations, matches)
    specificity, size_others = _of_class(1 - above, observations, ~matches)

    def mixed(name: FigureName, indicator: FloatArray) -> Estimate:
        share, size = share_with_size(indicator, observations)
        if counts.odds_factor != 1.0:
            live = figure(name, counts.tp, counts.fp, counts.fn, counts.tn)
            share, size = float(live[0]), float(mixture_size(live, counts, size_matches, size_others)[0])
        return _estimate(share, size, confidence)

    factor = counts.odds_factor
    return {
        "precision": _estimate(accepted.share_right[0], accepted.size[0], confidence, factor),
        "false_omission_rate": _estimate(1 - rejected.share_right[0], rejected.size[0], confidence, factor),
        "recall": _estimate(recall, size_matches, confidence),
        "specificity": _estimate(specificity, size_others, confidence),
        "accuracy": mixed("accuracy", (above == observations.labels).astype(np.float64)),
        "share_selected": mixed("share_selected", above),
    }


def _of_class(
    right: FloatArray, observations: Observations, of_class: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    if not of_class.any():
        return float("nan"), 0.0
    return share_with_size(right[of_class], observations.subset(of_class))


def _estimate(share: float, size: float, confidence: float, odds_factor: float = 1.0) -> Estimate:
    low, high = wilson(share, size, confidence)
    value, low, high = (scale_odds(end, odds_factor) for end in (np.float64(share), low, high))
    return Estimate(float(value), float(low), float(high), confidence, float(size))
