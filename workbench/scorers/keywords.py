"""What two sides share in keywords: character n-grams, weighted by how rare they are in a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.scorers.base import FloatArray

__all__ = ["BUCKETS", "NGRAMS", "Keywords", "counts_of", "idf_of", "occurring", "weighted"]

NGRAMS = (2, 4)
# Different n-grams may fall into one bucket; in so many, few do.
BUCKETS = 2**18


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
    """Dampened counts (1 + log) of hashed character n-grams inside words; sparse, shape (n, BUCKETS)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char_wb", ngram_range=NGRAMS, n_features=BUCKETS, alternate_sign=False, norm=None
    )
    counts = hashing.transform(texts)
    counts.data = 1 + np.log(counts.data)
    return counts


def occurring(*counts: Any) -> npt.NDArray[np.int32]:
    """In how many texts each n-gram occurs; shape (BUCKETS,)."""
    found = np.sum([np.bincount(some.indices, minlength=BUCKETS) for some in counts], axis=0)
    return np.asarray(found, dtype=np.int32)


def idf_of(occurring: npt.NDArray[np.int32], n: int) -> FloatArray:
    """Smoothed inverse document frequency in `n` texts, as of scikit-learn's TfidfTransformer."""
    return np.asarray(np.log((1 + n) / (1 + occurring)) + 1)


def weighted(counts: Any, idf: FloatArray) -> Any:
    """Counts weighted by rarity, rows of unit length."""
    from sklearn.preprocessing import normalize

    return normalize(counts.multiply(idf).tocsr())
