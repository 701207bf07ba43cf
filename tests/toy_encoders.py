"""Encoders for tests of what surrounds an encoder: tiny, and counting what they are asked."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.encoders.base import BaseEncoder, Batch, Role


class ToyEncoder(BaseEncoder):
    """A vector of four numbers drawn from the text's hash, in batches of `batch_size`.

    `asked` lists the texts of each call. A text of `broken` gets NaN; before the batch with the
    number `stop_at`, the user presses Ctrl-C.
    """

    def __init__(
        self,
        *,
        batch_size: int = 2,
        broken: Sequence[str] = (),
        stop_at: int | None = None,
        name: str = "toy",
    ) -> None:
        self.batch_size = batch_size
        self.broken = broken
        self.stop_at = stop_at
        self.asked: list[tuple[Role, list[str]]] = []
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return 4

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {"encoder": self._name, "dimension": 4, "precision": "float32"}

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        self.asked.append((role, list(texts)))
        for number, start in enumerate(range(0, len(texts), self.batch_size)):
            if number == self.stop_at:
                raise KeyboardInterrupt
            batch = texts[start : start + self.batch_size]
            # Backwards: encoders may give positions in any order.
            positions = np.arange(start, start + len(batch))[::-1]
            yield positions, np.array([self._vector(texts[p], role) for p in positions], dtype=np.float32)

    def _vector(self, text: str, role: Role) -> np.ndarray:
        if text in self.broken:
            return np.full(4, np.nan)
        seed = int.from_bytes(hashlib.sha256(f"{role} {text}".encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=4)

    @property
    def texts_asked(self) -> list[str]:
        return [text for _, texts in self.asked for text in texts]


class LoggingEncoder(ToyEncoder):
    """Writes each text that it has encoded into a file, with its process, whichever that is."""

    def __init__(self, log: str, *, seconds: float = 0.0) -> None:
        super().__init__(batch_size=1)
        self.log, self.seconds = log, seconds

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        for positions, vectors in super().encode_batches(texts, role):
            time.sleep(self.seconds)
            with Path(self.log).open("a") as file:
                file.write(f"{os.getpid()} {texts[positions[0]]}\n")
            yield positions, vectors
