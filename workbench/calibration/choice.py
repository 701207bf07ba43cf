"""Choosing a cutoff: rules that say what is wanted, and the choice that one makes, with its naive figures.

A rule looks at counts only, so that the same code chooses from the labelled pairs and from ten thousand
resamples of them. Figures at a choice are naive, for they are those of the pairs that chose the cutoff; what
they are worth on other pairs is in :mod:`workbench.calibration.optimism`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.at_cutoff import REPORTED
from workbench.calibration.bootstrap import Resamples
from workbench.calibration.counts import Counts, check_share, tabulate
from workbench.calibration.figures import Costs, Estimate, FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result, plain

# Shares that differ by less differ by rounding only.
TOLERANCE = 1e-9


class Rule(ABC):
    """What a cutoff shall do; subclasses are frozen dataclasses, and compare by value."""

    @property
    def f_beta(self) -> float:
        """The beta that F-beta is reported with."""
        return 1.0

    @property
    def costs(self) -> Costs:
        """The costs that expected cost is reported with."""
        return Costs()

    @abstractmethod
    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """Position of the chosen cutoff along the first axis (cutoffs ascending); -1 where none does it.

        Parameters
        ----------
        tp, fp, fn, tn : ndarray of float, shape (k,) or (k, n_resamples)

        Returns
        -------
        ndarray of int, shape () or (n_resamples,)
        """

    def pick_in(self, resamples: Resamples) -> npt.NDArray[np.intp]:
        """Choose in every resample; shape (n_resamples,)."""
        return np.concatenate([self.pick(*part.confusion()) for part in resamples.in_chunks()])

    @abstractmethod
    def describe(self) -> str:
        """What the rule asks for, as a phrase."""

    def to_dict(self) -> dict[str, Any]:
        """Name and parameters, for the card."""
        return {"rule": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True)
class TargetPrecision(Rule):
    """The smallest cutoff with precision of at least the target: most matches found at that precision.

    Precision wavers as the cutoff rises. What lies above the chosen cutoff meets the target as a whole;
    a stricter cutoff may fall short of it again, which does no harm, for nobody uses that one.
    """

    target: float

    def __post_init__(self) -> None:
        check_share(
            self.target, _("The target precision"), _("the share of matches among pairs above the cutoff")
        )

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _first(figure("precision", *_exact(tp, fp, fn, tn)) >= self.target - TOLERANCE)

    def describe(self) -> str:
        return _("the smallest cutoff with precision of at least {target}").format(
            target=percent(self.target)
        )


@dataclass(frozen=True)
class TargetRecall(Rule):
    """The largest cutoff with recall of at least the target: fewest pairs for so many matches."""

    target: float

    def __post_init__(self) -> None:
        check_share(self.target, _("The target recall"), _("the share of matches that lie above the cutoff"))

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _last(figure("recall", *_exact(tp, fp, fn, tn)) >= self.target - TOLERANCE)

    def describe(self) -> str:
        return _("the largest cutoff with recall of at least {target}").format(target=percent(self.target))


@dataclass(frozen=True)
class TargetMissed(Rule):
    """The largest cutoff with a false omission rate of at most the target.

    Where nothing lies at or below a cutoff, nothing is known about what it would miss; such a cutoff is
    not chosen.
    """

    target: float

    def __post_init__(self) -> None:
        check_share(
            self.target, _("The target"), _("the share of matches among pairs at or below the cutoff")
        )

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _last(figure("false_omission_rate", *_exact(tp, fp, fn, tn)) <= self.target + TOLERANCE)

    def describe(self) -> str:
        return _("the largest cutoff with at most {target} missed among pairs at or below it").format(
            target=percent(self.target)
        )


@dataclass(frozen=True)
class MaxFBeta(Rule):
    """The cutoff with the highest F-beta; of equals the highest."""

    beta: float = 1.0

    def __post_init__(self) -> None:
        if not self.beta > 0:
            raise InputError(
                _("beta is {beta}; it is a number above 0, and 1 weighs both alike.").format(
                    beta=repr(self.beta)
                )
            )

    @property
    def f_beta(self) -> float:
        return self.beta

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _best(figure("f_beta", *_exact(tp, fp, fn, tn), beta=self.beta))

    def describe(self) -> str:
        return _("the cutoff with the highest F{beta:g}").format(beta=self.beta)


@dataclass(frozen=True)
class MaxAccuracy(Rule):
    """The cutoff with the largest share of decisions as labelled; of equals the highest."""

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _best(figure("accuracy", *_exact(tp, fp, fn, tn)))

    def describe(self) -> str:
        return _("the cutoff that decides most pairs as labelled")


@dataclass(frozen=True)
class MaxYouden(Rule):
    """The cutoff with the highest Youden index (recall + specificity - 1); of equals the highest.

    Prevalence has no say in it. Youden (1950), Index for rating diagnostic tests, Cancer 3, 32-35.
    """

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _best(figure("youden", *_exact(tp, fp, fn, tn)))

    def describe(self) -> str:
        return _("the cutoff with the highest Youden index (recall + specificity - 1)")


@dataclass(frozen=True)
class MinCost(Rule):
    """The cutoff with the lowest expected cost; of equals the highest.

    Attributes
    ----------
    fp : float
        Cost of a pair above the cutoff that is no match.
    fn : float
        Cost of a match at or below it.
    """

    fp: float = 1.0
    fn: float = 1.0

    def __post_init__(self) -> None:
        Costs(self.fp, self.fn)

    @property
    def costs(self) -> Costs:
        return Costs(self.fp, self.fn)

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        cost = figure("cost", *_exact(tp, fp, fn, tn), costs=self.costs)
        return _best(-cost / max(self.fp, self.fn))

    def describe(self) -> str:
        return _(
            "the cutoff with the lowest expected cost ({fp:g} a false match, {fn:g} a missed one)"
        ).format(fp=self.fp, fn=self.fn)


@dataclass(frozen=True)
class Capacity(Rule):
    """The smallest cutoff that passes on no more pairs than people can read.

    Attributes
    ----------
    per_week : float
        Pairs that can be read in a week.
    volume_per_week : float
        Pairs that come in in a week.

    Examples
    --------
    >>> Capacity(per_week=200, volume_per_week=1600).share
    0.125
    """

    per_week: float
    volume_per_week: float

    def __post_init__(self) -> None:
        if not (self.per_week > 0 and self.volume_per_week > 0):
            raise InputError(
                _("{rule} makes no sense: both are numbers of pairs a week, above 0.").format(rule=self)
            )

    @property
    def share(self) -> float:
        """Largest share of pairs that may lie above the cutoff."""
        return min(self.per_week / self.volume_per_week, 1.0)

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        return _first(figure("share_selected", *_exact(tp, fp, fn, tn)) <= self.share + TOLERANCE)

    def describe(self) -> str:
        return _("the smallest cutoff that passes on at most {some:g} of {all:g} pairs a week").format(
            some=self.per_week, all=self.volume_per_week
        )


@dataclass(frozen=True)
class Choice(Result):
    """A cutoff that a rule chose.

    Attributes
    ----------
    rule : Rule
    cutoff : float or None
        None where no cutoff does what the rule asks for.
    index : int
        Its row in the table of counts; -1 for none.
    figures : mapping of str to Estimate
        Figures at the cutoff, naive: of the pairs that chose it. Empty where there is none.
    n_above, n_below : int
        Labelled pairs above, and at or below.
    """

    rule: Rule
    cutoff: float | None
    index: int
    figures: Mapping[FigureName, Estimate]
    n_above: int
    n_below: int

    @property
    def found(self) -> bool:
        """Whether there is such a cutoff."""
        return self.cutoff is not None

    def sentence(self) -> str:
        """What was chosen and what figures it has."""
        rule = self.rule.describe()
        if self.cutoff is None:
            return _("There is no such cutoff: {rule}.").format(rule=rule)
        return _("{cutoff} ({rule}): precision {precision}, recall {recall}, missed {missed}.").format(
            cutoff=number(self.cutoff),
            rule=rule,
            precision=percent(self.figures["precision"].value),
            recall=percent(self.figures["recall"].value),
            missed=percent(self.figures["false_omission_rate"].value),
        )

    def __repr__(self) -> str:
        return f"Choice: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the rule's name and parameters beside the others."""
        names = ("cutoff", "figures", "n_above", "n_below")
        return {**self.rule.to_dict(), **{name: plain(getattr(self, name)) for name in names}}


def choose(counts: Counts | pd.DataFrame, rule: Rule, *, confidence: float = 0.95) -> Choice:
    """Let a rule choose among the cutoffs of a table.

    Where several cutoffs are equally good, the highest is taken (fewest pairs above). A cutoff lies
    midway between two scores, never on one.

    Parameters
    ----------
    counts : Counts or DataFrame
        From :func:`~workbench.calibration.counts.count` or :func:`~workbench.calibration.counts.sweep`.
    rule : Rule
        Such as ``TargetPrecision(0.89)``.
    confidence : float
        Of the Wilson intervals of figures (for a frame, those that it has are taken).

    Returns
    -------
    Choice

    Examples
    --------
    >>> from workbench.calibration.counts import count
    >>> from workbench.calibration.observations import Observations
    >>> choose(count(Observations([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1])), TargetRecall(0.9)).cutoff
    0.5
    """
    if isinstance(counts, pd.DataFrame):
        for column in ("cutoff", "tp", "fp", "fn", "tn", "n_above", "n_below"):
            if column not in counts.columns:
                raise InputError(
                    _("This is no frame of sweep(): it has no column {column}.").format(column=repr(column))
                )
        confidence = counts.attrs.get("calibration", {}).get("confidence", confidence)
        confusion = [counts[name].to_numpy(np.float64) for name in ("tp", "fp", "fn", "tn")]
    else:
        confusion = [counts.tp, counts.fp, counts.fn, counts.tn]
    index = int(rule.pick(*confusion))
    if index < 0:
        return Choice(rule, None, -1, {}, 0, 0)
    told: dict[str, Any] = {"beta": rule.f_beta, "costs": rule.costs}
    if isinstance(counts, pd.DataFrame):
        # The frame may have been made for another beta and other costs.
        here = [values[index] for values in confusion]
        row = {**counts.iloc[index], **{name: figure(name, *here, **told) for name in ("f_beta", "cost")}}
    else:
        row = dict(tabulate(counts.row(index), **told, confidence=confidence).iloc[0])
    figures: dict[FigureName, Estimate] = {}
    for name in REPORTED:
        ends = (row[name], row.get(f"{name}_low", np.nan), row.get(f"{name}_high", np.nan))
        value, low, high = map(float, ends)
        figures[name] = Estimate(value, low, high, confidence)
    return Choice(rule, float(row["cutoff"]), index, figures, int(row["n_above"]), int(row["n_below"]))


def _exact(*counts: CountArray) -> list[FloatArray]:
    # Resamples are counted in float32; a share that meets its target exactly must not miss it there.
    return [np.asarray(values, dtype=np.float64) for values in counts]


def _first(does: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.where(does.any(axis=0), np.argmax(does, axis=0), -1)


def _last(does: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.where(does.any(axis=0), len(does) - 1 - np.argmax(does[::-1], axis=0), -1)


def _best(value: CountArray) -> npt.NDArray[np.intp]:
    # fmax passes over NaN, and nothing compares with it.
    return _last(value >= np.fmax.reduce(value, axis=0) - TOLERANCE)
