"""A fast bootstrap of all curves at once, resampling by JD where pairs share JDs.

Drawing pairs is counting how often each is drawn; a curve is a cumulative sum of those counts in the
order of scores. So ten thousand precision-recall curves cost a few large array operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from workbench.calibration.figures import Costs, FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.progress import tell

__all__ = [
    "CHUNK",
    "Resamples",
    "bands",
    "draws",
    "quantiles",
    "resample",
    "resample_with",
    "resampled_sums",
    "tails",
]

# Numbers in a chunk of draws: about a megabyte stays near the processor.
CHUNK = 150_000
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
    """

    cutoffs: FloatArray
    tp: CountArray
    fp: CountArray
    matches: CountArray
    others: CountArray
    by: Literal["pair", "cluster"]
    prevalence: float | None = None

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
        self, name: FigureName, confidence: float = 0.95, *, beta: float = 1.0
    ) -> tuple[CountArray, CountArray]:
        """Percentile interval of a figure at every cutoff, from the resamples in which it is defined."""
        # A few cutoffs at a time stay near the processor, which makes it several times as fast.
        parts = [
            quantiles(self[rows, :].figure(name, beta=beta), tails(confidence))
            for rows in _slices(len(self.cutoffs), len(self))
        ]
        low, high = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        return low, high

    def __getitem__(self, part: tuple[slice, slice]) -> Resamples:
        """Some cutoffs in some resamples."""
        rows, columns = part
        return replace(
            self,
            cutoffs=self.cutoffs[rows],
            tp=self.tp[part],
            fp=self.fp[part],
            matches=self.matches[columns],
            others=self.others[columns],
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
        raise InputError(
            _("n_resamples is {n}; at least 2 are needed, 2000 are usual.").format(n=n_resamples)
        )
    if n_units < 2:
        raise InputError(
            _(
                "There is only one {unit} to draw from, so that nothing can be said about how much figures "
                "would vary; give more, or pass no clusters."
            ).format(unit=_("pair") if observations.clusters is None else _("JD (cluster)"))
        )
    table = np.union1d(_table(observations, cutoffs), including)
    independent = observations.weights is None and observations.clusters is None
    if len(observations) >= POOL_FROM and independent:
        return _pooled(observations, table, n_resamples, seed, prevalence)
    drawn = draws(observations, n_resamples, seed, a_resample=len(observations))
    return _counted(observations, table, drawn, prevalence)


def resample_with(
    observations: Observations,
    multiplicities: npt.ArrayLike,
    *,
    cutoffs: npt.ArrayLike | None = None,
    prevalence: float | None = None,
) -> Resamples:
    """Count resamples that were drawn elsewhere.

    Parameters
    ----------
    observations : Observations
    multiplicities : array-like of int, shape (n_resamples, n)
        How often each pair is in each resample, in the order of `observations`.
    cutoffs, prevalence
        As of :func:`resample`.
    """
    drawn = np.asarray(multiplicities)
    if drawn.ndim != 2 or drawn.shape[1] != len(observations):
        raise InputError(
            _("multiplicities have shape {shape}; (n_resamples, {n}) is needed.").format(
                shape=drawn.shape, n=len(observations)
            )
        )
    independent = Observations(observations.scores, observations.labels, observations.weights)
    in_order = drawn[:, independent.order].T.astype(np.int32)
    rows = max(1, CHUNK // len(observations))
    chunks = (in_order[:, at : at + rows] for at in range(0, drawn.shape[0], rows))
    table = _table(observations, cutoffs)
    return _counted(independent, table, chunks, prevalence)


def resampled_sums(
    observations: Observations, rows: FloatArray, *, n_resamples: int, seed: int
) -> FloatArray:
    """Weighted sums over resamples, by JD where shared, for figures that are no counts at a cutoff.

    `rows`, shape (r, n), are what to sum; returns shape (r, n_resamples).
    """
    order = observations.order
    values = csr_array((rows * observations.unit_weights)[:, order])
    n_units = observations.n_clusters or len(observations)
    if observations.clusters is not None:
        n = len(observations)
        member = csr_array((np.ones(n), (np.arange(n), observations.clusters[order])), shape=(n, n_units))
        values = values @ member
    chunks = draws(observations, n_resamples, seed, a_resample=n_units)
    return np.concatenate([values @ drawn.astype(np.float64) for drawn in chunks], axis=1)


def draws(
    observations: Observations, n_resamples: int, seed: int, *, a_resample: int
) -> Iterator[npt.NDArray[np.int32]]:
    """How often each JD, or pair where they are independent, was drawn: (n_units, some resamples) at a time.

    As many as make a chunk, where `a_resample` says how many numbers each of them leads to.
    """
    rng, n_units = np.random.default_rng(seed), observations.n_clusters or len(observations)
    at_once = max(1, CHUNK // a_resample)
    dtype = np.uint16 if n_units <= np.iinfo(np.uint16).max else np.int64
    for at in range(0, n_resamples, at_once):
        m = min(at_once, n_resamples - at)
        tell(_("resampling"), at, n_resamples)
        # Drawing indices and counting them takes a tenth of the time of Generator.multinomial.
        drawn = rng.integers(0, n_units, (m, n_units), dtype=dtype).astype(np.int64)
        drawn *= m
        drawn += np.arange(m)[:, None]
        yield np.bincount(drawn.ravel(), minlength=n_units * m).reshape(n_units, m).astype(np.int32)


def bands(
    resamples: Resamples,
    names: Sequence[FigureName] = BANDED,
    *,
    confidence: float = 0.95,
    beta: float = 1.0,
) -> pd.DataFrame:
    """Percentile bands of some figures at every cutoff, pointwise and two-sided.

    Returns
    -------
    DataFrame
        ``cutoff`` and, for each figure, ``<name>_low`` and ``<name>_high``.
    """
    columns: dict[str, CountArray] = {"cutoff": resamples.cutoffs}
    for name in names:
        columns[f"{name}_low"], columns[f"{name}_high"] = resamples.band(name, confidence, beta=beta)
    frame = pd.DataFrame(columns)
    frame.attrs["bootstrap"] = {"by": resamples.by, "confidence": confidence}
    return frame


def tails(confidence: float) -> list[float]:
    """Levels of the quantiles that are the ends of a two-sided interval."""
    return [(1 - confidence) / 2, (1 + confidence) / 2]


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
    for at in range(0, length, step):
        tell()
        yield slice(at, at + step)


def _table(observations: Observations, cutoffs: npt.ArrayLike | None) -> FloatArray:
    if cutoffs is not None:
        return np.unique(np.asarray(cutoffs, dtype=np.float64))
    table = observations.cutoffs
    if len(table) <= MOST_CUTOFFS:
        return table
    # Evenly spaced in rank: dense where scores are.
    at = np.searchsorted(np.sort(observations.scores), table, side="right")
    wanted = np.linspace(0, len(observations), MOST_CUTOFFS)
    return np.unique(table[np.clip(np.searchsorted(at, wanted), 0, len(table) - 1)])


def _counted(
    observations: Observations,
    table: FloatArray,
    drawn_in_chunks: Iterable[npt.NDArray[np.int32]],
    prevalence: float | None,
) -> Resamples:
    """Count at every cutoff; `drawn_in_chunks` yields (n_units, some resamples), units in their order.

    Units are clusters by their code, or pairs in the order of :attr:`Observations.order`.
    """
    order = observations.order
    labels = observations.labels[order, None].astype(np.int32)
    weights = None if observations.weights is None else observations.weights[order, None]
    clusters = None if observations.clusters is None else observations.clusters[order]
    from_top = len(order) - np.searchsorted(observations.scores[order], table, side="right")
    # Counts below 2**24 are exact in float32; sums of weights need more digits.
    dtype = np.float32 if weights is None and len(labels) < 2**22 else np.float64
    parts = []
    for drawn in drawn_in_chunks:
        # A pair is drawn as often as its cluster.
        times = drawn if clusters is None else drawn[clusters]
        weighted = times if weights is None else times * weights
        selected, total = _above(weighted, from_top)
        tp, matches = _above(weighted * labels, from_top)
        # Sums of weights may round to a hair below nothing.
        counts = (tp, np.maximum(selected - tp, 0), matches, total - matches)
        parts.append([each.astype(dtype) for each in counts])
    tp, fp, matches, others = (np.concatenate(chunks, axis=-1) for chunks in zip(*parts, strict=True))
    return Resamples(table, tp, fp, matches, others, "pair" if clusters is None else "cluster", prevalence)


def _above(
    counted: npt.NDArray[Any], from_top: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Sums of the last so many rows, and of all."""
    sums = np.zeros((len(counted) + 1, counted.shape[1]), counted.dtype)
    np.cumsum(counted[::-1], axis=0, out=sums[1:])
    return sums[from_top], sums[-1].copy()


def _pooled(
    observations: Observations,
    table: FloatArray,
    n_resamples: int,
    seed: int,
    prevalence: float | None,
) -> Resamples:
    """Draw numbers of pairs a cell (label, and place between two cutoffs), which is the same in law."""
    rng, n, n_cells = np.random.default_rng(seed), len(observations), len(table) + 1
    cell = np.searchsorted(table, observations.scores, side="left")
    sizes = np.bincount(observations.labels * n_cells + cell, minlength=2 * n_cells)
    counts, totals = np.empty((2, len(table), n_resamples)), np.empty((2, n_resamples))
    rows = max(1, CHUNK // (2 * n_cells))
    for at in range(0, n_resamples, rows):
        m = min(rows, n_resamples - at)
        tell(_("resampling"), at, n_resamples)
        drawn = rng.multinomial(n, sizes / n, size=m).astype(np.float64).reshape(m, 2, n_cells)
        above = np.cumsum(drawn[:, ::-1, ::-1], axis=2)[:, :, ::-1]  # matches first
        counts[:, :, at : at + m] = above[:, :, 1:].transpose(1, 2, 0)
        totals[:, at : at + m] = above[:, :, 0].T
    (tp, fp), (matches, others) = counts, totals
    return Resamples(table, tp, fp, matches, others, "pair", prevalence)
