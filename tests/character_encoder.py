"""An encoder whose similarities a test can work out: texts by the characters that they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.encoders.base import BaseEncoder, Batch, Role

DIMENSION = 61


class CharacterEncoder(BaseEncoder):
    """Counts of characters (code points modulo 61): texts of the same letters are the same to it."""

    def __init__(self, name: str = "characters", revision: int = 1) -> None:
        self._name = name
        self._revision = revision

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return DIMENSION

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {"encoder": self._name, "revision": self._revision, "dimension": DIMENSION}

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        counts = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            np.add.at(counts[row], [ord(character) % DIMENSION for character in text], 1)
        yield np.arange(len(texts)), counts


def similarities(query: str, texts: Sequence[str]) -> list[float]:
    """What the encoder's scores must be, by scikit-learn; for texts of the letters a to z."""
    # Imported here because a test starts a process of its own that only encodes.
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    counts = CountVectorizer(analyzer="char", lowercase=False).fit_transform([query, *texts])
    return list(cosine_similarity(counts[:1], counts[1:])[0])
