"""Curves from the rows of a sweep: figures and cost over the cutoff, precision against recall, and ROC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.i18n import N_, number, percent
from workbench.i18n import gettext as _
from workbench.plots.marks import checked_columns, is_row, mark_cutoffs, mark_points, score_axis, value_at
from workbench.plots.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    GREY,
    INK,
    MUTED,
    PURPLE,
    VERMILLION,
    ShownFigure,
    band,
    beside,
    headline,
    in_percent,
    minus,
    on_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHOWN = {
    "precision": (N_("precision"), BLUE),
    "recall": (N_("recall"), GREEN),
    "false_omission_rate": (N_("missed share"), VERMILLION),
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
    ax: Axes | None = None,
) -> ShownFigure:
    """Precision, recall and missed share (false omission rate) against the cutoff.

    Parameters
    ----------
    sweep : DataFrame
        Of :func:`~workbench.calibration.sweep`.
    bands : DataFrame, optional
        Of :func:`~workbench.calibration.bands`; without it, the sweep's Wilson intervals are shaded.
    cutoff, current_cutoff : float, optional
        The cutoff found, and today's, marked on the curves.
    target_precision, target_missed : float, optional
        Drawn as dotted lines.
    ax : Axes, optional
        Where to draw; by default a figure of its own.

    Returns
    -------
    Figure
        Curves end where fewer than 10 labelled pairs are left on their side. Its title gives the figures
        where `cutoff` is one of the sweep's, as all cutoffs are that rules and guarantees find.

    Raises
    ------
    InputError
        If the frame is no sweep.
    """
    checked_columns(sweep, ["cutoff", *SHOWN, "n_above", "n_below"], "sweep()")
    shaded = sweep if bands is None else bands
    ends: list[tuple[float, float, str, str]] = []
    with on_axes(ax, height=4.6) as ax:
        for key, (name, colour) in SHOWN.items():
            side = {"precision": "n_above", "false_omission_rate": "n_below"}.get(key)
            shown = sweep if side is None else sweep[sweep[side] >= FEWEST_PAIRS]
            if shown.empty:
                continue
            inside = shaded[shaded["cutoff"].between(shown["cutoff"].min(), shown["cutoff"].max())]
            if f"{key}_low" in inside.columns:
                band(ax, inside["cutoff"], inside[f"{key}_low"], inside[f"{key}_high"], colour)
            ax.plot(shown["cutoff"], shown[key], color=colour, drawstyle="steps-post", zorder=2)
            last = shown.dropna(subset=[key]).iloc[-1]
            ends.append((float(last[key]), float(last["cutoff"]), _(name), colour))
        _name_ends(ax, ends)
        for target, colour in ((target_precision, BLUE), (target_missed, VERMILLION)):
            if target is not None:
                ax.axhline(target, color=colour, linewidth=1, linestyle=DOTTED, zorder=1)
                name = _("target {share}").format(share=percent(target))
                place = {"xycoords": ("axes fraction", "data"), "fontsize": 9}
                beside(ax, name, (0, target), (3, 3), color=colour, **place)
        in_percent(ax)
        mark_cutoffs(ax, cutoff, current_cutoff)
        low, high = sweep["cutoff"].min(), sweep["cutoff"].max()
        ax.set_xlim(low, high + 0.10 * (high - low))
        ax.set_ylabel(_("share of pairs"))
        score_axis(ax)
        headline(ax, _at_cutoff(sweep, cutoff), _shading(sweep, bands))
    return ax.figure  # type: ignore[return-value]


def plot_cost(
    sweep: pd.DataFrame, *, cutoff: float | None = None, current_cutoff: float | None = None
) -> ShownFigure:
    """Expected cost of wrong decisions against the cutoff, with the cheapest one.

    The costs are those that the sweep was asked for; their two parts, false matches and missed ones, are
    drawn below the whole. Parameters are those of :func:`plot_over_cutoff`.
    """
    checked_columns(sweep, ["cutoff", "cost", "fp", "fn", "tp", "tn"], "sweep()")
    price = sweep.attrs.get("calibration", {}).get("costs", {"false_match": 1.0, "missed_match": 1.0})
    total = sweep["tp"] + sweep["fp"] + sweep["fn"] + sweep["tn"]
    at, cost = sweep["cutoff"], sweep["cost"]
    best = sweep.iloc[int(cost.argmin())]
    with on_axes(None, height=4.4) as ax:
        for name, values, colour, side in (
            (_("false matches"), price["false_match"] * sweep["fp"] / total, VERMILLION, "right"),
            (_("missed matches"), price["missed_match"] * sweep["fn"] / total, PURPLE, "left"),
        ):
            ax.plot(at, values, color=colour, linewidth=1.3, drawstyle="steps-post")
            half_way = int(np.argmin(np.abs(values - values.max() / 2)))
            where = (at.iloc[half_way], values.iloc[half_way])
            beside(ax, name, where, (-8 if side == "right" else 8, -4), ha=side, va="top", color=colour)
        ax.plot(at, cost, color=INK, linewidth=2.2, drawstyle="steps-post")
        ax.plot(best["cutoff"], best["cost"], "o", color=INK, markersize=7, zorder=5)
        ax.set_ylim(0, 1.2 * ax.dataLim.y1)
        mark_cutoffs(ax, cutoff, current_cutoff)
        beside(ax, _("both together"), (at.iloc[0], cost.iloc[0]), (0, 5), color=INK, fontweight="bold")
        ax.grid(axis="y")
        ax.set_ylabel(_("expected cost a pair"))
        score_axis(ax)
        title = _("Cost is lowest at {cutoff}: {cost:.3f} a pair")
        weighing = _("A false match costs {false_match:g}, a missed one {missed_match:g}")
        where_best = minus(number(best["cutoff"]))
        headline(ax, title.format(cutoff=where_best, cost=best["cost"]), weighing.format(**price))
    return ax.figure  # type: ignore[return-value]


def plot_precision_recall(
    sweep: pd.DataFrame,
    bands: pd.DataFrame | None = None,
    *,
    cutoff: float | None = None,
    current_cutoff: float | None = None,
    target_precision: float | None = None,
    ax: Axes | None = None,
) -> ShownFigure:
    """Precision against recall, with the cutoffs as points on the curve.

    The band of precision at each cutoff is drawn where that cutoff's recall is. The title gives the average
    precision, as scikit-learn defines it. Parameters are those of :func:`plot_over_cutoff`.
    """
    checked_columns(sweep, ["cutoff", "precision", "recall", "prevalence"], "sweep()")
    curve = sweep.dropna(subset=["precision"])
    chance = float(sweep["prevalence"].iloc[0])
    with on_axes(ax, width=6.4, height=5.4) as ax:
        if bands is not None:
            recall = np.array([value_at(sweep, "recall", at) for at in bands["cutoff"]])
            order = np.argsort(recall, kind="stable")
            low, high = (bands[f"precision_{end}"].iloc[order] for end in ("low", "high"))
            band(ax, recall[order], low, high, BLUE)
        ax.plot(curve["recall"], curve["precision"], color=BLUE)
        ax.axhline(chance, color=GREY, linewidth=1, linestyle=DASHED)
        beside(ax, _("picked at random"), (0.01, chance), (0, -4), va="top", fontsize=9, color=MUTED)
        if target_precision is not None:
            ax.axhline(target_precision, color=BLUE, linewidth=1, linestyle=DOTTED)
        mark_points(ax, sweep, ("recall", "precision"), cutoff, current_cutoff)
        in_percent(ax, "xy", room=False)
        ax.set_xlabel(_("recall"))
        ax.set_ylabel(_("precision"))
        title = _("Average precision {average:.3f} (at random {chance:.3f})")
        headline(
            ax,
            title.format(average=average_precision(sweep), chance=chance),
            _("Higher: fewer false matches; farther right: fewer missed"),
        )
    return ax.figure  # type: ignore[return-value]


def plot_roc(
    sweep: pd.DataFrame, *, cutoff: float | None = None, current_cutoff: float | None = None
) -> ShownFigure:
    """Share of matches found against share of non-matches let through.

    The title gives the area under the curve: how often a match scores higher than a non-match. Parameters
    are those of :func:`plot_over_cutoff`.
    """
    checked_columns(sweep, ["cutoff", "recall", "specificity"], "sweep()")
    points = sweep.assign(let_through=1 - sweep["specificity"])
    with on_axes(None, width=6.4, height=5.6) as ax:
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=DASHED)
        ax.fill_between(points["let_through"], points["recall"], color=BLUE, alpha=0.08, linewidth=0)
        ax.plot(points["let_through"], points["recall"], color=BLUE)
        mark_points(ax, points, ("let_through", "recall"), cutoff, current_cutoff)
        in_percent(ax, "xy", room=False)
        ax.set_aspect("equal")
        ax.set_xlabel(_("non-matches above the cutoff (1 − specificity)"))
        ax.set_ylabel(_("recall"))
        area = f"AUC {auc(sweep):.3f}"
        headline(ax, area, _("how often a match scores higher than a pair that is none"))
    return ax.figure  # type: ignore[return-value]


def auc(sweep: pd.DataFrame) -> float:
    """Area under the ROC curve."""
    return float(np.trapezoid(sweep["recall"][::-1], 1 - sweep["specificity"][::-1]))


def average_precision(sweep: pd.DataFrame) -> float:
    """A sum over steps of recall, as ``sklearn.metrics.average_precision_score`` has it."""
    curve = sweep.dropna(subset=["precision"])
    steps = -np.diff(np.append(curve["recall"], 0.0))
    return float(np.sum(steps * curve["precision"].to_numpy()))


def _name_ends(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Names at the right ends of curves, moved apart where they would lie on each other."""
    ends.sort(key=lambda end: end[0])
    heights = [max(end[0], 0.03) for end in ends]  # clear of the axis
    for above in range(1, len(heights)):
        heights[above] = max(heights[above], heights[above - 1] + 0.07)
    for height, (_value, at, name, colour) in zip(heights, ends, strict=True):
        beside(ax, name, (at, height), (5, 0), va="center", color=colour, fontweight="bold")


def _at_cutoff(sweep: pd.DataFrame, cutoff: float | None) -> str:
    if cutoff is None or not is_row(sweep, cutoff):
        return _("What does a higher cutoff win, and lose?")
    precision, recall, missed = (percent(value_at(sweep, name, cutoff)) for name in SHOWN)
    return _("At {cutoff}: precision {precision}, recall {recall}, missed {missed}").format(
        cutoff=minus(number(cutoff)), precision=precision, recall=recall, missed=missed
    )


def _shading(sweep: pd.DataFrame, bands: pd.DataFrame | None) -> str:
    """How the bands came about."""
    made = sweep.attrs.get("calibration", {}) if bands is None else bands.attrs.get("bootstrap", {})
    if bands is None:
        said = _("shaded: {confidence} Wilson intervals")
    elif made.get("by") == "cluster":
        said = _("shaded: {confidence} bootstrap bands by JD")
    else:
        said = _("shaded: {confidence} bootstrap bands")
    return said.format(confidence=percent(made.get("confidence", np.nan), None))
