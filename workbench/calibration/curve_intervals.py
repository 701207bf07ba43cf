"""How curves from scores to probabilities waver: refits in resamples, and Wilson's interval under a step.

The curves are in :mod:`workbench.calibration.curves`; what becomes of them is said in
:mod:`workbench.calibration.probability`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from workbench.calibration.bootstrap import Resamples, resample
from workbench.calibration.counts import cutoffs_between
from workbench.calibration.cross_fitting import Cells
from workbench.calibration.curves import CurveName, fitted_many
from workbench.calibration.effective import share_with_size
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["drawn_curves", "odds_factor", "step_intervals"]

# Cells of scores that resamples are counted in: where within a cell a pair lies does not move a curve.
MOST_DRAWN = 250
Share = TypeVar("Share", float, FloatArray)


def drawn_curves(
    observations: Observations,
    methods: Sequence[CurveName],
    knots: FloatArray,
    prevalence: float | None,
    n_resamples: int,
    seed: int,
) -> FloatArray:
    """The curve that each resample leads to, shape (n_resamples, k); NaN where it leads to none."""
    table = cutoffs_between(observations.scores)
    if len(table) > MOST_DRAWN:
        # Evenly spaced in rank, both ends included.
        at = np.linspace(0, len(observations) - 1, MOST_DRAWN).astype(np.intp)
        inner = np.searchsorted(table, np.sort(observations.scores)[at])
        table = table[np.unique(np.concatenate([[0], inner, [len(table) - 1]]))]
    choosing = len(methods) > 1
    resamples = resample(observations, n_resamples=n_resamples, seed=seed, cutoffs=table, out_of_bag=choosing)
    cells = Cells.of(observations, resamples.cutoffs)
    of_match, of_other = _in_cells(resamples, cells)
    read_at = np.concatenate([knots, cells.scores]) if choosing else knots
    fits = [fitted_many(method, cells.scores, of_match, of_other, read_at) for method in methods]
    drawn = fits[0]
    if choosing:
        assert resamples.outside is not None
        left_match, left_other = _in_cells(resamples.outside, cells)
        losses = []
        for fit in fits:
            said = fit[:, len(knots) :].T
            losses.append(-(left_match * np.log(said) + left_other * np.log1p(-said)).sum(axis=0))
        best = np.argmin(losses, axis=0)
        drawn = np.array(fits)[best, np.arange(n_resamples), : len(knots)]
    if prevalence is not None:
        share = of_match.sum(axis=0) / (of_match.sum(axis=0) + of_other.sum(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            # A resample of one class only says nothing about another prevalence: NaN.
            odds = (drawn / (1 - drawn)).T * odds_factor(share, prevalence)
            drawn = np.where((share > 0) & (share < 1), odds / (1 + odds), np.nan).T
    return drawn


def step_intervals(
    observations: Observations, curve: FloatArray, knots: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Wilson's interval of the pairs under the step that each knot lies on; NaN-free, shape (k,) each."""
    low, high = curve.copy(), curve.copy()
    for value in np.unique(curve):
        on_step = np.flatnonzero(curve == value)
        first, last = knots[on_step[0]], knots[on_step[-1]]
        inside = (observations.scores >= first) & (observations.scores <= last)
        if inside.any():
            share, size = share_with_size(
                observations.labels[inside].astype(np.float64), observations.subset(inside)
            )
            ends = wilson(share, size, confidence)
            low[on_step], high[on_step] = ends[0], ends[1]
    return np.asarray(low), np.asarray(high)


def odds_factor(prevalence: Share, live: float) -> Share:
    """By what the odds of a match are multiplied to get from one prevalence to another."""
    return live / (1 - live) / (prevalence / (1 - prevalence))


def _in_cells(resamples: Resamples, cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Weights of matches and others in each cell of each resample, shape (k, n_resamples)."""
    # Counts above each cutoff, differenced, are counts between cutoffs: the top one has nothing above.
    of_match, of_other = (
        np.maximum(-np.diff(np.asarray(above, dtype=np.float64), axis=0)[cells.filled] * cells.scale, 0)
        for above in (resamples.tp, resamples.fp)
    )
    return of_match, of_other
