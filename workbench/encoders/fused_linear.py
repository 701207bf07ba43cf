"""Linear layers in float32 on a CPU, multiplied by oneDNN, with what follows a layer done in the same pass.

torch multiplies float32 matrices by MKL, which leaves AVX-512 unused on processors that are not Intel's:
on a Zen 5 oneDNN was 2.2 times as fast. torch calls it from compiled models only, through operators that
are not public, so they are tried once against the plain product, which is used where they fail.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["ACTIVATIONS", "Activation", "FusedLinear", "onednn_agrees"]

Activation = Literal["gelu", "relu", "silu"]
ACTIVATIONS: tuple[Activation, ...] = ("gelu", "relu", "silu")
# oneDNN's names for them, and which of its algorithms.
_ONEDNN = {None: ("none", ""), "gelu": ("gelu", "none"), "relu": ("relu", ""), "silu": ("swish", "")}
# oneDNN lays weights out for about so many rows; other numbers of rows work as well.
_USUAL_ROWS = 1024
_NEAR = 1e-4


class FusedLinear:
    """What a ``torch.nn.Linear`` computes, with an activation, a sum or a product in the same pass.

    Parameters
    ----------
    layer : torch.nn.Linear
        In float32 on the CPU. Its weight is copied into another layout: drop the layer to have the
        memory back.
    """

    def __init__(self, layer: torch.nn.Linear) -> None:
        self._bias = None if layer.bias is None else layer.bias.detach()
        self._is_packed = onednn_agrees()
        weight = layer.weight.detach()
        self._weight = _packed(weight) if self._is_packed else weight

    def __call__(self, rows: Tensor, activation: Activation | None = None) -> Tensor:
        """The layer's output for `rows`, shape (n, inputs), through an activation if one is named."""
        if self._is_packed:
            return _onednn(rows, self._weight, self._bias, activation)
        return _activated(functional.linear(rows, self._weight, self._bias), activation)

    def plus(self, rows: Tensor, residual: Tensor) -> Tensor:
        """The layer's output plus `residual`."""
        if self._is_packed:
            return _onednn_with(rows, residual, self._weight, self._bias, "add")
        return functional.linear(rows, self._weight, self._bias) + residual

    def times(self, rows: Tensor, factor: Tensor) -> Tensor:
        """The layer's output times `factor`."""
        if self._is_packed:
            return _onednn_with(rows, factor, self._weight, self._bias, "mul")
        return functional.linear(rows, self._weight, self._bias) * factor


@cache
def onednn_agrees() -> bool:
    """Whether oneDNN's operators are in this torch and give what the plain product gives."""
    if not torch.backends.mkldnn.is_available():
        return False
    draw = torch.Generator().manual_seed(0)
    rows, weight, bias, other = (
        torch.randn(size, generator=draw) for size in ((5, 48), (32, 48), (32,), (5, 32))
    )
    plain = functional.linear(rows, weight, bias)
    try:
        with torch.inference_mode():
            packed = _packed(weight)
            pairs = [
                (_onednn_with(rows, other, packed, bias, "add"), plain + other),
                (_onednn_with(rows, other, packed, bias, "mul"), plain * other),
                (_onednn(rows, packed, None, None), plain - bias),
                *((_onednn(rows, packed, bias, name), _activated(plain, name)) for name in ACTIVATIONS),
            ]
    # What a private operator of another version raises cannot be known.
    except Exception:
        return False
    return all(torch.allclose(ours, theirs, atol=_NEAR) for ours, theirs in pairs)


def _packed(weight: Tensor) -> Tensor:
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, _USUAL_ROWS)
    return packed


def _onednn(rows: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation | None) -> Tensor:
    name, algorithm = _ONEDNN[activation]
    out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, name, [], algorithm)
    return out


def _onednn_with(
    rows: Tensor, other: Tensor, weight: Tensor, bias: Tensor | None, operation: Literal["add", "mul"]
) -> Tensor:
    binary: Any = torch.ops.mkldnn._linear_pointwise.binary
    out: Tensor = binary(rows, other, weight, bias, operation)
    return out


def _activated(rows: Tensor, activation: Activation | None) -> Tensor:
    return rows if activation is None else getattr(functional, activation)(rows)
