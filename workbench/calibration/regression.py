"""Logistic regression on soft targets for many sets of weights at once, with coefficients of 0 or more.

For bootstrap resamples; a single curve is fitted with scikit-learn in :mod:`workbench.calibration.curves`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from workbench.calibration.observations import FloatArray

__all__ = ["logistic_many"]

MOST_STEPS = 50
# The largest change of a coefficient (of a feature of spread 1) that counts as none.
TOLERANCE = 1e-7
# Keeps the system solvable where a feature is constant; far below what a thousandth of a pair would do.
RIDGE = 1e-9


def logistic_many(
    features: FloatArray, for_match: FloatArray, for_other: FloatArray, at: FloatArray
) -> FloatArray:
    """Fit to each column of weights, and read the fits at other features.

    Features whose coefficient would be negative are left out of that fit, the first one first.

    Parameters
    ----------
    features : ndarray of float64, shape (k, p)
    for_match, for_other : ndarray of float64, shape (k, r)
        Weight of each row as a match, and as no match.
    at : ndarray of float64, shape (m, p)

    Returns
    -------
    ndarray of float64, shape (r, m)
        Probabilities.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    used = spread > 1e-12
    scaled = (features[:, used] - centre[used]) / spread[used]
    where = (at[:, used] - centre[used]) / spread[used]
    n_features, n_sets = scaled.shape[1], for_match.shape[1]
    kept = np.ones((n_features, n_sets), dtype=bool)
    coefficients = np.zeros((n_features + 1, n_sets))
    waiting = np.ones(n_sets, dtype=np.bool_)
    while waiting.any():
        coefficients[:, waiting] = _newton(
            scaled, for_match[:, waiting], for_other[:, waiting], kept[:, waiting]
        )
        negative = (coefficients[1:] < 0) & kept
        waiting = np.asarray(negative.any(axis=0))
        again = np.flatnonzero(waiting)
        if len(again):
            kept[np.argmax(negative[:, again], axis=0), again] = False
    return np.asarray(expit(coefficients[0][:, None] + coefficients[1:].T @ where.T))


def _newton(
    features: FloatArray, for_match: FloatArray, for_other: FloatArray, kept: npt.NDArray[np.bool_]
) -> FloatArray:
    """Coefficients, intercept first, shape (p + 1, r); 0 for features that are not kept."""
    rows = np.column_stack([np.ones(len(features)), features])
    products = (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
    free = np.concatenate([np.ones((1, kept.shape[1]), dtype=bool), kept])
    weight = for_match + for_other
    total = weight.sum(axis=0)
    size = rows.shape[1]
    held = RIDGE * total[:, None, None] * np.eye(size) + (~free.T)[:, :, None] * np.eye(size)
    found = np.zeros(free.shape)
    found[0] = np.log(for_match.sum(axis=0) / for_other.sum(axis=0))
    loss = _loss(rows @ found, for_match, for_other)
    step_size = np.ones(for_match.shape[1])
    for _ in range(MOST_STEPS):
        chance = expit(rows @ found)
        gradient = (rows.T @ (for_match - weight * chance)) * free
        curvature = (products.T @ (weight * chance * (1 - chance))).T.reshape(-1, size, size)
        curvature *= free.T[:, :, None] & free.T[:, None, :]
        step = np.linalg.solve(curvature + held, gradient.T[:, :, None])[:, :, 0].T
        tried = found + step_size * step
        tried_loss = _loss(rows @ tried, for_match, for_other)
        # Newton's step may overshoot where classes hardly overlap: half of it then, and whole again after.
        better = tried_loss <= loss + 1e-12 * np.abs(loss)
        change = np.abs(np.where(better, tried - found, 0.0)).max(axis=0)
        found, loss = np.where(better, tried, found), np.where(better, tried_loss, loss)
        if (better & (change < TOLERANCE)).all():
            break
        step_size = np.where(better, 1.0, step_size / 2)
    return found


def _loss(logits: FloatArray, for_match: FloatArray, for_other: FloatArray) -> FloatArray:
    """Negative log likelihood of each column."""
    return np.asarray(
        (for_match * np.logaddexp(0, -logits) + for_other * np.logaddexp(0, logits)).sum(axis=0)
    )
