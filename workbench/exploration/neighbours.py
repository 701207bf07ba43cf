"""The nearest rows by cosine similarity, exactly, for maps and their quality.

Searching a knowledge base for a query is another matter: see :mod:`workbench.retrieval`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.exploration.inputs import Vectors

__all__ = ["nearest", "nearest_others"]

Similarities = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

# Up to this many scores are computed in one go: a single query must not wait the tenths of a second that
# scikit-learn takes to set up its threads.
AT_ONCE = 4_000_000


def nearest(vectors: Vectors, queries: Vectors, k: int) -> tuple[Similarities, Rows]:
    """The `k` rows of `vectors` that are nearest to each query, best first.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows.
    queries : ndarray of float32, shape (m, d)
        Unit rows.
    k : int
        At most n.

    Returns
    -------
    similarities : ndarray of float32, shape (m, k)
        Cosine similarities.
    rows : ndarray of intp, shape (m, k)
    """
    if len(queries) * len(vectors) <= AT_ONCE:
        scores = queries @ vectors.T
        rows = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(scores, rows, axis=1)
        order = np.lexsort((rows, -found))
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(rows, order, axis=1)
    from sklearn.neighbors import NearestNeighbors

    # Of unit vectors, the nearest by Euclidean distance are the nearest by cosine: |a-b|^2 = 2 - 2 cos.
    # scikit-learn has a blocked, parallel search for that distance, which is exact and needs no index.
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(vectors)
    distances, rows = search.kneighbors(queries)
    return (1 - distances**2 / 2).astype(np.float32), rows.astype(np.intp)


def nearest_others(vectors: Vectors, k: int) -> tuple[Similarities, Rows]:
    """The `k` nearest rows of each row, with the row itself in the first place; shape (n, k).

    `vectors` must be distinct; else a row may come after its copy, and is put first here.
    """
    similarities, rows = nearest(vectors, vectors, k)
    own = np.arange(len(vectors))
    place = np.argmax(rows == own[:, None], axis=1)
    # Where rounding has put another row first, the two change places.
    rows[own, place], rows[:, 0] = rows[:, 0].copy(), own
    similarities[own, place], similarities[:, 0] = similarities[:, 0].copy(), 1.0
    return similarities, rows
