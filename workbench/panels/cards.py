"""Results for people, without a front end: hits as cards, rows or a file for Excel, vectors, disagreements.

Reports and panels show the same cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.asking import asked_by, nowhere
from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder, Vectors
from workbench.files.exporting import csv_bytes
from workbench.html import render
from workbench.i18n import chance, pgettext
from workbench.i18n import gettext as _
from workbench.panels.search_session import SearchSession, View
from workbench.retrieval import Hit
from workbench.retrieval.hits import meaning, not_judged
from workbench.texts import is_line

MOST_METADATA = 6
FIRST_VALUES = 50
LABEL = "label: "
LONGEST_TITLE = 120
# Characters of one document on a page, which a browser takes at once.
MOST_SHOWN = 20_000

_PROBABILITIES: dict[str, Literal["value", "low", "high", "prevalence"]] = {
    "probability": "value",
    "probability_low": "low",
    "probability_high": "high",
    "probability_prevalence": "prevalence",
}
_PHRASE: dict[str, Literal["text", "start", "end", "query"]] = {
    "phrase": "text",
    "phrase_start": "start",
    "phrase_end": "end",
    "query_phrase": "query",
}


def hits_html(
    hits: Sequence[Hit], cutoff: float | Cutoff, *, total: int | None = None, styled: bool = True
) -> str:
    """Hits as cards: rank, text, bar, score with 4 decimals, and whether it lies above the cutoff.

    Of a whole document the part that carries the hit is shown, and all of it folded away, that part marked.

    Parameters
    ----------
    hits : sequence of Hit
        As :func:`workbench.search` returns them; `is_match` is decided anew by `cutoff`, unless it is None.
    cutoff : float or Cutoff
        ``score > cutoff`` is a match.
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
    >>> html = hits_html([hit], 0.4)
    >>> "0.5000" in html, "&lt;b&gt;RAG&lt;/b&gt;" in html, "<b>RAG" in html
    (True, True, False)
    """
    value = float(cutoff)
    html = render(
        "panels/hits.html",
        hits=hits,
        cutoff=value,
        total=len(hits) if total is None else total,
        matches=sum(hit["score"] > value for hit in hits if hit["is_match"] is not None),
        judged=not hits or any(hit["is_match"] is not None for hit in hits),
        parts_of_query=len({_asked(hit) for hit in hits}) > 1 or any(_asked(hit)[0] for hit in hits),
        is_line=is_line,
        longest_title=LONGEST_TITLE,
        most_shown=MOST_SHOWN,
        most_metadata=MOST_METADATA,
        # The bar goes from 0 to 1; negative scores have no length.
        place=lambda score: f"{min(max(score, 0.0), 1.0):.2%}",
        said=lambda found: chance(found["value"], found["low"], found["high"]),
        styled=styled,
    )
    return str(html)


def hits_frame(hits: Sequence[Hit]) -> pd.DataFrame:
    """Hits as a frame: rank, score, is_match, text, phrase, index, then a column for each kind of metadata.

    ``phrase`` is the part of the text that carries the hit, from ``phrase_start`` to ``phrase_end``, and
    ``query_phrase`` the part of the query.

    Where hits have probabilities, ``probability, probability_low, probability_high`` come after the score,
    and ``probability_prevalence``, the share of matches among the pairs that they are for.
    Metadata named as one of these gets the prefix ``metadata_``.
    """
    fixed = ["rank", "score", "is_match", "text", *_PHRASE, "index"]
    if any("probability" in hit for hit in hits):
        fixed[2:2] = _PROBABILITIES
    rows = [
        _row(hit, fixed)
        | {f"metadata_{key}" if key in fixed else key: value for key, value in hit["metadata"].items()}
        for hit in hits
    ]
    return pd.DataFrame(rows, columns=None if rows else fixed)


def hits_csv(hits: Sequence[Hit], cutoff: float | Cutoff, *, query: str, encoder: Encoder) -> bytes:
    """Hits as a CSV file for people: UTF-8 with a byte-order mark, by which Excel knows it.

    Each row also says for which query, by which cutoff and by which encoder it was judged. Cells
    that a spreadsheet would take for a formula are made text.
    """
    value = float(cutoff)
    own = pd.DataFrame(
        {
            _("rank"): [hit["rank"] for hit in hits],
            _("score"): [round(hit["score"], 4) for hit in hits],
            _("match"): [_judged(hit, value) for hit in hits],
            pgettext("column", "text"): [hit["text"] for hit in hits],
            _("best phrase"): [_row(hit, ["phrase"])["phrase"] for hit in hits],
            _("phrase of the query"): [_row(hit, ["query_phrase"])["query_phrase"] for hit in hits],
            _("Semantic query"): query,
            _("Cutoff"): round(value, 4),
            _("Encoder"): f"{encoder.name} [{encoder.fingerprint}]",
        }
    )
    if any("probability" in hit for hit in hits):
        names = [_("probability of a match"), _("probability, low"), _("probability, high")]
        names.append(_("for a share of matches of"))
        for place, (name, key) in enumerate(zip(names, _PROBABILITIES, strict=True), start=2):
            own.insert(place, name, [round(_row(hit, [key])[key], 4) for hit in hits])
    rest = pd.DataFrame([hit["metadata"] for hit in hits], index=own.index)
    rest = rest.rename(columns={name: f"metadata_{name}" for name in rest if name in own})
    return csv_bytes(own.join(rest))


def disagreements_html(found: pd.DataFrame, *, most: int = 10) -> str:
    """Disagreements for people to talk about: both texts, who said what and why, and the verdict.

    Parameters
    ----------
    found : DataFrame
        As :func:`workbench.pairs.disagreements` gives it, with the pairs' texts.
    most : int
        Cards to show.

    Returns
    -------
    str
        Without scripts or external parts; all texts are escaped.
    """
    pairs = [
        {
            "pair_id": row["pair_id"],
            "jd": row.get("jd", ""),
            "resume": row.get("resume", ""),
            "said": list(_said(row)),
        }
        for row in found.head(most).to_dict("records")
    ]
    return str(render("panels/disagreements.html", pairs=pairs))


def status(session: SearchSession, view: View, *, stale: bool = False) -> str:
    """What the cutoff means for what was found, and how far it can be trusted."""
    found, judges = session.found, session.judges_documents(view.cutoff)
    hits = () if found is None else found.hits
    why = "" if judges else not_judged(hits, session.cutoff)
    values: dict[str, Any] = {"session": session, "cutoff": view.cutoff, "stale": stale, "not_judged": why}
    values["means"] = meaning(hits, view.cutoff)
    with asked_by(nowhere):  # the share of matches has a field
        return str(render("panels/search_status.html", **values))


def evidence(session: SearchSession, view: View) -> str:
    """With what was searched, and on what the cutoff rests."""
    return str(render("panels/search_evidence.html", session=session, cutoff=view.cutoff))


def vector_html(vector: Vectors, name: str) -> str:
    """One vector laid open: facts, first values, histogram, and a bar for every dimension.

    Parameters
    ----------
    vector : ndarray of float32, shape (d,)
    name : str
        Of what it is the vector, for the figures.
    """
    from workbench.plots import plot_histogram, plot_values

    figures = [plot(vector, name=name) for plot in (plot_histogram, plot_values)]
    norm = float(np.linalg.norm(vector))
    html = render(
        "panels/vector.html", vector=vector, norm=norm, first=vector[:FIRST_VALUES], figures=figures
    )
    return str(html)


def _row(hit: Hit, names: Sequence[str]) -> dict[str, Any]:
    """Some columns of a hit; a hit without a probability has NaN there."""
    found, phrase = hit.get("probability"), hit.get("phrase")
    own: dict[str, Any] = {
        key: float("nan") if found is None else found[end] for key, end in _PROBABILITIES.items()
    }
    own |= {key: None if phrase is None else phrase[name] for key, name in _PHRASE.items()}
    return {name: own[name] if name in own else hit[name] for name in names}  # type: ignore[literal-required]


def _judged(hit: Hit, cutoff: float) -> str:
    if hit["is_match"] is None:
        return _("not judged")
    return _("yes") if hit["score"] > cutoff else _("no")


def _asked(hit: Hit) -> tuple[int, int]:
    """Where the part of the query stands."""
    phrase = hit.get("phrase")
    return (0, 0) if phrase is None else (phrase["query_start"], phrase["query_end"])


def _said(row: dict[Any, Any]) -> list[tuple[str, int, str]]:
    """Name, label and note of each who has labelled a pair; the verdict last."""
    notes = dict(line.split(": ", 1) for line in str(row["notes"]).split("\n") if ": " in line)
    names = [
        str(name).removeprefix(LABEL)
        for name in row
        if str(name).startswith(LABEL) and not pd.isna(row[name])
    ]
    said = [(name, int(row[LABEL + name]), notes.pop(name, "")) for name in names]
    if not pd.isna(row["adjudicated"]):
        said.append((_("Verdict"), int(row["adjudicated"]), " ".join(notes.values())))
    return said
