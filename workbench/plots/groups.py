"""Figures per group with their intervals, against all pairs: a forest plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputError
from workbench.plots.marks import in_percent
from workbench.plots.style import BLUE, GREY, INK, MUTED, VERMILLION, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.calibration.groups import GroupFigures
    from workbench.plots.style import ShownFigure

__all__ = ["plot_groups"]

NAMES = {
    "precision": ("正确率", "precision"),
    "recall": ("召回率", "recall"),
    "false_omission_rate": ("遗漏率", "missed"),
    "specificity": ("特异度", "specificity"),
    "accuracy": ("判断正确率", "accuracy"),
    "share_selected": ("通过比例", "share selected"),
}
SHOWN = ("precision", "recall", "false_omission_rate")
MARKS = {
    "different": ("s", VERMILLION, VERMILLION, ("与其余不同", "differs from the rest")),
    "alike": ("o", BLUE, BLUE, ("无显著差别", "no difference shown")),
    "small": ("o", GREY, "white", ("样本太少", "too few to judge")),
}


def plot_groups(
    groups: GroupFigures, figures: Sequence[str] | None = None, *, language: Language = "zh"
) -> ShownFigure:
    """A row for each group, a column for each figure: value, interval, and all pairs as the line.

    Parameters
    ----------
    groups : GroupFigures
        Of :func:`~workbench.calibration.groups.by_group`.
    figures : sequence of str, optional
        Some of those that it has; precision, recall and missed by default, as far as there.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Groups that differ from the rest by more than chance are filled squares; those too small to judge are
        hollow and grey. Its title counts both.

    Raises
    ------
    InputError
        If it has not one of the figures.
    """
    there = list(groups.frame["figure"].unique())
    names = list(figures) if figures is not None else [name for name in SHOWN if name in there]
    if unknown := [name for name in names if name not in there]:
        raise InputError(f"There is no figure {unknown[0]!r} for these groups; there are {', '.join(there)}.")
    zh = language == "zh"
    first = groups.frame[groups.frame["figure"] == names[0]]
    order = first.sort_values(["value", "group"], na_position="first")["group"].tolist()
    labels = [f"{_short(name)}  ({n:,})" for name, n in zip(first["group"], first["n"], strict=True)]
    shown = dict(zip(first["group"], labels, strict=True))
    with house_style():
        figure = new_figure(width=3.0 + 2.6 * len(names), height=1.9 + 0.3 * len(order))
        axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        kinds: set[str] = set()
        for ax, name in zip(axes, names, strict=True):
            rows = groups.frame[groups.frame["figure"] == name].set_index("group").loc[order]
            kinds |= _column(ax, rows, groups, name)
            ax.set_xlabel(NAMES[name][0 if zh else 1])
        axes[0].set_yticks(range(len(order)), [shown[name] for name in order])
        axes[0].set_ylim(-0.7, len(order) - 0.3)
        _legend(figure, kinds, language)
        _head(figure, axes[0], *_title(groups, names, language))
    return figure


def _column(ax: Axes, rows: pd.DataFrame, groups: GroupFigures, name: str) -> set[str]:
    overall = groups.overall[name]  # type: ignore[index]
    if not np.isnan(overall.value):
        ax.axvline(overall.value, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        heights = [-1, len(rows)]
        ax.fill_betweenx(heights, overall.low, overall.high, color=GREY, alpha=0.18, linewidth=0)
    kinds = set()
    for height, row in enumerate(rows.to_dict("records")):
        if np.isnan(row["value"]):
            ax.text(0.02, height, "–", va="center", color=MUTED)
            continue
        kind = "different" if row["flag"] else "alike" if row["enough"] else "small"
        kinds.add(kind)
        marker, colour, face, _ = MARKS[kind]
        ax.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=1.4, zorder=2)
        ax.plot(
            row["value"],
            height,
            marker,
            color=colour,
            markerfacecolor=face,
            markersize=6,
            zorder=3,
            clip_on=False,
        )
    in_percent(ax, "x")
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return kinds


def _legend(figure: ShownFigure, kinds: set[str], language: Language) -> None:
    from matplotlib.lines import Line2D

    place = 0 if language == "zh" else 1
    handles = [
        Line2D([], [], color=colour, marker=marker, markerfacecolor=face, label=names[place])
        for kind, (marker, colour, face, names) in MARKS.items()
        if kind in kinds
    ]
    handles.append(
        Line2D([], [], color=INK, linewidth=1, linestyle=(0, (4, 3)), label=("全部", "all pairs")[place])
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9.5)


def _head(figure: ShownFigure, ax: Axes, title: str, subtitle: str) -> None:
    """A headline over all columns; one of the first column would make that one as wide as itself."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    ax.set_title(" ", fontsize=10.5)
    below = ax.annotate(
        subtitle, (0.01, 1), (0, 8), xycoords=("figure fraction", "axes fraction"), textcoords="offset points"
    )
    below.set_color(MUTED)
    below.set_in_layout(False)
    figure.alt = title


def _title(groups: GroupFigures, names: Sequence[str], language: Language) -> tuple[str, str]:
    zh = language == "zh"
    shown = groups.frame[groups.frame["figure"].isin(names)]
    total = shown["group"].nunique()
    differ = shown.loc[shown["flag"] != "", "group"].nunique()
    small = shown.loc[~shown["enough"], "group"].nunique()
    sure = f"{100 * groups.confidence:.4g}"
    if zh:
        title = (
            f"按 {_short(groups.by)}：{total} 组中 {differ} 组与其余不同"
            if differ
            else (f"按 {_short(groups.by)}：{total} 组之间未见超出偶然的差别")
        )
        return title, f"阈值 {groups.cutoff:.4f}，{sure}% 区间；{small} 组在某项上样本太少；括号内为对数"
    title = (
        f"By {_short(groups.by)}: {differ} of {total} groups differ from the rest"
        if differ
        else f"By {_short(groups.by)}: no difference between {total} groups beyond chance"
    )
    return title, (
        f"cutoff {groups.cutoff:.4f}, {sure} % intervals; {small} too small in some; pairs in brackets"
    )


def _short(name: str) -> str:
    # A group name comes from a file, and a dollar sign would begin a formula.
    text = str(name).replace("$", r"\$")
    return text if len(text) <= 28 else text[:27] + "…"
