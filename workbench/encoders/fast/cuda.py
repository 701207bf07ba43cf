"""Keeps a GPU busy: the host works ahead of it, and a single query is the replay of a CUDA graph.

Texts are tokenised in windows, in a thread, while the window before is encoded; a batch is launched before
the vectors of the one before it are fetched. For one short text the GPU would spend more time waiting for its
thousand kernels to be launched than it takes to read the weights, so a graph is captured once for each range
of lengths. On a CPU the same code runs, without anything gained, which is how it is tested.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from workbench.encoders.base import Batch, Vectors
from workbench.encoders.fast.batching import TokenRows, encode_in_halves, token_batches
from workbench.encoders.fast.operations import Run
from workbench.encoders.fast.packed_decoder import LEAST_COSINE, CudaDecoder, lowest_cosine
from workbench.i18n import gettext as _

Item = TypeVar("Item")

# Texts that are tokenised together: enough that, sorted, a batch holds texts of nearly one length.
WINDOW = 32_768
# Batches on the device: one that is computed, and one whose vectors are fetched.
DEPTH = 2
# Lengths that graphs are captured for; a text is filled up to the next. Longer ones keep a GPU busy anyway.
BUCKETS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)


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
        tokens, prefix = self._decoder.without_prefix(tokens)

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
            why = _("it gives other vectors")
        # What torch raises where something cannot be captured, or memory is short.
        except RuntimeError as error:
            why = str(error).splitlines()[0]
        warnings.warn(
            _(
                "No CUDA graph can be used for texts of up to {length} tokens ({why}); single queries take "
                "the slower way."
            ).format(length=length, why=why),
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
