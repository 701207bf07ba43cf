"""What scores alone let one expect: against the published formula, and by simulation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression

from workbench.calibration import (
    Observations,
    calibrate,
    check,
    estimate_performance,
    fit_probability,
    score_profile,
)
from workbench.calibration.drawn_curves import DrawnCurves, draw_curves
from workbench.cutoffs import Cutoff
from workbench.errors import CardError, InputError
from workbench.i18n import language

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TABLE = {
    "scores": [0.0, 0.25, 0.5, 0.75, 1.0],
    "probability": [0.02, 0.1, 0.4, 0.8, 0.97],
    "low": [0.01, 0.06, 0.3, 0.7, 0.9],
    "high": [0.05, 0.15, 0.5, 0.9, 0.99],
    "confidence": 0.95,
    "prevalence": 0.4,
}
PROMISED = {"figure": "precision", "target": 0.9, "cutoff": 0.6}


def card(**evidence) -> Cutoff:
    kept = {"probability": TABLE, "guarantees": [PROMISED], **evidence}
    return Cutoff(0.6, "an encoder", "f00d", kept)


def live_scores(n=2000):
    return ((np.arange(n) + 0.5) / n) ** 0.7


class TestAgainstThePublishedFormula:
    def test_it_is_the_mean_of_the_confusion_matrix_as_a_random_variable(self):
        """Labels drawn with the probabilities of the scores, and counted (Kivimäki et al. 2025)."""
        scores = live_scores()
        chances = np.interp(scores, TABLE["scores"], TABLE["probability"])
        rng = np.random.default_rng(0)
        labels, above = rng.random((4000, len(scores))) < chances, scores > 0.6
        found = estimate_performance(card(), scores, n_resamples=20)
        expected = {
            "precision": labels[:, above].mean(axis=1),
            "recall": labels[:, above].sum(axis=1) / labels.sum(axis=1),
            "false_omission_rate": labels[:, ~above].mean(axis=1),
            "matches": labels.mean(axis=1),
        }
        for name, each in expected.items():
            error = 4 * each.std() / np.sqrt(len(each)) + 1e-5
            assert getattr(found, name).value == pytest.approx(each.mean(), abs=error), name
        assert found.selected.value == above.mean()

    def test_it_is_what_nannyml_says(self):
        """CBPE of nannyml 0.13.1, given these probabilities as they are (needs_calibration = False)."""
        found = estimate_performance(card(), live_scores(), n_resamples=20)
        assert found.precision.value == pytest.approx(0.8151585699189344)
        assert found.recall.value == pytest.approx(0.7751655270641843)
        missed = 244.94597309212037 / (244.94597309212037 + 719.0540269078797)
        assert found.false_omission_rate.value == pytest.approx(missed)


class TestIntervals:
    @pytest.mark.slow
    def test_they_hold_the_figures_of_the_live_population_where_scores_moved(self, monkeypatch):
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        simulation = pytest.importorskip("simulating.estimation")
        monkeypatch.setattr(simulation, "CURVES", {"logistic": simulation.CURVES["logistic"]})
        for (curve, shift, figure), (holds, width) in simulation.coverage(8, seed=1).items():
            assert holds >= 7 / 8, (curve, shift, figure)
            assert width < 0.5, (curve, shift, figure)

    def test_few_jds_make_them_wider_than_many_pairs(self):
        scores = np.repeat(np.random.default_rng(0).random(20), 50)
        apart = estimate_performance(card(), scores).selected
        shared = estimate_performance(card(), scores, clusters=np.repeat(np.arange(20), 50)).selected
        assert shared.value == apart.value
        assert shared.high - shared.low > 3 * (apart.high - apart.low)

    def test_with_endless_scores_the_ends_are_those_of_the_probabilities(self):
        scores = live_scores(200_000)
        above = scores > 0.6
        found = estimate_performance(card(), scores, n_resamples=50)
        low, high = (np.interp(scores, TABLE["scores"], TABLE[end]) for end in ("low", "high"))
        assert found.precision.low == pytest.approx(low[above].mean(), abs=0.003)
        assert found.precision.high == pytest.approx(high[above].mean(), abs=0.003)
        least = low[above].sum() / (low[above].sum() + high[~above].sum())
        assert found.recall.low == pytest.approx(least, abs=0.003)

    def test_beyond_all_labelled_scores_it_is_a_guess_that_is_counted(self):
        narrow = TABLE | {"scores": [0.2, 0.3, 0.4, 0.5, 0.6]}
        found = estimate_performance(card(probability=narrow), [0.1, 0.25, 0.65, 0.7], cutoff=0.6)
        assert found.n_beyond == 3
        assert found.precision.high == 1.0
        assert "3 of the scores (75.0 %) are beyond all labelled ones" in found.sentence()

    def test_the_order_of_scores_changes_nothing(self):
        scores = live_scores(300)
        shuffled = np.random.default_rng(0).permutation(scores)
        assert (
            estimate_performance(card(), scores).to_dict() == estimate_performance(card(), shuffled).to_dict()
        )


class TestCurves:
    """Whole curves of resamples, which a card keeps so that errors at different scores go together."""

    @staticmethod
    def pairs(n=600, per_jd=5):
        rng = np.random.default_rng(0)
        scores = rng.random(n)
        return Observations(scores, rng.random(n) < scores, clusters=np.arange(n) // per_jd)

    def test_the_fitted_one_is_that_of_scikit_learn_over_cells_of_twenty(self):
        pairs = self.pairs()
        order = np.argsort(pairs.scores)
        scores, labels = (each[order].reshape(30, 20).mean(axis=1) for each in (pairs.scores, pairs.labels))
        expected = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
        curves = draw_curves(pairs, n_curves=3)
        np.testing.assert_allclose(curves.fitted, expected.predict(curves.scores), atol=1e-12)
        assert (np.diff(curves.drawn, axis=1) >= 0).all()

    def test_whole_jds_are_drawn(self):
        """Pairs that are the same within a JD vary as much as JDs do."""
        rng = np.random.default_rng(1)
        labels = np.repeat(rng.random(40) < 0.5, 20)
        scores = rng.random(800)
        apart, shared = (
            draw_curves(Observations(scores, labels, clusters=jds)).drawn.mean(axis=1).std()
            for jds in (None, np.arange(800) // 20)
        )
        assert shared > 2.5 * apart

    def test_a_card_keeps_them_to_a_thousandth(self):
        curves = draw_curves(self.pairs())
        again = DrawnCurves.from_dict(json.loads(json.dumps(curves.to_dict())))
        np.testing.assert_allclose(again.drawn, curves.drawn, atol=5.1e-4)
        np.testing.assert_allclose(again.fitted, curves.fitted, atol=5.1e-4)

    def test_intervals_are_narrower_than_by_the_ends_of_all_probabilities_at_once(self):
        pairs = self.pairs()
        model = fit_probability(pairs).to_dict()
        live = np.random.default_rng(2).beta(3, 1, 2000)
        kept = card(probability=model, curves=draw_curves(pairs).to_dict())
        with_curves = estimate_performance(kept, live).precision
        without = estimate_performance(card(probability=model), live).precision
        assert with_curves.value == without.value
        assert with_curves.low < live[live > 0.6].mean() < with_curves.high
        assert with_curves.high - with_curves.low < 0.7 * (without.high - without.low)

    def test_calibrate_puts_them_on_the_card(self):
        pairs = self.pairs()
        frame = pd.DataFrame({"score": pairs.scores, "label": pairs.labels, "jd_id": pairs.clusters})
        made = calibrate(frame, target_precision=0.7, n_resamples=20).cutoff
        assert len(made.evidence["curves"]["thousandths"]) == 101
        assert check(made, frame.assign(score=frame["score"] * 0.9)).estimated is not None

    @pytest.mark.parametrize("broken", [{}, {"scores": [0.1, 0.2], "thousandths": ["1 2", "3"]}])
    def test_damaged_ones_are_refused(self, broken):
        with pytest.raises(CardError, match="curves lack a part"):
            estimate_performance(card(curves=broken), [0.1, 0.9])


class TestAKnownPrevalence:
    def test_odds_are_corrected_to_it(self):
        """By Bayes' rule, with as many matches among the live pairs as are said."""
        rng = np.random.default_rng(0)
        labels = rng.random(400_000) < 0.1
        scores = np.where(labels, rng.beta(6, 3, labels.size), rng.beta(3, 6, labels.size)).round(2)
        # The same scores of matches and of others, at 40 % matches.
        weight = np.where(labels, 0.4 / labels.mean(), 0.6 / (1 - labels.mean()))
        each = pd.DataFrame({"score": scores, "match": labels * weight, "all": weight}).groupby("score").sum()
        chance = (each["match"] / each["all"]).to_numpy()
        table = TABLE | {
            "scores": each.index.to_numpy(),
            **dict.fromkeys(("probability", "low", "high"), chance),
        }
        found = estimate_performance(card(probability=table), scores[:50_000], prevalence=0.1, n_resamples=20)
        above = scores > 0.6
        assert found.precision.value == pytest.approx(labels[above].mean(), abs=0.02)
        assert found.matches.value == pytest.approx(0.1, abs=0.01)


class TestWhatCannotBeEstimated:
    def test_a_card_without_probabilities_is_refused(self):
        with pytest.raises(InputError, match="keeps no probabilities"):
            estimate_performance(Cutoff(0.6), [0.1, 0.9])

    def test_probabilities_need_a_cutoff(self):
        labels = np.arange(200) % 2
        model = fit_probability(Observations(np.linspace(0, 0.5, 200) + 0.4 * labels, labels))
        with pytest.raises(InputError, match="at which cutoff"):
            estimate_performance(model, [0.1, 0.9])
        assert estimate_performance(model, [0.1, 0.9], cutoff=0.5).n == 2

    @pytest.mark.parametrize("broken", [{"scores": [0.1]}, {"scores": [0.1], "probability": ["much"]}])
    def test_a_damaged_table_is_refused(self, broken):
        with pytest.raises(CardError, match="table of probabilities"):
            estimate_performance(Cutoff(0.6, evidence={"probability": broken}), [0.1, 0.9])

    @pytest.mark.parametrize(
        ("scores", "options", "said"),
        [
            ([], {}, "no pairs"),
            ([0.5, np.nan], {}, "position 1"),
            ([0.5, 0.6], {"clusters": ["a", "a"]}, "all of one JD|are of one JD"),
            ([0.5, 0.6], {"prevalence": 10}, "percent must be divided by 100"),
        ],
    )
    def test_scores_that_cannot_be_used_are_refused(self, scores, options, said):
        with pytest.raises(InputError, match=said):
            estimate_performance(card(), scores, **options)


class TestInACheck:
    """A warning beside the verdict, which it does not touch."""

    @staticmethod
    def pairs(scores, **columns):
        return pd.DataFrame({"score": scores, **columns})

    def test_scores_that_let_one_expect_less_than_is_promised_are_a_warning_and_no_verdict(self):
        found = check(card(), self.pairs(live_scores(2000)))
        assert found.estimated.precision.high < 0.9
        assert "Early warning" in found.early_warnings[0]
        assert found.early_warnings[0] in found.reasons
        assert found.holds is None
        with language("zh"):
            assert "预警" in found.early_warnings[0]

    def test_labels_decide_whatever_scores_let_one_expect(self):
        kept = check(card(), self.pairs(np.linspace(0.61, 0.7, 300), label=1))
        assert kept.holds is True
        assert kept.early_warnings

    def test_nothing_is_warned_of_where_the_promise_may_be_kept(self):
        found = check(card(), self.pairs(np.linspace(0.9, 1.0, 300)))
        assert found.early_warnings == []
        assert "Without labels, from 300 scores alone" in found.summary()

    def test_a_card_without_probabilities_is_checked_as_before(self):
        plain = Cutoff(0.6, evidence={"guarantees": [PROMISED]})
        assert check(plain, self.pairs(live_scores(100))).estimated is None

    def test_all_of_it_goes_into_json(self):
        profile = score_profile(Observations(live_scores(100), np.zeros(100))).to_dict()
        found = check(card(scores=profile), self.pairs(live_scores(2000)))
        kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert kept["estimated"]["precision"]["value"] == found.estimated.precision.value
        assert kept["early_warnings"] == found.early_warnings
