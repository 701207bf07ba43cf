from .base import Scorer, Scores
from .column import ColumnScorer
from .cosine import CosineScorer
from .coverage import Coverage, CoverageLevels, Covered, cover, levels_of
from .cross_encoder import CrossEncoderReranker
from .qwen3_reranker import Qwen3Reranker
from .registry import encoder_or_scorer, load_reranker, load_scorer, scorer_of
from .relative import RelativeScorer
from .rerank import RerankScorer
from .rerankers import Reranker
from .server_reranker import ServerReranker

__all__ = [
    "ColumnScorer",
    "CosineScorer",
    "Coverage",
    "CoverageLevels",
    "Covered",
    "CrossEncoderReranker",
    "Qwen3Reranker",
    "RelativeScorer",
    "RerankScorer",
    "Reranker",
    "Scorer",
    "Scores",
    "ServerReranker",
    "cover",
    "encoder_or_scorer",
    "levels_of",
    "load_reranker",
    "load_scorer",
    "scorer_of",
]
