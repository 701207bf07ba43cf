"""Search results for people: cards as HTML, rows as a frame, a file for Excel.

All texts are escaped here, on their way out. Nothing here needs a front end, so reports and the
panel show the same cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import pandas as pd

from workbench.calibration.probability import chance
from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder
from workbench.files.exporting import neutralise_formulas
from workbench.i18n import language
from workbench.panels.labels import Labels, labels_for
from workbench.panels.stylesheet import STYLE
from workbench.retrieval import Hit
from workbench.settings import Language

__all__ = ["hits_csv", "hits_frame", "hits_html"]

MOST_METADATA = 6
_PROBABILITIES: dict[str, Literal["value", "low", "high"]] = {
    "probability": "value",
    "probability_low": "low",
    "probability_high": "high",
}


def hits_html(
    hits: Sequence[Hit],
    cutoff: float | Cutoff,
    language: Language | None = None,
    *,
    total: int | None = None,
    styled: bool = True,
) -> str:
    """Hits as cards: rank, text, bar, score with 4 decimals, and whether it lies above the cutoff.

    Parameters
    ----------
    hits : sequence of Hit
        As :func:`workbench.search` returns them; `is_match` is decided anew by `cutoff`.
    cutoff : float or Cutoff
        ``score > cutoff`` is a match.
    language : {"zh", "en"}, optional
        By default that of the settings.
    total : int, optional
        How many hits there were before they were filtered.
    styled : bool
        Whether the style sheet comes along; a page needs it once.

    Returns
    -------
    str
        A fragment of HTML without scripts or external parts; all texts are escaped.

    Examples
    --------
    >>> hit = Hit(rank=1, text="<b>RAG</b>", score=0.5, is_match=True, index=0, metadata={})
    >>> html = hits_html([hit], 0.4, "en")
    >>> "0.5000" in html, "&lt;b&gt;RAG&lt;/b&gt;" in html, "<b>RAG" in html
    (True, True, False)
    """
    labels = labels_for(language)
    value = float(cutoff)
    matches = sum(hit["score"] > value for hit in hits)
    summary = labels.summary.format(
        shown=len(hits), total=len(hits) if total is None else total, matches=matches, cutoff=f"{value:.4f}"
    )
    cards = "".join(_card(hit, value, labels) for hit in hits)
    body = f'<ol class="wb-cards">{cards}</ol>' if hits else _note(labels.nothing_shown)
    return (
        f'{STYLE if styled else ""}<section class="wb-results" lang="{labels.html_lang}" '
        f'aria-label="{escape(labels.results)}"><p class="wb-summary">{escape(summary)}</p>{body}</section>'
    )


def hits_frame(hits: Sequence[Hit]) -> pd.DataFrame:
    """Hits as a frame: rank, score, is_match, text, index, then a column for each kind of metadata.

    Where hits have probabilities, ``probability, probability_low, probability_high`` come after the score.
    Metadata named as one of these gets the prefix ``metadata_``.
    """
    fixed = ["rank", "score", "is_match", "text", "index"]
    if any("probability" in hit for hit in hits):
        fixed[2:2] = _PROBABILITIES
    rows = [
        _row(hit, fixed)
        | {f"metadata_{key}" if key in fixed else key: value for key, value in hit["metadata"].items()}
        for hit in hits
    ]
    return pd.DataFrame(rows, columns=None if rows else fixed)


def hits_csv(
    hits: Sequence[Hit],
    cutoff: float | Cutoff,
    language: Language | None = None,
    *,
    query: str,
    encoder: Encoder,
) -> bytes:
    """Hits as a CSV file for people: UTF-8 with a byte-order mark, by which Excel knows it.

    Each row also says for which query, by which cutoff and by which encoder it was judged. Cells
    that a spreadsheet would take for a formula are made text.
    """
    labels = labels_for(language)
    value = float(cutoff)
    own = pd.DataFrame(
        {
            labels.rank: [hit["rank"] for hit in hits],
            labels.score: [round(hit["score"], 4) for hit in hits],
            labels.is_match: [labels.yes if hit["score"] > value else labels.no for hit in hits],
            labels.text: [hit["text"] for hit in hits],
            labels.query: query,
            labels.cutoff: round(value, 4),
            labels.encoder: f"{encoder.name} [{encoder.fingerprint}]",
        }
    )
    if any("probability" in hit for hit in hits):
        names = (labels.probability, labels.probability_low, labels.probability_high)
        for place, (name, key) in enumerate(zip(names, _PROBABILITIES, strict=True), start=2):
            own.insert(place, name, [round(_row(hit, [key])[key], 4) for hit in hits])
    rest = pd.DataFrame([hit["metadata"] for hit in hits], index=own.index)
    rest = rest.rename(columns={name: f"metadata_{name}" for name in rest if name in own})
    return neutralise_formulas(own.join(rest)).to_csv(index=False).encode("utf-8-sig")


def _row(hit: Hit, names: Sequence[str]) -> dict[str, Any]:
    """Some columns of a hit; a hit without a probability has NaN there."""
    found = hit.get("probability")
    own = {key: float("nan") if found is None else found[end] for key, end in _PROBABILITIES.items()}
    return {name: own[name] if name in own else hit[name] for name in names}  # type: ignore[literal-required]


def _chance(hit: Hit, labels: Labels) -> str:
    found = hit.get("probability")
    if found is None:
        return ""
    with language(labels.language):
        said = chance(found["value"], found["low"], found["high"])
    title = labels.is_guess if found["is_guess"] else f"{labels.probability}: {found['confidence']:.0%}"
    sign = " ?" if found["is_guess"] else ""
    return (
        f'<span class="wb-chance" title="{escape(title)}" aria-label="{escape(labels.probability)} '
        f'{escape(said)}">{escape(said)}{sign}</span>'
    )


def _card(hit: Hit, cutoff: float, labels: Labels) -> str:
    is_match = hit["score"] > cutoff
    verdict = labels.match if is_match else labels.below
    score = f"{hit['score']:.4f}"
    mark = escape(labels.cutoff_mark.format(cutoff=f"{cutoff:.4f}"))
    return (
        f'<li class="wb-card {"wb-match" if is_match else "wb-below"}">'
        f'<span class="wb-rank" aria-label="{labels.rank} {hit["rank"]}">{hit["rank"]}</span>'
        f'<div class="wb-body"><p class="wb-text">{escape(hit["text"])}</p>{_metadata(hit)}'
        f'<div class="wb-bar" aria-hidden="true">'
        f'<span class="wb-fill" style="width:{_percent(hit["score"])}"></span>'
        f'<span class="wb-mark" style="left:{_percent(cutoff)}" title="{mark}"></span></div></div>'
        f'<div class="wb-verdict"><span class="wb-score" aria-label="{labels.score} {score}">{score}</span>'
        f'<span class="wb-pill">{verdict}</span>{_chance(hit, labels)}</div></li>'
    )


def _metadata(hit: Hit) -> str:
    pairs = list(hit["metadata"].items())
    if not pairs:
        return ""
    shown = "".join(
        f"<span>{escape(str(key))}: {escape(str(value))}</span>" for key, value in pairs[:MOST_METADATA]
    )
    return f'<p class="wb-metadata">{shown}{" …" if len(pairs) > MOST_METADATA else ""}</p>'


def _percent(score: float) -> str:
    """Where a score lies on the bar, which goes from 0 to 1; negative scores have no length."""
    return f"{min(max(score, 0.0), 1.0):.2%}"


def _note(text: str) -> str:
    return f'<p class="wb-note">{escape(text)}</p>'
