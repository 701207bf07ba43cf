"""Panels for notebooks, made of ipywidgets; each has a way to the same result without a front end."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "CalibrationPanel": "workbench.panels.calibration_panel",
    "LabellingPanel": "workbench.panels.labelling_panel",
    "MapPanel": "workbench.panels.map_panel",
    "SearchPanel": "workbench.panels.search_panel",
    "disagreements_html": "workbench.panels.disputes_html",
    "explanation_html": "workbench.panels.explanation_html",
    "hits_csv": "workbench.panels.cards",
    "hits_frame": "workbench.panels.cards",
    "hits_html": "workbench.panels.cards",
}

__all__ = [
    "CalibrationPanel",
    "LabellingPanel",
    "MapPanel",
    "SearchPanel",
    "disagreements_html",
    "explanation_html",
    "hits_csv",
    "hits_frame",
    "hits_html",
]

if TYPE_CHECKING:
    from workbench.panels.calibration_panel import CalibrationPanel
    from workbench.panels.cards import hits_csv, hits_frame, hits_html
    from workbench.panels.disputes_html import disagreements_html
    from workbench.panels.explanation_html import explanation_html
    from workbench.panels.labelling_panel import LabellingPanel
    from workbench.panels.map_panel import MapPanel
    from workbench.panels.search_panel import SearchPanel


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.panels' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
