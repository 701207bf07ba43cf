"""The parts of the search panel that are plain HTML: status line, messages, download link, vectors.

As in :mod:`workbench.panels.cards`, every text is escaped here.
"""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from workbench.calibration.wording import percent
from workbench.panels.cards import hits_html
from workbench.panels.labels import Labels
from workbench.panels.search_session import SearchSession, View
from workbench.panels.stylesheet import STYLE
from workbench.texts import clean

if TYPE_CHECKING:
    from workbench.encoders import Vectors
    from workbench.plots.style import ShownFigure

__all__ = ["download", "message", "note", "report", "scenes", "status"]

FIRST_VALUES = 50


def status(session: SearchSession, view: View, labels: Labels, *, stale: bool = False) -> str:
    """What was searched, with what, and how far the cutoff can be trusted."""
    encoder, found = session.encoder, session.found
    chips = [
        f"{escape(labels.encoder)} <b>{escape(encoder.name)}</b>",
        escape(labels.dimensions.format(count=encoder.dimension)),
        f"{escape(labels.device)} <b>{escape(_processor(encoder.device))}</b>",
    ]
    if found is not None:
        chips.append(escape(labels.encoded.format(count=len(found.hits))))
        if found.report.n_input != found.report.n_output or found.report.cut or found.report.repaired:
            chips.append(escape(labels.cleaned.format(report=found.report.summary(labels.language))))
        for cut in clean([found.query]).report.cut:
            chips.append(escape(labels.query_cut.format(length=cut.length, kept=cut.kept)))
        chips += _probability(session, labels)
    shown = "".join(f'<span class="wb-chip">{chip}</span>' for chip in chips) + _cutoff(session, view, labels)
    tail = message(labels.stale, "caution") if stale else ""
    return f'<div class="wb-chips" role="status" lang="{labels.html_lang}">{shown}</div>{tail}'


def message(text: str, kind: str = "") -> str:
    """A sentence for the user; `kind` is empty, ``"caution"`` or ``"problem"``."""
    if not text:
        return ""
    role = "alert" if kind == "problem" else "status"
    return f'<div class="wb-message{" wb-" + kind if kind else ""}" role="{role}">{escape(text)}</div>'


def note(text: str) -> str:
    """A sentence where results will stand."""
    return f'<p class="wb-note">{escape(text)}</p>'


def download(content: bytes, count: int, name: str, labels: Labels) -> str:
    """A link that holds the file itself, so that saving it needs neither server nor kernel."""
    address = "data:text/csv;charset=utf-8;base64," + base64.b64encode(content).decode("ascii")
    label = escape(labels.export.format(count=count))
    return f'<a class="wb-download" download="{escape(name)}" href="{address}">{label}</a>'


def report(session: SearchSession, view: View, labels: Labels) -> str:
    """Query, status line and cards, for a page without widgets."""
    found = session.found
    if found is None:
        return f'{STYLE}<div class="wb-panel">{note(labels.none_yet)}</div>'
    cards = hits_html(
        view.shown(found.hits), view.cutoff, labels.language, total=len(found.hits), styled=False
    )
    return (
        f'{STYLE}<div class="wb-panel wb-report" lang="{labels.html_lang}"><p class="wb-asked">'
        f"<b>{escape(labels.query)}</b> {escape(found.query)}</p>{status(session, view, labels)}{cards}</div>"
    )


def scenes(vector: Vectors, name: str, labels: Labels) -> str:
    """One vector laid open: facts, first values, histogram, and a bar for every dimension."""
    from workbench.plots import plot_histogram, plot_values

    facts = labels.vector_facts.format(
        dimension=len(vector), norm=float(np.linalg.norm(vector)), low=vector.min(), high=vector.max()
    )
    first = vector[:FIRST_VALUES]
    values = "".join(f"<span{_sign(value)}>{value:.4f}</span>" for value in first)
    return (
        f'<div class="wb-scenes" lang="{labels.html_lang}"><p>{escape(facts)}</p>'
        f"<h4>{escape(labels.first_values.format(count=len(first)))}</h4>"
        f'<div class="wb-values">{values}</div>'
        f"{_image(plot_histogram(vector, name=name, language=labels.language))}"
        f"{_image(plot_values(vector, name=name, language=labels.language))}</div>"
    )


def _processor(device: str) -> str:
    if device.startswith(("cuda", "mps")):
        return f"GPU ({device})"
    return "CPU" if device == "cpu" else device


def _cutoff(session: SearchSession, view: View, labels: Labels) -> str:
    standing = session.standing(view.cutoff)
    template = {
        "calibrated": labels.cutoff_calibrated,
        "literature": labels.cutoff_uncalibrated,
        "chosen": labels.cutoff_chosen,
    }[standing]
    text = escape(template.format(value=f"{view.cutoff:.4f}"))
    if standing != "literature":
        return f'<span class="wb-chip">{text}</span>'
    why = escape(labels.cutoff_uncalibrated_why.format(encoder=session.encoder.name))
    return f'<span class="wb-chip wb-warn">⚠ {text}</span><p class="wb-why">{why}</p>'


def _probability(session: SearchSession, labels: Labels) -> list[str]:
    """What the probabilities of the hits are worth, if they have any."""
    table = session.cutoff.evidence.get("probability")
    if table is None:
        return []
    share = percent(float(table["prevalence"]), labels.language)
    return [escape(labels.probability_from.format(n=table.get("n", "?"), share=share))]


def _sign(value: float) -> str:
    return ' class="wb-negative"' if value < 0 else ""


def _image(figure: ShownFigure) -> str:
    encoded = base64.b64encode(figure.png()).decode("ascii")
    width = round(figure.get_figwidth() * 100)
    return f'<img width="{width}" alt="{escape(figure.alt)}" src="data:image/png;base64,{encoded}">'
