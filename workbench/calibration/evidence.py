"""What a cutoff card keeps of a study, as plain values that JSON can hold.

Only gathered here; the card's file and its digest are in :mod:`workbench.cutoffs`.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.calibration.shift import score_profile
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.pair_hashes import content_hash

if TYPE_CHECKING:
    from workbench.calibration.study import NamedEncoder, Study

__all__ = ["plain", "with_card"]

# What has a say in the figures.
PACKAGES = ("jd-resume-workbench", "numpy", "pandas", "scipy", "scikit-learn")


def with_card(study: Study, encoder: NamedEncoder | None) -> Study:
    """The study, its cutoff carrying the encoder that it is valid for, and the evidence.

    Raises
    ------
    InputError
        If the pairs say that another encoder scored them than the one given.
    """
    scored_by = _encoder(study.pairs, encoder)
    name, fingerprint = scored_by.get("name"), scored_by.get("fingerprint")
    if study.basis == "none":
        # Today's cutoff was measured, and found wanting; it is not calibrated for this encoder.
        name = fingerprint = None
    cutoff = Cutoff(study.cutoff.value, name, fingerprint, _evidence(study, scored_by))
    return replace(study, cutoff=cutoff)


def plain(value: Any) -> Any:
    """Mappings, lists, strings, numbers and None only; NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value


def _encoder(pairs: pd.DataFrame, encoder: NamedEncoder | None) -> dict[str, Any]:
    noted = pairs.attrs.get("encoder") or {}
    if encoder is None:
        return dict(noted)
    if noted.get("fingerprint", encoder.fingerprint) != encoder.fingerprint:
        raise InputError(
            f"These pairs were scored by {noted.get('name')} [{noted['fingerprint']}], not by {encoder.name} "
            f"[{encoder.fingerprint}]; score them again with the encoder that the cutoff shall be for."
        )
    more = {key: getattr(encoder, key, None) for key in ("instruction", "dimension", "recipe")}
    return {**noted, "name": encoder.name, "fingerprint": encoder.fingerprint, **more}


def _evidence(study: Study, scored_by: Mapping[str, Any]) -> dict[str, Any]:
    observations, notes, settings = study.observations, study.pairs.attrs, study.settings
    guarantees = [found.to_dict() for found in (study.guarantee, study.missed_guarantee) if found is not None]
    found: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "basis": study.basis,
        "targets": {"precision": settings["target_precision"], "missed": settings["target_missed"]},
        "method": {
            "rule": study.rule.to_dict(),
            "confidence": settings["confidence"],
            "dependence": settings["dependence"],
            "n_resamples": settings["n_resamples"],
            "resampled_by": settings["resampled_by"],
            "seed": settings["seed"],
        },
        "pairs": {
            "content_hash": _hash(study.pairs, settings["score"], settings["label"]),
            "n": len(observations),
            "n_matches": int(observations.labels.sum()),
            "n_jds": observations.n_clusters,
            "weighted": observations.weights is not None,
            "prevalence_labelled": float(observations.labels.mean()),
            "source": notes.get("source"),
            "reading": notes.get("reading"),
            "resolution": notes.get("resolution"),
        },
        "live": {
            "prevalence": study.prevalence,
            "given": "prevalence"
            if settings["prevalence"] is not None
            else "scores"
            if settings["live_scores"] is not None
            else None,
            "scores": settings["live_scores"],
        },
        "scores": score_profile(observations).to_dict(),
        "cleaning": notes.get("cleaning"),
        "encoder": {key: scored_by.get(key) for key in ("instruction", "dimension", "recipe")},
        "figures": {name: estimate.to_dict() for name, estimate in study.figures.items()},
        "honest": {name: figure.to_dict() for name, figure in study.honest.items()},
        "choice": study.choice.to_dict(),
        "guarantees": guarantees,
        "stability": study.stability.to_dict(),
        "verdict": None if study.verdict is None else study.verdict.to_dict(),
        "n_flips": len(study.flips),
        "grey_zone": None if study.grey_zone is None else study.grey_zone.to_dict(),
        "held_out": None if study.held_out is None else study.held_out.to_dict(),
        "probability": None if study.probability is None else study.probability.to_dict(),
        "reliability": None if study.reliability is None else study.reliability.to_dict(),
        "versions": {"python": platform.python_version(), **_versions()},
    }
    return dict(plain(found))


def _hash(pairs: pd.DataFrame, score: str, label: str) -> str:
    if {"jd", "resume", "label"} <= set(pairs.columns):
        return content_hash(pairs)
    # Without texts, scores and labels are all there is to tell one set from another.
    lines = sorted(f"{a!r} {b!r}" for a, b in zip(pairs[score].tolist(), pairs[label].tolist(), strict=True))
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
