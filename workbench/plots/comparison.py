"""Encoders side by side: differences with their intervals, and all curves in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench import i18n
from workbench.errors import InputError
from workbench.plots.marks import alternative_text, checked_columns, in_percent, minus, value_at
from workbench.plots.style import (
    GREEN,
    GREY,
    INK,
    MUTED,
    PALETTE,
    VERMILLION,
    headline,
    house_style,
    new_figure,
)
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.calibration import Comparison
    from workbench.calibration.comparing_figures import ComparedFigure
    from workbench.plots.style import ShownFigure

__all__ = ["plain_name", "plot_curves", "plot_differences"]

SHOWN: tuple[ComparedFigure, ...] = ("auc", "average_precision", "precision_at_recall", "f1")
MOST_CURVES = 6
LINES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
LONGEST_NAME = 28


def plot_differences(
    comparison: Comparison,
    figures: Sequence[ComparedFigure] = SHOWN,
    *,
    language: Language = "zh",
) -> ShownFigure:
    """A row for each encoder, a column for each figure: the difference to the baseline with its interval.

    Parameters
    ----------
    comparison : Comparison
        Of :func:`~workbench.calibration.comparing.compare`.
    figures : sequence of str
        Some of those that it has.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Right of the line is better than the baseline. Intervals that leave the line out are coloured; the
        band around it in the first column is the difference in AUC that does not matter.

    Raises
    ------
    InputError
        If it has not one of the figures.
    """
    zh = language == "zh"
    others = [name for name in comparison.encoders if name != comparison.baseline]
    order = sorted(others, key=lambda name: float(comparison.row(name)["difference"]))
    with house_style():
        figure = new_figure(width=2.6 + 2.4 * len(figures), height=1.9 + 0.42 * len(order))
        axes = figure.subplots(1, len(figures), sharey=True, squeeze=False)[0]
        for ax, key in zip(axes, figures, strict=True):
            for height, name in enumerate(order):
                _difference(ax, height, comparison.row(name, key))
            ax.axvline(0, color=INK, linewidth=1, zorder=1)
            if key == "auc" and comparison.margin > 0:
                ax.axvspan(-comparison.margin, comparison.margin, color=GREY, alpha=0.18, linewidth=0)
            with i18n.language(language):
                ax.set_xlabel(comparison.figure_name(key), color=INK)
            _symmetric_enough(ax)
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
            ax.grid(axis="x")
        axes[0].set_yticks(range(len(order)), [plain_name(name) for name in order])
        axes[0].set_ylim(-0.6, len(order) - 0.4)
        sure, base = f"{100 * comparison.confidence:.4g}", plain_name(comparison.baseline)
        below = (
            f"与 {base} 的差及 {sure}% 区间；竖线右侧为更好"
            if zh
            else f"difference to {base} with its {sure} % interval; right of the line is better"
        )
        figure.suptitle(_finding(comparison, others, language), x=0.01, ha="left", fontsize=13)
        axes[0].set_title(" ", fontsize=10.5)
        said = axes[0].annotate(
            below,
            (0.01, 1),
            (0, 8),
            xycoords=("figure fraction", "axes fraction"),
            textcoords="offset points",
        )
        said.set_color(MUTED)
        said.set_in_layout(False)
        figure.alt = _finding(comparison, others, language)
    return figure


def plot_curves(
    sweeps: Mapping[str, pd.DataFrame],
    cutoffs: Mapping[str, float | None] | None = None,
    *,
    language: Language = "zh",
) -> ShownFigure:
    """ROC curves beside precision-recall curves of several encoders on the same pairs.

    Parameters
    ----------
    sweeps : mapping of str to DataFrame
        Of :func:`~workbench.calibration.sweep.sweep`, one an encoder.
    cutoffs : mapping of str to float or None, optional
        Each encoder's own, marked on its curves.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        The legend gives AUC and average precision; the dashed lines are picking at random.

    Raises
    ------
    InputError
        If there is none, or more than can be told apart.
    """
    if not 1 <= len(sweeps) <= MOST_CURVES:
        raise InputError(f"There are {len(sweeps)} curves to draw; 1 to {MOST_CURVES} can be told apart.")
    zh = language == "zh"
    areas: dict[str, float] = {}
    with house_style():
        figure = new_figure(width=9.6, height=5.2)
        roc, pr = figure.subplots(1, 2)
        for place, (name, sweep) in enumerate(sweeps.items()):
            checked_columns(sweep, ["cutoff", "recall", "specificity", "precision", "prevalence"], "sweep()")
            colour, style = PALETTE[place], LINES[place % len(LINES)]
            let_through = 1 - sweep["specificity"]
            areas[name] = float(np.trapezoid(sweep["recall"][::-1], let_through[::-1]))
            curve = sweep.dropna(subset=["precision"])
            # Sum over steps of recall, as sklearn.metrics.average_precision_score.
            average = float(np.sum(-np.diff(np.append(curve["recall"], 0.0)) * curve["precision"]))
            roc.plot(
                let_through,
                sweep["recall"],
                color=colour,
                linestyle=style,
                label=f"{plain_name(name)}  {areas[name]:.3f}",
            )
            pr.plot(
                curve["recall"],
                curve["precision"],
                color=colour,
                linestyle=style,
                label=f"{plain_name(name)}  {average:.3f}",
            )
            at = None if cutoffs is None else cutoffs.get(name)
            if at is not None:
                recall, precision, specificity = (
                    value_at(sweep, column, at) for column in ("recall", "precision", "specificity")
                )
                for ax, x, y in ((roc, 1 - specificity, recall), (pr, recall, precision)):
                    ax.plot(x, y, "o", color=colour, markeredgecolor="white", markersize=8, zorder=5)
        roc.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        chance = float(next(iter(sweeps.values()))["prevalence"].iloc[0])
        pr.axhline(chance, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        for ax, legend, where in ((roc, "AUC", "lower right"), (pr, "AP", "upper right")):
            in_percent(ax, "xy", room=False)
            ax.legend(title=legend, loc=where, fontsize=9.5, frameon=True, framealpha=0.85, edgecolor="none")
        roc.set_xlabel("不匹配中被放过的比例" if zh else "non-matches above the cutoff (1 − specificity)")
        roc.set_ylabel("召回率" if zh else "recall")
        pr.set_xlabel("召回率" if zh else "recall")
        pr.set_ylabel("正确率" if zh else "precision")
        best = max(areas, key=lambda name: areas[name])
        marked = "" if cutoffs is None else ("；圆点：各自的阈值" if zh else "; dots: each at its own cutoff")
        headline(
            roc,
            f"{plain_name(best)} 的 AUC 最高：{areas[best]:.3f}"
            if zh
            else f"{plain_name(best)} has the highest AUC: {areas[best]:.3f}",
            ("越靠左上越好" if zh else "nearer to the upper left is better") + marked,
        )
        headline(
            pr,
            " ",
            f"虚线：随机挑选，{100 * chance:.1f}%"
            if zh
            else f"dashed: picked at random, {100 * chance:.1f} %",
        )
        alternative_text(figure)
    return figure


def _difference(ax: Axes, height: int, row: pd.Series) -> None:
    value, low, high = (float(row[key]) for key in ("difference", "difference_low", "difference_high"))
    if np.isnan(value):
        ax.annotate("–", (0, height), (6, 0), textcoords="offset points", va="center", color=MUTED)
        return
    colour = GREEN if low > 0 else VERMILLION if high < 0 else GREY
    if not np.isnan(low):
        ax.plot([low, high], [height, height], color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
    ax.plot(value, height, "o" if colour == GREY else "s", color=colour, markersize=7, zorder=3)
    ax.annotate(
        minus(f"{value:+.3f}"),
        (value, height),
        (0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color=MUTED if colour == GREY else colour,
    )


def _symmetric_enough(ax: Axes) -> None:
    """Keep the line of no difference in sight, with room for figures on both sides."""
    from matplotlib.ticker import MaxNLocator

    low, high = ax.dataLim.intervalx
    reach = max(abs(low), abs(high), 0.01)
    ax.set_xlim(min(low, -0.3 * reach) - 0.15 * reach, max(high, 0.3 * reach) + 0.15 * reach)
    ax.xaxis.set_major_locator(MaxNLocator(4))


def _finding(comparison: Comparison, others: list[str], language: Language) -> str:
    zh, base = language == "zh", plain_name(comparison.baseline)
    standing = {name: comparison.standing(name) for name in others}
    if len(others) == 1:
        name = others[0]
        said = {
            "better": ("比 {} 更好", "is better than {}"),
            "worse": ("比 {} 更差", "is worse than {}"),
            "as good": ("与 {} 一样好", "is as good as {}"),
            "no worse": ("不比 {} 差", "is no worse than {}"),
            "unclear": ("与 {} 还分不出高下", "cannot be told from {} by these pairs"),
        }[standing[name]][0 if zh else 1]
        gap = minus(f"{comparison.row(name)['difference']:+.3f}")
        return f"{plain_name(name)} {said.format(base)}" + (f"：AUC {gap}" if zh else f": AUC {gap}")
    counted = [
        (sum(each == which for each in standing.values()), words)
        for which, words in (
            ("better", ("更好", "better")),
            ("worse", ("更差", "worse")),
            ("as good", ("一样好", "as good")),
            ("no worse", ("不差", "no worse")),
            ("unclear", ("分不出", "cannot be told")),
        )
    ]
    if zh:
        return f"按 AUC 与 {base} 相比：" + "，".join(f"{n} 个{words[0]}" for n, words in counted if n)
    return f"Against {base}, by AUC: " + ", ".join(f"{n} {words[1]}" for n, words in counted if n)


def plain_name(name: str) -> str:
    """A name as a figure can show it."""
    # A name comes from a user, and a dollar sign would begin a formula.
    text = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return text.replace("$", r"\$")
