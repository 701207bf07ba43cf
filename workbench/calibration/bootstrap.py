"""A fast bootstrap of all curves at once, resampling by JD where pairs share JDs.

Drawing pairs is counting how often each is drawn; a curve is a cumulative sum of those counts in the
order of scores. So ten thousand precision-recall curves cost a few large array operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.counts import cutoffs_between
from workbench.calibration.drawing import CHUNK, Drawn, count_draws, draws, pooled_draws
from workbench.calibration.figures import Costs, FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.errors import InputError

__all__ = ["Resamples", "bands", "quantiles", "resample", "resample_with"]

# More cutoffs than these cannot be told apart in a band, and cost memory.
MOST_CUTOFFS = 1000
# From this many independent, equal pairs on, pairs between two neighbouring cutoffs are drawn together.
POOL_FROM = 5_000
BANDED: tuple[FigureName, ...] = ("precision", "recall", "false_omission_rate", "specificity", "f_beta")


@dataclass(frozen=True, eq=False, repr=False)
class Resamples:
    """Confusion counts at every cutoff in every resample.

    Attributes
    ----------
    cutoffs : ndarray of float64, shape (k,)
        Ascending, the same in all resamples.
    tp, fp : ndarray of float, shape (k, n_resamples)
        Weighted matches and non-matches above each cutoff.
    matches, others : ndarray of float, shape (n_resamples,)
        All weighted matches and non-matches of each resample.
    by : {"pair", "cluster"}
        What was drawn.
    prevalence : float or None
        Live prevalence that figures are corrected to, within each resample.
    outside : Resamples or None
        The same counts over the pairs that a resample left out.
    """

    cutoffs: FloatArray
    tp: CountArray
    fp: CountArray
    matches: CountArray
    others: CountArray
    by: Literal["pair", "cluster"]
    prevalence: float | None = None
    outside: Resamples | None = None

    def __len__(self) -> int:
        return int(self.tp.shape[1])

    def __repr__(self) -> str:
        return f"Resamples({len(self)} by {self.by}, at {len(self.cutoffs)} cutoffs)"

    def confusion(self) -> tuple[CountArray, CountArray, CountArray, CountArray]:
        """``tp, fp, fn, tn``, each of shape (k, n_resamples), at the live prevalence if there is one."""
        tp, fp = self.tp, self.fp
        matches, others = self.matches, self.others
        if self.prevalence is not None:
            total = (matches + others).astype(np.float64)
            with np.errstate(divide="ignore", invalid="ignore"):
                # A resample of one class only has no figure at another prevalence: NaN.
                of_matches = self.prevalence * total / matches
                of_others = (1 - self.prevalence) * total / others
                tp, matches = tp * of_matches, matches * of_matches
                fp, others = fp * of_others, others * of_others
        return tp, fp, matches - tp, others - fp

    def figure(self, name: FigureName, *, beta: float = 1.0, costs: Costs | None = None) -> CountArray:
        """A figure in every resample, shape (k, n_resamples); NaN where undefined."""
        return figure(name, *self.confusion(), beta=beta, costs=costs)

    def band(
        self,
        name: FigureName,
        confidence: float = 0.95,
        *,
        beta: float = 1.0,
        costs: Costs | None = None,
    ) -> tuple[CountArray, CountArray]:
        """Percentile interval of a figure at every cutoff, from the resamples in which it is defined."""
        levels = [(1 - confidence) / 2, (1 + confidence) / 2]
        # A few cutoffs at a time stay near the processor, which makes it several times as fast.
        parts = [
            quantiles(self[rows, :].figure(name, beta=beta, costs=costs), levels)
            for rows in _slices(len(self.cutoffs), len(self))
        ]
        low, high = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        return low, high

    def __getitem__(self, part: tuple[slice, slice]) -> Resamples:
        """Some cutoffs in some resamples, without what was left out."""
        _, columns = part
        return Resamples(
            self.cutoffs[part[0]],
            self.tp[part],
            self.fp[part],
            self.matches[columns],
            self.others[columns],
            self.by,
            self.prevalence,
        )

    def in_chunks(self) -> Iterator[Resamples]:
        """Some resamples at a time, at all cutoffs."""
        return (self[:, columns] for columns in _slices(len(self), len(self.cutoffs)))


def resample(
    observations: Observations,
    *,
    n_resamples: int = 2000,
    seed: int = 0,
    cutoffs: npt.ArrayLike | None = None,
    including: Sequence[float] = (),
    prevalence: float | None = None,
    out_of_bag: bool = False,
) -> Resamples:
    """Draw resamples and count them at every cutoff.

    Parameters
    ----------
    observations : Observations
        With clusters, whole clusters are drawn (as many as there are), so that bands know that pairs
        of one JD repeat each other [1]_; else pairs are drawn.
    n_resamples : int
    seed : int
        The same seed gives the same resamples, in whatever order pairs are given.
    cutoffs : array-like of float, optional
        By default those between the scores; where there are more than 1000, that many of them, evenly
        spaced in rank.
    including : sequence of float
        Cutoffs to count at besides.
    prevalence : float, optional
        Live prevalence to correct figures to.
    out_of_bag : bool
        Count the pairs that a resample left out too.

    Returns
    -------
    Resamples

    Raises
    ------
    InputError
        If there are fewer than two clusters or pairs to draw from.

    References
    ----------
    .. [1] Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 2.2 and 3.8.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(300) < 0.4
    >>> pairs = Observations(np.where(labels, 0.6, 0.4) + 0.1 * rng.standard_normal(300), labels)
    >>> low, high = resample(pairs, n_resamples=500).band("recall")
    >>> bool((low <= high).all())
    True
    """
    n_units = observations.n_clusters or len(observations)
    if n_resamples < 2:
        raise InputError(f"n_resamples is {n_resamples}; at least 2 are needed, 2000 are usual.")
    if n_units < 2:
        unit = "JD (cluster)" if observations.clusters is not None else "pair"
        raise InputError(
            f"There is only one {unit} to draw from, so that nothing can be said about how much figures "
            "would vary; give more, or pass no clusters."
        )
    table = np.union1d(_table(observations, cutoffs), including)
    rng = np.random.default_rng(seed)
    pooled = (
        len(observations) >= POOL_FROM
        and observations.weights is None
        and observations.clusters is None
        and not out_of_bag
    )
    if pooled:
        return _resamples(
            table, pooled_draws(observations, table, n_resamples, rng), None, "pair", prevalence
        )
    drawn = draws(rng, n_units, n_resamples, max(1, CHUNK // len(observations)))
    inside, outside = count_draws(observations, table, drawn, n_resamples, out_of_bag=out_of_bag)
    by: Literal["pair", "cluster"] = "pair" if observations.clusters is None else "cluster"
    return _resamples(table, inside, outside, by, prevalence)


def resample_with(
    observations: Observations,
    multiplicities: npt.ArrayLike,
    *,
    cutoffs: npt.ArrayLike | None = None,
    prevalence: float | None = None,
    out_of_bag: bool = False,
) -> Resamples:
    """Count resamples that were drawn elsewhere.

    Parameters
    ----------
    observations : Observations
    multiplicities : array-like of int, shape (n_resamples, n)
        How often each pair is in each resample, in the order of `observations`.
    cutoffs, prevalence, out_of_bag
        As of :func:`resample`.
    """
    drawn = np.asarray(multiplicities)
    if drawn.ndim != 2 or drawn.shape[1] != len(observations):
        raise InputError(
            f"multiplicities have shape {drawn.shape}; (n_resamples, {len(observations)}) is needed."
        )
    independent = Observations(observations.scores, observations.labels, observations.weights)
    in_order = drawn[:, independent.order].T.astype(np.int32)
    rows = max(1, CHUNK // len(observations))
    chunks = (in_order[:, at : at + rows] for at in range(0, drawn.shape[0], rows))
    table = _table(observations, cutoffs)
    inside, outside = count_draws(independent, table, chunks, drawn.shape[0], out_of_bag=out_of_bag)
    return _resamples(table, inside, outside, "pair", prevalence)


def bands(
    resamples: Resamples,
    names: Sequence[FigureName] = BANDED,
    *,
    confidence: float = 0.95,
    beta: float = 1.0,
    costs: Costs | None = None,
) -> pd.DataFrame:
    """Percentile bands of some figures at every cutoff.

    Returns
    -------
    DataFrame
        ``cutoff`` and, for each figure, ``<name>_low`` and ``<name>_high``; pointwise, two-sided.
    """
    columns: dict[str, CountArray] = {"cutoff": resamples.cutoffs}
    for name in names:
        columns[f"{name}_low"], columns[f"{name}_high"] = resamples.band(
            name, confidence, beta=beta, costs=costs
        )
    frame = pd.DataFrame(columns)
    frame.attrs["bootstrap"] = {"n_resamples": len(resamples), "by": resamples.by, "confidence": confidence}
    return frame


def quantiles(values: CountArray, levels: Sequence[float]) -> list[CountArray]:
    """Quantiles of each row, NaN left out; as ``numpy.nanquantile(values, levels, axis=1)``, but fast.

    Sorting puts NaN last, so that one sort serves rows with and without them.
    """
    ordered = np.sort(values, axis=1)
    defined = ordered.shape[1] - np.isnan(ordered).sum(axis=1)
    rows = np.arange(len(ordered))
    last = np.maximum(defined - 1, 0)
    out = []
    for level in levels:
        position = level * last
        below = np.floor(position).astype(np.intp)
        lower, upper = ordered[rows, below], ordered[rows, np.minimum(below + 1, last)]
        with np.errstate(invalid="ignore"):
            # Between two infinities lies infinity, not NaN.
            out.append(np.where(lower == upper, lower, lower + (position - below) * (upper - lower)))
    return out


def _slices(length: int, width: int) -> Iterator[slice]:
    """Parts of an axis, of about as many numbers as a chunk of draws."""
    step = max(1, CHUNK // width)
    return (slice(at, at + step) for at in range(0, length, step))


def _table(observations: Observations, cutoffs: npt.ArrayLike | None) -> FloatArray:
    if cutoffs is not None:
        return np.unique(np.asarray(cutoffs, dtype=np.float64))
    table = cutoffs_between(observations.scores)
    if len(table) <= MOST_CUTOFFS:
        return table
    # Evenly spaced in rank: dense where scores are.
    at = np.searchsorted(np.sort(observations.scores), table, side="right")
    wanted = np.linspace(0, len(observations), MOST_CUTOFFS)
    return np.unique(table[np.clip(np.searchsorted(at, wanted), 0, len(table) - 1)])


def _resamples(
    table: FloatArray,
    inside: Drawn,
    outside: Drawn | None,
    by: Literal["pair", "cluster"],
    prevalence: float | None,
) -> Resamples:
    left_out = None if outside is None else _resamples(table, outside, None, by, prevalence)
    return Resamples(table, inside.tp, inside.fp, inside.matches, inside.others, by, prevalence, left_out)
