"""Near duplicates: exactly the pairs of a full comparison, grouped as networkx would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import find_near_duplicates
from workbench.exploration.near_duplicates import _bounding


def crowded(seed, n, dimension, copies=0):
    """Vectors of which many are near another, with a few exact copies at the end."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(n // 3, 1), dimension))
    vectors = centres[random.integers(0, len(centres), n)] + 0.2 * random.standard_normal((n, dimension))
    vectors = np.vstack([vectors, vectors[:copies]])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def all_pairs(vectors, score):
    scores = np.clip(vectors.astype(np.float64) @ vectors.astype(np.float64).T, -1, 1)
    first, second = np.nonzero(np.triu(scores > score, 1))
    return set(zip(first.tolist(), second.tolist(), strict=True)), scores


class TestPairs:
    @given(
        st.integers(0, 10_000),
        st.integers(2, 60),
        st.sampled_from([3, 97, 98, 200]),
        st.floats(0.5, 0.99),
    )
    def test_they_are_those_of_a_full_comparison(self, seed, n, dimension, score):
        vectors = crowded(seed, n, dimension)
        expected, scores = all_pairs(vectors, score)
        if np.abs(scores - score).min() < 1e-6:
            return
        found = find_near_duplicates(vectors, score=score, progress=False).pairs
        assert set(zip(found["first"], found["second"], strict=True)) == expected
        np.testing.assert_allclose(found["score"], scores[found["first"], found["second"]], atol=1e-6)

    def test_blocks_have_no_seams(self, monkeypatch):
        monkeypatch.setattr("workbench.exploration.near_duplicates.ROWS", 7)
        monkeypatch.setattr("workbench.exploration.near_duplicates.COLUMNS", 5)
        vectors = crowded(1, 100, 120)
        found = find_near_duplicates(vectors, score=0.9, progress=False).pairs
        assert set(zip(found["first"], found["second"], strict=True)) == all_pairs(vectors, 0.9)[0]

    @given(st.integers(0, 10_000))
    def test_bounds_are_never_below_the_scores(self, seed):
        vectors = crowded(seed, 30, 150)
        bounds = _bounding(vectors)
        assert bounds.shape == (30, 97)
        assert (bounds @ bounds.T >= vectors @ vectors.T - 1e-5).all()

    def test_a_pair_at_the_score_is_not_above_it(self):
        vectors = [[1.0, 0.0], [0.5, np.sqrt(0.75)]]
        score = float(find_near_duplicates(vectors, score=0.4, progress=False).pairs["score"].iloc[0])
        assert len(find_near_duplicates(vectors, score=score, progress=False).pairs) == 0


class TestGroups:
    @given(st.integers(0, 10_000), st.integers(3, 50))
    def test_they_are_those_of_single_linkage(self, seed, n):
        vectors = crowded(seed, n, 5)
        scores = all_pairs(vectors, 0.9)[1]
        if np.abs(scores - 0.9).min() < 1e-6:
            return
        found = find_near_duplicates(vectors, score=0.9, progress=False)
        distances = np.clip(1 - scores, 0, 2)[np.triu_indices(n, 1)]
        clusters = fcluster(linkage(distances, "single"), 1 - 0.9, "distance")
        expected = {
            frozenset(np.flatnonzero(clusters == label).tolist())
            for label in set(clusters.tolist())
            if (clusters == label).sum() > 1
        }
        assert {frozenset(group["position"]) for _, group in found.table.groupby("group")} == expected
        assert found.keep.sum() == len(set(clusters.tolist()))

    def test_copies_are_in_the_group_of_their_original(self):
        vectors = crowded(3, 20, 5, copies=4)
        table = find_near_duplicates(vectors, score=0.999, progress=False).table
        group_of = dict(zip(table["position"], table["group"], strict=True))
        assert [group_of[20 + row] for row in range(4)] == [group_of[row] for row in range(4)]

    def test_all_texts_the_same_are_one_group_at_once(self):
        found = find_near_duplicates(np.ones((5000, 8)), score=0.9, progress=False)
        assert (len(found), len(found.table), found.keep.sum()) == (1, 5000, 1)
        assert len(found.pairs) == 0

    def test_the_text_nearest_to_all_stands_for_the_group(self):
        radians = np.deg2rad([0, 5, 10, 90])
        found = find_near_duplicates(np.column_stack([np.cos(radians), np.sin(radians)]), score=0.99)
        assert found.table["keep"].tolist() == [False, True, False]
        assert found.table["position"].tolist() == [0, 1, 2]
        assert found.keep.tolist() == [False, True, False, True]
        assert found.table["score"].tolist() == pytest.approx(
            [np.cos(np.deg2rad(5)), 1, np.cos(np.deg2rad(5))]
        )

    def test_a_group_held_together_by_others_shows_its_lowest_score(self):
        radians = np.deg2rad([0, 5, 10])
        found = find_near_duplicates(np.column_stack([np.cos(radians), np.sin(radians)]), score=0.99)
        assert found.table["lowest"].iloc[0] == pytest.approx(np.cos(np.deg2rad(10)), abs=1e-6)

    def test_largest_group_first(self):
        sizes = find_near_duplicates(crowded(2, 200, 4), score=0.97).table.groupby("group").size()
        assert sizes.is_monotonic_decreasing

    def test_the_order_of_rows_does_not_matter(self):
        vectors, order = crowded(5, 60, 6, copies=5), np.random.default_rng(0).permutation(65)
        before = find_near_duplicates(vectors, score=0.95).table
        after = find_near_duplicates(vectors[order], score=0.95).table
        assert {frozenset(g["position"]) for _, g in before.groupby("group")} == {
            frozenset(order[g["position"]].tolist()) for _, g in after.groupby("group")
        }

    def test_texts_come_along(self):
        found = find_near_duplicates([[1, 0], [1, 0.01]], score=0.9, texts=["a", "b"])
        assert found.table["text"].tolist() == ["a", "b"]

    @pytest.mark.parametrize("shown", [True, False])
    def test_progress_is_shown_to_those_who_ask(self, shown, capfd):
        find_near_duplicates(np.eye(4), score=0.9, progress=shown)
        assert ("near duplicates" in capfd.readouterr().err) == shown

    def test_none_found_is_an_empty_table(self):
        found = find_near_duplicates(np.eye(4), score=0.9)
        assert (len(found), len(found.pairs), found.keep.all()) == (0, 0, True)
        assert "0 groups" in repr(found)
        assert found.to_dict()["groups"] == []


class TestBadInput:
    @pytest.mark.parametrize("score", [0, 1, 95, True])
    def test_a_score_out_of_range(self, score):
        with pytest.raises(InputError, match="between 0 and 1"):
            find_near_duplicates(np.eye(3), score=score)

    def test_a_score_so_low_that_all_are_duplicates(self, monkeypatch):
        monkeypatch.setattr("workbench.exploration.near_duplicates.MOST_PAIRS", 100)
        with pytest.raises(InputError, match=r"More than 100 pairs have a score above 0\.1000"):
            find_near_duplicates(crowded(0, 100, 3) + 1, score=0.1)

    def test_a_vector_that_is_not_finite(self):
        with pytest.raises(InputError, match="Vector 1 has values"):
            find_near_duplicates([[1, 0], [np.nan, 1]])

    def test_vectors_of_two_encoders(self):
        with pytest.raises(EncoderMismatchError, match="2 encoders"):
            find_near_duplicates(np.eye(2), fingerprint=["a", "b"])

    def test_texts_must_fit(self):
        with pytest.raises(InputError, match="1 texts for 2 vectors"):
            find_near_duplicates(np.eye(2), texts=["a"])
