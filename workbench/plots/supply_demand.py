"""Supply and demand: where candidates are short and where they abound, and what has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import InputError
from workbench.plots.map_parts import shortened
from workbench.plots.style import GREEN, GREY, INK, MUTED, VERMILLION, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import SupplyDemand
    from workbench.plots.style import ShownFigure

__all__ = ["plot_supply_change", "plot_supply_demand"]

MOST_GROUPS = 30
COLOURS = {"shortage": VERMILLION, "surplus": GREEN, "unclear": GREY}
ROW = 0.29  # inches


def plot_supply_demand(
    found: SupplyDemand, *, most: int = MOST_GROUPS, language: Language = "zh"
) -> ShownFigure:
    """Candidates for each JD, group by group, scarcest on top, with intervals.

    Parameters
    ----------
    found : SupplyDemand
    most : int
        Groups shown; where there are more, the scarcest half and the richest half.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Red where the whole interval lies below the average of all groups, green where above. Numbers
        beside a group are its JDs and candidates.
    """
    zh = language == "zh"
    table, gap = _ends(found.table, most)
    places = np.arange(len(table), dtype=float)
    places[len(table) - len(table) // 2 :] += 0.9 * bool(gap)
    per_jd = table["candidates_per_jd"].to_numpy()
    low, high = (table[end].to_numpy() / table["n_jds"].to_numpy() for end in ("low", "high"))
    colours = [COLOURS[status] for status in table["status"]]
    with house_style():
        figure = new_figure(height=1.85 + ROW * (len(table) + 1 + bool(gap)))
        ax = figure.subplots()
        ax.hlines(places, low, high, color=colours, linewidth=5, alpha=0.35, capstyle="round")
        ax.scatter(per_jd, places, s=42, color=colours, zorder=3)
        ax.axvline(found.average, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        reach = max(float(high.max()), found.average) * 1.02 or 1.0
        ax.set_xlim(-0.015 * reach, reach)
        for place, end, jds, people in zip(places, high, table["n_jds"], table["n_candidates"], strict=True):
            counts = f"{jds:,} 岗 · {people:,} 人" if zh else f"{jds:,} JD{'s' * (jds != 1)} · {people:,}"
            ax.annotate(
                counts,
                (end, place),
                (9, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color=MUTED,
                annotation_clip=False,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6},
            )
        if gap:
            middle = places[len(table) - len(table) // 2] - 0.95
            text = f"… 中间 {gap:,} 组未显示 …" if zh else f"… {gap:,} groups between are not shown …"
            ax.annotate(
                text,
                (0.5, middle),
                xycoords=("axes fraction", "data"),
                ha="center",
                va="center",
                fontsize=8.5,
                color=MUTED,
            )
        _rows(ax, places, [str(name) for name in table["group"]], top=-1.5)
        ax.annotate(
            f"平均 {found.average:.1f}" if zh else f"average {found.average:.1f}",
            (found.average, -1),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
        title, subtitle = _title(found, zh)
        headline(ax, title, subtitle)
        ax.set_xlabel(
            "每条岗位要求对应的候选人数（人）" if zh else "candidates above the cutoff for each JD (people)"
        )
        _legend(figure, found, zh)
        figure.alt = title
    return figure


def plot_supply_change(
    change: pd.DataFrame, *, most: int = MOST_GROUPS, language: Language = "zh"
) -> ShownFigure:
    """What has changed between two dates: an arrow for each group from before to after.

    Parameters
    ----------
    change : DataFrame
        From :func:`~workbench.exploration.supply_demand.supply_change`.
    most : int
        Groups shown: those that changed most. Groups without JDs at either date have no ratio and are
        counted below the title.
    language : {"zh", "en"}

    Raises
    ------
    InputError
        If no group has JDs at both dates.
    """
    zh = language == "zh"
    both = change.dropna(subset=["candidates_per_jd_change"])
    if both.empty:
        raise InputError("No group has JDs at both dates, so there is no change to draw.")
    largest = both["candidates_per_jd_change"].abs().sort_values(ascending=False, kind="stable").index[:most]
    shown = both.loc[largest].sort_values("candidates_per_jd_change", kind="stable")
    before, after = (shown[f"candidates_per_jd_{date}"].to_numpy() for date in ("before", "after"))
    places = np.arange(len(shown), dtype=float)
    with house_style():
        figure = new_figure(height=1.75 + ROW * len(shown))
        ax = figure.subplots()
        for place, start, end in zip(places, before, after, strict=True):
            colour = GREY if start == end else GREEN if end > start else VERMILLION
            ax.scatter(start, place, s=22, facecolor="white", edgecolor=colour, zorder=3)
            if start != end:
                ax.annotate(
                    "",
                    (end, place),
                    (start, place),
                    arrowprops={
                        "arrowstyle": "-|>",
                        "color": colour,
                        "linewidth": 1.8,
                        "shrinkA": 3,
                        "shrinkB": 0,
                        "mutation_scale": 11,
                    },
                )
        reach = max(before.max(), after.max()) * 1.06 or 1.0
        ax.set_xlim(-0.02 * reach, reach)
        _rows(ax, places, [str(name) for name in shown["group"]])
        changes = both["candidates_per_jd_change"]
        more, fewer = int((changes > 0).sum()), int((changes < 0).sum())
        title = (
            f"{fewer} 组的人岗比下降，{more} 组上升"
            if zh
            else f"Candidates for each JD fell in {fewer} groups and rose in {more}"
        )
        headline(ax, title, _change_notes(change, both, shown, zh))
        ax.set_xlabel(
            "每条岗位要求对应的候选人数（人）" if zh else "candidates above the cutoff for each JD (people)"
        )
        figure.alt = title
    return figure


def _ends(table: pd.DataFrame, most: int) -> tuple[pd.DataFrame, int]:
    """The scarcest and the richest groups, and how many lie between."""
    if len(table) <= most:
        return table, 0
    last = most // 2
    return pd.concat([table[: most - last], table[len(table) - last :]]), len(table) - most


def _rows(ax: Axes, places: Any, names: list[str], top: float = -0.7) -> None:
    ax.set_yticks(places, [shortened(name, 34) for name in names])
    ax.set_ylim(places[-1] + 0.7, top)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _title(found: SupplyDemand, zh: bool) -> tuple[str, str]:
    short, over = ((found.table["status"] == status).sum() for status in ("shortage", "surplus"))
    without = len(found.jds_without_candidate)
    cutoff = f"{found.cutoff.value:.4f}"
    if found.interval == "cutoff":
        ends = f"{found.cutoff_low:.4f}–{found.cutoff_high:.4f}"
        band = (
            f"横条：阈值在其 {found.confidence:.0%} 区间 {ends} 内移动时的人数"
            if zh
            else f"bars: counts as the cutoff moves within its {found.confidence:.0%} interval {ends}"
        )
    else:
        band = (
            f"横条：投递者随机变动时的 {found.confidence:.0%} 区间（阈值本身没有区间）"
            if zh
            else f"bars: {found.confidence:.0%} intervals for chance in who applied (the cutoff has none)"
        )
    if zh:
        return f"{short} 组紧缺，{over} 组富余；{without} 条岗位要求无人达到阈值 {cutoff}", band
    return f"Groups: {short} short, {over} with plenty; JDs with nobody above {cutoff}: {without}", band


def _legend(figure: ShownFigure, found: SupplyDemand, zh: bool) -> None:
    from matplotlib.lines import Line2D

    names = {
        "shortage": "紧缺：整段低于平均" if zh else "shortage: all of the interval below average",
        "unclear": "不确定" if zh else "unclear",
        "surplus": "富余：整段高于平均" if zh else "surplus: all of it above",
    }
    there = set(found.table["status"])
    marks = [
        Line2D([], [], linestyle="none", marker="o", markersize=6.5, color=COLOURS[status], label=name)
        for status, name in names.items()
        if status in there
    ]
    figure.legend(handles=marks, loc="outside lower left", ncols=3, handletextpad=0.2)


def _change_notes(change: pd.DataFrame, both: pd.DataFrame, shown: pd.DataFrame, zh: bool) -> str:
    notes = ["○ 之前 → 之后" if zh else "○ before → after"]
    if hidden := len(both) - len(shown):
        notes.append(
            f"变化较小的 {hidden} 组未显示" if zh else f"{hidden} groups that changed less are not shown"
        )
    came, went = int((change["n_jds_before"] == 0).sum()), int((change["n_jds_after"] == 0).sum())
    if came or went:
        notes.append(f"新出现 {came} 组，消失 {went} 组" if zh else f"{came} groups are new, {went} are gone")
    return ("；" if zh else "; ").join(notes)
