"""What reads a JD and a résumé together and gives the probability that they fit; a file each.

A résumé is what its writer says: a model that reads both texts can be talked to by one of them, so a high
score here is no more proof than another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import fingerprint_of
from workbench.scorers.base import FloatArray

Positions = npt.NDArray[np.intp]
# Windows overlap by this share, so that what is cut in one stands whole in the next.
OVERLAP = 1 / 8


class Reranked(NamedTuple):
    """Some of the résumés, their probabilities, and which were too long to be read in one go."""

    positions: Positions
    scores: FloatArray
    in_windows: npt.NDArray[np.bool_]


class Reranker(ABC):
    """Reads a JD and a résumé together.

    What is too long for it is read in windows, and the best of them is the score: nothing is cut.
    """

    name: str

    @property
    @abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """All that changes a score, as JSON."""

    @property
    def fingerprint(self) -> str:
        """Short hash of the recipe."""
        return fingerprint_of({**self.recipe, "long texts": "best of windows"})

    @abstractmethod
    def score_batches(self, jd: str, resumes: Sequence[str]) -> Iterator[Reranked]:
        """Probabilities batch by batch, in any order, each résumé once."""


class LocalReranker(Reranker):
    """One whose tokens can be counted here, so that windows are made before it is asked."""

    @property
    @abstractmethod
    def _room(self) -> int:
        """Tokens of a JD and a résumé together that it can read."""

    @abstractmethod
    def _tokens_of(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Where each token of each text starts and ends, uncut and without special ones."""

    @abstractmethod
    def _batches(self, jd: str, resumes: Sequence[str]) -> Iterator[tuple[Positions, FloatArray]]:
        """Probabilities of pairs that fit, batch by batch, in any order."""

    def score_batches(self, jd: str, resumes: Sequence[str]) -> Iterator[Reranked]:
        # A JD takes half of the room at most, and leaves the rest to the résumé.
        (tokens,) = self._tokens_of([jd])
        jds = _windows(jd, tokens, self._room // 2)
        room = self._room - min(len(tokens), self._room // 2)
        windows = [_windows(*each, room) for each in zip(resumes, self._tokens_of(resumes), strict=True)]
        pieces = [piece for each in windows for piece in each]
        owner = np.repeat(np.arange(len(resumes)), list(map(len, windows)))
        left = len(jds) * np.bincount(owner, minlength=len(resumes))
        in_windows, best = left > 1, np.zeros(len(resumes))
        for part in jds:
            for positions, scores in self._batches(part, pieces):
                owners = owner[positions]
                np.maximum.at(best, owners, scores)
                np.subtract.at(left, owners, 1)
                done = np.unique(owners)
                done = done[left[done] == 0]
                if len(done):
                    yield Reranked(done, best[done], in_windows[done])


def _windows(text: str, tokens: Sequence[tuple[int, int]], room: int) -> list[str]:
    """The text, in overlapping pieces of at most so many tokens where it has more."""
    room = max(room, 1)
    if len(tokens) <= room:
        return [text]
    step = max(1, room - int(room * OVERLAP))
    starts = range(0, len(tokens) - room + step, step)
    return [text[tokens[start][0] : tokens[min(start + room, len(tokens)) - 1][1]] for start in starts]
