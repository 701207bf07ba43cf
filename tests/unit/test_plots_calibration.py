"""Figures about cutoffs: their titles say what is true, their marks lie where they should."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score

from workbench.calibration import Observations, calibrate, sweep
from workbench.calibration.groups import by_group
from workbench.calibration.probability import fit_probability
from workbench.calibration.reliability_diagram import reliability
from workbench.errors import InputError
from workbench.i18n import language
from workbench.plots import (
    plot_advice,
    plot_cost,
    plot_groups,
    plot_over_cutoff,
    plot_precision_recall,
    plot_reliability,
    plot_roc,
    plot_scores,
    plot_stability,
    plot_study,
)

RNG = np.random.default_rng(3)
LABELS = (RNG.random(240) < 0.4).astype(int)
SCORES = np.clip(np.where(LABELS, RNG.beta(8, 4, 240), RNG.beta(4, 8, 240)), 0, 1).round(3)
PAIRS = pd.DataFrame({"score": SCORES, "label": LABELS, "jd_id": RNG.integers(0, 30, 240)})


@pytest.fixture(scope="module")
def study():
    return calibrate(PAIRS, target_precision=0.85, n_resamples=200)


@pytest.fixture(scope="module")
def table():
    return sweep(SCORES, LABELS)


def title(figure, axes=0):
    return figure.axes[axes].get_title(loc="left").strip()


def numbers(text):
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


def every_figure(study):
    cutoffs = {"cutoff": study.cutoff.value, "current_cutoff": 0.4}
    model = fit_probability(study.observations)
    yield plot_study(study)
    yield plot_advice(study)
    yield plot_scores(SCORES, LABELS, grey_zone=(0.3, 0.6))
    yield plot_scores(SCORES, LABELS, study.cutoff.value, current_cutoff=0.4)
    yield plot_over_cutoff(study.sweep, study.bands, target_precision=0.85, target_missed=0.1, **cutoffs)
    yield plot_cost(study.sweep, **cutoffs)
    yield plot_precision_recall(study.sweep, study.bands, target_precision=0.85, **cutoffs)
    yield plot_roc(study.sweep, **cutoffs)
    yield plot_stability(study.stability, study.cutoff.value, current_cutoff=0.4)
    said = reliability(study.observations, model.cross_fitted, n_resamples=20)
    yield plot_reliability(said)


@pytest.mark.slow
def test_every_figure_renders_without_missing_glyphs_and_can_be_read_aloud(study, each_language):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in every_figure(study):
            assert figure.png().startswith(b"\x89PNG")
            assert figure.alt
            assert (
                bool(re.search(r"[\u4e00-\u9fff]", figure.alt)) == (each_language == "zh")
                or "AUC" in figure.alt
            )


def test_the_study_plots_itself_with_the_cutoff_to_adopt(study):
    (axes,) = study.plot().axes
    assert f"cutoff {study.advice.cutoff:.4f}" in [text.get_text() for text in axes.texts]


def test_all_of_a_study_is_four_pictures(study):
    assert len(plot_study(study).axes) == 4


def test_a_grey_zone_is_shaded_between_its_ends_and_counted():
    figure = plot_scores(SCORES, LABELS, grey_zone=(0.3, 0.6))
    between = ((SCORES > 0.3) & (SCORES <= 0.6)).sum()
    assert numbers(title(figure))[:2] == [between, len(SCORES)]
    (shade,) = [patch for patch in figure.axes[0].patches if patch.get_alpha() == 0.22]
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.3, 0.6))


class TestScores:
    def test_the_title_counts_matches_above_the_cutoff(self):
        called = SCORES > 0.5
        share = 100 * precision_score(LABELS, called)
        figure = plot_scores(SCORES, LABELS, 0.5)
        assert numbers(title(figure))[1:] == [called[LABELS == 1].sum(), called.sum(), round(share, 1)]

    def test_a_score_on_the_cutoff_is_not_above_it(self):
        figure = plot_scores([0.2, 0.5, 0.8], [0, 1, 1], 0.5)
        assert title(figure) == "Above 0.5000, 1 of 1 pair is labelled a match (100.0 %)"

    def test_matches_point_up_the_others_down_and_none_is_lost(self):
        bars = [patch.get_height() for patch in plot_scores(SCORES, LABELS, 0.47).axes[0].patches]
        assert sum(height for height in bars if height > 0) == LABELS.sum()
        assert -sum(height for height in bars if height < 0) == (1 - LABELS).sum()

    @given(st.floats(0.05, 0.95))
    @settings(max_examples=15)
    def test_no_bar_lies_on_both_sides_of_the_cutoff(self, cutoff):
        for bar in plot_scores(SCORES, LABELS, cutoff).axes[0].patches:
            left, right = bar.get_x(), bar.get_x() + bar.get_width()
            assert not left + 1e-9 < cutoff < right - 1e-9

    @pytest.mark.parametrize("scores", [[0.5], [0.3, 0.3, 0.3]])
    def test_equal_scores_can_be_drawn(self, scores):
        assert plot_scores(scores, [1] * len(scores), 0.2).png()

    def test_labels_of_another_length_are_refused(self):
        with pytest.raises(InputError, match="labels of shape"):
            plot_scores([0.1, 0.2], [1])


class TestCurves:
    def test_the_title_gives_the_figures_at_the_cutoff(self, table):
        cutoff = table["cutoff"][100]
        called = cutoff < SCORES
        figure = plot_over_cutoff(table, cutoff=cutoff)
        expected = [
            100 * precision_score(LABELS, called),
            100 * recall_score(LABELS, called),
            100 * LABELS[~called].mean(),
        ]
        assert numbers(title(figure))[1:] == [round(value, 1) for value in expected]

    def test_no_figures_are_claimed_for_a_cutoff_that_the_table_does_not_have(self, table):
        between = (table["cutoff"][100] + table["cutoff"][101]) / 2
        assert numbers(title(plot_over_cutoff(table, cutoff=between))) == []

    def test_a_share_of_hardly_any_pairs_is_not_drawn(self, table):
        precision = plot_over_cutoff(table).axes[0].lines[0]
        assert (precision.get_xdata().max() < SCORES).sum() >= 10

    def test_how_the_shading_came_about_is_said(self, study):
        text = [a.get_text() for a in plot_over_cutoff(study.sweep, study.bands).axes[0].texts]
        assert "shaded: 95 % bootstrap bands by JD" in text

    def test_average_precision_is_that_of_scikit_learn(self, table):
        figure = plot_precision_recall(table)
        assert numbers(title(figure))[0] == round(average_precision_score(LABELS, SCORES), 3)

    def test_auc_is_that_of_scikit_learn(self, table):
        assert numbers(title(plot_roc(table)))[0] == round(roc_auc_score(LABELS, SCORES), 3)

    def test_the_cutoff_is_marked_where_its_figures_are(self, table):
        cutoff = table["cutoff"][100]
        called = cutoff < SCORES
        point = plot_precision_recall(table, cutoff=cutoff).axes[0].lines[-1]
        assert point.get_xdata()[0] == pytest.approx(recall_score(LABELS, called))
        assert point.get_ydata()[0] == pytest.approx(precision_score(LABELS, called))

    def test_cost_is_lowest_where_the_title_says(self, table):
        at, cost = numbers(title(plot_cost(table)))
        errors = [np.mean((cutoff < SCORES) != LABELS) for cutoff in table["cutoff"]]
        assert cost == round(min(errors), 3)
        assert np.mean((at < SCORES) != LABELS) == min(errors)

    @pytest.mark.parametrize("plot", [plot_over_cutoff, plot_cost, plot_precision_recall, plot_roc])
    def test_a_frame_that_is_no_sweep_is_refused(self, plot):
        with pytest.raises(InputError, match=r"pass what sweep\(\) returns"):
            plot(pd.DataFrame({"cutoff": [0.1]}))

    @pytest.mark.parametrize("plot", [plot_over_cutoff, plot_cost, plot_precision_recall, plot_roc])
    def test_three_pairs_can_be_drawn(self, plot):
        assert plot(sweep([0.1, 0.4, 0.6], [0, 1, 1]), cutoff=0.2, current_cutoff=0.4).png()


class TestCutoffLines:
    def names(self, **cutoffs):
        with language("zh"):
            axes = plot_scores(SCORES, LABELS, cutoffs["cutoff"], current_cutoff=cutoffs["today"]).axes[0]
        return [text.get_text() for text in axes.texts if text.get_text()[-4:].isdigit()]

    def test_both_are_named_with_four_digits(self):
        assert self.names(cutoff=0.55, today=0.4) == ["现用 0.4000", "阈值 0.5500"]

    def test_where_todays_stays_there_is_one_line(self):
        assert self.names(cutoff=0.4, today=0.4) == ["阈值 0.4000"]


class TestStability:
    def test_the_title_gives_the_interval(self, study):
        low, high, sure = numbers(title(plot_stability(study.stability)))
        found = study.stability.cutoffs[~np.isnan(study.stability.cutoffs)]
        assert [low, high] == np.quantile(found, [0.025, 0.975]).round(4).tolist()
        assert sure == 95

    def test_that_no_resample_found_a_cutoff_is_said(self):
        scores, labels = np.linspace(0.1, 0.9, 40), np.tile([1, 0, 0, 0], 10)
        none = calibrate(
            pd.DataFrame({"score": scores, "label": labels}), target_precision=0.999, n_resamples=50
        )
        figure = plot_study(none)
        if np.isnan(none.stability.low):
            assert title(figure, 3) == "In no resample was there such a cutoff"
        assert none.basis == "none"
        assert figure.png()


@pytest.fixture(scope="module")
def groups():
    rng = np.random.default_rng(5)
    labels = (rng.random(1500) < 0.4).astype(int)
    names = np.where(np.arange(1500) < 40, "small", np.where(np.arange(1500) % 2, "low", "high"))
    scores = 0.3 + 0.3 * labels + 0.1 * rng.standard_normal(1500) - 0.15 * (names == "low") * labels
    frame = pd.DataFrame({"score": scores.clip(-1, 1), "label": labels, "team": names})
    return by_group(frame, "team", 0.45)


class TestGroups:
    def test_the_title_counts_groups_that_differ(self, groups):
        figure = plot_groups(groups, ["recall"])
        assert figure.alt == "By team: 2 of 3 groups differ from the rest"

    def test_groups_that_are_too_small_are_counted_and_not_drawn(self, groups):
        figure = plot_groups(groups, ["recall"])
        names = [label.get_text().split()[0] for label in figure.axes[0].get_yticklabels()]
        assert sorted(names) == ["high", "low"]
        said = [text.get_text() for text in [*figure.texts, *figure.axes[0].texts]]
        assert any("1 too small to judge, not drawn" in each for each in said)

    def test_where_all_are_too_small_there_is_nothing_to_draw(self, groups):
        small = replace(groups, frame=groups.frame.assign(enough=False))
        assert groups.can_judge
        assert not small.can_judge
        with pytest.raises(InputError, match="nothing to draw"):
            plot_groups(small)

    def test_it_renders_without_missing_glyphs(self, groups, each_language):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert plot_groups(groups).png()

    def test_a_figure_that_it_does_not_have_is_refused(self, groups):
        with pytest.raises(InputError, match="no figure 'f1'"):
            plot_groups(groups, ["f1"])


class TestReliability:
    def test_probabilities_that_are_right_are_said_to_agree_and_others_to_differ(self):
        rng = np.random.default_rng(0)
        true = rng.random(1500)
        pairs = Observations(true, rng.random(1500) < true)
        right = reliability(pairs, true, n_resamples=100)
        wrong = reliability(pairs, true**0.4, n_resamples=100)
        assert title(plot_reliability(right)) == "Probabilities agree with what is seen"
        assert title(plot_reliability(wrong)) == "Probabilities differ from what is seen"
