"""What packages that never import an encoder or a scorer ask of one that is passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["PairScorer", "TextEncoder"]


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
