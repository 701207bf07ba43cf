"""The widgets of the calibration panel and where they stand.

What they do is in :mod:`workbench.panels.calibration_panel`.
"""

from __future__ import annotations

import math

import ipywidgets as widgets

from workbench.panels.calibration_words import Words
from workbench.panels.stylesheet import STYLE

__all__ = ["CalibrationLayout"]

CARD = "reports/cutoff.json"
STEP = 0.001


class CalibrationLayout:
    """All widgets of the panel, by name; `root` holds them."""

    def __init__(self, words: Words, *, cutoff: float, low: float, high: float) -> None:
        self.language = widgets.ToggleButtons(
            options=[("中文", "zh"), ("English", "en")], value=words.language
        )
        self.title = widgets.HTML()
        self.picture, self.counts, self.cost, self.pairs, self.message = (widgets.HTML() for _ in range(5))
        wide = {"flex": "1 1 320px", "width": "auto"}
        # The front end rounds to whole steps from the minimum: they have to meet the study's cutoff.
        least = cutoff - max(math.ceil((cutoff - low) / STEP), 0) * STEP
        scale = {"min": least, "max": max(high, cutoff), "step": STEP}
        self.cutoff = widgets.FloatSlider(cutoff, **scale, readout_format=".4f", layout=wide)
        # A second slider lies over the picture, its handle a line from top to bottom: what is dragged there
        # is a slider like any other, with keys, touch and a name, and no script of ours.
        self.line = widgets.FloatSlider(cutoff, **scale, readout=False).add_class("wb-line")
        widgets.link((self.cutoff, "value"), (self.line, "value"))
        self.back = widgets.Button(icon="undo", layout={"width": "auto"})
        self.false_cost, self.missed_cost = (
            widgets.FloatSlider(
                1.0, min=0.1, max=20, step=0.1, layout=wide, style={"description_width": "initial"}
            )
            for _ in range(2)
        )
        self.path = widgets.Text(CARD, layout=wide)
        self.save = widgets.Button(button_style="primary", icon="save", layout={"width": "auto"})
        rows = (
            [self.cutoff, self.back],
            [self.false_cost, self.missed_cost, self.cost],
            [self.path, self.save],
        )
        cutoff_row, cost_row, save_row = (
            widgets.HBox(row).add_class("wb-row").add_class("wb-box").add_class("wb-toolbar") for row in rows
        )
        self.root = widgets.VBox(
            [
                widgets.HTML(STYLE, layout={"display": "none"}),
                widgets.HBox([self.title, self.language]).add_class("wb-head"),
                widgets.VBox([self.picture, self.line]).add_class("wb-plot").add_class("wb-box"),
                cutoff_row,
                self.counts,
                cost_row,
                save_row,
                self.message,
                self.pairs,
            ]
        ).add_class("wb-panel")
        self.relabel(words)

    def relabel(self, words: Words) -> None:
        """Put all fixed texts in the language of `words`."""
        self.title.value = (
            f'<div lang="{words.html_lang}"><div class="wb-title" role="heading" aria-level="2">{words.title}'
            f'</div><div class="wb-subtitle">{words.subtitle}</div></div>'
        )
        self.cutoff.description, self.back.description = words.cutoff, words.back
        self.line.tooltip = words.drag
        self.false_cost.description, self.missed_cost.description = words.false_cost, words.missed_cost
        self.path.description, self.save.description = words.path, words.save
