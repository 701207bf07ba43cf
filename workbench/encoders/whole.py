"""The vector of a whole text, however long: what an encoder cannot read at once, it reads piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from workbench.encoders.base import Vectors
from workbench.texts import LONGEST_LINE

__all__ = ["whole_vectors"]

# An encoder without a limit takes memory by the token: about 200 MB for so many characters.
MOST_AT_ONCE = 32_768
# Chinese has at most a token a character, other writing a token for three and more; a prompt takes some.
CHARACTERS_A_TOKEN = 0.9


def whole_vectors(
    encode: Callable[..., Vectors], texts: Sequence[str], encoder: Any, **options: Any
) -> Vectors:
    """Vectors that rest on all of each text.

    A text that is longer than the encoder reads at once gets the mean of its pieces' vectors, of unit
    length again; any other the vector that `encode` gives it.

    Parameters
    ----------
    encode : callable
        ``encoder.encode_documents`` or ``encoder.encode_queries``.
    """
    tokens = getattr(encoder, "recipe", {}).get("max_length")
    most = MOST_AT_ONCE if tokens is None else max(1, int(tokens * CHARACTERS_A_TOKEN))
    pieces = [[text] if len(text) <= max(most, LONGEST_LINE) else list(_pieces(text, most)) for text in texts]
    if all(len(some) == 1 for some in pieces):
        return encode(texts, **options)
    vectors = encode([piece for some in pieces for piece in some], **options)
    weights = np.array([len(piece) for some in pieces for piece in some], dtype=np.float64)
    starts = np.cumsum([0, *map(len, pieces)])[:-1]
    sums = np.add.reduceat(vectors * weights[:, None], starts, axis=0)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _pieces(text: str, most: int) -> Iterator[str]:
    """The text in pieces of `most` characters at most, parted at blanks where there are any."""
    start = 0
    while len(text) - start > most:
        blank = max(text.rfind(mark, start + most // 2, start + most + 1) for mark in (" ", "\n"))
        cut = start + most if blank < 0 else blank
        yield text[start:cut]
        start = cut + (blank >= 0)
    if text[start:].strip():
        yield text[start:]
