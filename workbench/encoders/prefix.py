"""A prefix that all texts of a causal model share is computed once: its keys and values are kept.

Queries carry an instruction of some twenty tokens before a text that is often no longer than that.
The prefix is the longest common one of the *token ids*, never of the strings: the ``:`` that ends
``Query:`` can merge with what follows, as in ``://``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.batching import TokenRows

__all__ = ["SharedPrefix", "compute_prefix", "worthwhile_prefix"]

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

    def cache_for(self, rows: int, config: Any) -> Any:
        """A fresh transformers cache with the prefix in each of `rows` rows."""
        from transformers import DynamicCache

        cache = DynamicCache(config=config)
        for index, (keys, values) in enumerate(self.layers):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), index)
        return cache


def worthwhile_prefix(tokens: TokenRows, config: Any) -> int:
    """Length of the prefix to compute once for these texts; 0 where it does not pay.

    Layers with a sliding window forget the prefix, so models that have them get none.
    """
    slides = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    if len(tokens) < 2 or slides:
        return 0
    length = tokens.shared_prefix_length()
    return length if length >= SHORTEST_PREFIX else 0


def compute_prefix(model: Any, token_ids: npt.NDArray[np.integer[Any]]) -> SharedPrefix:
    """Run a causal transformers model over a prefix, shape (length,), and keep its keys and values."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    ids = torch.from_numpy(token_ids.astype(np.int64))[None].to(model.device)
    with torch.inference_mode():
        model(input_ids=ids, past_key_values=cache, use_cache=True)
    return SharedPrefix(len(token_ids), tuple((layer.keys, layer.values) for layer in cache.layers))
