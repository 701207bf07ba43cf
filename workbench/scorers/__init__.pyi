from .base import Scorer, Scores
from .column import ColumnScorer
from .cosine import CosineScorer
from .coverage import Coverage, CoverageLevels, Covered, cover, levels_of
from .cross_encoder import CrossEncoderReranker
from .offsets import OffsetScorer, language_pairs, offset_fingerprint, offset_state
from .qwen3_reranker import Qwen3Reranker
from .registry import encoder_or_scorer, load_reranker, load_scorer, scorer_of, with_card
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
    "OffsetScorer",
    "Qwen3Reranker",
    "RelativeScorer",
    "RerankScorer",
    "Reranker",
    "Scorer",
    "Scores",
    "ServerReranker",
    "cover",
    "encoder_or_scorer",
    "language_pairs",
    "levels_of",
    "load_reranker",
    "load_scorer",
    "offset_fingerprint",
    "offset_state",
    "scorer_of",
    "with_card",
]
