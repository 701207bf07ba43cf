"""The hidden state of the last token of each text, from a causal transformers model.

The plain way, which works for every device and number format; where a faster one does, see
:mod:`workbench.encoders.packed_decoder`.
"""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.encoders.batching import TokenRows
from workbench.encoders.prefix import SharedPrefix, compute_prefix

__all__ = ["LastTokenDecoder", "PaddedDecoder", "decoder_for"]


class LastTokenDecoder(Protocol):
    """Hidden states of last tokens, however they are computed."""

    config: Any

    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        """Keys and values of a prefix, shape (length,)."""

    def last_states(
        self, tokens: TokenRows, positions: npt.NDArray[np.intp], prefix: SharedPrefix | None = None
    ) -> Vectors:
        """Hidden states of the last tokens of a batch, float32 (n, hidden size)."""


def decoder_for(model: Any) -> LastTokenDecoder:
    """The fastest way to run a model that gives the same states; the model may be used up."""
    from workbench.encoders.cuda_decoder import CudaDecoder
    from workbench.encoders.packed_decoder import PackedDecoder

    if CudaDecoder.can_run(model):
        faster, plain = CudaDecoder(model), PaddedDecoder(model)
        if faster.agrees_with(plain):
            return faster
        warnings.warn(
            f"On {model.device} the faster way to run the model gives other vectors than transformers does, "
            "so transformers runs it.",
            stacklevel=2,
        )
        return plain
    return PackedDecoder(model) if PackedDecoder.can_run(model) else PaddedDecoder(model)


class PaddedDecoder:
    """A causal transformers model, run on rows that are padded on the right.

    No mask is given: under causal attention a token sees only what is to its left, so padding never
    reaches the last token of the text.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A causal decoder without a head.
    """

    def __init__(self, model: Any) -> None:
        self.config = model.config
        self._model = model

    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        """Keys and values of a prefix, shape (length,)."""
        return compute_prefix(self._model, token_ids)

    def last_states(
        self, tokens: TokenRows, positions: npt.NDArray[np.intp], prefix: SharedPrefix | None = None
    ) -> Vectors:
        """Hidden states of the last tokens of one batch.

        Parameters
        ----------
        tokens : TokenRows
            Less the prefix, if there is one.
        positions : ndarray of intp, shape (n,)
            Rows of the batch.
        prefix : SharedPrefix, optional
            What comes before each row.

        Returns
        -------
        ndarray of float32, shape (n, hidden size)
        """
        import torch

        device = self._model.device
        # Any id will do: no other token sees the padding.
        ids = torch.from_numpy(tokens.padded(positions, pad_id=0)).to(device)
        last = torch.from_numpy(tokens.lengths[positions] - 1).to(device)
        # Entered and left here: a generator that yielded inside would leave its caller in inference mode.
        with torch.inference_mode():
            if prefix is None:
                output = self._model(input_ids=ids, use_cache=False)
            else:
                cache = prefix.cache_for(len(positions), self.config)
                output = self._model(input_ids=ids, past_key_values=cache, use_cache=True)
            states = output.last_hidden_state[torch.arange(len(positions), device=device), last]
            vectors: Vectors = states.float().cpu().numpy()
        return vectors
