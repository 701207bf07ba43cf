"""Labelled pairs with their scores, checked once at the door, as arrays that all of calibration reads.

Everything that cannot be calibrated on is refused here with its position; nothing is dropped silently.
How pairs are read, agreed on and scored is not of this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError

__all__ = ["AUTO", "CountArray", "FloatArray", "IntArray", "Observations"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CountArray = npt.NDArray[np.floating[Any]]

AUTO = "auto"
CLUSTER_COLUMNS = ("jd_id", "jd")
WEIGHT_COLUMNS = ("weight", "inclusion_probability")


@dataclass(frozen=True, eq=False, repr=False)
class Observations:
    """Scores and labels of the same pairs, with sampling weights and the JD that each pair belongs to.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
        Finite; any scale, higher is more alike.
    labels : array-like of {0, 1}, shape (n,)
        1 for a match, 0 for none; booleans are taken too.
    weights : array-like of float, shape (n,), optional
        Sampling weights, 1 / probability of having been labelled; positive. Only ratios matter.
    clusters : array-like, shape (n,), optional
        What pairs share, normally the JD: pairs of one cluster are not independent of each other.
        Where every pair has a cluster of its own, this is the same as none.

    Raises
    ------
    InputError
        If lengths differ, there is no pair, a score is not finite, a label is not 0 or 1, a weight is
        not positive, or a cluster is missing; with the positions.

    Examples
    --------
    >>> Observations([0.9, 0.7, 0.2], [1, 1, 0])
    Observations(3 pairs, 2 matches, independent)
    >>> Observations([0.9, float("nan")], [1, 0])
    Traceback (most recent call last):
        ...
    workbench.errors.InputError: The score at position 1 is nan; every pair needs a finite score ...
    """

    scores: FloatArray
    labels: IntArray
    weights: FloatArray | None = None
    clusters: IntArray | None = None

    def __init__(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        clusters: npt.ArrayLike | Sequence[Any] | None = None,
    ) -> None:
        checked_scores = _numbers(scores, "score")
        n = len(checked_scores)
        if n == 0:
            raise InputError("There are no pairs; calibration needs scores with labels.")
        _refuse(
            checked_scores,
            ~np.isfinite(checked_scores),
            "score",
            "every pair needs a finite score (score the pairs again, or drop these rows)",
        )
        checked_labels = _numbers(labels, "label")
        _same_length("labels", len(checked_labels), n)
        _refuse(
            checked_labels,
            ~np.isin(checked_labels, (0, 1)),
            "label",
            "labels are 1 (match) or 0 (no match): resolve or drop pairs without a label, "
            "and turn grades into 0 and 1 first",
        )
        checked_weights = None
        if weights is not None:
            checked_weights = _numbers(weights, "weight")
            _same_length("weights", len(checked_weights), n)
            _refuse(
                checked_weights,
                ~(np.isfinite(checked_weights) & (checked_weights > 0)),
                "weight",
                "a sampling weight is 1 / (probability that the pair was labelled), a positive number",
            )
        codes = None if clusters is None else _codes(clusters, n)
        for name, value in (
            ("scores", checked_scores),
            ("labels", checked_labels.astype(np.int64)),
            ("weights", checked_weights),
            ("clusters", codes),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_frame(
        cls,
        scored: pd.DataFrame,
        *,
        score: str = "score",
        label: str = "label",
        weight: str | None = AUTO,
        cluster: str | None = AUTO,
    ) -> Observations:
        """Read the columns of a frame of scored pairs.

        Parameters
        ----------
        scored : DataFrame
            One row a pair.
        score, label : str
            Column names.
        weight : str, optional
            Column with sampling weights; ``"auto"`` takes `weight`, or 1 / `inclusion_probability`,
            where there is one.
        cluster : str, optional
            Column that says which pairs belong together; ``"auto"`` takes `jd_id`, else `jd`. Where
            all pairs are of one JD, they are taken as independent: figures then hold for that JD.

        Raises
        ------
        InputError
            If a column that was named is not there, or a value in it cannot be used.
        """
        for column in (score, label, *({weight, cluster} - {AUTO, None})):
            if column not in scored.columns:
                raise InputError(
                    f"The pairs have no column {column!r} (they have {', '.join(map(str, scored.columns))}); "
                    + ("score them first." if column == score else "name the column that holds it.")
                )
        return cls(
            scored[score],
            scored[label],
            _weights(scored, weight),
            _clusters(scored, cluster),
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        n_clusters = self.n_clusters
        shared = "independent" if n_clusters is None else f"{n_clusters} clusters"
        weighted = ", weighted" if self.weights is not None else ""
        return f"Observations({len(self)} pairs, {int(self.labels.sum())} matches, {shared}{weighted})"

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters; None where pairs are independent."""
        return None if self.clusters is None else int(self.clusters.max()) + 1

    @cached_property
    def unit_weights(self) -> FloatArray:
        """The weights, 1 where there are none; shape (n,)."""
        return np.ones(len(self)) if self.weights is None else self.weights

    @property
    def prevalence(self) -> float:
        """Share of matches, weighted."""
        return float(np.average(self.labels, weights=self.weights))

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """Positions from the lowest score to the highest.

        Ties are put in an order that depends on their values alone, so that shuffling the pairs changes
        no result, not even in the last digit.
        """
        keys: list[npt.NDArray[Any]] = [self.unit_weights, self.labels, self.scores]
        if self.clusters is not None:
            keys.insert(0, self.clusters)
        return np.lexsort(keys)

    def subset(self, mask: npt.ArrayLike) -> Observations:
        """The pairs where `mask` (bool, shape (n,)) is true, or those at its positions (int)."""
        at = np.asarray(mask)
        return Observations(
            self.scores[at],
            self.labels[at],
            None if self.weights is None else self.weights[at],
            None if self.clusters is None else self.clusters[at],
        )

    def with_weights(self, weights: npt.ArrayLike | None) -> Observations:
        """The same pairs with other weights."""
        return Observations(self.scores, self.labels, weights, self.clusters)

    def with_scores(self, scores: npt.ArrayLike) -> Observations:
        """The same pairs with other scores."""
        return Observations(scores, self.labels, self.weights, self.clusters)

    def require_both_classes(self) -> None:
        """Refuse pairs that are all matches or all none.

        Raises
        ------
        InputError
            If only one class is there.
        """
        matches = int(self.labels.sum())
        if matches in (0, len(self)):
            kind = "no match" if matches == 0 else "a match"
            raise InputError(
                f"All {len(self)} pairs are labelled as {kind}; where a match begins can only be found "
                "with pairs of both kinds. Label some of the other kind."
            )


def _numbers(values: npt.ArrayLike, what: str) -> FloatArray:
    try:
        if isinstance(values, pd.Series):
            array = values.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"The {what}s cannot be read as numbers: {error}.") from None
    if array.ndim != 1:
        raise InputError(f"The {what}s have shape {array.shape}; one {what} a pair is expected: shape (n,).")
    return array.copy()


def _same_length(what: str, length: int, n: int) -> None:
    if length != n:
        raise InputError(f"There are {n} scores but {length} {what}; there must be one of each for a pair.")


def _refuse(values: FloatArray, bad: npt.NDArray[np.bool_], what: str, advice: str) -> None:
    positions = np.flatnonzero(bad)
    if not len(positions):
        return
    first = positions[0]
    more = f" ({len(positions)} such pairs, the first at {', '.join(map(str, positions[:5]))})"
    raise InputError(
        f"The {what} at position {first} is {values[first]:g}; {advice}"
        + (more if len(positions) > 1 else "")
        + "."
    )


def _codes(clusters: npt.ArrayLike | Sequence[Any], n: int) -> IntArray | None:
    series = pd.Series(
        clusters if isinstance(clusters, pd.Series) else list(np.asarray(clusters, dtype=object))
    )
    _same_length("clusters", len(series), n)
    missing = np.flatnonzero(series.isna().to_numpy())
    if len(missing):
        raise InputError(
            f"The cluster at position {missing[0]} is missing ({len(missing)} in all); "
            "every pair needs the JD that it belongs to, or none of them."
        )
    # Sorted by value, so that the order of rows does not number the clusters.
    values = series.to_numpy()
    try:
        codes = pd.factorize(values, sort=True)[0]
    except TypeError:
        codes = pd.factorize(np.array([str(value) for value in values], dtype=object), sort=True)[0]
    return None if codes.max() + 1 == n else codes.astype(np.int64)


def _weights(scored: pd.DataFrame, weight: str | None) -> pd.Series | None:
    if weight == AUTO:
        weight = next((name for name in WEIGHT_COLUMNS if name in scored.columns), None)
    if weight is None:
        return None
    return 1.0 / scored[weight].astype(float) if weight == "inclusion_probability" else scored[weight]


def _clusters(scored: pd.DataFrame, cluster: str | None) -> pd.Series | None:
    if cluster == AUTO:
        cluster = next((name for name in CLUSTER_COLUMNS if name in scored.columns), None)
        if cluster is not None and len(scored[cluster].drop_duplicates()) == 1:
            return None
    return None if cluster is None else scored[cluster]
