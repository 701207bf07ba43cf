"""Batches on a CPU, one a core, each in a single thread.

Threads that share one matrix product wait for each other at the end of every operation. With ten processes on
two cores, 300 texts took 64 s that way, and 9 s with batches side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Batch, Vectors
from workbench.encoders.batching import token_batches

__all__ = ["encode_side_by_side"]

# Smaller batches use the processor badly, so a few tokens are not spread over many cores.
SMALLEST_SHARE = 128


def encode_side_by_side(
    encode: Callable[[npt.NDArray[np.intp]], Vectors], lengths: npt.NDArray[np.int64], token_budget: int
) -> Iterator[Batch]:
    """Encode texts in as many threads as torch is set to use.

    Parameters
    ----------
    encode : callable
        From positions to vectors of shape (n, d); called from several threads at once, except where one
        batch holds all, which then has all of torch's threads to itself.
    lengths : ndarray of int64, shape (n,)
        Tokens of each text.
    token_budget : int
        As in :func:`~workbench.encoders.batching.token_batches`; less where each thread's share is less.

    Yields
    ------
    (positions, vectors)
        Longest texts first. A caller that stops early waits for batches that have begun.
    """
    import torch

    workers = torch.get_num_threads()
    share = max(SMALLEST_SHARE, -(-int(lengths.sum()) // workers))
    batches = list(token_batches(lengths, min(token_budget, share)))
    if workers == 1 or len(batches) <= 1:
        yield from ((positions, encode(positions)) for positions in batches)
        return
    pool = ThreadPoolExecutor(
        workers, thread_name_prefix="encode", initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        yield from zip(batches, pool.map(encode, batches), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
        # The number holds for the thread that sets it, and for threads that are yet to start.
        torch.set_num_threads(workers)
