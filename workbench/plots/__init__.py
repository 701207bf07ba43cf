"""Figures: arrays and frames in, a matplotlib figure in the house style out. Nothing is computed here
beyond what layout needs, and matplotlib is imported when the first figure is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "house_style": "workbench.plots.style",
    "plot_histogram": "workbench.plots.vectors",
    "plot_values": "workbench.plots.vectors",
}

__all__ = ["house_style", "plot_histogram", "plot_values"]

if TYPE_CHECKING:
    from workbench.plots.style import house_style
    from workbench.plots.vectors import plot_histogram, plot_values


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.plots' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
