"""Files that were dropped on a panel, read in a thread, one drop after the other, with a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from workbench.atomic import WorkFolder
from workbench.i18n import gettext as _
from workbench.panels.file_drop import FileDrop
from workbench.panels.given import UPLOAD_FORMATS, Upload, read_uploads
from workbench.panels.panel import Panel
from workbench.panels.working import StoppedError, Work, watched

Found = Sequence[Upload | Exception]


class Reading:
    """Reads for a panel.

    Parameters
    ----------
    panel : Panel
    look : callable
        Called again and again while files are read, to show how far it is.

    Attributes
    ----------
    n : int
        Drops that wait or are being read.
    work : Work
        How far it is.
    """

    def __init__(self, panel: Panel, look: Callable[[], object]) -> None:
        self.panel, self.look = panel, look
        self.n, self.work = 0, Work()
        self._in_turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def drop(self, use: Callable[[Found], object], *, folders: bool = True) -> FileDrop:
        """A place to drop files, which are handed to `use` once they are read."""
        place = FileDrop(
            lambda refused: self._take(place, use, refused), ",".join(UPLOAD_FORMATS), folders=folders
        )
        return place

    def _take(self, drop: FileDrop, use: Callable[[Found], object], refused: str) -> None:
        with self.panel.speaking():
            self.panel.say(refused, "problem")
            if not drop.files:
                return
            folder, paths = drop.take()
            act = partial(read_uploads, paths)
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                with folder:  # nobody waits
                    use(self.work.run(act, self.panel.language))
                return
        self.n += 1
        task = loop.create_task(self._read(folder, act, use))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(
        self, folder: WorkFolder, act: Callable[[], Found], use: Callable[[Found], object]
    ) -> None:
        found: Found = ()
        said = ""
        with folder:
            async with self._in_turn:
                try:
                    found = await watched(self.work, act, self.panel.language, self._look)
                except StoppedError:
                    said = _("Stopped; nothing was added.")
        self.n -= 1
        with self.panel.speaking():
            self.panel.say(said, "caution")
            self.look()
            if found:
                use(found)

    def _look(self) -> None:
        with self.panel.speaking():
            self.look()
