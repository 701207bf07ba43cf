"""A workbench for semantic JD–résumé matching: search, look inside the vectors, recalibrate the cutoff.

Names are imported when they are first used, so that ``import workbench`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Cutoff": "workbench.cutoffs",
    "EXAMPLE_JDS": "workbench.examples",
    "EXAMPLE_QUERY": "workbench.examples",
    "KnowledgeBase": "workbench.retrieval",
    "WorkbenchError": "workbench.errors",
    "calibrate": "workbench.calibration",
    "clean": "workbench.texts",
    "get_settings": "workbench.settings",
    "load_encoder": "workbench.encoders",
    "read_pairs": "workbench.pairs",
    "score_pairs": "workbench.pairs",
    "search": "workbench.retrieval",
}

__all__ = [
    "EXAMPLE_JDS",
    "EXAMPLE_QUERY",
    "Cutoff",
    "KnowledgeBase",
    "WorkbenchError",
    "__version__",
    "calibrate",
    "clean",
    "get_settings",
    "load_encoder",
    "read_pairs",
    "score_pairs",
    "search",
]

if TYPE_CHECKING:
    from workbench.calibration import calibrate
    from workbench.cutoffs import Cutoff
    from workbench.encoders import load_encoder
    from workbench.errors import WorkbenchError
    from workbench.examples import EXAMPLE_JDS, EXAMPLE_QUERY
    from workbench.pairs import read_pairs, score_pairs
    from workbench.retrieval import KnowledgeBase, search
    from workbench.settings import get_settings
    from workbench.texts import clean


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
