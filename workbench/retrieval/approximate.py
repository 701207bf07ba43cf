"""Approximate search: short codes find candidates, which are then compared in full.

Codes are faiss' product quantiser with 4 bits a code, read with SIMD instructions ("fast scan"). How many
candidates are needed is measured on the vectors themselves when the index is built.

References
----------
Jégou, H., Douze, M. and Schmid, C. (2011). Product quantization for nearest neighbor search. IEEE TPAMI
33(1), 117-128.
André, F., Kermarrec, A.-M. and Le Scouarnec, N. (2017). Accelerated nearest neighbor search with Quick ADC.
ICMR, 159-166.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
from workbench.retrieval.index import Rows, Scores, shortlist, slack_of

__all__ = [
    "APPROXIMATE",
    "EXACT",
    "FEWEST_ROWS",
    "PROMISED_RECALL",
    "IndexRecord",
    "QuantisedIndex",
    "build_quantised",
]

APPROXIMATE, EXACT = "approximate", "exact"

PROMISED_RECALL = 0.995
# What a build must measure for that: on 256 vectors the share is off by about 0.001 by chance.
MEASURED_RECALL = 0.998
MEASURED_K = 5
MEASURED_QUERIES = 256
# Values that share a code, and candidates for each hit: less effort first.
VALUES_PER_CODE = (8, 4, 2, 1)
CANDIDATES_PER_HIT = (8, 16, 32, 64, 128, 256, 512)
# More only where they are a small share of all rows: comparing them must cost less than scanning all codes.
ALWAYS_WORTHWHILE = 128
WORTHWHILE_SHARE = 1 / 200
# 16 centroids a code need no more rows to be found (faiss takes 256 rows a centroid at most).
TRAINING_ROWS = 4096
TRAINING_ROUNDS = 10
FEWEST_ROWS = 2 * TRAINING_ROWS
ROWS_AT_ONCE = 16_384
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
        Values that share a code of 4 bits.
    candidates_per_hit : int
        Rows compared in full, for each hit that is asked for.
    seconds : float
        What building and measuring took.
    sha256 : str or None
        Of the codes on disk, as faiss writes them; None where there are none.
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

    def __post_init__(self) -> None:
        if self.kind not in (APPROXIMATE, EXACT):
            raise ValueError(f"its index is of kind {self.kind!r}")
        counts = (self.n, self.k, self.n_queries, self.values_per_code, self.candidates_per_hit)
        if not 0 <= self.recall <= 1 or min(counts) < 1:
            raise ValueError("a number of its index is impossible")

    def __str__(self) -> str:
        measured = _("recall@{k} {recall}, measured on {n} of its own vectors").format(
            k=self.k, recall=number(self.recall), n=self.n_queries
        )
        if self.kind == EXACT:
            return _("{exact}: no approximation was good enough, the best had {measured}").format(
                exact=FlatIndex.name(), measured=measured
            )
        return _("approximate, best {n} compared in full: {measured}").format(
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
    codes : faiss.IndexPQFastScan
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
        n_candidates = self.record.candidates_per_hit * max(k, MEASURED_K)
        if n_candidates > MOST_CANDIDATES * self.record.n:
            return self._all.search(queries, k)
        best = Best(queries, self._vectors, k)
        found = self._codes.search(queries, n_candidates)[1]
        new = np.arange(self.record.n, len(self._vectors), dtype=np.intp)
        for i, query in enumerate(queries):
            best.choose(i, self._refined(query, found[i].astype(np.intp), new, k))
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
        fits = isinstance(codes, faiss.IndexPQFastScan) and (codes.d, codes.ntotal) == (
            vectors.shape[1],
            record.n,
        )
        return cls(vectors, codes, record) if fits and record.n <= len(vectors) else None

    def _refined(self, query: Vectors, coded: Rows, new: Rows, k: int) -> Rows:
        """Those of the candidates that could be among the best k of them, by their float32 scores."""
        # Product by product: a matrix product would wake all threads for a task of microseconds.
        scores = np.vecdot(self._vectors[coded], query)
        if len(new):
            scores = np.concatenate([scores, self._vectors[new[0] :] @ query])
            coded = np.concatenate([coded, new])
        return coded[shortlist(scores, k, self._slack)]


@dataclass(frozen=True)
class Built:
    """What building came to: no index where no effort reached the recall."""

    index: QuantisedIndex | None
    record: IndexRecord


def build_quantised(
    vectors: Vectors, *, recall: float = MEASURED_RECALL, progress: bool | None = None
) -> Built:
    """Build an approximate index, with the least effort that reaches a recall on these vectors.

    Recall is the share of the true best 5 rows that are found, over 256 of the rows themselves, each
    left out of its own answer; rows that score as much as the fifth are as good as it. If 128 candidates
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
    for values in VALUES_PER_CODE:
        if vectors.shape[1] % values:
            continue
        with progress_bar(len(vectors), _("index"), progress, short=SHORT) as bar:
            codes = _codes_of(vectors, vectors[trained_on], values, bar.update)
        found = recall_by_effort(vectors, codes, measured_on)
        candidates = next((c for c, share in found.items() if share >= recall), max(found))
        record = replace(
            record,
            recall=found[candidates],
            values_per_code=values,
            candidates_per_hit=candidates,
            seconds=round(time.perf_counter() - started, 3),
        )
        if record.recall >= recall:
            record = replace(record, kind=APPROXIMATE)
            return Built(QuantisedIndex(vectors, codes, record), record)
    return Built(None, record)


def recall_by_effort(vectors: Vectors, codes: Any, rows: npt.NDArray[np.int64]) -> dict[int, float]:
    """For each number of candidates a hit, the share of the true best that are among them."""
    most = max(ALWAYS_WORTHWHILE, WORTHWHILE_SHARE * len(vectors) / MEASURED_K)
    hits = dict.fromkeys([effort for effort in CANDIDATES_PER_HIT if effort <= most], 0)
    deepest = max(hits) * MEASURED_K
    for part, scores in scores_in_parts(vectors, vectors[rows]):
        own = rows[part, None]
        np.put_along_axis(scores, own, -np.inf, axis=1)
        # Row by row, so that scores are not there twice.
        kth = np.array([np.partition(row, -MEASURED_K)[-MEASURED_K] for row in scores])[:, None]
        # One more, since the vector itself is found too.
        candidates = codes.search(vectors[rows[part]], deepest + 1)[1]
        good = np.take_along_axis(scores, candidates, axis=1) >= kth - SAME_SCORE
        depth = np.cumsum(candidates != own, axis=1)
        for effort in hits:
            counted = (good & (depth <= effort * MEASURED_K)).sum(axis=1)
            hits[effort] += int(np.minimum(counted, MEASURED_K).sum())
    return {effort: count / (MEASURED_K * len(rows)) for effort, count in hits.items()}


def _codes_of(
    vectors: Vectors, training: Vectors, values_per_code: int, update: Callable[[int], object]
) -> Any:
    faiss = _import_faiss()
    dimension = vectors.shape[1]
    codes = faiss.IndexPQFastScan(dimension, dimension // values_per_code, 4, faiss.METRIC_INNER_PRODUCT)
    codes.pq.cp.niter = TRAINING_ROUNDS
    n_threads = faiss.omp_get_max_threads()
    # Hundreds of tiny clusterings: threads wait for each other longer than they work.
    faiss.omp_set_num_threads(1)
    try:
        codes.train(training)
    finally:
        faiss.omp_set_num_threads(n_threads)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        block = np.ascontiguousarray(vectors[start : start + ROWS_AT_ONCE], dtype=np.float32)
        codes.add(block)
        update(len(block))
    return codes


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
