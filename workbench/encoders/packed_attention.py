"""Attention over texts that lie one after another, without padding and without a mask between them.

All rows of a batch go through a linear layer together; only attention must keep texts apart. Texts of
equal length, which are neighbours after sorting, are one call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["Run", "attend", "attend_from_last", "runs_of_equal_length"]

# With a prefix the causal mask is written out, so queries are taken in blocks: a whole mask of a text
# of 8,192 tokens takes 0.3 GB.
BLOCK = 512

KeysValues = tuple[Tensor, Tensor]


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
