"""What two sides share in keywords: words and Chinese bigrams, weighted by how rare they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.scorers.base import FloatArray

__all__ = ["BUCKETS", "TOKENS", "Keywords", "counts_of", "idf_of", "occurring", "weighted"]

# A word with a letter in it ("C++", "3D", but no year), or two Chinese characters, wherever one starts.
TOKENS = (
    r"(?=((?<![^\W\u4e00-\u9fff])[^\W\u4e00-\u9fff]*[^\W\d_\u4e00-\u9fff][^\W\u4e00-\u9fff]*[+#]*"
    r"|[\u4e00-\u9fff]{2}))"
)
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
    """Dampened counts (1 + log) of hashed keywords; sparse, shape (n, BUCKETS)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(token_pattern=TOKENS, n_features=BUCKETS, alternate_sign=False, norm=None)
    counts = hashing.transform(texts)
    counts.data = 1 + np.log(counts.data)
    return counts


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
    from sklearn.preprocessing import normalize

    return normalize(csr_array((counts.data * rarity, counts.indices, counts.indptr), counts.shape))
