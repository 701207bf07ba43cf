"""The interactive map itself: jupyter-scatter, told what to draw and asked what is selected.

It draws with WebGL and takes 100,000 points; what it draws is made in :mod:`workbench.panels.map_points`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import MissingDependencyError
from workbench.i18n import gettext as _
from workbench.panels.map_points import MARKS, Drawn, Rows

__all__ = ["MapView"]

HEIGHT = 540
BUTTONS = ["pan_zoom", "lasso", "lasso_type", "divider", "full_screen", "download", "reset"]
TEXT_LINES = 10
# Diameters in pixels, for few points and for many.
SIZES_FEW = dict(zip(MARKS, (5, 13, 9, 15, 8, 21, 15), strict=True))
SIZES_MANY = dict(zip(MARKS, (2, 9, 6, 11, 5, 19, 13), strict=True))
MANY = 10_000
OPACITIES = {mark: 0.75 if mark == "resume" else 1.0 for mark in MARKS}
# The front end fits a square into the height; what is wider than high is better seen across the notebook,
# which is at least this much wider.
WIDTH_TO_HEIGHT = 1.5
MARGIN = 0.06


class MapView:
    """A scatter plot of marks.

    Parameters
    ----------
    drawn : Drawn
    extent : ndarray, shape (2, 2)
        Lowest and highest x and y of all texts. It stays, so that the map does not move when other
        marks are drawn.
    on_select : callable
        Called with the rows of the texts that the user has selected.

    Raises
    ------
    MissingDependencyError
        If jupyter-scatter is not installed.
    """

    def __init__(
        self, drawn: Drawn, extent: npt.NDArray[np.float64], on_select: Callable[[Rows], None]
    ) -> None:
        self._drawn, self._on_select = drawn, on_select
        # What we set ourselves must not come back as the user's doing.
        self._quiet = False
        self._scatter = _scatter(drawn, extent)
        self._scatter.widget.observe(self._selected, "selection")
        self.widget: Any = self._scatter.show(buttons=BUTTONS)
        self.widget.layout.width = "100%"

    def draw(self, drawn: Drawn, selected: Rows) -> None:
        """Draw something else in the same view, with some texts selected."""
        self._drawn = drawn
        self._quiet = True
        try:
            # In one message, so that no mark has the colour of another for a moment.
            with self._scatter.widget.hold_sync():
                self._scatter.data(drawn.frame)
                maps = _maps(drawn)
                self._scatter.color(map=maps["color_map"])
                self._scatter.size(map=maps["size_map"])
                self._scatter.opacity(map=maps["opacity_map"])
                self._scatter.selection(drawn.marks_of(selected))
        finally:
            self._quiet = False

    def select(self, rows: Rows) -> None:
        """Select texts."""
        self._quiet = True
        try:
            self._scatter.selection(self._drawn.marks_of(rows))
        finally:
            self._quiet = False

    def _selected(self, change: Any) -> None:
        if not self._quiet:
            marks = np.asarray(change.new if change.new is not None else [], dtype=np.intp)
            rows = self._drawn.texts_of(marks[marks < len(self._drawn.rows)])
            # A lasso takes rings too, which would then be drawn over their dots.
            self.select(rows)
            self._on_select(rows)


def _maps(drawn: Drawn) -> dict[str, list[Any]]:
    """Colours, sizes and opacities in the order in which jupyter-scatter numbers categories.

    It numbers those that are there only, whatever the categories of the column (jupyter-scatter 1.0.1); the
    rest follows, since it wants at least as many as before.
    """
    colours, marks = (_those_there_first(drawn.frame[name]) for name in ("colour", "mark"))
    sizes = SIZES_FEW if len(drawn.frame) < MANY else SIZES_MANY
    return {
        "color_map": colours,
        "size_map": [sizes[mark] for mark in marks],
        "opacity_map": [OPACITIES[mark] for mark in marks],
    }


def _those_there_first(column: pd.Series[Any]) -> list[str]:
    there = set(column.unique())
    return sorted(column.cat.categories, key=lambda category: category not in there)


def _scales(extent: npt.NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """What lies at -1 and 1 of the front end, for x and y."""
    middle, half = extent.mean(axis=0), np.ptp(extent, axis=0) / 2 * (1 + MARGIN)
    half = np.where(half > 0, half, 1.0) / (WIDTH_TO_HEIGHT, 1)
    return {
        f"{axis}_scale": (float(m - h), float(m + h)) for axis, m, h in zip("xy", middle, half, strict=True)
    }


def _scatter(drawn: Drawn, extent: npt.NDArray[np.float64]) -> Any:
    try:
        with warnings.catch_warnings():
            # Its code uses what newer pandas will not have.
            warnings.simplefilter("ignore")
            import jscatter
    except ImportError as error:
        raise MissingDependencyError(
            _(
                "The interactive map needs jupyter-scatter, which is not installed: run 'pip install .[map]' "
                "in the project folder. workbench.plots.plot_skill_map() draws the map without it."
            )
        ) from error
    scatter = jscatter.Scatter(
        data=drawn.frame,
        x="x",
        y="y",
        color_by="colour",
        size_by="mark",
        opacity_by="mark",
        **_maps(drawn),
        **_scales(extent),
        opacity_unselected=0.45,
        color_selected="#000000",
        height=HEIGHT,
        axes=False,
        reticle=False,
        tooltip=True,
        tooltip_properties=[name for name in drawn.frame.columns if name not in NOT_IN_TOOLTIP],
        tooltip_preview="text",
        tooltip_preview_type="text",
        tooltip_histograms=False,
        tooltip_size="medium",
        lasso_on_long_press=True,
    )
    # Its own setter for this has no effect (jupyter-scatter 1.0.1).
    scatter.widget.tooltip_preview_text_lines = TEXT_LINES
    return scatter


NOT_IN_TOOLTIP = {"x", "y", "colour", "mark", "text"}
