"""Exact search: matrix products with numpy on a CPU and with torch on a GPU. Every row is considered.

Products of lower precision, and codes, only find the rows that could be among the best; what their rounding
could hide is added, so that :func:`~workbench.retrieval.index.best_of` decides.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from threading import Lock
from typing import Any, Literal

import numpy as np

from workbench.encoders.base import Vectors
from workbench.errors import MissingDependencyError
from workbench.i18n import gettext as _
from workbench.retrieval.index import (
    BLOCK,
    RESOLUTION,
    Rows,
    Scores,
    best_of,
    check_vectors,
    shortlist,
    slack_of,
)

# Scores that are kept at a time for a batch of queries: 2**24 are 64 MB.
MOST_SCORES = 2**24
# A product with a matrix of so few queries is slower than one product for each.
FEWEST_TOGETHER = 4
# Up to so many numbers one thread takes 2 ms at most, twice as long as two. BLAS's threads wait for each
# other, on a machine that is busy for as long as the system lets others run: 16 ms were seen.
ONE_THREAD = 2**24
# From there on up to so many numbers, one query after the other is answered by codes: 64 MB of them at most.
MOST_CODED = 2**26
# Making codes takes as long as they save in so many queries.
CODED_AFTER = 50
# Rows on the list of each thread, and how many more for each hit; of so many hits at most.
LISTED, LISTED_PER_HIT, MOST_LISTED = 64, 3, 100
MOST_THREADS = 8
# Rows are of unit length give or take 0.001, see check_vectors.
LONGEST_ROW = 1.001
# Share of a GPU's free memory that vectors may take; the rest is for the encoder's batches.
SHARE_OF_GPU = 0.5
HALF_ROUNDING = 2.0**-11


class FlatIndex:
    """Exact search by matrix products with numpy's BLAS; of large matrices soon by :class:`_Codes`.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows; may be memory-mapped.
    checked : bool
        Whether rows are known to be finite and of unit length.
    coded_after : float, optional
        Queries asked alone after which codes are made, or infinity; by default 50 where they save time and
        faiss is installed.

    Raises
    ------
    InputError
        If `vectors` is not a matrix, or has rows that are not finite or not of unit length.
    """

    exact = True

    def __init__(self, vectors: Vectors, *, checked: bool = False, coded_after: float | None = None) -> None:
        # As a plain array: slicing a np.memmap costs more than a small product.
        self._vectors = np.asarray(vectors if checked else check_vectors(vectors))
        self._slack = slack_of(self._vectors.shape[1])
        self._codes: _Codes | None = None
        self._making = Lock()
        self._asked_alone = 0
        if coded_after is None:
            coded = ONE_THREAD < self._vectors.size <= MOST_CODED and find_spec("faiss") is not None
            coded_after = CODED_AFTER if coded else np.inf
        self._coded_after = coded_after

    @staticmethod
    def name() -> str:
        """What it is called."""
        return _("exact inner product (CPU)")

    @property
    def kind(self) -> str:
        return self.name()

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query; see :meth:`Index.search`."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if len(queries) == 1 and (found := self._by_codes(queries[0], k)):
            return found[0][None], found[1][None]
        best = Best(queries, self._vectors, k)
        for part, scores in scores_in_parts(self._vectors, queries):
            for i, found in zip(range(part.start, part.stop), scores, strict=True):
                best.choose(i, shortlist(found, k, self._slack))
        return best.scores, best.rows

    def _by_codes(self, query: Vectors, k: int) -> tuple[Scores, Rows] | None:
        self._asked_alone += 1
        if self._asked_alone <= self._coded_after or k > MOST_LISTED:
            return None
        with self._making:
            self._codes = self._codes or _Codes(self._vectors)
        found = self._codes.search(query, k)
        if found is None:
            # Where that happens often, many rows are almost the same, and codes are mostly read in vain.
            self._asked_alone //= 2
        return found


class _Codes:
    """Codes of 8 bits a value, read in a half to two thirds of the time of a product; answers stay exact.

    With x' what the code of a row x stands for, and q' that of a query q, the product q·x is
    q'·x' + q'·(x - x') + (q - q')·x, and so q'·x' + |q'| rho + |q - q'| |x| at most (Cauchy-Schwarz),
    where rho, the length of the longest x - x', is measured. The k best of those rows whose q'·x' is
    largest are the k best of all if the k-th is above this bound for the last of them.
    """

    def __init__(self, vectors: Vectors) -> None:
        import faiss

        n, dimension = vectors.shape
        threads = min(MOST_THREADS, faiss.omp_get_max_threads(), n)
        # In threads of ours: faiss has one for each query, and others that wait for it at full speed.
        self._threads = ThreadPoolExecutor(threads, "codes", faiss.omp_set_num_threads, (1,))
        self._vectors, self._step = vectors, _step(vectors)
        self._parts: list[tuple[int, Any]] = []
        longest = 0.0
        for start, end in pairwise(n * part // threads for part in range(threads + 1)):
            kind = faiss.ScalarQuantizer.QT_8bit_direct_signed
            codes = faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT)
            for at in range(start, end, BLOCK):
                _let_go(vectors)
                block = vectors[at : min(at + BLOCK, end)]
                coded = codes.sa_encode(np.rint(block / self._step))
                codes.add_sa_codes(coded)
                rest = block - codes.sa_decode(coded) * self._step
                longest = max(longest, float(np.linalg.norm(rest, axis=1).max()))
            self._parts.append((start, codes))
        # Sums in float32, of q'·x' and of lengths, are off by less than those that slack_of is about.
        self._doubt = longest + (1 + longest) * slack_of(dimension)

    def search(self, query: Vectors, k: int) -> tuple[Scores, Rows] | None:
        """Scores and rows of the `k` best; None where rows off the list could be among them."""
        step, listed = _step(query), LISTED + LISTED_PER_HIT * k
        coded = np.rint(query / step)

        def best(part: tuple[int, Any]) -> tuple[Rows, Scores, float]:
            start, codes = part
            found, rows = codes.search(coded[None], min(listed, codes.ntotal))
            return start + rows[0], found[0], found[0, -1] if listed < codes.ntotal else -np.inf

        rows, found, least = zip(*self._threads.map(best, self._parts), strict=True)
        meant = coded.astype(np.float64) * step
        doubt = float(np.linalg.norm(meant) * self._doubt + LONGEST_ROW * np.linalg.norm(query - meant))
        # Rounding of a score, of the scale and of what is scaled.
        doubt += 3 * RESOLUTION
        scale = float(step) * float(self._step)
        near = shortlist(np.concatenate(found) * np.float32(scale), k, 2 * doubt)
        scores, best_rows = best_of(query, self._vectors, np.concatenate(rows)[near], k)
        _let_go(self._vectors)
        off = scale * max(least) + doubt
        # Scores are clipped: at -1 rows off the list could tie.
        return (scores, best_rows) if scores[-1] > max(off, -1.0) else None


class TorchIndex:
    """Exact search on a GPU, over a copy of the vectors in its memory.

    The copy may be in half precision, which halves the memory and the time: what its rounding could
    hide is scored from the vectors themselves, so that answers are those of :class:`FlatIndex`.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows; may be memory-mapped.
    device : str
        As torch names it: ``"cuda"``, ``"cuda:1"``; ``"cpu"`` works too.
    dtype : {"float16", "float32"}
        Of the copy.
    checked : bool
        As in :class:`FlatIndex`.

    Raises
    ------
    InputError
        As :class:`FlatIndex`.
    MissingDependencyError
        If torch is not installed.
    """

    exact = True

    def __init__(
        self,
        vectors: Vectors,
        *,
        device: str = "cuda",
        dtype: Literal["float16", "float32"] = "float16",
        checked: bool = False,
    ) -> None:
        torch = _import_torch()
        self._torch = torch
        self._vectors = np.asarray(vectors if checked else check_vectors(vectors))
        self._device, self._dtype = torch.device(device), getattr(torch, dtype)
        self._copy = torch.empty(self._vectors.shape, dtype=self._dtype, device=self._device)
        for start in range(0, len(self._vectors), BLOCK):
            # torch warns of arrays that it could write to but must not, as memory-mapped ones are.
            block = torch.from_numpy(np.array(self._vectors[start : start + BLOCK], dtype=np.float32))
            self._copy[start : start + BLOCK] = block.to(self._device)

    @property
    def kind(self) -> str:
        return self.kind_on(self.device, str(self._dtype).removeprefix("torch."))

    @staticmethod
    def kind_on(device: str, dtype: str = "float16") -> str:
        """What it is called where it runs on a device."""
        place = device.upper() if device == "cpu" else device.replace("cuda", "GPU", 1)
        return _("exact inner product ({place}, {dtype})").format(place=place, dtype=dtype)

    @property
    def device(self) -> str:
        """As torch names it."""
        return str(self._device)

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query; see :meth:`Index.search`."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        best = Best(queries, self._vectors, k)
        together = max(1, MOST_SCORES // len(self._vectors))
        for start in range(0, len(queries), together):
            candidates = self._candidates(queries[start : start + together], k)
            for i, rows in enumerate(candidates, start=start):
                best.choose(i, rows)
        return best.scores, best.rows

    def _candidates(self, queries: Vectors, k: int) -> list[Rows]:
        torch = self._torch
        moved = torch.from_numpy(np.array(queries)).to(self._device, self._dtype)
        with _full_sums(torch, self._device):
            scores = (moved @ self._copy.T).float()
        kth = torch.topk(scores, k, dim=1, sorted=True).values[:, -1:]
        bound = kth.clamp(max=1.0) - self._slack()
        # Scores are clipped to [-1, 1]: below -1 all rows could tie.
        bound = torch.where(bound > -1, bound, -torch.inf)
        query, row = torch.nonzero(scores >= bound, as_tuple=True)
        ends = np.cumsum(np.bincount(query.cpu().numpy(), minlength=len(queries)))
        return np.split(row.cpu().numpy().astype(np.intp), ends[:-1])

    def _slack(self) -> float:
        """As :func:`~workbench.retrieval.index.slack_of`, with the rounding of both factors and of the sum.

        Each is off by 2**-11 of its size in half precision, and values near zero by 2**-25; of unit
        vectors the products add up to 1 at most. TF32, if it is allowed, keeps as many digits.
        """
        torch, dimension = self._torch, self._vectors.shape[1]
        exact_inputs = self._dtype == torch.float32 and (
            self._device.type == "cpu" or torch.get_float32_matmul_precision() == "highest"
        )
        rounding = 0.0 if exact_inputs else 3.01 * HALF_ROUNDING + dimension**0.5 * RESOLUTION
        return slack_of(dimension) + 2 * rounding


class Best:
    """Answers to some queries, filled in one by one."""

    def __init__(self, queries: Vectors, vectors: Vectors, k: int) -> None:
        self._queries, self._vectors, self._k = queries, vectors, k
        self.scores = np.empty((len(queries), k), dtype=np.float32)
        self.rows = np.empty((len(queries), k), dtype=np.intp)

    def choose(self, i: int, candidates: Rows) -> None:
        """Take the best of these rows for query `i`."""
        self.scores[i], self.rows[i] = best_of(self._queries[i], self._vectors, candidates, self._k)


def scores_in_parts(vectors: Vectors, queries: Vectors) -> Iterator[tuple[slice, Scores]]:
    """Inner products in float32, for as many queries at a time as fit: which, and shape (part, n)."""
    together = max(1, MOST_SCORES // max(1, len(vectors)))
    if len(queries) < FEWEST_TOGETHER:
        together = 1
    for start in range(0, len(queries), together):
        part = slice(start, min(start + together, len(queries)))
        yield part, _products(vectors, queries[part])


def free_gpu(n_values: int) -> str | None:
    """The GPU that has room for so many numbers in half precision, if torch is in use here and sees one.

    torch is not imported for that, which takes seconds; encoders that run on a GPU have imported it.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    free = torch.cuda.mem_get_info()[0]
    return "cuda" if 2 * n_values < SHARE_OF_GPU * free else None


def _products(vectors: Vectors, queries: Vectors) -> Scores:
    if len(queries) == 1:
        multiply = np.vecdot if vectors.size <= ONE_THREAD else np.matmul
        product: Scores = multiply(vectors, queries[0])[None]
        return product
    scores = np.empty((len(queries), len(vectors)), dtype=np.float32)
    # Block by block, so that each is turned over while it is in the cache.
    for start in range(0, len(vectors), BLOCK):
        scores[:, start : start + BLOCK] = (vectors[start : start + BLOCK] @ queries.T).T
    return scores


def _step(vectors: Vectors) -> np.float32:
    """Between codes, of which 255 reach from the largest of the values to its negative."""
    return np.float32(max(vectors.max(), -vectors.min(), 1e-9) / 127)


def _let_go(vectors: Vectors) -> None:
    """Hold nothing of a mapped file in memory: the system may keep what was read, but need not."""
    mapped = vectors.base
    if isinstance(mapped, np.memmap) and mapped.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        mapped._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


@contextmanager
def _full_sums(torch: Any, device: Any) -> Iterator[None]:
    """Have a GPU add up products of half precision in float32, as it need not by default."""
    if device.type != "cuda":
        yield
        return
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_fp16_reduced_precision_reduction
    matmul.allow_fp16_reduced_precision_reduction = False
    try:
        yield
    finally:
        matmul.allow_fp16_reduced_precision_reduction = before


def _import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            _(
                "Searching on a GPU needs torch, which is not installed: run 'pip install .[qwen]' in the "
                "project folder."
            )
        ) from error
    return torch
