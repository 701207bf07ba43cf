"""What every exact index promises, held against a search that sums without rounding error.

A new exact index is one line in ``INDEXES``.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.retrieval.index import FlatIndex

INDEXES = {"flat": FlatIndex}


@pytest.fixture(scope="module", params=INDEXES.values(), ids=INDEXES)
def build(request):
    return request.param


def unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force(query, vectors, k):
    """The definition: inner products without rounding error, to 2**-24, ties in row order."""
    exact = [math.fsum(float(a) * float(b) for a, b in zip(row, query, strict=True)) for row in vectors]
    scores = [min(max(round(value * 2**24) / 2**24, -1.0), 1.0) for value in exact]
    best = sorted(range(len(vectors)), key=lambda row: (-scores[row], row))[:k]
    return [scores[row] for row in best], best


@st.composite
def searches(draw):
    """Vectors with many duplicates and near-duplicates, queries that are often among them, and k."""
    dimension = draw(st.integers(1, 12))
    number = st.integers(-3, 3).map(float) | st.floats(-1, 1, width=32)
    rows = st.lists(number, min_size=dimension, max_size=dimension).filter(
        lambda row: np.linalg.norm(row) > 1e-3
    )
    pool = unit(draw(st.lists(rows, min_size=1, max_size=6)))
    nudged = unit(pool * np.float32(1 + 2**-22) + np.float32(2**-25))
    pool = np.concatenate([pool, nudged, -pool])
    chosen = st.integers(0, len(pool) - 1)
    vectors = pool[draw(st.lists(chosen, min_size=1, max_size=60))]
    queries = pool[draw(st.lists(chosen, min_size=1, max_size=3))]
    return vectors, queries, draw(st.integers(1, len(vectors)))


class TestEveryIndex:
    @given(search=searches())
    def test_answers_as_the_definition_does(self, build, search):
        vectors, queries, k = search
        scores, rows = build(vectors).search(queries, k)
        for query, found_scores, found_rows in zip(queries, scores, rows, strict=True):
            expected_scores, expected_rows = brute_force(query, vectors, k)
            assert found_rows.tolist() == expected_rows
            assert found_scores.tolist() == expected_scores

    @pytest.mark.parametrize("dimension", [3, 64, 513])
    def test_finds_the_same_rows_among_thousands(self, build, dimension):
        rng = np.random.default_rng(dimension)
        vectors = unit(rng.normal(size=(2000, dimension)))
        vectors[rng.integers(0, 2000, 200)] = vectors[rng.integers(0, 2000, 200)]
        queries = np.concatenate([vectors[:3], unit(rng.normal(size=(3, dimension)))])
        scores, rows = build(vectors).search(queries, 20)
        for query, found_scores, found_rows in zip(queries, scores, rows, strict=True):
            expected_scores, expected_rows = brute_force(query, vectors, 20)
            assert found_rows.tolist() == expected_rows
            assert found_scores.tolist() == expected_scores

    def test_more_equal_vectors_than_k_come_in_row_order(self, build):
        vectors = np.repeat(unit([[3, 4], [4, 3]]), 500, axis=0)
        scores, rows = build(vectors).search(vectors[:1], 7)
        assert rows.tolist() == [list(range(7))]
        assert len(set(scores[0].tolist())) == 1

    def test_equal_vectors_have_equal_scores_wherever_they_lie(self, build):
        rng = np.random.default_rng(0)
        vectors = unit(rng.normal(size=(1003, 131)))
        same = [0, 1, 2, 500, 1001, 1002]
        vectors[same] = vectors[0]
        scores, rows = build(vectors).search(unit(vectors[:1] + 0.01), 6)
        assert rows.tolist() == [same]
        assert len(set(scores[0].tolist())) == 1

    def test_shapes_and_types(self, build):
        vectors = unit(np.eye(5))
        index = build(vectors)
        scores, rows = index.search(vectors[:2], 3)
        assert (scores.shape, rows.shape) == ((2, 3), (2, 3))
        assert (scores.dtype, rows.dtype) == (np.float32, np.intp)
        assert len(index) == 5
        assert index.kind

    def test_a_score_never_leaves_minus_one_to_one(self, build):
        rng = np.random.default_rng(1)
        vectors = unit(rng.normal(size=(300, 96)))
        vectors = np.concatenate([vectors, -vectors])
        scores, _ = build(vectors).search(vectors, len(vectors))
        assert scores.max() == 1
        assert scores.min() == -1

    def test_memory_mapped_vectors_are_searched_as_they_are(self, build, tmp_path):
        vectors = unit(np.random.default_rng(2).normal(size=(50, 8)))
        np.save(tmp_path / "vectors.npy", vectors)
        mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
        for found, expected in zip(
            build(mapped).search(vectors[:2], 5), build(vectors).search(vectors[:2], 5), strict=True
        ):
            assert found.tolist() == expected.tolist()
