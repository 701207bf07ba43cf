"""A single query on a GPU as the replay of a CUDA graph, captured once for each range of lengths.

For one short text the GPU would spend more time waiting for its thousand kernels to be launched than it
takes to read the weights. On a CPU the same code runs without capture, which is how it is tested.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from workbench.encoders.base import Vectors
from workbench.encoders.batching import TokenRows
from workbench.encoders.cuda_decoder import LEAST_COSINE, CudaDecoder, lowest_cosine
from workbench.encoders.packed_attention import Run

__all__ = ["BUCKETS", "GraphedQuery"]

# Lengths that graphs are captured for; a text is filled up to the next. Longer ones keep a GPU busy anyway.
BUCKETS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)


class GraphedQuery:
    """The hidden state of the last token of one short text.

    Texts are filled up on the right to the next of :data:`BUCKETS`: under causal attention what comes
    after a token does not reach it. A graph is captured the first time that its length is needed.

    Parameters
    ----------
    decoder : CudaDecoder
        Of weights that are not quantised: what multiplies those cannot be captured.
    """

    def __init__(self, decoder: CudaDecoder) -> None:
        self._decoder = decoder
        self._fixed: dict[int, _FixedLength | None] = {}
        # A graph has one input and one output, which two threads must not share.
        self._lock = Lock()

    def fits(self, n_tokens: int) -> bool:
        """Whether there is a bucket for a text of so many tokens."""
        return n_tokens <= BUCKETS[-1]

    def __call__(self, ids: npt.NDArray[np.integer[Any]]) -> Vectors | None:
        """The state, float32 (1, hidden size), of the last of `ids`, shape (tokens,).

        None where no graph can be captured, or where one gives other states than the decoder does; a
        warning says so once.
        """
        length = next(bucket for bucket in BUCKETS if len(ids) <= bucket)
        with self._lock:
            if length not in self._fixed:
                self._fixed[length] = self._tried(length, ids)
            fixed = self._fixed[length]
            return None if fixed is None else fixed(ids)

    def _tried(self, length: int, ids: npt.NDArray[np.integer[Any]]) -> _FixedLength | None:
        tokens = TokenRows.from_lists([ids.tolist()])
        plain = self._decoder.last_states(tokens, np.zeros(1, dtype=np.intp))
        try:
            fixed = _FixedLength(self._decoder, length)
            if lowest_cosine(fixed(ids), plain) >= LEAST_COSINE:
                return fixed
            why = "gives other vectors"
        # What torch raises where something cannot be captured, or memory is short.
        except RuntimeError as error:
            why = f"cannot be captured ({str(error).splitlines()[0]})"
        warnings.warn(
            f"A CUDA graph for texts of up to {length} tokens {why}; single queries take the slower way.",
            stacklevel=3,
        )
        return None


class _FixedLength:
    """Tensors that stay where they are, and what computes the one from the others."""

    def __init__(self, decoder: CudaDecoder, length: int) -> None:
        device = decoder.device
        with torch.inference_mode():
            self._ids = torch.zeros(length, dtype=torch.int64, device=device)
            self._end = torch.zeros(1, dtype=torch.int64, device=device)
            self._vector = torch.zeros(1, decoder.config.hidden_size, device=device)
            cos, sin = decoder.rotation(np.arange(length))
            runs = [Run(0, length, 1)]

            def compute() -> None:
                self._vector.copy_(decoder.run(self._ids, cos, sin, runs, self._end, every_token=True))

            self._compute = _captured(compute, device)

    def __call__(self, ids: npt.NDArray[np.integer[Any]]) -> Vectors:
        # What was in the rest before stays there: no token of this text sees it.
        with torch.inference_mode():
            self._ids[: len(ids)].copy_(torch.from_numpy(ids.astype(np.int64)))
            self._end.fill_(len(ids) - 1)
            self._compute()
            vector: Vectors = self._vector.cpu().numpy().copy()
        return vector


def _captured(compute: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """A CUDA graph's replay of what `compute` launches; on other devices `compute` itself."""
    if device.type != "cuda":
        return compute
    with torch.cuda.device(device):
        # Libraries choose kernels and take workspaces at their first calls, which cannot be captured.
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):
                compute()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            compute()
    replay: Callable[[], None] = graph.replay
    return replay
