"""One vector in figures, and the effective dimension of a set, against numpy and by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import describe_vector, effective_dimension
from workbench.exploration.inputs import two_unit_vectors
from workbench.i18n import language

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dimension", [3, 512, 2560, 4096])
def test_a_vector_is_described_as_numpy_does(dimension):
    vector = np.random.default_rng(dimension).standard_normal(dimension).astype(np.float32)
    found = describe_vector(vector)
    assert found.dimension == dimension
    assert found.norm == pytest.approx(np.linalg.norm(vector.astype(np.float64)))
    np.testing.assert_array_equal(found.first, vector[:50])
    assert found.quantiles[0.05] == pytest.approx(np.percentile(vector.astype(np.float64), 5))
    assert found.quantiles[1.0] == vector.max()
    assert set(found.leading) == set(np.argsort(np.abs(vector))[-10:])


def test_the_sentence_says_whether_a_vector_has_unit_length():
    assert "unit length" in describe_vector([0.6, 0.8]).sentence()
    assert "not of unit length" in describe_vector([3.0, 4.0]).sentence()
    with language("zh"):
        assert "未归一化" in describe_vector([3.0, 4.0]).sentence()


def test_zeros_of_a_sparse_vector_are_counted():
    found = describe_vector([0.0, 0.0, 1.0])
    assert found.n_zero == 2
    assert "2 of them are zero" in found.sentence()


@given(st.integers(5, 60), st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_the_effective_dimension_is_the_participation_ratio_of_the_eigenvalues(n, d, seed):
    rows = np.random.default_rng(seed).standard_normal((n, d))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(np.cov(unit.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    found = effective_dimension(rows)
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert 1 - 1e-6 <= found.value <= min(d, n - 1) + 1e-4


@given(st.integers(0, 2**32 - 1))
def test_turning_all_vectors_together_leaves_it_as_it_is(seed):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((12, 12)))
    rows = rng.standard_normal((40, 12)) * np.arange(1, 13)
    assert effective_dimension(rows @ turn).value == pytest.approx(effective_dimension(rows).value, rel=1e-4)


def test_with_too_few_vectors_it_says_that_it_is_a_lower_bound():
    rows = np.random.default_rng(0).standard_normal((2000, 100))
    few, many = effective_dimension(rows[:40]), effective_dimension(rows)
    assert not few.has_settled
    assert "lower bound" in few.sentence()
    with language("zh"):
        assert "下限" in few.sentence()
    assert many.has_settled
    assert few.value < many.value


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.ones((1, 3)), "at least 4 vectors.*not 1"),
        (np.ones((3, 3)), "at least 4 vectors.*not 3"),
        (np.ones((9, 3)), "All 9 vectors are the same"),
        (np.zeros((5, 3)), "Vector 0 is all zeros"),
        (np.full((5, 3), np.nan), "not finite"),
    ],
)
def test_a_set_without_an_effective_dimension_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        effective_dimension(wrong)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([0.1, np.nan], "1 value.* dimension 1"),
        (np.zeros((2, 2)), r"shape \(2, 2\)"),
        ([], "One vector was expected"),
        (["a", "b"], "must be numbers"),
    ],
)
def test_what_is_no_vector_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        describe_vector(wrong)


def test_vectors_of_two_dimensions_are_no_pair():
    with pytest.raises(EncoderMismatchError, match=r"different dimensions \(3, 4\).*one encoder"):
        two_unit_vectors(np.ones(3), np.ones(4))


def test_a_zero_vector_is_no_part_of_a_pair():
    with pytest.raises(InputError, match="Vector 1 is all zeros"):
        two_unit_vectors(np.ones(3), np.zeros(3))
