"""Clusters of texts: dense groups by HDBSCAN, named in words that their texts use, with noise shown as such.

Clusters are found on a five-dimensional UMAP layout, not on the picture. How stable they are, and how they
belong together, is in :mod:`~workbench.exploration.stability`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.exploration.hdbscan import hdbscan
from workbench.exploration.inputs import (
    Fingerprint,
    FloatArray,
    Ids,
    Rows,
    Vectors,
    check_choice,
    check_count,
    check_one_for_each,
    distinct,
    one_fingerprint,
    unit_rows,
)
from workbench.exploration.layouts import Backend, check_neighbours, reduce, spectral_layout, umap_layout
from workbench.exploration.terms import distinguishing_terms, group_names
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import percent
from workbench.results import Result, plain

NOISE = -1
Space = Literal["umap", "spectral", "vectors"]

COMPONENTS = {"umap": 5, "spectral": 40, "vectors": 0}
# Most texts whose silhouettes are computed: all pairs of these are compared.
SILHOUETTE_SAMPLE = 4000
CENTRAL_TEXTS = 3


@dataclass(frozen=True, eq=False)
class Clusters(Result):
    """Texts in groups.

    Attributes
    ----------
    labels : ndarray of intp, shape (n,)
        Cluster of each text, numbered from 0 by falling size; -1 is noise: a text in no cluster.
    membership : ndarray of float64, shape (n,)
        How firmly a text belongs to its cluster, from 0 to 1; 0 for noise.
    table : DataFrame
        A row for each cluster: ``cluster``, ``name``, ``size``, ``share`` of all texts, ``silhouette``
        (mean over its texts, by cosine distance in the original space; NaN where there is one cluster
        only), ``central`` (positions of its most central texts), once named ``terms``, and once their
        stability is known (:meth:`ClusterStability.added_to`) ``jaccard`` and ``verdict``.
    centroids : ndarray of float32, shape (k, d)
        Mean direction of each cluster's vectors, unit length.
    settings : dict
        What they were found with.
    """

    labels: Rows
    membership: FloatArray
    table: pd.DataFrame
    centroids: Vectors
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def n_noise(self) -> int:
        """Texts in no cluster."""
        return int((self.labels == NOISE).sum())

    @property
    def names(self) -> list[str]:
        """Names of the clusters, by number."""
        return list(self.table["name"])

    def name(self, label: int) -> str:
        """Name of a label; that of noise depends on the language."""
        return _("no cluster") if label == NOISE else str(self.table["name"].iloc[label])

    @property
    def is_doubtful(self) -> npt.NDArray[np.bool_]:
        """Whether each would hardly be found in other texts of the kind; none, until that is known."""
        if "verdict" not in self.table:
            return np.zeros(len(self), dtype=bool)
        return self.table["verdict"].isin(["doubtful", "dissolved"]).to_numpy()

    def of_texts(self) -> list[str]:
        """For each text, the name of its cluster."""
        names = [*self.names, self.name(NOISE)]
        return [names[label] for label in self.labels]

    def sentence(self) -> str:
        """How many clusters there are and what is in none; says what to do where there is one or none."""
        n, k, noise = len(self.labels), len(self), self.n_noise
        if k == 0:
            return _(
                "No cluster was found: among {n:,} texts there is no dense group of {least} or more. Lower "
                "min_cluster_size, or add texts."
            ).format(n=n, least=self.settings["min_cluster_size"])
        if k == 1:
            said = _(
                "There is one cluster only, in which no groups stand out; {noise:,} ({share}) belong to "
                "none. Lower min_cluster_size to look for smaller groups."
            )
        else:
            said = _("{n:,} texts fall into {k} clusters; {noise:,} ({share}) belong to none.")
        return said.format(n=n, k=k, noise=noise, share=percent(noise / n, 0))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the labels."""
        return {
            "n": len(self.labels),
            "n_clusters": len(self),
            "n_noise": self.n_noise,
            "settings": self.settings,
            "clusters": plain(self.table.drop(columns="central")),
        }

    def __repr__(self) -> str:
        return f"<Clusters: {self.sentence()}>"

    def _repr_html_(self) -> str:
        shown = self.table.round(2).drop(columns=["central", "terms"], errors="ignore")
        return render("calibration/result.html", answer=None, sentences=[self.sentence()], table=shown)


def find_clusters(
    vectors: npt.ArrayLike,
    texts: Sequence[str] | None = None,
    *,
    ids: Ids | None = None,
    min_cluster_size: int | None = None,
    min_samples: int = 5,
    space: Space = "umap",
    n_components: int | None = None,
    n_neighbors: int = 15,
    allow_single_cluster: bool = False,
    seed: int = 0,
    fingerprint: Fingerprint = None,
    backend: Backend = "auto",
    progress: bool | None = None,
) -> Clusters:
    """Find dense groups of texts.

    The same vectors and seed give the same clusters on one machine, in whatever order they come. Vectors
    that were encoded anew and differ by rounding give other clusters where clusters are not stable, as
    another sample would: see :func:`~workbench.exploration.cluster_stability`, and keep
    vectors rather than encode again. Equal vectors count once when density is judged, and share their
    cluster.

    On the demonstration texts (``benchmarks/map_choices.py``, "clusters"), HDBSCAN on the vectors
    themselves either finds next to nothing or calls most texts noise, for in hundreds of dimensions no
    place is dense; five dimensions of UMAP keep the neighbours and make density visible. More
    dimensions than five change little. On the leading eigenvectors of the neighbour graph
    ("spectral"), clusters are nearly the same when vectors differ by rounding, with more noise.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
    texts : sequence of str, optional
        Names the clusters by their distinguishing terms; see :func:`name_clusters`.
    ids : sequence of str or int, optional
        As of :func:`~workbench.exploration.fit_map`.
    min_cluster_size : int, optional
        Smallest group that counts; by default :func:`default_min_cluster_size`.
    min_samples : int
        More makes more texts noise.
    space : {"umap", "spectral", "vectors"}
        Where density is judged: on a UMAP layout, on a
        :func:`~workbench.exploration.layouts.spectral_layout` (for vectors that are encoded anew
        from time to time; slow beyond some ten thousand texts), or among the vectors themselves.
    n_components : int, optional
        Of the layout; by default 5 for "umap", 40 for "spectral".
    n_neighbors : int
        Of the layout.
    allow_single_cluster : bool
        Whether all texts may come out as one cluster; else such texts come out as none.
    seed : int
    fingerprint : str or sequence of str, optional
    backend : {"auto", "cpu", "gpu"}
        Of the layout.
    progress : bool, optional

    Returns
    -------
    Clusters
        Perhaps with one cluster or none; :meth:`Clusters.sentence` then says so.

    Raises
    ------
    InputError
        If vectors cannot be used (not finite, all identical, too few), or a parameter is out of range.
    EncoderMismatchError
        If vectors come from more than one encoder.
    MissingDependencyError
        If umap-learn is not installed.

    References
    ----------
    Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density
    estimates, PAKDD.
    """
    rows = unit_rows(vectors)
    one_fingerprint(fingerprint, len(rows))
    check_one_for_each("texts", texts, len(rows))
    found = distinct(rows, ids)
    size = default_min_cluster_size(len(found.rows)) if min_cluster_size is None else min_cluster_size
    settings: dict[str, Any] = {
        "min_cluster_size": size,
        "min_samples": min_samples,
        "space": space,
        "n_components": COMPONENTS.get(space, 0) if n_components is None else n_components,
        "n_neighbors": n_neighbors,
        "allow_single_cluster": allow_single_cluster,
        "seed": seed,
    }
    labels, membership = cluster_labels(rows[found.rows], **settings, backend=backend, progress=progress)
    clusters = _described(rows, labels[found.inverse], membership[found.inverse], settings)
    return clusters if texts is None else name_clusters(clusters, texts)


def cluster_labels(
    vectors: Vectors,
    *,
    min_cluster_size: int,
    min_samples: int,
    space: Space,
    n_components: int,
    n_neighbors: int,
    allow_single_cluster: bool,
    seed: int,
    backend: Backend = "auto",
    progress: bool | None = None,
) -> tuple[Rows, FloatArray]:
    """Rows (-1 for noise) and membership of distinct unit vectors in canonical order."""
    check_choice("space", space, tuple(COMPONENTS))
    check_count("min_cluster_size", min_cluster_size, 2)
    check_count("min_samples", min_samples, 1)
    check_neighbours(2 if space == "vectors" else n_neighbors, len(vectors))
    if len(vectors) < max(min_cluster_size, min_samples):
        # HDBSCAN refuses this; that so few texts hold no such group is an answer all the same.
        return np.full(len(vectors), NOISE, dtype=np.intp), np.zeros(len(vectors))
    points = vectors
    if space != "vectors":
        points = reduce(vectors, "auto", seed).apply(vectors)
        size = {"n_components": n_components, "n_neighbors": n_neighbors, "seed": seed}
        if space == "spectral":
            points = spectral_layout(points, **size)
        else:
            points = umap_layout(points, min_dist=0.0, backend=backend, progress=progress, **size)
    labels, membership = hdbscan(
        points,
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        allow_single_cluster=allow_single_cluster,
    )
    return labels.astype(np.intp), np.where(labels == NOISE, 0.0, np.nan_to_num(membership))


def default_min_cluster_size(n: int) -> int:
    """A third of the square root of `n`, at least 5: 11 for a thousand texts, 105 for 100,000.

    Examples
    --------
    >>> [default_min_cluster_size(n) for n in (50, 1000, 100_000)]
    [5, 11, 105]
    """
    return max(5, round(math.sqrt(n) / 3))


def name_clusters(clusters: Clusters, texts: Sequence[str], *, n_terms: int = 8) -> Clusters:
    """Name clusters in words that their texts use, and list the terms that tell them from the rest.

    Parameters
    ----------
    clusters : Clusters
    texts : sequence of str
        In the order of the labels.
    n_terms : int
        Terms kept in the column ``terms``.
    """
    if not len(clusters):
        return clusters
    best = distinguishing_terms(texts, clusters.labels.tolist(), n_terms=n_terms, noise=NOISE)
    by_cluster = best.groupby("group")["term"].agg(list)
    terms = [by_cluster.get(cluster, []) for cluster in clusters.table["cluster"]]
    told = group_names(texts, clusters.labels.tolist(), noise=NOISE)
    names, taken = [], set()
    for cluster in range(len(clusters)):
        name = told[cluster] or f"#{cluster}"
        if name in taken:
            name = f"{name} #{cluster}"
        taken.add(name)
        names.append(name)
    return replace(clusters, table=clusters.table.assign(name=names, terms=pd.Series(terms)))


def _described(rows: Vectors, found: Rows, membership: FloatArray, settings: dict[str, Any]) -> Clusters:
    """Clusters numbered by falling size, then by their first text in canonical order."""
    sizes = np.bincount(found[found != NOISE])
    order = np.argsort(-sizes, kind="stable")
    number = np.empty(len(sizes) + 1, dtype=np.intp)
    number[order], number[-1] = np.arange(len(sizes)), NOISE
    labels = number[found]
    members = [np.flatnonzero(labels == cluster) for cluster in range(len(sizes))]
    centroids = np.array([rows[own].mean(axis=0) for own in members], dtype=np.float32).reshape(
        -1, rows.shape[1]
    )
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-12)
    central = [
        own[np.argsort(-(rows[own] @ centre), kind="stable")[:CENTRAL_TEXTS]].tolist()
        for own, centre in zip(members, centroids, strict=True)
    ]
    table = pd.DataFrame(
        {
            "cluster": range(len(sizes)),
            "name": [f"#{cluster}" for cluster in range(len(sizes))],
            "size": sizes[order],
            "share": sizes[order] / len(labels),
            "silhouette": _silhouettes(rows, labels, settings["seed"]),
            "central": central,
        }
    )
    return Clusters(labels, membership, table, centroids, settings)


def _silhouettes(rows: Vectors, labels: Rows, seed: int) -> FloatArray:
    """Mean silhouette of each cluster (Rousseeuw 1987) by cosine distance, noise left out."""
    k = int(labels.max(initial=NOISE)) + 1
    if k < 2:
        return np.full(k, np.nan)
    from sklearn.metrics import silhouette_samples

    there = np.flatnonzero(labels != NOISE)
    if len(there) > SILHOUETTE_SAMPLE:
        there = np.sort(np.random.default_rng(seed).choice(there, SILHOUETTE_SAMPLE, replace=False))
    if len(np.unique(labels[there])) < 2:
        return np.full(k, np.nan)
    values = silhouette_samples(rows[there], labels[there], metric="cosine")
    sums, counts = np.bincount(labels[there], values, k), np.bincount(labels[there], minlength=k)
    means: FloatArray = np.divide(sums, counts, out=np.full(k, np.nan), where=counts > 0)
    return means
