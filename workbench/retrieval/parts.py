"""The parts of whole documents with their vectors: where each stands, and how they are kept together.

How a query finds them is in :mod:`~workbench.retrieval.finding`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from workbench.documents.document import Document
from workbench.encoders.base import Vectors
from workbench.texts import LONGEST_LINE, is_line

Rows = npt.NDArray[np.intp]


class Place(NamedTuple):
    """Where a part stands in its document."""

    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Asked:
    """A query: its text, its vector, and, of a whole document, its parts with theirs."""

    text: str
    vector: Vectors
    places: Sequence[Place] = ()
    vectors: Vectors | None = None

    @cached_property
    def requirements(self) -> Rows:
        """Which of its parts it asks for."""
        asked = [range(part.start, part.end) for part in Document("", self.text).parts if part.is_asked]
        return np.array(
            [at for at, place in enumerate(self.places) if any(place.start in one for one in asked)], np.intp
        )


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of those rows that are whole documents, one document after the other.

    Attributes
    ----------
    rows : ndarray of intp, shape (n_documents,)
        Rising.
    starts : ndarray of intp, shape (n_documents,)
        Where the parts of each begin; each has one at least.
    places : ndarray of int64, shape (n_parts, 2)
        Start and end of each in its document's text.
    vectors : ndarray of float32, shape (n_parts, dimension)
    """

    rows: Rows
    starts: Rows
    places: npt.NDArray[np.int64]
    vectors: Vectors

    @classmethod
    def of(cls, found: Sequence[tuple[int, npt.NDArray[np.int64], Vectors]], dimension: int) -> Self:
        """From row, places and vectors of each document."""
        counts = [len(places) for _row, places, _vectors in found]
        return cls(
            np.array([row for row, _places, _vectors in found], dtype=np.intp),
            np.cumsum([0, *counts], dtype=np.intp)[:-1],
            np.concatenate([np.empty((0, 2), dtype=np.int64), *(places for _row, places, _v in found)]),
            np.concatenate([np.empty((0, dimension), dtype=np.float32), *(each for _r, _p, each in found)]),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, npt.NDArray[np.int64], Vectors]]:
        """Row, places and vectors of each document."""
        for row, start, end in zip(self.rows.tolist(), self.starts, self._ends, strict=True):
            yield row, self.places[start:end], self.vectors[start:end]

    def __getitem__(self, row: int) -> tuple[npt.NDArray[np.int64], Vectors] | None:
        """Places and vectors of the document in a row; None where a line stands."""
        at = int(np.searchsorted(self.rows, row))
        if at == len(self) or self.rows[at] != row:
            return None
        some = slice(self.starts[at], self._ends[at])
        return self.places[some], self.vectors[some]

    def only(self, rows: Rows) -> Parts:
        """Those of the given rows, which get the numbers from 0 on."""
        found = ((new, self[old]) for new, old in enumerate(rows.tolist()))
        return Parts.of([(row, *parts) for row, parts in found if parts], self.vectors.shape[1])

    def followed_by(self, more: Parts, n_rows: int) -> Parts:
        """These and then those of other rows, of which the first gets the number `n_rows`."""
        moved = [(row + n_rows, places, vectors) for row, places, vectors in more]
        return Parts.of([*self, *moved], self.vectors.shape[1]) if len(more) else self

    @property
    def _ends(self) -> Rows:
        return np.append(self.starts, len(self.vectors))[1:]


def places_of(text: str) -> list[Place]:
    r"""Where the parts of a tidy text stand that say something; none for a line.

    Examples
    --------
    >>> text = "Requirements\n- RN licence\n- ventilation of patients"
    >>> [text[start:end] for start, end in places_of(text)]
    ['- RN licence', '- ventilation of patients']
    """
    if is_line(text):
        return []
    return [
        place
        for part in Document("", text).phrases
        if part.text
        for place in _short(text, text.index(part.text, part.start), len(part.text))
    ]


def _short(text: str, start: int, length: int) -> Iterator[Place]:
    """A part in pieces of a line's length at most, parted at blanks where there are any."""
    end = start + length
    while end - start > LONGEST_LINE:
        blank = text.rfind(" ", start + LONGEST_LINE // 2, start + LONGEST_LINE + 1)
        cut = start + LONGEST_LINE if blank < 0 else blank
        yield Place(start, cut)
        start = cut + (blank >= 0)
    yield Place(start, end)
