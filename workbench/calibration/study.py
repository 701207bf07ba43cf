"""A calibration study: labelled pairs in, a cutoff with all its evidence out.

:func:`calibrate` runs the pieces of this package in their order; :class:`Study` holds what they found.
How it is said is in :mod:`workbench.calibration.report_text`, what the card keeps in
:mod:`workbench.calibration.evidence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy.typing as npt
import pandas as pd

from workbench.calibration import evidence, report_text
from workbench.calibration.at_cutoff import figures_at
from workbench.calibration.bootstrap import bands, resample
from workbench.calibration.choice import Choice, choose
from workbench.calibration.counts import Counts, count
from workbench.calibration.effective import Dependence
from workbench.calibration.figures import Estimate, FigureName
from workbench.calibration.flips import flips
from workbench.calibration.grey_zone import GreyZone, grey_zone
from workbench.calibration.guarantee import Guarantee, guarantee_missed, guarantee_precision
from workbench.calibration.observations import AUTO, FloatArray, Observations
from workbench.calibration.optimism import HoldOut, HonestFigure, hold_out, honest_figures
from workbench.calibration.probability import MatchProbability, fit_probability
from workbench.calibration.procedure import whole_procedure
from workbench.calibration.reliability_diagram import Reliability, reliability
from workbench.calibration.reweighting import live_weights
from workbench.calibration.rules import Rule, TargetMissed, TargetPrecision
from workbench.calibration.stability import Stability, stability
from workbench.calibration.sweep import tabulate
from workbench.calibration.verdict import CLAIMED_MISSED, CLAIMED_PRECISION, Verdict, verdict
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.settings import LITERATURE_CUTOFF

__all__ = ["Study", "calibrate"]

# Above this many pairs optimism is far below a tenth of a percent, and leaving pairs out costs minutes.
OUT_OF_BAG_UP_TO = 20_000


class NamedEncoder(Protocol):
    """What a study needs to know of an encoder; it never encodes."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """A cutoff, and everything that was found out about it.

    Attributes
    ----------
    cutoff : Cutoff
        The cutoff with its evidence, for the encoder that scored the pairs.
    basis : {"guarantee", "rule", "none"}
        Why this cutoff: guaranteed; or chosen by the rule, with no guarantee possible; or today's, for
        there is none that does what was asked for.
    pairs : DataFrame
        The scored pairs, as given.
    observations : Observations
        The same as checked arrays, with weights; without those whose scores do not occur live, if live
        scores were given.
    counts : Counts
        The table of truth behind the sweep, at the live prevalence if one was given.
    sweep, bands : DataFrame
        Every figure at every cutoff with Wilson intervals, and bootstrap bands (by JD where shared).
    verdict : Verdict or None
        On today's cutoff; None where there is none.
    rule : Rule
    choice : Choice
        What the rule chose, with naive figures.
    guarantee, missed_guarantee : Guarantee or None
        For the targets that were given.
    figures : mapping of str to Estimate
        Figures at the cutoff, as they look in these pairs.
    honest : mapping of str to HonestFigure
        The same, corrected for having been chosen on these pairs; empty where today's cutoff stays.
    stability : Stability
        Bootstrap distribution of the cutoff, guarantee included.
    grey_zone : GreyZone or None
        Two cutoffs instead of one, where both targets were given.
    held_out : HoldOut or None
        The rule's choice on a part of the pairs, with figures on the rest.
    probability : MatchProbability or None
        The probability of a match as a curve of the score; None where there are too few matches, others or
        JDs to try a curve on some that it was not fitted to.
    reliability : Reliability or None
        Whether those probabilities can be believed, cross-fitted.
    settings : mapping
        What :func:`calibrate` was asked for.
    live_weights : ndarray of float64, shape (n,), or None
        Of each of the `pairs`, where live scores were given; 0 for scores that do not occur live.
    """

    cutoff: Cutoff
    basis: Literal["guarantee", "rule", "none"]
    pairs: pd.DataFrame
    observations: Observations
    counts: Counts
    sweep: pd.DataFrame
    bands: pd.DataFrame
    verdict: Verdict | None
    rule: Rule
    choice: Choice
    guarantee: Guarantee | None
    missed_guarantee: Guarantee | None
    figures: Mapping[FigureName, Estimate]
    honest: Mapping[FigureName, HonestFigure]
    stability: Stability
    grey_zone: GreyZone | None
    held_out: HoldOut | None
    probability: MatchProbability | None
    reliability: Reliability | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    live_weights: FloatArray | None = None

    @property
    def current_cutoff(self) -> float | None:
        """The cutoff in use before."""
        return None if self.verdict is None else self.verdict.cutoff

    @property
    def prevalence(self) -> float:
        """Share of matches that the figures are for: live if it was given, else weighted as labelled."""
        return self.counts.prevalence

    @property
    def flips(self) -> pd.DataFrame:
        """Pairs whose decision is another one at the new cutoff than at today's, with their texts."""
        before = self.cutoff.value if self.current_cutoff is None else self.current_cutoff
        columns = {"score": self.settings["score"], "label": self.settings["label"]}
        return flips(self.pairs, before, self.cutoff.value, **columns)

    def summary(self, language: str = "en") -> str:
        """All that was found, in some sentences, one a line."""
        return report_text.summary(self, language)

    def __repr__(self) -> str:
        return self.summary("en")

    def _repr_html_(self) -> str:
        return report_text.html(self)

    def plot(self) -> Any:
        """The study as one figure: :func:`workbench.plots.plot_study`."""
        # The one place that looks up to the plots, by name, as pandas does with its plotting backend.
        return import_module("workbench.plots").plot_study(self)

    def to_dict(self) -> dict[str, Any]:
        """The card that :meth:`save` writes."""
        return self.cutoff.to_dict()

    def save(self, path: str | Path) -> Path:
        """Write the cutoff card.

        Raises
        ------
        InputError
            If no cutoff does what was asked for, so that there is nothing to put on a card.
        """
        if self.basis == "none":
            raise InputError(
                f"There is no cutoff to save: {self.choice.sentence()} Lower the target, label more pairs, "
                "or try another encoder."
            )
        return self.cutoff.save(path)


def calibrate(
    scored: pd.DataFrame,
    *,
    target_precision: float | None = None,
    target_missed: float | None = None,
    rule: Rule | None = None,
    confidence: float = 0.95,
    current_cutoff: float | Cutoff | None = LITERATURE_CUTOFF,
    prevalence: float | None = None,
    live_scores: npt.ArrayLike | None = None,
    cluster: str | None = AUTO,
    weight: str | None = AUTO,
    score: str = "score",
    label: str = "label",
    dependence: Dependence = "auto",
    held_out: float | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    encoder: NamedEncoder | None = None,
) -> Study:
    """Find a cutoff on labelled, scored pairs, and say how sure it is.

    First today's cutoff is tested as it stands. Then the smallest cutoff that can be guaranteed to
    reach the target precision is looked for (or, with `target_missed` alone, the largest one that
    keeps the missed share). Where these labels guarantee none, the cutoff is the one that merely looks
    as if it met the target, and the study says so, and how many more labels are needed.

    Parameters
    ----------
    scored : DataFrame
        One row a pair, with the columns `score` and `label` (0 or 1); perhaps `jd_id` or `jd`, `weight`
        or `inclusion_probability`, and texts. ``scored.attrs`` may hold ``encoder`` (a mapping with
        ``name`` and ``fingerprint``), ``resolution``, ``cleaning``, ``source`` for the card.
    target_precision : float, optional
        Share of pairs above the cutoff that shall be matches at least.
    target_missed : float, optional
        Share of pairs at or below it that shall be matches at most (false omission rate). Where neither
        this nor `target_precision` nor `rule` is given, targets are what is claimed for 0.4: 0.893 and
        0.06.
    rule : Rule, optional
        Choose by this rule instead, such as ``MaxFBeta()`` or ``Capacity(200, 1600)``; guarantees for
        targets are then reported, but do not decide.
    confidence : float
        Of guarantees (one-sided) and intervals (two-sided).
    current_cutoff : float, Cutoff or None
        The cutoff in use.
    prevalence : float, optional
        Share of matches among live pairs, where labelled pairs are no fair sample (label shift).
    live_scores : array-like of float, optional
        Scores of live pairs instead: labelled pairs are weighted to be spread like them.
    cluster, weight, score, label : str
        Columns; see :meth:`Observations.from_frame`.
    dependence : {"auto", "independent", "effective", "one_per_cluster"}
        See :func:`~workbench.calibration.guarantee.guarantee_precision`.
    held_out : float, optional
        Also let the rule choose on the rest of the pairs, and report figures on this share of them.
    n_resamples, seed : int
        Of the bootstrap.
    encoder : Encoder, optional
        The one that scored the pairs; for the card.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If the pairs cannot be calibrated on: columns, values, one class only; or a target is no share.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(500) < 0.4
    >>> scores = np.where(labels, rng.beta(8, 4, 500), rng.beta(3, 8, 500))
    >>> study = calibrate(pd.DataFrame({"score": scores, "label": labels}), target_precision=0.89)
    >>> study.basis, study.verdict.answer
    ('guarantee', 'moved')
    """
    if prevalence is not None and live_scores is not None:
        raise InputError(
            "prevalence and live_scores correct for different things (label shift, covariate shift), and "
            "live scores imply a prevalence; give one of them."
        )
    observations = Observations.from_frame(scored, score=score, label=label, weight=weight, cluster=cluster)
    observations.require_both_classes()
    live, live_weighted = None, None
    if live_scores is not None:
        reweighted = live_weights(observations, live_scores)
        observations = reweighted.apply(observations)
        observations.require_both_classes()
        live_weighted = reweighted.weights
        live = {"share_outside": reweighted.share_outside, "n_unused": reweighted.n_unused}
    if target_precision is None and target_missed is None and rule is None:
        target_precision, target_missed = CLAIMED_PRECISION, CLAIMED_MISSED
    today = float(current_cutoff) if current_cutoff is not None else None
    asked: dict[str, Any] = {"prevalence": prevalence, "confidence": confidence}
    tested = asked | {"dependence": dependence}

    found = None
    if today is not None:
        by_pairs: Dependence = "auto" if dependence == "one_per_cluster" else dependence
        found = verdict(
            observations,
            today,
            target_precision=target_precision,
            target_missed=target_missed,
            **asked,
            dependence=by_pairs,
        )
    precision = missed = None
    if target_precision is not None:
        precision = guarantee_precision(observations, target_precision, **tested, seed=seed)
    if target_missed is not None:
        missed = guarantee_missed(observations, target_missed, **tested, seed=seed)
    chosen_by = rule or _rule_for(target_precision, target_missed)
    counts = count(observations).at_prevalence(prevalence)
    choice = choose(counts, chosen_by, confidence=confidence)

    leading = None if rule is not None else precision if precision is not None else missed
    if leading is not None and leading.cutoff is not None:
        value, basis = leading.cutoff, "guarantee"
    elif choice.cutoff is not None:
        value, basis = choice.cutoff, "rule"
    else:
        value, basis = today if today is not None else LITERATURE_CUTOFF, "none"

    resamples = resample(
        observations,
        n_resamples=n_resamples,
        seed=seed,
        prevalence=prevalence,
        including=[value],
        out_of_bag=len(observations) <= OUT_OF_BAG_UP_TO,
    )
    procedure = whole_procedure(observations, resamples.cutoffs, leading, chosen_by, dependence)
    figures = figures_at(
        observations,
        value,
        **asked,
        beta=chosen_by.f_beta,
        costs=chosen_by.costs,
        n_resamples=n_resamples,
        seed=seed,
    )
    zone = on_the_rest = None
    if target_precision is not None and target_missed is not None:
        zone = grey_zone(observations, target_precision, target_missed, **tested, seed=seed)
    if held_out is not None:
        on_the_rest = hold_out(observations, chosen_by, share=held_out, seed=seed, **asked)
    curve, believed = _probability(observations, asked, seed)
    study = Study(
        cutoff=Cutoff(min(max(value, -1.0), 1.0)),
        basis=basis,  # type: ignore[arg-type]
        pairs=scored,
        observations=observations,
        counts=counts,
        sweep=tabulate(counts, beta=chosen_by.f_beta, costs=chosen_by.costs, confidence=confidence),
        bands=bands(resamples, confidence=confidence, beta=chosen_by.f_beta),
        verdict=found,
        rule=chosen_by,
        choice=choice,
        guarantee=precision,
        missed_guarantee=missed,
        figures=figures,
        honest={}
        if basis == "none"
        else honest_figures(observations, procedure, resamples, cutoff=value, naive=figures),
        stability=stability(resamples, procedure, counts, value, confidence=confidence),
        grey_zone=zone,
        held_out=on_the_rest,
        probability=curve,
        reliability=believed,
        settings={
            "target_precision": target_precision,
            "target_missed": target_missed,
            "confidence": confidence,
            "prevalence": prevalence,
            "live_scores": live,
            "dependence": dependence,
            "n_resamples": n_resamples,
            "resampled_by": resamples.by,
            "seed": seed,
            "score": score,
            "label": label,
        },
        live_weights=live_weighted,
    )
    return evidence.with_card(study, encoder)


def _probability(
    observations: Observations, asked: Mapping[str, Any], seed: int
) -> tuple[MatchProbability | None, Reliability | None]:
    try:
        curve = fit_probability(observations, **asked, seed=seed)
    except InputError:
        # Too few of something to leave some out; a cutoff can still be looked for.
        return None, None
    assert curve.cross_fit is not None
    said = curve.cross_fit.probability
    return curve, reliability(observations, said, confidence=asked["confidence"], seed=seed)


def _rule_for(target_precision: float | None, target_missed: float | None) -> Rule:
    if target_precision is not None:
        return TargetPrecision(target_precision)
    return TargetMissed(CLAIMED_MISSED if target_missed is None else target_missed)
