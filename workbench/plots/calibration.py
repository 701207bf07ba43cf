"""Figures about a cutoff: a whole study at a glance here, single figures in modules of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.plots.curves import draw_over_cutoff, plot_cost, plot_over_cutoff
from workbench.plots.groups import plot_groups
from workbench.plots.marks import alternative_text
from workbench.plots.reliability import plot_reliability
from workbench.plots.scores import draw_scores, plot_scores
from workbench.plots.stability import draw_stability, plot_stability
from workbench.plots.style import house_style, new_figure
from workbench.plots.tradeoffs import draw_precision_recall, plot_precision_recall, plot_roc
from workbench.settings import Language, get_settings

if TYPE_CHECKING:
    from workbench.calibration import Study
    from workbench.plots.style import ShownFigure

__all__ = [
    "plot_cost",
    "plot_groups",
    "plot_over_cutoff",
    "plot_precision_recall",
    "plot_reliability",
    "plot_roc",
    "plot_scores",
    "plot_stability",
    "plot_study",
]


def plot_study(study: Study, *, language: Language | None = None) -> ShownFigure:
    """Scores of both classes, figures over the cutoff, precision and recall, and stability, as one figure.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.study.calibrate`.
    language : {"zh", "en"}, optional
        By default that of the settings.

    Returns
    -------
    Figure
        Where no cutoff does what was asked for, only today's is marked.
    """
    language = language or get_settings().language
    current = study.current_cutoff
    cutoff = None if study.basis == "none" else study.cutoff.value
    targets = {name: study.settings[name] for name in ("target_precision", "target_missed")}
    observations = study.observations
    with house_style():
        figure = new_figure(width=14.0, height=9.6)
        (scores, over), (tradeoff, wavering) = figure.subplots(2, 2)
        draw_scores(
            scores,
            observations.scores,
            observations.labels,
            cutoff if cutoff is not None else current,
            current_cutoff=current,
            language=language,
        )
        draw_over_cutoff(
            over,
            study.sweep,
            study.bands,
            cutoff=cutoff,
            current_cutoff=current,
            **targets,
            language=language,
        )
        draw_precision_recall(
            tradeoff,
            study.sweep,
            study.bands,
            cutoff=cutoff,
            current_cutoff=current,
            target_precision=targets["target_precision"],
            language=language,
        )
        draw_stability(wavering, study.stability, cutoff, current_cutoff=current, language=language)
        alternative_text(figure)
    return figure
