"""Writing files so that they are whole or not there, and saying clearly why one cannot be written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from workbench.errors import StoreError

__all__ = ["explained", "replacing", "sync", "sync_folder"]

_ADVICE = {
    "created": "Choose a folder in which you may write.",
    "written": "Nothing was changed; make room, get permission to write, or choose another folder.",
    "read": "See that it is there and that you may read it.",
}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place if the block ends without an error.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    with explained(path, "written"):
        # The suffix is kept, because libraries choose the format by it.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            with temporary.open("rb+") as file:
                sync(file)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def explained(path: Path, done: Literal["created", "written", "read"]) -> Iterator[None]:
    """Turn the system's refusals (no permission, no room, no folder) into sentences."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path} cannot be {done}: {error.strerror or error}. {_ADVICE[done]}") from error


def sync(file: IO[bytes]) -> None:
    """Have the system put on disk what was written so far."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the system put on disk that files were created or replaced in a folder."""
    if os.name == "posix":  # Windows cannot open a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
