"""What a visitor's kernel shows: the panels, one a page, each made when it is first opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import anywidget
import ipywidgets as widgets
import traitlets

from workbench.app.encoder import SharedEncoder
from workbench.html import render
from workbench.i18n import Language, current_language, language
from workbench.i18n import gettext as _
from workbench.panels.panel import Panel, of_class
from workbench.panels.search_panel import SearchPanel


class Shell(anywidget.AnyWidget):  # type: ignore[misc]
    """Which page is open, and in which language, as the header of the document says."""

    _esm = Path(__file__).with_name("shell.js")
    page = traitlets.Unicode().tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)


class Page:
    """All pages of one visitor.

    Attributes
    ----------
    panels : dict of str to Panel
        Those that were opened.
    """

    def __init__(self) -> None:
        self.encoder = SharedEncoder()
        self.shell = Shell(language=current_language())
        self.panels: dict[str, Panel] = {}
        self.rooms = {name: of_class(widgets.VBox(), "wb-room") for name in self._makers}
        self.root = of_class(widgets.VBox([self.shell, *self.rooms.values()]), "wb-rooms")
        self.shell.observe(self._turn, ["page", "language"])
        # The page that most open first, before anybody has come.
        self._open("search")

    @property
    def _makers(self) -> dict[str, Callable[[], Panel]]:
        return {
            "search": lambda: SearchPanel(encoder=self.encoder),
            "rank": self._rank,
            "label": self._label,
            "cutoff": self._cutoff,
        }

    # What these load takes as long again as the first page, so they load it once somebody comes.
    def _rank(self) -> Panel:
        from workbench.panels.rank_panel import RankPanel
        from workbench.scorers.relative import RelativeScorer

        return RankPanel(RelativeScorer(self.encoder))

    def _label(self) -> Panel:
        from workbench.app.rooms import LabelRoom

        return LabelRoom()

    def _cutoff(self) -> Panel:
        from workbench.app.rooms import CutoffRoom

        return CutoffRoom(self.encoder)

    def _turn(self, _change: Any) -> None:
        self._open(self.shell.page if self.shell.page in self.rooms else "search")

    def _open(self, name: str) -> None:
        spoken = cast(Language, self.shell.language)
        with language(spoken):
            if name not in self.panels:
                self.rooms[name].children = [widgets.HTML(render("panels/note.html", text=_("Opening …")))]
            for each, room in self.rooms.items():
                room.layout.display = None if each == name else "none"
            if name not in self.panels:
                self.panels[name] = self._makers[name]()
                self.rooms[name].children = [self.panels[name].widgets.root]
        for panel in self.panels.values():
            panel.widgets.language.value = spoken

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.root._repr_mimebundle_(**options)
        return bundle
