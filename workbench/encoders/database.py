"""The SQLite file behind the embedding store: opening, transactions, and errors as sentences.

What is kept in it, and how it is looked up, is in :mod:`workbench.encoders.store`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import StoreError

__all__ = ["Database"]

# "wbEm" in the file's header says whose SQLite file it is.
APPLICATION_ID = 0x7762456D
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE encoder (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                      dimension INTEGER NOT NULL);
CREATE TABLE embedding (encoder INTEGER NOT NULL REFERENCES encoder, role INTEGER NOT NULL,
                        text_sha256 BLOB NOT NULL, vector BLOB NOT NULL,
                        UNIQUE (encoder, role, text_sha256));
"""


class Database:
    """A SQLite file in write-ahead mode that several threads and processes may use at once.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it is not there.
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    StoreError
        If the file cannot be opened or made, is damaged, or is something else.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = path
        self.timeout = timeout
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {path.parent} for the embedding store cannot be made "
                f"({error.strerror or error}); choose another with WORKBENCH_CACHE or store=, or load the "
                "encoder with store=False."
            ) from error
        with self._errors_as_sentences():
            self._connect()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for the calling thread alone; errors of SQLite become :class:`StoreError`."""
        with self._errors_as_sentences(), self._lock:
            if self._process != os.getpid():
                # SQLite forbids a child to use, or even to close, a connection carried over a fork.
                self._inherited = self._sqlite
                self._connect()
            yield self._sqlite

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """As :meth:`reading`, in one transaction: all is written, or nothing."""
        with self.reading() as connection, _transaction(connection):
            yield connection

    def close(self) -> None:
        """Close the file; a closed database cannot be used again."""
        with self._lock:
            self._sqlite.close()

    def damaged(self, what: str) -> StoreError:
        """The error that says that the file holds what it should not."""
        return StoreError(
            f"The embedding store {self.path} is damaged, or not an embedding store at all ({what}). Move "
            "the file away, with those beside it that end in -wal and -shm, and try again: a new one is made "
            "and texts are encoded anew. Or load the encoder with store=False."
        )

    def _connect(self) -> None:
        self._process = os.getpid()
        self._sqlite = sqlite3.connect(
            self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(self._sqlite)
        except BaseException:
            self._sqlite.close()
            raise

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # A vector of 2560 values takes 10 kB: it should not be spread over many pages of 4 kB.
        connection.execute("PRAGMA page_size = 32768")
        if _header(connection) == (0, 0) and not _tables(connection):
            # Another process may be making the same file, so look again once we hold the lock.
            connection.execute("PRAGMA journal_mode = WAL")
            with _transaction(connection):
                if not _tables(connection):
                    for statement in filter(str.strip, _SCHEMA.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        application, version = _header(connection)
        if application != APPLICATION_ID:
            raise StoreError(
                f"{self.path} is another program's database, not an embedding store; choose another path."
            )
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} is an embedding store of version {version}, this workbench reads version "
                f"{SCHEMA_VERSION}. Move the file away (a new one will be made), or choose another path."
            )
        # FULL costs a few milliseconds a batch and makes a batch outlast a power cut, too.
        connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _errors_as_sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:
            raise StoreError(f"The embedding store {self.path} is closed; open it again.") from error
        except sqlite3.OperationalError as error:
            raise StoreError(self._sentence(str(error))) from error
        except sqlite3.DatabaseError as error:
            raise self.damaged(str(error)) from error

    def _sentence(self, reason: str) -> str:
        if "locked" in reason or "busy" in reason:
            return (
                f"Another process has kept the embedding store {self.path} locked for more than "
                f"{self.timeout:g} s; wait until it has finished or end it, then try again."
            )
        if "full" in reason:
            return (
                f"There is no room left on the disk for the embedding store {self.path}; free some, or "
                "choose another folder with WORKBENCH_CACHE. What was stored before is kept."
            )
        return (
            f"The embedding store {self.path} cannot be opened or written ({reason}); check that the folder "
            "is writable, choose another with WORKBENCH_CACHE or store=, or load it with store=False."
        )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE takes the write lock at once, where the busy timeout applies; a reader that wants to
    # become a writer later would fail at once instead of waiting.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _header(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def _tables(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return int(count)
