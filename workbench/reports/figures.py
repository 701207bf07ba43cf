"""The figures of a report, drawn and put into the page itself."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from workbench.settings import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.calibration import Study
    from workbench.plots.style import ShownFigure

__all__ = ["figures_of", "inline"]


def figures_of(study: Study, language: Language) -> str:
    """All figures of a study as HTML."""
    return "".join(inline(figure) for figure in _drawn(study, language))


def _drawn(study: Study, language: Language) -> Iterator[ShownFigure]:
    from workbench import plots

    current = study.current_cutoff
    cutoff = None if study.basis == "none" else study.cutoff.value
    observations, settings = study.observations, study.settings
    yield plots.plot_scores(
        observations.scores,
        observations.labels,
        current if cutoff is None else cutoff,
        current_cutoff=current,
        language=language,
    )
    yield plots.plot_over_cutoff(
        study.sweep,
        study.bands,
        cutoff=cutoff,
        current_cutoff=current,
        target_precision=settings["target_precision"],
        target_missed=settings["target_missed"],
        language=language,
    )
    yield plots.plot_stability(study.stability, cutoff, current_cutoff=current, language=language)
    yield plots.plot_precision_recall(
        study.sweep,
        study.bands,
        cutoff=cutoff,
        current_cutoff=current,
        target_precision=settings["target_precision"],
        language=language,
    )
    yield plots.plot_roc(study.sweep, cutoff=cutoff, current_cutoff=current, language=language)
    yield plots.plot_cost(study.sweep, cutoff=cutoff, current_cutoff=current, language=language)


def inline(figure: ShownFigure) -> str:
    """A figure as HTML that holds it."""
    png, shown = figure._repr_png_()
    encoded = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{encoded}" width="{shown["width"]}" '
        f'height="{shown["height"]}" alt="{escape(shown["alt"])}"></figure>'
    )
