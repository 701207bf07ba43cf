"""Writing files whole: a reader sees the old content or the new, never a half.

The content goes to a temporary file in the same folder first, which then takes the target's place.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import StoreError
from workbench.i18n import gettext as _

__all__ = ["replacing", "write_whole"]


def write_whole(path: str | Path, content: str | bytes, *, mode: int = 0o644) -> Path:
    """Write `content` (text as UTF-8) to `path`, with these permissions; folders on the way are made.

    Raises
    ------
    StoreError
        If the folder cannot be made or written, or the disk is full; what was there before stays.
    """
    with replacing(path, mode=mode) as draft:
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(path)


@contextmanager
def replacing(path: str | Path, *, mode: int = 0o644) -> Iterator[Path]:
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
    draft: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix, delete=False
        ) as file:
            draft = Path(file.name)
        yield draft
        # A temporary file is readable by its owner only; a report is meant to be shared.
        draft.chmod(mode)
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
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
