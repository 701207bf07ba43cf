"""Labels that may be wrong: what is allowed for holds for the truth, and nothing allowed changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calibration import (
    LabelError,
    Observations,
    calibrate,
    check,
    grey_zone,
    guarantee_missed,
    guarantee_precision,
    verdict,
)
from workbench.calibration.label_error import carried
from workbench.errors import InputError
from workbench.i18n import language
from workbench.pairs import resolve

SHARES = st.floats(0, 0.3)


def simulated(n=500, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.4
    return Observations(np.where(labels, rng.beta(8, 4, n), rng.beta(3, 8, n)), labels)


def flipped(truth: np.ndarray, a: float, b: float, rng: np.random.Generator) -> np.ndarray:
    """The labels of people who call non-matches a match in a, and matches none in b, of cases."""
    return np.where(rng.random(len(truth)) < np.where(truth, b, a), ~truth, truth)


class TestByDefinition:
    @given(st.floats(0.5, 0.99), SHARES, SHARES, st.booleans())
    def test_the_target_in_labels_is_the_worst_of_all_that_is_allowed_for(self, target, a, b, at_least):
        error = LabelError(a, b, a / 3, b / 2)
        grid = [
            target * (1 - missed) + (1 - target) * false
            for false in np.linspace(a / 3, a, 7)
            for missed in np.linspace(b / 2, b, 7)
        ]
        found = carried(target, simulated(20), None, error, at_least=at_least)
        assert found.in_labels == pytest.approx(max(grid) if at_least else min(grid))
        assert found.live(found.in_labels) == pytest.approx(target)

    @given(st.floats(0.1, 0.9), SHARES, SHARES, st.booleans(), st.floats(0.05, 0.6))
    def test_with_a_live_prevalence_too(self, target, a, b, at_least, prevalence):
        pairs = simulated(200)
        seen, in_labels = pairs.prevalence, []
        for false in np.linspace(0, a, 5):
            for missed in np.linspace(0, b, 5):
                matches = (seen - false) / (1 - false - missed)
                if not 0 < matches < 1:
                    return
                odds = target / (1 - target) * matches / (1 - matches) * (1 - prevalence) / prevalence
                in_pairs = odds / (1 + odds)
                in_labels.append(in_pairs * (1 - missed) + (1 - in_pairs) * false)
        found = carried(target, pairs, prevalence, LabelError(a, b), at_least=at_least)
        # All worst at once: on the careful side of each combination.
        careful = found.in_labels - max(in_labels) if at_least else min(in_labels) - found.in_labels
        assert careful >= -1e-9

    def test_double_labels_of_equal_errors_give_the_rate_that_made_them(self):
        rng = np.random.default_rng(1)
        truth = rng.random(200_000) < 0.3
        first, second = (flipped(truth, 0.04, 0.04, rng) for _ in range(2))
        both, differ, neither = (first & second).sum(), (first != second).sum(), (~first & ~second).sum()
        found = LabelError.from_double_labels(both, differ, neither, alike=True)
        assert found.false_match_least < 0.04 < found.false_match
        assert found.false_match - found.false_match_least < 0.003

    @pytest.mark.parametrize(("a", "b"), [(0.05, 0.0), (0.0, 0.1), (0.03, 0.08)])
    def test_without_taking_classes_as_alike_the_truth_is_within_and_reached(self, a, b):
        rng = np.random.default_rng(2)
        truth = rng.random(400_000) < 0.3
        first, second = (flipped(truth, a, b, rng) for _ in range(2))
        both, differ, neither = (first & second).sum(), (first != second).sum(), (~first & ~second).sum()
        found = LabelError.from_double_labels(both, differ, neither)
        assert found.false_match >= a
        assert found.missed_match >= b
        if b == 0:
            assert found.false_match == pytest.approx(a, abs=0.002)
        if a == 0:
            assert found.missed_match == pytest.approx(b, abs=0.004)

    def test_what_is_adjudicated_is_wrong_less_often(self):
        rng = np.random.default_rng(3)
        truth = rng.random(300_000) < 0.3
        first, second, third = (flipped(truth, 0.1, 0.1, rng) for _ in range(3))
        both, differ, neither = (first & second).sum(), (first != second).sum(), (~first & ~second).sum()
        found = LabelError.from_double_labels(both, differ, neither, alike=True, resolved="adjudicated")
        wrong = (np.where(first == second, first, third) != truth).mean()
        assert wrong == pytest.approx(found.false_match, abs=0.002)

    def test_a_resolution_counts_double_labels(self):
        said = pd.DataFrame(
            {
                "pair_id": list("aabbccde"),
                "annotator": ["x", "y"] * 3 + ["x", "adjudicator"],
                "label": [1, 1, 0, 1, 0, 0, 1, 1],
            }
        )
        found = resolve(said, "majority")
        assert found.double_labels == {"both": 1, "differ": 1, "neither": 1}
        assert found.to_dict()["double_labels"] == found.double_labels

    def test_how_labels_were_resolved_counts_and_nothing_is_known_at_least(self):
        counts = {"both": 380, "differ": 40, "neither": 580}
        for how, n_single, expected in [
            ("adjudicated", 0, LabelError.from_double_labels(**counts, resolved="adjudicated")),
            ("unanimous", 0, LabelError.from_double_labels(**counts, resolved="unanimous")),
            ("adjudicated", 7, LabelError.from_double_labels(**counts)),
            ("majority", 0, LabelError.from_double_labels(**counts)),
        ]:
            noted = {"how": how, "n_single": n_single, "double_labels": counts}
            assert LabelError.read("annotators", noted) == expected
            assert expected.false_match > 0 == expected.false_match_least

    def test_without_double_labels_there_is_no_estimate(self):
        with pytest.raises(InputError, match="two labels"):
            LabelError.read("annotators", {"how": "majority"})
        with pytest.raises(InputError, match="as often as right"):
            LabelError.from_double_labels(1, 1, 1)

    @pytest.mark.parametrize("wrong", [0.5, -0.1, (0.1, 0.7), "much", (0.1, 0.1, 0.1)])
    def test_what_is_no_share_of_wrong_labels_is_refused(self, wrong):
        with pytest.raises(InputError, match="label_error"):
            guarantee_precision(simulated(), 0.8, label_error=wrong)


class TestInvariance:
    @pytest.mark.parametrize("search", [guarantee_precision, guarantee_missed])
    def test_nothing_allowed_for_is_what_is_found_without(self, search):
        target = 0.85 if search is guarantee_precision else 0.1
        pairs = simulated()
        for nothing in (0.0, (0, 0), LabelError()):
            assert search(pairs, target, label_error=nothing).to_dict() == search(pairs, target).to_dict()

    @given(st.integers(0, 2000), SHARES, SHARES, st.sampled_from([0, 20, 60]))
    def test_where_testing_starts_alike_more_allowed_for_never_gives_a_smaller_cutoff(
        self, seed, one, other, start
    ):
        pairs = simulated(300, seed)
        little, much = sorted([one, other])
        cutoffs = [
            guarantee_precision(pairs, 0.8, label_error=error, start=start).cutoff for error in (little, much)
        ]
        careless, careful = (np.inf if cutoff is None else cutoff for cutoff in cutoffs)
        assert careful >= careless
        cutoffs = [
            guarantee_missed(pairs, 0.1, label_error=error, start=start).cutoff for error in (little, much)
        ]
        careless, careful = (-np.inf if cutoff is None else cutoff for cutoff in cutoffs)
        assert careful <= careless

    @given(st.integers(0, 2000), SHARES, SHARES)
    def test_more_allowed_for_never_tells_more_of_a_cutoff(self, seed, one, other):
        pairs = simulated(300, seed)
        little, much = (verdict(pairs, 0.4, label_error=error) for error in sorted([one, other]))
        for careless, careful in zip(little.tests, much.tests, strict=True):
            assert careful.answer in (careless.answer, "unclear")
            assert careful.low <= careless.low + 1e-9
            assert careful.high >= careless.high - 1e-9


class TestWords:
    def test_without_an_allowance_right_means_labelled_a_match(self):
        said = guarantee_precision(simulated(), 0.8).sentence()
        assert "are labelled a match" in said
        assert "true matches" not in said

    def test_with_one_it_says_which(self):
        found = guarantee_precision(simulated(), 0.8, label_error=(0.02, 0.05))
        assert "of pairs are true matches" in found.sentence()
        assert "up to 2 % of pairs that are no match labelled a match" in found.sentence()
        with language("zh"):
            assert "至多 2% 被标为匹配" in found.sentence()

    def test_a_study_carries_it_to_all_that_it_tests(self):
        rng = np.random.default_rng(0)
        labels = rng.random(500) < 0.4
        scores = np.where(labels, rng.beta(8, 4, 500), rng.beta(3, 8, 500))
        pairs = pd.DataFrame({"score": scores, "label": labels})
        study = calibrate(pairs, target_precision=0.8, target_missed=0.1, label_error=0.02, n_resamples=50)
        error = LabelError(0.02, 0.02)
        zone = study.grey_zone
        assert "no match may be labelled" not in study.summary()
        found = (study.verdict, study.guarantee, study.missed_guarantee, zone.precision, zone.missed)
        assert {part.label_error for part in found} == {error}
        alone = grey_zone(study.observations, 0.8, 0.1, label_error=0.02)
        assert zone.accept_from == alone.accept_from
        # A check of the card allows for as much.
        assert check(study.cutoff, pairs).tested.label_error == error
        assert check(study.cutoff, pairs, target_precision=0.7).tested.label_error is None
        with pytest.raises(InputError, match="The card allows for wrong labels"):
            check(study.cutoff, pairs, sequential=True, time="day")

    def test_a_study_says_what_double_labels_show_where_nothing_is_allowed_for(self):
        rng = np.random.default_rng(0)
        labels = rng.random(200) < 0.4
        scores = np.where(labels, rng.beta(8, 4, 200), rng.beta(3, 8, 200))
        pairs = pd.DataFrame({"score": scores, "label": labels})
        pairs.attrs["resolution"] = {
            "how": "adjudicated",
            "n_single": 1,
            "double_labels": {"both": 70, "differ": 12, "neither": 118},
        }
        said = calibrate(pairs, n_resamples=50).sentences()["notes"]
        assert "differ in 12 of 200 cases" in said
        allowed = calibrate(pairs, label_error="annotators", n_resamples=50)
        assert allowed.verdict.label_error == LabelError.from_double_labels(70, 12, 118)
        assert "differ in 12" not in allowed.summary()


@pytest.mark.parametrize(
    ("a", "b", "allowed", "holds"),
    [
        (0.15, 0.0, (0.15, 0.0), True),
        (0.15, 0.0, None, False),
        (0.1, 0.1, (0.1, 0.1), True),
        (0.1, 0.1, LabelError(0.12, 0.12, 0.08, 0.08), True),
    ],
    ids=["false matches", "not allowed for", "both kinds", "known from both sides"],
)
def test_the_guarantee_holds_for_true_matches(a, b, allowed, holds):
    """At the edge: precision above t is (1 + t) / 2 by the truth, which is far larger than each sample."""
    rng = np.random.default_rng(5)
    broken, runs, target, confidence = 0, 300, 0.7, 0.8
    for _ in range(runs):
        scores = np.round(rng.random(600), 2) + 0.005
        truth = rng.random(600) < scores
        pairs = Observations(scores, flipped(truth, a, b, rng))
        found = guarantee_precision(pairs, target, confidence=confidence, label_error=allowed)
        broken += found.cutoff is not None and (1 + found.cutoff) / 2 < target
    # Three Monte Carlo standard errors.
    margin = 3 * np.sqrt(0.2 * 0.8 / runs)
    assert (broken / runs <= 0.2 + (margin if not holds else 0.0)) == holds
