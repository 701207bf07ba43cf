"""BERT and RoBERTa encoders in float32 on a CPU, without padding: a drop-in for transformers' own module.

The same sums as in transformers. Texts lie one after another between the embeddings and the output, and
linear layers that read the same states are one product. Pooling stays with sentence-transformers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from workbench.encoders.fast.operations import FusedLinear, Run, attend, runs_of_equal_length

# Their encoders differ in names only; how they count positions is left to their own embeddings.
ARCHITECTURES = ("BertModel", "CamembertModel", "RobertaModel", "XLMRobertaModel")
# Which torch has under the names that transformers gives them.
ACTIVATIONS = ("gelu", "relu", "silu")


class PackedBert(torch.nn.Module):  # type: ignore[misc]
    """What the model computes, from padded ids to padded token states.

    Parameters
    ----------
    model : transformers.BertModel or a sibling
        In float32 on the CPU; see :meth:`can_run`. Its layers are taken out one by one, so that memory
        holds its weights once.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.config = model.config
        self.embeddings = model.embeddings
        self._layers: list[_Layer] = []
        while len(model.encoder.layer):
            self._layers.append(_Layer(model.encoder.layer.pop(0), model.config))

    @staticmethod
    def can_run(model: Any) -> bool:
        """Whether this is a model that is computed here."""
        if type(model).__name__ not in ARCHITECTURES:
            return False
        config = model.config
        return bool(
            model.device.type == "cpu"
            and model.dtype == torch.float32
            and not config.is_decoder
            and config.hidden_act in ACTIVATIONS
            and getattr(config, "position_embedding_type", "absolute") == "absolute"
        )

    @property
    def device(self) -> torch.device:
        """Where it runs, as a transformers model says it."""
        return torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """Number format of weights and states, as a transformers model says it."""
        return torch.float32

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **_: Any,
    ) -> dict[str, Tensor]:
        """Token states, zero where there is padding.

        Parameters
        ----------
        input_ids, attention_mask, token_type_ids : Tensor, shape (texts, longest)

        Returns
        -------
        dict
            ``last_hidden_state``, shape (texts, longest, hidden size).
        """
        embedded = self.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        if attention_mask is None or bool(attention_mask.all()):
            # One query, mostly.
            states = self._run(embedded.flatten(0, 1), [Run(0, input_ids.shape[1], len(input_ids))])
            return {"last_hidden_state": states.view(embedded.shape)}
        rows = attention_mask.flatten().nonzero().squeeze(1)
        runs = runs_of_equal_length(attention_mask.sum(dim=1).tolist())
        states = self._run(embedded.flatten(0, 1)[rows], runs)
        padded = states.new_zeros(embedded.shape)
        padded.flatten(0, 1)[rows] = states
        return {"last_hidden_state": padded}

    def _run(self, states: Tensor, runs: list[Run]) -> Tensor:
        for layer in self._layers:
            states = layer(states, runs)
        return states


class _Layer:
    """One encoder layer."""

    def __init__(self, layer: Any, config: Any) -> None:
        attention = layer.attention
        self._heads = int(config.num_attention_heads)
        self._activation = getattr(functional, config.hidden_act)
        self._attention = FusedLinear(*(getattr(attention.self, name) for name in ("query", "key", "value")))
        self._output, self._norm = FusedLinear(attention.output.dense), attention.output.LayerNorm
        self._widen, self._narrow = FusedLinear(layer.intermediate.dense), FusedLinear(layer.output.dense)
        self._last_norm = layer.output.LayerNorm

    def __call__(self, states: Tensor, runs: list[Run]) -> Tensor:
        queries, keys, values = self._attention(states).view(len(states), 3, self._heads, -1).unbind(1)
        attended = attend(queries, keys, values, runs, causal=False)
        states = self._norm(self._output.plus(attended, states))
        out: Tensor = self._last_norm(self._narrow.plus(self._activation(self._widen(states)), states))
        return out
