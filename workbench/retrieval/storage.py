"""Where a knowledge base keeps its rows: the protocol, and rows in memory. No encoding and no search.

Rows in a folder are in :mod:`~workbench.retrieval.folder_store`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.retrieval.index_record import IndexRecord
from workbench.retrieval.manifest import Manifest, now
from workbench.retrieval.records import Record

__all__ = ["Contents", "MemoryStore", "Store"]


@dataclass(frozen=True)
class Contents:
    """Texts, a record of metadata for each, and vectors, float32 of shape (n, d); aligned."""

    texts: list[str]
    records: list[Record]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.texts)

    def to_json_lines(self) -> bytes:
        """Texts and records, an object a line."""
        rows = zip(self.texts, self.records, strict=True)
        return "".join(
            json.dumps({"text": text, "metadata": record}, ensure_ascii=False, allow_nan=False) + "\n"
            for text, record in rows
        ).encode()

    def followed_by(self, more: Contents) -> Contents:
        """These rows and then the others, in memory."""
        if not len(self):
            return more
        vectors = np.concatenate([self.vectors, more.vectors])
        return Contents(self.texts + more.texts, self.records + more.records, vectors)

    def only(self, rows: npt.NDArray[np.intp]) -> Contents:
        """The given rows, in memory."""
        return Contents(
            [self.texts[row] for row in rows], [self.records[row] for row in rows], self.vectors[rows]
        )


class Store(Protocol):
    """Rows of one knowledge base; changed only inside ``with store.changing():``."""

    manifest: Manifest
    contents: Contents

    @property
    def folder(self) -> Path | None:
        """None in memory."""

    def changing(self) -> AbstractContextManager[None]:
        """Keep other processes from writing; what they wrote before is in `contents` from here on."""

    def append(self, more: Contents) -> None:
        """Add rows at the end."""

    def rewrite(self, contents: Contents, encoder: Mapping[str, Any] | None = None) -> None:
        """Put other rows, perhaps of another encoder, in the place of all."""

    def check_vectors(self) -> None:
        """Compare the vectors with their checksum, if they have one."""

    def read_index(self) -> bytes | None:
        """The index that the manifest speaks of; None if it is not there, or is not the same any more."""

    def keep_index(self, record: IndexRecord, content: bytes | None, generation: int) -> None:
        """Keep an index over rows of a generation, unless another one has come since."""


class MemoryStore:
    """Rows in memory."""

    folder = None

    def __init__(self, encoder: Mapping[str, Any]) -> None:
        self.manifest = Manifest(encoder)
        self.contents = Contents([], [], np.empty((0, self.manifest.dimension), dtype=np.float32))

    def changing(self) -> AbstractContextManager[None]:
        return nullcontext()

    def append(self, more: Contents) -> None:
        old, contents = self.manifest, self.contents.followed_by(more)
        self.manifest = replace(old, changed=now(), revision=old.revision + 1, n=len(contents))
        self.contents = contents

    def rewrite(self, contents: Contents, encoder: Mapping[str, Any] | None = None) -> None:
        old = self.manifest
        self.manifest = replace(
            old,
            encoder=encoder or old.encoder,
            changed=now(),
            revision=old.revision + 1,
            generation=old.generation + 1,
            n=len(contents),
            index=None,
        )
        self.contents = contents

    def check_vectors(self) -> None:
        return

    def read_index(self) -> bytes | None:
        return None

    def keep_index(self, record: IndexRecord, content: bytes | None, generation: int) -> None:
        # Who built it holds it; with a file of its own it would only be there twice.
        self.manifest = replace(self.manifest, index=replace(record, file=None, sha256=None))
