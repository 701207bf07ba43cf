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

__all__ = ["Positions", "Reranked", "Reranker"]

Positions = npt.NDArray[np.intp]


class Reranked(NamedTuple):
    """Some of the résumés, their probabilities, and how many of these were too long to be read whole."""

    positions: Positions
    scores: FloatArray
    n_cut: int = 0


class Reranker(ABC):
    """Reads a JD and a résumé together."""

    name: str

    @property
    @abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """All that changes a score, as JSON."""

    @property
    def fingerprint(self) -> str:
        """Short hash of the recipe."""
        return fingerprint_of(self.recipe)

    @abstractmethod
    def score_batches(self, jd: str, resumes: Sequence[str]) -> Iterator[Reranked]:
        """Probabilities batch by batch, in any order, each résumé once."""
