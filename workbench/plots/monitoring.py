"""A promise while labelled pairs come in: the evidence for it and against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter

from workbench.i18n import N_, percent
from workbench.i18n import gettext as _
from workbench.plots.style import (
    BLUE,
    DASHED,
    GREY,
    MUTED,
    VERMILLION,
    ShownFigure,
    beside,
    headline,
    on_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.calibration.sequential import SequentialTest

ANSWERS = {
    "met": N_("The promise is kept: evidence for it has reached {factor}"),
    "failed": N_("The promise is broken: evidence against it has reached {factor}"),
    "unclear": N_("Not known yet whether the promise is kept"),
}
PROMISES = {
    "precision": N_("precision at least {share}"),
    "false_omission_rate": N_("missed at most {share}"),
}
# Beyond this, more evidence makes no difference to anybody, and would flatten the rest.
MOST = 1e6


def plot_evidence(test: SequentialTest, *, ax: Axes | None = None) -> ShownFigure:
    """The evidence for and against a promise over time, and what is needed of each.

    Parameters
    ----------
    test : SequentialTest
        Of ``check(..., sequential=True, time=...).tests``.
    ax : Axes, optional
        Where to draw; by default a figure of its own.

    Returns
    -------
    Figure
    """
    path = test.path
    needed = max(test.e_failed_needed, test.e_met_needed)
    with on_axes(ax, height=3.8) as ax:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda factor, _place: f"{factor:,.10g}"))
        lines = [
            ("e_failed", test.e_failed_needed, VERMILLION, "o", _("that it is broken")),
            ("e_met", test.e_met_needed, BLUE, "s", _("that it is kept")),
        ]
        for column, need, colour, marker, said in lines:
            evidence = path[column].clip(1 / MOST, MOST)
            ax.plot(
                path["time"],
                evidence,
                color=colour,
                marker=marker,
                markersize=4 if len(path) <= 40 else 0,
                zorder=3,
            )
            ax.axhline(need, color=colour, linestyle=DASHED, linewidth=1)
            if len(path):
                beside(
                    ax, said, (path["time"].iloc[-1], evidence.iloc[-1]), (8, 0), color=colour, va="center"
                )
        ax.axhline(1, color=GREY, linewidth=1)
        ax.margins(x=0.02)
        bottom, top = ax.get_ylim()
        ax.set_ylim(bottom, max(top, 2 * needed))
        beside(
            ax,
            _("needed: {n:.4g}").format(n=needed),
            (0, needed),
            (2, 4),
            xycoords=ax.get_yaxis_transform(),
            color=MUTED,
        )
        ax.set_ylabel(_("evidence (factor)"))
        headline(
            ax,
            _(ANSWERS[test.answer]).format(
                factor=_factor(test.e_met if test.answer == "met" else test.e_failed)
            ),
            _("{promise}; {n} labelled pairs{of_jds}").format(
                promise=_(PROMISES[test.figure]).format(share=percent(test.target)),
                n=test.n,
                of_jds=test.of_jds,
            ),
        )
    return ax.figure  # type: ignore[return-value]


def _factor(evidence: float) -> str:
    return f"{evidence:,.0f}" if evidence < MOST else _("over a million")
