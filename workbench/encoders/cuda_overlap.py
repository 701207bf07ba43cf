"""Keeps a GPU busy: what the host has to do is done while the GPU works on something else.

Texts are tokenised in windows, in a thread, while the window before is encoded; a batch is launched before
the vectors of the one before it are fetched. On a CPU the same code runs, without anything gained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from workbench.encoders.base import Batch, Vectors
from workbench.encoders.batching import TokenRows, encode_in_halves, token_batches
from workbench.encoders.cuda_decoder import CudaDecoder
from workbench.encoders.cuda_graphs import GraphedQuery
from workbench.encoders.prefix import SharedPrefix, worthwhile_prefix

__all__ = ["OverlappedEncoding", "one_ahead"]

Item = TypeVar("Item")

# Texts that are tokenised together: enough that, sorted, a batch holds texts of nearly one length.
WINDOW = 32_768
# Batches on the device: one that is computed, and one whose vectors are fetched.
DEPTH = 2


class OverlappedEncoding:
    """From texts to hidden states of last tokens, many texts or one, with a Qwen3 model on a GPU.

    Parameters
    ----------
    decoder : CudaDecoder
    token_budget : int
        Tokens of a batch.
    graphs : bool
        Whether a single text replays a CUDA graph, which quantised weights cannot.
    window : int
        Texts that are tokenised together.
    """

    def __init__(
        self, decoder: CudaDecoder, token_budget: int, *, graphs: bool = True, window: int = WINDOW
    ) -> None:
        self._decoder = decoder
        self._graphed = GraphedQuery(decoder) if graphs else None
        self._token_budget = token_budget
        self._window = window

    def batches(
        self, texts: Sequence[str], tokenise: Callable[[Sequence[str]], TokenRows]
    ) -> Iterator[Batch]:
        """Yield ``(positions, states)`` batch by batch, each position once.

        Parameters
        ----------
        texts : sequence of str
        tokenise : callable
            From texts to their token ids; called in another thread.
        """
        if len(texts) == 1 and self._graphed is not None:
            tokens = tokenise(texts)
            fits = self._graphed.fits(int(tokens.lengths[0]))
            if fits and (state := self._graphed(tokens[0])) is not None:
                yield np.zeros(1, dtype=np.intp), state
                return
        starts = range(0, len(texts), self._window)
        windows = one_ahead(lambda start: tokenise(texts[start : start + self._window]), starts)
        under_way: deque[tuple[npt.NDArray[np.intp], _Fetch]] = deque()
        try:
            for start, tokens in zip(starts, windows, strict=True):
                for positions, fetch in self._launched(tokens):
                    under_way.append((positions + start, fetch))
                    if len(under_way) == DEPTH:
                        yield _fetched(under_way)
            while under_way:
                yield _fetched(under_way)
        finally:
            windows.close()

    def _launched(self, tokens: TokenRows) -> Iterator[tuple[npt.NDArray[np.intp], _Fetch]]:
        """Batches of one window, launched and not waited for."""
        prefix: SharedPrefix | None = None
        if length := worthwhile_prefix(tokens, self._decoder.config):
            prefix = self._decoder.compute_prefix(tokens[0][:length])
            tokens = tokens.without_first(length)

        def launch(positions: npt.NDArray[np.intp]) -> Any:
            return _Fetch.of(self._decoder.launch(tokens, positions, prefix))

        for positions in token_batches(tokens.lengths, self._token_budget):
            yield from encode_in_halves(launch, positions)


@dataclass(frozen=True)
class _Fetch:
    """States on their way to the host."""

    host: torch.Tensor
    arrived: Any

    @classmethod
    def of(cls, states: torch.Tensor) -> _Fetch:
        with torch.inference_mode():
            if states.device.type != "cuda":
                return cls(states.float(), None)
            host = torch.empty(states.shape, dtype=torch.float32, pin_memory=True)
            host.copy_(states.float(), non_blocking=True)
            arrived = torch.cuda.Event()
            arrived.record(torch.cuda.current_stream(states.device))
        return cls(host, arrived)

    def wait(self) -> Vectors:
        if self.arrived is not None:
            self.arrived.synchronize()
        vectors: Vectors = self.host.numpy()
        return vectors


def _fetched(under_way: deque[tuple[npt.NDArray[np.intp], _Fetch]]) -> Batch:
    positions, fetch = under_way.popleft()
    return positions, fetch.wait()


def one_ahead(make: Callable[[int], Item], keys: Sequence[int]) -> Generator[Item]:
    """What `make` makes of each key, in order; the next is made in a thread while one is used.

    Examples
    --------
    >>> list(one_ahead(lambda key: key * 10, [1, 2, 3]))
    [10, 20, 30]
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="one-ahead")
    following: Future[Item] | None = None
    try:
        for key in keys:
            current, following = following, pool.submit(make, key)
            if current is not None:
                yield current.result()
        if following is not None:
            yield following.result()
    finally:
        pool.shutdown(cancel_futures=True)
