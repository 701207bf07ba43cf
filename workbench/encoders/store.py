"""The embedding store: one SQLite file that keeps every vector that was ever paid for.

Keyed by encoder fingerprint, role and text, so that nothing is encoded twice, in any notebook or
process. Which texts are encoded when is decided in :mod:`workbench.encoders.stored`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Role, Vectors
from workbench.encoders.database import Database
from workbench.errors import InputError

__all__ = ["EmbeddingStore", "StoreStatistics", "StoredEmbeddings"]

ROLES: dict[Role, int] = {"document": 0, "query": 1}
# Below 999, the smallest limit on bound values that SQLite was ever built with.
KEYS_A_QUERY = 500


@dataclass(frozen=True)
class StoredEmbeddings:
    """How many vectors of one encoder are stored, by role."""

    fingerprint: str
    name: str
    dimension: int
    n_documents: int
    n_queries: int


@dataclass(frozen=True)
class StoreStatistics:
    """What a store holds.

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
        """As JSON-serialisable values."""
        return {**asdict(self), "n_embeddings": self.n_embeddings}

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.n_embeddings:,} vectors, {self.size / 2**20:,.1f} MB"]
        lines += [
            f"  {e.name} [{e.fingerprint}], {e.dimension} dimensions: "
            f"{e.n_documents:,} documents, {e.n_queries:,} queries"
            for e in self.encoders
        ]
        return "\n".join(lines)


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
        self._database = Database(self.path, timeout)

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
        vectors = np.empty((len(texts), dimension), dtype=np.float32)
        known = np.zeros(len(texts), dtype=bool)
        positions: dict[bytes, list[int]] = {}
        for position, text in enumerate(texts):
            positions.setdefault(_key(text), []).append(position)
        keys = list(positions)
        with self._database.reading() as connection:
            encoder = connection.execute(
                "SELECT id FROM encoder WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
            if encoder is None:
                return vectors, known
            for start in range(0, len(keys), KEYS_A_QUERY):
                chunk = keys[start : start + KEYS_A_QUERY]
                rows = connection.execute(
                    "SELECT text_sha256, vector FROM embedding WHERE encoder = ? AND role = ? "
                    f"AND text_sha256 IN ({','.join('?' * len(chunk))})",
                    (*encoder, ROLES[role], *chunk),
                )
                for key, blob in rows:
                    if len(blob) != 4 * dimension:
                        raise self._database.damaged(
                            f"a vector of {len(blob) / 4:g} values instead of {dimension}"
                        )
                    vectors[positions[key]] = np.frombuffer(blob, dtype="<f4")
                    known[positions[key]] = True
        read = vectors if known.all() else vectors[known]
        lengths = np.einsum("ij,ij->i", read, read)
        if not np.allclose(lengths, 1, atol=1e-3):
            raise self._database.damaged("a vector that is not of unit length")
        return vectors, known

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
            raise InputError(f"{len(texts)} texts need as many rows of vectors, not shape {vectors.shape}.")
        if not np.allclose(np.einsum("ij,ij->i", vectors, vectors), 1, atol=1e-3):
            raise InputError("Only vectors of unit length are stored; normalise the rows first.")
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
                    f"{self.path} holds vectors of {dimension} values under fingerprint {fingerprint}, "
                    f"not of {vectors.shape[1]}."
                )
            connection.executemany(
                "INSERT OR IGNORE INTO embedding (encoder, role, text_sha256, vector) VALUES (?, ?, ?, ?)",
                (
                    (encoder, ROLES[role], _key(text), vector.tobytes())
                    for text, vector in zip(texts, vectors, strict=True)
                ),
            )

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
        with self._database.reading() as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def close(self) -> None:
        """Close the file; a closed store cannot be used again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EmbeddingStore({str(self.path)!r})"


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
