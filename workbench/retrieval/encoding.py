"""The encoder of a knowledge base: whether it is the right one, and whether what it returns can be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.encoders import Encoder, Role, Vectors, load_encoder
from workbench.errors import EncoderError, EncoderMismatchError, EncoderUnavailableError, InputError
from workbench.retrieval.index import check_vectors

__all__ = ["check_same", "encode", "load_recorded"]


def encode(encoder: Encoder, texts: Sequence[str], role: Role, progress: bool | None = None) -> Vectors:
    """Vectors of texts, float32 of shape (n, d), known to be finite and of unit length.

    Raises
    ------
    EncoderError
        If the encoder returned another shape, or vectors that cannot be compared.
    """
    run = encoder.encode_queries if role == "query" else encoder.encode_documents
    encoded = run(texts) if progress is None else run(texts, progress=progress)
    vectors = np.asarray(encoded, dtype=np.float32)
    if vectors.shape != (len(texts), encoder.dimension):
        raise EncoderError(
            f"The encoder {encoder.name} returned vectors of shape {vectors.shape} for {len(texts)} texts; "
            f"expected {(len(texts), encoder.dimension)}."
        )
    try:
        return check_vectors(vectors)
    except InputError as error:
        raise EncoderError(
            f"The encoder {encoder.name} returned vectors that cannot be used. {error}"
        ) from error


def check_same(encoder: Encoder, recorded: Mapping[str, Any], folder: Path | None, n: int) -> None:
    """Refuse an encoder whose vectors cannot be compared with the `n` that are there.

    `recorded` is what :func:`~workbench.retrieval.manifest.encoder_entry` wrote.

    Raises
    ------
    EncoderMismatchError
        If the fingerprints differ.
    """
    if encoder.fingerprint != recorded["fingerprint"]:
        raise EncoderMismatchError(
            f"The knowledge base{_place(folder)} was built with {_named(recorded)}, not with {encoder.name} "
            f"[{encoder.fingerprint}]; vectors of the two cannot be compared. Use the encoder it was built "
            f"with, or have its {n:,} texts encoded again: KnowledgeBase.open(folder, encoder, "
            "reencode=True), or --reencode on the command line."
        )


def load_recorded(recorded: Mapping[str, Any], folder: Path | None) -> Encoder:
    """Load the encoder that a knowledge base was built with.

    Raises
    ------
    EncoderUnavailableError
        If it cannot be loaded here.
    """
    try:
        return load_encoder(recorded["spec"])
    except EncoderUnavailableError as error:
        raise EncoderUnavailableError(
            f"The knowledge base{_place(folder)} was built with {_named(recorded)}, which could not be "
            f"loaded as {recorded['spec']!r}: {error} If you can load it yourself, pass it: "
            "KnowledgeBase.open(folder, encoder)."
        ) from error


def _named(recorded: Mapping[str, Any]) -> str:
    return f"{recorded['name']} [{recorded['fingerprint']}]"


def _place(folder: Path | None) -> str:
    return f" in {folder}" if folder else ""
