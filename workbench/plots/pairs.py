"""Labelled pairs as figures: how far people agree, what wrong labels cost, what active labelling saves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import (
    FixedLocator,
    MaxNLocator,
    MultipleLocator,
    NullLocator,
    PercentFormatter,
    StrMethodFormatter,
)

from workbench.errors import InputError
from workbench.pairs.noise import LabelNoise, LabelSource, measurable_precision
from workbench.plots.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    MUTED,
    ORANGE,
    VERMILLION,
    headline,
    house_style,
    new_figure,
)
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.pairs.annotator_agreement import Agreement
    from workbench.plots.style import ShownFigure

__all__ = ["plot_active_labelling", "plot_agreement", "plot_label_noise"]


def plot_agreement(found: Agreement, *, language: Language = "zh") -> ShownFigure:
    """Percent agreement of the whole set and of each group, with intervals, kappa beside.

    Parameters
    ----------
    found : Agreement
        As :func:`workbench.pairs.agreement` gives it.
    language : {"zh", "en"}
        Of the labels.

    Returns
    -------
    Figure
        Column by column, groups from the lowest agreement to the highest.
    """
    zh = language == "zh"
    columns = list(dict.fromkeys(part.column for part in found.groups))
    groups = sorted(found.groups, key=lambda part: (columns.index(part.column), part.percent.value))
    parts = [found, *groups]
    # A gap before each column.
    rank = np.array([columns.index(part.column) + 1 if part.column in columns else 0 for part in parts])
    places = -(np.arange(len(parts)) + 0.6 * rank)
    with house_style():
        figure = new_figure(height=1.5 + 0.27 * -places[-1])
        ax = figure.subplots()
        for place, part in zip(places, parts, strict=True):
            colour = INK if part.column is None else BLUE
            low, high = part.percent.low, part.percent.high
            ax.plot(
                [low, high], [place, place], color=colour, linewidth=2, alpha=0.45, solid_capstyle="round"
            )
            ax.plot(part.percent.value, place, "o", color=colour, markersize=6, zorder=3)
            kappa = "–" if np.isnan(part.kappa.value) else f"{part.kappa.value:.2f}"
            beside = f"κ {kappa}   {part.n_disagreements}/{part.n_pairs}"
            ax.annotate(
                beside,
                (1.01, place),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=9,
                color=MUTED,
                annotation_clip=False,
            )
        ax.set_yticks(places, [_part_name(part, zh) for part in parts])
        ax.tick_params(axis="y", length=0, labelsize=9.5)
        lowest = min(part.percent.low for part in parts)
        ax.set_xlim(np.floor(20 * lowest) / 20, 1.002)
        ax.set_ylim(places[-1] - 0.7, 0.7)
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid(axis="x")
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(
            f"意见一致的比例（{found.confidence:.0%} 区间）；右侧：κ，不一致/全部"
            if zh
            else f"share of pairs on which people agree ({found.confidence:.0%} intervals); "
            "right: κ, differing/all"
        )
        n, differ = found.n_pairs, found.n_disagreements
        title = f"{n} 对里有 {differ} 对意见不同" if zh else f"People differ on {differ} of {n} pairs"
        headline(ax, title, f"Cohen κ {found.kappa} · Krippendorff α {found.alpha}")
        figure.alt = f"{title}; Cohen κ {found.kappa}"
    return figure


def plot_label_noise(
    noise: LabelNoise,
    *,
    target: float = 0.893,
    simulated: pd.DataFrame | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """The best precision that can be measured, for any rate of wrong labels, and where this set stands.

    Parameters
    ----------
    noise : LabelNoise
        Of the set.
    target : float
        A precision that somebody wants to show.
    simulated : DataFrame, optional
        ``flip_rate, source, measured``: precision measured on simulated labels of pairs that are all
        matches, drawn as points on the curves.
    language : {"zh", "en"}
        Of the labels.
    """
    zh = language == "zh"
    rates = np.linspace(0, 0.2, 201)
    curves: list[tuple[LabelSource, str, str]] = [
        ("single", VERMILLION, "一人标注" if zh else "one person"),
        ("adjudicated", BLUE, "两人加裁定" if zh else "two people,\nadjudicated"),
    ]
    with house_style():
        figure = new_figure(height=4.4)
        ax = figure.subplots()
        for source, colour, name in curves:
            ceiling = np.array([float(measurable_precision(1.0, rate, source)) for rate in rates])
            ax.plot(rates, ceiling, color=colour, linewidth=2.2)
            ax.annotate(
                name,
                (0.2, ceiling[-1]),
                (6, 0),
                textcoords="offset points",
                color=colour,
                va="center",
                annotation_clip=False,
            )
            if simulated is not None:
                shown = simulated[simulated["source"] == source]
                ax.plot(shown["flip_rate"], shown["measured"], "o", color=colour, markersize=5)
        ax.axhline(target, color=GREY, linewidth=1, linestyle=(0, (5, 4)))
        ax.annotate(
            f"想证明的精确率 {target:.1%}" if zh else f"precision to be shown, {target:.1%}",
            (0.02, target),
            (0, -5),
            textcoords="offset points",
            va="top",
            fontsize=9,
            color=MUTED,
        )
        rate = noise.flip_rate
        ax.axvspan(rate.low, rate.high, color=ORANGE, alpha=0.35, linewidth=0)
        ax.axvline(rate.value, color=ORANGE, linewidth=1.5)
        ax.annotate(
            f"这个集合：{rate.value:.2%}" if zh else f"this set: {rate.value:.2%}",
            (rate.high, 0.805),
            (6, 0),
            textcoords="offset points",
            color=INK,
            fontsize=9.5,
        )
        ax.set_xlim(0, 0.2)
        ax.set_ylim(0.79, 1.003)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MultipleLocator(0.05))
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid()
        ax.set_xlabel("一个人标错的比例" if zh else "share of one person's labels that are wrong")
        ax.set_ylabel("测得的精确率上限" if zh else "highest precision that can be measured")
        worst = 1 - target
        title = (
            f"一人标错超过 {worst:.1%}，就再也测不出 {target:.1%} 的精确率"
            if zh
            else f"With more than {worst:.1%} wrong labels, one person cannot show {target:.1%} precision"
        )
        if_all = "假设阈值之上全是真匹配" if zh else "if every pair above the cutoff is a true match"
        points = ("；圆点是模拟" if zh else "; points are simulated") if simulated is not None else ""
        headline(ax, title, if_all + points)
        figure.alt = title
    return figure


def plot_active_labelling(simulated: pd.DataFrame, *, language: Language = "zh") -> ShownFigure:
    """Error of precision and of the missed share against the number of labels, active and random.

    Parameters
    ----------
    simulated : DataFrame
        As :func:`workbench.pairs.simulate_labelling` gives it.
    language : {"zh", "en"}
        Of the labels.

    Raises
    ------
    InputError
        If it has no rows for both methods.
    """
    zh = language == "zh"
    if set(simulated["method"]) != {"active", "random"}:
        raise InputError("The simulation needs rows of both methods, 'active' and 'random'.")
    titles = {
        "precision": "阈值之上的精确率" if zh else "precision above the cutoff",
        "missed": "阈值之下漏掉的比例" if zh else "share of matches missed below it",
    }
    names = {"active": "主动挑选" if zh else "active", "random": "随机抽取" if zh else "random"}
    with house_style():
        figure = new_figure(height=4.2)
        axes = figure.subplots(1, 2)
        for ax, (name, title) in zip(axes, titles.items(), strict=True):
            _error_curves(ax, simulated[simulated["figure"] == name], names)
            ax.set_title(title, fontsize=11)
            ax.set_xlabel("标注数（对）" if zh else "labels (pairs)")
        axes[0].set_ylabel("误差：均方根（百分点）" if zh else "root mean squared error (points)")
        title = _saving(simulated, zh)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=INK)
        figure.alt = title
    return figure


def _error_curves(ax: Axes, rows: pd.DataFrame, names: dict[str, str]) -> None:
    sizes = sorted(rows["n"].unique())
    curves = {method: shown.sort_values("n") for method, shown in rows.groupby("method")}
    ends = {method: 100 * shown["rmse"].iloc[-1] for method, shown in curves.items()}
    for method, colour in (("random", GREY), ("active", BLUE)):
        shown = curves[method]
        ax.plot(shown["n"], 100 * shown["rmse"], "o-", color=colour, markersize=5)
        # Names part where the curves end close to each other.
        ax.annotate(
            names[method],
            (sizes[-1], ends[method]),
            (7, 5 if ends[method] == max(ends.values()) else -5),
            textcoords="offset points",
            va="center",
            color=MUTED if method == "random" else colour,
            annotation_clip=False,
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    ax.set_xlim(sizes[0] * 0.9, sizes[-1] * 1.45)
    ax.set_ylim(0)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.grid(axis="y", color=LIGHT)


def _saving(simulated: pd.DataFrame, zh: bool) -> str:
    """What active labelling does to the error of precision, at the largest number of labels."""
    rows = simulated[simulated["figure"] == "precision"].set_index(["n", "method"])["rmse"]
    n = int(simulated["n"].max())
    active, even = 100 * rows[n, "active"], 100 * rows[n, "random"]
    if zh:
        return f"同样标 {n} 对：主动挑选时精确率的误差是 {active:.1f} 个百分点，随机抽取是 {even:.1f}"
    return f"With {n} labels, precision is off by {active:.1f} points if active, {even:.1f} if random"


def _part_name(part: Agreement, zh: bool) -> str:
    if part.column is None:
        return "全部" if zh else "all"
    return f"{part.group}"
