"""Guaranteed cutoffs: Learn-then-Test with a fixed sequence of exact tests.

"From this cutoff on, at least 89 % of the pairs called matches are right, with 95 % confidence", and
the same for the pairs at or below a cutoff. What a set of pairs is worth as independent pairs is in
:mod:`workbench.calibration.effective`; the sentences are in :mod:`workbench.calibration.wording`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration import wording
from workbench.calibration.counts import check_share
from workbench.calibration.effective import Dependence, OneSide, Side, one_side
from workbench.calibration.figures import scale_odds
from workbench.calibration.intervals import lower_bound, p_value_above
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.one_per_cluster import one_per_cluster_p_values
from workbench.calibration.planning import FAR_MORE, about, size_with_power
from workbench.calibration.sequence import begun, rejected, start_sizes
from workbench.errors import InputError

__all__ = ["Guarantee", "guarantee_missed", "guarantee_precision"]

LEAST_TO_PLAN_ON = 5


@dataclass(frozen=True)
class Guarantee:
    """A cutoff with a proven figure on one side of it, or the statement that there is none.

    Attributes
    ----------
    figure : {"precision", "false_omission_rate"}
    target : float
        Precision at least, or false omission rate at most, this much.
    confidence : float
        Over repeated labelling, in at least this share of cases the true figure at the cutoff that is
        found meets the target, or none is found.
    cutoff : float or None
        For precision the smallest cutoff, for the false omission rate the largest one, that can be
        guaranteed; None where these labels prove none.
    n, errors : int
        Labelled pairs on that side of the cutoff (of the best candidate where there is none), and the
        wrong ones among them.
    size : float
        What those pairs are worth as independent pairs.
    estimate, bound : float
        The figure as seen there, and its exact one-sided confidence bound by itself.
    method : {"independent", "effective", "one_per_cluster"}
        How dependence between pairs was reckoned with.
    more_pairs : int or None
        Where there is no cutoff: about how many more labelled pairs of the same kind would give one, with a
        probability of 0.8 if figures are as they look; None where twenty times as many would not.
    target_in_pairs : float
        The target as it was tested: another one where the live prevalence was given.
    tests : DataFrame
        One row a tested cutoff in the order of testing: ``cutoff, n, right, size, share_right,
        p_value, passed``.
    """

    figure: Literal["precision", "false_omission_rate"]
    target: float
    confidence: float
    cutoff: float | None
    n: int
    errors: int
    size: float
    estimate: float
    bound: float
    method: Literal["independent", "effective", "one_per_cluster"]
    more_pairs: int | None
    target_in_pairs: float
    tests: pd.DataFrame

    @property
    def found(self) -> bool:
        """Whether there is such a cutoff."""
        return self.cutoff is not None

    def sentence(self, language: str = "en") -> str:
        """What is guaranteed, or why nothing is, in one or two sentences."""
        return wording.guarantee(self, language)

    def __repr__(self) -> str:
        return f"Guarantee: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the table of tests."""
        return {
            "figure": self.figure,
            "target": self.target,
            "confidence": self.confidence,
            "cutoff": self.cutoff,
            "n": self.n,
            "errors": self.errors,
            "size": round(self.size, 2),
            "estimate": None if np.isnan(self.estimate) else self.estimate,
            "bound": None if np.isnan(self.bound) else self.bound,
            "method": self.method,
            "more_pairs": self.more_pairs,
            "target_in_pairs": self.target_in_pairs,
        }


def guarantee_precision(
    observations: Observations,
    target: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
    dependence: Dependence = "auto",
    cutoffs: npt.ArrayLike | None = None,
    start: int | None = None,
    seed: int = 0,
) -> Guarantee:
    """The smallest cutoff above which precision is at least `target`, with confidence.

    Cutoffs are tested one after the other from the strictest downwards, each by the exact binomial
    p-value of "precision here is at most the target", until one fails: Learn-then-Test [1]_ with
    fixed-sequence testing, which needs no correction for how many were tested. Which pairs come in when
    depends on scores alone. Given how many pairs lie above the true critical cutoff, their labels are
    independent draws with the target as their probability, so that testing goes past it with
    probability at most 1 - confidence, whatever the scores. For cutoffs taken between the scores this
    needs precision to cross the target once; for `cutoffs` fixed beforehand it needs nothing.

    Testing starts where a set is large enough to forgive an error or some
    (:func:`~workbench.calibration.sequence.start_sizes`): from the very top it would end at the first
    unlucky pair.

    Parameters
    ----------
    observations : Observations
    target : float
        Between 0 and 1.
    confidence : float
        1 - delta.
    prevalence : float, optional
        Share of matches among live pairs where it differs from that in the labelled pairs. The target is
        then carried over by its odds; the test errs on the careful side.
    dependence : {"auto", "independent", "effective", "one_per_cluster"}
        ``"auto"`` tests with the effective sample where pairs share JDs or have weights, and is exact
        otherwise. ``"effective"`` under clusters or weights is an approximation that simulations show to
        hold. ``"one_per_cluster"`` draws one pair a JD many times, and tests with twice the mean
        p-value [2]_: exact for the precision of a pair drawn from a JD drawn at random, and much weaker.
    cutoffs : array-like of float, optional
        Cutoffs to test, fixed without looking at labels; those between the scores by default.
    start : int, optional
        Position of the first cutoff to test among those, counted from the strictest; labels must have no
        say in it. Chosen as said above by default.
    seed : int
        For ``"one_per_cluster"``.

    Raises
    ------
    InputError
        If the target or confidence is not between 0 and 1.

    References
    ----------
    .. [1] Angelopoulos, Bates, Candès, Jordan & Lei (2021), Learn then Test: calibrating predictive
       algorithms to achieve risk control, arXiv:2110.01052.
    .. [2] Vovk & Wang (2020), Combining p-values via averaging, Biometrika 107(4), 791-808.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(400) < 0.4
    >>> scores = np.where(labels, rng.beta(8, 3, 400), rng.beta(3, 8, 400))
    >>> found = guarantee_precision(Observations(scores, labels), 0.9)
    >>> found.found, found.bound >= 0.9
    (True, True)
    """
    return _search(
        "precision", observations, target, confidence, prevalence, dependence, cutoffs, start, seed
    )


def guarantee_missed(
    observations: Observations,
    target: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
    dependence: Dependence = "auto",
    cutoffs: npt.ArrayLike | None = None,
    start: int | None = None,
    seed: int = 0,
) -> Guarantee:
    """The largest cutoff at or below which at most the share `target` are matches, with confidence.

    The false omission rate is the "missed" figure. As :func:`guarantee_precision`, with cutoffs tested
    from the lowest upwards.
    """
    return _search(
        "false_omission_rate", observations, target, confidence, prevalence, dependence, cutoffs, start, seed
    )


def target_in_pairs(target: float, observations: Observations, prevalence: float | None) -> float:
    """The target that pairs must meet as they were labelled, for live pairs of `prevalence` to meet `target`.

    The odds of a match among pairs of equal score change by one factor between two populations whose
    matches, and whose others, score alike (label shift).
    """
    if prevalence is None:
        return target
    check_share(prevalence, "prevalence", "the share of matches among live pairs")
    observations.require_both_classes()
    seen = observations.prevalence
    return float(scale_odds(target, (seen / (1 - seen)) / (prevalence / (1 - prevalence))))


def _search(
    figure: Literal["precision", "false_omission_rate"],
    observations: Observations,
    target: float,
    confidence: float,
    prevalence: float | None,
    dependence: Dependence,
    cutoffs: npt.ArrayLike | None,
    start: int | None,
    seed: int,
) -> Guarantee:
    check_share(target, "target", "the share that shall be guaranteed")
    check_share(confidence, "confidence", "the confidence of the guarantee")
    side: Side = "above" if figure == "precision" else "below"
    tested = target_in_pairs(target, observations, prevalence)
    share = tested if side == "above" else 1 - tested
    delta = 1 - confidence
    grid = None if cutoffs is None else np.asarray(cutoffs, dtype=np.float64)
    sets = one_side(observations, side, cutoffs=grid, dependence=_how(observations, dependence))
    if dependence == "one_per_cluster" and observations.clusters is not None:
        p_values, sizes = one_per_cluster_p_values(observations, sets, share, seed=seed)
        sets = replace(sets, size=sizes)
        method: Literal["independent", "effective", "one_per_cluster"] = "one_per_cluster"
    else:
        p_values = p_value_above(sets.share_right, sets.size, share)
        method = sets.method
    # Twice a mean p-value is small enough where each is half as large.
    level = delta / 2 if method == "one_per_cluster" else delta
    if start is None:
        starts = tuple(begun(sets.size, size) for size in start_sizes(share, level, sets.size[-1]))
    else:
        starts = (np.arange(len(sets)) >= start,)
    passed = rejected(p_values, starts, delta)
    tested_at = starts[0] & (passed | np.append(True, passed[:-1]) | _first_of(starts[-1]))
    tests = pd.DataFrame(
        {
            "cutoff": sets.cutoffs,
            "n": sets.n,
            "right": sets.right,
            "size": sets.size,
            "share_right": sets.share_right,
            "p_value": p_values,
            "passed": passed,
        }
    )[tested_at | _first_of(starts[0])].reset_index(drop=True)
    found = bool(passed.any())
    at = int(np.flatnonzero(passed)[-1]) if found else _closest(p_values)
    more = None if found else _more_pairs(sets, share, level, len(observations))
    seen, bound = (
        float(sets.share_right[at]),
        float(lower_bound(sets.share_right[at], sets.size[at], 1 - level)),
    )
    back: Callable[[float], float] = _carry_back(side, target, tested)
    return Guarantee(
        figure=figure,
        target=target,
        confidence=confidence,
        cutoff=float(sets.cutoffs[at]) if found else None,
        n=int(sets.n[at]),
        errors=int(sets.n[at] - sets.right[at]),
        size=float(sets.size[at]),
        estimate=back(seen),
        bound=back(bound),
        method=method,
        more_pairs=more,
        target_in_pairs=tested,
        tests=tests,
    )


def _how(observations: Observations, dependence: Dependence) -> Dependence:
    if dependence not in ("auto", "independent", "effective", "one_per_cluster"):
        raise InputError(
            f"dependence is {dependence!r}; it is 'auto', 'independent', 'effective' or 'one_per_cluster'."
        )
    if dependence == "one_per_cluster" and observations.weights is not None:
        raise InputError("One pair a JD cannot be combined with weights; use dependence='effective'.")
    return dependence


def _closest(p_values: FloatArray) -> int:
    """The candidate with the smallest p-value; of equals the larger set."""
    return len(p_values) - 1 - int(np.argmin(p_values[::-1]))


def _first_of(started: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.asarray(started & ~np.append(False, started[:-1]))


def _more_pairs(sets: OneSide, share: float, delta: float, n_pairs: int) -> int | None:
    """About how many more pairs would let testing begin with success, if figures are as they look."""
    seen = np.nan_to_num(sets.share_right)
    # Jeffreys' estimate first, for a set without errors is not a set that has none; where that leaves no
    # hope, the bare share of a set that is no single stroke of luck.
    careful = (seen * sets.size + 0.5) / (sets.size + 1)
    bare = np.where(sets.size >= LEAST_TO_PLAN_ON, seen, 0.0)
    for estimate in (careful, bare):
        # A stricter set is taken to be no worse than a larger one.
        looks = np.maximum.accumulate(estimate[::-1])[::-1]
        for times in np.geomspace(1.02, FAR_MORE, 150):
            sizes = start_sizes(share, delta, float(times * sets.size[-1]))
            for size in sizes:
                has_begun = begun(times * sets.size, size)
                at = int(np.argmax(has_begun))
                if not has_begun[at] or looks[at] <= share:
                    continue
                if times * sets.size[at] >= size_with_power(float(looks[at]), share, delta / len(sizes)):
                    return about(n_pairs * (times - 1))
    return None


def _carry_back(side: Side, target: float, tested: float) -> Callable[[float], float]:
    """From the share of right pairs as labelled to the figure as it shall hold live."""
    factor = (target / (1 - target)) / (tested / (1 - tested))

    def carry(share: float) -> float:
        return float(scale_odds(share if side == "above" else 1 - share, factor))

    return carry
