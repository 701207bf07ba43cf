"""How far a map can be trusted: whether what is near on it is near in truth, and the other way round.

Works on any coordinates, whoever made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import (
    Fingerprint,
    FloatArray,
    Rows,
    Vectors,
    distinct,
    one_fingerprint,
    unit_rows,
)
from workbench.exploration.projection import SkillMap, fit_map
from workbench.i18n import gettext as _
from workbench.progress import progress_bar
from workbench.results import Result

# Points whose distances to all others are looked at in one go.
BLOCK = 256
NEIGHBOURS = 15
COMPARED = (5, 15, 50)


@dataclass(frozen=True, repr=False)
class MapQuality(Result):
    """How faithful a map is.

    Attributes
    ----------
    trustworthiness : float
        From 0 to 1: how little the map shows as near what is far in truth. About 0.5 for a map at
        random, 1 for one that shows no false neighbours (Venna and Kaski 2001).
    knn_overlap : float
        Share of a text's nearest texts that are also its nearest on the map.
    chance_overlap : float
        What that share would be on a map at random.
    n_neighbors : int
        How many count as nearest.
    n : int
        Points of the map.
    n_looked_at : int
        Points whose neighbours were looked at; ranks are always among all `n`.
    """

    trustworthiness: float
    knn_overlap: float
    chance_overlap: float
    n_neighbors: int
    n: int
    n_looked_at: int

    def sentence(self) -> str:
        """What the figures mean, for beside the picture."""
        k = self.n_neighbors
        return _(
            "Trustworthiness {trustworthiness:.2f} (0.50 at random, 1 at best); of the {n} nearest texts, "
            "{kept:.1f} are nearest on the map too (at random, {chance:.1f})."
        ).format(
            trustworthiness=self.trustworthiness,
            n=k,
            kept=self.knn_overlap * k,
            chance=self.chance_overlap * k,
        )

    def __repr__(self) -> str:
        return f"<MapQuality: {self.sentence()}>"


@dataclass(frozen=True, eq=False)
class ComparedMap:
    """A map with its parameters and its quality."""

    skill_map: SkillMap
    quality: MapQuality


def map_quality(
    vectors: npt.ArrayLike,
    coordinates: SkillMap | npt.ArrayLike,
    *,
    n_neighbors: int | None = None,
    sample: int = 2000,
    seed: int = 0,
) -> MapQuality:
    """Compare neighbours on a map with neighbours by cosine similarity.

    Trustworthiness is that of Venna and Kaski (2001), Neighborhood preservation in nonlinear
    projection methods, ICANN, equation 1, as ``sklearn.manifold.trustworthiness`` has it. Where there
    are more points than `sample`, it is averaged over that many, drawn at random; each one's
    neighbours are ranked among all points, so that large maps are judged as small ones are.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
    coordinates : SkillMap or array_like, shape (n, 2)
    n_neighbors : int, optional
        Fewer than half of `n`, as the definition asks; by default 15, or as many as there may be.
    sample : int
        Most points to look at.
    seed : int
        Of the sample.

    Raises
    ------
    InputError
        If shapes do not fit, or there are too few points.
    """
    rows = unit_rows(vectors)
    places = np.asarray(getattr(coordinates, "coordinates", coordinates), dtype=np.float64)
    n = len(rows)
    k = max(1, min(NEIGHBOURS, (n - 1) // 2)) if n_neighbors is None else n_neighbors
    if places.ndim != 2 or len(places) != n:
        raise InputError(
            _(
                "There are {n:,} vectors, but coordinates of shape {shape}; give one row for each vector."
            ).format(n=n, shape=places.shape)
        )
    if not np.isfinite(places).all():
        raise InputError(_("Some coordinates are not finite (NaN or infinity); fit the map again."))
    if not 1 <= k < n / 2:
        raise InputError(
            _(
                "n_neighbors is {value}; for {n:,} points it must be from 1 to {most} (fewer than half)."
            ).format(value=k, n=n, most=max((n - 1) // 2, 1))
        )
    chosen = (
        np.arange(n) if n <= sample else np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
    )
    penalty, shared = 0.0, 0
    for start in range(0, len(chosen), BLOCK):
        block = chosen[start : start + BLOCK]
        truth, on_map = _distances(rows, block), _distances(places, block)
        near_on_map = np.argpartition(on_map, k - 1, axis=1)[:, :k]
        # The rank of a neighbour on the map among the true ones: how many are nearer in truth, plus one.
        theirs = np.sort(truth, axis=1)
        shown = np.take_along_axis(truth, near_on_map, axis=1)
        ranks = 1 + np.array(
            [np.searchsorted(order, values) for order, values in zip(theirs, shown, strict=True)]
        )
        penalty += float(np.clip(ranks - k, 0, None).sum())
        shared += int((ranks <= k).sum())
    looked_at = len(chosen)
    return MapQuality(
        trustworthiness=1 - penalty * 2 / (looked_at * k * (2 * n - 3 * k - 1)),
        knn_overlap=shared / (looked_at * k),
        chance_overlap=k / (n - 1),
        n_neighbors=k,
        n=n,
        n_looked_at=looked_at,
    )


def compare_maps(
    vectors: npt.ArrayLike,
    *,
    n_neighbors: Sequence[int] | None = None,
    min_dist: Sequence[float] = (0.0, 0.1, 0.5),
    most: int = 3000,
    seed: int = 0,
    fingerprint: Fingerprint = None,
    progress: bool | None = None,
) -> list[ComparedMap]:
    """Fit a map for every pair of parameters, on a sample of the texts, with the quality of each.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
    n_neighbors : sequence of int, optional
        Values to try; see :func:`~workbench.exploration.fit_map`. By default those of 5, 15
        and 50 that are fewer than the distinct texts.
    min_dist : sequence of float
        Values to try.
    most : int
        Texts to try them on; drawn at random where there are more.
    seed : int
    fingerprint : str or sequence of str, optional
    progress : bool, optional

    Returns
    -------
    list of ComparedMap
        For each value of `n_neighbors`, all of `min_dist`.
    """
    rows = unit_rows(vectors)
    known = one_fingerprint(fingerprint, len(rows))
    if len(rows) > most:
        rows = rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]
    if n_neighbors is None:
        n_distinct = len(distinct(rows).rows)
        n_neighbors = [k for k in COMPARED if k < n_distinct] or COMPARED[:1]
    found = []
    with progress_bar(len(n_neighbors) * len(min_dist), _("maps"), progress, unit="map") as bar:
        for k in n_neighbors:
            for distance in min_dist:
                skill_map = fit_map(
                    rows, n_neighbors=k, min_dist=distance, seed=seed, fingerprint=known, progress=False
                )
                found.append(ComparedMap(skill_map, map_quality(rows, skill_map)))
                bar.update()
    return found


def _distances(rows: Vectors | FloatArray, block: Rows) -> npt.NDArray[np.floating[Any]]:
    """Distances of a block of rows to all, a row's own infinite; of unit rows, in the order of cosine."""
    from sklearn.metrics import pairwise_distances

    distances: npt.NDArray[np.floating[Any]] = pairwise_distances(rows[block], rows)
    distances[np.arange(len(block)), block] = np.inf
    return distances
