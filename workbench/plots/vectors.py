"""What is inside vectors: a bar for every dimension, how the values are distributed, two side by side.

Vectors come from the caller; nothing is encoded here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator, MultipleLocator

from workbench.exploration import checked_vector, split_score
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number, percent
from workbench.plots.style import (
    BLUE,
    DASHED,
    INK,
    MUTED,
    PAPER,
    SKY,
    VERMILLION,
    ShownFigure,
    Style,
    beside,
    headline,
    house_style,
    minus,
    new_figure,
    on_axes,
    overall_headline,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = npt.NDArray[np.float64]

QUANTILES = (0.05, 0.5, 0.95)
# A row of the figure is about 800 pixels wide: 512 bars keep a pixel and a half each.
PER_ROW = 512
MOST_ROWS = 8
PAGE_WIDTH = 11.0  # inches: two columns of 512 bars each
LONGEST_NAME = 40
LONGEST_IN_COLUMN = 26


def plot_values(vector: npt.ArrayLike, *, name: str = "") -> ShownFigure:
    """Bar chart of all values of a vector, folded into rows of at most 512 dimensions.

    Beyond 8 rows (4096 dimensions) neighbouring dimensions share a bar that spans them from the
    smallest to the largest value, and the axis says so.

    Parameters
    ----------
    vector : array_like, shape (d,)
        For example one row of :meth:`~workbench.encoders.base.Encoder.encode_documents`.
    name : str
        What the vector stands for; shown in the second line.

    Returns
    -------
    Figure
        Its title says how much of the squared length the ten largest values hold.

    Raises
    ------
    InputError
        If `vector` is not one-dimensional, is empty, or has values that are not finite.

    Examples
    --------
    >>> plot_values([0.6, -0.8]).alt
    'All 2 values make up the vector'
    """
    values = checked_vector(vector)
    folding = fold(len(values))
    most = min(10, len(values))
    if most == len(values):
        title = ngettext("The one value makes up the vector", "All {n} values make up the vector", most)
    else:
        title = _("The {n} largest values hold {share} of the squared length")
    squares = np.sort(values**2)[::-1]
    share = percent(squares[:most].sum() / (squares.sum() or 1.0))
    with house_style():
        figure = new_figure(height=1.55 + folding.height)
        axes = list(figure.subplots(folding.rows, 1, sharey=True, squeeze=False)[:, 0])
        _draw_values(axes, values)
        headline(axes[0], title.format(n=most, share=share), _named(values, name))
        axes[-1].set_xlabel(folding.axis)
        figure.supylabel(_("value (no unit)"), fontsize=10.5, color=MUTED, fontweight="normal")
    return figure


def plot_histogram(vector: npt.ArrayLike, *, name: str = "") -> ShownFigure:
    """Histogram of the values of a vector, with the 5 %, 50 % and 95 % quantiles marked.

    Parameters
    ----------
    vector : array_like, shape (d,)
        One vector.
    name : str
        What the vector stands for; shown in the second line.

    Returns
    -------
    Figure
        Its title says between which values nine tenths of all values lie.

    Raises
    ------
    InputError
        If `vector` is not one-dimensional, is empty, or has values that are not finite.
    """
    values = checked_vector(vector)
    with on_axes(None, height=3.6) as ax:
        low, high, shown = _draw_histogram(ax, values)
        zeros = len(values) - shown
        title = _("{zeros} of the {n} values are zero").format(zeros=zeros, n=len(values))
        if not zeros:
            title = _("Nine tenths of the values lie between {low} and {high}").format(
                low=minus(number(low)), high=minus(number(high))
            )
        headline(ax, title, _named(values, name))
    return ax.figure  # type: ignore[return-value]


def plot_side_by_side(
    first: npt.ArrayLike, second: npt.ArrayLike, names: tuple[str, str] = ("", "")
) -> ShownFigure:
    """Two vectors of one encoder in two columns, on the same scales: histogram above, all values below.

    Parameters
    ----------
    first, second : array_like, shape (d,)
        They are made unit length, as for their score.
    names : tuple of str
        What they stand for, above the columns.

    Returns
    -------
    Figure
        Its title gives the score and in how many dimensions the signs agree.

    Raises
    ------
    InputError
        If a vector is not finite or all zeros.
    EncoderMismatchError
        If they have different dimensions.
    """
    parts = split_score(first, second)
    pair = (parts.first, parts.second)
    n = len(parts.products)
    folding = fold(n)
    reach = float(max(np.abs(values).max() for values in pair)) * 1.25
    with house_style():
        figure = new_figure(width=PAGE_WIDTH, height=3.9 + folding.height)
        heights = [2.2, *[folding.height / folding.rows] * folding.rows]
        grid = figure.add_gridspec(1 + folding.rows, 2, height_ratios=heights, wspace=0.06)
        left = figure.add_subplot(grid[0, 0])
        histograms = [left, figure.add_subplot(grid[0, 1], sharex=left)]
        # The narrower one would else set the limits that its labels are placed by.
        left.set_xlim(-reach, reach)
        for column, default in enumerate((_("First vector"), _("Second vector"))):
            ax, values = histograms[column], pair[column]
            _draw_histogram(ax, values)
            headline(ax, shortened(names[column], LONGEST_IN_COLUMN) or default)
            bars = [figure.add_subplot(grid[1 + row, column]) for row in range(folding.rows)]
            _draw_values(bars, values, reach)
            bars[-1].set_xlabel(folding.axis)
            if column:
                ax.set_ylabel("")
                for bar in bars:
                    bar.tick_params(axis="y", labelleft=False)
            else:
                bars[len(bars) // 2].set_ylabel(_("value (no unit)"), color=MUTED)
        top = max(ax.get_ylim()[1] for ax in histograms)
        for ax in histograms:
            ax.set_ylim(0, top)
        title = _("Score {score}: the signs agree in {share} of {n} dimensions")
        agreeing = percent(parts.agreeing, 0)
        overall_headline(figure, title.format(score=minus(number(parts.score)), share=agreeing, n=n))
    return figure


class Folding(NamedTuple):
    """How numbers are folded: rows, bars in a row, and neighbouring numbers that share a bar."""

    rows: int
    per_row: int
    share: int

    @property
    def width(self) -> int:
        """Dimensions in a row."""
        return self.per_row * self.share

    @property
    def height(self) -> float:
        """What the rows need, in inches."""
        return 0.85 * self.rows + 0.9 * (self.rows == 1)

    @property
    def axis(self) -> str:
        """Label of the axis of dimensions."""
        if self.share == 1:
            return _("dimension (from 0)")
        return _("dimension (from 0, {n} to a bar)").format(n=self.share)


def fold(count: int) -> Folding:
    """Rows of at most 512 bars, at most 8 of them."""
    share = -(-count // (PER_ROW * MOST_ROWS))
    bars = -(-count // share)
    rows = math.ceil(bars / PER_ROW)
    return Folding(rows, math.ceil(bars / rows), share)


def draw_bars(axes: Sequence[Axes], values: FloatArray, reach: float) -> None:
    """Draw `values` on one axes for each row of their folding, from -`reach` to `reach`."""
    rows, per_row, share = fold(len(values))
    starts = np.arange(0, len(values), share)
    lows = np.minimum(np.minimum.reduceat(values, starts), 0)
    highs = np.maximum(np.maximum.reduceat(values, starts), 0)
    for row, ax in enumerate(axes):
        shown = slice(row * per_row, (row + 1) * per_row)
        # One filled outline each, not a patch a bar: 4096 patches take seconds to draw.
        edges = np.append(starts[shown], starts[shown][-1] + share) - 0.5 * share
        ax.stairs(highs[shown], edges, fill=True, color=BLUE)
        ax.stairs(lows[shown], edges, fill=True, color=VERMILLION)
        ax.axhline(0, color=MUTED, linewidth=0.6)
        ax.grid(axis="y")
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="x", length=0, pad=3)
        ax.set_xlim((shown.start - 0.5) * share, (shown.stop - 0.5) * share)
        ax.set_ylim(-reach, reach)
        ax.yaxis.set_major_locator(MaxNLocator(5 if rows == 1 else 2, symmetric=True))
        if per_row == PER_ROW and share == 1:
            ax.xaxis.set_major_locator(MultipleLocator(PER_ROW // 4))


def label_dimension(axes: Sequence[Axes], values: FloatArray, dimension: int) -> None:
    """Write the number of a dimension and its value at the end of its bar."""
    width = fold(len(values)).width
    is_left = dimension % width < 0.85 * width
    beside(
        axes[dimension // width],
        minus(f"#{dimension}  {values[dimension]:.4f}"),
        (dimension, values[dimension]),
        (6 if is_left else -6, 0),
        ha="left" if is_left else "right",
        va="center",
        fontsize=8.5,
        bbox=PAPER,
    )


def _draw_values(axes: Sequence[Axes], values: FloatArray, reach: float | None = None) -> None:
    """Bars of all values on one axes for each row, with the dimension of the largest value at either end."""
    draw_bars(axes, values, reach or float(np.abs(values).max()) * 1.25 or 1.0)
    for dimension, side in ((int(values.argmax()), 1), (int(values.argmin()), -1)):
        if values[dimension] * side > 0:
            label_dimension(axes, values, dimension)


def _draw_histogram(ax: Axes, values: FloatArray) -> tuple[float, float, int]:
    """Histogram with quantiles on given axes; returns the 5 % and 95 % quantiles, and how many are shown."""
    # A keyword vector is nearly all zeros: one bin would hide the values that say something.
    sparse = np.count_nonzero(values) < len(values) / 2 and values.any()
    shown = values[values != 0] if sparse else values
    low, middle, high = np.quantile(shown, QUANTILES)
    ax.axvspan(low, high, color=SKY, alpha=0.16, linewidth=0)
    counts, edges = np.histogram(shown, bins=_bin_edges(shown))
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
    ax.set_ylim(0, counts.max() * 1.25)
    for name, place in ((percent(0.05, 0), low), (_("median"), middle), (percent(0.95, 0), high)):
        is_end = name != _("median")
        ax.axvline(place, ymax=0.86, color=INK, linewidth=1, linestyle=DASHED)
        if is_end and abs(place - middle) < 0.09 * np.ptp(ax.get_xlim()):
            continue  # its label would lie on the median's; the title has the number
        above: Style = {
            "xycoords": ("data", "axes fraction"),
            "ha": "center",
            "va": "bottom",
            "linespacing": 1.25,
        }
        ax.annotate(f"{name}\n{minus(number(place))}", (place, 0.88), fontsize=9, **above)
    ax.set_xlabel(_("value (no unit, zeros left out)") if sparse else _("value (no unit)"))
    ax.set_ylabel(_("number of dimensions"))
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="y")
    return float(low), float(high), len(shown)


def _bin_edges(values: FloatArray) -> FloatArray:
    # Freedman and Diaconis (1981); bounded, since one outlier would make thousands of bins.
    edges = np.histogram_bin_edges(values, "fd")
    if not 16 <= len(edges) <= 80:
        edges = np.histogram_bin_edges(values, int(np.clip(len(edges), 16, 80)))
    return edges


def _named(values: FloatArray, name: str) -> str:
    n = len(values)
    if not name:
        return ngettext("{n} dimension", "{n} dimensions", n).format(n=n)
    said = ngettext("{name}, {n} dimension", "{name}, {n} dimensions", n)
    return said.format(name=shortened(name, LONGEST_NAME), n=n)
