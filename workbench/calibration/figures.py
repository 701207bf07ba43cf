"""Figures of merit from confusion counts, and one figure with its interval.

Every figure is one formula on arrays of counts of any shape, so that the table of truth and thousands
of resamples are read by the same code. What is undefined (0/0) is NaN, never 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from workbench.calibration.observations import CountArray
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, percent, pgettext
from workbench.results import Result

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
            raise InputError(
                _("{costs} makes no sense: costs are numbers of 0 or more, not both 0.").format(costs=self)
            )


@dataclass(frozen=True)
class Estimate(Result):
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
        return with_interval(self.value, self.low, self.high)


def with_interval(value: float, low: float, high: float) -> str:
    """A share in percent, and its interval if there is one; a dash where it is undefined."""
    if np.isnan(value) or np.isnan(low) or np.isnan(high):
        return percent(value)
    return _("{share} ({low}–{high})").format(
        share=percent(value), low=f"{100 * low:.1f}", high=f"{100 * high:.1f}"
    )


def title(name: FigureName, *, beta: float = 1.0) -> str:
    """What people call a figure."""
    match name:
        case "precision":
            return pgettext("figure", "precision")
        case "recall":
            return pgettext("figure", "recall")
        case "false_omission_rate":
            return pgettext("figure", "missed (false omission rate)")
        case "miss_rate":
            return pgettext("figure", "share of matches missed")
        case "specificity":
            return pgettext("figure", "specificity")
        case "f_beta":
            return f"F{beta:g}"
        case "accuracy":
            return pgettext("figure", "accuracy")
        case "youden":
            return pgettext("figure", "Youden index")
        case "cost":
            return pgettext("figure", "expected cost of a pair")
        case "share_selected":
            return pgettext("figure", "share selected")
        case "prevalence":
            return pgettext("figure", "prevalence")


def worth(n: int, size: float) -> str:
    """What is to be said where pairs are not worth their number."""
    return "" if size > n - 0.5 else _(" (worth {size:.0f} independent ones)").format(size=size)


def share_seen(estimate: float, counted: int, n: int, digits: int = 1) -> str:
    """A figure; where it is not simply the share of labelled pairs, that it was reweighted."""
    share = percent(estimate, digits)
    if not n or abs(estimate - counted / n) < 5e-4:
        return share
    return _("{share} once reweighted").format(share=share)


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
    raise InputError(
        _("There is no figure {name}; there are {figures}.").format(name=repr(name), figures=listed(FIGURES))
    )


def _ratio(above: CountArray, below: CountArray) -> CountArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        # Nothing of nothing is NaN by IEEE 754; something of nothing does not occur among counts.
        return np.asarray(np.true_divide(above, below))
