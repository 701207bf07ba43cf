"""What a knowledge base keeps, its state and rows, and how it keeps them in memory.

Rows in a folder are in :mod:`~workbench.retrieval.folder_store`. No encoding and no search here.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.html import render
from workbench.results import Result
from workbench.retrieval.approximate import IndexRecord
from workbench.retrieval.parts import Asked, Parts
from workbench.retrieval.records import Records, matching_rows
from workbench.texts import cleaning_recipe


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class State:
    """What a knowledge base is, besides its rows; replaced as a whole.

    Attributes
    ----------
    encoder : mapping
        See :func:`~workbench.retrieval.adding.encoder_entry`.
    cleaning : mapping
        How the texts were cleaned (:func:`~workbench.texts.cleaning_recipe`).
    created, changed : str
        UTC, ISO 8601.
    revision : int
        Rises with every change of the rows.
    generation : int
        Rises when rows are removed or encoded again; within one, row numbers stay what they are.
    texts_crc32, metadata_crc32, vectors_crc32 : int
        Checksums (CRC-32) against accidental damage.
    index : IndexRecord or None
        The approximate index over rows of this generation, if one was built.
    """

    encoder: Mapping[str, Any]
    cleaning: Mapping[str, Any] = field(default_factory=cleaning_recipe)
    created: str = field(default_factory=now)
    changed: str = field(default_factory=now)
    revision: int = 0
    generation: int = 1
    texts_crc32: int = 0
    metadata_crc32: int = 0
    vectors_crc32: int = 0
    index: IndexRecord | None = None

    @property
    def dimension(self) -> int:
        return operator.index(self.encoder["dimension"])

    def next_generation(self, encoder: Mapping[str, Any] | None) -> State:
        """Without rows yet; of another encoder, if one is given."""
        return State(
            encoder or self.encoder,
            self.cleaning,
            created=self.created,
            revision=self.revision,
            generation=self.generation + 1,
        )


@dataclass(frozen=True)
class Contents:
    """Texts, a record of metadata for each, and vectors, float32 of shape (n, d); aligned.

    `parts` are those of the texts that are whole documents.
    """

    texts: list[str]
    records: Records
    vectors: Vectors
    parts: Parts

    @classmethod
    def nothing(cls, dimension: int) -> Contents:
        return cls([], Records([]), np.empty((0, dimension), dtype=np.float32), Parts.of([], dimension))

    def __len__(self) -> int:
        return len(self.texts)

    def followed_by(self, more: Contents, vectors: Vectors | None = None) -> Contents:
        """These rows and then the others; `vectors` are those of all, if they are known."""
        if vectors is None:
            vectors = np.concatenate([self.vectors, more.vectors]) if len(self) else more.vectors
        kept = Records(self.records.kept + more.records.kept)
        return Contents(self.texts + more.texts, kept, vectors, self.parts.followed_by(more.parts, len(self)))

    def only(self, rows: npt.NDArray[np.intp]) -> Contents:
        """The given rows, in memory."""
        kept = self.records.kept
        return Contents(
            [self.texts[row] for row in rows],
            Records([kept[row] for row in rows]),
            self.vectors[rows],
            self.parts.only(rows),
        )


@dataclass(frozen=True)
class KnowledgeBaseInfo(Result):
    """What a knowledge base is.

    Attributes
    ----------
    folder : str or None
        None for one in memory.
    n, dimension : int
        Texts, and values in a vector.
    encoder, fingerprint : str
        Encoder that the vectors came from.
    bytes : int
        That it takes, on disk or in memory.
    index : str
        Which index is used, exact or approximate, or will be once it is built.
    recall : float or None
        Share of the best 10 that the approximate index found when it was built, on some of the
        vectors themselves; None where search is exact, or the index is not built.
    created, changed : str
        UTC, ISO 8601.
    """

    folder: str | None
    n: int
    dimension: int
    encoder: str
    fingerprint: str
    bytes: int
    index: str
    recall: float | None
    created: str
    changed: str

    def _repr_html_(self) -> str:
        return render("retrieval/info.html", facts=self.to_dict())


class Store:
    """Rows of one knowledge base, in memory; changed only inside ``with store.changing():``.

    Parameters
    ----------
    encoder : mapping
        See :func:`~workbench.retrieval.adding.encoder_entry`.
    """

    folder: Path | None = None
    # What finds near rows by itself, for people; without one, an index over the vectors does.
    engine: str | None = None

    def __init__(self, encoder: Mapping[str, Any]) -> None:
        self.state = State(encoder)
        self.contents = Contents.nothing(self.state.dimension)

    def __len__(self) -> int:
        return len(self.contents)

    @property
    def address(self) -> str | None:
        """Where it lies, for people; None in memory."""
        return str(self.folder) if self.folder else None

    @property
    def n_bytes(self) -> int:
        """That it takes, on disk or in memory."""
        lines = (line for part in (self.contents.texts, self.contents.records.kept) for line in part)
        vectors = self.contents.vectors.nbytes + self.contents.parts.vectors.nbytes
        return vectors + sum(len(line.encode()) for line in lines)

    def changing(self) -> AbstractContextManager[None]:
        """Keep other processes from writing; what they wrote before is in `contents` from here on.

        What is done inside is kept when the block ends, all of it, or nothing if it ends with an error.
        """
        return nullcontext()

    def refresh(self) -> None:
        """See what other processes have changed, where searching needs that."""

    def known(self, texts: Collection[str]) -> Set[str]:
        """Texts that are there, at least those of `texts`."""
        return set(self.contents.texts)

    def matching(self, where: Mapping[str, Any]) -> npt.NDArray[np.intp]:
        """Rows whose metadata has all these values, as :func:`~workbench.retrieval.records.matching_rows`."""
        return matching_rows(self.contents.records, where)

    def near(
        self, asked: Sequence[Asked], k: int, where: Mapping[str, Any] | None
    ) -> list[tuple[Contents, npt.NDArray[np.intp]]]:
        """For each query rows that hold its `k` best, of those that match `where`, and their numbers."""
        rows = np.arange(len(self)) if where is None else self.matching(where)
        return [(self.contents.only(rows), rows)] * len(asked)

    def append(self, more: Contents) -> None:
        """Add rows at the end."""
        contents = self.contents.followed_by(more)
        self.state = replace(self.state, changed=now(), revision=self.state.revision + 1)
        self.contents = contents

    def rewrite(self, contents: Contents, encoder: Mapping[str, Any] | None = None) -> None:
        """Put other rows, perhaps of another encoder, in the place of all, as a new generation."""
        self.state = self.state.next_generation(encoder)
        self.contents = Contents.nothing(self.state.dimension)
        self.append(contents)

    def remove(self, rows: npt.NDArray[np.intp]) -> None:
        """Remove rows; those after them move up."""
        self.rewrite(self.contents.only(np.setdiff1d(np.arange(len(self)), rows)))

    def check_vectors(self) -> None:
        """Compare the vectors with their checksum, if they have one."""

    def read_codes(self) -> bytes | None:
        """The index that the state speaks of; None if it is not there, or is not the same any more."""
        return None

    def keep_index(self, record: IndexRecord, codes: bytes | None, generation: int) -> None:
        """Keep an index over rows of a generation, unless another one has come since."""
        # Who built it holds it; kept here it would only be there twice.
        self.state = replace(self.state, index=replace(record, sha256=None))
