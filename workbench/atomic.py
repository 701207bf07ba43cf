"""Writing files whole: a reader sees the old content or the new, never a half.

The content goes to a temporary file in the same folder first, which then takes the target's place.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from workbench.errors import StoreError

__all__ = ["write_whole"]


def write_whole(path: str | Path, content: str | bytes) -> Path:
    """Write `content` (text as UTF-8) to `path`; folders on the way are made.

    Raises
    ------
    StoreError
        If the folder cannot be made or written, or the disk is full; what was there before stays.
    """
    target = Path(path)
    draft: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            draft = Path(file.name)
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
        # A temporary file is readable by its owner only; a card or report is meant to be shared.
        draft.chmod(0o644)
        draft.replace(target)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written ({error.strerror or error}); "
            "choose another folder, or free it for writing."
        ) from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    return target
