"""Encoders (instructions, dimensions, precisions) compared on the same pairs, each at its own cutoff.

"Is 4B worth it over 0.6B": the difference with its interval, how many decisions flip, and what it costs.
The figures are in :mod:`workbench.calibration.comparing_figures`, AUC differences in
:mod:`workbench.calibration.difference_tests`, the sentences in :mod:`workbench.calibration.comparing_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.comparing_figures import OwnCutoff, figures_once, paired_draws
from workbench.calibration.comparison import Comparison, Standing
from workbench.calibration.counts import check_share, count
from workbench.calibration.difference_tests import delong
from workbench.calibration.differences import cutoff_interval, differences
from workbench.calibration.observations import AUTO, Observations
from workbench.calibration.rules import MaxFBeta, Rule, TargetPrecision
from workbench.errors import InputError

__all__ = ["Comparison", "Standing", "compare", "compare_scored"]

# What must be the same in frames of scored pairs, as far as they have it.
SAME = ("pair_id", "jd_id", "jd", "resume", "label", "weight", "inclusion_probability")


def compare(
    scores: Mapping[str, npt.ArrayLike] | pd.DataFrame,
    labels: npt.ArrayLike,
    *,
    clusters: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    baseline: str | None = None,
    target_precision: float | None = None,
    rule: Rule | None = None,
    cutoffs: Mapping[str, float] | None = None,
    at_recall: float = 0.8,
    milliseconds: Mapping[str, float] | None = None,
    prevalence: float | None = None,
    margin: float = 0.01,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare encoders on the same labelled pairs.

    Scores of different encoders lie on different scales, so that each has its own cutoff, chosen by one
    rule. Figures at it are corrected for having been chosen on these pairs (optimism bootstrap), as those
    of :func:`~workbench.calibration.calibrate` are. Their intervals are for these very cutoffs on new
    pairs; where other labelled pairs would have put the cutoffs, their own intervals say.

    Parameters
    ----------
    scores : mapping of str to array-like of float, or DataFrame
        Scores of the same n pairs by each encoder, in the same order; two or more encoders.
    labels : array-like of {0, 1}, shape (n,)
    clusters : array-like, shape (n,), optional
        The JD of each pair; whole JDs are then resampled, and AUC differences are Obuchowski's.
    weights : array-like of float, shape (n,), optional
        Sampling weights; AUC differences then come from the bootstrap.
    baseline : str, optional
        What the others are compared with; the first by default.
    target_precision : float, optional
        Choose cutoffs by this precision; by the largest F1 if neither this nor `rule` is given.
    rule : Rule, optional
        Choose cutoffs by this rule instead.
    cutoffs : mapping of str to float, optional
        Cutoffs fixed beforehand (such as those of cards) for some encoders or all.
    at_recall : float
        The recall at which precisions are compared. Fixed beforehand: at a recall that one of the encoders
        chose on these pairs, that one would be favoured.
    milliseconds : mapping of str to float, optional
        What a text costs with each encoder.
    prevalence : float, optional
        Share of matches among live pairs, where it differs.
    margin : float
        A difference in AUC that does not matter.
    confidence : float
        Of intervals, each by itself, and of "better" and "worse" for all encoders at once.
    n_resamples, seed : int
        Of the paired bootstrap.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If there are fewer than two encoders, a name is unknown, or scores cannot be used (with the encoder).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(800) < 0.4
    >>> small = labels + 1.2 * rng.standard_normal(800)
    >>> large = labels + 0.6 * rng.standard_normal(800)
    >>> found = compare({"small": small, "large": large}, labels, n_resamples=200)
    >>> found.standing("large")
    'better'
    """
    check_share(confidence, "confidence", "the confidence of intervals")
    check_share(at_recall, "at_recall", "the recall at which precisions are compared")
    if not (np.isfinite(margin) and margin >= 0):
        raise InputError(
            f"margin is {margin!r}; it is a difference in AUC that does not matter, such as 0.01."
        )
    if n_resamples < 2:
        raise InputError(f"n_resamples is {n_resamples}; at least 2 are needed, 1000 are usual.")
    if rule is not None and target_precision is not None:
        raise InputError("Give either target_precision or rule, for each of them chooses the cutoffs.")
    encoders = _encoders(scores, labels, weights, clusters)
    names = _baseline_first(list(encoders), baseline, cutoffs or {}, milliseconds or {})
    encoders = {name: encoders[name] for name in names}
    chosen_by = rule or (MaxFBeta() if target_precision is None else TargetPrecision(target_precision))
    own = {
        name: _own_cutoff(name, pairs, chosen_by, cutoffs or {}, prevalence)
        for name, pairs in encoders.items()
    }
    drawn = paired_draws(encoders, own, at_recall, prevalence=prevalence, n_resamples=n_resamples, seed=seed)
    naive = {name: figures_once(pairs, own[name], at_recall, prevalence) for name, pairs in encoders.items()}
    some = encoders[names[0]]
    aucs = None
    if some.weights is None:
        aucs = delong(np.array([pairs.scores for pairs in encoders.values()]), some.labels, some.clusters)
        if np.isnan(aucs.covariance).any():
            aucs = None
    return Comparison(
        frame=differences(encoders, own, naive, drawn, aucs, prevalence=prevalence, confidence=confidence),
        decisions=_decisions(encoders, own),
        baseline=names[0],
        cutoffs={name: found.value for name, found in own.items()},
        cutoff_intervals={
            name: cutoff_interval(own[name], drawn[name].cutoffs, confidence) for name in names
        },
        at_recall=float(at_recall),
        milliseconds={name: float(cost) for name, cost in (milliseconds or {}).items()},
        margin=float(margin),
        confidence=float(confidence),
        n=len(some),
        n_matches=int(some.labels.sum()),
        n_units=some.n_clusters or len(some),
        by="pair" if some.clusters is None else "cluster",
        prevalence=some.prevalence if prevalence is None else float(prevalence),
        auc_method="bootstrap" if aucs is None else "DeLong" if some.clusters is None else "Obuchowski",
        rule=None if all(found.rule is None for found in own.values()) else chosen_by,
    )


def compare_scored(
    scored: Mapping[str, pd.DataFrame],
    *,
    score: str = "score",
    label: str = "label",
    cluster: str | None = AUTO,
    weight: str | None = AUTO,
    **options: Any,
) -> Comparison:
    """Compare encoders by frames of scored pairs, one an encoder.

    Parameters
    ----------
    scored : mapping of str to DataFrame
        Of :func:`~workbench.pairs.score_pairs`: the same pairs in the same order, scored by each encoder.
    score, label, cluster, weight : str
        Columns, as of :meth:`~workbench.calibration.observations.Observations.from_frame`.
    **options
        As of :func:`compare`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        As of :func:`compare`, and if the frames do not hold the same pairs, with the first that differs.

    Examples
    --------
    >>> pairs = pd.DataFrame({"jd": list("aabbcc"), "resume": list("uvwxyz"), "label": [1, 0, 1, 0, 1, 0]})
    >>> one = pairs.assign(score=[0.9, 0.2, 0.6, 0.5, 0.7, 0.3])
    >>> other = pairs.assign(score=[0.9, 0.2, 0.4, 0.5, 0.7, 0.8])
    >>> compare_scored({"one": one, "other": other}, n_resamples=100).cutoffs["one"]
    0.55
    """
    first: tuple[str, pd.DataFrame] | None = None
    scores = {}
    for name, frame in scored.items():
        pairs = Observations.from_frame(frame, score=score, label=label, weight=weight, cluster=cluster)
        scores[name] = pairs.scores
        if first is None:
            first, observations = (name, frame), pairs
        else:
            _require_same_pairs(first, (name, frame), (*SAME, label))
    if first is None:
        raise InputError("There are scores of 0 encoder(s); a comparison needs two or more.")
    return compare(
        scores, observations.labels, clusters=observations.clusters, weights=observations.weights, **options
    )


def _require_same_pairs(
    one: tuple[str, pd.DataFrame], other: tuple[str, pd.DataFrame], columns: tuple[str, ...]
) -> None:
    (name, pairs), (other_name, other_pairs) = one, other
    if len(pairs) != len(other_pairs):
        raise InputError(
            f"{name} scored {len(pairs)} pairs and {other_name} {len(other_pairs)}; encoders are compared on "
            "the same pairs: score one frame of pairs with each."
        )
    for column in dict.fromkeys(columns):
        if column in pairs.columns and column in other_pairs.columns:
            left, right = pairs[column].reset_index(drop=True), other_pairs[column].reset_index(drop=True)
            differ = np.flatnonzero(~((left == right) | (left.isna() & right.isna())))
            if len(differ):
                raise InputError(
                    f"{name} and {other_name} did not score the same pairs: column {column} differs in "
                    f"{len(differ)} of {len(pairs)} rows, the first at position {differ[0]}. Score one frame "
                    "of pairs with each encoder, and keep its order."
                )


def _encoders(
    scores: Mapping[str, npt.ArrayLike] | pd.DataFrame,
    labels: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    clusters: npt.ArrayLike | None,
) -> dict[str, Observations]:
    """The pairs with each encoder's scores, in an order that does not depend on that of the rows."""
    given = {str(name): values for name, values in scores.items()}
    if len(given) < 2:
        raise InputError(f"There are scores of {len(given)} encoder(s); a comparison needs two or more.")
    encoders = {}
    for name, values in given.items():
        try:
            encoders[name] = Observations(values, labels, weights, clusters)
        except InputError as error:
            raise InputError(f"Scores of {name}: {error}") from None
    some = next(iter(encoders.values()))
    some.require_both_classes()
    if (some.n_clusters or len(some)) < 2:
        raise InputError("All pairs are of one JD (cluster); pass no clusters, or pairs of several JDs.")
    keys = [encoders[name].scores for name in sorted(encoders)]
    clusters_of = np.zeros(len(some)) if some.clusters is None else some.clusters
    order = np.lexsort([*keys, some.labels, some.unit_weights, clusters_of])
    return {name: pairs.subset(order) for name, pairs in encoders.items()}


def _baseline_first(
    names: list[str], baseline: str | None, cutoffs: Mapping[str, float], costs: Mapping[str, float]
) -> list[str]:
    first = names[0] if baseline is None else baseline
    for what, named in (("baseline", [first]), ("cutoffs", cutoffs), ("milliseconds", costs)):
        unknown = [name for name in named if name not in names]
        if unknown:
            raise InputError(f"{what} names {unknown[0]!r}; the encoders are {', '.join(names)}.")
    return [first, *(name for name in names if name != first)]


def _own_cutoff(
    name: str, pairs: Observations, rule: Rule, fixed: Mapping[str, float], prevalence: float | None
) -> OwnCutoff:
    if name in fixed:
        if not np.isfinite(fixed[name]):
            raise InputError(f"The cutoff of {name} is {fixed[name]!r}; a cutoff is a finite number.")
        return OwnCutoff(float(fixed[name]))
    counts = count(pairs)
    index = int(rule.pick_at(counts, counts.at_prevalence(prevalence)))
    return OwnCutoff(None if index < 0 else float(counts.cutoffs[index]), rule)


def _decisions(encoders: Mapping[str, Observations], own: Mapping[str, OwnCutoff]) -> pd.DataFrame:
    rows = []
    for other, name in combinations(encoders, 2):
        pairs, at, at_other = encoders[name], own[name].value, own[other].value
        if at is None or at_other is None:
            continue
        now, before = pairs.scores > at, encoders[other].scores > at_other
        differ, right = now != before, now == (pairs.labels == 1)
        share = float(np.average(differ, weights=pairs.weights))
        rows.append(
            (name, other, int(differ.sum()), share, int((differ & right).sum()), int((differ & ~right).sum()))
        )
    return pd.DataFrame(rows, columns=["encoder", "other", "differ", "share", "better", "worse"])
