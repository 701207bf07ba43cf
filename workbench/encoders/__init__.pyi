from .base import BaseEncoder, Encoder, Role, Vectors, fingerprint_of, milliseconds_a_text
from .bulk import BulkReport, encode_parquet
from .registry import Availability, availability, load_encoder
from .same_vectors import VectorComparison, compare_vectors
from .store import EmbeddingStore, StoreStatistics
from .stored import StoredEncoder

__all__ = [
    "Availability",
    "BaseEncoder",
    "BulkReport",
    "EmbeddingStore",
    "Encoder",
    "Role",
    "StoreStatistics",
    "StoredEncoder",
    "VectorComparison",
    "Vectors",
    "availability",
    "compare_vectors",
    "encode_parquet",
    "fingerprint_of",
    "load_encoder",
    "milliseconds_a_text",
]
