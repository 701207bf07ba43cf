"""Today's cutoff: kept, moved, or not enough labels; and how often that is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from workbench.calibration import Observations, verdict
from workbench.errors import InputError
from workbench.i18n import language


def pairs(right_above, wrong_above, matches_below, others_below):
    """So many pairs above 0.4, and at or below it."""
    counts = [right_above, wrong_above, matches_below, others_below]
    return Observations(np.repeat([0.8, 0.8, 0.2, 0.2], counts), np.repeat([1, 0, 1, 0], counts))


class TestAnswers:
    def test_kept_where_every_target_is_shown_to_be_met(self):
        found = verdict(pairs(190, 5, 2, 300), target_precision=0.9, target_missed=0.06)
        assert found.answer == "kept"
        assert [test.answer for test in found.tests] == ["met", "met"]

    def test_moved_where_one_target_is_shown_to_be_failed(self):
        found = verdict(pairs(190, 5, 90, 300), target_precision=0.9, target_missed=0.06)
        assert found.answer == "moved"
        assert [test.answer for test in found.tests] == ["met", "failed"]

    @pytest.mark.parametrize(("right", "answer"), [(28, "not enough labels"), (29, "kept")])
    def test_29_pairs_without_an_error_are_just_enough_to_keep_at_95_percent(self, right, answer):
        assert 0.9**29 <= 0.05 < 0.9**28
        assert verdict(pairs(right, 0, 0, 5), target_precision=0.9).answer == answer

    @pytest.mark.parametrize(("wrong", "answer"), [(1, "not enough labels"), (2, "moved")])
    def test_two_wrong_ones_of_two_are_just_enough_to_move(self, wrong, answer):
        # 0.15 ** 2 is below the level of one of two targets, 0.025; 0.15 is not.
        found = verdict(pairs(0, wrong, 0, 5), target_precision=0.85, target_missed=0.06)
        assert found.answer == answer

    def test_with_two_targets_each_is_failed_at_half_the_level(self):
        # 0.2 ** 2 = 0.04 lies between the half and the whole.
        two = pairs(0, 2, 0, 5)
        assert verdict(two, target_precision=0.8).answer == "moved"
        assert verdict(two, target_precision=0.8, target_missed=0.06).answer == "not enough labels"

    def test_not_enough_labels_where_neither_is_shown(self):
        assert verdict(pairs(27, 3, 1, 40), target_precision=0.9).answer == "not enough labels"

    def test_a_target_met_by_the_look_of_it_is_not_enough(self):
        found = verdict(pairs(46, 4, 0, 50), target_precision=0.9)
        assert found.tests[0].estimate > 0.9
        assert found.answer == "not enough labels"

    def test_pairs_at_the_cutoff_lie_below_it(self):
        found = verdict(Observations([0.4] * 30, [1] * 30), 0.4, target_precision=0.9)
        assert found.tests[0].n == 0
        assert found.answer == "not enough labels"
        assert verdict(Observations([0.4] * 30, [1] * 30), 0.4, target_missed=0.1).tests[0].n == 30

    def test_without_targets_it_tests_what_is_claimed_for_0_4(self):
        found = verdict(pairs(500, 5, 1, 500))
        assert [test.target for test in found.tests] == [0.893, 0.06]


@given(st.integers(1, 200), st.integers(0, 60), st.sampled_from([0.8, 0.893, 0.95]))
def test_a_target_is_met_or_failed_by_the_exact_binomial_test(right, wrong, target):
    test = verdict(pairs(right, wrong, 0, 5), target_precision=target).tests[0]
    met = binomtest(right, right + wrong, target, alternative="greater").pvalue
    failed = binomtest(right, right + wrong, target, alternative="less").pvalue
    assert (test.p_met, test.p_failed) == pytest.approx((met, failed), rel=1e-6, abs=1e-12)
    assert test.answer == ("met" if met <= 0.05 else "failed" if failed <= 0.05 else "unclear")


@given(st.integers(1, 200), st.integers(0, 60))
def test_bounds_agree_with_the_answer(right, wrong):
    test = verdict(pairs(right, wrong, 0, 5), target_precision=0.85).tests[0]
    assert (test.answer == "met") == (test.low >= 0.85)
    assert (test.answer == "failed") == (test.high <= 0.85)


@given(st.integers(0, 60), st.integers(1, 200))
def test_bounds_of_the_missed_share_are_the_exact_one_sided_ones(missed, others):
    test = verdict(pairs(5, 0, missed, others), target_missed=0.1).tests[0]
    ends = beta.ppf(0.05, missed, others + 1) if missed else 0, beta.ppf(0.95, missed + 1, others)
    assert (test.low, test.high) == pytest.approx(ends)
    assert test.low <= test.estimate <= test.high
    assert (test.answer == "met") == (test.high <= 0.1)
    assert (test.answer == "failed") == (test.low >= 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "missed", "wrong_answer"), [(0.9, 0.01, "kept"), (0.9, 0.06, "moved")])
def test_the_wrong_answer_is_given_in_at_most_5_percent_of_cases(precision, missed, wrong_answer):
    """Precision just at the target: to keep is wrong if it is a hair below, to move if a hair above."""
    rng = np.random.default_rng(0)
    answers = []
    for _ in range(1000):
        right, matches = rng.binomial(150, precision), rng.binomial(200, missed)
        found = verdict(
            pairs(right, 150 - right, matches, 200 - matches), target_precision=0.9, target_missed=0.06
        )
        answers.append(found.answer)
    assert answers.count(wrong_answer) <= 65  # 50 expected at most; 65 is two standard errors above


class TestNumbersThatAreSaid:
    def test_22_pairs_without_an_error_would_do(self):
        test = verdict(pairs(10, 0, 0, 10), target_precision=0.9, confidence=0.9).tests[0]
        assert test.pairs_without_error == 22
        found = verdict(pairs(10, 0, 0, 10), target_precision=0.9, confidence=0.9)
        assert "22 independent pairs" in found.sentence()
        with language("zh"):
            assert "22 对独立样本" in found.sentence()

    def test_about_so_many_more_labels_settle_it(self):
        few = pairs(57, 3, 0, 90)
        test = verdict(few, target_precision=0.9).tests[0]
        assert test.answer == "unclear"
        times = 1 + test.more_pairs / 150
        rng = np.random.default_rng(0)
        n = int(60 * times)
        settled = [
            verdict(pairs(right := rng.binomial(n, 0.95), n - right, 0, 90), target_precision=0.9).answer
            for _ in range(200)
        ]
        assert settled.count("kept") >= 130

    def test_a_figure_at_the_target_cannot_be_told_from_it(self):
        test = verdict(pairs(90, 10, 0, 10), target_precision=0.9).tests[0]
        assert test.more_pairs is None
        assert "far more would be needed" in verdict(pairs(90, 10, 0, 10), target_precision=0.9).sentence()

    @pytest.mark.parametrize(
        ("made", "en", "zh"),
        [
            (
                pairs(190, 5, 2, 300),
                "0.4000 holds: of the 195 pairs above it, 190 are labelled a match (97.4 %)",
                "0.4000 成立",
            ),
            (pairs(100, 60, 2, 300), "0.4000 does not hold", "0.4000 不成立"),
            (pairs(27, 3, 2, 30), "There are not enough labels", "标注还不够"),
            (pairs(0, 0, 2, 30), "no labelled pair lies above it", "没有一对标注高于它"),
        ],
    )
    def test_sentences_carry_the_numbers(self, made, en, zh):
        found = verdict(made, target_precision=0.893, target_missed=0.06)
        assert en in found.sentence()
        with language("zh"):
            assert zh in found.sentence()
        assert "0.4000" in found.sentence()
        assert repr(found) == f"Verdict: {found.sentence()}"


class TestUnfairSamples:
    def test_shared_jds_make_it_more_careful(self):
        rng = np.random.default_rng(0)
        jds = np.repeat(np.arange(25), 10)
        labels = rng.random(250) < np.repeat(rng.beta(9, 1, 25), 10)
        together = verdict(Observations(np.full(250, 0.8), labels, clusters=jds), target_precision=0.8)
        alone = verdict(Observations(np.full(250, 0.8), labels), target_precision=0.8)
        assert together.method == "effective"
        assert together.tests[0].size < 250 == alone.tests[0].size
        assert together.tests[0].low < alone.tests[0].low

    def test_at_a_lower_live_prevalence_the_same_pairs_say_less(self):
        made = pairs(190, 5, 5, 300)
        here, live = (verdict(made, target_precision=0.9, prevalence=p).tests[0] for p in (None, 0.05))
        assert here.answer == "met"
        assert live.answer == "failed"
        odds = 190 / 5 * (0.05 / 0.95) / (195 / 305)
        assert live.estimate == pytest.approx(odds / (1 + odds))
        assert "once reweighted" in verdict(made, target_precision=0.9, prevalence=0.05).sentence()

    def test_weights_count(self):
        made = pairs(90, 10, 1, 99)
        heavy_errors = made.with_weights(np.where(made.labels == 1, 1.0, 5.0))
        assert verdict(heavy_errors, target_precision=0.8).tests[0].estimate == pytest.approx(90 / 140)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cutoff": float("nan")},
        {"target_precision": 90},
        {"target_missed": 0},
        {"confidence": 95},
        {"dependence": "one_per_cluster"},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        verdict(pairs(9, 1, 1, 9), **wrong)


def test_the_dictionary_is_plain():
    card = verdict(pairs(0, 0, 2, 30)).to_dict()
    assert card["tests"][0]["estimate"] is None
    assert card["answer"] == "not enough labels"
