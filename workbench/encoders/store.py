"""The embedding store: one SQLite file that keeps vectors, so that no text is encoded twice.

Keyed by encoder fingerprint, role and text, for any notebook or process. A knowledge base in a folder keeps
the vectors of its texts itself; the store knows the folder and looks there, so that none is kept twice.
Which texts are encoded when is decided in :mod:`workbench.encoders.stored`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench.atomic import private_folder
from workbench.encoders.base import Role, Vectors, distinct_texts
from workbench.encoders.database import Database, Trouble
from workbench.encoders.lookup import chunks, of_unit_length, text_key, vectors_in
from workbench.errors import InputError, StoreError
from workbench.i18n import gettext as _
from workbench.results import Result

ROLES: dict[Role, int] = {"document": 0, "query": 1}


@dataclass(frozen=True)
class StoredEmbeddings:
    """How many vectors of one encoder are stored, by role."""

    fingerprint: str
    name: str
    dimension: int
    n_documents: int
    n_queries: int


@dataclass(frozen=True)
class StoreStatistics(Result):
    """What a store holds; vectors that are left to knowledge bases are not counted.

    Attributes
    ----------
    path : str
    size : int
        Bytes on disk, with the write-ahead log.
    encoders : tuple of StoredEmbeddings
        In the order in which they were first stored.
    """

    path: str
    size: int
    encoders: tuple[StoredEmbeddings, ...]

    @property
    def n_embeddings(self) -> int:
        """Vectors in all."""
        return sum(encoder.n_documents + encoder.n_queries for encoder in self.encoders)

    def to_dict(self) -> dict[str, Any]:
        """All fields, and how many vectors in all."""
        return {**super().to_dict(), "n_embeddings": self.n_embeddings}

    def __str__(self) -> str:
        lines = [
            _("{path}: {n} vectors, {size} MB").format(
                path=self.path, n=f"{self.n_embeddings:,}", size=f"{self.size / 2**20:,.1f}"
            )
        ]
        for encoder in self.encoders:
            counts = _("{dimension} dimensions: {documents} documents, {queries} queries").format(
                dimension=encoder.dimension,
                documents=f"{encoder.n_documents:,}",
                queries=f"{encoder.n_queries:,}",
            )
            lines.append(f"  {encoder.name} [{encoder.fingerprint}], {counts}")
        return "\n".join(lines)


class _StoreFile(Database):
    application_id = 0x7762456D  # "wbEm"
    version = 1
    schema = """
    CREATE TABLE encoder (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                          dimension INTEGER NOT NULL);
    CREATE TABLE embedding (encoder INTEGER NOT NULL REFERENCES encoder, role INTEGER NOT NULL,
                            text_sha256 BLOB NOT NULL, vector BLOB NOT NULL,
                            UNIQUE (encoder, role, text_sha256));
    """
    additions = """
    CREATE TABLE IF NOT EXISTS knowledge_base (fingerprint TEXT NOT NULL, folder TEXT NOT NULL,
                                               UNIQUE (fingerprint, folder))
    """
    # A vector of 2560 values takes 10 kB: it should not be spread over many pages of 4 kB. The room of
    # vectors that a knowledge base has taken over is given back.
    format = ("page_size = 32768", "auto_vacuum = FULL", "journal_mode = WAL")

    def sentence(self, trouble: Trouble, reason: str) -> str:
        match trouble:
            case "closed":
                message = _("The embedding store {path} is closed; open it again.")
            case "locked":
                message = _(
                    "Another process has kept the embedding store {path} locked for more than {seconds} s; "
                    "wait until it has finished or end it, then try again."
                )
            case "full":
                message = _(
                    "There is no room left on the disk for the embedding store {path}; free some, or choose "
                    "another folder with WORKBENCH_CACHE. What was stored before is kept."
                )
            case "refused":
                message = _(
                    "The embedding store {path} cannot be opened or written ({reason}); check that the "
                    "folder is writable, choose another with WORKBENCH_CACHE, or load the encoder "
                    "without a store."
                )
            case "damaged":
                message = _(
                    "The embedding store {path} is damaged, or not an embedding store at all ({reason}). "
                    "Move the file away, with those beside it that end in -wal and -shm, and try again: a "
                    "new one is made and texts are encoded anew. Or load the encoder without a store."
                )
            case "foreign":
                message = _(
                    "{path} is another program's database, not an embedding store; choose another path."
                )
            case "newer":
                message = _(
                    "{path} is an embedding store of version {reason}, this workbench reads version "
                    "{version}. Move the file away (a new one will be made), or choose another path."
                )
        return message.format(
            path=self.path, seconds=f"{self.timeout:g}", reason=reason, version=self.version
        )


class EmbeddingStore:
    """Unit vectors on disk, keyed by encoder fingerprint, role and text.

    Several threads and processes may read and write one store at once. What :meth:`put` returned
    from is on disk: neither a killed process nor a power cut takes it away.

    Parameters
    ----------
    path : str or Path
        SQLite file; made, with its folder, if it is not there.
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    StoreError
        If the file cannot be opened or made, is damaged, or is something else. It is never
        deleted or overwritten.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with EmbeddingStore(folder.name + "/embeddings.sqlite") as store:
    ...     store.put("0123456789ab", "document", ["RAG"], np.eye(1, 3, dtype=np.float32), name="toy")
    ...     vectors, known = store.get("0123456789ab", "document", ["Java", "RAG"], dimension=3)
    >>> known.tolist(), vectors[1].tolist()
    ([False, True], [1.0, 0.0, 0.0])
    >>> folder.cleanup()
    """

    def __init__(self, path: str | Path, *, timeout: float = 30.0) -> None:
        self.path = Path(path).expanduser()
        try:
            private_folder(self.path.parent)
        except OSError as error:
            raise StoreError(
                _(
                    "The folder {folder} for the embedding store cannot be made ({reason}); choose another "
                    "with WORKBENCH_CACHE, or load the encoder without a store."
                ).format(folder=self.path.parent, reason=error.strerror or error)
            ) from error
        self._database = _StoreFile(self.path, timeout)

    def get(
        self, fingerprint: str, role: Role, texts: Sequence[str], *, dimension: int
    ) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """Read what is stored.

        Parameters
        ----------
        fingerprint : str
        role : {"query", "document"}
        texts : sequence of str
        dimension : int
            Length of a vector.

        Returns
        -------
        vectors : ndarray of float32, shape (n, dimension)
            Rows that are not known are left uninitialised.
        known : ndarray of bool, shape (n,)

        Raises
        ------
        StoreError
            If the file is damaged, or a stored vector does not have `dimension` values or unit length.
        """
        distinct, rows = distinct_texts(texts)
        vectors = np.empty((len(distinct), dimension), dtype=np.float32)
        known = np.zeros(len(distinct), dtype=bool)
        unknown = {text_key(text): place for place, text in enumerate(distinct)}
        sources = [self._stored(fingerprint, role, unknown, dimension)]
        if role == "document":
            sources.append(self._entrusted(fingerprint, unknown, dimension))
        for keys, found in chain.from_iterable(sources):
            places = [unknown.pop(key) for key in keys]
            vectors[places], known[places] = found, True
        return (vectors, known) if len(distinct) == len(texts) else (vectors[rows], known[rows])

    def put(
        self, fingerprint: str, role: Role, texts: Sequence[str], vectors: Vectors, *, name: str = ""
    ) -> None:
        """Store vectors, all or none of them; texts that are stored already keep their vector.

        Parameters
        ----------
        fingerprint : str
        role : {"query", "document"}
        texts : sequence of str
        vectors : ndarray of float32, shape (n, dimension)
            Rows of unit length, one for each text.
        name : str
            The encoder's name, for :meth:`statistics`.

        Raises
        ------
        InputError
            If there is not one row of unit length for each text.
        StoreError
            If the file cannot be written; nothing of this call is then stored.
        """
        vectors = np.asarray(vectors, dtype="<f4")
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise InputError(
                _("{n} texts need as many rows of vectors, not shape {shape}.").format(
                    n=len(texts), shape=vectors.shape
                )
            )
        if not of_unit_length(vectors).all():
            raise InputError(_("Only vectors of unit length are stored; normalise the rows first."))
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO encoder (fingerprint, name, dimension) VALUES (?, ?, ?)",
                (fingerprint, name or fingerprint, vectors.shape[1]),
            )
            encoder, dimension = connection.execute(
                "SELECT id, dimension FROM encoder WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
            if dimension != vectors.shape[1]:
                raise InputError(
                    _(
                        "{path} holds vectors of {kept} values under fingerprint {fingerprint}, "
                        "not of {given}."
                    ).format(path=self.path, kept=dimension, fingerprint=fingerprint, given=vectors.shape[1])
                )
            connection.executemany(
                "INSERT OR IGNORE INTO embedding (encoder, role, text_sha256, vector) VALUES (?, ?, ?, ?)",
                (
                    (encoder, ROLES[role], text_key(text), vector.tobytes())
                    for text, vector in zip(texts, vectors, strict=True)
                ),
            )

    def entrust(self, fingerprint: str, texts: Sequence[str], folder: Path) -> bool:
        """Leave the vectors of documents to the knowledge base in `folder`, which has them on disk.

        They are dropped here, and looked up there from now on.

        Returns
        -------
        bool
            Whether the folder was not known yet.
        """
        with self._database.writing() as connection:
            new = connection.execute(
                "INSERT OR IGNORE INTO knowledge_base VALUES (?, ?)", (fingerprint, str(folder.resolve()))
            ).rowcount
            connection.executemany(
                "DELETE FROM embedding WHERE role = 0 AND text_sha256 = ? "
                "AND encoder = (SELECT id FROM encoder WHERE fingerprint = ?)",
                ((text_key(text), fingerprint) for text in texts),
            )
        return bool(new)

    def statistics(self) -> StoreStatistics:
        """What is stored, for how many encoders, and how much room it takes."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT fingerprint, name, dimension, count(*) FILTER (WHERE role = 0), count(*) FILTER "
                "(WHERE role = 1) FROM encoder LEFT JOIN embedding ON encoder = encoder.id GROUP BY "
                "encoder.id ORDER BY encoder.id"
            ).fetchall()
            files = (Path(f"{self.path}{suffix}") for suffix in ("", "-wal"))
            size = sum(file.stat().st_size for file in files if file.exists())
        return StoreStatistics(str(self.path), size, tuple(StoredEmbeddings(*row) for row in rows))

    def clear(self, fingerprint: str | None = None) -> int:
        """Forget the vectors of one encoder, or all, and give the room back; returns how many."""
        chosen, values = ("", ()) if fingerprint is None else ("WHERE fingerprint = ?", (fingerprint,))
        with self._database.writing() as connection:
            removed = connection.execute(
                f"DELETE FROM embedding WHERE encoder IN (SELECT id FROM encoder {chosen})", values
            ).rowcount
            connection.execute(f"DELETE FROM encoder {chosen}", values)
        self._database.compact()
        return removed

    def vectors_of(self, chosen: Callable[[bytes], bool]) -> list[bytes]:
        """The vectors of texts, by their keys, of all encoders and roles, as they lie in the file."""
        with self._database.reading() as connection:
            connection.create_function("chosen", 1, chosen)
            rows = connection.execute("SELECT vector FROM embedding WHERE chosen(text_sha256)").fetchall()
        return [vector for (vector,) in rows]

    def forget(self, gone: Callable[[bytes], bool]) -> int:
        """Erase the vectors of texts, by their keys, of all encoders and roles; returns how many."""
        with self._database.writing() as connection:
            connection.create_function("gone", 1, gone)
            removed = connection.execute("DELETE FROM embedding WHERE gone(text_sha256)").rowcount
        self._database.compact()
        return removed

    def knowledge_bases(self) -> list[Path]:
        """The folders of knowledge bases that vectors were left to."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT DISTINCT folder FROM knowledge_base").fetchall()
        return [Path(folder) for (folder,) in found]

    def close(self) -> None:
        """Close the file; a closed store cannot be used again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EmbeddingStore({str(self.path)!r})"

    def _stored(
        self, fingerprint: str, role: Role, keys: Mapping[bytes, int], dimension: int
    ) -> Iterator[tuple[list[bytes], Vectors]]:
        """Those of the vectors that are in this file, some at a time."""
        with self._database.reading() as connection:
            for chunk, places in chunks(keys):
                rows = connection.execute(
                    "SELECT text_sha256, vector FROM embedding WHERE role = ? AND text_sha256 IN "
                    f"{places} AND encoder = (SELECT id FROM encoder WHERE fingerprint = ?)",
                    (ROLES[role], *chunk, fingerprint),
                ).fetchall()
                for _key, blob in rows:
                    if len(blob) != 4 * dimension:
                        raise self._damaged(
                            _("a vector of {found} values instead of {expected}").format(
                                found=f"{len(blob) / 4:g}", expected=dimension
                            )
                        )
                vectors = np.frombuffer(b"".join(blob for _key, blob in rows), "<f4").reshape(-1, dimension)
                if not of_unit_length(vectors).all():
                    raise self._damaged(_("a vector that is not of unit length"))
                yield [key for key, _blob in rows], vectors

    def _entrusted(
        self, fingerprint: str, keys: Mapping[bytes, int], dimension: int
    ) -> Iterator[tuple[list[bytes], Vectors]]:
        """Those of the vectors that knowledge bases have; one that is gone or damaged has none."""
        if not keys:
            return
        with self._database.reading() as connection:
            folders = connection.execute(
                "SELECT folder FROM knowledge_base WHERE fingerprint = ?", (fingerprint,)
            ).fetchall()
        for (folder,) in folders:
            with suppress(sqlite3.Error, OSError, EOFError, ValueError, KeyError, IndexError):
                yield from vectors_in(Path(folder), fingerprint, keys, dimension)

    def _damaged(self, what: str) -> StoreError:
        return self._database.error("damaged", what)
