"""The interactive map itself: jupyter-scatter, told what to draw and asked what is selected.

It draws with WebGL and takes 100,000 points; what it draws is made in :mod:`workbench.panels.map_points`.
Names are placed here, for its own placing knows the widths of Latin letters only.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import numpy.typing as npt
import pandas as pd
import traitlets

from workbench.errors import MissingDependencyError
from workbench.i18n import gettext as _
from workbench.panels.map_points import MARKS, Drawn, Name, Rows

# In pixels.
HEIGHT, TOOLBAR, LETTERS = 540, 40, 12.5
# Where a letter is wide, a Latin one is about half as wide.
LATIN = 0.55
LINE, ABOVE = 1.5, 7
FONT = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
BUTTONS = ["pan_zoom", "lasso", "lasso_type", "divider", "full_screen", "download", "reset"]
TEXT_LINES = 14
# Diameters in pixels, for few points and for many.
SIZES_FEW = dict(zip(MARKS, (5, 5, 13, 9, 15, 8, 21, 15), strict=True))
SIZES_MANY = dict(zip(MARKS, (2, 2, 9, 6, 11, 5, 19, 13), strict=True))
MANY = 10_000
OPACITIES = {mark: {"faint": 0.35, "resume": 0.75}.get(mark, 1.0) for mark in MARKS}
# The front end fits a square into the height; what is wider than high is better seen across the notebook,
# which is at least this much wider. On a phone it is a square.
WIDTH_TO_HEIGHT = 1.5
MARGIN = 0.06
TRIFLE = 1e-3


class Room(anywidget.AnyWidget):  # type: ignore[misc]
    """How wide the place on the page is, in pixels; 0 until that is known."""

    _esm = Path(__file__).with_name("room.js")
    width = traitlets.Int(0).tag(sync=True)

    @property
    def size(self) -> tuple[int, float]:
        """How high a map should be there, and how much wider than high its points may lie."""
        # In steps, so that a scroll bar that comes or goes does not draw the map anew.
        width = (self.width - TOOLBAR) // 20 * 20 if self.width > 2 * TOOLBAR else HEIGHT * 2
        height = int(min(HEIGHT, max(width / WIDTH_TO_HEIGHT, min(width, HEIGHT * 2 // 3))))
        return height, min(WIDTH_TO_HEIGHT, width / height)


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
    size : (int, float)
        Height in pixels, and how much wider than high points lie; of :attr:`Room.size`.

    Raises
    ------
    MissingDependencyError
        If jupyter-scatter is not installed.
    """

    def __init__(
        self,
        drawn: Drawn,
        extent: npt.NDArray[np.float64],
        on_select: Callable[[Rows], None],
        size: tuple[int, float] = (HEIGHT, WIDTH_TO_HEIGHT),
    ) -> None:
        self._drawn, self._on_select = drawn, on_select
        # What we set ourselves must not come back as the user's doing.
        self._quiet = False
        self.size = size
        self._scales = _scales(extent, size[1])
        self._scatter = _scatter(drawn, self._scales, size[0])
        self._scatter.widget.label_tile_size = size[0]
        self._scatter.widget.label_scale_function = "constant"
        # Above the middle of its texts, where often a JD lies.
        self._scatter.widget.label_align, self._scatter.widget.label_offset = "top", [0, -ABOVE]
        self._scatter.widget.label_placement = self
        self._name(drawn.names)
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
                self._name(drawn.names)
        finally:
            self._quiet = False

    def select(self, rows: Rows) -> None:
        """Select texts."""
        self._quiet = True
        try:
            self._scatter.selection(self._drawn.marks_of(rows))
        finally:
            self._quiet = False

    def get_labels_from_tiles(self, tiles: Sequence[str]) -> pd.DataFrame:
        """What jupyter-scatter asks for when the view has moved: all names, for there are few."""
        return self._labels

    def _name(self, names: Sequence[Name]) -> None:
        from jscatter.label_placement import to_js

        self._labels = labels_of(names, self._scales, self.size)
        self._scatter.widget.labels = to_js(self._labels) if len(names) else None

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
    rest follows, since it wants at least as many as before. Its front end takes a list of the same numbers in
    another order for the same list, so that each place has a trifle of its own.
    """
    colours, marks = (_those_there_first(drawn.frame[name]) for name in ("colour", "mark"))
    sizes = SIZES_FEW if len(drawn.frame) < MANY else SIZES_MANY
    return {
        "color_map": colours,
        "size_map": [sizes[mark] + TRIFLE * place for place, mark in enumerate(marks)],
        "opacity_map": [OPACITIES[mark] - TRIFLE * place for place, mark in enumerate(marks)],
    }


def _those_there_first(column: pd.Series[Any]) -> list[str]:
    there = set(column.unique())
    return sorted(column.cat.categories, key=lambda category: category not in there)


def labels_of(
    names: Sequence[Name], scales: dict[str, tuple[float, float]], size: tuple[int, float]
) -> pd.DataFrame:
    """Names where they stand, and from which zoom on there is room beside those before them.

    Parameters
    ----------
    names : sequence of Name
        The most important first.
    scales : dict
        Of the view: ``x_scale`` and ``y_scale``.
    size : (int, float)
        Of the view: :attr:`Room.size`.
    """
    (height, ratio), (low, high) = size, np.array([scales["x_scale"], scales["y_scale"]]).T
    lines = [name.text.split(" · ") for name in names]
    sizes = np.array([(max(map(_wide, each)), LINE * len(each)) for each in lines]).reshape(-1, 2) * LETTERS
    # Pixels from the middle; no name is cut by the left, right or upper edge.
    places = np.array([(name.place - low) / (high - low) - 0.5 for name in names]).reshape(-1, 2) * height
    edge = np.maximum(ratio * height / 2 - sizes[:, 0] / 2, 0)
    places[:, 0] = np.clip(places[:, 0], -edge, edge)
    places[:, 1] = np.minimum(places[:, 1], height / 2 - sizes[:, 1] - ABOVE)
    zoom_in = np.zeros(len(names))
    for name in range(1, len(names)):
        gap = np.abs(places[:name] - places[name])
        with np.errstate(divide="ignore"):
            apart = np.min((sizes[:name] + sizes[name]) / 2 / gap, axis=1)
        # One that itself appears later only is no hindrance before.
        zoom_in[name] = apart[zoom_in[:name] < apart].max(initial=0)
    return pd.DataFrame(
        {
            "label": ["\n".join(each) for each in lines],
            **dict(zip("xy", ((places / height + 0.5) * (high - low) + low).T, strict=True)),
            "zoom_in": zoom_in,
            "zoom_out": np.inf,
            "zoom_fade_extent": 1.0,
            "font_color": [name.colour for name in names],
            "font_face": FONT,
            "font_style": "normal",
            "font_weight": "600",
            "font_size": LETTERS,
        }
    )


def _wide(line: str) -> float:
    """How many letters as wide as a Chinese one."""
    return sum(1 if ord(letter) > 0x2E80 else LATIN for letter in line)


def _scales(extent: npt.NDArray[np.float64], width_to_height: float) -> dict[str, tuple[float, float]]:
    """What lies at -1 and 1 of the front end, for x and y."""
    middle, half = extent.mean(axis=0), np.ptp(extent, axis=0) / 2 * (1 + MARGIN)
    half = np.where(half > 0, half, 1.0) / (width_to_height, 1)
    return {
        f"{axis}_scale": (float(m - h), float(m + h)) for axis, m, h in zip("xy", middle, half, strict=True)
    }


def _scatter(drawn: Drawn, scales: dict[str, tuple[float, float]], height: int) -> Any:
    try:
        # Its code uses what newer pandas will not have.
        with warnings.catch_warnings(action="ignore"):
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
        **scales,
        opacity_unselected=0.45,
        color_selected="#000000",
        height=height,
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
