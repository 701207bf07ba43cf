"""Explanations as figures: phrases with their effects, and how far such explanations can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputError
from workbench.plots.map_parts import shortened
from workbench.plots.style import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    VERMILLION,
    house_style,
    new_figure,
)
from workbench.plots.value_bars import signs
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import Explanation, Faithfulness
    from workbench.exploration.faithfulness import Difference
    from workbench.plots.style import ShownFigure

__all__ = ["plot_explanation", "plot_faithfulness"]

MOST_PHRASES = 24
ROW = 0.3  # inches


def plot_explanation(explanation: Explanation, *, language: Language = "zh") -> ShownFigure:
    """Phrases of both texts in their order, with what each lifts (blue) or lowers (red, hatched) the score.

    Parameters
    ----------
    explanation : Explanation
        From :func:`~workbench.exploration.leaving_out.explain`.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Where a text has more than 24 phrases, those with the largest effects.

    Raises
    ------
    InputError
        If neither text has phrases.
    """
    zh = language == "zh"
    sides = [side for side in ("jd", "resume") if explanation.side(side).phrases]
    if not sides:
        raise InputError("Both texts are a single phrase, so that there is no effect to draw.")
    names = {"jd": "岗位要求" if zh else "JD", "resume": "简历" if zh else "résumé text"}
    rows = {side: _shown(explanation, side) for side in sides}
    effects = [effect for shown in rows.values() for _, effect in shown]
    low, high = min([0.0, *effects]), max([0.0, *effects])
    room = 0.24 * ((high - low) or 1.0)
    with house_style():
        figure = new_figure(height=1.6 + ROW * max(len(shown) for shown in rows.values()))
        axes = figure.subplots(1, len(sides), squeeze=False)[0]
        for ax, (side, shown) in zip(axes, rows.items(), strict=True):
            _phrases(ax, shown)
            ax.set_xlim(low - room * (low < 0), high + room)
            hidden = len(explanation.side(side).phrases) - len(shown)  # type: ignore[arg-type]
            more = (
                (f"，另有 {hidden} 个短语影响更小" if zh else f", {hidden} with smaller effects")
                if hidden
                else ""
            )
            ax.set_title(f"{names[side]}{more}", fontsize=10.5, color=MUTED, pad=8)
            ax.set_xlabel("去掉以后，分数降低多少" if zh else "what the score loses without it")
        title = _explanation_title(explanation, zh)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=INK)
        figure.alt = title
    return figure


def plot_faithfulness(found: Faithfulness, *, language: Language = "zh") -> ShownFigure:
    """What scores lose without the phrases that explanations name, and without others.

    Parameters
    ----------
    found : Faithfulness
        From :func:`~workbench.exploration.deletion.measure_faithfulness`.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Left a dot for each pair: above the diagonal, the named phrases matter more than random ones.
        Right the mean differences with their intervals; those that hold 0 prove nothing.
    """
    zh = language == "zh"
    table = found.table
    with house_style():
        figure = new_figure(height=4.5)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
        ends = (
            float(min(table["drop_random"].min(), table["drop_top"].min(), 0)),
            float(max(table["drop_random"].max(), table["drop_top"].max())) * 1.05 or 0.1,
        )
        left.plot(ends, ends, color=GREY, linewidth=1.1, linestyle=(0, (4, 3)))
        left.scatter(table["drop_random"], table["drop_top"], s=22, color=BLUE, alpha=0.5, linewidth=0)
        left.set_xlim(*ends)
        left.set_ylim(*ends)
        left.set_aspect("equal")
        left.grid()
        left.set_xlabel(
            f"随机删 {found.k} 个短语，分数降低" if zh else f"lost without {found.k} random phrases"
        )
        left.set_ylabel(
            f"删点名的 {found.k} 个，分数降低" if zh else f"lost without the {found.k} that are named"
        )
        _differences(right, found, zh)
        title = _faithfulness_title(found, zh)
        side = {"jd": "岗位要求" if zh else "JD", "resume": "简历" if zh else "résumé text"}[found.side]
        subtitle = (
            f"{side}的短语，{len(table)} 对，{found.n_jds} 个 JD；线上方：点名的更要紧"
            if zh
            else f"phrases of the {side}, {len(table)} pairs, {found.n_jds} JDs; above the line, they matter"
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=INK)
        figure.text(0.01, 0.895, subtitle, color=MUTED, ha="left", va="top")
        figure.get_layout_engine().set(rect=(0, 0, 1, 0.94))  # type: ignore[union-attr, call-arg]
        figure.alt = title
    return figure


def _shown(explanation: Explanation, side: str) -> list[tuple[str, float]]:
    phrases = explanation.side(side).phrases  # type: ignore[arg-type]
    largest = sorted(phrases, key=lambda phrase: -abs(phrase.effect))[:MOST_PHRASES]
    return [(phrase.text, phrase.effect) for phrase in sorted(largest, key=lambda phrase: phrase.start)]


def _phrases(ax: Axes, shown: list[tuple[str, float]]) -> None:
    places = np.arange(len(shown))
    effects = np.array([effect for _, effect in shown])
    ax.barh(
        places,
        effects,
        height=0.68,
        color=[BLUE if effect >= 0 else "white" for effect in effects],
        edgecolor=[BLUE if effect >= 0 else VERMILLION for effect in effects],
        hatch=["" if effect >= 0 else "////" for effect in effects],
    )
    for place, effect in zip(places, effects, strict=True):
        ax.annotate(
            signs(f"{effect:+.3f}"),
            (effect, place),
            (4 if effect >= 0 else -4, 0),
            textcoords="offset points",
            ha="left" if effect >= 0 else "right",
            va="center",
            fontsize=8.5,
        )
    ax.axvline(0, color=MUTED, linewidth=0.8)
    # A dollar sign would begin a formula.
    ax.set_yticks(places, [shortened(text, 22).replace("$", r"\$") for text, _ in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _differences(ax: Axes, found: Faithfulness, zh: bool) -> None:
    k = found.k
    shown: list[tuple[str, Difference]] = [
        (
            f"删点名的 {k} 个\n比删随机的多降" if zh else f"lost without the {k} named,\nless without random",
            found.deleted,
        ),
        (
            f"删点名的 {k} 个\n比删最长的多降"
            if zh
            else f"lost without the {k} named,\nless without longest",
            found.beside_longest,
        ),
        (
            f"只留点名的 {k} 个\n比只留随机的高"
            if zh
            else f"score of only the {k} named,\nless of only random",
            found.kept,
        ),
    ]
    for place, (_, one) in enumerate(shown):
        colour = BLUE if one.low > 0 else ORANGE
        ax.hlines(place, one.low, one.high, color=colour, linewidth=5, alpha=0.4, capstyle="round")
        ax.scatter(one.value, place, s=44, color=colour, zorder=3)
        ax.annotate(
            signs(f"{one.value:+.4f}"),
            (one.value, place),
            (0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
        )
    ax.axvline(0, color=INK, linewidth=1)
    low, high = min(one.low for _, one in shown), max(one.high for _, one in shown)
    room = 0.15 * ((max(high, 0) - min(low, 0)) or 0.1)
    ax.set_xlim(min(low, 0) - room, max(high, 0) + room)
    ax.set_yticks(range(len(shown)), [name for name, _ in shown], linespacing=1.4)
    ax.set_ylim(len(shown) - 0.5, -0.6)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel(
        f"平均相差（横条：{found.confidence:.0%} 区间，按 JD 重抽样）"
        if zh
        else f"mean difference ({found.confidence:.0%} intervals, JDs resampled)"
    )


def _explanation_title(explanation: Explanation, zh: bool) -> str:
    best = [phrase for side in ("resume", "jd") for phrase in explanation.strongest(side, 1)]
    if not best:
        return (
            f"分数 {explanation.score:.4f}：没有哪个短语单独要紧"
            if zh
            else f"Score {explanation.score:.4f}: no single phrase matters"
        )
    top = shortened(max(best, key=lambda phrase: phrase.effect).text, 24).replace("$", r"\$")
    return (
        f"分数 {explanation.score:.4f}：“{top}”拉高最多"
        if zh
        else f"Score {explanation.score:.4f}: “{top}” lifts it most"
    )


def _faithfulness_title(found: Faithfulness, zh: bool) -> str:
    share = f"{found.share_of_pairs:.1%}"
    zh_names = {"faithful": "可信", "partly": "一半可信", "not faithful": "不可信"}
    if zh:
        return f"解释{zh_names[found.standing]}：{share} 的配对里，点名的短语比随机的更要紧"
    names = {"faithful": "Faithful", "partly": "Partly faithful", "not faithful": "Not faithful"}
    return f"{names[found.standing]}: named phrases matter more than random ones in {share} of pairs"
