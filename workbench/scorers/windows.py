"""A text in windows of some words each, and how well the windows of two texts find one another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import regex

from workbench.scorers.base import FloatArray

__all__ = ["WORDS", "Windows", "both_ways", "windows_of"]

# A window says about one thing and is long enough to be understood by itself.
WORDS = 25
# Two Chinese characters are about a word.
_TOKEN = regex.compile(r"(\p{Han})|[^\s\p{Han}]+")
# Cosines held at a time, in numbers.
MOST_HELD = 2**24


@dataclass(frozen=True, eq=False)
class Windows:
    """Vectors of the windows of some texts, one text after the other.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_windows, dimension)
    starts : ndarray of intp, shape (n_texts,)
        Where the windows of each text begin; each has one at least.
    """

    vectors: npt.NDArray[np.float32]
    starts: npt.NDArray[np.intp]

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """Windows of each text."""
        return np.diff(self.starts, append=len(self.vectors))

    def between(self, first: int, last: int) -> Windows:
        """Those of the texts from `first` up to but without `last`."""
        ends = [*self.starts.tolist(), len(self.vectors)]
        return Windows(self.vectors[ends[first] : ends[last]], self.starts[first:last] - ends[first])


def windows_of(text: str, words: int = WORDS) -> list[str]:
    """The text in pieces of `words` words each, one after the other; a short rest belongs to the last.

    Examples
    --------
    >>> windows_of("one two three four five six seven", words=3)
    ['one two three', 'four five six seven']
    """
    ends, weight = [], 0.0
    for token in _TOKEN.finditer(text):
        weight += 0.5 if token.lastindex else 1.0
        if weight >= words:
            ends.append(token.end())
            weight = 0.0
    if not ends:
        return [text.strip()]
    if weight < words / 2:
        ends.pop()
    starts = [0, *ends]
    return [text[start:end].strip() for start, end in zip(starts, [*ends, len(text)], strict=True)]


def both_ways(jds: Windows, resumes: Windows) -> FloatArray:
    """How well windows find one another: mean cosine of the best, from the JD's side and the résumé's.

    Returns
    -------
    ndarray of float64, shape (2, n_jds, n_resumes)
        For each JD's windows the best of the résumé's, and for each résumé's the best of the JD's.
    """
    found = np.empty((2, len(jds.starts), len(resumes.starts)))
    largest = max(1, MOST_HELD // len(jds.vectors))
    firsts = np.flatnonzero(np.diff(resumes.starts // largest, prepend=-1)).tolist()
    for first, last in pairwise([*firsts, len(resumes.starts)]):
        some = resumes.between(first, last)
        cosines = jds.vectors @ some.vectors.T
        best = np.maximum.reduceat(cosines, some.starts, axis=1)
        found[0, :, first:last] = np.add.reduceat(best, jds.starts, axis=0) / jds.counts[:, None]
        best = np.maximum.reduceat(cosines, jds.starts, axis=0)
        found[1, :, first:last] = np.add.reduceat(best, some.starts, axis=1) / some.counts
    return found
