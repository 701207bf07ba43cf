"""The parts of the labelling panel that are plain HTML: pair, progress, rubric; all texts are escaped."""

from __future__ import annotations

from html import escape

from workbench.panels.fragments import message, note
from workbench.panels.labelling_session import LabellingSession, ShownPair
from workbench.panels.labelling_words import LabellingWords
from workbench.panels.stylesheet import LABELLING_STYLE

__all__ = ["heading", "label_name", "pair_html", "progress_html", "report_html", "rubric_html"]


def heading(session: LabellingSession, words: LabellingWords) -> str:
    """Title and question."""
    title = words.title_adjudicate if session.adjudicate else words.title
    return (
        f'<div lang="{words.html_lang}"><div class="wb-title" role="heading" aria-level="2">{title}</div>'
        f'<div class="wb-subtitle">{words.question}</div></div>'
    )


def pair_html(session: LabellingSession, words: LabellingWords) -> str:
    """The pair to label now, or that there is none."""
    pair = session.current
    if pair is None:
        progress = session.progress
        text = words.nothing_to_adjudicate if not progress.total else words.finished
        if progress.skipped:
            text = words.finished_skipped
        return note(text.format(total=progress.total, skipped=progress.skipped))
    said = "".join(
        f'<li><span class="wb-pill">{escape(label_name(said.label, session, words))}</span>'
        f"<b>{escape(words.said.format(number=number))}</b> {escape(said.note)}</li>"
        for number, said in enumerate(pair.said, start=1)
    )
    return (
        f'<div class="wb-pair" lang="{words.html_lang}">{_text(words.jd, pair.jd)}'
        f"{_text(words.resume, pair.resume)}</div>{_beside(pair)}"
        + (f'<ul class="wb-said">{said}</ul>' if said else "")
    )


def progress_html(session: LabellingSession, words: LabellingWords) -> str:
    """Who labels, how far they are, and that they are blind."""
    progress = session.progress
    chips = [
        words.annotator.format(name=session.annotator),
        words.progress.format(labelled=progress.labelled, total=progress.total),
    ]
    if progress.skipped:
        chips.append(words.progress_skipped.format(skipped=progress.skipped))
    if not session.adjudicate:
        chips.append(words.blind)
    shown = "".join(f'<span class="wb-chip">{escape(chip)}</span>' for chip in chips)
    return f'<div class="wb-chips" role="status" lang="{words.html_lang}">{shown}</div>'


def rubric_html(markdown: str, words: LabellingWords) -> str:
    """The rubric, to be unfolded."""
    import mistune

    if not markdown.strip():
        return message(words.no_rubric, "caution")
    # Raw HTML in the file is escaped, and links to scripts are taken out.
    body = mistune.create_markdown(escape=True, plugins=["table"])(markdown)
    title = escape(words.rubric)
    return f'<details class="wb-rubric"><summary>{title}</summary><div>{body}</div></details>'


def report_html(session: LabellingSession, words: LabellingWords) -> str:
    """Heading, rubric, progress and the next pair, for a page without widgets."""
    return (
        f'{LABELLING_STYLE}<div class="wb-panel wb-report wb-labelling">{heading(session, words)}'
        f"{rubric_html(session.rubric, words)}{progress_html(session, words)}"
        f"{pair_html(session, words)}</div>"
    )


def label_name(label: int, session: LabellingSession, words: LabellingWords) -> str:
    """A label in words, with its number."""
    if len(session.scale) > 2:
        return words.grade.format(grade=label)
    return f"{label} {words.match if label else words.no_match}"


def _text(title: str, text: str) -> str:
    return f'<section class="wb-side"><h4>{escape(title)}</h4><p>{escape(text)}</p></section>'


def _beside(pair: ShownPair) -> str:
    if not pair.beside:
        return ""
    shown = "".join(f"<span>{escape(name)}: {escape(value)}</span>" for name, value in pair.beside.items())
    return f'<p class="wb-beside">{shown}</p>'
