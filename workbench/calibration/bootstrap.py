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
    sums: Iterable[npt.NDArray[Any]]
    if is_pooled(observations):
        sizes = np.bincount(_cells(observations, table), minlength=2 * (len(table) + 1))
        sums = pooled_draws(sizes, n_resamples, seed)
    else:
        in_order = observations.in_order
        units = np.arange(len(in_order)) if in_order.clusters is None else in_order.clusters
        by_cell = _by_cell(in_order, table, units)
        few = len(observations) < POOL_FROM
        drawn = draws(observations, n_resamples, seed, a_resample=len(units) if few else max(by_cell.shape))
        sums = (by_cell @ some for some in drawn)
    return _counted(observations, table, sums, prevalence)


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
    table, step = _table(observations, cutoffs), max(1, CHUNK // len(observations))
    by_cell = _by_cell(observations, table, np.arange(len(observations)))
    sums = (by_cell @ drawn[at : at + step].T.astype(np.int32) for at in range(0, len(drawn), step))
    independent = Observations(observations.scores, observations.labels, observations.weights)
    return _counted(independent, table, sums, prevalence)


def is_pooled(observations: Observations) -> bool:
    """Whether pairs are so many, independent and equal, that those alike are drawn together."""
    is_plain = observations.weights is None and observations.clusters is None
    return is_plain and len(observations) >= POOL_FROM


def pooled_draws(sizes: npt.NDArray[np.integer], n_resamples: int, seed: int) -> Iterator[FloatArray]:
    """How many pairs of each cell were drawn: (n_cells, some resamples) at a time.

    `sizes` are the pairs of each cell. The same in law as drawing one pair after the other.
    """
    rng, n = np.random.default_rng(seed), sizes.sum()
    at_once = max(1, CHUNK // len(sizes))
    for at in range(0, n_resamples, at_once):
        tell(_("resampling"), at, n_resamples)
        yield rng.multinomial(n, sizes / n, size=min(at_once, n_resamples - at)).T.astype(np.float64)


def resampled_sums(
    observations: Observations, rows: Any, *, n_resamples: int, seed: int, a_resample: int | None = None
) -> FloatArray:
    """Weighted sums over resamples, by JD where shared, for figures that are no counts at a cutoff.

    `rows`, dense or sparse of shape (r, n), are what to sum; returns shape (r, n_resamples). `a_resample`
    is that of :func:`draws`.
    """
    order, n = observations.order, len(observations)
    values, place = csr_array(rows), np.empty(n, dtype=np.intp)
    place[order] = np.arange(n)
    weighted = values.data * observations.unit_weights[values.indices]
    values = csr_array((weighted, place[values.indices], values.indptr), values.shape)
    # Sums do not depend on the order in which pairs are given.
    values.sort_indices()
    n_units = observations.n_clusters or n
    if observations.clusters is not None:
        member = csr_array((np.ones(n), (np.arange(n), observations.clusters[order])), shape=(n, n_units))
        values = values @ member
    return drawn_sums(observations, values, n_resamples=n_resamples, seed=seed, a_resample=a_resample)


def drawn_sums(
    observations: Observations, by_unit: Any, *, n_resamples: int, seed: int, a_resample: int | None = None
) -> FloatArray:
    """As :func:`resampled_sums`, of sums over each JD, or pair where they are independent: (r, n_units)."""
    chunks = draws(observations, n_resamples, seed, a_resample=a_resample or by_unit.shape[1])
    return np.concatenate([by_unit @ drawn.astype(np.float64) for drawn in chunks], axis=1)


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


def _cells(observations: Observations, table: FloatArray) -> npt.NDArray[np.intp]:
    """Of each pair its cell: a place between two cutoffs, those of matches behind those of others."""
    place = np.searchsorted(table, observations.scores, side="left")
    return np.asarray(place + (len(table) + 1) * observations.labels)


def _by_cell(observations: Observations, table: FloatArray, units: npt.NDArray[Any]) -> Any:
    """What each unit has in each cell; sparse, shape (2 (k + 1), n_units)."""
    counts = np.ones(len(units), dtype=np.int32) if observations.weights is None else observations.weights
    shape = 2 * (len(table) + 1), int(units.max()) + 1
    return csr_array((counts, (_cells(observations, table), units)), shape)


def _counted(
    observations: Observations,
    table: FloatArray,
    sums_in_chunks: Iterable[npt.NDArray[Any]],
    prevalence: float | None,
) -> Resamples:
    """Count at every cutoff; `sums_in_chunks` yields sums by cell, (2 (k + 1), some resamples)."""
    # Counts below 2**24 are exact in float32; sums of weights need more digits.
    is_exact = observations.weights is None and len(observations) < 2**22
    chunks = []
    for sums in sums_in_chunks:
        for cells in np.split(sums, 2):
            np.cumsum(cells[::-1], axis=0, out=cells[::-1])
        chunks.append(sums.astype(np.float32 if is_exact else np.float64))
    above = np.concatenate(chunks, axis=1)
    fp, tp = np.split(above, 2)
    by: Literal["pair", "cluster"] = "pair" if observations.clusters is None else "cluster"
    return Resamples(table, tp[1:], fp[1:], tp[0], fp[0], by, prevalence)
