"""An encoder that looks into the embedding store first and encodes only what is not there."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import BaseEncoder, Role, Vectors, check_texts, distinct_texts
from workbench.encoders.store import EmbeddingStore
from workbench.errors import StoreError
from workbench.i18n import gettext as _
from workbench.progress import SHORT, progress_bar


class StoredEncoder:
    """An :class:`~workbench.encoders.base.Encoder` whose vectors are kept in a store.

    Each distinct text is encoded once, ever. Every batch is stored as soon as it is there, before
    progress is reported, so that an interruption loses one batch at most; running again goes on
    from where it stopped.

    Parameters
    ----------
    encoder : BaseEncoder
        Encodes what is not stored yet.
    store : EmbeddingStore
    required : bool
        Whether a store that fails is an error. If False, a warning says so once, and encoding goes on
        without the store.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.encoders.universal import UniversalSentenceEncoder
    >>> folder = tempfile.TemporaryDirectory()
    >>> with EmbeddingStore(folder.name + "/embeddings.sqlite") as store:
    ...     encoder = StoredEncoder(UniversalSentenceEncoder(), store)
    ...     vectors = encoder.encode_documents(["RAG", "Java", "RAG"])
    ...     print(store.statistics().n_embeddings)
    2
    >>> folder.cleanup()
    """

    def __init__(self, encoder: BaseEncoder, store: EmbeddingStore, *, required: bool = True) -> None:
        self.encoder = encoder
        self.store = store
        self.required = required
        self._given_up = False

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def dimension(self) -> int:
        return self.encoder.dimension

    @property
    def instruction(self) -> str | None:
        return self.encoder.instruction

    @property
    def recipe(self) -> Mapping[str, Any]:
        return self.encoder.recipe

    @property
    def fingerprint(self) -> str:
        return self.encoder.fingerprint

    @property
    def device(self) -> str:
        return self.encoder.device

    @property
    def chosen_because(self) -> str | None:
        """Why this encoder was taken, where the workbench chose it."""
        return self.encoder.chosen_because

    def encode_documents(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        """Encode knowledge-base texts; as :meth:`BaseEncoder.encode_documents`."""
        return self._encode(texts, "document", progress)

    def encode_queries(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        """Encode queries; as :meth:`BaseEncoder.encode_queries`."""
        return self._encode(texts, "query", progress)

    def _encode(self, texts: Sequence[str], role: Role, progress: bool | None) -> Vectors:
        check_texts(texts)
        if not len(texts):
            return np.empty((0, self.dimension), dtype=np.float32)
        distinct, rows = distinct_texts(texts)
        vectors, known = self._read(distinct, role)
        missing = np.flatnonzero(~known)
        if len(missing):
            first_place = np.unique(rows, return_index=True)[1]
            with progress_bar(len(missing), self.name, progress, short=SHORT) as bar:
                batches = self.encoder.checked_batches(
                    [distinct[row] for row in missing], role, places=first_place[missing].tolist()
                )
                for positions, batch in batches:
                    done = missing[positions]
                    self._write([distinct[row] for row in done], batch, role)
                    vectors[done] = batch
                    bar.update(len(positions))
        return vectors if len(distinct) == len(texts) else vectors[rows]

    def _read(self, texts: list[str], role: Role) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        if not self._given_up:
            try:
                return self.store.get(self.fingerprint, role, texts, dimension=self.dimension)
            except StoreError as error:
                self._give_up(error)
        return np.empty((len(texts), self.dimension), dtype=np.float32), np.zeros(len(texts), dtype=bool)

    def _write(self, texts: list[str], vectors: Vectors, role: Role) -> None:
        if self._given_up:
            return
        try:
            self.store.put(self.fingerprint, role, texts, vectors, name=self.name)
        except StoreError as error:
            self._give_up(error)

    def _give_up(self, error: StoreError) -> None:
        if self.required:
            raise error
        self._given_up = True
        warnings.warn(_("Encoding without the embedding store. {reason}").format(reason=error), stacklevel=5)

    def __repr__(self) -> str:
        # Without the path: a report that is passed on should not tell whose folder it was.
        said = _("vectors are stored")
        return f"{repr(self.encoder)[:-1]}, {said}>"
