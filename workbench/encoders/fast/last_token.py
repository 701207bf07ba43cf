"""The hidden state of the last token of each text: what a decoder of one gives, and the plain one.

A prefix that all texts of a causal model share is computed once: its keys and values are kept. Queries carry
an instruction of some twenty tokens before a text that is often no longer than that. The prefix is the
longest common one of the *token ids*, never of the strings: the ``:`` that ends ``Query:`` can merge with
what follows, as in ``://``. Importing this module does not import torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.encoders.fast.batching import TokenRows

# Shorter prefixes cost more in copying keys and values than they save.
SHORTEST_PREFIX = 8


@dataclass(frozen=True)
class SharedPrefix:
    """Keys and values of a prefix in every layer of a model.

    Attributes
    ----------
    length : int
        Tokens of the prefix.
    layers : tuple of (keys, values)
        Tensors of shape (1, heads, length, head size).
    """

    length: int
    layers: tuple[tuple[Any, Any], ...]


def worthwhile_prefix(tokens: TokenRows, config: Any) -> int:
    """Length of the prefix to compute once for these texts; 0 where it does not pay.

    Layers with a sliding window forget the prefix, so models that have them get none.
    """
    slides = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    if len(tokens) < 2 or slides:
        return 0
    length = tokens.shared_prefix_length()
    return length if length >= SHORTEST_PREFIX else 0


class LastTokenDecoder(ABC):
    """Hidden states of last tokens, however they are computed."""

    config: Any

    def without_prefix(self, tokens: TokenRows) -> tuple[TokenRows, SharedPrefix | None]:
        """Texts less what they begin with alike, and that computed once; all, where it does not pay."""
        length = worthwhile_prefix(tokens, self.config)
        if not length:
            return tokens, None
        return tokens.without_first(length), self.compute_prefix(tokens[0][:length])

    @abstractmethod
    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        """Keys and values of a prefix, shape (length,), in every layer."""

    @abstractmethod
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


class PaddedDecoder(LastTokenDecoder):
    """A causal transformers model, run on rows that are padded on the right.

    The plain way, which works for every device and number format. No mask is given: under causal attention a
    token sees only what is to its left, so padding never reaches the last token of the text.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A causal decoder without a head.
    """

    def __init__(self, model: Any) -> None:
        self.config = model.config
        self._model = model

    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        import torch
        from transformers import DynamicCache

        cache = DynamicCache(config=self.config)
        ids = torch.from_numpy(token_ids.astype(np.int64))[None].to(self._model.device)
        with torch.inference_mode():
            self._model(input_ids=ids, past_key_values=cache, use_cache=True)
        return SharedPrefix(len(token_ids), tuple((layer.keys, layer.values) for layer in cache.layers))

    def last_states(
        self, tokens: TokenRows, positions: npt.NDArray[np.intp], prefix: SharedPrefix | None = None
    ) -> Vectors:
        import torch

        device = self._model.device
        # Any id will do: no other token sees the padding.
        ids = torch.from_numpy(tokens.padded(positions, pad_id=0)).to(device)
        last = torch.from_numpy(tokens.lengths[positions] - 1).to(device)
        # Entered and left here: a generator that yielded inside would leave its caller in inference mode.
        with torch.inference_mode():
            cache = None if prefix is None else self._cache(prefix, len(positions))
            output = self._model(input_ids=ids, past_key_values=cache, use_cache=cache is not None)
            states = output.last_hidden_state[torch.arange(len(positions), device=device), last]
            vectors: Vectors = states.float().cpu().numpy()
        return vectors

    def _cache(self, prefix: SharedPrefix, rows: int) -> Any:
        """A fresh transformers cache with the prefix in each of `rows` rows."""
        from transformers import DynamicCache

        cache = DynamicCache(config=self.config)
        for index, (keys, values) in enumerate(prefix.layers):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), index)
        return cache
