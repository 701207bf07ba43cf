"""What is kept of an index that was built: how it was made, and what was measured of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["APPROXIMATE", "EXACT", "IndexRecord", "index_file"]

APPROXIMATE, EXACT = "approximate", "exact"
_FILE = re.compile(r"index-\d{6,}-\d+\.faiss")


@dataclass(frozen=True)
class IndexRecord:
    """How an index was made and what was measured of it, for the manifest and for people.

    Attributes
    ----------
    kind : {"approximate", "exact"}
        Exact where no approximation reached the recall that is promised.
    n : int
        Rows that were there; later ones are compared in full, until there are many.
    recall : float
        Share of the true best `k` that the approximation found (the best one tried, if exact).
    k, n_queries : int
        How it was measured: so many hits for so many of the vectors themselves, each left out of its
        own answer.
    values_per_code : int
        Values that share a code of 4 bits.
    candidates_per_hit : int
        Rows compared in full, for each hit that is asked for.
    seconds : float
        What building and measuring took.
    file, sha256 : str or None
        The codes on disk, as faiss writes them; None where there are none.
    """

    kind: str
    n: int
    recall: float
    k: int
    n_queries: int
    values_per_code: int
    candidates_per_hit: int
    seconds: float
    file: str | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in (APPROXIMATE, EXACT):
            raise ValueError(f"its index is of kind {self.kind!r}")
        if self.file is not None and not _FILE.fullmatch(self.file):
            raise ValueError(f"its index is in {self.file!r}, which is no name of an index")
        counts = (self.n, self.k, self.n_queries, self.values_per_code, self.candidates_per_hit)
        if not 0 <= self.recall <= 1 or min(counts) < 1:
            raise ValueError("a number of its index is impossible")

    def __str__(self) -> str:
        measured = f"recall@{self.k} {self.recall:.4f}, measured on {self.n_queries} of its own vectors"
        if self.kind == EXACT:
            return f"exact inner product (CPU): no approximation was good enough, the best had {measured}"
        return f"approximate, best {self.candidates_per_hit * self.k} compared in full: {measured}"

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-serialisable."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> IndexRecord:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        TypeError, ValueError
            If it is something else.
        """
        return cls(**content)


def index_file(generation: int, n: int) -> str:
    """Name of the file of an index over the first `n` rows of a generation."""
    return f"index-{generation:06d}-{n}.faiss"
