"""Attention over texts that lie one after another, held to the definition with a mask between them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from workbench.encoders import packed_attention  # noqa: E402
from workbench.encoders.packed_attention import attend, attend_from_last, runs_of_equal_length  # noqa: E402

pytestmark = pytest.mark.models

HEADS, KEY_HEADS, SIZE = 4, 2, 8
text_lengths = st.lists(st.integers(1, 7), min_size=1, max_size=6)
prefixes = st.integers(0, 5)


@given(text_lengths)
def test_runs_are_the_texts_in_their_order(lengths):
    runs = runs_of_equal_length(lengths)
    assert [run.length for run in runs for _ in range(run.texts)] == lengths
    tokens = [token for run in runs for token in range(run.start, run.start + run.length * run.texts)]
    assert tokens == list(range(sum(lengths)))
    assert all(one.length != two.length for one, two in pairwise(runs))


def drawn(lengths, prefix):
    torch.manual_seed(sum(lengths) + prefix)
    tokens = sum(lengths)
    queries, keys, values = (torch.randn(tokens, heads, SIZE) for heads in (HEADS, KEY_HEADS, KEY_HEADS))
    before = tuple(torch.randn(1, KEY_HEADS, prefix, SIZE) for _ in range(2)) if prefix else None
    return queries, keys, values, before


def by_definition(queries, keys, values, lengths, before, causal):
    """softmax(QKᵀ/√d)V text by text and head by head, in float64."""
    rows, start = [], 0
    for length in lengths:
        mine = slice(start, start + length)
        start += length
        heads = []
        for head in range(HEADS):
            group = head * KEY_HEADS // HEADS
            k, v = keys[mine, group], values[mine, group]
            seen = 0
            if before is not None:
                k, v = (torch.cat((part[0, group], own)) for part, own in zip(before, (k, v), strict=True))
                seen = before[0].shape[2]
            weights = queries[mine, head].double() @ k.double().T / SIZE**0.5
            if causal:
                hidden = torch.ones_like(weights, dtype=torch.bool).triu(seen + 1)
                weights = weights.masked_fill(hidden, float("-inf"))
            heads.append(weights.softmax(dim=-1) @ v.double())
        rows.append(torch.cat(heads, dim=-1))
    return torch.cat(rows).float()


@settings(max_examples=40)
@given(text_lengths, prefixes, st.booleans())
def test_a_token_attends_to_its_own_text_and_the_prefix_alone(lengths, prefix, causal):
    prefix = prefix if causal else 0
    queries, keys, values, before = drawn(lengths, prefix)
    ours = attend(queries, keys, values, runs_of_equal_length(lengths), causal=causal, prefix=before)
    expected = by_definition(queries, keys, values, lengths, before, causal)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@settings(max_examples=40)
@given(text_lengths, prefixes)
def test_the_last_token_alone_attends_as_it_does_among_all(lengths, prefix):
    queries, keys, values, before = drawn(lengths, prefix)
    runs = runs_of_equal_length(lengths)
    last = torch.tensor(lengths).cumsum(0) - 1
    ours = attend_from_last(queries[last], keys, values, runs, before)
    expected = by_definition(queries, keys, values, lengths, before, causal=True)[last]
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


def test_queries_after_a_prefix_are_taken_in_blocks(monkeypatch):
    lengths, prefix = [7, 7, 4, 1], 3
    queries, keys, values, before = drawn(lengths, prefix)
    whole = attend(queries, keys, values, runs_of_equal_length(lengths), causal=True, prefix=before)
    monkeypatch.setattr(packed_attention, "BLOCK", 2)
    blocks = attend(queries, keys, values, runs_of_equal_length(lengths), causal=True, prefix=before)
    torch.testing.assert_close(blocks, whole, atol=1e-6, rtol=1e-6)
