"""Bars for thousands of numbers, one a dimension, folded into rows that can still be read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator, MultipleLocator

from workbench.plots.style import BLUE, MUTED, VERMILLION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["Folding", "draw_bars", "folding", "label_dimension", "signs"]

FloatArray = npt.NDArray[np.float64]

# A row of the figure is about 800 pixels wide: 512 bars keep a pixel and a half each.
PER_ROW = 512
MOST_ROWS = 8


class Folding(NamedTuple):
    """How numbers are folded: rows, bars in a row, and neighbouring numbers that share a bar."""

    rows: int
    per_row: int
    share: int

    @property
    def width(self) -> int:
        """Dimensions in a row."""
        return self.per_row * self.share


def folding(count: int) -> Folding:
    """Rows of at most 512 bars, at most 8 of them."""
    share = -(-count // (PER_ROW * MOST_ROWS))
    bars = -(-count // share)
    rows = math.ceil(bars / PER_ROW)
    return Folding(rows, math.ceil(bars / rows), share)


def draw_bars(axes: Sequence[Axes], values: FloatArray, reach: float) -> None:
    """Draw `values` on one axes for each row of their folding, from -`reach` to `reach`."""
    rows, per_row, share = folding(len(values))
    lows, highs = _envelope(values, share)
    for row, ax in enumerate(axes):
        start = row * per_row
        places = np.arange(start, min(start + per_row, len(lows))) * share
        _bars(ax, places, lows[start : start + per_row], highs[start : start + per_row], share)
        ax.set_xlim((start - 0.5) * share, (start + per_row - 0.5) * share)
        ax.set_ylim(-reach, reach)
        ax.yaxis.set_major_locator(MaxNLocator(5 if rows == 1 else 2, symmetric=True))
        if per_row == PER_ROW and share == 1:
            ax.xaxis.set_major_locator(MultipleLocator(PER_ROW // 4))


def label_dimension(axes: Sequence[Axes], values: FloatArray, dimension: int) -> None:
    """Write the number of a dimension and its value at the end of its bar."""
    width = folding(len(values)).width
    is_left = dimension % width < 0.85 * width
    axes[dimension // width].annotate(
        signs(f"#{dimension}  {values[dimension]:.4f}"),
        (dimension, values[dimension]),
        (6 if is_left else -6, 0),
        textcoords="offset points",
        ha="left" if is_left else "right",
        va="center",
        fontsize=8.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )


def signs(text: str) -> str:
    """With the minus sign that matplotlib's own tick labels have."""
    return text.replace("-", "\u2212")


def _envelope(values: FloatArray, share: int) -> tuple[FloatArray, FloatArray]:
    starts = np.arange(0, len(values), share)
    lows, highs = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return np.minimum(lows, 0), np.maximum(highs, 0)


def _bars(ax: Axes, places: npt.NDArray[np.intp], lows: FloatArray, highs: FloatArray, share: int) -> None:
    # One filled outline each, not a patch a bar: 4096 patches take seconds to draw.
    edges = np.append(places, places[-1] + share) - 0.5 * share
    ax.stairs(highs, edges, fill=True, color=BLUE)
    ax.stairs(lows, edges, fill=True, color=VERMILLION)
    ax.axhline(0, color=MUTED, linewidth=0.6)
    ax.grid(axis="y")
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0, pad=3)
