"""Reliability diagram: what probabilities say against what is seen, with consistency bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.plots.marks import alternative_text, band, in_percent
from workbench.plots.style import BLUE, GREY, MUTED, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.calibration.reliability_diagram import Reliability
    from workbench.plots.style import ShownFigure

__all__ = ["plot_reliability"]


def plot_reliability(reliability: Reliability, *, language: Language = "zh") -> ShownFigure:
    """Share of matches seen against the probability said, with where it would lie if that were right.

    Parameters
    ----------
    reliability : Reliability
        Of :func:`~workbench.calibration.reliability_diagram.reliability`.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        A curve within the grey band is what chance alone would show. Points are bins of equal numbers of
        pairs, with Wilson intervals.
    """
    zh = language == "zh"
    curve, bins = reliability.curve, reliability.bins
    with house_style():
        figure = new_figure(width=6.4, height=6.0)
        ax = figure.subplots()
        band(ax, curve["said"], curve["consistent_low"], curve["consistent_high"], GREY, 0.28)
        ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        ax.plot(curve["said"], curve["seen"], color=BLUE)
        errors = np.abs([bins["seen"] - bins["seen_low"], bins["seen_high"] - bins["seen"]])
        ax.errorbar(
            bins["said"], bins["seen"], errors, fmt="o", color=BLUE, elinewidth=1.1, markersize=5, zorder=4
        )
        in_percent(ax, "xy", room=False)
        ax.set_aspect("equal")
        ax.set_xlabel("给出的匹配概率" if zh else "probability of a match, as said")
        ax.set_ylabel("实际匹配的比例" if zh else "share of matches, as seen")
        right = reliability.p_right > 1 - reliability.confidence
        error, chance = f"{reliability.ece.value:.3f}", f"{reliability.ece_if_right:.3f}"
        if zh:
            title = "给出的概率与所见相符" if right else "给出的概率与所见不符"
            below = f"ECE {error}，概率正确时平均也有 {chance}；灰带：概率正确时会落在的范围"
        else:
            title = (
                "Probabilities agree with what is seen" if right else "Probabilities differ from what is seen"
            )
            below = f"ECE {error} ({chance} by chance alone); grey: where right ones would lie"
        headline(ax, title, below)
        alternative_text(figure)
    return figure
