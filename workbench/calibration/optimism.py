"""Honest figures: corrected for having been read off the same pairs that chose the cutoff.

Naive and honest stand side by side. Where pairs are plenty, some can be held out untouched instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.calibration.at_cutoff import figures_at
from workbench.calibration.bootstrap import Resamples
from workbench.calibration.choice import Choice, Rule, choose
from workbench.calibration.counts import check_share, count
from workbench.calibration.figures import Estimate, FigureName, figure, with_interval
from workbench.calibration.observations import Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.results import Result

__all__ = ["CORRECTED", "HoldOut", "HonestFigure", "hold_out", "honest_figures"]

CORRECTED: tuple[FigureName, ...] = (
    "precision",
    "recall",
    "false_omission_rate",
    "specificity",
    "f_beta",
    "accuracy",
)


@dataclass(frozen=True)
class HonestFigure(Result):
    """A figure at a chosen cutoff, as it looks and as it is to be expected on other pairs.

    Attributes
    ----------
    naive : float
        Of the pairs that chose the cutoff.
    optimism : float
        How much better resamples look at the cutoffs that they chose than the labelled pairs do there.
    honest : float
        `naive` - `optimism`, within 0 and 1.
    low, high : float
        The interval of the naive figure at this cutoff, its worse end shifted by the optimism.
    confidence : float
    """

    naive: float
    optimism: float
    honest: float
    low: float
    high: float
    confidence: float

    def __str__(self) -> str:
        return with_interval(self.honest, self.low, self.high)


@dataclass(frozen=True)
class HoldOut(Result):
    """A cutoff chosen on some pairs, with its figures on the others.

    Attributes
    ----------
    choice : Choice
    figures : mapping of str to Estimate
        On the pairs held out; empty where nothing could be chosen.
    n_chosen_on, n_held_out : int
    """

    choice: Choice
    figures: Mapping[FigureName, Estimate]
    n_chosen_on: int
    n_held_out: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the cutoff in the place of the choice."""
        figures = {name: estimate.to_dict() for name, estimate in self.figures.items()}
        sizes = {"n_chosen_on": self.n_chosen_on, "n_held_out": self.n_held_out}
        return {"cutoff": self.choice.cutoff, "figures": figures, **sizes}


def honest_figures(
    observations: Observations,
    rule: Rule,
    resamples: Resamples,
    *,
    cutoff: float | None = None,
    naive: Mapping[FigureName, Estimate] | None = None,
    confidence: float = 0.95,
) -> dict[FigureName, HonestFigure]:
    """Correct figures at the cutoff that a rule chooses for the optimism of choosing.

    In each resample the rule chooses again; optimism is how much better the figure looks in the resample
    than in the labelled pairs at that cutoff [1]_. The interval is the naive one with its worse end
    shifted by the optimism; the percentiles of what resamples choose, shifted likewise [2]_, would be no
    interval here, for a rule that aims at a precision finds just that precision in every resample.

    Parameters
    ----------
    observations : Observations
    rule : Rule
    resamples : Resamples
        Of these observations, at the same live prevalence as shall be reported.
    cutoff : float, optional
        The cutoff that was chosen, one of the resamples' cutoffs; what the rule chooses among these by
        default.
    naive : mapping of str to Estimate, optional
        Naive figures there; those of :func:`~workbench.calibration.at_cutoff.figures_at` by default.
    confidence : float
        Of the intervals, where `naive` does not bring its own.

    Returns
    -------
    dict of str to HonestFigure
        Empty where the rule finds no cutoff in the labelled pairs.

    References
    ----------
    .. [1] Efron (1983), Estimating the error rate of a prediction rule, JASA 78, 316-331; Harrell, Lee &
       Mark (1996), Statistics in Medicine 15, 361-387.
    .. [2] Noma, Shinozaki, Iba, Teramukai & Furukawa (2021), Confidence intervals of prediction accuracy
       measures for multivariable prediction models based on the bootstrap-based optimism correction
       methods, Statistics in Medicine 40(26), 5691-5701.
    """
    counts = count(observations, resamples.cutoffs)
    live = counts.at_prevalence(resamples.prevalence)
    index = int(rule.pick_at(counts, live) if cutoff is None else np.searchsorted(counts.cutoffs, cutoff))
    if index < 0:
        return {}
    if naive is None:
        naive = figures_at(
            observations,
            float(counts.cutoffs[index]),
            confidence=confidence,
            prevalence=resamples.prevalence,
            beta=rule.f_beta,
        )
    picked = rule.pick_in(resamples)
    found = np.flatnonzero(picked >= 0)
    at = picked[found]
    in_resample = [values[at, found] for values in resamples.confusion()]
    honest = {}
    for name in CORRECTED:
        estimate = naive[name]
        apparent = figure(name, *in_resample, beta=rule.f_beta)
        elsewhere = live.figure(name, beta=rule.f_beta)[at]
        known = ~(np.isnan(apparent) | np.isnan(elsewhere))
        optimism = float(np.mean((apparent - elsewhere)[known])) if known.any() else float("nan")
        low = float(np.clip(estimate.low - max(optimism, 0.0), 0, 1))
        high = float(np.clip(estimate.high - min(optimism, 0.0), 0, 1))
        corrected = float(np.clip(estimate.value - optimism, 0, 1))
        honest[name] = HonestFigure(estimate.value, optimism, corrected, low, high, estimate.confidence)
    return honest


def hold_out(
    observations: Observations,
    rule: Rule,
    *,
    share: float = 0.3,
    seed: int = 0,
    prevalence: float | None = None,
    confidence: float = 0.95,
) -> HoldOut:
    """Choose on some pairs, and look at the figures on the others, which the choice never saw.

    Whole JDs are held out where pairs share them.

    Parameters
    ----------
    observations : Observations
    rule : Rule
    share : float
        Share of pairs (or JDs) held out.
    seed : int
    prevalence : float, optional
    confidence : float
        Of the intervals, which need no correction here.

    Raises
    ------
    InputError
        If so few pairs or JDs cannot be split.
    """
    from sklearn.model_selection import GroupShuffleSplit

    check_share(share, "share", _("the share of pairs to hold out"))
    groups = observations.clusters if observations.clusters is not None else np.arange(len(observations))
    if len(np.unique(groups)) < 4:
        raise InputError(_("There are fewer than 4 pairs or JDs, too few to hold some out."))
    # Split in the order of scores, so that the order of rows has no say.
    order = observations.order
    splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
    chosen_on, held_out = next(splitter.split(order, groups=groups[order]))
    first, second = observations.subset(order[chosen_on]), observations.subset(order[held_out])
    choice = choose(count(first).at_prevalence(prevalence), rule, confidence=confidence)
    figures: Mapping[FigureName, Estimate] = {}
    if choice.cutoff is not None:
        figures = figures_at(
            second,
            choice.cutoff,
            confidence=confidence,
            prevalence=prevalence,
            beta=rule.f_beta,
            costs=rule.costs,
            seed=seed,
        )
    return HoldOut(choice, figures, len(first), len(second))
