"""The widgets of the search panel and where they stand.

What they do is in :mod:`workbench.panels.search_panel`.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from workbench.panels.labels import Labels
from workbench.panels.stylesheet import STYLE

__all__ = ["UPLOAD_FORMATS", "UPLOAD_MEGABYTES", "SearchLayout"]

UPLOAD_FORMATS = (".txt", ".csv", ".xlsx", ".pdf", ".docx")
# An upload travels in one websocket message, of which Jupyter servers take 10 MiB by default.
UPLOAD_MEGABYTES = 9


class SearchLayout:
    """All widgets of the panel, by name; `root` holds them."""

    def __init__(self, labels: Labels, *, texts: str, query: str, cutoff: float, most: int) -> None:
        self.language = widgets.ToggleButtons(
            options=[("中文", "zh"), ("English", "en")], value=labels.language
        )
        self.title = widgets.HTML()
        self.texts = _field(widgets.Textarea(value=texts, rows=11, continuous_update=False)).add_class(
            "wb-grow"
        )
        self.upload = widgets.FileUpload(accept=",".join(UPLOAD_FORMATS), multiple=True)
        self.upload_hint = widgets.HTML().add_class("wb-quiet")
        # Each keystroke arrives, so that Enter can be seen: a text area tells of no keys.
        self.query = _field(widgets.Textarea(value=query, rows=5, continuous_update=True))
        self.search = widgets.Button(button_style="primary", icon="search", layout={"width": "140px"})
        self.cancel = widgets.Button(icon="stop", layout={"width": "100px"})
        self.shortcuts = widgets.HTML().add_class("wb-quiet")
        self.status = widgets.HTML()
        self.progress = widgets.IntProgress(layout={"width": "100%", "height": "10px"})
        self.message = widgets.HTML()
        self.cutoff = widgets.FloatSlider(
            cutoff,
            min=-1 if cutoff < 0 else 0,
            max=1,
            step=0.005,
            readout_format=".4f",
            layout={"flex": "1 1 230px", "width": "auto"},
        )
        self.reset = widgets.Button(icon="undo", layout={"width": "auto"})
        self.only_matches = widgets.Checkbox(indent=False, layout={"width": "auto"})
        self.contains = widgets.Text(layout={"flex": "1 1 160px", "width": "auto"})
        self.most = widgets.BoundedIntText(value=most, min=1, max=100_000, layout={"width": "auto"})
        self.export = widgets.HTML()
        self.results = widgets.HTML()
        self.chosen = widgets.Dropdown(layout={"width": "100%", "max_width": "620px"})
        self.scenes = widgets.HTML()
        # A button, since the header of an accordion cannot be reached with the keyboard.
        self.behind = widgets.ToggleButton(layout={"width": "auto"})
        self.root = self._arrange()
        self.relabel(labels)

    def relabel(self, labels: Labels) -> None:
        """Put all fixed texts in the language of `labels`."""
        self.title.value = (
            f'<div lang="{labels.html_lang}">'
            f'<div class="wb-title" role="heading" aria-level="2">{labels.title}</div>'
            f'<div class="wb-subtitle">{labels.subtitle}</div></div>'
        )
        self.texts.description, self.texts.placeholder = labels.knowledge_base, labels.knowledge_base_hint
        self.query.description, self.query.placeholder = labels.query, labels.query_hint
        self.upload.description = self.upload.tooltip = labels.upload
        hint = labels.upload_hint.format(formats=" ".join(UPLOAD_FORMATS), megabytes=UPLOAD_MEGABYTES)
        self.upload_hint.value = hint
        self.shortcuts.value = labels.shortcuts
        self.search.description = labels.search
        self.cancel.description = labels.cancel
        self.cutoff.description, self.reset.description = labels.cutoff, labels.cutoff_reset
        self.only_matches.description = labels.only_matches
        self.contains.description, self.contains.placeholder = labels.contains, labels.contains_hint
        self.most.description = labels.most
        self.chosen.description = labels.chosen
        self.behind.description = self.behind.tooltip = labels.behind

    def show(self, widget: Any, shown: bool) -> None:
        """Show or hide a widget; what is hidden cannot be reached with Tab either."""
        widget.layout.display = None if shown else "none"

    def _arrange(self) -> widgets.VBox:
        left = _box([self.texts, _row([self.upload, self.upload_hint])])
        right = _box([self.query, _row([self.search, self.cancel]), self.shortcuts])
        head = widgets.HBox([self.title, self.language]).add_class("wb-head")
        columns = widgets.HBox([left, right]).add_class("wb-columns")
        toolbar = widgets.HBox(
            [self.cutoff, self.reset, self.only_matches, self.contains, self.most, self.export]
        )
        toolbar.add_class("wb-box").add_class("wb-row").add_class("wb-toolbar")
        children = [
            widgets.HTML(STYLE, layout={"display": "none"}),
            head,
            columns,
            self.status,
            self.progress,
            self.message,
            toolbar,
            self.results,
            _box([self.behind, self.chosen, self.scenes]).add_class("wb-behind"),
        ]
        return widgets.VBox(children).add_class("wb-panel")


def _field(area: widgets.Textarea) -> widgets.Textarea:
    return area.add_class("wb-field").add_class("wb-grow")


def _box(children: list[Any]) -> widgets.VBox:
    return widgets.VBox(children).add_class("wb-box")


def _row(children: list[Any]) -> widgets.HBox:
    return widgets.HBox(children).add_class("wb-row")
