"""Scores without some dimensions, against brute force, scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import removal_curve, remove_dimensions
from workbench.i18n import language


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


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
