"""The knowledge base: an ordered set of texts, lines or whole documents, with their vectors and metadata.

How it lies on disk is in :mod:`~workbench.retrieval.folder_store`, how files are read in
:mod:`~workbench.retrieval.readers`, how near vectors are found in :mod:`~workbench.retrieval.choosing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder, Vectors, load_encoder
from workbench.errors import InputError, StoreError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.retrieval.adding import (
    AddReport,
    add_new,
    check_same,
    encode_again,
    encoder_entry,
    load_recorded,
)
from workbench.retrieval.choosing import Indexes, stores_of
from workbench.retrieval.finding import find
from workbench.retrieval.hits import Hit, check_k, clean_query, resolve_cutoff, warn_of_cleaning
from workbench.retrieval.records import FilesRead, Record, frame_of, records_from, row_numbers
from workbench.retrieval.storage import KnowledgeBaseInfo, Store

if TYPE_CHECKING:
    import pandas as pd

    from workbench.documents.pasted import Pasted

SHOWN_TEXTS = 5


class KnowledgeBase:
    """An ordered set of texts, lines or whole documents, with their vectors and metadata.

    A whole document is kept with the vector of all of it and with those of its parts.

    Make one with :meth:`open` (in a folder) or :meth:`from_texts` (in memory).

    Examples
    --------
    >>> kb = KnowledgeBase.from_texts(["熟悉 RAG 架构设计", "持护士执业证"], encoder="use")
    >>> kb.add(["具备 AI Agent 开发经验", "持护士执业证"], metadata=[{"city": "上海"}, {"city": "北京"}])
    AddReport(n_input=2, added=1, already_there=1, duplicates=0, blank=0)
    >>> kb.search("开发过智能体 Agent", k=1, cutoff=0.4)[0]["metadata"]
    {'city': '上海'}
    """

    def __init__(self, store: Store, encoder: Encoder | None = None, *, exact: bool = False) -> None:
        self._store = store
        self._encoder = encoder
        self._indexes = Indexes(store, exact=exact)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        encoder: Encoder | str | None = None,
        *,
        reencode: bool = False,
        create: bool = True,
        exact: bool = False,
    ) -> KnowledgeBase:
        """Open the knowledge base in a folder, or make an empty one.

        Parameters
        ----------
        folder : str or Path
            Or the address of one in Milvus (extra ``milvus``): ``"milvus:./jobs.db"``, kept by Milvus Lite,
            or ``"milvus:http://host:19530"``, on a server; then perhaps ``#name``.
        encoder : Encoder or str, optional
            An encoder or the spec of one. By default the one that the knowledge base was built with,
            loaded when it is first needed; for a new one, the one in the settings.
        reencode : bool
            If `encoder` is another one than the knowledge base was built with, encode all texts again
            with it. The old vectors stay until the new ones are all on disk.
        create : bool
            Whether to make a knowledge base where there is none.
        exact : bool
            Whether all searches must compare the query with every text. By default small ones do, and
            large ones find nearly all of the best by way of an index, with a recall that is measured on
            their own vectors (see :meth:`build_index`).

        Raises
        ------
        EncoderMismatchError
            If it was built with another encoder and `reencode` is False.
        StoreError
            If the folder cannot be read or written, is damaged, or (with ``create=False``) holds no
            knowledge base.
        """
        stores, folder = stores_of(folder)
        spec = encoder if isinstance(encoder, str) and encoder != "auto" else None
        if stores.exists(folder) or not create:
            base = cls(stores(folder), exact=exact)
        else:
            encoder = load_encoder(encoder)
            base = cls(stores.create(folder, encoder_entry(encoder, spec)), exact=exact)
        if encoder is None and reencode:
            recorded = base._store.state.encoder
            encoder, spec = load_recorded(recorded, base._store.address), recorded["spec"]
        if encoder is not None:
            base._encoder = encoder = load_encoder(encoder)
            if reencode and encoder.fingerprint != base._store.state.encoder["fingerprint"]:
                encode_again(base._store, encoder, spec)
            base.check_encoder(encoder)
        return base

    @classmethod
    def from_texts(
        cls,
        texts: str | Sequence[str],
        encoder: Encoder | str | None = None,
        metadata: pd.DataFrame | Sequence[Mapping[str, Any]] | None = None,
        *,
        exact: bool = False,
        progress: bool | None = None,
    ) -> KnowledgeBase:
        """A knowledge base in memory.

        Parameters are those of :meth:`add` and :meth:`open`. What cleaning drops is said in a
        :class:`~workbench.errors.CleaningWarning`.
        """
        encoder = load_encoder(encoder)
        base = cls(Store(encoder_entry(encoder)), encoder, exact=exact)
        report = base.add(texts, metadata, progress=progress)
        warn_of_cleaning(report.cleaning)
        return base

    @property
    def encoder(self) -> Encoder:
        """The encoder of the vectors; loaded now if it was not yet.

        Raises
        ------
        EncoderUnavailableError
            If it cannot be loaded here.
        EncoderMismatchError
            If what loads under its name makes other vectors, such as a newer revision.
        """
        if self._encoder is None:
            encoder = load_recorded(self._store.state.encoder, self._store.address)
            self.check_encoder(encoder)
            self._encoder = encoder
        return self._encoder

    @property
    def texts(self) -> list[str]:
        """The texts, in row order."""
        return list(self._store.contents.texts)

    @property
    def vectors(self) -> Vectors:
        """Vectors, float32 of shape (n, d), unit rows, read-only; memory-mapped when on disk."""
        view = self._store.contents.vectors.view()
        view.flags.writeable = False
        return view

    @property
    def metadata(self) -> pd.DataFrame:
        """Metadata, a row for each text; a copy."""
        return frame_of(self._store.contents.records)

    @property
    def frame(self) -> pd.DataFrame:
        """Texts (column ``text``) and metadata, a row for each text; a copy."""
        frame = self.metadata.rename(columns={"text": "text (metadata)"})
        frame.insert(0, "text", self.texts)
        return frame

    def __len__(self) -> int:
        return len(self._store)

    def search(
        self,
        query: str,
        k: int | None = None,
        cutoff: float | Cutoff | str | Path | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        prevalence: float | None = None,
        exact: bool | None = None,
        progress: bool | None = None,
    ) -> list[Hit]:
        """The texts that are nearest to a query in meaning; see :func:`workbench.search`."""
        return self.search_many(
            [query], k, cutoff, where=where, prevalence=prevalence, exact=exact, progress=progress
        )[0]

    def search_many(
        self,
        queries: Sequence[str],
        k: int | None = None,
        cutoff: float | Cutoff | str | Path | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        prevalence: float | None = None,
        exact: bool | None = None,
        progress: bool | None = None,
    ) -> list[list[Hit]]:
        """The hits of each query, in the order of `queries`; faster than searching one by one."""
        if isinstance(queries, str):
            raise InputError(_("Got one string where a list of queries was expected; pass [query]."))
        cleaned = [clean_query(query) for query in queries]
        self._store.refresh()
        k = check_k(k, len(self))
        self.check_encoder(self.encoder)
        resolved = resolve_cutoff(cutoff, self.encoder, prevalence=prevalence)
        index = None if where is not None else self._indexes.choose(exact, progress)
        # Keeping a new index shows what another process has changed meanwhile.
        k = check_k(k, len(self))
        self.check_encoder(self.encoder)
        return find(
            cleaned, self._store, index, k, self.encoder, cutoff=resolved, where=where, progress=progress
        )

    def add(
        self,
        texts: str | Sequence[str],
        metadata: pd.DataFrame | Sequence[Mapping[str, Any]] | None = None,
        *,
        progress: bool | None = None,
    ) -> AddReport:
        """Clean texts, encode those that are new, and add them at the end.

        Texts that are there already are not added again, and keep the metadata that they have. On
        disk all that is new is added at once or, if something stops it, nothing.

        Parameters
        ----------
        texts : str or sequence of str
            A pasted block (one text a line) or a list of lines or whole documents.
        metadata : DataFrame or sequence of mappings, optional
            A row for each text as given; see :func:`~workbench.retrieval.records.records_from`.
        progress : bool, optional
            Show a progress bar; by default for long tasks.

        Raises
        ------
        InputError
            If a text is not a string, or the metadata does not fit.
        StoreError
            If the folder cannot be written, or another process is writing.
        """
        items = texts.splitlines() if isinstance(texts, str) else list(texts)
        return self._add(items, records_from(metadata, len(items)), FilesRead(), progress)

    def add_files(
        self,
        paths: str | Path | Sequence[str | Path] | FilesRead,
        *,
        how: Pasted | None = None,
        text_column: str | None = None,
        sheet: str | None = None,
        encoding: str | None = None,
        progress: bool | None = None,
    ) -> AddReport:
        """Add whole documents: files, tables (one a row), folders, zips and e-mails.

        Of a folder that :func:`workbench.encode_parquet` made the vectors are taken, too.
        Files of a folder that cannot be read are counted and named in the report, and the rest is added; one
        that is named itself is an error, and adds nothing. See
        :func:`~workbench.retrieval.readers.read_files`, whose options and errors these are; what it has read
        is taken as it is.
        """
        from workbench.retrieval.encoded import is_encoded, read_encoded
        from workbench.retrieval.readers import read_files

        if is_encoded(paths):
            paths = read_encoded(Path(str(paths)), self.encoder)
        elif not isinstance(paths, FilesRead):
            options = {"text_column": text_column, "sheet": sheet, "encoding": encoding}
            paths = read_files(paths, how=how, **options, progress=progress)
        return self._add(paths.texts, paths.records, paths, progress)

    def build_index(self, *, progress: bool | None = None) -> str:
        """Build the index now instead of at the first search; what it is, in words.

        Up to 2**26 numbers (26,000 vectors of 2,560 dimensions) every text is compared. Beyond, codes
        of 4 bits find candidates, which are then compared in full. How many are needed is found out
        on 256 of the vectors themselves, against an exact search, for a recall of at least 0.995 of the
        best 5; where that is not reached, search stays exact.
        """
        if len(self):
            self._indexes.choose(progress=progress)
        return self._indexes.describe()

    def remove(
        self, indices: int | npt.ArrayLike | None = None, *, where: Mapping[str, Any] | None = None
    ) -> int:
        """Remove texts, and their vectors with them; those after them move up.

        Parameters
        ----------
        indices : int, sequence of int, or boolean mask
            Row numbers, or a value for each row, such as ``kb.metadata["city"] == "上海"``.
        where : mapping
            Removes the rows whose metadata has all these values, such as ``{"source": "jds.csv"}``.

        Returns
        -------
        int
            How many were removed.

        Raises
        ------
        InputError
            If there is no such row or no such column.
        StoreError
            If the folder cannot be written, or another process has moved the rows meanwhile.
        """
        if (indices is None) == (where is None):
            raise InputError(_("Say what to remove either by row numbers or by where=."))
        generation = self._store.state.generation
        rows = row_numbers([] if indices is None else indices, len(self))
        with self._store.changing():
            if where is not None:
                rows = self._store.matching(where)
            elif self._store.state.generation != generation:
                raise StoreError(
                    _(
                        "Another process has removed or re-encoded rows since this knowledge base was "
                        "opened, so row numbers have moved; nothing was removed. Look the rows up again."
                    )
                )
            rows = np.unique(rows)
            if len(rows):
                self._store.remove(rows)
        return len(rows)

    def export(self, path: str | Path) -> Path:
        """Write texts and metadata to a .csv, .xlsx, .jsonl or .parquet file.

        See :func:`~workbench.files.exporting.export_frame`.
        """
        from workbench.files.exporting import export_frame

        return export_frame(self.frame, path)

    def info(self) -> KnowledgeBaseInfo:
        """How much it holds, of which encoder, and how it is searched; no encoder is loaded for that."""
        state = self._store.state
        return KnowledgeBaseInfo(
            folder=self._store.address,
            n=len(self),
            dimension=state.dimension,
            encoder=state.encoder["name"],
            fingerprint=state.encoder["fingerprint"],
            bytes=self._store.n_bytes,
            index=self._indexes.describe(),
            recall=self._indexes.recall,
            created=state.created,
            changed=state.changed,
        )

    def check_encoder(self, encoder: Encoder | str) -> None:
        """Refuse an encoder that the knowledge base was not built with.

        Raises
        ------
        EncoderMismatchError
            If its fingerprint is another.
        """
        check_same(load_encoder(encoder), self._store.state.encoder, self._store.address, len(self))

    def __repr__(self) -> str:
        built, address = self._store.state.encoder, self._store.address
        said = [
            ngettext("{n} text", "{n} texts", len(self)).format(n=f"{len(self):,}"),
            f"{built['name']} [{built['fingerprint']}]",
            self._indexes.describe(),
        ]
        return f"<KnowledgeBase{f' {address}' if address else ''}: {', '.join(said)}>"

    def _repr_html_(self) -> str:
        return render(
            "retrieval/knowledge_base.html",
            info=self.info()._repr_html_(),
            texts=self._store.contents.texts[:SHOWN_TEXTS],
            more=max(0, len(self) - SHOWN_TEXTS),
        )

    def _add(
        self, items: list[str], records: list[Record], read: FilesRead, progress: bool | None
    ) -> AddReport:
        check = self.check_encoder
        return add_new(self._store, self.encoder, items, records, read, check=check, progress=progress)
