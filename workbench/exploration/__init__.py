"""Exploration: what is inside the vectors, and the map of skills. Arrays, texts and frames in, results out.

Nothing here imports an encoder. Names are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "ClusterHierarchy": "workbench.exploration.hierarchy",
    "ClusterStability": "workbench.exploration.stability",
    "Clusters": "workbench.exploration.clusters",
    "ComparedMap": "workbench.exploration.quality",
    "MapQuality": "workbench.exploration.quality",
    "NearDuplicates": "workbench.exploration.near_duplicates",
    "SkillMap": "workbench.exploration.projection",
    "SupplyDemand": "workbench.exploration.supply_demand",
    "cluster_hierarchy": "workbench.exploration.hierarchy",
    "cluster_stability": "workbench.exploration.stability",
    "compare_maps": "workbench.exploration.quality",
    "distinguishing_terms": "workbench.exploration.terms",
    "find_clusters": "workbench.exploration.clusters",
    "fit_map": "workbench.exploration.projection",
    "map_quality": "workbench.exploration.quality",
    "name_clusters": "workbench.exploration.clusters",
    "find_near_duplicates": "workbench.exploration.near_duplicates",
    "supply_change": "workbench.exploration.supply_demand",
    "supply_and_demand": "workbench.exploration.supply_demand",
    "terms_of_selection": "workbench.exploration.terms",
    "warm_up": "workbench.exploration.umap_layout",
}

__all__ = [
    "ClusterHierarchy",
    "ClusterStability",
    "Clusters",
    "ComparedMap",
    "MapQuality",
    "NearDuplicates",
    "SkillMap",
    "SupplyDemand",
    "cluster_hierarchy",
    "cluster_stability",
    "compare_maps",
    "distinguishing_terms",
    "find_clusters",
    "find_near_duplicates",
    "fit_map",
    "map_quality",
    "name_clusters",
    "supply_and_demand",
    "supply_change",
    "terms_of_selection",
    "warm_up",
]

if TYPE_CHECKING:
    from workbench.exploration.clusters import Clusters, find_clusters, name_clusters
    from workbench.exploration.hierarchy import ClusterHierarchy, cluster_hierarchy
    from workbench.exploration.near_duplicates import NearDuplicates, find_near_duplicates
    from workbench.exploration.projection import SkillMap, fit_map
    from workbench.exploration.quality import ComparedMap, MapQuality, compare_maps, map_quality
    from workbench.exploration.stability import ClusterStability, cluster_stability
    from workbench.exploration.supply_demand import SupplyDemand, supply_and_demand, supply_change
    from workbench.exploration.terms import distinguishing_terms, terms_of_selection
    from workbench.exploration.umap_layout import warm_up


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.exploration' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
