"""Tables of a report: figures side by side, the worst errors, and pairs whose decision changes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from workbench.calibration.current import figures_today
from workbench.calibration.report_text import NAMES
from workbench.calibration.wording import number, percent
from workbench.reports.words import WORDS, Words
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Study

__all__ = ["errors_table", "figures_table", "flips_table", "simple_table"]

MOST_ERRORS = 10
MOST_FLIPS = 20


def figures_table(study: Study, language: Language) -> str:
    """Figures at today's cutoff and at the one found, naive and corrected."""
    words, place = WORDS[language], 0 if language == "zh" else 1
    today = figures_today(study)
    found = study.basis != "none"
    heads = [words.figure]
    if today is not None:
        heads.append(words.today.format(at=number(study.current_cutoff)))
    if found:
        heads += [words.found.format(at=number(study.cutoff.value)), words.corrected]
    rows = []
    for name, names in NAMES.items():
        cells = [names[place] if name != "f_beta" else f"F{study.rule.f_beta:g}"]
        if today is not None:
            cells.append(_interval(today[name].value, today[name].low, today[name].high, language))
        if found:
            here, honest = study.figures[name], study.honest.get(name)
            cells.append(_interval(here.value, here.low, here.high, language))
            cells.append(
                "" if honest is None else _interval(honest.honest, honest.low, honest.high, language)
            )
        rows.append(cells)
    scores = study.observations.scores
    above = [] if study.current_cutoff is None else [f"{int((scores > study.current_cutoff).sum()):,}"]
    above += [f"{int((scores > study.cutoff.value).sum()):,}", ""] if found else []
    rows.append([words.above, *above])
    head = f"<th>{escape(heads[0])}</th>" + "".join(
        f'<th class="number">{escape(text)}</th>' for text in heads[1:]
    )
    body = "".join(
        f"<tr><th>{escape(cells[0])}</th>"
        + "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells[1:])
        + "</tr>"
        for cells in rows
    )
    sure = f"{100 * study.settings['confidence']:.4g}"
    note = f'<p class="note">{escape(words.intervals.format(sure=sure))}</p>'
    return _table(head, body) + note


def errors_table(study: Study, language: Language) -> str:
    """False matches with the highest scores, and missed matches with the lowest."""
    words = WORDS[language]
    if not {"jd", "resume"} <= set(study.pairs.columns):
        return ""
    at = study.cutoff.value if study.basis != "none" else study.current_cutoff
    if at is None:
        return ""
    score, label = study.settings["score"], study.settings["label"]
    ordered = study.pairs.sort_values(score, ascending=False, kind="stable")
    above = ordered[score] > at
    false_matches = ordered[above & (ordered[label] == 0)]
    missed = ordered[~above & (ordered[label] == 1)][::-1]
    parts = [f"<h2>{escape(words.errors)}</h2>"]
    for heading, pairs in ((words.false_matches, false_matches), (words.missed, missed)):
        parts.append(f'<p class="note">{escape(heading)}</p>')
        parts.append(_pairs(pairs, MOST_ERRORS, score, words))
    return "".join(parts)


def flips_table(study: Study, language: Language) -> str:
    """Pairs between today's cutoff and the one found."""
    words = WORDS[language]
    if study.basis == "none" or study.verdict is None or not {"jd", "resume"} <= set(study.pairs.columns):
        return ""
    changed = study.flips
    score, label = study.settings["score"], study.settings["label"]
    # Those that change for the worse first.
    ordered = changed.sort_values(["right_now", score], ascending=[True, False], kind="stable")
    extra = [
        (words.label, [words.labels[int(value)] for value in ordered[label]]),
        (words.right_now, [words.yes_no[0 if right else 1] for right in ordered["right_now"]]),
    ]
    return f"<h2>{escape(words.flips)}</h2>" + _pairs(ordered, MOST_FLIPS, score, words, extra)


def simple_table(frame: pd.DataFrame) -> str:
    """Any frame of texts and counts; what follows a line break in a cell is set as a remark below it."""
    # The first column is names, which may be long; the others are figures, which must not be broken.
    head = "".join(f"<th>{escape(str(name))}</th>" for name in frame.columns)
    rows = "".join(
        f"<tr><td>{escape(str(row[0]))}</td>" + "".join(map(_figure_cell, row[1:])) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    return _table(head, rows)


def _figure_cell(value: object) -> str:
    figure, _, remark = str(value).partition("\n")
    below = f"<small>{escape(remark)}</small>" if remark else ""
    return f'<td class="short">{escape(figure)}{below}</td>'


def _pairs(
    pairs: pd.DataFrame,
    most: int,
    score: str,
    words: Words,
    extra: Sequence[tuple[str, Sequence[str]]] = (),
) -> str:
    if pairs.empty:
        return f'<p class="note">{escape(words.none)}</p>'
    heads = [words.score, words.jd, words.resume, *(name for name, _ in extra)]
    head = f'<th class="number">{escape(heads[0])}</th>' + "".join(
        f"<th>{escape(text)}</th>" for text in heads[1:]
    )
    rows = []
    shown = pairs.head(most)
    for position, (value, jd, resume) in enumerate(
        zip(shown[score], shown["jd"], shown["resume"], strict=True)
    ):
        rows.append(
            f'<tr><td class="number">{number(value)}</td><td class="text">{escape(str(jd))}</td>'
            f'<td class="text">{escape(str(resume))}</td>'
            + "".join(f'<td class="short">{escape(values[position])}</td>' for _, values in extra)
            + "</tr>"
        )
    table = _table(head, "".join(rows))
    left = len(pairs) - len(shown)
    return table + (f'<p class="note">{escape(words.more.format(n=f"{left:,}"))}</p>' if left else "")


def _table(head: str, body: str) -> str:
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _interval(value: float, low: float, high: float, language: Language) -> str:
    if np.isnan(value):
        return "–"
    if np.isnan(low) or np.isnan(high):
        return percent(value, language)
    ends = f"{100 * low:.1f}–{100 * high:.1f}"
    return f"{percent(value, language)}（{ends}）" if language == "zh" else f"{percent(value)} ({ends})"
