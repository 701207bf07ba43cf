from .base import Scorer, Scores
from .cosine import CosineScorer
from .coverage import Coverage, CoverageLevels, Covered, cover, levels_of
from .registry import load_scorer
from .relative import RelativeScorer

__all__ = [
    "CosineScorer",
    "Coverage",
    "CoverageLevels",
    "Covered",
    "RelativeScorer",
    "Scorer",
    "Scores",
    "cover",
    "levels_of",
    "load_scorer",
]
