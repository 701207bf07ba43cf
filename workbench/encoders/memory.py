"""What to do when a batch does not fit the GPU's memory: encode it in halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Batch, Vectors
from workbench.errors import EncoderError

__all__ = ["encode_in_halves"]

Positions = npt.NDArray[np.intp]


def encode_in_halves(encode: Callable[[Positions], Vectors], positions: Positions) -> Iterator[Batch]:
    """Encode a batch; where memory runs out, its halves, and theirs.

    Parameters
    ----------
    encode : callable
        From positions to vectors of shape (n, d).
    positions : ndarray of intp, shape (n,)
        The batch.

    Raises
    ------
    EncoderError
        If memory runs out on a single text.
    """
    import torch

    try:
        vectors = encode(positions)
    except torch.OutOfMemoryError as error:
        if len(positions) == 1:
            raise EncoderError(
                f"The GPU ran out of memory on text {int(positions[0])} alone. Load the encoder with "
                "dtype='nf4' or a smaller max_length, take a smaller model, or free the GPU ('nvidia-smi' "
                "shows who uses it)."
            ) from error
    else:
        yield positions, vectors
        return
    # Outside the handler, since the exception keeps the failed batch's tensors alive.
    torch.cuda.empty_cache()
    for half in np.array_split(positions, 2):
        yield from encode_in_halves(encode, half)
