"""Long acts of a panel: in a thread, so that the page goes on answering, with progress and a stop."""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import ipywidgets as widgets

from workbench.errors import InputError
from workbench.i18n import Language, language
from workbench.i18n import gettext as _
from workbench.panels.panel import Panel, PanelWidgets
from workbench.progress import heard_by

# Seconds between two looks at how far it is.
LOOK = 0.15

T = TypeVar("T")


class StoppedError(InputError):
    """Somebody pressed stop."""


class Work:
    """One act at a time, and where it is.

    Attributes
    ----------
    what, done, total
        What is being done, and how many steps of it.
    """

    def __init__(self) -> None:
        self.what, self.done, self.total = "", 0, 0
        self._stop = threading.Event()

    def run(self, act: Callable[[], T], spoken: Language) -> T:
        """Do it, in a language.

        Raises
        ------
        StoppedError
            If :meth:`stop` was called.
        """
        self._stop.clear()
        self.what, self.done, self.total = "", 0, 0
        with language(spoken), heard_by(self.hear):
            return act()

    def stop(self) -> None:
        """End the act at its next step."""
        self._stop.set()

    def hear(self, what: str, done: int = 0, total: int = 0) -> None:
        """Take note of a step, if it has a name, and end the act if that was asked for."""
        if self._stop.is_set():
            raise StoppedError(_("Stopped. What was encoded is kept for the next time."))
        if what:
            self.what, self.done, self.total = what, done, total


async def watched(work: Work, act: Callable[[], T], spoken: Language, look: Callable[[], object]) -> T:
    """Do it in a thread, and look again and again how far it is.

    Raises
    ------
    StoppedError
        If it was stopped.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work.run, act, spoken))
    while not task.done():
        look()
        await asyncio.wait([task], timeout=LOOK)
    return task.result()


class WorkingWidgets(PanelWidgets):
    """With a button that starts, one that stops, and a bar."""

    def __init__(self) -> None:
        super().__init__()
        self.start = widgets.Button(button_style="primary", layout={"width": "160px"})
        self.stop = widgets.Button(icon="stop", layout={"width": "100px"})
        self.progress = widgets.IntProgress(layout={"width": "100%", "height": "10px"})


class WorkingPanel(Panel):
    """A panel whose start button does something long."""

    widgets: WorkingWidgets
    # By which the progress of encoding is known.
    encoder_name = ""

    def __init__(self, code: Language | None) -> None:
        super().__init__(code)
        self.work = Work()
        self.task: asyncio.Task[None] | None = None

    @abstractmethod
    def act(self) -> Callable[[], object]:
        """What start does: read the widgets now, return what runs in the thread."""

    def hear_work(self) -> None:
        """Listen to start and stop."""
        self.hear(self.widgets.start, lambda change: self._begin())
        self.hear(self.widgets.stop, lambda change: self.work.stop())

    def show_busy(self) -> None:
        """Show how far it is, or that there is nothing to wait for."""
        w, work, busy = self.widgets, self.work, self.task is not None
        w.start.disabled = busy
        w.show(w.stop, busy)
        w.show(w.progress, busy)
        if busy:
            w.progress.max, w.progress.value = max(work.total, 1), work.done
            counted = f" {work.done:,} / {work.total:,}" if work.total else ""
            what = _("encoding") if work.what == self.encoder_name else work.what or _("reading")
            self.say(_("Working: {what}{counted}").format(what=what, counted=counted))

    def _begin(self) -> None:
        if self.task is None:
            self.task = asyncio.ensure_future(self._drive(self.act()))

    async def _drive(self, act: Callable[[], Any]) -> None:
        said, kind = "", ""
        try:
            await watched(self.work, act, self.language, self._look)
        except StoppedError as error:
            said, kind = str(error), "caution"
        except Exception as error:
            with self.speaking():
                said, kind = self.sentence(error), "problem"
        self.task = None
        with self.speaking():
            self.say(said, kind)
            self.relabelled()
            if not said:
                self.widgets.browser.bring()

    def _look(self) -> None:
        with self.speaking():
            self.show_busy()
