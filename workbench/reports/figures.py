"""The figures of a report, drawn and put into the page itself."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

from workbench.settings import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.calibration import Study
    from workbench.plots.style import ShownFigure

__all__ = ["figures_of", "inline"]

# Pixels; on paper, figures share a page but for taller ones, such as the forest plot of many groups.
TALL = 650


def figures_of(study: Study, language: Language) -> str:
    """All figures of a study as HTML; the two square ones side by side."""
    parts = []
    for figures in _drawn(study, language):
        found = "".join(map(inline, figures))
        parts.append(f'<div class="pair">{found}</div>' if len(figures) > 1 else found)
    return "".join(parts)


def _drawn(study: Study, language: Language) -> Iterator[tuple[ShownFigure, ...]]:
    from workbench import plots

    current = study.current_cutoff
    cutoff = None if study.basis == "none" else study.cutoff.value
    observations, settings = study.observations, study.settings
    at: dict[str, Any] = {"current_cutoff": current, "language": language}
    targets: dict[str, Any] = {"target_precision": settings["target_precision"]}
    yield (
        plots.plot_scores(
            observations.scores, observations.labels, current if cutoff is None else cutoff, **at
        ),
    )
    yield (
        plots.plot_over_cutoff(
            study.sweep,
            study.bands,
            cutoff=cutoff,
            **targets,
            target_missed=settings["target_missed"],
            **at,
        ),
    )
    yield (plots.plot_stability(study.stability, cutoff, **at),)
    yield (
        plots.plot_precision_recall(study.sweep, study.bands, cutoff=cutoff, **targets, **at),
        plots.plot_roc(study.sweep, cutoff=cutoff, **at),
    )
    yield (plots.plot_cost(study.sweep, cutoff=cutoff, **at),)


def inline(figure: ShownFigure) -> str:
    """A figure as HTML that holds it."""
    png, shown = figure._repr_png_()
    encoded = base64.b64encode(png).decode("ascii")
    kind = ' class="tall"' if shown["height"] > TALL else ""
    return (
        f'<figure{kind}><img src="data:image/png;base64,{encoded}" width="{shown["width"]}" '
        f'height="{shown["height"]}" alt="{escape(shown["alt"])}"></figure>'
    )
