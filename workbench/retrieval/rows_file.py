"""The SQLite file of a knowledge base in a folder: its state, texts and metadata, and codes of its index."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Literal, Self

import numpy as np

from workbench.encoders.database import Database, Trouble
from workbench.encoders.lookup import KNOWLEDGE_BASE_FILE, of_unit_length, text_key
from workbench.errors import StoreError
from workbench.i18n import gettext as _
from workbench.retrieval.approximate import IndexRecord
from workbench.retrieval.parts import Parts
from workbench.retrieval.records import Records
from workbench.retrieval.storage import State

# A file that holds no whole document, as older ones, lacks it.
_PARTS = "parts (text_sha256 BLOB PRIMARY KEY, places BLOB NOT NULL, vectors BLOB NOT NULL)"
_AS_JSON = ("encoder", "cleaning", "index")


class RowsFile(Database):
    """The file, opened for one act."""

    application_id = 0x77624B42  # "wbKB"
    version = 1
    schema = """
    CREATE TABLE state (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), encoder TEXT NOT NULL,
                        cleaning TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL,
                        revision INTEGER NOT NULL, generation INTEGER NOT NULL,
                        texts_crc32 INTEGER NOT NULL, metadata_crc32 INTEGER NOT NULL,
                        vectors_crc32 INTEGER NOT NULL, "index" TEXT NOT NULL);
    CREATE TABLE document (row INTEGER PRIMARY KEY, text TEXT NOT NULL, metadata TEXT NOT NULL,
                           text_sha256 BLOB NOT NULL UNIQUE);
    CREATE TABLE codes (content BLOB NOT NULL)
    """
    format = ("page_size = 8192", "auto_vacuum = FULL")

    def sentence(self, trouble: Trouble, reason: str) -> str:
        match trouble:
            case "locked":
                message = _(
                    "Another process is writing to the knowledge base in {folder}; nothing was changed. Try "
                    "again when it has finished."
                )
            case "full":
                message = _(
                    "There is no room left on the disk for the knowledge base in {folder}. Nothing was "
                    "changed; make room, or choose another folder."
                )
            case "refused" | "closed":
                message = _(
                    "{path} cannot be opened or written ({reason}). Nothing was changed; see that it is "
                    "there, and get permission to write in its folder, or choose another one."
                )
            case "damaged":
                message = _("{path} is damaged: {reason}. {advice}")
            case "foreign":
                message = _(
                    "{path} is another program's database, not a knowledge base; choose another folder."
                )
            case "newer":
                message = _(
                    "{path} has version {reason}, this workbench reads version {version}: export the texts "
                    "with the workbench that wrote it, and add them to a new knowledge base."
                )
        return message.format(
            path=self.path, folder=self.path.parent, reason=reason, version=self.version, advice=advice()
        )

    @classmethod
    def at(cls, folder: Path, seconds: float, *, create: bool = False) -> Self:
        """The file in a folder; `seconds` is how long to wait for another process."""
        path = folder / KNOWLEDGE_BASE_FILE
        if not create and not path.exists():
            raise StoreError(
                _(
                    "There is no knowledge base in {folder} ({file} is missing): check the path, or make one "
                    "with KnowledgeBase.open or 'workbench kb add'."
                ).format(folder=folder, file=KNOWLEDGE_BASE_FILE)
            )
        return cls(path, seconds, create=create)


def read_state(connection: sqlite3.Connection) -> State | None:
    """The state; None where a killed process has left the file without one."""
    names = [field.name for field in fields(State)]
    columns = ", ".join(f'"{name}"' for name in names)
    found = connection.execute(f"SELECT {columns} FROM state").fetchone()
    if found is None:
        return None
    content = dict(zip(names, found, strict=True))
    try:
        for name in _AS_JSON:
            content[name] = json.loads(content[name])
        if content["index"] is not None:
            content["index"] = IndexRecord(**content["index"])
        state = State(**content)
        _named = state.encoder["name"], state.encoder["fingerprint"]
        if min(state.dimension - 1, state.revision, state.generation - 1) < 0:
            raise ValueError("a count is negative")
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"its state cannot be read: {error}") from error
    return state


def keep_state(connection: sqlite3.Connection, state: State) -> None:
    """Put a state in the place of the one that is there."""
    content = asdict(state)
    for name in _AS_JSON:
        content[name] = json.dumps(content[name], ensure_ascii=False, allow_nan=False)
    columns = ", ".join(f'"{name}"' for name in content)
    values = ", ".join(f":{name}" for name in content)
    connection.execute(f"INSERT OR REPLACE INTO state (only_one, {columns}) VALUES (1, {values})", content)


def read_rows(connection: sqlite3.Connection) -> tuple[list[str], Records]:
    """Texts and metadata, in order."""
    rows = connection.execute("SELECT text, metadata FROM document ORDER BY row").fetchall()
    return [row[0] for row in rows], Records([row[1] for row in rows])


def insert_rows(connection: sqlite3.Connection, start: int, texts: list[str], records: Records) -> None:
    """Write rows, of which the first gets the number `start`."""
    connection.executemany(
        "INSERT INTO document VALUES (?, ?, ?, ?)",
        (
            (row, text, kept, text_key(text))
            for row, (text, kept) in enumerate(zip(texts, records.kept, strict=True), start)
        ),
    )


def read_parts(connection: sqlite3.Connection, dimension: int) -> Parts:
    """The parts of the rows that are whole documents."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'parts'").fetchone():
        return Parts.of([], dimension)
    found = connection.execute(
        "SELECT row, places, vectors FROM document JOIN parts USING (text_sha256) ORDER BY row"
    ).fetchall()
    try:
        read = [
            (
                row,
                np.frombuffer(places, "<i8").reshape(-1, 2),
                np.frombuffer(vectors, "<f4").reshape(-1, dimension),
            )
            for row, places, vectors in found
        ]
        if not all(len(places) == len(vectors) > 0 for _row, places, vectors in read):
            raise ValueError("as many places as vectors were expected")
        parts = Parts.of(read, dimension)
        if not of_unit_length(parts.vectors).all():
            raise ValueError("a vector that is not of unit length")
    except ValueError as error:
        raise sqlite3.DatabaseError(f"its parts of documents cannot be read: {error}") from error
    return parts


def keep_parts(connection: sqlite3.Connection, texts: list[str], parts: Parts, *, anew: bool = False) -> None:
    """Write the parts of those of `texts` that have any; `anew` in the place of all that are there."""
    if not len(parts) and not anew:
        return
    connection.execute(f"CREATE TABLE IF NOT EXISTS {_PARTS}")
    if anew:
        connection.execute("DELETE FROM parts")
    connection.executemany(
        "INSERT OR REPLACE INTO parts VALUES (?, ?, ?)",
        (
            (text_key(texts[row]), places.astype("<i8").tobytes(), vectors.astype("<f4").tobytes())
            for row, places, vectors in parts
        ),
    )


def read_codes(connection: sqlite3.Connection) -> bytes | None:
    """The codes of the index, if there are any."""
    found = connection.execute("SELECT content FROM codes").fetchone()
    return found and bytes(found[0])


def keep_codes(connection: sqlite3.Connection, codes: bytes | None) -> None:
    """Put other codes, or none, in the place of those that are there."""
    connection.execute("DELETE FROM codes")
    if codes is not None:
        connection.execute("INSERT INTO codes VALUES (?)", (codes,))


def checksum(lines: Iterable[str], start: int = 0) -> int:
    """CRC-32 over lines that follow those with the checksum `start`."""
    return zlib.crc32("".join(f"{line}\n" for line in lines).encode(), start)


def advice() -> str:
    """What to do about a folder that is damaged."""
    return _("Put the folder back from a copy; or move it away and add the texts again.")


def damaged(path: Path, what: str) -> StoreError:
    """The error that says that a file does not hold what it should."""
    return StoreError(
        _("{path} is damaged: {reason}. {advice}").format(path=path, reason=what, advice=advice())
    )


@contextmanager
def explained(path: Path, done: Literal["created", "written", "read"]) -> Iterator[None]:
    """Turn the system's refusals (no permission, no room, no folder) into sentences."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        match done:
            case "created":
                message = _("{path} cannot be created ({reason}). Choose a folder in which you may write.")
            case "written":
                message = _(
                    "{path} cannot be written ({reason}). Nothing was changed; make room, get permission to "
                    "write, or choose another folder."
                )
            case "read":
                message = _(
                    "{path} cannot be read ({reason}). See that it is there and that you may read it."
                )
        raise StoreError(message.format(path=path, reason=error.strerror or error)) from error
