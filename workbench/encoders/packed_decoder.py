"""A Qwen3 decoder in float32 on a CPU, for the states of last tokens: no padding, no unread output.

The same sums as in transformers, in another order of texts. Texts lie one after another, linear layers are
fused with what follows them, and the last layer is computed for last tokens only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import rms_norm

from workbench.encoders.base import Vectors
from workbench.encoders.batching import TokenRows
from workbench.encoders.fused_linear import FusedLinear
from workbench.encoders.packed_attention import Run, attend, attend_from_last, runs_of_equal_length
from workbench.encoders.prefix import SharedPrefix

__all__ = ["PackedDecoder"]

KeysValues = tuple[Tensor, Tensor]


class PackedDecoder:
    """Hidden states of last tokens, as :class:`~workbench.encoders.last_token.PaddedDecoder` gives them.

    Parameters
    ----------
    model : transformers.Qwen3Model
        In float32 on the CPU; see :meth:`can_run`. Its layers are taken out one by one, so that memory
        holds its weights once.
    """

    def __init__(self, model: Any) -> None:
        self.config = model.config
        self._embed = model.embed_tokens
        self._rotary = model.rotary_emb
        self._norm = _Norm(model.norm)
        self._layers: list[_Layer] = []
        while len(model.layers):
            self._layers.append(_Layer(model.layers.pop(0), model.config))

    @staticmethod
    def can_run(model: Any) -> bool:
        """Whether this is a model that is computed here."""
        config = model.config
        return (
            type(model).__name__ == "Qwen3Model"
            and model.device.type == "cpu"
            and model.dtype == torch.float32
            and config.hidden_act == "silu"
            and set(config.layer_types) == {"full_attention"}
        )

    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        """Keys and values of a prefix, shape (length,), in every layer."""
        kept: list[KeysValues] = []
        length = len(token_ids)
        self._run(token_ids, np.arange(length), [Run(0, length, 1)], last=np.array([length - 1]), kept=kept)
        layers = ((k.transpose(0, 1)[None], v.transpose(0, 1)[None]) for k, v in kept)
        return SharedPrefix(length, tuple(layers))

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
        ids, places = tokens.joined(positions)
        lengths = tokens.lengths[positions]
        return self._run(
            ids,
            places + (prefix.length if prefix else 0),
            runs_of_equal_length(lengths.tolist()),
            last=np.cumsum(lengths) - 1,
            prefix=prefix,
        )

    def _run(
        self,
        ids: npt.NDArray[Any],
        places: npt.NDArray[np.int64],
        runs: list[Run],
        *,
        last: npt.NDArray[np.int64],
        prefix: SharedPrefix | None = None,
        kept: list[KeysValues] | None = None,
    ) -> Vectors:
        with torch.inference_mode():
            states = self._embed(torch.from_numpy(ids.astype(np.int64)))
            cos, sin = (part[0, :, None] for part in self._rotary(states, torch.from_numpy(places)[None]))
            rows = torch.from_numpy(last)
            for index, layer in enumerate(self._layers):
                before = prefix.layers[index] if prefix else None
                keys, values, normed = layer.keys_values(states, cos, sin)
                if kept is not None:
                    kept.append((keys, values))
                if index < len(self._layers) - 1:
                    attended = attend(
                        layer.queries(normed, cos, sin), keys, values, runs, causal=True, prefix=before
                    )
                else:
                    states = states[rows]
                    queries = layer.queries(normed[rows], cos[rows], sin[rows])
                    attended = attend_from_last(queries, keys, values, runs, before)
                states = layer.rest(attended, states)
            vectors: Vectors = self._norm(states).numpy()
        return vectors


class _Norm:
    """Root mean square normalisation over the last axis."""

    def __init__(self, module: Any) -> None:
        self._weight = module.weight.detach()
        self._epsilon = float(module.variance_epsilon)

    def __call__(self, rows: Tensor) -> Tensor:
        return rms_norm(rows, self._weight.shape, self._weight, self._epsilon)


class _Layer:
    """One decoder layer, in the pieces that are computed for all tokens or for last tokens alone."""

    def __init__(self, layer: Any, config: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._head_size = int(attention.head_dim)
        self._before_attention = _Norm(layer.input_layernorm)
        self._before_mlp = _Norm(layer.post_attention_layernorm)
        self._query_norm, self._key_norm = _Norm(attention.q_norm), _Norm(attention.k_norm)
        self._query, self._key, self._value, self._output = (
            FusedLinear(getattr(attention, name)) for name in ("q_proj", "k_proj", "v_proj", "o_proj")
        )
        self._gate, self._up, self._down = (
            FusedLinear(getattr(mlp, name)) for name in ("gate_proj", "up_proj", "down_proj")
        )

    def keys_values(self, states: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values of each token, (tokens, heads, head size), and the normalised states."""
        normed = self._before_attention(states)
        keys = _rotated(self._key_norm(self._heads(self._key(normed))), cos, sin)
        return keys, self._heads(self._value(normed)), normed

    def queries(self, normed: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Queries of tokens, (tokens, heads, head size), from their normalised states."""
        return _rotated(self._query_norm(self._heads(self._query(normed))), cos, sin)

    def rest(self, attended: Tensor, states: Tensor) -> Tensor:
        """All that comes after attention; each token for itself."""
        states = self._output.plus(attended, states)
        normed = self._before_mlp(states)
        return self._down.plus(self._up.times(normed, self._gate(normed, "silu")), states)

    def _heads(self, rows: Tensor) -> Tensor:
        return rows.view(len(rows), -1, self._head_size)


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding, as in transformers: the halves of a head are the pairs that turn."""
    first, second = heads.chunk(2, dim=-1)
    return heads * cos + torch.cat((-second, first), dim=-1) * sin
