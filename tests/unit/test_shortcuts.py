"""The short way gives what the long way gives: encoders are loaded, pairs read and scored on the way."""

from __future__ import annotations

import pandas as pd
import pytest
from toy_encoders import ToyEncoder

import workbench as wb
from workbench.calibration import check as hold_against
from workbench.cutoffs import Cutoff
from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import explain as by_leaving_out


@pytest.fixture(scope="module")
def pairs():
    n = 120
    return pd.DataFrame(
        {
            "pair_id": [f"p{i}" for i in range(n)],
            "jd": [f"{'a' * (i % 7)} nurse {i}" for i in range(n)],
            "resume": [f"ward {'e' * (i % 5)} {i}" for i in range(n)],
            "label": [int(i % 3 == 0) for i in range(n)],
        }
    )


def test_explaining_is_leaving_out_phrases_with_the_encoder_that_is_named():
    jd, resume = "nurse on a surgical ward, full time", "ward nurse for three years, plays the violin"
    found = wb.explain(resume, jd, "use")
    assert found == by_leaving_out(jd, resume, wb.load_encoder("use"))
    assert found.resume.text == resume


class TestComparing:
    def test_it_compares_what_each_encoder_scores(self, pairs):
        encoders = [ToyEncoder(), ToyEncoder(name="other")]
        found = wb.compare(pairs, encoders, timing=False, n_resamples=20)
        scored = {encoder.name: wb.score_pairs(pairs, encoder) for encoder in encoders}
        assert found.frame.equals(wb.compare_scored(scored, n_resamples=20).frame)
        assert found.baseline == encoders[0].name
        assert not found.milliseconds

    def test_it_measures_what_a_text_costs(self, pairs):
        found = wb.compare(pairs, [ToyEncoder(), ToyEncoder(name="other")], n_resamples=20)
        assert all(cost > 0 for cost in found.milliseconds.values())

    def test_the_same_encoder_twice_is_refused(self, pairs):
        with pytest.raises(InputError, match="was given twice"):
            wb.compare(pairs, [ToyEncoder(), ToyEncoder()], timing=False)


class TestChecking:
    @pytest.fixture
    def card(self, pairs):
        encoder = ToyEncoder()
        study = wb.calibrate(
            wb.score_pairs(pairs, encoder), target_precision=0.2, encoder=encoder, n_resamples=20
        )
        return study.cutoff

    def test_pairs_are_scored_by_the_cards_encoder(self, pairs, card, tmp_path):
        encoder = ToyEncoder()
        path = card.save(tmp_path / "card.json")
        found = wb.check(path, pairs, encoder)
        assert found.to_dict() == hold_against(Cutoff.load(path), wb.score_pairs(pairs, encoder)).to_dict()

    def test_another_encoder_is_refused_before_anything_is_encoded(self, pairs, card):
        other = ToyEncoder(name="other")
        with pytest.raises(EncoderMismatchError):
            wb.check(card, pairs, other)
        assert other.asked == []

    def test_scored_pairs_are_taken_as_they_are(self, pairs, card):
        scored = wb.score_pairs(pairs, ToyEncoder())
        assert wb.check(card, scored).to_dict() == hold_against(card, scored).to_dict()
