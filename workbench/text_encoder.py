"""What packages that never import an encoder ask of one that is passed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["TextEncoder"]


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
