"""Figures per group with their intervals, against all pairs: a forest plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.calibration.groups import NAMES
from workbench.errors import InputError
from workbench.i18n import N_, listed, ngettext, number, percent
from workbench.i18n import gettext as _
from workbench.plots.style import (
    BLUE,
    DASHED,
    GREY,
    INK,
    MUTED,
    VERMILLION,
    ShownFigure,
    Style,
    house_style,
    in_percent,
    new_figure,
    overall_headline,
    rows,
    shortened,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.calibration.groups import GroupFigures

SHOWN = ("precision", "recall", "false_omission_rate")
MARKS = {
    "different": ("s", VERMILLION, VERMILLION, N_("differs from the rest")),
    "alike": ("o", BLUE, BLUE, N_("no difference shown")),
    "small": ("o", GREY, "white", N_("too few to judge")),
}


def plot_groups(groups: GroupFigures, figures: Sequence[str] | None = None) -> ShownFigure:
    """A row for each group, a column for each figure: value, interval, and all pairs as the line.

    Parameters
    ----------
    groups : GroupFigures
        Of :func:`~workbench.calibration.groups.by_group`.
    figures : sequence of str, optional
        Some of those that it has; precision, recall and missed by default, as far as there.

    Returns
    -------
    Figure
        Groups that differ from the rest by more than chance are filled squares. Those too small to judge in
        one figure are hollow and grey there; those too small in all are counted, not drawn.

    Raises
    ------
    InputError
        If it has not one of the figures, or no group is large enough.
    """
    frame = groups.frame
    there = list(frame["figure"].unique())
    names = list(figures) if figures is not None else [name for name in SHOWN if name in there]
    if unknown := [name for name in names if name not in there]:
        raise InputError(
            _("There is no figure {name!r} for these groups; there are {names}.").format(
                name=unknown[0], names=listed(there)
            )
        )
    large = set(frame.loc[frame["enough"] & frame["figure"].isin(names), "group"])
    if not large:
        raise InputError(_("No group is large enough to be judged, so there is nothing to draw."))
    frame = frame[frame["group"].isin(large)]
    first = frame[frame["figure"] == names[0]].sort_values(["value", "group"], na_position="first")
    with house_style():
        figure = new_figure(width=3.0 + 2.6 * len(names), height=1.9 + 0.3 * len(first))
        axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        kinds: set[str] = set()
        for ax, name in zip(axes, names, strict=True):
            shown = frame[frame["figure"] == name].set_index("group").loc[first["group"]]
            kinds |= _column(ax, shown, groups, name)
            ax.set_xlabel(_(NAMES[name]))  # type: ignore[index]
        labels = [f"{shortened(group)}  ({n:,})" for group, n in zip(first["group"], first["n"], strict=True)]
        axes[0].set_yticks(range(len(labels)), labels)
        axes[0].set_ylim(-0.7, len(labels) - 0.3)
        _legend(figure, kinds)
        overall_headline(figure, *_headline(groups, names))
    return figure


def _column(ax: Axes, shown: pd.DataFrame, groups: GroupFigures, name: str) -> set[str]:
    """One figure of all groups; the kinds of marks that were drawn."""
    overall = groups.overall[name]  # type: ignore[index]
    rows(ax, range(len(shown)), [""] * len(shown))
    if not np.isnan(overall.value):
        ax.axvline(overall.value, color=INK, linewidth=1, linestyle=DASHED, zorder=1)
        ax.axvspan(overall.low, overall.high, color=GREY, alpha=0.18, linewidth=0)
    kinds = set()
    for height, row in enumerate(shown.to_dict("records")):
        if np.isnan(row["value"]):
            ax.text(0.02, height, "–", va="center", color=MUTED)
            continue
        kind = "different" if row["flag"] else "alike" if row["enough"] else "small"
        kinds.add(kind)
        marker, colour, face, _name = MARKS[kind]
        ax.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=1.4, zorder=2)
        mark: Style = {"markerfacecolor": face, "markersize": 6, "zorder": 3, "clip_on": False}
        ax.plot(row["value"], height, marker, color=colour, **mark)
    in_percent(ax, "x")
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    return kinds


def _legend(figure: ShownFigure, kinds: set[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, markerfacecolor=face, label=_(name))
        for kind, (marker, colour, face, name) in MARKS.items()
        if kind in kinds
    ]
    handles.append(Line2D([], [], color=INK, linewidth=1, linestyle=DASHED, label=_("all pairs")))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)


def _headline(groups: GroupFigures, names: Sequence[str]) -> tuple[str, str]:
    shown = groups.frame[groups.frame["figure"].isin(names)]
    total = shown["group"].nunique()
    differ = shown.loc[shown["flag"] != "", "group"].nunique()
    small = total - shown.loc[shown["enough"], "group"].nunique()
    title = ngettext(
        "By {column}: {n} of {total} groups differs from the rest",
        "By {column}: {n} of {total} groups differ from the rest",
        differ,
    )
    if not differ:
        title = _("By {column}: no difference between {total} groups beyond chance")
    below = _(
        "cutoff {cutoff}, {confidence} intervals, each by itself; {n} too small to judge, not drawn; pairs "
        "in brackets"
    )
    sure = percent(groups.confidence, None)
    return (
        title.format(column=shortened(groups.by), n=differ, total=total),
        below.format(cutoff=number(groups.cutoff), confidence=sure, n=small),
    )
