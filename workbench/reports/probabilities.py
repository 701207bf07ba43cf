"""From score to probability in a report: what a score at the cutoff means, and whether it can be believed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from workbench import i18n
from workbench.reports.figures import inline
from workbench.reports.words import WORDS
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.calibration import Study

__all__ = ["probabilities_section"]


def probabilities_section(study: Study, language: Language) -> str:
    """The section of the report, from the very curve that the card keeps."""
    with i18n.language(language):
        return _section(study, language)


def _section(study: Study, language: Language) -> str:
    from workbench.plots import plot_reliability

    words = WORDS[language]
    head = f"<h2>{escape(words.probability)}</h2>"
    if study.probability is None or study.reliability is None:
        return f'{head}<p class="note">{escape(words.no_probability)}</p>'
    phrases = [
        study.probability.phrase(at)
        for at in dict.fromkeys(filter(None, (study.current_cutoff, study.cutoff.value)))
    ]
    between = "；" if language == "zh" else "; "
    said = words.at_cutoffs.format(phrases=between.join(phrases))
    lines = [said, study.probability.summary(), study.reliability.summary()]
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return head + body + inline(plot_reliability(study.reliability, language=language))
