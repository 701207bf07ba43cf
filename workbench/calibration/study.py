"""A calibration study: labelled pairs in, a cutoff with all its evidence out."""

from __future__ import annotations

from pathlib import Path

import numpy.typing as npt
import pandas as pd

from workbench.calibration.advice import advise
from workbench.calibration.choice import Rule
from workbench.calibration.counts import count
from workbench.calibration.evidence import gather
from workbench.calibration.findings import Study
from workbench.calibration.label_error import LabelError, LabelErrorLike
from workbench.calibration.observations import AUTO, Observations
from workbench.calibration.options import NamedEncoder, Options
from workbench.calibration.pair_kinds import PairKind, select
from workbench.calibration.reweighting import LiveWeights, live_weights
from workbench.calibration.scored_files import read_scores
from workbench.calibration.shares import Dependence
from workbench.cutoffs import Cutoff
from workbench.settings import LITERATURE_CUTOFF


def calibrate(
    scored: pd.DataFrame | str | Path,
    *,
    target_precision: float | None = None,
    target_missed: float | None = None,
    rule: Rule | None = None,
    pairs: PairKind = "everyday",
    confidence: float = 0.95,
    current_cutoff: float | Cutoff | None = LITERATURE_CUTOFF,
    prevalence: float | None = None,
    live_scores: npt.ArrayLike | None = None,
    cluster: str | None = AUTO,
    weight: str | None = AUTO,
    score: str = "score",
    label: str = "label",
    label_error: LabelErrorLike = None,
    dependence: Dependence = "auto",
    held_out: float | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    encoder: NamedEncoder | None = None,
) -> Study:
    """Find a cutoff on labelled, scored pairs, and say how sure it is.

    First today's cutoff is tested as it stands, and kept where it is shown to meet the targets. Else the
    smallest cutoff that can be guaranteed to reach the target precision is looked for (or, with
    `target_missed` alone, the largest one that keeps the missed share; with both targets, one that meets
    both at once, or two with people reading in between). Where these labels guarantee none, the advice is
    to adopt none, and how many more labels are needed: ``study.advice``.

    Parameters
    ----------
    scored : DataFrame, str or Path
        One row a pair, with the columns `score` and `label` (0 or 1); perhaps `jd_id` or `jd`, `weight`
        or `inclusion_probability`, and texts. ``scored.attrs`` may hold ``encoder`` (a mapping with
        ``name`` and ``fingerprint``), ``resolution``, ``cleaning``, ``source`` for the card. Or a Parquet
        file of millions of them: see :func:`~workbench.calibration.read_scores`.
    target_precision : float, optional
        Share of pairs above the cutoff that shall be matches at least.
    target_missed : float, optional
        Share of pairs at or below it that shall be matches at most (false omission rate). Where neither
        this nor `target_precision` nor `rule` is given, targets are what is claimed for 0.4: 0.893 and
        0.06.
    rule : Rule, optional
        Choose by this rule instead, such as ``MaxFBeta()`` or ``Capacity(200, 1600)``, without a guarantee;
        targets that are given beside it must be shown to be met where it chooses.
    pairs : {"everyday", "hard", "all"}
        Which pairs to calibrate on, where a column ``source`` says that some were composed to be hard
        (``hard``, or a word that ends in ``-hard``). These are shown apart; sets without any are used whole.
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
    label_error : float, pair of float, LabelError or "annotators", optional
        Up to this share of labels may be wrong (of non-matches labelled a match, of matches labelled none):
        the verdict and guarantees are then for true matches. ``"annotators"`` estimates it from the pairs
        that two people labelled. Without it, a match is a pair that is labelled a match.
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
    >>> study.advice
    Advice: Move to 0.5717: it meets the target, with 95 % confidence.
    """
    if not isinstance(scored, pd.DataFrame):
        scored = read_scores(scored, score=score, label=label, weight=weight, cluster=cluster)
    options = Options(
        target_precision=target_precision,
        target_missed=target_missed,
        rule=rule,
        pairs=pairs,
        confidence=confidence,
        current_cutoff=current_cutoff,
        prevalence=prevalence,
        live_scores=live_scores,
        cluster=cluster,
        weight=weight,
        score=score,
        label=label,
        label_error=LabelError.read(label_error, scored.attrs.get("resolution")),
        dependence=dependence,
        held_out=held_out,
        n_resamples=n_resamples,
        seed=seed,
        encoder=encoder,
    )
    used, kinds = select(scored, pairs, options.columns, confidence)
    observations, live = _observe(used, options)
    counts = count(observations).at_prevalence(options.prevalence)
    advice = advise(observations, counts, options)
    return gather((used, kinds), (observations, live), counts, advice, options)


def _observe(scored: pd.DataFrame, asked: Options) -> tuple[Observations, LiveWeights | None]:
    """The pairs as checked arrays, and the weights that they have by live scores, if there are any."""
    observations = Observations.from_frame(scored, **asked.columns)
    observations.require_both_classes()
    if asked.live_scores is None:
        return observations, None
    live = live_weights(observations, asked.live_scores)
    return live.apply(observations), live
