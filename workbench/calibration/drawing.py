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


def draws(
    rng: np.random.Generator, n_units: int, n_resamples: int, at_once: int
) -> Iterator[npt.NDArray[np.int32]]:
    """How often each unit was drawn, (n_units, `at_once` resamples) at a time."""
    dtype = np.uint16 if n_units <= np.iinfo(np.uint16).max else np.int64
    for at in range(0, n_resamples, at_once):
        m = min(at_once, n_resamples - at)
        # Drawing indices and counting them takes a tenth of the time of Generator.multinomial.
        drawn = rng.integers(0, n_units, (m, n_units), dtype=dtype).astype(np.int64)
        drawn *= m
        drawn += np.arange(m)[:, None]
        yield np.bincount(drawn.ravel(), minlength=n_units * m).reshape(n_units, m).astype(np.int32)


def count_draws(
    observations: Observations,
    table: FloatArray,
    drawn_in_chunks: Iterable[npt.NDArray[np.int32]],
    n_resamples: int,
    *,
    out_of_bag: bool,
) -> tuple[Drawn, Drawn | None]:
    """Count at every cutoff; `drawn_in_chunks` yields (n_units, some resamples), units in their order.

    Units are clusters by their code, or pairs in the order of :attr:`Observations.order`. Returns the
    counts of what was drawn, and of what was not.
    """
    order = observations.order
    labels = observations.labels[order, None].astype(np.int32)
    weights = None if observations.weights is None else observations.weights[order, None]
    clusters = None if observations.clusters is None else observations.clusters[order]
    from_top = len(order) - np.searchsorted(observations.scores[order], table, side="right")
    # Counts below 2**24 are exact in float32; sums of weights need more digits.
    dtype = np.float32 if weights is None and len(labels) < 2**22 else np.float64
    parts = [Drawn.empty(len(table), n_resamples, dtype) for _ in range(1 + out_of_bag)]
    at = 0
    for drawn in drawn_in_chunks:
        here = slice(at, at + drawn.shape[1])
        # A pair is drawn as often as its cluster.
        times = drawn if clusters is None else drawn[clusters]
        for part, counted in zip(parts, (times, (times == 0).astype(np.int32)), strict=False):
            weighted = counted if weights is None else counted * weights
            selected, total = _above(weighted, from_top)
            tp, matches = _above(weighted * labels, from_top)
            # Sums of weights may round to a hair below nothing.
            part.tp[:, here], part.fp[:, here] = tp, np.maximum(selected - tp, 0)
            part.matches[here], part.others[here] = matches, total - matches
        at = here.stop
    return parts[0], parts[1] if out_of_bag else None


def _above(
    counted: npt.NDArray[Any], from_top: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Sums of the last so many rows, and of all."""
    sums = np.zeros((len(counted) + 1, counted.shape[1]), counted.dtype)
    np.cumsum(counted[::-1], axis=0, out=sums[1:])
    return sums[from_top], sums[-1].copy()


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
