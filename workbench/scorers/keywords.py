"""What two sides share in keywords: character n-grams, weighted by how rare they are in a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.scorers.base import FloatArray

__all__ = ["BUCKETS", "NGRAMS", "Keywords", "counts_of", "idf_of", "occurring", "weighted"]

NGRAMS = (2, 4)
# Different n-grams may fall into one bucket; in so many, few do.
BUCKETS = 2**18
# So much memory does a part of the texts take, about 200 bytes a character.
CHARACTERS_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class Keywords:
    """TF-IDF of two sides' texts, rows of unit length in sparse matrices."""

    jds: Any
    resumes: Any

    @classmethod
    def of(cls, jds: Sequence[str], resumes: Sequence[str]) -> Keywords:
        """With how rare an n-gram is counted in these texts themselves."""
        left, right = counts_of(jds), counts_of(resumes)
        idf = idf_of(occurring(left, right), len(jds) + len(resumes))
        return cls(weighted(left, idf), weighted(right, idf))

    def between(self, rows: Any = slice(None), columns: Any = slice(None)) -> FloatArray:
        """Cosines of some JDs' texts with some résumés'."""
        return np.asarray((self.jds[rows] @ self.resumes[columns].T).toarray(), dtype=np.float64)


def counts_of(texts: Sequence[str]) -> Any:
    """Dampened counts (1 + log) of hashed character n-grams inside words; sparse, shape (n, BUCKETS).

    As of scikit-learn's ``HashingVectorizer(analyzer="char_wb")``, but a word is taken apart once.
    """
    from scipy.sparse import csr_matrix, vstack

    found = [csr_matrix((0, BUCKETS))]
    parts = np.cumsum([len(text) for text in texts]) // CHARACTERS_AT_ONCE
    starts = np.flatnonzero(np.diff(parts, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(texts)]):
        place: dict[str, int] = {}
        words, ends = [], [0]
        for text in texts[start:end]:
            words += [place.setdefault(word, len(place)) for word in text.lower().split()]
            ends.append(len(words))
        shape = (end - start, len(place))
        found.append(csr_matrix((np.ones(len(words)), words, ends), shape) @ _ngrams_of(list(place)))
    counts = vstack(found, format="csr")
    counts.sort_indices()
    counts.data = 1 + np.log(counts.data)
    return counts


def _ngrams_of(words: Sequence[str]) -> Any:
    """How often each word, with a space at either end, has an n-gram of each bucket."""
    from scipy.sparse import csr_matrix

    joined = f" {' '.join(words)} "
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    text = np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)
    widths = 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
    offsets = np.concatenate([[0], np.cumsum(widths)])
    is_space = codes == ord(" ")
    word_of = np.cumsum(is_space) - 1
    rows, buckets = [], []
    for n in range(NGRAMS[0], NGRAMS[1] + 1):
        firsts = np.arange(len(codes) - n + 1)
        for inside in range(1, n - 1):
            firsts = firsts[~is_space[firsts + inside]]
        lengths = offsets[firsts + n] - offsets[firsts]
        for length in np.unique(lengths):
            some = firsts[lengths == length]
            rows.append(word_of[some])
            hashed = _murmur3(text[offsets[some][:, None] + np.arange(length)])
            buckets.append(np.abs(hashed.view(np.int32).astype(np.int64)) % BUCKETS)
    places = np.concatenate(rows), np.concatenate(buckets)
    return csr_matrix((np.ones(len(places[0])), places), (len(words), BUCKETS))


def _murmur3(keys: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """MurmurHash3 x86 32 (A. Appleby, public domain) of rows of bytes, with seed 0."""
    n, length = keys.shape
    padded = np.zeros((n, -(-length // 4) * 4), dtype=np.uint8)
    padded[:, :length] = keys
    hashed = np.zeros(n, dtype=np.uint32)
    for at, block in enumerate(padded.view("<u4").T):
        mixed = _rotated(block * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
        hashed ^= mixed
        if 4 * (at + 1) <= length:
            hashed = _rotated(hashed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
    hashed ^= np.uint32(length)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        hashed = (hashed ^ (hashed >> np.uint32(shift))) * np.uint32(factor)
    return hashed


def _rotated(values: npt.NDArray[np.uint32], bits: int) -> npt.NDArray[np.uint32]:
    return (values << np.uint32(bits)) | (values >> np.uint32(32 - bits))


def occurring(*counts: Any) -> npt.NDArray[np.int32]:
    """In how many texts each n-gram occurs; shape (BUCKETS,)."""
    found = np.sum([np.bincount(some.indices, minlength=BUCKETS) for some in counts], axis=0)
    return np.asarray(found, dtype=np.int32)


def idf_of(occurring: npt.NDArray[np.int32], n: int) -> FloatArray:
    """Smoothed inverse document frequency in `n` texts, as of scikit-learn's TfidfTransformer."""
    return np.asarray(np.log((1 + n) / (1 + occurring)) + 1)


def weighted(counts: Any, idf: FloatArray) -> Any:
    """Counts weighted by rarity, rows of unit length."""
    found = counts.copy()
    found.data *= idf[found.indices]
    rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    found.data /= np.sqrt(np.bincount(rows, found.data**2))[rows]
    return found
