"""Labelled pairs: reading and checking them, how far people agree, what to label next, exchange of formats.

Frames in, frames and results out; nothing here imports an encoder. Names are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Agreement": "workbench.pairs.annotator_agreement",
    "AnnotationLog": "workbench.pairs.annotation_log",
    "LabelNoise": "workbench.pairs.noise",
    "LabelledSet": "workbench.pairs.exchange",
    "PairsError": "workbench.pairs.problems",
    "Plan": "workbench.pairs.planning",
    "Problem": "workbench.pairs.problems",
    "Resolution": "workbench.pairs.resolution",
    "agreement": "workbench.pairs.annotator_agreement",
    "argilla_users": "workbench.pairs.argilla",
    "combine_batches": "workbench.pairs.proposing",
    "content_hash": "workbench.pair_hashes",
    "disagreements": "workbench.pairs.disputes",
    "from_argilla": "workbench.pairs.argilla",
    "from_label_studio": "workbench.pairs.label_studio",
    "label_noise": "workbench.pairs.noise",
    "label_studio_config": "workbench.pairs.label_studio",
    "labels_for_half_width": "workbench.pairs.planning",
    "measurable_precision": "workbench.pairs.noise",
    "live_like_pool": "workbench.pairs.simulation",
    "pair_vectors": "workbench.pairs.scoring",
    "plan": "workbench.pairs.planning",
    "propose": "workbench.pairs.proposing",
    "read_annotations": "workbench.pairs.reading",
    "read_argilla": "workbench.pairs.argilla",
    "read_label_studio": "workbench.pairs.label_studio",
    "read_pairs": "workbench.pairs.reading",
    "resolve": "workbench.pairs.resolution",
    "score_pairs": "workbench.pairs.scoring",
    "simulate_label_noise": "workbench.pairs.simulation",
    "simulate_labelling": "workbench.pairs.simulation",
    "to_argilla": "workbench.pairs.argilla",
    "to_label_studio": "workbench.pairs.label_studio",
    "working_copy": "workbench.pairs.writing",
    "write_argilla": "workbench.pairs.argilla",
    "write_label_studio": "workbench.pairs.label_studio",
    "write_pairs": "workbench.pairs.writing",
}

__all__ = [
    "Agreement",
    "AnnotationLog",
    "LabelNoise",
    "LabelledSet",
    "PairsError",
    "Plan",
    "Problem",
    "Resolution",
    "agreement",
    "argilla_users",
    "combine_batches",
    "content_hash",
    "disagreements",
    "from_argilla",
    "from_label_studio",
    "label_noise",
    "label_studio_config",
    "labels_for_half_width",
    "live_like_pool",
    "measurable_precision",
    "pair_vectors",
    "plan",
    "propose",
    "read_annotations",
    "read_argilla",
    "read_label_studio",
    "read_pairs",
    "resolve",
    "score_pairs",
    "simulate_label_noise",
    "simulate_labelling",
    "to_argilla",
    "to_label_studio",
    "working_copy",
    "write_argilla",
    "write_label_studio",
    "write_pairs",
]

if TYPE_CHECKING:
    from workbench.pair_hashes import content_hash
    from workbench.pairs.annotation_log import AnnotationLog
    from workbench.pairs.annotator_agreement import Agreement, agreement
    from workbench.pairs.argilla import argilla_users, from_argilla, read_argilla, to_argilla, write_argilla
    from workbench.pairs.disputes import disagreements
    from workbench.pairs.exchange import LabelledSet
    from workbench.pairs.label_studio import (
        from_label_studio,
        label_studio_config,
        read_label_studio,
        to_label_studio,
        write_label_studio,
    )
    from workbench.pairs.noise import LabelNoise, label_noise, measurable_precision
    from workbench.pairs.planning import Plan, labels_for_half_width, plan
    from workbench.pairs.problems import PairsError, Problem
    from workbench.pairs.proposing import combine_batches, propose
    from workbench.pairs.reading import read_annotations, read_pairs
    from workbench.pairs.resolution import Resolution, resolve
    from workbench.pairs.scoring import pair_vectors, score_pairs
    from workbench.pairs.simulation import live_like_pool, simulate_label_noise, simulate_labelling
    from workbench.pairs.writing import working_copy, write_pairs


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.pairs' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
