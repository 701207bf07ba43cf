"""A calibration study: labelled pairs in, a cutoff with all its evidence out.

:func:`calibrate` names the five steps, which follow it in their order; what they find together is a
:class:`~workbench.calibration.findings.Study`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy.typing as npt
import pandas as pd

from workbench.calibration.at_cutoff import figures_at
from workbench.calibration.bootstrap import bands, resample
from workbench.calibration.choice import Choice, Rule, choose
from workbench.calibration.counts import Counts, count, tabulate
from workbench.calibration.evidence import with_card
from workbench.calibration.findings import NamedEncoder, Options, Study
from workbench.calibration.guarantee import Guarantee, guarantee_missed, guarantee_precision
from workbench.calibration.observations import AUTO, Observations
from workbench.calibration.optimism import hold_out, honest_figures
from workbench.calibration.probability import MatchProbability, fit_probability
from workbench.calibration.procedure import stability, whole_procedure
from workbench.calibration.reliability_diagram import Reliability, reliability
from workbench.calibration.reweighting import LiveWeights, live_weights
from workbench.calibration.shares import Dependence
from workbench.calibration.two_cutoffs import grey_zone
from workbench.calibration.verdicts import Verdict, verdict
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.settings import LITERATURE_CUTOFF

__all__ = ["calibrate"]


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
    options = Options(
        target_precision=target_precision,
        target_missed=target_missed,
        rule=rule,
        confidence=confidence,
        current_cutoff=current_cutoff,
        prevalence=prevalence,
        live_scores=live_scores,
        cluster=cluster,
        weight=weight,
        score=score,
        label=label,
        dependence=dependence,
        held_out=held_out,
        n_resamples=n_resamples,
        seed=seed,
        encoder=encoder,
    )
    observed = _observe(scored, options)
    swept = _sweep(observed, options)
    tested = _test_today(observed, options)
    chosen = _choose(observed, swept, options)
    return _gather(scored, observed, swept, tested, chosen, options)


@dataclass(frozen=True, eq=False)
class _Observed:
    """The pairs as arrays, weighted as live pairs are spread where live scores were given."""

    observations: Observations
    live: LiveWeights | None = None


@dataclass(frozen=True, eq=False)
class _Swept:
    """The table of truth, and as a frame with every figure."""

    counts: Counts
    frame: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The cutoff, and the guarantees and the choice that it comes from."""

    cutoff: float
    basis: Literal["guarantee", "rule", "none"]
    guarantee: Guarantee | None
    missed: Guarantee | None
    choice: Choice

    @property
    def leading(self) -> Guarantee | None:
        """The guarantee that comes before the rule."""
        return self.guarantee or self.missed


def _observe(scored: pd.DataFrame, asked: Options) -> _Observed:
    observations = Observations.from_frame(
        scored, score=asked.score, label=asked.label, weight=asked.weight, cluster=asked.cluster
    )
    observations.require_both_classes()
    if asked.live_scores is None:
        return _Observed(observations)
    live = live_weights(observations, asked.live_scores)
    reweighted = live.apply(observations)
    reweighted.require_both_classes()
    return _Observed(reweighted, live)


def _sweep(observed: _Observed, asked: Options) -> _Swept:
    counts = count(observed.observations).at_prevalence(asked.prevalence)
    rule = asked.chooses_by
    frame = tabulate(counts, beta=rule.f_beta, costs=rule.costs, confidence=asked.confidence)
    return _Swept(counts, frame)


def _test_today(observed: _Observed, asked: Options) -> Verdict | None:
    if asked.today is None:
        return None
    return verdict(
        observed.observations,
        asked.today,
        target_precision=asked.target_precision,
        target_missed=asked.target_missed,
        confidence=asked.confidence,
        prevalence=asked.prevalence,
        dependence="auto" if asked.dependence == "one_per_cluster" else asked.dependence,
    )


def _choose(observed: _Observed, swept: _Swept, asked: Options) -> _Chosen:
    choice = choose(swept.frame, asked.chooses_by)
    precision, missed = (
        None
        if target is None
        else guarantee(
            observed.observations,
            target,
            confidence=asked.confidence,
            prevalence=asked.prevalence,
            dependence=asked.dependence,
            seed=asked.seed,
        )
        for guarantee, target in (
            (guarantee_precision, asked.target_precision),
            (guarantee_missed, asked.target_missed),
        )
    )
    # A rule that was given decides by itself.
    leading = None if asked.rule is not None else precision or missed
    if leading is not None and leading.cutoff is not None:
        return _Chosen(leading.cutoff, "guarantee", precision, missed, choice)
    if choice.cutoff is not None:
        return _Chosen(choice.cutoff, "rule", precision, missed, choice)
    today = LITERATURE_CUTOFF if asked.today is None else asked.today
    return _Chosen(today, "none", precision, missed, choice)


def _gather(
    scored: pd.DataFrame,
    observed: _Observed,
    swept: _Swept,
    tested: Verdict | None,
    chosen: _Chosen,
    asked: Options,
) -> Study:
    observations, rule, cutoff = observed.observations, asked.chooses_by, chosen.cutoff
    drawn = {"n_resamples": asked.n_resamples, "seed": asked.seed}
    for_live = {"confidence": asked.confidence, "prevalence": asked.prevalence}
    resamples = resample(observations, **drawn, prevalence=asked.prevalence, including=[cutoff])
    leading = None if asked.rule is not None else chosen.leading
    procedure = whole_procedure(observations, resamples.cutoffs, leading, rule, asked.dependence)
    figures = figures_at(observations, cutoff, **for_live, **drawn, beta=rule.f_beta, costs=rule.costs)
    curve, believed = _probability(observations, asked)
    study = Study(
        cutoff=Cutoff(min(max(cutoff, -1.0), 1.0)),
        basis=chosen.basis,
        options=asked,
        pairs=scored,
        observations=observations,
        live=observed.live,
        counts=swept.counts,
        sweep=swept.frame,
        bands=bands(resamples, confidence=asked.confidence, beta=rule.f_beta),
        verdict=tested,
        rule=rule,
        choice=chosen.choice,
        guarantee=chosen.guarantee,
        missed_guarantee=chosen.missed,
        figures=figures,
        honest={}
        if chosen.basis == "none"
        else honest_figures(observations, procedure, resamples, cutoff=cutoff, naive=figures),
        stability=stability(resamples, procedure, swept.counts, cutoff, confidence=asked.confidence),
        grey_zone=None
        if asked.target_precision is None or asked.target_missed is None
        else grey_zone(
            observations,
            asked.target_precision,
            asked.target_missed,
            **for_live,
            dependence=asked.dependence,
            seed=asked.seed,
        ),
        held_out=None
        if asked.held_out is None
        else hold_out(observations, rule, share=asked.held_out, seed=asked.seed, **for_live),
        probability=curve,
        reliability=believed,
    )
    return with_card(study)


def _probability(
    observations: Observations, asked: Options
) -> tuple[MatchProbability | None, Reliability | None]:
    try:
        curve = fit_probability(
            observations, confidence=asked.confidence, prevalence=asked.prevalence, seed=asked.seed
        )
    except InputError:
        # Too few of something to leave some out; a cutoff can still be looked for.
        return None, None
    said = curve.cross_fit.probability
    return curve, reliability(observations, said, confidence=asked.confidence, seed=asked.seed)
