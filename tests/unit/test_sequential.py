"""Bets that may be looked at after every JD: their odds by definition, their error rates by simulation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom

from workbench.calibration import Observations
from workbench.calibration.arrivals import arrival_times
from workbench.calibration.evidence import Promise
from workbench.calibration.sequential import (
    confidence_sequence,
    log_evidence,
    sequential_test,
)
from workbench.errors import InputError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PRECISION = partial(Promise, "precision", source="given")
MISSED = partial(Promise, "false_omission_rate", source="given")
ALL_BETS = (np.arange(100) + 0.5) / 100


def wealth(hits, others, share):
    """Of the gambler after so many hits and others: a bet pays (1 - b) + b / share on a hit, else 1 - b."""
    hits, others = np.asarray(hits)[..., None], np.asarray(others)[..., None]
    return np.mean((1 - ALL_BETS + ALL_BETS / share) ** hits * (1 - ALL_BETS) ** others, axis=-1)


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


def bets_on(labels, promise, score=0.9, times=None, **options):
    pairs = Observations([score] * len(labels), labels, clusters=options.pop("clusters", None))
    when = pd.Series(np.arange(len(labels)) if times is None else times)
    return sequential_test(pairs, 0.5, promise, times=when, **options)


class TestBets:
    @given(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=60), st.floats(0.05, 0.95))
    def test_wealth_is_what_the_bets_pay(self, values, share):
        hits = int(sum(values))
        expected = np.log(wealth(hits, len(values) - hits, share))
        assert log_evidence(values, share)[-1] == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("share", [0.1, 0.7])
    def test_every_bet_is_fair_at_the_share_that_is_bet_against(self, share):
        after = share * np.exp(log_evidence([1], share)) + (1 - share) * np.exp(log_evidence([0], share))
        assert after[0] == pytest.approx(1)

    @pytest.mark.parametrize("size", [1, 7, 50])
    def test_a_jd_counts_by_its_pairs_and_is_fair_whatever_its_size(self, size):
        """All numbers of hits in a JD of so many pairs, with their probabilities at just that share."""
        hits = np.arange(size + 1)
        paid = [np.exp(log_evidence([k], 0.2, [size], 50))[0] for k in hits]
        assert binom.pmf(hits, size, 0.2) @ paid == pytest.approx(1)

    def test_bets_on_a_jd_are_on_the_promised_total(self):
        """By the mean of a variable from 0 to 1 (Waudby-Smith & Ramdas), written down anew."""
        hits, pairs, share, most = np.array([3, 0, 7.5]), np.array([10, 1, 20]), 0.1, 20
        x = 1 - share - (hits - share * pairs) / most
        assert ((x >= 0) & (x <= 1)).all()
        expected = np.mean([np.prod(1 + b * (1 - share - x) / share) for b in ALL_BETS])
        assert np.exp(log_evidence(hits, share, pairs, most))[-1] == pytest.approx(expected)

    def test_a_hundred_bets_are_a_bet_on_every_size(self):
        def paid(b):
            return (1 - b + b / 0.1) ** 10 * (1 - b) ** 40

        assert wealth(10, 40, 0.1) == pytest.approx(quad(paid, 0, 1)[0], rel=1e-3)

    def test_more_jds_than_fit_into_one_table_are_counted_on(self, monkeypatch):
        values = np.random.default_rng(0).integers(0, 2, 100)
        whole = log_evidence(values, 0.7)
        monkeypatch.setattr("workbench.calibration.sequential.CHUNK", 7)
        np.testing.assert_allclose(log_evidence(values, 0.7), whole)

    @pytest.mark.parametrize(
        "asked", [([0.5, 1.5], 0.5), ([1, 0], 1.0), ([[1, 0]], 0.5), ([1], 0.5, [3], 2), ([2], 0.5, [1], 2)]
    )
    def test_what_cannot_be_bet_on_is_refused(self, asked):
        with pytest.raises(InputError):
            log_evidence(*asked)


class TestErrorRates:
    """Of the whole course, however often one looks; exact, by the counts that can be reached."""

    @pytest.mark.parametrize("true", [0.893, 0.95])
    def test_a_promise_that_is_kept_is_called_failed_in_at_most_5_percent(self, true):
        rate = chance_of_reaching(20, 300, true, lambda right, wrong: wealth(wrong, right, 1 - 0.893))
        assert rate <= 0.05

    @pytest.mark.parametrize("true", [0.893, 0.8])
    def test_a_promise_that_is_broken_is_called_met_in_at_most_5_percent(self, true):
        rate = chance_of_reaching(20, 300, true, lambda right, wrong: wealth(right, wrong, 0.893))
        assert rate <= 0.05

    @pytest.mark.parametrize(("true", "within"), [(0.7, 100), (0.8, 300)])
    def test_a_real_fall_is_noticed(self, true, within):
        rate = chance_of_reaching(20, within, true, lambda right, wrong: wealth(wrong, right, 1 - 0.893))
        assert rate >= 0.9

    def test_a_fixed_test_looked_at_after_each_pair_would_not_keep_its_promise(self):
        rate = chance_of_reaching(0.95, 300, 0.893, lambda k, miss: 1 - binom.cdf(k, k + miss, 0.893))
        assert rate > 0.15


class TestJDsOfAllSizes:
    """JDs of 1 to 50 pairs, whose quality goes with their size; see benchmarks/simulating."""

    @pytest.fixture
    def simulation(self, monkeypatch):
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        return pytest.importorskip("simulating.sequential_check")

    def test_neither_answer_is_given_wrongly_more_often_than_allowed(self, simulation):
        rates = simulation.false_rates(80, seed=1, n_jds=40)
        most = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)
        for (relation, order, answer), (last, any_look) in rates.items():
            if order in (simulation.ONE_PAIR, simulation.ONCE):
                continue
            assert last <= most, (relation, order, answer)
            if "JDs first" not in order:
                assert any_look <= most, (relation, order, answer)

    def test_one_pair_of_each_jd_would_confirm_what_is_broken(self, simulation):
        """That the simulation sees what was wrong before."""
        rates = simulation.false_rates(25, seed=1, n_jds=150)
        assert rates["small JDs are better", simulation.ONE_PAIR, "met"][1] > 0.1

    def test_a_jd_may_grow(self, simulation):
        assert max(simulation.growing_rates(40, seed=1, n_jds=40).values()) <= 0.15

    def test_a_fall_of_ten_points_is_found(self, simulation):
        assert simulation.power(30, seed=1, numbers=(100,))[-0.10, 100][0] >= 0.9


class TestConfidenceSequence:
    @pytest.mark.parametrize(("right", "wrong"), [(45, 5), (5, 45), (20, 20), (1, 0)])
    def test_it_ends_where_bets_have_refuted_the_share(self, right, wrong):
        low, high = confidence_sequence([1] * right + [0] * wrong)
        if high < 1:
            assert wealth(wrong, right, 1 - high) == pytest.approx(40, rel=1e-4)
        if low > 0:
            assert wealth(right, wrong, low) == pytest.approx(40, rel=1e-4)
        assert low <= right / (right + wrong) <= high

    def test_before_the_first_pair_it_is_everything(self):
        assert confidence_sequence([]) == (0.0, 1.0)

    def test_without_an_error_it_reaches_1(self):
        assert confidence_sequence([1] * 30)[1] == 1.0

    def test_it_holds_the_share_at_all_times_at_once(self):
        values = np.random.default_rng(0).random((200, 150)) < 0.9
        limit = np.log(40)
        left = [max(log_evidence(1 - row, 0.1).max(), log_evidence(row, 0.9).max()) > limit for row in values]
        assert np.mean(left) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)

    def test_it_is_of_the_share_of_all_pairs(self):
        rng = np.random.default_rng(0)
        pairs = rng.integers(1, 51, 800)
        right = rng.binomial(pairs, np.where(pairs > 25, 0.7, 0.95))
        low, high = confidence_sequence(right, 0.95, pairs, 50)
        assert low < 0.7 * 0.745 + 0.95 * 0.255 < high
        assert high < np.mean(right / pairs)


class TestAPromise:
    def test_only_pairs_above_the_cutoff_tell_of_precision(self):
        pairs = Observations([0.9, 0.4, 0.5, 0.8], [1, 1, 1, 0])
        found = sequential_test(pairs, 0.5, PRECISION(value=0.9), times=pd.Series(range(4)))
        assert (found.n, found.errors, found.estimate) == (2, 1, 0.5)

    def test_a_pair_on_the_cutoff_lies_below_and_tells_of_the_missed(self):
        pairs = Observations([0.9, 0.4, 0.5, 0.8], [1, 1, 0, 0])
        found = sequential_test(pairs, 0.5, MISSED(value=0.1), times=pd.Series(range(4)))
        assert (found.n, found.errors, found.estimate) == (2, 1, 0.5)

    @pytest.mark.parametrize("promise", [PRECISION(value=0.9), MISSED(value=0.1)])
    def test_it_falls_when_evidence_reaches_1_over_delta(self, promise):
        right = [1, 1, 0] * 20
        above = promise.figure == "precision"
        labels = right if above else [1 - one for one in right]
        found = bets_on(labels, promise, score=0.9 if above else 0.1)
        counts = [(sum(right[:n]), n - sum(right[:n])) for n in range(1, 61)]
        evidence = [wealth(wrong, well, 0.1) for well, wrong in counts]
        assert found.answer == "failed"
        assert found.reached == f"{np.argmax(np.array(evidence) >= 20)}"
        np.testing.assert_allclose(found.path["e_failed"], evidence)

    def test_evidence_that_later_pairs_took_back_is_no_answer_and_is_told(self):
        found = bets_on([1, 0] * 10 + [1] * 500, PRECISION(value=0.8))
        assert found.answer != "failed"
        taken_back = bets_on([1, 0] * 10 + [1] * 25, PRECISION(value=0.8))
        assert taken_back.answer == "unclear"
        assert int(taken_back.fell_again) < 20
        assert "before later pairs took it back" in taken_back.phrase(0.95)

    @pytest.mark.parametrize("confidence", [0.8, 0.95])
    def test_it_is_met_when_evidence_for_it_reaches_1_over_delta(self, confidence):
        # However soon it may be called failed, it is called met at the confidence that was asked for.
        for failed_level in (None, 0.01):
            found = bets_on([1] * 100, PRECISION(value=0.9), confidence=confidence, failed_level=failed_level)
            assert found.answer == "met"
            assert found.low > 0.9 or confidence == 0.8
            assert found.e_met_needed == pytest.approx(1 / (1 - confidence))
            reached = np.argmax(found.path["e_met"] >= 1 / (1 - confidence) - 1e-9)
            assert found.reached == f"{reached}"

    def test_few_pairs_leave_it_open(self):
        found = bets_on([1] * 5, PRECISION(value=0.9))
        assert (found.answer, found.reached) == ("unclear", None)

    def test_no_pairs_on_that_side_leave_it_open(self):
        found = bets_on([0] * 5, PRECISION(value=0.9), score=0.1)
        assert (found.answer, found.n, found.low, found.high) == ("unclear", 0, 0.0, 1.0)

    def test_all_pairs_of_a_jd_count_when_its_last_one_has_come(self):
        found = bets_on(
            [0, 1, 1, 0],
            PRECISION(value=0.9),
            clusters=["a", "a", "b", "a"],
            times=[1, 2, 3, 4],
            most_per_jd=3,
        )
        assert (found.n, found.errors, found.n_units) == (4, 2, 2)
        assert found.path["time"].tolist() == [3, 4]
        assert found.path["n"].tolist() == [1, 4]

    def test_a_large_jd_counts_as_so_many_pairs_with_its_own_share(self):
        jds = ["large"] * 40 + [f"jd {n}" for n in range(360)]
        found = bets_on([0] * 10 + [1] * 390, PRECISION(value=0.9), clusters=jds, most_per_jd=20)
        expected = log_evidence([5] + [0] * 360, 0.1, [20] + [1] * 360, 20)[-1]
        assert np.log(found.e_failed) == pytest.approx(expected)
        assert found.n_aside == 20

    def test_where_large_jds_have_too_much_beyond_nothing_is_concluded(self):
        jds = np.repeat(np.arange(50), 10)
        found = bets_on([0] * 500, PRECISION(value=0.9), clusters=jds, most_per_jd=5)
        assert (found.answer, found.n_aside) == ("unclear", 250)
        assert found.e_failed > 20
        assert "too many to stand for what is promised" in found.phrase(0.95)

    def test_shared_jds_need_a_bound_that_is_not_looked_up_in_them(self):
        with pytest.raises(InputError, match="for how many pairs"):
            bets_on([1, 0, 1], PRECISION(value=0.9), clusters=["a", "a", "b"])

    def test_unequal_weights_are_refused_and_equal_ones_are_none(self):
        labels, days = [1, 0] * 20, pd.Series(range(40))
        equal = Observations([0.9] * 40, labels, [2.0] * 40)
        assert sequential_test(equal, 0.5, PRECISION(value=0.9), times=days).n == 40
        with pytest.raises(InputError, match="fair stream"):
            sequential_test(
                Observations([0.9] * 40, labels, [1.0, 2.0] * 20), 0.5, PRECISION(value=0.9), times=days
            )

    def test_calling_it_failed_may_be_made_harder_where_two_promises_are_tested(self):
        soon, later = (
            bets_on([1, 1, 0] * 20, PRECISION(value=0.9), failed_level=level) for level in (None, 0.025)
        )
        assert later.e_failed_needed == pytest.approx(40)
        assert int(soon.reached) < int(later.reached)


PAIR = st.tuples(st.sampled_from([0.2, 0.6, 0.9]), st.integers(0, 1), st.integers(0, 4), st.integers(0, 3))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(PAIR, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    frame = pd.DataFrame(rows, columns=["score", "label", "jd", "day"])
    order = list(range(len(rows)))
    random.shuffle(order)
    found = []
    for each in (frame, frame.iloc[order]):
        pairs = Observations(each["score"], each["label"], clusters=each["jd"])
        test = sequential_test(pairs, 0.5, PRECISION(value=0.8), times=each["day"], most_per_jd=4)
        found.append((test.to_dict(), test.path.to_dict("list")))
    assert found[0] == found[1]


class TestTimes:
    def test_dates_texts_and_numbers_are_read(self):
        days = ["2026-03-31", "2026-03-31 14:05", "2026-03-31T14:05:00+08:00"]
        times = arrival_times(pd.DataFrame({"day": days}), "day")
        assert times.tolist() == [
            pd.Timestamp(2026, 3, 31),
            pd.Timestamp(2026, 3, 31, 14, 5),
            pd.Timestamp(2026, 3, 31, 6, 5),
        ]
        assert arrival_times(pd.DataFrame({"day": ["9", "10.5"]}), "day").tolist() == [9, 10.5]
        assert (
            arrival_times(pd.DataFrame({"day": pd.to_datetime(days[:1])}), "day").tolist()
            == times[:1].tolist()
        )

    @pytest.mark.parametrize(
        ("days", "said"),
        [
            (["2026-03-31", "soon"], "row 2 .* column 'day', is 'soon'"),
            (["03/04/2026"], "row 1 .* '03/04/2026'"),
            (["2026-03-31", None, None], r"row 2 .* is missing \(2 such rows\)"),
            ([1.0, float("inf")], "row 2"),
            ([True, False], "row 1"),
            (["2026-03-31", "7"], "row 2"),
        ],
    )
    def test_what_cannot_be_read_in_one_way_is_refused_with_its_row(self, days, said):
        with pytest.raises(InputError, match=said):
            arrival_times(pd.DataFrame({"day": days}), "day")
