"""Sums over resamples of the pairs, for figures that are no counts at a cutoff: ECE, Brier score, rates.

Counts at cutoffs are resampled faster in :mod:`workbench.calibration.bootstrap`.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from workbench.calibration.drawing import CHUNK, draws
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["resampled_sums"]


def resampled_sums(
    observations: Observations, rows: FloatArray, *, n_resamples: int, seed: int
) -> FloatArray:
    """Weighted sums over resamples of the pairs, by JD where shared.

    Parameters
    ----------
    observations : Observations
    rows : ndarray of float, shape (r, n)
        What to sum.
    n_resamples, seed : int

    Returns
    -------
    ndarray of float64, shape (r, n_resamples)
    """
    rng = np.random.default_rng(seed)
    order = observations.order
    values = csr_array((rows * observations.unit_weights)[:, order])
    n_units = observations.n_clusters or len(observations)
    if observations.clusters is not None:
        n = len(observations)
        member = csr_array((np.ones(n), (np.arange(n), observations.clusters[order])), shape=(n, n_units))
        values = values @ member
    chunks = draws(rng, n_units, n_resamples, max(1, CHUNK // n_units))
    parts = [values @ drawn.astype(np.float64) for drawn in chunks]
    return np.concatenate(parts, axis=1)
