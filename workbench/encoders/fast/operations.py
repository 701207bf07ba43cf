"""What the packed models are made of: attention without padding, and linear layers by oneDNN.

All rows of a batch go through a linear layer together; only attention must keep texts apart. Texts of equal
length, which are neighbours after sorting, are one call, without a mask between them.

torch multiplies float32 matrices by MKL, which leaves AVX-512 unused on processors that are not Intel's: on a
Zen 5 oneDNN was 2.2 times as fast. torch calls it from compiled models only, through operators that are not
public, so they are tried once against the plain product, which is used where they fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import scaled_dot_product_attention

# With a prefix the causal mask is written out, so queries are taken in blocks: a whole mask of a text
# of 8,192 tokens takes 0.3 GB.
BLOCK = 512

KeysValues = tuple[Tensor, Tensor]

# oneDNN lays weights out for about so many rows; other numbers of rows work as well.
_USUAL_ROWS = 1024
_NEAR = 1e-4


@dataclass(frozen=True)
class Run:
    """Neighbouring texts of one length: `texts` of them, `length` tokens each, from row `start`."""

    start: int
    length: int
    texts: int

    def of(self, rows: Tensor) -> Tensor:
        """These texts' part of `rows`, (tokens, heads, size), as (texts, heads, length, size)."""
        mine = rows[self.start : self.start + self.length * self.texts]
        return mine.view(self.texts, self.length, *rows.shape[1:]).transpose(1, 2)


def runs_of_equal_length(lengths: Iterable[int]) -> list[Run]:
    """Runs of neighbours of equal length.

    Examples
    --------
    >>> runs_of_equal_length([5, 5, 3])
    [Run(start=0, length=5, texts=2), Run(start=10, length=3, texts=1)]
    """
    runs, start = [], 0
    for length, same in groupby(lengths):
        texts = len(list(same))
        runs.append(Run(start, int(length), texts))
        start += int(length) * texts
    return runs


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    runs: Iterable[Run],
    *,
    causal: bool,
    prefix: KeysValues | None = None,
) -> Tensor:
    """Attention of each token to those of its own text.

    Parameters
    ----------
    queries, keys, values : Tensor, shape (tokens, heads, head size)
        Keys and values may have fewer heads, shared by groups of queries.
    runs : iterable of Run
    causal : bool
        Whether a token sees only what is before it, and itself.
    prefix : (keys, values), optional
        Seen by every token; shape (1, heads, length, head size). For causal attention only.

    Returns
    -------
    Tensor, shape (tokens, heads × head size)
    """
    parts = []
    for run in runs:
        q, k, v = run.of(queries), *_with_prefix(run.of(keys), run.of(values), prefix)
        if prefix is None:
            out = scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)
        else:
            out = _after_prefix(q, k, v, prefix[0].shape[2])
        parts.append(out.transpose(1, 2).reshape(run.texts * run.length, -1))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def attend_from_last(
    queries: Tensor, keys: Tensor, values: Tensor, runs: Iterable[Run], prefix: KeysValues | None = None
) -> Tensor:
    """Attention of the last token of each text alone.

    Parameters
    ----------
    queries : Tensor, shape (texts, heads, head size)
    keys, values, runs, prefix
        As in :func:`attend`.

    Returns
    -------
    Tensor, shape (texts, heads × head size)
    """
    parts, first = [], 0
    for run in runs:
        q = queries[first : first + run.texts].unsqueeze(2)
        k, v = _with_prefix(run.of(keys), run.of(values), prefix)
        parts.append(scaled_dot_product_attention(q, k, v, enable_gqa=True).reshape(run.texts, -1))
        first += run.texts
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _with_prefix(keys: Tensor, values: Tensor, prefix: KeysValues | None) -> KeysValues:
    if prefix is None:
        return keys, values
    keys_before, values_before = (part.expand(len(keys), -1, -1, -1) for part in prefix)
    return torch.cat((keys_before, keys), dim=2), torch.cat((values_before, values), dim=2)


def _after_prefix(queries: Tensor, keys: Tensor, values: Tensor, prefix_length: int) -> Tensor:
    if queries.device.type != "cpu":
        # With a mask, heads that share keys leave only the slowest kernel on a GPU.
        group = queries.shape[1] // keys.shape[1]
        keys, values = keys.repeat_interleave(group, dim=1), values.repeat_interleave(group, dim=1)
    blocks = []
    for start in range(0, queries.shape[2], BLOCK):
        block = queries[:, :, start : start + BLOCK]
        rows, seen = block.shape[2], prefix_length + start + block.shape[2]
        mask = torch.ones(rows, seen, dtype=torch.bool, device=queries.device).tril(prefix_length + start)
        blocks.append(
            scaled_dot_product_attention(
                block, keys[:, :, :seen], values[:, :, :seen], attn_mask=mask, enable_gqa=True
            )
        )
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=2)


class FusedLinear:
    """What a ``torch.nn.Linear`` computes, with a sum or a product in the same pass.

    An activation is left to torch afterwards: within the pass, on AVX2, it took oneDNN five times as long.

    Parameters
    ----------
    *layers : torch.nn.Linear
        In float32 on the CPU; of several, which read the same rows, the outputs stand side by side. Weights
        are copied into another layout: drop the layers to have the memory back.
    """

    def __init__(self, *layers: torch.nn.Linear) -> None:
        self._bias = None if layers[0].bias is None else torch.cat([layer.bias.detach() for layer in layers])
        self._is_packed = onednn_agrees()
        weight = torch.cat([layer.weight.detach() for layer in layers])
        self._weight = _packed(weight) if self._is_packed else weight

    def __call__(self, rows: Tensor) -> Tensor:
        """The layer's output for `rows`, shape (n, inputs)."""
        if self._is_packed:
            return _onednn(rows, self._weight, self._bias)
        return functional.linear(rows, self._weight, self._bias)

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
                (_onednn(rows, packed, None), plain - bias),
            ]
    # What a private operator of another version raises cannot be known.
    except Exception:
        return False
    return all(torch.allclose(ours, theirs, atol=_NEAR) for ours, theirs in pairs)


def _packed(weight: Tensor) -> Tensor:
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, _USUAL_ROWS)
    return packed


def _onednn(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return out


def _onednn_with(
    rows: Tensor, other: Tensor, weight: Tensor, bias: Tensor | None, operation: Literal["add", "mul"]
) -> Tensor:
    binary: Any = torch.ops.mkldnn._linear_pointwise.binary
    out: Tensor = binary(rows, other, weight, bias, operation)
    return out
