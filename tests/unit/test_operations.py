"""Attention without padding, held to its definition with a mask, and linear layers, held to torch's own."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from workbench.encoders.fast import operations  # noqa: E402
from workbench.encoders.fast.operations import (  # noqa: E402
    FusedLinear,
    attend,
    attend_from_last,
    onednn_agrees,
    runs_of_equal_length,
)

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
    monkeypatch.setattr(operations, "BLOCK", 2)
    blocks = attend(queries, keys, values, runs_of_equal_length(lengths), causal=True, prefix=before)
    torch.testing.assert_close(blocks, whole, atol=1e-6, rtol=1e-6)


@pytest.fixture(params=["onednn", "plain"])
def way(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(operations, "onednn_agrees", lambda: False)
    elif not onednn_agrees():
        pytest.skip("this torch has no oneDNN operators that agree with its own product")
    return request.param


@pytest.fixture
def fresh_check():
    """The check forgets what it found, before and after."""
    onednn_agrees.cache_clear()
    yield
    onednn_agrees.cache_clear()


def layer_and_rows(bias: bool, n: int):
    torch.manual_seed(n)
    return torch.nn.Linear(48, 80, bias=bias), torch.randn(n, 48), torch.randn(n, 80)


def near(ours, theirs) -> bool:
    return torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n", [1, 7, 1500])
def test_it_computes_what_the_layer_computes(way, bias, n):
    layer, rows, other = layer_and_rows(bias, n)
    fused = FusedLinear(layer)
    with torch.inference_mode():
        assert near(fused(rows), layer(rows))
        assert near(fused.plus(rows, other), layer(rows) + other)
        assert near(fused.times(rows, other), layer(rows) * other)


@pytest.mark.parametrize("bias", [True, False])
def test_outputs_of_several_layers_stand_side_by_side(way, bias):
    torch.manual_seed(0)
    layers, rows = [torch.nn.Linear(48, n, bias=bias) for n in (32, 80)], torch.randn(9, 48)
    with torch.inference_mode():
        assert near(FusedLinear(*layers)(rows), torch.cat([layer(rows) for layer in layers], dim=1))


def test_what_is_added_is_left_as_it_was(way):
    layer, rows, other = layer_and_rows(True, 9)
    kept = other.clone()
    with torch.inference_mode():
        FusedLinear(layer).plus(rows, other)
        FusedLinear(layer).times(rows, other)
    assert torch.equal(other, kept)


def test_rows_may_be_a_selection_of_others(way):
    layer, rows, _ = layer_and_rows(True, 20)
    with torch.inference_mode():
        assert near(FusedLinear(layer)(rows[::3]), layer(rows[::3]))


@pytest.mark.usefixtures("fresh_check")
def test_operators_that_are_not_there_are_not_used(monkeypatch):
    def missing(*_):
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_reorder_linear_weight'")

    monkeypatch.setattr(operations, "_packed", missing)
    assert onednn_agrees() is False


@pytest.mark.usefixtures("fresh_check")
def test_operators_that_give_something_else_are_not_used(monkeypatch):
    def wrong(rows, other, weight, bias, operation):
        return torch.zeros(len(rows), 32)

    monkeypatch.setattr(operations, "_onednn_with", wrong)
    assert onednn_agrees() is False


@pytest.mark.usefixtures("fresh_check")
def test_a_torch_without_onednn_uses_the_plain_product(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert onednn_agrees() is False
