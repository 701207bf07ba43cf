"""Encoders side by side: differences with their intervals, all curves in one picture, and how many dimensions
of one encoder suffice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from workbench.errors import InputError
from workbench.i18n import N_, listed, ngettext, percent
from workbench.i18n import gettext as _
from workbench.plots.curves import auc, average_precision
from workbench.plots.marks import checked_columns, value_at
from workbench.plots.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    GREY,
    INK,
    LIGHT,
    MUTED,
    PALETTE,
    VERMILLION,
    ShownFigure,
    band,
    beside,
    headline,
    house_style,
    in_percent,
    minus,
    new_figure,
    overall_headline,
    rows,
    shortened,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.calibration import Comparison
    from workbench.calibration.comparing_figures import ComparedFigure
    from workbench.calibration.comparison import Standing

MOST_CURVES = 6
LINES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
COUNTS: dict[Standing, str] = {
    "better": N_("{n} better"),
    "worse": N_("{n} worse"),
    "unclear": N_("{n} cannot be told"),
}


def plot_differences(comparison: Comparison, figures: Sequence[ComparedFigure] | None = None) -> ShownFigure:
    """A row for each encoder, a column for each figure: the difference to the baseline with its interval.

    Parameters
    ----------
    comparison : Comparison
        Of :func:`~workbench.calibration.compare`.
    figures : sequence of str, optional
        Some of those that it has; by default that which says which is better, F1 and AUC.

    Returns
    -------
    Figure
        Right of the line is better than the baseline. Intervals that leave the line out are coloured.

    Raises
    ------
    InputError
        If it has not one of the figures.
    """
    figures = figures or list(dict.fromkeys([comparison.figures[0], "f_beta", "auc"]))
    others = comparison.others
    order = sorted(others, key=lambda name: float(comparison.row(name)["difference"]))
    with house_style():
        figure = new_figure(width=2.6 + 2.4 * len(figures), height=1.9 + 0.42 * len(order))
        axes = figure.subplots(1, len(figures), sharey=True, squeeze=False)[0]
        for ax, key in zip(axes, figures, strict=True):
            rows(ax, range(len(order)), [shortened(name) for name in order])
            for height, name in enumerate(order):
                _difference(ax, height, comparison.row(name, key))
            ax.axvline(0, color=INK, linewidth=1, zorder=1)
            ax.set_xlabel(comparison.figure_name(key), color=INK)
            _keep_zero_in_sight(ax)
        axes[0].set_ylim(-0.6, len(order) - 0.4)
        below = _("difference to {baseline} with its {confidence} interval; right of the line is better")
        base, sure = shortened(comparison.baseline), percent(comparison.confidence, None)
        overall_headline(figure, _finding(comparison), below.format(baseline=base, confidence=sure))
    return figure


def plot_curves(
    sweeps: Mapping[str, pd.DataFrame], cutoffs: Mapping[str, float | None] | None = None
) -> ShownFigure:
    """ROC curves beside precision-recall curves of several encoders on the same pairs.

    Parameters
    ----------
    sweeps : mapping of str to DataFrame
        Of :func:`~workbench.calibration.sweep`, one an encoder.
    cutoffs : mapping of str to float or None, optional
        Each encoder's own, marked on its curves.

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
        raise InputError(
            _("There are {n} curves to draw; 1 to {most} can be told apart.").format(
                n=len(sweeps), most=MOST_CURVES
            )
        )
    for sweep in sweeps.values():
        checked_columns(sweep, ["cutoff", "recall", "specificity", "precision", "prevalence"], "sweep()")
    with house_style():
        figure = new_figure(width=9.6, height=5.2)
        roc, pr = figure.subplots(1, 2)
        for place, (name, sweep) in enumerate(sweeps.items()):
            style = {"color": PALETTE[place], "linestyle": LINES[place % len(LINES)]}
            label, curve = shortened(name), sweep.dropna(subset=["precision"])
            roc.plot(1 - sweep["specificity"], sweep["recall"], label=f"{label}  {auc(sweep):.3f}", **style)
            average = average_precision(sweep)
            pr.plot(curve["recall"], curve["precision"], label=f"{label}  {average:.3f}", **style)
            at = (cutoffs or {}).get(name)
            if at is not None:
                recall, precision, specificity = (
                    value_at(sweep, column, at) for column in ("recall", "precision", "specificity")
                )
                for ax, x, y in ((roc, 1 - specificity, recall), (pr, recall, precision)):
                    dot = {"markeredgecolor": "white", "markersize": 8, "zorder": 5}
                    ax.plot(x, y, "o", color=PALETTE[place], **dot)
        roc.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=DASHED)
        chance = float(next(iter(sweeps.values()))["prevalence"].iloc[0])
        pr.axhline(chance, color=GREY, linewidth=1, linestyle=DASHED)
        for ax, legend, where in ((roc, "AUC", "lower right"), (pr, "AP", "best")):
            in_percent(ax, "xy", room=False)
            ax.legend(title=legend, loc=where, frameon=True, framealpha=0.85, edgecolor="none")
        roc.set_xlabel(_("non-matches above the cutoff (1 − specificity)"))
        roc.set_ylabel(_("recall"))
        pr.set_xlabel(_("recall"))
        pr.set_ylabel(_("precision"))
        best = max(sweeps, key=lambda name: auc(sweeps[name]))
        title = _("{encoder} has the highest AUC: {auc:.3f}")
        near = _("nearer to the upper left is better")
        if cutoffs is not None:
            near = _("nearer to the upper left is better; dots: each at its own cutoff")
        headline(roc, title.format(encoder=shortened(best), auc=auc(sweeps[best])), near)
        headline(pr, " ", _("dashed: picked at random, {share}").format(share=percent(chance)))
    return figure


def plot_matryoshka(table: pd.DataFrame, *, name: str | None = None) -> ShownFigure:
    """AUC and best cutoff against dimension, with bands.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~workbench.calibration.matryoshka`.
    name : str, optional
        The encoder, for the title.

    Returns
    -------
    Figure
        Bars are the interval of the difference to all dimensions: paired, and so much shorter than the band.
        Where a bar ends above the dotted line, the AUC of all dimensions less the margin, the dimension
        suffices, as far as all larger ones do (filled dots). Its title names the smallest.
    """
    ends = ["difference_low", "difference_high"]
    columns = ["dimension", "auc", "auc_low", "auc_high", "cutoff", "cutoff_low", "cutoff_high", "suffices"]
    checked_columns(table, [*columns, *ends], "matryoshka()")
    dimension, suffices = table["dimension"].to_numpy(), table["suffices"].to_numpy(dtype=bool)
    with house_style():
        figure = new_figure(width=8.4, height=6.2)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for ax, key, colour in ((above, "auc", BLUE), (below, "cutoff", GREEN)):
            band(ax, dimension, table[f"{key}_low"], table[f"{key}_high"], colour)
            ax.plot(dimension, table[key], color=colour, zorder=2)
            for which, face in ((suffices, colour), (~suffices, "white")):
                dots = {"color": colour, "markerfacecolor": face, "markersize": 7, "zorder": 3}
                ax.plot(dimension[which], table[key][which], "o", **dots)
            ax.grid(axis="both", color=LIGHT)
        whole, margin = table["auc"].iloc[-1], table.attrs.get("margin")
        above.vlines(dimension, *(whole + table[end] for end in ends), color=BLUE, linewidth=2.2, zorder=2)
        if margin is not None:
            above.axhline(whole - margin, color=MUTED, linewidth=1, linestyle=DOTTED, zorder=1)
            said = _("all dimensions − {margin:g}").format(margin=margin)
            small = {"va": "top", "fontsize": 9, "color": MUTED}
            beside(above, said, (0, whole - margin), (4, -3), xycoords=("axes fraction", "data"), **small)
        for at, area in zip(table["dimension"], table["auc"], strict=True):
            # Beside the bar, not on it.
            beside(above, f"{area:.3f}", (at, area), (7, -12), fontsize=9, color=BLUE)
        below.set_xscale("log", base=2)
        below.set_xticks(dimension, [str(each) for each in dimension])
        below.minorticks_off()
        above.set_ylabel("AUC")
        below.set_ylabel(_("best cutoff"))
        below.set_xlabel(_("dimensions (logarithmic)"))
        how = _("bands: {confidence} intervals; bars: of the difference, to end above the line (filled dots)")
        sure = percent(table.attrs.get("confidence", np.nan), None)
        headline(above, _which_suffices(table, name), how.format(confidence=sure))
    return figure


def _difference(ax: Axes, height: int, row: pd.Series) -> None:
    value, low, high = (float(row[key]) for key in ("difference", "difference_low", "difference_high"))
    if np.isnan(value):
        beside(ax, "–", (0, height), (6, 0), va="center", color=MUTED)
        return
    colour = GREEN if low > 0 else VERMILLION if high < 0 else GREY
    if not np.isnan(low):
        ax.plot([low, high], [height, height], color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
    ax.plot(value, height, "o" if colour == GREY else "s", color=colour, markersize=7, zorder=3)
    shade = MUTED if colour == GREY else colour
    beside(ax, minus(f"{value:+.3f}"), (value, height), (0, 7), ha="center", fontsize=9, color=shade)


def _keep_zero_in_sight(ax: Axes) -> None:
    """The line of no difference stays in the figure, with room for numbers on both sides."""
    low, high = ax.dataLim.intervalx
    reach = max(abs(low), abs(high), 0.01)
    ax.set_xlim(min(low, -0.3 * reach) - 0.15 * reach, max(high, 0.3 * reach) + 0.15 * reach)
    ax.xaxis.set_major_locator(MaxNLocator(4))


def _finding(comparison: Comparison) -> str:
    base, others = shortened(comparison.baseline), comparison.others
    first = comparison.figure_name(comparison.figures[0])
    if len(others) == 1:
        row, which = comparison.row(others[0]), comparison.standing(others[0])
        said = {
            "better": _("{encoder} is better than {baseline}: {gap} {figure}"),
            "worse": _("{encoder} is worse than {baseline}: {gap} {figure}"),
            "unclear": _("{encoder} cannot be told from {baseline} by these pairs: {gap} {figure}"),
        }[which]
        gap = minus(f"{row['difference']:+.3f}")
        return said.format(encoder=shortened(others[0]), baseline=base, gap=gap, figure=first)
    counted = Counter(map(comparison.standing, others))
    counts = [_(said).format(n=n) for which, said in COUNTS.items() if (n := counted[which])]
    return _("Against {baseline}, by {figure}: {counts}").format(
        baseline=base, figure=first, counts=listed(counts)
    )


def _which_suffices(table: pd.DataFrame, name: str | None) -> str:
    whole = int(table["dimension"].iloc[-1])
    smallest = int(table.loc[table["suffices"].astype(bool), "dimension"].min())
    if smallest == whole:
        said = _("fewer than {n} dimensions are not shown to suffice").format(n=whole)
    else:
        said = ngettext(
            "{n} of {total} dimensions suffices", "{n} of {total} dimensions suffice", smallest
        ).format(n=smallest, total=whole)
    if name is None:
        return said
    return _("{encoder}: {finding}").format(encoder=shortened(name), finding=said)
