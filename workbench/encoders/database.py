"""A SQLite file of the workbench: opening, transactions, and errors as sentences.

What is kept in one is said where it is kept: vectors in :mod:`workbench.encoders.store`, the texts of a
knowledge base in :mod:`workbench.retrieval.storage`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Literal, Self

from workbench.atomic import private_file
from workbench.errors import StoreError

Trouble = Literal["closed", "locked", "full", "refused", "damaged", "foreign", "newer"]


class Database(ABC):
    """A SQLite file that several threads and processes may use at once.

    A subclass says what is in it, and what to tell people when it cannot be used.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait while another process writes.
    create : bool
        Whether to make the file if it is not there.

    Raises
    ------
    StoreError
        If the file cannot be opened or made, is damaged, or is something else.
    """

    # In the file's header it says whose SQLite file this is.
    application_id: ClassVar[int]
    version: ClassVar[int]
    schema: ClassVar[str]
    # What earlier files of this version lack, and can do without.
    additions: ClassVar[str] = ""
    # Set before the first table is made, then kept by the file.
    format: ClassVar[tuple[str, ...]] = ()

    def __init__(self, path: Path, timeout: float, *, create: bool = True) -> None:
        self.path = path
        self.timeout = timeout
        self._create = create
        self._lock = threading.RLock()
        with self._errors_as_sentences():
            self._connect()

    @abstractmethod
    def sentence(self, trouble: Trouble, reason: str) -> str:
        """What is wrong, where, and what to do; `reason` is SQLite's word for it."""

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
        # IMMEDIATE takes the write lock at once, where the busy timeout applies; a reader that wants to
        # become a writer later would fail at once instead of waiting.
        with self.reading() as connection, _transaction(connection, "IMMEDIATE"):
            yield connection

    @contextmanager
    def one_state(self) -> Iterator[sqlite3.Connection]:
        """As :meth:`reading`; whatever is read belongs to one state of the file."""
        with self.reading() as connection, _transaction(connection, "DEFERRED"):
            yield connection

    def compact(self) -> None:
        """Write the file anew without what was deleted, of which pages and the write-ahead log have copies.

        Raises
        ------
        StoreError
            If another process reads or writes for longer than `timeout`.
        """
        with self.reading() as connection:
            # From here on, a file of an older workbench gives room back by itself, too.
            connection.execute("PRAGMA auto_vacuum = FULL")
            connection.execute("VACUUM")
            (busy, *_pages) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("database is locked")

    def close(self) -> None:
        """Close the file; a closed database cannot be used again."""
        with self._lock:
            self._sqlite.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def error(self, trouble: Trouble, reason: str) -> StoreError:
        return StoreError(self.sentence(trouble, reason))

    def _connect(self) -> None:
        self._process = os.getpid()
        # Of a file that may only be read, mode=rw reads.
        if self._create:
            private_file(self.path)  # SQLite gives the files beside it the same permissions.
        address = f"{self.path.absolute().as_uri()}?mode={'rwc' if self._create else 'rw'}"
        self._sqlite = sqlite3.connect(
            address, uri=True, timeout=self.timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(self._sqlite)
        except BaseException:
            self._sqlite.close()
            raise

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if _header(connection) == (0, 0) and not _tables(connection):
            for setting in self.format:
                connection.execute(f"PRAGMA {setting}")
            # Another process may be making the same file, so look again once we hold the lock.
            with _transaction(connection, "IMMEDIATE"):
                if not _tables(connection):
                    for statement in filter(str.strip, self.schema.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {self.application_id}")
                    connection.execute(f"PRAGMA user_version = {self.version}")
        application, version = _header(connection)
        if application != self.application_id:
            raise self.error("foreign", f"application {application}")
        if version != self.version:
            raise self.error("newer", str(version))
        if self.additions:
            connection.execute(self.additions)
        # What is deleted is overwritten.
        connection.execute("PRAGMA secure_delete = ON")
        # FULL costs a few milliseconds a batch and makes a batch outlast a power cut, too.
        connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _errors_as_sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:
            raise self.error("closed", str(error)) from error
        except sqlite3.OperationalError as error:
            raise self.error(_trouble(str(error)), str(error)) from error
        except sqlite3.DatabaseError as error:
            raise self.error("damaged", str(error)) from error


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: Literal["IMMEDIATE", "DEFERRED"]) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _trouble(reason: str) -> Trouble:
    if "locked" in reason or "busy" in reason:
        return "locked"
    return "full" if "full" in reason else "refused"


def _header(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def _tables(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return int(count)
