"""How clusters belong together: average linkage of their centres by cosine distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError
from workbench.exploration.clusters import Clusters

__all__ = ["ClusterHierarchy", "cluster_hierarchy"]


@dataclass(frozen=True, eq=False)
class ClusterHierarchy:
    """A tree of clusters.

    Attributes
    ----------
    linkage : ndarray of float64, shape (k - 1, 4)
        As of :func:`scipy.cluster.hierarchy.linkage`; heights are cosine distances.
    names : tuple of str
        Of the leaves.
    sizes : tuple of int
        Texts in each leaf.
    """

    linkage: npt.NDArray[np.float64]
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def groups(self, n_groups: int) -> pd.DataFrame:
        """Cut the tree so that at most `n_groups` are left.

        Returns
        -------
        DataFrame
            A row for each cluster: ``cluster``, ``name``, ``size``, ``group`` (from 0, by falling number
            of texts).

        Raises
        ------
        InputError
            If `n_groups` is not from 1 to the number of clusters.
        """
        k = len(self.names)
        if not 1 <= n_groups <= k:
            raise InputError(f"n_groups is {n_groups}; with {k} clusters it must be from 1 to {k}.")
        from scipy.cluster.hierarchy import fcluster

        found = fcluster(self.linkage, n_groups, criterion="maxclust") - 1
        texts = np.bincount(found, self.sizes)
        rank = np.empty(len(texts), dtype=int)
        rank[np.argsort(-texts, kind="stable")] = np.arange(len(texts))
        return pd.DataFrame(
            {"cluster": range(k), "name": self.names, "size": self.sizes, "group": rank[found]}
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"linkage": self.linkage.tolist(), "names": list(self.names), "sizes": list(self.sizes)}

    def __repr__(self) -> str:
        return f"<ClusterHierarchy: {len(self.names)} clusters>"


def cluster_hierarchy(clusters: Clusters) -> ClusterHierarchy:
    """The tree in which the nearest clusters are joined first.

    Raises
    ------
    InputError
        If there are fewer than two clusters.
    """
    if len(clusters) < 2:
        raise InputError(f"A hierarchy needs at least two clusters. {clusters.sentence()}")
    from scipy.cluster.hierarchy import linkage, optimal_leaf_ordering
    from scipy.spatial.distance import pdist

    distances = np.clip(pdist(clusters.centroids.astype(np.float64), "cosine"), 0, 2)
    tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
    return ClusterHierarchy(tree, tuple(clusters.names), tuple(clusters.table["size"].tolist()))
