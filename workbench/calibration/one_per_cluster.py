"""Exact tests where pairs share JDs: one pair a JD, drawn many times, p-values combined.

Pairs of different JDs are independent, so any one draw can be tested exactly. Combining draws takes the
luck of the draw out. Used by :mod:`workbench.calibration.guarantee`.
"""

from __future__ import annotations

import numpy as np

from workbench.calibration.effective import OneSide
from workbench.calibration.intervals import p_value_above
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["one_per_cluster_p_values"]


def one_per_cluster_p_values(
    observations: Observations, sets: OneSide, share: float, *, n_draws: int = 200, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Twice the mean of the p-values of many draws of one pair a cluster, and the mean number drawn.

    Twice the mean of p-values is a p-value however they depend on each other [1]_.

    Parameters
    ----------
    observations : Observations
        With clusters.
    sets : OneSide
        The sets to test.
    share : float
        Share of right pairs under the hypothesis to refuse.
    n_draws : int
        Draws; more take more of the luck out.
    seed : int

    Returns
    -------
    p_values, sizes : ndarray of float64, shape (k,)

    References
    ----------
    .. [1] Rüschendorf (1982); Vovk & Wang (2020), Combining p-values via averaging, Biometrika 107(4),
       791-808. Drawing one of each cluster: Hoffman, Sen & Weinberg (2001), Within-cluster resampling,
       Biometrika 88(4), 1121-1134.
    """
    assert observations.clusters is not None
    order = observations.order[::-1] if sets.side == "above" else observations.order
    labels = observations.labels[order]
    right = labels if sets.side == "above" else 1 - labels
    clusters = observations.clusters[order]
    rng = np.random.default_rng(seed)
    total, sizes = np.zeros(len(sets)), np.zeros(len(sets))
    for _ in range(n_draws):
        # The member of each cluster that comes first in a random order.
        shuffled = rng.permutation(len(clusters))
        drawn = np.zeros(len(clusters), dtype=np.int64)
        drawn[shuffled[np.unique(clusters[shuffled], return_index=True)[1]]] = 1
        n = np.concatenate([[0], np.cumsum(drawn)])[sets.n]
        n_right = np.concatenate([[0], np.cumsum(drawn * right)])[sets.n]
        share_right = np.divide(n_right, n, out=np.full(len(n), np.nan), where=n > 0)
        total += p_value_above(share_right, n, share)
        sizes += n
    return np.minimum(2 * total / n_draws, 1.0), sizes / n_draws
