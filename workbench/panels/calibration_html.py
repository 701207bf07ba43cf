"""The parts of the calibration panel that are plain HTML: picture, sentence, counts, pairs.

Every text of a pair is escaped here.
"""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from workbench.calibration import Costs, Estimate
from workbench.calibration.wording import number, percent
from workbench.panels.calibration_session import CalibrationSession, Moment
from workbench.panels.calibration_words import Words

__all__ = ["costs_html", "counts_html", "histogram_svg", "pairs_html"]

WIDTH, HALF = 1000, 105
# As in workbench.plots.scores; the second ones are dark enough for words.
MATCH, OTHER = "#0072B2", "#E69F00"
MATCH_WORD, OTHER_WORD = "#0072B2", "#855C00"
GUARANTEED = "#009E73"
TICK_STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
MOST_TICKS = 9


def histogram_svg(
    session: CalibrationSession,
    words: Words,
    *,
    low: float,
    high: float,
    cutoff: float | None = None,
) -> str:
    """Matches upwards, others downwards, the guaranteed cutoff a broken line.

    Parameters
    ----------
    session : CalibrationSession
    words : Words
    low, high : float
        Ends of the axis, which are those of the slider that lies over it.
    cutoff : float, optional
        Drawn as a full line; the live panel has the handle of its slider instead.
    """

    def place(score: float) -> float:
        return float(min(max((score - low) / (high - low), 0.0), 1.0))

    tallest = max(int(session.matches.max()), int(session.others.max()), 1)
    bars = []
    for left, right, up, down in zip(
        session.edges[:-1], session.edges[1:], session.matches, session.others, strict=True
    ):
        x = place(left) * WIDTH + 1
        wide = max(place(right) * WIDTH - 1 - x, 0.5)
        tall, deep = up / tallest * HALF, down / tallest * HALF
        bars.append(
            f'<rect x="{x:.1f}" y="{HALF - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{MATCH}"/>'
        )
        bars.append(f'<rect x="{x:.1f}" y="{HALF}" width="{wide:.1f}" height="{deep:.1f}" fill="{OTHER}"/>')
    lines = [f'<line x1="0" x2="{WIDTH}" y1="{HALF}" y2="{HALF}" stroke="#1f2933" stroke-width="0.8"/>']
    if cutoff is not None:
        lines.append(_line(place(cutoff) * WIDTH, "#1f2933", 3, ""))
    found, mark = session.study.guarantee or session.study.missed_guarantee, ""
    if found is not None and found.cutoff is not None:
        at = place(found.cutoff)
        lines.append(_line(at * WIDTH, GUARANTEED, 2, ' stroke-dasharray="6 5"'))
        # On the side where there is room.
        side = f"left:calc({at:.2%} + 5px)" if at < 0.6 else f"right:calc({1 - at:.2%} + 5px)"
        mark = (
            f'<span class="wb-plot-mark" style="{side};color:#00694a">{escape(words.guaranteed_mark)}</span>'
        )
    said = "" if cutoff is None else f", {words.cutoff} {number(cutoff)}"
    alt = escape(
        f"{words.match} {int(session.matches.sum())} / {words.other} {int(session.others.sum())}{said}"
    )
    key = (
        f'<b style="color:{MATCH_WORD}">▲ {escape(words.match)} {int(session.matches.sum()):,}</b>　'
        f'<b style="color:{OTHER_WORD}">▼ {escape(words.other)} {int(session.others.sum()):,}</b>'
    )
    return (
        f'<div lang="{words.html_lang}"><div class="wb-plot-key">{key}</div>'
        f'<div style="position:relative">{mark}<svg role="img" aria-label="{alt}" '
        f'preserveAspectRatio="none" viewBox="0 0 {WIDTH} {2 * HALF}" class="wb-plot-picture">'
        f"{''.join(bars)}{''.join(lines)}</svg></div>"
        f'<div class="wb-plot-axis">{_ticks(low, high)}</div></div>'
    )


def _ticks(low: float, high: float) -> str:
    step = next((each for each in TICK_STEPS if (high - low) / each <= MOST_TICKS), TICK_STEPS[-1])
    digits = 2 if step < 0.1 else 1
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    said = {tick: f"{tick * step:.{digits}f}".replace("-", "\u2212") for tick in range(first, last + 1)}
    return "".join(
        f'<span style="left:{(tick * step - low) / (high - low):.2%}">{text}</span>'
        for tick, text in said.items()
    )


def counts_html(session: CalibrationSession, moment: Moment, words: Words) -> str:
    """The sentence, the guarantee, and the four counts."""
    language = words.language
    said = words.sentence.format(
        cutoff=number(moment.cutoff),
        above=moment.right_matches + moment.false_matches,
        below=moment.missed_matches + moment.right_others,
        precision=_share(moment.figures["precision"], language),
        missed=_share(moment.figures["false_omission_rate"], language),
        recall=_share(moment.figures["recall"], language),
    )
    found = session.study.guarantee or session.study.missed_guarantee
    promise = words.not_guaranteed
    if found is not None and found.cutoff is not None:
        promise = words.guaranteed.format(at=number(found.cutoff))
    numbers = (moment.right_matches, moment.false_matches, moment.missed_matches, moment.right_others)
    chips = "".join(
        f'<span class="wb-chip">{escape(name)} <b>{count:,}</b></span>'
        for name, count in zip(words.counts, numbers, strict=True)
    )
    share = words.prevalence.format(share=percent(session.study.prevalence, language))
    chips += f'<span class="wb-chip">{escape(share)}</span>'
    warn = "" if found is not None and found.found else " wb-warn"
    sentence = f'<div class="wb-message" role="status">{escape(said)}</div>'
    return (
        f'<div lang="{words.html_lang}">{sentence}<div class="wb-chips" style="margin-top:10px">{chips}'
        f'<span class="wb-chip{warn}">{escape(promise)}</span></div></div>'
    )


def costs_html(session: CalibrationSession, cutoff: float, costs: Costs, words: Words) -> str:
    """What decisions cost at this cutoff, and where they cost least."""
    here, best, lowest = session.costs(cutoff, costs)
    return f'<p style="margin:0">{escape(words.cost.format(here=here, best=best, lowest=lowest))}</p>'


def pairs_html(session: CalibrationSession, cutoff: float, words: Words) -> str:
    """The worst errors on both sides, then the pairs nearest to the cutoff."""
    false_matches, missed = session.errors(cutoff)
    lists = (
        (words.false_matches, false_matches),
        (words.missed_matches, missed),
        (words.borderline, session.borderline(cutoff)),
    )
    body = "".join(
        f'<h4 style="margin:14px 0 6px">{escape(title)}</h4>{_cards(session, pairs, words)}'
        for title, pairs in lists
    )
    return f'<div class="wb-results" lang="{words.html_lang}">{body}</div>'


def _cards(session: CalibrationSession, pairs: pd.DataFrame, words: Words) -> str:
    settings = session.study.settings
    if pairs.empty:
        return f'<p class="wb-note">{escape(words.none)}</p>'
    cards = []
    for record in pairs.to_dict("records"):
        match = record[settings["label"]] == 1
        texts = "".join(
            f'<div class="{name}">{escape(str(record[key]))}</div>'
            for key, name in (("jd", "wb-text"), ("resume", "wb-metadata"))
            if key in record
        )
        cards.append(
            f'<li class="wb-card{" wb-match" if match else " wb-below"}"><div class="wb-body">{texts}</div>'
            f'<div class="wb-verdict"><span class="wb-score">{number(record[settings["score"]])}</span>'
            f'<span class="wb-pill">{escape(words.match if match else words.other)}</span></div></li>'
        )
    return f'<ol class="wb-cards">{"".join(cards)}</ol>'


def _share(estimate: Estimate, language: str) -> str:
    value = percent(estimate.value, language)
    if not estimate.low <= estimate.high:
        return value
    return f"{value} ({100 * estimate.low:.1f}–{100 * estimate.high:.1f})"


def _line(x: float, colour: str, width: int, more: str) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{2 * HALF}" stroke="{colour}" '
        f'stroke-width="{width}"{more} vector-effect="non-scaling-stroke"/>'
    )
