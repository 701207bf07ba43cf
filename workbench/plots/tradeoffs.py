"""Precision against recall, and the ROC curve, from the rows of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.plots.marks import alternative_text, band, checked_columns, in_percent, minus, value_at
from workbench.plots.style import BLUE, GREY, INK, MUTED, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.plots.style import ShownFigure

__all__ = ["draw_precision_recall", "plot_precision_recall", "plot_roc"]


def plot_precision_recall(
    sweep: pd.DataFrame,
    bands: pd.DataFrame | None = None,
    *,
    cutoff: float | None = None,
    current_cutoff: float | None = None,
    target_precision: float | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Precision against recall, with the cutoffs as points on the curve.

    Parameters
    ----------
    sweep : DataFrame
        Of :func:`~workbench.calibration.sweep.sweep`.
    bands : DataFrame, optional
        Of :func:`~workbench.calibration.bootstrap.bands`: the band of precision at each cutoff, drawn where
        that cutoff's recall is.
    cutoff, current_cutoff : float, optional
    target_precision : float, optional
        Drawn as a dotted line.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Its title gives the average precision, as scikit-learn defines it.
    """
    with house_style():
        figure = new_figure(width=6.4, height=5.4)
        draw_precision_recall(
            figure.subplots(),
            sweep,
            bands,
            cutoff=cutoff,
            current_cutoff=current_cutoff,
            target_precision=target_precision,
            language=language,
        )
        alternative_text(figure)
    return figure


def draw_precision_recall(
    ax: Axes,
    sweep: pd.DataFrame,
    bands: pd.DataFrame | None,
    *,
    cutoff: float | None,
    current_cutoff: float | None,
    target_precision: float | None,
    language: Language,
) -> None:
    """The curve on given axes."""
    checked_columns(sweep, ["cutoff", "precision", "recall", "prevalence"], "sweep()")
    zh = language == "zh"
    curve = sweep.dropna(subset=["precision"])
    if bands is not None:
        recall = np.array([value_at(sweep, "recall", at) for at in bands["cutoff"]])
        order = np.argsort(recall, kind="stable")
        band(ax, recall[order], bands["precision_low"].iloc[order], bands["precision_high"].iloc[order], BLUE)
    ax.plot(curve["recall"], curve["precision"], color=BLUE)
    chance = float(sweep["prevalence"].iloc[0])
    ax.axhline(chance, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(
        "随机挑选" if zh else "picked at random",
        (0.01, chance),
        (0, -4),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=MUTED,
    )
    if target_precision is not None:
        ax.axhline(target_precision, color=BLUE, linewidth=1, linestyle=(0, (1, 2)))
    _mark(ax, sweep, ("recall", "precision"), cutoff, current_cutoff, language)
    in_percent(ax, "xy", room=False)
    ax.set_xlabel("召回率" if zh else "recall")
    ax.set_ylabel("正确率" if zh else "precision")
    # Sum over steps of recall, from the highest cutoff down: sklearn.metrics.average_precision_score.
    steps = -np.diff(np.append(curve["recall"].to_numpy(), 0.0))
    average = float(np.sum(steps * curve["precision"].to_numpy()))
    headline(
        ax,
        f"平均正确率 {average:.3f}（随机为 {chance:.3f}）"
        if zh
        else f"Average precision {average:.3f} (at random {chance:.3f})",
        "越靠上，错配越少；越靠右，遗漏越少"
        if zh
        else "Higher: fewer false matches; farther right: fewer missed",
    )


def plot_roc(
    sweep: pd.DataFrame,
    *,
    cutoff: float | None = None,
    current_cutoff: float | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Share of matches found against share of non-matches let through.

    Parameters
    ----------
    sweep : DataFrame
        Of :func:`~workbench.calibration.sweep.sweep`.
    cutoff, current_cutoff : float, optional
        Marked on the curve.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Its title gives the area under the curve: how often a match scores higher than a non-match.
    """
    checked_columns(sweep, ["cutoff", "recall", "specificity"], "sweep()")
    zh = language == "zh"
    points = sweep.assign(false_positive_rate=1 - sweep["specificity"])
    area = float(np.trapezoid(points["recall"][::-1], points["false_positive_rate"][::-1]))
    with house_style():
        figure = new_figure(width=6.4, height=5.6)
        ax = figure.subplots()
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        ax.fill_between(points["false_positive_rate"], points["recall"], color=BLUE, alpha=0.08, linewidth=0)
        ax.plot(points["false_positive_rate"], points["recall"], color=BLUE)
        _mark(ax, points, ("false_positive_rate", "recall"), cutoff, current_cutoff, language)
        in_percent(ax, "xy", room=False)
        ax.set_aspect("equal")
        ax.set_xlabel("不匹配中被放过的比例" if zh else "non-matches above the cutoff (1 − specificity)")
        ax.set_ylabel("召回率" if zh else "recall")
        headline(
            ax,
            f"AUC {area:.3f}",
            "任取一对匹配和一对不匹配，前者分数更高的概率"
            if zh
            else "how often a match scores higher than a pair that is none",
        )
        alternative_text(figure)
    return figure


def _mark(
    ax: Axes,
    sweep: pd.DataFrame,
    axes: tuple[str, str],
    cutoff: float | None,
    current_cutoff: float | None,
    language: Language,
) -> None:
    names = {"zh": ("阈值", "现用"), "en": ("cutoff", "today")}[language]
    for at, name, colour, face in ((current_cutoff, names[1], MUTED, "white"), (cutoff, names[0], INK, INK)):
        if at is None or (name == names[1] and cutoff is not None and abs(at - cutoff) < 5e-5):
            continue
        x, y = (value_at(sweep, column, at) for column in axes)
        if np.isnan(x) or np.isnan(y):
            continue
        ax.plot(x, y, "o", markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.6, zorder=5)
        right = x < 0.7
        ax.annotate(
            minus(f"{name} {at:.4f}"),
            (x, y),
            (9 if right else -9, 7 if axes[1] == "precision" else -7),
            textcoords="offset points",
            ha="left" if right else "right",
            va="bottom" if axes[1] == "precision" else "top",
            color=colour,
            fontsize=9.5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
        )
