"""Indexes: the nearest rows of a matrix of unit vectors. No texts and no encoders here.

Every index answers as :func:`best_of` defines it, so that scores and their order do not depend on
which library found the candidates. :func:`build_index` chooses the index.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.errors import InputError, MissingDependencyError

__all__ = ["FlatIndex", "Index", "best_of", "build_index", "check_vectors"]

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

# Candidates fetched beyond k, so that ties at the k-th place are usually seen without a second pass.
SPARE_CANDIDATES = 16
# faiss on a GPU selects at most this many per query.
MOST_ON_GPU = 2048
# Rows that are scored in float64 at a time: 4,096 x 4,096 dimensions are 128 MB.
BLOCK = 4096
# Spacing of float32 numbers just below 1; all its multiples in [-1, 1] are float32 numbers.
RESOLUTION = 2.0**-24


class Index(Protocol):
    """The nearest rows of a matrix of unit vectors.

    Attributes
    ----------
    kind : str
        What it is, for people: ``"exact inner product (CPU)"``.
    """

    @property
    def kind(self) -> str: ...

    def __len__(self) -> int: ...

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query.

        Parameters
        ----------
        queries : ndarray of float32, shape (m, d)
            Unit rows.
        k : int
            From 1 to ``len(index)``.

        Returns
        -------
        scores : ndarray of float32, shape (m, k)
            Cosine similarities, falling.
        rows : ndarray of intp, shape (m, k)
            Row numbers; rows of equal score in rising order.
        """


def build_index(vectors: Vectors, *, exact: bool = True) -> Index:
    """An index over `vectors`, float32 of shape (n, d) with unit rows.

    Parameters
    ----------
    exact : bool
        Whether every row must be considered. Matrices of all sizes are searched exactly so far, also
        where False would permit an approximation.

    Raises
    ------
    InputError
        If `vectors` is not a matrix, or has rows that are not finite or not of unit length.
    MissingDependencyError
        If faiss is not installed.
    """
    return FlatIndex(vectors)


class FlatIndex:
    """Exact search with faiss' flat inner-product index, on the GPU where faiss has one.

    faiss ranks in float32, where the sum depends on how rows fall into blocks. Its ranking is
    therefore only used to find candidates, with room for the rounding error; :func:`best_of` scores
    them.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows; may be memory-mapped. faiss keeps a copy.
    """

    def __init__(self, vectors: Vectors) -> None:
        faiss = _import_faiss()
        self._vectors = np.asarray(check_vectors(vectors))
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._on_gpu = faiss.get_num_gpus() > 0
        if self._on_gpu:
            self._resources = faiss.StandardGpuResources()
            self._index = faiss.index_cpu_to_gpu(self._resources, 0, self._index)
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    @property
    def kind(self) -> str:
        return f"exact inner product ({'GPU' if self._on_gpu else 'CPU'})"

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query; see :meth:`Index.search`."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        scores = np.empty((len(queries), k), dtype=np.float32)
        rows = np.empty((len(queries), k), dtype=np.intp)
        for i, (query, candidates) in enumerate(zip(queries, self._candidates(queries, k), strict=True)):
            scores[i], rows[i] = best_of(query, self._vectors, candidates, k)
        return scores, rows

    def _candidates(self, queries: Vectors, k: int) -> list[Rows]:
        n, dimension = self._vectors.shape
        slack = _slack(dimension)
        fetched = min(n, k + SPARE_CANDIDATES)
        if fetched == n or (self._on_gpu and fetched > MOST_ON_GPU):
            return [self._above(query, k, slack) for query in queries]
        found, rows = self._index.search(queries, fetched)
        # If even the last row fetched could belong to the best k, rows not fetched could too.
        return [
            self._above(query, k, slack) if near[-1] >= _lowest(near[k - 1], slack) else row.astype(np.intp)
            for query, near, row in zip(queries, found, rows, strict=True)
        ]

    def _above(self, query: Vectors, k: int, slack: float) -> Rows:
        """All rows that could be among the best `k`, from a scan of the whole matrix."""
        n = len(self._vectors)
        if k == n:
            return np.arange(n, dtype=np.intp)
        scores = np.concatenate(
            [self._vectors[start : start + BLOCK] @ query for start in range(0, n, BLOCK)]
        )
        kth = np.partition(scores, n - k)[n - k]
        return np.flatnonzero(scores >= _lowest(kth, slack))


def best_of(query: Vectors, vectors: Vectors, candidates: Rows, k: int) -> tuple[Scores, Rows]:
    """Score candidate rows and return the best `k`: what every index answers with.

    The score is the inner product, summed in float64 by one formula for all rows, then rounded to a
    multiple of 2**-24 (what float32 vectors can tell) and clipped to [-1, 1]. So equal vectors have
    equal scores wherever they lie, and rows that differ by rounding noise only are tied. Order is by
    falling score, then by rising row.

    Parameters
    ----------
    query : ndarray of float32, shape (d,)
    vectors : ndarray of float32, shape (n, d)
    candidates : ndarray of intp, shape (c,)
        Distinct row numbers, ``c >= k``.
    k : int

    Returns
    -------
    scores : ndarray of float32, shape (k,)
    rows : ndarray of intp, shape (k,)

    Examples
    --------
    >>> vectors = np.eye(3, dtype=np.float32)[[2, 0, 0]]
    >>> best_of(vectors[1], vectors, np.array([2, 0, 1]), k=2)
    (array([1., 1.], dtype=float32), array([1, 2]))
    """
    exact = query.astype(np.float64)
    scores = np.empty(len(candidates), dtype=np.float32)
    for start in range(0, len(candidates), BLOCK):
        block = vectors[candidates[start : start + BLOCK]]
        # Not a matrix product: BLAS sums the rows at the edge of a block in another order.
        sums = np.multiply(block, exact).sum(axis=1)
        # Adding zero turns -0.0 into 0.0.
        scores[start : start + BLOCK] = np.clip(np.rint(sums / RESOLUTION) * RESOLUTION, -1, 1) + 0.0
    order = np.lexsort((candidates, -scores))[:k]
    return scores[order], candidates[order]


def check_vectors(vectors: Vectors) -> Vectors:
    """Refuse a matrix that cannot be searched: wrong shape, or rows not finite or not of unit length.

    Raises
    ------
    InputError
        With the first row that is wrong.
    """
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise InputError(f"Vectors must be a matrix of shape (n, d), not {vectors.shape}.")
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        norms = np.linalg.norm(block, axis=1)
        bad = np.flatnonzero(~(np.abs(norms - 1) < 1e-3))
        if len(bad):
            row = start + int(bad[0])
            fault = (
                f"has length {norms[bad[0]]:.4g} instead of 1"
                if np.isfinite(norms[bad[0]])
                else "has values that are not finite (NaN or infinity)"
            )
            raise InputError(
                f"Vector {row} {fault}, so it has no cosine similarity with anything. Encode its text again, "
                "with dtype='float32' if the encoder has such an option."
            )
    return vectors


def _slack(dimension: int) -> float:
    """Most by which a float32 ranking can be mistaken about the difference of two scores.

    A float32 inner product of unit vectors, summed in whatever order, is off by at most gamma_d =
    d u / (1 - d u), with unit roundoff u = 2**-24 (Higham 2002, Accuracy and Stability of Numerical
    Algorithms, 2nd ed., section 3.1). Two of these, and rounding to the same multiple, can tie.
    """
    du = dimension * 2.0**-24
    return 2 * du / (1 - du) + 2 * RESOLUTION


def _lowest(kth: float, slack: float) -> float:
    """The float32 score down to which rows could be among the best k, once scores are clipped."""
    lowest = min(float(kth), 1.0) - slack
    return lowest if lowest > -1 else -np.inf


def _import_faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise MissingDependencyError(
            "Searching needs faiss, which is not installed: run 'pip install .[cpu]' in the project folder "
            "(or '.[gpu]' on a machine with an NVIDIA GPU)."
        ) from error
    return faiss
