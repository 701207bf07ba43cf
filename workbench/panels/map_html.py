"""The parts of the map panel that are plain HTML: key, status, selection. Every text is escaped here."""

from __future__ import annotations

from html import escape

from workbench.panels.cards import hits_html
from workbench.panels.fragments import message, note
from workbench.panels.map_layout import MAP_STYLE
from workbench.panels.map_points import Drawn
from workbench.panels.map_session import MapSession
from workbench.panels.map_texts import MapLabels
from workbench.panels.stylesheet import STYLE

__all__ = ["key_html", "map_report", "results_html", "selection_html", "status_html"]

ROWS_SHOWN = 50


def key_html(drawn: Drawn, labels: MapLabels) -> str:
    """What colours and marks mean."""
    entries = "".join(
        f'<span class="wb-chip"><span class="wb-swatch" style="background:{entry.colour}"></span>'
        f"{escape(entry.name)} <b>{entry.count:,}</b></span>"
        for entry in drawn.key
    )
    more = (
        f'<span class="wb-chip">{escape(labels.more.format(count=drawn.rest))}</span>' if drawn.rest else ""
    )
    marks = f'<span class="wb-chip">{escape(labels.marks)}</span>'
    return f'<div class="wb-chips" lang="{labels.html_lang}">{marks}{entries}{more}</div>'


def status_html(sentences: list[str], labels: MapLabels) -> str:
    """How far the map can be trusted, and how it is used."""
    lines = "".join(f'<p class="wb-quiet">{escape(sentence)}</p>' for sentence in [*sentences, labels.how])
    return f'<div lang="{labels.html_lang}">{lines}</div>'


def selection_html(session: MapSession, labels: MapLabels) -> str:
    """The selected texts: how many, which words tell them from the rest, and a table."""
    rows = session.selected
    if not len(rows):
        return note(labels.nothing_selected)
    jds = int((session.points.kinds[rows] == "jd").sum())
    parts = [
        f"<b>{escape(labels.selected.format(count=f'{len(rows):,}'))}</b>",
        escape(labels.of_which.format(jds=f"{jds:,}", resumes=f"{len(rows) - jds:,}")),
    ]
    chips = "".join(f'<span class="wb-chip">{escape(term)}</span>' for term in session.terms())
    terms = (
        f'<p class="wb-quiet">{escape(labels.terms)}</p><div class="wb-chips">{chips}</div>' if chips else ""
    )
    return (
        f'<div lang="{labels.html_lang}" role="status"><p>{" · ".join(parts)}</p>{terms}'
        f'<div class="wb-scroll">{_table(session, labels)}</div></div>'
    )


def results_html(session: MapSession, labels: MapLabels) -> str:
    """The hits of the last search, as cards."""
    if not session.hits or session.cutoff is None:
        return ""
    return hits_html(session.hits, session.cutoff, labels.language, styled=False)


def map_report(session: MapSession, labels: MapLabels) -> str:
    """Selection and results for a page without widgets."""
    asked = ""
    if session.pins is not None:
        asked = f'<p class="wb-asked"><b>{escape(labels.query)}</b> {escape(session.pins.query)}</p>'
    selection = selection_html(session, labels) if len(session.selected) else ""
    body = asked + results_html(session, labels) + selection
    return (
        f'{STYLE}{MAP_STYLE}<div class="wb-panel wb-map wb-report" lang="{labels.html_lang}">'
        f"{body or message(labels.how)}</div>"
    )


def _table(session: MapSession, labels: MapLabels) -> str:
    points, rows = session.points, session.selected
    clustered = points.clusters is not None
    heads = [labels.kind, *([labels.cluster] if clustered else []), labels.text]
    body = []
    for row in rows[:ROWS_SHOWN]:
        short = [labels.jd if points.kinds[row] == "jd" else labels.resume]
        if points.clusters is not None:
            short.append(points.clusters.name(points.clusters.labels[row], labels.language))
        cells = "".join(f'<td class="wb-short">{escape(cell)}</td>' for cell in short)
        body.append(f"<tr>{cells}<td>{escape(points.texts[row])}</td></tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    table = f'<table class="wb-rows"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    if len(rows) <= ROWS_SHOWN:
        return table
    more = labels.first_rows.format(shown=ROWS_SHOWN, total=f"{len(rows):,}")
    return f'{table}<p class="wb-quiet">{escape(more)}</p>'
