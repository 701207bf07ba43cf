"""One progress bar for all long acts: shown as the caller, else the settings, else the screen says.

A page has none of its own to draw on: it listens with :func:`heard_by`, and may end what it hears of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from workbench.i18n import pgettext
from workbench.settings import get_settings
from workbench.visible import visible

# Told what is done, how many steps of it, and of how many.
Listener = Callable[[str, int, int], object]

# Fewer texts are encoded before a bar could be read.
SHORT = 64

_listener: ContextVar[Listener | None] = ContextVar("workbench_progress", default=None)


def progress_bar(
    total: int, what: str, progress: bool | None, *, unit: str | None = None, short: int = 0
) -> Any:
    """A tqdm bar over `total` steps, texts by default, that leaves nothing behind.

    Without word from caller or settings, it is not shown for fewer than `short` steps.
    """
    if (listener := _listener.get()) is not None:
        return _Heard(total, what, listener)
    disabled = hidden(progress)
    if disabled or (disabled is None and total < short):
        return _Heard(total, what, lambda *_told: None)
    from tqdm.auto import tqdm

    unit = pgettext("unit of a progress bar", "text") if unit is None else unit
    return tqdm(total=total, desc=visible(what), unit=unit, disable=disabled, leave=False)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Inside the ``with`` block, tell `listener` of each step instead of drawing a bar.

    What it raises ends the act between two steps.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(what: str = "", done: int = 0, total: int = 0) -> None:
    """Tell who listens, if anybody, of a step for which no bar is drawn; without a name, that one is done."""
    if (listener := _listener.get()) is not None:
        listener(what, done, total)


class _Heard:
    """What :func:`progress_bar` gives where somebody listens, or none is shown; of tqdm what is used."""

    def __init__(self, total: int, what: str, listener: Listener) -> None:
        self._total, self._what, self._listener, self._done = total, what, listener, 0
        self.update(0)

    def update(self, n: int = 1) -> None:
        self._done += n
        self._listener(self._what, self._done, self._total)

    def close(self) -> None:
        pass

    def __enter__(self) -> _Heard:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


def hidden(progress: bool | None) -> bool | None:
    """The ``disable`` of tqdm; None lets it hide the bar where there is neither terminal nor notebook."""
    shown = get_settings().progress if progress is None else progress
    return None if shown is None else not shown
