"""Rules for choosing a cutoff: small values that say what is wanted, and find it in any table of counts.

A rule looks at counts only, so that the same code chooses from the labelled pairs and from ten thousand
resamples of them. What a choice is worth is said in :mod:`workbench.calibration.choice`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.calibration.counts import Counts, check_share
from workbench.calibration.figures import Costs, figure
from workbench.calibration.observations import CountArray, FloatArray
from workbench.calibration.wording import percent
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.calibration.bootstrap import Resamples

__all__ = [
    "Capacity",
    "MaxAccuracy",
    "MaxFBeta",
    "MaxYouden",
    "MinCost",
    "Rule",
    "TargetMissed",
    "TargetPrecision",
    "TargetRecall",
]

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

    def pick_at(self, counts: Counts, live: Counts) -> npt.NDArray[np.intp]:
        """Choose in one table, of the pairs as labelled and as they would be at the live prevalence."""
        return self.pick(live.tp, live.fp, live.fn, live.tn)

    @abstractmethod
    def describe(self, language: str = "en") -> str:
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
        check_share(self.target, "The target precision", "the share of matches among pairs above the cutoff")

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The first cutoff that does."""
        return _first(figure("precision", *_exact(tp, fp, fn, tn)) >= self.target - TOLERANCE)

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        if language == "zh":
            return f"匹配正确率不低于 {percent(self.target, language)} 的最低阈值"
        return f"the smallest cutoff with precision of at least {percent(self.target, language)}"


@dataclass(frozen=True)
class TargetRecall(Rule):
    """The largest cutoff with recall of at least the target: fewest pairs for so many matches."""

    target: float

    def __post_init__(self) -> None:
        check_share(self.target, "The target recall", "the share of matches that lie above the cutoff")

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The last cutoff that does."""
        return _last(figure("recall", *_exact(tp, fp, fn, tn)) >= self.target - TOLERANCE)

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        if language == "zh":
            return f"召回率不低于 {percent(self.target, language)} 的最高阈值"
        return f"the largest cutoff with recall of at least {percent(self.target, language)}"


@dataclass(frozen=True)
class TargetMissed(Rule):
    """The largest cutoff with a false omission rate of at most the target.

    Where nothing lies at or below a cutoff, nothing is known about what it would miss; such a cutoff is
    not chosen.
    """

    target: float

    def __post_init__(self) -> None:
        check_share(self.target, "The target", "the share of matches among pairs at or below the cutoff")

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The last cutoff that does."""
        return _last(figure("false_omission_rate", *_exact(tp, fp, fn, tn)) <= self.target + TOLERANCE)

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        if language == "zh":
            return f"遗漏率不高于 {percent(self.target, language)} 的最高阈值"
        return f"the largest cutoff with at most {percent(self.target)} missed among pairs at or below it"


@dataclass(frozen=True)
class MaxFBeta(Rule):
    """The cutoff with the highest F-beta; of equals the highest."""

    beta: float = 1.0

    def __post_init__(self) -> None:
        if not self.beta > 0:
            raise InputError(f"beta is {self.beta!r}; it is a number above 0, and 1 weighs both alike.")

    @property
    def f_beta(self) -> float:
        """As given."""
        return self.beta

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The last of the best."""
        return _best(figure("f_beta", *_exact(tp, fp, fn, tn), beta=self.beta))

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        return (
            f"F{self.beta:g} 最高的阈值"
            if language == "zh"
            else f"the cutoff with the highest F{self.beta:g}"
        )


@dataclass(frozen=True)
class MaxAccuracy(Rule):
    """The cutoff with the largest share of right decisions; of equals the highest."""

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The last of the best."""
        return _best(figure("accuracy", *_exact(tp, fp, fn, tn)))

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        return "判断正确率最高的阈值" if language == "zh" else "the cutoff with the most right decisions"


@dataclass(frozen=True)
class MaxYouden(Rule):
    """The cutoff with the highest Youden index (recall + specificity - 1); of equals the highest.

    Prevalence has no say in it. Youden (1950), Index for rating diagnostic tests, Cancer 3, 32-35.
    """

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The last of the best."""
        return _best(figure("youden", *_exact(tp, fp, fn, tn)))

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        if language == "zh":
            return "约登指数（召回率＋特异度－1）最高的阈值"
        return "the cutoff with the highest Youden index (recall + specificity - 1)"


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
        """As given."""
        return Costs(self.fp, self.fn)

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The last of the cheapest."""
        cost = figure("cost", *_exact(tp, fp, fn, tn), costs=self.costs)
        return _best(-cost / max(self.fp, self.fn))

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        if language == "zh":
            return f"预期代价最低的阈值（错配 {self.fp:g}，遗漏 {self.fn:g}）"
        return (
            f"the cutoff with the lowest expected cost ({self.fp:g} a false match, {self.fn:g} a missed one)"
        )


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
            raise InputError(f"{self} makes no sense: both are numbers of pairs a week, above 0.")

    @property
    def share(self) -> float:
        """Largest share of pairs that may lie above the cutoff."""
        return min(self.per_week / self.volume_per_week, 1.0)

    def pick(self, tp: CountArray, fp: CountArray, fn: CountArray, tn: CountArray) -> npt.NDArray[np.intp]:
        """The first cutoff that does."""
        return _first(figure("share_selected", *_exact(tp, fp, fn, tn)) <= self.share + TOLERANCE)

    def describe(self, language: str = "en") -> str:
        """As a phrase."""
        week, volume = f"{self.per_week:g}", f"{self.volume_per_week:g}"
        if language == "zh":
            return f"每周 {volume} 对中至多通过 {week} 对的最低阈值"
        return f"the smallest cutoff that passes on at most {week} of {volume} pairs a week"


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
