"""Figures at the cutoff in use before a study, to stand beside those at the one that it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.calibration.at_cutoff import figures_at
from workbench.calibration.figures import Estimate, FigureName

if TYPE_CHECKING:
    from workbench.calibration.study import Study

__all__ = ["figures_today"]


def figures_today(study: Study) -> dict[FigureName, Estimate] | None:
    """The figures at today's cutoff, with the study's confidence, prevalence and rule; None without one."""
    if study.current_cutoff is None:
        return None
    return figures_at(
        study.observations,
        study.current_cutoff,
        confidence=study.settings["confidence"],
        prevalence=study.settings["prevalence"],
        beta=study.rule.f_beta,
        costs=study.rule.costs,
        n_resamples=study.settings["n_resamples"],
        seed=study.settings["seed"],
    )
