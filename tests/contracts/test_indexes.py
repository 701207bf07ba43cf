"""What every index promises, held against a search that sums without rounding error.

A new exact index is one line in ``INDEXES``, a new approximate one in ``APPROXIMATE``.
"""

from __future__ import annotations

import math
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.retrieval import exact
from workbench.retrieval.approximate import build_quantised
from workbench.retrieval.exact import FlatIndex, TorchIndex
from workbench.retrieval.index import best_of

INDEXES = {
    "flat": FlatIndex,
    "flat by codes": partial(FlatIndex, coded_after=0),
    # The code that runs on a GPU, on the device that every machine has.
    "torch": partial(TorchIndex, device="cpu", dtype="float32"),
    "torch in half precision": partial(TorchIndex, device="cpu", dtype="float16"),
}
APPROXIMATE = {"quantised": lambda vectors: build_quantised(vectors).index}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(build, id=name, marks=pytest.mark.models if "torch" in name else ())
        for name, build in INDEXES.items()
    ],
)
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


@cache
def thousands(dimension):
    """Vectors of which some are there twice, queries, and the answers by the definition."""
    rng = np.random.default_rng(dimension)
    vectors = unit(rng.normal(size=(2000, dimension)))
    vectors[rng.integers(0, 2000, 200)] = vectors[rng.integers(0, 2000, 200)]
    queries = np.concatenate([vectors[:3], unit(rng.normal(size=(3, dimension)))])
    return vectors, queries, [brute_force(query, vectors, 20) for query in queries]


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


@pytest.fixture
def shortest_list(monkeypatch):
    monkeypatch.setattr(exact, "LISTED", 0)
    monkeypatch.setattr(exact, "LISTED_PER_HIT", 1)


# faiss takes another way where the dimension is a multiple of 16.
@pytest.mark.parametrize("dimension", [15, 16])
@pytest.mark.parametrize("coarse", ["rows", "queries"])
def test_codes_miss_no_row_that_their_rounding_moved(shortest_list, dimension, coarse):
    rng = np.random.default_rng(0)
    # One of the two is coded without any error, the other is not.
    fine, signs = unit(1 + rng.normal(size=(4000, dimension))), rng.choice([-1, 1], (4000, dimension))
    vectors, queries = (unit(signs), fine) if coarse == "rows" else (fine, unit(signs))
    index, flat = FlatIndex(vectors, coded_after=0), FlatIndex(vectors)
    for query in queries[:100, None]:
        for k in (1, 7):
            found, expected = index.search(query, k), flat.search(query, k)
            assert found[1].tolist() == expected[1].tolist()
            assert found[0].tolist() == expected[0].tolist()


class TestEveryExactIndex:
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
        vectors, queries, expected = thousands(dimension)
        scores, rows = build(vectors).search(queries, 20)
        for (expected_scores, expected_rows), found_scores, found_rows in zip(
            expected, scores, rows, strict=True
        ):
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
        assert index.exact

    def test_a_batch_is_answered_as_its_queries_are_alone(self, build):
        rng = np.random.default_rng(3)
        vectors = unit(rng.normal(size=(5000, 24)))
        index = build(vectors)
        together = index.search(vectors[:40], 5)
        alone = [index.search(vectors[i : i + 1], 5) for i in range(40)]
        assert together[0].tolist() == [scores[0].tolist() for scores, _ in alone]
        assert together[1].tolist() == [rows[0].tolist() for _, rows in alone]

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


def clustered(n, dimension, seed=0):
    """Unit vectors in groups of some hundred, as texts on the same subject are; some of them twice."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(60, dimension))
    vectors = unit(centres[rng.integers(0, 60, n)] + 0.8 * rng.normal(size=(n, dimension)))
    vectors[rng.integers(0, n, n // 100)] = vectors[rng.integers(0, n, n // 100)]
    return vectors


@pytest.fixture(scope="module")
def many():
    """Indexed vectors, and others of the same kind to search with."""
    vectors = clustered(12_200, 64)
    return vectors[:12_000], vectors[12_000:]


@pytest.fixture(scope="module", params=APPROXIMATE.values(), ids=APPROXIMATE)
def approximate(request, many):
    return request.param(many[0])


class TestEveryApproximateIndex:
    def test_it_says_what_it_is(self, approximate):
        assert not approximate.exact
        assert "recall@10" in approximate.kind
        assert len(approximate) == 12_000

    def test_it_finds_nearly_all_of_the_best_five_of_queries_it_has_not_seen(self, approximate, many):
        vectors, queries = many
        scores, _ = approximate.search(queries, 5)
        kth = np.sort(queries.astype(np.float64) @ vectors.T.astype(np.float64), axis=1)[:, -5]
        found = scores.astype(np.float64) >= kth[:, None] - 1e-6
        assert found.mean() >= 0.99

    @pytest.mark.parametrize("k", [1, 5, 12])
    def test_what_it_returns_is_scored_and_ordered_by_the_definition(self, approximate, many, k):
        vectors, queries = many
        scores, rows = approximate.search(queries[:50], k)
        assert (scores.shape, rows.shape) == ((50, k), (50, k))
        assert (scores.dtype, rows.dtype) == (np.float32, np.intp)
        for query, found_scores, found_rows in zip(queries, scores, rows, strict=False):
            assert len(set(found_rows.tolist())) == k
            expected = best_of(query, vectors, np.sort(found_rows), k)
            assert found_scores.tolist() == expected[0].tolist()
            assert found_rows.tolist() == expected[1].tolist()

    def test_scores_are_those_of_the_exact_search(self, approximate, many):
        vectors, queries = many
        exact_scores, exact_rows = FlatIndex(vectors).search(queries, 5)
        scores, rows = approximate.search(queries, 5)
        same = rows == exact_rows
        assert same.mean() > 0.9
        assert scores[same].tolist() == exact_scores[same].tolist()

    def test_a_vector_finds_itself_or_its_earlier_copy_first(self, approximate, many):
        vectors = many[0]
        scores, rows = approximate.search(vectors[:200], 1)
        assert (rows[:, 0] <= np.arange(200)).all()
        assert scores.min() >= 1 - 1e-6

    @pytest.mark.parametrize("k", [3000, 12_000])
    def test_many_hits_are_all_there(self, approximate, many, k):
        vectors, queries = many
        scores, rows = approximate.search(queries[:2], k)
        expected_scores, expected_rows = FlatIndex(vectors).search(queries[:2], k)
        assert rows.tolist() == expected_rows.tolist()
        assert scores.tolist() == expected_scores.tolist()

    def test_rows_added_since_are_found_as_the_exact_search_finds_them(self, approximate, many):
        vectors = np.concatenate(many)
        grown = approximate.over(vectors)
        _, rows = grown.search(many[1], 1)
        assert rows[:, 0].tolist() == FlatIndex(vectors).search(many[1], 1)[1][:, 0].tolist()
        assert (len(grown), len(approximate)) == (12_200, 12_000)
