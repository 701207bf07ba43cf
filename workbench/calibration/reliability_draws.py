"""Labels as they would be if probabilities were right, drawn for the bands of a reliability diagram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from workbench.calibration.drawing import CHUNK
from workbench.calibration.effective import within_cluster_correlation
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["labels_if_right"]


def labels_if_right(said: Observations, cell: npt.NDArray[np.intp], *, n_draws: int, seed: int) -> FloatArray:
    """Weighted numbers of matches a cell if each pair were a match with the probability said.

    Where pairs share JDs, labels of one JD are drawn with the correlation that its errors have: a pair
    takes the luck of its JD with the probability that gives this correlation, and its own luck otherwise.

    Parameters
    ----------
    said : Observations
        Probabilities in place of scores.
    cell : ndarray of int, shape (n,)
        Cell of each pair, 0 to k - 1.
    n_draws, seed : int

    Returns
    -------
    ndarray of float64, shape (k, n_draws)
    """
    rng = np.random.default_rng(seed)
    order = said.order
    probability = said.scores[order, None]
    n = len(said)
    to_cells = csr_array((said.unit_weights[order], (cell[order], np.arange(n))), shape=(cell.max() + 1, n))
    clusters = None if said.clusters is None else said.clusters[order]
    shares_luck = 0.0
    if clusters is not None:
        shares_luck = float(np.sqrt(within_cluster_correlation(said, standard_errors=0.0)))
    drawn = np.empty((to_cells.shape[0], n_draws))
    columns = max(1, 4 * CHUNK // n)
    for at in range(0, n_draws, columns):
        m = min(columns, n_draws - at)
        luck = rng.random((n, m))
        if clusters is not None and shares_luck > 0:
            of_cluster = rng.random((int(clusters.max()) + 1, m))[clusters]
            luck = np.where(rng.random((n, m)) < shares_luck, of_cluster, luck)
        drawn[:, at : at + m] = to_cells @ (luck < probability).astype(np.float64)
    return drawn
