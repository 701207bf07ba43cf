"""Dimension by dimension: scores split into parts that add up, and what the dimensions of an encoder do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import profile_dimensions, split_score
from workbench.i18n import language

seeds = st.integers(0, 2**32 - 1)


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


@given(seeds, st.sampled_from([1, 2, 512, 2560, 4096]), st.sampled_from([np.float32, np.float64]))
def test_contributions_sum_to_the_score(seed, dimension, dtype):
    first, second = np.random.default_rng(seed).standard_normal((2, dimension)).astype(dtype)
    parts = split_score(first, second)
    one, other = first.astype(np.float64), second.astype(np.float64)
    cosine = np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other))
    assert abs(parts.products.sum() - cosine) < 1e-6
    assert parts.score == parts.products.sum()
    assert parts.score == pytest.approx(cosine_similarity([one], [other])[0, 0], abs=1e-6)


@given(seeds)
def test_turning_both_vectors_keeps_the_score_but_not_the_dimensions_that_stand_out(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, 64))
    second += first
    turn, _ = np.linalg.qr(rng.standard_normal((64, 64)))
    before, after = split_score(first, second), split_score(first @ turn, second @ turn)
    assert after.score == pytest.approx(before.score, abs=1e-6)
    assert after.leading.tolist() != before.leading.tolist()


def test_shared_dimensions_are_clearly_positive_in_both_and_come_largest_first():
    first = np.array([0.9, 0.3, 0.9, -0.9, 0.1, 0.1, 0.1, 0.1])
    second = np.array([0.8, 0.9, 0.9, -0.9, 0.1, 0.1, 0.1, 0.1])
    limits = [np.linalg.norm(vector) / np.sqrt(8) for vector in (first, second)]
    assert (first > limits[0]).tolist() == [True, False, True, False, False, False, False, False]
    assert split_score(first, second, clear=1.0).shared.tolist() == [2, 0]
    # Both clearly negative adds to the score as well, but is not both clearly positive.
    assert split_score(first, second).products[3] > 0


def test_half_of_what_is_added_is_counted_from_the_largest():
    parts = split_score([3.0, 1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert parts.needed_for(0.5) == 1  # 3 of 6
    assert parts.needed_for(0.6) == 2
    assert parts.needed_for(1.0) == 4
    assert split_score([1.0, 0.0], [-1.0, 0.0]).needed_for(0.5) == 0


def test_the_table_has_every_dimension_once_largest_contribution_first():
    first, second = np.random.default_rng(1).standard_normal((2, 30))
    frame = split_score(first, second).to_frame()
    assert sorted(frame["dimension"]) == list(range(30))
    assert frame["contribution"].is_monotonic_decreasing
    np.testing.assert_allclose(frame["first"] * frame["second"], frame["contribution"])


def test_the_sentence_gives_score_and_dimensions_in_both_languages():
    parts = split_score([1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])
    assert parts.sentence().startswith("Score 1.0000 = 1.0000 added − 0.0000 taken away")
    with language("zh"):
        assert "（#0）" in parts.sentence()


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([np.nan, 1.0], [1.0, 1.0], "First vector has 1 value.* not finite"),
        ([1.0, 1.0], [1.0, np.inf], "Second vector has 1 value.* not finite"),
        ([0.0, 0.0], [1.0, 1.0], "Vector 0 is all zeros"),
        ([[1.0]], [1.0], r"shape \(1, 1\)"),
    ],
)
def test_what_has_no_score_is_refused(first, second, says):
    with pytest.raises(InputError, match=says):
        split_score(first, second)


def test_two_encoders_cannot_be_mixed():
    with pytest.raises(EncoderMismatchError, match="different encoders"):
        split_score(np.ones(512), np.ones(1024))


def test_clear_must_be_positive():
    with pytest.raises(InputError, match="clear is 0"):
        split_score([1.0], [1.0], clear=0)
