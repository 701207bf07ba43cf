"""Guaranteed cutoffs: Learn-then-Test with a fixed sequence of exact tests.

"From this cutoff on, at least 89 % of the pairs called matches are right, with 95 % confidence", and
the same for the pairs at or below a cutoff. What a set of pairs is worth as independent pairs is in
:mod:`workbench.calibration.shares`, the tests and their order in :mod:`workbench.calibration.exact_tests`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.counts import check_share
from workbench.calibration.exact_tests import (
    begun,
    lower_bound,
    p_value_above,
    rejected,
    start_sizes,
)
from workbench.calibration.figures import share_seen, worth
from workbench.calibration.further_pairs import FurtherPairs, further_for_a_start
from workbench.calibration.label_error import LabelError, LabelErrorLike, carried
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.one_pair_a_jd import one_per_cluster, pairs_a_draw
from workbench.calibration.shares import Dependence, OneSide, one_side
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number, paragraph, percent
from workbench.results import Result, plain

# Draws of one pair a JD; more take more of the luck out.
N_DRAWS = 200


@dataclass(frozen=True)
class Guarantee(Result):
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
        The figure as labelled there, and its exact one-sided confidence bound by itself, which allows for
        wrong labels.
    method : {"independent", "effective", "one_per_cluster"}
        How dependence between pairs was reckoned with.
    n_pairs : int
        All labelled pairs.
    target_in_pairs : float
        The target as labels were tested for it: another one where the live prevalence was given, or where
        labels may be wrong.
    label_error : LabelError or None
        What was allowed for. Without it, a match is a pair that is labelled a match.
    tests : DataFrame
        One row a tested cutoff in the order of testing: ``cutoff, n, right, size, share_right,
        p_value, passed``.
    sets : OneSide
        All sets that could have been tested.
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
    n_pairs: int
    target_in_pairs: float
    label_error: LabelError | None
    tests: pd.DataFrame = field(repr=False)
    sets: OneSide = field(repr=False, compare=False)

    @property
    def found(self) -> bool:
        """Whether there is such a cutoff."""
        return self.cutoff is not None

    @cached_property
    def further(self) -> FurtherPairs | None:
        """Where there is no cutoff: about how many more labelled pairs of the same kind would give one.

        With an even chance, and with four chances in five, over all that figures may be.
        """
        if self.found:
            return None
        share = self.target_in_pairs if self.figure == "precision" else 1 - self.target_in_pairs
        level = (1 - self.confidence) / (2 if self.method == "one_per_cluster" else 1)
        return further_for_a_start(self.sets, share, level, self.n_pairs)

    @property
    def more_pairs(self) -> int | None:
        """About how many more pairs give four chances in five; None where that cannot be said, or is done."""
        return None if self.further is None else self.further.likely

    def sentence(self) -> str:
        """What is guaranteed, or why nothing is, in one or two sentences."""
        above = self.figure == "precision"
        if self.cutoff is None:
            return self._none(above)
        said = (
            ngettext(
                "Above {cutoff}, at least {target} of pairs are {matches}, with {sure} confidence: of {n} "
                "labelled pairs there{worth}, {errors} is labelled no match ({seen} are labelled a match; "
                "at least {bound} are {matches}).",
                "Above {cutoff}, at least {target} of pairs are {matches}, with {sure} confidence: of {n} "
                "labelled pairs there{worth}, {errors} are labelled no match ({seen} are labelled a match; "
                "at least {bound} are {matches}).",
                self.errors,
            )
            if above
            else ngettext(
                "At or below {cutoff}, at most {target} of pairs are {matches} (missed), with {sure} "
                "confidence: of {n} labelled pairs there{worth}, {errors} is labelled a match ({seen}; at "
                "most {bound} are {matches}).",
                "At or below {cutoff}, at most {target} of pairs are {matches} (missed), with {sure} "
                "confidence: of {n} labelled pairs there{worth}, {errors} are labelled a match ({seen}; at "
                "most {bound} are {matches}).",
                self.errors,
            )
        )
        matches = _("labelled a match") if self.label_error is None else _("true matches")
        said = said.format(
            cutoff=number(self.cutoff),
            target=percent(self.target),
            sure=percent(self.confidence, None),
            n=self.n,
            worth=worth(self.n, self.size),
            errors=self.errors,
            seen=share_seen(self.estimate, self.n - self.errors if above else self.errors, self.n),
            bound=percent(self.bound),
            matches=matches,
        )
        return said if self.label_error is None else paragraph([said, self.label_error.sentence()])

    def _none(self, above: bool) -> str:
        what = (
            _("precision of at least {target}")
            if above
            else _("a missed share (false omission rate) of at most {target}")
        )
        how = {
            "independent": "",
            "effective": _(", reckoned with the effective sample"),
            "one_per_cluster": _(", reckoned with one pair a JD"),
        }[self.method]
        said = _(
            "No cutoff with {what} can be guaranteed with {sure} confidence from these labels{how}."
        ).format(what=what.format(target=percent(self.target)), sure=percent(self.confidence, None), how=how)
        hope = FurtherPairs.none() if self.further is None else self.further
        return paragraph([said, hope.sentence(above)])

    def __repr__(self) -> str:
        return f"Guarantee: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the table of tests."""
        found = replace(self, size=round(self.size, 2), tests=None, sets=None)  # type: ignore[arg-type]
        told = super(Guarantee, found).to_dict()
        del told["tests"], told["sets"]
        return {**told, "further": plain(self.further)}


def guarantee_precision(
    observations: Observations,
    target: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
    dependence: Dependence = "auto",
    cutoffs: npt.ArrayLike | None = None,
    start: int | None = None,
    label_error: LabelErrorLike = None,
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
    (:func:`~workbench.calibration.exact_tests.start_sizes`): from the very top it would end at the first
    unlucky pair. How large sets are is reckoned for this from scores, weights and clusters alone
    (``foreseen`` of :class:`~workbench.calibration.shares.OneSide`), so that labels have no say in the
    start; where the live prevalence is given, their share of matches has, by which the target is carried
    over.

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
    label_error : float, pair of float or LabelError, optional
        Up to this share of labels may be wrong: of both kinds, or of non-matches labelled a match and of
        matches that are not. The guarantee is then for true matches, whichever of the labels on that side
        of the cutoff are wrong. Without it, a match is what is labelled one.
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
    asked = (prevalence, dependence, cutoffs, start, LabelError.read(label_error), seed)
    return _search("precision", observations, target, confidence, *asked)


def guarantee_missed(
    observations: Observations,
    target: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
    dependence: Dependence = "auto",
    cutoffs: npt.ArrayLike | None = None,
    start: int | None = None,
    label_error: LabelErrorLike = None,
    seed: int = 0,
) -> Guarantee:
    """The largest cutoff at or below which at most the share `target` are matches, with confidence.

    The false omission rate is the "missed" figure. As :func:`guarantee_precision`, with cutoffs tested
    from the lowest upwards.
    """
    asked = (prevalence, dependence, cutoffs, start, LabelError.read(label_error), seed)
    return _search("false_omission_rate", observations, target, confidence, *asked)


def _search(
    figure: Literal["precision", "false_omission_rate"],
    observations: Observations,
    target: float,
    confidence: float,
    prevalence: float | None,
    dependence: Dependence,
    cutoffs: npt.ArrayLike | None,
    start: int | None,
    error: LabelError,
    seed: int,
) -> Guarantee:
    check_share(target, "target", _("the share that shall be guaranteed"))
    check_share(confidence, "confidence", _("the confidence of the guarantee"))
    if prevalence is not None:
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
    if dependence not in get_args(Dependence):
        raise InputError(
            _("dependence is {given}; it is 'auto', 'independent', 'effective' or 'one_per_cluster'.").format(
                given=repr(dependence)
            )
        )
    if dependence == "one_per_cluster" and observations.weights is not None:
        raise InputError(_("One pair a JD cannot be combined with weights; use dependence='effective'."))
    above, delta = figure == "precision", 1 - confidence
    sets = one_side(observations, "above" if above else "below", cutoffs=cutoffs, dependence=dependence)
    by_cluster = dependence == "one_per_cluster" and observations.clusters is not None
    draws = one_per_cluster(observations, sets, N_DRAWS, seed) if by_cluster else ()
    aim = carried(target, observations, prevalence, error, at_least=above)
    share = aim.in_labels if above else 1 - aim.in_labels
    method: Literal["independent", "effective", "one_per_cluster"] = sets.method
    # Twice a mean p-value is small enough where each is half as large.
    level = delta
    if by_cluster:
        method, level = "one_per_cluster", delta / 2
        total, sizes = np.zeros(len(sets)), np.zeros(len(sets))
        for share_drawn, n in draws:
            total += p_value_above(share_drawn, n, share)
            sizes += n
        sizes /= N_DRAWS
        drawn = pairs_a_draw(observations, sets)
        sets = replace(sets, size=sizes, foreseen=drawn, apart=drawn)
        p_values = np.minimum(2 * total / N_DRAWS, 1.0)
    else:
        p_values = p_value_above(sets.share_right, sets.size, share)
    if start is None:
        begins = start_sizes(share, level, sets.apart[-1])
        starts = tuple(begun(sets.foreseen, size) for size in begins)
    else:
        starts = (np.arange(len(sets)) >= start,)
    passed = rejected(p_values, starts, delta)
    found = bool(passed.any())
    # Of candidates that are equally close, the larger set.
    at = int(np.flatnonzero(passed)[-1] if found else np.flatnonzero(p_values == p_values.min())[-1])
    bound = float(lower_bound(sets.share_right[at], sets.size[at], 1 - level))
    seen = float(sets.share_right[at])
    seen, bound = aim.as_labelled(seen if above else 1 - seen), aim.live(bound if above else 1 - bound)
    return Guarantee(
        figure=figure,
        target=target,
        confidence=confidence,
        cutoff=float(sets.cutoffs[at]) if found else None,
        n=int(sets.n[at]),
        errors=int(sets.n[at] - sets.right[at]),
        size=float(sets.size[at]),
        estimate=seen,
        bound=bound,
        method=method,
        n_pairs=len(observations),
        target_in_pairs=aim.in_labels,
        label_error=error if error.any else None,
        tests=_table(sets, p_values, passed, starts),
        sets=sets,
    )


def _table(
    sets: OneSide,
    p_values: FloatArray,
    passed: npt.NDArray[np.bool_],
    starts: tuple[npt.NDArray[np.bool_], ...],
) -> pd.DataFrame:
    """The cutoffs that were tested: from each start on, until one does not pass."""

    def first_of(begun_at: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.asarray(begun_at & ~np.append(False, begun_at[:-1]))

    tested = starts[0] & (passed | np.append(True, passed[:-1]) | first_of(starts[-1]))
    frame = pd.DataFrame(
        {
            "cutoff": sets.cutoffs,
            "n": sets.n,
            "right": sets.right,
            "size": sets.size,
            "share_right": sets.share_right,
            "p_value": p_values,
            "passed": passed,
        }
    )
    shown: pd.DataFrame = frame[tested | first_of(starts[0])].reset_index(drop=True)
    return shown
