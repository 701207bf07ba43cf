"""Encoders: from texts to unit vectors, one file an encoder, and the store that keeps their vectors.

:func:`load_encoder` takes a name, a folder or an address; what a vector depends on is in the encoder's
recipe, and in short in its fingerprint.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.encoders.base import BaseEncoder, Encoder, Role, Vectors, fingerprint_of
from workbench.encoders.registry import load_encoder

if TYPE_CHECKING:
    from workbench.encoders.available import Availability, availability
    from workbench.encoders.store import EmbeddingStore, StoreStatistics
    from workbench.encoders.stored import StoredEncoder

__all__ = [
    "Availability",
    "BaseEncoder",
    "EmbeddingStore",
    "Encoder",
    "Role",
    "StoreStatistics",
    "StoredEncoder",
    "Vectors",
    "availability",
    "fingerprint_of",
    "load_encoder",
]

_HOMES = {
    "Availability": "workbench.encoders.available",
    "availability": "workbench.encoders.available",
    "EmbeddingStore": "workbench.encoders.store",
    "StoreStatistics": "workbench.encoders.store",
    "StoredEncoder": "workbench.encoders.stored",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench.encoders' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
