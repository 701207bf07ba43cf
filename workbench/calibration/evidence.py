"""The evidence of a cutoff: found out, written on its card, and read as what the card promises.

The card's file and its digest are in :mod:`workbench.cutoffs`.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.calibration.advice import Advice
from workbench.calibration.at_cutoff import figures_at
from workbench.calibration.bootstrap import bands, resample
from workbench.calibration.counts import Counts, check_share
from workbench.calibration.drawn_curves import DrawnCurves, draw_curves
from workbench.calibration.findings import Study
from workbench.calibration.observations import Observations
from workbench.calibration.optimism import chosen_again, hold_out, honest_figures, stability
from workbench.calibration.options import NamedEncoder, Options
from workbench.calibration.pair_kinds import PairKinds
from workbench.calibration.prevalence import class_means
from workbench.calibration.probability import MatchProbability, fit_probability
from workbench.calibration.reliability_diagram import Reliability, reliability
from workbench.calibration.reweighting import LiveWeights
from workbench.calibration.shift import score_profile
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import number
from workbench.pair_hashes import content_hash
from workbench.results import Result, plain
from workbench.settings import LITERATURE_CUTOFF

# What has a say in the figures.
PACKAGES = ("jd-resume-workbench", "numpy", "pandas", "scipy", "scikit-learn")

Promised = Literal["precision", "false_omission_rate"]


def gather(
    used: tuple[pd.DataFrame, PairKinds | None],
    observed: tuple[Observations, LiveWeights | None],
    counts: Counts,
    advice: Advice,
    asked: Options,
) -> Study:
    """Find out what is to be known of a cutoff, and write it on its card.

    Parameters
    ----------
    used : tuple of DataFrame and PairKinds
        The scored pairs that are calibrated on; of which kind they are.
    observed, counts, advice
        What the steps before have found, of :func:`~workbench.calibration.study.calibrate`.
    asked : Options

    Raises
    ------
    InputError
        If the pairs say that another encoder scored them than the one given.
    """
    (pairs, kinds), (observations, live) = used, observed
    rule = asked.chooses_by
    today = LITERATURE_CUTOFF if asked.today is None else asked.today
    cutoff = today if advice.cutoff is None else advice.cutoff
    scored_by = _encoder(pairs, asked.encoder)
    curve, believed = _probability(observations, asked)
    figures = figures_at(observations, cutoff, **asked.live, **asked.drawn, **asked.told)
    resamples = resample(observations, **asked.drawn, prevalence=asked.prevalence, including=[cutoff])
    banded = bands(resamples, confidence=asked.confidence, beta=rule.f_beta)
    picked = chosen_again(observations, resamples, advice.guarantees, rule, asked.dependence)
    moves = stability(resamples, picked, counts, cutoff, confidence=asked.confidence)
    honest = {}
    if advice.kind == "move":
        honest = honest_figures(observations, resamples, picked, figures, beta=rule.f_beta)
    on_the_rest = None
    if asked.held_out is not None:
        on_the_rest = hold_out(observations, rule, share=asked.held_out, seed=asked.seed, **asked.live)
    study = Study(
        advice=advice,
        cutoff=Cutoff(min(max(cutoff, -1.0), 1.0)),
        options=asked,
        pairs=pairs,
        kinds=kinds,
        observations=observations,
        live=live,
        counts=counts,
        bands=banded,
        figures=figures,
        honest=honest,
        stability=moves,
        held_out=on_the_rest,
        probability=curve,
        reliability=believed,
    )
    return with_card(study, scored_by)


def with_card(study: Study, scored_by: Mapping[str, Any]) -> Study:
    """The study, its cutoff carrying the encoder that it is valid for, and the evidence."""
    name, fingerprint, frozen = (scored_by.get(key) for key in ("name", "fingerprint", "frozen"))
    if study.advice.cutoff is None:
        # Today's cutoff was measured, and found wanting; it is not calibrated for this encoder.
        name = fingerprint = frozen = None
    cutoff = Cutoff(study.cutoff.value, name, fingerprint, _evidence(study, scored_by), frozen or "")
    return replace(study, cutoff=cutoff)


@dataclass(frozen=True)
class Promise(Result):
    """One figure that a card stands for.

    Attributes
    ----------
    figure : {"precision", "false_omission_rate"}
    value : float
        Precision at least, or false omission rate at most, this much.
    source : {"guaranteed", "measured", "given"}
        A target that the card guarantees; the worse end of the interval that it measured, where it guarantees
        none; or what the caller gave instead.
    """

    figure: Promised
    value: float
    source: Literal["guaranteed", "measured", "given"]


def promises_of(
    card: Cutoff, *, target_precision: float | None = None, target_missed: float | None = None
) -> tuple[Promise, ...]:
    """Precision and false omission rate that a card promises at its cutoff, for its prevalence.

    Parameters
    ----------
    card : Cutoff
    target_precision, target_missed : float, optional
        Take these instead of what the card says; where one is given, the other is not looked up.

    Returns
    -------
    tuple of Promise

    Raises
    ------
    InputError
        If the card promises nothing and no target is given, or a target is no share.

    Examples
    --------
    >>> guaranteed = {"figure": "precision", "target": 0.9, "cutoff": 0.5}
    >>> promises_of(Cutoff(0.5, evidence={"guarantees": [guaranteed]}))
    (Promise(figure='precision', value=0.9, source='guaranteed'),)
    """
    if target_precision is not None or target_missed is not None:
        given = []
        if target_precision is not None:
            check_share(
                target_precision, "target_precision", _("the share of matches among pairs above the cutoff")
            )
            given.append(Promise("precision", float(target_precision), "given"))
        if target_missed is not None:
            check_share(
                target_missed, "target_missed", _("the share of matches among pairs at or below the cutoff")
            )
            given.append(Promise("false_omission_rate", float(target_missed), "given"))
        return tuple(given)
    figures: tuple[Promised, ...] = ("precision", "false_omission_rate")
    found = [_guaranteed(card, figure) or _measured(card, figure) for figure in figures]
    promises = tuple(promise for promise in found if promise is not None)
    if not promises:
        raise InputError(
            _(
                "The card of cutoff {cutoff} promises no precision and no missed share, so that nothing can "
                "be held against it; give target_precision or target_missed."
            ).format(cutoff=number(card.value))
        )
    return promises


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
    said = curve.cross_fitted
    return curve, reliability(observations, said, confidence=asked.confidence, seed=asked.seed)


def _encoder(pairs: pd.DataFrame, encoder: NamedEncoder | None) -> dict[str, Any]:
    noted = pairs.attrs.get("encoder") or {}
    if encoder is None:
        return dict(noted)
    if noted.get("fingerprint", encoder.fingerprint) != encoder.fingerprint:
        raise InputError(
            _(
                "These pairs were scored by {noted} [{noted_as}], not by {name} [{fingerprint}]; score them "
                "again with the encoder that the cutoff shall be for."
            ).format(
                noted=noted.get("name"),
                noted_as=noted["fingerprint"],
                name=encoder.name,
                fingerprint=encoder.fingerprint,
            )
        )
    more = {key: getattr(encoder, key, None) for key in ("instruction", "dimension", "recipe")}
    return {**noted, "name": encoder.name, "fingerprint": encoder.fingerprint, **more}


def _evidence(study: Study, scored_by: Mapping[str, Any]) -> dict[str, Any]:
    observations, notes, asked, live = study.observations, study.pairs.attrs, study.options, study.live
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "advice": study.advice,
        "basis": study.basis,
        "targets": {"precision": asked.target_precision, "missed": asked.target_missed},
        "method": {
            "rule": study.rule.to_dict(),
            "confidence": asked.confidence,
            "dependence": asked.dependence,
            "n_resamples": asked.n_resamples,
            "resampled_by": study.stability.by,
            "seed": asked.seed,
        },
        "pairs": {
            "content_hash": _hash(study.pairs, asked.score, asked.label),
            "n": len(observations),
            "n_matches": int(observations.labels.sum()),
            "n_jds": observations.n_clusters,
            "most_per_jd": _most_per_jd(observations, study.cutoff.value),
            "weighted": observations.weights is not None,
            "prevalence_labelled": float(observations.labels.mean()),
            "source": notes.get("source"),
            "kinds": study.kinds,
            "reading": notes.get("reading"),
            "resolution": notes.get("resolution"),
        },
        "live": {
            "prevalence": study.prevalence,
            "given": "scores" if live else None if asked.prevalence is None else "prevalence",
            "scores": live and {"share_outside": live.share_outside, "n_unused": live.n_unused},
        },
        "scores": score_profile(observations),
        "cleaning": notes.get("cleaning"),
        "encoder": {key: scored_by.get(key) for key in ("instruction", "dimension", "recipe")},
        "figures": study.figures,
        "honest": study.honest,
        "choice": study.advice.choice,
        "guarantees": [each for each in (study.guarantee, study.missed_guarantee) if each is not None],
        "stability": study.stability,
        "verdict": study.verdict,
        "n_flips": len(study.flips),
        "grey_zone": study.grey_zone,
        "held_out": study.held_out,
        "probability": study.probability,
        "curves": None if study.probability is None else _curves(study),
        "class_means": class_means(observations),
        "reliability": study.reliability,
        "versions": {"python": platform.python_version(), **_versions()},
    }
    return dict(plain(found))


def _curves(study: Study) -> DrawnCurves:
    """What an estimate without labels puts together with live scores."""
    return draw_curves(study.observations, prevalence=study.options.prevalence, seed=study.options.seed)


def _most_per_jd(observations: Observations, cutoff: float) -> dict[str, int]:
    """Pairs of one JD on each side of the cutoff at most: what a sequential check bounds its bets by."""
    above = observations.scores > cutoff
    sides = {"above": above, "below": ~above}
    if observations.clusters is None:
        return dict.fromkeys(sides, 1)
    return {
        name: int(np.bincount(observations.clusters[side]).max(initial=1)) for name, side in sides.items()
    }


def _hash(pairs: pd.DataFrame, score: str, label: str) -> str:
    if {"jd", "resume", "label"} <= set(pairs.columns):
        return content_hash(pairs)
    # Without texts, scores and labels are all there is to tell one set from another.
    values = [pairs[column].to_numpy(np.float64) for column in (score, label)]
    order = np.lexsort(values[::-1])
    return "sha256:" + hashlib.sha256(b"".join(each[order].tobytes() for each in values)).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _guaranteed(card: Cutoff, figure: Promised) -> Promise | None:
    for found in card.evidence.get("guarantees") or []:
        at = found.get("cutoff")
        if found.get("figure") != figure or at is None:
            continue
        # Stricter cutoffs were tested on the way to the one that is guaranteed.
        holds = card.value >= at - 1e-12 if figure == "precision" else card.value <= at + 1e-12
        if holds:
            return Promise(figure, _carried(card, figure, float(found["target"])), "guaranteed")
    tested = card.evidence.get("verdict") or {}
    for test in tested.get("tests", []) if tested.get("cutoff") == card.value else []:
        # A cutoff that was kept was shown to meet its targets as it stood.
        if test["figure"] == figure and test["answer"] == "met":
            return Promise(figure, _carried(card, figure, float(test["target"])), "guaranteed")
    return None


def _measured(card: Cutoff, figure: Promised) -> Promise | None:
    """The worse end of the card's interval: corrected for the choice where it could be."""
    worse = "low" if figure == "precision" else "high"
    for table in ("honest", "figures"):
        figures: Mapping[str, Any] = card.evidence.get(table) or {}
        end = (figures.get(figure) or {}).get(worse)
        if end is not None and 0 < end < 1:
            return Promise(figure, _carried(card, figure, float(end)), "measured")
    return None


def _carried(card: Cutoff, figure: Promised, share: float) -> float:
    """A promise at the prevalence that the card is used at: at the end of its interval that promises less."""
    _value, low, high = card.carried(share, share, share)
    return float(low if figure == "precision" else high)
