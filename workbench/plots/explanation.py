"""Explanations as figures: phrases with their effects, and how far such explanations can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import InputError
from workbench.exploration.explanation import Side, side_name
from workbench.i18n import N_, ngettext, number, percent
from workbench.i18n import gettext as _
from workbench.plots.style import (
    BLUE,
    DASHED,
    GREY,
    INK,
    MUTED,
    ORANGE,
    VERMILLION,
    ShownFigure,
    beside,
    house_style,
    minus,
    new_figure,
    overall_headline,
    rows,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import Explanation, Faithfulness

MOST_PHRASES = 24
ROW = 0.3  # inches
SIDES: tuple[Side, Side] = ("jd", "resume")
STANDINGS = {
    "faithful": N_("Faithful: named phrases matter more than random ones in {share} of pairs"),
    "partly": N_("Partly faithful: named phrases matter more than random ones in {share} of pairs"),
    "not faithful": N_("Not faithful: named phrases matter more than random ones in {share} of pairs"),
}


def plot_explanation(explanation: Explanation) -> ShownFigure:
    """Phrases of both texts in their order, with what each lifts (blue) or lowers (red, hatched) the score.

    Parameters
    ----------
    explanation : Explanation
        From :func:`~workbench.exploration.explain`.

    Returns
    -------
    Figure
        Where a text has more than 24 phrases, those with the largest effects.

    Raises
    ------
    InputError
        If neither text has phrases.
    """
    shown = {side: _phrases_of(explanation, side) for side in SIDES}
    shown = {side: phrases for side, phrases in shown.items() if phrases}
    if not shown:
        raise InputError(_("Both texts are a single phrase, so that there is no effect to draw."))
    effects = [0.0, *(effect for phrases in shown.values() for _text, effect in phrases)]
    low, high = min(effects), max(effects)
    room = 0.24 * ((high - low) or 1.0)
    with house_style():
        figure = new_figure(height=1.6 + ROW * max(map(len, shown.values())))
        axes = figure.subplots(1, len(shown), squeeze=False)[0]
        for ax, (side, phrases) in zip(axes, shown.items(), strict=True):
            _draw_phrases(ax, phrases)
            ax.set_xlim(low - room * (low < 0), high + room)
            title = side_name(side)
            hidden = len(explanation.side(side).phrases) - len(phrases)
            if hidden:
                more = ngettext(
                    "{side}, {n} phrase with a smaller effect",
                    "{side}, {n} phrases with smaller effects",
                    hidden,
                )
                title = more.format(side=title, n=hidden)
            ax.set_title(title, fontsize=10.5, color=MUTED, pad=8)
            ax.set_xlabel(_("what the score loses without it"))
        overall_headline(figure, _finding(explanation))
    return figure


def plot_faithfulness(found: Faithfulness) -> ShownFigure:
    """What scores lose without the phrases that explanations name, and without others.

    Parameters
    ----------
    found : Faithfulness
        From :func:`~workbench.exploration.measure_faithfulness`.

    Returns
    -------
    Figure
        Left a dot for each pair: above the diagonal, the named phrases matter more than random ones.
        Right the mean differences with their intervals; those that hold 0 prove nothing.
    """
    table = found.table
    drops = table[["drop_random", "drop_top"]]
    ends = float(min(drops.min().min(), 0)), float(drops.max().max()) * 1.05 or 0.1
    with house_style():
        figure = new_figure(height=4.5)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
        left.plot(ends, ends, color=GREY, linewidth=1.1, linestyle=DASHED)
        left.scatter(table["drop_random"], table["drop_top"], s=22, color=BLUE, alpha=0.5, linewidth=0)
        left.set_xlim(*ends)
        left.set_ylim(*ends)
        left.set_aspect("equal")
        left.grid()
        left.set_xlabel(_("lost without {n} random phrases").format(n=found.k))
        left.set_ylabel(_("lost without the {n} that are named").format(n=found.k))
        _differences(right, found)
        below = _("phrases of the {side}, {n} pairs, {jds} JDs; above the line, they matter").format(
            side=side_name(found.side), n=len(table), jds=found.n_jds
        )
        overall_headline(
            figure, _(STANDINGS[found.standing]).format(share=percent(found.share_of_pairs)), below
        )
    return figure


def _phrases_of(explanation: Explanation, side: Side) -> list[tuple[str, float]]:
    phrases = explanation.side(side).phrases
    largest = sorted(phrases, key=lambda phrase: -abs(phrase.effect))[:MOST_PHRASES]
    return [(phrase.text, phrase.effect) for phrase in sorted(largest, key=lambda phrase: phrase.start)]


def _draw_phrases(ax: Axes, phrases: list[tuple[str, float]]) -> None:
    effects = [effect for _text, effect in phrases]
    ax.barh(
        range(len(phrases)),
        effects,
        height=0.68,
        color=[BLUE if effect >= 0 else "white" for effect in effects],
        edgecolor=[BLUE if effect >= 0 else VERMILLION for effect in effects],
        hatch=["" if effect >= 0 else "////" for effect in effects],
    )
    for place, effect in enumerate(effects):
        side, offset = ("left", (4, 0)) if effect >= 0 else ("right", (-4, 0))
        beside(ax, minus(f"{effect:+.3f}"), (effect, place), offset, ha=side, va="center", fontsize=8.5)
    ax.axvline(0, color=MUTED, linewidth=0.8)
    rows(ax, range(len(phrases)), [shortened(text, 22) for text, _effect in phrases])
    ax.set_ylim(len(phrases) - 0.4, -0.6)


def _differences(ax: Axes, found: Faithfulness) -> None:
    shown = {
        _("lost without the {n} named,\nless without random"): found.deleted,
        _("lost without the {n} named,\nless without longest"): found.beside_longest,
        _("score of only the {n} named,\nless of only random"): found.kept,
    }
    for place, one in enumerate(shown.values()):
        colour = BLUE if one.low > 0 else ORANGE
        ax.hlines(place, one.low, one.high, color=colour, linewidth=5, alpha=0.4, capstyle="round")
        ax.scatter(one.value, place, s=44, color=colour, zorder=3)
        beside(ax, minus(f"{one.value:+.4f}"), (one.value, place), (0, 8), ha="center", fontsize=9.5)
    ax.axvline(0, color=INK, linewidth=1)
    low, high = min(0, *(one.low for one in shown.values())), max(0, *(one.high for one in shown.values()))
    room = 0.15 * ((high - low) or 0.1)
    ax.set_xlim(low - room, high + room)
    rows(ax, range(len(shown)), [name.format(n=found.k) for name in shown], linespacing=1.4)
    ax.set_ylim(len(shown) - 0.5, -0.6)
    axis = _("mean difference ({confidence} intervals, JDs resampled)")
    ax.set_xlabel(axis.format(confidence=percent(found.confidence, None)))


def _finding(explanation: Explanation) -> str:
    best = [phrase for side in ("resume", "jd") for phrase in explanation.strongest(side, 1)]
    score = minus(number(explanation.score))
    if not best:
        return _("Score {score}: no single phrase matters").format(score=score)
    top = shortened(max(best, key=lambda phrase: phrase.effect).text, 24)
    return _("Score {score}: “{phrase}” lifts it most").format(score=score, phrase=top)
