"""From score to probability in a report: what a score at the cutoff means, and whether it can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from workbench.errors import InputError
from workbench.reports.figures import inline
from workbench.reports.words import WORDS
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.calibration import Study
    from workbench.calibration.probability import MatchProbability
    from workbench.calibration.reliability import Reliability

__all__ = ["Probabilities", "fit_for", "probabilities_section"]

N_RESAMPLES = 500


@dataclass(frozen=True)
class Probabilities:
    """Probabilities of a study's pairs, and how they compare with labels."""

    model: MatchProbability
    reliability: Reliability


def fit_for(study: Study) -> Probabilities | None:
    """Fit probabilities to the pairs of a study; None where these are too few, which the report then says."""
    from workbench.calibration.probability import fit_probability
    from workbench.calibration.reliability import reliability

    settings = study.settings
    asked = {"confidence": settings["confidence"], "n_resamples": N_RESAMPLES, "seed": settings["seed"]}
    try:
        as_labelled = fit_probability(study.observations, **asked)
        model = as_labelled
        if settings["prevalence"] is not None:
            model = fit_probability(study.observations, prevalence=settings["prevalence"], **asked)
        # Labels are those of the labelled pairs, so that it is their prevalence at which both are compared.
        assert as_labelled.cross_fit is not None
        return Probabilities(
            model, reliability(study.observations, as_labelled.cross_fit.probability, **asked)
        )
    except InputError:
        return None


def probabilities_section(study: Study, fitted: Probabilities | None, language: Language) -> str:
    """The section of the report."""
    from workbench.plots import plot_reliability

    words = WORDS[language]
    head = f"<h2>{escape(words.probability)}</h2>"
    if fitted is None:
        return f'{head}<p class="note">{escape(words.no_probability)}</p>'
    phrases = [
        fitted.model.phrase(at, language)
        for at in dict.fromkeys(filter(None, (study.current_cutoff, study.cutoff.value)))
    ]
    between = "；" if language == "zh" else "; "
    said = words.at_cutoffs.format(phrases=between.join(phrases))
    lines = [said, fitted.model.summary(language), fitted.reliability.summary(language)]
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return head + body + inline(plot_reliability(fitted.reliability, language=language))
