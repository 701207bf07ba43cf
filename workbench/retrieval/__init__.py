"""Retrieval: a knowledge base of texts with their vectors, the index over them, and :func:`search`.

What a vector is comes from :mod:`workbench.encoders`; where a cutoff comes from, from
:mod:`workbench.calibration`.
"""

from __future__ import annotations

from workbench.retrieval.hits import Hit, resolve_cutoff
from workbench.retrieval.knowledge_base import KnowledgeBase
from workbench.retrieval.searching import search

__all__ = ["Hit", "KnowledgeBase", "resolve_cutoff", "search"]
