"""What the dimensions of an encoder do, and what is left of the scores without some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.errors import InputError
from workbench.plots.marks import checked_columns
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
from workbench.plots.value_bars import signs
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import DimensionProfile
    from workbench.plots.style import ShownFigure

__all__ = ["plot_dimensions", "plot_removal"]

NAMED = 4
LEAST_NAMED = 0.01
COLUMNS = ("kind", "n_removed", "rank_correlation", "mean_score", "auc")


def plot_dimensions(profile: DimensionProfile, *, language: Language = "zh") -> ShownFigure:
    """Mean and spread of every dimension, and how the variance adds up.

    Parameters
    ----------
    profile : DimensionProfile
        From :func:`~workbench.exploration.dimensions.profile_dimensions`.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Left a dot for each dimension: far from the middle, it says much the same of every text; the
        largest parts in the score of random pairs are named, rogue and near-constant dimensions have
        marks of their own. Right, how few dimensions carry how much of the variance.
    """
    zh = language == "zh"
    table = profile.table
    rogue, constant = len(profile.rogue), len(profile.constant)
    with house_style():
        figure = new_figure(height=4.5)
        left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
        _spread(left, profile, zh)
        carried = np.sort(table["variance_share"].to_numpy())[::-1].cumsum()
        counts = np.arange(1, len(carried) + 1)
        right.plot(counts, carried, color=BLUE)
        right.plot(counts, counts / len(counts), color=GREY, linestyle=(0, (4, 3)), linewidth=1.2)
        half = profile.needed_for(0.5)
        right.plot([half, half, 0], [0, 0.5, 0.5], color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
        right.annotate(
            f"{half} 维占一半" if zh else f"{half} carry half",
            (half, 0.5),
            (7, -4),
            textcoords="offset points",
            va="top",
            fontsize=9.5,
        )
        right.set_xlim(0, len(carried))
        right.set_ylim(0, 1.02)
        right.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        right.grid()
        right.set_xlabel("维数（方差大的在前）" if zh else "dimensions, most varying first")
        right.set_ylabel("累计方差" if zh else "variance carried")
        headline(right, "", "虚线：各维相同时" if zh else "dashed: if all varied alike")
        title = (
            f"失控维度 {rogue} 个，几乎不变的 {constant} 个；随机两段文本平均 {profile.mean_score:.4f} 分"
            if zh
            else f"{rogue} rogue, {constant} near-constant; random texts score {profile.mean_score:.4f}"
        )
        subtitle = (
            f"{profile.n:,} 段文本，{len(table)} 维；点越大，在随机分数里占得越多"
            if zh
            else f"{profile.n:,} texts, {len(table)} dimensions; larger dots have a larger part in it"
        )
        headline(left, title, subtitle)
        figure.alt = title
    return figure


def plot_removal(curve: pd.DataFrame, *, name: str = "", language: Language = "zh") -> ShownFigure:
    """What is left of the scores as more and more dimensions are left out, in order and at random.

    Parameters
    ----------
    curve : DataFrame
        From :func:`~workbench.exploration.removal.removal_curve`.
    name : str
        What the order was, such as "most varying first".
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Mean score, order of pairs and, where there are labels, AUC.

    Raises
    ------
    InputError
        If columns are missing, or nothing was left out.
    """
    checked_columns(curve, COLUMNS, "removal_curve")
    if not (curve["n_removed"] > 0).any():
        raise InputError("The curve has no row in which dimensions were left out; pass counts above 0.")
    zh = language == "zh"
    panels = [
        ("mean_score", "平均分数" if zh else "mean score"),
        ("rank_correlation", "与原排序的斯皮尔曼相关" if zh else "order of pairs (Spearman)"),
    ]
    if curve["auc"].notna().all():
        panels.append(("auc", "AUC"))
    kinds = {
        "ordered": (name or ("按给定顺序" if zh else "in order"), VERMILLION, "o", "solid"),
        "random": ("随机" if zh else "at random", BLUE, "s", (0, (4, 2))),
    }
    with house_style():
        figure = new_figure(height=3.7)
        axes = np.atleast_1d(figure.subplots(1, len(panels)))
        counts = sorted(curve["n_removed"].unique())
        for ax, (column, quantity) in zip(axes, panels, strict=True):
            for kind, (label, colour, marker, style) in kinds.items():
                line = curve[curve["kind"] == kind].set_index("n_removed")[column].reindex(counts)
                ax.plot(
                    range(len(counts)),
                    line,
                    color=colour,
                    marker=marker,
                    markersize=4.5,
                    linestyle=style,
                    label=label,
                )
            # Evenly spaced: on an axis to scale, the first removals would lie on each other.
            ax.set_xticks(range(len(counts)), [f"{count:.0f}" for count in counts])
            ax.grid()
            ax.set_title(quantity, fontsize=10.5, color=MUTED, pad=8)
            ax.set_xlabel("去掉的维数" if zh else "dimensions left out")
        title = _removal_title(curve, zh)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=INK)
        axes[0].legend(loc="best", fontsize=9.5)
        figure.alt = title
    return figure


def _spread(ax: Axes, profile: DimensionProfile, zh: bool) -> None:
    table = profile.table
    sizes = 10 + 900 * table["cosine_share"].abs()
    plain = ~(table["is_rogue"] | table["is_near_constant"])
    ax.scatter(table["mean"][plain], table["std"][plain], s=sizes[plain], color=BLUE, alpha=0.45, linewidth=0)
    for flag, colour, marker, name in (
        ("is_near_constant", ORANGE, "s", "几乎不变" if zh else "near-constant"),
        ("is_rogue", VERMILLION, "D", "失控" if zh else "rogue"),
    ):
        rows = table[flag]
        if rows.any():
            ax.scatter(
                table["mean"][rows],
                table["std"][rows],
                s=42,
                facecolor="none",
                edgecolor=colour,
                marker=marker,
                linewidth=1.6,
                label=name,
                zorder=3,
            )
    taken: list[tuple[float, float]] = []
    reach = np.ptp(table["mean"]) or 1.0, np.ptp(table["std"]) or 1.0
    for dimension in profile.by_contribution[: 2 * NAMED]:
        share = float(abs(table["cosine_share"].iloc[dimension]))
        at = float(table["mean"].iloc[dimension]), float(table["std"].iloc[dimension])
        if (
            share < LEAST_NAMED
            or len(taken) == NAMED
            or any(abs(at[0] - x) < 0.16 * reach[0] and abs(at[1] - y) < 0.07 * reach[1] for x, y in taken)
        ):
            continue
        taken.append(at)
        is_right = at[0] > 0
        ax.annotate(
            f"#{dimension}  {share:.1%}",
            at,
            (-8 if is_right else 8, 0),
            textcoords="offset points",
            ha="right" if is_right else "left",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        )
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.margins(0.08)
    ax.grid()
    ax.set_xlabel("平均值（无单位）" if zh else "mean of the dimension (no unit)")
    ax.set_ylabel("标准差（无单位）" if zh else "standard deviation (no unit)")
    if table["is_rogue"].any() or table["is_near_constant"].any():
        ax.legend(loc="best", fontsize=9.5)


def _removal_title(curve: pd.DataFrame, zh: bool) -> str:
    ordered = curve[curve["kind"] == "ordered"].sort_values("n_removed")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    count = int(last["n_removed"])
    score = f"{first['mean_score']:.3f} → {last['mean_score']:.3f}"
    if np.isfinite(last["auc"]):
        auc = f"{first['auc']:.3f} → {last['auc']:.3f}"
        return signs(
            f"去掉 {count} 维：平均分 {score}，AUC {auc}"
            if zh
            else f"Without {count} dimensions: mean score {score}, AUC {auc}"
        )
    correlation = f"{last['rank_correlation']:.3f}"
    return signs(
        f"去掉 {count} 维：平均分 {score}，排序相关 {correlation}"
        if zh
        else f"Without {count} dimensions: mean score {score}, order correlates by {correlation}"
    )
