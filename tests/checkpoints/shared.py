"""One checkpoint for all workers of a test session, built by whichever comes first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def build_once(base: Path, name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` of a session, filled by `build` unless another worker has done it.

    `base` is pytest's temporary folder; under xdist its parent is the one that workers share.
    """
    root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not folder.is_dir():
            unfinished = root / f"{name}.unfinished"
            unfinished.mkdir(exist_ok=True)
            build(unfinished)
            unfinished.rename(folder)
    return folder
