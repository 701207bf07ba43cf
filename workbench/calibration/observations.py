"""Labelled pairs with their scores, checked once at the door, as arrays that all of calibration reads.

Everything that cannot be calibrated on is refused here with its position; nothing is dropped silently. What
is asked of the same pairs again and again (their order, the cutoffs between them, what they are worth) is
found once and kept. How pairs are read, agreed on and scored is not of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CountArray = npt.NDArray[np.floating[Any]]

AUTO = "auto"
CLUSTER_COLUMNS = ("jd_id", "jd")
WEIGHT_COLUMNS = ("weight", "inclusion_probability")
# So many distinct scores are told apart where a cutoff is looked for; beyond, as many, evenly spaced in rank.
MOST_SCORES = 100_000

Found = TypeVar("Found")
Asked = ParamSpec("Asked")


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
        checked_scores = _numbers(scores, _("scores"))
        n = len(checked_scores)
        if n == 0:
            raise InputError(_("There are no pairs; calibration needs scores with labels."))
        _refuse(
            checked_scores,
            ~np.isfinite(checked_scores),
            _(
                "The score at position {position} is {value}; every pair needs a finite score "
                "(score the pairs again, or drop these rows)."
            ),
        )
        checked_labels = _numbers(labels, _("labels"), n)
        _refuse(
            checked_labels,
            ~np.isin(checked_labels, (0, 1)),
            _(
                "The label at position {position} is {value}; labels are 1 (match) or 0 (no match): resolve "
                "or drop pairs without a label, and turn grades into 0 and 1 first."
            ),
        )
        checked_weights = None
        if weights is not None:
            checked_weights = _numbers(weights, _("weights"), n)
            _refuse(
                checked_weights,
                ~(np.isfinite(checked_weights) & (checked_weights > 0)),
                _(
                    "The weight at position {position} is {value}; a sampling weight is 1 / (probability "
                    "that the pair was labelled), a positive number."
                ),
            )
        codes = None if clusters is None else _codes(clusters, n)
        self._hold(checked_scores, checked_labels.astype(np.int64), checked_weights, codes)

    def _hold(self, *fields: npt.NDArray[Any] | None) -> Observations:
        for name, value in zip(self.__dataclass_fields__, fields, strict=True):
            object.__setattr__(self, name, value)
        return self

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
        check_column(
            scored, score, _("The pairs have no column {column} (they have {columns}); score them first.")
        )
        for column in (label, *({weight, cluster} - {AUTO, None})):
            check_column(scored, str(column))
        return cls(scored[score], scored[label], _weights(scored, weight), _clusters(scored, cluster))

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
        return np.broadcast_to(np.ones(1), len(self)) if self.weights is None else self.weights

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

    @cached_property
    def in_order(self) -> Observations:
        """The same pairs from the lowest score to the highest, so that sums do not depend on their order."""
        return self if (np.diff(self.order) == 1).all() else self.subset(self.order)

    @cached_property
    def cutoffs(self) -> FloatArray:
        """Cutoffs that part the scores in every way, ascending; see :func:`cutoffs_between`.

        Of millions of distinct scores, those between 100,000: the best cutoff is at most a 100,000th of the
        pairs away. Labels have no say in which, and counts at them are exact.
        """
        return cutoffs_between(self.scores, MOST_SCORES)

    @cached_property
    def found(self) -> dict[tuple[Any, ...], Any]:
        """What was found out about these pairs and is kept, by :func:`once`."""
        return {}

    def subset(self, at: npt.ArrayLike) -> Observations:
        """The pairs where `at` (bool, shape (n,)) is true, or those at its positions (int).

        Raises
        ------
        InputError
            If there are none.
        """
        at = np.asarray(at)
        scores = self.scores[at]
        if not len(scores):
            raise InputError(_("There are no pairs; calibration needs scores with labels."))
        weights = None if self.weights is None else self.weights[at]
        clusters = None if self.clusters is None else numbered(self.clusters[at])
        # What is a part of checked pairs needs no second check.
        return object.__new__(Observations)._hold(scores, self.labels[at], weights, clusters)

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
            said = (
                _(
                    "All {n} pairs are labelled as no match; where a match begins can only be found with "
                    "pairs of both kinds. Label some of the other kind."
                )
                if matches == 0
                else _(
                    "All {n} pairs are labelled as a match; where a match begins can only be found with "
                    "pairs of both kinds. Label some of the other kind."
                )
            )
            raise InputError(said.format(n=len(self)))


def once(function: Callable[Concatenate[Observations, Asked], Found]) -> Callable[..., Found]:
    """Keep what a function finds about observations with them, for they never change."""

    @wraps(function)
    def kept(observations: Observations, *asked: Asked.args, **by_name: Asked.kwargs) -> Found:
        key = (function, *asked, *sorted(by_name.items()))
        if key not in observations.found:
            observations.found[key] = function(observations, *asked, **by_name)
        return observations.found[key]  # type: ignore[no-any-return]

    return kept


def check_column(pairs: pd.DataFrame, column: str, sentence: str | None = None) -> None:
    """Refuse pairs without a column; `sentence` may say what to do."""
    if column not in pairs.columns:
        said = sentence or _(
            "The pairs have no column {column} (they have {columns}); name the column that holds it."
        )
        raise InputError(said.format(column=repr(column), columns=listed(pairs.columns)))


def cutoffs_between(scores: npt.ArrayLike, most: int | None = None) -> FloatArray:
    """Cutoffs that part the scores in every way that leaves ties together.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
    most : int, optional
        Where there are more distinct scores, take so many, evenly spaced in rank, and the cutoff above each.

    Returns
    -------
    ndarray of float64, shape (number of distinct scores + 1,)
        Ascending: one below all, the midpoints, one above all. Where all scores are cosines, so are
        the cutoffs.
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    distinct = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    if most is not None and len(distinct) > most:
        distinct = np.unique(ordered[np.linspace(0, len(ordered) - 1, most).astype(np.intp)])
    low, high = float(distinct[0]), float(distinct[-1])
    below = distinct[:-1]
    above = ordered[np.searchsorted(ordered, below, side="right")]
    midpoints = below + (above - below) / 2
    # Between two neighbouring floats there is no third: the midpoint must not round up to the score
    # that it shall let through.
    midpoints = np.where(midpoints >= above, below, midpoints)
    margin = (high - low) / (2 * (len(distinct) - 1)) if len(distinct) > 1 else 0.005
    margin = max(margin, float(np.spacing(max(abs(low), abs(high), 1.0))))
    bottom, top = low - margin, high + margin
    if low >= -1 and high <= 1:
        # No score lies above a cutoff of 1; but all must lie above the lowest cutoff.
        top, bottom = min(top, 1.0), max(bottom, -1.0) if low > -1 else bottom
    return np.concatenate([[bottom], midpoints, [top]])


def _numbers(values: npt.ArrayLike, what: str, n: int | None = None) -> FloatArray:
    """As floats, of a length; `what` names them in errors."""
    try:
        if isinstance(values, pd.Series):
            array = values.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            _("The {what} cannot be read as numbers; give one number a pair.").format(what=what)
        ) from None
    if array.ndim != 1:
        raise InputError(
            _("The {what} have shape {shape}; one number a pair is expected: shape (n,).").format(
                what=what, shape=array.shape
            )
        )
    _same_length(what, len(array), n)
    return array.copy()


def _same_length(what: str, length: int, n: int | None) -> None:
    if n is not None and length != n:
        raise InputError(
            _("There are {n} scores but {length} {what}; there must be one of each for a pair.").format(
                n=n, length=length, what=what
            )
        )


def _refuse(values: FloatArray, bad: npt.NDArray[np.bool_], sentence: str) -> None:
    positions = np.flatnonzero(bad)
    if not len(positions):
        return
    said = sentence.format(position=positions[0], value=f"{values[positions[0]]:g}")
    if len(positions) > 1:
        more = _(" ({n} such pairs, the first at {positions})")
        said += more.format(n=len(positions), positions=listed(positions[:5]))
    raise InputError(said)


def _codes(clusters: npt.ArrayLike | Sequence[Any], n: int) -> IntArray | None:
    series = pd.Series(
        clusters if isinstance(clusters, pd.Series) else list(np.asarray(clusters, dtype=object))
    )
    _same_length(_("clusters"), len(series), n)
    missing = np.flatnonzero(series.isna().to_numpy())
    if len(missing):
        raise InputError(
            _(
                "The cluster at position {position} is missing ({n} in all); every pair needs the JD that "
                "it belongs to, or none of them."
            ).format(position=missing[0], n=len(missing))
        )
    # Sorted by value, so that the order of rows does not number the clusters.
    values = series.array if isinstance(series.dtype, pd.CategoricalDtype) else series.to_numpy()
    try:
        codes = pd.factorize(values, sort=True)[0]
    except TypeError:
        codes = pd.factorize(np.array([str(value) for value in values], dtype=object), sort=True)[0]
    return None if codes.max() + 1 == n else codes.astype(np.int64)


def numbered(codes: IntArray) -> IntArray | None:
    """Clusters numbered from 0 without gaps; None where every pair has one of its own."""
    distinct, numbered = np.unique(codes, return_inverse=True)
    return None if len(distinct) == len(codes) else numbered.astype(np.int64)


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
