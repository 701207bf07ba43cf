"""The interactive map itself: jupyter-scatter, told what to draw and asked what is selected.

It draws with WebGL and takes 100,000 points; what it draws is made in :mod:`workbench.panels.map_points`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.errors import MissingDependencyError
from workbench.panels.map_points import ALL_COLOURS, MARKS, Drawn, Rows

__all__ = ["MapView"]

HEIGHT = 540
BUTTONS = ["pan_zoom", "lasso", "lasso_type", "divider", "full_screen", "download", "reset"]
TEXT_LINES = 10
# Radii in pixels, in the order of MARKS, for few points and for many.
SIZES_FEW = (5, 13, 9, 15, 8, 21, 15)
SIZES_MANY = (2, 9, 6, 11, 5, 19, 13)
MANY = 10_000
OPACITIES = (0.75, 1, 1, 1, 1, 1, 1)


class MapView:
    """A scatter plot of marks.

    Parameters
    ----------
    drawn : Drawn
    on_select : callable
        Called with the rows of the texts that the user has selected.

    Raises
    ------
    MissingDependencyError
        If jupyter-scatter is not installed.
    """

    def __init__(self, drawn: Drawn, on_select: Callable[[Rows], None]) -> None:
        self._drawn, self._on_select = drawn, on_select
        # What we set ourselves must not come back as the user's doing.
        self._quiet = False
        self._scatter = _scatter(drawn)
        self._scatter.widget.observe(self._selected, "selection")
        self.widget: Any = self._scatter.show(buttons=BUTTONS)
        self.widget.layout.width = "100%"

    def draw(self, drawn: Drawn, selected: Rows) -> None:
        """Draw something else in the same view, with some texts selected."""
        self._drawn = drawn
        self._quiet = True
        try:
            self._scatter.data(drawn.frame)
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


def _scatter(drawn: Drawn) -> Any:
    try:
        with warnings.catch_warnings():
            # Its code uses what newer pandas will not have.
            warnings.simplefilter("ignore")
            import jscatter
    except ImportError as error:
        raise MissingDependencyError(
            "The interactive map needs jupyter-scatter, which is not installed: run 'pip install .[map]' in "
            "the project folder. workbench.plots.plot_skill_map() draws the map without it."
        ) from error
    few = len(drawn.frame) < MANY
    scatter = jscatter.Scatter(
        data=drawn.frame,
        x="x",
        y="y",
        color_by="colour",
        color_map=list(ALL_COLOURS),
        size_by="mark",
        size_map=list(SIZES_FEW if few else SIZES_MANY),
        opacity_by="mark",
        opacity_map=list(OPACITIES),
        opacity_unselected=0.25,
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
    assert len(ALL_COLOURS) >= drawn.frame["colour"].nunique()
    assert len(MARKS) == len(OPACITIES)
    # Its own setter for this has no effect (jupyter-scatter 1.0.1).
    scatter.widget.tooltip_preview_text_lines = TEXT_LINES
    return scatter


NOT_IN_TOOLTIP = {"x", "y", "colour", "mark", "text"}
