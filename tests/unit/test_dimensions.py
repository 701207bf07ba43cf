"""Dimensions of an encoder, and scores without some of them, against brute force, scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import profile_dimensions, removal_curve, remove_dimensions
from workbench.i18n import language


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(3, 25))
def test_expected_contributions_are_means_over_all_pairs_of_different_texts(seed, n):
    rows = np.random.default_rng(seed).standard_normal((n, 9)) + 0.5
    found = profile_dimensions(rows)
    products = np.einsum("id,jd->dij", unit(rows), unit(rows))[:, ~np.eye(n, dtype=bool)]
    np.testing.assert_allclose(found.table["expected_contribution"], products.mean(axis=1), atol=1e-6)
    off_diagonal = cosine_similarity(rows)[~np.eye(n, dtype=bool)]
    assert found.mean_score == pytest.approx(off_diagonal.mean(), abs=1e-6)
    assert found.table["variance_share"].sum() == pytest.approx(1)


def test_a_rogue_dimension_is_found_and_makes_all_texts_look_alike():
    rows = np.random.default_rng(0).standard_normal((300, 64))
    rows[:, 17] += 20
    found = profile_dimensions(rows)
    assert found.rogue.tolist() == [17]
    assert found.mean_score > 0.8
    assert "Rogue dimensions (from 5 % on): 1" in found.sentence()
    with language("zh"):
        assert "“失控”维度有 1 个" in found.sentence()


def test_dimensions_that_hardly_vary_are_near_constant_those_of_zeros_too():
    rows = np.random.default_rng(1).standard_normal((200, 16))
    rows[:, 3], rows[:, 5] = 0.0, 6.0 + 0.01 * rows[:, 5]
    assert set(profile_dimensions(rows).constant) == {3, 5}
    assert profile_dimensions(rows).constant[0] == 3


def test_without_any_such_dimension_none_is_named():
    rows = np.random.default_rng(2).standard_normal((300, 64))
    found = profile_dimensions(rows)
    assert (len(found.rogue), len(found.constant)) == (0, 0)


def test_the_order_by_variance_is_that_of_numpy():
    rows = np.random.default_rng(3).standard_normal((100, 12)) * np.arange(1, 13)
    found = profile_dimensions(rows)
    np.testing.assert_array_equal(found.by_variance, np.argsort(-unit(rows).var(axis=0)))
    shares = np.sort(unit(rows).var(axis=0))[::-1]
    assert found.needed_for(0.5) == np.argmax(shares.cumsum() >= shares.sum() / 2) + 1


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (np.ones((1, 4)), {}, "at least 3 vectors.*not 1"),
        (np.ones((2, 4)), {}, "at least 3 vectors.*not 2"),
        (np.zeros((4, 4)), {}, "all zeros"),
        (np.full((4, 4), np.nan), {}, "not finite"),
        (np.eye(4), {"rogue_share": 0}, "rogue_share is 0"),
    ],
)
def test_what_has_no_profile_is_refused(rows, options, says):
    with pytest.raises(InputError, match=says):
        profile_dimensions(rows, **options)


class TestRemoval:
    @pytest.fixture
    def pairs(self):
        rng = np.random.default_rng(4)
        first = rng.standard_normal((120, 20)) + 3 * np.eye(20)[0]
        labels = rng.integers(2, size=120)
        second = np.where(labels[:, None] == 1, first, 0) + 3.0 * rng.standard_normal((120, 20))
        return first, second + 12 * np.eye(20)[0] * rng.standard_normal((120, 1)), labels

    def scores(self, first, second):
        return np.diag(cosine_similarity(first, second))

    def test_scores_and_their_order_are_those_of_scikit_learn_and_scipy(self, pairs):
        first, second, _ = pairs
        found = remove_dimensions(first, second, [0, 7])
        kept = [d for d in range(20) if d not in (0, 7)]
        np.testing.assert_allclose(found.before, self.scores(first, second), atol=1e-6)
        np.testing.assert_allclose(found.after, self.scores(first[:, kept], second[:, kept]), atol=1e-6)
        expected = spearmanr(self.scores(first, second), self.scores(first[:, kept], second[:, kept]))
        assert found.rank_correlation == pytest.approx(expected.statistic, abs=1e-4)
        assert found.auc_difference is None
        assert "AUC" not in found.sentence()

    def test_with_labels_the_areas_are_those_of_scikit_learn(self, pairs):
        first, second, labels = pairs
        found = remove_dimensions(first, second, [0], labels=labels)
        assert found.auc_before == pytest.approx(roc_auc_score(labels, self.scores(first, second)))
        assert found.auc_after == pytest.approx(
            roc_auc_score(labels, self.scores(first[:, 1:], second[:, 1:]))
        )
        value, low, high = found.auc_difference
        assert low < value == found.auc_after - found.auc_before < high
        # The dimension was made to disturb.
        assert "so matches stand out more" in found.sentence()
        with language("zh"):
            assert "匹配与否分得更开" in found.sentence()

    def test_pairs_of_one_jd_are_not_taken_as_independent(self, pairs):
        first, second, labels = (np.repeat(rows, 3, axis=0) for rows in pairs)
        alone = remove_dimensions(first, second, [0], labels=labels).auc_difference
        by_jd = remove_dimensions(
            first, second, [0], labels=labels, jds=np.repeat(np.arange(120), 3)
        ).auc_difference
        assert by_jd[0] == alone[0]
        assert by_jd[2] - by_jd[1] > 1.4 * (alone[2] - alone[1])

    def test_the_curve_starts_at_all_dimensions_and_agrees_with_single_removals(self, pairs):
        first, second, labels = pairs
        order = np.arange(20)
        curve = removal_curve(first, second, order, labels=labels, counts=(1, 5, 19, 20, 500))
        ordered = curve[curve["kind"] == "ordered"].set_index("n_removed")
        assert ordered.index.tolist() == [0, 1, 5, 19]
        assert ordered["rank_correlation"][0] == 1
        for count in (1, 5, 19):
            alone = remove_dimensions(first, second, order[:count], labels=labels)
            assert ordered["auc"][count] == pytest.approx(alone.auc_after)
            assert ordered["rank_correlation"][count] == pytest.approx(alone.rank_correlation)
            assert ordered["mean_score"][count] == pytest.approx(alone.after.mean())

    def test_the_curve_without_labels_has_no_areas(self, pairs):
        curve = removal_curve(*pairs[:2], np.arange(20), counts=(2,))
        assert curve["auc"].isna().all()
        assert set(curve["kind"]) == {"ordered", "random"}

    @pytest.mark.parametrize(
        ("dimensions", "says"),
        [
            ([20], "no dimension 20; vectors have 20, numbered from 0"),
            ([-1], "no dimension -1"),
            ([1, 1], "named twice"),
            (range(20), "All 20 dimensions would be left out"),
        ],
    )
    def test_dimensions_that_cannot_be_left_out_are_refused(self, pairs, dimensions, says):
        with pytest.raises(InputError, match=says):
            remove_dimensions(*pairs[:2], dimensions)

    @pytest.mark.parametrize(
        ("first", "second", "error", "says"),
        [
            (np.ones((1, 3)), np.ones((1, 3)), InputError, "at least 3, better.*not 1"),
            (np.ones((5, 3)), np.ones((4, 3)), InputError, "5 first and 4 second vectors"),
            (np.ones((5, 3)), np.ones((5, 4)), EncoderMismatchError, "First vector: 3, Second vector: 4"),
            (np.ones((5, 3)), np.full((5, 3), np.nan), InputError, "Second vector 0 .* not finite"),
            (np.zeros((5, 3)), np.ones((5, 3)), InputError, "First vector 0 is all zeros"),
            (np.eye(3)[[0, 1, 2]], np.ones((3, 3)), InputError, "pair 0 is all zeros"),
            (np.ones((5, 3)), np.ones((5, 3)), InputError, "All pairs have the same score"),
        ],
    )
    def test_pairs_that_cannot_be_scored_are_refused(self, first, second, error, says):
        with pytest.raises(error, match=says):
            remove_dimensions(first, second, [0])
