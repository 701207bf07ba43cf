"""Approximate search: short codes find candidates, which are then compared in full.

Codes are faiss' product quantiser with 4 bits a code, read with SIMD instructions ("fast scan"), over
principal axes that are dealt out so that each code has as much variance to tell. How many candidates are
needed is measured on the vectors themselves when the index is built.

References
----------
Jégou, H., Douze, M. and Schmid, C. (2011). Product quantization for nearest neighbor search. IEEE TPAMI
33(1), 117-128.
Ge, T., He, K., Ke, Q. and Sun, J. (2014). Optimized product quantization. IEEE TPAMI 36(4), 744-755.
André, F., Kermarrec, A.-M. and Le Scouarnec, N. (2017). Accelerated nearest neighbor search with Quick ADC.
ICMR, 159-166.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.errors import InputError, MissingDependencyError
from workbench.i18n import gettext as _
from workbench.i18n import number
from workbench.progress import SHORT, progress_bar
from workbench.results import Result
from workbench.retrieval.exact import Best, FlatIndex, scores_in_parts
from workbench.retrieval.index import Rows, Scores, lowest, slack_of

APPROXIMATE, EXACT = "approximate", "exact"

PROMISED_RECALL = 0.995
# What a build must measure for that: on 256 vectors the share is off by about 0.001 by chance.
MEASURED_RECALL = 0.998
MEASURED_K = 10
MEASURED_QUERIES = 256
# Codes of axes that are tried first, or one for so many values of a vector if that is fewer, and the axes
# that share one: further axes have next to no variance, and codes would tell less of the first.
CODES, VALUES_FOR_A_CODE = 64, 8
AXES_PER_CODE = 4
# Then values of the vectors themselves that share a code: less effort first.
VALUES_PER_CODE = (8, 4, 2, 1)
# Candidates for each hit. Queries are not always like rows, and then need more than those: never fewer.
FEWEST_PER_HIT = 32
# More only where they are a small share of all rows: comparing them must cost less than scanning all codes.
MOST_PER_HIT = 64
WORTHWHILE_SHARE = 1 / 200
# 16 centroids a code need no more rows to be found (faiss takes 256 rows a centroid at most).
TRAINING_ROWS = 4096
TRAINING_ROUNDS = 10
# Products that turn any directions into principal axes, near enough: a full decomposition of 2,560
# dimensions takes longer than all the rest.
POWERS = 3
FEWEST_ROWS = 2 * TRAINING_ROWS
ROWS_AT_ONCE = 16_384
# Rows whose codes are read together: for one query 64 take a tenth less time than faiss' 32.
ROWS_PER_BLOCK = 64
# If more than this share of all rows were candidates, comparing all of them is as quick.
MOST_CANDIDATES = 0.2
# float32 products of the same two rows, in blocks of other shapes, differ by less.
SAME_SCORE = 2e-6


@dataclass(frozen=True)
class IndexRecord(Result):
    """How an index was made and what was measured of it, to be kept and for people.

    Attributes
    ----------
    kind : {"approximate", "exact"}
        Exact where no approximation reached the recall that is promised.
    n : int
        Rows that were there; later ones are compared in full, until there are many.
    recall : float
        Share of the true best `k` that the approximation found (the best one tried, if exact).
    k, n_queries : int
        How it was measured: so many hits for so many of the vectors themselves, each left out of its
        own answer.
    values_per_code : int
        Directions that share a code of 4 bits.
    candidates_per_hit : int
        Rows compared in full at most, for each hit that is asked for (for `k`, if fewer are).
    seconds : float
        What building and measuring took.
    sha256 : str or None
        Of the codes on disk, as faiss writes them; None where there are none.
    margin : float or None
        A row is only compared in full if by its codes it scores at most so much less than the last of
        so many hits. None in records of earlier versions: all candidates are.
    """

    kind: str
    n: int
    recall: float
    k: int
    n_queries: int
    values_per_code: int
    candidates_per_hit: int
    seconds: float
    sha256: str | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in (APPROXIMATE, EXACT):
            raise ValueError(f"its index is of kind {self.kind!r}")
        counts = (self.n, self.k, self.n_queries, self.values_per_code, self.candidates_per_hit)
        if not 0 <= self.recall <= 1 or min(counts) < 1 or (self.margin is not None and self.margin < 0):
            raise ValueError("a number of its index is impossible")

    def __str__(self) -> str:
        measured = _("recall@{k} {recall}, measured on {n} of its own vectors").format(
            k=self.k, recall=number(self.recall), n=self.n_queries
        )
        if self.kind == EXACT:
            return _("{exact}: no approximation was good enough, the best had {measured}").format(
                exact=FlatIndex.name(), measured=measured
            )
        return _("approximate, at most {n} compared in full: {measured}").format(
            n=self.candidates_per_hit * self.k, measured=measured
        )


class QuantisedIndex:
    """Approximate search, refined on the vectors; made by :func:`build_quantised`.

    What it returns has the scores and the order of :func:`~workbench.retrieval.index.best_of`; a row
    among the best can be missing. Rows beyond those that have codes are compared in full, as all are
    if the hits asked for are a large share of them.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows, known to be so; may be memory-mapped.
    codes : faiss.Index
        Of the first rows.
    record : IndexRecord
    """

    exact = False

    def __init__(self, vectors: Vectors, codes: Any, record: IndexRecord) -> None:
        self._vectors, self._codes, self.record = np.asarray(vectors), codes, record
        self._all = FlatIndex(vectors, checked=True)
        self._slack = slack_of(vectors.shape[1])

    @property
    def kind(self) -> str:
        return str(self.record)

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query that were found; see :meth:`Index.search`."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        n_candidates = self.record.candidates_per_hit * max(k, self.record.k)
        if n_candidates > MOST_CANDIDATES * self.record.n:
            return self._all.search(queries, k)
        by_codes, rows = self._codes.search(queries, n_candidates)
        if self.record.margin is not None:
            last = by_codes[:, max(k, self.record.k) - 1, None]
            # Less than no row: those are left out of the products.
            rows[last - by_codes > self.record.margin] = -1
        scores = _products(queries, self._vectors, rows)
        if len(self) > self.record.n:
            new = np.arange(self.record.n, len(self))
            scores = np.hstack([scores, queries @ self._vectors[new[0] :].T])
            rows = np.hstack([rows, np.broadcast_to(new, (len(queries), len(new)))])
        best = Best(queries, self._vectors, k)
        for i, kth in enumerate(np.partition(scores, -k, axis=1)[:, -k]):
            # What was left out scores minus infinity.
            best.choose(i, rows[i, scores[i] >= max(lowest(kth, self._slack), -2)])
        return best.scores, best.rows

    def over(self, vectors: Vectors) -> QuantisedIndex:
        """The same codes, with rows added at the end of the vectors."""
        return QuantisedIndex(vectors, self._codes, self.record)

    def to_bytes(self) -> bytes:
        """The codes, as :func:`faiss.write_index` writes them."""
        content: bytes = _import_faiss().serialize_index(self._codes).tobytes()
        return content

    @classmethod
    def from_bytes(cls, content: bytes, vectors: Vectors, record: IndexRecord) -> QuantisedIndex | None:
        """The index from its codes; None if they are not codes of these vectors.

        Only give it what is known to come from :meth:`to_bytes`: faiss does not defend itself against
        files that were made to do harm.
        """
        faiss = _import_faiss()
        try:
            codes = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
        except RuntimeError:
            return None
        fits = isinstance(codes, faiss.IndexPreTransform | faiss.IndexPQFastScan)
        fits = fits and (codes.d, codes.ntotal) == (vectors.shape[1], record.n) and record.n <= len(vectors)
        return cls(vectors, codes, record) if fits else None


@dataclass(frozen=True)
class Built:
    """What building came to: no index where no effort reached the recall."""

    index: QuantisedIndex | None
    record: IndexRecord


def build_quantised(
    vectors: Vectors, *, recall: float = MEASURED_RECALL, progress: bool | None = None
) -> Built:
    """Build an approximate index, with the least effort that reaches a recall on these vectors.

    Recall is the share of the true best 10 rows that are found, over 256 of the rows themselves, each
    left out of its own answer; rows that score as much as the tenth are as good as it. If 64 candidates
    a hit (more where there are many rows) do not reach it, codes are made finer; if the finest do not,
    there is no index.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows, at least :data:`FEWEST_ROWS`; may be memory-mapped.
    recall : float
        What must be measured; by default 0.998, so that 0.995 can be promised.
    progress : bool, optional
        Show a progress bar; by default for long tasks.

    Raises
    ------
    InputError
        If there are fewer rows than training takes.
    MissingDependencyError
        If faiss is not installed.
    """
    if len(vectors) < TRAINING_ROWS:
        raise InputError(
            _(
                "There are {n} vectors; an approximate index needs {fewest} to be trained on. So few are "
                "searched exactly in no time: use FlatIndex."
            ).format(n=f"{len(vectors):,}", fewest=f"{TRAINING_ROWS:,}")
        )
    started = time.perf_counter()
    rng = np.random.default_rng(0)
    vectors = np.asarray(vectors)
    measured_on = np.sort(rng.choice(len(vectors), MEASURED_QUERIES, replace=False))
    trained_on = np.sort(rng.choice(len(vectors), TRAINING_ROWS, replace=False))
    record = IndexRecord(EXACT, len(vectors), 0.0, MEASURED_K, MEASURED_QUERIES, 1, 1, 0.0)
    most = max(MOST_PER_HIT, int(WORTHWHILE_SHARE * len(vectors) / MEASURED_K))
    for values in (None, *VALUES_PER_CODE):
        if vectors.shape[1] % values if values else vectors.shape[1] < AXES_PER_CODE:
            continue
        with progress_bar(len(vectors), _("index"), progress, short=SHORT) as bar:
            codes = _codes_of(vectors, vectors[trained_on], values, bar.update)
        depths, gaps = found_by_codes(vectors, codes, measured_on, most * MEASURED_K)
        found = np.bincount(-(-depths // MEASURED_K), minlength=most + 1)
        shares = np.cumsum(found)[: most + 1] / (MEASURED_K * MEASURED_QUERIES)
        needed = int(np.searchsorted(shares[:-1], recall))
        # A fourth more: what is the least for these may not be for others.
        candidates = max(FEWEST_PER_HIT, min(needed + needed // 4, most))
        record = replace(
            record,
            recall=float(shares[candidates]),
            values_per_code=values or AXES_PER_CODE,
            candidates_per_hit=candidates,
            margin=float(gaps[depths <= candidates * MEASURED_K].max(initial=0)),
            seconds=round(time.perf_counter() - started, 3),
        )
        if record.recall >= recall:
            record = replace(record, kind=APPROXIMATE)
            return Built(QuantisedIndex(vectors, codes, record), record)
    return Built(None, record)


def found_by_codes(
    vectors: Vectors, codes: Any, rows: npt.NDArray[np.int64], n_candidates: int
) -> tuple[npt.NDArray[np.int64], Scores]:
    """Where the codes put the true best of some rows, each left out of its own answer.

    Returns
    -------
    depths : ndarray of int64
        Of each that was found, how many candidates it takes to have it.
    gaps : ndarray of float32
        How much less it scores by its codes than the last of so many hits.
    """
    depths, gaps = [], []
    for part, scores in scores_in_parts(vectors, vectors[rows]):
        own = rows[part, None]
        np.put_along_axis(scores, own, -np.inf, axis=1)
        # Row by row, so that scores are not there twice.
        kth = np.array([np.partition(row, -MEASURED_K)[-MEASURED_K] for row in scores])[:, None]
        # One more, since the vector itself is found too.
        by_codes, candidates = codes.search(vectors[rows[part]], n_candidates + 1)
        good = np.take_along_axis(scores, candidates, axis=1) >= kth - SAME_SCORE
        good &= np.cumsum(good, axis=1) <= MEASURED_K
        depths.append(np.cumsum(candidates != own, axis=1)[good])
        gaps.append((by_codes[:, MEASURED_K - 1, None] - by_codes)[good])
    return np.concatenate(depths), np.concatenate(gaps)


def _products(queries: Vectors, vectors: Vectors, rows: npt.NDArray[np.int64]) -> Scores:
    """Inner products of each query with the rows that are listed for it."""
    faiss = _import_faiss()
    scores = np.empty(rows.shape, dtype=np.float32)
    arrays = map(faiss.swig_ptr, (scores, queries, vectors, rows))
    with _one_thread(faiss) if len(queries) == 1 else nullcontext():
        faiss.fvec_inner_products_by_idx(*arrays, vectors.shape[1], *rows.shape)
    return scores


def _codes_of(
    vectors: Vectors, training: Vectors, values_per_code: int | None, update: Callable[[int], object]
) -> Any:
    """Codes of so many values each, or of principal axes."""
    faiss = _import_faiss()
    axes = None if values_per_code else _axes(training)
    dimension = vectors.shape[1] if axes is None else len(axes)
    n_codes = dimension // (values_per_code or AXES_PER_CODE)
    codes = faiss.IndexPQFastScan(dimension, n_codes, 4, faiss.METRIC_INNER_PRODUCT, ROWS_PER_BLOCK)
    codes.pq.cp.niter = TRAINING_ROUNDS
    if axes is not None:
        rotation = faiss.LinearTransform(vectors.shape[1], dimension, False)
        faiss.copy_array_to_vector(axes.ravel(), rotation.A)
        rotation.is_trained = True
        codes = faiss.IndexPreTransform(rotation, codes)
    # Hundreds of tiny clusterings: threads wait for each other longer than they work.
    with _one_thread(faiss):
        codes.train(training)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        block = np.ascontiguousarray(vectors[start : start + ROWS_AT_ONCE], dtype=np.float32)
        codes.add(block)
        update(len(block))
    return codes


def _axes(training: Vectors) -> Vectors:
    """The principal axes (by subspace iteration), those of each code after one another.

    They are dealt out to and fro, by falling variance, so that the products of the variances are about
    the same: the allocation of Ge et al. (2014).
    """
    dimension = training.shape[1]
    n_codes = max(1, min(CODES, dimension // VALUES_FOR_A_CODE))
    n_axes = n_codes * AXES_PER_CODE
    centred = training - training.mean(axis=0)
    axes = np.random.default_rng(0).standard_normal((dimension, n_axes), dtype=np.float32)
    for _power in range(POWERS):
        axes = np.linalg.qr(centred.T @ (centred @ axes))[0]
    told = centred @ axes
    axes = (axes @ np.linalg.eigh(told.T @ told)[1]).T[::-1]
    order = np.arange(n_axes).reshape(-1, n_codes)
    order[1::2] = order[1::2, ::-1]
    return np.ascontiguousarray(axes[order.T.ravel()], dtype=np.float32)


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    """Threads of this size of task wait for each other longer than they work."""
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(n_threads)


def _import_faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise MissingDependencyError(
            _(
                "Approximate search needs faiss, which is not installed: run 'pip install .[cpu]' in the "
                "project folder. Exact search needs nothing more."
            )
        ) from error
    return faiss
