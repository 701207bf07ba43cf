"""A shortlist as a matrix: requirements down, candidates across, a sign in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, pgettext
from workbench.plots.style import (
    DASHED,
    INK,
    MUTED,
    ShownFigure,
    Style,
    house_style,
    minus,
    new_figure,
    shortened,
)
from workbench.scorers.coverage import SIGNS, STATES, Covered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.retrieval.ranking import Candidate

# Pale enough for a black sign; the sign tells them apart without colour.
COLOURS = {"covered": "#9FD9C3", "unsure": "#F6E7A8", "not found": "#F1F3F5", None: "#DCE9F3"}
MOST_CANDIDATES, LONGEST = 15, 52
COLUMN, ROW = 0.62, 0.31  # inches
LONGEST_UPRIGHT = 6


def plot_shortlist(shortlist: Sequence[Candidate], *, most: int = MOST_CANDIDATES) -> ShownFigure:
    """Which requirement of a JD is covered by which candidate.

    Parameters
    ----------
    shortlist : sequence of Candidate
        Of one JD; see :attr:`Ranking.shortlists <workbench.retrieval.ranking.Ranking.shortlists>`.
    most : int
        Candidates that are drawn, the first ones.

    Returns
    -------
    Figure
        The cutoff, where there is one, is a line between candidates. Cells have a sign and a colour; without
        levels for the encoder, the score.

    Raises
    ------
    InputError
        If nobody is on it.
    """
    shown = list(shortlist)[:most]
    if not shown:
        raise InputError(_("Nobody is on this shortlist, so there is nothing to draw."))
    rows = shown[0].coverage.rows
    with house_style():
        figure = new_figure(width=5.0 + COLUMN * len(shown), height=2.0 + ROW * len(rows))
        ax = figure.subplots()
        for column, found in enumerate(shown):
            for row, covered in enumerate(found.coverage.rows):
                _cell(ax, column, row, covered)
        _frame(ax, shown)
        _legend(figure, {covered.state for found in shown for covered in found.coverage.rows})
        figure.suptitle(_headline(shown), x=0.01, ha="left")
        figure.aside = _said(shown)
    return figure


def _cell(ax: Axes, column: int, row: int, covered: Covered) -> None:
    from matplotlib.patches import Rectangle

    square = Rectangle((column - 0.46, row - 0.42), 0.92, 0.84, color=COLOURS[covered.state], linewidth=0)
    ax.add_patch(square)
    sign = f"{covered.score:.2f}" if covered.state is None else SIGNS[covered.state]
    ax.text(column, row, sign, ha="center", va="center", color=INK, fontsize=9)


def _frame(ax: Axes, shown: Sequence[Candidate]) -> None:
    rows = shown[0].coverage.rows
    nice = pgettext("requirement", "nice to have")
    names = [
        # A Chinese character is about as wide as two others.
        shortened(row.requirement.said, LONGEST if row.requirement.said.isascii() else LONGEST * 2 // 3)
        + (f"  ({nice})" if row.requirement.kind == "nice_to_have" else "")
        for row in rows
    ]
    ax.set_yticks(range(len(rows)), names)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    slanted: Style = {}
    if max(len(found.resume_id) for found in shown) > LONGEST_UPRIGHT:
        slanted = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
    ax.set_xticks(
        range(len(shown)),
        [f"{shortened(found.resume_id, 16)}\n{minus(f'{found.score:.3f}')}" for found in shown],
        fontsize=9,
        **slanted,
    )
    ax.xaxis.tick_top()
    ax.set_xlim(-0.5, len(shown) - 0.5)
    ax.tick_params(length=0, labelcolor=INK)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    matches = sum(bool(found.is_match) for found in shown)
    if shown[0].is_match is not None and 0 < matches < len(shown):
        ax.axvline(matches - 0.5, color=INK, linewidth=1.2, linestyle=DASHED)
        ax.text(matches - 0.5, len(rows) - 0.4, _("cutoff"), ha="center", va="top", color=MUTED, fontsize=9)


def _legend(figure: ShownFigure, states: set[str | None]) -> None:
    from matplotlib.patches import Patch

    there = [state for state in STATES if state in states]
    handles = [Patch(color=COLOURS[state], label=f"{SIGNS[state]}  {_(STATES[state])}") for state in there]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _headline(shown: Sequence[Candidate]) -> str:
    jd, rows = shown[0].coverage.jd, shown[0].coverage.rows
    name = shortened(f"{jd.id} · {jd.title}" if jd.title else jd.id, 60)
    if rows[0].state is None:
        title = _("How near each candidate comes to each requirement")
        return f"{title}\n{name}"
    best = max(shown, key=lambda found: (found.coverage.counts["covered"], -found.rank))
    nobody = sum(
        all(found.coverage.rows[at].state != "covered" for found in shown) for at in range(len(rows))
    )
    title = _("{name} has a phrase for {n} of {total} requirements").format(
        name=shortened(best.resume_id), n=best.coverage.counts["covered"], total=len(rows)
    )
    said = ngettext("{n} is covered by nobody here", "{n} are covered by nobody here", nobody)
    return _("; ").join([title, said.format(n=nobody)][: 1 + bool(nobody)]) + f"\n{name}"


def _said(shown: Sequence[Candidate]) -> str:
    """Each candidate's counts, for whoever cannot see the figure."""
    return "; ".join(
        f"{found.resume_id}: "
        + ", ".join(f"{found.coverage.counts[state]} {_(name)}" for state, name in STATES.items())
        for found in shown
        if found.coverage.rows[0].state is not None
    )
