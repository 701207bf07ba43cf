"""A card at another share of matches: the right values come from pairs simulated at that share."""

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.calibration import check
from workbench.calibration.evidence import promises_of
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import language
from workbench.retrieval.hits import hit_probabilities

pytestmark = pytest.mark.slow

CUTOFF = 0.5


def pairs(n, prevalence, seed):
    """Matches score like a normal around 0.55, others around 0.35, whatever the prevalence."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < prevalence
    scores = np.where(labels, 0.55, 0.35) + 0.1 * rng.standard_normal(n)
    return pd.DataFrame({"score": scores.clip(-1, 1), "label": labels.astype(int)})


@pytest.fixture(scope="module")
def card():
    """Of so many labelled pairs that only carrying it over can go wrong."""
    study = wb.calibrate(pairs(20_000, 0.4, 0), target_precision=0.7, n_resamples=50)
    figures = wb.figures_at(study.observations, CUTOFF, n_resamples=50)
    told = {name: found.to_dict() for name, found in figures.items()}
    return Cutoff(CUTOFF, "toy", "0123456789ab", {**study.cutoff.evidence, "figures": told})


@pytest.mark.parametrize("share", [0.01, 0.05, 0.4, 0.8])
def test_precision_is_what_is_met_at_that_share(card, share):
    live = pairs(2_000_000, share, 1)
    met = live.loc[live["score"] > CUTOFF, "label"].mean()
    found = card.at_prevalence(share).figure("precision")
    assert found.low < met < found.high
    assert found.value == pytest.approx(met, rel=0.05)
    recall = card.at_prevalence(share).figure("recall")
    assert recall == card.figure("recall")


@pytest.mark.parametrize("share", [0.01, 0.05, 0.8])
def test_probabilities_are_what_is_met_at_that_share(card, share):
    live = pairs(4_000_000, share, 2)
    for score in (0.4, 0.5, 0.6):
        met = live.loc[(live["score"] - score).abs() < 0.005, "label"].mean()
        (found,) = hit_probabilities(card.at_prevalence(share), [score])
        assert 0.95 * found["low"] < met < 1.05 * found["high"]
        assert found["value"] == pytest.approx(met, rel=0.3)
        assert found["prevalence"] == share
    # As labelled it would be far off.
    as_labelled, live = (hit_probabilities(each, [0.5])[0] for each in (card, card.at_prevalence(0.05)))
    assert as_labelled["value"] > 1.5 * live["value"]


def test_the_issues_own_example_precision_of_91_becomes_about_a_tenth_or_a_quarter_at_one_percent():
    # TPR / FPR is what stays: odds 0.91/0.09 at the labelled share are theirs times the odds of that share.
    for labelled in (0.4, 0.24):
        likelihood_ratio = 0.91 / 0.09 / (labelled / (1 - labelled))
        expected = 0.01 * likelihood_ratio / (0.01 * likelihood_ratio + 0.99)
        evidence = {
            "figures": {"precision": {"value": 0.91, "low": 0.88, "high": 0.94}},
            "live": {"prevalence": labelled},
        }
        found = Cutoff(0.5, evidence=evidence).at_prevalence(0.01).figure("precision")
        assert found.value == pytest.approx(expected)


def test_carrying_it_over_again_starts_from_what_was_measured(card):
    there_and_back = card.at_prevalence(0.01, between=(0.0, 0.03)).at_prevalence(card.measured_prevalence)
    assert there_and_back.figure("precision") == pytest.approx(card.figure("precision"))
    assert card.prevalence_is == "labelled"


def test_an_estimated_share_widens_both_ends(card):
    sharp, blurred = card.at_prevalence(0.05), card.at_prevalence(0.05, between=(0.02, 0.1))
    assert blurred.figure("precision").value == sharp.figure("precision").value
    assert blurred.figure("precision").low == pytest.approx(card.at_prevalence(0.02).figure("precision").low)
    assert blurred.figure("precision").high == pytest.approx(card.at_prevalence(0.1).figure("precision").high)
    assert "as estimated from live scores (2.0 % to 10.0 %)" in blurred.holds_for()
    (found,), (at,) = hit_probabilities(blurred, [0.5]), hit_probabilities(sharp, [0.5])
    assert found["low"] < at["low"] < at["value"] == found["value"] < at["high"] < found["high"]


def test_the_share_goes_with_the_card_through_its_file(card, tmp_path):
    kept = Cutoff.load(card.at_prevalence(0.05).save(tmp_path / "card.json"))
    assert (kept.prevalence, kept.prevalence_is) == (0.05, "given")
    assert kept.figure("precision") == card.at_prevalence(0.05).figure("precision")
    assert kept.value == card.value
    assert kept.measured_prevalence == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("code", ["en", "zh"])
def test_it_always_says_for_which_share_it_holds(card, code):
    with language(code):
        said = [card.holds_for(), card.at_prevalence(0.05).holds_for()]
    assert "5" in said[1]
    assert said[0] != said[1]
    assert "prevalence" in said[0]
    assert Cutoff(0.4).holds_for() is None


@pytest.mark.parametrize("share", [0, 1, -0.1, 40, True, "0.1", None, float("nan")])
def test_what_is_no_share_is_refused(card, share):
    with pytest.raises(InputError, match="between 0 and 1"):
        card.at_prevalence(share)


def test_a_share_outside_its_interval_and_a_bare_number_are_refused(card):
    with pytest.raises(InputError, match="outside its own interval"):
        card.at_prevalence(0.2, between=(0.0, 0.1))
    with pytest.raises(InputError, match="bare number"):
        Cutoff(0.4).at_prevalence(0.1)


class TestInTheSearchPanel:
    @pytest.fixture
    def panel(self):
        panel = wb.SearchPanel(
            ["熟悉 RAG 架构设计", "持护士执业证"], "搭建过文档问答系统", encoder="use", language="en"
        )
        panel.search()
        return panel

    def test_it_opens_at_the_share_of_the_card_and_says_so(self, panel):
        assert panel.widgets.prevalence.value == 37.8
        assert panel.widgets.prevalence.layout.display is None
        assert "as labelled" in panel.widgets.status.value
        assert panel.session.cutoff.is_demonstration
        assert "not your data" in panel.widgets.status.value

    def test_probabilities_follow_the_field_without_searching_again(self, panel):
        before = panel.hits[0]
        panel.widgets.prevalence.value = 5
        after = panel.hits[0]
        odds = [hit["probability"]["value"] / (1 - hit["probability"]["value"]) for hit in (before, after)]
        assert odds[1] / odds[0] == pytest.approx(0.05 / 0.95 / (218 / 358))
        assert after["score"] == before["score"]
        assert "where 5.0 % of all pairs are, as given" in panel.widgets.status.value
        assert panel.frame["probability_prevalence"].tolist() == [0.05, 0.05]

    def test_the_cards_cutoff_is_a_mark_of_the_slider_so_that_a_browser_leaves_it_there(self, panel):
        slider, card = panel.widgets.cutoff, panel.session.cutoff.value
        marks = (card - slider.min) / slider.step
        assert marks == pytest.approx(round(marks))
        slider.value = slider.min + round(marks) * slider.step  # as a browser counts
        assert panel.view.cutoff == card
        slider.value += slider.step
        assert panel.view.cutoff == pytest.approx(card + 0.005)

    def test_a_bare_number_has_no_such_field(self):
        panel = wb.SearchPanel(["Java"], "Java", encoder="use", cutoff=0.4, language="en")
        assert panel.widgets.prevalence.layout.display == "none"

    def test_it_can_open_at_a_share(self):
        panel = wb.SearchPanel(["Java"], "Java", encoder="use", prevalence=0.02, language="en")
        assert panel.widgets.prevalence.value == 2.0
        assert panel.session.cutoff.prevalence == 0.02


@pytest.fixture(scope="module")
def promising():
    study = wb.calibrate(pairs(3_000, 0.4, 5), target_precision=0.8, n_resamples=50)
    assert study.basis == "guarantee"
    return study.cutoff


class TestInACheck:
    """A promise at another share is another number; the right one is what is met there."""

    def test_the_promise_is_carried_over_and_kept_where_nothing_but_the_share_has_changed(self, promising):
        live = pairs(60_000, 0.05, 6)
        found = check(promising, live, prevalence=0.05)
        promise, *_ = found.promises
        met = live.loc[live["score"] > promising.value, "label"].mean()
        assert promise.value < met < 0.6
        assert found.holds is True

    def test_without_it_the_same_pairs_break_the_promise_and_it_is_said_why(self, promising):
        found = check(promising, pairs(60_000, 0.05, 6))
        assert found.holds is False
        assert "matches, the card's figures are for" in found.summary()

    def test_a_card_that_is_used_at_a_share_promises_for_it(self, promising):
        promise, *_ = promises_of(promising.at_prevalence(0.05, between=(0.03, 0.08)))
        least, *_ = promises_of(promising.at_prevalence(0.03))
        assert promise.value == pytest.approx(least.value)

    def test_labelled_pairs_that_are_no_fair_sample_are_weighted_to_it(self, promising):
        found = check(promising, pairs(60_000, 0.4, 7), prevalence=0.05)
        assert found.holds is True

    def test_a_card_of_everyday_pairs_is_checked_with_everyday_pairs(self):
        rng = np.random.default_rng(8)
        easy = pairs(2_000, 0.4, 8).assign(source="everyday")
        hard = pd.DataFrame({"score": rng.uniform(0.4, 0.7, 500), "label": rng.integers(0, 2, 500)})
        both = pd.concat([easy, hard.assign(source="hard")], ignore_index=True)
        card = wb.calibrate(both, target_precision=0.8, n_resamples=50).cutoff
        found = check(card, both)
        assert (found.n_hard, found.n_labelled) == (500, 2_000)
        assert "500 pairs composed to be hard were left out, as for the card." in found.summary()
