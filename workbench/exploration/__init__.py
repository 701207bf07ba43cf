"""Exploration: what is inside the vectors, and the map of skills. Arrays, texts and frames in, results out.

Nothing here imports an encoder. Names are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "ChanceComparison": "workbench.exploration.chance",
    "ClusterHierarchy": "workbench.exploration.hierarchy",
    "ClusterStability": "workbench.exploration.stability",
    "Clusters": "workbench.exploration.clusters",
    "ComparedMap": "workbench.exploration.quality",
    "Contributions": "workbench.exploration.contributions",
    "DimensionProfile": "workbench.exploration.dimensions",
    "EffectiveDimension": "workbench.exploration.vectors",
    "Explanation": "workbench.exploration.explanation",
    "Faithfulness": "workbench.exploration.faithfulness",
    "MapQuality": "workbench.exploration.quality",
    "NearDuplicates": "workbench.exploration.near_duplicates",
    "Removal": "workbench.exploration.removal",
    "SkillMap": "workbench.exploration.projection",
    "SupplyDemand": "workbench.exploration.supply_demand",
    "VectorSummary": "workbench.exploration.vectors",
    "against_chance": "workbench.exploration.random_pairs",
    "cluster_hierarchy": "workbench.exploration.hierarchy",
    "cluster_stability": "workbench.exploration.stability",
    "compare_maps": "workbench.exploration.quality",
    "describe_vector": "workbench.exploration.vectors",
    "distinguishing_terms": "workbench.exploration.terms",
    "effective_dimension": "workbench.exploration.vectors",
    "explain": "workbench.exploration.leaving_out",
    "explain_pairs": "workbench.exploration.leaving_out",
    "find_clusters": "workbench.exploration.clusters",
    "find_near_duplicates": "workbench.exploration.near_duplicates",
    "fit_map": "workbench.exploration.projection",
    "map_quality": "workbench.exploration.quality",
    "measure_faithfulness": "workbench.exploration.deletion",
    "name_clusters": "workbench.exploration.clusters",
    "phrases_of": "workbench.exploration.phrases",
    "profile_dimensions": "workbench.exploration.dimensions",
    "removal_curve": "workbench.exploration.removal",
    "remove_dimensions": "workbench.exploration.removal",
    "split_score": "workbench.exploration.contributions",
    "supply_and_demand": "workbench.exploration.supply_demand",
    "supply_change": "workbench.exploration.supply_demand",
    "terms_of_selection": "workbench.exploration.terms",
    "warm_up": "workbench.exploration.umap_layout",
}

__all__ = [
    "ChanceComparison",
    "ClusterHierarchy",
    "ClusterStability",
    "Clusters",
    "ComparedMap",
    "Contributions",
    "DimensionProfile",
    "EffectiveDimension",
    "Explanation",
    "Faithfulness",
    "MapQuality",
    "NearDuplicates",
    "Removal",
    "SkillMap",
    "SupplyDemand",
    "VectorSummary",
    "against_chance",
    "cluster_hierarchy",
    "cluster_stability",
    "compare_maps",
    "describe_vector",
    "distinguishing_terms",
    "effective_dimension",
    "explain",
    "explain_pairs",
    "find_clusters",
    "find_near_duplicates",
    "fit_map",
    "map_quality",
    "measure_faithfulness",
    "name_clusters",
    "phrases_of",
    "profile_dimensions",
    "removal_curve",
    "remove_dimensions",
    "split_score",
    "supply_and_demand",
    "supply_change",
    "terms_of_selection",
    "warm_up",
]

if TYPE_CHECKING:
    from workbench.exploration.chance import ChanceComparison
    from workbench.exploration.clusters import Clusters, find_clusters, name_clusters
    from workbench.exploration.contributions import Contributions, split_score
    from workbench.exploration.deletion import measure_faithfulness
    from workbench.exploration.dimensions import DimensionProfile, profile_dimensions
    from workbench.exploration.explanation import Explanation
    from workbench.exploration.faithfulness import Faithfulness
    from workbench.exploration.hierarchy import ClusterHierarchy, cluster_hierarchy
    from workbench.exploration.leaving_out import explain, explain_pairs
    from workbench.exploration.near_duplicates import NearDuplicates, find_near_duplicates
    from workbench.exploration.phrases import phrases_of
    from workbench.exploration.projection import SkillMap, fit_map
    from workbench.exploration.quality import ComparedMap, MapQuality, compare_maps, map_quality
    from workbench.exploration.random_pairs import against_chance
    from workbench.exploration.removal import Removal, removal_curve, remove_dimensions
    from workbench.exploration.stability import ClusterStability, cluster_stability
    from workbench.exploration.supply_demand import SupplyDemand, supply_and_demand, supply_change
    from workbench.exploration.terms import distinguishing_terms, terms_of_selection
    from workbench.exploration.umap_layout import warm_up
    from workbench.exploration.vectors import (
        EffectiveDimension,
        VectorSummary,
        describe_vector,
        effective_dimension,
    )


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.exploration' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
