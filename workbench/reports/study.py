"""A calibration study as one HTML file, in Chinese and English, that prints well.

Figures are inside it, it runs no script, and it asks no other site for anything. Both languages are in
the file; two buttons switch between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.atomic import write_whole
from workbench.calibration.report_text import sentences
from workbench.calibration.wording import number
from workbench.reports.evidence import evidence_list
from workbench.reports.figures import figures_of
from workbench.reports.groups import groups_section
from workbench.reports.probabilities import probabilities_section
from workbench.reports.stylesheet import STYLESHEET
from workbench.reports.tables import errors_table, figures_table, flips_table
from workbench.reports.words import WORDS, Words
from workbench.settings import Language, get_settings

if TYPE_CHECKING:
    from workbench.calibration import Study
    from workbench.calibration.groups import GroupFigures

__all__ = ["study_html", "write_study_report"]

# Nothing from elsewhere, and no script, whatever a text may try.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
TONES = {"kept": "good", "moved": "bad", "not enough labels": "fair"}
BASIS_TONES = {"guarantee": "good", "rule": "fair", "none": "bad"}


def write_study_report(
    study: Study,
    path: str | Path,
    *,
    groups: Sequence[GroupFigures] = (),
    language: Language | None = None,
    texts: bool = True,
) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.study.calibrate`.
    path : str or Path
        An .html file.
    groups : sequence of GroupFigures
        Of :func:`~workbench.calibration.study_groups.groups_of`, to be shown too.
    language : {"zh", "en"}, optional
        Shown when it is opened; by default that of the settings. The other is in the file too.
    texts : bool
        List pairs with their texts. Without, the report holds no personal text.

    Returns
    -------
    Path

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    return write_whole(path, study_html(study, groups=groups, language=language, texts=texts))


def study_html(
    study: Study,
    *,
    groups: Sequence[GroupFigures] = (),
    language: Language | None = None,
    texts: bool = True,
) -> str:
    """The report as a string; parameters as of :func:`write_study_report`."""
    first = language or get_settings().language
    words = WORDS[first]
    at = number(study.cutoff.value)
    buttons = "".join(
        f'<input class="language" type="radio" name="language" id="show-{code}"'
        f"{' checked' if code == first else ''}>"
        for code in WORDS
    )
    names = {"zh": "中文", "en": "English"}
    labels = "".join(f'<label for="show-{code}" lang="{code}">{names[code]}</label>' for code in WORDS)
    bodies = "".join(_body(study, groups, code, texts=texts) for code in WORDS)
    return (
        f'<!DOCTYPE html>\n<html lang="{words.html_lang}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(f'{words.title} {at}')}</title>\n<style>{STYLESHEET}</style></head>\n"
        f"<body>{buttons}<nav>{labels}</nav>{bodies}</body></html>\n"
    )


def _body(
    study: Study,
    groups: Sequence[GroupFigures],
    language: Language,
    *,
    texts: bool,
) -> str:
    words = WORDS[language]
    said = sentences(study, language)
    parts = [
        _head(study, words, language),
        _verdict(study, said),
        "<dl>"
        + "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(said[key])}</dd>"
            for key, name in words.sentences.items()
            if key in said
        )
        + "</dl>",
        f"<h2>{escape(words.figures)}</h2>{figures_table(study, language)}",
        f"<h2>{escape(words.pictures)}</h2>{figures_of(study, language)}",
        probabilities_section(study, language),
        groups_section(groups, language),
    ]
    if texts:
        parts += [errors_table(study, language), flips_table(study, language)]
    parts.append(f"<h2>{escape(words.evidence)}</h2>{evidence_list(study, words)}")
    return f'<main class="{language}" lang="{words.html_lang}">{"".join(parts)}</main>'


def _head(study: Study, words: Words, language: Language) -> str:
    at = escape(number(study.cutoff.value))
    badge = f'<span class="badge {BASIS_TONES[study.basis]}">{escape(words.bases[study.basis])}</span>'
    name = study.cutoff.encoder_name or (study.pairs.attrs.get("encoder") or {}).get("name")
    under = words.no_encoder if name is None else f"{words.scored_by} {name}"
    date = str(study.cutoff.evidence.get("date", ""))[:10]
    return (
        f"<h1>{escape(words.title)} {at}{badge}</h1>"
        f'<p class="under">{escape(under)}{"，" if language == "zh" else ", "}{escape(date)}</p>'
    )


def _verdict(study: Study, said: dict[str, str]) -> str:
    if study.verdict is None:
        return ""
    return f'<p class="verdict {TONES[study.verdict.answer]}">{escape(said["verdict"])}</p>'
