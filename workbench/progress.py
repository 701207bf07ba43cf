"""One progress bar for all long acts: shown as the caller, else the settings, else the screen says."""

from __future__ import annotations

from typing import Any

from workbench.i18n import pgettext
from workbench.settings import get_settings

__all__ = ["SHORT", "hidden", "progress_bar"]

# Fewer texts are encoded before a bar could be read.
SHORT = 64


def progress_bar(
    total: int, what: str, progress: bool | None, *, unit: str | None = None, short: int = 0
) -> Any:
    """A tqdm bar over `total` steps, texts by default, that leaves nothing behind.

    Without word from caller or settings, it is not shown for fewer than `short` steps.
    """
    from tqdm.auto import tqdm

    disabled = hidden(progress)
    if disabled is None and total < short:
        disabled = True
    unit = pgettext("unit of a progress bar", "text") if unit is None else unit
    return tqdm(total=total, desc=what, unit=unit, disable=disabled, leave=False)


def hidden(progress: bool | None) -> bool | None:
    """The ``disable`` of tqdm; None lets it hide the bar where there is neither terminal nor notebook."""
    shown = get_settings().progress if progress is None else progress
    return None if shown is None else not shown
