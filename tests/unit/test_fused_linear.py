"""Linear layers on oneDNN, held to torch's own, and the plain product where oneDNN cannot be used."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from workbench.encoders import fused_linear  # noqa: E402
from workbench.encoders.fused_linear import FusedLinear, onednn_agrees  # noqa: E402

pytestmark = pytest.mark.models


@pytest.fixture(params=["onednn", "plain"])
def way(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(fused_linear, "onednn_agrees", lambda: False)
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


@pytest.mark.parametrize("activation", ["gelu", "relu", "silu"])
def test_activations_are_those_of_torch(way, activation):
    layer, rows, _ = layer_and_rows(True, 9)
    with torch.inference_mode():
        expected = getattr(torch.nn.functional, activation)(layer(rows))
        assert near(FusedLinear(layer)(rows, activation), expected)


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

    monkeypatch.setattr(fused_linear, "_packed", missing)
    assert onednn_agrees() is False


@pytest.mark.usefixtures("fresh_check")
def test_operators_that_give_something_else_are_not_used(monkeypatch):
    def wrong(rows, other, weight, bias, operation):
        return torch.zeros(len(rows), 32)

    monkeypatch.setattr(fused_linear, "_onednn_with", wrong)
    assert onednn_agrees() is False


@pytest.mark.usefixtures("fresh_check")
def test_a_torch_without_onednn_uses_the_plain_product(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert onednn_agrees() is False
