"""A layout that rounding does not move: leading eigenvectors of UMAP's neighbour graph (a diffusion map).

For finding clusters; a picture is better drawn by :mod:`~workbench.exploration.umap_layout`.
"""

from __future__ import annotations

import warnings
from importlib import import_module

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import Vectors
from workbench.exploration.neighbours import nearest_others
from workbench.exploration.umap_layout import check_neighbours, import_umap

__all__ = ["spectral_layout"]

# Up to this many vectors all eigenvectors are computed, which takes no time and never fails.
DENSE = 400
# Steps of the diffusion. With one, eigenvectors that say little drown those that matter where there are few
# clusters; with sixteen, many small clusters run together (tried on 5 clusters of 420 and 72 of 923 texts).
STEPS = 4


def spectral_layout(
    vectors: Vectors, *, n_components: int = 40, n_neighbors: int = 15, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Lay out distinct unit vectors, so that small changes of them change the layout little.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows, distinct, in canonical order.
    n_components : int
        Eigenvectors; fewer where there are fewer vectors.
    n_neighbors : int
    seed : int
        Of the vector that the iteration starts from; results hardly depend on it.

    Returns
    -------
    ndarray of float32, shape (n, k)
        Rows of unit length, or zero.

    Raises
    ------
    InputError
        If there are not more vectors than neighbours, or `n_components` is below 1.
    MissingDependencyError
        If umap-learn, which makes the graph, is not installed.

    References
    ----------
    Coifman and Lafon (2006), Diffusion maps, Applied and Computational Harmonic Analysis 21, 5-30; rows
    of unit length as in Ng, Jordan and Weiss (2001), On spectral clustering, NIPS.
    """
    check_neighbours(n_neighbors, len(vectors))
    if isinstance(n_components, bool) or not isinstance(n_components, int) or n_components < 1:
        raise InputError(f"n_components is {n_components!r}; it must be a whole number, at least 1.")
    import scipy.sparse as sparse

    import_umap()
    similarities, rows = nearest_others(vectors, n_neighbors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = import_module("umap.umap_").fuzzy_simplicial_set(
            vectors,
            n_neighbors,
            np.random.RandomState(seed),
            "cosine",
            knn_indices=rows.astype(np.int32),
            knn_dists=np.clip(1 - similarities, 0, 2),
        )[0]
    root = np.sqrt(np.asarray(graph.sum(axis=1), dtype=np.float64).ravel())
    scale = sparse.diags(1 / root)
    values, eigenvectors = _leading(scale @ graph.astype(np.float64) @ scale, n_components + 1, seed)
    # The first eigenvector, known beforehand, is the same for all. Where the graph falls apart it is mixed
    # with others of the same eigenvalue; taken out this way, distances do not depend on how.
    trivial = root / np.linalg.norm(root)
    eigenvectors = eigenvectors - np.outer(trivial, trivial @ eigenvectors)
    layout = eigenvectors * values**STEPS / root[:, None]
    lengths = np.linalg.norm(layout, axis=1, keepdims=True)
    unit = layout / np.where(lengths > 1e-9, lengths, np.inf)
    return unit.astype(np.float32)


def _leading(
    matrix: npt.ArrayLike, k: int, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The `k` largest eigenvalues of a symmetric sparse matrix, and their eigenvectors."""
    from scipy.sparse.linalg import eigsh

    n = matrix.shape[0]  # type: ignore[union-attr]
    if n <= DENSE or k >= n - 1:
        values, vectors = np.linalg.eigh(matrix.toarray())  # type: ignore[union-attr]
        return values[-k:], vectors[:, -k:]
    start = np.random.default_rng(seed).standard_normal(n)
    values, vectors = eigsh(matrix, k=k, which="LA", v0=start)
    return values, vectors
