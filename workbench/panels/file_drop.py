"""A place to drop files, folders and zips of any size: they come in pieces, into a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

import anywidget
import traitlets

from workbench.atomic import WorkFolder
from workbench.i18n import gettext as _

MOST_MEGABYTES = 500


class FileDrop(anywidget.AnyWidget):  # type: ignore[misc]
    """Where files are dropped or chosen.

    Parameters
    ----------
    on_change : callable
        Called once files have come or gone; with a sentence about those that were too large, or an empty one.

    Attributes
    ----------
    folder : Path
        Holds them, in the folders that they came in, and is gone with this object.
    files : list of [str, int]
        Name and size of each.
    """

    _esm = Path(__file__).with_name("file_drop.js")
    accept = traitlets.Unicode().tag(sync=True)
    folders = traitlets.Bool().tag(sync=True)
    files = traitlets.List().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)

    def __init__(self, on_change: Callable[[str], None], accept: str = "", *, folders: bool = True) -> None:
        super().__init__(accept=accept, folders=folders)
        self._on_change = on_change
        self._temporary = WorkFolder()
        self.folder = Path(self._temporary.name)
        self._open: tuple[BinaryIO, Path, str] | None = None
        self._refused: list[str] = []
        self.on_msg(self._receive)

    def relabel(self, title: str, hint: str = "") -> None:
        """Say everything in the language now; without a hint, that files of all kinds are taken."""
        kinds = _("Word, PDF, text, e-mail, table or zip; at most {megabytes} MB a file")
        self.words = {
            "title": title,
            "hint": hint or kinds.format(megabytes=MOST_MEGABYTES),
            "files": _("Choose files"),
            "folder": _("Choose a folder"),
            "stop": _("Stop"),
            "clear": _("Remove all"),
            "sending": _("Files on their way"),
            "progress": _("{done} of {total} MB"),
            "list": _("Files: {n}, {megabytes} MB ({names})"),
        }

    def take(self) -> tuple[WorkFolder, list[Path]]:
        """Hand the files over, in a folder that whoever takes them removes; the place is empty then."""
        taken, paths = self._temporary, [self.folder / name for name, _size in self.files]
        self._temporary = WorkFolder()
        self.folder, self.files = Path(self._temporary.name), []
        return taken, paths

    def clear(self) -> None:
        """Remove all files."""
        self.take()[0].cleanup()

    def _receive(self, _widget: Any, content: Any, buffers: Any) -> None:
        match content:
            case {"kind": "begin", "name": str(name), "size": int(size)}:
                self.send({"taken": self._begin(name, size)})
                return
            case {"kind": "piece"} if self._open:
                for piece in buffers:
                    self._open[0].write(piece)
            case {"kind": "end" | "stop" as how} if self._open:
                file, path, name = self._open
                file.close()
                self._open = None
                if how == "stop":
                    path.unlink()
                else:
                    others = [each for each in self.files if each[0] != name]
                    self.files = [*others, [name, path.stat().st_size]]
            case {"kind": "done"}:
                refused, self._refused = self._refused, []
                self._on_change(" ".join(refused))
            case {"kind": "clear"}:
                self.clear()
                self._on_change("")
        self.send({"taken": True})

    def _begin(self, name: str, size: int) -> bool:
        # A browser may send any name; only folders and names below ours are taken from it.
        parts = PurePosixPath(PureWindowsPath(name).as_posix()).parts
        safe = [part for part in parts if part not in ("..", "/", "") and not part.endswith(":")]
        if not safe or safe[-1].startswith((".", "~$")):
            return False
        if size > MOST_MEGABYTES * 10**6:
            said = _("{file} is too large: at most {megabytes} MB a file.")
            self._refused.append(said.format(file=safe[-1], megabytes=MOST_MEGABYTES))
            return False
        path = self.folder.joinpath(*safe)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open = (path.open("wb"), path, "/".join(safe))
        return True
