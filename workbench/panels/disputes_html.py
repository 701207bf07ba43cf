"""Disagreements as cards, for people to talk about: both texts, who said what and why, and the verdict."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from workbench.panels.labelling_words import LabellingWords, words_for
from workbench.panels.stylesheet import LABELLING_STYLE
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["disagreements_html"]

LABEL = "label: "


def disagreements_html(found: pd.DataFrame, language: Language | None = None, *, most: int = 10) -> str:
    """Disagreements as static HTML.

    Parameters
    ----------
    found : DataFrame
        As :func:`workbench.pairs.disagreements` gives it, with the pairs' texts.
    language : {"zh", "en"}, optional
        By default that of the settings.
    most : int
        Cards to show.

    Returns
    -------
    str
        Without scripts or external parts; all texts are escaped.
    """
    words = words_for(language)
    cards = "".join(_card(row, words) for row in found.head(most).to_dict("records"))
    if not cards:
        return f'{LABELLING_STYLE}<p class="wb-quiet">{escape(words.no_disagreement)}</p>'
    classes = "wb-panel wb-report wb-labelling"
    return f'{LABELLING_STYLE}<div class="{classes}" lang="{words.html_lang}">{cards}</div>'


def _card(row: dict[Any, Any], words: LabellingWords) -> str:
    notes = dict(line.split(": ", 1) for line in str(row["notes"]).split("\n") if ": " in line)
    said = [
        (name.removeprefix(LABEL), row[name], notes.pop(name.removeprefix(LABEL), ""))
        for name in row
        if str(name).startswith(LABEL) and _is_known(row[name])
    ]
    if _is_known(row["adjudicated"]):
        said.append((words.verdict, row["adjudicated"], " ".join(notes.values())))
    lines = "".join(
        f'<li><span class="wb-pill">{int(label)}</span><b>{escape(str(name))}</b> {escape(note)}</li>'
        for name, label, note in said
    )
    sides = "".join(
        f'<section class="wb-side"><h4>{escape(title)}</h4><p>{escape(text)}</p></section>'
        for title, text in ((words.jd, str(row.get("jd", ""))), (words.resume, str(row.get("resume", ""))))
    )
    return (
        f'<article class="wb-dispute"><p class="wb-beside">{escape(str(row["pair_id"]))}</p>'
        f'<div class="wb-pair">{sides}</div><ul class="wb-said">{lines}</ul></article>'
    )


def _is_known(value: Any) -> bool:
    import pandas as pd

    return not pd.isna(value)
