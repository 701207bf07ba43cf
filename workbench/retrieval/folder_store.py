"""Rows of a knowledge base in a folder.

Texts and metadata are in one SQLite file, vectors in an ``.npy`` file beside it. A change writes vectors
where no reader looks, then a transaction makes them count; so it is visible entirely or not at all, whenever
the process or the machine stops. Vectors are only appended to; removing and re-encoding write a new
generation of them into another file.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from workbench.atomic import private_folder, private_opener
from workbench.encoders.base import Vectors
from workbench.encoders.lookup import KNOWLEDGE_BASE_FILE, text_key, vectors_file
from workbench.errors import StoreError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.retrieval.approximate import IndexRecord
from workbench.retrieval.rows_file import (
    RowsFile,
    advice,
    checksum,
    damaged,
    explained,
    insert_rows,
    keep_codes,
    keep_parts,
    keep_state,
    read_codes,
    read_parts,
    read_rows,
    read_state,
)
from workbench.retrieval.storage import Contents, State, Store, now

# The file is locked while rows are written, not while texts are encoded.
LOCK_SECONDS = 10.0
BLOCK = 4096
_VECTORS = re.compile(r"vectors-\d{6,}\.npy")


class FolderStore(Store):
    """Rows in a folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    StoreError
        If there is no knowledge base, a file is missing or too short, or texts or metadata do not fit
        their checksum. Of the vectors only the number is checked, :meth:`check_vectors` reads them.
    """

    folder: Path

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection: sqlite3.Connection | None = None
        with (
            explained(folder, "read"),
            RowsFile.at(folder, LOCK_SECONDS) as file,
            file.one_state() as connection,
        ):
            self.state = self._state(connection)
            self.contents = self._rows(connection)
        if any(self._debris()):
            # Unless somebody is writing just now, whose it may be.
            with suppress(StoreError), RowsFile.at(folder, 0.0) as file, file.writing() as connection:
                if self._state(connection).revision == self.state.revision:
                    self._remove_debris()

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether there is a knowledge base in the folder.

        Raises
        ------
        StoreError
            If the path is not a folder, or holds a knowledge base without its SQLite file.
        """
        with explained(folder, "read"):
            if folder.exists() and not folder.is_dir():
                raise StoreError(
                    _("{path} is a file; a knowledge base is a folder: choose another path.").format(
                        path=folder
                    )
                )
            if _has_rows(folder):
                return True
            orphans = sorted(path.name for path in folder.glob("*") if _VECTORS.fullmatch(path.name))
        if orphans:
            raise StoreError(
                _("{folder} holds a knowledge base ({files}) whose {missing} is missing. {advice}").format(
                    folder=folder, files=listed(orphans), missing=KNOWLEDGE_BASE_FILE, advice=advice()
                )
            )
        return False

    @classmethod
    def create(cls, folder: Path, encoder: Mapping[str, Any]) -> FolderStore:
        """An empty knowledge base; or the one that another process has made meanwhile."""
        with explained(folder, "created"):
            private_folder(folder)
        with (
            explained(folder, "written"),
            RowsFile.at(folder, LOCK_SECONDS, create=True) as file,
            file.writing() as connection,
        ):
            if read_state(connection) is None:
                keep_state(connection, State(encoder))
        return cls(folder)

    @property
    def n_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, with the newest contents; what is done inside is written when the block ends.

        Raises
        ------
        StoreError
            If another process is writing for longer than ten seconds, or the folder cannot be written.
        """
        before = self.state, self.contents
        try:
            with (
                explained(self.folder, "written"),
                self._file() as file,
                file.writing() as self._connection,
            ):
                revision, self.state = self.state.revision, self._state(self._connection)
                if self.state.revision != revision:
                    self.contents = self._rows(self._connection)
                before = self.state, self.contents
                self._remove_debris()
                yield
        except BaseException:
            self.state, self.contents = before
            raise
        finally:
            self._connection = None
        if self.state.generation != before[0].generation:
            _remove(self.folder / vectors_file(before[0].generation))

    def append(self, more: Contents) -> None:
        """Add rows at the end: first the vectors, then the rest, which makes them count."""
        old, n = self.state, len(self.contents)
        vectors = np.ascontiguousarray(more.vectors, dtype="<f4")
        header = _npy_header(n + len(more), old.dimension)
        counted = n and len(header) + n * old.dimension * 4
        with _opened_at(self.folder / vectors_file(old.generation), counted) as file:
            if not n:
                file.write(header)
            file.write(vectors.data)
            # The count in the header is for np.load; what counts is the number of texts.
            file.seek(0)
            file.write(header)
        insert_rows(self._writing(), n, more.texts, more.records)
        keep_parts(self._writing(), more.texts, more.parts, anew=not n)
        self._keep_state(
            replace(
                old,
                changed=now(),
                revision=old.revision + 1,
                texts_crc32=checksum(more.texts, old.texts_crc32),
                metadata_crc32=checksum(more.records.kept, old.metadata_crc32),
                vectors_crc32=zlib.crc32(vectors.data, old.vectors_crc32),
            )
        )
        mapped = _mapped(self.folder, self.state, n + len(more))
        self.contents = self.contents.followed_by(more, mapped)

    def rewrite(self, contents: Contents, encoder: Mapping[str, Any] | None = None) -> None:
        """Put other rows, perhaps of another encoder, in the place of all, as a new generation.

        Raises
        ------
        StoreError
            If vectors are kept that are damaged: with a new checksum they would count as sound.
        """
        if encoder is None:
            self.check_vectors()
        self._writing().execute("DELETE FROM document")
        keep_codes(self._writing(), None)
        super().rewrite(contents, encoder)

    def forget(self, gone: Callable[[bytes], bool]) -> int:
        """Erase texts, by their keys, with whatever killed processes have left of any; returns how many.

        Raises
        ------
        StoreError
            If the folder cannot be written, another process is writing, or the vectors are damaged.
        """
        with self.changing():
            texts = self.contents.texts
            left = np.flatnonzero([not gone(text_key(text)) for text in texts])
            removed = len(texts) - len(left)
            if removed:
                self.rewrite(self.contents.only(left))
        with explained(self.folder, "written"), self._file() as file:
            file.compact()
        return removed

    def check_vectors(self) -> None:
        """Read all vectors and compare them with their checksum.

        Raises
        ------
        StoreError
            If they do not fit.
        """
        vectors, found = self.contents.vectors, 0
        for start in range(0, len(vectors), BLOCK):
            found = zlib.crc32(np.ascontiguousarray(vectors[start : start + BLOCK]).data, found)
        if found != self.state.vectors_crc32:
            raise damaged(self.folder / vectors_file(self.state.generation), _("its checksum does not fit"))

    def read_codes(self) -> bytes | None:
        """The index that the state speaks of; None if it is not there, or is not the same any more."""
        if self.state.index is None:
            return None
        with (
            suppress(StoreError),
            self._file() as file,
            file.reading() as connection,
        ):
            codes = read_codes(connection)
            if codes and hashlib.sha256(codes).hexdigest() == self.state.index.sha256:
                return codes
        return None

    def keep_index(self, record: IndexRecord, codes: bytes | None, generation: int) -> None:
        """Keep an index over rows of a generation, unless another one has come since.

        Raises
        ------
        StoreError
            If another process is writing for longer than ten seconds, or the folder cannot be written.
        """
        with self.changing():
            if self.state.generation != generation:
                return
            keep_codes(self._writing(), codes)
            self._keep_state(replace(self.state, index=record))

    def _state(self, connection: sqlite3.Connection) -> State:
        state = read_state(connection)
        if state is None:
            raise damaged(self.folder / KNOWLEDGE_BASE_FILE, _("it is empty"))
        return state

    def _rows(self, connection: sqlite3.Connection) -> Contents:
        """The rows of the state that is known; their vectors stay on disk while the SQLite file is read."""
        texts, records = read_rows(connection)
        expected = self.state.texts_crc32, self.state.metadata_crc32
        if (checksum(texts), checksum(records.kept)) != expected:
            raise damaged(self.folder / KNOWLEDGE_BASE_FILE, _("its checksum does not fit"))
        vectors = _mapped(self.folder, self.state, len(texts))
        return Contents(texts, records, vectors, read_parts(connection, self.state.dimension))

    def _writing(self) -> sqlite3.Connection:
        assert self._connection is not None, "rows are only changed inside `with store.changing()`"
        return self._connection

    def _keep_state(self, state: State) -> None:
        keep_state(self._writing(), state)
        self.state = state

    def _remove_debris(self) -> None:
        """Remove what killed processes have left; the lock is held."""
        for path in self._debris():
            _remove(path)
        n, current = len(self.contents), self.folder / vectors_file(self.state.generation)
        counted = n and _size(n, self.state.dimension)
        with suppress(OSError):
            if current.stat().st_size > counted:
                os.truncate(current, counted)

    def _debris(self) -> list[Path]:
        """Vectors of other generations than that of the state."""
        current = vectors_file(self.state.generation)
        found = self.folder.iterdir()
        return [path for path in found if _VECTORS.fullmatch(path.name) and path.name != current]

    def _file(self) -> RowsFile:
        return RowsFile.at(self.folder, LOCK_SECONDS)


def _has_rows(folder: Path) -> bool:
    """Whether the folder's SQLite file is there and was not left empty by a killed process."""
    if not (folder / KNOWLEDGE_BASE_FILE).exists():
        return False
    with RowsFile.at(folder, LOCK_SECONDS) as file, file.reading() as connection:
        return read_state(connection) is not None


def _mapped(folder: Path, state: State, n: int) -> Vectors:
    if not n:
        return Contents.nothing(state.dimension).vectors
    path = folder / vectors_file(state.generation)
    offset, shape = len(_npy_header(n, state.dimension)), (n, state.dimension)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise StoreError(_("{path} is missing. {advice}").format(path=path, advice=advice())) from None
    if size < _size(n, state.dimension):
        raise damaged(path, _("it has fewer vectors than there are texts"))
    return np.memmap(path, dtype="<f4", mode="r", offset=offset, shape=shape)


def _size(n: int, dimension: int) -> int:
    return len(_npy_header(n, dimension)) + n * dimension * 4


def _npy_header(n: int, dimension: int) -> bytes:
    """Header of an ``.npy`` file; numpy pads it, so that its length does not depend on `n`."""
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (n, dimension)}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


@contextmanager
def _opened_at(path: Path, counted: int) -> Iterator[IO[bytes]]:
    """The file, open for writing after the bytes that count; more is left from a killed process."""
    with open(path, "r+b" if counted else "wb", opener=private_opener) as file:
        if file.seek(0, os.SEEK_END) < counted:
            raise damaged(path, _("it has fewer vectors than there are texts"))
        file.truncate(counted)
        file.seek(counted)
        yield file
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    # Windows keeps a file that another process has mapped; a later change removes it.
    with suppress(OSError):
        path.unlink(missing_ok=True)
