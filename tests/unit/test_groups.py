"""Figures per group: intervals and tests of statsmodels and scipy, selection rates by definition."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, fisher_exact
from sklearn.metrics import accuracy_score, precision_score, recall_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from workbench.calibration import Observations, adverse_impact, by_group, calibrate
from workbench.calibration.exact_tests import size_for_margin
from workbench.calibration.groups import TESTED
from workbench.calibration.impact_intervals import impact_intervals
from workbench.errors import InputError
from workbench.i18n import language

CUTOFF = 0.45


def frame(n=900, seed=0, groups=("zh", "en", "fr"), shift=0.0, shares=None) -> pd.DataFrame:
    """Matches around 0.6, others around 0.3; `shift` moves the matches of the last group down."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.4
    language = rng.choice(groups, n, p=shares)
    scores = np.where(labels, 0.6, 0.3) + 0.15 * rng.standard_normal(n)
    scores[labels & (language == groups[-1])] -= shift
    return pd.DataFrame({"score": scores, "label": labels.astype(int), "language": language})


@pytest.fixture(scope="module")
def pairs():
    return frame(shift=0.12)


@pytest.fixture(scope="module")
def found(pairs):
    return by_group(pairs, "language", CUTOFF, figures=(*TESTED, "share_selected"))


def counts(pairs: pd.DataFrame, figure: str) -> tuple[int, int]:
    """Right ones, and pairs behind, by the definition of the figure."""
    above, label = pairs["score"] > CUTOFF, pairs["label"] == 1
    behind, right = {
        "precision": (above, label),
        "recall": (label, above),
        "false_omission_rate": (~above, label),
        "specificity": (~label, ~above),
        "accuracy": (pd.Series(True, index=pairs.index), above == label),
        "share_selected": (pd.Series(True, index=pairs.index), above),
    }[figure]
    return int((behind & right).sum()), int(behind.sum())


class TestFigures:
    @pytest.mark.parametrize(
        ("figure", "score"),
        [("precision", precision_score), ("recall", recall_score), ("accuracy", accuracy_score)],
    )
    def test_values_are_scikit_learns_on_the_group_and_on_the_rest(self, pairs, found, figure, score):
        for row in found.frame.query("figure == @figure").itertuples():
            inside = pairs["language"] == row.group
            for part, value in ((pairs[inside], row.value), (pairs[~inside], row.rest)):
                assert value == pytest.approx(score(part["label"], part["score"] > CUTOFF))

    def test_intervals_are_statsmodels_wilson_on_the_pairs_behind_the_figure(self, pairs, found):
        for row in found.frame.itertuples():
            right, behind = counts(pairs[pairs["language"] == row.group], row.figure)
            assert row.n_behind == behind == row.size
            assert (row.low, row.high) == pytest.approx(proportion_confint(right, behind, method="wilson"))

    def test_the_difference_is_to_the_rest(self, found):
        np.testing.assert_allclose(found.frame["difference"], found.frame["value"] - found.frame["rest"])

    def test_a_score_on_the_cutoff_is_not_selected(self):
        pairs = pd.DataFrame({"score": [0.5] * 8, "label": [0, 1] * 4, "g": list("aabb") * 2})
        assert by_group(pairs, "g", 0.5).frame.query("figure == 'share_selected'")["value"].tolist() == [0, 0]


class TestFlags:
    def test_p_values_are_fishers_exact_test(self, pairs, found):
        for row in found.frame.query("figure in @TESTED").itertuples():
            inside = pairs["language"] == row.group
            table = []
            for part in (pairs[inside], pairs[~inside]):
                right, behind = counts(part, row.figure)
                table.append([right, behind - right])
            assert row.p_value == pytest.approx(fisher_exact(table)[1])

    def test_adjusted_ones_are_statsmodels_holm_over_all_groups_and_figures(self, found):
        tested = found.frame[found.frame["p_value"].notna()]
        flags, adjusted, *_ = multipletests(tested["p_value"], alpha=0.05, method="holm")
        np.testing.assert_allclose(tested["p_adjusted"], adjusted)
        assert (tested["flag"] != "").tolist() == flags.tolist()

    def test_with_weights_it_is_statsmodels_pooled_z_test(self, pairs):
        weighted = by_group(pairs.assign(weight=2.0), "language", CUTOFF).frame
        for row in weighted.query("figure == 'recall'").itertuples():
            inside = pairs["language"] == row.group
            right, behind = zip(*(counts(pairs[part], "recall") for part in (inside, ~inside)), strict=True)
            assert row.p_value == pytest.approx(proportions_ztest(right, behind)[1])

    def test_a_group_that_is_found_less_often_is_flagged_lower_in_recall(self, found):
        flagged = found.flagged.set_index(["group", "figure"])["flag"]
        assert flagged["fr", "recall"] == "lower"
        assert "language = fr: recall is lower" in found.summary()
        with language("zh"):
            assert "language = fr：阈值 0.4500 处的召回率偏低" in found.summary()

    def test_selection_is_shown_and_not_tested(self, found):
        assert found.frame.query("figure == 'share_selected'")["p_value"].isna().all()

    def test_groups_that_do_not_differ_are_said_not_to(self):
        said = by_group(frame(seed=3), "language", CUTOFF)
        assert said.flagged.empty
        assert "no group differs from the rest by more than chance" in said.summary()
        with language("zh"):
            assert "差别不超出偶然" in said.summary()


class TestSmallGroups:
    @pytest.mark.parametrize(("share", "margin"), [(0.5, 0.1), (0.9, 0.1), (0.95, 0.05)])
    def test_large_enough_is_where_statsmodels_interval_reaches_no_further_than_the_margin(
        self, share, margin
    ):
        n = size_for_margin(share, margin)

        def half(size):
            low, high = proportion_confint(share * size, size, method="wilson")
            return (high - low) / 2

        assert half(n) <= margin < half(n - 1)

    def test_they_are_said_to_be_too_small_with_what_they_lack(self):
        few = frame(600, shares=[0.55, 0.42, 0.03])
        found = by_group(few, "language", CUTOFF)
        n = int((few["language"] == "fr").sum())
        small = found.too_small.query("group == 'fr'")
        assert len(small) == 4
        assert (small["more_pairs"] >= 1).all()
        assert f"fr ({n} pairs, about " in found.summary()
        assert "too small to be judged to ±10 points" in found.summary()
        cell = found.table().set_index("group").loc["fr", "precision"]
        assert cell.endswith("too few")
        with language("zh"):
            assert f"fr（{n} 对，约还需" in found.summary()
            assert found.table().set_index("组").loc["fr", "精确率"].endswith("样本太少")

    def test_as_many_more_pairs_as_are_said_to_lack_are_enough(self):
        few = frame(600, shares=[0.6, 0.37, 0.03])
        lacking = by_group(few, "language", CUTOFF).too_small.query("group == 'fr'")
        more = int(lacking["more_pairs"].max() * 1.25)
        labelled = pd.concat([few, frame(more, 5, ("fr",))])
        again = by_group(labelled, "language", CUTOFF)
        assert again.frame.query("group == 'fr'")["enough"].all()

    def test_they_have_no_say_in_the_adverse_impact_ratio(self):
        few = frame(600, shares=[0.6, 0.38, 0.02])
        few.loc[few["language"] == "fr", "score"] = 0.0
        found = by_group(few, "language", CUTOFF)
        assert not found.impact.frame.set_index("group").loc["fr", "judged"]
        assert found.impact.ratio.value > 0.8

    def test_a_group_without_a_single_pair_above_has_no_precision_and_says_so(self):
        none = frame(300)
        none.loc[none["language"] == "fr", "score"] = 0.0
        found = by_group(none, "language", CUTOFF)
        assert found.table().set_index("group").loc["fr", "precision"] == "–"
        row = found.frame.query("group == 'fr' and figure == 'precision'").iloc[0]
        assert np.isnan(row["value"])
        assert not row["enough"]


class TestAdverseImpact:
    @staticmethod
    def ratio(pairs, weights):
        """The lowest selection rate over the highest, by definition."""
        rates = [
            np.average(members["score"] > CUTOFF, weights=weights[members.index])
            for _, members in pairs.groupby("language")
        ]
        return min(rates) / max(rates)

    def test_the_ratio_is_that_of_the_lowest_selection_rate_to_the_highest(self, pairs, found):
        assert found.impact.ratio.value == pytest.approx(self.ratio(pairs, np.ones(len(pairs))))

    def test_so_is_the_weighted_one(self, pairs):
        weights = np.random.default_rng(0).uniform(1, 4, len(pairs))
        weighted = by_group(pairs.assign(weight=weights), "language", CUTOFF)
        assert weighted.impact.ratio.value == pytest.approx(self.ratio(pairs, weights))

    def test_its_interval_is_about_statsmodels_for_a_ratio_of_two_shares(self):
        from statsmodels.stats.proportion import confint_proportions_2indep

        selected, of = (90, 150), (300, 300)
        scores = np.concatenate(
            [np.repeat([0.9, 0.1], [k, n - k]) for k, n in zip(selected, of, strict=True)]
        )
        pairs = Observations(scores, np.arange(600) % 2)
        found = adverse_impact(pairs, np.repeat(["a", "b"], 300), 0.5)
        expected = confint_proportions_2indep(90, 300, 150, 300, compare="ratio", method="log")
        assert found.reference == "b"
        assert (found.ratio.low, found.ratio.high) == pytest.approx(expected, rel=0.04)

    def test_a_score_at_the_cutoff_is_not_selected(self):
        pairs = Observations([0.5, 0.9, 0.5, 0.1], [1, 1, 0, 0])
        found = adverse_impact(pairs, ["a", "a", "b", "b"], 0.5)
        assert found.frame.set_index("group")["selected"].to_dict() == {"a": 1, "b": 0}

    @pytest.mark.parametrize(
        ("selected", "answer"), [((100, 200), "below"), ((195, 200), "above"), ((165, 200), "unclear")]
    )
    def test_the_four_fifths_rule_has_three_answers(self, selected, answer):
        scores = np.concatenate([np.repeat([0.9, 0.1], [k, 400 - k]) for k in selected])
        found = adverse_impact(Observations(scores, np.arange(800) % 2), np.repeat(["a", "b"], 400), 0.5)
        assert found.answer == answer

    def test_the_sentence_names_the_groups_that_are_shown_to_be_below_not_the_one_that_merely_looks_it(self):
        """Nobody of a small group is selected, which may be chance; too few of a large one, which is not."""
        selected, of = (0, 40, 150), (3, 300, 300)
        scores = np.concatenate(
            [np.repeat([0.9, 0.1], [k, n - k]) for k, n in zip(selected, of, strict=True)]
        )
        names = np.repeat(["none of few", "few of many", "half"], of)
        found = adverse_impact(Observations(scores, np.arange(603) % 2), names, 0.5)
        answers = found.frame.set_index("group")["answer"]
        assert (answers["none of few"], answers["few of many"]) == ("unclear", "below")
        assert "0.0 % of none of few are selected" in found.summary()
        assert found.summary().endswith("below four fifths beyond chance: few of many.")
        with language("zh"):
            assert found.summary().endswith("确实低于五分之四的有：few of many。")

    def test_a_group_of_which_nobody_is_selected_has_an_interval_that_is_no_point(self):
        scores = np.concatenate([np.full(50, 0.1), np.repeat([0.9, 0.1], [30, 20])])
        found = adverse_impact(Observations(scores, np.arange(100) % 2), np.repeat(["a", "b"], 50), 0.5)
        worst = found.frame.iloc[0]
        assert (worst["group"], worst["ratio"], worst["low"]) == ("a", 0, 0)
        # Donner & Zou (2012) with a rate of 0, from scipy's quantiles of Jeffreys' posteriors.
        of_a, of_b = beta.ppf(0.975, 0.5, 50.5), beta.ppf(0.025, 30.5, 20.5)
        assert worst["high"] == pytest.approx(of_a / np.sqrt(of_b * (2 * 0.6 - of_b)))

    def test_where_nobody_is_selected_there_is_no_ratio(self):
        found = adverse_impact(Observations([0.1] * 4, [0, 1] * 2), list("abab"), 0.5)
        assert found.ratio is None
        assert found.answer is None
        assert "cannot be compared" in found.summary()


def covering(truth, sizes, runs=2000):
    """How often intervals of the lowest ratio, and those of all groups at once, cover the truth."""
    selected = np.random.default_rng(0).binomial(sizes, truth, (runs, len(sizes)))
    found = impact_intervals(selected[selected.any(1)] / sizes, sizes)
    ratios = truth / truth.max()
    lowest = (found.smallest_low <= ratios.min() + 1e-9) & (ratios.min() <= found.smallest_high + 1e-9)
    every = (found.low <= ratios + 1e-9) & (ratios <= found.high + 1e-9)
    return lowest.mean(), every.all(1).mean(), found


class TestPickedGroups:
    """The worst group and the best are picked by looking: intervals must cover all the same."""

    @pytest.mark.parametrize("groups", [2, 3, 5, 10, 20])
    @pytest.mark.parametrize("kind", ["equal", "rare", "halves", "spread"])
    def test_intervals_of_unequal_groups_cover_the_lowest_ratio_and_all_at_once(self, groups, kind):
        sizes = np.round(np.geomspace(10, 1000, groups)).astype(int)
        truth = {
            "equal": np.full(groups, 0.3),
            "rare": np.full(groups, 0.05),
            "halves": np.where(np.arange(groups) < groups // 2, 0.4, 0.28),
            "spread": np.random.default_rng(groups).permutation(np.linspace(0.05, 0.6, groups)),
        }[kind]
        lowest, every, _found = covering(truth, sizes)
        # 95 %, less the 2 points that are allowed and two standard errors of the simulation.
        assert lowest >= 0.93 - 0.011, lowest
        assert every >= 0.93 - 0.011, every

    def test_one_group_far_below_one_other_costs_no_more_than_if_they_had_been_named_beforehand(self):
        """With 4,000 of each, the interval for two of eight groups is Katz's for these two."""
        truth = np.array([0.1, 0.7, *np.full(6, 0.4)])
        found = covering(truth, np.full(8, 4000))[2]
        log_error = np.sqrt((0.9 / 0.1 + 0.3 / 0.7) / 4000)
        alone = 2 * np.sinh(1.96 * log_error) / 7
        assert np.median(found.smallest_high - found.smallest_low) == pytest.approx(alone, rel=0.05)

    def test_the_lowest_ratio_lies_within_its_interval_whatever_the_sizes(self):
        sizes = np.array([1, 1, 2, 3, 50])
        rates = np.random.default_rng(1).binomial(sizes, 0.5, (500, 5)) / sizes
        rates = rates[rates.any(1)]
        found = impact_intervals(rates, sizes)
        ratios = rates / rates.max(1, keepdims=True)
        assert (found.smallest_low <= ratios.min(1) + 1e-12).all()
        assert (ratios.min(1) <= found.smallest_high + 1e-12).all()
        assert ((found.low <= ratios + 1e-12) & (ratios <= found.high + 1e-12)).all()

    def test_the_reference_is_picked_too_so_its_own_ratio_is_not_sure(self, found):
        best = found.impact.frame.set_index("group").loc[found.impact.reference]
        assert best["low"] < 1 == best["high"] == best["ratio"]

    @pytest.mark.slow
    @pytest.mark.parametrize("mixed", [True, False])
    def test_they_cover_where_a_jd_selects_many_or_few_of_everyone(self, mixed):
        """120 sets of 40 JDs, whose rates follow a beta distribution with a correlation of 0.1 in a JD."""
        rng, truth, sizes = np.random.default_rng(3), np.array([0.4, 0.4, 0.28]), [40, 300, 300]
        group, covered = np.repeat(np.arange(3), sizes), 0
        for _run in range(120):
            jd = rng.integers(0, 40, len(group)) + (0 if mixed else 40 * group)
            rate = beta.ppf(rng.random(120)[jd], 9 * truth[group], 9 * (1 - truth[group]))
            scores = (rng.random(len(group)) < rate).astype(float)
            found = adverse_impact(Observations(scores, np.zeros(len(group)), clusters=jd), group, 0.5)
            covered += found.ratio.low <= 0.7 <= found.ratio.high
        assert covered / 120 >= 0.93 - 0.046

    def test_jds_that_move_all_groups_alike_leave_their_ratio_sharper_than_rates_by_themselves(self):
        rng = np.random.default_rng(5)
        jd = np.repeat(np.arange(200), 10)
        group = np.tile(np.array(["a", "b"]), 1000)
        scores = (rng.random(2000) < rng.choice([0.05, 0.95], 200)[jd]).astype(float)
        shared = adverse_impact(Observations(scores, np.zeros(2000), clusters=jd), group, 0.5).ratio
        apart = np.where(group == "a", jd, jd + 200)
        alone = adverse_impact(Observations(scores, np.zeros(2000), clusters=apart), group, 0.5).ratio
        assert shared.high - shared.low < 0.8 * (alone.high - alone.low)


class TestSharedJds:
    def test_pairs_that_repeat_each_other_make_a_group_no_larger(self):
        once = frame(300)
        five = once.loc[np.repeat(once.index, 5)].assign(jd_id=np.repeat(np.arange(300), 5))
        repeated = by_group(five, "language", CUTOFF).frame
        alone = by_group(once, "language", CUTOFF).frame
        assert (repeated["size"] <= alone["size"] + 1e-6).all()
        np.testing.assert_allclose(repeated["value"], alone["value"])
        assert (repeated["n_jds"] == alone["n"]).all()

    def test_a_group_is_said_with_its_number_of_jds(self):
        few = frame(400, shares=[0.55, 0.42, 0.03]).assign(jd_id=np.arange(400) % 40)
        n_jds = few.loc[few["language"] == "fr", "jd_id"].nunique()
        assert f"of {n_jds} JDs" in by_group(few, "language", CUTOFF).summary()


class TestColumns:
    def test_missing_values_are_a_group_of_their_own(self):
        pairs = frame(300)
        pairs.loc[:20, "language"] = None
        found = by_group(pairs, "language", CUTOFF)
        assert found.frame.query("group == '(missing)'")["n"].tolist() == [21] * 4

    def test_several_columns_are_combined(self):
        pairs = frame(300).assign(level=lambda f: np.where(f.index % 2, "senior", "junior"))
        found = by_group(pairs, ["language", "level"], CUTOFF)
        assert found.by == "language / level"
        assert set(found.frame["group"]) == {
            f"{a} / {b}" for a in ("zh", "en", "fr") for b in ("senior", "junior")
        }

    @pytest.mark.parametrize(
        ("change", "by", "options", "said"),
        [
            ({}, "family", {}, "no column 'family' (they have score, label, language)"),
            ({"one": "a"}, "one", {}, "All pairs are of one group (one: 'a')"),
            ({"many": range(300)}, "many", {}, "too many for groups"),
            ({}, "language", {"figures": ["f1"]}, "'f1' is no figure for groups"),
            ({}, "language", {"margin": 10}, "percent must be divided by 100"),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, change, by, options, said):
        with pytest.raises(InputError) as refused:
            by_group(frame(300).assign(**change), by, CUTOFF, **options)
        assert said in str(refused.value)

    def test_names_of_groups_are_escaped(self):
        pairs = frame(300, groups=("zh", "<script>alert(1)</script>"))
        html = by_group(pairs, "language", CUTOFF)._repr_html_()
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_a_live_prevalence_weights_matches_in_all_groups_alike(pairs):
    live = by_group(pairs, "language", CUTOFF, prevalence=0.1)
    seen = pairs["label"].mean()
    weights = np.where(pairs["label"] == 1, 0.1 / seen, 0.9 / (1 - seen))
    for row in live.frame.query("figure == 'precision'").itertuples():
        inside = (pairs["language"] == row.group).to_numpy()
        expected = precision_score(
            pairs["label"][inside], pairs["score"][inside] > CUTOFF, sample_weight=weights[inside]
        )
        assert row.value == pytest.approx(expected)


def test_groups_of_a_study_are_weighted_to_its_live_scores():
    pairs = frame(600)
    live = np.random.default_rng(1).normal(0.55, 0.12, 500)
    study = calibrate(pairs, target_precision=0.7, live_scores=live, n_resamples=20)
    found = study.by_group(["language"])[0]
    weights = study.live.weights
    for row in found.frame.query("figure == 'precision'").itertuples():
        inside = (pairs["language"] == row.group).to_numpy() & (weights > 0)
        expected = precision_score(
            pairs["label"][inside],
            pairs["score"][inside] > study.cutoff.value,
            sample_weight=weights[inside],
        )
        assert row.value == pytest.approx(expected)
    overall = found.overall["precision"]
    assert overall.value == pytest.approx(study.figures["precision"].value)


def test_it_can_be_kept_on_a_card(found):
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["impact"]["reference"] == found.impact.reference
    assert len(kept["groups"]) == len(found.frame)


@settings(max_examples=3)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed):
    pairs = frame(200).assign(jd_id=np.arange(200) % 30)
    shuffled = pairs.sample(frac=1, random_state=seed)
    one, other = (by_group(each, "language", CUTOFF) for each in (pairs, shuffled))
    assert one.to_dict() == other.to_dict()


@pytest.mark.slow
@pytest.mark.parametrize("n_jds", [None, 80])
def test_groups_that_do_not_differ_are_flagged_in_at_most_5_percent_of_sets(n_jds):
    """120 sets of 600 pairs in six groups; with JDs, errors of a JD go together and a JD has one group."""
    rng = np.random.default_rng(7)
    flagged = uncorrected = 0
    for seed in range(120):
        pairs = frame(600, seed, tuple("abcdef"))
        if n_jds:
            jds = rng.integers(0, n_jds, 600)
            pairs["score"] += 0.08 * rng.standard_normal(n_jds)[jds]
            pairs = pairs.assign(jd_id=jds, language=np.array(list("abcdef"))[jds % 6])
        found = by_group(pairs, "language", CUTOFF)
        flagged += not found.flagged.empty
        uncorrected += (found.frame["p_value"] <= 0.05).any()
    # 5 % and three standard errors of the simulation.
    assert flagged / 120 <= 0.11, flagged / 120
    assert uncorrected / 120 >= 0.2, "without correction there would be nothing to correct"
