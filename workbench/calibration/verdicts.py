"""Is today's cutoff kept, to be moved, or are there not enough labels to say?

The cutoff is tested as it stands, before any search for a better one, so that nothing has to be paid
for having looked at many. What a set of pairs is worth is in :mod:`workbench.calibration.shares`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.calibration.counts import check_share
from workbench.calibration.exact_tests import (
    lower_bound,
    p_value_above,
    pairs_needed,
    upper_bound,
)
from workbench.calibration.figures import share_seen, worth
from workbench.calibration.further_pairs import FurtherPairs, further_to_tell
from workbench.calibration.label_error import LabelError, LabelErrorLike, carried
from workbench.calibration.observations import Observations
from workbench.calibration.options import CLAIMED_MISSED, CLAIMED_PRECISION, Options
from workbench.calibration.shares import Dependence, one_side
from workbench.errors import InputError
from workbench.i18n import digits_apart, number, paragraph, percent
from workbench.i18n import gettext as _
from workbench.results import Result
from workbench.settings import LITERATURE_CUTOFF

Target = Literal["precision", "false_omission_rate"]


@dataclass(frozen=True)
class TargetTest(Result):
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
    further : FurtherPairs or None
        If unclear: about how many more labelled pairs in all would settle it with an even chance, and with
        four chances in five, over all that the figure may be.
    """

    figure: Target
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
    further: FurtherPairs | None

    @property
    def more_pairs(self) -> int | None:
        """About how many more pairs settle it with four chances in five; None where that cannot be said."""
        return None if self.further is None else self.further.likely

    def phrase(self, confidence: float) -> str:
        """The test at the confidence of its verdict, with the numbers, as a part of a sentence."""
        above = self.figure == "precision"
        if not self.n:
            nothing = (
                _("no labelled pair lies above it") if above else _("no labelled pair lies at or below it")
            )
            return nothing + self._more()
        what = (
            _("of the {n} pairs above it{worth}, {counted} are labelled a match ({seen})")
            if above
            else _("of the {n} pairs at or below it{worth}, {counted} are labelled a match: missed ({seen})")
        )
        counted = self.n - self.errors if above else self.errors
        at_least, at_most = (
            _("at least {share} with {sure} confidence"),
            _("at most {share} with {sure} confidence"),
        )
        sure, digits = percent(confidence, None), self._digits
        low, high, asked = (percent(share, digits) for share in (self.low, self.high, self.target))
        match self.answer:
            case "met":
                end = (
                    at_least.format(share=low, sure=sure) if above else at_most.format(share=high, sure=sure)
                )
            case "failed":
                end = (
                    at_most.format(share=high, sure=sure) if above else at_least.format(share=low, sure=sure)
                )
            case "unclear":
                end = _("one-sided {sure} bounds {low} and {high}").format(sure=sure, low=low, high=high)
        target = _("target at least {share}") if above else _("target at most {share}")
        return _("{what}, {end}, {target}").format(
            what=what.format(
                n=self.n,
                worth=worth(self.n, self.size),
                counted=counted,
                seen=share_seen(self.estimate, counted, self.n, digits),
            ),
            end=end,
            target=target.format(share=asked),
        ) + (self._more() if self.answer == "unclear" else "")

    @property
    def _digits(self) -> int:
        """As many as it takes to tell the figure and its bounds from the target."""
        against = (self.estimate, self.low, self.high)
        return max(digits_apart(100 * share, 100 * self.target) for share in against)

    def in_short(self) -> str:
        """The figure and its target, as a part of a sentence."""
        said = (
            _("{seen} of the pairs above it are labelled a match (target at least {target})")
            if self.figure == "precision"
            else _("{seen} of those at or below it are missed (target at most {target})")
        )
        digits = digits_apart(100 * self.estimate, 100 * self.target)
        return said.format(seen=percent(self.estimate, digits), target=percent(self.target, digits))

    def _more(self) -> str:
        """What it would take to tell, in brackets."""
        notes = []
        if self.size < self.pairs_without_error:
            notes.append(
                _("even without an error, {n} independent pairs there would be needed").format(
                    n=self.pairs_without_error
                )
            )
        further = self.further
        if further is not None and further.even is not None:
            settle = (
                _("about {likely} more labelled pairs would settle it with four chances in five")
                if further.even == further.likely
                else _(
                    "about {even} more labelled pairs would settle it with an even chance, and it may be so "
                    "near the target that far more would be needed"
                )
                if further.likely is None
                else _(
                    "about {even} more labelled pairs would settle it with an even chance, about {likely} "
                    "with four chances in five"
                )
            )
            notes.append(settle.format(even=further.even, likely=further.likely))
        elif self.n:
            notes.append(_("so near the target that far more labels would be needed to tell"))
        return _(" ({notes})").format(notes=_("; ").join(notes)) if notes else ""


@dataclass(frozen=True)
class Verdict(Result):
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
    label_error : LabelError or None
        What was allowed for. Without it, a match is a pair that is labelled a match.
    """

    cutoff: float
    answer: Literal["kept", "moved", "not enough labels"]
    confidence: float
    tests: tuple[TargetTest, ...]
    n_pairs: int
    method: Literal["independent", "effective"]
    label_error: LabelError | None = None

    def sentence(self) -> str:
        """The answer with the numbers behind it."""
        said = {
            "kept": _("Today's cutoff {cutoff} holds: {tests}."),
            "moved": _("Today's cutoff {cutoff} does not hold: {tests}."),
            "not enough labels": _(
                "There are not enough labels to say whether today's cutoff {cutoff} holds: {tests}."
            ),
        }[self.answer]
        tests = _("; ").join(test.phrase(self.confidence) for test in self.tests)
        said = said.format(cutoff=number(self.cutoff), tests=tests)
        return said if self.label_error is None else paragraph([said, self.label_error.sentence()])

    def in_short(self) -> str:
        """What stands against the cutoff, or what is not known of it, without bounds."""
        failed = [test for test in self.tests if test.answer == "failed"]
        if failed:
            said, tests = _("Today's {cutoff} does not hold: {tests}."), failed
        else:
            said = _("Whether today's {cutoff} holds, these labels cannot tell: {tests}.")
            tests = [test for test in self.tests if test.answer == "unclear"]
        phrases = _("; ").join(test.in_short() for test in tests)
        return said.format(cutoff=number(self.cutoff), tests=phrases)

    def __repr__(self) -> str:
        return f"Verdict: {self.sentence()}"


def verdict_on_today(observations: Observations, asked: Options) -> Verdict | None:
    """The verdict on the cutoff in use, at the targets of a calibration; None where one is missing."""
    if asked.today is None or (asked.target_precision is None and asked.target_missed is None):
        return None
    targets: dict[str, Any] = {
        "target_precision": asked.target_precision,
        "target_missed": asked.target_missed,
    }
    dependence: Dependence = "auto" if asked.dependence == "one_per_cluster" else asked.dependence
    how: dict[str, Any] = {"dependence": dependence, "label_error": asked.label_error}
    return verdict(observations, asked.today, **targets, **asked.live, **how)


def verdict(
    observations: Observations,
    cutoff: float = LITERATURE_CUTOFF,
    *,
    target_precision: float | None = None,
    target_missed: float | None = None,
    confidence: float = 0.95,
    prevalence: float | None = None,
    label_error: LabelErrorLike = None,
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
    label_error : float, pair of float or LabelError, optional
        Up to this share of labels may be wrong; the verdict is then on true matches, both ways.
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
        raise InputError(
            _("The cutoff is {cutoff}; it is a finite number on the scale of the scores.").format(
                cutoff=repr(cutoff)
            )
        )
    check_share(confidence, "confidence", _("the confidence of the verdict"))
    if prevalence is not None:
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
    if dependence == "one_per_cluster":
        raise InputError(
            _("The verdict is by 'independent' or 'effective' pairs; one pair a JD is for guarantees.")
        )
    if target_precision is None and target_missed is None:
        target_precision, target_missed = CLAIMED_PRECISION, CLAIMED_MISSED
    targets: list[tuple[Target, float]] = []
    if target_precision is not None:
        check_share(
            target_precision, "target_precision", _("the share of matches among pairs above the cutoff")
        )
        targets.append(("precision", float(target_precision)))
    if target_missed is not None:
        check_share(
            target_missed, "target_missed", _("the share of matches among pairs at or below the cutoff")
        )
        targets.append(("false_omission_rate", float(target_missed)))
    delta, error = 1 - confidence, LabelError.read(label_error)
    levels = (delta, delta / len(targets))
    tests, methods = zip(
        *(
            _test(figure, target, cutoff, observations, prevalence, dependence, error, levels)
            for figure, target in targets
        ),
        strict=True,
    )
    answers = {test.answer for test in tests}
    answer: Literal["kept", "moved", "not enough labels"] = (
        "moved" if "failed" in answers else "kept" if answers == {"met"} else "not enough labels"
    )
    allowed = error if error.any else None
    return Verdict(float(cutoff), answer, confidence, tests, len(observations), methods[0], allowed)


def _test(
    figure: Target,
    target: float,
    cutoff: float,
    observations: Observations,
    prevalence: float | None,
    dependence: Dependence,
    error: LabelError,
    levels: tuple[float, float],
) -> tuple[TargetTest, Literal["independent", "effective"]]:
    """One target, shown to be met or failed at these levels, and how dependence was reckoned with."""
    above, delta = figure == "precision", levels[0]
    sets = one_side(observations, "above" if above else "below", cutoffs=[cutoff], dependence=dependence)
    at_least, at_most = (
        carried(target, observations, prevalence, error, at_least=end) for end in (True, False)
    )
    # What labels must show for the target to be met, and what they must fall short of for it to be failed.
    wanted, unwanted = (
        (at_least.in_labels, at_most.in_labels) if above else (1 - at_most.in_labels, 1 - at_least.in_labels)
    )
    share, size, n = float(sets.share_right[0]), float(sets.size[0]), int(sets.n[0])
    p_met = float(p_value_above(share, size, wanted))
    p_failed = float(p_value_above(1 - share, size, 1 - unwanted))
    answer: Literal["met", "failed", "unclear"] = (
        "met" if p_met <= delta else "failed" if p_failed <= levels[1] else "unclear"
    )
    lowest = float(lower_bound(share, size, 1 - delta))
    highest = float(upper_bound(share, size, 1 - delta))
    shares = (share, lowest, highest) if above else (1 - share, 1 - highest, 1 - lowest)
    estimate, low, high = at_least.as_labelled(shares[0]), at_least.live(shares[1]), at_most.live(shares[2])
    test = TargetTest(
        figure=figure,
        target=target,
        answer=answer,
        n=n,
        errors=n - int(sets.right[0]),
        size=size,
        estimate=estimate,
        low=low,
        high=high,
        p_met=p_met,
        p_failed=p_failed,
        pairs_without_error=pairs_needed(wanted, 1 - delta),
        further=further_to_tell(share, size, (wanted, unwanted), levels, len(observations))
        if answer == "unclear"
        else None,
    )
    return test, sets.method
