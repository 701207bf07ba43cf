"""What two sides share in keywords: words and Chinese bigrams, weighted by how rare they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.scorers.base import FloatArray

# A word with a letter in it ("C++", "3D", but no year), or two Chinese characters, wherever one starts.
TOKENS = (
    r"(?=((?<![^\W\u4e00-\u9fff])[^\W\u4e00-\u9fff]*[^\W\d_\u4e00-\u9fff][^\W\u4e00-\u9fff]*[+#]*"
    r"|[\u4e00-\u9fff]{2}))"
)
_KEYWORD = re.compile(TOKENS)
# Different keywords may fall into one bucket; in so many, few do.
BUCKETS = 2**18


@dataclass(frozen=True, eq=False)
class Keywords:
    """TF-IDF of two sides' texts, rows of unit length in sparse matrices."""

    jds: Any
    resumes: Any

    @classmethod
    def of(cls, jds: Sequence[str], resumes: Sequence[str]) -> Keywords:
        """With how rare a keyword is counted in these texts themselves."""
        left, right = counts_of(jds), counts_of(resumes)
        idf = idf_of(occurring(left, right), len(jds) + len(resumes))
        return cls(weighted(left, idf[left.indices]), weighted(right, idf[right.indices]))

    def between(self, rows: Any = slice(None), columns: Any = slice(None)) -> FloatArray:
        """Cosines of some JDs' texts with some résumés'."""
        return np.asarray((self.jds[rows] @ self.resumes[columns].T).toarray(), dtype=np.float64)


def counts_of(texts: Sequence[str]) -> Any:
    """Dampened counts (1 + log) of hashed keywords; sparse, shape (n, BUCKETS).

    As of scikit-learn's ``HashingVectorizer``, which takes longer to import than 1,000 documents do here.
    """
    from scipy.sparse import csr_array

    place: dict[str, int] = {}
    words, ends = [], [0]
    for text in texts:
        words += [place.setdefault(word, len(place)) for word in _KEYWORD.findall(text.lower())]
        ends.append(len(words))
    buckets = _buckets_of([word.encode("utf-8", "surrogatepass") for word in place])
    counts = csr_array((np.ones(len(words)), buckets[words], ends), (len(texts), BUCKETS))
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    return counts


def _buckets_of(words: Sequence[bytes]) -> npt.NDArray[np.int32]:
    """MurmurHash3 x86 32 (A. Appleby, public domain) with seed 0, as scikit-learn folds it into buckets."""
    lengths = np.array([*map(len, words)], dtype=np.uint32)
    buckets = np.empty(len(words), dtype=np.int32)
    for length in np.unique(lengths).tolist():
        some = np.flatnonzero(lengths == length)
        width = -(-length // 4)
        blocks = np.frombuffer(b"".join(words[at].ljust(4 * width, b"\0") for at in some.tolist()), "<u4")
        hashed = np.zeros(len(some), dtype=np.uint32)
        for at, block in enumerate(blocks.reshape(-1, width).T):
            hashed ^= _rotated(block * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
            if 4 * (at + 1) <= length:
                hashed = _rotated(hashed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        hashed ^= np.uint32(length)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
            hashed = (hashed ^ (hashed >> np.uint32(shift))) * np.uint32(factor)
        buckets[some] = np.abs(hashed.view(np.int32).astype(np.int64)) % BUCKETS
    return buckets


def _rotated(values: npt.NDArray[np.uint32], bits: int) -> npt.NDArray[np.uint32]:
    return (values << np.uint32(bits)) | (values >> np.uint32(32 - bits))


def occurring(*counts: Any) -> npt.NDArray[np.int32]:
    """In how many texts each keyword occurs; shape (BUCKETS,)."""
    found = np.sum([np.bincount(some.indices, minlength=BUCKETS) for some in counts], axis=0)
    return np.asarray(found, dtype=np.int32)


def idf_of(occurring: npt.NDArray[np.int32], n: int) -> FloatArray:
    """Smoothed inverse document frequency in `n` texts, as of scikit-learn's TfidfTransformer."""
    return np.asarray(np.log((1 + n) / (1 + occurring)) + 1)


def weighted(counts: Any, rarity: FloatArray) -> Any:
    """Counts times the rarity of each that is stored, rows of unit length."""
    from scipy.sparse import csr_array

    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    values = counts.data * rarity
    values /= np.maximum(np.sqrt(np.bincount(rows, values**2)), 1e-12)[rows]
    return csr_array((values, counts.indices, counts.indptr), counts.shape)
