"""Which index a knowledge base uses: exact while that is quick, else approximate with a measured recall.

How each works is in :mod:`~workbench.retrieval.exact` and :mod:`~workbench.retrieval.approximate`.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.encoders.lookup import KNOWLEDGE_BASE_FILE, MILVUS_LITE_FILE
from workbench.errors import StoreError
from workbench.i18n import gettext as _
from workbench.retrieval.approximate import (
    APPROXIMATE,
    EXACT,
    FEWEST_ROWS,
    IndexRecord,
    QuantisedIndex,
    build_quantised,
)
from workbench.retrieval.exact import FlatIndex, TorchIndex, free_gpu
from workbench.retrieval.folder_store import FolderStore
from workbench.retrieval.index import Index
from workbench.retrieval.storage import Store

# Numbers that one query is compared with in about 10 ms on two cores, as long as the embedded encoder
# takes for the query itself: 26,000 vectors of 2,560 dimensions, or 131,000 of 512.
QUICK = 2**26
# Share of rows that may be new since the codes were made; they are compared in full.
MOST_NEW = 0.05


def stores_of(place: str | Path) -> tuple[Any, Any]:
    """What keeps a knowledge base that lies in a folder or at an address, and the place as it takes it."""
    if str(place).startswith("milvus:"):
        from workbench.retrieval.milvus_store import MilvusStore

        return MilvusStore, str(place)
    return FolderStore, Path(place).expanduser()


def stores_in(folder: Path) -> list[Any]:
    """What keeps the knowledge bases in a folder: one, or as many as Milvus Lite holds there."""
    if (folder / KNOWLEDGE_BASE_FILE).exists() or not (folder / MILVUS_LITE_FILE).exists():
        return [FolderStore(folder)]
    from workbench.retrieval.milvus_store import MilvusStore

    return MilvusStore.all_in(folder)


class Indexes:
    """The indexes over the rows of a store, built when they are first needed.

    Parameters
    ----------
    store : Store
    exact : bool
        Whether approximation is ruled out.
    """

    def __init__(self, store: Store, *, exact: bool = False) -> None:
        self._store = store
        self._exact_only = exact
        self._checked: int | None = None
        self._exact: tuple[int, Index] | None = None
        self._approximate: tuple[int, QuantisedIndex] | None = None

    def choose(self, exact: bool | None = None, progress: bool | None = None) -> Index | None:
        """The index to search the rows as they are now with; None where the store's engine finds them.

        Parameters
        ----------
        exact : bool, optional
            Whether approximation is ruled out; by default as set for all searches.
        progress : bool, optional
            Show a progress bar while one is built; by default for long tasks.

        Raises
        ------
        StoreError
            If the vectors are damaged.
        """
        approximates = not (self._exact_only if exact is None else exact)
        if approximates and self._store.engine:
            return None
        if approximates and self._is_worth_approximating():
            approximate = self._approximate_index(progress)
            if approximate is not None:
                return approximate
        return self._exact_index()

    def describe(self) -> str:
        """Which index is used, or will be once it is built."""
        if self._store.engine and not self._exact_only:
            return self._store.engine
        if self._exact_only or not self._is_worth_approximating():
            if self._exact and self._exact[0] == self._store.state.revision:
                return self._exact[1].kind
            return FlatIndex.name() if self._gpu() is None else TorchIndex.kind_on("cuda")
        return str(self.record or _("approximate, to be built at the first search"))

    @property
    def recall(self) -> float | None:
        """What was measured of the approximate index that is used; None where search is exact."""
        if self._exact_only or self._store.engine or not self._is_worth_approximating():
            return None
        record = self.record
        return record.recall if record and record.kind == APPROXIMATE else None

    @property
    def record(self) -> IndexRecord | None:
        """What was measured of the approximation that is used or was tried, if one was."""
        record = self._store.state.index
        return record if record and not _outgrown(record, len(self._store.contents)) else None

    def _is_worth_approximating(self) -> bool:
        n, dimension = self._store.contents.vectors.shape
        return (
            n * dimension > QUICK
            and n >= FEWEST_ROWS
            and find_spec("faiss") is not None
            and self._gpu() is None
        )

    def _gpu(self) -> str | None:
        """The GPU to search on: one that holds the vectors, or has room for them, if they are many."""
        vectors, revision = self._store.contents.vectors, self._store.state.revision
        if self._exact and self._exact[0] == revision and isinstance(self._exact[1], TorchIndex):
            return self._exact[1].device
        return free_gpu(vectors.size) if vectors.size > QUICK else None

    def _exact_index(self) -> Index:
        revision, vectors = self._store.state.revision, self._store.contents.vectors
        if self._exact is None or self._exact[0] != revision:
            self._check()
            device = self._gpu()
            if device is None:
                index: Index = FlatIndex(vectors, checked=True)
            else:
                index = TorchIndex(vectors, device=device, checked=True)
            self._exact = revision, index
        return self._exact[1]

    def _approximate_index(self, progress: bool | None) -> QuantisedIndex | None:
        """The one in use, else the one in the store, else a new one; None if none is good enough."""
        generation, vectors = self._store.state.generation, self._store.contents.vectors
        record = self.record
        if record and record.kind == EXACT:
            return None
        index = self._approximate[1] if self._approximate and self._approximate[0] == generation else None
        if index is None or _outgrown(index.record, len(vectors)):
            index = self._stored(record) if record else None
        if index is None:
            self._check()
            built = build_quantised(vectors, progress=progress)
            self._keep(built.index, built.record)
            index = built.index
        elif len(index) != len(vectors):
            index = index.over(vectors)
        self._approximate = (generation, index) if index else None
        if self._store.state.generation != generation:
            # Another process has moved the rows while the index was built.
            return self._approximate_index(progress)
        return index

    def _stored(self, record: IndexRecord) -> QuantisedIndex | None:
        # Only bytes whose checksum is in the state get here; faiss reads no others.
        content = self._store.read_codes()
        return (content and QuantisedIndex.from_bytes(content, self._store.contents.vectors, record)) or None

    def _keep(self, index: QuantisedIndex | None, record: IndexRecord) -> None:
        codes = index.to_bytes() if index else None
        if codes:
            record = replace(record, sha256=hashlib.sha256(codes).hexdigest())
        # What cannot be kept (a folder that may only be read) is built again by the next process.
        with suppress(StoreError):
            self._store.keep_index(record, codes, self._store.state.generation)

    def _check(self) -> None:
        """Read the vectors once for each generation; rows are only added to one."""
        generation = self._store.state.generation
        if self._checked != generation:
            self._store.check_vectors()
            self._checked = generation


def _outgrown(record: IndexRecord, n: int) -> bool:
    return not record.n <= n <= record.n * (1 + MOST_NEW)
