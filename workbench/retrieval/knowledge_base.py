"""The knowledge base: an ordered set of cleaned texts with their vectors and metadata."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder, Vectors, load_encoder
from workbench.errors import EncoderMismatchError
from workbench.retrieval.cutoff_choice import resolve_cutoff
from workbench.retrieval.hits import Hit, check_k, clean_query, hits_from
from workbench.retrieval.index import Index, build_index
from workbench.texts import clean

__all__ = ["KnowledgeBase"]


class KnowledgeBase:
    """An ordered set of cleaned texts with their vectors and metadata."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._texts: list[str] = []
        self._records: list[dict[str, Any]] = []
        self._vectors: Vectors = np.empty((0, encoder.dimension), dtype=np.float32)

    @classmethod
    def from_texts(cls, texts: str | Sequence[str], encoder: Encoder | str | None = None) -> KnowledgeBase:
        """A knowledge base in memory."""
        base = cls(load_encoder(encoder) if isinstance(encoder, str | None) else encoder)
        base._texts = clean(texts).texts
        base._records = [{} for _ in base._texts]
        base._vectors = base.encoder.encode_documents(base._texts)
        return base

    @property
    def encoder(self) -> Encoder:
        return self._encoder

    @property
    def texts(self) -> list[str]:
        return list(self._texts)

    @property
    def vectors(self) -> Vectors:
        view = self._vectors.view()
        view.flags.writeable = False
        return view

    @property
    def metadata(self) -> pd.DataFrame:
        return pd.DataFrame.from_records(self._records, index=range(len(self)))

    def __len__(self) -> int:
        return len(self._texts)

    def search(
        self, query: str, k: int | None = None, cutoff: float | Cutoff | str | Path | None = None
    ) -> list[Hit]:
        """The nearest texts; see :func:`workbench.search`."""
        query = clean_query(query)
        k = check_k(k, len(self))
        resolved = resolve_cutoff(cutoff, self.encoder)
        scores, rows = self._index.search(self.encoder.encode_queries([query]), k)
        return hits_from(scores[0], rows[0], self._texts, self._records, resolved)

    def check_encoder(self, encoder: Encoder | str) -> None:
        """Refuse an encoder whose fingerprint is not that of the vectors."""
        other = load_encoder(encoder) if isinstance(encoder, str) else encoder
        if other.fingerprint != self.encoder.fingerprint:
            raise EncoderMismatchError(f"built with {self.encoder.name}, not {other.name}")

    @cached_property
    def _index(self) -> Index:
        return build_index(self._vectors)
