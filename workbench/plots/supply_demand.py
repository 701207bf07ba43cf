"""Supply and demand: where candidates are short and where they abound, and what has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.errors import InputError
from workbench.i18n import N_, ngettext, number, percent
from workbench.i18n import gettext as _
from workbench.plots.style import (
    DASHED,
    GREEN,
    GREY,
    INK,
    MUTED,
    PAPER,
    VERMILLION,
    ShownFigure,
    Style,
    beside,
    headline,
    on_axes,
    rows,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import SupplyDemand

MOST_GROUPS = 30
ROW = 0.29  # inches
LONGEST_NAME = 34
STATUSES = {
    "shortage": (VERMILLION, N_("shortage: all of the interval below average")),
    "unclear": (GREY, N_("unclear: the interval holds the average")),
    "surplus": (GREEN, N_("surplus: all of it above")),
}
SMALL: Style = {"va": "center", "fontsize": 8.5, "color": MUTED}


def plot_supply_demand(found: SupplyDemand, *, most: int = MOST_GROUPS) -> ShownFigure:
    """Candidates for each JD, group by group, scarcest on top, with intervals.

    Parameters
    ----------
    found : SupplyDemand
        From :func:`~workbench.exploration.supply_and_demand`.
    most : int
        Groups shown; where there are more, the scarcest half and the richest half.

    Returns
    -------
    Figure
        Red where the whole interval lies below the average of all groups, green where above. Numbers
        beside a group are its JDs and candidates.
    """
    table, gap = found.table, max(len(found.table) - most, 0)
    if gap:
        table = pd.concat([table[: most - most // 2], table[len(table) - most // 2 :]])
    below_gap = len(table) - len(table) // 2
    places = np.arange(len(table), dtype=float)
    places[below_gap:] += 0.9 * bool(gap)
    low, high = (table[end].to_numpy() / table["n_jds"].to_numpy() for end in ("low", "high"))
    colours = [STATUSES[status][0] for status in table["status"]]
    with on_axes(None, height=1.85 + ROW * (len(table) + 1 + bool(gap))) as ax:
        ax.hlines(places, low, high, color=colours, linewidth=5, alpha=0.35, capstyle="round")
        ax.scatter(table["candidates_per_jd"], places, s=42, color=colours, zorder=3)
        ax.axvline(found.average, color=INK, linewidth=1, linestyle=DASHED, zorder=1)
        reach = max(float(high.max()), found.average) * 1.02 or 1.0
        ax.set_xlim(-0.015 * reach, reach)
        for place, end, jds, people in zip(places, high, table["n_jds"], table["n_candidates"], strict=True):
            counts = ngettext("{jds:,} JD · {people:,}", "{jds:,} JDs · {people:,}", jds)
            said = counts.format(jds=jds, people=people)
            beside(ax, said, (end, place), (9, 0), annotation_clip=False, bbox=PAPER, **SMALL)
        if gap:
            between = ngettext(
                "… {n:,} group between is not shown …", "… {n:,} groups between are not shown …", gap
            )
            middle = (0.5, places[below_gap] - 0.95)
            centred: Style = {"xycoords": ("axes fraction", "data"), "ha": "center"}
            beside(ax, between.format(n=gap), middle, bbox=PAPER, **centred, **SMALL)
        rows(ax, places, [shortened(name, LONGEST_NAME) for name in table["group"]])
        ax.set_ylim(places[-1] + 0.7, -1.5)
        average = _("average {value:.1f}").format(value=found.average)
        beside(ax, average, (found.average, -1), (4, 0), va="center", fontsize=9)
        headline(ax, *_headline(found))
        ax.set_xlabel(_("candidates above the cutoff for each JD (people)"))
        _legend(ax, set(found.table["status"]))
    return ax.figure  # type: ignore[return-value]


def plot_supply_change(change: pd.DataFrame, *, most: int = MOST_GROUPS) -> ShownFigure:
    """What has changed between two dates: an arrow for each group from before to after.

    Parameters
    ----------
    change : DataFrame
        From :func:`~workbench.exploration.supply_change`.
    most : int
        Groups shown: those that changed most. Groups without JDs at either date have no ratio and are
        counted below the title.

    Raises
    ------
    InputError
        If no group has JDs at both dates.
    """
    column = "candidates_per_jd_change"
    both = change.dropna(subset=[column])
    if both.empty:
        raise InputError(_("No group has JDs at both dates, so there is no change to draw."))
    largest = both[column].abs().sort_values(ascending=False, kind="stable").index[:most]
    shown = both.loc[largest].sort_values(column, kind="stable")
    before, after = (shown[f"candidates_per_jd_{date}"].to_numpy() for date in ("before", "after"))
    places = np.arange(len(shown), dtype=float)
    arrow: Style = {"arrowstyle": "-|>", "linewidth": 1.8, "shrinkA": 3, "shrinkB": 0}
    with on_axes(None, height=1.75 + ROW * len(shown)) as ax:
        for place, start, end in zip(places, before, after, strict=True):
            colour = GREY if start == end else GREEN if end > start else VERMILLION
            ax.scatter(start, place, s=22, facecolor="white", edgecolor=colour, zorder=3)
            if start != end:
                style = {**arrow, "color": colour, "mutation_scale": 11}
                ax.annotate("", (end, place), (start, place), arrowprops=style)
        reach = max(before.max(), after.max()) * 1.06 or 1.0
        ax.set_xlim(-0.02 * reach, reach)
        rows(ax, places, [shortened(name, LONGEST_NAME) for name in shown["group"]])
        ax.set_ylim(places[-1] + 0.7, -0.7)
        title = _("Candidates for each JD: fewer in {fewer} groups, more in {more}").format(
            fewer=int((both[column] < 0).sum()), more=int((both[column] > 0).sum())
        )
        headline(ax, title, _notes(change, len(both) - len(shown)))
        ax.set_xlabel(_("candidates above the cutoff for each JD (people)"))
    return ax.figure  # type: ignore[return-value]


def _headline(found: SupplyDemand) -> tuple[str, str]:
    statuses = found.table["status"].value_counts()
    title = _("Groups: {short} short, {over} with plenty; JDs with nobody above {cutoff}: {without}").format(
        short=statuses.get("shortage", 0),
        over=statuses.get("surplus", 0),
        cutoff=number(found.cutoff.value),
        without=len(found.jds_without_candidate),
    )
    sure = percent(found.confidence, None)
    if found.interval == "cutoff":
        said = _("bars: counts as the cutoff moves within its {confidence} interval {low}–{high}")
        return title, said.format(
            confidence=sure, low=number(found.cutoff_low), high=number(found.cutoff_high)
        )
    said = _("bars: {confidence} intervals for chance in who applied (the cutoff has none)")
    return title, said.format(confidence=sure)


def _legend(ax: Axes, there: set[str]) -> None:
    from matplotlib.lines import Line2D

    dot: Style = {"linestyle": "none", "marker": "o", "markersize": 6.5}
    marks = [
        Line2D([], [], color=colour, label=_(name), **dot)
        for status, (colour, name) in STATUSES.items()
        if status in there
    ]
    ax.figure.legend(handles=marks, loc="outside lower left", ncols=3, handletextpad=0.2)


def _notes(change: pd.DataFrame, hidden: int) -> str:
    notes = [_("○ before → after")]
    if hidden:
        said = ngettext(
            "{n} group that changed less is not shown", "{n} groups that changed less are not shown", hidden
        )
        notes.append(said.format(n=hidden))
    came, went = int((change["n_jds_before"] == 0).sum()), int((change["n_jds_after"] == 0).sum())
    if came or went:
        notes.append(ngettext("{n} group is new", "{n} groups are new", came).format(n=came))
        notes.append(ngettext("{n} is gone", "{n} are gone", went).format(n=went))
    return " · ".join(notes)
