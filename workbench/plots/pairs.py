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
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, percent
from workbench.pairs.noise import LabelNoise, LabelSource, measurable_precision
from workbench.plots.style import (
    BLUE,
    DASHED,
    GREY,
    INK,
    LIGHT,
    MUTED,
    ORANGE,
    VERMILLION,
    ShownFigure,
    Style,
    beside,
    headline,
    house_style,
    new_figure,
    on_axes,
    overall_headline,
    rows,
    shortened,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.pairs.annotator_agreement import Agreement


def plot_agreement(found: Agreement) -> ShownFigure:
    """Percent agreement of the whole set and of each group, with intervals, kappa beside.

    Parameters
    ----------
    found : Agreement
        As :func:`workbench.pairs.agreement` gives it.

    Returns
    -------
    Figure
        Column by column, groups from the lowest agreement to the highest.
    """
    columns = list(dict.fromkeys(part.column for part in found.groups))
    groups = sorted(found.groups, key=lambda part: (columns.index(part.column), part.percent.value))
    parts = [found, *groups]
    # A gap before each column.
    rank = np.array([columns.index(part.column) + 1 if part.column in columns else 0 for part in parts])
    places = -(np.arange(len(parts)) + 0.6 * rank)
    with on_axes(None, height=1.5 + 0.27 * -places[-1]) as ax:
        for place, part in zip(places, parts, strict=True):
            colour = INK if part.column is None else BLUE
            ends = (part.percent.low, part.percent.high)
            ax.plot(ends, [place, place], color=colour, linewidth=2, alpha=0.45, solid_capstyle="round")
            ax.plot(part.percent.value, place, "o", color=colour, markersize=6, zorder=3)
            kappa = "–" if np.isnan(part.kappa.value) else f"{part.kappa.value:.2f}"
            said = f"κ {kappa}   {part.n_disagreements}/{part.n_pairs}"
            edge: Style = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
            beside(ax, said, (1.01, place), va="center", fontsize=9, color=MUTED, **edge)
        rows(ax, places, [_("all pairs") if part.column is None else shortened(part.group) for part in parts])
        ax.set_xlim(np.floor(20 * min(part.percent.low for part in parts)) / 20, 1.002)
        ax.set_ylim(places[-1] - 0.7, 0.7)
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis = _("share of pairs on which people agree ({confidence} intervals); right: κ, differing/all")
        ax.set_xlabel(axis.format(confidence=percent(found.confidence, None)))
        title = ngettext(
            "People differ on {n} of {total} pair", "People differ on {n} of {total} pairs", found.n_pairs
        ).format(n=found.n_disagreements, total=found.n_pairs)
        headline(ax, title, f"Cohen κ {found.kappa} · Krippendorff α {found.alpha}")
    figure: ShownFigure = ax.figure  # type: ignore[assignment]
    figure.aside = f"Cohen κ {found.kappa}"
    return figure


def plot_label_noise(
    noise: LabelNoise, *, target: float = 0.893, simulated: pd.DataFrame | None = None
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
    """
    rates = np.linspace(0, 0.2, 201)
    curves: list[tuple[LabelSource, str, str]] = [
        ("single", VERMILLION, _("one person")),
        ("adjudicated", BLUE, _("two people,\nadjudicated")),
    ]
    with on_axes(None, height=4.4) as ax:
        for source, colour, name in curves:
            ceiling = np.array([float(measurable_precision(1.0, rate, source)) for rate in rates])
            ax.plot(rates, ceiling, color=colour, linewidth=2.2)
            end = (0.2, ceiling[-1])
            beside(ax, name, end, (6, 0), color=colour, va="center", annotation_clip=False)
            if simulated is not None:
                shown = simulated[simulated["source"] == source]
                ax.plot(shown["flip_rate"], shown["measured"], "o", color=colour, markersize=5)
        ax.axhline(target, color=GREY, linewidth=1, linestyle=DASHED)
        wanted = _("precision to be shown, {share}").format(share=percent(target))
        beside(ax, wanted, (0.02, target), (0, -5), va="top", fontsize=9, color=MUTED)
        rate = noise.flip_rate
        ax.axvspan(rate.low, rate.high, color=ORANGE, alpha=0.35, linewidth=0)
        ax.axvline(rate.value, color=ORANGE, linewidth=1.5)
        here = _("this set: {share}").format(share=percent(rate.value, 2))
        beside(ax, here, (rate.high, 0.805), (6, 0), color=INK, fontsize=9.5)
        ax.set_xlim(0, 0.2)
        ax.set_ylim(0.79, 1.003)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MultipleLocator(0.05))
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid()
        ax.set_xlabel(_("share of one person's labels that are wrong"))
        ax.set_ylabel(_("highest precision that can be measured"))
        title = _("With more than {wrong} wrong labels, one person cannot show {precision} precision")
        below = _("if every pair above the cutoff is a true match")
        if simulated is not None:
            below = _("if every pair above the cutoff is a true match; points are simulated")
        headline(ax, title.format(wrong=percent(1 - target), precision=percent(target)), below)
    return ax.figure  # type: ignore[return-value]


def plot_active_labelling(simulated: pd.DataFrame) -> ShownFigure:
    """Error of precision and of the missed share against the number of labels, active and random.

    Parameters
    ----------
    simulated : DataFrame
        As :func:`workbench.pairs.simulate_labelling` gives it.

    Raises
    ------
    InputError
        If it has no rows for both methods.
    """
    if set(simulated["method"]) != {"active", "random"}:
        raise InputError(_("The simulation needs rows of both methods, 'active' and 'random'."))
    titles = {
        "precision": _("precision above the cutoff"),
        "missed": _("share of matches missed below it"),
    }
    with house_style():
        figure = new_figure(height=4.2)
        axes = figure.subplots(1, 2)
        for ax, (name, title) in zip(axes, titles.items(), strict=True):
            _error_curves(ax, simulated[simulated["figure"] == name])
            ax.set_title(title, fontsize=11)
            ax.set_xlabel(_("labels (pairs)"))
        axes[0].set_ylabel(_("root mean squared error (points)"))
        overall_headline(figure, _saving(simulated))
    return figure


def _error_curves(ax: Axes, shown: pd.DataFrame) -> None:
    sizes = sorted(shown["n"].unique())
    curves = {method: curve.sort_values("n") for method, curve in shown.groupby("method")}
    ends = {method: 100 * curve["rmse"].iloc[-1] for method, curve in curves.items()}
    for method, name, colour, shade in (
        ("random", _("drawn at random"), GREY, MUTED),
        ("active", _("picked actively"), BLUE, BLUE),
    ):
        ax.plot(curves[method]["n"], 100 * curves[method]["rmse"], "o-", color=colour, markersize=5)
        # Names part where the curves end close to each other.
        offset = (7, 5 if ends[method] == max(ends.values()) else -5)
        end = (sizes[-1], ends[method])
        beside(ax, name, end, offset, va="center", color=shade, annotation_clip=False)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    ax.set_xlim(sizes[0] * 0.9, sizes[-1] * 1.45)
    ax.set_ylim(0)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.grid(axis="y", color=LIGHT)


def _saving(simulated: pd.DataFrame) -> str:
    """What active labelling does to the error of precision, at the largest number of labels."""
    errors = simulated[simulated["figure"] == "precision"].set_index(["n", "method"])["rmse"]
    n = int(simulated["n"].max())
    said = _("With {n} labels, precision is off by {active:.1f} points if active, {random:.1f} if random")
    return said.format(n=n, active=100 * errors[n, "active"], random=100 * errors[n, "random"])
