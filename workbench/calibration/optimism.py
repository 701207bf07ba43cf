"""What a chosen cutoff and its figures are worth on other pairs than those that chose it.

:func:`chosen_again` repeats the whole way to a cutoff in every resample. :func:`stability` says how far the
cutoff would move, :func:`honest_figures` corrects for having been read off the pairs that chose it. Where
pairs are plenty, :func:`hold_out` keeps some untouched instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.calibration.at_cutoff import figures_at
from workbench.calibration.bootstrap import Resamples
from workbench.calibration.choice import Choice, Rule, choose
from workbench.calibration.counts import Counts, check_share, count
from workbench.calibration.exact_tests import begun, p_value_above, rejected, start_sizes
from workbench.calibration.figures import Estimate, FigureName, figure, with_interval
from workbench.calibration.guarantee import Guarantee
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.shares import Dependence, one_side
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result, plain

CORRECTED: tuple[FigureName, ...] = (
    "precision",
    "recall",
    "false_omission_rate",
    "specificity",
    "f_beta",
    "accuracy",
)


@dataclass(frozen=True, eq=False)
class Stability(Result):
    """The bootstrap distribution of a chosen cutoff.

    Attributes
    ----------
    cutoffs : ndarray of float64, shape (n_resamples,)
        The cutoff that each resample chose; NaN where it found none.
    low, median, high : float
        Percentiles of those found; NaN where none was found.
    confidence : float
        Of the interval from `low` to `high`.
    share_without : float
        Share of resamples in which no cutoff did what the rule asks for.
    share_flipped : float
        Mean share of pairs whose decision would be another one at a resample's cutoff.
    by : {"pair", "cluster"}
        What was drawn.
    """

    cutoffs: FloatArray
    low: float
    median: float
    high: float
    confidence: float
    share_without: float
    share_flipped: float
    by: str

    def sentence(self) -> str:
        """How far the cutoff would move, and how many decisions with it."""
        if np.isnan(self.low):
            return _("In no resample was there such a cutoff.")
        said = (
            _(
                "With as many other JDs labelled, the cutoff would lie between {low} and {high} ({sure}), "
                "and {flipped} of decisions would change on average."
            )
            if self.by == "cluster"
            else _(
                "With as many other pairs labelled, the cutoff would lie between {low} and {high} ({sure}), "
                "and {flipped} of decisions would change on average."
            )
        )
        return said.format(
            low=number(self.low),
            high=number(self.high),
            sure=percent(self.confidence, None),
            flipped=percent(self.share_flipped),
        )

    def __repr__(self) -> str:
        return f"Stability: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the number of cutoffs in the place of each."""
        names = ("low", "median", "high", "confidence", "share_without", "share_flipped")
        numbers = {name: plain(getattr(self, name)) for name in names}
        return {**numbers, "n_resamples": len(self.cutoffs), "by": self.by}


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


def chosen_again(
    observations: Observations,
    resamples: Resamples,
    guarantees: Sequence[Guarantee],
    rule: Rule,
    dependence: Dependence = "auto",
) -> npt.NDArray[np.intp]:
    """Find a cutoff in every resample as it is looked for in the pairs.

    Parameters
    ----------
    observations : Observations
    resamples : Resamples
        Of these.
    guarantees : sequence of Guarantee
        The one that decides; or that of precision and that of the missed share, which both have to hold, as
        in :func:`~workbench.calibration.grey_zones.grey_zone`; or none, where the rule decides.
    rule : Rule
    dependence : str
        As the guarantees were asked for; one pair a JD is repeated by effective pairs.

    Returns
    -------
    ndarray of int, shape (n_resamples,)
        Positions among the cutoffs of the resamples; -1 where there is none.
    """
    if not guarantees:
        return rule.pick_in(resamples)
    found = [_guaranteed_again(observations, resamples, each, dependence) for each in guarantees]
    lowest, highest = found[0], found[-1]
    # Where two guarantees overlap, the one in the middle, as in the pairs themselves.
    both = (lowest >= 0) & (highest >= lowest)
    return np.where(both, lowest + (highest - lowest + 1) // 2, -1) if len(found) > 1 else lowest


def _guaranteed_again(
    observations: Observations, resamples: Resamples, guarantee: Guarantee, dependence: Dependence
) -> npt.NDArray[np.intp]:
    """Position of the guaranteed cutoff in every resample; -1 where there is none."""
    above = guarantee.figure == "precision"
    sets = one_side(
        observations, "above" if above else "below", cutoffs=resamples.cutoffs, dependence=dependence
    )
    # The guarantee tests pairs as they were labelled, whatever the live prevalence.
    target = guarantee.target_in_pairs if above else 1 - guarantee.target_in_pairs
    delta = 1 - guarantee.confidence
    starts = start_sizes(target, delta, float(sets.apart[-1]))
    # Effective pairs for each unit of weight, and those that labels have no say in.
    worth, foreseen = (
        np.divide(size, sets.weight, out=np.ones_like(size), where=sets.weight > 0)[:, None]
        for size in (sets.size, sets.foreseen)
    )
    found, at = np.full(len(resamples), -1), 0
    for part in resamples.in_chunks():
        right, wrong = (
            (part.tp[::-1], part.fp[::-1]) if above else (part.others - part.fp, part.matches - part.tp)
        )
        total = np.asarray(right + wrong, dtype=np.float64)
        size = total * worth
        with np.errstate(invalid="ignore"):
            share = np.asarray(right, dtype=np.float64) / total
        # Most sets are plainly too bad, and need no test.
        hopeful = share > target
        p_values = np.ones(share.shape)
        p_values[hopeful] = p_value_above(share[hopeful], size[hopeful], target)
        passed = rejected(p_values, tuple(begun(total * foreseen, start) for start in starts), delta)
        last = len(passed) - 1 - np.argmax(passed[::-1], axis=0)
        last = len(passed) - 1 - last if above else last
        found[at : at + len(part)] = np.where(passed.any(axis=0), last, -1)
        at += len(part)
    return found


def stability(
    resamples: Resamples,
    picked: npt.NDArray[np.intp],
    counts: Counts,
    cutoff: float,
    *,
    confidence: float = 0.95,
) -> Stability:
    """How far the cutoff moves from resample to resample.

    Parameters
    ----------
    resamples : Resamples
    picked : ndarray of int, shape (n_resamples,)
        The cutoff that each chose, of :func:`chosen_again` or a rule's ``pick_in``.
    counts : Counts
        Of the labelled pairs themselves.
    cutoff : float
        The one that was chosen there.
    confidence : float
        Of the percentile interval of the cutoff.
    """
    found = picked >= 0
    cutoffs = np.where(found, resamples.cutoffs[picked], np.nan)
    low = median = high = flipped = float("nan")
    if found.any():
        levels = [(1 - confidence) / 2, 0.5, (1 + confidence) / 2]
        low, median, high = map(float, np.quantile(cutoffs[found], levels))
        selected = (counts.tp + counts.fp) / (counts.tp + counts.fp + counts.fn + counts.tn)
        there, here = (
            selected[np.clip(np.searchsorted(counts.cutoffs, where), 0, len(selected) - 1)]
            for where in (cutoffs[found], cutoff)
        )
        flipped = float(np.mean(np.abs(there - here)))
    without = float(1 - found.mean())
    return Stability(cutoffs, low, median, high, confidence, without, flipped, resamples.by)


def honest_figures(
    observations: Observations,
    resamples: Resamples,
    picked: npt.NDArray[np.intp],
    naive: Mapping[FigureName, Estimate],
    *,
    beta: float = 1.0,
) -> dict[FigureName, HonestFigure]:
    """Correct figures at a chosen cutoff for the optimism of choosing.

    Each resample chooses again; optimism is how much better the figure looks in the resample than in the
    labelled pairs at that cutoff [1]_. The interval is the naive one with its worse end shifted by the
    optimism; the percentiles of what resamples choose, shifted likewise [2]_, would be no interval here, for
    a rule that aims at a precision finds just that precision in every resample.

    Parameters
    ----------
    observations : Observations
    resamples : Resamples
        Of these observations, at the same live prevalence as shall be reported.
    picked : ndarray of int, shape (n_resamples,)
        The cutoff that each chose, of :func:`chosen_again` or a rule's ``pick_in``.
    naive : mapping of str to Estimate
        Figures at the cutoff that the pairs themselves chose, of
        :func:`~workbench.calibration.at_cutoff.figures_at`.
    beta : float
        For F-beta.

    References
    ----------
    .. [1] Efron (1983), Estimating the error rate of a prediction rule, JASA 78, 316-331; Harrell, Lee &
       Mark (1996), Statistics in Medicine 15, 361-387.
    .. [2] Noma, Shinozaki, Iba, Teramukai & Furukawa (2021), Confidence intervals of prediction accuracy
       measures for multivariable prediction models based on the bootstrap-based optimism correction
       methods, Statistics in Medicine 40(26), 5691-5701.
    """
    live = count(observations, resamples.cutoffs).at_prevalence(resamples.prevalence)
    found = np.flatnonzero(picked >= 0)
    at = picked[found]
    in_resample = [values[at, found] for values in resamples.confusion()]
    honest = {}
    for name in CORRECTED:
        estimate = naive[name]
        gaps = figure(name, *in_resample, beta=beta) - live.figure(name, beta=beta)[at]
        known = gaps[~np.isnan(gaps)]
        optimism = float(known.mean()) if len(known) else float("nan")
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
