"""Encoders (instructions, dimensions, precisions) compared on the same pairs, each at its own cutoff.

"Is 4B better than 0.6B, at the cutoff each would use": by how much and how sure, and which decisions differ.
The figures are in :mod:`workbench.calibration.comparing_figures`, what is said of them in
:mod:`workbench.calibration.comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from workbench.calibration.choice import MaxFBeta, Rule, TargetPrecision
from workbench.calibration.comparing_figures import Measured, compared_figures, differences, measure
from workbench.calibration.comparison import FEW_OF_A_KIND, Comparison
from workbench.calibration.counts import check_share
from workbench.calibration.difference_tests import Aucs, delong
from workbench.calibration.observations import AUTO, Observations, check_column
from workbench.calibration.pair_kinds import PairKind, of_kind
from workbench.calibration.shares import share_with_size, wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

# What must be the same in frames of scored pairs, as far as they have it.
SAME = ("pair_id", "jd_id", "jd", "resume", "label", "weight", "inclusion_probability")
# What is told of AUC within groups, by the columns of a comparison.
IN_GROUPS = {
    "value": "auc",
    "low": "auc_low",
    "high": "auc_high",
    "difference": "difference",
    "difference_low": "difference_low",
    "difference_high": "difference_high",
}


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
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare encoders on the same labelled pairs.

    Scores of different encoders lie on different scales, so that each has its own cutoff, chosen by one
    rule, and chosen again in every resample: intervals know that other labelled pairs would have put it
    elsewhere. One figure says which encoder is better: what the rule leaves open (recall at a precision
    that is asked for, precision at a recall), else F1; all other figures are evidence beside it.

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
    milliseconds : mapping of str to float, optional
        What a text costs with each encoder.
    prevalence : float, optional
        Share of matches among live pairs, where it differs.
    confidence : float
        Of intervals, each by itself, and of "better" and "worse" for all encoders at once.
    n_resamples, seed : int
        Of the paired bootstrap.

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
    check_share(confidence, "confidence", _("the confidence of intervals"))
    if n_resamples < 2:
        raise InputError(
            _("n_resamples is {n}; at least 2 are needed, 1000 are usual.").format(n=n_resamples)
        )
    if rule is not None and target_precision is not None:
        raise InputError(_("Give either target_precision or rule, for each of them chooses the cutoffs."))
    encoders = _encoders(scores, labels, weights, clusters)
    names = _baseline_first(list(encoders), baseline, cutoffs or {}, milliseconds or {})
    encoders = {name: encoders[name] for name in names}
    chosen_by = rule or (MaxFBeta() if target_precision is None else TargetPrecision(target_precision))
    fixed = _fixed(cutoffs or {})
    measured = measure(encoders, chosen_by, fixed, prevalence=prevalence, n_resamples=n_resamples, seed=seed)
    aucs = _areas(list(encoders.values()))
    some = encoders[names[0]]
    # At cutoffs that were fixed, no rule has made precision or recall equal.
    figures = compared_figures(None if fixed else chosen_by)
    return Comparison(
        frame=differences(measured, figures, aucs, confidence),
        decisions=_decisions(measured, confidence),
        baseline=names[0],
        cutoffs={name: found.cutoff for name, found in measured.items()},
        cutoff_intervals={name: found.cutoff_interval(confidence) for name, found in measured.items()},
        milliseconds={name: float(cost) for name, cost in (milliseconds or {}).items()},
        confidence=float(confidence),
        n=len(some),
        n_matches=int(some.labels.sum()),
        n_units=some.n_clusters or len(some),
        by="pair" if some.clusters is None else "cluster",
        prevalence=some.prevalence if prevalence is None else float(prevalence),
        auc_method="bootstrap" if aucs is None else "DeLong" if some.clusters is None else "Obuchowski",
        rule=None if len(fixed) == len(names) else chosen_by,
    )


def compare_scored(
    scored: Mapping[str, pd.DataFrame],
    *,
    score: str = "score",
    label: str = "label",
    cluster: str | None = AUTO,
    weight: str | None = AUTO,
    kind: PairKind = "all",
    **options: Any,
) -> Comparison:
    """Compare encoders by frames of scored pairs, one an encoder.

    Parameters
    ----------
    scored : mapping of str to DataFrame
        Of :func:`~workbench.pairs.score_pairs`: the same pairs in the same order, scored by each encoder.
    score, label, cluster, weight : str
        Columns, as of :meth:`~workbench.calibration.observations.Observations.from_frame`.
    kind : {"everyday", "hard", "all"}
        Which pairs, where a column ``source`` says that some were composed to be hard.
    **options
        As of :func:`compare`.

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
    if not scored:
        raise _too_few(0)
    first, *others = scored.items()
    for other in others:
        _require_same_pairs(first, other, (*SAME, label))
    pairs = {
        name: Observations.from_frame(
            of_kind(frame, kind), score=score, label=label, weight=weight, cluster=cluster
        )
        for name, frame in scored.items()
    }
    some = pairs[first[0]]
    scores = {name: each.scores for name, each in pairs.items()}
    found = compare(scores, some.labels, clusters=some.clusters, weights=some.weights, **options)
    return replace(found, n_left_out=len(first[1]) - found.n)


def compare_by(
    scored: Mapping[str, pd.DataFrame],
    column: str,
    *,
    label: str = "label",
    n_resamples: int = 200,
    **options: Any,
) -> pd.DataFrame:
    """AUC of every encoder in every group, for one total can hide that all of them fail on the hard ones.

    Parameters
    ----------
    scored, label
        As of :func:`compare_scored`.
    column : str
        Names the groups, such as ``source`` or ``language``.
    n_resamples : int
    **options
        As of :func:`compare_scored`.

    Returns
    -------
    DataFrame
        One row a group and encoder: ``group, encoder, n, n_matches, auc, auc_low, auc_high, difference,
        difference_low, difference_high, enough`` (at least 10 matches and 10 others) and ``above_chance``
        (the interval of AUC lies above 0.5). Intervals are each by itself; AUC is NaN in a group of one
        class. Groups are in the order in which they appear, pairs without one last, as "–".

    Raises
    ------
    InputError
        If a frame has no such column, and as of :func:`compare_scored`.
    """
    whole = compare_scored(scored, label=label, **options, n_resamples=2)
    some = next(iter(scored.values()))
    check_column(some, column)
    groups = some[column].reset_index(drop=True)
    rows: list[dict[str, Any]] = []
    for value in sorted(groups.unique(), key=lambda each: bool(pd.isna(each))):
        members = (groups.isna() if pd.isna(value) else groups == value).to_numpy()
        parts = {name: frame[members] for name, frame in scored.items()}
        labels = parts[whole.baseline][label]
        n, n_matches = len(labels), int(labels.sum())
        found = None
        if 0 < n_matches < n:
            own = {**options, "baseline": whole.baseline, "n_resamples": n_resamples}
            found = compare_scored(parts, label=label, **own)
        for name in whole.encoders:
            row = dict.fromkeys(IN_GROUPS, np.nan) if found is None else found.row(name, "auc")
            rows.append(
                {
                    "group": "–" if pd.isna(value) else str(value),
                    "encoder": name,
                    "n": n,
                    "n_matches": n_matches,
                    **{key: row[known_as] for known_as, key in IN_GROUPS.items()},
                    "enough": min(n_matches, n - n_matches) >= FEW_OF_A_KIND,
                    "above_chance": bool(row["low"] > 0.5),
                }
            )
    return pd.DataFrame(rows)


def _require_same_pairs(
    one: tuple[str, pd.DataFrame], other: tuple[str, pd.DataFrame], columns: tuple[str, ...]
) -> None:
    (name, pairs), (other_name, other_pairs) = one, other
    if len(pairs) != len(other_pairs):
        raise InputError(
            _(
                "{encoder} scored {n} pairs and {other} {m}; encoders are compared on the same pairs: score "
                "one frame of pairs with each."
            ).format(encoder=name, n=len(pairs), other=other_name, m=len(other_pairs))
        )
    for column in dict.fromkeys(columns):
        if column in pairs.columns and column in other_pairs.columns:
            left, right = pairs[column].reset_index(drop=True), other_pairs[column].reset_index(drop=True)
            differ = np.flatnonzero(~((left == right) | (left.isna() & right.isna())))
            if len(differ):
                raise InputError(
                    _(
                        "{encoder} and {other} did not score the same pairs: column {column} differs in "
                        "{differ} of {n} rows, the first at position {first}. Score one frame of pairs with "
                        "each encoder, and keep its order."
                    ).format(
                        encoder=name,
                        other=other_name,
                        column=column,
                        differ=len(differ),
                        n=len(pairs),
                        first=differ[0],
                    )
                )


def _too_few(n: int) -> InputError:
    return InputError(
        ngettext(
            "There are scores of {n} encoder; a comparison needs two or more.",
            "There are scores of {n} encoders; a comparison needs two or more.",
            n,
        ).format(n=n)
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
        raise _too_few(len(given))
    encoders = {}
    for name, values in given.items():
        try:
            encoders[name] = Observations(values, labels, weights, clusters)
        except InputError as error:
            raise InputError(_("Scores of {encoder}: {error}").format(encoder=name, error=error)) from None
    some = next(iter(encoders.values()))
    some.require_both_classes()
    if (some.n_clusters or len(some)) < 2:
        raise InputError(_("All pairs are of one JD (cluster); pass no clusters, or pairs of several JDs."))
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
            raise InputError(
                _("{option} names {name!r}; the encoders are {encoders}.").format(
                    option=what, name=unknown[0], encoders=listed(names)
                )
            )
    return [first, *(name for name in names if name != first)]


def _fixed(cutoffs: Mapping[str, float]) -> dict[str, float]:
    for name, cutoff in cutoffs.items():
        if not np.isfinite(cutoff):
            raise InputError(
                _("The cutoff of {encoder} is {cutoff}; a cutoff is a finite number.").format(
                    encoder=name, cutoff=cutoff
                )
            )
    return {name: float(cutoff) for name, cutoff in cutoffs.items()}


def _areas(encoders: list[Observations]) -> Aucs | None:
    """Areas with their covariance; None where there are weights, or too few JDs to tell how they vary."""
    some = encoders[0]
    if some.weights is not None:
        return None
    aucs = delong(np.array([pairs.scores for pairs in encoders]), some.labels, some.clusters)
    return None if np.isnan(aucs.covariance).any() else aucs


def _decisions(measured: Mapping[str, Measured], confidence: float) -> pd.DataFrame:
    """Every two encoders at their own cutoffs: how many pairs they decide otherwise, and which is right."""
    rows = []
    for other, name in combinations(measured, 2):
        it, base = measured[name], measured[other]
        now, before = (each.pairs.scores > _or_none(each.cutoff) for each in (it, base))
        differ, match = now != before, it.pairs.labels == 1
        better, worse = int((differ & (now == match)).sum()), int((differ & (before == match)).sum())
        share, size = share_with_size(differ.astype(np.float64), it.pairs)
        low, high = wilson(share, size, confidence)
        rows.append(
            {
                "encoder": name,
                "other": other,
                "differ": better + worse,
                "share": share,
                "share_low": float(low),
                "share_high": float(high),
                "better": better,
                "worse": worse,
                "found": int((differ & now & match).sum()),
                "lost": int((differ & before & match).sum()),
                "p_value": binomtest(better, better + worse).pvalue if better + worse else 1.0,
            }
        )
    return pd.DataFrame(rows)


def _or_none(cutoff: float | None) -> float:
    """A cutoff above which no score lies, where there is none."""
    return np.inf if cutoff is None else cutoff
