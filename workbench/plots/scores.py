"""Score histograms of both classes, back to back, with the cutoff between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import FuncFormatter, MaxNLocator

from workbench.errors import InputError
from workbench.plots.marks import alternative_text, mark_cutoffs, minus, percent, score_axis
from workbench.plots.style import BLUE, INK, ORANGE, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.plots.style import ShownFigure

__all__ = ["draw_scores", "plot_scores"]

FEWEST_BINS, MOST_BINS = 20, 60


def plot_scores(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    cutoff: float | None = None,
    *,
    current_cutoff: float | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Histogram of the scores: matches upwards, the others downwards, and the cutoff through both.

    What is right of the cutoff and points down is matched wrongly; what is left of it and points up is
    missed.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
    labels : array-like of {0, 1}, shape (n,)
    cutoff, current_cutoff : float, optional
        The cutoff found, and today's.
    language : {"zh", "en"}

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there are no scores, or not as many labels.

    Examples
    --------
    >>> figure = plot_scores([0.2, 0.5, 0.6, 0.8], [0, 0, 1, 1], 0.55, language="en")
    >>> figure.axes[0].get_title(loc="left").strip()
    'Above 0.5500, 2 of 2 pairs are matches (100.0 %)'
    """
    with house_style():
        figure = new_figure(height=4.4)
        draw_scores(
            figure.subplots(), scores, labels, cutoff, current_cutoff=current_cutoff, language=language
        )
        alternative_text(figure)
    return figure


def draw_scores(
    ax: Axes,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    cutoff: float | None,
    *,
    current_cutoff: float | None,
    language: Language,
) -> None:
    """The histograms on given axes."""
    values, is_match = np.asarray(scores, dtype=np.float64), np.asarray(labels).astype(bool)
    if values.ndim != 1 or values.shape != is_match.shape or not values.size:
        raise InputError(f"There are scores of shape {values.shape} and labels of shape {is_match.shape}.")
    zh = language == "zh"
    edges = _edges(values, cutoff)
    up, down = (np.histogram(values[side], bins=edges)[0] for side in (is_match, ~is_match))
    width = np.diff(edges)
    for heights, colour in ((up, BLUE), (-down, ORANGE)):
        ax.bar(
            edges[:-1], heights, width, color=colour, align="edge", edgecolor="white", linewidth=0.5, zorder=2
        )
    ax.axhline(0, color=INK, linewidth=0.8, zorder=3)
    ax.set_ylim(-1.12 * max(down.max(), 1), 1.3 * max(up.max(), 1))
    names = (("匹配", "不匹配") if zh else ("matches", "no matches"), (is_match.sum(), (~is_match).sum()))
    for name, number, colour, (y, va) in zip(
        *names, (BLUE, "#9C6B00"), ((0.80, "top"), (0.04, "bottom")), strict=True
    ):
        ax.text(0.01, y, f"{name} {number:,}", transform=ax.transAxes, color=colour, va=va, fontweight="bold")
    mark_cutoffs(ax, cutoff, current_cutoff, language)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{abs(count):.0f}"))
    ax.grid(axis="y")
    ax.spines["bottom"].set_visible(False)
    ax.set_ylabel("标注对数" if zh else "labelled pairs")
    score_axis(ax, language)
    headline(ax, *_title(values, is_match, cutoff, language))


def _edges(values: npt.NDArray[np.float64], cutoff: float | None) -> npt.NDArray[np.float64]:
    """Bins of equal width, one edge on the cutoff, so that no bar lies on both sides of it."""
    number = int(np.clip(len(np.histogram_bin_edges(values, "fd")) - 1, FEWEST_BINS, MOST_BINS))
    low, high = float(values.min()), float(values.max())
    width = (high - low) / number or 0.01
    start = low if cutoff is None else cutoff - np.ceil(max(cutoff - low, 0) / width + 1e-9) * width
    steps = int(np.floor((high - start) / width)) + 1
    return np.asarray(start + width * np.arange(steps + 1))


def _title(
    values: npt.NDArray[np.float64],
    is_match: npt.NDArray[np.bool_],
    cutoff: float | None,
    language: Language,
) -> tuple[str, str]:
    zh = language == "zh"
    if cutoff is None:
        return ("两类的分数各在哪里？" if zh else "Where do the scores of both classes lie?"), ""
    above = values > cutoff
    n, right, missed = int(above.sum()), int(is_match[above].sum()), int(is_match[~above].sum())
    share = percent(right / n if n else np.nan, language)
    at = minus(f"{cutoff:.4f}")
    if zh:
        return (
            f"高于 {at} 的 {n:,} 对中，{right:,} 对是匹配（{share}）",
            f"线右侧朝下的是错配；线左侧朝上的 {missed:,} 对是遗漏",
        )
    return (
        f"Above {at}, {right:,} of {n:,} pairs are matches ({share})",
        f"Right of the line and down: matched wrongly. Left of it and up: {missed:,} matches missed",
    )
