"""Bets that may be looked at after every pair: their odds by definition, their error rates exactly."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom

from workbench.calibration import Observations
from workbench.calibration.evidence import Promise
from workbench.calibration.sequential import (
    confidence_sequence,
    log_evidence,
    sequential_test,
)
from workbench.errors import InputError

PRECISION = partial(Promise, "precision", source="given")
MISSED = partial(Promise, "false_omission_rate", source="given")
ALL_BETS = (np.arange(100) + 0.5) / 100


def wealth(right, wrong, mean):
    """Of the gambler after so many right and wrong ones: a bet of size b pays b or (1 - b m) / (1 - m)."""
    right, wrong = np.asarray(right)[..., None], np.asarray(wrong)[..., None]
    return np.mean(ALL_BETS**right * ((1 - ALL_BETS * mean) / (1 - mean)) ** wrong, axis=-1)


def chance_of_reaching(level, n, true, evidence):
    """That evidence ever reaches a level within n pairs, each right with this probability; exact."""
    reached = 0.0
    alive = np.array([1.0])  # probability of k right ones so far, and of not having reached it
    for total in range(1, n + 1):
        moved = np.zeros(total + 1)
        moved[1:] += alive * true
        moved[:-1] += alive * (1 - true)
        right = np.arange(total + 1)
        over = evidence(right, total - right) >= level
        reached += moved[over].sum()
        alive = np.where(over, 0.0, moved)
    return reached


class TestBets:
    @given(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=60), st.floats(0.05, 0.95))
    def test_wealth_is_what_the_bets_pay(self, values, mean):
        right = int(sum(values))
        expected = np.log(wealth(right, len(values) - right, mean))
        assert log_evidence(values, mean)[-1] == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("mean", [0.3, 0.893])
    def test_every_bet_is_fair_at_the_mean_that_is_bet_against(self, mean):
        after = mean * np.exp(log_evidence([1], mean)) + (1 - mean) * np.exp(log_evidence([0], mean))
        assert after[0] == pytest.approx(1)

    def test_a_hundred_bets_are_a_bet_on_every_size(self):
        def paid(b):
            return b**40 * ((1 - b * 0.9) / 0.1) ** 10

        assert wealth(40, 10, 0.9) == pytest.approx(quad(paid, 0, 1)[0], rel=1e-3)

    def test_more_pairs_than_fit_into_one_table_are_counted_on(self, monkeypatch):
        values = np.random.default_rng(0).integers(0, 2, 100)
        whole = log_evidence(values, 0.7)
        monkeypatch.setattr("workbench.calibration.sequential.CHUNK", 7)
        np.testing.assert_allclose(log_evidence(values, 0.7), whole)

    @pytest.mark.parametrize(("values", "mean"), [([0.5, 1.5], 0.5), ([1, 0], 1.0), ([[1, 0]], 0.5)])
    def test_what_cannot_be_bet_on_is_refused(self, values, mean):
        with pytest.raises(InputError):
            log_evidence(values, mean)


class TestErrorRates:
    """Of the whole course, however often one looks; exact, by the counts that can be reached."""

    @pytest.mark.parametrize("true", [0.893, 0.95])
    def test_a_promise_that_is_kept_is_called_failed_in_at_most_5_percent(self, true):
        rate = chance_of_reaching(20, 300, true, lambda k, miss: wealth(k, miss, 0.893))
        assert rate <= 0.05

    @pytest.mark.parametrize("true", [0.893, 0.8])
    def test_a_promise_that_is_broken_is_called_met_in_at_most_5_percent(self, true):
        rate = chance_of_reaching(20, 300, true, lambda k, miss: wealth(miss, k, 1 - 0.893))
        assert rate <= 0.05

    @pytest.mark.parametrize(("true", "within"), [(0.7, 100), (0.8, 300)])
    def test_a_real_fall_is_noticed(self, true, within):
        rate = chance_of_reaching(20, within, true, lambda k, miss: wealth(k, miss, 0.893))
        assert rate >= 0.9

    def test_a_fixed_test_looked_at_after_each_pair_would_not_keep_its_promise(self):
        rate = chance_of_reaching(0.95, 300, 0.893, lambda k, miss: 1 - binom.cdf(k, k + miss, 0.893))
        assert rate > 0.15


class TestConfidenceSequence:
    @pytest.mark.parametrize(("right", "wrong"), [(45, 5), (5, 45), (20, 20), (1, 0)])
    def test_it_ends_where_bets_have_refuted_the_mean(self, right, wrong):
        low, high = confidence_sequence([1] * right + [0] * wrong)
        if high < 1:
            assert wealth(right, wrong, high) == pytest.approx(40, rel=1e-4)
        if low > 0:
            assert wealth(wrong, right, 1 - low) == pytest.approx(40, rel=1e-4)
        assert low <= right / (right + wrong) <= high

    def test_before_the_first_pair_it_is_everything(self):
        assert confidence_sequence([]) == (0.0, 1.0)

    def test_without_an_error_it_reaches_1(self):
        assert confidence_sequence([1] * 30)[1] == 1.0

    def test_it_holds_the_mean_at_all_times_at_once(self):
        values = np.random.default_rng(0).random((200, 150)) < 0.9
        limit = np.log(40)
        left = [max(log_evidence(row, 0.9).max(), log_evidence(1 - row, 0.1).max()) > limit for row in values]
        assert np.mean(left) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


class TestAPromise:
    def test_only_pairs_above_the_cutoff_tell_of_precision(self):
        pairs = Observations([0.9, 0.4, 0.5, 0.8], [1, 1, 1, 0])
        found = sequential_test(pairs, 0.5, PRECISION(value=0.9))
        assert (found.n, found.errors, found.estimate) == (2, 1, 0.5)

    def test_a_pair_on_the_cutoff_lies_below_and_tells_of_the_missed(self):
        pairs = Observations([0.9, 0.4, 0.5, 0.8], [1, 1, 0, 0])
        found = sequential_test(pairs, 0.5, MISSED(value=0.1))
        assert (found.n, found.errors, found.estimate) == (2, 1, 0.5)

    @pytest.mark.parametrize("promise", [PRECISION(value=0.9), MISSED(value=0.1)])
    def test_it_falls_when_evidence_first_reaches_1_over_delta(self, promise):
        right = [1, 1, 0] * 20
        above = promise.figure == "precision"
        labels = right if above else [1 - one for one in right]
        found = sequential_test(Observations([0.9 if above else 0.1] * 60, labels), 0.5, promise)
        at = found.decided_at
        counts = [(sum(right[:n]), n - sum(right[:n])) for n in range(1, 61)]
        evidence = [wealth(*each, 0.9) for each in counts]
        assert found.answer == "failed"
        assert at == 1 + np.argmax(np.array(evidence) >= 20)
        np.testing.assert_allclose(found.path["e_failed"], evidence)

    def test_once_failed_it_stays_failed(self):
        labels = [1, 0] * 10 + [1] * 500
        found = sequential_test(Observations([0.9] * len(labels), labels), 0.5, PRECISION(value=0.8))
        assert found.answer == "failed"
        assert found.decided_at <= 20
        assert found.estimate > 0.9

    def test_enough_right_ones_show_that_it_is_met(self):
        found = sequential_test(Observations([0.9] * 100, [1] * 100), 0.5, PRECISION(value=0.9))
        assert found.answer == "met"
        assert found.low > 0.9

    @pytest.mark.parametrize("confidence", [0.8, 0.95])
    def test_it_is_met_when_evidence_for_it_first_reaches_1_over_delta(self, confidence):
        pairs = Observations([0.9] * 100, [1] * 100)
        # However soon it may be called failed, it is called met at the confidence that was asked for.
        for failed_level in (None, 0.01):
            found = sequential_test(
                pairs, 0.5, PRECISION(value=0.9), confidence=confidence, failed_level=failed_level
            )
            assert found.e_met_needed == pytest.approx(1 / (1 - confidence))
            assert found.decided_at == 1 + np.argmax(found.path["e_met"] >= 1 / (1 - confidence) - 1e-9)

    def test_few_pairs_leave_it_open(self):
        found = sequential_test(Observations([0.9] * 5, [1] * 5), 0.5, PRECISION(value=0.9))
        assert (found.answer, found.decided_at) == ("unclear", None)

    def test_no_pairs_on_that_side_leave_it_open(self):
        found = sequential_test(Observations([0.1] * 5, [0] * 5), 0.5, PRECISION(value=0.9))
        assert (found.answer, found.n, found.low, found.high) == ("unclear", 0, 0.0, 1.0)

    def test_only_the_first_pair_of_a_jd_on_that_side_is_bet_on(self):
        pairs = Observations([0.1, 0.9, 0.9, 0.9], [0, 0, 1, 1], clusters=["a", "a", "a", "b"])
        found = sequential_test(pairs, 0.5, PRECISION(value=0.9))
        assert (found.n, found.errors, found.n_unused) == (2, 1, 1)

    def test_unequal_weights_are_refused_and_equal_ones_are_none(self):
        labels = [1, 0] * 20
        equal = sequential_test(Observations([0.9] * 40, labels, [2.0] * 40), 0.5, PRECISION(value=0.9))
        assert equal.n == 40
        with pytest.raises(InputError, match="fair stream"):
            sequential_test(Observations([0.9] * 40, labels, [1.0, 2.0] * 20), 0.5, PRECISION(value=0.9))


def test_calling_it_failed_may_be_made_harder_where_two_promises_are_tested():
    pairs = Observations([0.9] * 60, [1, 1, 0] * 20)
    soon, later = (
        sequential_test(pairs, 0.5, PRECISION(value=0.9), failed_level=level) for level in (None, 0.025)
    )
    assert later.e_failed_needed == pytest.approx(40)
    assert soon.decided_at < later.decided_at
