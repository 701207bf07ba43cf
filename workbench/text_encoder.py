"""What packages that never import an encoder or a scorer ask of one that is passed in, and whole texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.texts import LONGEST_LINE

# An encoder without a limit takes memory by the token: about 200 MB for so many characters.
MOST_AT_ONCE = 32_768
# Chinese has at most a token a character, other writing a token for three and more; a prompt takes some.
CHARACTERS_A_TOKEN = 0.9


class TextEncoder(Protocol):
    """Turns texts of either side into unit rows; :class:`workbench.encoders.Encoder` has all of it."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...

    def encode_documents(
        self, texts: Sequence[str], *, progress: bool | None = None
    ) -> npt.NDArray[np.float32]: ...

    def encode_queries(
        self, texts: Sequence[str], *, progress: bool | None = None
    ) -> npt.NDArray[np.float32]: ...


class PairScorer(Protocol):
    """Scores pairs of texts; :class:`workbench.scorers.Scorer` has all of it."""

    encoder: TextEncoder

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def is_fitted(self) -> bool: ...

    def fit(
        self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None
    ) -> PairScorer: ...

    def state(self) -> Mapping[str, npt.NDArray[Any]]: ...

    def score_pairs(
        self,
        jds: Sequence[str],
        resumes: Sequence[str],
        rows: npt.NDArray[np.intp],
        columns: npt.NDArray[np.intp],
        *,
        progress: bool | None = None,
    ) -> npt.NDArray[np.float64]: ...


def whole_vectors(
    encode: Callable[..., npt.NDArray[np.float32]], texts: Sequence[str], encoder: Any, **options: Any
) -> npt.NDArray[np.float32]:
    """Vectors that rest on all of each text.

    A text that is longer than the encoder reads at once gets the mean of its pieces' vectors, of unit
    length again; any other the vector that `encode` gives it.

    Parameters
    ----------
    encode : callable
        ``encoder.encode_documents`` or ``encoder.encode_queries``.
    """
    tokens = getattr(encoder, "recipe", {}).get("max_length")
    pieces = [list(pieces_of(text, tokens)) for text in texts]
    if all(len(some) == 1 for some in pieces):
        return encode(texts, **options)
    vectors = encode([piece for some in pieces for piece in some], **options)
    weights = np.array([len(piece) for some in pieces for piece in some], dtype=np.float64)
    starts = np.cumsum([0, *map(len, pieces)])[:-1]
    sums = np.add.reduceat(vectors * weights[:, None], starts, axis=0)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def pieces_of(text: str, tokens: int | None) -> Iterator[str]:
    """The text in pieces that an encoder of so many tokens reads at once, parted at blanks if it has any."""
    most = MOST_AT_ONCE if tokens is None else max(1, int(tokens * CHARACTERS_A_TOKEN))
    if len(text) <= max(most, LONGEST_LINE):
        yield text
        return
    start = 0
    while len(text) - start > most:
        blank = max(text.rfind(mark, start + most // 2, start + most + 1) for mark in (" ", "\n"))
        cut = start + most if blank < 0 else blank
        yield text[start:cut]
        start = cut + (blank >= 0)
    if text[start:].strip():
        yield text[start:]
