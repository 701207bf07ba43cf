"""Encoders: from texts to unit vectors, one file an encoder, and the store that keeps their vectors.

:func:`load_encoder` takes a spec; what a vector depends on is in the encoder's recipe and fingerprint.
"""

from __future__ import annotations

from workbench.encoders.base import BaseEncoder, Encoder, Role, Vectors, fingerprint_of
from workbench.encoders.registry import load_encoder

__all__ = ["BaseEncoder", "Encoder", "Role", "Vectors", "fingerprint_of", "load_encoder"]
