"""Rows of a knowledge base in a folder: a manifest, rows as JSON Lines, vectors as ``.npy``, an index.

Rows and vectors are only appended to; the manifest says how many of them count and is replaced as a
whole. So a change is visible entirely or not at all, whenever the process or the machine stops, and
readers never see bytes that change. Removing and re-encoding write a new generation of both files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from workbench.atomic import write_whole
from workbench.encoders.base import Vectors
from workbench.errors import StoreError
from workbench.retrieval.index_record import IndexRecord
from workbench.retrieval.manifest import MANIFEST, Manifest, now
from workbench.retrieval.records import Record
from workbench.retrieval.storage import Contents

__all__ = ["FolderStore"]

LOCK = ".lock"

# The lock is held while files are written, not while texts are encoded.
LOCK_SECONDS = 10.0
BLOCK = 4096
_ADVICE = (
    "Put the folder back from a copy; or move it away and add the texts again, which are in its "
    "rows-….jsonl (vectors that are in the embedding store are not encoded twice)."
)
_GENERATION_FILE = re.compile(r"rows-\d{6,}\.jsonl|vectors-\d{6,}\.npy|index-\d{6,}-\d+\.faiss")


class FolderStore:
    """Rows in a folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    StoreError
        If there is no knowledge base, a file is missing or too short, or the rows do not fit their
        checksum. Of the vectors only the number is checked, :meth:`check_vectors` reads them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest.read(folder)
        self.contents = self._read()

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether there is a knowledge base in the folder.

        Raises
        ------
        StoreError
            If the path is not a folder, or holds a knowledge base without its manifest.
        """
        with _explained(folder, "read"):
            if folder.exists() and not folder.is_dir():
                raise StoreError(f"{folder} is a file; a knowledge base is a folder: choose another path.")
            if (folder / MANIFEST).exists():
                return True
            orphans = sorted(path.name for path in folder.glob("*") if _GENERATION_FILE.fullmatch(path.name))
        if orphans:
            raise StoreError(
                f"{folder} holds a knowledge base ({', '.join(orphans)}) whose {MANIFEST} is missing. "
                f"{_ADVICE}"
            )
        return False

    @classmethod
    def create(cls, folder: Path, encoder: Mapping[str, Any]) -> FolderStore:
        """An empty knowledge base; or the one that another process has made meanwhile."""
        with _explained(folder, "created"):
            folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            if not cls.exists(folder):
                Manifest(encoder).write(folder)
        return cls(folder)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, with the newest contents.

        Raises
        ------
        StoreError
            If another process is writing for longer than ten seconds, or the folder cannot be written.
        """
        with _lock(self.folder):
            if self._refresh():
                self.contents = self._read()
            self._remove_debris()
            yield

    def append(self, more: Contents) -> None:
        """Add rows at the end: first the files, then the manifest, which makes them count."""
        old = self.manifest
        lines = more.to_json_lines()
        vectors = np.ascontiguousarray(more.vectors, dtype="<f4")
        header = _npy_header(old.n + len(more), old.dimension)
        with _explained(self.folder, "written"):
            with _opened_at(self.folder / old.rows_name, old.rows_bytes) as file:
                file.write(lines)
            with _opened_at(self.folder / old.vectors_name, old.n and len(header) + _size(old)) as file:
                if not old.n:
                    file.write(header)
                file.write(vectors.data)
                # The count in the header is for np.load; what counts is the manifest's.
                file.seek(0)
                file.write(header)
        manifest = replace(
            old,
            changed=now(),
            revision=old.revision + 1,
            n=old.n + len(more),
            rows_bytes=old.rows_bytes + len(lines),
            rows_crc32=zlib.crc32(lines, old.rows_crc32),
            vectors_crc32=zlib.crc32(vectors.data, old.vectors_crc32),
        )
        manifest.write(self.folder)
        self.manifest = manifest
        texts, records = self.contents.texts + more.texts, self.contents.records + more.records
        self.contents = Contents(texts, records, self._map_vectors())

    def rewrite(self, contents: Contents, encoder: Mapping[str, Any] | None = None) -> None:
        """Put other rows, perhaps of another encoder, in the place of all, as a new generation."""
        old = self.manifest, self.contents
        # The first append to a manifest that is not on disk makes both files before it is.
        self.manifest = Manifest(
            encoder or old[0].encoder,
            old[0].cleaning,
            created=old[0].created,
            revision=old[0].revision,
            generation=old[0].generation + 1,
        )
        self.contents = Contents([], [], self._map_vectors())
        try:
            self.append(contents)
        except BaseException:
            self.manifest, self.contents = old
            raise
        self._remove_debris()

    def check_vectors(self) -> None:
        """Read all vectors and compare them with their checksum.

        Raises
        ------
        StoreError
            If they do not fit.
        """
        vectors, checksum = self.contents.vectors, 0
        for start in range(0, len(vectors), BLOCK):
            checksum = zlib.crc32(np.ascontiguousarray(vectors[start : start + BLOCK]).data, checksum)
        if checksum != self.manifest.vectors_crc32:
            raise StoreError(
                f"{self.folder / self.manifest.vectors_name} is damaged: its checksum does not fit. {_ADVICE}"
            )

    def read_index(self) -> bytes | None:
        """The index that the manifest speaks of; None if it is not there, or is not the same any more."""
        record = self.manifest.index
        if record is None or record.file is None:
            return None
        try:
            content = (self.folder / record.file).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == record.sha256 else None

    def keep_index(self, record: IndexRecord, content: bytes | None, generation: int) -> None:
        """Keep an index over rows of a generation, unless another one has come since.

        Raises
        ------
        StoreError
            If another process is writing for longer than ten seconds, or the folder cannot be written.
        """
        with self.changing():
            if self.manifest.generation != generation:
                return
            if content is not None and record.file is not None:
                write_whole(self.folder / record.file, content)
            manifest = replace(self.manifest, index=record)
            manifest.write(self.folder)
            self.manifest = manifest
            self._remove_debris()

    def _refresh(self) -> bool:
        """Read the manifest again; whether another process has changed the knowledge base."""
        before, self.manifest = self.manifest, Manifest.read(self.folder)
        return self.manifest.revision != before.revision

    def _read(self) -> Contents:
        with _explained(self.folder, "read"):
            while True:
                try:
                    texts, records = self._read_rows()
                    return Contents(texts, records, self._map_vectors())
                except FileNotFoundError as error:
                    # Another process may have written a new generation since the manifest was read.
                    if not self._refresh():
                        raise StoreError(f"{error.filename} is missing. {_ADVICE}") from error

    def _remove_debris(self) -> None:
        """Remove what earlier generations and killed processes have left; the lock is held."""
        index = self.manifest.index
        current = {self.manifest.rows_name, self.manifest.vectors_name, index.file if index else None}
        for path in self.folder.iterdir():
            generation = _GENERATION_FILE.fullmatch(path.name) and path.name not in current
            if generation or path.name.startswith((f".{MANIFEST}.", ".index-")):
                # Windows keeps a file that another process has mapped; a later change removes it.
                try:
                    path.unlink(missing_ok=True)
                except OSError:
                    continue

    def _read_rows(self) -> tuple[list[str], list[Record]]:
        if not self.manifest.n:
            return [], []
        path = self.folder / self.manifest.rows_name
        with path.open("rb") as file:
            lines = file.read(self.manifest.rows_bytes)
        if zlib.crc32(lines) != self.manifest.rows_crc32:
            raise StoreError(f"{path} is damaged: its checksum does not fit. {_ADVICE}")
        rows = json.loads(b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]")
        return [row["text"] for row in rows], [row["metadata"] for row in rows]

    def _map_vectors(self) -> Vectors:
        shape = (self.manifest.n, self.manifest.dimension)
        if not self.manifest.n:
            return np.empty(shape, dtype=np.float32)
        path = self.folder / self.manifest.vectors_name
        offset = len(_npy_header(*shape))
        if path.stat().st_size < offset + _size(self.manifest):
            raise StoreError(f"{path} is damaged: it has fewer vectors than its manifest says. {_ADVICE}")
        return np.memmap(path, dtype="<f4", mode="r", offset=offset, shape=shape)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system frees if the process is killed."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=LOCK_SECONDS)
    with _explained(folder, "written"):
        try:
            lock.acquire()
        except Timeout:
            raise StoreError(
                f"Another process is writing to the knowledge base in {folder}; nothing was changed. "
                "Try again when it has finished."
            ) from None
    try:
        yield
    finally:
        lock.release()


def _npy_header(n: int, dimension: int) -> bytes:
    """Header of an ``.npy`` file; numpy pads it, so that its length does not depend on `n`."""
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (n, dimension)}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def _size(manifest: Manifest) -> int:
    return manifest.n * manifest.dimension * 4


@contextmanager
def _opened_at(path: Path, counted: int) -> Iterator[IO[bytes]]:
    """The file, open for writing after the bytes that count; more is left from a killed process."""
    with path.open("r+b" if counted else "wb") as file:
        if file.seek(0, os.SEEK_END) < counted:
            raise StoreError(f"{path} is damaged: it is shorter than its manifest says. {_ADVICE}")
        file.truncate(counted)
        file.seek(counted)
        yield file
        _sync(file)


def _sync(file: IO[bytes]) -> None:
    """Have the system put on disk what was written so far."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _explained(path: Path, done: Literal["created", "written", "read"]) -> Iterator[None]:
    """Turn the system's refusals (no permission, no room, no folder) into sentences."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        advice = {
            "created": "Choose a folder in which you may write.",
            "written": "Nothing was changed; make room, get permission to write, or choose another folder.",
            "read": "See that it is there and that you may read it.",
        }
        reason = error.strerror or error
        raise StoreError(f"{path} cannot be {done} ({reason}). {advice[done]}") from error
