"""Writing files whole and private: a reader sees old content or new, never a half, and is their owner.

The content goes to a temporary file in the same folder first, which then takes the target's place. Whatever
the umask says, only their owner may read files (0600) and enter folders that are made for them (0700). What
a killed process leaves is told by a lock that it no longer has; Windows has none of the kind.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import StoreError, WorkbenchError
from workbench.i18n import gettext as _
from workbench.settings import get_settings

if sys.platform != "win32":
    import fcntl


LOCK_SECONDS = 10.0
# Where texts may lie, in the cache folder: every file that was ever written, each path with a NUL after it.
WRITTEN = "written"
_remembered: set[tuple[int, bytes]] = set()
# What a temporary folder of ours is named, and holds.
PREFIX, MARK = "workbench-", ".workbench"


def written() -> set[Path]:
    """All files that the workbench has ever written for this user, so that it can look there to forget."""
    try:
        return {Path(os.fsdecode(path)) for path in _list().read_bytes().split(b"\0")[:-1]}
    except FileNotFoundError:
        return set()


def no_longer_written(gone: Set[Path]) -> None:
    """Files that are gone are not known any more, not even by their names."""
    # What another process notes meanwhile must not be lost.
    with _open_list(), _draft(_list()) as draft:
        draft.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in sorted(written() - gone)))
        draft.replace(_list())


def private_opener(path: str, flags: int) -> int:
    """For :func:`open`: a file that is made is its owner's only, and is remembered as written."""
    _remember(path)
    return os.open(path, flags, 0o600)


def private_file(path: Path) -> None:
    """Make an empty file that is its owner's only, if none is there and one can be made."""
    # One that is there is not opened: to close it would take SQLite's locks from it.
    with suppress(OSError):
        os.close(private_opener(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def _list() -> Path:
    return get_settings().cache_dir / WRITTEN


def _remember(path: str | Path) -> None:
    """Before it is written, so that what a killed process leaves is known, too."""
    name = os.fsencode(Path(path).absolute()) + b"\0"
    # What cannot be noted must not keep anything from being written.
    with suppress(OSError, WorkbenchError):
        private_folder(_list().parent)
        with _open_list() as descriptor:
            entry = os.fstat(descriptor).st_ino, name
            if entry not in _remembered:
                os.write(descriptor, name)
                _remembered.add(entry)


@contextmanager
def _open_list() -> Iterator[int]:
    """The list, to append to; nobody else has it open for that meanwhile."""
    while True:
        descriptor = os.open(_list(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if not os.path.samestat(os.fstat(descriptor), _list().stat()):
                    continue  # another list has taken its place
            yield descriptor
            return
        finally:
            os.close(descriptor)


def private_folder(path: Path) -> None:
    """Make a folder, and those on the way to it, that only their owner may enter; others stay as they are."""
    if path.is_dir():
        return
    if path.exists():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def only_writer(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep other processes from a file; the system frees the lock if this one is killed.

    `seconds` is how long to wait for another one.

    Raises
    ------
    StoreError
        If another one keeps it for long, or the file cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        private_folder(path.parent)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=seconds, mode=0o600):
            yield
    except Timeout:
        raise StoreError(
            _("Another process is writing to {file}; nothing was saved. Try again.").format(file=path.name)
        ) from None
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            _(
                "{file} cannot be written ({error}); the last step was not saved. Make room, or get "
                "permission to write there."
            ).format(file=path, error=error.strerror or error)
        ) from error


def write_whole(path: str | Path, content: str | bytes) -> Path:
    """Write `content` (text as UTF-8) to `path`; folders on the way are made.

    Raises
    ------
    StoreError
        If the folder cannot be made or written, or the disk is full; what was there before stays.
    """
    with replacing(path) as draft:
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(path)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A draft for the block to write, which takes the place of `path` if the block ends without error.

    For libraries that want a file name; the draft has the suffix of `path`, by which they choose the
    format. Folders on the way are made. The draft is on disk before it counts, so that not even a
    power failure leaves half a file.

    Raises
    ------
    StoreError
        If the folder cannot be made or written, or the disk is full; what was there before stays.
    """
    target = Path(path)
    try:
        private_folder(target.parent)
        _remember(target)
        with _draft(target) as draft:
            yield draft
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(target)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            _("{file} cannot be written ({reason}); choose another folder, or free it for writing.").format(
                file=target, reason=error.strerror or error
            )
        ) from error


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """An empty draft of a file, gone afterwards; those that killed processes have left are removed.

    It is locked while it is written, and the system frees the lock of a process that is killed. Windows
    has no such locks; drafts of killed processes stay there.
    """
    start = f".{target.name}.draft-"
    for left in target.parent.glob(f"{glob.escape(start)}*"):
        with suppress(OSError), left.open("rb") as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
    while True:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=start, suffix=target.suffix)
        try:
            if sys.platform == "win32":
                os.close(descriptor)  # what is open takes nobody's place
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not Path(name).exists():
                continue  # another writer came between and took it for one that was left
            yield Path(name)
            return
        finally:
            Path(name).unlink(missing_ok=True)
            if sys.platform != "win32":
                os.close(descriptor)


class WorkFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that goes with this object, or by :func:`remove_left` if its process was killed."""

    def __init__(self, place: str | None = None) -> None:
        super().__init__(prefix=PREFIX, dir=place)
        if sys.platform != "win32":
            held = os.open(self.name, os.O_RDONLY)
            weakref.finalize(self, os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX)
            # Last: without it, nobody takes the folder for one that was left. No file, for whoever reads all.
            os.mkdir(MARK, dir_fd=held)


def remove_left() -> None:
    """Remove the temporary folders of processes that were killed: of this user, and no links."""
    if sys.platform == "win32":
        return
    places = map(Path, {tempfile.gettempdir(), "/tmp"})
    for folder in (folder for place in places for folder in place.glob(f"{PREFIX}*")):
        with suppress(OSError):
            found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                marked = os.stat(MARK, dir_fd=found, follow_symlinks=False)
                if marked.st_uid == os.fstat(found).st_uid == os.getuid():
                    fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
            finally:
                os.close(found)
