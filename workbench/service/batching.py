"""One encoder for questions that come at the same time: what waits is encoded together.

Nothing waits on purpose: while the encoder works, whatever comes in gathers, and goes next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np

from workbench.encoders.base import AT_ONCE, BaseEncoder, Batch, Encoder, Role, Vectors


@dataclass(eq=False)
class _Waiting:
    texts: list[str]
    role: Role
    vectors: Future[Vectors] = field(default_factory=Future)


class BatchingEncoder(BaseEncoder):
    """An encoder that many threads ask; its fingerprint is that of the one it asks.

    Parameters
    ----------
    encoder : Encoder
    most : int
        Texts that are encoded together.
    told : callable, optional
        Told of each batch how many texts it has, and how many were asked for.
    """

    def __init__(
        self, encoder: Encoder, *, most: int = 4 * AT_ONCE, told: Callable[[int, int], object] | None = None
    ) -> None:
        self.encoder, self.instruction, self.device = encoder, encoder.instruction, encoder.device
        self._most, self._told = most, told
        self._line: SimpleQueue[_Waiting] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True, name="encoder").start()

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def dimension(self) -> int:
        return self.encoder.dimension

    @property
    def recipe(self) -> Mapping[str, Any]:
        return self.encoder.recipe

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        for start in range(0, len(texts), AT_ONCE):
            waiting = _Waiting(list(texts[start : start + AT_ONCE]), role)
            self._line.put(waiting)
            yield np.arange(start, start + len(waiting.texts)), waiting.vectors.result()

    def _unit_rows(self, vectors: Vectors, *_places: object) -> Vectors:
        # They have been made so, and would only be rounded again.
        return vectors

    def _work(self) -> None:
        late: list[_Waiting] = []
        while True:
            together = late or [self._line.get()]
            while not self._line.empty() and sum(len(one.texts) for one in together) < self._most:
                together.append(self._line.get())
            # Those of the other side go next, before any that have come since.
            late = [one for one in together if one.role != together[0].role]
            self._answer([one for one in together if one.role == together[0].role])

    def _answer(self, together: Sequence[_Waiting]) -> None:
        distinct = list(dict.fromkeys(text for one in together for text in one.texts))
        encode = getattr(
            self.encoder, f"encode_{'documents' if together[0].role == 'document' else 'queries'}"
        )
        try:
            rows = dict(zip(distinct, encode(distinct, progress=False), strict=True))
        except Exception as error:
            self._alone(together, encode, error)
            return
        if self._told is not None:
            self._told(len(distinct), sum(len(one.texts) for one in together))
        for one in together:
            one.vectors.set_result(np.array([rows[text] for text in one.texts]))

    def _alone(self, together: Sequence[_Waiting], encode: Callable[..., Vectors], error: Exception) -> None:
        """One question's bad text must not fail the others that happened to come with it."""
        for one in together:
            try:
                if len(together) == 1:
                    raise error
                one.vectors.set_result(encode(one.texts, progress=False))
            except Exception as own:
                one.vectors.set_exception(own)
