"""Where a score comes from, dimension by dimension, and whether that is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from workbench.plots.map_parts import shortened
from workbench.plots.style import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    VERMILLION,
    headline,
    house_style,
    new_figure,
)
from workbench.plots.value_bars import draw_bars, folding, label_dimension, signs
from workbench.plots.vectors import dimension_axis
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import ChanceComparison, Contributions
    from workbench.plots.style import ShownFigure

__all__ = ["plot_chance", "plot_contributions"]

SHOWN = 15
NAMED = 5
LONGEST_NAME = 18
# Width of a label, as a share of the row.
LABEL = 0.16


def plot_contributions(
    parts: Contributions, names: tuple[str, str] = ("", ""), *, language: Language = "zh"
) -> ShownFigure:
    """What every dimension contributes to a score: bars that add up to it, blue adds, red takes away.

    Parameters
    ----------
    parts : Contributions
        From :func:`~workbench.exploration.contributions.split_score`.
    names : tuple of str
        What the vectors stand for; shown in the second line.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Its title says how few dimensions make half of what is added; the largest are named.
    """
    zh = language == "zh"
    values = parts.products
    folded = folding(len(values))
    half = parts.needed_for(0.5)
    with house_style():
        figure = new_figure(height=1.75 + 0.85 * folded.rows + (1.1 if folded.rows == 1 else 0))
        axes = list(figure.subplots(folded.rows, 1, sharey=True, squeeze=False)[:, 0])
        draw_bars(axes, values, float(np.abs(values).max()) * 1.3 or 1.0)
        for dimension in _apart(parts, folded.width):
            label_dimension(axes, values, dimension)
        added = float(values[values > 0].sum())
        equation = signs(f"{parts.score:.4f} = +{added:.4f} − {added - parts.score:.4f}")
        title = (
            f"分数 {equation}；{half} 维占加上部分的一半"
            if zh
            else f"Score {equation}; {half} of {len(values)} dimensions make half of what is added"
        )
        shown = " × ".join(shortened(name, LONGEST_NAME) for name in names if name)
        count = f"共 {len(values)} 维，蓝加红减" if zh else f"{len(values)} dimensions, blue adds"
        headline(axes[0], title, f"{shown}{'，' if zh else ', '}{count}" if shown else count)
        axes[-1].set_xlabel(dimension_axis(folded.share, zh))
        figure.supylabel(
            "对分数的贡献" if zh else "contribution to the score",
            fontsize=10.5,
            color=MUTED,
            fontweight="normal",
        )
        figure.alt = title
    return figure


def plot_chance(found: ChanceComparison, *, most: int = SHOWN, language: Language = "zh") -> ShownFigure:
    """The largest contributions beside those of random pairs, and how many dimensions random pairs share.

    Parameters
    ----------
    found : ChanceComparison
        From :func:`~workbench.exploration.random_pairs.against_chance`.
    most : int
        Dimensions shown, largest contribution first.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        A filled dot contributes more than random pairs do, after correction for all dimensions; a hollow
        one does not. Grey bars hold nine tenths of random pairs.
    """
    zh = language == "zh"
    findings = found.findings
    with house_style():
        figure = new_figure(height=1.7 + 0.27 * most)
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        _largest(left, found, most, zh)
        _counts(right, found, zh)
        if zh:
            title = (
                f"校正后，{len(findings)} 维的贡献高于随机配对"
                if len(findings)
                else "校正后，没有一维的贡献高于随机配对"
            )
        else:
            title = (
                f"After correction, {len(findings)} dimension{'s' * (len(findings) != 1)} above chance"
                if len(findings)
                else "After correction, no dimension is above chance"
            )
        tests = len(found.p_values)
        subtitle = (
            f"{tests} 次检验，错误发现率 {found.fdr:.0%}；随机配对 {found.n_pairs:,} 对"
            if zh
            else f"{tests} tests, false discovery rate {found.fdr:.0%}; {found.n_pairs:,} random pairs"
        )
        headline(left, title, subtitle)
        figure.alt = title
    return figure


def _largest(ax: Axes, found: ChanceComparison, most: int, zh: bool) -> None:
    parts = found.contributions
    shown = parts.leading[:most]
    places = np.arange(len(shown))
    is_finding = found.adjusted[shown] <= found.fdr
    low, high = found.usual[:, shown]
    ax.hlines(places, low, high, color=GREY, alpha=0.45, linewidth=7)
    for mask, face in ((is_finding, VERMILLION), (~is_finding, "white")):
        ax.scatter(
            parts.products[shown][mask], places[mask], s=36, facecolor=face, edgecolor=VERMILLION, zorder=3
        )
    ax.axvline(0, color=MUTED, linewidth=0.8)
    shared = set(parts.shared.tolist())
    ax.set_yticks(places, [f"#{dimension}{' +' if dimension in shared else '  '}" for dimension in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.set_xlabel(
        "对分数的贡献\n● 高于随机  ○ 不能说高于随机  灰条：九成的随机配对  +：两边都明显为正"
        if zh
        else "contribution to the score\n● above chance  ○ not shown to be\n"
        "grey: nine tenths of random pairs  +: both clearly positive",
        linespacing=1.5,
    )


def _counts(ax: Axes, found: ChanceComparison, zh: bool) -> None:
    # Up to where only a few in ten thousand are left.
    below = found.shared_counts.cumsum() / found.n_pairs
    last = max(int(np.searchsorted(below, 0.9995)), found.n_shared)
    counts = found.shared_counts[: last + 1] / found.n_pairs
    colours = [ORANGE if number >= found.n_shared else BLUE for number in range(last + 1)]
    ax.bar(np.arange(last + 1), counts, width=0.9, color=colours)
    ax.axvline(found.n_shared, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    is_right = found.n_shared < 0.6 * last
    ax.annotate(
        f"这一对 {found.n_shared} 维" if zh else f"this pair: {found.n_shared}",
        (found.n_shared, 1),
        (5 if is_right else -5, -2),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if is_right else "right",
        va="top",
        fontsize=9.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
    )
    ax.set_ylim(0, counts.max() * 1.18)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="y")
    ax.set_ylabel("随机配对中的比例" if zh else "share of random pairs")
    ax.set_xlabel("两边都明显为正的维数" if zh else "dimensions clearly positive in both")
    headline(
        ax,
        "",
        f"{found.p_shared:.2%} 的随机配对也有这么多"
        if zh
        else f"{found.p_shared:.2%} of random pairs share as many",
    )


def _apart(parts: Contributions, width: int) -> list[int]:
    """The largest contributions whose labels do not lie on each other."""
    chosen: dict[int, tuple[int, float, float]] = {}
    for dimension in parts.leading[: 4 * NAMED].tolist():
        row, place = divmod(dimension, width)
        # As label_dimension puts them: to the right of the bar, near the end to its left.
        left, right = (0.0, LABEL) if place < 0.85 * width else (-LABEL, 0.0)
        span = (row, place + left * width, place + right * width)
        free = all(row != one or span[2] < start or span[1] > end for one, start, end in chosen.values())
        if free and parts.products[dimension] > 0 and len(chosen) < NAMED:
            chosen[dimension] = span
    return list(chosen)
