"""A Qwen3 decoder on a GPU, for the states of last tokens: no padding, fewer kernels, no unread output.

As :mod:`workbench.encoders.packed_decoder`, but the model's own layers do the multiplying, so that it runs in
every number format, quantised ones too. Nothing in it is particular to CUDA: tests run it on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import rms_norm

from workbench.encoders.base import Vectors
from workbench.encoders.batching import TokenRows
from workbench.encoders.packed_attention import Run, attend, attend_from_last, runs_of_equal_length
from workbench.encoders.prefix import SharedPrefix

if TYPE_CHECKING:
    from workbench.encoders.last_token import LastTokenDecoder

__all__ = ["LEAST_COSINE", "CudaDecoder", "lowest_cosine"]

# In sixteen bits, sums in another order move states by a thousandth; a mistake moves them much further.
LEAST_COSINE = 0.99

KeysValues = tuple[Tensor, Tensor]


class CudaDecoder:
    """Hidden states of last tokens, as :class:`~workbench.encoders.last_token.PaddedDecoder` gives them.

    Parameters
    ----------
    model : transformers.Qwen3Model
        Its weights are used where they are; nothing is copied.
    """

    def __init__(self, model: Any) -> None:
        self.config = model.config
        self.device: torch.device = model.device
        self._model = model
        self._layers = list(model.layers[: model.config.num_hidden_layers])
        self._head_size = int(model.config.head_dim)

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

    def compute_prefix(self, token_ids: npt.NDArray[Any]) -> SharedPrefix:
        """Keys and values of a prefix, shape (length,), in every layer."""
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
        """Hidden states of the last tokens of one batch, float32 (n, hidden size)."""
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
        cos, sin = self._model.rotary_emb(self._model.norm.weight, self.sent(places)[None])
        half = self._head_size // 2
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
        states = self._model.embed_tokens(ids)
        for index, layer in enumerate(self._layers):
            ends_only = not every_token and index == len(self._layers) - 1
            attention = layer.self_attn
            normed = _normed(states, layer.input_layernorm)
            keys = _rotated(_normed(self._heads(attention.k_proj(normed)), attention.k_norm), cos, sin)
            values = self._heads(attention.v_proj(normed))
            if kept is not None:
                kept.append((keys, values))
            if ends_only:
                normed, states, cos, sin = normed[ends], states[ends], cos[ends], sin[ends]
            queries = _rotated(_normed(self._heads(attention.q_proj(normed)), attention.q_norm), cos, sin)
            before = prefix.layers[index] if prefix else None
            if ends_only:
                attended = attend_from_last(queries, keys, values, runs, before)
            else:
                attended = attend(queries, keys, values, runs, causal=True, prefix=before)
            states = states + attention.o_proj(attended)
            states = states + layer.mlp(_normed(states, layer.post_attention_layernorm))
        return _normed(states[ends] if every_token else states, self._model.norm)

    def _heads(self, rows: Tensor) -> Tensor:
        return rows.view(len(rows), -1, self._head_size)


def lowest_cosine(ours: Vectors, theirs: Vectors) -> float:
    """Of rows; NaN where one is not finite or zero."""
    products = np.einsum("ij,ij->i", ours.astype(np.float64), theirs)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = products / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    return float(cosines.min())


def _normed(states: Tensor, norm: Any) -> Tensor:
    """Root mean square normalisation in one kernel, where the module takes six."""
    return rms_norm(states, states.shape[-1:], norm.weight, norm.variance_epsilon)


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding: the halves of a head are the pairs that turn."""
    first, second = heads.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
