"""Scores split into contributions: they add up, and what is shared is what the definition says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import split_score
from workbench.i18n import language

seeds = st.integers(0, 2**32 - 1)


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
