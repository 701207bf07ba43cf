"""A Qwen3 decoder for the states of last tokens: no padding, fewer kernels, no unread output.

The same sums as in transformers, in another order of texts. Texts lie one after another, and the last layer
is computed for last tokens only. On a CPU linear layers are fused with what follows them; on a GPU the
model's own multiply, in every number format, quantised ones too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import rms_norm, silu

from workbench.encoders.base import Vectors
from workbench.encoders.fast.batching import TokenRows
from workbench.encoders.fast.last_token import LastTokenDecoder, PaddedDecoder, SharedPrefix
from workbench.encoders.fast.operations import (
    FusedLinear,
    KeysValues,
    Run,
    attend,
    attend_from_last,
    runs_of_equal_length,
)
from workbench.i18n import gettext as _

# In sixteen bits, sums in another order move states by a thousandth; a mistake moves them much further.
LEAST_COSINE = 0.99


def decoder_for(model: Any) -> LastTokenDecoder:
    """The fastest way to run a model that gives the same states; the model may be used up."""
    if CudaDecoder.can_run(model):
        faster, plain = CudaDecoder(model), PaddedDecoder(model)
        if faster.agrees_with(plain):
            return faster
        warnings.warn(
            _(
                "On {device} the faster way to run the model gives other vectors than transformers does, so "
                "transformers runs it."
            ).format(device=model.device),
            stacklevel=2,
        )
        return plain
    return FusedDecoder(model) if FusedDecoder.can_run(model) else PaddedDecoder(model)


class PackedDecoder(LastTokenDecoder):
    """What runs a Qwen3 model without padding, whatever multiplies in its layers.

    Parameters
    ----------
    model : transformers.Qwen3Model
    layers : list of _Layer
        The model's, as they are run.
    """

    def __init__(self, model: Any, layers: list[_Layer]) -> None:
        self.config = model.config
        self.device: torch.device = model.device
        self._embed, self._rotary, self._norm = model.embed_tokens, model.rotary_emb, model.norm
        self._layers = layers

    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        kept: list[KeysValues] = []
        length = len(token_ids)
        with torch.inference_mode():
            cos, sin = self.rotation(np.arange(length))
            ends = torch.tensor([length - 1], device=self.device)
            self.run(self.sent(token_ids), cos, sin, [Run(0, length, 1)], ends, kept=kept)
        return SharedPrefix(
            length, tuple((k.transpose(0, 1)[None], v.transpose(0, 1)[None]) for k, v in kept)
        )

    def last_states(
        self, tokens: TokenRows, positions: npt.NDArray[np.intp], prefix: SharedPrefix | None = None
    ) -> Vectors:
        with torch.inference_mode():
            vectors: Vectors = self.launch(tokens, positions, prefix).float().cpu().numpy()
        return vectors

    def launch(
        self, tokens: TokenRows, positions: npt.NDArray[np.intp], prefix: SharedPrefix | None = None
    ) -> Tensor:
        """As :meth:`last_states`, on the device, in the model's number format, and not waited for."""
        ids, places = tokens.joined(positions)
        lengths = tokens.lengths[positions]
        with torch.inference_mode():
            cos, sin = self.rotation(places + (prefix.length if prefix else 0))
            ends = self.sent(np.cumsum(lengths) - 1)
            return self.run(self.sent(ids), cos, sin, runs_of_equal_length(lengths.tolist()), ends, prefix)

    def sent(self, numbers: npt.NDArray[Any]) -> Tensor:
        """Whole numbers as int64 on the device, sent without waiting for them to arrive."""
        host = torch.from_numpy(numbers.astype(np.int64))
        if self.device.type != "cuda":
            return host.to(self.device)
        return host.pin_memory().to(self.device, non_blocking=True)

    def rotation(self, places: npt.NDArray[np.int64]) -> KeysValues:
        """Cosines and sines of rotary embedding, each of shape (tokens, 1, head size / 2)."""
        cos, sin = self._rotary(self._norm.weight, self.sent(places)[None])
        half = int(self.config.head_dim) // 2
        return cos[0, :, None, :half], sin[0, :, None, :half]

    def run(
        self,
        ids: Tensor,
        cos: Tensor,
        sin: Tensor,
        runs: Sequence[Run],
        ends: Tensor,
        prefix: SharedPrefix | None = None,
        *,
        kept: list[KeysValues] | None = None,
        every_token: bool = False,
    ) -> Tensor:
        """The layers, on tensors that are all on the device: nothing is waited for, so it can be captured.

        The last layer is computed for the tokens at `ends` alone, which have to be the last ones of the texts
        in `runs`; with `every_token` for all, and then `ends` may be any. `kept` gets the keys and values of
        each layer.
        """
        states = self._embed(ids)
        for index, layer in enumerate(self._layers):
            ends_only = not every_token and index == len(self._layers) - 1
            before = prefix.layers[index] if prefix else None
            keys, values, normed = layer.keys_values(states, cos, sin)
            if kept is not None:
                kept.append((keys, values))
            if ends_only:
                states = states[ends]
                queries = layer.queries(normed[ends], cos[ends], sin[ends])
                attended = attend_from_last(queries, keys, values, runs, before)
            else:
                queries = layer.queries(normed, cos, sin)
                attended = attend(queries, keys, values, runs, causal=True, prefix=before)
            states = layer.rest(attended, states)
        return _normed(states[ends] if every_token else states, self._norm)


class FusedDecoder(PackedDecoder):
    """In float32 on a CPU; see :meth:`can_run`.

    The model's layers are taken out one by one, so that memory holds its weights once.
    """

    def __init__(self, model: Any) -> None:
        layers: list[_Layer] = []
        while len(model.layers):
            layers.append(_FusedLayer(model.layers.pop(0)))
        super().__init__(model, layers)

    @staticmethod
    def can_run(model: Any) -> bool:
        """Whether this is a model that is computed here."""
        return (
            CudaDecoder.knows(model)
            and model.device.type == "cpu"
            and model.dtype == torch.float32
            and model.config.hidden_act == "silu"
        )


class CudaDecoder(PackedDecoder):
    """On a GPU. Nothing in it is particular to CUDA: tests run it on a CPU.

    The model's weights are used where they are; nothing is copied.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model, [_Layer(layer) for layer in model.layers[: model.config.num_hidden_layers]])

    @staticmethod
    def can_run(model: Any) -> bool:
        """Whether this is a Qwen3 model on a GPU whose layers all see the whole text."""
        return model.device.type == "cuda" and CudaDecoder.knows(model)

    @staticmethod
    def knows(model: Any) -> bool:
        """Whether it could run the model, wherever that is."""
        return type(model).__name__ == "Qwen3Model" and set(model.config.layer_types) == {"full_attention"}

    def agrees_with(self, other: LastTokenDecoder) -> bool:
        """Whether it gives the states that another decoder gives, tried on some short texts.

        The device, its libraries or a number format may be ones that it was never tried on.
        """
        ids = np.arange(1, 41) % self.config.vocab_size
        tokens = TokenRows.from_lists([ids[:9].tolist(), ids[5:14].tolist(), ids[20:].tolist()])
        rows = np.arange(len(tokens))
        try:
            for before in (None, ids[::3]):
                ours, theirs = (
                    decoder.last_states(
                        tokens, rows, before if before is None else decoder.compute_prefix(before)
                    )
                    for decoder in (self, other)
                )
                if not lowest_cosine(ours, theirs) >= LEAST_COSINE:
                    return False
        # What a kernel that does not fit the device raises.
        except RuntimeError:
            return False
        return True


def lowest_cosine(ours: Vectors, theirs: Vectors) -> float:
    """Of rows; NaN where one is not finite or zero."""
    products = np.einsum("ij,ij->i", ours.astype(np.float64), theirs)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = products / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    return float(cosines.min())


class _Layer:
    """One decoder layer, in the pieces that are computed for all tokens or for last tokens alone."""

    def __init__(self, layer: Any, multiply: Callable[[Any], Any] = lambda linear: linear) -> None:
        attention = layer.self_attn
        self._head_size = int(attention.head_dim)
        self._before_attention, self._before_mlp = layer.input_layernorm, layer.post_attention_layernorm
        self._query_norm, self._key_norm = attention.q_norm, attention.k_norm
        self._query, self._key, self._value, self._output = (
            multiply(getattr(attention, name)) for name in ("q_proj", "k_proj", "v_proj", "o_proj")
        )
        self._mlp = layer.mlp

    def keys_values(self, states: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values of each token, (tokens, heads, head size), and the normalised states."""
        normed = _normed(states, self._before_attention)
        keys = _rotated(_normed(self._heads(self._key(normed)), self._key_norm), cos, sin)
        return keys, self._heads(self._value(normed)), normed

    def queries(self, normed: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Queries of tokens, (tokens, heads, head size), from their normalised states."""
        return _rotated(_normed(self._heads(self._query(normed)), self._query_norm), cos, sin)

    def rest(self, attended: Tensor, states: Tensor) -> Tensor:
        """All that comes after attention; each token for itself."""
        states = states + self._output(attended)
        out: Tensor = states + self._mlp(_normed(states, self._before_mlp))
        return out

    def _heads(self, rows: Tensor) -> Tensor:
        return rows.view(len(rows), -1, self._head_size)


class _FusedLayer(_Layer):
    """The same with oneDNN, sums and products in the pass of the layer before them."""

    def __init__(self, layer: Any) -> None:
        super().__init__(layer, FusedLinear)
        # The module itself is let go, and its weights with it.
        self._mlp = [FusedLinear(getattr(layer.mlp, name)) for name in ("gate_proj", "up_proj", "down_proj")]

    def rest(self, attended: Tensor, states: Tensor) -> Tensor:
        gate, up, down = self._mlp
        states = self._output.plus(attended, states)
        normed = _normed(states, self._before_mlp)
        out: Tensor = down.plus(up.times(normed, silu(gate(normed))), states)
        return out


def _normed(states: Tensor, norm: Any) -> Tensor:
    """Root mean square normalisation in one kernel, where the module takes six."""
    return rms_norm(states, states.shape[-1:], norm.weight, norm.variance_epsilon)


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding: the halves of a head are the pairs that turn."""
    first, second = heads.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
