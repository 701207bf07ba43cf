"""Two vectors side by side: how their values are distributed, and a bar for every dimension of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.exploration.contributions import split_score
from workbench.plots.map_parts import shortened
from workbench.plots.style import INK, MUTED, headline, house_style, new_figure
from workbench.plots.value_bars import folding
from workbench.plots.vectors import dimension_axis, draw_histogram, draw_values
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.plots.style import ShownFigure

__all__ = ["plot_side_by_side"]

WIDTH = 11.0  # inches: two columns of 512 bars each
LONGEST_NAME = 26


def plot_side_by_side(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    names: tuple[str, str] = ("", ""),
    *,
    language: Language = "zh",
) -> ShownFigure:
    """Two vectors of one encoder in two columns, on the same scales: histogram above, all values below.

    Parameters
    ----------
    first, second : array_like, shape (d,)
        They are made unit length, as for their score.
    names : tuple of str
        What they stand for, above the columns.
    language : {"zh", "en"}

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
    zh = language == "zh"
    pair = (parts.first, parts.second)
    folded = folding(len(parts.products))
    height = 0.85 * folded.rows + (0.9 if folded.rows == 1 else 0)
    reach = float(max(np.abs(values).max() for values in pair)) * 1.25
    with house_style():
        figure = new_figure(width=WIDTH, height=3.9 + height)
        grid = figure.add_gridspec(
            1 + folded.rows, 2, height_ratios=[2.2, *[height / folded.rows] * folded.rows], wspace=0.06
        )
        histograms = [figure.add_subplot(grid[0, 0])]
        histograms.append(figure.add_subplot(grid[0, 1], sharex=histograms[0]))
        # The narrower one would else set the limits that its labels are placed by.
        histograms[0].set_xlim(-reach, reach)
        for column, (ax, values, name) in enumerate(zip(histograms, pair, names, strict=True)):
            draw_histogram(ax, values, language)
            headline(
                ax,
                shortened(name, LONGEST_NAME)
                or ("第一个" if zh else "First") * (1 - column)
                or ("第二个" if zh else "Second"),
            )
            bars = [figure.add_subplot(grid[1 + row, column]) for row in range(folded.rows)]
            draw_values(bars, values, reach)
            bars[-1].set_xlabel(dimension_axis(folded.share, zh))
            if column:
                ax.set_ylabel("")
                for bar in bars:
                    bar.tick_params(axis="y", labelleft=False)
            else:
                middle = bars[len(bars) // 2]
                middle.set_ylabel("数值" if zh else "value", color=MUTED)
        top = max(ax.get_ylim()[1] for ax in histograms)
        for ax in histograms:
            ax.set_ylim(0, top)
        title = (
            f"分数 {parts.score:.4f}：{len(parts.products)} 维里 {parts.agreeing:.0%} 同号"
            if zh
            else f"Score {parts.score:.4f}: the signs agree in {parts.agreeing:.0%} of "
            f"{len(parts.products)} dimensions"
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=14, color=INK)
        figure.alt = title
    return figure
