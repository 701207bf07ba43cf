"""What every index promises: the protocol, and :func:`best_of`, which defines scores and their order.

Exact indexes are in :mod:`~workbench.retrieval.exact`, the approximate one in
:mod:`~workbench.retrieval.approximate`; which of them a knowledge base uses is decided in
:mod:`~workbench.retrieval.choosing`. No texts and no encoders here.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.errors import InputError
from workbench.i18n import gettext as _

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

# Rows that are scored in float64 at a time: 4,096 x 4,096 dimensions are 128 MB.
BLOCK = 4096
# Spacing of float32 numbers just below 1; all its multiples in [-1, 1] are float32 numbers.
RESOLUTION = 2.0**-24
# Blocks whose maxima bound the k-th best score, for each of the k.
MAXIMA_PER_HIT = 16


class Index(Protocol):
    """The nearest rows of a matrix of unit vectors.

    Attributes
    ----------
    kind : str
        What it is, for people: ``"exact inner product (CPU)"``.
    exact : bool
        Whether no row is ever missed.
    """

    @property
    def kind(self) -> str: ...

    @property
    def exact(self) -> bool: ...

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
        raise InputError(
            _("Vectors must be a matrix of shape (n, d), not {shape}.").format(shape=vectors.shape)
        )
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        norms = np.linalg.norm(block, axis=1)
        bad = np.flatnonzero(~(np.abs(norms - 1) < 1e-3))
        if len(bad):
            row = start + int(bad[0])
            if np.isfinite(norms[bad[0]]):
                fault = _("Vector {row} has length {length} instead of 1")
            else:
                fault = _("Vector {row} has values that are not finite (NaN or infinity)")
            raise InputError(
                _(
                    "{fault}, so it has no cosine similarity with anything. Encode its text again, in "
                    "float32 if the encoder has such an option."
                ).format(fault=fault.format(row=row, length=f"{norms[bad[0]]:.4g}"))
            )
    return vectors


def slack_of(dimension: int) -> float:
    """Most by which a float32 ranking can be mistaken about the difference of two scores.

    A float32 inner product of unit vectors, summed in whatever order, is off by at most gamma_d =
    d u / (1 - d u), with unit roundoff u = 2**-24 (Higham 2002, Accuracy and Stability of Numerical
    Algorithms, 2nd ed., section 3.1). Two of these, and rounding to the same multiple, can tie.
    """
    du = dimension * 2.0**-24
    return 2 * du / (1 - du) + 2 * RESOLUTION


def lowest(kth: float, slack: float) -> float:
    """The float32 score down to which rows could be among the best k, once scores are clipped."""
    bound = min(float(kth), 1.0) - slack
    return bound if bound > -1 else -np.inf


def shortlist(scores: Scores, k: int, slack: float) -> Rows:
    """Rows that could be among the best `k`, for :func:`best_of` to decide; rising.

    Parameters
    ----------
    scores : ndarray of float32, shape (n,)
        Of which the difference of two is off by `slack` at most.
    k : int
    slack : float
    """
    n = len(scores)
    if k >= n:
        return np.arange(n, dtype=np.intp)
    near = scores
    width = n // (MAXIMA_PER_HIT * k)
    if width > 1:
        # At least k scores are as large as the k-th largest of the maxima of blocks, and few others are:
        # one pass over the scores, where selecting among all of them takes several.
        maxima = scores[: n // width * width].reshape(-1, width).max(axis=1)
        near = scores[scores >= _kth(maxima, k)]
    return np.flatnonzero(scores >= lowest(_kth(near, k), slack))


def _kth(scores: Scores, k: int) -> float:
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])
