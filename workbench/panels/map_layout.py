"""The widgets of the map panel and where they stand; what they do is in :mod:`workbench.panels.map_panel`."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import ipywidgets as widgets

from workbench.panels.map_texts import MapLabels
from workbench.panels.stylesheet import STYLE

__all__ = ["MAP_STYLE", "MapLayout"]

MAP_STYLE = f"<style>{files('workbench.panels').joinpath('map.css').read_text(encoding='utf-8')}</style>"


class MapLayout:
    """All widgets of the panel, by name; `root` holds them."""

    def __init__(self, labels: MapLabels, *, k: int, searchable: bool) -> None:
        self.language = widgets.ToggleButtons(
            options=[("中文", "zh"), ("English", "en")], value=labels.language
        )
        self.title = widgets.HTML()
        self.colour = widgets.Dropdown(layout={"width": "auto"})
        self.only = widgets.Dropdown(layout={"width": "auto"})
        self.query = widgets.Text(continuous_update=False, layout={"flex": "1 1 260px", "width": "auto"})
        self.most = widgets.BoundedIntText(value=k, min=1, max=1000, layout={"width": "74px"})
        self.search = widgets.Button(button_style="primary", icon="search", layout={"width": "110px"})
        self.clear = widgets.Button(icon="times", layout={"width": "auto"})
        self.status = widgets.HTML()
        self.key = widgets.HTML()
        # Stands where the scatter plot will be.
        self.frame = widgets.VBox(layout={"width": "100%"}).add_class("wb-white")
        self.message = widgets.HTML()
        self.selection = widgets.HTML()
        self.export = widgets.HTML()
        self.use = widgets.Button(icon="database", layout={"width": "auto"})
        self.unselect = widgets.Button(icon="times", layout={"width": "auto"})
        self.results = widgets.HTML()
        self.searchers = (self.query, self.most, self.search)
        for widget in self.searchers:
            widget.disabled = not searchable
        self.root = self._arrange()
        self.relabel(labels)

    def relabel(self, labels: MapLabels) -> None:
        """Put all fixed texts in the language of `labels`."""
        self.title.value = (
            f'<div lang="{labels.html_lang}">'
            f'<div class="wb-title" role="heading" aria-level="2">{labels.title}</div>'
            f'<div class="wb-subtitle">{labels.subtitle}</div></div>'
        )
        self.colour.description, self.only.description = labels.colour, labels.show
        self.query.description, self.query.placeholder = labels.query, labels.query_hint
        self.search.description, self.clear.description = labels.search, labels.clear
        self.use.description, self.unselect.description = labels.use, labels.clear_selection

    def show(self, widget: Any, shown: bool) -> None:
        """Show or hide a widget; what is hidden cannot be reached with Tab either."""
        widget.layout.display = None if shown else "none"

    def _arrange(self) -> widgets.VBox:
        head = widgets.HBox([self.title, self.language]).add_class("wb-head")
        tools = widgets.HBox([self.query, self.most, self.search, self.clear, self.colour, self.only])
        tools.add_class("wb-box").add_class("wb-row").add_class("wb-toolbar")
        actions = widgets.HBox([self.export, self.use, self.unselect]).add_class("wb-row")
        selection = widgets.VBox([self.selection, actions]).add_class("wb-box")
        plot = widgets.VBox([self.frame, self.key]).add_class("wb-box")
        children = [
            widgets.HTML(STYLE + MAP_STYLE, layout={"display": "none"}),
            head,
            tools,
            self.message,
            plot,
            self.status,
            selection,
            self.results,
        ]
        return widgets.VBox(children).add_class("wb-panel").add_class("wb-map")
