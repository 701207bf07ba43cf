"""Dimension by dimension: where a score comes from, whether that is more than chance, what each dimension of
an encoder does, and what is left of the scores without some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number, percent
from workbench.plots.marks import checked_columns, name_line
from workbench.plots.style import (
    BLUE,
    DASHED,
    GREY,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    VERMILLION,
    ShownFigure,
    Style,
    beside,
    headline,
    house_style,
    minus,
    new_figure,
    overall_headline,
    rows,
    shortened,
)
from workbench.plots.vectors import draw_bars, fold, label_dimension

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import ChanceComparison, Contributions, DimensionProfile

MOST = 15
LONGEST_NAME = 18
# Of contributions: how many are named at most, and the width of a name as a share of the row.
NAMED, LABEL = 5, 0.16
# Of a profile: how many dimensions are named at most, and which part of the score is worth it.
NAMED_OF_PROFILE, LEAST_NAMED = 4, 0.01
COLUMNS = ("kind", "n_removed", "rank_correlation", "mean_score", "auc")


def plot_contributions(parts: Contributions, names: tuple[str, str] = ("", "")) -> ShownFigure:
    """What every dimension contributes to a score: bars that add up to it, blue adds, red takes away.

    Parameters
    ----------
    parts : Contributions
        From :func:`~workbench.exploration.split_score`.
    names : tuple of str
        What the vectors stand for; shown in the second line.

    Returns
    -------
    Figure
        Its title says how few dimensions make half of what is added; the largest are named.
    """
    values = parts.products
    folding = fold(len(values))
    half = parts.needed_for(0.5)
    added = float(values[values > 0].sum())
    title = ngettext(
        "Score {score} = +{added} − {lost}; {n} of {total} dimensions makes half of what is added",
        "Score {score} = +{added} − {lost}; {n} of {total} dimensions make half of what is added",
        half,
    ).format(
        score=minus(number(parts.score)),
        added=number(added),
        lost=number(added - parts.score),
        n=half,
        total=len(values),
    )
    below = _("{n} dimensions, blue adds").format(n=len(values))
    if shown := " × ".join(shortened(name, LONGEST_NAME) for name in names if name):
        below = _("{names}, {n} dimensions, blue adds").format(names=shown, n=len(values))
    with house_style():
        figure = new_figure(height=1.75 + folding.height + 0.2 * (folding.rows == 1))
        axes = list(figure.subplots(folding.rows, 1, sharey=True, squeeze=False)[:, 0])
        draw_bars(axes, values, float(np.abs(values).max()) * 1.3 or 1.0)
        for dimension in _apart(parts, folding.width):
            label_dimension(axes, values, dimension)
        headline(axes[0], title, below)
        axes[-1].set_xlabel(folding.axis)
        figure.supylabel(_("contribution to the score"), fontsize=10.5, color=MUTED, fontweight="normal")
    return figure


def plot_chance(found: ChanceComparison, *, most: int = MOST) -> ShownFigure:
    """The largest contributions beside those of random pairs, and how many dimensions random pairs share.

    Parameters
    ----------
    found : ChanceComparison
        From :func:`~workbench.exploration.against_chance`.
    most : int
        Dimensions shown, largest contribution first.

    Returns
    -------
    Figure
        A filled dot contributes more than random pairs do, after correction for all dimensions; a hollow
        one does not. Grey bars hold nine tenths of random pairs.
    """
    n = len(found.findings)
    title = _("After correction, no dimension is above chance")
    if n:
        title = ngettext(
            "After correction, {n} dimension above chance", "After correction, {n} dimensions above chance", n
        ).format(n=n)
    below = _("{tests} tests, false discovery rate {fdr}; {n:,} random pairs").format(
        tests=len(found.p_values), fdr=percent(found.fdr, None), n=found.n_pairs
    )
    with house_style():
        figure = new_figure(height=1.7 + 0.27 * most)
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        _largest(left, found, most)
        _shared(right, found)
        headline(left, title, below)
    return figure


def plot_dimensions(profile: DimensionProfile) -> ShownFigure:
    """Mean and spread of every dimension, and how the variance adds up.

    Parameters
    ----------
    profile : DimensionProfile
        From :func:`~workbench.exploration.profile_dimensions`.

    Returns
    -------
    Figure
        Left a dot for each dimension: far from the middle, it says much the same of every text; the
        largest parts in the score of random pairs are named, rogue and near-constant dimensions have
        marks of their own. Right, how few dimensions carry how much of the variance.
    """
    carried = np.sort(profile.table["variance_share"].to_numpy())[::-1].cumsum()
    counts = np.arange(1, len(carried) + 1)
    half = profile.needed_for(0.5)
    with house_style():
        figure = new_figure(height=4.5)
        left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
        _spread(left, profile)
        right.plot(counts, carried, color=BLUE)
        right.plot(counts, counts / len(counts), color=GREY, linestyle=DASHED, linewidth=1.2)
        right.plot([half, half, 0], [0, 0.5, 0.5], color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
        carry = ngettext("{n} carries half", "{n} carry half", half).format(n=half)
        beside(right, carry, (half, 0.5), (7, -4), va="top", fontsize=9.5)
        right.set_xlim(0, len(carried))
        right.set_ylim(0, 1.02)
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        right.grid()
        right.set_xlabel(_("dimensions, most varying first"))
        right.set_ylabel(_("variance carried"))
        headline(right, "", _("dashed: if all varied alike"))
        title = _("{rogue} rogue, {constant} near-constant; random texts score {score}")
        below = _("{n:,} texts, {total} dimensions; larger dots have a larger part in it")
        marked = {"rogue": len(profile.rogue), "constant": len(profile.constant)}
        headline(
            left,
            title.format(score=minus(number(profile.mean_score)), **marked),
            below.format(n=profile.n, total=len(counts)),
        )
    return figure


def plot_removal(curve: pd.DataFrame, *, name: str = "") -> ShownFigure:
    """What is left of the scores as more and more dimensions are left out, in order and at random.

    Parameters
    ----------
    curve : DataFrame
        From :func:`~workbench.exploration.removal_curve`.
    name : str
        What the order was, such as "most varying first".

    Returns
    -------
    Figure
        Mean score, order of pairs and, where there are labels, AUC.

    Raises
    ------
    InputError
        If columns are missing, or nothing was left out.
    """
    checked_columns(curve, COLUMNS, "removal_curve()")
    if not (curve["n_removed"] > 0).any():
        raise InputError(_("The curve has no row in which dimensions were left out; pass counts above 0."))
    quantities = {"mean_score": _("mean score"), "rank_correlation": _("order of pairs (Spearman)")}
    if curve["auc"].notna().all():
        quantities["auc"] = "AUC"
    lines: dict[str, Style] = {
        "ordered": {"label": name or _("in order"), "color": VERMILLION, "marker": "o"},
        "random": {"label": _("at random"), "color": BLUE, "marker": "s", "linestyle": (0, (4, 2))},
    }
    counts = sorted(curve["n_removed"].unique())
    with house_style():
        figure = new_figure(height=3.7)
        axes = np.atleast_1d(figure.subplots(1, len(quantities)))
        for ax, (column, quantity) in zip(axes, quantities.items(), strict=True):
            for kind, style in lines.items():
                values = curve[curve["kind"] == kind].set_index("n_removed")[column].reindex(counts)
                ax.plot(range(len(counts)), values, markersize=4.5, **style)
            # Evenly spaced: on an axis to scale, the first removals would lie on each other.
            ax.set_xticks(range(len(counts)), [f"{count:.0f}" for count in counts])
            ax.grid()
            ax.set_title(quantity, fontsize=10.5, color=MUTED, pad=8)
            ax.set_xlabel(_("dimensions left out"))
        overall_headline(figure, _removal_title(curve))
        axes[0].legend(loc="best")
    return figure


def _largest(ax: Axes, found: ChanceComparison, most: int) -> None:
    parts = found.contributions
    shown = parts.leading[:most]
    places = np.arange(len(shown))
    is_finding = found.adjusted[shown] <= found.fdr
    ax.hlines(places, *found.usual[:, shown], color=GREY, alpha=0.45, linewidth=7)
    for mask, face in ((is_finding, VERMILLION), (~is_finding, "white")):
        dots: Style = {"s": 36, "facecolor": face, "edgecolor": VERMILLION, "zorder": 3}
        ax.scatter(parts.products[shown][mask], places[mask], **dots)
    ax.axvline(0, color=MUTED, linewidth=0.8)
    shared = set(parts.shared.tolist())
    rows(ax, places, [f"#{dimension}{' +' if dimension in shared else '  '}" for dimension in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    key = _(
        "contribution to the score\n● above chance  ○ not shown to be\n"
        "grey: nine tenths of random pairs  +: both clearly positive"
    )
    ax.set_xlabel(key, linespacing=1.5)


def _shared(ax: Axes, found: ChanceComparison) -> None:
    """In how many dimensions random pairs are both clearly positive, and this pair."""
    # Up to where only a few in ten thousand are left.
    below = found.shared_counts.cumsum() / found.n_pairs
    last = max(int(np.searchsorted(below, 0.9995)), found.n_shared)
    shares = found.shared_counts[: last + 1] / found.n_pairs
    counts = np.arange(last + 1)
    ax.bar(counts, shares, width=0.9, color=np.where(counts >= found.n_shared, ORANGE, BLUE))
    ax.axvline(found.n_shared, color=INK, linewidth=1.2, linestyle=DASHED)
    said = _("this pair: {n}").format(n=found.n_shared)
    name_line(ax, found.n_shared, said, is_left=found.n_shared >= 0.6 * last)
    ax.set_ylim(0, shares.max() * 1.18)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="y")
    ax.set_ylabel(_("share of random pairs"))
    ax.set_xlabel(_("dimensions clearly positive in both"))
    headline(ax, "", _("{share} of random pairs share as many").format(share=percent(found.p_shared, 2)))


def _apart(parts: Contributions, width: int) -> list[int]:
    """The largest contributions whose labels do not lie on each other."""
    chosen: dict[int, tuple[int, float, float]] = {}
    for dimension in parts.leading[: 4 * NAMED].tolist():
        row, place = divmod(dimension, width)
        # As label_dimension puts them: to the right of the bar, near the end to its left.
        left, right = (0.0, LABEL) if place < 0.85 * width else (-LABEL, 0.0)
        span = (row, place + left * width, place + right * width)
        free = all(row != one or span[2] < start or span[1] > end for one, start, end in chosen.values())
        if free and parts.products[dimension] > 0 and len(chosen) < NAMED:
            chosen[dimension] = span
    return list(chosen)


def _spread(ax: Axes, profile: DimensionProfile) -> None:
    table = profile.table
    mean, std = table["mean"], table["std"]
    sizes = 10 + 900 * table["cosine_share"].abs()
    plain = ~(table["is_rogue"] | table["is_near_constant"])
    ax.scatter(mean[plain], std[plain], s=sizes[plain], color=BLUE, alpha=0.45, linewidth=0)
    for flag, colour, marker, name in (
        ("is_near_constant", ORANGE, "s", _("near-constant")),
        ("is_rogue", VERMILLION, "D", _("rogue")),
    ):
        which = table[flag]
        if which.any():
            hollow: Style = {"s": 42, "facecolor": "none", "edgecolor": colour, "linewidth": 1.6, "zorder": 3}
            ax.scatter(mean[which], std[which], marker=marker, label=name, **hollow)
    taken: list[tuple[float, float]] = []
    reach = np.ptp(mean) or 1.0, np.ptp(std) or 1.0
    for dimension in profile.by_contribution[: 2 * NAMED_OF_PROFILE]:
        share = float(abs(table["cosine_share"].iloc[dimension]))
        at = float(mean.iloc[dimension]), float(std.iloc[dimension])
        meets = any(abs(at[0] - x) < 0.16 * reach[0] and abs(at[1] - y) < 0.07 * reach[1] for x, y in taken)
        if share < LEAST_NAMED or len(taken) == NAMED_OF_PROFILE or meets:
            continue
        taken.append(at)
        side, offset = ("right", (-8, 0)) if at[0] > 0 else ("left", (8, 0))
        beside(
            ax, f"#{dimension}  {percent(share)}", at, offset, ha=side, va="center", fontsize=9, bbox=PAPER
        )
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.margins(0.08)
    ax.grid()
    ax.set_xlabel(_("mean of the dimension (no unit)"))
    ax.set_ylabel(_("standard deviation (no unit)"))
    if not plain.all():
        ax.legend(loc="best")


def _removal_title(curve: pd.DataFrame) -> str:
    ordered = curve[curve["kind"] == "ordered"].sort_values("n_removed")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    n = int(last["n_removed"])
    if np.isfinite(last["auc"]):
        said = ngettext(
            "Without {n} dimension: mean score {before} → {after}, AUC {auc_before} → {auc_after}",
            "Without {n} dimensions: mean score {before} → {after}, AUC {auc_before} → {auc_after}",
            n,
        )
    else:
        said = ngettext(
            "Without {n} dimension: mean score {before} → {after}, order correlates by {correlation}",
            "Without {n} dimensions: mean score {before} → {after}, order correlates by {correlation}",
            n,
        )
    shown = {
        "before": first["mean_score"],
        "after": last["mean_score"],
        "auc_before": first["auc"],
        "auc_after": last["auc"],
        "correlation": last["rank_correlation"],
    }
    return said.format(n=n, **{name: minus(f"{value:.3f}") for name, value in shown.items()})
