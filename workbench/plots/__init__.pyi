from .calibration import plot_advice, plot_reliability, plot_scores, plot_stability, plot_study
from .comparison import plot_curves, plot_differences, plot_matryoshka
from .curves import plot_cost, plot_over_cutoff, plot_precision_recall, plot_roc
from .dimensions import plot_chance, plot_contributions, plot_dimensions, plot_removal
from .explanation import plot_explanation, plot_faithfulness
from .groups import plot_groups
from .monitoring import plot_evidence
from .pairs import plot_active_labelling, plot_agreement, plot_label_noise
from .shortlist import plot_shortlist
from .skill_map import plot_cluster_tree, plot_map_comparison, plot_skill_map
from .style import house_style
from .supply_demand import plot_supply_change, plot_supply_demand
from .vectors import plot_histogram, plot_side_by_side, plot_values

__all__ = [
    "house_style",
    "plot_active_labelling",
    "plot_advice",
    "plot_agreement",
    "plot_chance",
    "plot_cluster_tree",
    "plot_contributions",
    "plot_cost",
    "plot_curves",
    "plot_differences",
    "plot_dimensions",
    "plot_evidence",
    "plot_explanation",
    "plot_faithfulness",
    "plot_groups",
    "plot_histogram",
    "plot_label_noise",
    "plot_map_comparison",
    "plot_matryoshka",
    "plot_over_cutoff",
    "plot_precision_recall",
    "plot_reliability",
    "plot_removal",
    "plot_roc",
    "plot_scores",
    "plot_shortlist",
    "plot_side_by_side",
    "plot_skill_map",
    "plot_stability",
    "plot_study",
    "plot_supply_change",
    "plot_supply_demand",
    "plot_values",
]
