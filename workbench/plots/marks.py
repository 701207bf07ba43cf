"""What figures about cutoffs share: marked cutoffs, axes in percent, bands and the titles' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import PercentFormatter

from workbench.errors import InputError
from workbench.plots.style import INK, MUTED
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.plots.style import ShownFigure

__all__ = [
    "alternative_text",
    "band",
    "checked_columns",
    "in_percent",
    "is_row",
    "mark_cutoffs",
    "minus",
    "percent",
    "score_axis",
    "value_at",
]

# Room above the axes' content for the labels of cutoffs, as a share of its height.
HEAD_ROOM = 0.12
# Nearer to the edge than this share of the width, a label is put on the inner side of its line.
NEAR_EDGE = 0.15
TOLERANCE = 1e-12


def mark_cutoffs(
    ax: Axes, cutoff: float | None, current_cutoff: float | None, language: Language, *, label: bool = True
) -> None:
    """Vertical lines at the cutoff and at today's, named at their upper ends, on sides that do not meet."""
    names = {"zh": ("阈值", "现用"), "en": ("cutoff", "today")}[language]
    if cutoff is not None and current_cutoff is not None and abs(cutoff - current_cutoff) < 5e-5:
        current_cutoff = None
    other_is_left = current_cutoff is not None and cutoff is not None and current_cutoff < cutoff
    lines: list[tuple[float | None, str, str, Any, bool]] = [
        (current_cutoff, names[1], MUTED, (0, (4, 3)), cutoff is None or other_is_left),
        (cutoff, names[0], INK, "solid", current_cutoff is not None and not other_is_left),
    ]
    shown = [
        (float(at), name, colour, style, is_left)
        for at, name, colour, style, is_left in lines
        if at is not None
    ]
    for at, _, colour, style, _ in shown:
        ax.axvline(at, color=colour, linestyle=style, linewidth=1.3, zorder=3)
    for at, name, colour, _, is_left in shown:
        if label:
            low, high = ax.get_xlim()
            place = (at - low) / (high - low)
            if len(shown) == 1 or not NEAR_EDGE < place < 1 - NEAR_EDGE:
                is_left = place > 0.5
            ax.annotate(
                minus(f"{name} {at:.4f}"),
                (at, 1),
                (-5 if is_left else 5, -2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right" if is_left else "left",
                va="top",
                fontsize=9.5,
                color=colour,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
                zorder=4,
            )


def band(
    ax: Axes, x: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, colour: str, alpha: float = 0.18
) -> None:
    """A shaded interval around a curve; gaps where it is undefined."""
    ax.fill_between(
        np.asarray(x), np.asarray(low), np.asarray(high), color=colour, alpha=alpha, linewidth=0, zorder=1
    )


def in_percent(ax: Axes, which: str = "y", *, room: bool = True) -> None:
    """An axis from 0 to 100 percent; with `room`, the vertical one leaves space for labels at the top."""
    for name in which:
        axis = ax.yaxis if name == "y" else ax.xaxis
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_ticks(np.linspace(0, 1, 6))
    if "y" in which:
        ax.set_ylim(0, 1 + HEAD_ROOM if room else 1.02)
    if "x" in which:
        ax.set_xlim(0, 1.02)
    ax.grid(axis="both" if which in ("xy", "yx") else which)  # type: ignore[arg-type]


def score_axis(ax: Axes, language: Language) -> None:
    """Name the horizontal axis as scores."""
    ax.set_xlabel("分数（余弦相似度）" if language == "zh" else "score (cosine similarity)")


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
        raise InputError(f"The frame has no column {missing[0]!r}; pass what {made_by} returns.")
    if frame.empty:
        raise InputError("The frame has no rows, so that there is nothing to draw.")


def percent(share: float, language: Language) -> str:
    """A share in percent with one digit."""
    if np.isnan(share):
        return "–"
    return f"{100 * share:.1f}%" if language == "zh" else f"{100 * share:.1f} %"


def minus(text: str) -> str:
    """With the minus sign that matplotlib's own tick labels have."""
    return text.replace("-", "\u2212")


def alternative_text(figure: ShownFigure) -> None:
    """Let the titles of the axes stand for the figure where it cannot be seen."""
    titles = [ax.get_title(loc="left").strip() for ax in figure.axes]
    figure.alt = "; ".join(title for title in titles if title)
