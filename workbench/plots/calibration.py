"""Figures about a cutoff: scores of both classes, how far it would move, what probabilities are worth, and a
whole study at a glance. Curves over the cutoff are in :mod:`workbench.plots.curves`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, percent
from workbench.plots.curves import plot_over_cutoff, plot_precision_recall
from workbench.plots.marks import mark_cutoffs, mark_zone, score_axis
from workbench.plots.style import (
    BLUE,
    DASHED,
    INK,
    MUTED,
    ORANGE,
    SKY,
    ShownFigure,
    Style,
    band,
    headline,
    house_style,
    in_percent,
    minus,
    new_figure,
    on_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.calibration import Reliability, Stability, Study

FEWEST_BINS, MOST_BINS = 20, 60


def plot_advice(study: Study) -> ShownFigure:
    """The scores of both classes with the cutoff to adopt, or with the grey zone that people read.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.calibrate`.

    Returns
    -------
    Figure
        Where there is no cutoff to adopt, today's is marked.
    """
    pairs, (low, high) = study.observations, study.advice.ends
    with on_axes(None, height=3.0) as ax:
        if study.advice.kind == "grey_zone":
            plot_scores(pairs.scores, pairs.labels, ax=ax, grey_zone=(low, high))
        else:
            today = study.current_cutoff
            plot_scores(pairs.scores, pairs.labels, high, current_cutoff=today, ax=ax)
    return ax.figure  # type: ignore[return-value]


def plot_study(study: Study) -> ShownFigure:
    """Scores of both classes, figures over the cutoff, precision and recall, and stability, as one figure.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.calibrate`.

    Returns
    -------
    Figure
        Where no cutoff does what was asked for, only today's is marked.
    """
    cutoff = study.advice.cutoff
    today: dict[str, Any] = {"current_cutoff": study.current_cutoff}
    marks = {"cutoff": cutoff, "target_precision": study.options.target_precision, **today}
    pairs = study.observations
    with house_style():
        figure = new_figure(width=14.0, height=9.6)
        (scores, over), (tradeoff, wavering) = figure.subplots(2, 2)
        split = study.current_cutoff if cutoff is None else cutoff
        plot_scores(pairs.scores, pairs.labels, split, **today, ax=scores)
        missed = study.options.target_missed
        plot_over_cutoff(study.sweep, study.bands, **marks, target_missed=missed, ax=over)
        plot_precision_recall(study.sweep, study.bands, **marks, ax=tradeoff)
        plot_stability(study.stability, cutoff, **today, ax=wavering)
    return figure


def plot_scores(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    cutoff: float | None = None,
    *,
    current_cutoff: float | None = None,
    grey_zone: tuple[float | None, float | None] | None = None,
    ax: Axes | None = None,
) -> ShownFigure:
    """Histogram of the scores: matches upwards, the others downwards, and the cutoff through both.

    What is right of the cutoff and points down is labelled no match; what is left of it and points up is
    missed.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
    labels : array-like of {0, 1}, shape (n,)
    cutoff, current_cutoff : float, optional
        The cutoff found, and today's.
    grey_zone : tuple of float or None, optional
        Instead of a cutoff: reject at or below the first, accept above the second, read in between.
    ax : Axes, optional
        Where to draw; by default a figure of its own.

    Raises
    ------
    InputError
        If there are no scores, or not as many labels.

    Examples
    --------
    >>> figure = plot_scores([0.2, 0.5, 0.6, 0.8], [0, 0, 1, 1], 0.55)
    >>> figure.alt
    'Above 0.5500, 2 of 2 pairs are labelled a match (100.0 %)'
    """
    values, is_match = np.asarray(scores, dtype=np.float64), np.asarray(labels).astype(bool)
    if values.ndim != 1 or values.shape != is_match.shape or not values.size:
        raise InputError(
            _("There are scores of shape {scores} and labels of shape {labels}.").format(
                scores=values.shape, labels=is_match.shape
            )
        )
    at = cutoff if grey_zone is None else next((end for end in grey_zone if end is not None), None)
    edges = _edges(values, at)
    up, down = (np.histogram(values[side], bins=edges)[0] for side in (is_match, ~is_match))
    with on_axes(ax, height=4.4) as ax:
        for heights, colour in ((up, BLUE), (-down, ORANGE)):
            bars: Style = {"align": "edge", "edgecolor": "white", "linewidth": 0.5, "zorder": 2}
            ax.bar(edges[:-1], heights, np.diff(edges), color=colour, **bars)
        ax.axhline(0, color=INK, linewidth=0.8, zorder=3)
        ax.set_ylim(-1.12 * max(down.max(), 1), 1.3 * max(up.max(), 1))
        for name, colour, height, side in (
            (_("matches {n:,}").format(n=is_match.sum()), BLUE, 0.80, "top"),
            (_("no matches {n:,}").format(n=(~is_match).sum()), "#9C6B00", 0.04, "bottom"),
        ):
            ax.text(0.01, height, name, transform=ax.transAxes, color=colour, va=side, fontweight="bold")
        if grey_zone is None:
            mark_cutoffs(ax, cutoff, current_cutoff)
        else:
            mark_zone(ax, *grey_zone)
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda count, place: f"{abs(count):.0f}"))
        ax.grid(axis="y")
        ax.spines["bottom"].set_visible(False)
        ax.set_ylabel(_("labelled pairs"))
        score_axis(ax)
        told = _counted(values, is_match, cutoff) if grey_zone is None else _between(values, *grey_zone)
        headline(ax, *told)
    return ax.figure  # type: ignore[return-value]


def plot_stability(
    stability: Stability,
    cutoff: float | None = None,
    *,
    current_cutoff: float | None = None,
    ax: Axes | None = None,
) -> ShownFigure:
    """Histogram of the cutoffs that resamples chose, with their interval.

    Parameters
    ----------
    stability : Stability
        Of :func:`~workbench.calibration.stability`.
    cutoff, current_cutoff : float, optional
        The cutoff found, and today's.
    ax : Axes, optional
        Where to draw; by default a figure of its own.

    Returns
    -------
    Figure
        Its title gives the interval; resamples that found no cutoff are counted below it.
    """
    found = stability.cutoffs[~np.isnan(stability.cutoffs)]
    with on_axes(ax, height=3.8) as ax:
        score_axis(ax)
        if not len(found):
            ax.set_yticks([])
            mark_cutoffs(ax, cutoff, current_cutoff)
            headline(ax, _("In no resample was there such a cutoff"))
            return ax.figure  # type: ignore[return-value]
        ax.axvspan(stability.low, stability.high, color=SKY, alpha=0.18, linewidth=0)
        width = max(float(np.ptp(found)) / 40, 1e-4)
        edges = np.arange(found.min() - width / 2, found.max() + width, width)
        shares = np.histogram(found, bins=edges)[0] / len(stability.cutoffs)
        ax.bar(edges[:-1], shares, width, align="edge", color=SKY, edgecolor="white", linewidth=0.5, zorder=2)
        ax.set_ylim(0, 1.25 * shares.max())
        ax.yaxis.set_major_formatter(PercentFormatter(1))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.grid(axis="y")
        mark_cutoffs(ax, cutoff, current_cutoff)
        ax.set_ylabel(_("share of resamples"))
        lies = (
            _("With other JDs labelled, the cutoff lies in {low}–{high} ({confidence})")
            if stability.by == "cluster"
            else _("With other pairs labelled, the cutoff lies in {low}–{high} ({confidence})")
        )
        low, high = (minus(f"{end:.4f}") for end in (stability.low, stability.high))
        n = len(stability.cutoffs)
        below = ngettext(
            "{n:,} resample, in {share} of which there is no such cutoff",
            "{n:,} resamples, in {share} of which there is no such cutoff",
            n,
        )
        headline(
            ax,
            lies.format(low=low, high=high, confidence=percent(stability.confidence, None)),
            below.format(n=n, share=percent(stability.share_without)),
        )
    return ax.figure  # type: ignore[return-value]


def plot_reliability(reliability: Reliability) -> ShownFigure:
    """Share of matches seen against the probability said, with the bounds of that share.

    Parameters
    ----------
    reliability : Reliability
        Of :func:`~workbench.calibration.reliability`.

    Returns
    -------
    Figure
        Where the band leaves the diagonal, probabilities are off; where it is wide, few were said. Points
        are bins of equal numbers of pairs.
    """
    curve, bins = reliability.curve, reliability.bins
    with on_axes(None, width=6.4, height=6.0) as ax:
        band(ax, curve["said"], curve["seen_low"], curve["seen_high"], SKY, 0.25)
        ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHED)
        ax.plot(curve["said"], curve["seen"], color=BLUE)
        ax.plot(bins["said"], bins["seen"], "o", color=BLUE, markersize=5, zorder=4)
        in_percent(ax, "xy", room=False)
        ax.set_aspect("equal")
        ax.set_xlabel(_("probability of a match, as said"))
        ax.set_ylabel(_("share of matches, as seen"))
        right = reliability.p_right > 1 - reliability.confidence
        agree, differ = (
            _("Probabilities agree with what is seen"),
            _("Probabilities differ from what is seen"),
        )
        below = _("ECE {error:.3f} ({chance:.3f} by chance alone); band: where the true share lies ({sure})")
        headline(
            ax,
            agree if right else differ,
            below.format(
                error=reliability.ece.value,
                chance=reliability.ece_if_right,
                sure=percent(reliability.confidence, None),
            ),
        )
    return ax.figure  # type: ignore[return-value]


def _edges(values: npt.NDArray[np.float64], cutoff: float | None) -> npt.NDArray[np.float64]:
    """Bins of equal width, one edge on the cutoff, so that no bar lies on both sides of it."""
    number = int(np.clip(len(np.histogram_bin_edges(values, "fd")) - 1, FEWEST_BINS, MOST_BINS))
    low, high = float(values.min()), float(values.max())
    width = (high - low) / number or 0.01
    start = low if cutoff is None else cutoff - np.ceil(max(cutoff - low, 0) / width + 1e-9) * width
    steps = int(np.floor((high - start) / width)) + 1
    return np.asarray(start + width * np.arange(steps + 1))


def _counted(
    values: npt.NDArray[np.float64], is_match: npt.NDArray[np.bool_], cutoff: float | None
) -> tuple[str, str]:
    if cutoff is None:
        return _("Where do the scores of both classes lie?"), ""
    above = values > cutoff
    n, right, missed = int(above.sum()), int(is_match[above].sum()), int(is_match[~above].sum())
    title = ngettext(
        "Above {cutoff}, {matches:,} of {n:,} pair is labelled a match ({share})",
        "Above {cutoff}, {matches:,} of {n:,} pairs are labelled a match ({share})",
        n,
    )
    subtitle = ngettext(
        "Right of the line and down: labelled no match. Left of it and up: {n:,} match missed",
        "Right of the line and down: labelled no match. Left of it and up: {n:,} matches missed",
        missed,
    )
    share = percent(right / n if n else np.nan)
    return (
        title.format(cutoff=minus(f"{cutoff:.4f}"), matches=right, n=n, share=share),
        subtitle.format(n=missed),
    )


def _between(values: npt.NDArray[np.float64], low: float | None, high: float | None) -> tuple[str, str]:
    """How many pairs are left to people."""
    read = (values > (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
    title = ngettext(
        "{n:,} of {total:,} pair is left to people ({share})",
        "{n:,} of {total:,} pairs are left to people ({share})",
        len(values),
    )
    n, total = int(read.sum()), len(values)
    return title.format(n=n, total=total, share=percent(n / total)), ""
