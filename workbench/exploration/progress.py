"""Progress bars for tasks of this package that may take long."""

from __future__ import annotations

from typing import Any

from workbench.settings import get_settings

__all__ = ["hidden", "progress_bar"]


def progress_bar(total: int, what: str, progress: bool | None, *, unit: str = "step") -> Any:
    """A tqdm bar over `total` steps that leaves nothing behind; see :func:`hidden`."""
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=what, unit=unit, disable=hidden(progress), leave=False)


def hidden(progress: bool | None) -> bool | None:
    """The ``disable`` of tqdm, as the caller or else the settings say; None hides bars where nobody looks."""
    shown = get_settings().progress if progress is None else progress
    return None if shown is None else not shown
