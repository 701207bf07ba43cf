"""Choosing an index, and the matrices that none is built over."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from workbench.errors import InputError, MissingDependencyError
from workbench.retrieval.index import best_of, build_index, check_vectors


def test_an_exact_index_is_built_by_default():
    index = build_index(np.eye(3, dtype=np.float32))
    assert index.kind.startswith("exact inner product")
    assert len(index) == 3


def test_rows_that_differ_by_rounding_noise_are_tied():
    # 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 are different numbers in floating point
    query = np.full(3, np.float32(1 / np.sqrt(3)))
    vectors = np.array([[0.3, 0.2, 0.1], [0.1, 0.2, 0.3]], dtype=np.float32)
    scores, rows = best_of(query, vectors, np.array([1, 0]), k=2)
    assert scores[0] == scores[1]
    assert rows.tolist() == [0, 1]


def test_orthogonal_vectors_score_zero_without_a_sign():
    vectors = np.array([[-1, 0], [1, 0]], dtype=np.float32)
    scores, _ = best_of(np.array([0, 1], dtype=np.float32), vectors, np.array([0, 1]), k=2)
    assert scores.tolist() == [0, 0]
    assert not np.signbit(scores).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_row(bad):
    vectors = np.eye(4, dtype=np.float32)
    vectors[2, 1] = bad
    with pytest.raises(InputError, match=r"Vector 2 has values that are not finite.*Encode its text again"):
        build_index(vectors)


def test_rows_that_are_not_of_unit_length_are_refused_with_their_length():
    vectors = np.eye(4, dtype=np.float32)
    vectors[3] *= 2
    with pytest.raises(InputError, match="Vector 3 has length 2 instead of 1"):
        build_index(vectors)


def test_a_vector_of_zeros_is_refused():
    with pytest.raises(InputError, match="Vector 0 has length 0"):
        build_index(np.zeros((1, 3), dtype=np.float32))


@pytest.mark.parametrize("shape", [(3,), (2, 0), (2, 2, 2)])
def test_what_is_no_matrix_is_refused(shape):
    with pytest.raises(InputError, match=r"a matrix of shape \(n, d\)"):
        check_vectors(np.ones(shape, dtype=np.float32))


def test_a_missing_faiss_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingDependencyError, match=r"pip install \.\[cpu\]"):
        build_index(np.eye(2, dtype=np.float32))
