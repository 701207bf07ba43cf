from .base import Scorer, Scores
from .cosine import CosineScorer
from .coverage import Coverage, CoverageLevels, Covered, cover
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
    "load_scorer",
]
