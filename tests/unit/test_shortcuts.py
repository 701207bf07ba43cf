"""The short way gives what the long way gives: encoders are loaded, pairs read and scored on the way."""

from __future__ import annotations

import numpy as np
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


PHRASES = ("ward nurse", "Java developer", "maths teacher")
SAID = [f"{phrase} {number}" for phrase in PHRASES for number in range(9)]


class TestMaps:
    def frame(self):
        return pd.DataFrame({"said": SAID, "n": range(27)}, index=[f"t{n}" for n in range(27)])

    def test_a_frame_comes_back_with_places_neighbours_and_groups(self):
        frame, encoder = self.frame(), wb.load_encoder("use")
        found = wb.fit_map(frame, encoder, method="pca")
        assert found.columns.tolist() == ["said", "n", "x", "y", "neighbors", "group"]
        assert frame.columns.tolist() == ["said", "n"]
        places = found.attrs["skill_map"].place(encoder.encode_documents(SAID))
        np.testing.assert_allclose(found[["x", "y"]], places, atol=1e-5)

    def test_neighbours_are_the_texts_of_highest_cosine_but_itself(self):
        encoder = wb.load_encoder("use")
        found = wb.fit_map(self.frame(), encoder, method="pca")
        vectors = encoder.encode_documents(SAID)
        nearest = np.argsort(-(vectors @ vectors.T), axis=1)
        for row, neighbours in enumerate(found["neighbors"]):
            expected = [f"t{other}" for other in nearest[row] if other != row][:15]
            assert neighbours[:5] == expected[:5]
            assert len(neighbours) == 15

    def test_vectors_give_a_map_and_a_list_gives_a_frame(self):
        vectors = np.random.default_rng(0).standard_normal((30, 8))
        assert type(wb.fit_map(vectors, method="pca")).__name__ == "SkillMap"
        assert wb.fit_map(SAID, "use", method="pca")["text"].tolist() == SAID

    @pytest.mark.parametrize(
        ("frame", "message"),
        [
            (pd.DataFrame({"a": ["x", "y"], "b": ["z", "w"]}), "columns are: 'a', 'b'"),
            (pd.DataFrame({"text": ["nurse", "  "]}), "at 1 is blank"),
        ],
    )
    def test_what_cannot_be_told_is_asked_for(self, frame, message):
        with pytest.raises(InputError, match=message):
            wb.fit_map(frame, ToyEncoder())


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

    def test_scorers_stand_beside_encoders(self, pairs):
        pairs = pairs.assign(vendor=0.2 + 0.6 * pairs["label"])
        found = wb.compare(pairs, ["keyword", "keyword+relative", "column:vendor"], n_resamples=20)
        assert found.others == ["keyword+relative", "column:vendor"]
        assert list(found.milliseconds) == ["keyword"]
        auc = found.frame.query("figure == 'auc'").set_index("encoder")["value"]
        assert auc["column:vendor"] == 1.0

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
