"""Counting resamples fast: how often units are drawn, and cumulative sums of that over the scores.

The inside of :mod:`workbench.calibration.bootstrap`, which says what is drawn and what for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.calibration.observations import CountArray, FloatArray, Observations

__all__ = ["CHUNK", "Drawn", "count_draws", "draws", "pooled_draws"]

# Numbers in a chunk of draws: about a megabyte stays near the processor.
CHUNK = 150_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """Counts above every cutoff, (k, n_resamples), and of all, (n_resamples,)."""

    tp: CountArray
    fp: CountArray
    matches: CountArray
    others: CountArray

    @classmethod
    def empty(cls, n_cutoffs: int, n_resamples: int, dtype: type[np.floating[Any]]) -> Drawn:
        """To be filled in chunk by chunk."""
        shape = (n_cutoffs, n_resamples)
        return cls(np.empty(shape, dtype), np.empty(shape, dtype), *np.empty((2, n_resamples), dtype))


def draws(rng: np.random.Generator, n_units: int, n_resamples: int) -> Iterator[npt.NDArray[np.int64]]:
    """How often each unit was drawn, (n_units, some resamples) at a time."""
    rows = max(1, CHUNK // n_units)
    dtype = np.uint16 if n_units <= np.iinfo(np.uint16).max else np.int64
    for at in range(0, n_resamples, rows):
        m = min(rows, n_resamples - at)
        # Drawing indices and counting them takes a tenth of the time of Generator.multinomial.
        drawn = rng.integers(0, n_units, (m, n_units), dtype=dtype).astype(np.int64)
        drawn *= m
        drawn += np.arange(m)[:, None]
        yield np.bincount(drawn.ravel(), minlength=n_units * m).reshape(n_units, m)


def count_draws(
    observations: Observations,
    table: FloatArray,
    drawn_in_chunks: Iterable[npt.NDArray[np.int64]],
    n_resamples: int,
    *,
    out_of_bag: bool,
) -> tuple[Drawn, Drawn | None]:
    """Count at every cutoff; `drawn_in_chunks` yields (n_units, some resamples), units in their order.

    Units are clusters by their code, or pairs in the order of :attr:`Observations.order`. Returns the
    counts of what was drawn, and of what was not.
    """
    order = observations.order
    labels, weights = observations.labels[order], observations.unit_weights[order]
    first = np.searchsorted(observations.scores[order], table, side="right")
    clusters = None if observations.clusters is None else observations.clusters[order]
    # Counts below 2**24 are exact in float32; sums of weights need more digits.
    exact = observations.weights is None and len(labels) < 2**23
    dtype = np.float32 if exact else np.float64
    if clusters is None:
        adder: _Adder = _PairAdder(
            labels, weights if observations.weights is not None else None, first, dtype
        )
    else:
        adder = _ClusterAdder(labels, weights, clusters, first, dtype)
    parts = [Drawn.empty(len(table), n_resamples, dtype) for _ in range(1 + out_of_bag)]
    at = 0
    for drawn in drawn_in_chunks:
        here = slice(at, at + drawn.shape[1])
        adder.add(drawn, parts[0], here)
        if out_of_bag:
            adder.add((drawn == 0).astype(np.int64), parts[1], here)
        at = here.stop
    return parts[0], parts[1] if out_of_bag else None


class _PairAdder:
    """Cumulative sums over pairs in the order of scores, from the top down."""

    def __init__(
        self,
        labels: npt.NDArray[np.int64],
        weights: FloatArray | None,
        first: npt.NDArray[np.intp],
        dtype: type[np.floating[Any]],
    ) -> None:
        self.weights = None if weights is None else weights[:, None]
        self.labels = labels[:, None].astype(np.int32)
        self.from_top = len(labels) - first
        self.dtype = dtype

    def add(self, drawn: npt.NDArray[np.int64], part: Drawn, here: slice) -> None:
        counted: npt.NDArray[np.int32 | np.float64] = drawn.astype(np.int32)
        if self.weights is not None:
            counted = counted * self.weights
        above = np.zeros((len(counted) + 1, counted.shape[1]), counted.dtype)
        np.cumsum(counted[::-1], axis=0, out=above[1:])
        selected, total = above[self.from_top], above[-1].copy()
        np.cumsum((counted * self.labels)[::-1], axis=0, out=above[1:])
        tp = above[self.from_top]
        part.tp[:, here] = tp
        part.fp[:, here] = selected - tp if self.weights is None else np.maximum(selected - tp, 0)
        part.matches[here] = above[-1]
        part.others[here] = total - above[-1]


class _ClusterAdder:
    """Counts of every cluster at every cutoff, times how often the cluster was drawn."""

    def __init__(
        self,
        labels: npt.NDArray[np.int64],
        weights: FloatArray,
        clusters: npt.NDArray[np.int64],
        first: npt.NDArray[np.intp],
        dtype: type[np.floating[Any]],
    ) -> None:
        n_clusters, n_cutoffs = int(clusters.max()) + 1, len(first)
        # A pair is above the cutoffs at positions 0 .. cell - 1: those whose first pair is not after it.
        cell = np.searchsorted(first, np.arange(len(labels)), side="right")
        flat = clusters * (n_cutoffs + 1) + cell
        size = n_clusters * (n_cutoffs + 1)
        sums = []
        for values in (weights * labels, weights * (1 - labels)):
            cells = np.bincount(flat, values, minlength=size).reshape(n_clusters, n_cutoffs + 1)
            above = np.cumsum(cells[:, ::-1], axis=1)[:, ::-1]
            sums.append((np.ascontiguousarray(above[:, 1:].T, dtype), above[:, 0].astype(dtype)))
        (self.tp, self.matches), (self.fp, self.others) = sums
        self.dtype = dtype

    def add(self, drawn: npt.NDArray[np.int64], part: Drawn, here: slice) -> None:
        times = drawn.astype(self.dtype)
        part.tp[:, here] = self.tp @ times
        part.fp[:, here] = self.fp @ times
        part.matches[here] = self.matches @ times
        part.others[here] = self.others @ times


_Adder = _PairAdder | _ClusterAdder


def pooled_draws(
    observations: Observations,
    table: FloatArray,
    n_resamples: int,
    rng: np.random.Generator,
) -> Drawn:
    """Draw numbers of pairs a cell (label, and place between two cutoffs), which is the same in law."""
    cell = np.searchsorted(table, observations.scores, side="left")
    n_cells = len(table) + 1
    sizes = np.bincount(observations.labels * n_cells + cell, minlength=2 * n_cells)
    n = len(observations)
    part = Drawn.empty(len(table), n_resamples, np.float64)
    rows = max(1, CHUNK // (2 * n_cells))
    for at in range(0, n_resamples, rows):
        m = min(rows, n_resamples - at)
        drawn = rng.multinomial(n, sizes / n, size=m).astype(np.float64)
        for values, counted, total in (
            (drawn[:, n_cells:], part.tp, part.matches),
            (drawn[:, :n_cells], part.fp, part.others),
        ):
            above = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
            counted[:, at : at + m] = above[:, 1:].T
            total[at : at + m] = above[:, 0]
    return part
