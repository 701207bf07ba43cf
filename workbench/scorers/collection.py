"""What the documents of a collection have in common, measured once and frozen.

What all JDs share (and all résumés, and all texts of a language) says nothing about a pair, and in vectors of
texts it is most of what they say. So each side's mean comes off, language by language ("all but the top",
Mu & Viswanath 2018, ICLR, section 2, without their second step); and what lies near to everything is held
against that (cross-domain similarity local scaling, Conneau et al. 2018, ICLR, section 2.3). Both as far as
there are documents enough, and mixed enough, to tell what they have in common from what they are about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex

from workbench.documents.splitting import Side
from workbench.scorers.base import FloatArray

Vectors = npt.NDArray[np.float32]
Languages = npt.NDArray[np.str_]
Trust = Mapping[tuple[Side, str], float]
SIDES: tuple[Side, Side] = ("jd", "resume")
OTHER: dict[Side, Side] = {"jd": "resume", "resume": "jd"}

# Up to so few documents nothing tells what they have in common, and from so many on their mean does. What is
# kept of a collection is thus never of a few people.
FEWEST, ENOUGH = 4, 10
# How spread a side is, measured by the other: at `ALIKE` its documents are of one family, and their mean is
# what they are about; at `MIXED` they are a mixed pile. A family taken for a mixed pile loses the order.
ALIKE, MIXED = 0.6, 0.9
# Neighbours that say how near a text lies to everything; at most a fifth of the texts.
NEIGHBOURS = 10
# Directions of a side that are kept to tell how crowded it is somewhere. Fewer where there are few texts, so
# that none is a single text's.
DIRECTIONS = 32
TEXTS_A_DIRECTION = 5

_HAN = regex.compile(r"\p{Han}+")
_LETTERS = regex.compile(r"\p{L}+")
CHINESE_FROM = 0.3


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

    n = min(DIRECTIONS, len(vectors) // TEXTS_A_DIRECTION)
    if not n:
        return Crowd(np.zeros((vectors.shape[1], 0)), np.array([found.mean(), 0.0]))
    _left, values, rows = randomized_svd(vectors.astype(np.float64), n, random_state=0)
    directions = np.asarray(rows.T * values / np.sqrt(len(vectors)))
    spread = np.linalg.norm(others @ directions, axis=1)
    slope = max(0.0, float(np.cov(spread, found, ddof=0)[0, 1] / max(spread.var(), 1e-12)))
    return Crowd(directions, np.array([found.mean() - slope * spread.mean(), slope]))


def languages_of(texts: Sequence[str]) -> Languages:
    """``"zh"`` or ``"other"`` for each text, by its share of Chinese characters."""
    return np.where([_share_of_chinese(text) >= CHINESE_FROM for text in texts], "zh", "other")


def _share_of_chinese(text: str) -> float:
    chinese = _length(_HAN, text)
    return chinese / _length(_LETTERS, text) if chinese else 0.0


def _length(runs: regex.Pattern[str], text: str) -> int:
    return sum(map(len, runs.findall(text)))


def trust_of(
    vectors: Mapping[Side, Vectors], languages: Mapping[Side, Languages]
) -> dict[tuple[Side, str], float]:
    """How far each side's documents of each language can tell what such documents have in common, 0 to 1.

    Parameters
    ----------
    vectors : mapping of side to ndarray, shape (n_documents, dimension)
        A unit vector a document.
    """
    trust = {}
    for language in sorted({*languages["jd"].tolist(), *languages["resume"].tolist()}):
        rows = {side: vectors[side][languages[side] == language] for side in SIDES}
        spreads = {side: _spread(some) for side, some in rows.items()}
        for side, other in OTHER.items():
            mixed = spreads[side] / spreads[other] if spreads[other] else 1.0
            trust[side, language] = enough(len(rows[side])) * float(
                np.clip((mixed - ALIKE) / (MIXED - ALIKE), 0, 1)
            )
    return trust


def enough(n: int) -> float:
    """How far `n` documents are on the way from `FEWEST` to `ENOUGH`, 0 to 1."""
    return min(1.0, max(0, n - FEWEST) / (ENOUGH - FEWEST))


def offsets_of(
    vectors: Mapping[Side, Vectors], languages: Mapping[Side, Languages], trust: Trust, share: float = 1.0
) -> dict[tuple[Side, str], FloatArray]:
    """What is to come off the vectors of each side and language: a `share` of its mean.

    As far as a side cannot be trusted, the other side's takes its place: of a single JD, or JDs of one
    family, the résumés' mean comes off, as what all texts have in common.
    """
    offsets = {}
    for side, language in trust:
        weights = {side: trust[side, language]}
        weights[OTHER[side]] = (1 - weights[side]) * trust[OTHER[side], language]
        offset = np.zeros(vectors[side].shape[1])
        for of, weight in weights.items():
            if weight:
                here = (languages[of] == language).astype(np.float32)
                offset += weight * (here @ vectors[of]) / here.sum()
        offsets[side, language] = share * offset
    return offsets


def centred(
    vectors: Vectors, side: Side, languages: Languages, offsets: Mapping[tuple[Side, str], FloatArray]
) -> Vectors:
    """The rows without the offset of their side and language, of unit length again."""
    found = vectors.astype(np.float32)
    for language in np.unique(languages):
        if (side, str(language)) in offsets:
            found[languages == language] -= offsets[side, str(language)].astype(np.float32)
    return unit(found)


def unit(rows: Vectors) -> Vectors:
    """The rows at length 1."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def levels_of(
    scores: FloatArray, languages: Mapping[Side, Languages], trust: Trust
) -> dict[Side, FloatArray]:
    """How near each text lies to what is nearest to it on the other side; it comes off all of its scores.

    Told from the texts of its language, as far as these can be trusted, otherwise from all.

    Returns
    -------
    mapping of side to ndarray of float64, shape (n_jds,) and (n_resumes,)
    """
    levels = {}
    for side, other in OTHER.items():
        mine = scores if side == "jd" else scores.T
        most = max(trust[other, str(language)] for language in np.unique(languages[other]))
        level = most * hubness(mine)
        for language in np.unique(languages[side]):
            share = trust[other, str(language)]
            rows, columns = languages[side] == language, languages[other] == language
            if share:
                level[rows] = share * hubness(mine[np.ix_(rows, columns)]) + (1 - share) * level[rows]
        levels[side] = level
    return levels


def hubness(scores: FloatArray) -> FloatArray:
    """Half the mean of each row's highest scores."""
    n = scores.shape[1]
    k = max(1, min(NEIGHBOURS, n // 5))
    return np.asarray(np.partition(scores, n - k, axis=1)[:, n - k :].mean(axis=1) / 2)


def _spread(vectors: Vectors) -> float:
    """Mean squared distance of unit rows from their mean, unbiased; 0 where there is one at most."""
    n = len(vectors)
    if n < 2:
        return 0.0
    return float((1 - np.square(vectors.mean(axis=0, dtype=np.float64)).sum()) * n / (n - 1))
