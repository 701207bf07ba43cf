"""Encoders (instructions, dimensions, precisions) compared on the same pairs, each at its own cutoff.

"Is 4B worth it over 0.6B": the difference with its interval, how many decisions flip, and what it costs.
The figures are in :mod:`workbench.calibration.comparing_figures`, AUC differences in
:mod:`workbench.calibration.delong`, the sentences in :mod:`workbench.calibration.comparing_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.bootstrap import resample_with
from workbench.calibration.comparing_figures import (
    ComparedFigure,
    Matched,
    figures_in,
    paired_resamples,
)
from workbench.calibration.comparison import Comparison, Standing, differences
from workbench.calibration.counts import check_share, count
from workbench.calibration.delong import delong
from workbench.calibration.figures import figure
from workbench.calibration.observations import Observations
from workbench.calibration.rules import MaxFBeta, Rule, TargetPrecision
from workbench.errors import InputError

__all__ = ["Comparison", "Standing", "compare"]


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
    milliseconds: Mapping[str, float] | None = None,
    prevalence: float | None = None,
    margin: float = 0.01,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare encoders on the same labelled pairs.

    Scores of different encoders lie on different scales, so that each has its own cutoff, chosen by one
    rule. In every resample it is chosen again, so that intervals know of the choice; the figures at it
    are those of the pairs that chose it, and flatter all encoders alike.

    Parameters
    ----------
    scores : mapping of str to array-like of float, or DataFrame
        Scores of the same n pairs by each encoder; two or more.
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
    milliseconds : mapping of str to float, optional
        What a text costs with each encoder.
    prevalence : float, optional
        Share of matches among live pairs, where it differs.
    margin : float
        A difference in AUC that does not matter.
    confidence : float
        Of intervals, and of standings for all encoders at once.
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
    if rule is not None and target_precision is not None:
        raise InputError("Give either target_precision or rule, for each of them chooses the cutoffs.")
    encoders = _encoders(scores, labels, weights, clusters)
    first = baseline if baseline is not None else next(iter(encoders))
    for what, names in (
        ("baseline", [first]),
        ("cutoffs", cutoffs or {}),
        ("milliseconds", milliseconds or {}),
    ):
        unknown = [name for name in names if name not in encoders]
        if unknown:
            raise InputError(f"{what} names {unknown[0]!r}; the encoders are {', '.join(encoders)}.")
    names = [first, *(name for name in encoders if name != first)]
    chosen_by = rule or (MaxFBeta() if target_precision is None else TargetPrecision(target_precision))
    own: dict[str, Rule | float] = {
        name: float(cutoffs[name]) if cutoffs is not None and name in cutoffs else chosen_by for name in names
    }
    found = {name: _own_cutoff(encoders[name], own[name], prevalence) for name in names}
    matched = _matched(encoders[first], found[first], prevalence)

    values = {name: _once(encoders[name], found[name], matched, prevalence) for name in names}
    drawn = paired_resamples(
        {name: encoders[name] for name in names},
        own,
        matched,
        prevalence=prevalence,
        n_resamples=n_resamples,
        seed=seed,
    )
    some = encoders[first]
    aucs = None
    if some.weights is None:
        aucs = delong(np.array([encoders[name].scores for name in names]), some.labels, some.clusters)
        if np.isnan(aucs.covariance).any():
            aucs = None
    return Comparison(
        frame=differences(values, names, drawn, aucs, tuple(names), confidence),
        decisions=_decisions({name: encoders[name] for name in names}, found),
        baseline=first,
        cutoffs=found,
        matched=matched,
        milliseconds={name: float(cost) for name, cost in (milliseconds or {}).items()},
        margin=margin,
        confidence=confidence,
        n=len(some),
        n_matches=int(some.labels.sum()),
        by="pair" if some.clusters is None else "cluster",
        auc_method="bootstrap" if aucs is None else "DeLong" if some.clusters is None else "Obuchowski",
        rule=None if all(isinstance(each, float) for each in own.values()) else chosen_by,
        _aucs=aucs,
        _order=tuple(names),
        _drawn=drawn,
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
    n_units = some.n_clusters or len(some)
    if n_units < 2:
        raise InputError("All pairs are of one JD (cluster); pass no clusters, or pairs of several JDs.")
    keys = [encoders[name].scores for name in sorted(encoders)]
    clusters_of = np.zeros(len(some)) if some.clusters is None else some.clusters
    order = np.lexsort([*keys, some.labels, some.unit_weights, clusters_of])
    return {name: pairs.subset(order) for name, pairs in encoders.items()}


def _own_cutoff(pairs: Observations, own: Rule | float, prevalence: float | None) -> float | None:
    if isinstance(own, float):
        return own
    counts = count(pairs)
    index = int(own.pick_at(counts, counts.at_prevalence(prevalence)))
    return None if index < 0 else float(counts.cutoffs[index])


def _matched(pairs: Observations, cutoff: float | None, prevalence: float | None) -> Matched:
    """Recall and precision of the baseline at its own cutoff, where both are of use."""
    if cutoff is None:
        return Matched(None, None)
    at = count(pairs, [cutoff]).at_prevalence(prevalence)
    recall, precision = (
        float(figure(name, at.tp, at.fp, at.fn, at.tn)[0]) for name in ("recall", "precision")
    )
    return Matched(recall if 0 < recall < 1 else None, precision if 0 < precision < 1 else None)


def _once(
    pairs: Observations, cutoff: float | None, matched: Matched, prevalence: float | None
) -> dict[ComparedFigure, float]:
    """All figures in the labelled pairs themselves."""
    table = np.union1d(count(pairs).cutoffs, [] if cutoff is None else [cutoff])
    themselves = np.ones((1, len(pairs)), dtype=np.int64)
    once = resample_with(pairs, themselves, cutoffs=table, prevalence=prevalence)
    figures = figures_in(once, cutoff, matched)
    return {name: float(values[0]) for name, values in figures.items()}


def _decisions(encoders: Mapping[str, Observations], cutoffs: Mapping[str, float | None]) -> pd.DataFrame:
    rows = []
    for other, name in combinations(encoders, 2):
        pairs, at, at_other = encoders[name], cutoffs[name], cutoffs[other]
        if at is None or at_other is None:
            continue
        now, before = pairs.scores > at, encoders[other].scores > at_other
        differ, right = now != before, now == (pairs.labels == 1)
        share = float(np.average(differ, weights=pairs.weights))
        rows.append(
            (name, other, int(differ.sum()), share, int((differ & right).sum()), int((differ & ~right).sum()))
        )
    return pd.DataFrame(rows, columns=["encoder", "other", "differ", "share", "better", "worse"])
