"""Cutoffs in figures: marked on an axis of scores or on a curve, and the rows of a sweep that they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.plots.style import DASHED, GREY, INK, MUTED, PAPER, Style, beside, minus

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Nearer to the edge than this share of the width, a label is put on the inner side of its line.
NEAR_EDGE = 0.15
TOLERANCE = 1e-12
# Across in scores, up in parts of the height.
ABOVE = ("data", "axes fraction")
# Cutoffs are shown with four digits; nearer ones are shown as one.
SHOWN_AS_ONE = 5e-5


def mark_cutoffs(ax: Axes, cutoff: float | None, current_cutoff: float | None) -> None:
    """Vertical lines at the cutoff and at today's, named at their upper ends, on sides that do not meet."""
    marked = _marked(cutoff, current_cutoff)
    for at, _name, colour, style in marked:
        ax.axvline(at, color=colour, linestyle=style, linewidth=1.3, zorder=3)
    for at, name, colour, _style in marked:
        low, high = ax.get_xlim()
        place = (at - low) / (high - low)
        is_left = place > 0.5
        if len(marked) == 2 and NEAR_EDGE < place < 1 - NEAR_EDGE:
            is_left = at == min(one[0] for one in marked)
        name_line(ax, at, name, is_left=is_left, colour=colour)


def name_line(ax: Axes, at: float, name: str, *, is_left: bool, colour: str = INK) -> None:
    """Name a vertical line at its upper end, on its left or on its right."""
    side: Style = {"ha": "right" if is_left else "left", "va": "top", "bbox": PAPER, "zorder": 4}
    beside(ax, name, (at, 1), (-5 if is_left else 5, -2), xycoords=ABOVE, fontsize=9.5, color=colour, **side)


def mark_zone(ax: Axes, low: float | None, high: float | None) -> None:
    """Shade the scores of which people read the pairs, and name its ends on their outer sides."""
    first, last = ax.get_xlim()
    ax.axvspan(
        first if low is None else low, last if high is None else high, color=GREY, alpha=0.22, linewidth=0
    )
    ax.set_xlim(first, last)
    for at, name, is_left in ((low, _("reject to {at}"), True), (high, _("accept from {at}"), False)):
        if at is not None:
            ax.axvline(at, color=INK, linewidth=1.3, zorder=3)
            name_line(ax, at, name.format(at=minus(f"{at:.4f}")), is_left=is_left)


def mark_points(
    ax: Axes, sweep: pd.DataFrame, axes: tuple[str, str], cutoff: float | None, current_cutoff: float | None
) -> None:
    """Points at the cutoff and at today's, named beside, on a curve of two columns of a sweep."""
    falls = axes[1] == "precision"
    for at, name, colour, style in _marked(cutoff, current_cutoff):
        x, y = (value_at(sweep, column, at) for column in axes)
        if np.isnan(x) or np.isnan(y):
            continue
        face = colour if style == "solid" else "white"
        ax.plot(x, y, "o", markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.6, zorder=5)
        # Off the curve: below it, or beyond the left end of one that falls.
        right = x < (0.3 if falls else 0.7)
        up = falls and right
        beside(
            ax,
            name,
            (x, y),
            (9 if right else -9, 7 if up else -7),
            ha="left" if right else "right",
            va="bottom" if up else "top",
            color=colour,
            fontsize=9.5,
            bbox=PAPER,
        )


def score_axis(ax: Axes) -> None:
    """Name the horizontal axis as scores."""
    ax.set_xlabel(_("score (cosine similarity)"))


def value_at(frame: pd.DataFrame, column: str, cutoff: float) -> float:
    """A column of a sweep at its last row not above a cutoff; exact where :func:`is_row` says so.

    Between two rows lies one score. Whether a cutoff there is above or below it a sweep does not know, so
    that marks may be one score off, which nobody sees, but numbers are only given for the sweep's own rows.
    """
    at = int(np.searchsorted(frame["cutoff"].to_numpy(), cutoff + TOLERANCE, side="right")) - 1
    return float(frame[column].iloc[max(at, 0)])


def is_row(frame: pd.DataFrame, cutoff: float) -> bool:
    """Whether a cutoff is one of the sweep's own."""
    return bool(np.isclose(frame["cutoff"], cutoff, rtol=0, atol=TOLERANCE).any())


def checked_columns(frame: pd.DataFrame, columns: Sequence[str], made_by: str) -> None:
    """Refuse a frame that lacks what is to be drawn.

    Raises
    ------
    InputError
        If it has no rows or a column is missing.
    """
    if missing := [column for column in columns if column not in frame.columns]:
        raise InputError(
            _("The frame has no column {column!r}; pass what {function} returns.").format(
                column=missing[0], function=made_by
            )
        )
    if frame.empty:
        raise InputError(_("The frame has no rows, so that there is nothing to draw."))


def _marked(cutoff: float | None, current_cutoff: float | None) -> list[tuple[float, str, str, Any]]:
    """Today's cutoff and the one found, with name, colour and line; only the latter where shown alike."""
    if cutoff is not None and current_cutoff is not None and abs(cutoff - current_cutoff) < SHOWN_AS_ONE:
        current_cutoff = None
    both: list[tuple[float | None, str, str, Any]] = [
        (current_cutoff, _("today {cutoff}"), MUTED, DASHED),
        (cutoff, _("cutoff {cutoff}"), INK, "solid"),
    ]
    return [
        (float(at), name.format(cutoff=minus(f"{at:.4f}")), colour, style)
        for at, name, colour, style in both
        if at is not None
    ]
