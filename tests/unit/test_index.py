"""Scores by definition, what rounding may hide, and the matrices that no index is built over."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from workbench.errors import InputError, MissingDependencyError
from workbench.retrieval import approximate, exact
from workbench.retrieval.approximate import build_quantised
from workbench.retrieval.exact import FlatIndex, TorchIndex
from workbench.retrieval.index import best_of, check_vectors, shortlist


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
        FlatIndex(vectors)


def test_rows_that_are_not_of_unit_length_are_refused_with_their_length():
    vectors = np.eye(4, dtype=np.float32)
    vectors[3] *= 2
    with pytest.raises(InputError, match="Vector 3 has length 2 instead of 1"):
        FlatIndex(vectors)


def test_a_vector_of_zeros_is_refused():
    with pytest.raises(InputError, match="Vector 0 has length 0"):
        FlatIndex(np.zeros((1, 3), dtype=np.float32))


@pytest.mark.parametrize("shape", [(3,), (2, 0), (2, 2, 2)])
def test_what_is_no_matrix_is_refused(shape):
    with pytest.raises(InputError, match=r"a matrix of shape \(n, d\)"):
        check_vectors(np.ones(shape, dtype=np.float32))


@given(
    scores=arrays(np.float32, st.integers(1, 400), elements=st.sampled_from([-1, -0.5, 0, 0.25, 0.5, 1])),
    k=st.integers(1, 400),
)
def test_all_rows_that_could_be_among_the_best_are_on_the_shortlist(scores, k):
    slack = 2.0**-10
    k = min(k, len(scores))
    kth = np.sort(scores)[-k]
    rows = shortlist(scores, k, slack)
    assert rows.tolist() == np.flatnonzero(scores >= kth - slack).tolist() or k == len(scores)
    assert len(rows) >= k


def test_scores_beyond_one_can_tie_with_the_best():
    # both are 1 once they are clipped, so the first must stay on the list
    scores = np.array([1 + 2**-23, 1 + 3 * 2**-23, 0.2], dtype=np.float32)
    assert shortlist(scores, 1, 2.0**-24).tolist() == [0, 1]


def test_one_thread_and_many_answer_alike(monkeypatch):
    vectors = structured(3000, 48)
    one = [FlatIndex(vectors).search(vectors[row : row + 1], 6) for row in range(20)]
    monkeypatch.setattr(exact, "ONE_THREAD", 0)
    many = [FlatIndex(vectors).search(vectors[row : row + 1], 6) for row in range(20)]
    for (scores, rows), (expected_scores, expected_rows) in zip(one, many, strict=True):
        assert rows.tolist() == expected_rows.tolist()
        assert scores.tolist() == expected_scores.tolist()


class TestCodes:
    """Of 8 bits; that they miss no row is among the contracts of indexes."""

    @pytest.fixture
    def made(self, monkeypatch):
        """How often codes were made."""
        made, make = [], exact._Codes
        monkeypatch.setattr(exact, "_Codes", lambda vectors: made.append(1) or make(vectors))
        return made

    @pytest.mark.parametrize("dimension", [64, 67])
    def test_they_answer_without_a_product_from_a_file_too(self, tmp_path, monkeypatch, dimension):
        vectors = structured(6000, dimension)
        vectors.tofile(tmp_path / "vectors")
        mapped = np.memmap(tmp_path / "vectors", np.float32, mode="r", shape=vectors.shape)
        expected = [FlatIndex(vectors).search(vectors[row : row + 1], 5) for row in range(20)]
        index = FlatIndex(mapped, coded_after=0)
        monkeypatch.delattr(exact, "_products")
        found = [index.search(vectors[row : row + 1], 5) for row in range(20)]
        assert [rows.tolist() for _scores, rows in found] == [rows.tolist() for _scores, rows in expected]
        assert [each.tolist() for each, _rows in found] == [each.tolist() for each, _rows in expected]

    def test_the_first_queries_do_not_wait_for_them(self, made):
        index = FlatIndex(structured(100, 16), coded_after=2)
        counts = [(index.search(index._vectors[:1], 3), len(made))[1] for _query in range(4)]
        assert counts == [0, 0, 1, 1]

    def test_they_are_made_once_for_all_who_ask_at_the_same_time(self, made):
        vectors = structured(5000, 64)
        index = FlatIndex(vectors, coded_after=0)
        with ThreadPoolExecutor(8) as threads:
            found = list(
                threads.map(lambda row: index.search(vectors[row : row + 1], 1)[1].item(), range(40))
            )
        assert found == list(range(40))
        assert len(made) == 1

    def test_small_matrices_have_none(self, made, monkeypatch):
        monkeypatch.setattr(exact, "CODED_AFTER", 0)
        vectors = structured(100, 16)
        FlatIndex(vectors).search(vectors[:1], 3)
        assert not made
        monkeypatch.setattr(exact, "ONE_THREAD", 0)
        FlatIndex(vectors).search(vectors[:1], 3)
        assert made

    def test_they_are_left_alone_where_most_rows_are_the_same(self, monkeypatch):
        vectors = np.repeat(structured(1, 16), 3000, axis=0)
        index, tried = FlatIndex(vectors, coded_after=4), []
        search = exact._Codes.search
        monkeypatch.setattr(exact._Codes, "search", lambda *asked: tried.append(1) or search(*asked))
        rows = [index.search(vectors[:1], 3)[1].tolist() for _query in range(12)]
        assert rows == [[[0, 1, 2]]] * 12
        assert len(tried) < 6


def test_batches_that_do_not_fit_are_scored_in_parts(monkeypatch):
    vectors = structured(3000, 48)
    whole = FlatIndex(vectors).search(vectors[:50], 6)
    monkeypatch.setattr(exact, "MOST_SCORES", 7 * 3000)
    parts = FlatIndex(vectors).search(vectors[:50], 6)
    assert parts[0].tolist() == whole[0].tolist()
    assert parts[1].tolist() == whole[1].tolist()


class TestQuantised:
    def test_least_effort_that_reaches_the_recall_is_taken(self, monkeypatch):
        vectors = structured(9000, 32)
        asked = []

        def found(vectors, codes, rows, n_candidates):
            n_codes = codes.pq.M if hasattr(codes, "pq") else "axes"
            asked.append((n_codes, len(rows), n_candidates))
            # 8 codes find all but one, the last as the 401st candidate; 4 and axes find nine of ten
            missing = 1 if n_codes == 8 else 256
            depths = np.repeat([10, 401], [2559 - missing, 1])
            return depths, np.where(depths == 10, 0.25, 0.5).astype(np.float32)

        monkeypatch.setattr(approximate, "found_by_codes", found)
        record = build_quantised(vectors, recall=2559 / 2560).record
        assert asked == [("axes", 256, 640), (4, 256, 640), (8, 256, 640)]
        assert (record.values_per_code, record.candidates_per_hit, record.recall) == (4, 51, 2559 / 2560)
        assert record.margin == 0.5
        # fewer than 32 a hit are never taken, and what would take more has no say
        record = build_quantised(vectors, recall=2303 / 2560).record
        assert (record.candidates_per_hit, record.recall, record.margin) == (32, 2303 / 2560, 0.25)

    def test_recall_is_that_of_scikit_learns_neighbours(self):
        vectors = structured(9000, 32)
        built = build_quantised(vectors, recall=0.9)
        index, record = built.index, built.record
        rows = np.sort(np.random.default_rng(0).choice(9000, 256, replace=False))
        true = (
            NearestNeighbors(n_neighbors=11, algorithm="brute")
            .fit(vectors)
            .kneighbors(vectors[rows], return_distance=False)
        )
        # itself and ten others, out of as many candidates as ten hits have and one more
        index.record = replace(record, k=10 * record.candidates_per_hit + 1, candidates_per_hit=1)
        found = index.search(vectors[rows], 11)[1]
        shares = [
            len(set(best[best != row][:10]) & set(others[others != row])) / 10
            for row, best, others in zip(rows, true, found, strict=True)
        ]
        # which of the last candidates are in is open where their codes score alike
        assert record.recall == pytest.approx(np.mean(shares), abs=2 / 2560 + 1e-9)

    def test_only_candidates_within_the_margin_are_compared_in_full(self):
        vectors = structured(9000, 32)
        index = build_quantised(vectors, recall=0.9).index
        by_codes, candidates = index._codes.search(vectors[:20], 10 * index.record.candidates_per_hit)
        for margin in (0.0, 0.05, None):
            index.record = replace(index.record, margin=margin)
            for row, found in enumerate(index.search(vectors[:20], 10)[1]):
                bound = -np.inf if margin is None else by_codes[row, 9] - margin - 1e-6
                kept = candidates[row, by_codes[row] >= bound]
                products = vectors[kept].astype(np.float64) @ vectors[row]
                assert set(found) == set(kept[np.argsort(-products)[:10]]), margin

    def test_where_no_effort_is_enough_there_is_none_and_the_record_says_so(self, monkeypatch):
        monkeypatch.setattr(approximate, "FEWEST_PER_HIT", 1)
        monkeypatch.setattr(approximate, "MOST_PER_HIT", 1)
        monkeypatch.setattr(approximate, "WORTHWHILE_SHARE", 0)
        vectors = structured(9000, 33)
        built = build_quantised(vectors)
        assert built.index is None
        assert built.record.kind == "exact"
        assert 0 < built.record.recall < 0.998
        assert "no approximation was good enough" in str(built.record)

    def test_too_few_vectors_are_refused(self):
        with pytest.raises(InputError, match="There are 100 vectors; an approximate index needs 4,096"):
            build_quantised(structured(100, 8))

    def test_codes_come_back_from_their_bytes(self):
        vectors = structured(9000, 16)
        index = build_quantised(vectors).index
        again = index.from_bytes(index.to_bytes(), vectors, index.record)
        for found, expected in zip(again.search(vectors[:9], 4), index.search(vectors[:9], 4), strict=True):
            assert found.tolist() == expected.tolist()

    def test_codes_of_other_vectors_or_none_are_not_taken(self):
        vectors = structured(9000, 16)
        index = build_quantised(vectors).index
        content = index.to_bytes()
        assert index.from_bytes(content, vectors[:8999], index.record) is None
        assert index.from_bytes(content, vectors[:, :8], index.record) is None
        assert index.from_bytes(content[:100], vectors, index.record) is None
        assert index.from_bytes(b"no index", vectors, index.record) is None

    def test_a_missing_faiss_says_how_to_get_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "faiss", None)
        with pytest.raises(
            MissingDependencyError, match=r"pip install \.\[cpu\].*Exact search needs nothing"
        ):
            build_quantised(structured(9000, 8))


def test_a_missing_torch_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install \.\[qwen\]"):
        TorchIndex(np.eye(3, dtype=np.float32))


def structured(n, dimension):
    """Unit vectors in groups."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(40, dimension))[rng.integers(0, 40, n)] + rng.normal(size=(n, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
