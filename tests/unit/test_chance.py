"""More than chance? p-values by brute force, their validity and the false discovery rate by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import against_chance
from workbench.i18n import language


def texts(rng, n, d=24, common=0.0):
    """Vectors of an encoder whose dimensions depend on each other, with something that all texts share."""
    mixing = np.eye(d) + 0.5 * np.eye(d, k=1)
    return rng.standard_t(5, size=(n, d)) @ mixing + common


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_p_values_are_shares_of_all_random_pairs_the_pair_among_them(seed, sparse):
    rng = np.random.default_rng(seed)
    jds, resumes = texts(rng, 13), texts(rng, 17)
    if sparse:
        jds[:, :20] = np.where(rng.random((13, 20)) < 0.5, 0, jds[:, :20])
    found = against_chance(jds[0], resumes[0], jds[1:], resumes[1:])
    products = np.einsum("id,jd->dij", unit(jds), unit(resumes))
    # Vectors are kept in float32, so that what is nearly equal may be counted either way.
    low, high = ((products >= products[:, :1, :1] + by).mean(axis=(1, 2)) for by in (1e-7, -1e-7))
    assert (low <= found.p_values + 1e-12).all()
    assert (found.p_values <= high + 1e-12).all()
    scores = products.sum(axis=0)
    assert found.p_score == pytest.approx((scores >= scores[0, 0] - 1e-7).mean())
    assert found.mean_score == pytest.approx(scores.mean(), abs=1e-6)
    assert found.n_pairs == 13 * 17


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_with_one_kind_of_texts_no_text_is_paired_with_itself(seed):
    rows = texts(np.random.default_rng(seed), 15)
    found = against_chance(rows[0], rows[1], rows[2:])
    products = np.einsum("id,jd->dij", unit(rows), unit(rows))[:, ~np.eye(15, dtype=bool)]
    own = (unit(rows)[0] * unit(rows)[1])[:, None]
    np.testing.assert_allclose(found.p_values, (products >= own - 1e-8).mean(axis=1))
    assert found.n_pairs == 15 * 14 / 2
    assert found.shared_counts.sum() == 15 * 14 / 2


def test_the_counts_of_shared_dimensions_are_those_of_all_random_pairs():
    rng = np.random.default_rng(3)
    jds, resumes = texts(rng, 9), texts(rng, 11)
    found = against_chance(jds[0], resumes[0], jds[1:], resumes[1:], clear=1.0)
    high = [unit(rows) >= 1 / np.sqrt(24) for rows in (jds, resumes)]
    counts = np.array([[(one & other).sum() for other in high[1]] for one in high[0]])
    np.testing.assert_array_equal(found.shared_counts, np.bincount(counts.ravel(), minlength=25))
    assert found.expected_shared == pytest.approx(counts.mean())
    assert found.p_shared == pytest.approx((counts >= counts[0, 0]).mean())


@pytest.mark.parametrize(("method", "theirs"), [("bh", "fdr_bh"), ("by", "fdr_by")])
def test_adjusted_p_values_are_those_of_statsmodels(method, theirs):
    rows = texts(np.random.default_rng(4), 40)
    found = against_chance(rows[0], rows[1], rows[2:], method=method)
    np.testing.assert_allclose(found.adjusted, multipletests(found.p_values, method=theirs)[1])


class TestSimulated:
    """What is promised, on pairs that really are random."""

    REPEATS = 400

    @pytest.fixture(scope="class")
    @classmethod
    def null(cls):
        rng = np.random.default_rng(11)
        found = []
        for _ in range(cls.REPEATS):
            jds, resumes = texts(rng, 31, common=0.5), texts(rng, 31, common=0.5)
            found.append(against_chance(jds[0], resumes[0], jds[1:], resumes[1:], fdr=0.1))
        return found

    def below(self, share, level):
        """Whether a simulated share is at most a level, but for what the simulation itself varies."""
        return share <= level + 3 * np.sqrt(level * (1 - level) / self.REPEATS)

    @pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
    def test_p_values_are_at_most_alpha_in_at_most_alpha_of_random_pairs(self, null, level):
        assert self.below(np.mean([one.p_values[0] <= level for one in null]), level)
        assert self.below(np.mean([one.p_shared <= level for one in null]), level)
        assert self.below(np.mean([one.p_score <= level for one in null]), level)

    def test_the_false_discovery_rate_of_random_pairs_is_below_what_is_tolerated(self, null):
        # All findings are false, so the rate is the share of pairs with any finding.
        with_any = np.mean([len(one.findings) > 0 for one in null])
        assert self.below(with_any, 0.1)
        assert with_any > 0, "a test that never finds anything would pass as well"

    def test_without_correction_most_random_pairs_would_show_something(self, null):
        assert np.mean([(one.p_values <= 0.05).any() for one in null]) > 0.5

    def test_among_findings_with_true_ones_few_are_false(self):
        rng = np.random.default_rng(12)
        true, shares, hits = {2, 7, 13}, [], []
        for _ in range(150):
            jds, resumes = texts(rng, 41), texts(rng, 41)
            jds[0, list(true)] = resumes[0, list(true)] = 9.0
            found = set(against_chance(jds[0], resumes[0], jds[1:], resumes[1:], fdr=0.1).findings.tolist())
            shares.append(len(found - true) / max(len(found), 1))
            hits.append(len(found & true))
        assert np.mean(shares) <= 0.1 + 3 * np.std(shares) / np.sqrt(150)
        assert np.mean(hits) > 2


def test_of_very_many_references_some_are_drawn():
    rng = np.random.default_rng(9)
    jds, resumes = texts(rng, 400), texts(rng, 300)
    found = against_chance(jds[0], resumes[0], jds[1:], resumes[1:], most_references=120)
    whole = against_chance(jds[0], resumes[0], jds[1:], resumes[1:])
    assert found.n_pairs == 121 * 121
    assert whole.n_pairs == 400 * 300
    np.testing.assert_allclose(found.p_values, whole.p_values, atol=0.1)


def test_a_dimension_that_is_high_in_all_texts_is_no_finding():
    rng = np.random.default_rng(5)
    rows = texts(rng, 60)
    rows[:, 4] += 12
    found = against_chance(rows[0], rows[1], rows[2:])
    assert found.contributions.leading[0] == 4
    assert 4 not in found.findings


@pytest.mark.parametrize(("method", "needed"), [("bh", 480), ("by", 1813)])
def test_with_too_few_random_pairs_it_says_that_nothing_can_be_said(method, needed):
    rows = texts(np.random.default_rng(6), 10)
    found = against_chance(rows[0], rows[1], rows[2:], method=method)
    # The smallest p-value of one of 24 dimensions, adjusted, is 24 (times 1 + 1/2 + … + 1/24) / pairs.
    assert found.pairs_needed == needed
    assert not found.could_find_one
    assert f"which takes {needed:,}: nothing can be said here" in found.sentence()
    with language("zh"):
        assert "什么也不能说" in found.sentence()


@pytest.mark.parametrize("method", ["bh", "by"])
def test_one_dimension_is_found_only_from_as_many_pairs_as_are_needed_on(method):
    rows = texts(np.random.default_rng(6), 50)
    rows[:2, 5] = 40.0
    found = against_chance(rows[0], rows[1], rows[2:], method=method)
    assert found.p_values[5] == pytest.approx(1 / found.n_pairs)
    assert found.n_pairs == 50 * 49 / 2
    # 1225 pairs are enough for Benjamini and Hochberg, not for Benjamini and Yekutieli.
    assert found.could_find_one == (5 in found.findings) == (method == "bh")


def test_the_sentence_warns_of_stories_where_nothing_was_found():
    rows = texts(np.random.default_rng(6), 40)
    found = against_chance(rows[0], rows[1], rows[2:])
    assert not len(found.findings)
    assert "no dimension contributes more" in found.sentence()
    with language("zh"):
        assert "不要给单独的维度编故事" in found.sentence()


def test_the_sentence_names_what_was_found():
    rows = texts(np.random.default_rng(7), 60)
    rows[0, 5] = rows[1, 5] = 20.0
    found = against_chance(rows[0], rows[1], rows[2:])
    assert found.findings.tolist() == [5]
    assert "1 dimension contributes more than in random pairs (#5; at most 5 %" in found.sentence()
    with language("zh"):
        assert "1 维高于随机（#5；" in found.sentence()


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"references": np.ones((1, 24))}, InputError, "only one reference vector"),
        ({"references": np.ones((5, 12))}, EncoderMismatchError, "Reference: 12, Vector of the pair: 24"),
        ({"references": np.zeros((5, 24))}, InputError, "Reference 0 is all zeros"),
        ({"second_references": np.full((5, 24), np.nan)}, InputError, "Second reference 0 .* not finite"),
        ({"first": np.zeros(24)}, InputError, "Vector 0 is all zeros"),
        ({"fdr": 1.0}, InputError, "fdr is 1.0"),
        ({"most_references": 1}, InputError, "most_references is 1"),
        ({"method": "holm"}, InputError, "'bh', 'by'"),
    ],
)
def test_what_cannot_be_compared_is_refused(changes, error, says):
    rng = np.random.default_rng(8)
    arguments = {"first": rng.random(24), "second": rng.random(24), "references": rng.random((9, 24))}
    with pytest.raises(error, match=says):
        against_chance(**{**arguments, **changes})
