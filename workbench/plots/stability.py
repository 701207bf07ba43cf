"""How far a chosen cutoff would move with other labelled pairs: its bootstrap distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from workbench.plots.marks import alternative_text, mark_cutoffs, minus, percent, score_axis
from workbench.plots.style import SKY, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.calibration import Stability
    from workbench.plots.style import ShownFigure

__all__ = ["draw_stability", "plot_stability"]


def plot_stability(
    stability: Stability,
    cutoff: float | None = None,
    *,
    current_cutoff: float | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Histogram of the cutoffs that resamples chose, with their interval.

    Parameters
    ----------
    stability : Stability
        Of :func:`~workbench.calibration.stability.stability`.
    cutoff, current_cutoff : float, optional
        The cutoff found, and today's.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Its title gives the interval; resamples that found no cutoff are counted below it.
    """
    with house_style():
        figure = new_figure(height=3.8)
        draw_stability(figure.subplots(), stability, cutoff, current_cutoff=current_cutoff, language=language)
        alternative_text(figure)
    return figure


def draw_stability(
    ax: Axes,
    stability: Stability,
    cutoff: float | None,
    *,
    current_cutoff: float | None,
    language: Language,
) -> None:
    """The histogram on given axes."""
    zh = language == "zh"
    found = stability.cutoffs[~np.isnan(stability.cutoffs)]
    sure = f"{100 * stability.confidence:.4g}"
    without = percent(stability.share_without, language)
    unit = ({"cluster": " JD"}.get(stability.by, "对数"), {"cluster": "JDs"}.get(stability.by, "pairs"))
    score_axis(ax, language)
    if not len(found):
        ax.set_yticks([])
        mark_cutoffs(ax, cutoff, current_cutoff, language)
        headline(ax, "重抽样中从未找到这样的阈值" if zh else "In no resample was there such a cutoff")
        return
    ax.axvspan(stability.low, stability.high, color=SKY, alpha=0.18, linewidth=0)
    width = max(float(np.ptp(found)) / 40, 1e-4)
    edges = np.arange(found.min() - width / 2, found.max() + width, width)
    shares = np.histogram(found, bins=edges)[0] / len(stability.cutoffs)
    ax.bar(edges[:-1], shares, width, align="edge", color=SKY, edgecolor="white", linewidth=0.5, zorder=2)
    ax.set_ylim(0, 1.25 * shares.max())
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f}%")
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.grid(axis="y")
    mark_cutoffs(ax, cutoff, current_cutoff, language)
    ax.set_ylabel("占重抽样的比例" if zh else "share of resamples")
    low, high = (minus(f"{end:.4f}") for end in (stability.low, stability.high))
    if zh:
        title = f"若另标同样多的{unit[0]}，阈值在 {low} 与 {high} 之间（{sure}%）"
        below = f"{len(stability.cutoffs):,} 次重抽样，其中 {without} 没有这样的阈值"
    else:
        title = f"With other {unit[1]} labelled, the cutoff lies in {low}–{high} ({sure} %)"
        below = f"{len(stability.cutoffs):,} resamples, in {without} of which there is no such cutoff"
    headline(ax, title, below)
