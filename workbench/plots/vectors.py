"""What is inside one vector: a bar for every dimension, and how the values are distributed.

Vectors come from the caller; nothing is encoded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator

from workbench.exploration.vectors import checked_vector
from workbench.plots.style import BLUE, INK, MUTED, SKY, headline, house_style, new_figure
from workbench.plots.value_bars import draw_bars, folding, label_dimension, signs
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.plots.style import ShownFigure

__all__ = ["dimension_axis", "draw_histogram", "draw_values", "plot_histogram", "plot_values"]

QUANTILES = (0.05, 0.5, 0.95)


def plot_values(vector: npt.ArrayLike, *, name: str = "", language: Language = "zh") -> ShownFigure:
    """Bar chart of all values of a vector, folded into rows of at most 512 dimensions.

    Beyond 8 rows (4096 dimensions) neighbouring dimensions share a bar that spans them from the
    smallest to the largest value, and the axis says so.

    Parameters
    ----------
    vector : array_like, shape (d,)
        For example one row of :meth:`~workbench.encoders.base.Encoder.encode_documents`.
    name : str
        What the vector stands for; shown in the second line.
    language : {"zh", "en"}
        Language of the labels.

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
    >>> figure = plot_values([0.6, -0.8], language="en")
    >>> figure.axes[0].get_title(loc="left").strip()
    'All 2 values make up the vector'
    """
    values = checked_vector(vector)
    zh = language == "zh"
    folded = folding(len(values))
    with house_style():
        figure = new_figure(height=1.55 + 0.85 * folded.rows + (0.9 if folded.rows == 1 else 0))
        axes = list(figure.subplots(folded.rows, 1, sharey=True, squeeze=False)[:, 0])
        draw_values(axes, values)
        headline(axes[0], *_values_title(values, name, zh))
        axes[-1].set_xlabel(dimension_axis(folded.share, zh))
        figure.supylabel(
            "数值（无单位）" if zh else "value (no unit)", fontsize=10.5, color=MUTED, fontweight="normal"
        )
        figure.alt = _alt(axes[0])
    return figure


def plot_histogram(vector: npt.ArrayLike, *, name: str = "", language: Language = "zh") -> ShownFigure:
    """Histogram of the values of a vector, with the 5 %, 50 % and 95 % quantiles marked.

    Parameters
    ----------
    vector : array_like, shape (d,)
        One vector.
    name : str
        What the vector stands for; shown in the second line.
    language : {"zh", "en"}
        Language of the labels.

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
    zh = language == "zh"
    with house_style():
        figure = new_figure(height=3.6)
        ax = figure.subplots()
        low, high, shown = draw_histogram(ax, values, language)
        headline(ax, _histogram_title(values, shown, low, high, zh), _second_line(values, name, zh))
        figure.alt = _alt(ax)
    return figure


def draw_values(axes: Sequence[Axes], values: npt.NDArray[np.float64], reach: float | None = None) -> None:
    """Bars of all values on one axes for each row, with the dimension of the largest value at either end."""
    draw_bars(axes, values, reach or float(np.abs(values).max()) * 1.25 or 1.0)
    for dimension, side in ((int(values.argmax()), 1), (int(values.argmin()), -1)):
        if values[dimension] * side > 0:
            label_dimension(axes, values, dimension)


def draw_histogram(
    ax: Axes, values: npt.NDArray[np.float64], language: Language
) -> tuple[float, float, npt.NDArray[np.float64]]:
    """Histogram with quantiles on given axes; returns the 5 % and 95 % quantiles, and the values shown."""
    zh = language == "zh"
    # A keyword vector is nearly all zeros: one bin would hide the values that say something.
    sparse = np.count_nonzero(values) < len(values) / 2 and values.any()
    shown = values[values != 0] if sparse else values
    low, middle, high = np.quantile(shown, QUANTILES)
    ax.axvspan(low, high, color=SKY, alpha=0.16, linewidth=0)
    counts, edges = np.histogram(shown, bins=_bin_edges(shown))
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
    ax.set_ylim(0, counts.max() * 1.25)
    for name, place in zip(("5%", "中位数" if zh else "median", "95%"), (low, middle, high), strict=True):
        ax.axvline(place, ymax=0.86, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        if name in ("5%", "95%") and abs(place - middle) < 0.09 * np.ptp(ax.get_xlim()):
            continue  # its label would lie on the median's; the title has the number
        ax.annotate(
            signs(f"{name}\n{place:.4f}"),
            (place, 0.88),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=9,
            linespacing=1.25,
        )
    kept = ("，不含零" if zh else ", zeros left out") if sparse else ""
    ax.set_xlabel(f"数值（无单位{kept}）" if zh else f"value (no unit{kept})")
    ax.set_ylabel("维度个数" if zh else "number of dimensions")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="y")
    return float(low), float(high), shown


def dimension_axis(share: int, zh: bool) -> str:
    """Label of the axis of dimensions."""
    bars = "" if share == 1 else (f"，每条含 {share} 维" if zh else f", {share} to a bar")
    return f"维度编号（从 0 起{bars}）" if zh else f"dimension (from 0{bars})"


def _bin_edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Freedman and Diaconis (1981); bounded, since one outlier would make thousands of bins.
    edges = np.histogram_bin_edges(values, "fd")
    if not 16 <= len(edges) <= 80:
        edges = np.histogram_bin_edges(values, int(np.clip(len(edges), 16, 80)))
    return edges


def _histogram_title(
    values: npt.NDArray[np.float64], shown: npt.NDArray[np.float64], low: float, high: float, zh: bool
) -> str:
    if len(shown) < len(values):
        zeros = len(values) - len(shown)
        return (
            f"{len(values)} 个数值里有 {zeros} 个是零"
            if zh
            else f"{zeros} of the {len(values)} values are zero"
        )
    return signs(
        f"九成的数值落在 {low:.4f} 到 {high:.4f} 之间"
        if zh
        else f"Nine tenths of the values lie between {low:.4f} and {high:.4f}"
    )


def _values_title(values: npt.NDArray[np.float64], name: str, zh: bool) -> tuple[str, str]:
    most = min(10, len(values))
    squares = np.sort(values**2)[::-1]
    if most == len(values):
        title = f"全部 {most} 个数值组成这个向量" if zh else f"All {most} values make up the vector"
    else:
        part = squares[:most].sum() / (squares.sum() or 1.0)
        title = (
            f"最大的 {most} 个数值占向量长度平方的 {part:.1%}"
            if zh
            else f"The {most} largest values hold {part:.1%} of the squared length"
        )
    return title, _second_line(values, name, zh)


def _second_line(values: npt.NDArray[np.float64], name: str, zh: bool) -> str:
    count = f"共 {len(values)} 维" if zh else f"{len(values)} dimensions"
    shown = name if len(name) <= 40 else name[:39] + "…"
    return f"{shown}{'，' if zh else ', '}{count}" if shown else count


def _alt(ax: Axes) -> str:
    return ax.get_title(loc="left").strip()
