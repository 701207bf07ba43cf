from .annotations import AnnotationLog
from .annotator_agreement import Agreement, agreement
from .argilla import argilla_users, read_argilla, to_argilla, write_argilla
from .checks import PairsError, Problem
from .forecasting import assumed_scores, chance_of_a_cutoff, chances_table, everyday_scores
from .label_studio import (
    label_studio_config,
    read_label_studio,
    to_label_studio,
    write_label_studio,
)
from .noise import LabelNoise, label_noise, measurable_precision, simulate_label_noise
from .planning import Plan, labels_for_half_width, live_like_pool, plan, simulate_labelling
from .proposing import combine_batches, propose
from .reading import read_annotations, read_pairs
from .resolution import Resolution, disagreements, resolve
from .scoring import pair_vectors, score_pairs
from .writing import LabelledSet, working_copy, write_pairs

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
    "assumed_scores",
    "chance_of_a_cutoff",
    "chances_table",
    "combine_batches",
    "disagreements",
    "everyday_scores",
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
