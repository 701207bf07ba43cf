"""Figures of merit from confusion counts, and one figure with its interval.

Every figure is one formula on arrays of counts of any shape, so that the table of truth and thousands
of resamples are read by the same code. What is undefined (0/0) is NaN, never 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from workbench.calibration.counts import Counts
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import CountArray, FloatArray
from workbench.errors import InputError

__all__ = [
    "FIGURES",
    "Costs",
    "Estimate",
    "FigureName",
    "figure",
    "figure_interval",
    "mixture_size",
    "scale_odds",
]

FigureName = Literal[
    "precision",
    "recall",
    "false_omission_rate",
    "miss_rate",
    "specificity",
    "f_beta",
    "accuracy",
    "youden",
    "cost",
    "share_selected",
    "prevalence",
]
FIGURES: tuple[FigureName, ...] = get_args(FigureName)


@dataclass(frozen=True)
class Costs:
    """What a wrong decision costs, in any unit.

    Attributes
    ----------
    false_match : float
        A pair above the cutoff that is no match (a false positive).
    missed_match : float
        A match at or below the cutoff (a false negative).
    """

    false_match: float = 1.0
    missed_match: float = 1.0

    def __post_init__(self) -> None:
        if not (
            self.false_match >= 0 and self.missed_match >= 0 and self.false_match + self.missed_match > 0
        ):
            raise InputError(f"{self} makes no sense: costs are numbers of 0 or more, not both 0.")


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float
        NaN where undefined.
    confidence : float
        Of the two-sided interval.
    size : float
        Number of pairs behind it, or effective number; NaN where the interval comes from resampling.
    """

    value: float
    low: float
    high: float
    confidence: float
    size: float = float("nan")

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "undefined"
        if np.isnan(self.low) or np.isnan(self.high):
            return f"{100 * self.value:.1f} %"
        return f"{100 * self.value:.1f} % ({100 * self.low:.1f}–{100 * self.high:.1f})"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON; None for what is undefined."""
        return {
            name: None if np.isnan(number) else float(number)
            for name, number in (
                ("value", self.value),
                ("low", self.low),
                ("high", self.high),
                ("confidence", self.confidence),
                ("size", self.size),
            )
        }


def figure(
    name: FigureName,
    tp: CountArray,
    fp: CountArray,
    fn: CountArray,
    tn: CountArray,
    *,
    beta: float = 1.0,
    costs: Costs | None = None,
) -> CountArray:
    """One figure from confusion counts.

    Parameters
    ----------
    name : str
        ``precision``: share of matches among pairs above the cutoff. ``recall``: share of matches that
        lie above. ``false_omission_rate``: share of matches among pairs at or below, the *missed*
        figure. ``miss_rate``: share of all matches that lie at or below (1 - recall). ``specificity``:
        share of non-matches at or below. ``f_beta``; ``accuracy``; ``youden`` (recall + specificity -
        1); ``cost``: expected cost of a pair; ``share_selected``: share of pairs above;
        ``prevalence``: share of matches.
    tp, fp, fn, tn : ndarray of float
        Of one shape, or shapes that broadcast.
    beta : float
        For ``f_beta``: recall weighs beta times as much as precision.
    costs : Costs, optional
        For ``cost``; 1 for each kind of error by default.

    Returns
    -------
    ndarray of float
        NaN where the figure is undefined.

    Examples
    --------
    >>> figure("precision", *np.array([[8.0, 0.0], [2.0, 0.0], [1.0, 9.0], [9.0, 11.0]]))
    array([0.8, nan])
    """
    match name:
        case "precision":
            return _ratio(tp, tp + fp)
        case "recall":
            return _ratio(tp, tp + fn)
        case "false_omission_rate":
            return _ratio(fn, fn + tn)
        case "miss_rate":
            return _ratio(fn, tp + fn)
        case "specificity":
            return _ratio(tn, tn + fp)
        case "f_beta":
            weighted = (1 + beta**2) * tp
            return _ratio(weighted, weighted + beta**2 * fn + fp)
        case "accuracy":
            return _ratio(tp + tn, tp + fp + fn + tn)
        case "youden":
            return _ratio(tp, tp + fn) + _ratio(tn, tn + fp) - 1
        case "cost":
            price = costs or Costs()
            return _ratio(price.false_match * fp + price.missed_match * fn, tp + fp + fn + tn)
        case "share_selected":
            return _ratio(tp + fp, tp + fp + fn + tn)
        case "prevalence":
            return _ratio(tp + fn, tp + fp + fn + tn)
    raise InputError(f"There is no figure {name!r}; there are {', '.join(FIGURES)}.")


def figure_interval(
    name: FigureName, counts: Counts, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray] | None:
    """Wilson interval of a figure at every cutoff; None for figures that are no share of pairs.

    With weights, the interval is that of Kish's effective sample size. At another prevalence, precision
    and false omission rate are carried over by their odds, from the interval in the labelled pairs.
    Pairs are taken as independent here: where they share JDs, take bootstrap bands instead.

    Parameters
    ----------
    name : str
        As of :func:`figure`.
    counts : Counts
    confidence : float
        Two-sided.

    Returns
    -------
    low, high : ndarray of float64, shape (k,)
    """
    value = figure(name, counts.tp, counts.fp, counts.fn, counts.tn)
    match name:
        case "precision" | "false_omission_rate":
            size = counts.size_above if name == "precision" else counts.size_below
            low, high = wilson(scale_odds(value, 1 / counts.odds_factor), size, confidence)
            return scale_odds(low, counts.odds_factor), scale_odds(high, counts.odds_factor)
        case "recall" | "miss_rate":
            return wilson(value, counts.size_matches, confidence)
        case "specificity":
            return wilson(value, counts.size_others, confidence)
        case "accuracy" | "share_selected":
            size_all: CountArray | float = counts.size_all
            if counts.odds_factor != 1.0:
                size_all = mixture_size(value, counts, counts.size_matches, counts.size_others)
            return wilson(value, size_all, confidence)
    return None


def scale_odds(share: CountArray | float, factor: float) -> FloatArray:
    """The share whose odds are `factor` times those of `share`; 0, 1 and NaN stay."""
    exact = np.asarray(share, dtype=np.float64)
    if factor == 1.0:
        return exact
    return np.asarray(factor * exact / (1 - exact + factor * exact))


def mixture_size(value: CountArray, counts: Counts, size_matches: float, size_others: float) -> CountArray:
    """Effective size behind accuracy or share selected at a given prevalence.

    Given the prevalence, such a figure is a fixed mixture of two independent shares, one a class.
    """
    recall = figure("recall", counts.tp, counts.fp, counts.fn, counts.tn)
    specificity = figure("specificity", counts.tp, counts.fp, counts.fn, counts.tn)
    share = counts.prevalence
    variance = (
        share**2 * recall * (1 - recall) / size_matches
        + (1 - share) ** 2 * specificity * (1 - specificity) / size_others
    )
    spread = value * (1 - value)
    size = np.full(value.shape, counts.size_all)
    return np.asarray(np.divide(spread, variance, out=size, where=variance > 0))


def _ratio(above: CountArray, below: CountArray) -> CountArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        # Nothing of nothing is NaN by IEEE 754; something of nothing does not occur among counts.
        return np.asarray(np.true_divide(above, below))
