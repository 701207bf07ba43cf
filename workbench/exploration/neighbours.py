"""Which unit vectors are nearest: to some queries, or each to all others; exactly, without an index."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from workbench.exploration.inputs import Rows, Vectors

# Up to this many scores are computed in one go: a single query must not wait the tenths of a second that
# scikit-learn takes to set up its threads.
AT_ONCE = 4_000_000
# Rows of a block: the scores of two blocks stay in the cache while they are looked through.
BLOCK = 1024
# Pairs whose distances are computed in one go.
PAIRS = 8192


def nearest(vectors: Vectors, queries: Vectors, k: int) -> tuple[Vectors, Rows]:
    """The `k` unit rows nearest to each query, best first: similarities and row numbers, shape (m, k)."""
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


def nearest_others(vectors: Vectors, k: int) -> tuple[Vectors, Rows]:
    """The `k` nearest rows of each row, with the row itself in the first place; shape (n, k).

    `vectors` must be distinct; else a row may come after its copy, and is put first here.
    """
    found = None
    if len(vectors) ** 2 > AT_ONCE and k <= BLOCK // 8:
        found = _nearest_of_all(vectors, k)
    similarities, rows = nearest(vectors, vectors, k) if found is None else found
    own = np.arange(len(vectors))
    place = np.argmax(rows == own[:, None], axis=1)
    # Where rounding has put another row first, the two change places.
    rows[own, place], rows[:, 0] = rows[:, 0].copy(), own
    similarities[own, place], similarities[:, 0] = similarities[:, 0].copy(), 1.0
    return similarities, rows


class _TooManyTiesError(Exception):
    """So many rows are equally near that they cannot be kept."""


_one_at_a_time = threading.Lock()


def _nearest_of_all(vectors: Vectors, k: int) -> tuple[Vectors, Rows] | None:
    """As :func:`nearest` of all rows to all; None where very many are equally near.

    The score of two rows is that of both, so half the products do. Blocks are met in such an order that each
    knows equally much of the others, and passes over what is farther than the `k` nearest known by then.
    """
    from threadpoolctl import ThreadpoolController

    halves = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)[:, None] / 2
    ones = np.ones_like(halves)
    # The inner product of these is a.b - |a|^2/2 - |b|^2/2, which is -|a-b|^2/2.
    left = np.hstack([vectors, ones, -halves], dtype=np.float32, casting="same_kind")
    right = np.hstack([vectors, -halves, ones], dtype=np.float32, casting="same_kind")
    edges = np.linspace(0, len(vectors), -(-len(vectors) // BLOCK) + 1).astype(np.intp).tolist()
    blocks = [_Block(vectors, slice(*ends), k) for ends in itertools.pairwise(edges)]
    n = len(blocks)

    def meet(pair: tuple[_Block, _Block]) -> None:
        one, other = pair
        scores = left[one.span] @ right[other.span].T
        if one is other:
            one.begin(scores)
            return
        one.add(scores, other.span.start, axis=0)
        other.add(scores, one.span.start, axis=1)

    with _one_at_a_time:
        blas = ThreadpoolController()
        workers = max((one["num_threads"] for one in blas.info() if one["user_api"] == "blas"), default=1)
        with blas.limit(limits=1, user_api="blas"):
            pool = ThreadPoolExecutor(workers, thread_name_prefix="neighbours")
            try:
                for step in range(n // 2 + 1):
                    # Half way round, each pair would come twice.
                    some = blocks[: n // 2] if 2 * step == n else blocks
                    partners = blocks[step:] + blocks[:step]
                    list(pool.map(meet, zip(some, partners, strict=False)))
                parts = list(pool.map(_Block.nearest, blocks))
            except _TooManyTiesError:
                return None
            finally:
                pool.shutdown(cancel_futures=True)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


class _Block:
    """Some rows, and the candidates for their `k` nearest among all that they have met."""

    def __init__(self, vectors: Vectors, span: slice, k: int) -> None:
        self.vectors, self.span, self.k = vectors, span, k
        self.n = span.stop - span.start
        # Candidates: row in this block, column among all, score; and how many of them there are.
        self.kept: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Vectors]] = []
        self.size, self.most = 0, 4 * k * self.n
        # Rounding moves a score of d + 2 products, whose absolute values add up to 2, by (d + 3) / 2**23 at
        # most (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1); here two scores.
        self.slack = np.float32((vectors.shape[1] + 4) / 2**22)
        self.changing = threading.Lock()

    def begin(self, scores: Vectors) -> None:
        """Take the scores among the rows themselves, and from them a bound of what is worth keeping."""
        # The k-th of the best of some groups is no better than the k-th of all, and quicker to find.
        groups = max(64, 4 * self.k)
        best = scores[:, : self.n // groups * groups].reshape(self.n, -1, groups).max(axis=1)
        self.bound = np.partition(best, groups - self.k, axis=1)[:, groups - self.k] - self.slack
        self.add(scores, self.span.start, axis=0)

    def add(self, scores: Vectors, start: int, axis: int) -> None:
        """Keep what may be near, of scores that have these rows on `axis`, and others from `start` on."""
        places = np.flatnonzero(scores >= np.expand_dims(self.bound, 1 - axis))
        cells = [cell.astype(np.int32) for cell in np.divmod(places, scores.shape[1])]
        with self.changing:
            self.kept.append((cells[axis], cells[1 - axis] + np.int32(start), scores.ravel()[places]))
            self.size += len(places)
            if self.size > self.most:
                self.tighten()
                if self.size > self.most:
                    raise _TooManyTiesError

    def tighten(self) -> None:
        """Forget what is farther than the `k` nearest known now."""
        row, column, score = map(np.concatenate, zip(*self.kept, strict=True))
        # Scores lie between -2 and 0: rows stay apart, and the best of each comes first.
        order = np.argsort(8.0 * row - score)
        row, column, score = row[order], column[order], score[order]
        self.bound = score[np.searchsorted(row, np.arange(self.n)) + self.k - 1] - self.slack
        near = score >= self.bound[row]
        self.kept = [(row[near], column[near], score[near])]
        self.size = int(near.sum())

    def nearest(self) -> tuple[Vectors, Rows]:
        """Similarities and rows, from distances in double precision, rounded as scikit-learn rounds them."""
        self.tighten()
        ((row, column, _score),) = self.kept
        squares = np.empty(len(row))
        for at in range(0, len(row), PAIRS):
            some = slice(at, at + PAIRS)
            apart = np.subtract(
                self.vectors[self.span.start + row[some]], self.vectors[column[some]], dtype=np.float64
            )
            squares[some] = np.einsum("ij,ij->i", apart, apart)
        order = np.lexsort((column, squares, row))
        first = order[np.searchsorted(row, np.arange(self.n))[:, None] + np.arange(self.k)]
        distances = np.sqrt(squares[first].astype(np.float32)).astype(np.float64)
        return (1 - distances**2 / 2).astype(np.float32), column[first].astype(np.intp)
