"""From a spec such as ``"use"`` to an encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.encoders.base import Encoder
from workbench.errors import EncoderUnavailableError

if TYPE_CHECKING:
    from workbench.encoders.store import EmbeddingStore

__all__ = ["load_encoder"]


def load_encoder(
    spec: str | Encoder | None = None, *, store: bool | str | Path | EmbeddingStore = True, **options: Any
) -> Encoder:
    """Load an encoder by its spec."""
    if isinstance(spec, Encoder):
        return spec
    if spec not in (None, "auto", "use"):
        raise EncoderUnavailableError(f"No encoder is called {spec!r}; known: use.")
    from workbench.encoders.universal import UniversalSentenceEncoder

    return UniversalSentenceEncoder(**options)
