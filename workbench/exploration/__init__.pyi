from .chance import ChanceComparison, against_chance
from .clusters import Clusters, find_clusters, name_clusters
from .dimensions import Contributions, DimensionProfile, profile_dimensions, split_score
from .explanation import Explanation, explain, explain_pairs
from .faithfulness import Faithfulness, measure_faithfulness
from .inputs import checked_vector
from .layouts import warm_up
from .near_duplicates import NearDuplicates, find_near_duplicates
from .phrases import phrases_of
from .projection import SkillMap, fit_map
from .quality import ComparedMap, MapQuality, compare_maps, map_quality
from .removal import Removal, removal_curve, remove_dimensions
from .stability import ClusterHierarchy, ClusterStability, cluster_hierarchy, cluster_stability
from .supply_demand import SupplyDemand, supply_and_demand, supply_change
from .terms import distinguishing_terms, terms_of_selection
from .vectors import EffectiveDimension, VectorSummary, describe_vector, effective_dimension

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
    "checked_vector",
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
