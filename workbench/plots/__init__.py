"""Figures: arrays and frames in, a matplotlib figure in the house style out. Nothing is computed here
beyond what layout needs, and matplotlib is imported when the first figure is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "house_style": "workbench.plots.style",
    "plot_active_labelling": "workbench.plots.pairs",
    "plot_agreement": "workbench.plots.pairs",
    "plot_chance": "workbench.plots.contributions",
    "plot_cluster_tree": "workbench.plots.clusters",
    "plot_contributions": "workbench.plots.contributions",
    "plot_cost": "workbench.plots.calibration",
    "plot_curves": "workbench.plots.comparison",
    "plot_differences": "workbench.plots.comparison",
    "plot_dimensions": "workbench.plots.dimensions",
    "plot_explanation": "workbench.plots.explanation",
    "plot_faithfulness": "workbench.plots.explanation",
    "plot_groups": "workbench.plots.calibration",
    "plot_histogram": "workbench.plots.vectors",
    "plot_label_noise": "workbench.plots.pairs",
    "plot_map_comparison": "workbench.plots.map_comparison",
    "plot_matryoshka": "workbench.plots.matryoshka",
    "plot_over_cutoff": "workbench.plots.calibration",
    "plot_precision_recall": "workbench.plots.calibration",
    "plot_reliability": "workbench.plots.calibration",
    "plot_removal": "workbench.plots.dimensions",
    "plot_roc": "workbench.plots.calibration",
    "plot_scores": "workbench.plots.calibration",
    "plot_side_by_side": "workbench.plots.vector_pages",
    "plot_skill_map": "workbench.plots.skill_map",
    "plot_stability": "workbench.plots.calibration",
    "plot_study": "workbench.plots.calibration",
    "plot_supply_change": "workbench.plots.supply_demand",
    "plot_supply_demand": "workbench.plots.supply_demand",
    "plot_values": "workbench.plots.vectors",
}

__all__ = [
    "house_style",
    "plot_active_labelling",
    "plot_agreement",
    "plot_chance",
    "plot_cluster_tree",
    "plot_contributions",
    "plot_cost",
    "plot_curves",
    "plot_differences",
    "plot_dimensions",
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
    "plot_side_by_side",
    "plot_skill_map",
    "plot_stability",
    "plot_study",
    "plot_supply_change",
    "plot_supply_demand",
    "plot_values",
]

if TYPE_CHECKING:
    from workbench.plots.calibration import (
        plot_cost,
        plot_groups,
        plot_over_cutoff,
        plot_precision_recall,
        plot_reliability,
        plot_roc,
        plot_scores,
        plot_stability,
        plot_study,
    )
    from workbench.plots.clusters import plot_cluster_tree
    from workbench.plots.comparison import plot_curves, plot_differences
    from workbench.plots.contributions import plot_chance, plot_contributions
    from workbench.plots.dimensions import plot_dimensions, plot_removal
    from workbench.plots.explanation import plot_explanation, plot_faithfulness
    from workbench.plots.map_comparison import plot_map_comparison
    from workbench.plots.matryoshka import plot_matryoshka
    from workbench.plots.pairs import plot_active_labelling, plot_agreement, plot_label_noise
    from workbench.plots.skill_map import plot_skill_map
    from workbench.plots.style import house_style
    from workbench.plots.supply_demand import plot_supply_change, plot_supply_demand
    from workbench.plots.vector_pages import plot_side_by_side
    from workbench.plots.vectors import plot_histogram, plot_values


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.plots' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
