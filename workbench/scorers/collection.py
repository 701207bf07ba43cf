"""What the documents of a collection have in common, measured once and frozen.

What all JDs share (and all résumés, and all texts of a language) says nothing about a pair, and in vectors of
whole texts it is most of what they say. So each side's mean comes off, language by language ("all but the
top", Mu & Viswanath 2018, ICLR, section 2, without their second step), where there are enough documents to
know it; and what lies near to everything is held against that (cross-domain similarity local scaling,
Conneau et al. 2018, ICLR, section 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex

from workbench.documents.splitting import Side
from workbench.scorers.base import FloatArray

__all__ = [
    "FEWEST",
    "SIDES",
    "Crowd",
    "Means",
    "crowd_of",
    "hubness",
    "languages_of",
    "means_of",
    "whose_means",
]

Vectors = npt.NDArray[np.float32]
Languages = npt.NDArray[np.str_]
SIDES: tuple[Side, Side] = ("jd", "resume")
_OTHER: dict[Side, Side] = {"jd": "resume", "resume": "jd"}

# A mean of fewer documents is mostly about those.
FEWEST = 10
# Where one side is this much less spread than the other, it is of one family, and its mean is what it is
# about. Mixed piles came to 0.88 to 1.03 of one another, families to 0.5 to 0.8 of a mixed pile. A family
# taken for a mixed pile loses the order; the other mistake costs little.
ONE_FAMILY = 0.8
# Neighbours that say how near a text lies to everything; at most a fifth of the texts.
NEIGHBOURS = 10
# Directions of a side that are kept to tell how crowded it is somewhere: 16 to 512 did not differ by more
# than 0.002 in AUC. Fewer where there are few texts, so that none is a single text's.
DIRECTIONS = 32
TEXTS_A_DIRECTION = 5

_HAN = regex.compile(r"\p{Han}+")
_LETTERS = regex.compile(r"\p{L}+")
CHINESE_FROM = 0.3
# In double precision at a time.
ROWS_AT_ONCE = 2**12


@dataclass(frozen=True, eq=False)
class Means:
    """The mean that comes off the vectors of each side and language, and whose it is.

    Attributes
    ----------
    whose : mapping of (side, language) to side
        Without an entry, nothing comes off.
    vectors : mapping of (side, language) to ndarray of float64, shape (dimension,)
        Of the side whose it is.
    """

    whose: Mapping[tuple[Side, str], Side]
    vectors: Mapping[tuple[Side, str], FloatArray]

    def off(self, vectors: Vectors, side: Side, languages: Languages) -> Vectors:
        """The rows without the mean of their side and language, of unit length again."""
        named, rows = np.unique(languages, return_inverse=True)
        means = np.zeros((len(named), vectors.shape[1]))
        for row, language in enumerate(named.tolist()):
            if (side, language) in self.whose:
                means[row] = self.vectors[self.whose[side, language], language]
        centred = np.empty(vectors.shape, dtype=np.float32)
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            less = vectors[some] - means[rows[some]]
            centred[some] = less / np.maximum(np.linalg.norm(less, axis=1, keepdims=True), 1e-12)
        return centred


@dataclass(frozen=True, eq=False)
class Crowd:
    """How crowded a side is in each direction: what hubness comes from, without any of the side's texts.

    Of vectors spread around 0, the highest cosines with `x` grow with the spread along it, ``sqrt(x'Cx)``
    with their second moments `C`. So a line on that takes the place of neighbours looked up among texts,
    which would have to be kept, and of which a text's own match would be one.

    Attributes
    ----------
    directions : ndarray of float64, shape (dimension, DIRECTIONS or fewer)
        A root of the second moments, by their largest eigenvalues.
    line : ndarray of float64, shape (2,)
        Hubness where there is no spread, and by how much it grows with it.
    """

    directions: FloatArray
    line: FloatArray

    def hubness(self, vectors: Vectors) -> FloatArray:
        """Of texts of the other side; shape (n,)."""
        return np.asarray(self.line[0] + self.line[1] * np.linalg.norm(vectors @ self.directions, axis=1))


def crowd_of(vectors: Vectors, others: Vectors, found: FloatArray) -> Crowd:
    """How crowded a side is, from its vectors and the hubness that was found of the other side's."""
    from sklearn.utils.extmath import randomized_svd

    n = max(1, min(DIRECTIONS, len(vectors) // TEXTS_A_DIRECTION))
    _left, values, rows = randomized_svd(vectors.astype(np.float64), n, random_state=0)
    directions = np.asarray(rows.T * values / np.sqrt(len(vectors)))
    spread = np.linalg.norm(others @ directions, axis=1)
    slope = max(0.0, float(np.cov(spread, found)[0, 1] / max(spread.var(ddof=1), 1e-12)))
    return Crowd(directions, np.array([found.mean() - slope * spread.mean(), slope]))


def languages_of(texts: Sequence[str]) -> Languages:
    """``"zh"`` or ``"other"`` for each text, by its share of Chinese characters."""
    shares = [_length(_HAN, text) / max(1, _length(_LETTERS, text)) for text in texts]
    return np.where(np.array(shares) >= CHINESE_FROM, "zh", "other")


def _length(runs: regex.Pattern[str], text: str) -> int:
    return sum(map(len, runs.findall(text)))


def whose_means(
    vectors: Mapping[Side, Vectors], languages: Mapping[Side, Languages]
) -> dict[tuple[Side, str], Side]:
    """Whose mean comes off each side, language by language.

    Its own, where it has `FEWEST` documents and is no family; the other side's, where that has. Nothing comes
    off where there are too few résumés: one person's order of jobs is not to be told by the jobs' mean.
    """
    whose: dict[tuple[Side, str], Side] = {}
    for language in sorted({*languages["jd"].tolist(), *languages["resume"].tolist()}):
        rows = {side: vectors[side][languages[side] == language] for side in SIDES}
        spreads = {side: _spread(some) for side, some in rows.items() if len(some) >= FEWEST}
        if "resume" not in spreads:
            continue
        for side, other in _OTHER.items():
            is_family = other in spreads and spreads.get(side, 0.0) < ONE_FAMILY * spreads[other]
            whose[side, language] = side if side in spreads and not is_family else other
    return whose


def means_of(
    vectors: Mapping[Side, Vectors],
    languages: Mapping[Side, Languages],
    whose: Mapping[tuple[Side, str], Side],
) -> Means:
    """The means themselves, of the vectors of whole texts or of windows."""
    needed = {(own, language) for (_side, language), own in whose.items()}
    return Means(
        whose,
        {
            (side, language): vectors[side][languages[side] == language].mean(axis=0, dtype=np.float64)
            for side, language in sorted(needed)
        },
    )


def hubness(cosines: FloatArray, axis: int) -> FloatArray:
    """Half the mean of the highest cosines along an axis: how near each text lies to what is nearest to it.

    Zero where there are too few of the others to tell; the axis stays, with length 1.
    """
    n = cosines.shape[axis]
    if n < FEWEST:
        return np.zeros_like(cosines.take([0], axis=axis))
    k = max(1, min(NEIGHBOURS, n // 5))
    nearest = np.partition(cosines, n - k, axis=axis).take(range(n - k, n), axis=axis)
    return np.asarray(nearest.mean(axis=axis, keepdims=True) / 2)


def _spread(vectors: Vectors) -> float:
    """Mean squared distance of unit rows from their mean, unbiased."""
    n = len(vectors)
    return float((1 - np.square(vectors.mean(axis=0, dtype=np.float64)).sum()) * n / (n - 1))
