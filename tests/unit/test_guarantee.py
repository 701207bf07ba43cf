"""Guaranteed cutoffs: agreement with MAPIE, by definition, and words. Coverage is simulated elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapie.risk_control import BinaryClassificationController, BinaryRisk
from mapie.risk_control.fwer_control import FWERFixedSequenceTesting, control_fwer
from scipy.stats import beta, binom, binomtest

from workbench.calibration import Observations, guarantee_missed, guarantee_precision, pairs_needed
from workbench.calibration.exact_tests import begun, rejected, start_sizes
from workbench.errors import InputError
from workbench.i18n import language


def simulated(n=400, seed=0, n_jds=None, a=(6, 4), b=(3, 6)):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    scores = np.where(labels, rng.beta(*a, n), rng.beta(*b, n))
    return Observations(scores, labels, clusters=None if n_jds is None else rng.integers(0, n_jds, n))


@pytest.mark.filterwarnings("ignore:Fixed sequence testing", "ignore:No predict parameters")
class TestAgainstMapie:
    """The same grid, risk, level and fixed sequence.

    MAPIE recovers the number of errors as ceil(n * risk), which rounding makes one too many now and then;
    its p-value then lies between the exact one and that of one error more, on the careful side.
    """

    WRONG_ABOVE = BinaryRisk(lambda y, p: p != y, lambda y, p: p.ravel() == 1, higher_is_better=False)
    MATCH_BELOW = BinaryRisk(lambda y, p: y == 1, lambda y, p: p.ravel() == 0, higher_is_better=False)

    @pytest.mark.parametrize("seed", range(12))
    @pytest.mark.parametrize(
        ("risk", "level", "grid", "ours"),
        [
            ("precision", 0.85, np.arange(0.8, 0.1, -0.013), guarantee_precision),
            (WRONG_ABOVE, 0.15, np.arange(0.8, 0.1, -0.013), guarantee_precision),
            ("negative_predictive_value", 0.9, np.arange(0.2, 0.7, 0.013), guarantee_missed),
            (MATCH_BELOW, 0.1, np.arange(0.2, 0.7, 0.013), guarantee_missed),
        ],
        ids=["precision", "wrong above", "npv", "matches below"],
    )
    def test_p_values_and_valid_cutoffs(self, risk, level, grid, ours, seed):
        pairs = simulated(seed=seed)
        controller = BinaryClassificationController(
            lambda features: np.c_[1 - features[:, 0], features[:, 0]],
            risk=risk,
            target_level=level,
            confidence_level=0.9,
            list_predict_params=grid,
            fwer_method="fixed_sequence",
            best_predict_param_choice="recall",
        )
        controller.calibrate(pairs.scores[:, None], pairs.labels)
        target = 0.85 if ours is guarantee_precision else 0.1
        found = ours(pairs, target, confidence=0.9, cutoffs=grid, start=0)
        theirs = np.ravel(controller.p_values)[: len(found.tests)]
        wrong = (found.tests["n"] - found.tests["right"]).to_numpy()
        share_wrong = 0.15 if ours is guarantee_precision else 0.1
        one_more = binom.cdf(wrong + 1, found.tests["n"], share_wrong)
        exact = np.isclose(theirs, found.tests["p_value"])
        assert (theirs >= found.tests["p_value"] - 1e-9).all()
        assert (exact | (theirs <= one_more + 1e-9)).all()
        passed = found.tests["cutoff"][found.tests["passed"]].to_numpy()
        if exact.all():
            np.testing.assert_allclose(passed, controller.valid_predict_params)
        else:
            assert set(controller.valid_predict_params.round(9)) <= set(passed.round(9))

    @given(st.lists(st.floats(0, 0.12), min_size=1, max_size=30), st.integers(1, 2))
    def test_the_fixed_sequence_refutes_what_its_procedure_does(self, p_values, n_starts):
        p = np.array(p_values)
        if n_starts > len(p):
            return
        second = len(p) // n_starts if n_starts == 2 else 0
        starts = [np.arange(len(p)) >= at for at in sorted({0, second})]
        ours = rejected(p, tuple(starts), 0.1)
        theirs = control_fwer(p, 0.1, FWERFixedSequenceTesting(n_starts=n_starts))
        # With two starts ours carries the level over, and so refutes no less.
        assert set(theirs) <= set(np.flatnonzero(ours))
        if n_starts == 1:
            assert set(theirs) == set(np.flatnonzero(ours))


class TestByDefinition:
    def test_the_cutoff_is_the_last_before_the_first_that_fails(self):
        pairs = simulated()
        found = guarantee_precision(pairs, 0.85)
        passed = found.tests["passed"].to_numpy()
        assert passed[:-1].all()
        assert not passed[-1]
        assert found.cutoff == found.tests["cutoff"].iloc[-2]

    def test_each_cutoff_is_tested_by_the_exact_binomial_test_on_the_pairs_above(self):
        pairs = simulated()
        tests = guarantee_precision(pairs, 0.85).tests
        for row in tests.iloc[::20].itertuples():
            labels = pairs.labels[pairs.scores > row.cutoff]
            expected = binomtest(int(labels.sum()), len(labels), 0.85, alternative="greater").pvalue
            assert row.p_value == pytest.approx(expected)

    def test_below_the_cutoff_a_match_is_an_error(self):
        pairs = simulated()
        found = guarantee_missed(pairs, 0.1)
        labels = pairs.labels[pairs.scores <= found.cutoff]
        assert (found.n, found.errors) == (len(labels), labels.sum())
        assert binomtest(found.errors, found.n, 0.1, alternative="less").pvalue <= 0.05

    def test_missed_is_precision_upside_down(self):
        pairs = simulated()
        mirrored = Observations(-pairs.scores, 1 - pairs.labels)
        one, other = guarantee_missed(pairs, 0.1), guarantee_precision(mirrored, 0.9)
        assert one.cutoff == -other.cutoff
        assert one.bound == pytest.approx(1 - other.bound)

    def test_the_bound_by_itself_meets_the_target_too(self):
        for seed in range(20):
            found = guarantee_precision(simulated(seed=seed), 0.8)
            assert not found.found or found.bound >= 0.8

    def test_22_pairs_without_an_error_are_just_enough_for_90_percent_at_90_percent(self):
        def pairs(n):
            return Observations([0.9] * n + [0.1] * 40, [1] * n + [0] * 40)

        assert guarantee_precision(pairs(22), 0.9, confidence=0.9).cutoff == pytest.approx(0.5)
        assert not guarantee_precision(pairs(21), 0.9, confidence=0.9).found

    def test_a_p_value_at_the_level_itself_refutes(self):
        # Two right ones of two: 0.5 ** 2 is the level.
        pairs = Observations([0.9, 0.9, 0.1, 0.1], [1, 1, 0, 0])
        found = guarantee_precision(pairs, 0.5, confidence=0.75, cutoffs=[0.5], start=0)
        assert found.tests["p_value"].item() == 0.25
        assert found.found

    @pytest.mark.parametrize("confidence", [0.8, 0.95])
    def test_the_bound_is_the_exact_one_sided_one_at_the_confidence(self, confidence):
        found = guarantee_precision(simulated(), 0.8, confidence=confidence)
        right, wrong = found.n - found.errors, found.errors
        assert found.bound == pytest.approx(beta.ppf(1 - confidence, right, wrong + 1))
        missed = guarantee_missed(simulated(), 0.1, confidence=confidence)
        assert missed.bound == pytest.approx(
            beta.ppf(confidence, missed.errors + 1, missed.n - missed.errors)
        )

    def test_where_all_pairs_meet_the_target_all_may_be_accepted(self):
        pairs = Observations(np.linspace(0, 1, 200), np.ones(200))
        assert guarantee_precision(pairs, 0.9).cutoff < 0


class TestWhereTestingStarts:
    def test_with_few_pairs_it_starts_where_no_error_is_forgiven(self):
        assert start_sizes(0.9, 0.1, 100) == (22.0,)

    def test_with_more_it_forgives_what_a_tenth_of_all_pairs_can(self):
        (size,) = start_sizes(0.9, 0.1, 500)
        assert size == pairs_needed(0.9, 0.9, errors=1) <= 50 < pairs_needed(0.9, 0.9, errors=2)

    def test_with_many_there_is_a_second_start(self):
        assert start_sizes(0.9, 0.1, 5000) == (pairs_needed(0.9, 0.95, errors=4), 500.0)

    def test_labels_have_no_say(self):
        scores = np.linspace(0, 1, 300)
        starts = {
            guarantee_precision(
                Observations(scores, np.random.default_rng(seed).permutation([0, 1] * 150)), 0.8
            )
            .tests["n"]
            .iloc[0]
            for seed in range(5)
        }
        assert len(starts) == 1

    @given(
        st.integers(0, 10_000),
        st.sampled_from([guarantee_precision, guarantee_missed]),
        st.sampled_from(["effective", "one_per_cluster"]),
        st.booleans(),
    )
    @settings(max_examples=40, deadline=None)
    def test_labels_have_no_say_where_pairs_share_jds_or_have_weights(
        self, seed, search, dependence, weighted
    ):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(60, 600))
        # JDs of very unequal size, and effects of the JD: sizes that labels show are far apart.
        jds = rng.choice(30, n, p=rng.dirichlet(np.full(30, 0.7)))
        scores = rng.normal(size=n)
        labels = rng.random(n) < 1 / (1 + np.exp(-3 * scores - 2 * rng.normal(size=30)[jds]))
        weights = rng.uniform(1, 6, n) if weighted and dependence == "effective" else None
        starts = set()
        for _ in range(4):
            tests = search(Observations(scores, labels, weights, jds), 0.7, dependence=dependence).tests
            starts.add(tests["n"].iloc[0] if len(tests) else None)
            labels = rng.permutation(labels)
        assert len(starts) == 1

    def test_it_does_not_start_in_a_set_that_a_larger_one_is_worth_less_than(self):
        assert begun(np.array([5.0, 30.0, 12.0, 26.0, 40.0]), 25).tolist() == [False] * 3 + [True] * 2

    def test_the_first_half_of_the_level_is_carried_to_the_second_start(self):
        first, second = np.array([True] * 4), np.array([False, False, True, True])
        unbroken, broken = np.array([0.02, 0.02, 0.04, 0.04]), np.array([0.02, 0.03, 0.04, 0.02])
        assert rejected(unbroken, (first, second), 0.05).all()
        assert rejected(broken, (first, second), 0.05).tolist() == [True, False, False, False]
        assert (
            rejected(np.array([0.2, 0.2, 0.02, 0.02]), (first, second), 0.05).tolist()
            == [False] * 2 + [True] * 2
        )

    def test_what_fails_on_the_way_to_the_second_start_ends_the_first(self):
        first, second = np.array([True] * 5), np.array([False] * 3 + [True] * 2)
        p_values = np.array([0.01, 0.03, 0.01, 0.03, 0.01])
        assert rejected(p_values, (first, second), 0.05).tolist() == [True] + [False] * 4

    def test_where_the_first_set_fails_nothing_is_guaranteed_however_good_the_next_ones_look(self):
        # The first 29 pairs, at which testing starts, hold 10 wrong ones; then 400 right ones follow.
        labels = np.r_[np.repeat([1, 0], [19, 10]), np.ones(400)]
        pairs = Observations(np.linspace(0.9, 0.1, 429), labels)
        found = guarantee_precision(pairs, 0.9)
        assert found.tests["n"].tolist() == [29]
        assert binomtest(419, 429, 0.9, alternative="greater").pvalue < 1e-9
        assert not found.found

    def test_many_resamples_are_tested_as_each_by_itself(self):
        rng = np.random.default_rng(0)
        p = rng.random((30, 50)) * 0.06
        starts = tuple(
            np.arange(30)[:, None] >= at for at in (rng.integers(0, 8, 50), rng.integers(8, 20, 50))
        )
        together = rejected(p, starts, 0.05)
        for b in range(50):
            alone = rejected(p[:, b], tuple(start[:, b] for start in starts), 0.05)
            assert (together[:, b] == alone).all()


class TestInvariance:
    PAIRS = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 1)), min_size=1, max_size=60)

    @given(PAIRS, st.sampled_from([0.5, 0.7]))
    def test_a_monotone_transformation_changes_no_decision(self, pairs, target):
        scores, labels = np.array([*pairs, *[(10, 1)] * 8], dtype=float).T
        before = guarantee_precision(Observations(scores, labels), target, confidence=0.8)
        after = guarantee_precision(Observations(np.exp(scores / 4), labels), target, confidence=0.8)
        assert before.n == after.n
        assert before.found == after.found

    @given(PAIRS, st.randoms())
    def test_the_order_of_rows_changes_nothing(self, pairs, random):
        shuffled = random.sample(pairs, len(pairs))
        found = [
            guarantee_missed(Observations(*np.array(p).T), 0.4, confidence=0.8) for p in (pairs, shuffled)
        ]
        assert found[0].to_dict() == found[1].to_dict()

    @given(PAIRS)
    def test_ties_are_never_split(self, pairs):
        scores, labels = np.array([*pairs, *[(10, 1)] * 8]).T
        found = guarantee_precision(Observations(scores, labels), 0.6, confidence=0.8)
        assert found.cutoff is None or found.cutoff not in scores
        assert found.n in {(scores > c).sum() for c in np.unique(scores)} | {len(scores)}


class TestDependence:
    def test_pairs_that_share_jds_are_worth_less_and_the_result_says_so(self):
        rng = np.random.default_rng(0)
        jds = np.repeat(np.arange(60), 10)
        scores = rng.normal(size=600)
        labels = rng.random(600) < 1 / (1 + np.exp(-3 * scores - 2 * rng.normal(size=60)[jds]))
        together = guarantee_precision(Observations(scores, labels, clusters=jds), 0.65)
        alone = guarantee_precision(Observations(scores, labels), 0.65)
        assert (together.method, alone.method) == ("effective", "independent")
        assert together.size < together.n
        assert alone.size == alone.n
        assert together.cutoff > alone.cutoff
        assert f"worth {together.size:.0f} independent ones" in together.sentence()
        with language("zh"):
            assert f"相当于 {together.size:.0f} 对独立样本" in together.sentence()

    def test_one_pair_a_jd_is_tested_on_that_many(self):
        pairs = simulated(3000, n_jds=400, a=(9, 3), b=(3, 9))
        found = guarantee_precision(pairs, 0.8, dependence="one_per_cluster")
        assert found.method == "one_per_cluster"
        assert found.found
        assert found.size <= 400

    def test_one_pair_a_jd_by_twice_the_mean_p_value_of_single_draws(self):
        # All pairs of a JD are alike, so that every draw is the same one.
        labels = np.repeat([1] * 40 + [0] * 60, 3)
        pairs = Observations(labels * 0.5 + 0.2, labels, clusters=np.repeat(np.arange(100), 3))
        found = guarantee_precision(pairs, 0.9, dependence="one_per_cluster", cutoffs=[0.5], start=0)
        assert found.tests["p_value"].item() == pytest.approx(2 * 0.9**40)
        assert found.size == 40
        # The bound says no more than the test: 2 * bound ** 40 is the level.
        assert found.bound == pytest.approx((0.05 / 2) ** (1 / 40))

    @pytest.mark.parametrize(("n_jds", "found"), [(35, False), (36, True)])
    def test_one_pair_a_jd_starts_where_twice_a_p_value_could_be_small_enough(self, n_jds, found):
        assert pairs_needed(0.9, 1 - 0.05 / 2) == 36
        jds = np.arange(120) // 3
        labels = (jds < n_jds).astype(int)
        pairs = Observations(np.where(labels, 0.7, 0.2) + jds / 1000, labels, clusters=jds)
        assert guarantee_precision(pairs, 0.9, dependence="one_per_cluster").found == found

    def test_which_pair_of_a_jd_is_drawn_is_left_to_chance(self):
        # Of each JD, the pair that scores higher is right and the other one wrong.
        jds, labels = np.tile(np.arange(60), 2), np.repeat([1, 0], 60)
        pairs = Observations(np.linspace(0.9, 0.6, 120), labels, clusters=jds)
        found = guarantee_precision(pairs, 0.8, dependence="one_per_cluster", cutoffs=[0.5], start=0)
        assert found.tests["p_value"].item() == 1
        assert not found.found

    def test_one_pair_a_jd_does_not_go_with_weights(self):
        with pytest.raises(InputError, match="weights"):
            guarantee_precision(simulated().with_weights(np.ones(400)), 0.8, dependence="one_per_cluster")

    def test_an_unknown_way_is_refused(self):
        with pytest.raises(InputError, match="one_per_cluster"):
            guarantee_precision(simulated(), 0.8, dependence="none")  # type: ignore[arg-type]


class TestLivePrevalence:
    def test_the_target_is_carried_over_by_its_odds(self):
        pairs = simulated()
        found = guarantee_precision(pairs, 0.8, prevalence=0.1)
        odds = pairs.prevalence / (1 - pairs.prevalence) / (0.1 / 0.9)
        assert found.target_in_pairs / (1 - found.target_in_pairs) == pytest.approx(4 * odds)

    def test_the_labelled_prevalence_is_the_weighted_one(self):
        pairs = simulated()
        pairs = pairs.with_weights(np.where(pairs.labels == 1, 1.0, 6.0))
        assert pairs.prevalence < pairs.labels.mean() / 2
        found = guarantee_precision(pairs, 0.8, prevalence=pairs.prevalence)
        assert found.target_in_pairs == pytest.approx(0.8)

    def test_estimate_and_bound_are_live_figures(self):
        found = guarantee_precision(simulated(2000, a=(12, 3), b=(3, 9)), 0.6, prevalence=0.1)
        assert found.found
        assert found.bound == pytest.approx(0.6, abs=0.05)
        assert 1 - found.errors / found.n > 0.85

    def test_the_labelled_prevalence_changes_nothing(self):
        pairs = simulated()
        same = guarantee_precision(pairs, 0.85, prevalence=pairs.prevalence)
        assert same.cutoff == guarantee_precision(pairs, 0.85).cutoff


class TestWhereThereIsNone:
    def test_it_says_about_how_many_more_labels_are_needed_and_why_that_is_not_known_better(self):
        rng = np.random.default_rng(10)
        scores = rng.normal(size=300)
        labels = rng.random(300) < 0.96 / (1 + np.exp(1.5 - 5 * scores))
        found = guarantee_precision(Observations(scores, labels), 0.85)
        assert not found.found
        assert 0 < found.further.even < found.more_pairs
        assert f"about {found.further.even} more labelled pairs the chance of one is even" in found.sentence()
        assert f"about {found.more_pairs} more labelled pairs four in five" in found.sentence()
        assert f"{100 * found.further.low:.1f} % to {100 * found.further.high:.1f} %" in found.sentence()
        with language("zh"):
            assert f"大约还需要 {found.more_pairs} 对标注" in found.sentence()

    def test_where_it_may_be_too_near_the_target_no_number_is_called_enough(self):
        # 18 of the 20 best are right; that the true share is below 90 % is as likely as not.
        labels = np.r_[np.repeat([1, 0], [18, 2])[np.random.default_rng(0).permutation(20)], np.zeros(40)]
        found = guarantee_precision(Observations(np.linspace(1, 0, 60), labels), 0.9)
        assert found.more_pairs is None
        assert found.further.low < 0.9 < found.further.high
        assert found.further.even is None or "cannot be said" in found.sentence()

    def test_it_says_so_where_more_labels_would_not_help(self):
        rng = np.random.default_rng(0)
        found = guarantee_precision(Observations(rng.random(500), rng.random(500) < 0.3), 0.9)
        assert found.more_pairs is None
        assert "another encoder" in found.sentence()
        with language("zh"):
            assert "换编码器" in found.sentence()

    @pytest.mark.parametrize("n", [1, 3])
    def test_three_pairs_are_an_answer_too(self, n):
        found = guarantee_precision(Observations([0.9, 0.5, 0.1][:n], [1, 0, 1][:n]), 0.9)
        assert not found.found
        assert found.sentence()

    def test_equal_scores_are_an_answer_too(self):
        assert not guarantee_precision(Observations([0.5] * 50, [0, 1] * 25), 0.9).found


def test_a_million_pairs_are_an_answer():
    rng = np.random.default_rng(0)
    scores = rng.random(1_000_000)
    found = guarantee_precision(Observations(scores, rng.random(1_000_000) < scores), 0.9)
    # Precision above t is (1 + t) / 2.
    assert found.cutoff == pytest.approx(0.8, abs=0.01)
    assert found.cutoff > 0.8


@pytest.mark.parametrize(
    "wrong", [{"target": 89}, {"target": 0.9, "confidence": 1.0}, {"target": 0.9, "prevalence": 0}]
)
def test_what_is_no_share_is_refused(wrong):
    with pytest.raises(InputError, match="between 0 and 1"):
        guarantee_precision(simulated(), **wrong)


def test_the_dictionary_is_plain():
    found = guarantee_precision(simulated(), 0.85).to_dict()
    assert found["figure"] == "precision"
    assert all(isinstance(value, str | int | float | None) for value in found.values())
