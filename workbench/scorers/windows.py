"""A text in windows of some words each, and how well the windows of two texts find one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex

from workbench.scorers.base import FloatArray
from workbench.scorers.collection import Vectors, unit

# A window says about one thing and is long enough to be understood by itself.
WORDS = 25
# Windows of a text at most; those of a longer one have more words.
MOST = 4000
# Two Chinese characters are about a word; so are this many of what is written without spaces.
_TOKEN = regex.compile(r"(\p{Han})|[^\s\p{Han}]{1,20}")
# Cosines held at a time, and rows of them.
MOST_HELD, MOST_ROWS = 2**22, 2**10


@dataclass(frozen=True, eq=False)
class Windows:
    """Vectors of the windows of some texts, one text after the other.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_windows, dimension)
    starts : ndarray of intp, shape (n_texts,)
        Where the windows of each text begin; each has one at least.
    """

    vectors: Vectors
    starts: npt.NDArray[np.intp]

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """Windows of each text."""
        return np.diff(self.starts, append=len(self.vectors))

    def between(self, first: int, last: int) -> Windows:
        """Those of the texts from `first` up to but without `last`."""
        start = self.starts[first]
        end = self.starts[last] if last < len(self.starts) else len(self.vectors)
        return Windows(self.vectors[start:end], self.starts[first:last] - start)

    def groups(self, largest: int) -> Iterator[tuple[int, int]]:
        """From which text up to but without which there are at most `largest` windows, or one text's."""
        ends = np.append(self.starts[1:], len(self.vectors))
        first = 0
        while first < len(ends):
            last = max(first + 1, int(np.searchsorted(ends, self.starts[first] + largest, "right")))
            yield first, last
            first = last

    def pooled(self) -> Vectors:
        """The mean vector of each text's windows, at length 1."""
        return unit(np.add.reduceat(self.vectors, self.starts, axis=0))


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
    if len(ends) > MOST:
        return windows_of(text, words * -(-len(ends) // MOST))
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
    for rows in jds.groups(MOST_ROWS):
        some = jds.between(*rows)
        for columns in resumes.groups(MOST_HELD // len(some.vectors)):
            others = resumes.between(*columns)
            block = (slice(*rows), slice(*columns))
            cosines = some.vectors @ others.vectors.T
            best = np.maximum.reduceat(cosines, others.starts, axis=1)
            found[0][block] = np.add.reduceat(best, some.starts, axis=0) / some.counts[:, None]
            best = np.maximum.reduceat(cosines, some.starts, axis=0)
            found[1][block] = np.add.reduceat(best, others.starts, axis=1) / others.counts
    return found
