"""Is today's cutoff kept, to be moved, or are there not enough labels to say?

The cutoff is tested as it stands, before any search for a better one, so that nothing has to be paid
for having looked at many. What a set of pairs is worth is in :mod:`workbench.calibration.effective`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from workbench.calibration import wording
from workbench.calibration.counts import check_share
from workbench.calibration.effective import Dependence, OneSide, Side, one_side
from workbench.calibration.figures import scale_odds
from workbench.calibration.guarantee import target_in_pairs
from workbench.calibration.intervals import lower_bound, p_value_above, upper_bound
from workbench.calibration.observations import Observations
from workbench.calibration.planning import FAR_MORE, about, pairs_needed, size_with_power
from workbench.errors import InputError
from workbench.settings import LITERATURE_CUTOFF

__all__ = ["CLAIMED_MISSED", "CLAIMED_PRECISION", "TargetTest", "Verdict", "verdict"]

# What is said of 0.4: "above it 89.3 % of matches are right, below it under 6 % are missed".
CLAIMED_PRECISION = 0.893
CLAIMED_MISSED = 0.06


@dataclass(frozen=True)
class TargetTest:
    """One target, tested at one cutoff that was fixed beforehand.

    Attributes
    ----------
    figure : {"precision", "false_omission_rate"}
    target : float
        Precision at least, or false omission rate at most, this much.
    answer : {"met", "failed", "unclear"}
        Whether the true figure is shown to meet the target, shown to fail it, or neither.
    n, errors : int
        Labelled pairs on that side of the cutoff, and the wrong ones among them.
    size : float
        What those pairs are worth as independent pairs.
    estimate, low, high : float
        The figure, and its exact one-sided bounds, each by itself at the confidence of the verdict.
    p_met, p_failed : float
        Exact p-values of "the target is not met" and of "the target is met": small ones refute.
    pairs_without_error : int
        How many pairs on that side would show that the target is met if none were wrong.
    more_pairs : int or None
        If unclear: about how many more labelled pairs in all would settle it with a probability of 0.8 if
        the figure is as it looks; None where that is more than 20 times those there are.
    """

    figure: Literal["precision", "false_omission_rate"]
    target: float
    answer: Literal["met", "failed", "unclear"]
    n: int
    errors: int
    size: float
    estimate: float
    low: float
    high: float
    p_met: float
    p_failed: float
    pairs_without_error: int
    more_pairs: int | None


@dataclass(frozen=True)
class Verdict:
    """The answer about one cutoff, with the tests that it rests on.

    Attributes
    ----------
    cutoff : float
    answer : {"kept", "moved", "not enough labels"}
    confidence : float
        A cutoff that does not meet all targets is kept with probability at most 1 - confidence; one that
        meets them is moved with probability at most that.
    tests : tuple of TargetTest
    n_pairs : int
        All labelled pairs.
    method : {"independent", "effective"}
        How dependence between pairs was reckoned with.
    """

    cutoff: float
    answer: Literal["kept", "moved", "not enough labels"]
    confidence: float
    tests: tuple[TargetTest, ...]
    n_pairs: int
    method: Literal["independent", "effective"]

    def sentence(self, language: str = "en") -> str:
        """The answer with the numbers behind it."""
        return wording.verdict(self, language)

    def __repr__(self) -> str:
        return f"Verdict: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        tests = [
            {
                name: None if isinstance(v, float) and not np.isfinite(v) else v
                for name, v in asdict(test).items()
            }
            for test in self.tests
        ]
        return {**asdict(self), "tests": tests}


def verdict(
    observations: Observations,
    cutoff: float = LITERATURE_CUTOFF,
    *,
    target_precision: float | None = None,
    target_missed: float | None = None,
    confidence: float = 0.95,
    prevalence: float | None = None,
    dependence: Dependence = "auto",
) -> Verdict:
    """Test a cutoff that was fixed beforehand against targets.

    It is *kept* if every target is shown to be met, each by an exact one-sided binomial test at level 1 -
    confidence (together an intersection-union test, which needs no correction). It is *moved* if one
    target is shown to be failed; with two targets, each is tested for that at half the level. Otherwise
    there are not enough labels to say.

    Parameters
    ----------
    observations : Observations
    cutoff : float
        Fixed without these labels, such as the one in use.
    target_precision : float, optional
        Share of matches that pairs above the cutoff shall hold at least.
    target_missed : float, optional
        Share of matches that pairs at or below shall hold at most (false omission rate). Where neither
        is given, both are what is claimed for 0.4: 0.893 and 0.06.
    confidence : float
    prevalence : float, optional
        Share of matches among live pairs, where it differs.
    dependence : {"auto", "independent", "effective"}
        As of :func:`~workbench.calibration.guarantee.guarantee_precision`.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        If a target, the confidence or the prevalence is no share, or the cutoff no finite number.

    References
    ----------
    Berger (1982), Multiparameter hypothesis testing and acceptance sampling, Technometrics 24, 295-300
    (intersection-union tests).

    Examples
    --------
    >>> pairs = Observations([0.9] * 22 + [0.1] * 50, [1] * 22 + [0] * 50)
    >>> verdict(pairs, 0.4, target_precision=0.9, confidence=0.9).answer
    'kept'
    >>> verdict(pairs, 0.4, target_precision=0.9, confidence=0.95).answer
    'not enough labels'
    """
    if not np.isfinite(cutoff):
        raise InputError(f"The cutoff is {cutoff!r}; it is a finite number on the scale of the scores.")
    check_share(confidence, "confidence", "the confidence of the verdict")
    if dependence == "one_per_cluster":
        raise InputError(
            "The verdict is by 'independent' or 'effective' pairs; one pair a JD is for guarantees."
        )
    if target_precision is None and target_missed is None:
        target_precision, target_missed = CLAIMED_PRECISION, CLAIMED_MISSED
    targets: list[tuple[Literal["precision", "false_omission_rate"], Side, float]] = []
    if target_precision is not None:
        check_share(target_precision, "target_precision", "the share of matches among pairs above the cutoff")
        targets.append(("precision", "above", float(target_precision)))
    if target_missed is not None:
        check_share(target_missed, "target_missed", "the share of matches among pairs at or below the cutoff")
        targets.append(("false_omission_rate", "below", float(target_missed)))
    delta = 1 - confidence
    tests, method = [], "independent"
    for figure, side, target in targets:
        sets = one_side(observations, side, cutoffs=np.array([cutoff]), dependence=dependence)
        method = sets.method
        tests.append(
            _test(figure, target, sets, observations, prevalence, delta, failed_level=delta / len(targets))
        )
    answers = {test.answer for test in tests}
    answer: Literal["kept", "moved", "not enough labels"] = (
        "moved" if "failed" in answers else "kept" if answers == {"met"} else "not enough labels"
    )
    return Verdict(
        float(cutoff),
        answer,
        confidence,
        tuple(tests),
        len(observations),
        method,  # type: ignore[arg-type]
    )


def _test(
    figure: Literal["precision", "false_omission_rate"],
    target: float,
    sets: OneSide,
    observations: Observations,
    prevalence: float | None,
    delta: float,
    *,
    failed_level: float,
) -> TargetTest:
    tested = target_in_pairs(target, observations, prevalence)
    above = sets.side == "above"
    wanted = tested if above else 1 - tested
    share, size = float(sets.share_right[0]), float(sets.size[0])
    p_met = float(p_value_above(share, size, wanted))
    p_failed = float(p_value_above(1 - share, size, 1 - wanted))
    answer: Literal["met", "failed", "unclear"] = (
        "met" if p_met <= delta else "failed" if p_failed <= failed_level else "unclear"
    )
    lowest = float(lower_bound(share, size, 1 - delta))
    highest = float(upper_bound(share, size, 1 - delta))
    factor = (target / (1 - target)) / (tested / (1 - tested))
    shares = (share, lowest, highest) if above else (1 - share, 1 - highest, 1 - lowest)
    estimate, low, high = (float(scale_odds(number, factor)) for number in shares)
    return TargetTest(
        figure=figure,
        target=target,
        answer=answer,
        n=int(sets.n[0]),
        errors=int(sets.n[0] - sets.right[0]),
        size=size,
        estimate=estimate,
        low=low,
        high=high,
        p_met=p_met,
        p_failed=p_failed,
        pairs_without_error=pairs_needed(wanted, 1 - delta),
        more_pairs=_more(share, size, wanted, delta, len(observations)) if answer == "unclear" else None,
    )


def _more(share: float, size: float, wanted: float, delta: float, n_pairs: int) -> int | None:
    if not size > 0:
        return None
    # Jeffreys' estimate, for a set without errors is not a set that has none.
    looks = (share * size + 0.5) / (size + 1)
    factor = size_with_power(looks, wanted, delta) / size
    return about(n_pairs * (factor - 1)) if factor <= FAR_MORE else None
