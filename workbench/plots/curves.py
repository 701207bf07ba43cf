"""Precision, recall, missed share and cost over the cutoff, with bands; the figures are those of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.plots.marks import (
    alternative_text,
    band,
    checked_columns,
    in_percent,
    is_row,
    mark_cutoffs,
    minus,
    percent,
    score_axis,
    value_at,
)
from workbench.plots.style import BLUE, GREEN, INK, PURPLE, VERMILLION, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.plots.style import ShownFigure

__all__ = ["draw_over_cutoff", "plot_cost", "plot_over_cutoff"]

SHOWN = {
    "precision": ("正确率", "precision", BLUE),
    "recall": ("召回率", "recall", GREEN),
    "false_omission_rate": ("遗漏率", "missed", VERMILLION),
}
# With fewer pairs on a side, a share of them says nothing and only flickers.
FEWEST_PAIRS = 10


def plot_over_cutoff(
    sweep: pd.DataFrame,
    bands: pd.DataFrame | None = None,
    *,
    cutoff: float | None = None,
    current_cutoff: float | None = None,
    target_precision: float | None = None,
    target_missed: float | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Precision, recall and missed share (false omission rate) against the cutoff.

    Parameters
    ----------
    sweep : DataFrame
        Of :func:`~workbench.calibration.sweep.sweep`.
    bands : DataFrame, optional
        Of :func:`~workbench.calibration.bootstrap.bands`; without it, the sweep's Wilson intervals are
        shaded.
    cutoff, current_cutoff : float, optional
        The cutoff found, and today's.
    target_precision, target_missed : float, optional
        Drawn as dotted lines.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Curves end where fewer than 10 labelled pairs are left on their side. Its title gives the figures
        where `cutoff` is one of the sweep's, as all cutoffs are that rules and guarantees find.
    """
    with house_style():
        figure = new_figure(height=4.6)
        draw_over_cutoff(
            figure.subplots(),
            sweep,
            bands,
            cutoff=cutoff,
            current_cutoff=current_cutoff,
            target_precision=target_precision,
            target_missed=target_missed,
            language=language,
        )
        alternative_text(figure)
    return figure


def draw_over_cutoff(
    ax: Axes,
    sweep: pd.DataFrame,
    bands: pd.DataFrame | None,
    *,
    cutoff: float | None,
    current_cutoff: float | None,
    target_precision: float | None,
    target_missed: float | None,
    language: Language,
) -> None:
    """The curves on given axes."""
    checked_columns(sweep, ["cutoff", *SHOWN, "n_above", "n_below"], "sweep()")
    zh = language == "zh"
    shaded = sweep if bands is None else bands
    ends: list[tuple[float, float, str, str]] = []
    for name, (chinese, english, colour) in SHOWN.items():
        side = {"precision": "n_above", "false_omission_rate": "n_below"}.get(name)
        shown = sweep if side is None else sweep[sweep[side] >= FEWEST_PAIRS]
        if shown.empty:
            continue
        inside = shaded[shaded["cutoff"].between(shown["cutoff"].min(), shown["cutoff"].max())]
        if f"{name}_low" in inside.columns:
            band(ax, inside["cutoff"], inside[f"{name}_low"], inside[f"{name}_high"], colour)
        ax.plot(shown["cutoff"], shown[name], color=colour, drawstyle="steps-post", zorder=2)
        last = shown.dropna(subset=[name]).iloc[-1]
        ends.append((float(last[name]), float(last["cutoff"]), chinese if zh else english, colour))
    _name_ends(ax, ends)
    for target, colour in ((target_precision, BLUE), (target_missed, VERMILLION)):
        if target is not None:
            ax.axhline(target, color=colour, linewidth=1, linestyle=(0, (1, 2)), zorder=1)
            ax.annotate(
                f"{'目标' if zh else 'target'} {percent(target, language)}",
                (0, target),
                (3, 3),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                fontsize=9,
                color=colour,
            )
    in_percent(ax)
    mark_cutoffs(ax, cutoff, current_cutoff, language)
    low, high = sweep["cutoff"].min(), sweep["cutoff"].max()
    ax.set_xlim(low, high + 0.10 * (high - low))
    ax.set_ylabel("比例" if zh else "share of pairs")
    score_axis(ax, language)
    headline(ax, *_title(sweep, bands, cutoff, language))


def plot_cost(
    sweep: pd.DataFrame,
    *,
    cutoff: float | None = None,
    current_cutoff: float | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Expected cost of wrong decisions against the cutoff, with the cheapest one.

    Parameters
    ----------
    sweep : DataFrame
        Of :func:`~workbench.calibration.sweep.sweep`, with the costs that it was asked for.
    cutoff, current_cutoff : float, optional
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Its two parts, false matches and missed ones, are drawn below the whole.
    """
    checked_columns(sweep, ["cutoff", "cost", "fp", "fn", "tp", "tn"], "sweep()")
    zh = language == "zh"
    price = sweep.attrs.get("calibration", {}).get("costs", {"false_match": 1.0, "missed_match": 1.0})
    total = sweep["tp"] + sweep["fp"] + sweep["fn"] + sweep["tn"]
    at = sweep["cutoff"]
    with house_style():
        figure = new_figure(height=4.4)
        ax = figure.subplots()
        parts = (
            ("错配" if zh else "false matches", price["false_match"] * sweep["fp"] / total, VERMILLION),
            ("遗漏" if zh else "missed matches", price["missed_match"] * sweep["fn"] / total, PURPLE),
        )
        for (name, values, colour), side in zip(parts, ("right", "left"), strict=True):
            ax.plot(at, values, color=colour, linewidth=1.3, drawstyle="steps-post")
            half_way = int(np.argmin(np.abs(values - values.max() / 2)))
            ax.annotate(
                name,
                (at.iloc[half_way], values.iloc[half_way]),
                (-8 if side == "right" else 8, -4),
                textcoords="offset points",
                ha=side,
                va="top",
                color=colour,
            )
        ax.plot(at, sweep["cost"], color=INK, linewidth=2.2, drawstyle="steps-post")
        best = sweep.iloc[int(sweep["cost"].argmin())]
        ax.plot(best["cutoff"], best["cost"], "o", color=INK, markersize=7, zorder=5)
        ax.set_ylim(0, 1.2 * max(sweep["cost"].max(), *(values.max() for _, values, _ in parts)))
        mark_cutoffs(ax, cutoff, current_cutoff, language)
        ax.annotate(
            "合计" if zh else "both",
            (at.iloc[0], sweep["cost"].iloc[0]),
            (0, 5),
            textcoords="offset points",
            color=INK,
            fontweight="bold",
        )
        ax.grid(axis="y")
        ax.set_ylabel("每对的预期代价" if zh else "expected cost a pair")
        score_axis(ax, language)
        where_best = minus(f"{best['cutoff']:.4f}")
        title = (
            f"代价在 {where_best} 处最低：每对 {best['cost']:.3f}"
            if zh
            else f"Cost is lowest at {where_best}: {best['cost']:.3f} a pair"
        )
        weighing = (
            f"错配一对计 {price['false_match']:g}，遗漏一对计 {price['missed_match']:g}"
            if zh
            else f"A false match costs {price['false_match']:g}, a missed one {price['missed_match']:g}"
        )
        headline(ax, title, weighing)
        alternative_text(figure)
    return figure


def _name_ends(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Names at the right ends of curves, moved apart where they would lie on each other."""
    ends.sort(key=lambda end: end[0])
    heights = [max(end[0], 0.03) for end in ends]  # clear of the axis
    for above in range(1, len(heights)):
        heights[above] = max(heights[above], heights[above - 1] + 0.07)
    for height, (_, at, name, colour) in zip(heights, ends, strict=True):
        ax.annotate(
            name,
            (at, height),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
        )


def _title(
    sweep: pd.DataFrame, bands: pd.DataFrame | None, cutoff: float | None, language: Language
) -> tuple[str, str]:
    zh = language == "zh"
    attrs = sweep.attrs.get("calibration", {}) if bands is None else bands.attrs.get("bootstrap", {})
    sure = f"{100 * attrs.get('confidence', np.nan):.4g}" if "confidence" in attrs else ""
    by_jd = attrs.get("by") == "cluster"
    if bands is None:
        how = f"阴影：{sure}% Wilson 区间" if zh else f"shaded: {sure} % Wilson intervals"
    elif by_jd:
        how = f"阴影：按 JD 重抽样的 {sure}% 区间" if zh else f"shaded: {sure} % bootstrap bands by JD"
    else:
        how = f"阴影：重抽样的 {sure}% 区间" if zh else f"shaded: {sure} % bootstrap bands"
    if cutoff is None or not is_row(sweep, cutoff):
        return ("阈值越高，换来什么、丢掉什么？" if zh else "What does a higher cutoff win, and lose?"), how
    precision, recall, missed = (percent(value_at(sweep, name, cutoff), language) for name in SHOWN)
    if zh:
        return f"{minus(f'{cutoff:.4f}')} 处：正确率 {precision}，召回率 {recall}，遗漏率 {missed}", how
    return f"At {minus(f'{cutoff:.4f}')}: precision {precision}, recall {recall}, missed {missed}", how
