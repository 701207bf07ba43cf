"""One pair a JD, drawn many times: what is exact where pairs of one JD say almost the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.calibration.observations import FloatArray, IntArray, Observations
from workbench.calibration.shares import OneSide


def one_per_cluster(
    observations: Observations, sets: OneSide, n_draws: int, seed: int
) -> Iterator[tuple[FloatArray, IntArray]]:
    """Draws of one pair a cluster: the share of right ones, and the number of pairs, in each of the sets.

    Pairs of different JDs are independent, so that any one draw can be tested exactly [1]_.

    References
    ----------
    .. [1] Hoffman, Sen & Weinberg (2001), Within-cluster resampling, Biometrika 88(4), 1121-1134.
    """
    assert observations.clusters is not None
    order = observations.order[::-1] if sets.side == "above" else observations.order
    labels, clusters = observations.labels[order], observations.clusters[order]
    right = labels if sets.side == "above" else 1 - labels
    rng = np.random.default_rng(seed)
    for _draw in range(n_draws):
        # The member of each cluster that comes first in a random order.
        shuffled = rng.permutation(len(clusters))
        drawn = np.zeros(len(clusters), dtype=np.int64)
        drawn[shuffled[np.unique(clusters[shuffled], return_index=True)[1]]] = 1
        n = np.concatenate([[0], np.cumsum(drawn)])[sets.n]
        n_right = np.concatenate([[0], np.cumsum(drawn * right)])[sets.n]
        yield np.divide(n_right, n, out=np.full(len(n), np.nan), where=n > 0), n


def pairs_a_draw(observations: Observations, sets: OneSide) -> FloatArray:
    """How many pairs such a draw puts into each of the sets on average; labels have no say in it."""
    assert observations.clusters is not None
    order = observations.order[::-1] if sets.side == "above" else observations.order
    clusters = observations.clusters[order]
    return np.concatenate([[0.0], np.cumsum(1 / np.bincount(clusters)[clusters])])[sets.n]
