"""Whether clusters would be found again in other texts of the same kind, by bootstrap Jaccard similarity, and
how they belong together, by average linkage of their centres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError
from workbench.exploration.clusters import NOISE, Clusters, cluster_labels
from workbench.exploration.inputs import (
    FloatArray,
    Ids,
    Rows,
    Vectors,
    check_count,
    distinct,
    unit_rows,
)
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, paragraph
from workbench.progress import progress_bar
from workbench.results import Result, plain

# Hennig (2007), section 5, and the documentation of his R function fpc::clusterboot.
STABLE, DISSOLVED = 0.75, 0.5


@dataclass(frozen=True, eq=False)
class ClusterStability(Result):
    """How well each cluster was recovered.

    Attributes
    ----------
    table : DataFrame
        A row for each cluster: ``cluster``, ``name``, ``jaccard`` (mean over resamples), ``recovered``
        (share of resamples above 0.75), ``dissolved`` (share at or below 0.5), ``verdict``: "stable" (a
        mean of 0.75 or more), "pattern" (from 0.6), "doubtful" (from 0.5) or "dissolved".
    jaccards : ndarray of float64, shape (n_resamples, k)
        NaN where no text of the cluster was drawn.
    """

    table: pd.DataFrame
    jaccards: FloatArray

    @property
    def n_stable(self) -> int:
        """Clusters with a mean Jaccard similarity of 0.75 or more."""
        return int((self.table["verdict"] == "stable").sum())

    def added_to(self, clusters: Clusters) -> Clusters:
        """The clusters with ``jaccard`` and ``verdict`` in their table: pictures show what to doubt."""
        known = {"jaccard": self.table["jaccard"].to_numpy(), "verdict": self.table["verdict"].to_numpy()}
        return replace(clusters, table=clusters.table.assign(**known))

    def sentence(self) -> str:
        """How many clusters can be relied on."""
        said = ngettext(
            "{n} of {total} clusters is stable (mean Jaccard {least} or more, {resamples} resamples).",
            "{n} of {total} clusters are stable (mean Jaccard {least} or more, {resamples} resamples).",
            self.n_stable,
        )
        return said.format(n=self.n_stable, total=len(self.table), least=STABLE, resamples=len(self.jaccards))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"n_resamples": len(self.jaccards), "clusters": plain(self.table)}

    def __repr__(self) -> str:
        return f"<ClusterStability: {self.sentence()}>"


@dataclass(frozen=True, eq=False)
class ClusterHierarchy(Result):
    """A tree of clusters.

    Attributes
    ----------
    linkage : ndarray of float64, shape (k - 1, 4)
        As of :func:`scipy.cluster.hierarchy.linkage`; heights are cosine distances. Cut it with ``fcluster``.
    names : tuple of str
        Of the leaves.
    sizes : tuple of int
        Texts in each leaf.
    """

    linkage: FloatArray
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __repr__(self) -> str:
        said = ngettext("{n} cluster", "{n} clusters", len(self.names))
        return f"<ClusterHierarchy: {said.format(n=len(self.names))}>"


def cluster_stability(
    vectors: npt.ArrayLike,
    clusters: Clusters,
    *,
    ids: Ids | None = None,
    n_resamples: int = 20,
    seed: int = 0,
    progress: bool | None = None,
) -> ClusterStability:
    """Cluster bootstrap resamples of the texts and see which clusters come back.

    In each resample the whole procedure runs anew, layout included. For a cluster, the Jaccard
    similarity of its drawn texts with the nearest cluster of the resample is taken. A text that is drawn
    more than once is used once, for copies would form clusters of their own; the smallest cluster size
    shrinks with the number of texts, and so do neighbours where there are not enough.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
        That `clusters` were found in.
    clusters : Clusters
    ids : sequence of str or int, optional
        As for :func:`~workbench.exploration.find_clusters`.
    n_resamples : int
        Each takes about as long as finding the clusters did.
    seed : int
    progress : bool, optional

    Raises
    ------
    InputError
        If the vectors are not those of the clusters, or `n_resamples` is below 1.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics and Data
    Analysis 52, 258-271.
    """
    rows = unit_rows(vectors)
    if len(rows) != len(clusters.labels):
        raise InputError(
            _("There are {n:,} vectors, but labels for {labels:,}; give those that were clustered.").format(
                n=len(rows), labels=len(clusters.labels)
            )
        )
    check_count("n_resamples", n_resamples, 1)
    found = distinct(rows, ids)
    own, labels = rows[found.rows], clusters.labels[found.rows]
    random = np.random.default_rng(seed)
    jaccards = np.full((n_resamples, len(clusters)), np.nan)
    with progress_bar(n_resamples, _("resamples"), progress, unit="resample") as bar:
        for resample in range(n_resamples):
            drawn = np.unique(random.integers(0, len(own), len(own)))
            jaccards[resample] = _recovered(own[drawn], labels[drawn], clusters, len(drawn) / len(own))
            bar.update()
    return _summed_up(jaccards, clusters)


def cluster_hierarchy(clusters: Clusters) -> ClusterHierarchy:
    """The tree in which the nearest clusters are joined first.

    Raises
    ------
    InputError
        If there are fewer than two clusters.
    """
    if len(clusters) < 2:
        raise InputError(paragraph([_("A hierarchy needs at least two clusters."), clusters.sentence()]))
    from scipy.cluster.hierarchy import linkage, optimal_leaf_ordering
    from scipy.spatial.distance import pdist

    distances = np.clip(pdist(clusters.centroids.astype(np.float64), "cosine"), 0, 2)
    tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
    return ClusterHierarchy(tree, tuple(clusters.names), tuple(clusters.table["size"].tolist()))


def _recovered(rows: Vectors, labels: Rows, clusters: Clusters, share: float) -> FloatArray:
    """For each cluster the Jaccard similarity with the nearest one of the resample."""
    if len(rows) <= 3:
        raise InputError(
            _("A resample has {n} distinct texts only, too few to cluster; add texts.").format(n=len(rows))
        )
    settings = {
        **clusters.settings,
        "min_cluster_size": max(2, round(clusters.settings["min_cluster_size"] * share)),
        "n_neighbors": min(clusters.settings["n_neighbors"], len(rows) - 1),
    }
    again = cluster_labels(rows, **settings, progress=False)[0]
    k, there = len(clusters), int(again.max(initial=NOISE)) + 1
    # Row 0 and column 0 are noise.
    both = np.zeros((k + 1, there + 1))
    np.add.at(both, (labels + 1, again + 1), 1)
    before, after = both.sum(axis=1)[1:, None], both.sum(axis=0)[None, 1:]
    shared = both[1:, 1:]
    similar = shared / np.maximum(before + after - shared, 1)
    best = similar.max(axis=1, initial=0.0)
    return np.where(before[:, 0] > 0, best, np.nan)


def _summed_up(jaccards: FloatArray, clusters: Clusters) -> ClusterStability:
    drawn = np.maximum((~np.isnan(jaccards)).sum(axis=0), 1)
    mean = np.nansum(jaccards, axis=0) / drawn
    verdict = np.select(
        [mean >= STABLE, mean >= 0.6, mean >= DISSOLVED], ["stable", "pattern", "doubtful"], "dissolved"
    )
    table = pd.DataFrame(
        {
            "cluster": clusters.table["cluster"],
            "name": clusters.table["name"],
            "jaccard": mean,
            "recovered": (jaccards > STABLE).sum(axis=0) / drawn,
            "dissolved": (jaccards <= DISSOLVED).sum(axis=0) / drawn,
            "verdict": verdict,
        }
    )
    return ClusterStability(table, jaccards)
